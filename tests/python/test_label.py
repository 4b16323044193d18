# SPDX-License-Identifier: BSD-3-Clause
"""joy label: which flow gets which label, against truth and flows made by hand.

Flows are records of these tests (all that matters of them is here):

    n  from                   to                     proto  seconds   process
    0  10.0.0.1:1000          192.0.2.1:443          tcp    100-110   curl
    1  10.0.0.2:1001          192.0.2.1:443          tcp    105-120   firefox
    2  192.0.2.7:53           10.0.0.1:5000          udp    200-200   dnsmasq at the responder
    3  2001:db8::1:1000       2001:db8::ff:443       tcp    300-400
    4  10.0.0.1               192.0.2.1              icmp   500-501
    5  203.0.113.9:1000       198.51.100.1:8080      tcp    600-600
"""

from __future__ import annotations

import hashlib
import json
import os
import random
from datetime import datetime, timezone
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from joy import truth
from kit import ROOT
from made import joy, ok, run_page, write_pcap, write_records

FLOWS = [
    ("10.0.0.1", 1000, "192.0.2.1", 443, 6, 100, 110),
    ("10.0.0.2", 1001, "192.0.2.1", 443, 6, 105, 120),
    ("192.0.2.7", 53, "10.0.0.1", 5000, 17, 200, 200),
    ("2001:db8::1", 1000, "2001:db8::ff", 443, 6, 300, 400),
    ("10.0.0.1", None, "192.0.2.1", None, 1, 500, 501),
    ("203.0.113.9", 1000, "198.51.100.1", 8080, 6, 600, 600),
]
EXE = {
    0: {"exe": {"name": "curl", "path": "/usr/bin/curl", "pid": 1, "side": ">"}},
    1: {"exe": {"name": "firefox", "path": "/opt/ff/firefox", "pid": 2, "side": ">"}},
    2: {
        "exe": {"name": "named", "path": "/usr/sbin/named", "pid": 3, "side": ">"},
        "exe_peer": {"name": "dnsmasq", "path": "/usr/sbin/dnsmasq", "pid": 4, "side": "<"},
    },
}


def records() -> list[dict]:
    out = []
    for n, (sa, sp, da, dp, pr, start, end) in enumerate(FLOWS):
        ports = {} if sp is None else {"sp": sp, "dp": dp}
        flow = {"sa": sa, "da": da, "pr": pr, **ports, "bytes_out": n, "num_pkts_out": 1}
        flow |= {"bytes_in": 0, "num_pkts_in": 0, "time_start": start, "time_end": end}
        out.append({**flow, "flow_id": n + 1, "part": 1, "end_reason": 4, **EXE.get(n, {})})
    return out


@pytest.fixture
def flows(tmp_path: Path) -> Path:
    return write_records(tmp_path / "flows.json", records())


def table_of(path: Path) -> pa.Table:
    with pq.ParquetFile(path) as file:
        return file.read()


def manifest_of(path: Path) -> dict:
    return json.loads(path.with_suffix(".manifest.json").read_text(encoding="utf-8"))


def label(flows: Path, text: str, *more: str | Path, name: str = "truth.csv") -> pa.Table:
    """Flows with the labels of a truth; the output is out.parquet beside them."""
    (flows.parent / name).write_text(text, encoding="utf-8")
    out = flows.parent / "out.parquet"
    ok("label", flows, "--truth", flows.parent / name, "-O", out, *more)
    return table_of(out)


def marks(flows: Path, text: str, *more: str | Path, name: str = "truth.csv") -> str:
    """Flows that have label x, as their numbers."""
    table = label(flows, text, *more, name=name)
    found = table.column("x").to_pylist()
    return "".join(
        str(n) for n, x in zip(table.column("bytes_out").to_pylist(), found, strict=True) if x
    )


def refused(
    flows: Path, text: str, *more: str | Path, name: str = "truth.csv", code: int = 1
) -> str:
    """What is said of a truth that is not taken; nothing is written."""
    (flows.parent / name).write_text(text, encoding="utf-8")
    out = flows.parent / "out.parquet"
    done = joy("label", flows, "--truth", flows.parent / name, "-O", out, *more)
    assert done.returncode == code, done.stderr
    assert not out.exists()
    assert not list(flows.parent.glob("*.part"))
    return done.stderr


