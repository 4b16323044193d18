# SPDX-License-Identifier: BSD-3-Clause
"""joy audit: handshakes held against published policies."""

from __future__ import annotations

import io
import json
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

import joy
from joy import console
from joy.errors import InputError, UsageError

if TYPE_CHECKING:  # these take a while, and other commands need none of them
    from joy.audit.policy import Policy
    from joy.audit.tally import Tally
    from joy.inputs import Flows

VIEWS = ("host", "process", "flow")
FORMATS = ("text", "json", "html", "sarif")
FAIL_ON = {"error": ("error",), "warning": ("error", "warning"), "never": ()}


def command(
    paths: Annotated[
        list[str] | None, typer.Argument(help="Captures, flow records; files, folders, globs.")
    ] = None,
    policy: Annotated[
        list[str] | None,
        typer.Option("--policy", "-p", help="Policy by name, or a TOML file; repeatable."),
    ] = None,
    by: Annotated[str, typer.Option(help="View: flow, host, process.")] = "host",
    form: Annotated[
        str | None, typer.Option("--format", help="text, json, html, sarif.  By -O's suffix.")
    ] = None,
    output: Annotated[Path | None, typer.Option("-O", "--output", help="File to write.")] = None,
    fail_on: Annotated[
        str, typer.Option(help="Exit code 1 from this severity on: error, warning, never.")
    ] = "error",
    listing: Annotated[bool, typer.Option("--list", help="List the policies.")] = False,
    as_json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    option: Annotated[
        list[str] | None, typer.Option("-o", help="name=value of pcap2flow, for captures.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no warnings.")] = False,
) -> None:
    """Hold the TLS, DTLS and QUIC handshakes of captures or records against published policies.

    Exit code: 0 nothing at or above --fail-on, 1 something (or the audit could not be done),
    2 wrong usage, 3 nothing found but some input was damaged.
    """

    def body() -> int:
        if listing:
            return _list(as_json or form == "json")
        chosen = "json" if as_json else _format(form, output)
        _one_of("--by", by, VIEWS)
        _one_of("--fail-on", fail_on, tuple(FAIL_ON))
        if not paths:
            raise UsageError("no input: name captures, flow records or folders of them")
        loaded = _policies(policy or ["mozilla-intermediate"])
        tally, flows = _run(paths, loaded, by, console.options_of(option or []), quiet)
        _write(chosen, output, tally, flows)
        if set(FAIL_ON[fail_on]).intersection(tally.worst()):
            return console.FAILED
        return console.DAMAGED if flows.damaged else console.OK

    raise typer.Exit(console.end(body))


def _one_of(name: str, value: str, among: tuple[str, ...]) -> None:
    if value not in among:
        raise UsageError(f"{name} {value}: it is one of {', '.join(among)}")


def _format(form: str | None, output: Path | None) -> str:
    """What was asked for, or what the file's suffix says."""
    if form is None:
        suffix = output.suffix.lstrip(".").lower() if output else ""
        return {"htm": "html"}.get(suffix, suffix if suffix in FORMATS else "text")
    _one_of("--format", form, FORMATS)
    return form


def _policies(names: list[str]) -> list[Policy]:
    from joy.audit.policy import load

    return [load(name) for name in names]


def _run(
    paths: list[str], loaded: list[Policy], by: str, options: dict[str, str], quiet: bool
) -> tuple[Tally, Flows]:
    from joy.audit.facts import COLUMNS, read
    from joy.audit.tally import Tally
    from joy.inputs import Flows

    tally = Tally(loaded, by)
    with console.progress("auditing", quiet) as moved:
        flows = Flows(paths, columns=list(COLUMNS), options=options, progress=moved)
        for batch in flows:
            for facts in read(batch):
                tally.add(facts)
    tally.finish()
    if not quiet:
        for trouble in flows.troubles:
            console.warn(trouble.text)
    return tally, flows


def _list(as_json: bool) -> int:
    from joy.audit.policy import installed

    loaded = _policies(installed())
    if as_json:
        from joy.audit.report_json import about

        console.say_json([about(p) | {"rules": len(p.rules)} for p in loaded])
        return console.OK
    for p in loaded:
        console.out.print(p.name, style="bold")
        console.out.print(f"  {p.title}, {p.edition} ({p.publisher}, {p.date})", markup=False)
        console.out.print(f"  {len(p.rules)} rules; {p.scope}", markup=False)
    return console.OK


def _write(form: str, output: Path | None, tally: Tally, flows: Flows) -> None:
    """The report to standard output, or to a file that has its name only when it is whole."""
    if form == "text":
        _write_text(output, tally, flows)
        return
    whole = _page(tally, flows) if form == "html" else _json(_value(form, tally, flows))
    if output is None:
        sys.stdout.write(whole)
    else:
        _save(output, whole)


def _page(tally: Tally, flows: Flows) -> str:
    from joy.audit.report_html import page

    return page(tally, flows)


def _value(form: str, tally: Tally, flows: Flows) -> dict[str, Any]:
    if form == "sarif":
        from joy.audit import report_sarif

        return report_sarif.report(tally, flows, getattr(joy, "__version__", "1.0.0"))
    from joy.audit import report_json

    return report_json.report(tally, flows)


def _json(value: dict[str, Any]) -> str:
    return json.dumps(value, ensure_ascii=False, allow_nan=False, indent=1) + "\n"


def _write_text(output: Path | None, tally: Tally, flows: Flows) -> None:
    from rich.console import Console

    from joy.audit.report_text import show

    if output is None:
        show(console.out, tally, flows)
        return
    lines = io.StringIO()
    show(Console(width=120, highlight=False, file=lines), tally, flows)
    _save(output, lines.getvalue())


def _save(path: Path, whole: str) -> None:
    part = path.with_name(path.name + ".part")
    try:
        part.write_text(whole, encoding="utf-8")
        part.replace(path)
    except OSError as wrong:
        part.unlink(missing_ok=True)
        raise InputError(f"{path}: cannot be written: {wrong.strerror}", str(path)) from None
