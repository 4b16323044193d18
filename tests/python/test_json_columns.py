# SPDX-License-Identifier: BSD-3-Clause
"""Columns from records that were written before are those that the capture itself gives."""

from __future__ import annotations

import gzip
import json
import lzma
import os
import re
import select
import signal
import subprocess
import sys
from pathlib import Path
from typing import Any

import joy
import pyarrow as pa
import pytest
from program import FIXTURES, ROOT, program

SAMPLE = ROOT / "sample.pcap"
CAPTURES = [*FIXTURES, SAMPLE]
JSON = Path("flows.json")


def write(to: Path, capture: Path = SAMPLE, *options: str) -> Path:
    """Have pcap2flow write the records of a capture."""
    command = [str(program()), *options, f"output={to}", str(capture)]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    return to


def loose(kind: pa.DataType) -> pa.DataType:
    """The type with items and members that may all be null."""
    if pa.types.is_struct(kind):
        fields = [kind.field(i) for i in range(kind.num_fields)]
        return pa.struct([pa.field(f.name, loose(f.type)) for f in fields])
    if pa.types.is_list(kind):
        return pa.list_(pa.field("item", loose(kind.value_type)))
    return kind


def plain(value: Any, digits: bool) -> Any:
    """A value whose doubles have the 15 digits that JSON has of them, if `digits`."""
    if isinstance(value, float):
        return float(f"{value:.15g}") if digits else value
    if isinstance(value, list):
        return [plain(item, digits) for item in value]
    if isinstance(value, dict):
        return {key: plain(item, digits) for key, item in value.items()}
    return value


def measured(field: pa.Field) -> bool:
    """Has it doubles that are no durations?  Durations are the same to the last bit."""
    kind = field.type
    if pa.types.is_floating(kind):
        return field.metadata[b"type"] not in (b"ms", b"s")
    if pa.types.is_list(kind):
        inner = kind.value_field
        return pa.types.is_floating(inner.type) or measured(inner)
    return pa.types.is_struct(kind) and any(measured(kind.field(i)) for i in range(kind.num_fields))


def check_field(name: str, there: pa.Field, back: pa.Field) -> None:
    """The same name, type and words about it, all the way down."""
    assert back.name == there.name
    assert back.metadata == there.metadata, name
    assert loose(back.type) == loose(there.type), name
    if pa.types.is_struct(there.type):
        for i in range(there.type.num_fields):
            inner = there.type.field(i)
            check_field(f"{name}.{inner.name}", inner, back.type.field(i))


def check_same(there: pa.Table, back: pa.Table) -> None:
    """Both tables have the same columns with the same values; those read back may all be null."""
    assert back.schema.names == there.schema.names
    assert back.num_rows == there.num_rows
    for one, other in zip(there.schema, back.schema, strict=True):
        check_field(one.name, one, other)
        assert other.nullable
        digits = measured(one)
        values = [plain(v, digits) for v in there[one.name].to_pylist()]
        assert back[one.name].to_pylist() == values, one.name


# --- the property ---------------------------------------------------------------------------------


@pytest.mark.parametrize("capture", CAPTURES, ids=lambda p: p.name)
@pytest.mark.parametrize("bidir", [True, False])
def test_records_are_their_capture(capture: Path, bidir: bool, tmp_path: Path) -> None:
    options = ["features=all", f"bidir={bidir:d}", "zeros=1", "type=2"]
    made = write(tmp_path / JSON, capture, *options)
    there = joy.read(capture, bidir=bidir, features="all", zeros=True, type=2).read_all()
    assert there.num_rows > 0
    check_same(there, joy.read_json(made).read_all())


@pytest.mark.parametrize("bidir", [True, False])
def test_lists_of_files_too(bidir: bool, tmp_path: Path) -> None:
    """Data elements that are switched on by a file, whose columns need not that file again."""
    inner = tmp_path / "inner.net"
    inner.write_text("10.0.0.0/8\n192.0.2.0/24\n")
    made = write(tmp_path / JSON, SAMPLE, f"bidir={bidir:d}", f"label=in:{inner}", f"watch={inner}")
    there = joy.read(SAMPLE, bidir=bidir, label=f"in:{inner}", watch=str(inner)).read_all()
    inner.unlink()
    back = joy.read_json(made).read_all()
    assert "sa_labels" in back.schema.names
    assert any(back["sa_labels"].to_pylist())
    check_same(there, back)