# --- conditions ----------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "cells", "numbers"),
    [
        ("sa", "10.0.0.1", "024"),
        ("sa,direction", "10.0.0.1,forward", "04"),
        ("sa,direction", "10.0.0.1,either", "024"),
        ("da,direction", "10.0.0.1,forward", "2"),
        ("sa", "10.0.0.0/30", "0124"),
        ("sa", "10.0.0.2/31", "1"),
        ("sa,da", "192.0.2.0/24,10.0.0.0/8", "0124"),
        ("sa,da,direction", "192.0.2.0/24,10.0.0.0/8,forward", "2"),
        ("sa", "0.0.0.0/0", "01245"),
        ("sa", "::/0", "3"),
        ("sa", "2001:db8::/127", "3"),
        ("sa", "2001:DB8:0::1", "3"),
        ("sa", "2001:db8::2/127", ""),
        ("sa", "::ffff:10.0.0.1", ""),
        ("dp", "443", "013"),
        ("dp", "443 8080", "0135"),
        ("dp", "440-449;8000-9000", "0135"),
        ("dp", "1000", "035"),
        ("dp,direction", "1000,forward", ""),
        ("sp,dp", "1000,443", "03"),
        ("sp,dp", "443,1000", "03"),
        ("sp,dp,direction", "443,1000,forward", ""),
        ("dp", "0-65535", "01235"),
        ("pr", "tcp", "0135"),
        ("pr", "6", "0135"),
        ("pr", "UDP icmp", "24"),
        ("start,end", "110,199", "01"),
        ("start,end", "110.000000001,199", "1"),
        ("start,end", "1970-01-01T00:01:50Z,1970-01-01T00:03:19Z", "01"),
        ("start,end", "1970-01-01 01:01:50+01:00,1970-01-01T01:03:19+0100", "01"),
        ("start", "300", "345"),
        ("end", "105", "01"),
        ("end", "104.999999999", "0"),
        ("time", "107", "01"),
        ("start,duration", "111,100", "12"),
        ("time,duration", "400,100", "34"),
        ("exe.name", "curl", "0"),
        ("exe.name", "dnsmasq", "2"),
        ("exe.name", "*a*", "2"),
        ("exe.path", "/usr/*/[cd]*", "02"),
        ("exe.path", "/opt/ff/firefox", "1"),
        ("exe.name,sa", "named,10.0.0.1", "2"),
        ("exe.name,dp,pr,end,da", "curl,443,tcp,100,192.0.2.0/29", "0"),
        ("exe.name,dp,pr,end,da", "curl,443,tcp,99,192.0.2.0/29", ""),
    ],
)
def test_conditions(flows: Path, columns: str, cells: str, numbers: str) -> None:
    assert marks(flows, f"{columns},x\n{cells},yes\n") == numbers


def test_either_direction_turns_all_of_a_row() -> None:
    """Addresses and ports change sides together, never one of them alone (see conditions)."""
    (rule,) = truth.rules_of({"sa": "10.0.0.1", "sp": "1000"}, 0, truth.Clock())
    assert rule.either and rule.sa == (b"\4\x0a\0\0\1",) * 2 and rule.sp == (1000, 1000)


def test_ends_do_not_mix(flows: Path) -> None:
    assert marks(flows, "sa,sp,x\n10.0.0.1,5000,yes\n") == "2"
    assert marks(flows, "sa,sp,x\n10.0.0.1,53,yes\n") == ""


def test_every_column_is_kept(flows: Path) -> None:
    table = label(flows, "dp,x\n443,yes\n", "--rows", "why")
    assert table.num_rows == 6
    names = table.schema.names
    assert names[-3:] == ["x", "label_conflicts", "why"]
    assert names[:5] == ["sa", "da", "pr", "sp", "dp"]
    assert table.column("bytes_out").to_pylist() == [0, 1, 2, 3, 4, 5]
    assert table.column("exe").to_pylist()[0]["name"] == "curl"
    assert table.column("exe").to_pylist()[3] is None
    where = f"{flows.parent / 'truth.csv'}:2"
    assert table.column("why").to_pylist() == [[where], [where], None, [where], None, None]


