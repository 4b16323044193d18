# SPDX-License-Identifier: BSD-3-Clause
"""Figures as PNG and SVG, by matplotlib without a display.

Colours are those of Okabe and Ito (Color Universal Design, 2008), which people of all kinds of
colour vision tell apart.  The same figure gives the same file: no dates, no random names.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

from joy.errors import JoyError
from joy.plot import figures
from joy.plot.figures import ByteGrid, Histogram, HostLines, PacketLine, Stem
from joy.summary.rules import moment

BLACK, GREY = "#222222", "#8a8a8a"
ORANGE, SKY, GREEN = "#e69f00", "#56b4e9", "#009e73"
BLUE, RED, PURPLE = "#0072b2", "#d55e00", "#cc79a7"
COLOURS = {
    "TLS": BLUE, "QUIC": GREEN, "DNS": ORANGE, "HTTP": RED, "other TCP": SKY, "other UDP": PURPLE,
    "ICMP": GREY, "other": BLACK,
    "handshake": ORANGE, "application data": BLUE, "change cipher spec": GREEN, "alert": RED,
    "heartbeat": PURPLE, "initial": PURPLE, "1-rtt": BLUE, "0-rtt": SKY, "retry": RED,
    "version_negotiation": BLACK,
}  # fmt: skip
WIDTH = 7.2  # inches: two columns of a paper
_STYLE = {
    "font.family": "sans-serif",
    "font.sans-serif": ["DejaVu Sans"],
    "font.size": 8,
    "axes.titlesize": 8.5,
    "axes.titlelocation": "left",
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.linewidth": 0.6,
    "axes.axisbelow": True,
    "legend.frameon": False,
    "legend.fontsize": 7.5,
    "svg.fonttype": "none",
    "svg.hashsalt": "joy",
    "savefig.dpi": 200,
}


def write(kind: str, drawn: list[Any], path: Path) -> None:
    """Write figures of one kind into a file; its suffix says as what.

    Raises:
        JoyError: matplotlib is not there, or the file cannot be written.
    """
    try:
        import matplotlib
    except ImportError:
        raise JoyError(
            "plots as PNG and SVG need matplotlib: pip install 'joy[plot]' "
            "(-O terminal draws without it)"
        ) from None
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    with matplotlib.rc_context(_STYLE):
        figure = Figure(layout="constrained")
        FigureCanvasAgg(figure)
        _DRAW[kind](figure, drawn)
        nothing: dict[str, None] = {"Date": None} if path.suffix == ".svg" else {"Software": None}
        try:
            figure.savefig(path, metadata=nothing)
        except OSError as bad:
            raise JoyError(f"{path}: {bad.strerror or bad}", str(path)) from None


def _packets(figure: Any, lines: list[PacketLine]) -> None:
    """A panel for packets, and one for the records in them; one below the other for each flow."""
    heights = [h for line in lines for h in ([1.7, 1.5] if line.inner else [1.7])]
    figure.set_size_inches(WIDTH, sum(heights) + 0.45 * len(lines) + 0.3)
    panels = list(figure.subplots(len(heights), 1, squeeze=False, height_ratios=heights)[:, 0])
    at = 0
    for number, line in enumerate(lines):
        top = panels[at]
        top.set_title(line.title)
        _stems(top, line.packets, f"flow{number}-packets", {True: BLUE, False: RED}, "payload")
        _both_ways(top, line.packets)
        at += 1
        last = top
        if line.inner:
            last = panels[at]
            last.sharex(top)
            top.tick_params(labelbottom=False)
            _inner(last, line, f"flow{number}-inner")
            at += 1
        last.set_xlabel("time since the first data packet (ms)")
        _directions(top)


def _stems(panel: Any, stems: list[Stem], gid: str, colours: dict[Any, str], what: str) -> None:
    """Lines from the axis: up for the way to the responder, down for the way back."""
    for out in (True, False):
        some = [s for s in stems if s.out == out]
        if some:
            heights = [s.size if out else -s.size for s in some]
            drawn = panel.vlines([s.ms for s in some], 0, heights, colors=colours[out], lw=1.1)
            drawn.set_gid(f"{gid}-{'out' if out else 'back'}")
            panel.plot([s.ms for s in some], heights, "o", color=colours[out], ms=2.2)
    panel.set_ylabel(f"{what} (bytes)")


def _both_ways(panel: Any, stems: list[Stem]) -> None:
    """An axis with sizes both ways from 0, each way as far as it has something."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    most = max((s.size for s in stems), default=1) or 1
    up, down = (max((s.size for s in stems if s.out == out), default=0) for out in (True, False))
    panel.set_ylim(-max(down * 1.15, most / 8), max(up * 1.15, most / 8))
    panel.axhline(0, color=BLACK, lw=0.6)
    if panel.get_yscale() == "linear":
        panel.yaxis.set_major_locator(MaxNLocator(5, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{abs(v):,.0f}"))
    panel.spines["bottom"].set_visible(False)
    panel.grid(axis="y", color="#dddddd", lw=0.4)


def _directions(panel: Any) -> None:
    """Say beside an axis what up and down mean."""
    up = "↑ initiator\n   to responder"
    down = "↓ responder\n   to initiator"
    for y, va, said, colour in ((1, "top", up, BLUE), (0, "bottom", down, RED)):
        place = {"transform": panel.transAxes, "va": va, "fontsize": 7.5}
        panel.text(1.015, y, said, color=colour, **place)


def _inner(panel: Any, line: PacketLine, gid: str) -> None:
    """Records or QUIC packets, coloured by what they are; small ones can be seen beside large."""
    panel.set_yscale("symlog", linthresh=100, linscale=0.6)
    for kind in dict.fromkeys(s.kind for s in line.inner):
        some = [s for s in line.inner if s.kind == kind]
        colour = COLOURS.get(kind, GREY)
        name = f"{gid}-{kind.replace(' ', '-')}"
        at, heights = [s.ms for s in some], [s.size if s.out else -s.size for s in some]
        panel.vlines(at, 0, heights, colors=colour, lw=1.1).set_gid(name)
        panel.plot(at, heights, "o", color=colour, ms=2.2, label=kind)
    _both_ways(panel, line.inner)
    low, high = panel.get_ylim()
    panel.set_ylim(low * 4, high * 4)  # room for words
    ticks = [t for t in (-10000, -1000, -100, 0, 100, 1000, 10000) if low * 4 < t < high * 4]
    panel.set_yticks(ticks)
    panel.minorticks_off()
    panel.set_ylabel(f"{line.inner_name}\n(bytes, log scale)")
    panel.legend(loc="upper left", bbox_to_anchor=(1.0, 1.04), handletextpad=0.2)
    _labels(panel, line.inner)


def _labels(panel: Any, stems: list[Stem]) -> None:
    """Handshake messages beside their records, where there is room."""
    said: dict[tuple[float, bool], list[Stem]] = {}
    for stem in stems:
        if stem.label:
            said.setdefault((stem.ms, stem.out), []).append(stem)
    width = (max(s.ms for s in stems) or 1) * 0.17
    free = {True: float("-inf"), False: float("-inf")}
    for (ms, out), some in said.items():
        words = ", ".join(s.label for s in some).split(", ")
        text = words[0] + (f" +{len(words) - 1}" if len(words) > 1 else "")
        if ms >= free[out]:
            tall = max(s.size for s in some)
            spot = {"xy": (ms, tall if out else -tall), "xytext": (3, 4 if out else -4)}
            align = {"va": "bottom" if out else "top", "fontsize": 6.5, "color": BLACK}
            panel.annotate(text, textcoords="offset points", **spot, **align)
            free[out] = ms + width


def _bytes(figure: Any, grids: list[ByteGrid]) -> None:
    """Sixteen by sixteen: the high half of a byte down, the low half across."""
    import numpy as np
    from matplotlib.colors import LogNorm
    from matplotlib.ticker import FuncFormatter, NullFormatter

    grid = grids[0]
    figure.set_size_inches(4.6, 4.4)
    panel = figure.subplots()
    counts = np.array(grid.counts, float).reshape(16, 16)
    least, most = min([n for n in grid.counts if n], default=1), max(grid.counts)
    shown = np.ma.masked_equal(counts, 0)
    panel.set_facecolor("#eeeeee")
    image = panel.imshow(shown, norm=LogNorm(least, max(most, least + 1)), cmap="viridis_r")
    image.set_gid("bytes")
    panel.set_xticks(range(16), [f"{i:X}" for i in range(16)])
    panel.set_yticks(range(16), [f"{i:X}0" for i in range(16)])
    panel.set_xticks(np.arange(-0.5, 16), minor=True)
    panel.set_yticks(np.arange(-0.5, 16), minor=True)
    panel.grid(which="minor", color="white", lw=0.6)
    panel.tick_params(length=0, which="both")
    panel.spines[:].set_visible(False)
    panel.set_xlabel("low half of the byte value")
    panel.set_ylabel("high half of the byte value")
    ends, _, rest = grid.title.partition("  ")
    panel.set_title(f"{ends}\n{rest}{' ' * bool(rest)}{sum(grid.counts):,} bytes of payload")
    bar = figure.colorbar(image, ax=panel, shrink=0.8, pad=0.03)
    bar.set_label("occurrences (log scale; grey: none)")
    bar.outline.set_visible(False)
    bar.formatter = FuncFormatter(lambda v, _: f"{v:,.0f}")
    bar.ax.yaxis.set_minor_formatter(NullFormatter())


def _histogram(figure: Any, drawn: list[Histogram]) -> None:
    """Out above the axis, back below it, in logarithmic bins."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    shape = drawn[0]
    figure.set_size_inches(WIDTH * 0.8, 3.1)
    panel = figure.subplots()
    left = shape.edges[:-1]
    widths = [b - a for a, b in zip(shape.edges, shape.edges[1:], strict=False)]
    _bars(panel, left, shape.out, widths, BLUE, "out")
    _bars(panel, left, [-n for n in shape.back], widths, RED, "back")
    panel.set_xscale("log", base=2 if shape.unit == "bytes" else 10)
    if any(shape.zero):  # a bin of its own, left of the scale
        step = shape.edges[1] / shape.edges[0]
        at, width = (shape.edges[0] / step**2.2, (step - 1) * shape.edges[0] / step**2.2)
        _bars(panel, [at], [shape.zero[0]], [width], BLUE, "out-zero", "//")
        _bars(panel, [at], [-shape.zero[1]], [width], RED, "back-zero", "//")
    panel.xaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{v:,.6g}"))
    panel.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    panel.yaxis.set_major_formatter(FuncFormatter(lambda v, _: f"{abs(v):,.0f}"))
    panel.axhline(0, color=BLACK, lw=0.6)
    panel.grid(axis="y", color="#dddddd", lw=0.4)
    what = {"bytes": "payload of a data packet (bytes, bins double)"}
    also = ", hatched: 0" if any(shape.zero) else ""
    panel.set_xlabel(what.get(shape.unit, f"time since the packet before (ms, log bins{also})"))
    panel.set_ylabel("data packets")
    panel.set_title(
        f"{shape.title}, {sum(shape.out) + sum(shape.back) + sum(shape.zero):,} packets"
    )
    _directions(panel)


def _bars(
    panel: Any, at: Any, tall: Any, wide: Any, colour: str, gid: str, hatch: str | None = None
) -> None:
    look = {"color": colour, "edgecolor": "white", "lw": 0.5, "hatch": hatch}
    drawn = panel.bar(at, tall, wide, align="edge", **look)
    for bar, height in zip(drawn, tall, strict=True):
        bar.set_gid(f"bin-{gid}" if height else None)


def _hosts(figure: Any, drawn: list[HostLines]) -> None:
    """A row a host, a bar a flow: filled where the host began it, open where it answered."""
    shape = drawn[0]
    lanes = [max((s.lane for s in segments), default=0) + 1 for _, segments in shape.rows]
    figure.set_size_inches(WIDTH, 1.2 + 0.17 * sum(lanes) + 0.12 * len(lanes))
    panel = figure.subplots()
    least = max(shape.seconds, 1e-6) / 250
    y, ticks = 0.0, []
    for (_, segments), count in zip(shape.rows, lanes, strict=True):
        ticks.append(y + (count - 1) / 2)
        for s in segments:
            colour = COLOURS[s.kind]
            bar = panel.barh(
                y + s.lane, max(s.end - s.start, least), 0.72, s.start, edgecolor=colour, lw=0.7,
                color=colour if s.initiator else "white",
            )  # fmt: skip
            bar[0].set_gid("flow-begun" if s.initiator else "flow-answered")
        y += count + 0.7
        panel.axhline(y - 0.85, color="#dddddd", lw=0.4)
    panel.set_yticks(ticks, [a for a, _ in shape.rows])
    panel.set_ylim(max(y, 1) - 0.85, -0.85)
    panel.tick_params(axis="y", length=0)
    panel.set_xlim(-shape.seconds * 0.01 or -1, shape.seconds * 1.02 or 1)
    panel.set_xlabel(f"seconds since {(moment(shape.begin_ns) or '').replace('T', ' ')[:23]} UTC")
    more = f", {shape.left_out:,} hosts with less payload left out" if shape.left_out else ""
    panel.set_title(f"{shape.title}{more}")
    _legend(panel, {s.kind for _, segments in shape.rows for s in segments})


def _legend(panel: Any, seen: set[str]) -> None:
    from matplotlib.patches import Patch

    entries = [Patch(color=COLOURS[k], label=k) for k in figures.KINDS if k in seen]
    entries += [
        Patch(alpha=0, label=""),
        Patch(facecolor=GREY, edgecolor=GREY, label="begun here"),
        Patch(facecolor="white", edgecolor=GREY, label="answered here"),
    ]
    panel.legend(handles=entries, loc="upper left", bbox_to_anchor=(1.0, 1.0))


_DRAW = {
    "packets": _packets,
    "bytes": _bytes,
    "lengths": _histogram,
    "times": _histogram,
    "hosts": _hosts,
}
