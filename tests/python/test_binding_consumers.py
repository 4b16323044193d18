# SPDX-License-Identifier: BSD-3-Clause
"""Who takes a stream as it is, and that JSON, Arrow, Parquet and JSON read back say the same."""

from __future__ import annotations

import ipaddress
import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import joy
import pyarrow as pa
import pytest
from kit import ROOT
from program import program

SAMPLE = ROOT / "sample.pcap"
CAPTURES = [SAMPLE, *sorted((ROOT / "tests/fixtures").glob("*.pcap*"))]


# --- the same values -----------------------------------------------------------------------------
def as_json(field: pa.Field, value: Any) -> Any:
    """A value of a column as JSON has it, without what is null.

    Times are exact; other fractions have 15 digits in JSON, as its documentation says.
    """
    kind = field.type
    if pa.types.is_struct(kind):
        there = [f for f in kind if value[f.name] is not None]
        return {f.name: as_json(f, value[f.name]) for f in there}
    if pa.types.is_list(kind):
        return [as_json(kind.value_field, v) for v in value]
    if pa.types.is_binary(kind):
        return value.hex()
    if pa.types.is_floating(kind) and (field.metadata or {}).get(b"type") not in (b"ms", b"s"):
        return float(f"{value:.15g}")
    return value


def rows_of(table: pa.Table) -> list[dict]:
    """Records as JSON has them; times are whole nanoseconds."""
    fields = []
    for f in table.schema:
        fields.append(f.with_type(pa.int64()) if pa.types.is_timestamp(f.type) else f)
    numbers = table.cast(pa.schema(fields))
    record = pa.field("record", pa.struct(fields))
    return [as_json(record, row) for row in numbers.to_pylist()]


def from_json(item: Any, key: str = "") -> Any:
    """A JSON value for comparison: null members out, moments as whole nanoseconds."""
    if isinstance(item, dict):
        return {k: from_json(v, k) for k, v in item.items() if v is not None}
    if isinstance(item, list):
        return [from_json(v) for v in item]
    if key in ("time_start", "time_end"):
        return int(Decimal(item) * 10**9)
    return float(item) if isinstance(item, Decimal) else item


def program_json(capture: Path, *options: str) -> tuple[bytes, list[dict]]:
    """Lines of pcap2flow, and its records."""
    command = [str(program()), "bidir=1", *options, str(capture)]
    out = subprocess.run(command, check=True, capture_output=True).stdout
    lines = [json.loads(line, parse_float=Decimal) for line in out.splitlines()[1:-1]]
    return out, [from_json(line) for line in lines]


def differences(one: list[dict], other: list[dict]) -> list[str]:
    """What is not the same, field by field."""
    found = [] if len(one) == len(other) else [f"{len(one)} and {len(other)} records"]
    for number, (a, b) in enumerate(zip(one, other, strict=False)):
        keys = [k for k in {**a, **b} if a.get(k) != b.get(k)]
        found += [f"record {number} {k}: {a.get(k)!r} and {b.get(k)!r}" for k in keys]
    return found


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda p: p.name)
def test_json_arrow_and_parquet_hold_the_same(capture: Path, tmp_path: Path) -> None:
    import pyarrow.parquet

    text, expected = program_json(capture, "features=all")
    table = joy.read(capture, features="all").read_all()
    assert differences(expected, rows_of(table)) == []

    pyarrow.parquet.write_table(table, tmp_path / "flows.parquet")
    back = pyarrow.parquet.read_table(tmp_path / "flows.parquet")
    assert differences(expected, rows_of(back)) == []

    (tmp_path / "flows.json").write_bytes(text)
    lines = joy.read_json(tmp_path / "flows.json").read_all()
    assert differences(expected, rows_of(lines)) == []


def test_order_of_columns_is_that_of_the_record() -> None:
    _, expected = program_json(SAMPLE, "features=all")
    names = joy.schema(features="all").names
    for record in expected:
        assert [n for n in names if n in record] == list(record)