# --- times ---------------------------------------------------------------------------------------
def test_time_zones(flows: Path) -> None:
    text = "start,end,x\n1970-01-01T01:01:50,1970-01-01T01:03:19,yes\n"
    assert "truth.csv:2: 1970-01-01T01:01:50 has no time zone" in refused(flows, text)
    assert marks(flows, text, "--zone", "Europe/Berlin") == "01"
    assert marks(flows, text, "--zone", "+01:00") == "01"
    assert marks(flows, text, "--zone", "UTC") == ""
    assert "no time zone" in refused(fresh(flows), text, "--zone", "Mars/Olympus", code=2)


def fresh(flows: Path) -> Path:
    """Without an output of before."""
    (flows.parent / "out.parquet").unlink(missing_ok=True)
    return flows


@pytest.mark.parametrize(
    ("text", "why"), [("2026-03-29 02:30:00", "never"), ("2026-10-25 02:30:00", "twice")]
)
def test_local_times_that_a_clock_change_takes(flows: Path, text: str, why: str) -> None:
    said = refused(flows, f"start,x\n{text},yes\n", "--zone", "Europe/Berlin")
    assert f"truth.csv:2: {text} was {why} in that time zone" in said


def test_shift_and_slack(flows: Path) -> None:
    text = "start,end,x\n3700,3799,yes\n"  # an hour ahead: 100 to 199
    assert marks(flows, text) == ""
    assert marks(flows, text, "--shift", "-3600") == "01"
    assert marks(flows, text, "--shift", "-3599.999999999") == "01"
    assert marks(flows, text, "--shift", "-3600", "--slack", "0.999999999") == "01"
    assert marks(flows, text, "--shift", "-3600", "--slack", "1") == "012"
    assert "negative" in refused(fresh(flows), text, "--slack", "-1", code=2)
    assert "seconds" in refused(flows, text, "--shift", "1h", code=2)


def test_times_are_exact_to_the_nanosecond(tmp_path: Path) -> None:
    clock = truth.Clock()
    whole = 1_700_000_000 * 10**9
    for word in ("1700000000.123456789", "2023-11-14T22:13:20.123456789Z"):
        assert truth.moment(word, clock) == whole + 123456789
    assert truth.moment(1_700_000_000, clock) == whole
    time = datetime(2023, 11, 14, 22, 13, 20, 5, timezone.utc)
    assert truth.moment(time, clock) == whole + 5000


# --- several rows --------------------------------------------------------------------------------
OVERLAP = """sa,dp,priority,app,kind
10.0.0.0/8,,,any,benign
,443,,web,benign
10.0.0.1,443,5,exact,
"""


def test_what_contradicts_itself_is_marked(flows: Path) -> None:
    """0: the exact row wins; 1: any against web; both say the same of kind."""
    table = label(flows, OVERLAP)
    assert table.column("app").to_pylist() == ["exact", None, "any", "web", "any", None]
    assert table.column("kind").to_pylist() == ["benign"] * 5 + [None]
    assert table.column("label_conflicts").to_pylist() == [None, ["app"], None, None, None, None]
    made = manifest_of(flows.parent / "out.parquet")
    assert made["counts"] == {"flows": 6, "labelled": 5, "unlabelled": 1, "ambiguous": 1}
    assert made["labels"] == {
        "app": {"values": {"any": 2, "exact": 1, "web": 1}, "ambiguous": 1},
        "kind": {"values": {"benign": 5}, "ambiguous": 0},
    }
    assert "flow 2" in made["conflicts"][0]
    assert "truth.csv:2 says 'any'" in made["conflicts"][0]
    assert "truth.csv:3 says 'web'" in made["conflicts"][0]


def test_the_first_row_when_asked_for(flows: Path) -> None:
    table = label(flows, OVERLAP, "--on-conflict", "first")
    assert table.column("app").to_pylist() == ["exact", "any", "any", "web", "any", None]
    assert table.column("label_conflicts").to_pylist()[1] == ["app"]
    assert manifest_of(flows.parent / "out.parquet")["counts"]["ambiguous"] == 1


def test_conflicts_as_errors(flows: Path) -> None:
    said = refused(flows, OVERLAP, "--on-conflict", "error")
    assert "flow 2" in said and "truth.csv:2 says 'any'" in said
    refused(flows, OVERLAP, "--on-conflict", "last", code=2)


