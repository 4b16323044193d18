# SPDX-License-Identifier: BSD-3-Clause
"""exe=1: the sensor names the processes at both ends of connections between two hosts of ours."""

from __future__ import annotations

import hashlib
import json
import os
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import program

from net import Namespace, Net, Process, needs_root

pytestmark = needs_root

SERVER = """
import socket, sys
family = socket.AF_INET6 if ":" in sys.argv[1] else socket.AF_INET
tcp = socket.create_server((sys.argv[1], 80), family=family)
udp = socket.socket(family, socket.SOCK_DGRAM)
udp.bind((sys.argv[1], 53))
print("ready", flush=True)
while True:
    c, _ = tcp.accept()
    c.recv(1)
    c.close()
    _, peer = udp.recvfrom(9)
    udp.sendto(b"x", peer)
"""

CLIENT = """
import os, socket, sys
c = socket.create_connection((sys.argv[1], 80))
c.send(b"x")
c.recv(1)
c.close()
u = socket.socket(c.family, socket.SOCK_DGRAM)
if sys.argv[2] == "connected":
    u.connect((sys.argv[1], 53))
    u.send(b"x")
else:
    u.sendto(b"x", (sys.argv[1], 53))
u.recv(9)
print(os.getpid())
"""


@pytest.fixture
def net() -> Iterator[Net]:
    """Namespaces that are gone afterwards."""
    with Net() as made:
        yield made


def sensor(where: Namespace, *options: str | Path) -> Process:
    """pcap2flow with exe=1 on eth0, when it captures."""
    words = ["interface=eth0", "bidir=1", "verbosity=2", "username=none", "exe=1", *options]
    p = where.start(program(), *words)
    p.wait_for("capturing from eth0")
    return p


def serve(where: Namespace, address: str) -> Process:
    """The server above, when it listens."""
    p = where.start(sys.executable, "-c", SERVER, address)
    p.wait_for("ready")
    return p


def flows(path: Path) -> dict[int, dict]:
    """Records of TCP and UDP by protocol; one of each is expected."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    found = [r for r in lines if r.get("dp") in (53, 80)]
    assert sorted(r["pr"] for r in found) == [6, 17]
    return {r["pr"]: r for r in found}


def expect(exe: dict, pid: int, confidence: str, side: str) -> None:
    """A process that is this Python, by all that is said of it."""
    path = os.path.realpath(sys.executable)
    assert exe["pid"] == pid
    assert exe["confidence"] == confidence
    assert exe["side"] == side
    assert exe["path"] == path
    assert exe["hash"] == hashlib.sha256(Path(path).read_bytes()).hexdigest()
    assert exe["uid"] == 0
    assert exe["user"] == "root"
    assert "cmdline" not in exe


@pytest.mark.parametrize("how", ["connected", "unconnected"])
@pytest.mark.parametrize("version", [4, 6])
def test_both_ends_are_named(net: Net, version: int, how: str) -> None:
    a, b = net.hosts()
    address = "192.0.2.2"
    if version == 6:
        address = "2001:db8::2"
        for number, ns in enumerate((a, b), 1):
            ns.sysctl("net.ipv6.conf.eth0.disable_ipv6", "0")
            ns.ip("address", "add", f"2001:db8::{number}/64", "dev", "eth0", "nodad")
    out = net.folder / "out.json"
    watching = sensor(b, f"output={out}")
    if "processes are found by" in watching.text():
        pytest.skip(watching.text())
    server = serve(b, address)
    client = int(a.run(sys.executable, "-c", CLIENT, address, how).stdout)
    assert watching.stop() == 0
    for proto, record in flows(out).items():
        # of a socket in another namespace that sends from any address only the port is known
        sure = "guess" if proto == 17 and how == "unconnected" else "exact"
        expect(record["exe"], client, sure, ">")
        expect(record["exe_peer"], server.pid, "exact", "<")


def test_looking_finds_what_stays(net: Net) -> None:
    a, b = net.hosts()
    out = net.folder / "out.json"
    server = serve(b, "192.0.2.2")
    watching = sensor(b, f"output={out}", "exe_by=sock_diag")
    a.run(sys.executable, "-c", CLIENT, "192.0.2.2", "connected")
    assert watching.stop() == 0
    for record in flows(out).values():
        assert record["exe"]["pid"] == server.pid
        assert record["exe"]["side"] == "<"
        assert record["exe"]["confidence"] in ("late", "guess")
        assert "exe_peer" not in record


def test_command_lines_are_given_when_asked_for(net: Net) -> None:
    a, b = net.hosts()
    out = net.folder / "out.json"
    watching = sensor(b, f"output={out}", "exe_cmdline=1", "exe_hash=0")
    serve(b, "192.0.2.2")
    a.run(sys.executable, "-c", CLIENT, "192.0.2.2", "connected")
    assert watching.stop() == 0
    for record in flows(out).values():
        exe = record["exe_peer" if "exe_peer" in record else "exe"]
        assert exe["cmdline"].startswith(f"{sys.executable} -c ")
        assert exe["cmdline"].isprintable() or "\n" in exe["cmdline"]
        assert "hash" not in exe


def test_a_dead_watcher_is_told_and_the_run_goes_on(net: Net) -> None:
    a, b = net.hosts()
    out = net.folder / "out.json"
    watching = sensor(b, f"output={out}")
    serve(b, "192.0.2.2")
    children = Path(f"/proc/{watching.pid}/task/{watching.pid}/children").read_text().split()
    assert len(children) == 1
    os.kill(int(children[0]), 9)
    watching.wait_for("the watcher of processes has ended")
    a.run(sys.executable, "-c", CLIENT, "192.0.2.2", "connected")
    assert watching.stop() == 0
    assert all("exe" not in record for record in flows(out).values())
