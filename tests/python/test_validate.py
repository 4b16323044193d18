# SPDX-License-Identifier: BSD-3-Clause
"""joy validate: every check has a record that breaks it; what pcap2flow writes breaks none."""

from __future__ import annotations

import copy
import json
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import jsonschema
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import talks
import traps
from joy import sense, validating
from kit import ROOT
from talks import joy_here as joy


def program(*words: str | Path) -> str:
    """What pcap2flow writes."""
    command = [str(ROOT / "pcap2flow"), *map(str, words)]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout


def flows(text: str) -> list[dict]:
    """The records in it."""
    lines = map(json.loads, text.splitlines())
    return [one for one in lines if "version" not in one and "summary" not in one]


@pytest.fixture(scope="module")
def good(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict]:
    """Right records with all features: of a TCP, a UDP and an ICMP flow."""
    capture = talks.write(tmp_path_factory.mktemp("talks") / "t.pcap")
    found = flows(program("bidir=1", "features=all", "cdist=1", capture))
    return (
        {"tcp": found[0], "udp": found[1], "icmp": found[4]}
        if found[0]["pr"] == 6
        else {
            name: next(one for one in found if one["pr"] == pr)
            for name, pr in (("tcp", 6), ("udp", 17), ("icmp", 1))
        }
    )


@pytest.fixture(scope="module")
def records() -> validating.Records:
    return validating.Records()


# --- what is right -------------------------------------------------------------------------------
HOWS = [
    ["bidir=1", "features=all"],
    ["bidir=0", "features=all", "zeros=1", "retrans=1"],
    ["bidir=1", "features=all", "type=2", "active_timeout=0.01", "num_pkts=3", "cdist=1"],
]


@pytest.mark.parametrize("how", HOWS, ids=["both", "one way", "parts"])
def test_what_pcap2flow_writes_is_right(tmp_path: Path, how: list[str]) -> None:
    fixtures = sorted((ROOT / "tests/fixtures").glob("*.pcap*"))
    for fixture in fixtures:
        (tmp_path / f"{fixture.name}.json").write_text(program(*how, fixture))
    done = joy("validate", tmp_path, "--json")
    assert done.returncode == 0, done.stdout
    reports = json.loads(done.stdout)
    assert len(reports) == len(fixtures) > 10
    assert sum(report["records"] for report in reports) > 150


def test_traps_are_right(tmp_path: Path) -> None:
    for name, make in traps.TRAPS.items():
        for number, data in enumerate(make().files.values()):
            capture = tmp_path / "trap.pcap"
            capture.write_bytes(data)
            command = [str(ROOT / "pcap2flow"), "bidir=1", "features=all", str(capture)]
            done = subprocess.run(command, capture_output=True, check=False)
            if done.stdout:
                (tmp_path / f"{name}-{number}.json").write_bytes(done.stdout)
    capture.unlink()
    done = joy("validate", tmp_path, "--json")
    wrong = [report for report in json.loads(done.stdout) if report["problems"]]
    assert not wrong and done.returncode == 0


# --- what is wrong -------------------------------------------------------------------------------
def _set(path: str, value: Any) -> Callable[[dict], None]:
    """Puts a value at a dotted path; numbers are places in lists."""

    def change(record: dict) -> None:
        *way, last = [int(key) if key.isdigit() else key for key in path.split(".")]
        at: Any = record
        for key in way:
            at = at[key]
        if value is None:
            del at[last]
        else:
            at[last] = value

    return change


