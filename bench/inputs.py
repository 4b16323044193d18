# SPDX-License-Identifier: BSD-3-Clause
"""The captures that are measured: made by bench/replicate.c, or given.

    bench/inputs.py NAME...     makes those, and prints their paths

BENCH_SEEDS=LIST   captures and folders to replicate, in place of the repository's own
BENCH_INPUTS=DIR   has web.pcap, mix.pcap, small.pcap, elephant.pcap, tls.pcap: none is made
BENCH_SCALE=0.1    a tenth of the flows (elephant: of the bytes)
"""

from __future__ import annotations

import glob
import hashlib
import os
import struct
import subprocess
import sys

FOLDER = "build/bench/in"
MAKER = "build/bench/replicate"
#: name: flows, seconds, seed of the random numbers
INPUTS = {
    "web": (150_000, 120, 11),
    "mix": (1_000_000, 120, 12),
    "small": (5_000_000, 60, 13),
    "elephant": (32, 60, 14),
    "tls": (200_000, 120, 15),
}
ELEPHANTS = 2 << 30  # bytes
FILE_HEAD, HEAD = 24, 16


def seeds() -> list[str]:
    """What is replicated."""
    given = os.environ.get("BENCH_SEEDS", "").split()
    return given or ["sample.pcap", *sorted(glob.glob("tests/fixtures/*.pcap*"))]


def scale() -> float:
    """Share of the flows that is made."""
    return float(os.environ.get("BENCH_SCALE", "1"))


def recipe(name: str, path: str) -> list[str]:
    """The command that makes an input."""
    flows, seconds, seed = INPUTS[name]
    if name != "elephant":
        flows = max(1, round(flows * scale()))
    size = ["-b", str(round(ELEPHANTS * scale()))] if name == "elephant" else []
    return [MAKER, *size, name, *map(str, (flows, seconds, seed)), path, *seeds()]


def stamp(command: list[str]) -> str:
    """Changes when the command, its program or the times of its seeds do."""
    times = [os.stat(path).st_mtime_ns for path in (MAKER, *seeds())]
    return hashlib.sha256(repr((command, times)).encode()).hexdigest()


def get(name: str) -> str | None:
    """The path of an input, made when it is not there yet; None when it cannot be had."""
    if folder := os.environ.get("BENCH_INPUTS"):
        given = os.path.join(folder, name + ".pcap")
        return given if os.path.exists(given) else None
    folder = FOLDER if scale() == 1 else f"{FOLDER}-{scale():g}"
    os.makedirs(folder, exist_ok=True)
    path = os.path.join(folder, name + ".pcap")
    command, note = recipe(name, path), path + ".stamp"
    fresh = stamp(command)
    if os.path.exists(path) and os.path.exists(note):
        with open(note, encoding="ascii") as was:
            if was.read() == fresh:
                return path
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    if done.returncode != 0:
        return None
    print(done.stdout, end="", file=sys.stderr)
    with open(note, "w", encoding="ascii") as out:
        out.write(fresh)
    return path


def slice_of(path: str, packets: int, to: str) -> int:
    """Writes the first packets of a pcap file to another; how many there were."""
    with open(path, "rb") as capture, open(to, "wb") as out:
        head = capture.read(FILE_HEAD)
        order = ">" if head[:2] in (b"\xa1\xb2",) else "<"
        out.write(head)
        for count in range(packets):
            head = capture.read(HEAD)
            if len(head) < HEAD:
                return count
            out.write(head + capture.read(struct.unpack(order + "I", head[8:12])[0]))
    return packets


if __name__ == "__main__":
    print(*(get(name) or sys.exit(1) for name in sys.argv[1:]), sep="\n")
