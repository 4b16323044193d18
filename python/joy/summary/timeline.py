# SPDX-License-Identifier: BSD-3-Clause
"""Flows and bytes over time, in bins that widen while time goes on.

Bins begin at multiples of their width since 1970, and each width kept is a multiple of the one
before: wider bins are sums of narrower ones, whatever came first.
"""

from __future__ import annotations

from typing import Any

import numpy as np

MS, S, MIN, H, D = 10**6, 10**9, 60 * 10**9, 3600 * 10**9, 86400 * 10**9
KEPT = (MS, 10 * MS, 100 * MS, S, 10 * S, MIN, 10 * MIN, H, 6 * H, D, 10 * D, 100 * D)
SHOWN = tuple(
    sorted(
        [a * MS for a in (1, 2, 5, 10, 20, 50, 100, 200, 500)]
        + [a * S for a in (1, 2, 5, 10, 20, 30)]
        + [a * MIN for a in (1, 2, 5, 10, 20, 30)]
        + [a * H for a in (1, 2, 3, 6, 12)]
        + [a * D for a in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)]
    )
)
BINS = 4096  # kept at most


class Timeline:
    """Counts of flows by their start, and bytes spread evenly over each flow's time."""

    def __init__(self) -> None:
        self.width = KEPT[0]
        self.first = 0  # number of the first bin since 1970
        self.flows = np.zeros(0, np.int64)
        self.bytes = np.zeros(0)
        self.start: int | None = None
        self.end: int | None = None

    def add(self, start: np.ndarray, end: np.ndarray, size: np.ndarray) -> None:
        """Add flows: times of begin and end in ns since 1970, bytes; arrays of one length."""
        if not len(start):
            return
        end = np.maximum(start, end)
        low, high = int(start.min()), int(end.max())
        self.start = low if self.start is None else min(self.start, low)
        self.end = high if self.end is None else max(self.end, high)
        self._reach(self.start, self.end)
        begin, last = start // self.width - self.first, end // self.width - self.first
        self.flows += np.bincount(begin, minlength=len(self.flows))
        self._spread(start, end, begin, last, size.astype(float))

    def _spread(self, start: Any, end: Any, begin: Any, last: Any, size: Any) -> None:
        bins = len(self.bytes)
        one = begin == last
        self.bytes += np.bincount(begin[one], size[one], bins)
        start, end, begin, last, size = (a[~one] for a in (start, end, begin, last, size))
        rate = size / (end - start)  # bytes per ns
        head = ((begin + 1 + self.first) * self.width - start) * rate
        tail = (end - (last + self.first) * self.width) * rate
        inner = np.bincount(begin + 1, rate * self.width, bins + 1)
        inner -= np.bincount(last, rate * self.width, bins + 1)
        self.bytes += np.bincount(begin, head, bins) + np.bincount(last, tail, bins)
        if len(size):  # the sum of differences leaves crumbs where nothing is
            self.bytes += np.maximum(np.cumsum(inner)[:bins].round(6), 0)

    def _reach(self, low: int, high: int) -> None:
        """Make the bins cover from 'low' to 'high', and be few enough."""
        width = next((w for w in KEPT if high // w - low // w < BINS), KEPT[-1])
        width = max(width, self.width)
        first = low // width
        count = high // width - first + 1
        flows, sizes = np.zeros(count, np.int64), np.zeros(count)
        if len(self.flows):
            at = (np.arange(len(self.flows)) + self.first) * self.width // width - first
            np.add.at(flows, at, self.flows)
            np.add.at(sizes, at, self.bytes)
        self.width, self.first, self.flows, self.bytes = width, first, flows, sizes

    def result(self, bins: int) -> dict[str, Any]:
        """At most 'bins' bins of a width that people use: begin in ns, width in s, sums."""
        if self.start is None or self.end is None:
            return {"start_ns": None, "bin_s": None, "flows": [], "bytes": []}
        low, high = self.start, self.end
        fits = [w for w in SHOWN if w % self.width == 0 and high // w - low // w < bins]
        far = (high - low) // self.width // max(bins - 2, 1) + 1
        width = fits[0] if fits else far * self.width
        at = (np.arange(len(self.flows)) + self.first) * self.width // width - low // width
        return {
            "start_ns": low // width * width,
            "bin_s": width / 1e9,
            "flows": np.bincount(at, self.flows).astype(int).tolist(),
            "bytes": [round(float(b)) for b in np.bincount(at, self.bytes)],
        }
