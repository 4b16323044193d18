# SPDX-License-Identifier: BSD-3-Clause
"""joy summary: what is in these files."""

from __future__ import annotations

import sys
from typing import Annotated

import typer

from joy import console

BINS = 60  # of the time line in JSON, at most


def command(
    paths: Annotated[list[str], typer.Argument(help="Captures, records, folders, globs.")],
    json: Annotated[bool, typer.Option("--json", help="Everything as one JSON object.")] = False,
    top: Annotated[int, typer.Option(min=1, help="Length of the lists of the largest.")] = 10,
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", help="name=value of pcap2flow, for captures; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Say what is in flows: time line, protocols, hosts, names, TLS, quality, oddities."""
    raise typer.Exit(console.end(lambda: _run(paths, json, top, option or [], quiet)))


def _run(paths: list[str], json: bool, top: int, option: list[str], quiet: bool) -> int:
    from joy.inputs import Flows
    from joy.summary import collect, text

    screen = console.out if console.out.is_terminal else None
    bins = BINS if json else min((screen.width if screen else text.PLAIN_WIDTH) - 8, 112)
    with console.progress("reading", quiet) as moved:
        flows = Flows(
            paths, columns=collect.columns(), options=console.options_of(option), progress=moved
        )
        found = collect.summarize(flows, top, bins)
    if json:
        console.say_json(found)
    elif screen:
        text.write(found, screen)
    else:
        sys.stdout.write(text.page(found))
    return console.DAMAGED if flows.damaged else console.OK
