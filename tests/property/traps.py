# SPDX-License-Identifier: BSD-3-Clause
"""Trap captures: one thing each that flow tools get wrong, with the records that are right.

`TRAPS` maps a name to a function without arguments that gives a Trap.  What is right is written
out as data and follows doc/flows.md.  Frames are built from nothing; checksums are left 0, as
hardware offload leaves them.
"""

from __future__ import annotations

import gzip
import itertools
import lzma
import struct
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field, replace
from ipaddress import ip_address

EPOCH = 1_700_000_000_000_000_000
MS, SECOND = 1_000_000, 1_000_000_000
FIN, SYN, RST, ACK = 1, 2, 4, 16
ETHERNET, RAW, WLAN, SLL, SLL2 = 1, 101, 105, 113, 276
US, NS, MODIFIED = 0xA1B2C3D4, 0xA1B23C4D, 0xA1B2CD34
IP4, IP6, VLAN, QINQ, MPLS, PPPOE = 0x0800, 0x86DD, 0x8100, 0x88A8, 0x8847, 0x8864
C, S = "10.0.0.1", "10.0.0.2"
C6, S6 = "fd00::1", "fd00::2"
OUTER = ("192.0.2.1", "192.0.2.2")
OUTER6 = ("2001:db8::1", "2001:db8::2")


@dataclass
class Trap:
    """Files, options, and what is right: the keys named of each flow (None: left out)."""

    files: dict[str, bytes]
    flows: list[dict]
    options: tuple[str, ...] = ("bidir=1",)
    summary: dict = field(default_factory=dict)
    status: int = 0
    text: tuple[str, ...] = ()


@dataclass(frozen=True)
class Packet:
    """An IP packet or a frame, the time since EPOCH, and bytes on the wire if not all are here."""

    ns: int
    data: bytes
    wire: int = 0

    def wrapped(self, how: Callable[[bytes], bytes]) -> Packet:
        """With a header in front of it."""
        data = how(self.data)
        return replace(self, data=data, wire=self.wire and self.wire + len(data) - len(self.data))


TRAPS: dict[str, Callable[[], Trap]] = {}


def trap(function: Callable[[], Trap]) -> Callable[[], Trap]:
    """Enter a trap in the list."""
    TRAPS[function.__name__] = function
    return function


# --- headers -------------------------------------------------------------------------------------


def eth(data: bytes, kind: int = 0) -> bytes:
    """Ethernet in front of an IP packet, or of what has this ethertype."""
    kind = kind or (IP4 if data[0] >> 4 == 4 else IP6)
    return bytes.fromhex("020000000002020000000001") + struct.pack("!H", kind) + data


def tagged(data: bytes, *tags: int, outer: int = VLAN) -> bytes:
    """Ethernet with VLAN tags, outermost first."""
    kind = IP4 if data[0] >> 4 == 4 else IP6
    for tag in reversed(tags):
        data, kind = struct.pack("!HH", tag, kind) + data, VLAN
    return eth(data, outer)


def ip4(ends: tuple[str, str], proto: int, data: bytes, ident: int = 1, frag: int = 0) -> bytes:
    """IPv4; frag is the field of flags and fragment offset."""
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), ident, frag, 64, proto, 0)
    return head + b"".join(ip_address(end).packed for end in ends) + data


def ip6(ends: tuple[str, str], proto: int, data: bytes) -> bytes:
    """IPv6 without extension headers."""
    head = struct.pack("!IHBB", 6 << 28, len(data), proto, 64)
    return head + b"".join(ip_address(end).packed for end in ends) + data


def ip(ends: tuple[str, str], proto: int, data: bytes, ident: int = 1) -> bytes:
    """IPv4 or IPv6, as the addresses have it."""
    return ip6(ends, proto, data) if ":" in ends[0] else ip4(ends, proto, data, ident)


def udp(sp: int, dp: int, data: bytes) -> bytes:
    return struct.pack("!HHHH", sp, dp, 8 + len(data), 0) + data


def gre(data: bytes) -> bytes:
    return struct.pack("!HH", 0, IP4 if data[0] >> 4 == 4 else IP6) + data


def vxlan(frame: bytes, vni: int) -> bytes:
    return udp(50000, 4789, struct.pack("!II", 8 << 24, vni << 8) + frame)


def gtpu(data: bytes, teid: int) -> bytes:
    return udp(2152, 2152, struct.pack("!BBHI", 0x30, 255, len(data), teid) + data)


