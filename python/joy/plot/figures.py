# SPDX-License-Identifier: BSD-3-Clause
"""The numbers of each kind of plot, from records; what draws them adds nothing.

A record is a dict as pyarrow's to_pylist makes it from a row, with times as int ns since 1970.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from joy.summary.names import protocol
from joy.summary.text import end

OUT, BACK = ">", "<"
CONTENT_TYPES = {
    20: "change cipher spec",
    21: "alert",
    22: "handshake",
    23: "application data",
    24: "heartbeat",
    25: "connection id",
}
HANDSHAKES = {
    0: "HelloRequest", 1: "ClientHello", 2: "ServerHello", 3: "HelloVerifyRequest",
    4: "NewSessionTicket", 5: "EndOfEarlyData", 8: "EncryptedExtensions", 11: "Certificate",
    12: "ServerKeyExchange", 13: "CertificateRequest", 14: "ServerHelloDone",
    15: "CertificateVerify", 16: "ClientKeyExchange", 20: "Finished", 22: "CertificateStatus",
    24: "KeyUpdate", 25: "CompressedCertificate",
}  # fmt: skip
CELLS = 256
DECADE = 5  # bins of a histogram of times in a power of ten
TIME_LOW, TIME_HIGH = -3, 6  # powers of ten of the first and last bin, in ms


@dataclass
class Stem:
    """A packet or a record at its time: ms since the first data packet, bytes, direction, kind."""

    ms: float
    size: int
    out: bool
    kind: str = ""
    label: str = ""


@dataclass
class PacketLine:
    """Time line of a flow: data packets, and the TLS records or QUIC packets in them."""

    title: str
    packets: list[Stem]
    inner: list[Stem] = field(default_factory=list)
    inner_name: str = ""


@dataclass
class ByteGrid:
    """How often each byte value occurs: 256 counts."""

    title: str
    counts: list[int]


@dataclass
class Histogram:
    """Counts of both directions in bins.

    Attributes:
        edges: one more than bins; bin i holds what is >= edges[i] and < edges[i + 1].
        zero: counts of values that are 0, out and back: a logarithmic axis has no place for them.
    """

    title: str
    unit: str
    edges: list[float]
    out: list[int]
    back: list[int]
    zero: tuple[int, int] = (0, 0)


@dataclass
class Segment:
    """A flow in a host's row: seconds since the first flow shown, what it is, whether it began."""

    start: float
    end: float
    kind: str
    initiator: bool
    lane: int = 0


@dataclass
class HostLines:
    """Rows of hosts, those with most bytes first, each with its flows."""

    title: str
    rows: list[tuple[str, list[Segment]]]
    begin_ns: int
    seconds: float
    left_out: int  # hosts that have no row


def name(flow: dict[str, Any]) -> str:
    """A flow's title: ends, protocol, server name, id."""
    ends = f"{end(flow['sa'], flow.get('sp'))} > {end(flow['da'], flow.get('dp'))}"
    tls = flow.get("tls") or {}
    quic = (flow.get("quic") or {}).get("version")
    carrier = f"QUIC {quic}" if quic else protocol(flow["pr"])
    said = [carrier, tls.get("version"), tls.get("sni")]
    number = f"flow {flow['flow_id']}" + (f":{flow['part']}" if flow["part"] > 1 else "")
    return f"{ends}  {' '.join(s for s in said if s)}  ({number})"


def packets(flow: dict[str, Any]) -> PacketLine:
    """Time line of one flow (columns packets; tls.srlt or quic.packets where they are)."""
    line = PacketLine(name(flow), _stems(flow.get("packets") or []))
    records = (flow.get("tls") or {}).get("srlt")
    if records:
        line.inner, line.inner_name = _stems(records), "TLS records"
        for stem, record in zip(line.inner, records, strict=True):
            stem.kind = CONTENT_TYPES.get(record["tp"], f"type {record['tp']}")
            types = record.get("hs_types") or []
            stem.label = ", ".join(HANDSHAKES.get(t, f"handshake {t}") for t in types)
        _shift(line.inner, line.packets)
    elif inner := (flow.get("quic") or {}).get("packets"):
        line.inner, line.inner_name = _stems(inner), "QUIC packets"
        for stem, packet in zip(line.inner, inner, strict=True):
            stem.kind = packet["type"]
    return line


def _stems(listed: Sequence[dict[str, Any]]) -> list[Stem]:
    stems, now = [], 0.0
    for item in listed:
        now += item["ipt"]
        stems.append(Stem(now, item["b"], item["dir"] == OUT))
    return stems


def _shift(records: list[Stem], around: list[Stem]) -> None:
    """Move records to where they lie among the packets.

    Times of records count from the first record, which is not in the first packet when another
    protocol came before TLS.  Each record begins in some packet of its direction: the first packet
    from which that comes out for all of them is the one.
    """
    times = {(round(p.ms, 3), p.out) for p in around}
    last = around[-1].ms if around else 0.0
    for packet in around:
        moved = [(round(r.ms + packet.ms, 3), r.out) for r in records]
        if all(m in times for m in moved if m[0] <= last):
            for record in records:
                record.ms += packet.ms
            return


