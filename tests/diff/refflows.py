# SPDX-License-Identifier: BSD-3-Clause
"""The reference's flow model: doc/flows.md, rule by rule, over packets of refpackets.

Everything is a plain object that keeps every packet; nothing is fast.  The result is a list of
parts (flow records) in the order in which they have to be written.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from refpackets import (
    ACK,
    FIN,
    ICMP,
    ICMP6,
    RST,
    SYN,
    TCP,
    Datagram,
    Frame,
    Packet,
    datagram_key,
    decode,
)

NEW, GAP, LATE, OVERLAP = "new", "gap", "late", "overlap"
RETRANS, KEEP_ALIVE, DUPLICATE = "retrans", "keep_alive", "dup"
NOTHING_NEW = (RETRANS, KEEP_ALIVE, DUPLICATE)
IDLE, ACTIVE, DETECTED, FORCED = 1, 2, 3, 4
FRAGMENT_TIMEOUT = 30 * 10**9
FRAGMENT_COPY = 10**9
HOLES = 16
COUNTS = "packets ip_packets icmp_errors flows time_jumps time_backwards".split()
ICMP_ERRORS = {ICMP: (3, 4, 5, 11, 12), ICMP6: tuple(range(1, 128))}
REQUESTS = {
    ICMP: {0: 8, 14: 13, 16: 15, 18: 17, 9: 10},
    ICMP6: {129: 128, 131: 130, 134: 133, 136: 135, 140: 139, 145: 144},
}


@dataclass
class Timeouts:
    """In nanoseconds."""

    idle: int = 120 * 10**9
    active: int = 1800 * 10**9
    linger: int = 2 * 10**9


@dataclass
class Event:
    """A packet of a flow: 0 is the initiator's direction; 'ns' is its flow time."""

    packet: Packet
    dir: int
    ns: int
    cls: str | None  # of TCP segments with a sound header


@dataclass
class Side:
    """What one direction of a TCP connection has shown of its sequence numbers."""

    base: int | None = None  # 32-bit number of the first segment; the others are relative to it
    next: int = 0
    holes: list[tuple[int, int]] = field(default_factory=list)
    before: Event | None = None  # the segment before
    syn: int | None = None
    syn_ack: int | None = None  # what its first SYN-ACK acknowledges
    fin: int | None = None  # number behind its FIN
    ended: bool = False  # its FIN was acknowledged
    acked: int | None = None  # highest acknowledgement it sent
    scale: int | None = None
    capped: bool = False


@dataclass
class Conversation:
    """All parts of a biflow; 'part' is None between an active timeout and the next packet."""

    key: tuple
    number: int
    ends: tuple  # initiator, responder
    packet: Packet  # the first one
    last_ns: int
    last_clock: int = 0
    parts: int = 0
    part: Part | None = None
    closed: int | None = None
    tcp: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))


@dataclass
class Part:
    """What becomes a record."""

    conversation: Conversation
    number: int  # of its first packet
    clock: int
    index: int
    events: list[Event] = field(default_factory=list)
    icmp_errors: list[int] = field(default_factory=lambda: [0, 0])
    marks: set[str] = field(default_factory=set)
    reason: int = 0
    moment: float = 0


def ahead(a: int, b: int) -> int:
    """How far the 32-bit sequence number a is ahead of b; negative when it is behind."""
    return (a - b + 2**31) % 2**32 - 2**31


def flow_key(p: Packet) -> tuple[tuple, tuple, tuple]:
    """The key, and the ends (address, port) of sender and receiver."""
    vlans = tuple(v for v in p.vlans if v != 0)[:5]
    source, target = (p.source, 0), (p.target, 0)
    kind = None
    if p.ports is not None:
        source, target = (p.source, p.ports[0]), (p.target, p.ports[1])
    elif p.icmp is not None:
        number, code = p.icmp
        if number in REQUESTS[p.proto]:
            number, code = REQUESTS[p.proto][number], 0
        kind = (number, code, p.icmp_id)
    key = (vlans, p.version, p.proto, min(source, target), max(source, target), kind)
    return key, source, target