def layer(kind: str, number: int | None, ends: tuple = (None, None)) -> dict:
    """One object of encap[]."""
    facts = {"type": kind, "id": number, "sa": ends[0], "da": ends[1]}
    return {key: value for key, value in facts.items() if value is not None}


# --- captures ------------------------------------------------------------------------------------


def pcap(
    packets: Iterable[Packet], link: int = ETHERNET, order: str = "<", magic: int = US
) -> bytes:
    """A pcap file; the modified format has 8 bytes more in each packet header."""
    out = struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)
    for packet in packets:
        seconds, rest = divmod(EPOCH + packet.ns, SECOND)
        rest //= 1 if magic == NS else 1000
        size = len(packet.data)
        out += struct.pack(order + "IIII", seconds, rest, size, packet.wire or size)
        out += (bytes(8) if magic == MODIFIED else b"") + packet.data
    return out


def pcapng(links: list[tuple[int, int]], packets: list[tuple[int, Packet]], order: str) -> bytes:
    """A pcapng file with interfaces of (link type, decimals of a second)."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", 12 + len(body))
        return struct.pack(order + "I", kind) + size + body + size

    out = block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))
    for link, decimals in links:
        option = struct.pack(order + "HHB3xI", 9, 1, decimals, 0)
        out += block(1, struct.pack(order + "HHI", link, 0, 0) + option)
    for number, packet in packets:
        ticks = (EPOCH + packet.ns) // 10 ** (9 - links[number][1])
        size = len(packet.data)
        head = struct.pack(order + "IIIII", number, ticks >> 32, ticks & 0xFFFFFFFF, size, size)
        out += block(6, head + packet.data)
    return out


def frames(packets: Iterable[Packet], how: Callable[[bytes], bytes] = eth) -> dict[str, bytes]:
    """One Ethernet capture of packets that get their frame here."""
    return {"trap.pcap": pcap(packet.wrapped(how) for packet in packets)}


# --- conversations -------------------------------------------------------------------------------


class Tcp:
    """A connection that is made segment by segment, 10 ms apart."""

    def __init__(
        self, ends: tuple[str, str] = (C, S), isn: tuple[int, int] = (1000, 5000), start: int = 0
    ) -> None:
        self.ends, self.ns, self.ident = ends, start, 0
        self.next = list(isn)
        self.packets: list[Packet] = []

    def say(
        self, side: int, flags: int, size: int = 0, seq: int | None = None, ns: int | None = None
    ) -> Tcp:
        """A segment of the client (0) or the server (1); seq says where if not at the next."""
        at = self.next[side] if seq is None else seq
        if seq is None and not flags & RST:
            self.next[side] += size + bool(flags & SYN) + bool(flags & FIN)
        acked = self.next[1 - side] & 0xFFFFFFFF if flags & ACK else 0
        ports = (40000, 80)[:: -1 if side else 1]
        head = struct.pack("!HHIIBBHHH", *ports, at & 0xFFFFFFFF, acked, 0x50, flags, 8192, 0, 0)
        self.ident += 1
        ends = self.ends[:: -1 if side else 1]
        data = ip(ends, 6, head + bytes([97 + side]) * size, self.ident)
        self.packets.append(Packet(self.ns if ns is None else ns, data))
        self.ns += 10 * MS
        return self

    def open(self) -> Tcp:
        return self.say(0, SYN).say(1, SYN | ACK).say(0, ACK)

    def talk(self) -> Tcp:
        """100 bytes there, 3 times 1000 back."""
        self.say(0, ACK, 100).say(1, ACK)
        return self.say(1, ACK, 1000).say(1, ACK, 1000).say(1, ACK, 1000).say(0, ACK)

    def close(self) -> Tcp:
        return self.say(0, FIN | ACK).say(1, FIN | ACK).say(0, ACK)


def base(**how) -> list[Packet]:
    """The conversation most traps are made of."""
    return Tcp(**how).open().talk().close().packets


RIGHT = {
    "sa": C, "da": S, "pr": 6, "sp": 40000, "dp": 80, "part": 1, "end_reason": 3,
    "num_pkts_out": 6, "num_pkts_in": 6, "bytes_out": 100, "bytes_in": 3000,
    "ip_bytes_out": 340, "ip_bytes_in": 3240, "marks": None, "rtt_ms": 20,
    "retrans_out": 0, "retrans_in": 0, "ooo_out": 0, "ooo_in": 0, "dup_out": 0, "dup_in": 0,
    "keep_alive_out": 0, "keep_alive_in": 0, "overlap_out": 0, "overlap_in": 0,
    "gaps_out": 0, "gaps_in": 0, "encap": None, "vlan": None,
}  # fmt: skip
RIGHT6 = RIGHT | {"sa": C6, "da": S6, "ip_bytes_out": 460, "ip_bytes_in": 3360}


def wrapped(how: Callable[[bytes], bytes], **more) -> Trap:
    """The base conversation in frames of this kind, and what is not as ever."""
    return Trap(frames(base(), how), [RIGHT | more])


def datagrams(*times: int, size: int = 10) -> list[Packet]:
    """UDP from the client at these times in ms; from the server at negative ones."""
    out = []
    for ms in times:
        ends, ports = ((C, S), (6000, 7000)) if ms >= 0 else ((S, C), (7000, 6000))
        out.append(Packet(abs(ms) * MS, ip4(ends, 17, udp(*ports, bytes(size)))))
    return out


UDP = {"sa": C, "da": S, "pr": 17, "sp": 6000, "dp": 7000}


def pieces4(data: bytes, *cuts: tuple[int, int], ident: int = 9, proto: int = 17) -> list[bytes]:
    """IPv4 fragments of a datagram, from byte to byte."""
    out = []
    for begin, end in cuts:
        more = 0x2000 if end < len(data) else 0
        out.append(ip4((C, S), proto, data[begin:end], ident, begin // 8 | more))
    return out


def pieces6(data: bytes, ident: int, *cuts: tuple[int, int]) -> list[bytes]:
    """IPv6 fragments of a UDP datagram."""
    out = []
    for begin, end in cuts:
        head = struct.pack("!BBHI", 17, 0, begin | (end < len(data)), ident)
        out.append(ip6((C6, S6), 44, head + data[begin:end]))
    return out


def at(packets: Iterable[bytes], step: int = MS) -> list[Packet]:
    """One after the other."""
    return [Packet(number * step, data) for number, data in enumerate(packets)]


# --- links and files -----------------------------------------------------------------------------


@trap
def plain() -> Trap:
    return wrapped(eth, flow_id=1)


@trap
def padding() -> Trap:
    return wrapped(lambda data: eth(data).ljust(60, b"\0"))


@trap
def trailer() -> Trap:
    return wrapped(lambda data: eth(data) + b"trailer bytes")


def cut(ends: tuple[str, str], flow: dict) -> Trap:
    """A snaplen of 96 bytes."""
    whole = [packet.wrapped(eth) for packet in base(ends=ends)]
    short = [Packet(packet.ns, packet.data[:96], len(packet.data)) for packet in whole]
    return Trap({"trap.pcap": pcap(short)}, [flow | {"marks": ["truncated"]}])


@trap
def snaplen() -> Trap:
    return cut((C, S), RIGHT)


@trap
def snaplen_ipv6() -> Trap:
    return cut((C6, S6), RIGHT6)


@trap
def nanoseconds() -> Trap:
    first, second = datagrams(0, 1)
    both = [replace(first, ns=123), replace(second, ns=1123)]
    file = pcap((packet.wrapped(eth) for packet in both), magic=NS)
    lists = [{"b": 10, "dir": ">", "ipt": 0}, {"b": 10, "dir": ">", "ipt": 0.001}]
    words = ('"time_start":1700000000.000000123,', '"time_end":1700000000.000001123,')
    return Trap({"ns.pcap": file}, [UDP | {"packets": lists}], text=words)


@trap
def compressed_gz() -> Trap:
    return Trap({"trap.pcap.gz": gzip.compress(frames(base())["trap.pcap"])}, [RIGHT])


@trap
def compressed_xz() -> Trap:
    return Trap({"trap.pcap.xz": lzma.compress(frames(base())["trap.pcap"])}, [RIGHT])


@trap
def big_endian() -> Trap:
    return Trap({"be.pcap": pcap([p.wrapped(eth) for p in base()], order=">")}, [RIGHT])


@trap
def modified_pcap() -> Trap:
    return Trap({"mod.pcap": pcap([p.wrapped(eth) for p in base()], magic=MODIFIED)}, [RIGHT])


def two_interfaces(order: str) -> Trap:
    """One side of the conversation on Ethernet in us, the other raw in ns."""
    mixed = [
        (0, packet.wrapped(eth)) if packet.data[12:16] == ip_address(C).packed else (1, packet)
        for packet in base()
    ]
    return Trap({"two.pcapng": pcapng([(ETHERNET, 6), (RAW, 9)], mixed, order)}, [RIGHT])


@trap
def two_links_in_pcapng() -> Trap:
    return two_interfaces("<")


@trap
def two_links_in_big_endian_pcapng() -> Trap:
    return two_interfaces(">")


@trap
def raw_ip() -> Trap:
    return Trap({"raw.pcap": pcap(base(), RAW)}, [RIGHT])


@trap
def cooked() -> Trap:
    head = struct.pack("!HHH8sH", 0, 1, 6, bytes(8), IP4)
    return Trap({"sll.pcap": pcap([p.wrapped(head.__add__) for p in base()], SLL)}, [RIGHT])


@trap
def cooked_2() -> Trap:
    head = struct.pack("!HHIHBB8s", IP4, 0, 2, 1, 0, 6, bytes(8))
    return Trap({"sll2.pcap": pcap([p.wrapped(head.__add__) for p in base()], SLL2)}, [RIGHT])


@trap
def aggregated_wlan_frames() -> Trap:
    """Two packets in one A-MSDU: both are counted."""
    head = struct.pack("<HH18sHH", 0x0188, 0, bytes(range(2, 20)), 0, 0x80)
    one, two = (
        bytes(12) + struct.pack("!H", 8 + len(p.data)) + bytes.fromhex("aaaa030000000800") + p.data
        for p in datagrams(0, 0, size=11)
    )
    file = pcap([Packet(0, head + one + bytes(-len(one) % 4) + two)], WLAN)
    return Trap({"wlan.pcap": file}, [UDP | {"num_pkts_out": 2, "bytes_out": 22}])


@trap
def file_ends_in_a_packet() -> Trap:
    file = frames(datagrams(0, 1, 2))["trap.pcap"][:-5]
    return Trap({"cut.pcap": file}, [UDP | {"num_pkts_out": 2, "bytes_out": 20}], status=3)


@trap
def garbage_beside_a_good_file() -> Trap:
    files = {"a.pcap": b"This is not a capture.\n" * 9} | frames(base())
    return Trap(files, [RIGHT], status=3)


# --- layers --------------------------------------------------------------------------------------


@trap
def qinq() -> Trap:
    return wrapped(lambda data: tagged(data, 100, 0x2000 | 7, outer=QINQ), vlan=[100, 7])


def two_vlans() -> list[Packet]:
    one, two = datagrams(0, 1)
    return [one.wrapped(lambda data: tagged(data, 5)), two.wrapped(lambda data: tagged(data, 6))]


@trap
def same_ports_in_two_vlans() -> Trap:
    flows = [UDP | {"vlan": [5], "num_pkts_out": 1}, UDP | {"vlan": [6], "num_pkts_out": 1}]
    return Trap({"trap.pcap": pcap(two_vlans())}, flows)


@trap
def vlans_joined() -> Trap:
    flow = UDP | {"vlan": [5], "num_pkts_out": 2}
    return Trap({"trap.pcap": pcap(two_vlans())}, [flow], ("bidir=1", "vlan_key=0"))


@trap
def priority_tag_is_no_vlan() -> Trap:
    one, two = datagrams(0, -1)
    file = pcap([one.wrapped(lambda data: tagged(data, 0xE000)), two.wrapped(eth)])
    return Trap({"trap.pcap": file}, [UDP | {"num_pkts_out": 1, "num_pkts_in": 1}])


@trap
def vlan_tags_300_deep() -> Trap:
    file = frames(datagrams(0), lambda data: tagged(data, *range(1, 301)))
    return Trap(file, [], summary={"packets": 1, "flows": 0, "ip_packets": 0, "unknown": 1})


@trap
def mpls() -> Trap:
    labels = struct.pack("!II", 16 << 12 | 64, 17 << 12 | 0x100 | 64)
    both = [layer("mpls", 16), layer("mpls", 17)]
    return wrapped(lambda data: eth(labels + data, MPLS), encap=both)


@trap
def pppoe() -> Trap:
    def session(data: bytes) -> bytes:
        return eth(struct.pack("!BBHHH", 0x11, 0, 77, 2 + len(data), 0x21) + data, PPPOE)

    return wrapped(session, encap=[layer("pppoe", 77)])


@trap
def gre_in_ipv4() -> Trap:
    return wrapped(lambda data: eth(ip4(OUTER, 47, gre(data))), encap=[layer("gre", 0, OUTER)])


@trap
def gre_in_ipv6() -> Trap:
    return wrapped(lambda data: eth(ip6(OUTER6, 47, gre(data))), encap=[layer("gre", 0, OUTER6)])


@trap
def ipip_in_gre() -> Trap:
    inner = ("198.51.100.1", "198.51.100.2")
    both = [layer("gre", 0, OUTER), layer("ipip", None, inner)]
    return wrapped(lambda data: eth(ip4(OUTER, 47, gre(ip4(inner, 4, data)))), encap=both)


@trap
def vlan_in_vxlan() -> Trap:
    def tunnel(data: bytes) -> bytes:
        return eth(ip4(OUTER, 17, vxlan(tagged(data, 9), 42)))

    return wrapped(tunnel, vlan=[9], encap=[layer("vxlan", 42, OUTER)])


@trap
def vxlan_in_gtpu() -> Trap:
    user = ("198.51.100.1", "198.51.100.2")

    def tunnel(data: bytes) -> bytes:
        return eth(ip4(OUTER, 17, gtpu(ip4(user, 17, vxlan(eth(data), 42)), 0xABCD)))

    return wrapped(tunnel, encap=[layer("gtpu", 0xABCD, OUTER), layer("vxlan", 42, user)])


@trap
def outer_flow_of_a_tunnel() -> Trap:
    flow = {
        "sa": OUTER[0], "da": OUTER[1], "pr": 47, "sp": None,
        "num_pkts_out": 12, "num_pkts_in": 0, "ip_bytes_out": 340 + 3240 + 12 * 24,
    }  # fmt: skip
    files = frames(base(), lambda data: eth(ip4(OUTER, 47, gre(data))))
    return Trap(files, [flow], ("bidir=1", "tunnel=outer"))


@trap
def ip_length_0() -> Trap:
    """A frame of 3000 bytes that the sensor's network card merged."""
    talk = Tcp().open().say(0, ACK, 100).say(1, ACK, 3000).close().packets
    big = talk[4].data
    talk[4] = replace(talk[4], data=big[:2] + b"\0\0" + big[4:])
    right = RIGHT | {"num_pkts_out": 5, "num_pkts_in": 3, "ip_bytes_out": 300}
    return Trap(frames(talk), [right | {"ip_bytes_in": 3120, "marks": ["offload"]}])


