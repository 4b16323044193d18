# SPDX-License-Identifier: BSD-3-Clause
"""A flow that the active timeout cut, with its parts merged, is the flow that was not cut.

Field by field: what a rule of the field tables cannot say is left out, never something else.  What
that may be stands in LEFT_OUT and SHORTER, and with its reasons in doc/merge.md.
"""

from __future__ import annotations

import json
import math
from collections import Counter
from pathlib import Path
from typing import Any

import pytest
from program import FIXTURES, ROOT
from rewrite_kit import OK, Rewritten, capture, captured_table, records, rewrite

CASES = [*FIXTURES, ROOT / "sample.pcap"]
ALL = {"features": "all", "bidir": 1}
WHOLE = {**ALL, "active_timeout": 100000}

# May be missing in the merged record: their value hangs on packets that no record tells of.
LEFT_OUT = (
    "stats.ipt.out",
    "stats.ipt.in",
    "stats.active",
    "stats.burst",
    "hd",
    "icmp.rtt",
    "rtt_ms",
    "tcp.handshake",
    "quic.c_spin_changes",
    "quic.s_spin_changes",
    "quic.c_cid_changes",
    "quic.s_cid_changes",
)
# Lists that may end early; and members of their items that may be missing.
SHORTER = {"salt": "ipt", "tls.srlt": "", "quic.packets": "", "payload.out": "", "payload.in": ""}
ITEMS = {"packets": "ipt", "ppi": "ack", **SHORTER}
# When a flow ended just with a part; when server and client of QUIC agreed on another version.
LATER = ("end_reason", "expire_type", "fingerprints.npf_quic", "fingerprints.npf_quic_1")
# Of a handshake that goes on in another part: less is understood of it.
HANDSHAKE = ("tls.", "quic.", "fingerprints.", "fingerprints")


def flat(value: Any, path: str = "") -> dict[str, Any]:
    """Values by dotted path; lists are values."""
    if not isinstance(value, dict):
        return {path: value}
    inner = [flat(v, f"{path}.{k}" if path else k) for k, v in value.items()]
    return {k: v for part in inner for k, v in part.items()}


def like(a: Any, b: Any) -> bool:
    """The same; a standard deviation but for its last digits."""
    if isinstance(a, float) and isinstance(b, (int, float)):
        return math.isclose(a, b, rel_tol=1e-12, abs_tol=1e-6)
    return a == b


def items_like(path: str, whole: Any, merged: Any) -> bool:
    """A list of the merged record: that of the whole flow, or its beginning."""
    missing = ITEMS[path]
    if merged is None:
        return path in SHORTER
    if path not in SHORTER and len(merged) != len(whole):
        return False
    return len(merged) <= len(whole) and all(
        m == w or m == {k: v for k, v in w.items() if k != missing}
        if isinstance(w, dict)
        else m == w
        for m, w in zip(merged, whole, strict=False)
    )


def differs(path: str, whole: Any, merged: Any) -> bool:
    """Whether the merged record says something else than the whole flow."""
    if path == "marks":
        return set(merged or []) - {"merged", "capped", "gap"} != set(whole or []) - {
            "capped",
            "gap",
        }
    if like(whole, merged) or (merged is None and path.startswith(LEFT_OUT + HANDSHAKE)):
        return False
    return path not in LATER and not (path in ITEMS and items_like(path, whole, merged))


def differences(whole: dict, merged: dict) -> list[str]:
    """Fields in which they differ, and how."""
    a, b = flat(whole), flat(merged)
    return [
        f"{path}: {str(a.get(path))[:200]} is now {str(b.get(path))[:200]}"
        for path in sorted({*a, *b})
        if differs(path, a.get(path), b.get(path))
    ]


def by_flow(lines: list[bytes]) -> dict[int, list[dict]]:
    """Records by flow_id."""
    flows: dict[int, list[dict]] = {}
    for line in lines:
        record = json.loads(line)
        flows.setdefault(record["flow_id"], []).append(record)
    return flows


def whole_flows(path: Path) -> dict[int, list[dict]]:
    """The records of a capture whose flows were not cut."""
    return by_flow(records(capture(path, *[f"{k}={v}" for k, v in WHOLE.items()])))


def merged_flows(path: Path, timeout: float) -> tuple[Rewritten, dict[int, list[dict]]]:
    """Cut by the active timeout, in seconds, and merged."""
    cut = captured_table(path, rows=7, active_timeout=timeout, **ALL)
    done = rewrite(cut, merge=1)
    assert (done.status, done.log) == (OK, [])
    return done, by_flow(done.records)


@pytest.fixture(params=CASES, ids=lambda p: p.name)
def case(request: pytest.FixtureRequest) -> Path:
    """Each capture of the repository."""
    return request.param


@pytest.mark.parametrize("timeout", [5, 0.5, 0.05, 0.005])
def test_merged_is_whole(case: Path, timeout: float) -> None:
    whole, (_, merged) = whole_flows(case), merged_flows(case, timeout)
    assert set(merged) == set(whole)
    for flow_id, parts in merged.items():
        if len(parts) == 1:  # time went back between parts of the others
            assert differences(whole[flow_id][0], parts[0]) == []


