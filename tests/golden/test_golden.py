# SPDX-License-Identifier: BSD-3-Clause
"""What pcap2flow says of each capture is what was reviewed: tests/golden/NAME.json.

`make golden` writes the expected files afresh; read the change as a diff.  What depends on the
machine or the version is left out of the first line.  Numbers that are no integers may differ in
the tenth digit, since compilers and mathematical libraries do.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from program import FIXTURES, ROOT, pcap2flow

FOLDER = ROOT / "tests/golden"
OPTIONS = ("bidir=1", "features=all", "num_pkts=20")
CASES = [*FIXTURES, ROOT / "sample.pcap"]
ELSEWHERE = ("version", "host", "time_start", "system", "libraries")


def told(capture: Path) -> list[dict]:
    """Every output line as an object, without what changes from place to place."""
    run = pcap2flow(*OPTIONS, capture.relative_to(ROOT), cwd=ROOT)
    assert run.status == 0, run.stderr
    config = {key: value for key, value in run.config.items() if key not in ELSEWHERE}
    summary = {key: value for key, value in run.summary.items() if not key.startswith("memory")}
    return [config, *run.records, {"summary": summary}]


def differences(path: str, old: object, new: object) -> list[str]:
    """Where two values differ, as lines "path: old -> new"."""
    if isinstance(old, dict) and isinstance(new, dict):
        found = []
        for key in list(old) + [key for key in new if key not in old]:
            found += differences(f"{path}.{key}", old.get(key), new.get(key))
        return found
    if isinstance(old, list) and isinstance(new, list) and len(old) == len(new):
        pairs = enumerate(zip(old, new, strict=True))
        return [line for i, (a, b) in pairs for line in differences(f"{path}[{i}]", a, b)]
    if isinstance(old, float) and isinstance(new, (int, float)):
        same = math.isclose(old, new, rel_tol=1e-9)
    else:
        same = old == new and type(old) is type(new)
    return [] if same else [f"{path}: {old!r} -> {new!r}"]


@pytest.mark.parametrize("capture", CASES, ids=lambda path: path.name)
def test_golden(capture: Path, request: pytest.FixtureRequest) -> None:
    lines = told(capture)
    expected = FOLDER / f"{capture.name}.json"
    if request.config.getoption("--rewrite"):
        expected.write_text("".join(json.dumps(line) + "\n" for line in lines))
    before = [json.loads(line) for line in expected.read_text().splitlines()]
    assert len(lines) == len(before), "number of records (and configuration and summary)"
    found = []
    for number, (old, new) in enumerate(zip(before, lines, strict=True), 1):
        found += differences(f"line {number}", old, new)
    assert not found, "\n".join(found[:40])


def test_no_expectation_without_a_capture() -> None:
    names = {f"{capture.name}.json" for capture in CASES}
    assert {path.name for path in FOLDER.glob("*.json")} == names
