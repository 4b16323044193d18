# SPDX-License-Identifier: BSD-3-Clause
"""Figures as lines of characters: braille dots for stems, blocks for bars and shades."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

from rich.console import Console
from rich.text import Text

from joy.plot.figures import KINDS, ByteGrid, Histogram, HostLines, PacketLine, Stem
from joy.summary.rules import moment
from joy.summary.text import bar, shown

# Dots of a braille character by their row and column, and the first such character.
_DOTS = ((0x01, 0x08), (0x02, 0x10), (0x04, 0x20), (0x40, 0x80))
_BRAILLE = 0x2800
HALF = 8  # lines of characters on either side of an axis, at most
LANES = 4  # lines of a host, at most
MARGIN = 9  # columns before an axis
_OUT, _BACK = "bright_blue", "orange3"
_COLOURS = {
    "TLS": "bright_blue", "QUIC": "green", "DNS": "orange3", "HTTP": "red", "other TCP": "cyan",
    "other UDP": "magenta", "ICMP": "white", "other": "bright_black",
    "handshake": "orange3", "application data": "bright_blue", "change cipher spec": "green",
    "alert": "red", "heartbeat": "magenta", "initial": "magenta", "1-rtt": "bright_blue",
    "0-rtt": "cyan", "retry": "red",
}  # fmt: skip
LETTERS = dict(zip(KINDS, "TQDHCUIO", strict=True))
SHADES = " ░▒▓█"


class Canvas:
    """Dots, two across and four down in each character; a character has one colour, the last."""

    def __init__(self, columns: int, lines: int) -> None:
        self.columns, self.lines = columns, lines
        self.dots = [[0] * columns for _ in range(lines)]
        self.styles = [[""] * columns for _ in range(lines)]

    def dot(self, x: int, y: int, style: str = "") -> None:
        """Set the dot at 'x' from the left and 'y' from the top; outside nothing happens."""
        column, line = x // 2, y // 4
        if 0 <= column < self.columns and 0 <= line < self.lines:
            self.dots[line][column] |= _DOTS[y % 4][x % 2]
            self.styles[line][column] = style

    def rows(self) -> list[Text]:
        """The lines, from the top."""
        made = []
        for dots, styles in zip(self.dots, self.styles, strict=True):
            line = Text()
            for bits, style in zip(dots, styles, strict=True):
                line.append(chr(_BRAILLE + bits) if bits else " ", style=style or None)
            made.append(line)
        return made


def write(kind: str, drawn: list[Any], console: Console) -> None:
    """Print figures of one kind, as wide as the console."""
    for figure in drawn:
        for line in lines(kind, figure, console.width):
            line.rstrip()
            console.print(line, no_wrap=True, crop=True, soft_wrap=False)
        console.print("")


def lines(kind: str, figure: Any, width: int) -> list[Text]:
    """A figure's lines, none longer than 'width'."""
    return _DRAW[kind](figure, width)


def _packets(line: PacketLine, width: int) -> list[Text]:
    last = max((s.ms for s in line.packets + line.inner), default=0) or 1.0
    made = [Text(shown(line.title), style="bold")]
    made += _stems(line.packets, width, last, lambda s: _OUT if s.out else _BACK)
    made += [_scale(width, last, "ms since the first data packet")]
    made += [Text.assemble(" " * MARGIN, ("up: to the responder", _OUT), "  ", _down())]
    if line.inner:
        made += [Text(""), Text(f"{line.inner_name} (bytes)", style="bold")]
        made += _stems(line.inner, width, last, lambda s: _COLOURS.get(s.kind, "white"))
        made += [_scale(width, last, "ms"), _kinds(line.inner)]
    return made


def _down() -> tuple[str, str]:
    return "down: to the initiator", _BACK


def _kinds(stems: list[Stem]) -> Text:
    legend = Text(" " * MARGIN)
    for kind in dict.fromkeys(s.kind for s in stems):
        legend.append(f"{sum(s.kind == kind for s in stems)} {kind}  ", style=_COLOURS.get(kind))
    return legend


def _stems(stems: list[Stem], width: int, last: float, colour: Callable[[Stem], str]) -> list[Text]:
    """Stems up and down from an axis, with the largest size of either way at the side."""
    columns = max(width - MARGIN - 1, 10)
    up, down = (max((s.size for s in stems if s.out == out), default=0) for out in (True, False))
    most = max(up, down, 1)
    halves = []
    for out, top in ((True, up), (False, down)):
        high = math.ceil(HALF * top / most)
        canvas = Canvas(columns, high)
        for stem in sorted((s for s in stems if s.out == out), key=lambda s: -s.size):
            x = round(stem.ms / last * (2 * columns - 1))
            tall = max(1, round(stem.size / most * HALF * 4))
            for step in range(min(tall, 4 * high)):
                canvas.dot(x, 4 * high - 1 - step if out else step, colour(stem))
        halves.append(canvas.rows())
    said = [f"{up:,}" if i == 0 else "" for i in range(len(halves[0]))] + ["0"]
    said += ["" if i < len(halves[1]) - 1 else f"{down:,}" for i in range(len(halves[1]))]
    rows = [*halves[0], Text("─" * columns, style="dim"), *halves[1]]
    return [Text(f"{s:>{MARGIN - 1}} ").append_text(r) for s, r in zip(said, rows, strict=True)]


