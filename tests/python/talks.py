# SPDX-License-Identifier: BSD-3-Clause
"""A capture whose every number is known beforehand, for the tests of inputs, query and convert.

    flow  what                        to the responder       back
    1     TCP 10.0.0.1:40000 > :80    3 of its 6 without     1000 1000 1000 bytes,
                                      data, one of 100,      6 packets in all
                                      (SYN, ACK, 100, ACK,
                                      FIN, ACK)
    2     UDP 10.0.0.3:5000 > :53     30                     70
    3     UDP 10.0.0.4:5000 > :53     31                     71
    4     UDP fd00::1:6000 > :7000    500 500 (90 ms later)
    5     ICMP echo 10.0.0.3 > .2     8 + 40                 8 + 40

Payload bytes; flows stand in the order of their first packets.
"""

from __future__ import annotations

import struct
import subprocess
import sys
from pathlib import Path

sys.path.append(str(Path(__file__).resolve().parent.parent / "property"))

import traps  # noqa: E402

SERVER = "10.0.0.2"
HOUR = 3600 * traps.SECOND
START = traps.EPOCH / 1e9  # 2023-11-14 22:13:20 UTC

# sa, da, pr, sp, dp, bytes_out, num_pkts_out, bytes_in, num_pkts_in
FLOWS = [
    ("10.0.0.1", SERVER, 6, 40000, 80, 100, 6, 3000, 6),
    ("10.0.0.3", SERVER, 17, 5000, 53, 30, 1, 70, 1),
    ("10.0.0.4", SERVER, 17, 5000, 53, 31, 1, 71, 1),
    ("fd00::1", "fd00::2", 17, 6000, 7000, 1000, 2, 0, 0),
    ("10.0.0.3", SERVER, 1, None, None, 48, 1, 48, 1),
]
KEYS = ("sa", "da", "pr", "sp", "dp", "bytes_out", "num_pkts_out", "bytes_in", "num_pkts_in")

# flow, dir, b of every packet with payload
PACKETS = (
    [(1, ">", 100), (1, "<", 1000), (1, "<", 1000), (1, "<", 1000)]
    + [(2, ">", 30), (2, "<", 70), (3, ">", 31), (3, "<", 71)]
    + [(4, ">", 500), (4, ">", 500), (5, ">", 48), (5, "<", 48)]
)


def _udp(ends: tuple[str, str], ports: tuple[int, int], size: int, ms: int) -> traps.Packet:
    return traps.Packet(ms * traps.MS, traps.ip(ends, 17, traps.udp(*ports, bytes(size))))


def _ping(ends: tuple[str, str], kind: int, ms: int) -> traps.Packet:
    body = struct.pack("!BBHHH", kind, 0, 0, 77, 1) + bytes(40)
    return traps.Packet(ms * traps.MS, traps.ip(ends, 1, body))


def packets() -> list[traps.Packet]:
    """All packets, by time."""
    three, four = ("10.0.0.3", SERVER), ("10.0.0.4", SERVER)
    more = [
        _udp(three, (5000, 53), 30, 1),
        _udp(three[::-1], (53, 5000), 70, 4),
        _udp(four, (5000, 53), 31, 5),
        _udp(four[::-1], (53, 5000), 71, 6),
        _udp(("fd00::1", "fd00::2"), (6000, 7000), 500, 7),
        _udp(("fd00::1", "fd00::2"), (6000, 7000), 500, 97),
        _ping(three, 8, 8),
        _ping(three[::-1], 0, 9),
    ]
    return sorted(traps.base() + more, key=lambda packet: packet.ns)


def write(path: Path, some: list[traps.Packet] | None = None, later: int = 0) -> Path:
    """A pcap file of these packets, or all; 'later' is in nanoseconds."""
    chosen = packets() if some is None else some
    moved = [traps.Packet(p.ns + later, traps.eth(p.data), p.wire) for p in chosen]
    path.write_bytes(traps.pcap(moved, magic=traps.NS))
    return path


def joy_here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """kit.joy() within this process, which is faster; not for what reads standard input."""
    from joy.cli import app
    from typer.testing import CliRunner

    words = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