def quoted_key(p: Packet) -> tuple[tuple, tuple] | None:
    """Of an ICMP error: key of the flow it quotes, and the sender of the quoted packet."""
    if p.icmp is None or p.icmp[0] not in ICMP_ERRORS[p.proto]:
        return None
    ether = b"\x08\x00" if p.proto == ICMP else b"\x86\xdd"
    quote = p.body[8:]
    if len(quote) < (20 if p.proto == ICMP else 40):
        return None
    inner = decode(Frame(0, 0, False, 0, bytes(12) + ether + quote, 14 + len(quote)))
    if inner is None:
        return None
    if inner.proto in (6, 17) and inner.ports is None:
        return None
    inner.vlans = p.vlans
    key, source, _ = flow_key(inner)
    return key, source


class Model:
    """Packets in, parts out."""

    def __init__(self, timeouts: Timeouts) -> None:
        self.timeouts = timeouts
        self.clock: int | None = None
        self.shift: dict[int, int] = {}
        self.table: dict[tuple, Conversation] = {}
        self.datagrams: dict[tuple, Datagram] = {}
        self.whole: dict[tuple, tuple[int, Datagram]] = {}  # the latest complete, and when
        self.done: list[Part] = []
        self.soonest = float("inf")  # no flow leaves before
        self.counts = dict.fromkeys(COUNTS, 0)

    # --- time ------------------------------------------------------------------------------------
    def tick(self, frame: Frame) -> None:
        """Set the clock to a frame's time and let everything leave whose moment has come."""
        ns = frame.ns + self.shift.get(frame.interface, 0)
        if self.clock is not None and ns < self.clock - self.timeouts.idle:
            self.shift[frame.interface] = self.clock - frame.ns
            self.counts["time_jumps"] += 1
            ns = self.clock
        clock = ns if self.clock is None else max(ns, self.clock)
        while self.datagrams:
            key = min(self.datagrams, key=lambda k: self.datagrams[k].clock)
            moment = self.datagrams[key].clock + FRAGMENT_TIMEOUT
            if moment > clock:
                break
            self.expire(moment)
            self.clock = moment
            self.give_up(key)
        self.expire(clock)
        self.clock = clock

    def give_up(self, key: tuple) -> None:
        """A datagram whose time is over: count it as far as it came."""
        for p in self.datagrams.pop(key).packets(complete=False):
            self.deliver(p)

    def deadline(self, c: Conversation) -> tuple[int, int]:
        """When a conversation leaves if nothing more comes, and why."""
        idle = c.last_clock + self.timeouts.idle
        if c.part is None:
            return idle, IDLE
        if c.closed is not None:
            return c.closed + self.timeouts.linger, DETECTED
        active = c.part.clock + self.timeouts.active
        return (active, ACTIVE) if active <= idle else (idle, IDLE)

    def expire(self, clock: int) -> None:
        """Every flow whose moment is not behind the clock leaves."""
        while clock >= self.soonest:
            self.soonest = float("inf")
            for c in list(self.table.values()):
                moment, reason = self.deadline(c)
                if moment > clock:
                    self.soonest = min(self.soonest, moment)
                elif c.part is None:
                    del self.table[c.key]
                else:
                    self.leave(c, moment, reason)

    def leave(self, c: Conversation, moment: float, reason: int) -> None:
        """The end of a part; unless by the active timeout, of its conversation too."""
        part, c.part = c.part, None
        part.moment, part.reason = moment, reason
        if any(side.holes for side in c.tcp):
            part.marks.add("gap")
        if any(side.capped for side in c.tcp):
            part.marks.add("capped")
        self.done.append(part)
        if reason == ACTIVE:
            self.soonest = min(self.soonest, self.deadline(c)[0])
        else:
            del self.table[c.key]

    # --- packets ---------------------------------------------------------------------------------
    def frame(self, frame: Frame) -> None:
        """Take one frame."""
        self.counts["packets"] += 1
        self.tick(frame)
        packet = decode(frame)
        if packet is None:
            return
        if packet.fragment is None:
            self.deliver(packet)
            return
        key = datagram_key(packet)
        when, datagram = self.whole.get(key, (0, None))
        if key not in self.datagrams and datagram is not None:
            if self.clock - when <= FRAGMENT_COPY and datagram.copy(packet):
                self.deliver(datagram.piece(packet, datagram.whole(packet)))
                return
        datagram = self.datagrams.setdefault(key, Datagram(self.clock))
        if datagram.add(packet):
            self.whole[key] = (self.clock, self.datagrams.pop(key))
            for p in datagram.packets(complete=True):
                self.deliver(p)

    def finish(self) -> list[Part]:
        """The end of the input: everything leaves."""
        for key in sorted(self.datagrams, key=lambda k: self.datagrams[k].clock):
            self.give_up(key)
        for c in list(self.table.values()):
            if c.part is not None:
                self.leave(c, float("inf"), FORCED if c.closed is None else DETECTED)
        return sorted(self.done, key=lambda part: (part.moment, part.number))

    def deliver(self, p: Packet) -> None:
        """Count a packet at its flow."""
        quoted = None if p.fragment_only else quoted_key(p)
        if quoted is not None:
            c = self.table.get(quoted[0])
            if c is not None and c.part is not None:
                c.part.icmp_errors[quoted[1] != c.ends[0]] += 1
                self.counts["icmp_errors"] += 1
                return
        self.counts["ip_packets"] += 1
        key, source, target = flow_key(p)
        c = self.table.get(key)
        segment = p.proto == TCP and p.sound and not p.fragment_only
        if c is not None and segment and p.flags & SYN and begins_another(c, p, source):
            if c.part is None:
                del self.table[key]
            else:
                self.leave(c, self.clock, DETECTED)
            c = None
        if c is None:
            reverse = segment and p.flags & (SYN | ACK) == SYN | ACK
            ends = (target, source) if reverse else (source, target)
            c = self.table[key] = Conversation(key, p.number, ends, p, p.ns)
            self.counts["flows"] += 1
        if c.part is None:
            c.parts += 1
            c.last_ns = p.ns
            c.part = Part(c, p.number, self.clock, c.parts)
            if p.proto == TCP and not c.packet.flags & SYN:
                c.part.marks.add("midstream")
        self.count(c, p, source, segment)

    def count(self, c: Conversation, p: Packet, source: tuple, segment: bool) -> None:
        """Add a packet to the flow's present part."""
        if p.ns < c.last_ns and not p.fragment_only:
            c.part.marks.add("time_backwards")
            self.counts["time_backwards"] += 1
        c.last_ns = max(c.last_ns, p.ns)
        c.part.marks |= p.marks
        event = Event(p, int(source != c.ends[0]), c.last_ns, None)
        c.part.events.append(event)
        ended = False
        if segment:
            mine, other = c.tcp[event.dir], c.tcp[1 - event.dir]
            ended = bool(p.flags & RST) and reset_closes(mine, other, p)
            event.cls = classify(mine, event)
            ended = follow(c, event) or ended
        if c.closed is None:
            c.last_clock = self.clock
            if ended:
                c.closed = self.clock
        self.soonest = min(self.soonest, self.deadline(c)[0])


