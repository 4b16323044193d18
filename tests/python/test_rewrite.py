# SPDX-License-Identifier: BSD-3-Clause
"""joy anonymize: from any input into any output, what pcap2flow writes with the same key."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from kit import ROOT, joy
from program import pcap2flow
from rewrite_kit import capture, records

SAMPLE = ROOT / "sample.pcap"
SUBNETS = ("192.0.2.0/28", "2001:db8::/124", "fe80::/10", "ff00::/8")


@pytest.fixture
def subnets(tmp_path: Path) -> Path:
    """A list of private subnets; its key lies beside it."""
    path = tmp_path / "subnets"
    path.write_text("".join(f"{s}\n" for s in SUBNETS))
    return path


def expected(path: Path, subnets: Path, *more: str) -> list[bytes]:
    """What pcap2flow writes of a capture with the list and its key."""
    return records(capture(path, "bidir=1", "features=all", f"anon={subnets}", *more))


def written(path: Path) -> list[bytes]:
    """The records of a file of JSON lines."""
    return records(path.read_bytes())


def test_a_capture(subnets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    done = joy("anonymize", SAMPLE, out, "--subnets", subnets, "-o", "features=all")
    assert (done.returncode, done.stdout) == (0, "")
    assert "25 records" in done.stderr
    assert written(out) == expected(SAMPLE, subnets)
    assert written(out) != records(capture(SAMPLE, "bidir=1", "features=all"))
    assert (tmp_path / "subnets.key").stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("suffix", [".json", ".json.gz", ".parquet", ".arrow", ".arrows"])
def test_records_written_before(suffix: str, subnets: Path, tmp_path: Path) -> None:
    """Whatever the records were kept in."""
    before, out = tmp_path / f"flows{suffix}", tmp_path / "out.json"
    assert joy("convert", SAMPLE, before, "-o", "features=all").returncode == 0
    done = joy("anonymize", before, out, "--subnets", subnets, "--quiet")
    assert (done.returncode, done.stderr) == (0, "")
    assert written(out) == expected(SAMPLE, subnets)


@pytest.mark.parametrize("suffix", [".parquet", ".arrow", ".arrows", ".csv"])
def test_into_anything(suffix: str, subnets: Path, tmp_path: Path) -> None:
    out, again = tmp_path / f"out{suffix}", tmp_path / "again.json"
    done = joy("anonymize", SAMPLE, out, "--subnets", subnets, "-o", "features=all", "--json")
    told = json.loads(done.stdout)
    assert (done.returncode, told["records"], told["damaged"]) == (0, 25, False)
    if suffix == ".csv":
        assert len(out.read_bytes().split(b"\r\n")) == 1 + 25 + 1
        return
    assert joy("convert", out, again).returncode == 0
    assert written(again) == expected(SAMPLE, subnets)


def test_no_word_of_it_is_left_in_columns(subnets: Path, tmp_path: Path) -> None:
    """Not in dictionaries, and not in metadata either."""
    out = tmp_path / "out.arrow"
    bpf = "net 192.0.2.0/28 or not net 192.0.2.0/28"
    options = ["--subnets", subnets, "--names", "-o", "features=all", "-o", f"bpf={bpf}"]
    assert joy("anonymize", SAMPLE, out, *options).returncode == 0
    data = out.read_bytes()
    plain = [json.loads(line) for line in records(capture(SAMPLE, "bidir=1", "features=all"))]
    private = {r[end] for r in plain for end in ("sa", "da") if r[end].startswith("192.0.2.")}
    names = {r["tls"]["sni"] for r in plain if "sni" in r.get("tls", {})}
    assert private and names
    for word in [*private, *names, "192.0.2.0"]:
        assert word.encode() not in data


def test_names_and_users(subnets: Path, tmp_path: Path) -> None:
    users, key = tmp_path / "users", tmp_path / "key"
    users.write_text("http\n")
    out = tmp_path / "out.json"
    options = ["--names", "--users", users, "--key", key, "-o", "features=all"]
    assert joy("anonymize", SAMPLE, out, *options).returncode == 0
    run = pcap2flow(
        "bidir=1",
        "features=all",
        "anon_names=1",
        f"useranon={users}",
        f"anon_key={key}",
        SAMPLE,
    )
    assert written(out) == records(run.stdout)


def test_the_check_finds_nothing(subnets: Path, tmp_path: Path) -> None:
    out = tmp_path / "out.json"
    joy("anonymize", SAMPLE, out, "--subnets", subnets, "-o", "features=all")
    assert pcap2flow(f"anon={subnets}", f"anon_check={out}").status == 0
    plain = tmp_path / "plain.json"
    plain.write_bytes(capture(SAMPLE, "bidir=1", "features=all"))
    assert pcap2flow(f"anon={subnets}", f"anon_check={plain}").status == 1


def test_what_cannot_be_read_is_told(subnets: Path, tmp_path: Path) -> None:
    table = pa.table(
        {"sa": ["192.0.2.1", "x"], "da": ["10.0.0.2"] * 2, "pr": [6, 6], "odd": [1, 2]}
    )
    pq.write_table(table, tmp_path / "two.parquet")
    out = tmp_path / "out.json"
    done = joy("anonymize", tmp_path / "two.parquet", out, "--subnets", subnets)
    assert done.returncode == 3
    assert "record 2 cannot be rewritten" in done.stderr and "column sa" in done.stderr
    assert "column odd" in done.stderr
    assert len(written(out)) == 1


WRONG = [
    ([SAMPLE], "name what to read"),
    ([SAMPLE, "out.json"], "say what to take out"),
    ([SAMPLE, "out.txt", "--names"], "must end with"),
    ([SAMPLE, "out.json", "--subnets", "nowhere"], "nowhere"),
    ([SAMPLE, "out.json", "--names", "-o", "featurs=all"], "features"),
]


@pytest.mark.parametrize(("arguments", "words"), WRONG)
def test_wrong_usage(arguments: list, words: str, tmp_path: Path) -> None:
    out = [tmp_path / a if a in ("out.json", "out.txt") else a for a in arguments]
    done = joy("anonymize", *out)
    assert done.returncode == 2, done.stderr
    assert words in done.stderr
    assert not (tmp_path / "out.json").exists()


def test_an_input_is_not_written_over(subnets: Path, tmp_path: Path) -> None:
    path = tmp_path / "flows.json"
    path.write_bytes(capture(SAMPLE, "bidir=1"))
    before = path.read_bytes()
    done = joy("anonymize", path, path, "--subnets", subnets)
    assert done.returncode == 2 and "written over" in done.stderr
    assert path.read_bytes() == before


def test_a_pipe(subnets: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "joy", "anonymize", "-", "-", "--subnets", subnets],
        input=capture(SAMPLE, "bidir=1", "features=all"),
        capture_output=True,
        check=True,
        env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
    )
    assert records(done.stdout) == expected(SAMPLE, subnets)
