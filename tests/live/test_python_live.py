# SPDX-License-Identifier: BSD-3-Clause
"""joy.live(): what a cable carries, in Python, until the stream is closed."""

from __future__ import annotations

import sys

from program import ROOT

from net import Net, needs_root

pytestmark = needs_root

CODE = """
import sys, joy
print("starting", flush=True)
with joy.live("eth0", idle_timeout=0.5, promisc=True, columns=["sa", "num_pkts_out"]) as stream:
    print("capturing", flush=True)
    seen = 0
    for batch in stream:
        seen += sum(batch.column("num_pkts_out").to_pylist())
        print("packets", seen, flush=True)
        if seen >= int(sys.argv[1]):
            break
print("closed", stream.stats["drops"], flush=True)
"""


def test_flows_come_while_it_runs_and_closing_ends_it() -> None:
    with Net() as net:
        a, b = net.cable()
        env = {"PYTHONPATH": str(ROOT / "python")}
        child = b.start(sys.executable, "-c", CODE, "10", env=env)
        child.wait_for("capturing")
        dns = ROOT / "tests/fixtures/dns.pcap"
        a.replay(dns)
        child.wait_for(r"packets \d\d", seconds=30)
        child.wait_for("closed 0", seconds=30)
        assert child.wait() == 0
