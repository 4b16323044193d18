# SPDX-License-Identifier: BSD-3-Clause
"""What pcap2flow says of each capture is what was reviewed: tests/golden/NAME.json.

`make golden` writes the expected files afresh; read the change as a diff.  What depends on the
machine or the version is left out of the first line; the other lines are the program's own.  A
number with twelve digits or more that is no time came out of floating point and may differ in the
tenth digit, since compilers and mathematical libraries do.  All else has to be the same text.
"""

from __future__ import annotations

import json
import math
from pathlib import Path

import pytest
from program import FIXTURES, ROOT, pcap2flow

FOLDER = ROOT / "tests/golden"
OPTIONS = ("bidir=1", "features=all", "num_pkts=20", "community_id=1")
CASES = [*FIXTURES, ROOT / "sample.pcap"]
ELSEWHERE = ("version", "host")


class Decimal(str):
    """A number with a fraction, as it was written."""

    def like(self, other: Decimal) -> bool:
        """The same, but for the last digits of what floating point worked out."""
        if max(len(self), len(other)) < 12:
            return self == other
        return math.isclose(float(self), float(other), rel_tol=1e-9)


def told(capture: Path) -> list[str]:
    """The program's output lines, the first one without what changes from place to place."""
    run = pcap2flow(*OPTIONS, capture.relative_to(ROOT), cwd=ROOT)
    assert run.status == 0, run.stderr
    lines = run.stdout.decode().splitlines()
    config = json.loads(lines[0])
    lines[0] = json.dumps({key: config[key] for key in config if key not in ELSEWHERE})
    return lines


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
    if isinstance(old, Decimal) and isinstance(new, Decimal) and ".time_" not in path:
        same = old.like(new)
    else:
        same = old == new and type(old) is type(new)
    return [] if same else [f"{path}: {old!r} -> {new!r}"]


def compare(before: list[str], now: list[str]) -> list[str]:
    """All differences between two outputs; none when they say the same."""
    found = [] if len(before) == len(now) else [f"{len(before)} -> {len(now)} lines"]
    for number, pair in enumerate(zip(before, now, strict=False), 1):
        old, new = (json.loads(line, parse_float=Decimal) for line in pair)
        found += differences(f"line {number}", old, new)
    return found


@pytest.mark.parametrize("capture", CASES, ids=lambda path: path.name)
def test_golden(capture: Path, request: pytest.FixtureRequest) -> None:
    now = told(capture)
    expected = FOLDER / f"{capture.name}.json"
    before = expected.read_text().splitlines() if expected.exists() else []
    found = compare(before, now)
    if found and request.config.getoption("--rewrite"):
        expected.write_text("\n".join(now) + "\n")
    else:
        assert not found, "\n".join(found[:40])


def test_differences_are_found() -> None:
    def count(old: str, new: str) -> int:
        return len(compare([old], [new]))

    assert count('{"a": [1, {"b": 0.5}]}', '{"a": [1, {"b": 0.5}]}') == 0
    assert count('{"a": 0.123456789012345}', '{"a": 0.123456789012346}') == 0
    assert count('{"a": 0.123456789012345}', '{"a": 0.123456799012345}') == 1
    assert count('{"a": 0.12}', '{"a": 0.13}') == 1
    assert count('{"time_end": 1795478210.928223}', '{"time_end": 1795478210.928224}') == 1
    assert count('{"a": 1}', '{"a": true}') == 1
    assert count('{"a": 1}', '{"a": 1, "b": 2}') == 1
    assert count("[1, 2]", "[1]") == 1
    assert len(compare(["1"], ["1", "2"])) == 1


def test_no_expectation_without_a_capture() -> None:
    names = {f"{capture.name}.json" for capture in CASES}
    assert {path.name for path in FOLDER.glob("*.json")} == names
