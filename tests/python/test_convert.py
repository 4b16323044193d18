# SPDX-License-Identifier: BSD-3-Clause
"""joy convert: the same values in JSON, Arrow and Parquet; whole files or none."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest
import talks
from joy import writing
from kit import ROOT, joy
from talks import joy_here

CAPTURES = ["web.pcap", "tls.pcap", "quic.pcap", "dns.pcap", "icmp.pcap", "gre.pcap"]


def records(text: str) -> list[dict]:
    """The flows of JSON lines, numbers with all their decimals."""
    lines = [json.loads(line, parse_float=Decimal) for line in text.splitlines()]
    return [one for one in lines if "version" not in one and "summary" not in one]


def as_json(value: Any, kind: pa.DataType) -> Any:
    """A value of Arrow as the table of types says that JSON has it; None where it is left out."""
    if value is None:
        return None
    if pa.types.is_struct(kind):
        fields = {one.name: as_json(value[one.name], one.type) for one in kind}
        return {name: one for name, one in fields.items() if one is not None}
    if pa.types.is_list(kind):
        return [as_json(one, kind.value_type) for one in value]
    return value.hex() if isinstance(value, bytes) else value


def of_columns(table: pa.Table) -> list[dict]:
    """Rows as JSON has them; times as nanoseconds."""
    rows: list[dict] = [{} for _ in range(table.num_rows)]
    for field, column in zip(table.schema, table.columns, strict=True):
        times = pa.types.is_timestamp(field.type)
        values = (column.cast(pa.int64()) if times else column).to_pylist()
        for row, value in zip(rows, values, strict=True):
            plain = value if times else as_json(value, field.type)
            if plain is not None:
                row[field.name] = plain
    return rows


def of_json(record: dict) -> dict:
    """A record with times as nanoseconds, other numbers as doubles: as columns have them."""

    def plain(value: Any) -> Any:
        if isinstance(value, dict):
            return {key: plain(one) for key, one in value.items()}
        if isinstance(value, list):
            return [plain(one) for one in value]
        return float(value) if isinstance(value, Decimal) else value

    times = {name: int(record[name] * 10**9) for name in ("time_start", "time_end")}
    return {**plain(record), **times}


def same(a: Any, b: Any) -> bool:
    """Equal, where 3 and 3.0 are the same number, and an empty object is none.

    JSON has doubles with 15 digits.
    """
    if isinstance(a, dict) and isinstance(b, dict):
        return all(
            same(a.get(key), b.get(key)) or (a.get(key) in ({}, None) and b.get(key) in ({}, None))
            for key in a.keys() | b.keys()
        )
    if isinstance(a, list) and isinstance(b, list):
        return len(a) == len(b) and all(map(same, a, b))
    if isinstance(a, float) and isinstance(b, float):
        return f"{a:.15g}" == f"{b:.15g}"
    return a == b and isinstance(a, bool) == isinstance(b, bool)


def differing(a: dict, b: dict) -> dict:
    """Keys that differ, for the message."""
    return {key: (a.get(key), b.get(key)) for key in a.keys() | b.keys()
            if not same(a.get(key), b.get(key))}  # fmt: skip


def read(path: Path) -> pa.Table:
    """With another reader than the package's: all of a file."""
    if path.suffix == ".parquet":
        return pq.read_table(path)
    if path.suffix == ".arrow":
        return pa.ipc.open_file(str(path)).read_all()
    return pa.ipc.open_stream(str(path)).read_all()


