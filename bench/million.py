#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""A capture with a million small flows, all different, in order of time:

    bench/million.py OUT [FLOWS]

Of 20 flows 8 are a DNS question and answer, 6 TCP connections with a few segments each way, 4 SYNs
without an answer, 2 exchanges of 6 datagrams.  The same arguments give the same file.  Headers are
whole, payload is zeros, checksums are not made: readers here do not check them.
"""

from __future__ import annotations

import random
import struct
import sys

FILE = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
ETHERNET = bytes.fromhex("020000000002 020000000001 0800".replace(" ", ""))
PER_SECOND = 500  # flows that begin in a second of the capture
FIN, SYN, PUSH, ACK = 1, 2, 8, 16
BEGIN = 1700000000  # seconds since 1970


def packet(protocol: int, back: bool, ends: tuple[int, int, int, int], rest: bytes) -> bytes:
    """A frame: 'ends' are client, server and their ports; 'rest' is what comes behind the ports."""
    client, server, cport, sport = ends
    addresses = (server, client) if back else (client, server)
    ports = (sport, cport) if back else (cport, sport)
    size = 20 + 4 + len(rest)
    head = struct.pack(">BBHHHBBHII", 0x45, 0, size, 1, 0, 64, protocol, 0, *addresses)
    return ETHERNET + head + struct.pack(">HH", *ports) + rest


def udp(size: int) -> bytes:
    """Length, checksum and payload of a datagram."""
    return struct.pack(">HH", 8 + size, 0) + bytes(size)


def tcp(seq: int, ack: int, flags: int, size: int = 0) -> bytes:
    """The rest of a TCP header, without options, and payload."""
    return struct.pack(">IIBBHHH", seq, ack, 0x50, flags, 64000, 0, 0) + bytes(size)


def connection(up: int, down: int, segments: int) -> list[tuple[bool, bytes]]:
    """A TCP connection: a request of 'up' bytes, 'segments' of 'down' bytes, an end from both."""
    steps = [(False, tcp(0, 0, SYN)), (True, tcp(0, 1, SYN | ACK)), (False, tcp(1, 1, ACK))]
    steps.append((False, tcp(1, 1, PUSH | ACK, up)))
    last = 1 + segments * down
    steps += [(True, tcp(1 + i * down, 1 + up, PUSH | ACK, down)) for i in range(segments)]
    steps += [(False, tcp(1 + up, last, FIN | ACK)), (True, tcp(last, 2 + up, FIN | ACK))]
    steps.append((False, tcp(2 + up, 1 + last, ACK)))
    return steps


def flow(kind: int, rng: random.Random) -> tuple[int, int, list[tuple[bool, bytes]]]:
    """Protocol, server port and packets, each with whether the server sent it."""
    if kind < 8:
        return 17, 53, [(False, udp(rng.randrange(24, 60))), (True, udp(rng.randrange(40, 400)))]
    if kind < 14:
        return 6, 443, connection(rng.randrange(80, 600), rng.randrange(100, 1200), 1 + kind % 3)
    if kind < 18:
        return 6, 22, [(False, tcp(0, 0, SYN))]
    return 17, 443, [(i % 2 == 1, udp(rng.randrange(40, 300))) for i in range(6)]


def second(number: int, flows: range, rng: random.Random) -> bytes:
    """All packets of flows that begin in a second and last for less than one."""
    packets = []
    for index in flows:
        protocol, port, steps = flow(rng.randrange(20), rng)
        # Client and port are the flow's number, so no two flows have the same key.
        client, cport = 0x0A000000 + index // 50000, 10000 + index % 50000
        ends = (client, 0xC0A80000 + rng.randrange(2000), cport, port)
        us = rng.randrange(500000)
        for back, rest in steps:
            packets.append((us, index, packet(protocol, back, ends, rest)))
            us += rng.randrange(100, 40000)
    packets.sort(key=lambda p: p[:2])
    return b"".join(
        struct.pack("<IIII", BEGIN + number, us, len(data), len(data)) + data
        for us, _, data in packets
    )


def main() -> None:
    """Write the capture."""
    out, count = sys.argv[1], int(sys.argv[2]) if len(sys.argv) > 2 else 1000000
    rng = random.Random(1)
    with open(out, "wb") as file:
        file.write(FILE)
        for number, first in enumerate(range(0, count, PER_SECOND)):
            file.write(second(number, range(first, min(first + PER_SECOND, count)), rng))


if __name__ == "__main__":
    main()
