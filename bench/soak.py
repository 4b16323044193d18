#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Let a sensor run for long, or under a flood, and watch its memory.

    bench/soak.py soak [--seconds 3600] [--rate 3000] [--program ./pcap2flow]
    bench/soak.py flood [--seconds 60] [--rate 200000] [--memory 256M]

soak: real packets, small ones and new flows at an even rate, all features, files that are split,
compressed and deleted again, lists read again every minute.  Prints the resident memory as it goes,
and at the end how the last quarter of the time compares with the second.

flood: SYNs, each a flow of its own, then the packets of a real capture, whose records must be those
of the file.  Prints the peak of memory beside the budget.
"""

import argparse
import gzip
import json
import os
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from live import ROOT, Cable

FLOODED = '"da":"10.255.0.1"'  # where bench/send.c sends what it makes
OUT = re.compile(r'"num_pkts_out":(\d+)')


def memory(pid, what="VmRSS"):
    """KiB of a process."""
    status = Path("/proc/%d/status" % pid).read_text()
    return int(next(line for line in status.splitlines() if line.startswith(what)).split()[1])


def start(cable, program, log, *options):
    """pcap2flow capturing at the far end, when it does."""
    words = ["interface=eth0", "promisc=1", "bidir=1", "verbosity=2", "username=none", *options]
    process = subprocess.Popen(
        ["ip", "netns", "exec", cable.b, program, *words], stdout=subprocess.DEVNULL, stderr=log
    )
    while "capturing from" not in Path(log.name).read_text():
        if process.poll() is not None:
            sys.exit(Path(log.name).read_text())
        time.sleep(0.01)
    return process


def sender(cable, args, what, rate, count, *more):
    """bench/send.c in the background."""
    words = ["eth0", what, str(rate), str(count), *more]
    return subprocess.Popen(
        ["ip", "netns", "exec", cable.a, args.send, *words], stdout=subprocess.PIPE, text=True
    )


def lines_of(folder):
    """Every line of every finished file, in order."""
    for path in sorted(Path(folder).glob("out-*")):
        opened = gzip.open(path, "rt") if path.suffix == ".gz" else path.open()
        with opened as file:
            yield from map(json.loads, file)


def curve(process, args):
    """Watch the process until its time is over: [(seconds, MiB)]."""
    begin, points, reloads = time.monotonic(), [], 0
    while (now := time.monotonic() - begin) < args.seconds:
        if process.poll() is not None:
            sys.exit("it ended by itself: status %d" % process.returncode)
        points.append((now, memory(process.pid) / 1024))
        if now > 60 * (reloads + 1):
            reloads += 1
            process.send_signal(signal.SIGHUP)
        if len(points) % 30 == 1:
            print("%6.0f s  %7.1f MiB" % points[-1], flush=True)
        time.sleep(min(2, args.seconds / 100))
    return points


def soak(args, cable, folder):
    """One long run."""
    options = ["features=all", "idle_timeout=15", "memory=256M", "ring=16M", "rotate=20"]
    options += ["output=%s/out.json.gz" % folder, "keep_size=200M", "metrics=127.0.0.1:9464"]
    third = args.rate // 3
    count = int(third * args.seconds)
    with open(os.path.join(folder, "log"), "w") as log:
        process = start(cable, args.program, log, *options)
        loads = [
            sender(cable, args, str(ROOT / "sample.pcap"), third, count),
            sender(cable, args, "64", third, count, "20000"),
            sender(cable, args, "syn", third, count),
        ]
        points = curve(process, args)
        sent = sum(json.loads(load.communicate()[0])["sent"] for load in loads)
        process.send_signal(signal.SIGTERM)
        status = process.wait(120)
    summary = [line["summary"] for line in lines_of(folder) if "summary" in line][-1]
    quarter = args.seconds / 4
    second = statistics.mean(m for t, m in points if quarter <= t < 2 * quarter)
    last = statistics.mean(m for t, m in points if t >= 3 * quarter)
    print(
        "status %d, %d packets sent, %d taken, %d dropped, %d flows, %d records"
        % (status, sent, summary["packets"], summary["drops"], summary["flows"], summary["records"])
    )
    print(
        "memory: second quarter %.1f MiB, last quarter %.1f MiB (%+.2f %%)"
        % (second, last, 100 * (last - second) / second)
    )
    whole = summary["packets"] + summary["drops"] == sent
    print("packets sent = taken + dropped: %s" % whole)
    return status == 0 and whole and last < 1.05 * second


def flood(args, cable, folder):
    """SYNs for a minute, then a capture."""
    options = ["memory=" + args.memory, "ring=64M", "num_pkts=0", "community_id=0"]
    options.append("output=%s/out-0.json" % folder)
    capture = ROOT / "tests/fixtures/tls.pcap"
    with open(os.path.join(folder, "log"), "w") as log:
        process = start(cable, args.program, log, *options)
        load = sender(cable, args, "syn", args.rate, int(args.rate * args.seconds))
        while load.poll() is None:
            print("%7.1f MiB" % (memory(process.pid) / 1024), flush=True)
            time.sleep(args.seconds / 10)
        said = json.loads(load.communicate()[0])
        after = sender(cable, args, str(capture), 5000, packets_of(capture))
        sent = said["sent"] + json.loads(after.communicate()[0])["sent"]
        peak = memory(process.pid, "VmHWM") / 1024
        process.send_signal(signal.SIGTERM)
        status = process.wait(300)
    summary, ends, counted = {}, {}, 0
    for text in Path(folder, "out-0.json").open():
        if FLOODED in text:  # too many to be taken apart
            counted += int(OUT.search(text)[1])
            continue
        line = json.loads(text)
        summary = line.get("summary", summary)
        if "flow_id" in line:
            counted += line["num_pkts_out"] + line["num_pkts_in"]
            add(ends, line)
    expected = {}
    for text in offline(args.program, capture):
        line = json.loads(text)
        if "flow_id" in line:
            add(expected, line)
    print(
        "%d SYNs in %.1f s (%.0f a second)"
        % (said["sent"], said["seconds"], said["sent"] / said["seconds"])
    )
    print(
        "status %d, %d taken, %d dropped, %d flows, %d left early, %d refused"
        % (
            status,
            summary["packets"],
            summary["drops"],
            summary["flows"],
            summary["evicted"],
            summary["refused"],
        )
    )
    right = all(ends.get(key) == value for key, value in expected.items())
    lost = summary["records_lost"]  # of one packet each, but for the few of the capture
    whole = summary["packets"] + summary["drops"] == sent
    whole = whole and 0 <= summary["ip_packets"] - counted - lost <= (lost > 0) * sent
    print("%d records lost, the disk being too slow" % lost)
    print("peak %.0f MiB with a budget of %s and a ring of 64M" % (peak, args.memory))
    print("packets sent = taken + dropped, taken = in records: %s" % whole)
    print("%d flows afterwards as in the file: %s" % (len(expected), right))
    return status == 0 and whole and (right or summary["drops"] > 0)


def packets_of(capture):
    """How many a capture has that bench/send.c would send: whole ones, not longer than 1514."""
    data, count, at = capture.read_bytes(), 0, 24
    while at + 16 <= len(data):
        caplen = int.from_bytes(data[at + 8 : at + 12], "little")
        wirelen = int.from_bytes(data[at + 12 : at + 16], "little")
        count += caplen == wirelen and 14 <= wirelen <= 1514
        at += 16 + caplen
    return count


def offline(program, capture):
    """The lines of a run over the file."""
    done = subprocess.run(
        [program, "bidir=1", "num_pkts=0", capture], capture_output=True, text=True, check=True
    )
    return done.stdout.splitlines()


def add(sums, record):
    """Sum up the packets and bytes between two ends."""
    key = tuple(record.get(name) for name in ("sa", "da", "pr", "sp", "dp"))
    value = [record[n] for n in ("num_pkts_out", "num_pkts_in", "bytes_out", "bytes_in")]
    sums[key] = [a + b for a, b in zip(sums.get(key, [0] * 4), value, strict=True)]


def main():
    """Parse the command line, make the cable, run."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("what", choices=["soak", "flood"])
    parser.add_argument("--send", default=str(ROOT / "build/bench/send"))
    parser.add_argument("--program", default=str(ROOT / "pcap2flow"))
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--rate", type=int)
    parser.add_argument("--memory", default="256M")
    args = parser.parse_args()
    args.seconds = args.seconds or {"soak": 3600, "flood": 60}[args.what]
    args.rate = args.rate or {"soak": 3000, "flood": 200000}[args.what]
    if os.geteuid() != 0:
        sys.exit("bench/soak.py: namespaces and capturing need root")
    with Cable() as cable, tempfile.TemporaryDirectory() as folder:
        good = {"soak": soak, "flood": flood}[args.what](args, cable, folder)
    sys.exit(not good)


if __name__ == "__main__":
    main()