def byte_grid(flows: Sequence[dict[str, Any]]) -> ByteGrid:
    """Byte values of flows together (column byte_dist)."""
    counts = [0] * CELLS
    for flow in flows:
        for value, count in enumerate(flow.get("byte_dist") or []):
            counts[value] += count
    return ByteGrid(together(flows), counts)


def together(flows: Sequence[dict[str, Any]]) -> str:
    """Title of a figure of several flows, or of one."""
    return name(flows[0]) if len(flows) == 1 else f"{len(flows):,} flows"


def lengths(flows: Sequence[dict[str, Any]]) -> Histogram:
    """Payload lengths of data packets (column packets) in bins that double: 1, 2-3, 4-7, ..."""
    values = [(p["b"], p["dir"] == OUT) for f in flows for p in f.get("packets") or []]
    most = max((v for v, _ in values), default=1)
    edges = [float(1 << k) for k in range(max(most, 1).bit_length() + 1)]
    return _trimmed(_histogram(together(flows), "bytes", edges, values))


def times(flows: Sequence[dict[str, Any]]) -> Histogram:
    """Times since the packet listed before, by the later packet's direction; 5 bins a decade."""
    values = []
    for flow in flows:
        listed = flow.get("packets") or []
        values += [(p["ipt"], p["dir"] == OUT) for p in listed[1:]]
    count = (TIME_HIGH - TIME_LOW) * DECADE
    edges = [10 ** (TIME_LOW + k / DECADE) for k in range(count + 1)]
    figure = _histogram(together(flows), "ms", edges, values)
    return _trimmed(figure)


def _histogram(title: str, unit: str, edges: list[float], values: list[Any]) -> Histogram:
    """Counts; what lies beyond the edges is in the first or last bin."""
    sides: dict[bool, list[int]] = {True: [0] * (len(edges) - 1), False: [0] * (len(edges) - 1)}
    zero = {True: 0, False: 0}
    for value, out in values:
        if value <= 0:
            zero[out] += 1
            continue
        at = sum(1 for e in edges if e <= value) - 1
        sides[out][min(max(at, 0), len(edges) - 2)] += 1
    return Histogram(title, unit, edges, sides[True], sides[False], (zero[True], zero[False]))


def _trimmed(figure: Histogram) -> Histogram:
    """The same without empty bins at both ends."""
    used = [i for i, (a, b) in enumerate(zip(figure.out, figure.back, strict=True)) if a or b]
    if not used:
        return figure
    low, high = used[0], used[-1] + 1
    figure.edges = figure.edges[low : high + 1]
    figure.out, figure.back = figure.out[low:high], figure.back[low:high]
    return figure


def hosts(flows: Sequence[dict[str, Any]], rows: int = 20) -> HostLines:
    """Flows over time in the rows of their hosts; those with most payload, at most 'rows'."""
    sizes: dict[str, int] = {}
    for flow in flows:
        for address in {flow["sa"], flow["da"]}:
            sizes[address] = sizes.get(address, 0) + _size(flow)
    shown = sorted(sizes, key=lambda a: (-sizes[a], a))[:rows]
    begin = min((f["time_start"] for f in flows), default=0)
    finish = max((f["time_end"] for f in flows), default=0)
    lines: dict[str, list[Segment]] = {address: [] for address in shown}
    for flow in sorted(flows, key=lambda f: (f["time_start"], f["flow_id"])):
        for address in [flow["sa"]] + [flow["da"]] * (flow["da"] != flow["sa"]):
            if address in lines:
                lines[address].append(_segment(flow, begin, address == flow["sa"]))
    for segments in lines.values():
        _lanes(segments, (finish - begin) / 1e9 / 200)
    seconds = (finish - begin) / 1e9
    left_out = len(sizes) - len(shown)
    return HostLines(together(flows), list(lines.items()), begin, seconds, left_out)


def _size(flow: dict[str, Any]) -> int:
    return (flow.get("bytes_out") or 0) + (flow.get("bytes_in") or 0)


def _segment(flow: dict[str, Any], begin: int, initiator: bool) -> Segment:
    start, finish = ((flow[k] - begin) / 1e9 for k in ("time_start", "time_end"))
    return Segment(start, max(start, finish), kind_of(flow), initiator)


def _lanes(segments: list[Segment], gap: float) -> None:
    """Put flows that overlap into lanes of their own, the lowest that is free."""
    free: list[float] = []
    for segment in segments:
        lane = next((i for i, until in enumerate(free) if until <= segment.start), len(free))
        free[lane : lane + 1] = [segment.end + gap]
        segment.lane = lane


def kind_of(flow: dict[str, Any]) -> str:
    """What a flow is, for its colour: what was seen in it, else its ports, else its protocol."""
    carrier = (flow.get("tls") or {}).get("protocol")
    if flow.get("quic") or carrier == "quic":
        return "QUIC"
    if carrier:
        return "TLS"
    ports = {flow.get("sp"), flow.get("dp")}
    if flow["pr"] in (6, 17) and ports & {53, 5353, 5355}:
        return "DNS"
    if flow["pr"] == 6:
        return "HTTP" if flow.get("dp") in (80, 8080) else "other TCP"
    return {17: "other UDP", 1: "ICMP", 58: "ICMP"}.get(flow["pr"], "other")


KINDS = ("TLS", "QUIC", "DNS", "HTTP", "other TCP", "other UDP", "ICMP", "other")
