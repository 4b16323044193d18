# SPDX-License-Identifier: BSD-3-Clause
"""Random conversations for the reference and the program: everything that goes wrong on a wire.

conversations(seed, count) makes them interleaved in time; write() cuts them into pcap files
with micro- or nanoseconds in either byte order.  The same seed makes the same bytes.
"""

from __future__ import annotations

import random
import socket
import struct
from dataclasses import dataclass
from pathlib import Path

FIN, SYN, RST, PSH, ACK, URG, ECE, CWR = (1 << i for i in range(8))
SIZES = (0, 1, 2, 3, 4, 5, 8, 16, 24, 59, 60, 100, 225, 226, 536, 1000, 1379, 1448)
SIZES += (1460, 1460, 1460, 8948)
US, MS, S = 10**3, 10**6, 10**9
GAPS = (0, 0, 1, 100 * US, MS, MS, MS + 1, 5 * MS, 20 * MS, 80 * MS, 300 * MS, S, S + 1)
LONG_GAPS = (S, 2 * S, 4 * S, 5 * S, 5 * S + 1000, 6 * S, 9 * S, 10 * S, 11 * S)
VERY_LONG_GAPS = (60 * S, 119 * S, 120 * S - 1000, 120 * S, 121 * S, 300 * S)
BEGIN = 1_700_000_000 * S


