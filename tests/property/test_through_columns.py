# SPDX-License-Identifier: BSD-3-Clause
"""Records that went through columns are the records of the capture, byte for byte.

Columns come from libjoy's own stream, from JSON lines by the types of doc/fields.md, and through
what others make of them (Parquet, polars).  Whether records are rewritten while capturing or
afterwards must not show.
"""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from program import FIXTURES, ROOT
from rewrite_kit import OK, capture, captured_table, records, rewrite, rewritten_table, table

CASES = [*FIXTURES, ROOT / "sample.pcap"]
ALL = {"features": "all"}
MMDB = ROOT / "tests"


def lines(path: Path, **options: object) -> list[bytes]:
    """The records of a capture as pcap2flow writes them."""
    return records(capture(path, *[f"{k}={v}" for k, v in options.items()]))


@pytest.fixture(params=CASES, ids=lambda p: p.name)
def case(request: pytest.FixtureRequest) -> Path:
    """Each capture of the repository."""
    return request.param


@pytest.mark.parametrize("bidir", [0, 1])
def test_through_the_librarys_columns(case: Path, bidir: int) -> None:
    for binary in (False, True):
        columns = captured_table(case, rows=5, binary=binary, bidir=bidir, **ALL)
        done = rewrite(columns)
        assert (done.status, done.log) == (OK, [])
        assert done.records == lines(case, bidir=bidir, **ALL)


@pytest.mark.parametrize("bidir", [0, 1])
def test_through_columns_by_the_documents(case: Path, bidir: int) -> None:
    options = (f"bidir={bidir}", "features=all")
    done = rewrite(table(capture(case, *options)))
    assert (done.status, done.log) == (OK, [])
    assert done.records == records(capture(case, *options))


def test_through_parquet(case: Path, tmp_path: Path) -> None:
    file = tmp_path / "flows.parquet"
    pq.write_table(captured_table(case, bidir=1, **ALL), file)
    done = rewrite(pq.read_table(file))
    assert (done.status, done.log) == (OK, [])
    assert done.records == lines(case, bidir=1, **ALL)


def test_through_polars(case: Path) -> None:
    """Large lists, views of strings, categories."""
    polars = pytest.importorskip("polars")
    frame = polars.DataFrame(captured_table(case, bidir=1, **ALL))
    for columns in (frame.to_arrow(), frame.to_arrow(compat_level=polars.CompatLevel.newest())):
        done = rewrite(columns)
        assert (done.status, done.log) == (OK, [])
        assert done.records == lines(case, bidir=1, **ALL)


def test_as_columns_again(case: Path) -> None:
    columns = captured_table(case, bidir=1, **ALL)
    again = rewritten_table(columns)
    assert again.schema.equals(columns.schema)
    assert again.equals(columns)


# --- what rewrites ------------------------------------------------------------------------------
def listing(path: Path, *lines: str) -> Path:
    """A list file."""
    path.write_text("".join(line + "\n" for line in lines))
    return path


@pytest.fixture
def lists(tmp_path: Path) -> dict[str, object]:
    """Options of lists, and of anonymisation with a key."""
    private = listing(tmp_path / "private", "192.0.2.0/28", "2001:db8::/124", "fe80::/10")
    watched = listing(tmp_path / "watched", "192.0.2.1", "2001:db8::/127", "web.test", "example")
    return {
        "label": f"home:{private}",
        "watch": watched,
        "anon": private,
        "anon_key": tmp_path / "key",
        "anon_names": 1,
        "useranon": listing(tmp_path / "users", "root", "alice"),
    }


@pytest.mark.parametrize("bidir", [0, 1])
@pytest.mark.parametrize("some", [("label",), ("watch",), ("anon",), ()], ids=str)
def test_rewritten_later_is_the_same(
    case: Path, bidir: int, some: tuple[str, ...], lists: dict[str, object]
) -> None:
    keys = [k for k in lists if not some or k.startswith(some)]
    options = {k: lists[k] for k in keys}
    expected = lines(case, bidir=bidir, **ALL, **options)
    done = rewrite(captured_table(case, bidir=bidir, **ALL), **options)
    assert (done.status, done.log) == (OK, [])
    assert done.records == expected


