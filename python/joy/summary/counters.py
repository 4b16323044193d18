# SPDX-License-Identifier: BSD-3-Clause
"""Sums per key in bounded memory, a column at a time.

As long as there are few keys the sums are exact.  When there are more than the cap, the smaller
half is forgotten, and the largest sum among what was forgotten is added to `missing`: a key's sum
is then at most that much too small, for it can have been forgotten once each time, with no more
than that (compare Misra and Gries, Finding Repeated Elements, 1982, and the mergeable summaries
of Agarwal et al., 2012).
"""

from __future__ import annotations

from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

CAP = 1 << 17  # keys that a counter keeps
PENDING = 1 << 16  # rows that wait to be added up with the rest


class Top:
    """Sums of several values per key; the first value named is what decides who stays.

    Attributes:
        missing: how much a key's first sum can be too small; 0 while all keys were kept.
    """

    def __init__(self, *sums: str, cap: int = CAP) -> None:
        self.sums = sums or ("flows",)
        self.cap = cap
        self.missing = 0
        self.forgotten = 0
        self._state: pa.Table | None = None
        self._pending: list[pa.Table] = []
        self._waiting = 0

    def add(self, key: pa.Array | None, **values: pa.Array) -> None:
        """Add rows; a key that is null has none.  Values are int64; none given: each row is 1."""
        if key is None or len(key) == key.null_count:
            return
        if not values:
            values = {self.sums[0]: pa.repeat(pa.scalar(1, pa.int64()), len(key))}
        table = pa.table({"key": key, **values})
        if key.null_count:
            table = table.filter(pc.is_valid(key))
        self._pending.append(self._grouped(table))
        self._waiting += self._pending[-1].num_rows
        if self._waiting > PENDING:
            self._merge()

    def _grouped(self, table: pa.Table) -> pa.Table:
        group = table.group_by("key", use_threads=False)
        added = group.aggregate([(name, "sum") for name in self.sums])
        columns = [added.column("key"), *(added.column(f"{name}_sum") for name in self.sums)]
        return pa.table(columns, ["key", *self.sums])

    def _merge(self) -> None:
        parts = [self._state] if self._state is not None else []
        if self._pending:
            self._state = self._grouped(pa.concat_tables(parts + self._pending))
        self._pending, self._waiting = [], 0
        if self._state is not None and self._state.num_rows > self.cap:
            self._forget(self._state)

    def _forget(self, state: pa.Table) -> None:
        order = self._order(state)
        keep = max(1, self.cap // 2)
        self.missing += state.column(self.sums[0])[order[keep].as_py()].as_py()
        self.forgotten += state.num_rows - keep
        self._state = state.take(order[:keep])

    def _order(self, table: pa.Table) -> pa.Array:
        return pc.sort_indices(table, [(self.sums[0], "descending"), ("key", "ascending")])

    def table(self) -> pa.Table:
        """All keys that are kept with their sums, largest first, then by key."""
        self._merge()
        if self._state is None:
            return pa.table({"key": pa.array([], pa.utf8()), **{n: [] for n in self.sums}})
        return self._state.take(self._order(self._state))

    def result(self, top: int) -> dict[str, Any]:
        """The largest, how many keys there are, and what can be wrong with that.

        `distinct` is a least number when `capped`; `missing_at_most` is in the unit of the first
        sum.
        """
        table = self.table()
        return {
            "distinct": table.num_rows,
            "capped": self.forgotten > 0,
            "missing_at_most": self.missing,
            "top": table.slice(0, top).to_pylist(),
        }
