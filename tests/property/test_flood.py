# SPDX-License-Identifier: BSD-3-Clause
"""A flood of one-packet flows under a small budget: nothing grows, nothing is lost."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from program import ROOT, program


def test_budget_holds_and_packets_are_accounted_for(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "bench"))
    import flood

    capture = tmp_path / "flood.pcap"
    flood.write(capture, flood.flood(200_000))
    _, peak, summary, packets = flood.run(str(program()), str(capture), "memory=32M")
    assert packets + summary["refused"] == 200_000 == summary["packets"]
    assert summary["evicted"] > 50_000
    if "PCAP2FLOW" not in os.environ:  # a sanitizer takes memory of its own
        assert peak <= 32 + flood.OWN


def test_evicted_flows_say_so(tmp_path: Path) -> None:
    sys.path.insert(0, str(ROOT / "bench"))
    import flood

    capture = tmp_path / "flood.pcap"
    flood.write(capture, flood.flood(150_000))
    command = [str(program()), "bidir=1", "num_pkts=0", "memory=16M", str(capture)]
    done = subprocess.run(command, capture_output=True, check=True)
    assert done.stdout.count(b'"end_reason":5') > 50_000
