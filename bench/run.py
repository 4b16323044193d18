#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""pcap2flow beside its yardsticks and peers: one table, and what was wanted of it.

    bench/run.py [--program ./pcap2flow] [--rounds 3] [--parts table,threads] [--peers argus,yaf]

Each program runs once a round, in turn; numbers are medians of rounds. The cost of a program is the
CPU time (user + system) of its process and their children, as a multiple of that of the null loop
over libpcap in the same round. A peer that took long in the first round is not run again; some see
only the first packets of a capture, and their numbers have a "~". Records go to a new file.

The report is also in build/bench.txt, and each number in a line of build/bench.json.
BENCH_ROUNDS and BENCH_PEERS ("none" for none) are the same as these options; for BENCH_SEEDS,
BENCH_INPUTS and BENCH_SCALE see inputs.py.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import re
import subprocess
import sys
import tempfile
from dataclasses import asdict
from statistics import median
from typing import Any

import inputs
from measure import empty, run, summary_of
from programs import EVERYTHING, NO_HELLOS, PLAIN, TYPICAL, all_of, is_here, mode, ours
from rounds import Cell, Input, Rounds

#: input, mode: at most so many times the null loop
GOALS = {
    ("web", PLAIN): 1.0,
    ("mix", PLAIN): 1.3,
    ("small", PLAIN): 10.0,
    ("web", TYPICAL): 2.5,
    ("mix", TYPICAL): 3.0,
    ("tls", TYPICAL): 4.0,
    ("web", NO_HELLOS): 5.0,
    ("web", EVERYTHING): 4.5,
    ("elephant", EVERYTHING): 2.2,
}
SPEEDUP = 1.7  # of two threads, on web and mix
FLOW_BYTES = 300.0  # of memory, at most
PAUSE_MS = 1.0
PAUSE = "build/bench/pause"
PAUSE_FLOWS = 10_000_000
PAUSE_OPTIONS = ["2", "/dev/null", "bidir=1", "num_pkts=0", "memory=4G"]  # 2 rounds


class Report:
    """Says the same to the terminal, to build/bench.txt and, number by number, to bench.json."""

    def __init__(self, folder: str) -> None:
        self.text = open(os.path.join(folder, "bench.txt"), "w", encoding="utf-8")
        self.json = open(os.path.join(folder, "bench.json"), "w", encoding="utf-8")
        self.goals: list[tuple[str, float, float, bool]] = []

    def say(self, line: str = "") -> None:
        """A line to read."""
        print(line, flush=True)
        print(line, file=self.text, flush=True)

    def note(self, what: str, **values: Any) -> None:
        """A line of JSON."""
        print(json.dumps({"what": what, **values}), file=self.json, flush=True)

    def hold(self, name: str, measured: float, wanted: float, most: bool = True) -> None:
        """A number beside the one that was wanted: at most, or at least that."""
        met = measured <= wanted if most else measured >= wanted
        self.goals.append((name, measured, wanted, met))
        self.note("goal", name=name, measured=measured, wanted=wanted, met=met)

    def say_goals(self) -> None:
        """All of them."""
        self.say("\n%-52s %10s %10s" % ("wanted", "measured", "wanted"))
        for name, measured, wanted, met in self.goals:
            self.say(
                "%-52s %10.2f %10.2f  %s" % (name, measured, wanted, "met" if met else "not met")
            )


def get_inputs(report: Report, program: str) -> list[Input]:
    """Those that can be had, described."""
    found = []
    for name in inputs.INPUTS:
        path = inputs.get(name)
        if path is None:
            report.say(f"{name}: not here")
            continue
        counts = summary_of(program, path)
        found.append(Input(name, path, counts["packets"], counts["flows"]))
        size = os.path.getsize(path)
        report.say(
            "%-9s %9d packets, %8d flows, %5.0f MB, %4.0f bytes a packet"
            % (name, counts["packets"], counts["flows"], size / 1e6, size / counts["packets"])
        )
        report.note("input", name=name, packets=counts["packets"], flows=counts["flows"], size=size)
    return found


def show_table(report: Report, args: argparse.Namespace, given: list[Input]) -> None:
    """The table, and the goals in it."""
    rows = all_of(args.program, args.peers)
    columns: dict[str, dict[str, Cell]] = {}
    for i in given:
        with tempfile.TemporaryDirectory(dir="build/bench") as folder:
            print(f"measuring {i.name}", file=sys.stderr)
            columns[i.name] = Rounds(i, folder).all_rounds(rows, args.rounds)
        for name, c in columns[i.name].items():
            report.note("cost", input=i.name, program=name, **asdict(c))
    report.say("\nCPU time as a multiple of the null loop | nanoseconds a packet | peak MiB")
    report.say("%-27s" % "program" + "".join(" | %22s" % i.name for i in given))
    for p in rows:
        cells = [columns[i.name].get(p.name) for i in given]
        here = "failed" if is_here(p) else "missing"
        report.say("%-27s" % p.name + "".join(" | %22s" % (c or here) for c in cells))
        if not any(cells):
            report.note("absent", program=p.name, why=here)
    for (name, which), wanted in GOALS.items():
        if c := columns.get(name, {}).get(mode(which)):
            report.hold(f"{name}, {which}: times the null loop", c.ratio, wanted)


