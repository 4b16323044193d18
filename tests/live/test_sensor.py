# SPDX-License-Identifier: BSD-3-Clause
"""A sensor at work: losses are told, flows leave on time, the end is whole, floods pass."""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT, pcap2flow, program

from net import Namespace, Net, Process, await_true, needs_root

pytestmark = needs_root

TIMES = ("time_start", "time_end", "packets", "rtt_ms")


@pytest.fixture
def net() -> Iterator[Net]:
    """Namespaces that are gone afterwards."""
    with Net() as made:
        yield made


@pytest.fixture(scope="session")
def send(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bench/send.c: packets at an even rate."""
    to = tmp_path_factory.mktemp("send") / "send"
    flags = ["-O2", "-std=c17", "-D_GNU_SOURCE"]
    subprocess.run(["cc", *flags, "-o", to, ROOT / "bench/send.c", "-lpcap"], check=True)
    return to


def sensor(where: Namespace, *options: str | Path) -> Process:
    """pcap2flow capturing from eth0, when it does."""
    words = ["interface=eth0", "promisc=1", "bidir=1", "verbosity=2", "username=none", *options]
    p = where.start(program(), *words)
    p.wait_for("capturing from eth0")
    return p


def lines_of(path: Path) -> list[dict]:
    """Every line is JSON."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def records_of(lines: list[dict]) -> list[dict]:
    """Those that are flows."""
    return [line for line in lines if "flow_id" in line]


def sent_by(send: Path, where: Namespace, what: str, rate: int, count: int, *more: str) -> int:
    """Packets that bench/send.c has sent."""
    done = where.run(send, "eth0", what, str(rate), str(count), *more)
    return json.loads(done.stdout)["sent"]


def test_stop_writes_every_flow_and_finishes_the_file(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = net.folder / "out.json"
    p = sensor(b, f"output={out}")
    assert not out.exists()
    sent = sent_by(send, a, "64", 50000, 5000, "50")
    assert p.stop() == 0
    lines = lines_of(out)
    assert "version" in lines[0]
    summary = lines[-1]["summary"]
    assert summary["packets"] + summary["drops"] == sent
    assert summary["drops"] == 0
    flows = records_of(lines)
    assert len(flows) == 50
    assert sum(r["num_pkts_out"] for r in flows) == sent
    assert {r["end_reason"] for r in flows} == {4}
    assert summary["interfaces"][0]["name"] == "eth0"


def test_flows_leave_on_time_without_traffic(net: Net, send: Path) -> None:
    a, b = net.cable()
    p = sensor(b, "idle_timeout=0.5")
    sent_by(send, a, "64", 50000, 10, "1")
    line = p.wait_for('"flow_id"', 5)
    assert json.loads(line)["end_reason"] == 1
    assert p.stop() == 0


def test_losses_are_counted_told_and_marked(net: Net, send: Path) -> None:
    """The program stands still while packets come, so that the ring overflows."""
    a, b = net.cable()
    out = net.folder / "out.json"
    p = sensor(b, f"output={out}", "ring=1M", "drops_interval=0.2")
    sent = sent_by(send, a, "64", 50000, 100, "1")
    p.send(signal.SIGSTOP)
    sent += sent_by(send, a, "64", 0, 200000, "1")
    p.send(signal.SIGCONT)
    assert p.stop() == 0
    lines = lines_of(out)
    summary = lines[-1]["summary"]
    assert summary["drops"] > 0
    assert summary["packets"] + summary["drops"] == sent
    told = [line["drops"] for line in lines if "drops" in line]
    assert sum(t["drops"] for t in told) == summary["drops"]
    assert all(t["interface"] == "eth0" and t["time_start"] < t["time_end"] for t in told)
    assert sum(t["freezes"] for t in told) > 0
    (flow,) = records_of(lines)
    assert "sensor_drops" in flow["marks"]
    assert flow["num_pkts_out"] == summary["packets"]


def without_times(record: dict) -> dict:
    """What does not depend on when the packets came, nor on their numbers."""
    kept = {k: v for k, v in record.items() if k not in TIMES and k not in ("flow_id", "marks")}
    kept["packets"] = [(x["b"], x["dir"]) for x in record.get("packets", [])]
    return kept


@pytest.mark.parametrize("threads", [1, 2])
def test_workers_see_what_the_file_holds(net: Net, threads: int) -> None:
    """Both directions of a flow reach the same worker."""
    a, b = net.cable()
    out = net.folder / "out.json"
    capture = ROOT / "tests/fixtures/web.pcap"
    p = sensor(b, f"output={out}", f"threads={threads}", "idle_timeout=60")
    a.replay(capture, "--pps=2000")
    assert p.stop() == 0
    lines = lines_of(out)
    assert lines[-1]["summary"]["drops"] == 0

    def key(record: dict) -> str:
        return json.dumps(without_times(record), sort_keys=True)

    live = sorted(map(key, records_of(lines)))
    file = sorted(map(key, pcap2flow("bidir=1", "idle_timeout=60", capture).records))
    assert live == file


def resident(pid: int) -> int:
    """KiB of memory at most so far."""
    status = Path(f"/proc/{pid}/status").read_text()
    return int(next(x for x in status.splitlines() if x.startswith("VmHWM")).split()[1])


def test_a_flood_passes_and_normal_flows_are_right_again(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = net.folder / "out.json"
    p = sensor(b, f"output={out}", "memory=32M", "ring=8M", "num_pkts=0")
    sent = sent_by(send, a, "syn", 100000, 200000, "1000")
    capture = ROOT / "tests/fixtures/bulk.pcap"
    sent += a.replay(capture, "--pps=5000")
    peak = resident(p.pid)
    assert p.stop(seconds=60) == 0
    lines = lines_of(out)
    summary = lines[-1]["summary"]
    assert summary["packets"] + summary["drops"] == sent
    assert summary["evicted"] > 0
    assert peak < (32 + 8 + 32 + 64) << 10  # flows, ring, records on their way, the rest
    flows = records_of(lines)
    assert sum(r["num_pkts_out"] + r["num_pkts_in"] for r in flows) == summary["ip_packets"]
    if summary["drops"] == 0:
        expected = pcap2flow("bidir=1", capture).records
        ends = {(r["sa"], r["da"], r.get("sp"), r.get("dp")) for r in expected}
        live = [r for r in flows if (r["sa"], r["da"], r.get("sp"), r.get("dp")) in ends]
        for name in ("num_pkts_out", "num_pkts_in", "bytes_out", "bytes_in"):
            assert sum(r[name] for r in live) == sum(r[name] for r in expected)


def test_lists_are_read_again_under_load(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = net.folder / "out.json"
    p = sensor(b, f"output={out}", "threads=2", "ring=16M")
    load = a.start(send, "eth0", "64", "100000", "200000", "100")
    for n in range(1, 6):
        p.send(signal.SIGHUP)
        p.wait_for("lists were read again", times=n)
    assert load.wait() == 0
    sent = json.loads(load.text())["sent"]
    assert p.stop() == 0
    summary = lines_of(out)[-1]["summary"]
    assert summary["packets"] + summary["drops"] == sent


def test_interface_goes_and_comes_back(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = net.folder / "out.json"
    p = sensor(b, f"output={out}")
    sent = sent_by(send, a, "64", 50000, 100, "1")
    b.ip("link", "del", "eth0")
    p.wait_for("eth0 is gone")
    net.cable(a, b)
    p.wait_for("eth0 is back: captured")
    sent += sent_by(send, a, "64", 50000, 100, "1")

    def all_there() -> bool:
        return b.counter("eth0", "rx_packets") >= 100

    await_true(all_there, "the second hundred")
    assert p.stop() == 0
    summary = lines_of(out)[-1]["summary"]
    assert summary["drops"] == 0
    assert summary["ip_packets"] == sent  # others may greet a new interface


def test_the_clock_is_set_forward_and_back(net: Net, send: Path) -> None:
    """Flows do not end by it; packets keep the times that the kernel gave them."""
    folder = net.folder
    shim, clock, out = folder / "shim.so", folder / "clock", folder / "out.json"
    flags = [
        "-shared",
        "-fPIC",
        "-D_GNU_SOURCE",
        "-o",
        shim,
        ROOT / "tests/live/clock_shim.c",
        "-ldl",
    ]
    subprocess.run(["cc", *flags], check=True)
    clock.touch()

    def set_clock(seconds: int) -> None:
        os.utime(clock, (86400 + seconds, 86400 + seconds))

    set_clock(0)
    a, b = net.cable()
    words = ["interface=eth0", "bidir=1", "verbosity=2", "username=none", "sandbox=0"]
    env = {"LD_PRELOAD": str(shim), "CLOCK_FILE": str(clock)}
    p = b.start(program(), *words, f"output={out}", env=env)
    p.wait_for("capturing from eth0")
    sent = sent_by(send, a, "64", 10000, 100, "1")
    set_clock(3600)
    p.wait_for("clock was set forward by 3600.0 seconds")
    sent += sent_by(send, a, "64", 10000, 100, "1")
    set_clock(0)
    p.wait_for("clock was set back by 3600.0 seconds")
    sent += sent_by(send, a, "64", 10000, 100, "1")
    assert p.stop() == 0
    (flow,) = records_of(lines_of(out))
    assert flow["num_pkts_out"] == sent
    assert 0 < flow["time_end"] - flow["time_start"] < 60