# --- TCP -----------------------------------------------------------------------------------------
def begins_another(c: Conversation, p: Packet, source: tuple) -> bool:
    """Whether a SYN begins another connection."""
    mine = c.tcp[source != c.ends[0]]
    other = c.tcp[source == c.ends[0]]
    if c.closed is not None:
        return not (p.flags & ACK and mine.syn == p.seq)
    if mine.syn is not None:
        return mine.syn != p.seq
    if p.flags & ACK:
        return mine.base is not None or other.syn is None
    if other.syn_ack is not None:
        return not 1 <= ahead(other.syn_ack, p.seq) <= 1 + p.payload_len
    return other.syn is None or mine.base is not None


def same_again(before: Event | None, event: Event, empty: bool) -> bool:
    """Whether a mirror port made this packet out of the one before."""
    if before is None:
        return False
    a, b = before.packet, event.packet
    same = all(
        getattr(a, name) == getattr(b, name)
        for name in ("seq", "ack", "flags", "window", "payload_len", "ip_id", "options")
    )
    telling = b.options_len >= 10 and len(b.options) == b.options_len
    if empty and b.ip_id == 0 and not telling:
        return False
    return same and event.ns - before.ns <= 10**6


def classify(side: Side, event: Event) -> str:
    """The class of a segment; updates next and holes."""
    p = event.packet
    length = p.payload_len + bool(p.flags & SYN) + bool(p.flags & FIN)
    first_syn = p.flags & SYN and side.syn is None
    before, side.before = side.before, event
    if same_again(before, event, length == 0):
        return DUPLICATE
    if p.flags & RST:
        return NEW
    if side.base is None:
        side.base, side.next = p.seq, length
        return NEW
    start = side.next + ahead(p.seq, (side.base + side.next) % 2**32)
    end = start + length
    if start > side.next:
        side.holes.append((side.next, start))
        if len(side.holes) > HOLES:
            del side.holes[0]
            side.capped = True
        side.next = end
        return GAP
    if start == side.next:
        side.next = end
        return NEW
    special = p.flags & (SYN | FIN | RST) or not p.flags & ACK
    if start == side.next - 1 and p.payload_len <= 1 and not special:
        return KEEP_ALIVE
    if length == 0:
        return NEW
    below = range(start, min(end, side.next))
    missing = fill(side, below)
    fresh = missing + max(0, end - side.next)
    side.next = max(side.next, end)
    if missing == len(below) or first_syn:
        return LATE
    return OVERLAP if fresh > 0 else RETRANS