SENSE = {  # what: record, change, the field that is to blame
    "ends before it begins": ("udp", _set("time_end", 1), "time_end"),
    "ports of ICMP": ("icmp", _set("sp", 80), "sp"),
    "ICMP type of UDP": ("udp", _set("icmp_type", 8), "icmp_type"),
    "security parameters of TCP": ("tcp", _set("spi", 8), "spi"),
    "an unknown reason": ("udp", _set("end_reason", 9), "end_reason"),
    "a reason and another letter": ("udp", _set("expire_type", "a"), "expire_type"),
    "part 0": ("udp", _set("part", 0), "part"),
    "flow 0": ("udp", _set("flow_id", 0), "flow_id"),
    "more payload than packet": ("udp", _set("bytes_out", 10_000), "bytes_out"),
    "bytes without packets": ("udp", _set("num_pkts_in", 0), "ip_bytes_in"),
    "more retransmissions than packets": ("tcp", _set("retrans_out", 7), "retrans_out"),
    "the other way in a record of one": ("udp", _set("num_pkts_in", None), "bytes_in"),
    "more in the list than was counted": ("udp", _set("packets.0.b", 5000), "packets"),
    "more packets in the list": ("udp", _set("num_pkts_out", 0), "packets"),
    "a gap before the first": ("udp", _set("packets.0.ipt", 1), "packets[0].ipt"),
    "gaps longer than the flow": ("udp", _set("packets.1.ipt", 1000.0), "packets.ipt"),
    "a gap below zero": ("udp", _set("packets.1.ipt", -1.0), "packets.ipt"),
    "messages longer than payload": ("udp", _set("salt.0.b", 5000), "salt"),
    "a wrong number of first bytes": ("udp", _set("idp_len_out", 3), "idp_len_out"),
    "255 byte values": ("udp", lambda r: r["byte_dist"].pop(), "byte_dist"),
    "more byte values than bytes": ("udp", _set("byte_dist.7", 9999), "byte_dist"),
    "15 bins": ("udp", lambda r: r["compact_byte_dist"].pop(), "compact_byte_dist"),
    "bins of other bytes": ("udp", _set("compact_byte_dist.3", 1), "compact_byte_dist"),
    "a mean that no byte has": ("udp", _set("byte_dist_mean", 256.0), "byte_dist_mean"),
    "9 bits a byte": ("udp", _set("entropy", 9.0), "entropy"),
    "entropy below zero": ("udp", _set("entropy", -0.5), "entropy"),
    "too much in all": ("icmp", _set("total_entropy", 10_000.0), "total_entropy"),
    "a mean below the least": ("tcp", _set("stats.payload.in.min", 10_000), "stats.payload.in.min"),
}


@pytest.mark.parametrize("what", SENSE)
def test_what_makes_no_sense(good: dict[str, dict], records: validating.Records, what: str) -> None:
    kind, change, blamed = SENSE[what]
    record = copy.deepcopy(good[kind])
    assert list(records.problems(record)) == []
    change(record)
    found = [text.split(":")[0] for text in sense.problems(record)]
    assert blamed in found, found


FORM = {  # what: change, the field that is to blame
    "a field that does not exist": (_set("entropi", 1), "entropi"),
    "one deep inside": (_set("packets.0.x", 1), "packets[0].x"),
    "a text for a number": (_set("dp", "http"), "dp"),
    "a number for a text": (_set("sa", 5), "sa"),
    "true for a number": (_set("dp", True), "dp"),
    "an object for a list": (_set("packets", {}), "packets"),
    "no address": (_set("sa", "10.0.0.256"), "sa"),
    "a port too high": (_set("pr", 256), "pr"),
    "no hexadecimal digits": (_set("idp_out", "0x45"), "idp_out"),
    "half a byte": (_set("idp_out", "123"), "idp_out"),
    "upper case": (_set("idp_out", "4F"), "idp_out"),
    "no address at all": (_set("da", None), "da"),
    "no size of a packet": (_set("packets.1.b", None), "packets[1].b"),
    "a fraction of a packet": (_set("num_pkts_out", 1.5), "num_pkts_out"),
}


@pytest.mark.parametrize("what", FORM)
def test_what_has_not_the_form(
    good: dict[str, dict], records: validating.Records, what: str
) -> None:
    change, blamed = FORM[what]
    record = copy.deepcopy(good["udp"])
    change(record)
    assert blamed in [text.split(":")[0] for text in records.problems(record)]
    schema = json.loads((ROOT / "doc/schema.json").read_text())
    judge = jsonschema.Draft202012Validator(schema, format_checker=jsonschema.FormatChecker())
    if "does not exist" not in what and "deep" not in what:  # schema.json lets others in
        assert not judge.is_valid(record)


# --- files ---------------------------------------------------------------------------------------
@pytest.fixture
def lines(tmp_path: Path) -> Path:
    path = tmp_path / "t.json"
    path.write_text(program("bidir=1", "features=all", talks.write(tmp_path / "t.pcap")))
    return path


def edited(path: Path, number: int, change: Callable[[str], str]) -> None:
    """Another line instead of line 'number', from 1."""
    text = path.read_text().splitlines()
    text[number - 1] = change(text[number - 1])
    path.write_text("\n".join(text) + "\n")