def test_rows_that_did_nothing(flows: Path) -> None:
    text = (
        "sa,priority,x\n10.0.0.1,1,a\n10.0.0.1,0,b\n10.9.9.9,,c\n203.0.113.9,,d\n203.0.113.9,,e\n"
    )
    label(flows, text)
    rows = manifest_of(flows.parent / "out.parquet")["truth_rows"]
    at = f"{flows.parent / 'truth.csv'}"
    assert rows["unmatched"] == [f"{at}:4"]
    assert rows["overruled"] == [f"{at}:3", f"{at}:5", f"{at}:6"]


def test_the_same_row_twice_is_no_conflict(flows: Path) -> None:
    text = "sa,x\n10.0.0.1,a\n10.0.0.1,a\n"
    assert marks(flows, text) == "024"
    assert manifest_of(flows.parent / "out.parquet")["counts"]["ambiguous"] == 0


def test_order_changes_nothing(flows: Path) -> None:
    """Of flows and of rows, in several files or one."""
    lines = [
        f"{sa},{dp},{start},{start + 50},{priority},l{i * 7 % 5}"
        for i, (sa, dp, start, priority) in enumerate(
            (sa, dp, start, priority)
            for sa in ("10.0.0.0/8", "10.0.0.1", "2001:db8::/32", "")
            for dp in ("443", "1-1024", "")
            for start in (90, 180, 390)
            for priority in (0, 1)
        )
    ]
    rng = random.Random(5)
    seen = set()
    for turn in range(4):
        rows, items = list(lines), records()
        rng.shuffle(rows)
        rng.shuffle(items)
        cut = rng.randrange(len(rows))
        parts = [rows[:cut], rows[cut:]] if turn else [lines]
        names = []
        for i, part in enumerate(parts):
            names += ["--truth", flows.parent / f"t{i}.csv"]
            names[-1].write_text("\n".join(["sa,dp,start,end,priority,x", *part]) + "\n")
        write_records(flows, items)
        out = flows.parent / "out.parquet"
        ok("label", flows, *names, "-O", out)
        table = table_of(out).select(["bytes_out", "x", "label_conflicts"]).to_pylist()
        seen.add(json.dumps(sorted(table, key=lambda row: row["bytes_out"])))
    assert len(seen) == 1
    assert '"label_conflicts": ["x"]' in next(iter(seen))


def matches_by_hand(flow: tuple, row: dict) -> bool:
    """The rules of doc/label.md once more, for one flow and one row, without any of the code."""
    import ipaddress

    sa, sp, da, dp, _, start, end = flow

    def holds(here: tuple, there: tuple) -> bool:
        for key, (address, port) in (("s", here), ("d", there)):
            if row.get(key + "a"):
                net = ipaddress.ip_network(row[key + "a"])
                if ipaddress.ip_address(address) not in net:
                    return False
            if row.get(key + "p"):
                low, _, high = row[key + "p"].partition("-")
                if port is None or not int(low) <= port <= int(high or low):
                    return False
        return start <= row["end"] and end >= row["start"]

    return holds((sa, sp), (da, dp)) or holds((da, dp), (sa, sp))


def test_many_rows_and_flows_against_loops(tmp_path: Path) -> None:
    """Random truth and random flows: the join says what two loops say."""
    rng = random.Random(11)
    hosts = ["10.0.0.1", "10.0.0.2", "10.1.0.1", "2001:db8::1", "2001:db8::2"]
    nets = [*hosts, "10.0.0.0/30", "10.0.0.0/8", "2001:db8::/64", "", ""]
    ports = ["", "", "80", "443", "1-100", "400-500"]
    items, made = [], []
    for n in range(300):
        sa, da = rng.sample(hosts, 2)
        start = rng.randrange(1000)
        flow = (sa, rng.choice([80, 443, 5000]), da, rng.choice([80, 443]), 6, start, start + 9)
        made.append(flow)
        row = dict(zip(("sa", "sp", "da", "dp", "pr", "time_start", "time_end"), flow, strict=True))
        items.append({**row, "bytes_out": n, "num_pkts_out": 1})
    rows = []
    for _ in range(120):
        start = rng.randrange(1000)
        row = {"sa": rng.choice(nets), "da": rng.choice(nets), "sp": rng.choice(ports)}
        rows.append({**row, "dp": rng.choice(ports), "start": start, "end": start + 60})
    flows = write_records(tmp_path / "many.json", items)
    text = "sa,da,sp,dp,start,end,x\n" + "".join(
        ",".join(map(str, row.values())) + f",r{i % 4}\n" for i, row in enumerate(rows)
    )
    table = label(flows, text, "--rows", "why")
    assert 0 < len([x for x in table.column("x").to_pylist() if x]) < 300
    found, why = table.column("x").to_pylist(), table.column("why").to_pylist()
    for n, flow in enumerate(made):
        hits = [i for i, row in enumerate(rows) if matches_by_hand(flow, row)]
        assert [int(w.rpartition(":")[2]) - 2 for w in why[n] or []] == hits
        says = {f"r{i % 4}" for i in hits}
        assert found[n] == (says.pop() if len(says) == 1 else None)