def test_binary_addresses(tmp_path: Path) -> None:
    capture = ROOT / "tests/fixtures/web6.pcap"
    made = write(tmp_path / JSON, capture, "features=all", "bidir=1")
    there = joy.read(capture, features="all", addresses="binary").read_all()
    back = joy.read_json(made, addresses="binary").read_all()
    assert len(back["sa"][0].as_py()) == 16
    check_same(there, back)


def test_nothing_is_rounded(tmp_path: Path) -> None:
    """Beyond what a double holds: 64 bits and nanoseconds."""
    made = tmp_path / JSON
    made.write_text(
        '{"version":"1.0.0","bidir":1,"num_pkts":0}\n'
        '{"sa":"192.0.2.1","bytes_out":18446744073709551615,"num_pkts_out":9007199254740993,'
        '"time_start":1795480223.218886123,"time_end":1795480223.218886124,"flow_id":1}\n'
    )
    row = joy.read_json(made).read_all()
    assert row["bytes_out"].to_pylist() == [18446744073709551615]
    assert row["num_pkts_out"].to_pylist() == [9007199254740993]
    assert row["time_start"].cast(pa.int64()).to_pylist() == [1795480223218886123]
    assert row["time_end"].cast(pa.int64()).to_pylist() == [1795480223218886124]


# --- files ----------------------------------------------------------------------------------------


@pytest.mark.parametrize("suffix", [".gz", ".zst", ".xz"])
def test_packed_files(suffix: str, tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "tls=1")
    packed = tmp_path / f"flows.json{suffix}"
    if suffix == ".xz":
        packed.write_bytes(lzma.compress(made.read_bytes()))
    else:
        write(packed, SAMPLE, "bidir=1", "tls=1")
    check_same(joy.read_json(made).read_all(), joy.read_json(packed).read_all())


def test_a_series_is_one_stream(tmp_path: Path) -> None:
    """Files of a split output lie in a folder; their summaries are no records."""
    folder = tmp_path / "series"
    folder.mkdir()
    write(folder / JSON, SAMPLE, "bidir=1", "tls=1", "count=7")
    assert len(list(folder.iterdir())) == 4
    back = joy.read_json(folder)
    check_same(joy.read(SAMPLE, tls=True).read_all(), back.read_all())
    assert back.troubles == []


def test_standard_input(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "tls=1")
    code = (
        "import joy; t = joy.read_json('-').read_all(); print(t.num_rows, 'tls' in t.schema.names)"
    )
    done = subprocess.run(
        [sys.executable, "-c", code],
        input=made.read_bytes(),
        capture_output=True,
        timeout=60,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )
    assert done.stdout.split() == [b"25", b"True"]


