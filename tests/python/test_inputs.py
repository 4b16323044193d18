# SPDX-License-Identifier: BSD-3-Clause
"""Flows: any input as one stream; what is expected is counted by hand in talks.py."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import talks
from joy import unify
from joy.console import options_of
from joy.errors import InputError, UsageError
from joy.inputs import Flows
from kit import ROOT


def program(*words: str | Path) -> str:
    """What pcap2flow writes."""
    command = [str(ROOT / "pcap2flow"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def rows(flows: Flows, *names: str) -> list[tuple]:
    """The values of some columns, by row."""
    table = pa.Table.from_batches(list(flows), flows.schema)
    return list(zip(*(table.column(name).to_pylist() for name in names), strict=True))


def flows_of(paths: list[Path | str], **how) -> list[tuple]:
    """The flows of these inputs as talks.FLOWS has them, sorted by flow id."""
    found = rows(Flows([str(p) for p in paths], **how), "flow_id", *talks.KEYS)
    return [row[1:] for row in sorted(found)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    return talks.write(tmp_path / "talks.pcap")


@pytest.fixture
def lines(tmp_path: Path, capture: Path) -> Path:
    path = tmp_path / "talks.json"
    path.write_text(program("bidir=1", capture))
    return path


def table_of(path: Path) -> pa.Table:
    """Everything of one input."""
    flows = Flows([str(path)])
    return pa.Table.from_batches(list(flows), flows.schema)


# --- kinds ---------------------------------------------------------------------------------------
def test_capture(capture: Path) -> None:
    assert flows_of([capture]) == talks.FLOWS


def test_json_lines(lines: Path) -> None:
    assert flows_of([lines]) == talks.FLOWS


@pytest.mark.parametrize("codec", ["gzip", "zstd"])
def test_compressed_json_lines_by_content(tmp_path: Path, lines: Path, codec: str) -> None:
    packed = tmp_path / "records"  # no suffix says what it is
    with pa.CompressedOutputStream(str(packed), codec) as file:
        file.write(lines.read_bytes())
    assert flows_of([packed]) == talks.FLOWS


def test_arrow_and_parquet_by_content(tmp_path: Path, capture: Path) -> None:
    table = table_of(capture)
    pq.write_table(table, tmp_path / "a")
    with pa.ipc.new_file(str(tmp_path / "b"), table.schema) as file:
        file.write_table(table)
    with pa.ipc.new_stream(str(tmp_path / "c"), table.schema) as file:
        file.write_table(table)
    for name in "abc":
        assert flows_of([tmp_path / name]) == talks.FLOWS


def test_kinds_in_one_stream(tmp_path: Path, capture: Path, lines: Path) -> None:
    pq.write_table(table_of(capture), tmp_path / "p.parquet")
    flows = Flows([str(lines), str(capture), str(tmp_path / "p.parquet")])
    assert [one.kind for one in flows.inputs] == ["json", "capture", "parquet"]
    assert sum(batch.num_rows for batch in flows) == 15


def test_captures_are_one_stream(tmp_path: Path) -> None:
    first, second = talks.packets()[:9], talks.packets()[9:]
    a, b = talks.write(tmp_path / "1.pcap", first), talks.write(tmp_path / "2.pcap", second)
    assert flows_of([a, b]) == talks.FLOWS


def test_captures_are_one_stream_around_other_inputs(tmp_path: Path, lines: Path) -> None:
    first, second = talks.packets()[:9], talks.packets()[9:]
    a, b = talks.write(tmp_path / "1.pcap", first), talks.write(tmp_path / "2.pcap", second)
    flows = Flows([str(a), str(lines), str(b)])
    assert [one.path for one in flows.inputs] == [str(a), str(b), str(lines)]
    assert sum(batch.num_rows for batch in flows) == 10


# --- names ---------------------------------------------------------------------------------------
def test_folders_in_the_order_of_bytes(tmp_path: Path, lines: Path) -> None:
    folder = tmp_path / "in"
    for name in ("b.json", "a/z.json", "B.json", "hour=2026-01-01T00/x.json"):
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_bytes(lines.read_bytes())
    (folder / "loop").symlink_to(folder)
    found = [os.path.relpath(one.path, folder) for one in Flows([str(folder)]).inputs]
    assert found == ["B.json", "a/z.json", "b.json", "hour=2026-01-01T00/x.json"]


def test_unknown_files_of_a_folder_are_one_warning(tmp_path: Path, lines: Path) -> None:
    (tmp_path / "one.txt").write_text("hello")
    (tmp_path / "two.txt").write_text("hello")
    flows = Flows([str(tmp_path)])
    said = [trouble.text for trouble in flows.troubles if "passed over" in trouble.text]
    assert len(said) == 1 and "one.txt and 1 more" in said[0]
    assert not flows.damaged


def test_a_file_being_written_is_passed_over(tmp_path: Path, lines: Path) -> None:
    part = tmp_path / "flows-000043.json.part"
    part.write_bytes(lines.read_bytes())
    for name in (str(tmp_path), str(tmp_path / "*json*")):
        flows = Flows([name])
        assert str(part) not in [one.path for one in flows.inputs]
        assert any("being written" in trouble.text for trouble in flows.troubles)
        assert not flows.damaged
    assert [one.path for one in Flows([str(part)]).inputs] == [str(part)]  # asked for by name


def test_globs(tmp_path: Path, lines: Path) -> None:
    for name in ("b.json", "a.json"):
        (tmp_path / name).write_bytes(lines.read_bytes())
    found = [one.path for one in Flows([str(tmp_path / "[ab].json")]).inputs]
    assert found == [str(tmp_path / "a.json"), str(tmp_path / "b.json")]


@pytest.mark.parametrize("seekable", [True, False])
def test_standard_input(capture: Path, lines: Path, tmp_path: Path, seekable: bool) -> None:
    table = table_of(capture)
    stream = tmp_path / "s.arrows"
    with pa.ipc.new_stream(str(stream), table.schema) as file:
        file.write_table(table)
    code = (
        "from joy.inputs import Flows; f = Flows(['-'], columns=['sa', 'entropy']);"
        "print(f.inputs[0].kind, sum(b.num_rows for b in f))"
    )
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    for path, kind in ((capture, "capture"), (lines, "json"), (stream, "arrows")):
        given = {"stdin": path.open()} if seekable else {"input": path.read_bytes()}
        done = subprocess.run(
            [sys.executable, "-c", code], capture_output=True, env=env, check=False, **given
        )
        assert done.stdout.decode().split() == [kind, "5"], done.stderr.decode()


# --- what is bad ---------------------------------------------------------------------------------
def bad_inputs(tmp_path: Path, capture: Path) -> dict[str, tuple[Path, str]]:
    """Inputs that cannot be read, and words that the message must have."""
    whole = tmp_path / "whole.parquet"
    pq.write_table(table_of(capture), whole)
    half = tmp_path / "half.parquet"
    half.write_bytes(whole.read_bytes()[:-100])
    arrow = tmp_path / "half.arrow"
    with pa.ipc.new_file(str(tmp_path / "whole.arrow"), table_of(capture).schema) as file:
        file.write_table(table_of(capture))
    arrow.write_bytes((tmp_path / "whole.arrow").read_bytes()[:-100])
    empty, text, folder = tmp_path / "empty", tmp_path / "text", tmp_path / "folder"
    empty.touch()
    text.write_text("hello\n")
    folder.mkdir()
    return {
        "no such file": (tmp_path / "none", "no such file"),
        "0 bytes": (empty, "empty"),
        "empty folder": (folder, "a folder without"),
        "wrong kind": (text, "neither a capture nor"),
        "half-written Parquet": (half, "not a whole Parquet file"),
        "half-written Arrow": (arrow, "not a whole Arrow file"),
        "glob": (tmp_path / "nothing*", "no file has such a name"),
    }


BAD = ["no such file", "0 bytes", "empty folder", "wrong kind", "half-written Parquet",
       "half-written Arrow", "glob"]  # fmt: skip


@pytest.mark.parametrize("what", BAD)
def test_nothing_but_bad_input_fails(tmp_path: Path, capture: Path, what: str) -> None:
    path, words = bad_inputs(tmp_path, capture)[what]
    with pytest.raises(InputError) as caught:
        Flows([str(path)])
    assert words in str(caught.value)
    assert caught.value.file == str(path)


@pytest.mark.parametrize("what", BAD)
def test_bad_input_among_good_is_told(tmp_path: Path, capture: Path, what: str) -> None:
    path, words = bad_inputs(tmp_path, capture)[what]
    flows = Flows([str(path), str(capture)])
    assert flows_of([path, capture]) == talks.FLOWS
    assert flows.damaged
    told = [trouble for trouble in flows.troubles if trouble.damaged]
    assert len(told) == 1 and words in told[0].text and told[0].file == str(path)


def test_a_row_group_that_is_damaged(tmp_path: Path, capture: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(table_of(capture), path, compression="none")
    data = bytearray(path.read_bytes())
    data[8:200] = bytes(192)
    path.write_bytes(data)
    flows = Flows([str(path), str(capture)])
    assert sum(batch.num_rows for batch in flows) == 5
    assert flows.damaged and str(path) in flows.troubles[0].text


# --- columns -------------------------------------------------------------------------------------
def test_columns_are_chosen_everywhere(tmp_path: Path, capture: Path, lines: Path) -> None:
    table = table_of(capture)
    pq.write_table(table, tmp_path / "a.parquet")
    with pa.ipc.new_file(str(tmp_path / "b.arrow"), table.schema) as file:
        file.write_table(table)
    for path in (capture, lines, tmp_path / "a.parquet", tmp_path / "b.arrow"):
        flows = Flows([str(path)], columns=["packets.b", "sa"])
        assert flows.schema.names == ["sa", "packets"]
        assert [field.name for field in flows.schema.field("packets").type.value_type] == ["b"]
        sizes = [[item["b"] for item in items] for (items,) in rows(flows, "packets") if items]
        assert sorted(sizes) == sorted(
            [[100, 1000, 1000, 1000], [30, 70], [31, 71], [500, 500], [48, 48]]
        )


def test_columns_switch_features_on(capture: Path) -> None:
    assert not Flows([str(capture)]).has("entropy")
    flows = Flows([str(capture)], columns=["dp", "entropy"])
    assert flows.schema.names == ["dp", "entropy"]
    assert (7000, 0.0) in rows(flows, "dp", "entropy")  # 1000 zeros


def test_records_without_a_feature(capture: Path, lines: Path) -> None:
    """That JSON has no entropy is no error; with a capture beside it, which can, it is null."""
    flows = Flows([str(lines)], columns=["dp", "entropy", "tls.sni"])
    assert flows.schema.names == ["dp"] and len(rows(flows, "dp")) == 5
    flows = Flows([str(lines), str(capture)], columns=["dp", "entropy"])
    found = rows(flows, "dp", "entropy")
    assert found.count((7000, None)) == 1 and found.count((7000, 0.0)) == 1
    flows = Flows([str(lines)], columns=["entropy"])
    assert flows.schema.names == [] and sum(batch.num_rows for batch in flows) == 5


def test_a_column_that_does_not_exist(capture: Path) -> None:
    with pytest.raises(UsageError, match="entropi"):
        Flows([str(capture)], columns=["entropi"])


def test_has_looks_into_lists_and_objects(capture: Path) -> None:
    flows = Flows([str(capture)])
    assert flows.has("packets.ipt") and flows.has("sa")
    assert not flows.has("packets.x") and not flows.has("sa.b") and not flows.has("x")


# --- schemas that differ -------------------------------------------------------------------------
def written(path: Path, columns: dict[str, pa.Array]) -> str:
    """A Parquet file of these columns."""
    pq.write_table(pa.table(columns), path)
    return str(path)


def test_schemas_become_one(tmp_path: Path) -> None:
    item = pa.struct([("b", pa.uint16())])
    more = pa.struct([("dir", pa.utf8()), ("b", pa.uint32())])
    words = pa.array(["a"]).dictionary_encode()
    old = {
        "dp": pa.array([80], pa.uint16()),
        "packets": pa.array([[{"b": 1}]], pa.list_(item)),
        "expire_type": words,
        "nothing": pa.nulls(1),
        "mine": pa.array([1.5]),
    }
    new = {
        "nothing": pa.array(["something"]),
        "expire_type": pa.array(["i"]),
        "packets": pa.array([[{"dir": ">", "b": 70000}], None], pa.list_(more)).slice(0, 1),
        "sa": pa.array(["10.0.0.1"]),
        "dp": pa.array([443], pa.int32()),
    }
    flows = Flows([written(tmp_path / "1", old), written(tmp_path / "2", new)])
    assert flows.schema.names == ["sa", "dp", "expire_type", "packets", "nothing", "mine"]
    assert flows.schema.field("dp").type == pa.int32()
    assert flows.schema.field("expire_type").type == pa.utf8()
    assert [field.name for field in flows.schema.field("packets").type.value_type] == ["b", "dir"]
    found = rows(flows, *flows.schema.names)
    assert found == [
        (None, 80, "a", [{"b": 1, "dir": None}], None, 1.5),
        ("10.0.0.1", 443, "i", [{"b": 70000, "dir": ">"}], "something", None),
    ]
    assert not flows.troubles


def test_a_type_that_contradicts_is_told_and_null(tmp_path: Path) -> None:
    one = written(tmp_path / "1", {"dp": pa.array([80])})
    two = written(tmp_path / "2", {"dp": pa.array(["http"])})
    flows = Flows([one, two])
    assert rows(flows, "dp") == [(80,), (None,)]
    assert flows.damaged and "column dp" in flows.troubles[0].text


@pytest.mark.parametrize(
    ("a", "b", "both"),
    [
        (pa.uint8(), pa.uint64(), pa.uint64()),
        (pa.uint16(), pa.int16(), pa.int32()),
        (pa.uint64(), pa.int8(), pa.int64()),
        (pa.int64(), pa.float32(), pa.float64()),
        (pa.null(), pa.utf8(), pa.utf8()),
        (pa.binary(4), pa.binary(), pa.binary()),
        (pa.timestamp("us", "UTC"), pa.timestamp("ns", "UTC"), pa.timestamp("ns", "UTC")),
        (pa.dictionary(pa.int32(), pa.utf8()), pa.utf8(), pa.utf8()),
        (pa.list_(pa.int8()), pa.list_(pa.null()), pa.list_(pa.int8())),
    ],
)
def test_types_that_hold_both(a: pa.DataType, b: pa.DataType, both: pa.DataType) -> None:
    def clash(*what) -> None:
        raise AssertionError(what)

    for first, second in ((a, b), (b, a)):
        assert unify.merge_types("x", first, second, clash).equals(both)


def test_json_of_an_older_version(tmp_path: Path, lines: Path, capture: Path) -> None:
    old = tmp_path / "old.json"
    kept = []
    for line in lines.read_text().splitlines():
        record = json.loads(line)
        for name in ("rtt_ms", "community_id", "ip_bytes_out", "end_reason"):
            record.pop(name, None)
        kept.append(json.dumps(record))
    old.write_text("\n".join(kept) + "\n")
    assert flows_of([old]) == talks.FLOWS
    flows = Flows([str(old), str(capture)])
    found = rows(flows, "ip_bytes_out", "end_reason")
    assert len(found) == 10 and (None, None) in found


# --- bounds --------------------------------------------------------------------------------------
def test_batches_are_bounded(tmp_path: Path) -> None:
    path = written(tmp_path / "many", {"dp": pa.array(range(100_000), pa.uint32())})
    sizes = [batch.num_rows for batch in Flows([path])]
    assert sum(sizes) == 100_000 and max(sizes) <= 8192


def test_progress_rises_to_one(tmp_path: Path, lines: Path, capture: Path) -> None:
    shares: list[float] = []
    flows = Flows([str(lines), str(capture)], progress=shares.append)
    assert list(flows)
    assert shares == sorted(shares) and shares[-1] == 1.0


def test_options() -> None:
    assert options_of(["bpf=udp port 53", "tls"]) == {"bpf": "udp port 53", "tls": "1"}
    with pytest.raises(UsageError):
        options_of(["=1"])


def test_options_reach_captures(capture: Path) -> None:
    found = rows(Flows([str(capture)], options={"bpf": "udp port 53"}), "dp")
    assert found == [(53,), (53,)]


def test_a_wrong_option_is_refused(capture: Path) -> None:
    with pytest.raises(UsageError):
        Flows([str(capture)], options={"num_pkts": "many"})