# --- forms of truth ------------------------------------------------------------------------------
def test_json_lines_lists_and_types(flows: Path) -> None:
    text = (
        '{"sa": ["10.0.0.1", "203.0.113.9"], "dp": [443, "8000-8999"], "x": true, "n": 7}\n\n'
        '{"pr": 1, "x": false, "n": 8}\n'
    )
    table = label(flows, text, name="truth.json")
    assert table.column("x").to_pylist() == [True, None, None, None, False, True]
    assert table.column("n").to_pylist() == [7, None, None, None, 8, 7]
    assert table.schema.field("n").type == pa.int64()
    text = json.dumps([{"start": 600, "x": 1.5}])
    assert label(flows, text, name="list.json").column("x").to_pylist() == [None] * 5 + [1.5]


def test_toml(flows: Path) -> None:
    text = '[[truth]]\nstart = 1970-01-01T00:05:00Z\nsa = "2001:db8::/32"\nx = "v6"\n'
    assert marks(flows, text, name="truth.toml") == "3"
    text = '[[truth]]\nstart = 1970-01-01T00:05:00\nsa = "2001:db8::/32"\nx = "v6"\n'
    assert "zone" in refused(fresh(flows), text, name="truth.toml")
    assert "[[truth]]" in refused(flows, '[[rows]]\nx = "1"\n', name="truth.toml")
    assert "truth.toml" in refused(flows, "x =\n", name="truth.toml")


def test_parquet(flows: Path) -> None:
    times = pa.array([105_000_000_001, None, 200 * 10**9], pa.timestamp("ns", "UTC"))
    ports = pa.array([None, 8080.0, float("nan")], pa.float64())
    table = pa.table({"time": times, "dp": ports, "x": ["a", "b", None], "y": [None, None, 1]})
    path = flows.parent / "truth.parquet"
    pq.write_table(table, path)
    out = flows.parent / "out.parquet"
    ok("label", flows, "--truth", path, "-O", out)
    found = table_of(out)
    assert found.column("x").to_pylist() == ["a", "a", None, None, None, "b"]
    assert found.column("y").to_pylist() == [None, None, 1, None, None, None]


def test_tabs_quotes_and_a_byte_order_mark(flows: Path) -> None:
    assert marks(flows, "\ufeffsa\tx\n10.0.0.1\tyes\n", name="truth.tsv") == "024"
    table = label(flows, 'sa,x\n"10.0.0.2, 203.0.113.9","a ""b"", c\nd"\n')
    assert table.column("x").to_pylist()[1] == 'a "b", c\nd'
    assert table.column("x").to_pylist()[5] == 'a "b", c\nd'


def test_only_some_labels(flows: Path) -> None:
    table = label(flows, "sa,x,y,note\n10.0.0.1,1,2,z\n", "--label", "y", "--prefix", "true_")
    assert table.schema.names[-2:] == ["true_y", "true_label_conflicts"]
    said = refused(fresh(flows), "sa,x\n10.0.0.1,1\n", "--label", "y", code=2)
    assert "--label y" in said


def test_names_that_are_taken(flows: Path) -> None:
    text = "dp,bytes_out\n443,1\n"
    assert "bytes_out" in refused(flows, text, code=2)
    assert label(flows, text, "--prefix", "my_").column("my_bytes_out").to_pylist()[0] == "1"


