#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""The share of short connections whose process pcap2flow finds, by each way to follow sockets.

bench/exe.py [COUNT [REAL]]: in a network namespace of its own, a sensor on the loopback, COUNT
(10000) connections of a small program that lives for a millisecond or two, and REAL (200) each of
curl and nc; see exe_clients.c.  What the records say is held against the truth.  Needs root.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter, defaultdict
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
HEAD = ("method", "client", "total", "right", "exact", "late", "guess", "wrong", "path", "hash")
WIDTHS = (10, 7, 6, 9, 6, 6, 6, 6, 9, 9)


@dataclass(frozen=True)
class Truth:
    """One connection: who, process id, port, when it began."""

    who: str
    pid: int
    port: int
    seconds: float


@contextmanager
def namespace():
    """A network namespace with its loopback up, removed at the end."""
    name = f"joy-exe-{os.getpid()}"
    subprocess.run(["ip", "netns", "add", name], check=True)
    try:
        subprocess.run(["ip", "-n", name, "link", "set", "lo", "up"], check=True)
        yield ["ip", "netns", "exec", name]
    finally:
        subprocess.run(["ip", "netns", "del", name], check=True)


def wait_for_line(log: Path, words: str, process: subprocess.Popen) -> None:
    """Until the sensor has said so."""
    while words not in log.read_text():
        if process.poll() is not None:
            raise SystemExit(f"bench/exe.py: the sensor has ended: {log.read_text()}")
        time.sleep(0.01)


def run(method: str, clients: Path, counts: list[str], folder: Path) -> tuple[list, list]:
    """The truth, and the records."""
    out, log = folder / f"{method}.json", folder / f"{method}.log"
    sensor = [ROOT / "pcap2flow", "interface=lo", "bidir=1", "exe=1", f"exe_by={method}"]
    sensor += ["verbosity=2", "username=none", f"output={out}"]
    with namespace() as inside, log.open("wb") as said:
        process = subprocess.Popen([*inside, *map(str, sensor)], stderr=said)
        wait_for_line(log, "capturing from lo", process)
        done = subprocess.run([*inside, str(clients), *counts], stdout=subprocess.PIPE, check=True)
        process.terminate()
        process.wait()
    words = [line.split() for line in done.stdout.decode().splitlines()]
    truth = [Truth(w[0], int(w[1]), int(w[2]), int(w[3]) / 1e9) for w in words]
    records = [json.loads(line) for line in out.read_text().splitlines()]
    return truth, [r for r in records if r.get("pr") == 6]


def tally(found: list[tuple[dict | None, int]]) -> list[str]:
    """The columns from 'total' on, of pairs of what a record says and the true process id."""
    total = len(found)
    right = [exe for exe, pid in found if exe is not None and exe["pid"] == pid]
    sure = Counter(exe["confidence"] for exe in right)
    wrong = sum(exe is not None and exe["pid"] != pid for exe, pid in found)

    def share(count: int) -> str:
        return f"{100 * count / total:.2f} %"

    return [
        str(total),
        share(len(right)),
        *(str(sure[word]) for word in ("exact", "late", "guess")),
        str(wrong),
        share(sum("path" in exe for exe in right)),
        share(sum("hash" in exe for exe in right)),
    ]


def print_row(row: list[str]) -> None:
    """One line of the table."""
    print(" ".join(word.rjust(width) for word, width in zip(row, WIDTHS, strict=True)), flush=True)


def report(method: str, truth: list[Truth], records: list[dict]) -> None:
    """A line for each kind of client, and one for the server's end."""
    server, *clients = truth
    by_port = defaultdict(list)
    for r in records:
        if r["dp"] == server.port:
            by_port[r["sp"]].append(r)
    found, at_server = defaultdict(list), []
    for t in clients:
        near = by_port[t.port]
        best = min(near, key=lambda r: abs(r["time_start"] - t.seconds), default={})
        ends = {exe["side"]: exe for key in ("exe", "exe_peer") if (exe := best.get(key))}
        found[t.who].append((ends.get(">"), t.pid))
        at_server.append((ends.get("<"), server.pid))
    for who, pairs in [*found.items(), ("server", at_server)]:
        print_row([method, who, *tally(pairs)])


def main() -> None:
    """Each method in turn."""
    counts = [*sys.argv[1:3], *["10000", "200"][len(sys.argv) - 1 :]]
    if os.geteuid() != 0:
        raise SystemExit("bench/exe.py: needs root, for a network namespace")
    with tempfile.TemporaryDirectory(prefix="joy-exe-") as name:
        clients = Path(name) / "exe_clients"
        flags = ["-O2", "-std=c17", "-D_GNU_SOURCE"]
        subprocess.run(["cc", *flags, "-o", clients, ROOT / "bench/exe_clients.c"], check=True)
        print_row(list(HEAD))
        for method in ("ebpf", "sock_diag", "proc"):
            report(method, *run(method, clients, counts, Path(name)))


if __name__ == "__main__":
    main()
