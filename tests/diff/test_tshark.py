# SPDX-License-Identifier: BSD-3-Clause
"""Packets, IP bytes and payload bytes of every flow equal what tshark's fields add up to.

tshark says what is in each frame; which frames make a flow, and what counts, is worked out here
from the definitions of doc/fields.md, with no code of the program.  Where tshark counts by other
rules, doc/differences.md says which: ICMP errors belong to the flow that they quote; later
fragments to the flow of their datagram.
"""

from __future__ import annotations

import subprocess
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path

import pytest
from program import FIXTURES, ROOT, pcap2flow

FIELDS = (
    "frame.protocols ieee8021ad.id vlan.id icmp.type icmpv6.type "
    "ip.src ip.dst ip.proto ip.len ip.hdr_len ip.id ip.frag_offset ip.flags.mf "
    "ipv6.src ipv6.dst ipv6.plen ipv6.nxt ipv6.hopopts.len ipv6.fraghdr.nxt ipv6.fraghdr.ident "
    "udp.srcport udp.dstport udp.length tcp.srcport tcp.dstport tcp.len"
).split()
ICMP, TCP, UDP, ICMP6 = 1, 6, 17, 58
ICMP_ERRORS = {3, 4, 5, 11, 12}  # ICMPv6: all below 128

End = tuple[str, int]
Key = tuple[tuple[int, ...], int, End, End]  # VLANs, protocol, the smaller end, the larger end


@dataclass
class Side:
    """What one end sent."""

    packets: int = 0
    ip_bytes: int = 0
    payload: int = 0


@dataclass
class Flow:
    """What the smaller end and the larger end sent, and ICMP errors that quote either."""

    sides: tuple[Side, Side] = field(default_factory=lambda: (Side(), Side()))
    errors: int = 0


@dataclass
class Packet:
    """An IP packet found in a frame: its ends, and the layers that follow in it."""

    source: str
    target: str
    proto: int
    ip_bytes: int
    body: int  # bytes behind IP and its extension headers
    datagram: tuple | None  # of a fragment: what its fragments have in common
    ports: tuple[int, int] | None = None
    payload: int = 0
    icmp_error: bool = False


class Frame:
    """One line of tshark: a walk along its layers that takes values from each field in turn."""

    def __init__(self, line: str) -> None:
        values = line.rstrip("\n").split("\t")
        lists = (value.split(",") if value else [] for value in values)
        self.fields = dict(zip(FIELDS, lists, strict=True))
        self.layers = self.fields["frame.protocols"][0].split(":")
        tags = self.fields["ieee8021ad.id"] + self.fields["vlan.id"]
        self.vlans = tuple(int(tag) for tag in tags)

    def take(self, name: str, base: int = 10) -> int:
        """The next value of a numeric field."""
        return int(self.fields[name].pop(0), base)

    def packets(self) -> list[Packet]:
        """Outermost first; behind an ICMP error comes the packet that it quotes."""
        found: list[Packet] = []
        for layer in self.layers:
            if layer == "ip":
                found.append(self.ipv4())
            elif layer == "ipv6":
                found.append(self.ipv6())
            elif found and found[-1].ports is None:
                self.transport(layer, found[-1])
        return found

    def ipv4(self) -> Packet:
        """Takes one IPv4 header."""
        source, target = self.fields["ip.src"].pop(0), self.fields["ip.dst"].pop(0)
        proto, total, header = self.take("ip.proto"), self.take("ip.len"), self.take("ip.hdr_len")
        ident, offset = self.take("ip.id", 0), self.take("ip.frag_offset")
        more = self.fields["ip.flags.mf"].pop(0) in ("1", "True")
        datagram = (source, target, proto, ident) if more or offset > 0 else None
        return Packet(source, target, proto, total, total - header, datagram)

    def ipv6(self) -> Packet:
        """Takes one IPv6 header and those extension headers that the fixtures have."""
        source, target = self.fields["ipv6.src"].pop(0), self.fields["ipv6.dst"].pop(0)
        length, proto = self.take("ipv6.plen"), self.take("ipv6.nxt")
        body, datagram = length, None
        if proto == 0:
            body -= 8 * (self.take("ipv6.hopopts.len") + 1)
            proto = ICMP6  # of all hop-by-hop options here
        if proto == 44:
            body -= 8
            proto = self.take("ipv6.fraghdr.nxt")
            datagram = (source, target, self.take("ipv6.fraghdr.ident", 0))
        return Packet(source, target, proto, length + 40, body, datagram)

    def transport(self, layer: str, packet: Packet) -> None:
        """Takes the header behind IP, if 'layer' is one."""
        if layer in ("udp", "tcp"):
            packet.ports = (self.take(f"{layer}.srcport"), self.take(f"{layer}.dstport"))
            packet.payload = self.take("tcp.len") if layer == "tcp" else self.take("udp.length") - 8
        elif layer in ("icmp", "icmpv6"):
            kind = self.take(f"{layer}.type")
            packet.ports = (0, 0)
            packet.payload = packet.body
            packet.icmp_error = kind in ICMP_ERRORS if layer == "icmp" else kind < 128