# --- truth that is wrong -------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("columns", "cells", "why"),
    [
        ("sa", "10.0.0.256", "'10.0.0.256' is no address"),
        ("sa", "10.0.0.1/8", "bits are set"),
        ("sa", "10.0.0.0/33", "no address"),
        ("sa", "fe80::1%eth0", "no address"),
        ("sa", "example.test", "no address"),
        ("dp", "65536", "no port"),
        ("dp", "20-10", "no port"),
        ("dp", "-5", "no port"),
        ("dp", "http", "no port"),
        ("pr", "256", "no protocol"),
        ("pr", "htcp", "no protocol"),
        ("start", "yesterday", "no time"),
        ("start", "2026-02-30T00:00:00Z", "no time"),
        ("start", "nan", "no time"),
        ("start", "99999999999999", "no number of seconds"),
        ("start,end", "200,100", "ends before it starts"),
        ("start,duration", "200,-1", "ends before it starts"),
        ("end,duration", "200,1", "duration needs start"),
        ("time,end", "200,201", "cannot be beside"),
        ("sa,direction", "10.0.0.1,back", "direction"),
        ("sa,priority", "10.0.0.1,high", "priority"),
        ("sa,dp", ",", "no condition"),
        ("sa,dp", "10.0.0.1", "2 cells, but"),
    ],
)
def test_bad_rows_have_their_line(flows: Path, columns: str, cells: str, why: str) -> None:
    text = f"x,{columns}\nyes,{cells}\n"
    said = refused(flows, text)
    assert "truth.csv:2: " in said and why in said


def test_a_row_without_a_label(flows: Path) -> None:
    assert "truth.csv:3: it has no label" in refused(flows, "sa,x\n10.0.0.1,a\n10.0.0.1,\n")


def test_bad_rows_can_be_left_out(flows: Path) -> None:
    text = 'sa,x\n10.0.0.1,"two\nlines"\n10.0.0.999,b\n203.0.113.9,c\n,\n'
    said = refused(flows, text)
    assert "truth.csv:4:" in said and "truth.csv:6:" in said  # a cell may have several lines
    assert marks(flows, text, "--skip-bad-rows") == "0245"
    rows = manifest_of(flows.parent / "out.parquet")["truth_rows"]
    assert (rows["rows"], rows["bad_count"]) == (2, 2)


@pytest.mark.parametrize(
    ("name", "text", "why"),
    [
        ("truth.csv", "", "is empty"),
        ("truth.csv", "sa,sa,x\n", "truth.csv:1: a column"),
        ("truth.csv", 'sa,x\n10.0.0.1,"a\n', "truth.csv:2"),
        ("truth.json", "[", "truth.json"),
        ("truth.json", '{"sa": "10.0.0.1", "x": 1}\nnope\n', "truth.json:2: no JSON"),
        ("truth.json", "[1]", "truth.json:1: 1 is no row"),
        ("truth.json", '{"sa": "10.0.0.1", "x": 1}\n{"sa": "10.0.0.1", "x": "1"}', "json:2: label"),
        ("truth.json", '{"sa": "10.0.0.1", "x": [1]}', "no text, number or truth value"),
        ("truth.json", '{"sa": [], "x": 1}', "empty list"),
        ("truth.json", json.dumps({"sp": [*range(99)], "dp": [*range(99)], "x": 1}), "4096"),
        ("truth.json", '{"sa": {"a": 1}, "x": 1}', "no text or number"),
        ("truth.json", '{"dp": true, "x": 1}', "no port"),
        ("truth.parquet", "PAR1", "truth.parquet"),
    ],
)
def test_bad_files(flows: Path, name: str, text: str, why: str) -> None:
    assert why in refused(flows, text, name=name)


def test_files_that_cannot_be(flows: Path, tmp_path: Path) -> None:
    assert "truth is read from" in refused(flows, "x", name="truth.xls", code=2)
    out = tmp_path / "out.parquet"
    done = joy("label", flows, "--truth", tmp_path / "none.csv", "-O", out)
    assert done.returncode == 1 and "none.csv" in done.stderr
    (tmp_path / "t.csv").write_text("sa,x\n10.0.0.1,1\n")
    done = joy("label", flows, "--truth", tmp_path / "t.csv", "-O", tmp_path / "out.csv")
    assert done.returncode == 2 and "parquet" in done.stderr
    done = joy("label", flows, "--truth", tmp_path / "t.csv", "-O", tmp_path / "no" / "o.parquet")
    assert done.returncode == 1 and "o.parquet" in done.stderr