@trap
def jumbogram() -> Trap:
    head = struct.pack("!BBBBI", 17, 0, 0xC2, 4, 8 + 8 + 70000)
    body = head + struct.pack("!HHHH", 6000, 7000, 0, 0) + bytes(40)
    packet = bytearray(ip6((C6, S6), 0, body))
    packet[4:6] = bytes(2)
    flow = UDP | {"sa": C6, "da": S6, "bytes_out": 70000, "ip_bytes_out": 70056}
    flow |= {"marks": ["offload", "truncated"]}
    return Trap(frames([Packet(0, bytes(packet), 70056)]), [flow])


@trap
def hop_by_hop_header() -> Trap:
    def packet(ends: tuple[str, str], ports: tuple[int, int], size: int) -> bytes:
        return ip6(ends, 0, bytes.fromhex("1100010400000000") + udp(*ports, bytes(size)))

    both = [packet((C6, S6), (6000, 7000), 100), packet((S6, C6), (7000, 6000), 120)]
    flow = UDP | {"sa": C6, "da": S6, "bytes_out": 100, "bytes_in": 120, "ip_bytes_out": 156}
    return Trap(frames(at(both)), [flow])


# --- fragments -----------------------------------------------------------------------------------


def fragments(cuts: list[tuple[int, int]]) -> Trap:
    data = udp(6000, 7000, bytes(2400))
    flow = UDP | {"num_pkts_out": 2, "bytes_out": 2400, "ip_bytes_out": 2448, "marks": None}
    return Trap(frames(at(pieces4(data, *cuts))), [flow], summary={"datagrams": 1})