def checksum(data: bytes) -> int:
    """RFC 1071."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return ~total & 0xFFFF


@dataclass
class Item:
    """One frame of a conversation, and the time since the one before it."""

    frame: bytes
    gap: int
    back: int = 0  # how much its time stamp lags behind
    segment: tuple | None = None  # what it was made of


class Wire:
    """Two hosts: makes frames of what they send."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self.rng = rng
        self.version = rng.choice((4, 4, 6))
        host = number.to_bytes(3, "big")
        if self.version == 4:
            self.address = (b"\x0a" + host, bytes((172, 16 + number % 8, 0, 1 + number % 5)))
        else:
            net = socket.inet_pton(socket.AF_INET6, "2001:db8::")[:12]
            self.address = (net + b"\1" + host, net + bytes((2, 0, 0, 1 + number % 5)))
        if rng.random() < 0.5:
            self.address = self.address[::-1]
        self.vlans = rng.choice(((), (), (), (7,), (0,), (100, 200), (5, 0, 6)))
        self.ttl = [rng.choice((64, 128, 255, 57)) for _ in "ab"]
        self.tos = [rng.choice((0, 0, 0x10, 0xB8, 0x02)) for _ in "ab"]
        self.ident = [rng.randrange(65536) * (rng.random() < 0.8) for _ in "ab"]
        self.label = [rng.randrange(1 << 20) for _ in "ab"]
        self.flags = rng.choice((0x4000, 0x4000, 0, 0x8000))
        self.pad = rng.choice((None, b"\0", b"\xee"))

    def ether(self, side: int, packet: bytes) -> bytes:
        """Ethernet and VLAN tags around an IP packet; short frames are padded."""
        macs = b"\2\0\0\0\0\1", b"\2\0\0\0\0\2"
        frame = macs[1 - side] + macs[side]
        for i, vlan in enumerate(self.vlans):
            kind = 0x88A8 if i == 0 and len(self.vlans) > 1 else 0x8100
            frame += struct.pack(">HH", kind, 0x2000 * (i % 8) & 0xE000 | vlan)
        frame += b"\x08\x00" if self.version == 4 else b"\x86\xdd"
        frame += packet
        if self.pad is not None and len(frame) < 60:
            frame += self.pad * (60 - len(frame))
        return frame

    def ip(self, side: int, proto: int, body: bytes, bits: int | None = None, **over: int) -> bytes:
        """An IP packet; 'bits': IPv4 flags and fragment offset."""
        source, target = self.address[side], self.address[1 - side]
        ttl = self.ttl[side] - self.rng.choice((0, 0, 0, 1))
        tos = self.tos[side] | self.rng.choice((0, 0, 0, 0, 0, 0, 1, 3))
        if self.version == 6:
            head = struct.pack(
                ">IHBB", 6 << 28 | tos << 20 | self.label[side], len(body), proto, ttl
            )
            return head + source + target + body
        ident = over.get("ident", self.ident[side])
        if self.ident[side]:
            self.ident[side] = self.ident[side] % 65535 + 1
        options = b"\x94\x04\0\0" if self.rng.random() < 0.02 else b""
        length = over.get("length", 20 + len(options) + len(body))
        head = struct.pack(
            ">BBHHHBBH4s4s", 0x45 + len(options) // 4, tos, length, ident,
            self.flags if bits is None else bits, ttl, proto, 0, source, target,
        )  # fmt: skip
        head += options
        return head[:10] + struct.pack(">H", checksum(head)) + head[12:] + body

    def fragments(self, side: int, proto: int, body: bytes, size: int) -> list[bytes]:
        """A packet in fragments, as frames in order."""
        ident = self.rng.randrange(1, 65536)
        frames = []
        for at in range(0, len(body), size):
            part, more = body[at : at + size], at + size < len(body)
            if self.version == 4:
                packet = self.ip(side, proto, part, at // 8 | more * 0x2000, ident=ident)
            else:
                head = struct.pack(">BBHI", proto, 0, at | more, ident)
                packet = self.ip(side, 44, head + part)
            frames.append(self.ether(side, packet))
        return frames


class Talk:
    """One conversation as a list of frames."""

    def __init__(self, rng: random.Random, number: int) -> None:
        self.rng, self.wire = rng, Wire(rng, number)
        self.items: list[Item] = []
        self.slow = rng.random() < 0.15
        self.ports = (rng.randrange(1024, 65536), rng.choice((80, 443, 22, 53, 5000)))
        self.content = rng.choice(("text", "random", "zero", "count"))

    def gap(self) -> int:
        """Time until the next packet."""
        if self.slow and self.rng.random() < 0.4:
            return self.rng.choice(LONG_GAPS)
        if self.rng.random() < 0.02:
            return self.rng.choice(LONG_GAPS)
        return self.rng.choice(GAPS) + self.rng.randrange(1000) * self.rng.choice((0, 1, 1000))

    def bytes(self, size: int) -> bytes:
        """Payload."""
        if self.content == "zero":
            return bytes(size)
        if self.content == "random":
            return self.rng.randbytes(size)
        if self.content == "count":
            head = b"\x17\x03" + struct.pack(">H", len(self.items) & 0xFFFF)
            return (head + bytes(i & 0xFF for i in range(size)))[:size]
        words = (b"GET ", b"Host: a.example\r\n", b"content 0123456789 ", b'{"key": 1}')
        text = b""
        while len(text) < size:
            text += self.rng.choice(words) * self.rng.choice((1, 1, 5))
        return text[:size]

    def add(self, frame: bytes, segment: tuple | None = None) -> None:
        """The next frame."""
        self.items.append(Item(frame, self.gap(), 0, segment))


class Tcp(Talk):
    """A TCP connection, told segment by segment."""

    def __init__(self, rng: random.Random, number: int) -> None:
        super().__init__(rng, number)
        self.seq = [0, 0]
        self.options = rng.choice((b"", b"\1\1\x08\x0a"))
        self.syn_options = rng.choice(
            (
                b"",
                b"\2\4\x05\xb4",
                b"\2\4\x05\xb4\4\2\x08\x0a" + rng.randbytes(4) + bytes(4) + b"\1\3\3\7",
                b"\2\4\x05\x78\1\3\3\2\1\1\4\2",
                b"\2\4\x05\xb4\x1e\3\0\0",
                b"\xfe\4\xf9\x89\2\4\x05\xb4\0\0\0\0",
            )
        )
        self.window = [rng.choice((65535, 29200, 512, 4)) for _ in "ab"]
        self.fresh_numbers()

    def fresh_numbers(self) -> None:
        """New initial sequence numbers; often about to wrap."""
        near = 2**32 - self.rng.randrange(1, 5000)
        self.seq = [self.rng.choice((near, self.rng.randrange(2**32), 0)) for _ in "ab"]

    def segment(self, side: int, flags: int, payload: bytes = b"", **over: int) -> None:
        """Send a segment; moves the sequence number on unless 'seq' says another."""
        seq = over.get("seq", self.seq[side]) % 2**32
        ack = over.get("ack", self.seq[1 - side] if flags & ACK else 0) % 2**32
        window = over.get("window", self.window[side])
        options = self.syn_options if flags & SYN else self.options
        if options.endswith(b"\x08\x0a"):
            options += self.rng.randbytes(4) + bytes(4)
        self.make((side, seq, ack, flags, window, options, payload))
        if "seq" not in over:
            length = len(payload) + bool(flags & SYN) + bool(flags & FIN)
            self.seq[side] = (seq + length) % 2**32

    def frame(self, segment: tuple, **over: int) -> bytes:
        """A frame of a segment."""
        side, seq, ack, flags, window, options, payload = segment
        head = struct.pack(
            ">HHIIBBHHH", self.ports[side], self.ports[1 - side], seq, ack,
            (20 + len(options)) // 4 << 4, flags, window, 0, 0,
        )  # fmt: skip
        body = head + options + payload
        return self.wire.ether(side, self.wire.ip(side, 6, body, **over))

    def make(self, segment: tuple) -> None:
        """Put a segment on the wire, now and then as hardware hands it over, or in fragments."""
        payload = segment[6]
        if len(payload) > 100 and self.wire.version == 4 and self.rng.random() < 0.004:
            self.add(self.frame(segment, length=0), segment)
        elif len(payload) > 900 and self.rng.random() < 0.004:
            side, seq, ack, flags, window, options, _ = segment
            head = struct.pack(
                ">HHIIBBHHH", self.ports[side], self.ports[1 - side], seq, ack,
                (20 + len(options)) // 4 << 4, flags, window, 0, 0,
            )  # fmt: skip
            for frame in self.wire.fragments(side, 6, head + options + payload, 520):
                self.add(frame)
        else:
            self.add(self.frame(segment), segment)

    def open(self) -> None:
        """A handshake, whole or in part, or none."""
        how = self.rng.choice(("whole",) * 8 + ("midstream", "no syn", "simultaneous", "fast"))
        if how == "midstream":
            return
        first = len(self.items)
        self.segment(0, SYN | self.rng.choice((0, 0, ECE | CWR)), self.bytes(10 * (how == "fast")))
        if how == "simultaneous":
            self.segment(1, SYN)
            self.segment(0, SYN | ACK, seq=self.seq[0] - 1)
            self.segment(1, SYN | ACK, seq=self.seq[1] - 1)
            return
        self.segment(1, SYN | ACK)
        self.segment(0, ACK)
        if how == "no syn":
            del self.items[first]

    def exchange(self, turns: int) -> None:
        """Data in both directions, acknowledged now and then."""
        for _ in range(turns):
            side = self.rng.randrange(2)
            for _ in range(self.rng.choice((1, 1, 2, 3, 5))):
                payload = self.bytes(self.rng.choice(SIZES))
                self.segment(side, ACK | PSH * self.rng.randrange(2), payload)
                if self.rng.random() < 0.5:
                    self.segment(1 - side, ACK)
            if self.rng.random() < 0.1:
                self.segment(1 - side, ACK, window=0)
            if self.rng.random() < 0.06:
                probe = self.bytes(self.rng.randrange(2))
                self.segment(side, ACK, probe, seq=self.seq[side] - 1)
                self.segment(1 - side, ACK)

    def close(self) -> None:
        """Some end, or none."""
        how = self.rng.choice(("both", "both", "half", "rst", "rst far", "rst ack", "none", "late"))
        a = self.rng.randrange(2)
        if how in ("both", "half", "late"):
            self.segment(a, FIN | ACK)
            self.segment(1 - a, ACK)
            if how == "half":
                for _ in range(3):
                    self.segment(1 - a, ACK | PSH, self.bytes(self.rng.choice(SIZES)))
                    self.segment(a, ACK)
            self.segment(1 - a, FIN | ACK)
            self.segment(a, ACK)
            if how == "late":
                self.segment(1 - a, FIN | ACK, seq=self.seq[1 - a] - 1)
                self.segment(a, self.rng.choice((ACK, RST)))
        elif how.startswith("rst"):
            far = self.rng.choice((1 << 30, -5, 70_000, 200_000_000)) if how == "rst far" else 0
            self.segment(a, RST | ACK * (how == "rst ack"), seq=self.seq[a] + far, window=0)
            if self.rng.random() < 0.5:
                self.segment(1 - a, ACK)

    def mangle(self) -> None:
        """Loss, reordering, repetition, overlap and mirrored packets."""
        for _ in range(self.rng.choice((0, 0, 1, 1, 2, 4, 8))):
            kind = self.rng.choice(("lose", "swap", "again", "mirror", "overlap", "delay", "back"))
            i = self.rng.randrange(len(self.items))
            getattr(self, kind)(i)

    def lose(self, i: int) -> None:
        """A packet that was never captured."""
        if len(self.items) > 1:
            del self.items[i]

    def swap(self, i: int) -> None:
        """Two neighbours in the wrong order."""
        self.items[i - 1 : i + 1] = self.items[i - 1 : i + 1][::-1]

    def delay(self, i: int) -> None:
        """A packet overtaken by several."""
        item = self.items.pop(i)
        self.items.insert(min(len(self.items), i + self.rng.randrange(1, 6)), item)

    def again(self, i: int) -> None:
        """A segment sent once more."""
        if self.items[i].segment is None:
            return
        copy = Item(self.frame(self.items[i].segment), self.gap(), 0, self.items[i].segment)
        self.items.insert(min(len(self.items), i + self.rng.randrange(1, 6)), copy)

    def mirror(self, i: int) -> None:
        """A frame that was captured twice."""
        gap = self.rng.choice((0, 20 * US, MS - 1, MS, MS + 1000))
        self.items.insert(i + 1, Item(self.items[i].frame, gap, 0, self.items[i].segment))

    def overlap(self, i: int) -> None:
        """A segment that repeats a part of another and goes on, or begins before it."""
        if self.items[i].segment is None or len(self.items[i].segment[6]) < 4:
            return
        side, seq, ack, flags, window, options, payload = self.items[i].segment
        cut = self.rng.randrange(1, len(payload))
        again = payload[cut:] + self.bytes(self.rng.choice((0, 1, 500)))
        if self.rng.random() < 0.3:
            again = bytes(len(again))  # bytes that disagree
        begin = cut - self.rng.choice((0, 0, cut + 3))
        segment = (side, (seq + begin) % 2**32, ack, flags & ~(SYN | FIN), window, options, again)
        copy = Item(self.frame(segment), self.gap(), 0, segment)
        self.items.insert(min(len(self.items), i + self.rng.randrange(1, 4)), copy)

    def back(self, i: int) -> None:
        """A time stamp that lags."""
        self.items[i].back = self.rng.choice((US, MS, 50 * MS, 2 * S))


def tcp(rng: random.Random, number: int) -> Talk:
    """One connection, sometimes several on the same ports."""
    talk = Tcp(rng, number)
    for again in range(rng.choice((1, 1, 1, 1, 2, 3))):
        if again:
            talk.fresh_numbers()
            if rng.random() < 0.3:
                talk.ports = talk.ports[::-1]
                talk.wire.address = talk.wire.address[::-1]
        begin = len(talk.items)
        talk.open()
        talk.exchange(rng.choice((0, 1, 2, 4, 8)))
        talk.close()
        if again and len(talk.items) > begin:
            talk.items[begin].gap = rng.choice((100 * MS, S, 2 * S, 3 * S, 150 * S))
    if not talk.items:
        talk.segment(0, ACK)
    talk.mangle()
    if rng.random() < 0.08:
        rng.choice(talk.items).gap += rng.choice(VERY_LONG_GAPS)
    return talk


def long_tcp(rng: random.Random, number: int) -> Talk:
    """A connection that outlives the active timeout."""
    talk = Tcp(rng, number)
    talk.open()
    for _ in range(rng.randrange(30, 60)):
        talk.exchange(1)
        talk.items[-1].gap += rng.choice((30, 60, 90, 119)) * S
    talk.close()
    talk.mangle()
    return talk


def udp(rng: random.Random, number: int) -> Talk:
    """Datagrams, some in fragments, some answered by ICMP errors."""
    talk = Talk(rng, number)
    for _ in range(rng.choice((1, 1, 2, 3, 6, 12))):
        side = int(rng.random() < 0.4)
        payload = talk.bytes(rng.choice((*SIZES, 3000)))
        length = 8 + len(payload)
        if rng.random() < 0.02:
            length = rng.choice((4, 8, length + 100))
        head = struct.pack(">HHHH", talk.ports[side], talk.ports[1 - side], length, 0)
        if len(payload) >= 1000 and rng.random() < 0.5:
            for frame in fragments(talk, side, 17, head + payload):
                talk.add(frame)
            continue
        packet = talk.wire.ip(side, 17, head + payload)
        talk.add(talk.wire.ether(side, packet))
        if rng.random() < 0.1:
            talk.add(icmp_error(talk, side, packet))
        if rng.random() < 0.1:
            talk.items[-1].back = rng.choice((US, MS, 300 * MS))
    if rng.random() < 0.1:
        rng.choice(talk.items).gap += rng.choice(VERY_LONG_GAPS)
    return talk


def fragments(talk: Talk, side: int, proto: int, body: bytes) -> list[bytes]:
    """A datagram in fragments: in some order, some twice, some overlapping, some lost."""
    rng = talk.rng
    size = rng.choice((8 * 64, 8 * 100, 1480 if len(body) > 1480 else 8 * 120))
    frames = talk.wire.fragments(side, proto, body, size)
    how = rng.choice(("fine", "fine", "shuffle", "twice", "lost", "first lost"))
    if how == "shuffle":
        rng.shuffle(frames)
    elif how == "twice":
        i = rng.randrange(len(frames) - 1)
        frames.insert(i, frames[i])
    elif how == "lost":
        del frames[rng.randrange(1, len(frames))]
    elif how == "first lost":
        del frames[0]
    return frames


def icmp_error(talk: Talk, side: int, packet: bytes) -> bytes:
    """What the other side answers to a packet that it cannot deliver."""
    quote = packet[: talk.rng.choice((28, 48, 300)) + 20 * (talk.wire.version == 6)]
    if talk.wire.version == 4:
        body = struct.pack(">BBHI", *talk.rng.choice(((3, 3), (3, 1), (11, 0))), 0, 0) + quote
        return talk.wire.ether(1 - side, talk.wire.ip(1 - side, 1, body))
    body = struct.pack(">BBHI", *talk.rng.choice(((1, 4), (2, 0), (3, 0))), 0, 0) + quote
    return talk.wire.ether(1 - side, talk.wire.ip(1 - side, 58, body))


def icmp(rng: random.Random, number: int) -> Talk:
    """Echo requests and replies, with one lost or doubled; errors about flows nobody saw."""
    talk = Talk(rng, number)
    request, reply = (
        ((8, 0), (13, 14))[rng.random() < 0.2] if talk.wire.version == 4 else (128, 129)
    )
    proto, ident = 1 if talk.wire.version == 4 else 58, rng.randrange(65536)
    size = rng.choice((0, 1, 56, 1000, 3000))
    for seq in range(rng.choice((1, 3, 5, 40))):
        for side, kind in ((0, request), (1, reply)):
            for _ in range(rng.choice((0, 1, 1, 1, 1, 1, 1, 2))):
                body = struct.pack(">BBHHH", kind, 0, 0, ident, seq) + talk.bytes(size)
                if len(body) > 1480:
                    for frame in talk.wire.fragments(side, proto, body, 1480):
                        talk.add(frame)
                else:
                    talk.add(talk.wire.ether(side, talk.wire.ip(side, proto, body)))
    if rng.random() < 0.3:
        stray = Wire(rng, number + 500_000)
        stray.version, stray.address = talk.wire.version, talk.wire.address
        head = struct.pack(">HHHH", 9, 9, 8, 0)
        talk.add(icmp_error(talk, 0, stray.ip(0, 17, head)))
    if not talk.items:
        talk.add(talk.wire.ether(0, talk.wire.ip(0, 200, b"other protocol")))
    return talk


def others(rng: random.Random, number: int) -> Talk:
    """Protocols without ports, headers that contradict themselves, and frames without IP."""
    talk = Talk(rng, number)
    for _ in range(rng.randrange(1, 6)):
        kind = rng.choice(("proto", "tcp", "arp"))
        if kind == "arp":
            talk.add(b"\xff" * 6 + b"\2\0\0\0\0\1\x08\x06" + bytes(46))
            continue
        body = talk.bytes(rng.choice((20, 21, 40)))
        if kind == "tcp":
            body = struct.pack(">HHIIBB", *talk.ports, 1, 1, 0xF0, ACK) + body[14:]
        proto = 6 if kind == "tcp" else 201
        talk.add(talk.wire.ether(0, talk.wire.ip(0, proto, body)))
    return talk


KINDS = (tcp,) * 60 + (long_tcp,) * 2 + (udp,) * 25 + (icmp,) * 10 + (others,) * 4


def conversations(seed: int, count: int) -> list[tuple[int, bytes]]:
    """(time in ns, frame) of many conversations, in the order of capture."""
    rng = random.Random(seed)
    stamped = []
    for number in range(count):
        kind = rng.choice(KINDS)
        at = BEGIN + rng.randrange((600 if kind is long_tcp else 2400) * S)
        for item in kind(rng, number).items:
            at += item.gap
            stamped.append((at, item.back, item.frame))
    stamped.sort(key=lambda x: x[0])
    return [(at - back, frame) for at, back, frame in stamped]


def write(
    path: Path, frames: list[tuple[int, bytes]], nano: bool = False, order: str = "<", snap: int = 0
) -> Path:
    """A pcap file; 'snap': captured length at most."""
    magic = 0xA1B23C4D if nano else 0xA1B2C3D4
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, 1)]
    for ns, frame in frames:
        cut = frame[:snap] if snap else frame
        unit = 1 if nano else 1000
        head = (ns // S, ns % S // unit, len(cut), len(frame))
        out += [struct.pack(order + "IIII", *head), cut]
    path.write_bytes(b"".join(out))
    return path