def test_truth_without_rows_labels_nothing(flows: Path) -> None:
    table = label(flows, "sa,x\n")
    assert table.column("x").to_pylist() == [None] * 6
    assert table.schema.field("x").type == pa.utf8()


def test_processes_that_no_input_has(tmp_path: Path) -> None:
    flows = write_records(tmp_path / "flows.json", records()[3:])
    assert marks(flows, "exe.name,sa,x\ncurl,,1\n,203.0.113.9,1\n") == "5"
    done = joy("label", flows, "--truth", tmp_path / "truth.csv", "-O", tmp_path / "out.parquet")
    assert done.returncode == 0 and "no flow has one" in done.stderr


# --- captures and files --------------------------------------------------------------------------
def datagram(number: int, dp: int) -> bytes:
    """Ethernet, IPv4 10.0.0.number:4000, UDP to 192.0.2.1."""
    udp = (4000).to_bytes(2, "big") + dp.to_bytes(2, "big") + b"\0\x0a\0\0hi"
    head = b"\x45\0\0\x1e\0\1\0\0\x40\x11\0\0" + bytes([10, 0, 0, number, 192, 0, 2, 1])
    return bytes(12) + b"\x08\0" + head + udp


@pytest.fixture
def captures(tmp_path: Path) -> list[Path]:
    """a.pcap: flows of 10.0.0.1 and .2; b.pcap: of .1 (the same) and .3; a second apart."""
    second = 10**9
    folder = tmp_path / "caps"
    folder.mkdir()
    a = [(100 * second, datagram(1, 53)), (100 * second + 1, datagram(2, 53))]
    b = [(101 * second, datagram(1, 53)), (101 * second + 1, datagram(3, 53))]
    return [write_pcap(folder / "a.pcap", a), write_pcap(folder / "b.pcap", b)]


