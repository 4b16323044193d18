# SPDX-License-Identifier: BSD-3-Clause
"""joy validate: whether records are what the field tables say, and make sense."""

from __future__ import annotations

from typing import Annotated

import typer

from joy import console, validating
from joy.errors import UsageError
from joy.finding import CAPTURE, Found
from joy.inputs import nothing


def command(
    paths: Annotated[
        list[str],
        typer.Argument(metavar="PATH...", help="JSON lines, Arrow, Parquet, folders, globs."),
    ],
    json: Annotated[bool, typer.Option("--json", help="Say it as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="Only the exit status.")] = False,
) -> None:
    """Hold records against the schema, and against what must be true of every record.

    Exit status: 0 all is right; 1 something is not, or nothing could be read; 3 nothing is wrong
    with the records that could be read, but some could not.
    """

    def body() -> int:
        found = Found(paths)
        captures = [one.path for one in found.inputs if one.kind == CAPTURE]
        if captures:
            raise UsageError(f"{captures[0]}: is a capture; only records can be validated")
        if not found.inputs:
            raise nothing(found.troubles)
        for trouble in found.troubles:
            console.warn(trouble.text)
        records = validating.Records()
        reports = []
        for one in found.inputs:
            reports.append(validating.validate(one, records))
            if not json and not quiet:
                _print(reports[-1])
        if json:
            console.say_json([_plain(report) for report in reports])
        return _status(reports, any(trouble.damaged for trouble in found.troubles))

    raise typer.Exit(console.end(body))


def _status(reports: list[validating.Report], lost: bool) -> int:
    if any(report.count for report in reports):
        return console.FAILED
    damaged = [report for report in reports if report.damage is not None]
    if damaged and len(damaged) == len(reports) and not any(r.records for r in reports):
        return console.FAILED
    return console.DAMAGED if damaged or lost else console.OK


def _print(report: validating.Report) -> None:
    for place, text in report.problems:
        where = f"{report.file}:{place}" if place else report.file
        console.out.print(f"{where}: {text}", markup=False, soft_wrap=True)
    if report.count > len(report.problems):
        more = report.count - len(report.problems)
        console.out.print(f"{report.file}: and {more} more", markup=False, soft_wrap=True)
    said = f"{report.count} problems" if report.count else "all right"
    line = f"{report.file}: {report.records} records, {said}"
    console.out.print(line, markup=False, soft_wrap=True)
    if report.damage is not None:
        console.warn(f"{report.file}: cannot be read to its end: {report.damage}")


def _plain(report: validating.Report) -> dict:
    return {
        "file": report.file,
        "records": report.records,
        "problems": report.count,
        "damage": report.damage,
        "first": [{"place": place, "text": text} for place, text in report.problems],
    }
