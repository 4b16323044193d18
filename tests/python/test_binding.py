# SPDX-License-Identifier: BSD-3-Clause
"""joy.read() and its streams: values, batches, columns, ends, and what is wrong with inputs."""

from __future__ import annotations

import gc
import threading
import warnings
from pathlib import Path

import joy
import pyarrow as pa
import pytest
from kit import BEGIN, ROOT, datagram, pcap

SAMPLE = ROOT / "sample.pcap"
CUT = 2464  # where the packet begins in which the first 3000 bytes of sample.pcap end


@pytest.fixture
def talk(tmp_path: Path) -> Path:
    """Two flows: 1000 > 2000 with an answer, 1500 ms later; 1001 > 2000 without, after 10 s."""
    path = tmp_path / "talk.pcap"
    packets = [
        (0.0, datagram(1000, 2000, b"question")),
        (1.5, datagram(2000, 1000, b"answer", back=True)),
        (10.0, datagram(1001, 2000, b"x")),
    ]
    path.write_bytes(pcap(packets))
    return path


@pytest.fixture
def many(tmp_path: Path) -> Path:
    """500 flows of one packet, a second from each other."""
    path = tmp_path / "many.pcap"
    path.write_bytes(pcap((i, datagram(10000 + i, 53)) for i in range(500)))
    return path


@pytest.fixture
def cut(tmp_path: Path) -> Path:
    """A capture that ends in the middle of a packet."""
    path = tmp_path / "cut.pcap"
    path.write_bytes(SAMPLE.read_bytes()[:3000])
    return path


# --- values --------------------------------------------------------------------------------------
def test_values_are_those_of_the_packets(talk: Path) -> None:
    """Counted by hand: payloads of 8, 6 and 1 bytes behind 28 bytes of IPv4 and UDP."""
    first, second = joy.read(talk).read_all().to_pylist()
    ends = ("sa", "da", "pr", "sp", "dp")
    assert [first[k] for k in ends] == ["10.0.0.1", "10.0.0.2", 17, 1000, 2000]
    assert [second[k] for k in ends] == ["10.0.0.1", "10.0.0.2", 17, 1001, 2000]
    assert (first["bytes_out"], first["num_pkts_out"]) == (8, 1)
    assert (first["bytes_in"], first["num_pkts_in"]) == (6, 1)
    assert (first["ip_bytes_out"], first["ip_bytes_in"]) == (36, 34)
    assert second["bytes_out"] == 1
    assert second["num_pkts_in"] in (None, 0)
    assert first["time_start"].timestamp() == BEGIN
    assert first["time_end"].timestamp() == BEGIN + 1.5
    assert [(p["b"], p["dir"]) for p in first["packets"]] == [(8, ">"), (6, "<")]
    assert first["packets"][1]["ipt"] == 1500.0


def test_bidir_is_on_unless_it_is_given(talk: Path) -> None:
    assert len(joy.read(talk).read_all()) == 2
    assert len(joy.read(talk, bidir=False).read_all()) == 3


def test_options_reach_the_run(talk: Path) -> None:
    table = joy.read(talk, entropy=True, community_id=False).read_all()
    assert table.column("community_id").null_count == len(table)
    assert "entropy" in table.column_names
    assert "entropy" not in joy.read(talk).schema.names
    assert len(joy.read(talk, bpf="src port 1001").read_all()) == 1
    assert len(joy.read(talk, idle_timeout=1).read_all()) == 3


# --- batches, columns ----------------------------------------------------------------------------
def test_batches_have_the_size_that_was_asked_for(many: Path) -> None:
    stream = joy.read(many, batch_rows=100)
    batches = list(stream)
    assert [len(b) for b in batches] == [100] * 5
    assert all(b.schema.equals(batches[0].schema) for b in batches)
    ports = [p for b in batches for p in b.column("sp").to_pylist()]
    assert sorted(ports) == list(range(10000, 10500))


def test_batches_end_by_bytes_too(many: Path) -> None:
    sizes = [len(b) for b in joy.read(many, batch_bytes=4096)]
    assert sum(sizes) == 500 and len(sizes) > 5


def test_columns_are_those_asked_for_and_what_they_need_is_on(talk: Path) -> None:
    table = joy.read(talk, columns=["dp", "entropy", "ip.out.ttl", "sa"]).read_all()
    assert set(table.column_names) == {"sa", "dp", "entropy", "ip"}
    assert table.schema.field("ip").type == pa.struct(
        [pa.field("out", pa.struct([pa.field("ttl", pa.uint8())]))]
    ) or table.column("ip").to_pylist()[0] == {"out": {"ttl": 64}}
    assert table.column("dp").to_pylist() == [2000, 2000]
    assert table.column("ip").to_pylist()[1] == {"out": {"ttl": 64}}
    # "answer": six different letters but one; "x": always the same
    assert table.column("entropy").to_pylist()[1] == 0.0
    assert joy.read(talk, columns="sp").schema.names == ["sp"]


