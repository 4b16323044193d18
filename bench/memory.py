#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Bytes of memory for each living flow: peak resident size with many flows, less that with a few.

    bench/memory.py [--program ./pcap2flow] [--flows 400000] [--half 1000000] [--memory 512M]
    bench/memory.py --plain

Made-up captures of UDP and TCP flows that are all alive at the end: one packet a flow, ten packets
(a handshake, three requests and three answers of up to 1,460 bytes), and four packets of a TLS
handshake that stops half-way through the ClientHello (a browser's, from the fixtures). Then more
half-open ones than the budget holds: it must hold, and every packet must be in a record. With
--plain only plain flows.
"""

import argparse
import json
import os
import re
import struct
import subprocess
import tempfile

ALL_BUT_HELLOS = ["features=all", "tls=0", "quic=0", "fingerprint=0"]
HALF_OPEN = ["tls=1", "fingerprint=1", "quic=1"]
HALF = 900  # bytes of a hello of 1.8 KB
OWN = 8  # MiB beside those of a run with one flow: tables end in huge pages
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)


def ip(back, client, protocol, body):
    ends = [b"\x0a" + struct.pack(">I", client)[1:], b"\xac\x10\x00\x01"]
    head = struct.pack(">BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, protocol, 0)
    return head + ends[back] + ends[not back] + body


def tcp(back, client, seq, ack, flags, payload=b""):
    ports = (443, 40000) if back else (40000, 443)
    options = bytes.fromhex("020405b40402080a000000010000000001030307") if flags & 2 else b""
    return ip(
        back,
        client,
        6,
        struct.pack(">HHIIBBHHH", *ports, seq, ack, (20 + len(options)) << 2, flags, 65535, 0, 0)
        + options
        + payload,
    )


def ten_packets(client):
    """Handshake, then request and answer, acknowledged."""
    noise = bytes((i * 151 + client) % 256 for i in range(1460))
    yield tcp(0, client, 1000, 0, 2)
    yield tcp(1, client, 5000, 1001, 18)
    yield tcp(0, client, 1001, 5001, 16)
    yield tcp(0, client, 1001, 5001, 24, noise[:517])
    yield tcp(1, client, 5001, 1518, 16, noise)
    yield tcp(1, client, 6461, 1518, 24, noise[:900])
    yield tcp(0, client, 1518, 7361, 16)
    yield tcp(0, client, 1518, 7361, 24, noise[:300])
    yield tcp(1, client, 7361, 1818, 24, noise[:700])
    yield tcp(0, client, 1818, 8061, 16)


def browser_hello(path="tests/fixtures/browser.pcap"):
    """The first segment of a ClientHello."""
    with open(path, "rb") as capture:
        bytes_ = capture.read()
    at = bytes_.index(b"\x16\x03\x01", 24)
    return bytes_[at : at + HALF]


def half_open(client):
    """Handshake of TCP, then the first half of a ClientHello."""
    yield tcp(0, client, 1000, 0, 2)
    yield tcp(1, client, 5000, 1001, 18)
    yield tcp(0, client, 1001, 5001, 16)
    yield tcp(0, client, 1001, 5001, 24, browser_hello())


def one_packet(client):
    yield ip(0, client, 17, struct.pack(">HHHH", 40000, 53, 48, 0) + bytes(40))


SCENES = (
    ("plain, one packet", one_packet, ["num_pkts=0"]),
    ("plain, ten packets", ten_packets, ["num_pkts=0"]),
    ("all but hellos, ten packets", ten_packets, ALL_BUT_HELLOS),
    ("everything, ten packets", ten_packets, ["features=all"]),
    ("half-open handshake", half_open, HALF_OPEN),
)


def for_client(packet, client):
    """PACKET with the address of another client in its place."""
    at = 13 if packet[12] == 10 else 17
    return packet[:at] + struct.pack(">I", client)[1:] + packet[at + 3 :]


def write(path, flows, packets, at_once=True):
    """All flows at once (the first packet of each, then the second of each, ...), or one by one."""
    template = list(packets(0))
    order = ((n, client) for n in range(len(template)) for client in range(flows))
    if not at_once:
        order = ((n, client) for client in range(flows) for n in range(len(template)))
    with open(path, "wb") as out:
        out.write(HEADER)
        for us, (n, client) in enumerate(order):
            p = for_client(template[n], client)
            seconds = 1700000000 + us // 1000000
            out.write(struct.pack("<IIII", seconds, us % 1000000, len(p), len(p)) + p)


def peak(program, options, capture):
    command = [program, "bidir=1", "threads=1", "memory=8G", "progress=0", "output=/dev/null"]
    process = subprocess.Popen([*command, *options, capture])
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError("%s failed" % program)
    return usage.ru_maxrss * 1024


def counted(command):
    """Peak MiB; packets, half hellos and flows without memory in the records; the summary."""
    process = subprocess.Popen(command, stdout=subprocess.PIPE)
    packets = begun = starved = 0
    for line in process.stdout:
        packets += sum(int(n) for n in re.findall(rb'"num_pkts_(?:out|in)":(\d+)', line))
        begun += b'"c_random":"' in line
        starved += b'"no_memory"' in line
        last = line
    process.stdout.close()
    _, status, usage = os.wait4(process.pid, 0)
    if status != 0:
        raise RuntimeError("%s failed" % command[0])
    return usage.ru_maxrss / 1024, packets, begun, starved, json.loads(last)["summary"]


def show_budget(args, path, at_once):
    """Half-open handshakes under a small budget; whether it held and no packet is lost."""
    name = "half-open, " + ("all at once" if at_once else "one by one")
    command = [args.program, "bidir=1", "threads=1", "memory=" + args.memory, "progress=0"]
    command += [*HALF_OPEN, path]
    write(path, 1, half_open)
    own = counted(command)[0]
    write(path, args.half, half_open, at_once)
    peak_mib, packets, begun, starved, summary = counted(command)
    budget = int(args.memory[:-1]) * UNITS[args.memory[-1]] / (1 << 20)
    good = packets + summary["refused"] == 4 * args.half and peak_mib <= budget + own + OWN
    print(
        "%s: %d, memory=%s: peak %.0f MiB, %.0f of it with one flow; %d left for lack of resources"
        % (name, args.half, args.memory, peak_mib, own, summary["evicted"])
    )
    print(
        "%s: %d packets sent, %d in records, %d refused; %d records with half a hello, "
        "%d without memory for it"
        % (name, 4 * args.half, packets, summary["refused"], begun, starved)
    )
    print("the budget held and every packet is accounted for" if good else "FAILED")
    return good


def show_flows(args, folder, scenes):
    """Bytes of a flow of each kind."""
    for name, packets, options in scenes:
        few, many = args.flows // 4, args.flows
        sizes = []
        for flows in (few, many):
            path = os.path.join(folder, "capture.pcap")
            write(path, flows, packets)
            sizes.append(peak(args.program, options, path))
        print("%-27s %6.0f bytes a flow" % (name, (sizes[1] - sizes[0]) / (many - few)))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--flows", type=int, default=400000)
    ap.add_argument("--half", type=int, default=1000000)
    ap.add_argument("--memory", default="512M")
    ap.add_argument("--plain", action="store_true", help="only plain flows")
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        if args.plain:
            show_flows(args, folder, SCENES[:2])
            return 0
        show_flows(args, folder, SCENES)
        path = os.path.join(folder, "capture.pcap")
        good = [show_budget(args, path, at_once) for at_once in (False, True)]
    return 0 if all(good) else 1


if __name__ == "__main__":
    raise SystemExit(main())