def key_of(vlans: tuple[int, ...], proto: int, a: End, b: End) -> Key:
    """The same for both directions."""
    return (vlans, proto, min(a, b), max(a, b))


def count(flows: dict[Key, Flow], frame: Frame, packet: Packet) -> None:
    """Adds a packet to its flow."""
    ports = packet.ports or (0, 0)
    source, target = (packet.source, ports[0]), (packet.target, ports[1])
    side = flows[key_of(frame.vlans, packet.proto, source, target)].sides[source > target]
    side.packets += 1
    side.ip_bytes += packet.ip_bytes
    side.payload += packet.payload


def flows_of_tshark(capture: Path) -> dict[Key, Flow]:
    """All flows of a capture by innermost IP packet."""
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "occurrence=a"]
    command += ["-o", "ip.defragment:TRUE", "-o", "ipv6.defragment:TRUE"]
    for name in FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    flows: dict[Key, Flow] = defaultdict(Flow)
    ports: dict[tuple, tuple[int, int]] = {}
    fragments: list[tuple[Frame, Packet]] = []
    for line in done.stdout.splitlines():
        frame = Frame(line)
        packets = frame.packets()
        error = next((i for i, p in enumerate(packets) if p.icmp_error), None)
        if error is not None and error + 1 < len(packets):
            quoted = packets[error + 1]
            a, b = quoted.ports or (0, 0)
            ends = ((quoted.source, a), (quoted.target, b))
            flows[key_of(frame.vlans, quoted.proto, *ends)].errors += 1
        elif packets and packets[-1].datagram is not None:
            packet = packets[-1]
            if packet.ports is not None:
                ports[packet.datagram] = packet.ports
            if packet.proto != UDP:
                packet.payload = packet.body
            fragments.append((frame, packet))
        elif packets:
            count(flows, frame, packets[-1])
    for frame, packet in fragments:
        packet.ports = ports[packet.datagram]
        count(flows, frame, packet)
    return flows


def flows_of_program(capture: Path) -> dict[Key, Flow]:
    """The same of pcap2flow's records, summed where a conversation has several."""
    run = pcap2flow("bidir=1", "num_pkts=0", capture)
    assert run.status == 0, run.stderr
    flows: dict[Key, Flow] = defaultdict(Flow)
    for record in run.records:
        icmp = record["pr"] in (ICMP, ICMP6)
        out = (record["sa"], 0 if icmp else record.get("sp") or 0)
        back = (record["da"], 0 if icmp else record.get("dp") or 0)
        flow = flows[key_of(tuple(record.get("vlan", ())), record["pr"], out, back)]
        for name, side in (("out", flow.sides[out > back]), ("in", flow.sides[back > out])):
            side.packets += record.get(f"num_pkts_{name}", 0)
            side.ip_bytes += record.get(f"ip_bytes_{name}", 0)
            side.payload += record.get(f"bytes_{name}", 0)
            flow.errors += record.get(f"icmp_errors_{name}", 0)
    return flows


@pytest.mark.parametrize("capture", [*FIXTURES, ROOT / "sample.pcap"], ids=lambda path: path.name)
def test_tshark(capture: Path) -> None:
    theirs = flows_of_tshark(capture)
    ours = flows_of_program(capture)
    assert theirs, "tshark finds no flow"
    assert set(ours) == set(theirs)
    assert ours == theirs