def test_what_is_given_beats_what_columns_need(talk: Path) -> None:
    table = joy.read(talk, columns=["idp_out"], idp=30).read_all()
    assert [len(v) for v in table.column("idp_out").to_pylist()] == [30, 29]


def test_a_column_that_does_not_exist(talk: Path) -> None:
    with pytest.raises(joy.UsageError, match="entrpy"):
        joy.read(talk, columns=["entrpy"])


def test_addresses_as_bytes(talk: Path) -> None:
    table = joy.read(talk, addresses="binary", columns=["sa"]).read_all()
    assert table.schema.field("sa").type == pa.binary(16)
    assert table.column("sa").to_pylist()[0] == bytes(10) + b"\xff\xff" + bytes([10, 0, 0, 1])


def test_the_schema_is_known_before_and_behind(talk: Path) -> None:
    stream = joy.read(talk, tls=True)
    before = stream.schema
    assert before == joy.schema(tls=True)
    table = stream.read_all()
    assert table.schema == before and stream.schema == before
    everything = joy.schema(everything=True)
    assert set(before.names) < set(everything.names)
    field = everything.field("entropy")
    assert field.metadata[b"unit"] == b"bits per byte"
    assert field.metadata[b"options"] and field.metadata[b"feature"]
    assert before.field("sa").metadata[b"type"] == b"address"
    assert before.metadata[b"joy.version"].decode() == joy.__version__


def test_a_schema_outlives_its_stream(talk: Path) -> None:
    stream = joy.read(talk)
    schemas = [stream.schema for _ in range(3)]
    del stream
    gc.collect()
    assert schemas[0].names[0] and schemas[0] == schemas[1] == schemas[2]


# --- once, and the end ---------------------------------------------------------------------------
def test_a_stream_is_consumed_once(talk: Path) -> None:
    stream = joy.read(talk)
    assert len(stream.read_all()) == 2
    for again in (stream.read_all, lambda: iter(stream), stream.__arrow_c_stream__):
        with pytest.raises(joy.JoyError, match="once"):
            again()


def test_closing_ends_the_run(many: Path) -> None:
    with joy.read(many, batch_rows=1) as stream:
        batches = iter(stream)
        assert len(next(batches)) == 1
    assert list(batches) == []
    stream.close()
    with pytest.raises(joy.JoyError):
        stream.read_all()
    with joy.read(many):
        pass  # nothing consumed


def test_what_is_dropped_is_ended(many: Path) -> None:
    """Dropped before, within and behind its use, and with a capsule of its own left over."""
    before = threading.active_count()
    for _ in range(20):
        joy.read(many, batch_rows=1)
        next(iter(joy.read(many, batch_rows=1)))
        capsule = joy.read(many, batch_rows=1).__arrow_c_stream__()
        reader = pa.RecordBatchReader.from_stream(joy.read(many, batch_rows=1))
        reader.read_next_batch()
        del capsule, reader
    gc.collect()
    assert threading.active_count() == before
    tasks = len(list(Path("/proc/self/task").iterdir()))
    joy.read(many, batch_rows=1)
    assert len(list(Path("/proc/self/task").iterdir())) == tasks


def test_counters_progress_and_summary(many: Path) -> None:
    stream = joy.read(many)
    with pytest.raises(joy.JoyError, match="end"):
        _ = stream.summary
    stream.read_all()
    assert (stream.stats["packets"], stream.stats["flows"], stream.stats["records"]) == (500,) * 3
    assert stream.progress == 1.0
    assert (stream.summary["packets"], stream.summary["records"]) == (500, 500)
    assert stream.troubles == [] and stream.log == []


def test_the_run_is_but_a_few_batches_ahead(many: Path) -> None:
    """Four in the queue, one being filled, one being handed over, however slow the reader."""
    stream, taken = joy.read(many, batch_rows=10), 0
    for batch in stream:
        taken += len(batch)
        assert stream.stats["records"] <= taken + 6 * 10 or taken > 400
    assert taken == 500


def test_streams_side_by_side(many: Path, talk: Path) -> None:
    both = zip(joy.read(many, batch_rows=1), joy.read(talk, batch_rows=1), strict=False)
    assert len(list(both)) == 2