def judged(path: Path) -> tuple[int, list[tuple[int, str]]]:
    """Exit status, and places with the first word of what is wrong there."""
    done = joy("validate", path, "--json")
    (report,) = json.loads(done.stdout)
    return done.returncode, [(one["place"], one["text"]) for one in report["first"]]


def test_places_in_json_lines(lines: Path) -> None:
    assert judged(lines) == (0, [])
    edited(lines, 3, lambda line: line.replace('"pr":17', '"pr":1700'))
    edited(lines, 4, lambda line: line[:-5])
    status, found = judged(lines)
    assert status == 1
    assert [place for place, _ in found if place < 5][-1] == 4
    assert {place for place, _ in found} == {3, 4, 7}  # 7: the summary counts one more
    assert "is no JSON" in dict(found)[4] and "summary.records: 5" in dict(found)[7]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ('{"sa":1,"sa":2}', "key sa stands twice"),
        ('{"entropy":NaN}', "NaN is no JSON number"),
        ("[1]", "is no object"),
        ("7", "is no object"),
        ("[" * 100_000, "is no JSON"),
    ],
)
def test_lines_that_are_no_records(lines: Path, text: str, said: str) -> None:
    edited(lines, 2, lambda line: text)
    status, found = judged(lines)
    assert status == 1 and said in found[0][1] and found[0][0] == 2


def test_losses_are_no_records(lines: Path) -> None:
    edited(lines, 1, lambda line: line + '\n{"drops":{"interface":"eth0"}}')
    assert judged(lines) == (0, [])


def test_columns(tmp_path: Path, lines: Path) -> None:
    for suffix in ("parquet", "arrow", "arrows"):
        out = tmp_path / f"t.{suffix}"
        assert joy("convert", lines, out).returncode == 0
        assert judged(out) == (0, [])


def test_columns_that_are_wrong(tmp_path: Path, lines: Path) -> None:
    out = tmp_path / "t.parquet"
    assert joy("convert", lines, out).returncode == 0
    table = pq.read_table(out)
    ends = table.column("time_end").to_pylist()
    at = table.column_names.index("time_end")
    column = pa.array([ends[0].replace(year=2000), *ends[1:]], table.schema.field(at).type)
    table = table.set_column(at, table.schema.field(at), column)
    table = table.append_column("mine", [["x"] * 5])
    names = ["http" for _ in range(5)]
    at = table.column_names.index("dp")
    pq.write_table(table.set_column(at, "dp", [names]), out)
    status, found = judged(out)
    assert status == 1
    assert (0, "mine: there is no such field") in found
    assert any(place == 0 and text.startswith("dp: is string, not ") for place, text in found)
    assert any(place == 1 and text.startswith("time_end:") for place, text in found)
    assert not any(place and text.startswith(("dp", "mine")) for place, text in found)


def test_exit_status(tmp_path: Path, lines: Path) -> None:
    bad = tmp_path / "bad.json"
    bad.write_text('{"sa":"x"}\n')
    empty = tmp_path / "empty.json"
    empty.touch()
    half = tmp_path / "half.parquet"
    assert joy("convert", lines, half).returncode == 0
    half.write_bytes(half.read_bytes()[:-20])
    cut = tmp_path / "cut.json.gz"
    with pa.CompressedOutputStream(str(cut), "gzip") as file:
        file.write(lines.read_bytes())
    cut.write_bytes(cut.read_bytes()[:-200])
    for paths, status in (
        ([lines], 0), ([bad], 1), ([bad, lines], 1), ([lines, empty], 3), ([empty], 1),
        ([half], 1), ([half, lines], 3), ([lines, tmp_path / "none"], 3),
        ([tmp_path / "t.pcap"], 2), ([cut, lines], 3),
    ):  # fmt: skip
        done = joy("validate", *paths)
        assert done.returncode == status, (paths, done.stdout, done.stderr)


def test_what_it_prints(tmp_path: Path, lines: Path) -> None:
    edited(lines, 3, lambda line: line.replace('"pr":17', '"pr":1700'))
    done = joy("validate", lines)
    assert f"{lines}:3: pr: 1700 is out of range\n" in done.stdout
    assert done.stdout.splitlines()[-1].startswith(f"{lines}: 5 records, ")
    assert joy("validate", "--quiet", lines).stdout == ""
