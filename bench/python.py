#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""joy.read() beside pcap2flow writing the same fields as JSON, and beside NFStream.

    bench/python.py [--input CAPTURE] [--rounds N] [--python .venv/bin/python] [--nfstream PYTHON]

Every program runs once a round, in turn, in a process of its own, so that drift of the machine
meets all alike.  CPU is user + system of the process and its children, imports included; peak is
the resident size of the largest process.  Ratios are medians of the rounds' own.  Without --input
the capture is that of bench/million.py.
"""

from __future__ import annotations

import argparse
import os
import statistics
import subprocess
import sys
import tempfile

from measure import empty, run, summary_of

CORE = "sa,da,pr,sp,dp,time_start,time_end,num_pkts_out,num_pkts_in,ip_bytes_out,ip_bytes_in"
JOY = "joy.read, "
SECOND = 1.0  # the longest that a group-by may take


def drain(capture: str, columns: str, options: list[str]) -> None:
    """Read a capture with joy, batch by batch; the child of 'joy.read' rows."""
    import joy

    keywords = dict(word.split("=") for word in options)
    wanted = columns.split(",") if columns else None
    rows = sum(len(b) for b in joy.read(capture, columns=wanted, **keywords))
    print(rows)


def drain_nfstream(capture: str) -> None:
    """The same by NFStream, with the timeouts and fields of CORE; no look at applications."""
    from nfstream import NFStreamer

    streamer = NFStreamer(source=capture, n_dissections=0, accounting_mode=1)
    rows = 0
    for f in streamer:
        _ = (f.src_ip, f.dst_ip, f.protocol, f.src_port, f.dst_port)
        _ = (f.bidirectional_first_seen_ms, f.bidirectional_last_seen_ms)
        _ = (f.src2dst_packets, f.dst2src_packets, f.src2dst_bytes, f.dst2src_bytes)
        rows += 1
    print(rows)


def measure(commands: dict[str, list[str]], rounds: int, folder: str) -> dict[str, list[tuple]]:
    """{name: (CPU s, wall s, peak MiB) of each round}; the first round warms caches and is left
    out."""
    seen: dict[str, list[tuple]] = {name: [] for name in commands}
    for turn in range(rounds + 1):
        for name, command in commands.items():
            empty(folder)
            row = run(command)
            if turn > 0:
                seen[name].append(row)
    return seen


def show(title: str, commands: dict[str, list[str]], rounds: int, folder: str, idle: float) -> None:
    """A table; ratios are to its first row, the second of them without the 'idle' CPU seconds that
    Python takes to start and import."""
    seen = measure(commands, rounds, folder)
    first = next(iter(seen.values()))
    head = (title, "CPU s", "wall s", "CPU ratio", "reading", "peak MiB")
    print("\n%-34s %8s %8s %10s %10s %9s" % head)
    for name, rows in seen.items():
        cpu, wall = (statistics.median(r[i] for r in rows) for i in (0, 1))
        both = list(zip(rows, first, strict=True))
        ratio = statistics.median(r[0] / b[0] for r, b in both)
        alone = idle if name.startswith(JOY) else 0.0
        reading = statistics.median((r[0] - alone) / b[0] for r, b in both)
        peak = max(r[2] for r in rows)
        row = (name, cpu, wall, ratio, reading, peak)
        print("%-34s %8.2f %8.2f %10.2f %10.2f %9.0f" % row, flush=True)


def imports(args: argparse.Namespace) -> float:
    """CPU seconds that every 'joy.read' row has in it besides reading."""
    rows = [run([args.python, "-c", "import joy, pyarrow"]) for _ in range(args.rounds + 1)]
    cpu = statistics.median(r[0] for r in rows[1:])
    print("start of Python, import of joy and pyarrow: %.2f s CPU" % cpu)
    return cpu


def pairs(args: argparse.Namespace, folder: str, idle: float) -> None:
    """pcap2flow and joy.read with the same options, hence the same fields, a worker each."""
    sets = {
        "plain flows": ["num_pkts=0"],
        "default": [],
        "tls, dist, entropy, tcp, stats": ["tls=1", "dist=1", "entropy=1", "tcp=1", "stats=1"],
        "features=all": ["features=all"],
    }
    for name, options in sets.items():
        out = "output=" + os.path.join(folder, "out.json")
        ours = [args.python, __file__, "drain", args.input, "", *options]
        commands = {
            "pcap2flow, JSON to a file": [args.program, "bidir=1", "threads=1", "progress=0", out]
            + [*options, args.input],
            JOY + "all batches": ours,
        }
        show(name, commands, args.rounds, folder, idle)


def peers(args: argparse.Namespace, folder: str) -> None:
    """joy.read and NFStream with the same fields."""
    commands = {
        JOY + "these columns": [args.python, __file__, "drain", args.input, CORE],
        "NFStream": [args.nfstream, __file__, "drain-nfstream", args.input],
    }
    show("5-tuple, times, packets, bytes", commands, 1, folder, 0.0)  # a round takes minutes


def query(args: argparse.Namespace, folder: str) -> None:
    """A group-by of the command joy on a Parquet file of the same flows."""
    parquet = os.path.join(folder, "flows.parquet")
    joy = [args.python, "-m", "joy"]
    subprocess.run([*joy, "convert", "--quiet", args.input, parquet], check=True)
    sql = "select da, count(*) n, sum(bytes_in) b from flows group by da order by n desc limit 5"
    rows = [run([*joy, "query", sql, parquet]) for _ in range(args.rounds + 1)][1:]
    cpu, wall = (statistics.median(r[i] for r in rows) for i in (0, 1))
    verdict = "under" if wall < SECOND else "NOT UNDER"
    size = os.path.getsize(parquet) / 2**20
    print("\njoy query, group by da, %.0f MiB of Parquet: " % size, end="")
    print("%.2f s CPU, %.2f s wall: %s a second" % (cpu, wall, verdict))


def main() -> None:
    """Measure, or be one of the programs that are measured."""
    if sys.argv[1:2] == ["drain"]:
        return drain(sys.argv[2], sys.argv[3], sys.argv[4:])
    if sys.argv[1:2] == ["drain-nfstream"]:
        return drain_nfstream(sys.argv[2])
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--input", default="build/bench/million.pcap")
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--python", default=sys.executable, help="one that has the package joy")
    ap.add_argument("--nfstream", help="one that has nfstream")
    args = ap.parse_args()
    counts = summary_of(args.program, args.input)
    print(
        "%s: %d packets, %d flows, %d rounds"
        % (os.path.basename(args.input), counts["packets"], counts["flows"], args.rounds)
    )
    with tempfile.TemporaryDirectory() as folder:
        pairs(args, folder, imports(args))
        query(args, folder)
        if args.nfstream:
            peers(args, folder)
    return None


if __name__ == "__main__":
    main()
