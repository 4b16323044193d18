# SPDX-License-Identifier: BSD-3-Clause
"""Output split into several files says what one file says, and the same each time."""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import subprocess
from pathlib import Path

import pytest
from program import ROOT, program

CAPTURE = ROOT / "sample.pcap"
NAME = re.compile(r"^out-\d{8}T\d{6}Z-(\d{6})\.(json|csv)(\.gz|\.zst)?$")


def run(folder: Path, *options: str, output: str = "out.json") -> list[Path]:
    """A run of the program; its files in order."""
    folder.mkdir(exist_ok=True)
    command = [program(), "bidir=1", f"output={folder}/{output}", *options, CAPTURE]
    subprocess.run(command, check=True, capture_output=True)
    return sorted(folder.iterdir())


def text_of(path: Path) -> bytes:
    """A file's text."""
    data = path.read_bytes()
    if path.suffix == ".zst":
        return subprocess.run(["zstd", "-dcq", path], check=True, capture_output=True).stdout
    return gzip.decompress(data) if path.suffix == ".gz" else data


def lines_of(path: Path) -> list[dict]:
    """Every line is JSON."""
    return [json.loads(line) for line in text_of(path).splitlines()]


def flows_of(path: Path) -> list[dict]:
    """The records of a file, and its own words about them hold."""
    lines = lines_of(path)
    flows = [line for line in lines if "flow_id" in line]
    assert "version" in lines[0]
    return flows


@pytest.fixture(scope="module")
def unsplit(tmp_path_factory: pytest.TempPathFactory) -> list[dict]:
    """All lines of one file."""
    (file,) = run(tmp_path_factory.mktemp("one"))
    return lines_of(file)


@pytest.mark.parametrize("output", ["out.json", "out.json.gz", "out.json.zst"])
@pytest.mark.parametrize("count", [1, 7, 1000000])
def test_count_is_exact(tmp_path: Path, unsplit: list[dict], output: str, count: int) -> None:
    files = run(tmp_path / "a", f"count={count}", output=output)
    flows = [flow for flow in unsplit if "flow_id" in flow]
    assert [NAME.match(f.name)[1] for f in files] == [f"{n:06}" for n in range(len(files))]
    assert len(files) == -(-len(flows) // count)
    assert [flow for f in files for flow in flows_of(f)] == flows
    assert all(len(flows_of(f)) == count for f in files[:-1])
    for number, file in enumerate(files, 1):
        own = [line["summary"] for line in lines_of(file) if "file" in line.get("summary", {})]
        assert own == [{"file": number, "records": len(flows_of(file)), "lost": 0}]
    assert lines_of(files[-1])[-1] == unsplit[-1]
    again = run(tmp_path / "b", f"count={count}", output=output)
    assert [f.read_bytes() for f in again] == [f.read_bytes() for f in files]


def test_size_and_time(tmp_path: Path, unsplit: list[dict]) -> None:
    flows = [flow for flow in unsplit if "flow_id" in flow]
    files = run(tmp_path / "size", "rotate_size=5K")
    assert [flow for f in files for flow in flows_of(f)] == flows
    assert len(files) > 2
    assert all(f.stat().st_size >= 5 << 10 for f in files[:-1])
    files = run(tmp_path / "time", "rotate=0.5")
    assert [flow for f in files for flow in flows_of(f)] == flows
    assert len(files) > 2
    assert all(flows_of(f) for f in files)


def test_csv(tmp_path: Path) -> None:
    (whole,) = run(tmp_path / "one", output="out.csv")
    files = run(tmp_path / "many", "count=7", output="out.csv")
    tables = [list(csv.reader(io.StringIO(text_of(f).decode(), newline=""))) for f in files]
    expected = list(csv.reader(io.StringIO(text_of(whole).decode(), newline="")))
    assert all(table[0] == expected[0] for table in tables)
    assert [row for table in tables for row in table[1:]] == expected[1:]


def test_a_second_run_goes_on(tmp_path: Path) -> None:
    first = run(tmp_path, "count=20")
    before = [f.read_bytes() for f in first]
    both = run(tmp_path, "count=20")
    assert both[: len(first)] == first
    assert [f.read_bytes() for f in both] == before + before


def test_only_files_are_split() -> None:
    done = subprocess.run(
        [program(), "count=3", CAPTURE], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "only files can be split" in done.stderr
