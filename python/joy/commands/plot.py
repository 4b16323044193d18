# SPDX-License-Identifier: BSD-3-Clause
"""joy plot: pictures of flows."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from enum import Enum
from itertools import islice
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Console

from joy import console
from joy.errors import JoyError, UsageError

FLOWS = 10_000  # that are drawn at most,
PANELS = 8  # and of those whose packets are drawn one below the other
TERMINAL = "terminal"


class Kind(str, Enum):
    """What is drawn."""

    packets = "packets"
    bytes = "bytes"
    lengths = "lengths"
    times = "times"
    hosts = "hosts"


def command(
    paths: Annotated[list[str], typer.Argument(help="Captures, records, folders, globs.")],
    flow: Annotated[
        str | None, typer.Option(metavar="ID[:PART]", help="The flow with this flow_id.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="SQL", help="Flows for which this condition is true.")
    ] = None,
    kind: Annotated[
        Kind | None,
        typer.Option(help="What to draw; packets with --flow or --where, else hosts."),
    ] = None,
    output: Annotated[
        str, typer.Option("-O", "--output", help="A .png or .svg file, or terminal.")
    ] = TERMINAL,
    json: Annotated[
        bool, typer.Option("--json", help="The numbers that would be drawn, as JSON.")
    ] = False,
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", help="name=value of pcap2flow, for captures; repeatable."),
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Draw flows: packets over time, byte values, lengths, times between packets, hosts."""
    what = kind or (Kind.packets if flow or where else Kind.hosts)
    asked = _Asked(
        paths, flow, where, what.value, output, json, console.options_of(option or []), quiet
    )
    raise typer.Exit(console.end(lambda: _run(asked)))


@dataclass(frozen=True)
class _Asked:
    """The command line."""

    paths: list[str]
    flow: str | None
    where: str | None
    kind: str
    output: str
    json: bool
    options: dict[str, str]
    quiet: bool


def _run(asked: _Asked) -> int:
    from joy.inputs import Flows
    from joy.plot import select

    _check(asked.output)
    wanted = select.columns(asked.kind, select.mentioned(asked.where or ""))
    condition = select.condition(asked.flow, asked.where)
    with console.progress("reading", asked.quiet) as moved:
        flows = Flows(asked.paths, columns=wanted, options=asked.options, progress=moved)
        found = list(islice(select.records(flows, asked.kind, condition), FLOWS + 1))
    found = _some(found, condition, asked.kind, FLOWS)
    drawn = _figures(asked.kind, found)
    if asked.json:
        console.say_json([{"kind": asked.kind, **asdict(figure)} for figure in drawn])
    elif asked.output == TERMINAL:
        _print(asked.kind, drawn)
    else:
        from joy.plot import picture

        picture.write(asked.kind, drawn, Path(asked.output))
    return console.DAMAGED if flows.damaged else console.OK


def _check(output: str) -> None:
    if output != TERMINAL and Path(output).suffix not in (".png", ".svg"):
        raise UsageError(f"-O {output}: wants a name that ends in .png or .svg, or {TERMINAL}")


def _some(found: list[Any], condition: str | None, kind: str, most: int) -> list[Any]:
    """The flows that are drawn.

    Raises:
        JoyError: there are none, or they do not have what is drawn.
    """
    from joy.plot.select import NEEDED

    if not found:
        raise JoyError(f"no flow with {condition}" if condition else "there are no flows")
    if needed := NEEDED.get(kind):
        with_it = [f for f in found if f.get(needed)]
        if not with_it:
            what = "that flow has" if len(found) == 1 else f"these {len(found):,} flows have"
            raise JoyError(
                f"{what} no {needed}: no payload, or records made without it "
                "(pcap2flow dist=1 for byte_dist, num_pkts=N for packets)"
            )
        found = with_it
    most = min(most, PANELS) if kind == Kind.packets.value else most
    if len(found) > most:
        said = "more" if len(found) > FLOWS else f"{len(found):,}"
        console.warn(f"{said} flows; the first {most:,} are drawn")
    return found[:most]


def _figures(kind: str, found: list[Any]) -> list[Any]:
    from joy.plot import figures

    if kind == Kind.packets.value:
        return [figures.packets(record) for record in found]
    make = {
        "bytes": figures.byte_grid,
        "lengths": figures.lengths,
        "times": figures.times,
        "hosts": figures.hosts,
    }
    return [make[kind](found)]


def _print(kind: str, drawn: list[Any]) -> None:
    from joy.plot import terminal
    from joy.summary.text import PLAIN_WIDTH

    plain = Console(width=PLAIN_WIDTH, highlight=False, color_system=None)
    terminal.write(kind, drawn, console.out if console.out.is_terminal else plain)