def show_threads(report: Report, args: argparse.Namespace, given: list[Input]) -> None:
    """Wall time with two threads beside one."""
    report.say("\n%-22s %10s %10s %8s" % ("wall seconds", "1 thread", "2 threads", "times"))
    for i in given:
        if i.name not in ("web", "mix"):
            continue
        for which in (PLAIN, TYPICAL, EVERYTHING):
            walls = []
            with tempfile.TemporaryDirectory(dir="build/bench") as folder:
                for _ in range(args.rounds):
                    pair = []
                    for threads in (1, 2):
                        empty(folder)
                        pair.append(run(ours(args.program, which, threads)(i.path, folder)).wall)
                    walls.append(pair)
            one, two = (median(w[k] for w in walls) for k in (0, 1))
            times = median(w[0] / w[1] for w in walls)
            report.say("%-22s %10.2f %10.2f %8.2f" % (f"{i.name}, {which}", one, two, times))
            report.note("threads", input=i.name, mode=which, one=one, two=two, times=times)
            report.hold(f"{i.name}, {which}: two threads, times one", times, SPEEDUP, most=False)


def show_memory(report: Report, args: argparse.Namespace) -> None:
    """Bytes of a plain flow, by memory.py."""
    command = [sys.executable, "bench/memory.py", "--plain", "--program", args.program]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True)
    report.say("\nmemory of a living flow")
    for line in done.stdout.splitlines():
        report.say(line)
        name, size = line.rsplit(None, 4)[0].strip(), float(line.split()[-4])
        report.note("memory", flow=name, bytes=size)
        report.hold(f"memory of a flow, {name}: bytes", size, FLOW_BYTES)


def show_pause(report: Report) -> None:
    """The longest pause on the packet path, by bench/pause; its last line has milliseconds."""
    subprocess.run(["make", "-s", PAUSE], capture_output=True, check=False)
    if not os.path.exists(PAUSE):
        report.say(f"\n{PAUSE} cannot be made here")
        return
    flows = round(PAUSE_FLOWS * inputs.scale())
    command = [PAUSE, str(flows), *PAUSE_OPTIONS]
    done = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=False)
    report.say("\n" + done.stdout.rstrip())
    found = re.findall(r"longest pause: ([\d.]+) ms", done.stdout)
    if done.returncode != 0 or not found:
        report.say(f"{' '.join(command)} failed")
        return
    report.note("pause", flows=flows, longest_ms=float(found[-1]))
    report.hold("longest pause on the packet path: ms", float(found[-1]), PAUSE_MS)


def show_machine(report: Report, args: argparse.Namespace) -> None:
    """Where, and what."""
    cpu = platform.processor()
    try:
        with open("/proc/cpuinfo", encoding="utf-8") as lines:
            cpu = next((x.split(":")[1].strip() for x in lines if x.startswith("model name")), cpu)
    except OSError:
        pass
    load = os.getloadavg()[0]
    report.say(
        "%s, %d processors, load %.1f; %d rounds, scale %g"
        % (cpu, os.cpu_count() or 1, load, args.rounds, inputs.scale())
    )
    report.note("machine", cpu=cpu, processors=os.cpu_count(), load=load, rounds=args.rounds)


PARTS = ("table", "threads", "memory", "pause")


def main() -> int:
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--rounds", type=int, default=int(os.environ.get("BENCH_ROUNDS", "3")))
    ap.add_argument("--peers", default=os.environ.get("BENCH_PEERS", ""), help="begins of names")
    ap.add_argument("--parts", default=",".join(PARTS), help="of " + ", ".join(PARTS))
    ap.add_argument("--out", default="build", help="folder of bench.txt and bench.json")
    args = ap.parse_args()
    args.peers = args.peers.split(",")
    parts = args.parts.split(",")
    os.makedirs("build/bench", exist_ok=True)
    report = Report(args.out)
    show_machine(report, args)
    given = get_inputs(report, args.program)
    if "table" in parts:
        show_table(report, args, given)
    if "threads" in parts:
        show_threads(report, args, given)
    if "memory" in parts:
        show_memory(report, args)
    if "pause" in parts:
        show_pause(report)
    report.say_goals()
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