def fill(side: Side, covered: range) -> int:
    """Take a range out of the holes; how many of its numbers were in one."""
    missing = 0
    left = []
    for start, end in side.holes:
        inside = max(0, min(end, covered.stop) - max(start, covered.start))
        missing += inside
        if inside == 0:
            left.append((start, end))
            continue
        if start < covered.start:
            left.append((start, covered.start))
        if covered.stop < end:
            left.append((covered.stop, end))
    side.holes = left
    return missing


def reset_closes(mine: Side, other: Side, p: Packet) -> bool:
    """Whether a RST is to be believed, by what was seen before it."""
    if mine.base is None:
        if not p.flags & ACK or other.base is None:
            return True
        return p.ack == (other.base + other.next) % 2**32
    following = (mine.base + mine.next) % 2**32
    distance = ahead(p.seq, following)
    lowest = 0 if other.acked is None else min(0, ahead(other.acked, following))
    window = 0 if other.before is None else other.before.packet.window << (other.scale or 0)
    return lowest <= distance <= max(1, window)


def follow(c: Conversation, event: Event) -> bool:
    """Note what a segment says about the connection; True when both directions have ended."""
    p, side = event.packet, c.tcp[event.dir]
    length = p.payload_len + bool(p.flags & SYN) + bool(p.flags & FIN)
    if p.flags & SYN and side.syn is None:
        side.syn = p.seq
        scales = (v[0] for k, v in tcp_options(p.options) if k == 3 and len(v) == 1)
        side.scale = min(next(scales, 0), 14)
    if p.flags & SYN and p.flags & ACK and side.syn_ack is None:
        side.syn_ack = p.ack
    other = c.tcp[1 - event.dir]
    if p.flags & ACK:
        if side.acked is None or ahead(p.ack, side.acked) > 0:
            side.acked = p.ack
        if other.fin is not None and ahead(p.ack, other.fin) >= 0:
            other.ended = True
    if p.flags & FIN and side.fin is None:
        side.fin = (p.seq + length) % 2**32
        side.ended = other.acked is not None and ahead(other.acked, side.fin) >= 0
    return side.ended and other.ended


def tcp_options(raw: bytes) -> list[tuple[int, bytes]]:
    """(kind, value) of each option, as tcp.out.opts lists them."""
    found = []
    while raw:
        kind = raw[0]
        if kind == 0:
            found.append((0, raw[1:]))
            break
        if kind == 1:
            found.append((1, b""))
            raw = raw[1:]
            continue
        if len(raw) < 2 or raw[1] < 2 or raw[1] > len(raw):
            break
        found.append((kind, raw[2 : raw[1]]))
        raw = raw[raw[1] :]
    return found