@trap
def fragments_in_order() -> Trap:
    return fragments([(0, 1480), (1480, 2408)])


@trap
def fragments_reversed() -> Trap:
    return fragments([(1480, 2408), (0, 1480)])


@trap
def ipv6_fragments_in_every_order() -> Trap:
    """Six datagrams of three fragments, each on ports of its own."""
    cuts, packets, flows = [(0, 800), (800, 1600), (1600, 2408)], [], []
    for number, order in enumerate(itertools.permutations(cuts)):
        packets += pieces6(udp(6000 + number, 7000, bytes(2400)), number, *order)
        flow = {"sa": C6, "da": S6, "sp": 6000 + number, "dp": 7000, "num_pkts_out": 3}
        flows.append(UDP | flow | {"bytes_out": 2400, "ip_bytes_out": 2552, "marks": None})
    return Trap(frames(at(packets)), flows, summary={"fragments": 18, "datagrams": 6})


@trap
def fragments_overlap() -> Trap:
    """Of bytes that two fragments bring, those that came first count."""
    first = pieces4(udp(6000, 7000, b"a" * 40), (0, 24))
    second = pieces4(udp(6000, 7000, b"b" * 40), (16, 48))
    flow = UDP | {"num_pkts_out": 2, "bytes_out": 40}
    flow |= {"payload": {"out": (b"a" * 16 + b"b" * 24).hex()}}
    summary = {"fragment_overlaps": 1, "datagrams": 1}
    return Trap(frames(at(first + second)), [flow], ("bidir=1", "payload=64"), summary)


