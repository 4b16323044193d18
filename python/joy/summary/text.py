# SPDX-License-Identifier: BSD-3-Clause
"""A summary as text: in colour on a terminal, plain and 100 columns wide elsewhere."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from joy.summary import names
from joy.summary.rules import moment

PLAIN_WIDTH = 100
TWO_COLUMNS = 150  # terminals as wide as that show sections side by side
BAR = 10
_LEVELS = {"high": "bold red", "medium": "yellow", "low": "cyan"}
_STEPS = " ▁▂▃▄▅▆▇█"
_EIGHTHS = " ▏▎▍▌▋▊▉█"
_SCANS = {
    "port_scan": "{sa} tried {ports:,} ports of {da}",
    "host_scan": "{sa} tried port {dp} of {hosts:,} hosts",
    "flood": "{flows:,} attempts at {da} port {dp}, by {initiators:,} initiators",
}


def shown(value: Any) -> str:
    """Text from the wire, with what would steer a terminal as escapes."""
    safe = (c if c.isprintable() else c.encode("unicode_escape").decode() for c in str(value))
    return "".join(safe)


def size(count: float) -> str:
    """Bytes as people read them: powers of 1,000."""
    for unit in ("B", "kB", "MB", "GB", "TB"):
        if count < 999.5:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:,.0f} PB"


def short(number: int) -> str:
    """A count in at most 9 characters: exact below ten million."""
    if number < 10**7:
        return f"{number:,}"
    power, unit = next(
        ((p, u) for p, u in ((6, "M"), (9, "G")) if number < 999.5 * 10**p), (12, "T")
    )
    return f"{number / 10**power:.3g} {unit}"


def span(seconds: float) -> str:
    """A duration in the largest units that say something."""
    if seconds < 1:
        return f"{seconds * 1000:.3g} ms"
    if seconds < 60:
        return f"{seconds:.3g} s"
    if seconds >= 48 * 3600:
        return f"{seconds / 86400:,.3g} days"
    hours, rest = divmod(round(seconds), 3600)
    parts = ((hours, "h"), (rest // 60, "min"), (rest % 60, "s"))
    return " ".join(f"{n} {unit}" for n, unit in parts if n and not (hours and unit == "s"))


def count(number: int, one: str, many: str | None = None) -> str:
    """A number and what it counts."""
    return f"{number:,} {one if number == 1 else many or one + 's'}"


def sparkline(values: list[float]) -> str:
    """One character a value: blank for nothing, eight heights for all else."""
    most = max(values, default=0)
    return "".join(_STEPS[0 if not v else 1 + int(7 * v / most)] for v in values)


def bar(share: float, width: int) -> str:
    """A bar of blocks; what is more than nothing is never invisible."""
    eighths = round(share * width * 8) or (1 if share > 0 else 0)
    whole, rest = divmod(min(eighths, width * 8), 8)
    return "█" * whole + (_EIGHTHS[rest] if rest else "")


def write(found: dict[str, Any], console: Console) -> None:
    """Print a summary (an object as collect.summarize gives it)."""
    console.print(_head(found))
    if not found["totals"]["flows"]:
        _print_troubles(found, console)
        return
    console.print(_timeline(found["time"], console.width), "")
    for section in _layout(_sections(found), console.width):
        console.print(section)
    console.print(_section("Quality", _quality(found)))
    _print_troubles(found, console)
    console.print(_oddities(found))


def page(found: dict[str, Any]) -> str:
    """A summary as plain text, whatever the terminal: what write prints, without blanks at ends."""
    console = Console(width=PLAIN_WIDTH, highlight=False, color_system=None, force_terminal=False)
    with console.capture() as printed:
        write(found, console)
    return "".join(f"{line.rstrip()}\n" for line in printed.get().splitlines())


def _head(found: dict[str, Any]) -> Group:
    totals, files = found["totals"], found["inputs"]["files"]
    first = files[0]["path"] if len(files) == 1 else count(len(files), "file")
    parts = [
        count(totals["flows"], "flow"),
        count(totals["packets"], "packet"),
        f"{size(totals['bytes'])} of payload",
        ("more than " if totals["hosts_capped"] else "") + count(totals["hosts"], "host"),
    ]
    line = Text.assemble((shown(first), "bold"), "  ", ", ".join(parts))
    if found["time"]["first_ns"] is None:
        return Group(line, Text("nothing in it that is a flow", style="dim"))
    begin, end = (_clock(found["time"][k]) for k in ("first_ns", "last_ns"))
    same = begin[:10] == end[:10]
    when = f"{begin} to {end[11:] if same else end} UTC, {span(found['time']['seconds'])}"
    return Group(line, Text(when, style="dim"))


def _clock(time_ns: int) -> str:
    return (moment(time_ns // 10**6 * 10**6) or "").replace("T", " ")[:23]


def _timeline(time: dict[str, Any], width: int) -> Group:
    tops = max(time["bytes"]), max(time["flows"])
    most = f"at most {size(tops[0])}, {count(tops[1], 'new flow')}"
    note = f"each column {span(time['bin_s'])}; {most}"
    return Group(
        Text.assemble(("\nbytes  ", "bold"), (sparkline(time["bytes"]), "blue")),
        Text.assemble(("flows  ", "bold"), (sparkline(time["flows"]), "green")),
        Text("       " + note, style="dim"),
    )


def _layout(sections: list[tuple[RenderableType, int]], width: int) -> list[RenderableType]:
    """Sections one below the other, or in two columns of about one height."""
    if width < TWO_COLUMNS:
        return [s for s, _ in sections]
    half, left, right = sum(h for _, h in sections) / 2, [], []
    for section, height in sections:
        side = left if half > 0 else right
        side.append(section)
        half -= height
    grid = Table.grid(padding=(0, 4, 0, 0), expand=True)
    grid.add_column(ratio=1)
    grid.add_column(ratio=1)
    grid.add_row(Group(*left), Group(*right))
    return [grid]


def _section(title: str, body: RenderableType, note: str = "") -> Group:
    return Group(Text.assemble((title, "bold"), ("  " + note if note else "", "dim")), body, "")


def _sections(found: dict[str, Any]) -> list[tuple[RenderableType, int]]:
    """What has something in it, with its height in lines."""
    totals = found["totals"]
    plan: list[tuple[str, str, Callable[[dict[str, Any]], str], int]] = [
        ("Protocols", "protocols", lambda r: r["name"], totals["bytes"]),
        ("Services", "services", _service, totals["bytes"]),
        ("Hosts", "hosts", lambda r: r["host"], 2 * totals["bytes"]),
        ("Pairs", "pairs", lambda r: f"{r['sa']} > {r['da']}", totals["bytes"]),
    ]
    made = [_sized(title, found[key], said, most) for title, key, said, most in plan]
    for title, key in _WORD_SECTIONS:
        if found[key]["top"]:
            made.append(_counted(title, found[key], totals["flows"]))
    return made


_WORD_SECTIONS = (
    ("Names", "names"),
    ("TLS versions", "tls_versions"),
    ("TLS ciphersuites", "tls_ciphersuites"),
    ("TLS application protocols", "tls_alpn"),
    ("TLS after", "tls_starttls"),
    ("TLS handshakes", "tls_handshakes"),
    ("QUIC versions", "quic_versions"),
    ("JA4 fingerprints", "ja4"),
    ("Fingerprint labels", "fingerprint_labels"),
    ("Processes", "processes"),
    ("Labels", "labels"),
    ("Watchlists", "watch"),
    ("Countries", "countries"),
    ("Organisations", "organisations"),
)
_OF_ENDS = ("Labels", "Countries", "Organisations")  # of which a flow has two


def _service(row: dict[str, Any]) -> str:
    name = f" {row['name']}" if row["name"] else ""
    return f"{names.protocol(row['pr'])}/{row['dp']}{name}"


def _note(counted: dict[str, Any], unit: str) -> str:
    more = counted["distinct"] - len(counted["top"])
    if counted["capped"]:
        missing = counted["missing_at_most"]
        missing = size(missing) if unit == "bytes" else f"{missing:,}"
        return f"capped: more than were kept; a sum can be {missing} too small"
    return f"{more:,} more" if more > 0 else ""


def _table(title: str, note: str, *columns: tuple[str, int]) -> Table:
    """A table without lines: numbers, a bar, and what they are of, which takes the room left."""
    table = Table(box=None, pad_edge=False, header_style="dim", expand=True, padding=(0, 2, 0, 0))
    for name, width in columns:
        table.add_column(name, justify="right", width=width, no_wrap=True)
    table.add_column("", width=BAR, no_wrap=True)
    head = Text.assemble((title, "bold not dim"), (f"  {note}" if note else "", "dim"))
    table.add_column(head, ratio=1, no_wrap=True, overflow="ellipsis")
    return table


def _sized(title: str, counted: dict[str, Any], said: Any, most: int) -> tuple[RenderableType, int]:
    last = ("sent", "received") if title == "Hosts" else ("packets", "bytes")
    table = _table(title, _note(counted, "bytes"), ("flows", 9), *((n, 9) for n in last))
    for row in counted["top"]:
        numbers = [short(row[n]) if n == "packets" else size(row[n]) for n in last]
        share = Text(bar(row["bytes"] / most if most else 0, BAR), style="blue")
        table.add_row(short(row["flows"]), *numbers, share, Text(shown(said(row))))
    return Group(table, ""), len(counted["top"]) + 2


def _counted(title: str, counted: dict[str, Any], flows: int) -> tuple[RenderableType, int]:
    unit = "ends" if title in _OF_ENDS else "flows"
    most = flows * (2 if unit == "ends" else 1)
    table = _table(title, _note(counted, "flows"), (unit, 9))
    for row in counted["top"]:
        name = Text(shown(row["value"]))
        if "from" in row:
            name.append(f"  {row['from']}", style="dim")
        share = Text(bar(row["flows"] / most, BAR), style="green")
        table.add_row(short(row["flows"]), share, name)
    return Group(table, ""), len(counted["top"]) + 2


def _quality(found: dict[str, Any]) -> Group:
    quality, totals = found["quality"], found["totals"]
    ends = ", ".join(f"{r['value']} {r['flows']:,}" for r in quality["end_reasons"]["top"])
    marks = ", ".join(f"{r['value']} {r['flows']:,}" for r in quality["marks"]["top"])
    tcp = [f"{k.replace('_', ' ')} {quality[k]:,}" for k in _COUNTS if quality[k]]
    lines = [("flows ended", ends), ("marks", marks or "none"), ("packets", ", ".join(tcp))]
    if totals["parts"]:
        lines.append(("cut flows", f"{totals['parts']:,} records go on with an earlier one"))
    if totals["one_way"]:
        lines.append(("one way", f"{totals['one_way']:,} records are of one direction only"))
    lines += [("sensor", _sensor(s)) for s in found["inputs"]["summaries"]]
    return Group(*(_pair(name, said) for name, said in lines if said))


_COUNTS = ("retransmissions", "out_of_order", "gaps", "icmp_errors")
_SENSOR = ("packets", "drops", "truncated", "cut_short", "malformed", "evicted", "time_backwards")


def _sensor(summary: dict[str, Any]) -> str:
    return ", ".join(
        f"{key.replace('_', ' ')} {summary[key]:,}"
        for key in _SENSOR
        if key in summary and (summary[key] or key in ("packets", "drops"))
    )


def _pair(name: str, said: str) -> Text:
    return Text.assemble((f"  {name:<13}", "dim"), shown(said))


def _print_troubles(found: dict[str, Any], console: Console) -> None:
    for trouble in found["inputs"]["troubles"]:
        style = "red" if trouble["damaged"] else "yellow"
        console.print(Text("  " + shown(trouble["text"]), style=style))
    if found["inputs"]["troubles"]:
        console.print("")


def _oddities(found: dict[str, Any]) -> RenderableType:
    grid = Table.grid(padding=(0, 2, 0, 0))
    grid.add_column(no_wrap=True)
    grid.add_column(justify="right", no_wrap=True)
    grid.add_column(ratio=1)
    for odd in sorted(found["oddities"], key=lambda o: list(_LEVELS).index(o["level"])):
        level = Text(f"  {odd['level']}", style=_LEVELS[odd["level"]])
        grid.add_row(level, f"{odd['flows']:,}", _oddity(odd))
    for scan in found["scans"]["found"]:
        grid.add_row(Text("  high", style=_LEVELS["high"]), f"{scan['flows']:,}", _scan(scan))
    if not grid.row_count:
        return Group(Text("Worth a look", style="bold"), Text("  nothing that a rule knows"))
    note = "more attempts than are kept: scans may be larger" if found["scans"]["capped"] else ""
    return _section("Worth a look", grid, note)


def _scan(scan: dict[str, Any]) -> Group:
    said = _SCANS[scan["kind"]].format(**scan)
    title = Text.assemble((f"{scan['kind'].replace('_', ' ')}: ", "bold"), shown(said))
    return Group(title, Text(f"such as flow {scan['flow_id']}", style="dim"))


def _oddity(odd: dict[str, Any]) -> Group:
    title = Text.assemble((f"{odd['title']}: ", "bold"), odd["words"])
    return Group(title, Text(f"such as {shown(flow_name(odd['example']))}", style="dim"))


def flow_name(flow: dict[str, Any]) -> str:
    """A flow in a line: its id, ends and protocol."""
    ends = [end(flow.get("sa"), flow.get("sp")), end(flow.get("da"), flow.get("dp"))]
    part = f":{flow['part']}" if (flow.get("part") or 1) > 1 else ""
    kind = names.protocol(flow["pr"]) if flow.get("pr") is not None else ""
    return f"flow {flow.get('flow_id')}{part}, {ends[0]} > {ends[1]} {kind}"


def end(address: str | None, port: int | None) -> str:
    """Address and port; IPv6 in brackets before a port."""
    if port is None:
        return f"{address}"
    return f"[{address}]:{port}" if ":" in (address or "") else f"{address}:{port}"