def _scale(width: int, last: float, what: str) -> Text:
    columns = max(width - MARGIN - 1, 10)
    right = f"{last:,.4g}"
    room = columns - len(right) - 1
    middle = (what if len(what) + 2 <= room else "ms").center(room)
    return Text(" " * MARGIN + "0" + middle + right, style="dim")


def _bytes(grid: ByteGrid, width: int) -> list[Text]:
    """Sixteen lines of sixteen shades, by the logarithm of the count."""
    least, most = min([c for c in grid.counts if c], default=1), max(grid.counts)
    made = [Text(shown(grid.title), style="bold")]
    made.append(Text("      " + " ".join(f"_{i:X}" for i in range(16)), style="dim"))
    for high in range(16):
        line = Text.assemble((f"  {high:X}_  ", "dim"))
        for count in grid.counts[16 * high : 16 * high + 16]:
            level = shade(count, least, most)
            line.append(SHADES[level] * 2 + " ", style="bright_blue")
        made.append(line)
    said = f"{sum(grid.counts):,} bytes; shades of the logarithm, "
    made.append(Text(f"  {said}from {least:,} ░ to {most:,} █", style="dim"))
    return made


def shade(count: int, least: int, most: int) -> int:
    """0 for none, 1 to 4 in equal steps of the logarithm from the least count to the most."""
    if not count:
        return 0
    share = math.log(count / least) / math.log(most / least) if most > least else 1
    return 1 + min(3, int(4 * share + 1e-9))


def _histogram(figure: Histogram, width: int) -> list[Text]:
    """A line a bin: to the responder on the left, back on the right."""
    long = max((width - 16 - 16) // 2, 10)
    total = sum(figure.out) + sum(figure.back) + sum(figure.zero)
    most = max([1, *figure.out, *figure.back, *figure.zero])
    what = {"bytes": "payload in bytes"}.get(figure.unit, "ms since the packet before")
    made = [Text(shown(figure.title), style="bold"), Text(f"{total:,} packets by {what}")]
    head = f"{'':16}{'to the responder':<{long + 8}}to the initiator"
    made.append(Text(head, style="dim"))
    bins = list(zip(figure.edges, figure.edges[1:], figure.out, figure.back, strict=False))
    rows = [(_range(figure.unit, low, high), out, back) for low, high, out, back in bins]
    if any(figure.zero):
        rows.insert(0, ("0", *figure.zero))
    for name, out, back in rows:
        line = Text.assemble((f"{name:>14}  ", "dim"))
        for count, style in ((out, _OUT), (back, _BACK)):
            drawn = bar(count / most, long)
            line.append(drawn, style=style)
            line.append(f" {count or '':<{long - len(drawn) + 7}}")
        made.append(line)
    return made


def _range(unit: str, low: float, high: float) -> str:
    if unit == "bytes":
        return f"{low:,.0f}" if high - low <= 1 else f"{low:,.0f}-{high - 1:,.0f}"
    return f"{low:.3g}-{high:.3g}"


def _hosts(figure: HostLines, width: int) -> list[Text]:
    """Lines of hosts, letters for what flows are: capital where the host began the flow."""
    name = min(max((len(a) for a, _ in figure.rows), default=0), 39)
    columns = max(width - name - 3, 10)
    made = [Text(shown(figure.title), style="bold")]
    for address, segments in figure.rows:
        high = min(max((s.lane for s in segments), default=0) + 1, LANES)
        cells = [[(" ", "")] * columns for _ in range(high)]
        for s in segments:
            letter = LETTERS[s.kind] if s.initiator else LETTERS[s.kind].lower()
            low, last = (_column(t, figure.seconds, columns) for t in (s.start, s.end))
            for at in range(low, last + 1):
                cells[min(s.lane, high - 1)][at] = (letter, _COLOURS[s.kind])
        for number, row in enumerate(cells):
            line = Text(f"{address[:name] if not number else '':>{name}} │ ")
            for letter, style in row:
                line.append(letter, style=style or None)
            made.append(line)
    when = (moment(figure.begin_ns) or "").replace("T", " ")[:23]
    right = f"{figure.seconds:,.4g} s"
    left = " " * (name + 3) + when + " UTC"
    made.append(Text(left + right.rjust(max(columns + name + 3 - len(left), 1)), style="dim"))
    seen = {s.kind for _, segments in figure.rows for s in segments}
    legend = Text(" " * (name + 3))
    for kind in KINDS:
        if kind in seen:
            legend.append(f"{LETTERS[kind]} {kind}  ", style=_COLOURS[kind])
    made.append(legend.append("small letters: answered here", style="dim"))
    if figure.left_out:
        made.append(Text(f"{figure.left_out:,} hosts with less payload left out", style="dim"))
    return made


def _column(seconds: float, whole: float, columns: int) -> int:
    return min(int(seconds / whole * columns), columns - 1) if whole else 0


_DRAW: dict[str, Callable[[Any, int], list[Text]]] = {
    "packets": _packets,
    "bytes": _bytes,
    "lengths": _histogram,
    "times": _histogram,
    "hosts": _hosts,
}
