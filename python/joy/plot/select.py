# SPDX-License-Identifier: BSD-3-Clause
"""Which flows are drawn, as records."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pyarrow as pa

from joy.errors import UsageError
from joy.inputs import Flows
from joy.sources import all_columns

_BASE = "sa da pr sp dp bytes_out bytes_in time_start time_end flow_id part"
COLUMNS = {
    "packets": "packets tls.srlt tls.version tls.sni quic.version quic.packets",
    "bytes": "byte_dist tls.version tls.sni",
    "lengths": "packets tls.version tls.sni",
    "times": "packets tls.version tls.sni",
    "hosts": "tls.protocol tls.version tls.sni quic.version",
}
NEEDED = {"packets": "packets", "bytes": "byte_dist", "lengths": "packets", "times": "packets"}
_TIMES = ("time_start", "time_end")


def columns(kind: str, extra: tuple[str, ...] = ()) -> tuple[str, ...]:
    """What to ask Flows for: what a kind of plot draws, and what a condition asks about."""
    return tuple(dict.fromkeys([*_BASE.split(), *COLUMNS[kind].split(), *extra]))


def mentioned(condition: str) -> tuple[str, ...]:
    """Columns that a condition names."""
    words = {w.lower() for w in re.findall(r"\w+", condition)}
    return tuple(n for n in all_columns().names if n.lower() in words)


def number(flow: str) -> tuple[int, int | None]:
    """ID or ID:PART as numbers.

    Raises:
        UsageError: it is neither.
    """
    found = re.fullmatch(r"(\d+)(?::(\d+))?", flow)
    if not found:
        raise UsageError(f"--flow {flow}: wants a flow_id, or flow_id:part, as 41 or 41:2")
    return int(found[1]), int(found[2]) if found[2] else None


def records(flows: Flows, kind: str, condition: str | None) -> Iterator[dict[str, Any]]:
    """Records of the flows for which an SQL condition is true; times are ns since 1970.

    Raises:
        UsageError: it is no condition, or asks for fields that are not there.
    """
    roots = {n.split(".")[0] for n in columns(kind)}
    for batch in flows:
        table = pa.Table.from_batches([batch])
        if condition:
            table = table.take(_true(table, condition))
        yield from _plain(table.select([n for n in table.column_names if n in roots]))


def condition(flow: str | None, where: str | None) -> str | None:
    """--flow and --where as one condition."""
    parts = [f"({where})"] if where else []
    if flow:
        flow_id, part = number(flow)
        parts.append(f"flow_id = {flow_id}" + (f" AND part = {part}" if part else ""))
    return " AND ".join(parts) or None


def _true(table: pa.Table, condition: str) -> pa.Array:
    """Rows for which a condition is true."""
    import duckdb

    numbered = table.append_column("joy_row", pa.array(range(table.num_rows), pa.int64()))
    with duckdb.connect(config={"threads": 1, "enable_external_access": "false"}) as connection:
        connection.register("flows", numbered)
        try:
            ask = f"SELECT joy_row FROM flows WHERE {condition} ORDER BY joy_row"
            return pa.array([row[0] for row in connection.execute(ask).fetchall()], pa.int64())
        except duckdb.Error as wrong:
            line = str(wrong).splitlines()[0]
            raise UsageError(f"--where: {line}") from None


def _plain(table: pa.Table) -> list[dict[str, Any]]:
    for name in _TIMES:
        at = table.column_names.index(name)
        table = table.set_column(at, name, table.column(name).cast(pa.int64()))
    return table.to_pylist()
