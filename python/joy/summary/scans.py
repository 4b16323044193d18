# SPDX-License-Identifier: BSD-3-Clause
"""Who knocks at many doors: scans of ports and hosts, and floods, from TCP that came to nothing."""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

CAP = 1 << 17  # attempts (initiator, responder, port) that are kept
DOORS = 20  # ports of one host, or hosts at one port, that make a scan
FLOOD = 100  # unanswered attempts at one port of one host that make a flood

_KEY = ["sa", "da", "dp"]


class Scans:
    """Attempts at TCP connections that got no answer or a reset, by who tried what."""

    def __init__(self) -> None:
        self.capped = False
        self._state: pa.Table | None = None

    def add(self, failed: pa.Table) -> None:
        """Add flows: columns sa, da, dp and flow_id; unanswered or refused ones only."""
        if not failed.num_rows:
            return
        one = pa.repeat(pa.scalar(1, pa.int64()), failed.num_rows)
        columns = [failed.column(n) for n in _KEY] + [one, failed.column("flow_id")]
        new = pa.table(columns, [*_KEY, "flows", "flow_id"])
        both = new if self._state is None else pa.concat_tables([self._state, new])
        state = _sums(both, _KEY, [("flows", "sum"), ("flow_id", "min")])
        self.capped = self.capped or state.num_rows > CAP
        self._state = state.slice(0, CAP)

    def result(self, top: int) -> list[dict[str, Any]]:
        """Scans and floods, the largest first, at most 'top' of each kind."""
        if self._state is None:
            return []
        found = self._scans(["sa", "da"], "port_scan", "ports", top)
        found += self._scans(["sa", "dp"], "host_scan", "hosts", top)
        return found + self._floods(top)

    def _scans(self, by: list[str], kind: str, unit: str, top: int) -> list[dict[str, Any]]:
        how = [("flow_id", "count"), ("flows", "sum"), ("flow_id", "min")]
        doors = _sums(self._state, by, how, [unit, "flows", "flow_id"])
        many = doors.filter(pc.greater_equal(doors.column(unit), DOORS))
        return [{"kind": kind, **row} for row in _largest(many, unit, by, top)]

    def _floods(self, top: int) -> list[dict[str, Any]]:
        how = [("flows", "sum"), ("sa", "count"), ("flow_id", "min")]
        doors = _sums(self._state, ["da", "dp"], how, ["flows", "initiators", "flow_id"])
        many = doors.filter(pc.greater_equal(doors.column("flows"), FLOOD))
        return [{"kind": "flood", **row} for row in _largest(many, "flows", ["da", "dp"], top)]


def _sums(table: Any, by: list[str], how: list[Any], names: list[str] | None = None) -> pa.Table:
    added = table.group_by(by, use_threads=False).aggregate(how)
    columns = [added.column(n) for n in by] + [added.column(f"{n}_{f}") for n, f in how]
    return pa.table(columns, by + (names or [n for n, _ in how]))


def _largest(table: pa.Table, value: str, by: list[str], top: int) -> list[dict[str, Any]]:
    order = pc.sort_indices(table, [(value, "descending"), *((n, "ascending") for n in by)])
    return table.take(order[:top]).to_pylist()
