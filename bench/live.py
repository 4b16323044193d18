#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Measure live capture beside tcpdump and whatever peers are installed.

    bench/live.py [--send PROGRAM] [--program ./pcap2flow] [--mixed CAPTURE] [--rounds N]

Two network namespaces with a cable (veth) between them: bench/send.c sends at an even rate at one
end, one program captures at the other.  The kernel's receiving work is done on the sender's core.
Each program is measured in turn, round by round:

  CPU      user and system time of the program for each packet, at a rate that all can bear
  pps      packets per second for a core: the reciprocal of it
  no loss  the highest rate sent at which every packet was captured, found by halving; the sender
           itself ends at some rate, which is then printed with ">="

Ratios are to `tcpdump -w /dev/null`, of the same rounds.
"""

import argparse
import json
import os
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
EVERYTHING = ["bidir=1", "features=all"]


def ip(*words):
    """The program ip."""
    subprocess.run(["ip", *words], check=True, capture_output=True)


class Cable:
    """Namespaces NAME-a and NAME-b with eth0 in each."""

    def __init__(self):
        self.a, self.b = ("joy-bench-%d-%s" % (os.getpid(), end) for end in "ab")

    def __enter__(self):
        for name in (self.a, self.b):
            ip("netns", "add", name)
        ip("-n", self.a, "link", "add", "eth0", "type", "veth", "peer", "eth0", "netns", self.b)
        for name in (self.a, self.b):
            for key in ("all", "default", "eth0"):
                path = "/proc/sys/net/ipv6/conf/%s/disable_ipv6" % key
                subprocess.run(
                    [
                        "ip",
                        "netns",
                        "exec",
                        name,
                        "sh",
                        "-c",
                        "[ ! -e %s ] || echo 1 >%s" % (path, path),
                    ],
                    check=True,
                )
            ip("-n", name, "link", "set", "lo", "up")
            ip("-n", name, "link", "set", "eth0", "up", "arp", "off", "promisc", "on")
        return self

    def __exit__(self, *_):
        for name in (self.a, self.b):
            subprocess.run(["ip", "netns", "del", name], check=False)


class Peer:
    """A program that captures eth0; 'ask' is run before it is stopped and says what it has seen."""

    def __init__(self, name, command, ready, seen, stop=signal.SIGTERM, ask=None):
        self.name, self.command, self.ready, self.seen = name, command, ready, seen
        self.stop, self.ask = stop, ask


def last(pattern, text):
    """The last number that the pattern finds."""
    found = re.findall(pattern, text)
    if not found:
        raise RuntimeError("no %r in:\n%s" % (pattern, text[-2000:]))
    return int(found[-1])


def seen_ours(folder, _said):
    """Packets of the summary."""
    line = Path(folder, "out.json").read_text().splitlines()[-1]
    return json.loads(line)["summary"]["packets"]


def seen_argus(folder, _said):
    """Packets of argus's records."""
    said = subprocess.run(
        ["racount", "-r", Path(folder, "argus")], capture_output=True, text=True, check=True
    )
    return int(said.stdout.splitlines()[-1].split()[2])


def seen_softflowd(folder, said):
    """What softflowctl said."""
    return last(r"Packets processed: (\d+)", said)


def peers(program, folder):
    """Those that are here; the first is the yardstick."""

    def ours(options):
        out = "output=" + os.path.join(folder, "out.json")
        return [
            program,
            "interface=eth0",
            "promisc=1",
            "verbosity=2",
            "username=none",
            *options,
            out,
        ]

    ready = "capturing"
    found = [
        Peer(
            "tcpdump -w /dev/null",
            ["tcpdump", "-i", "eth0", "-n", "-w", "/dev/null"],
            "listening on",
            lambda _f, said: last(r"(\d+) packets captured", said),
            signal.SIGINT,
        ),
        Peer("pcap2flow, plain flows", ours(["bidir=1", "num_pkts=0"]), ready, seen_ours),
        Peer("pcap2flow, default", ours(["bidir=1"]), ready, seen_ours),
        Peer("pcap2flow, everything", ours(EVERYTHING), ready, seen_ours),
        Peer(
            "softflowd",
            ["softflowd", "-i", "eth0", "-d", "-m", "100000", "-c", "ctl", "-p", "pid"],
            "starting data collection",
            seen_softflowd,
            ask=["softflowctl", "-c", os.path.join(folder, "ctl"), "statistics"],
        ),
        Peer(
            "argus",
            ["argus", "-i", "eth0", "-P", "0", "-w", os.path.join(folder, "argus")],
            "is up",
            seen_argus,
        ),
        Peer(
            "nfpcapd",
            ["nfpcapd", "-i", "eth0", "-w", folder],
            "Startup",
            lambda _f, said: last(r"Total: Processed: (\d+)", said),
        ),
    ]
    return [p for p in found if shutil.which(p.command[0])]


def cpu_seconds(pid):
    """CPU time of all threads of a process so far, as the scheduler counts it (in ns)."""
    tasks = Path("/proc/%d/task" % pid).iterdir()
    return sum(int((task / "schedstat").read_text().split()[0]) for task in tasks) / 1e9


