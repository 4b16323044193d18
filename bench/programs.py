# SPDX-License-Identifier: BSD-3-Clause
"""The programs that are measured: two yardsticks, pcap2flow, and its peers.

Peers are those that Debian or PyPI give (`make peers` installs them) and two that one may have
built; one that is not here is named as missing.
"""

from __future__ import annotations

import glob
import os
import shutil
from collections.abc import Callable
from dataclasses import dataclass

NULL, WALK = "null libpcap loop", "walk of the mapped file"
PLAIN, TYPICAL, EVERYTHING = "plain", "typical", "everything"
NO_HELLOS = "all but hellos"
MODES = {
    PLAIN: ["bidir=1", "num_pkts=0"],
    TYPICAL: ["bidir=1", *"dist=1 dist_bytes=4000 entropy=1 tls=1 fingerprint=1".split()],
    NO_HELLOS: ["bidir=1", *"features=all tls=0 quic=0 fingerprint=0".split()],
    EVERYTHING: ["bidir=1", "features=all"],
}
PEER_PYTHON = "build/bench-venv/bin/python"
MILLION = 1_000_000
TLS = "version ciphersuite extensions_server_name ja3 ja3s extensions_alpn_str random certificate"


@dataclass(frozen=True)
class Program:
    """'command' makes its words from a capture and a folder for its output."""

    name: str
    command: Callable[[str, str], list[str]]
    packets: int = 0  # it is shown only so many of a capture; 0: all
    peer: bool = True
    module: str = ""  # of Python, that it needs


def mode(name: str) -> str:
    """What a row of pcap2flow is called."""
    return f"pcap2flow, {name}"


def ours(program: str, name: str, threads: int = 1) -> Callable[[str, str], list[str]]:
    """pcap2flow with the options of a mode; records go to a new file."""

    def command(capture: str, folder: str) -> list[str]:
        out = os.path.join(folder, "out.json")
        options = [*MODES[name], f"threads={threads}", "progress=0", f"output={out}"]
        return [program, *options, capture]

    return command


def tshark(*words: str) -> Callable[[str, str], list[str]]:
    """tshark over a capture, without names of hosts."""
    return lambda capture, folder: ["tshark", "-n", "-r", capture, *words]


def with_python(*words: str) -> Callable[[str, str], list[str]]:
    """A script of this folder, by the Python that has the peers' modules."""
    return lambda capture, folder: [PEER_PYTHON, *words, capture]


PEERS = (
    Program("softflowd", lambda c, f: ["softflowd", "-r", c, "-d", "-n", "127.0.0.1:9"]),
    Program("nfpcapd", lambda c, f: ["nfpcapd", "-r", c, "-l", f]),
    Program("argus", lambda c, f: ["argus", "-r", c, "-w", f + "/argus"], packets=2 * MILLION),
    Program("yaf", lambda c, f: ["yaf", "--in", c, "--out", f + "/yaf"]),
    Program(
        "pmacctd, CSV",
        lambda c, f: ["pmacctd", "-f", "bench/pmacctd.conf", "-I", c],
        packets=MILLION // 2,
    ),
    Program("ndpiReader, no output", lambda c, f: ["ndpiReader", "-q", "-i", c], packets=MILLION),
    Program(
        "ndpiReader, CSV",
        lambda c, f: ["ndpiReader", "-q", "-i", c, "-C", f + "/csv"],
        packets=MILLION,
    ),
    Program(
        "mercury, TLS and QUIC",
        lambda c, f: ["mercury", "-r", c, "-f", f + "/m", "--select=tls,quic", "--metadata"],
    ),
    Program(
        "mercury's module in Python",
        with_python("bench/with_mercury.py"),
        packets=MILLION // 4,
        module="mercury",
    ),
    Program(
        "NFStream",
        with_python("bench/python.py", "drain-nfstream"),
        packets=MILLION // 4,
        module="nfstream",
    ),
    Program(
        "tshark, conversations",
        tshark("-q", "-z", "conv,tcp", "-z", "conv,udp"),
        packets=MILLION // 10,
    ),
    Program(
        "tshark, fields of TLS",
        tshark(
            *("-Y", "tls.handshake", "-T", "fields"),
            *(word for field in TLS.split() for word in ("-e", "tls.handshake." + field)),
        ),
        packets=MILLION // 10,
    ),
)


def all_of(program: str, peers: list[str]) -> list[Program]:
    """The rows of the table; of peers, those whose names begin with one of these words."""
    yardsticks = [
        Program(NULL, lambda c, f: ["build/bench/null", c], peer=False),
        Program(WALK, lambda c, f: ["build/bench/walk", c], peer=False),
    ]
    own = [Program(mode(name), ours(program, name), peer=False) for name in MODES]
    return [*yardsticks, *own, *(p for p in PEERS if p.name.startswith(tuple(peers)))]


def is_here(p: Program) -> bool:
    """Whether a program can be run."""
    if p.module:
        return bool(glob.glob(f"build/bench-venv/lib/python*/site-packages/{p.module}*"))
    return shutil.which(p.command("", "")[0]) is not None


def packets_of(p: Program, capture: str) -> int:
    """How many packets of that input a program is shown at most; 0: all.  Records of five million
    flows with all that is in them would fill a disk."""
    if capture == "small" and p.name in (mode(TYPICAL), mode(EVERYTHING)):
        return MILLION
    return p.packets
