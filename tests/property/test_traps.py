# SPDX-License-Identifier: BSD-3-Clause
"""Each trap of traps.py gives exactly the records that are right."""

from __future__ import annotations

from pathlib import Path

import pytest
from program import pcap2flow
from traps import TRAPS

LISTS_WITHOUT_ORDER = ("marks",)


def seen(record: dict, keys: dict) -> dict:
    """What a record has under these keys; None where it has nothing."""
    out = {key: record.get(key) for key in keys}
    for key in LISTS_WITHOUT_ORDER:
        if out.get(key):
            out[key] = sorted(out[key])
    return out


def differences(record: dict, flow: dict) -> dict:
    """What is, and what should be, under each key where they differ."""
    have = seen(record, flow)
    return {key: (have[key], flow[key]) for key in flow if have[key] != flow[key]}


def wrong(records: list[dict], flows: list[dict]) -> list[str]:
    """Flows that no record is, and records that no flow is; each record is one flow."""
    left, missing = list(records), []
    for flow in flows:
        found = next((record for record in left if seen(record, flow) == flow), None)
        if found is None:
            missing.append(flow)
        else:
            left.remove(found)
    out = []
    for flow in missing:
        near = min((differences(record, flow) for record in left), key=len, default=None)
        out.append(f"no record is {flow}; (is, should be): {near}")
    return out + [f"unexpected {record}" for record in left if not missing]


@pytest.mark.parametrize("name", TRAPS)
def test_trap(name: str, tmp_path: Path) -> None:
    """Records, exit status, and what the summary says."""
    trap = TRAPS[name]()
    for file, data in trap.files.items():
        (tmp_path / file).write_bytes(data)
    run = pcap2flow(*trap.options, *trap.files, cwd=tmp_path)
    assert run.status == trap.status, run.stderr
    assert wrong(run.records, trap.flows) == []
    assert len(run.records) == len(trap.flows)
    assert {key: run.summary.get(key) for key in trap.summary} == trap.summary
    for text in trap.text:
        assert text.encode() in run.stdout


def test_a_wrong_record_is_seen() -> None:
    """The comparison itself can fail: by a value, by a record too few, by one too many."""
    flow = {"sa": "10.0.0.1", "marks": None}
    assert wrong([{"sa": "10.0.0.1", "pr": 6}], [flow]) == []
    assert wrong([{"sa": "10.0.0.2"}], [flow]) != []
    assert wrong([{"sa": "10.0.0.1", "marks": ["gap"]}], [flow]) != []
    assert wrong([], [flow]) != []
    assert wrong([{"sa": "10.0.0.1"}] * 2, [flow]) != []
