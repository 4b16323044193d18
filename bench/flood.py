#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Floods: many one-packet flows under a small budget, and flows crafted to collide.

    bench/flood.py [--program ./pcap2flow] [--flows 5000000] [--memory 512M] [--collide 60000]

First: every packet its own flow, more of them than the budget holds. The run must stay below the
budget (peak resident size), go on, and account for every packet in a record.
Second: flows whose keys would fall into one bucket of the flow table if its hash had no seed
(bench/collide.c), against as many random ones: the ratio of CPU time.
"""

import argparse
import json
import os
import struct
import subprocess
import tempfile

HEADER = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 101)
OWN = 16  # MiB of the program, its libraries and its window on the input
BUCKET_BITS = 13  # a table for 60,000 flows has 2^13 buckets
UNITS = {"K": 1 << 10, "M": 1 << 20, "G": 1 << 30}
UDP = struct.pack(">HHHH", 4000, 53, 12, 0) + b"ping"


def packet(source, destination, ports):
    """One UDP packet over IPv4."""
    body = struct.pack(">HH", *ports) + UDP[4:]
    length = 20 + len(body)
    head = struct.pack(">BBHHHBBHII", 0x45, 0, length, 1, 0, 64, 17, 0, source, destination)
    return head + body


def write(path, packets):
    with open(path, "wb") as out:
        out.write(HEADER)
        for i, p in enumerate(packets):
            seconds, us = divmod(i, 1000000)
            out.write(struct.pack("<IIII", 1700000000 + seconds, us, len(p), len(p)) + p)


def flood(count):
    """COUNT packets, each of a flow of its own."""
    for i in range(count):
        yield packet(0x0A000000 + (i >> 8), 0xC6336401, (1024 + (i & 0xFF), 53))


def run(program, capture, *options):
    """(CPU seconds, peak MiB, summary, packets in all records)."""
    with tempfile.NamedTemporaryFile() as out:
        command = [program, "bidir=1", "num_pkts=0", "progress=0", *options, capture]
        process = subprocess.Popen(command, stdout=out)
        _, status, usage = os.wait4(process.pid, 0)
        if status != 0:
            raise RuntimeError("%s: status %d" % (" ".join(command), status))
        packets, summary = 0, None
        with open(out.name, encoding="utf-8") as lines:
            for line in lines:
                record = json.loads(line)
                packets += record.get("num_pkts_out", 0) + record.get("num_pkts_in", 0)
                summary = record.get("summary", summary)
    return usage.ru_utime + usage.ru_stime, usage.ru_maxrss / 1024, summary, packets


def show_flood(args, folder):
    capture = os.path.join(folder, "flood.pcap")
    write(capture, flood(args.flows))
    cpu, peak, summary, packets = run(args.program, capture, "memory=" + args.memory)
    budget = int(args.memory[:-1]) * UNITS[args.memory[-1]] / (1 << 20)
    print(
        "flood: %d flows, memory=%s: peak %.0f MiB, %d left for lack of resources, %.0f ns/packet"
        % (summary["flows"], args.memory, peak, summary["evicted"], cpu * 1e9 / args.flows)
    )
    print(
        "flood: %d packets sent, %d in records, %d refused"
        % (args.flows, packets, summary["refused"])
    )
    return packets + summary["refused"] == args.flows and peak <= budget + OWN


def show_collisions(args, folder):
    times = {}
    for name, bits in (("random", 0), ("crafted", BUCKET_BITS)):
        capture = os.path.join(folder, name + ".pcap")
        with open(capture, "wb") as out:
            subprocess.run([args.maker, str(args.collide), str(bits)], stdout=out, check=True)
        times[name] = min(run(args.program, capture)[0] for _ in range(5))
    ratio = times["crafted"] / times["random"]
    print("collisions: %d crafted flows: %.2f times the CPU time of random" % (args.collide, ratio))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--flows", type=int, default=5000000)
    ap.add_argument("--memory", default="512M")
    ap.add_argument("--maker", default="build/bench/collide")
    ap.add_argument("--collide", type=int, default=60000)
    args = ap.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        good = show_flood(args, folder)
        show_collisions(args, folder)
    print("the budget held and every packet is accounted for" if good else "FAILED")
    return 0 if good else 1


if __name__ == "__main__":
    raise SystemExit(main())