@trap
def datagram_without_its_end() -> Trap:
    packets = at(pieces4(udp(6000, 7000, bytes(2400)), (0, 1480)))
    flow = UDP | {"num_pkts_out": 1, "bytes_out": 0, "ip_bytes_out": 1500}
    flow |= {"marks": ["incomplete_datagram"]}
    return Trap(frames(packets), [flow], summary={"incomplete_datagrams": 1})


@trap
def datagram_without_its_ports() -> Trap:
    packets = at(pieces4(udp(6000, 7000, bytes(2400)), (1480, 2408)))
    flow = {"sa": C, "pr": 17, "sp": None, "dp": None, "num_pkts_out": 1, "bytes_out": 0}
    return Trap(frames(packets), [flow | {"marks": ["incomplete_datagram", "no_ports"]}])


@trap
def tunnel_in_fragments() -> Trap:
    """The inner packet of a datagram in fragments is one packet."""
    inner = ip4(OUTER, 17, udp(6000, 7000, bytes(1000)))
    packets = at(pieces4(gre(inner), (0, 504), (504, 1032), proto=47))
    flow = UDP | {"sa": OUTER[0], "da": OUTER[1], "num_pkts_out": 1, "bytes_out": 1000}
    return Trap(frames(packets), [flow | {"ip_bytes_out": 1028}])


