#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Where each nanosecond goes: CPU time of pcap2flow by its parts, in nanoseconds a packet.

    bench/where.py [--program PATH] [web:plain mix:typical ...]

perf looks 4,000 times a second of CPU where the program is. A place in the program belongs to the
source file of its line, wherever it was compiled into; so PROGRAM needs its symbols (the one in the
build folder has them). One in the kernel belongs to the system call or page fault that led there.
Of libc's copying and clearing nobody knows the caller. Captures are those of inputs.py.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections import Counter

import inputs
from measure import summary_of
from programs import MODES, ours

HERTZ = 4000
#: part of a table: what begins the paths of its source files
PARTS = {
    "finding the packets of a capture": ("source/", "os/mapping"),
    "decoding headers": ("net/",),
    "flows: key, table, TCP, timeouts": ("flow/", "base/wheel", "base/hash", "base/slab"),
    "batches, calls, journal": ("engine/", "api/", "feature/journal", "feature/trail"),
    "counting bytes": ("feature/histogram",),
    "handshakes and fingerprints": (
        *("feature/handshake", "feature/tls", "feature/quic", "feature/cert"),
        *("feature/fingerprint", "proto/"),
    ),
    "other features": ("feature/",),
    "memory of features": ("base/pool", "base/buf"),
    "text": ("record/", "base/json", "base/digits"),
    "output": ("sink/", "os/"),
    "options, lists, errors": ("base/", "conf/", "cmd/", "host/"),
}
KERNEL_PARTS = {
    "kernel: reading": r"sys_(p?read|lseek|fadvise|mmap)|filemap_(map_pages|fault)",
    "kernel: writing": r"sys_(p?write|fallocate|ftruncate|fsync|rename)",
    "kernel: pages of memory": r"page_fault|sys_(brk|madvise|munmap|exit)|exit_mm",
}
LIBRARIES = {"libcrypto": "hashes, keys (libcrypto)", "libc.": "libc: copying, clearing"}
KERNEL_REST, LIBRARY_REST, UNKNOWN = "kernel: other", "other libraries", "no line known"


def fail(text: str) -> None:
    """Ends with a message."""
    raise SystemExit(f"bench/where.py: {text}")


def samples(command: list[str]) -> list[list[str]]:
    """One list of lines for each time that perf looked: places, innermost first."""
    with tempfile.NamedTemporaryFile(dir="build/bench") as data:
        record = ["perf", "record", "-q", "-g", "-e", "cpu-clock", "-F", str(HERTZ)]
        done = subprocess.run(
            [*record, "-o", data.name, "--", *command], capture_output=True, check=False, text=True
        )
        if done.returncode not in (0, 3):
            fail(f"perf record: {done.stderr.strip()[-300:]}")
        script = ["perf", "script", "-i", data.name, "-F", "comm,ip,sym,dso"]
        done = subprocess.run(script, capture_output=True, check=True, text=True)
    blocks = [block.splitlines() for block in done.stdout.split("\n\n")]
    return [[line for line in block if line.strip()] for block in blocks]


def files_of(program: str, addresses: list[int]) -> dict[int, str]:
    """The source file of each address, from the folder src on; of a system header's the caller."""
    done = subprocess.run(
        ["addr2line", "-a", "-i", "-e", program],
        input="".join(f"{a:#x}\n" for a in addresses),
        capture_output=True,
        check=True,
        text=True,
    )
    found: dict[int, str] = {}
    for line in done.stdout.splitlines():
        if line.startswith("0x"):
            address = int(line, 16)
        elif "/src/" in line:
            found.setdefault(address, line.split("/src/", 1)[1].rsplit(":", 1)[0])
    return found


def kernel_part(chain: list[str]) -> str:
    """Of the first that fits, of all that led to a place in the kernel."""
    text = "\n".join(line for line in chain if "[kernel" in line or "unknown" in line)
    return next((p for p, names in KERNEL_PARTS.items() if re.search(names, text)), KERNEL_REST)


def source_part(path: str) -> str:
    """Of a source file."""
    return next((p for p, begins in PARTS.items() if path.startswith(begins)), UNKNOWN)


def count(program: str, command: list[str]) -> Counter[str]:
    """How often perf found the program in each part."""
    blocks = samples(command)
    parts: Counter[str] = Counter()
    own: Counter[int] = Counter()
    for block in blocks:
        chain = [line for line in block if re.match(r"\s+[0-9a-f]+ ", line)]
        if not chain:
            continue
        first = chain[0]
        if "[kernel" in first:
            parts[kernel_part(chain)] += 1
        elif first.endswith(f"/{os.path.basename(program)})"):
            own[int(first.split()[0], 16)] += 1
        else:
            parts[next((p for n, p in LIBRARIES.items() if n in first), LIBRARY_REST)] += 1
    files = files_of(program, list(own))
    for address, times in own.items():
        parts[source_part(files.get(address, ""))] += times
    return parts


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("cases", nargs="*", help="input:mode")
    args = ap.parse_args()
    for tool in ("perf", "addr2line"):
        if shutil.which(tool) is None:
            fail(f"{tool} is needed")
    cases = args.cases or "web:plain mix:plain web:typical tls:typical web:everything".split()
    columns = []
    with tempfile.TemporaryDirectory(dir="build/bench") as folder:
        for case in cases:
            name, _, which = case.partition(":")
            path = inputs.get(name) if name in inputs.INPUTS else None
            if path is None or which not in MODES:
                fail(f"{case}: no such input or mode ({', '.join(MODES)})")
            parts = count(args.program, ours(args.program, which)(path, folder))
            scale = 1e9 / HERTZ / summary_of(args.program, path)["packets"]
            columns.append({part: n * scale for part, n in parts.items()})
            print(f"{case}: {parts.total() / HERTZ:.2f} s of CPU", file=sys.stderr)
    order = [*PARTS, *LIBRARIES.values(), LIBRARY_REST, UNKNOWN, *KERNEL_PARTS, KERNEL_REST]
    print("| ns a packet |" + "".join(f" {case.replace(':', ', ')} |" for case in cases))
    print("|---|" + "---|" * len(cases))
    for part in order:
        if any(c.get(part, 0) >= 0.5 for c in columns):
            print(f"| {part} |" + "".join(f" {c.get(part, 0):.0f} |" for c in columns))
    print("| sum |" + "".join(f" {sum(c.values()):.0f} |" for c in columns))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