@pytest.mark.parametrize("count", [1, 100, 100000])
def test_limited_distributions(count: int) -> None:
    """dist_bytes=N: the merged flow has its first N bytes of each direction, or says nothing."""
    options = {"bidir": 1, "dist": 1, "cdist": 1, "entropy": 1, "dist_bytes": count}
    kept = 0
    for path in CASES:
        whole = by_flow(records(capture(path, *[f"{k}={v}" for k, v in options.items()])))
        done = rewrite(captured_table(path, active_timeout=0.05, **options), merge=1)
        for flow_id, parts in by_flow(done.records).items():
            if len(parts) > 1:
                continue
            for key in ("byte_dist", "compact_byte_dist", "byte_dist_mean", "entropy"):
                merged = parts[0].get(key)
                assert merged is None or like(whole[flow_id][0].get(key), merged)
            kept += "merged" in parts[0].get("marks", []) and "byte_dist" in parts[0]
    assert kept > 2


def test_something_was_merged() -> None:
    """The test above is about something: flows of many parts, of every protocol."""
    parts: Counter[int] = Counter()
    merged: Counter[int] = Counter()
    for path in CASES:
        done, flows = merged_flows(path, 0.05)
        for flow in flows.values():
            parts[flow[0]["pr"]] += len(flow)
            merged[flow[0]["pr"]] += any("merged" in r.get("marks", []) for r in flow)
        assert done.summary["records_read"] >= done.summary["records"]
    assert merged[6] > 20 and merged[17] > 3 and merged[1] > 3 and merged[58] > 2


def test_counts_of_the_summary() -> None:
    cut = captured_table(ROOT / "sample.pcap", active_timeout=0.02, **ALL)
    numbers = [(r["flow_id"], r["part"]) for r in cut.select(["flow_id", "part"]).to_pylist()]
    flows = Counter(flow for flow, _ in numbers)
    done = rewrite(cut, merge=1)
    assert done.summary["records_read"] == len(numbers)
    assert done.summary["merged"] == sum(n > 1 for n in flows.values())
    assert done.summary["parts"] == sum(n for n in flows.values() if n > 1)
    assert done.summary["records"] == len(flows)


def test_any_order_of_flows_gives_the_same_records() -> None:
    """Parts of one flow come in their order; what lies between them does not matter."""
    cut = captured_table(ROOT / "sample.pcap", active_timeout=0.02, **ALL)
    sorted_cut = cut.sort_by([("flow_id", "ascending"), ("part", "ascending")])
    assert sorted(rewrite(cut, merge=1).records) == sorted(rewrite(sorted_cut, merge=1).records)


def test_merging_twice_changes_nothing() -> None:
    cut = captured_table(ROOT / "sample.pcap", active_timeout=0.02, **ALL)
    once = rewrite(cut, merge=1)
    alone = rewrite(cut, merge=1, num_pkts=50)
    assert once.records == alone.records
    whole = captured_table(ROOT / "sample.pcap", **WHOLE)
    assert rewrite(whole, merge=1).records == rewrite(whole).records


def parts_of_one() -> Any:
    """The parts of the sample's longest conversation, as a table."""
    cut = captured_table(ROOT / "sample.pcap", active_timeout=0.02, **ALL)
    flows = Counter(cut["flow_id"].to_pylist())
    flow, count = flows.most_common(1)[0]
    assert count > 4
    mask = [f == flow for f in cut["flow_id"].to_pylist()]
    return cut.filter(mask)


def test_a_part_that_is_missing_is_not_bridged() -> None:
    import pyarrow as pa

    parts = parts_of_one()
    done = rewrite(pa.concat_tables([parts.slice(0, 2), parts.slice(3)]), merge=1)
    got = [json.loads(line) for line in done.records]
    assert sorted(r["part"] for r in got) == [1, 4]
    assert done.summary["alone"] == 1


def test_parts_of_another_run_are_not_joined() -> None:
    """Two runs that used the same flow_id: part 2 of the earlier one is in the past."""
    import pyarrow as pa

    parts = parts_of_one()
    done = rewrite(
        pa.concat_tables([parts.slice(2, 1), parts.slice(0, 1), parts.slice(3, 1)]), merge=1
    )
    assert [json.loads(line)["part"] for line in done.records] == [3, 1, 4]
    assert done.summary["merged"] == 0
    assert not any(b'"merged"' in line for line in done.records)


def test_without_memory_parts_are_written_as_they_are() -> None:
    import pyarrow as pa

    cut = captured_table(ROOT / "sample.pcap", active_timeout=0.02, **ALL)
    many = pa.concat_tables([cut] * 1)
    firsts = many.filter([p == 1 for p in many["part"].to_pylist()])
    copies = []
    for i in range(3000):  # as many flows that wait, each with an id of its own
        ids = pa.array([1000 * (i + 1) + n for n in range(len(firsts))], pa.uint64())
        copies.append(firsts.set_column(firsts.schema.get_field_index("flow_id"), "flow_id", ids))
    table = pa.concat_tables(copies)
    done = rewrite(table, merge=1, memory="16M")
    assert done.status == OK
    assert done.summary["records"] == len(table)
    assert 0 < done.summary["early"] < len(table)


def test_needed_columns_are_named() -> None:
    cut = captured_table(ROOT / "sample.pcap").drop_columns(["flow_id"])
    done = rewrite(cut, merge=1)
    assert done.status == 2 and "flow_id" in done.error