# --- TCP -----------------------------------------------------------------------------------------


@trap
def half_close() -> Trap:
    """The client has closed, and the server goes on."""
    talk = Tcp().open().say(0, ACK, 100).say(0, FIN | ACK).say(1, ACK)
    for _ in range(3):
        talk.say(1, ACK, 1000).say(0, ACK)
    packets = talk.say(1, FIN | ACK).say(0, ACK).packets
    flow = RIGHT | {"num_pkts_out": 8, "ip_bytes_out": 420}
    return Trap(frames(packets), [flow])


def again(start: int) -> list[Packet]:
    """The same ports once more, with other sequence numbers."""
    return base(isn=(900000, 700000), start=start)


@trap
def ports_again_after_close() -> Trap:
    packets = base() + again(110 * MS + 900 * MS)
    return Trap(frames(packets), [RIGHT | {"flow_id": 1}, RIGHT | {"flow_id": 13}])


@trap
def ports_again_before_close() -> Trap:
    packets = Tcp().open().talk().packets + again(SECOND)
    first = RIGHT | {"num_pkts_out": 4, "num_pkts_in": 5, "ip_bytes_out": 260}
    return Trap(frames(packets), [first | {"ip_bytes_in": 3200}, RIGHT | {"flow_id": 10}])


@trap
def time_backwards() -> Trap:
    packets = base()
    packets[4] = replace(packets[4], ns=0)
    flow = RIGHT | {"marks": ["time_backwards"]}
    words = ('"time_start":1700000000.000000,', '"time_end":1700000000.110000,')
    return Trap(frames(packets), [flow], summary={"time_backwards": 1}, text=words)


@trap
def retransmission() -> Trap:
    talk = Tcp().open().talk().say(1, ACK, 1000, seq=5001).close().packets
    flow = RIGHT | {"num_pkts_in": 7, "bytes_in": 4000, "ip_bytes_in": 4280, "retrans_in": 1}
    return Trap(frames(talk), [flow])


@trap
def every_packet_twice() -> Trap:
    """A mirror port that sends both ways: copies, not retransmissions."""
    packets = [replace(p, ns=p.ns + late) for p in base() for late in (0, 50_000)]
    flow = RIGHT | {"num_pkts_out": 12, "num_pkts_in": 12, "bytes_out": 200, "bytes_in": 6000}
    flow |= {"ip_bytes_out": 680, "ip_bytes_in": 6480, "dup_out": 6, "dup_in": 6}
    return Trap(frames(packets), [flow])


