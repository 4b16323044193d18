# SPDX-License-Identifier: BSD-3-Clause
"""joy merge: one record of the parts of a flow that the active timeout cut."""

from __future__ import annotations

from typing import Annotated, Any

import typer

from joy import console, rewriting


def command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT... OUTPUT",
            help="JSON lines, Arrow, Parquet, captures, folders, globs, -; then the file to write.",
        ),
    ],
    memory: Annotated[
        str | None,
        typer.Option(metavar="SIZE", help="Most that waiting parts may take, such as 2G."),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", metavar="NAME=VALUE", help="Option of pcap2flow."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no report.")] = False,
) -> None:
    """Make one record of the parts of a flow that the active timeout cut.

    Each field by its own rule, see doc/merge.md. The parts are to be in the order in which they
    were written, which they are in a file, and in files named by time. The end of OUTPUT's name
    says what is written: .json or .csv (these also with .gz or .zst), .parquet, .arrow, .arrows;
    "-" is JSON lines on standard output.
    """

    def body() -> int:
        inputs, output = console.inputs_and_output(paths)
        work: dict[str, Any] = {"merge": True}
        if memory is not None:
            work["memory"] = memory
        done = rewriting.rewrite(
            inputs, output, options=console.options_of(option or []), work=work, quiet=quiet
        )
        if not quiet and not json and done.summary.get("parts", 0) > 0:
            s = done.summary
            console.err.print(f"{s['parts']} parts became {s['merged']} records")
        return rewriting.tell(done, json, quiet)

    raise typer.Exit(console.end(body))