def test_streams_in_threads(many: Path) -> None:
    """Eight threads with streams of their own, and one stream that is handed to a thread."""
    expected = joy.read(many).read_all()
    found: list[bool] = []

    def work() -> None:
        for _ in range(5):
            found.append(joy.read(many, batch_rows=7).read_all().equals(expected))

    threads = [threading.Thread(target=work) for _ in range(8)]
    stream = joy.read(many)
    threads.append(threading.Thread(target=lambda: found.append(stream.read_all() == expected)))
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert found == [True] * 41


# --- what is wrong -------------------------------------------------------------------------------
def test_a_missing_file(tmp_path: Path) -> None:
    path = tmp_path / "none.pcap"
    with pytest.raises(joy.InputError, match="No such file") as raised:
        joy.read(path).read_all()
    assert raised.value.file == str(path) and raised.value.offset is None
    assert isinstance(raised.value, OSError)
    with pytest.raises(joy.InputError):
        list(joy.read(path))


@pytest.mark.parametrize("content", [b"", b"this is no capture at all, whatever its name"])
def test_a_file_that_is_no_capture(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "odd.pcap"
    path.write_bytes(content)
    with pytest.raises(joy.InputError, match="is no capture") as raised:
        joy.read(path).read_all()
    assert raised.value.file == str(path)


def test_an_empty_folder(tmp_path: Path) -> None:
    with pytest.raises(joy.InputError, match="folder without files") as raised:
        joy.read(tmp_path).read_all()
    assert raised.value.file == str(tmp_path)


def test_damage_is_a_warning_with_its_place(cut: Path) -> None:
    stream = joy.read(cut)
    with pytest.warns(joy.DamagedInputWarning, match="ends in the middle of a packet") as seen:
        table = stream.read_all()
    assert len(table) > 0
    assert [(w.message.file, w.message.offset) for w in seen] == [(str(cut), CUT)]
    assert Path(seen[0].filename) == Path(__file__)
    assert [(t.file, t.offset, t.damaged) for t in stream.troubles] == [(str(cut), CUT, True)]
    assert any("middle of a packet" in line for line in stream.log)


def test_damage_as_an_error(cut: Path) -> None:
    stream = joy.read(cut, damaged="raise")
    with pytest.raises(joy.DamagedInputError, match="middle of a packet") as raised:
        stream.read_all()
    assert (raised.value.file, raised.value.offset) == (str(cut), CUT)
    with pytest.raises(OSError, match="damaged"):
        pa.table(joy.read(cut, damaged="raise"))


def test_damage_ignored(cut: Path) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        stream = joy.read(cut, damaged="ignore")
        assert len(stream.read_all()) > 0
        assert len(pa.table(joy.read(cut, damaged="ignore"))) > 0
    assert [t.offset for t in stream.troubles] == [CUT]


def test_another_consumer_warns_too(cut: Path) -> None:
    """The warning comes as soon as the interpreter has control again."""
    with pytest.warns(joy.DamagedInputWarning) as seen:
        table = pa.table(joy.read(cut))
        assert len(table) > 0
    assert [w.message.offset for w in seen] == [CUT]


def test_one_of_two_inputs_is_missing(talk: Path, tmp_path: Path) -> None:
    missing = tmp_path / "none.pcap"
    with pytest.warns(joy.DamagedInputWarning, match="No such file") as seen:
        assert len(joy.read([missing, talk]).read_all()) == 2
    assert [w.message.file for w in seen] == [str(missing)]


def test_names_that_are_no_unicode(talk: Path, tmp_path: Path) -> None:
    name = bytes(tmp_path) + b"/\xff\xfe.pcap"
    Path(name.decode("utf-8", "surrogateescape")).write_bytes(talk.read_bytes())
    assert len(joy.read(name).read_all()) == 2
    with pytest.raises(joy.InputError) as raised:
        joy.read(name + b"x").read_all()
    assert raised.value.file.encode("utf-8", "surrogateescape") == name + b"x"


def test_options_that_exclude_each_other_or_name_no_file(talk: Path, tmp_path: Path) -> None:
    with pytest.raises(joy.JoyError, match="none.net"):
        joy.read(talk, anon=tmp_path / "none.net").read_all()
    with pytest.raises(joy.JoyError, match="portt"):
        joy.read(talk, bpf="portt 1").read_all()


def test_an_interface_that_does_not_exist() -> None:
    with pytest.raises(joy.JoyError, match="joy-none0"):
        joy.live("joy-none0").read_all()