@trap
def overtaken_segment() -> Trap:
    packets = base()
    packets[6], packets[7] = replace(packets[7], ns=packets[6].ns), packets[6]
    packets[7] = replace(packets[7], ns=packets[6].ns + MS)
    return Trap(frames(packets), [RIGHT | {"ooo_in": 1, "gaps_in": 1}])


@trap
def lost_segment() -> Trap:
    packets = base()
    del packets[6]
    flow = RIGHT | {"num_pkts_in": 5, "bytes_in": 2000, "ip_bytes_in": 2200, "gaps_in": 1}
    return Trap(frames(packets), [flow | {"marks": ["gap"]}])


@trap
def overlapping_segment() -> Trap:
    """It begins in what was seen and ends behind it."""
    talk = Tcp().open().talk()
    talk.say(1, ACK, 600, seq=talk.next[1] - 200)
    talk.next[1] += 400
    flow = RIGHT | {"num_pkts_in": 7, "bytes_in": 3600, "ip_bytes_in": 3880, "overlap_in": 1}
    return Trap(frames(talk.close().packets), [flow])


@trap
def keep_alive() -> Trap:
    talk = Tcp().open().talk()
    talk.say(0, ACK, 0, seq=talk.next[0] - 1).say(1, ACK)
    talk.say(0, ACK, 1, seq=talk.next[0] - 1).say(1, ACK).close()
    flow = RIGHT | {"num_pkts_out": 8, "num_pkts_in": 8, "bytes_out": 101, "keep_alive_out": 2}
    return Trap(frames(talk.packets), [flow | {"ip_bytes_out": 421, "ip_bytes_in": 3320}])


@trap
def sequence_numbers_wrap() -> Trap:
    return Trap(frames(base(isn=(0xFFFFFFC0, 0xFFFFFA00))), [RIGHT])


@trap
def reset_in_window() -> Trap:
    flow = RIGHT | {"num_pkts_out": 4, "ip_bytes_out": 260}
    return Trap(frames(Tcp().open().talk().say(1, RST).packets), [flow])


@trap
def reset_out_of_window() -> Trap:
    talk = Tcp().open().talk()
    talk.say(1, RST, seq=talk.next[1] + 100000)
    flow = RIGHT | {"num_pkts_out": 4, "ip_bytes_out": 260, "end_reason": 4}
    return Trap(frames(talk.packets), [flow])


@trap
def midstream_server_first() -> Trap:
    flow = RIGHT | {
        "sa": S, "da": C, "sp": 80, "dp": 40000, "num_pkts_out": 4, "num_pkts_in": 3,
        "bytes_out": 3000, "bytes_in": 0, "ip_bytes_out": 3160, "ip_bytes_in": 120,
        "marks": ["midstream"], "rtt_ms": None,
    }  # fmt: skip
    return Trap(frames(base()[5:]), [flow])


@trap
def syn_ack_first() -> Trap:
    flow = RIGHT | {"num_pkts_out": 5, "ip_bytes_out": 300, "rtt_ms": None}
    words = ('"time_start":1700000000.010000,',)
    return Trap(frames(base()[1:]), [flow], text=words)


@trap
def simultaneous_open() -> Trap:
    talk = Tcp().say(0, SYN).say(1, SYN).say(0, SYN | ACK, seq=1000).say(1, SYN | ACK, seq=5000)
    flow = RIGHT | {"num_pkts_in": 7, "ip_bytes_in": 3280, "retrans_out": 1, "retrans_in": 1}
    del flow["rtt_ms"]
    return Trap(frames(talk.talk().close().packets), [flow])


# --- time ----------------------------------------------------------------------------------------


@trap
def active_timeout() -> Trap:
    """Parts of one conversation; the server begins the later ones."""
    packets = datagrams(0, 4000, 8000, -12000, 16000, 20000, -24000)
    parts = [
        {"part": 1, "end_reason": 2, "expire_type": "a", "num_pkts_out": 3, "num_pkts_in": 0},
        {"part": 2, "end_reason": 2, "expire_type": "a", "num_pkts_out": 2, "num_pkts_in": 1},
        {"part": 3, "end_reason": 4, "expire_type": None, "num_pkts_out": 0, "num_pkts_in": 1},
    ]
    flows = [UDP | {"flow_id": 1} | part for part in parts]
    return Trap(frames(packets), flows, ("bidir=1", "active_timeout=10"))