def test_lists_have_something_to_do(lists: dict[str, object]) -> None:
    path = ROOT / "tests/fixtures/tls.pcap"
    plain = b"".join(lines(path, bidir=1, **ALL))
    done = b"".join(lines(path, bidir=1, **ALL, **lists))
    assert plain.count(b'"192.0.2.10"') > 10 and b'"192.0.2.10"' not in done
    assert plain.count(b"web.test") > 10 and b"web.test" not in done
    assert done.count(b'"sa_labels":["home"]') > 10 and done.count(b'"watch":[{') > 10


def test_labels_are_replaced_and_kept(lists: dict[str, object], tmp_path: Path) -> None:
    path = ROOT / "sample.pcap"
    labelled = captured_table(path, bidir=1, label=lists["label"])
    assert rewrite(labelled).records == lines(path, bidir=1, label=lists["label"])
    other = f"other:{listing(tmp_path / 'other', '0.0.0.0/0')}"
    assert rewrite(labelled, label=other).records == lines(path, bidir=1, label=other)


def test_a_foreign_community_id_is_left_out(lists: dict[str, object]) -> None:
    """It was made with a seed that nobody told."""
    path = ROOT / "sample.pcap"
    columns = captured_table(path, bidir=1, community_id_seed=5).replace_schema_metadata(None)
    some = {k: lists[k] for k in ("anon", "anon_key")}
    told = rewrite(columns, **some, community_id_seed=5)
    assert told.records == lines(path, bidir=1, community_id_seed=5, **some)
    done = rewrite(columns, **some)
    assert b"community_id" not in b"".join(done.records)
    assert len(done.log) == 1 and "community_id" in done.log[0]


def test_the_seed_is_taken_over(lists: dict[str, object]) -> None:
    path = ROOT / "sample.pcap"
    some = {k: lists[k] for k in ("anon", "anon_key")}
    done = rewrite(captured_table(path, bidir=1, community_id_seed=5), **some)
    assert done.records == lines(path, bidir=1, community_id_seed=5, **some)


# --- what the columns are -----------------------------------------------------------------------
def test_only_what_is_there() -> None:
    path = ROOT / "sample.pcap"
    columns = captured_table(path, bidir=1).select(["sa", "da", "pr", "bytes_out", "packets"])
    first = rewrite(columns).records[0]
    assert first.startswith(b'{"sa":"') and b'"bytes_out":' in first and b'"packets":[' in first
    assert b"time_start" not in first


@pytest.mark.parametrize("missing", ["sa", "da", "pr"])
def test_without_addresses_nothing_can_be_done(missing: str) -> None:
    done = rewrite(captured_table(ROOT / "sample.pcap").drop_columns([missing]))
    assert done.status == 2
    assert missing in done.error


def test_unknown_columns_are_named_once() -> None:
    columns = captured_table(ROOT / "sample.pcap", rows=3)
    more = columns.append_column("ja5", pa.array(["x"] * len(columns)))
    done = rewrite(more)
    assert done.status == OK
    assert [line for line in done.log if "ja5" in line] == done.log and len(done.log) == 1
    assert done.records == lines(ROOT / "sample.pcap")


def test_a_wrong_type_is_an_error() -> None:
    columns = captured_table(ROOT / "sample.pcap")
    at = columns.schema.get_field_index("sa")
    wrong = columns.set_column(at, "sa", pa.array([1] * len(columns)))
    done = rewrite(wrong)
    assert done.status == 1
    assert "column sa" in done.error


def test_what_cannot_be_rewritten_is_left_out() -> None:
    columns = captured_table(ROOT / "sample.pcap")
    at = columns.schema.get_field_index("sa")
    holes = pa.array([None, "nonsense", *columns["sa"].to_pylist()[2:]])
    done = rewrite(columns.set_column(at, "sa", holes))
    assert done.status == 3
    assert done.records == lines(ROOT / "sample.pcap")[2:]
    assert done.summary["left_out"] == 2
    assert len(done.log) == 1 and "record 1" in done.log[0] and "column sa" in done.log[0]


def test_merge_is_for_records(tmp_path: Path) -> None:
    from program import pcap2flow

    run = pcap2flow("merge=1", ROOT / "sample.pcap")
    assert run.status == 2 and "merge" in run.stderr