# --- values --------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", CAPTURES)
def test_json_arrow_and_parquet_have_the_same_values(tmp_path: Path, name: str) -> None:
    capture = ROOT / "tests/fixtures" / name
    command = [str(ROOT / "pcap2flow"), "bidir=1", "features=all", str(capture)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    expected = [of_json(record) for record in records(text)]
    assert expected
    for suffix in ("parquet", "arrow", "arrows"):
        out = tmp_path / f"out.{suffix}"
        done = joy_here("convert", capture, out, "-o", "features=all")
        assert done.returncode == 0, done.stderr
        found = of_columns(read(out))
        assert len(found) == len(expected)
        for one, other in zip(found, expected, strict=True):
            assert not differing(one, other)


def test_from_json_as_from_the_capture(tmp_path: Path) -> None:
    capture = ROOT / "tests/fixtures/tls.pcap"
    command = [str(ROOT / "pcap2flow"), "bidir=1", "features=all", str(capture)]
    lines = tmp_path / "tls.json"
    lines.write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    found = []
    for source in (capture, lines):
        out = tmp_path / "out.parquet"
        assert joy_here("convert", source, out, "-o", "features=all").returncode == 0
        found.append(of_columns(read(out)))
    for one, other in zip(*found, strict=True):
        assert not differing(one, other)


def test_from_kind_to_kind(tmp_path: Path) -> None:
    source: Path = talks.write(tmp_path / "talks.pcap")
    tables = []
    for suffix in ("parquet", "arrow", "arrows", "parquet"):
        out = tmp_path / f"{len(tables)}.{suffix}"
        assert joy_here("convert", source, out).returncode == 0
        tables.append(read(out))
        source = out
    assert all(of_columns(table) == of_columns(tables[0]) for table in tables)
    for table in tables:
        assert table.schema.equals(tables[0].schema, check_metadata=False)
        found = [tuple(row.get(key) for key in talks.KEYS) for row in of_columns(table)]
        assert sorted(found, key=str) == sorted(talks.FLOWS, key=str)


def test_metadata_survives(tmp_path: Path) -> None:
    source = talks.write(tmp_path / "talks.pcap")
    for suffix in ("parquet", "arrow", "arrows"):
        out = tmp_path / f"out.{suffix}"
        assert joy_here("convert", source, out).returncode == 0
        field = read(out).schema.field("bytes_out")
        assert field.metadata[b"unit"] == b"bytes"


# --- Parquet -------------------------------------------------------------------------------------
def test_row_groups_and_statistics(tmp_path: Path) -> None:
    rows = 200_000
    schema = pa.schema([("dp", pa.uint16()), ("end", pa.dictionary(pa.int32(), pa.utf8()))])
    file = writing.Parquet(str(tmp_path / "x.parquet"), schema)
    for begin in range(0, rows, 8192):
        count = min(8192, rows - begin)
        word = pa.array(["a"] * count).dictionary_encode()
        ports = pa.array([n % 65536 for n in range(begin, begin + count)], pa.uint16())
        file.write(pa.record_batch([ports, word], schema=schema))
    file.close()
    found = pq.ParquetFile(tmp_path / "x.parquet").metadata
    groups = [found.row_group(n) for n in range(found.num_row_groups)]
    assert sum(group.num_rows for group in groups) == rows
    assert all(group.num_rows <= 131_072 for group in groups) and groups[0].num_rows >= 65_536
    column = groups[0].column(0)
    assert column.compression == "ZSTD" and column.statistics.max == 65535
    assert "RLE_DICTIONARY" in groups[0].column(1).encodings


def test_row_groups_are_bounded_by_bytes(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "GROUP_BYTES", 100_000)
    schema = pa.schema([("x", pa.utf8())])
    file = writing.Parquet(str(tmp_path / "x.parquet"), schema)
    for _ in range(10):
        file.write(pa.record_batch([pa.array(["y" * 1000] * 50)], schema=schema))
    file.close()
    assert pq.ParquetFile(tmp_path / "x.parquet").num_row_groups == 5


def test_partitions_by_hour(tmp_path: Path) -> None:
    first = talks.write(tmp_path / "1.pcap")  # 22:13 UTC
    second = talks.write(tmp_path / "2.pcap", later=2 * talks.HOUR)
    out = tmp_path / "out"
    assert joy_here("convert", first, second, out, "--partition", "hour").returncode == 0
    files = sorted(str(path.relative_to(out)) for path in out.rglob("*") if path.is_file())
    assert files == [
        "hour=2023-11-14T22/flows-0.parquet",
        "hour=2023-11-15T00/flows-0.parquet",
    ]
    assert [pq.read_metadata(out / name).num_rows for name in files] == [5, 5]
    assert not list(tmp_path.glob("*.part"))
    count = joy_here("query", "SELECT count(*) AS n FROM flows", out, "--format", "csv")
    assert count.stdout == "n\n10\n"
    again = joy_here("convert", first, out, "--partition", "hour")
    assert again.returncode == 2 and "not empty" in again.stderr


def test_more_hours_than_open_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(writing, "OPEN_FILES", 2)
    ns = pa.array([hour * talks.HOUR for hour in (0, 1, 2, 0, 1, 2, 2)])
    times = ns.cast(pa.timestamp("ns", "UTC"))
    batch = pa.record_batch([times], names=["time_start"])
    partitions = writing.Partitions(str(tmp_path), batch.schema)
    for row in range(batch.num_rows):
        partitions.write(batch.slice(row, 1))
    partitions.close()
    found = sorted(tmp_path.rglob("*.parquet"))
    table = pa.concat_tables(pq.read_table(path, partitioning=None) for path in found)
    assert sorted(table.column(0).to_pylist()) == sorted(times.to_pylist())
    for path in found:
        hours = pc.hour(pq.read_table(path, partitioning=None).column(0)).unique().to_pylist()
        assert path.parent.name == f"hour=1970-01-01T{hours[0]:02}" and len(hours) == 1


# --- Arrow ---------------------------------------------------------------------------------------
def test_dictionaries_of_an_arrow_file_only_grow(tmp_path: Path) -> None:
    """Words that two inputs number differently, at the top and deep in lists and objects."""
    word = pa.dictionary(pa.int32(), pa.utf8())
    item = pa.struct([("w", word), ("n", pa.int32())])
    schema = pa.schema([("w", word), ("deep", pa.list_(item)), ("one", item)])
    path = tmp_path / "x.arrow"
    file = writing.ArrowFile(str(path), schema)
    expected = []
    for words in (["a"], [], ["b", "a", None], ["c", "b"], ["a", "d"]):
        column = pa.array(words, pa.utf8()).dictionary_encode().cast(word)
        numbers = pa.array(range(len(words)), pa.int32())
        items = pa.StructArray.from_arrays([column, numbers], fields=list(item))
        one = pa.StructArray.from_arrays(
            [column, numbers],
            fields=list(item),
            mask=pa.array([w == "d" for w in words], pa.bool_()),
        )
        offsets = pa.array(range(len(words) + 1), pa.int32())
        deep = pa.ListArray.from_arrays(offsets, items)
        batch = pa.record_batch([column, deep, one], schema=schema)
        file.write(batch.slice(1) if words == ["c", "b"] else batch)
        expected += (batch.slice(1) if words == ["c", "b"] else batch).to_pylist()
    file.close()
    assert pa.ipc.open_file(str(path)).read_all().to_pylist() == expected


def test_a_stream_to_standard_output(tmp_path: Path) -> None:
    source = talks.write(tmp_path / "talks.pcap")
    command = [sys.executable, "-m", "joy", "convert", str(source), "-"]
    env = {"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"}
    done = subprocess.run(command, capture_output=True, check=True, env=env)
    assert pa.ipc.open_stream(done.stdout).read_all().num_rows == 5


# --- JSON and CSV --------------------------------------------------------------------------------
@pytest.mark.parametrize("name", ["out.json", "out.csv", "out.json.gz", "out.csv.zst"])
def test_texts_are_those_of_pcap2flow(tmp_path: Path, name: str) -> None:
    source = ROOT / "sample.pcap"
    ours, theirs = tmp_path / "ours" / name, tmp_path / "theirs" / name
    ours.parent.mkdir()
    theirs.parent.mkdir()
    assert joy_here("convert", source, ours, "-o", "stats=1").returncode == 0
    command = [str(ROOT / "pcap2flow"), "bidir=1", "stats=1", f"output={theirs}", str(source)]
    subprocess.run(command, check=True)
    texts = [_text(path).splitlines() for path in (ours, theirs)]
    if ".json" in name:  # the first line has the time of the run
        assert "version" in json.loads(texts[0][0])
        texts = [records("\n".join(text)) for text in texts]
    assert len(texts[0]) >= 5 and texts[0] == texts[1]


@pytest.mark.parametrize("way", ["parquet", "arrow", "arrows"])
def test_from_json_through_columns_to_the_same_json(tmp_path: Path, way: str) -> None:
    """Every byte of every record, of captures of all kinds with all features."""
    fixtures = sorted((ROOT / "tests/fixtures").glob("*.pcap*"))
    command = [str(ROOT / "pcap2flow"), "bidir=1", "features=all", *map(str, fixtures)]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    (tmp_path / "in.json").write_text(text)
    out = tmp_path / "out.json"
    assert joy_here("convert", tmp_path / "in.json", tmp_path / f"x.{way}").returncode == 0
    assert joy_here("convert", tmp_path / f"x.{way}", out).returncode == 0
    lines = [six(line) for line in text.splitlines()]
    assert [six(line) for line in out.read_text().splitlines()[1:-1]] == lines[1:-1]
    assert len(lines) > 100


def six(line: str) -> str:
    """A record with times of whole microseconds in six decimals: columns do not say of nine."""
    return re.sub(r'("time_(?:start|end)":\d+\.\d{6})000\b', r"\1", line)


def _text(path: Path) -> str:
    with pa.input_stream(str(path), compression="detect") as file:
        return file.read().decode()


# --- whole or not at all -------------------------------------------------------------------------
def test_what_it_says(tmp_path: Path) -> None:
    source = talks.write(tmp_path / "talks.pcap")
    out = tmp_path / "x.parquet"
    done = joy("convert", source, out)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", f"{out}: 5 records\n")
    done = joy("convert", source, out, "--json")
    assert json.loads(done.stdout) == {"output": str(out), "records": 5, "damaged": False}
    done = joy("convert", source, out, "--quiet")
    assert (done.stdout, done.stderr) == ("", "")


def test_damage_among_good(tmp_path: Path) -> None:
    source = talks.write(tmp_path / "talks.pcap")
    (tmp_path / "empty.json").touch()
    out = tmp_path / "x.parquet"
    done = joy_here("convert", tmp_path / "empty.json", source, out)
    assert done.returncode == 3 and "empty.json: is empty" in done.stderr
    assert pq.read_metadata(out).num_rows == 5


def test_nothing_is_left_after_a_failure(tmp_path: Path) -> None:
    (tmp_path / "empty.json").touch()
    out = tmp_path / "x.parquet"
    out.write_bytes(b"earlier")
    done = joy_here("convert", tmp_path / "empty.json", out)
    assert done.returncode == 1 and "is empty" in done.stderr
    assert out.read_bytes() == b"earlier"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["empty.json", "x.parquet"]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["{capture}"], "name what to read"),
        (["{capture}", "{tmp}/x.foo"], "must end with .parquet"),
        (["{capture}", "{tmp}"], "is a folder"),
        (["{capture}", "{tmp}/x.parquet", "--partition", "day"], "only by hour"),
        (["{capture}", "{tmp}/x.parquet", "-o", "num_pkts=many"], "num_pkts"),
        (["{parquet}", "{parquet}"], "written over"),
    ],
)
def test_usage(tmp_path: Path, words: list[str], said: str) -> None:
    names = {"capture": talks.write(tmp_path / "talks.pcap"), "tmp": tmp_path,
             "parquet": tmp_path / "talks.parquet"}  # fmt: skip
    assert joy_here("convert", names["capture"], names["parquet"]).returncode == 0
    done = joy_here("convert", *(word.format(**names) for word in words))
    assert done.returncode == 2 and said in done.stderr


def test_a_place_that_cannot_be_written(tmp_path: Path) -> None:
    source = talks.write(tmp_path / "talks.pcap")
    done = joy_here("convert", source, tmp_path / "none" / "x.parquet")
    assert done.returncode == 1 and "cannot write" in done.stderr