@trap
def silence() -> Trap:
    talk = Tcp().open()
    talk.ns += 600 * SECOND
    sizes = {"num_pkts_out": 4, "num_pkts_in": 5, "ip_bytes_out": 260, "ip_bytes_in": 3200}
    first = RIGHT | {"num_pkts_out": 2, "num_pkts_in": 1, "bytes_out": 0, "bytes_in": 0}
    first |= {"ip_bytes_out": 80, "ip_bytes_in": 40, "end_reason": 1, "expire_type": "i"}
    second = RIGHT | sizes | {"marks": ["midstream"], "rtt_ms": None, "flow_id": 4}
    return Trap(frames(talk.talk().close().packets), [first, second])


@trap
def idle_timeout_to_the_microsecond() -> Trap:
    """A packet after exactly the idle timeout is of a new flow, one before it is not."""
    packets = datagrams(0, 10000, 20000)
    packets[1] = replace(packets[1], ns=packets[1].ns - 1000)
    packets[2] = replace(packets[2], ns=packets[2].ns - 1000)
    flows = [
        UDP | {"flow_id": 1, "num_pkts_out": 2, "end_reason": 1},
        UDP | {"flow_id": 3, "num_pkts_out": 1, "end_reason": 4},
    ]
    return Trap(frames(packets), flows, ("bidir=1", "idle_timeout=10"))


# --- other protocols and records -----------------------------------------------------------------


@trap
def one_record_for_each_direction() -> Trap:
    names = ("bytes_in", "num_pkts_in", "ip_bytes_in", "retrans_in")
    shared = {"pr": 6, "flow_id": 1, "num_pkts_out": 6} | dict.fromkeys(names)
    there = {"sa": C, "da": S, "sp": 40000, "dp": 80, "bytes_out": 100, "ip_bytes_out": 340}
    back = {"sa": S, "da": C, "sp": 80, "dp": 40000, "bytes_out": 3000, "ip_bytes_out": 3240}
    return Trap(frames(base()), [shared | there, shared | back], ("bidir=0",))


def echo(kind: int, seq: int) -> bytes:
    ends = (C, S) if kind == 8 else (S, C)
    return ip4(ends, 1, struct.pack("!BBHHH", kind, 0, 0, 321, seq) + bytes(56))


@trap
def ping() -> Trap:
    packets = [echo(kind, seq) for seq in range(3) for kind in (8, 0)]
    flow = {"sa": C, "da": S, "pr": 1, "icmp_type": 8, "icmp_code": 0, "icmp_id": 321}
    return Trap(frames(at(packets)), [flow | {"num_pkts_out": 3, "num_pkts_in": 3, "sp": None}])


UNREACHABLE = struct.pack("!BBHI", 3, 3, 0, 0)


@trap
def icmp_error_of_a_flow() -> Trap:
    (packet,) = datagrams(0)
    error = ip4((S, C), 1, UNREACHABLE + packet.data[:28])
    flow = UDP | {"num_pkts_out": 1, "num_pkts_in": 0, "bytes_in": 0, "icmp_errors_out": 1}
    return Trap(frames([packet, Packet(MS, error)]), [flow | {"icmp_errors_in": None}])


@trap
def icmp_error_of_nothing() -> Trap:
    error = ip4((S, C), 1, UNREACHABLE + datagrams(0)[0].data[:28])
    flow = {"sa": S, "da": C, "pr": 1, "icmp_type": 3, "icmp_code": 3, "num_pkts_out": 1}
    return Trap(frames([Packet(0, error)]), [flow | {"sp": None, "bytes_out": 36}])


@trap
def esp_by_spi() -> Trap:
    packets = [ip4((C, S), 50, struct.pack("!II", spi, n) + bytes(40))
               for n, spi in enumerate((7, 8, 7))]  # fmt: skip
    flows = [{"pr": 50, "spi": 7, "num_pkts_out": 2}, {"pr": 50, "spi": 8, "num_pkts_out": 1}]
    return Trap(frames(at(packets)), flows)


@trap
def sctp() -> Trap:
    there = struct.pack("!HHII", 6000, 7000, 1, 0) + bytes(20)
    back = struct.pack("!HHII", 7000, 6000, 1, 0) + bytes(32)
    flow = UDP | {"pr": 132, "bytes_out": 20, "bytes_in": 32}
    return Trap(frames(at([ip4((C, S), 132, there), ip4((S, C), 132, back)])), [flow])
