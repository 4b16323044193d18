# SPDX-License-Identifier: BSD-3-Clause
"""What is captured from the wire is what the file holds: captures are replayed over a cable.

Records must be those of a run over the file, whatever the number of workers and the way to
capture; only what depends on when a packet came may differ.
"""

from __future__ import annotations

import json
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT, pcap2flow, program

from net import Namespace, Net, Process, needs_root

pytestmark = needs_root

FIXTURES = ROOT / "tests/fixtures"
# The wire of a replay is Ethernet, its packets are no longer than what was captured, and
# there is one of it.
NOT_REPLAYED = {"any.pcap", "offload.pcap", "two_interfaces.pcapng"}
CAPTURES = sorted(p.name for p in FIXTURES.glob("*.pcap*") if p.name not in NOT_REPLAYED)
# No flow ends but by its own packets: a replay has times of its own.
RULES = ("bidir=1", "features=all", "idle_timeout=3600", "active_timeout=36000", "linger=60")
# Members that say when something happened, or were found by it.
TIMED = {
    "flow_id", "time_start", "time_end", "ipt", "t", "stats", "rtt", "rtt_ms", "ack_ms",
    "syn_ack_ms", "dup_in", "dup_out", "retrans_in", "retrans_out",
}  # fmt: skip


@pytest.fixture(scope="module")
def cable() -> Iterator[tuple[Namespace, Namespace]]:
    """Two namespaces with a cable between them."""
    with Net() as net:
        yield net.cable(mtu=9000)


def timeless(item: object) -> object:
    """Without the members that depend on time."""
    if isinstance(item, dict):
        return {k: timeless(v) for k, v in item.items() if k not in TIMED}
    if isinstance(item, list):
        return [timeless(x) for x in item]
    return item


def sorted_flows(records: list[dict]) -> list[str]:
    """Records as texts that can be compared, in an order that does not depend on time."""
    return sorted(json.dumps(timeless(r), sort_keys=True) for r in records)


def sensor(where: Namespace, *options: str | Path, env: dict[str, str] | None = None) -> Process:
    """pcap2flow that captures, once it does."""
    words = ["verbosity=2", "promisc=1", *options]
    if not any(str(o).startswith("username=") for o in options):
        words.append("username=none")
    if not any(str(o).startswith("interface=") for o in options):
        words.append("interface=eth0")
    p = where.start(program(), *words, env=env)
    p.wait_for("capturing from")
    return p


def finish(
    p: Process, out: Path, number: int = signal.SIGTERM
) -> tuple[list[dict], list[dict], dict]:
    """Stop it, by one signal: a second would kill it.  Flows, records of drops, the summary."""
    assert p.stop(number) == 0, p.text()
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    out.unlink()
    flows = [line for line in lines if "flow_id" in line]
    drops = [line["drops"] for line in lines if "drops" in line]
    return flows, drops, lines[-1]["summary"]


def compare(
    cable: tuple[Namespace, Namespace], capture: str, options: list[str], speed: str
) -> None:
    """Replay a capture and hold the records against those of the file."""
    a, b = cable
    out = b.net.folder / "out.json"
    p = sensor(b, *RULES, f"output={out}", *options)
    sent = a.replay(FIXTURES / capture, speed)
    flows, drops, summary = finish(p, out)
    assert summary["packets"] + summary["drops"] == sent
    if drops:
        return
    expected = pcap2flow(*RULES, FIXTURES / capture)
    assert summary["packets"] == expected.summary["packets"]
    assert sorted_flows(flows) == sorted_flows(expected.records)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("capture", CAPTURES)
def test_records_are_those_of_the_file(
    cable: tuple[Namespace, Namespace], capture: str, threads: int
) -> None:
    compare(cable, capture, [f"threads={threads}"], "--pps=5000")


@pytest.mark.parametrize("capture", ["bulk.pcap", "qinq.pcap"])
def test_libpcap_gives_the_same(cable: tuple[Namespace, Namespace], capture: str) -> None:
    compare(cable, capture, ["capture=libpcap"], "--pps=5000")


@pytest.mark.parametrize("speed", ["--pps=500", "--pps=50000", "--topspeed"])
def test_rising_rates(cable: tuple[Namespace, Namespace], speed: str) -> None:
    """Whatever the rate: sent = counted + dropped; without drops the same records."""
    compare(cable, "tls.pcap", ["threads=2"], speed)