def test_files(captures: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,sa,x\na.pcap,,first\n*/caps/b.*,10.0.0.3,second\nc*,,none\n")
    out = tmp_path / "out.parquet"
    ok("label", *captures, "--truth", path, "-O", out, "--file", "source")
    rows = table_of(out).select(["sa", "x", "source"]).to_pylist()
    a, b = map(str, captures)
    assert [tuple(row.values()) for row in rows] == [
        ("10.0.0.1", "first", a),
        ("10.0.0.2", "first", a),
        ("10.0.0.1", None, b),
        ("10.0.0.3", "second", b),
    ]
    made = manifest_of(out)
    assert [(i["path"], i["rows"], i["kind"]) for i in made["inputs"]] == [
        (a, 2, "capture"),
        (b, 2, "capture"),
    ]
    assert made["truth_rows"]["unmatched"] == [f"{path}:4"]


def test_the_order_of_files_changes_nothing(captures: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "t.csv"
    path.write_text("file,sa,x\na.pcap,,first\nb.pcap,10.0.0.3,second\n,10.0.0.1,both\n")
    found = []
    for order in (captures, captures[::-1]):
        ok("label", *order, "--truth", path, "-O", tmp_path / "o.parquet", "--file", "f")
        rows = table_of(tmp_path / "o.parquet").select(["sa", "f", "x", "label_conflicts"])
        found.append(sorted(map(str, rows.to_pylist())))
    assert found[0] == found[1]


def test_damaged_captures_are_labelled_with_a_warning(captures: list[Path], tmp_path: Path) -> None:
    captures[0].write_bytes(captures[0].read_bytes()[:-3])
    path = tmp_path / "t.csv"
    path.write_text("sa,x\n10.0.0.1,1\n")
    done = joy("label", *captures[:1], "--truth", path, "-O", tmp_path / "o.parquet")
    assert done.returncode == 3
    assert "a.pcap" in done.stderr
    assert manifest_of(tmp_path / "o.parquet")["troubles"]


def test_the_output_is_no_input(captures: list[Path], tmp_path: Path) -> None:
    path = tmp_path / "t.parquet"
    pq.write_table(pa.table({"sa": ["10.0.0.1"], "x": ["1"]}), path)
    before = path.read_bytes()
    done = joy("label", *captures, "--truth", path, "-O", path)
    assert done.returncode == 2 and "is one of the inputs" in done.stderr
    assert path.read_bytes() == before


# --- the manifest --------------------------------------------------------------------------------
def test_the_manifest_is_true(
    captures: list[Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path, out = tmp_path / "t.csv", tmp_path / "o.parquet"
    path.write_text("sa,x\n10.0.0.1,1\n10.0.0.3,2\n")
    monkeypatch.setenv("SOURCE_DATE_EPOCH", "1700000000")
    words = ("label", *captures, "--truth", path, "-O", out, "--slack", "0.5")
    monkeypatch.setattr("sys.argv", ["joy", *map(str, words)])
    said = json.loads(ok(*words, "--json"))
    made = manifest_of(out)
    assert said == made
    for item in [*made["inputs"], *made["truth"], made["output"]]:
        data = Path(item["path"]).read_bytes()
        assert item["bytes"] == len(data)
        assert item["sha256"] == hashlib.sha256(data).hexdigest()
    assert [i["path"] for i in made["inputs"]] == list(map(str, captures))
    assert [i["path"] for i in made["truth"]] == [str(path)]
    assert made["output"]["rows"] == table_of(out).num_rows
    assert made["created"] == "2023-11-14T22:13:20Z"
    assert made["command"] == ["joy", *map(str, words)]
    assert made["versions"]["joy"] == (ROOT / "VERSION").read_text().strip()
    assert made["versions"]["pyarrow"] == pa.__version__
    assert made["options"]["slack"] == "0.5"
    labels = table_of(out).column("x").to_pylist()
    assert made["labels"]["x"]["values"] == {"1": labels.count("1"), "2": labels.count("2")}
    assert made["counts"]["labelled"] == len(labels) - labels.count(None)
    again = hashlib.sha256(out.read_bytes()).hexdigest()
    ok(*words)
    assert hashlib.sha256(out.read_bytes()).hexdigest() == again


def test_nothing_is_left_of_a_run_that_fails(flows: Path) -> None:
    label(flows, "sa,x\n10.0.0.1,a\n")
    out = flows.parent / "out.parquet"
    before = {p: p.read_bytes() for p in (out, out.with_suffix(".manifest.json"))}
    (flows.parent / "truth.csv").write_text("sa,x\n10.0.0.1,a\n10.0.0.1,b\n")
    done = joy("label", flows, "--truth", flows.parent / "truth.csv", "-O", out,
               "--on-conflict", "error")  # fmt: skip
    assert done.returncode == 1
    assert {p: p.read_bytes() for p in before} == before
    assert not list(flows.parent.glob("*.part"))


def test_inputs_that_change_meanwhile(flows: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from joy import manifest

    stamp = manifest.Stamp.of(str(flows))
    os.utime(flows, ns=(1, 1))
    with pytest.raises(OSError, match="changed while it was read"):
        manifest.describe(stamp)


# --- documents -----------------------------------------------------------------------------------
def test_the_page_says_what_happens(tmp_path: Path) -> None:
    """The page's own truth on the repository's captures."""
    page = (ROOT / "doc/label.md").read_text(encoding="utf-8")
    for name in ("truth.csv", "truth.toml"):
        text = page.split(f"`{name}`:\n\n```\n")[1].split("```")[0]
        (tmp_path / name).write_text(text, encoding="utf-8")
    for name in ("sample.pcap", "tests/fixtures/tls.pcap", "tests/fixtures/quic.pcap"):
        (tmp_path / Path(name).name).write_bytes((ROOT / name).read_bytes())
    assert run_page(page, tmp_path) >= 3
    # By hand: four connections to port 443, eleven to port 53, one to port 81.
    said = page.split("```\nlabelled.parquet: ")[1].split("```")[0]
    assert said.startswith("25 flows, 16 labelled, 9 not, 0 ambiguous\n")
    done = joy("label", tmp_path / "sample.pcap", "--truth", tmp_path / "truth.csv", "-O",
               tmp_path / "labelled.parquet")  # fmt: skip
    assert done.stdout == f"{tmp_path}/labelled.parquet: {said}"
    counts = manifest_of(tmp_path / "labelled.parquet")["counts"]
    assert counts == {"flows": 25, "labelled": 16, "unlabelled": 9, "ambiguous": 0}