def settled(pid):
    """Wait until a process has nothing more to do: its CPU time stands still for 0.3 s."""
    before, since = cpu_seconds(pid), time.monotonic()
    while time.monotonic() - since < 0.3:
        time.sleep(0.05)
        if cpu_seconds(pid) - before > 0.001:
            before, since = cpu_seconds(pid), time.monotonic()


def empty(folder):
    """Remove what the program before has written."""
    for path in Path(folder).iterdir():
        shutil.rmtree(path) if path.is_dir() else path.unlink()


def capture(cable, peer, folder, send):
    """Run a peer while 'send' is sent: (packets sent, seen, CPU seconds, packets per second)."""
    empty(folder)
    log = Path(folder, "log")
    with log.open("wb") as out:
        process = subprocess.Popen(
            ["ip", "netns", "exec", cable.b, *peer.command], stdout=out, stderr=out, cwd=folder
        )
    try:
        end = time.monotonic() + 10
        while not re.search(peer.ready, log.read_text(errors="replace")):
            if process.poll() is not None or time.monotonic() > end:
                raise RuntimeError("%s: %s" % (peer.name, log.read_text(errors="replace")[-500:]))
            time.sleep(0.01)
        settled(process.pid)
        before = cpu_seconds(process.pid)
        done = subprocess.run(
            ["ip", "netns", "exec", cable.a, *send], capture_output=True, text=True, check=True
        )
        sent = json.loads(done.stdout)
        settled(process.pid)
        used = cpu_seconds(process.pid) - before
        if peer.ask:
            said = subprocess.run(peer.ask, capture_output=True, text=True, check=True).stdout
            log.write_text(log.read_text(errors="replace") + said)
        process.send_signal(peer.stop)
        process.wait(60)
    finally:
        if process.poll() is None:
            process.kill()
            process.wait()
    seen = peer.seen(folder, log.read_text(errors="replace"))
    return sent["sent"], seen, used, sent["sent"] / sent["seconds"]


def without_loss(cable, peer, folder, args, traffic, top):
    """(rate, whether that was all the sender could do): the highest rate without a packet lost."""
    low, high, sender_ends = 0.0, float(top), False
    rate = high
    for _ in range(args.steps):
        command = [args.send, "eth0", *traffic, str(int(rate)), str(int(rate * args.seconds))]
        sent, seen, _, reached = capture(cable, peer, folder, command)
        if seen >= sent:
            low = max(low, reached)
            if rate >= top:
                return reached, True
        else:
            high = rate
        rate = (low + high) / 2
    return low, sender_ends


def measure(args, cable, folder, what, traffic):
    """One table."""
    every = peers(args.program, folder)
    usage = {p.name: [] for p in every}
    for _ in range(args.rounds):
        for p in list(every):
            command = [
                args.send,
                "eth0",
                *traffic,
                str(args.rate),
                str(int(args.rate * args.seconds)),
            ]
            try:
                sent, seen, used, _ = capture(cable, p, folder, command)
            except (RuntimeError, subprocess.SubprocessError, OSError) as why:
                print("%s left out: %s" % (p.name, str(why).splitlines()[0]), file=sys.stderr)
                every.remove(p)
                continue
            usage[p.name].append((used / sent * 1e9, 100 * (1 - seen / sent)))
    yardstick = [u[0] for u in usage[every[0].name]]
    top = args.top
    print("\n%s, %d packets per second" % (what, args.rate))
    head = (
        "program",
        "CPU ns/packet",
        "times tcpdump",
        "Mpps a core",
        "lost %",
        "no loss up to pps",
    )
    print("%-26s %14s %14s %12s %8s %18s" % head)
    for p in every:
        cost = statistics.median(u[0] for u in usage[p.name])
        ratio = statistics.median(u[0] / y for u, y in zip(usage[p.name], yardstick, strict=True))
        lost = max(u[1] for u in usage[p.name])
        rate, all_there_is = without_loss(cable, p, folder, args, traffic, top)
        limit = "%s%d" % (">= " if all_there_is else "", rate)
        row = (p.name, cost, ratio, 1000 / cost if cost else 0, lost, limit)
        print("%-26s %14.0f %14.2f %12.2f %8.3f %18s" % row, flush=True)


def main():
    """Parse the command line, make the cable, print both tables."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--send", default=str(ROOT / "build/bench/send"))
    parser.add_argument("--program", default=str(ROOT / "pcap2flow"))
    parser.add_argument("--mixed", default=str(ROOT / "sample.pcap"))
    parser.add_argument("--seconds", type=float, default=3)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--rate", type=int, default=100000)
    parser.add_argument("--top", type=int, default=1500000)
    parser.add_argument("--steps", type=int, default=6)
    args = parser.parse_args()
    if os.geteuid() != 0:
        sys.exit("bench/live.py: namespaces and capturing need root")
    with Cable() as cable, tempfile.TemporaryDirectory() as folder:
        measure(args, cable, folder, "64 byte packets, 1000 flows", ["64"])
        measure(args, cable, folder, "mixed packets of %s" % Path(args.mixed).name, [args.mixed])


if __name__ == "__main__":
    main()