def test_addresses_as_bytes_are_those_of_the_text() -> None:
    for capture in (SAMPLE, ROOT / "tests/fixtures/web6.pcap"):
        texts = joy.read(capture, columns=["sa", "da"]).read_all()
        binary = joy.read(capture, columns=["sa", "da"], addresses="binary").read_all()
        for column in ("sa", "da"):
            both = zip(
                texts.column(column).to_pylist(), binary.column(column).to_pylist(), strict=True
            )
            for text, raw in both:
                address = ipaddress.ip_address(text)
                mapped = f"::ffff:{text}" if address.version == 4 else text
                assert ipaddress.IPv6Address(raw) == ipaddress.IPv6Address(mapped)


# --- who takes it --------------------------------------------------------------------------------
@pytest.fixture(scope="module")
def expected() -> pa.Table:
    """All flows of the sample with everything."""
    return joy.read(SAMPLE, features="all").read_all()


def test_pyarrow_takes_it(expected: pa.Table) -> None:
    assert pa.table(joy.read(SAMPLE, features="all")).equals(expected)
    reader = pa.RecordBatchReader.from_stream(joy.read(SAMPLE, features="all"))
    assert reader.read_all().equals(expected)
    assert pa.schema(joy.read(SAMPLE, features="all")) == expected.schema


def test_polars_takes_it(expected: pa.Table) -> None:
    import polars

    frame = polars.DataFrame(joy.read(SAMPLE, features="all"))
    assert frame["sa"].to_list() == expected.column("sa").to_pylist()
    assert frame["ip"].to_list() == expected.column("ip").to_pylist()
    assert frame.equals(joy.read(SAMPLE, features="all").to_polars())


def test_pandas_takes_it(expected: pa.Table) -> None:
    import pandas

    frame = pandas.DataFrame.from_arrow(joy.read(SAMPLE, features="all"))
    assert list(frame["da"]) == expected.column("da").to_pylist()
    assert list(joy.read(SAMPLE).to_pandas()["da"]) == list(frame["da"])


def test_duckdb_takes_it(expected: pa.Table) -> None:
    import duckdb

    stream = joy.read(SAMPLE, features="all")
    found = duckdb.sql(
        "select sa, sum(bytes_in)::bigint, count(*) from stream group by sa"
    ).fetchall()
    counted: dict[str, list[int]] = {}
    for row in expected.select(["sa", "bytes_in"]).to_pylist():
        sums = counted.setdefault(row["sa"], [0, 0])
        sums[0] += row["bytes_in"] or 0
        sums[1] += 1
    assert {sa: [total or 0, n] for sa, total, n in found} == counted
    assert stream.summary["records"] == len(expected)


def test_parquet_and_ipc_writers_take_it(expected: pa.Table, tmp_path: Path) -> None:
    import pyarrow.parquet

    stream = joy.read(SAMPLE, features="all")
    with pyarrow.parquet.ParquetWriter(tmp_path / "x.parquet", stream.schema) as writer:
        for batch in stream:
            writer.write_batch(batch)
    read = pyarrow.parquet.read_table(tmp_path / "x.parquet")
    assert rows_of(read) == rows_of(expected)


# --- documents -----------------------------------------------------------------------------------
@pytest.mark.parametrize("page", ["README.md", "doc/python.md"])
def test_the_five_lines_of_python_run(page: str, tmp_path: Path) -> None:
    """The block behind the marker, wherever it stands, in a folder with the sample."""
    found = re.search(
        r"<!-- run: five lines of Python -->\s*```python\n(.*?)```",
        (ROOT / page).read_text(),
        re.DOTALL,
    )
    if found is None:
        pytest.skip(f"{page} has no such block")
    assert len([line for line in found[1].splitlines() if line.strip()]) <= 5
    (tmp_path / "sample.pcap").symlink_to(SAMPLE)
    done = subprocess.run(
        [sys.executable, "-c", found[1]],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=False,
        env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
    )
    assert done.returncode == 0, done.stderr
    flows = len(joy.read(SAMPLE).read_all())
    counts = [int(n) for n in re.findall(r"^│ \d+ +┆ (\d+) +│$", done.stdout, re.MULTILINE)]
    assert sum(counts) == flows, done.stdout
    assert "da" in done.stdout and "bytes" in done.stdout