def test_filter_is_that_of_files(cable: tuple[Namespace, Namespace]) -> None:
    """Tags stand where they stood, although the kernel takes them out."""
    a, b = cable
    for bpf in ("vlan and icmp", "vlan and tcp", "not vlan"):
        out = b.net.folder / "out.json"
        p = sensor(b, *RULES, f"output={out}", f"bpf={bpf}")
        a.replay(FIXTURES / "vlan.pcap", "--pps=5000")
        flows, _, _ = finish(p, out)
        expected = pcap2flow(*RULES, f"bpf={bpf}", FIXTURES / "vlan.pcap").records
        assert sorted_flows(flows) == sorted_flows(expected)


def test_any_takes_each_end(cable: tuple[Namespace, Namespace]) -> None:
    """The loopback once, a cable whose two ends are here twice."""
    a, _ = cable
    out = a.net.folder / "out.json"
    p = sensor(a, "interface=any", "promisc=0", "bidir=1", f"output={out}")
    sent = a.replay(FIXTURES / "dns.pcap", "--pps=5000")
    sent += a.replay(FIXTURES / "dhcp.pcap", "--pps=5000", interface="lo")
    _, _, summary = finish(p, out)
    assert summary["packets"] == sent


@pytest.mark.parametrize("threads", [1, 2])
def test_interface_goes_and_comes_without_rights(threads: int) -> None:
    """As nobody, in the sandbox: down and up, removed and made again; one line for each."""
    with Net() as net:
        a, b = net.cable()
        net.folder.chmod(0o777)
        out = net.folder / "out.json"
        p = sensor(b, "bidir=1", f"threads={threads}", f"output={out}", "username=nobody")
        assert Path(f"/proc/{p.pid}/status").read_text().count("CapEff:\t0000000000000000") == 1
        sent = 0
        for n in (1, 2):
            sent += a.replay(FIXTURES / "dns.pcap", "--pps=5000")
            b.ip("link", "set", "eth0", "down")
            p.wait_for("eth0 is down: waiting until it is up", times=n)
            b.ip("link", "set", "eth0", "up")
            p.wait_for("eth0 is up: captured", times=n)
            a.ip("link", "set", "eth0", "down")
            a.ip("link", "set", "eth0", "up")
            sent += a.replay(FIXTURES / "dns.pcap", "--pps=5000")
            b.ip("link", "del", "eth0")
            p.wait_for("eth0 is gone: waiting until it is back", times=n)
            net.cable(a, b)
            p.wait_for("eth0 is back: captured", times=n)
        sent += a.replay(FIXTURES / "dns.pcap", "--pps=5000")
        _, _, summary = finish(p, out)
        assert summary["packets"] + summary["drops"] == sent
        assert p.text().count("eth0 is ") == 8


def test_libpcap_outlives_its_interface() -> None:
    """In the sandbox nothing can be opened again, and nothing tries to."""
    with Net() as net:
        a, b = net.cable()
        out = net.folder / "out.json"
        p = sensor(b, "bidir=1", f"output={out}", "capture=libpcap")
        sent = a.replay(FIXTURES / "dns.pcap", "--pps=5000")
        b.ip("link", "del", "eth0")
        p.wait_for("eth0 is gone: a restart is needed when it is back")
        net.cable(a, b)
        flows, _, summary = finish(p, out)
        assert summary["packets"] == sent
        assert flows


def test_rights_are_asked_for() -> None:
    """What to do stands in the message."""
    with Net() as net:
        ns = net.namespace()
        command = f"exec setpriv --reuid=65534 --clear-groups {program()} interface=lo"
        done = ns.run("sh", "-c", command, check=False)
        assert done.returncode == 1
        assert "capturing needs root or the capability cap_net_raw" in done.stderr
        done = ns.run(program(), "interface=eth7", "username=none", check=False)
        assert done.returncode == 1
        assert "there is none of that name; there are: lo" in done.stderr


def test_stop_by_interrupt(cable: tuple[Namespace, Namespace]) -> None:
    """What was sent just before the signal is in the records."""
    a, b = cable
    for number in (signal.SIGINT, signal.SIGTERM):
        out = b.net.folder / "out.json"
        p = sensor(b, "bidir=1", "threads=2", f"output={out}")
        sent = a.replay(FIXTURES / "bulk.pcap", "--topspeed")
        flows, _, summary = finish(p, out, number)
        assert summary["packets"] + summary["drops"] == sent
        assert sum(f["num_pkts_out"] + f["num_pkts_in"] for f in flows) == summary["ip_packets"]
