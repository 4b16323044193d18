# SPDX-License-Identifier: BSD-3-Clause
"""Answers of a query as table, CSV, JSON or Parquet."""

from __future__ import annotations

import csv
import json
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import timedelta
from decimal import Decimal
from itertools import chain, islice
from typing import IO, Any

import pyarrow as pa
from rich.table import Table

from joy import console, unify

FORMATS = ("table", "csv", "json", "jsonl", "parquet")
ROWS = 1000  # of a table that are lined up with each other
WIDTH = 60  # of a cell on a terminal

Row = dict[str, Any]


# --- values --------------------------------------------------------------------------------------
def rows(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[Row]:
    """Rows of plain values: times as RFC 3339 text, bytes as hexadecimal digits."""
    plain = [plainly(field.type) for field in schema]
    kinds = [_whole_numbers(field.type) for field in schema]
    for batch in batches:
        columns = [
            [make(value) for value in _as(column, kind).to_pylist()]
            for column, kind, make in zip(batch.columns, kinds, plain, strict=True)
        ]
        for values in zip(*columns, strict=True):
            yield dict(zip(schema.names, values, strict=True))


def _whole_numbers(kind: pa.DataType) -> pa.DataType:
    """The type with times as numbers, of which Python keeps the nanoseconds."""
    if pa.types.is_timestamp(kind):
        return pa.int64()
    if pa.types.is_struct(kind):
        return pa.struct([one.with_type(_whole_numbers(one.type)) for one in kind])
    if unify.is_list(kind):
        return pa.list_(_whole_numbers(kind.value_type))
    return kind


def _as(array: pa.Array, kind: pa.DataType) -> pa.Array:
    return unify.adapt_array("", array, kind, lambda *_: None)


def plainly(kind: pa.DataType) -> Callable[[Any], Any]:
    """How a value of this type, as Python has it, becomes one that JSON has."""
    if pa.types.is_timestamp(kind):
        return lambda value: None if value is None else moment(value, kind.unit, kind.tz)
    if pa.types.is_struct(kind):
        parts = [(one.name, plainly(one.type)) for one in kind]
        return lambda value: None if value is None else {n: f(value[n]) for n, f in parts}
    if unify.is_list(kind):
        inner = plainly(kind.value_type)
        return lambda value: None if value is None else [inner(one) for one in value]
    return _plain


def _plain(value: Any) -> Any:
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, Decimal):
        return int(value) if value == value.to_integral_value() else float(value)
    if isinstance(value, timedelta):
        return str(value)
    if isinstance(value, pa.MonthDayNano):
        return _span(value)
    if isinstance(value, float) and (value != value or value in (float("inf"), float("-inf"))):
        return None
    return value.isoformat() if hasattr(value, "isoformat") else value


def moment(value: int, unit: str, zone: str | None) -> str:
    """A time, in units since 1970, as RFC 3339 text; digits of a second in threes as needed."""
    per = {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[unit]
    seconds, part = divmod(value, per)
    text = str(pa.scalar(seconds, pa.timestamp("s")).as_py()).replace(" ", "T")
    digits = f"{part * (10**9 // per):09d}"
    while digits.endswith("000"):
        digits = digits[:-3]
    return text + (f".{digits}" if digits else "") + ("Z" if zone else "")


def _span(value: pa.MonthDayNano) -> str:
    months, days, ns = value
    seconds = Decimal(days * 86400) + Decimal(ns).scaleb(-9)
    text = f"{seconds.normalize():f} s"
    return f"{months} months {text}" if months else text


def without_null(value: Any) -> Any:
    """The value without keys that have none, as records are."""
    if isinstance(value, dict):
        return {key: without_null(one) for key, one in value.items() if one is not None}
    return [without_null(one) for one in value] if isinstance(value, list) else value


def cell(value: Any) -> str:
    """A value in a cell: nothing for null, JSON for lists and objects."""
    if value is None:
        return ""
    if isinstance(value, (dict, list)):
        return _json(without_null(value))
    return str(value).lower() if isinstance(value, bool) else str(value)


def _json(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))


# --- formats -------------------------------------------------------------------------------------
def write(form: str, names: Sequence[str], found: Iterable[Row], to: IO[str], bare: bool) -> int:
    """Writes rows in a format, not Parquet; without nulls where `bare`. Returns how many."""
    counted = _Counted(found)
    {"table": _table, "csv": _csv, "json": _array, "jsonl": _lines}[form](
        names, (without_null(row) for row in counted) if bare else counted, to
    )
    return counted.number


class _Counted:
    def __init__(self, found: Iterable[Row]) -> None:
        self._found, self.number = found, 0

    def __iter__(self) -> Iterator[Row]:
        for row in self._found:
            self.number += 1
            yield row


def _csv(names: Sequence[str], found: Iterable[Row], to: IO[str]) -> None:
    table = csv.writer(to, lineterminator="\n")
    table.writerow(names)
    table.writerows([cell(row.get(name)) for name in names] for row in found)


def _lines(names: Sequence[str], found: Iterable[Row], to: IO[str]) -> None:
    to.writelines(_json(row) + "\n" for row in found)


def _array(names: Sequence[str], found: Iterable[Row], to: IO[str]) -> None:
    between = "["
    for row in found:
        to.write(between + _json(row))
        between = ",\n"
    to.write("[]\n" if between == "[" else "]\n")


def _table(names: Sequence[str], found: Iterable[Row], to: IO[str]) -> None:
    numbers: set[str] = set()
    lines = _cells(names, found, numbers)
    if console.out.is_terminal and to is console.out.file:
        _rich(names, list(islice(lines, ROWS)), numbers)
        if next(lines, None) is not None:
            console.warn(f"only the first {ROWS} rows are shown; --format csv or -O FILE gives all")
        return
    first = list(islice(lines, ROWS))
    widths = [max(map(len, column)) for column in zip(names, *first, strict=True)]
    for line in chain([list(names)], first, lines):
        padded = (
            text.rjust(width) if name in numbers else text.ljust(width)
            for name, text, width in zip(names, line, widths, strict=True)
        )
        to.write("  ".join(padded).rstrip() + "\n")


def _cells(names: Sequence[str], found: Iterable[Row], numbers: set[str]) -> Iterator[list[str]]:
    for row in found:
        for name in names:
            if isinstance(row.get(name), (int, float)) and not isinstance(row[name], bool):
                numbers.add(name)
        yield [cell(row.get(name)) for name in names]


def _rich(names: Sequence[str], lines: Sequence[Sequence[str]], numbers: set[str]) -> None:
    table = Table(box=None, header_style="bold")
    for name in names:
        side = "right" if name in numbers else "left"
        table.add_column(name, justify=side, overflow="fold")  # type: ignore[arg-type]
    for line in lines:
        table.add_row(*(_short(text) for text in line))
    console.out.print(table, markup=False)


def _short(text: str) -> str:
    return text if len(text) <= WIDTH else text[: WIDTH - 1] + "…"
