# SPDX-License-Identifier: BSD-3-Clause
"""A flood of one-packet flows under a small budget: nothing grows, nothing is lost."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest
from program import ROOT, program

sys.path.insert(0, str(ROOT / "bench"))

import flood  # noqa: E402

# The kernel lets a child's peak begin with its parent's size, so the parent has to be a small one.
MEASURE = """
import json, sys
sys.path.insert(0, sys.argv[1])
import flood
print(json.dumps(flood.run(*sys.argv[2:])))
"""


@pytest.mark.parametrize("threads", [1, 4])
def test_budget_holds_and_packets_are_accounted_for(threads: int, tmp_path: Path) -> None:
    capture = tmp_path / "flood.pcap"
    flood.write(capture, flood.flood(200_000))
    command = [sys.executable, "-c", MEASURE, str(ROOT / "bench"), str(program()), str(capture)]
    done = subprocess.run(
        [*command, "memory=32M", f"threads={threads}"], stdout=subprocess.PIPE, check=True
    )
    _, peak, summary, packets = json.loads(done.stdout)
    assert packets + summary["refused"] == 200_000 == summary["packets"]
    assert packets == summary["ip_packets"]
    assert summary["evicted"] > 50_000
    if program() == ROOT / "pcap2flow":  # a sanitizer takes memory of its own
        assert peak <= 32 + flood.OWN + (6 * threads if threads > 1 else 0)


def test_evicted_flows_say_so(tmp_path: Path) -> None:
    capture = tmp_path / "flood.pcap"
    flood.write(capture, flood.flood(150_000))
    command = [str(program()), "bidir=1", "num_pkts=0", "memory=16M", str(capture)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.count(b'"end_reason":5') > 50_000