def test_a_slow_pipe_gives_what_it_has() -> None:
    """The writer lives and says no more: what came is handed on within seconds."""
    code = "import joy\nfor batch in joy.read_json('-'):\n    print(batch.num_rows, flush=True)\n"
    with subprocess.Popen(
        [sys.executable, "-c", code],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        child.stdin.write(b'{"version":"1.0.0"}\n{"sa":"192.0.2.1"}\n{"sa":"192.0.2.2"}\n{"sa":')
        child.stdin.flush()
        assert select.select([child.stdout], [], [], 30)[0]
        assert child.stdout.readline() == b"2\n"
        child.stdin.write(b'"192.0.2.3"}\n')
        child.stdin.close()
        assert child.stdout.readline() == b"1\n"
        assert child.wait(30) == 0


def test_an_interrupt_ends_the_waiting_for_a_first_line() -> None:
    """Ctrl-C before a pipe says anything, and after its first lines."""
    code = (
        "import joy\n"
        "try:\n"
        "    print('ready', flush=True)\n"
        "    for batch in joy.read_json('-'):\n"
        "        print(batch.num_rows, flush=True)\n"
        "except KeyboardInterrupt:\n"
        "    print('interrupted')\n"
    )
    for lines, said in [(b"", b"ready\n"), (LINES[0] + LINES[1], b"ready\n1\n")]:
        with subprocess.Popen(
            [sys.executable, "-c", code],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
        ) as child:
            assert child.stdin is not None and child.stdout is not None
            child.stdin.write(lines)
            child.stdin.flush()
            assert child.stdout.read(len(said)) == said
            child.send_signal(signal.SIGINT)
            assert child.stdout.read() == b"interrupted\n"
            assert child.wait(30) == 0


# --- which columns --------------------------------------------------------------------------------


def test_files_of_different_data_elements(tmp_path: Path) -> None:
    """All columns of all files, in the order of records; null where a file has none of them."""
    first = write(tmp_path / "a.json", SAMPLE, "bidir=1", "entropy=1", "num_pkts=0")
    second = write(tmp_path / "b.json.gz", SAMPLE, "bidir=0", "tls=1", "num_pkts=0")
    back = joy.read_json([first, second]).read_all()
    both = joy.read(SAMPLE, entropy=True, tls=True, num_pkts=0)
    assert back.schema.names == both.schema.names
    one, other = joy.read_json(first).read_all(), joy.read_json(second).read_all()
    assert back.num_rows == one.num_rows + other.num_rows
    assert back.slice(0, one.num_rows).select(one.schema.names).equals(one)
    assert back["tls"].null_count == one.num_rows + other["tls"].null_count
    assert back["entropy"].slice(one.num_rows).null_count == other.num_rows
    assert back["bytes_in"].slice(one.num_rows).null_count == other.num_rows
    assert back["bytes_in"].slice(0, one.num_rows).null_count == 0


def test_one_direction_has_no_reverse_columns(tmp_path: Path) -> None:
    back = joy.read_json(write(tmp_path / JSON, SAMPLE, "bidir=0", "ip=1")).read_all()
    assert "bytes_out" in back.schema.names
    assert "bytes_in" not in back.schema.names
    assert [f.name for f in back.schema.field("ip").type] == ["out"]


def test_without_a_configuration_there_are_all_columns(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "tls=1")
    made.write_bytes(made.read_bytes().split(b"\n", 1)[1])
    back = joy.read_json(made).read_all()
    assert back.schema.names == joy.schema(everything=True).names
    assert back["entropy"].null_count == back.num_rows == 25
    wanted = joy.read(SAMPLE, tls=True).read_all()
    check_same(wanted, back.select(wanted.schema.names))
    assert b"joy.configuration" not in back.schema.metadata


def test_the_configuration_is_kept(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "tls=1")
    stream = joy.read_json(made)
    line = made.read_bytes().split(b"\n", 1)[0]
    assert stream.schema.metadata[b"joy.configuration"] == line


def test_wanted_columns(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "features=all")
    names = ["sa", "tls.sni", "packets.b", "ip.out"]
    stream = joy.read_json(made, columns=names)
    back = stream.read_all()
    there = joy.read(SAMPLE, features="all", num_pkts=50, columns=names).read_all()
    check_same(there, back)
    assert back.schema.names == ["sa", "packets", "ip", "tls"]
    assert stream.troubles == []
    with pytest.raises(joy.UsageError, match="nearest is 'tls.sni'"):
        joy.read_json(made, columns=["tls.snj"])


def test_a_column_that_was_off(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1")
    with pytest.raises(joy.UsageError, match="'tls.sni' is of tls, without which"):
        joy.read_json(made, columns=["tls.sni"])


def test_batches_are_small(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "features=all")
    sizes = [b.num_rows for b in joy.read_json(made, batch_rows=10)]
    assert sizes == [10, 10, 5]
    check_same(joy.read_json(made).read_all(), joy.read_json(made, batch_rows=3).read_all())


# --- damage ---------------------------------------------------------------------------------------

LINES = [
    b'{"version":"1.0.0","bidir":1,"num_pkts":0}\n',
    b'{"sa":"192.0.2.1","sp":1}\n',
    b'{"sa":"192.0.2.2","sp":2}\n',
    b'{"summary":{"records":2}}\n',
]


def lost(stream: joy.Stream) -> list[tuple[str | None, int | None]]:
    """File and offset of each trouble by which something was lost."""
    return [(t.file, t.offset) for t in stream.troubles if t.damaged]


def test_damaged_lines_are_left_out(tmp_path: Path) -> None:
    made = tmp_path / JSON
    made.write_bytes(LINES[0] + LINES[1] + b'{"sa":"192.0.2.9",}\nnoise\n' + LINES[2] + LINES[3])
    stream = joy.read_json(made, damaged="ignore")
    assert stream.read_all()["sp"].to_pylist() == [1, 2]
    first = len(LINES[0] + LINES[1])
    assert lost(stream) == [(str(made), first + 18), (str(made), first + 20)]
    assert "a key is missing at offset 87; this line is left out" in stream.troubles[0].text
    with pytest.warns(joy.DamagedInputWarning) as told:
        joy.read_json(made).read_all()
    assert ["a key is missing" in str(t.message) for t in told] == [True, False]
    with pytest.raises(joy.DamagedInputError) as caught:
        joy.read_json(made, damaged="raise").read_all()
    assert (caught.value.file, caught.value.offset) == (str(made), first + 18)


def test_half_a_line_at_the_end(tmp_path: Path) -> None:
    """Whatever byte a file is cut at, what was whole before is there, and the rest is told."""
    made = tmp_path / JSON
    whole = b"".join(LINES[:3])
    begins = [len(LINES[0]), len(LINES[0] + LINES[1])]
    for size in range(begins[0] + 1, len(whole)):
        made.write_bytes(whole[:size])
        stream = joy.read_json(made, damaged="ignore")
        rows = stream.read_all().num_rows
        in_first = size < begins[1]
        complete = size in (begins[1] - 1, len(whole) - 1)
        assert rows == (0 if in_first else 1) + complete
        nothing_lost = complete or size == begins[1]
        assert lost(stream) == ([] if nothing_lost else [(str(made), begins[not in_first])])


def test_packed_file_that_is_cut(tmp_path: Path) -> None:
    text = LINES[0] + b"".join(
        b'{"sa":"192.0.2.1","sp":%d}\n' % (i * i % 60000) for i in range(5000)
    )
    made = tmp_path / "flows.json.gz"
    packed = gzip.compress(text)
    made.write_bytes(packed[: len(packed) // 2])
    stream = joy.read_json(made, damaged="ignore")
    ports = stream.read_all()["sp"].to_pylist()
    assert 1000 < len(ports) < 5000
    assert ports == [i * i % 60000 for i in range(len(ports))]
    assert [t.file for t in stream.troubles] == [str(made)]
    assert "gzip data ends too early" in stream.troubles[0].text


def test_files_that_are_no_records(tmp_path: Path) -> None:
    good = tmp_path / "good.json"
    good.write_bytes(b"".join(LINES))
    empty = tmp_path / "empty.json"
    empty.write_bytes(b"")
    table = tmp_path / "table.csv"
    table.write_text("sa,da\n192.0.2.1,192.0.2.2\n")
    for other, words in [
        (empty, "it is nothing \\(0 bytes\\)"),
        (SAMPLE, "it is a capture"),
        (table, "a value is missing at offset 0"),
    ]:
        stream = joy.read_json([good, other], damaged="ignore")
        assert stream.read_all().num_rows == 2
        assert {file for file, _ in lost(stream)} == {str(other)}
        with pytest.raises(joy.InputError, match=words):
            joy.read_json(other).read_all()
    with pytest.raises(joy.InputError, match="No such file"):
        joy.read_json(tmp_path / "none.json").read_all()


def test_other_programs_lines(tmp_path: Path) -> None:
    """JSON lines that have no key of a flow are no flows without values."""
    made = tmp_path / "conn.log"
    made.write_text('{"uid":"C1","id.orig_h":"192.0.2.1"}\n' * 20)
    with pytest.raises(joy.InputError, match="no record of a flow"):
        joy.read_json(made).read_all()


# --- what is odd ----------------------------------------------------------------------------------


def test_unknown_keys_are_told_once(tmp_path: Path) -> None:
    made = tmp_path / JSON
    row = {"sa": "192.0.2.1", "new": {"a": [1, {"b": None}]}, "sp": 5, "tls": {"sni": "off"}}
    made.write_bytes(LINES[0] + 30 * (json.dumps(row).encode() + b"\n"))
    stream = joy.read_json(made)
    assert stream.read_all()["sp"].to_pylist() == 30 * [5]
    told = stream.troubles
    assert [t.damaged for t in told] == [False]
    assert "60 members that no field has were passed over: new, tls" in told[0].text
    assert told[0].file == str(made)


def test_values_of_a_wrong_type_are_null(tmp_path: Path) -> None:
    made = tmp_path / JSON
    row = {"sa": 5, "sp": "80", "dp": 1 << 31, "bytes_out": -1, "time_start": "now", "pr": 6}
    made.write_bytes(LINES[0] + 2 * (json.dumps(row).encode() + b"\n"))
    stream = joy.read_json(made)
    back = stream.read_all()
    for name in row:
        assert back[name].to_pylist() == 2 * [6 if name == "pr" else None]
    assert [t.damaged for t in stream.troubles] == [False]
    text = stream.troubles[0].text
    assert "10 values are not of their field's type and are null: sa, sp, dp, bytes_out, " in text


def test_rewritten_json(tmp_path: Path) -> None:
    """Another program has sorted the keys and put spaces between: nothing changes."""
    made = write(tmp_path / JSON, SAMPLE, "bidir=1", "features=all")
    other = tmp_path / "other.json"
    with other.open("w") as out:
        for line in made.read_text().splitlines():
            out.write(json.dumps(json.loads(line), sort_keys=True, ensure_ascii=False) + "\n")
    stream = joy.read_json(other)
    check_same(joy.read_json(made).read_all(), stream.read_all())
    assert stream.troubles == []


def test_counters(tmp_path: Path) -> None:
    made = write(tmp_path / JSON, SAMPLE, "bidir=1")
    stream = joy.read_json(made)
    stream.read_all()
    assert stream.stats["records"] == 25
    assert stream.stats["input_read"] == stream.stats["input_total"] == made.stat().st_size
    assert stream.progress == 1.0


def test_a_stream_can_be_left(tmp_path: Path) -> None:
    """Closing it in the middle ends its thread; nothing hangs and nothing is told."""
    made = tmp_path / JSON
    made.write_bytes(LINES[0] + 200000 * LINES[1])
    with joy.read_json(made, batch_rows=100) as stream:
        assert next(iter(stream)).num_rows == 100
    assert stream.stats["records"] < 200000


# --- from C ---------------------------------------------------------------------------------------


def made_with(name: str) -> list[str]:
    """A variable of the Makefile, as words."""
    done = subprocess.run(
        ["make", "-s", f"print-{name}"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    return done.stdout.split()


def test_the_program_of_the_page(tmp_path: Path) -> None:
    """What doc/columns.md shows compiles, and counts what is there."""
    page = (ROOT / "doc/columns.md").read_text()
    found = re.search(r"<!-- run: columns from C -->\s*```c\n(.*?)```", page, re.DOTALL)
    assert found is not None
    (tmp_path / "count.c").write_text(found[1])
    (tmp_path / "arrow.h").write_text((ROOT / "src/record/arrow.h").read_text())
    library = ROOT / made_with("B")[0] / "libjoy.a"
    include = [f"-I{ROOT / 'include'}", f"-I{tmp_path}"]
    command = ["cc", "-Wall", "-Werror", *include, str(tmp_path / "count.c"), str(library)]
    count = tmp_path / "count"
    subprocess.run([*command, "-o", str(count), *made_with("PKG_LIBS")], check=True)
    made = write(tmp_path / JSON, SAMPLE, "bidir=1")
    for arguments in (["capture", str(SAMPLE)], ["json", str(made)]):
        done = subprocess.run([str(count), *arguments], capture_output=True, text=True, check=True)
        names, records = done.stdout.splitlines()
        assert names.split() == joy.read_json(made).schema.names
        assert records == "25 records"
