# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the Python package share."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def joy(*arguments: str | Path, seconds: int = 120, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command joy of this source tree; both outputs as text."""
    python = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "joy", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHONPATH": python, **env},
    )


# --- captures of packets that a test spells out ---------------------------------------------------
BEGIN = 1700000000  # seconds since 1970 of the first packet, where a test does not say


def datagram(sport: int, dport: int, payload: bytes = b"ping", back: bool = False) -> bytes:
    """Ethernet, IPv4 10.0.0.1 > 10.0.0.2 (or back), UDP sport > dport, payload."""
    ends = bytes([10, 0, 0, 1]), bytes([10, 0, 0, 2])
    source, target = reversed(ends) if back else ends
    size = 8 + len(payload)
    ip = struct.pack(">BBHHHBBH", 0x45, 0, 20 + size, 1, 0, 64, 17, 0) + source + target
    udp = struct.pack(">HHHH", sport, dport, size, 0)
    return bytes(12) + b"\x08\x00" + ip + udp + payload


def pcap(packets: Iterable[tuple[float, bytes]]) -> bytes:
    """A capture of Ethernet frames, each with its time in seconds after BEGIN."""
    out = [struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)]
    for seconds, data in packets:
        us = round((BEGIN + seconds) * 1000000)
        out.append(struct.pack("<IIII", us // 1000000, us % 1000000, len(data), len(data)) + data)
    return b"".join(out)
