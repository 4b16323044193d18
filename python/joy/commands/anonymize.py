# SPDX-License-Identifier: BSD-3-Clause
"""joy anonymize: addresses, names and users out of captures and records."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from joy import console, rewriting
from joy.errors import UsageError


def command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT... OUTPUT",
            help="Captures, JSON lines, Arrow, Parquet, folders, globs, -; then the file to write.",
        ),
    ],
    subnets: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Replace addresses in the subnets of FILE (anon=)."),
    ] = None,
    key: Annotated[
        str | None,
        typer.Option(
            metavar="FILE",
            help="Key; made when it is not there. Otherwise the list's name with .key (anon_key=).",
        ),
    ] = None,
    names: Annotated[
        bool, typer.Option("--names", help="Replace names of hosts by keyed hashes (anon_names=).")
    ] = False,
    users: Annotated[
        str | None,
        typer.Option(metavar="FILE", help="Replace the user names of FILE (useranon=)."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", metavar="NAME=VALUE", help="Option of pcap2flow."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no report.")] = False,
) -> None:
    """Take addresses, names and users out of captures and records.

    The same as pcap2flow does while it captures, with the same key. The end of OUTPUT's name says
    what is written: .json or .csv (these also with .gz or .zst), .parquet, .arrow, .arrows; "-" is
    JSON lines on standard output.
    """

    def body() -> int:
        inputs, output = console.inputs_and_output(paths)
        work: dict[str, Any] = {
            "anon": subnets,
            "anon_key": key,
            "anon_names": names or None,
            "useranon": users,
        }
        work = {name: value for name, value in work.items() if value is not None}
        if not work.keys() - {"anon_key"}:
            raise UsageError("say what to take out: --subnets FILE, --names, --users FILE")
        done = rewriting.rewrite(
            inputs, output, options=console.options_of(option or []), work=work, quiet=quiet
        )
        return rewriting.tell(done, json, quiet)

    raise typer.Exit(console.end(body))
