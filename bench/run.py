#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measure pcap2flow beside a null reader and whatever peers are installed.

    bench/run.py [--input CAPTURE] [--rounds N] [--program ./pcap2flow] [--null PROGRAM]

Every program runs once a round, in turn, so that drift of the machine meets all alike. What counts
is CPU time (user + system) of the process; the table gives the median of the rounds, and the ratio
to the null loop over libpcap of the same rounds. Records are written to a new file.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

PLAIN = ["bidir=1", "num_pkts=0"]
EVERYTHING = ["bidir=1", "features=all"]
HEADERS_AND_BYTES = [*EVERYTHING, "tls=0", "quic=0", "fingerprint=0"]


def run(command, **more):
    """CPU seconds, wall seconds and peak MiB of one run of COMMAND; raises when it fails."""
    begin = time.monotonic()
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, **more)
    said = process.stderr.read()
    _, status, usage = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    if process.returncode not in (0, 3):
        what = (" ".join(command), process.returncode, said.decode())
        raise RuntimeError("%s: exit %d: %s" % what)
    return usage.ru_utime + usage.ru_stime, time.monotonic() - begin, usage.ru_maxrss / 1024


def programs(args, folder):
    """{name: command} of ours, the null loop and the peers that are here."""
    out = os.path.join(folder, "out.json")

    def ours(options):
        return [args.program, *options, "progress=0", "output=" + out, args.input]

    found = {
        "null libpcap loop": [args.null, args.input],
        "pcap2flow, plain flows": ours(PLAIN),
        "pcap2flow, default": ours(["bidir=1"]),
        "pcap2flow, all but hellos": ours(HEADERS_AND_BYTES),
        "pcap2flow, everything": ours(EVERYTHING),
        "softflowd": ["softflowd", "-r", args.input, "-d", "-n", "127.0.0.1:9"],
        "argus": ["argus", "-r", args.input, "-w", os.path.join(folder, "argus")],
        "nfpcapd": ["nfpcapd", "-r", args.input, "-l", folder],
        "yaf": ["yaf", "--in", args.input, "--out", os.path.join(folder, "yaf")],
        "tcpdump -w /dev/null": ["tcpdump", "-r", args.input, "-w", "/dev/null"],
    }
    return {name: c for name, c in found.items() if shutil.which(c[0])}


def empty(folder):
    """Removes what the program before has written: freeing it must not count for the next one."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def table(commands, rounds, folder):
    """{name: (median CPU s, median ratio to the first, peak MiB)}, without peers that fail."""
    seen = {name: [] for name in commands}
    first = next(iter(commands))
    for command in commands.values():  # warms the page cache
        if command[0] == commands[first][0]:
            run(command)
    for _ in range(rounds):
        for name in list(seen):
            try:
                empty(folder)
                seen[name].append(run(commands[name]))
            except RuntimeError as error:
                if name == first or name.startswith("pcap2flow"):
                    raise
                print("left out: %s" % error, file=sys.stderr)
                del seen[name]
    base = [r[0] for r in seen[first]]
    return {
        name: (
            statistics.median(r[0] for r in rows),
            statistics.median(r[0] / b for r, b in zip(rows, base, strict=True)),
            max(r[2] for r in rows),
        )
        for name, rows in seen.items()
    }


def summary_of(program, capture):
    """What the program counts; kept small, for a child's peak begins with its parent's size."""
    command = [program, "num_pkts=0", "bidir=1", capture]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            last = line
    return json.loads(last)["summary"]


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--input", required=True)
    ap.add_argument("--rounds", type=int, default=5)
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--null", default="build/bench/null")
    args = ap.parse_args()
    counts = summary_of(args.program, args.input)
    print(
        "%s: %d packets, %d flows, %d rounds"
        % (os.path.basename(args.input), counts["packets"], counts["flows"], args.rounds)
    )
    print("%-26s %12s %18s %10s" % ("program", "ns/packet", "times null loop", "peak MiB"))
    with tempfile.TemporaryDirectory() as folder:
        for name, (cpu, ratio, peak) in table(programs(args, folder), args.rounds, folder).items():
            print("%-26s %12.1f %18.2f %10.0f" % (name, cpu * 1e9 / counts["packets"], ratio, peak))


if __name__ == "__main__":
    main()
