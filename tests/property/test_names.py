# SPDX-License-Identifier: BSD-3-Clause
"""The tables of TLS names are what their sources in data/ make, and no number is there twice."""

from __future__ import annotations

import csv
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
SOURCES = sorted((ROOT / "data").glob("iana-*.csv"))


def test_tables_are_fresh() -> None:
    command = [sys.executable, str(ROOT / "tools/make_names.py"), "--print"]
    fresh = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    there = (ROOT / "src/proto/tls_names.def").read_text(encoding="utf-8")
    assert fresh == there, "src/proto/tls_names.def is stale: run `make names`"


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: p.stem)
def test_source(path: Path) -> None:
    with open(path, newline="", encoding="utf-8") as f:
        rows = list(csv.DictReader(f))
    keys = [next(iter(row.values())) for row in rows]
    assert rows and len(set(keys)) == len(keys)
    for row in rows:
        assert row["name"] and row["name"].isascii()
        assert (row["name"] == "GREASE") == (row["origin"] == "grease")
        assert not (row["origin"] in ("private", "grease") and row["recommended"])


def test_sources_are_used() -> None:
    text = (ROOT / "tools/make_names.py").read_text(encoding="utf-8")
    for path in SOURCES:
        assert f'"{path.stem.removeprefix("iana-")}"' in text, path
