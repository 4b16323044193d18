# SPDX-License-Identifier: BSD-3-Clause
"""joy merge: parts from any input become one record in any output."""

from __future__ import annotations

import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from kit import ROOT, datagram, joy, pcap
from program import pcap2flow
from rewrite_kit import capture, records

SAMPLE = ROOT / "sample.pcap"
CUT = ("bidir=1", "features=all", "active_timeout=0.02")


def written(path: Path) -> list[dict]:
    """The records of a file of JSON lines."""
    return [json.loads(line) for line in records(path.read_bytes())]


def counted(tmp_path: Path) -> Path:
    """One flow that is cut into three parts, and one of one packet.

    Six datagrams of 4, 5, 6, 7, 8, 9 bytes at 0, 1, 2, 3, 4, 5 s, the odd ones back; active timeout
    2 s: parts of the packets at 0 and 1, at 2 and 3, at 4 and 5.
    """
    packets = [
        (float(i), datagram(1000, 2000, bytes(4 + i)) if i % 2 == 0
         else datagram(2000, 1000, bytes(4 + i), back=True))
        for i in range(6)
    ]  # fmt: skip
    path = tmp_path / "counted.pcap"
    path.write_bytes(pcap([*packets, (5.5, datagram(1, 2))]))
    return path


def test_files_that_look_alike(tmp_path: Path) -> None:
    """With independent=1 flows of two files may have all numbers in common."""
    first, second = counted(tmp_path), tmp_path / "second.pcap"
    second.write_bytes(first.read_bytes())
    cut, out = tmp_path / "cut.json", tmp_path / "out.json"
    options = ("independent=1", "bidir=1", "active_timeout=2", "idle_timeout=10")
    lines = pcap2flow(*options, first, second).stdout.splitlines(keepends=True)
    rows = sorted(lines[1:-1], key=lambda line: json.loads(line)["part"])
    cut.write_bytes(b"".join([lines[0], *rows, lines[-1]]))
    assert joy("merge", cut, out).returncode == 0
    whole = [r for r in written(out) if r["sp"] == 1000]
    assert sorted(r["file"] for r in whole) == sorted([str(first), str(second)])
    assert [(r["num_pkts_out"], r["num_pkts_in"]) for r in whole] == [(3, 3), (3, 3)]


def test_by_hand(tmp_path: Path) -> None:
    cut, out = tmp_path / "cut.json", tmp_path / "out.json"
    options = ("bidir=1", "stats=1", "dist=1", "active_timeout=2", "idle_timeout=10")
    cut.write_bytes(capture(counted(tmp_path), *options))
    assert [r["part"] for r in written(cut) if r["sp"] == 1000] == [1, 2, 3]
    done = joy("merge", cut, out)
    assert done.returncode == 0
    assert "3 parts became 1 records" in done.stderr and "2 records" in done.stderr
    whole = next(r for r in written(out) if r["sp"] == 1000)
    assert (whole["part"], whole["end_reason"], whole["marks"]) == (1, 4, ["merged"])
    assert (whole["num_pkts_out"], whole["num_pkts_in"]) == (3, 3)
    assert (whole["bytes_out"], whole["bytes_in"]) == (4 + 6 + 8, 5 + 7 + 9)
    assert whole["time_end"] - whole["time_start"] == 5
    assert whole["packets"] == [
        {"b": 4 + i, "dir": "><"[i % 2], "ipt": 1000 if i else 0} for i in range(6)
    ]
    assert whole["byte_dist"] == [39] + [0] * 255
    stats = whole["stats"]
    assert stats["duration_ms"] == 5000
    assert stats["payload"]["all"]["mean"] == 6.5
    assert stats["payload"]["all"]["std"] == pytest.approx((17.5 / 5) ** 0.5, rel=1e-14)
    assert (stats["ipt"]["all"]["n"], stats["ipt"]["all"]["mean"]) == (5, 1000)
    assert stats["ipt"]["out"] == {"n": 2}  # when a part's packets of a direction came, is not told
    assert stats["pkts_per_s"] == 1.2
    assert stats["first_dirs"] == "><><><"
    assert stats["active"]["n"] == 1 and stats["active"]["max"] == 5000


@pytest.mark.parametrize("suffix", [".json", ".parquet", ".arrow"])
def test_any_input_and_output(suffix: str, tmp_path: Path) -> None:
    cut, out = tmp_path / f"cut{suffix}", tmp_path / "out.json"
    plain, merged = tmp_path / "plain.json", tmp_path / f"merged{suffix}"
    plain.write_bytes(capture(SAMPLE, *CUT))
    assert joy("convert", plain, cut).returncode == 0 or suffix == ".json"
    assert joy("merge", plain, out).returncode == 0
    assert joy("merge", cut, merged, "--json").returncode == 0
    again = tmp_path / "again.json"
    assert joy("convert", merged, again).returncode == 0
    assert written(again) == written(out)
    assert len(written(out)) < len(written(plain))


def test_parts_in_several_files(tmp_path: Path) -> None:
    """A series: a flow's parts lie in files that follow each other."""
    lines = records(capture(SAMPLE, *CUT))
    folder = tmp_path / "series"
    folder.mkdir()
    head = capture(SAMPLE, *CUT).splitlines()[0]
    for i in range(0, len(lines), 20):
        text = b"\n".join([head, *lines[i : i + 20], b""])
        (folder / f"flows-{i // 20:06}.json").write_bytes(text)
    assert len(list(folder.iterdir())) > 2
    one, out = tmp_path / "one.json", tmp_path / "out.json"
    one.write_bytes(b"\n".join([head, *lines, b""]))
    assert joy("merge", folder, out).returncode == 0
    assert joy("merge", one, tmp_path / "same.json").returncode == 0
    assert written(out) == written(tmp_path / "same.json")


def test_captures_too(tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    done = joy("merge", SAMPLE, out, "-o", "active_timeout=0.02", "--json")
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["merged"] > 5
    assert pq.read_table(out).num_rows == told["records"]


def test_columns_that_are_missing(tmp_path: Path) -> None:
    path = tmp_path / "some.parquet"
    plain = tmp_path / "plain.parquet"
    assert joy("convert", SAMPLE, plain).returncode == 0
    pq.write_table(pq.read_table(plain).drop_columns(["part"]), path)
    done = joy("merge", path, tmp_path / "out.json")
    assert done.returncode == 2 and "column part" in done.stderr
