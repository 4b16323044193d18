# SPDX-License-Identifier: BSD-3-Clause
"""The reference's own reader: pcap files into IP packets, fragments put together.

Slow and plain, and of nothing but RFC 791, 768, 792, 4443, 8200, 9293, IEEE 802.1Q and the pcap
format.  Ethernet only; no tunnels.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field, replace

ICMP, TCP, UDP, ICMP6, UDPLITE = 1, 6, 17, 58, 136
FIN, SYN, RST, PSH, ACK, URG, ECE, CWR, AE = (1 << i for i in range(9))
VLAN_TYPES = (0x8100, 0x88A8, 0x9100)
LONGEST_FRAME = 9234  # that a link carries
EXTENSIONS = (0, 43, 60, 44)  # hop-by-hop, routing, destination options, fragment


@dataclass
class Frame:
    """One captured frame; the number counts from 1 over the whole run."""

    number: int
    ns: int
    nanoseconds: bool
    interface: int
    data: bytes
    wire: int


@dataclass
class Packet:
    """An IP packet, its lengths on the wire, and as much of its bytes as was captured."""

    number: int
    ns: int
    nanoseconds: bool
    vlans: tuple[int, ...]
    version: int
    source: bytes
    target: bytes
    proto: int
    ip: bytes  # from the IP header on, without padding
    ip_len: int
    header_len: int
    body: bytes  # behind the IP headers
    body_len: int
    ttl: int
    tos: int
    ip_id: int = 0
    ip_flags: int = 0
    flow_label: int = 0
    fragment: tuple[int, int, bool] | None = None  # identification, offset, more fragments
    marks: set[str] = field(default_factory=set)
    in_fragments: bool = False
    fragment_only: bool = False  # a fragment that does not carry its datagram's payload
    # transport
    ports: tuple[int, int] | None = None
    payload: bytes = b""
    payload_len: int = 0
    sound: bool = False  # transport header complete and without contradiction
    seq: int = 0
    ack: int = 0
    flags: int = 0
    window: int = 0
    options: bytes = b""
    options_len: int = 0
    icmp: tuple[int, int] | None = None
    icmp_id: int | None = None


def read_pcap(data: bytes, number: int = 0, interface: int = 0) -> list[Frame]:
    """All frames of a pcap file; numbers go on behind 'number'."""
    magic = struct.unpack("<I", data[:4])[0]
    order = "<" if magic in (0xA1B2C3D4, 0xA1B23C4D) else ">"
    magic = struct.unpack(order + "I", data[:4])[0]
    nano = magic == 0xA1B23C4D
    frames = []
    at = 24
    while at + 16 <= len(data):
        seconds, fraction, captured, wire = struct.unpack_from(order + "IIII", data, at)
        at += 16
        if at + captured > len(data):
            break
        ns = seconds * 10**9 + fraction * (1 if nano else 1000)
        number += 1
        frames.append(Frame(number, ns, nano, interface, data[at : at + captured], wire))
        at += captured
    return frames


def decode(frame: Frame) -> Packet | None:
    """The IP packet in an Ethernet frame, or None."""
    data, at, vlans = frame.data, 12, []
    ethertype = int.from_bytes(data[at : at + 2], "big")
    at += 2
    while ethertype in VLAN_TYPES:
        tag, ethertype = struct.unpack_from(">HH", data, at)
        vlans.append(tag & 0xFFF)
        at += 4
    if ethertype == 0x0800:
        packet = decode_ipv4(frame, tuple(vlans), data[at:], frame.wire - at)
    elif ethertype == 0x86DD:
        packet = decode_ipv6(frame, tuple(vlans), data[at:], frame.wire - at)
    else:
        return None
    if frame.wire > LONGEST_FRAME:
        packet.marks.add("offload")
    if packet.fragment is None:
        decode_transport(packet)
    return packet


def decode_ipv4(frame: Frame, vlans: tuple[int, ...], ip: bytes, wire: int) -> Packet:
    """RFC 791."""
    header_len = (ip[0] & 15) * 4
    length, ident, bits = struct.unpack_from(">HHH", ip, 2)
    marks = set()
    if length == 0:
        length = wire
        marks.add("offload")
    ip = ip[:length]
    if len(ip) < length:
        marks.add("truncated")
    packet = Packet(
        frame.number, frame.ns, frame.nanoseconds, vlans, 4, ip[12:16], ip[16:20], ip[9],
        ip, length, header_len, ip[header_len:], length - header_len, ip[8], ip[1],
        ip_id=ident, ip_flags=bits >> 13, marks=marks,
    )  # fmt: skip
    if bits & 0x3FFF:
        packet.fragment = (ident, (bits & 0x1FFF) * 8, bool(bits & 0x2000))
    return packet


def decode_ipv6(frame: Frame, vlans: tuple[int, ...], ip: bytes, wire: int) -> Packet:
    """RFC 8200: extension headers up to the transport header or a fragment header."""
    first, length, proto, ttl = struct.unpack_from(">IHBB", ip)
    length += 40
    marks = set()
    if length == 40 and wire > 40:
        length = wire
        marks.add("offload")
    ip = ip[:length]
    if len(ip) < length:
        marks.add("truncated")
    at, fragment = 40, None
    while proto in EXTENSIONS:
        if proto == 44:
            bits, ident = struct.unpack_from(">HI", ip, at + 2)
            fragment = (ident, bits & 0xFFF8, bool(bits & 1))
            proto = ip[at]
            at += 8
            break
        proto, at = ip[at], at + 8 * (ip[at + 1] + 1)
    return Packet(
        frame.number, frame.ns, frame.nanoseconds, vlans, 6, ip[8:24], ip[24:40], proto,
        ip, length, at, ip[at:], length - at, ttl, first >> 20 & 0xFF,
        flow_label=first & 0xFFFFF, fragment=fragment, marks=marks,
    )  # fmt: skip


def decode_transport(p: Packet) -> None:
    """Ports, payload and what TCP and ICMP headers say."""
    body = p.body
    if p.proto in (TCP, UDP):
        if len(body) >= 4:
            p.ports = struct.unpack(">HH", body[:4])
        (decode_tcp if p.proto == TCP else decode_udp)(p)
        if not p.sound:
            p.marks.add("bad_transport")
        return
    p.payload, p.payload_len, p.sound = body, p.body_len, True
    if p.proto in (ICMP, ICMP6) and len(body) >= 8:
        p.icmp = (body[0], body[1])
        queries = (0, 8, 13, 14, 15, 16, 17, 18) if p.proto == ICMP else (128, 129)
        if p.icmp[0] in queries:
            p.icmp_id = struct.unpack(">H", body[4:6])[0]


def decode_tcp(p: Packet) -> None:
    """RFC 9293 section 3.1."""
    if len(p.body) < 20:
        return
    p.seq, p.ack, bits, p.window = struct.unpack_from(">IIHH", p.body, 4)
    header = (bits >> 12) * 4
    if header < 20 or header > p.body_len:
        return
    p.flags = bits & 0x1FF
    p.options, p.options_len = p.body[20:header], header - 20
    p.payload, p.payload_len, p.sound = p.body[header:], p.body_len - header, True


def decode_udp(p: Packet) -> None:
    """RFC 768: the length field counts unless it claims more than there is."""
    if p.body_len < 8 or len(p.body) < 8:
        return
    length = struct.unpack_from(">H", p.body, 4)[0]
    if length < 8:
        return
    p.payload_len = min(length, p.body_len) - 8
    p.payload, p.sound = p.body[8 : 8 + p.payload_len], True


class Datagram:
    """Fragments of one datagram as they came."""

    def __init__(self, clock: int) -> None:
        self.clock = clock  # at the first fragment
        self.fragments: list[Packet] = []
        self.bytes: dict[int, int] = {}  # by offset; the first to come stays
        self.length: int | None = None  # known from the fragment without "more"

    def add(self, p: Packet) -> bool:
        """Take a fragment; True when the datagram is complete."""
        offset = p.fragment[1]
        self.fragments.append(p)
        for i in range(p.body_len):
            self.bytes.setdefault(offset + i, p.body[i] if i < len(p.body) else -1)
        if not p.fragment[2] and self.length is None:
            self.length = offset + p.body_len
        return self.length is not None and all(i in self.bytes for i in range(self.length))

    def packets(self, complete: bool) -> list[Packet]:
        """One packet for each fragment; the payload of a complete datagram is with the last."""
        last = self.fragments[-1]
        whole = self.whole(last)
        out = []
        for p in self.fragments:
            piece = whole if complete and p is last else self.piece(p, whole)
            if not complete:
                piece.marks.add("incomplete_datagram")
                if 0 not in self.bytes:
                    piece.marks.add("no_ports")
            out.append(piece)
        return out

    def whole(self, last: Packet) -> Packet:
        """The datagram up to the first byte that is missing, in the clothes of a fragment."""
        whole = replace(last, marks=set(last.marks), in_fragments=True)
        length = 0
        while length in self.bytes and length != self.length:
            length += 1
        if length > 0:
            values = [self.bytes[i] for i in range(length)]
            whole.body = bytes(values[: values.index(-1)] if -1 in values else values)
            whole.body_len = length
            decode_transport(whole)
        return whole

    def piece(self, p: Packet, whole: Packet) -> Packet:
        """A fragment as a packet of its flow, without payload."""
        piece = replace(p, marks=set(p.marks), fragment_only=True, in_fragments=True)
        piece.ports, piece.icmp, piece.icmp_id = whole.ports, whole.icmp, whole.icmp_id
        return piece

    def copy(self, p: Packet) -> bool:
        """Is it one of the fragments once more?"""
        return any(
            (q.fragment[1:], q.body_len, q.body) == (p.fragment[1:], p.body_len, p.body)
            for q in self.fragments
        )


def datagram_key(p: Packet) -> tuple:
    """What the fragments of one datagram have in common."""
    proto = p.proto if p.version == 4 else None
    return (p.vlans, p.version, p.source, p.target, proto, p.fragment[0])
