# SPDX-License-Identifier: BSD-3-Clause
"""Programs on one input, in turn, round by round.

A peer that took long in the first round is not run again.
"""

from __future__ import annotations

import os
import sys
from dataclasses import dataclass
from statistics import median

from inputs import slice_of
from measure import Failed, empty, run
from programs import Program, is_here, packets_of

LONG = 3.0  # CPU seconds; a peer that takes more has one round


@dataclass(frozen=True)
class Input:
    """A capture and what is in it."""

    name: str
    path: str
    packets: int
    flows: int


@dataclass(frozen=True)
class Cell:
    """A program on an input."""

    ratio: float  # times the null loop, packet for packet
    ns: float  # CPU nanoseconds a packet
    peak: float  # MiB
    rounds: int
    sliced: bool

    def __str__(self) -> str:
        size = "%.2f" if self.ratio < 100 else "%.0f"
        ratio = ("~" if self.sliced else "") + size % self.ratio
        return "%8s %6.0f %6.0f" % (ratio, self.ns, self.peak)


class Rounds:
    """One input, and all programs on it in turn."""

    def __init__(self, given: Input, folder: str) -> None:
        self.given, self.folder = given, folder
        self.slices: dict[int, tuple[str, int]] = {}
        self.seen: dict[str, list[tuple[float, float, float]]] = {}
        self.failed: set[str] = set()

    def capture_of(self, p: Program) -> tuple[str, int]:
        """Path and number of packets of what a program is shown."""
        most = packets_of(p, self.given.name)
        if most == 0 or most >= self.given.packets:
            return self.given.path, self.given.packets
        if most not in self.slices:
            path = os.path.join(self.folder, f"{most}.pcap")
            self.slices[most] = (path, slice_of(self.given.path, most, path))
        return self.slices[most]

    def once(self, p: Program, null: float) -> float:
        """One run; CPU seconds a packet."""
        capture, packets = self.capture_of(p)
        out = os.path.join(self.folder, "out")
        os.makedirs(out, exist_ok=True)
        empty(out)
        cost = run(p.command(capture, out))
        each = cost.cpu / packets
        self.seen.setdefault(p.name, []).append((each / (null or each), each * 1e9, cost.peak))
        return each

    def is_due(self, p: Program, turn: int) -> bool:
        """Whether a program runs in that round."""
        if p.name in self.failed or not is_here(p):
            return False
        if turn == 0 or not p.peer:
            return True
        return self.seen[p.name][0][1] * 1e-9 * self.capture_of(p)[1] < LONG

    def all_rounds(self, rows: list[Program], rounds: int) -> dict[str, Cell]:
        """{program: what it cost}; the first row is the one that all are a multiple of."""
        run(rows[0].command(self.given.path, self.folder))  # warms the page cache
        for turn in range(rounds):
            null = 0.0
            for p in rows:
                if not self.is_due(p, turn):
                    continue
                try:
                    each = self.once(p, null)
                except Failed as error:
                    if not p.peer:
                        raise
                    print(f"left out: {error}", file=sys.stderr)
                    self.failed.add(p.name)
                    continue
                null = null or each
        return {p.name: self.cell(p) for p in rows if self.seen.get(p.name)}

    def cell(self, p: Program) -> Cell:
        """Medians."""
        rows = self.seen[p.name]
        sliced = self.capture_of(p)[1] < self.given.packets
        ratio, ns, peak = median(r[0] for r in rows), median(r[1] for r in rows), rows[0][2]
        return Cell(ratio, ns, peak, len(rows), sliced)
