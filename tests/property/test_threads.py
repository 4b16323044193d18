# SPDX-License-Identifier: BSD-3-Clause
"""The same bytes of output, messages and exit code for any number of threads."""

from __future__ import annotations

import gzip
import random
import socket
import struct
import subprocess
from pathlib import Path

import pytest
from captures import ETHERNET, Frame, frame, pcap, pcapng, plain, read, zstd
from program import FIXTURES, ROOT, outputs, program
from traps import TRAPS, eth, ip4, pieces4, pieces6, tagged, udp, vxlan

THREADS = (2, 3, 7)
EPOCH = 1_700_000_000 * 10**9
OPTIONS = {
    "everything": ("bidir=1", "features=all"),
    "plain": ("num_pkts=0",),
    "short": ("bidir=1", "idle_timeout=1", "active_timeout=1", "type=2", "tunnel=outer"),
}


def run(threads: int, *words: str | Path, cwd: Path | None = None) -> tuple[int, bytes, bytes]:
    """Exit code and both outputs."""
    return outputs(f"threads={threads}", *words, cwd=cwd)


def check(*words: str | Path, cwd: Path | None = None) -> bytes:
    """All numbers of threads say what one says."""
    one = run(1, *words, cwd=cwd)
    for threads in THREADS:
        assert run(threads, *words, cwd=cwd) == one, threads
    return one[1]


@pytest.mark.parametrize("options", OPTIONS.values(), ids=OPTIONS)
@pytest.mark.parametrize("capture", FIXTURES, ids=lambda p: p.name)
def test_fixtures(capture: Path, options: tuple[str, ...]) -> None:
    assert check(*options, capture).count(b"\n") > 2


def test_all_fixtures_as_one_stream() -> None:
    check(*OPTIONS["everything"], *FIXTURES)
    check(*OPTIONS["short"], "output=-", *reversed(FIXTURES))


@pytest.mark.parametrize("name", sorted(TRAPS))
def test_traps(name: str, tmp_path: Path) -> None:
    trap = TRAPS[name]()
    for file, data in trap.files.items():
        (tmp_path / file).write_bytes(data)
    words = [str(w) for w in trap.options]
    check("features=all", *words, *sorted(trap.files), cwd=tmp_path)


def hard(seed: int, packets: int) -> bytes:
    """Flows and ICMP errors about them: those that live, ended long ago, never were; NAT does not
    matter, since an error quotes addresses as they were.  Fragments, also of tunnels, in between.
    """
    dice = random.Random(seed)
    hosts = [f"10.0.{i // 200}.{i % 200 + 1}" for i in range(60)]
    frames, now, seen = [], EPOCH, []

    def error(quoted: bytes, router: str) -> bytes:
        body = struct.pack(">BBHI", 3, dice.choice((1, 3)), 0, 0) + quoted[: dice.choice((28, 60))]
        return ip4((router, socket.inet_ntoa(quoted[12:16])), 1, body)

    for i in range(packets):
        now += dice.choice((1_000, 50_000, 3_000_000, 40_000_000))
        if dice.random() < 0.002:
            now += dice.choice((2, 5, 200)) * 10**9
        ends = tuple(dice.sample(hosts, 2))
        body = bytes(dice.randrange(256) for _ in range(dice.randrange(60)))
        packet = ip4(ends, 17, udp(dice.choice((53, 4000, 4001)), dice.choice((53, 9)), body), i)
        kind = dice.random()
        if kind < 0.25 and seen:
            data = [eth(error(dice.choice(seen[-400:]), dice.choice(hosts)))]
        elif kind < 0.28:
            data = [eth(error(packet, dice.choice(hosts)))]  # of a flow that never was
        elif kind < 0.33:
            whole = udp(4000, 9, body + bytes(64))
            parts = pieces4(whole, (0, 32), (32, len(whole)), ident=i & 0xFFFF)
            data = [eth(p) for p in dice.sample(parts, dice.choice((1, len(parts), len(parts))))]
        elif kind < 0.36:
            data = [eth(ip4(ends, 17, udp(5000, 4789, vxlan(eth(packet), dice.randrange(4)))))]
        elif kind < 0.38:
            whole = udp(6000, 9, body + bytes(64))
            data = [eth(p, 0x86DD) for p in pieces6(whole, i, (0, 32), (32, len(whole)))]
        elif kind < 0.40:
            data = [tagged(packet, dice.randrange(3))]
        elif kind < 0.42:
            data = [eth(bytes(dice.randrange(60)), 0x0806)]
        else:
            seen.append(packet)
            data = [eth(packet)]
        frames += [frame(now, d) for d in data]
    return pcap(frames)


@pytest.mark.parametrize("seed", range(4))
def test_errors_fragments_tunnels(seed: int, tmp_path: Path) -> None:
    (tmp_path / "a.pcap").write_bytes(hard(seed, 4000))
    out = check("bidir=1", "features=all", "idle_timeout=3", "a.pcap", cwd=tmp_path)
    assert b'"icmp_errors":0,' not in out.splitlines()[-1]
    check("active_timeout=2", "idle_timeout=1", "tunnel=outer", "a.pcap", cwd=tmp_path)


def large() -> list[Frame]:
    """Three megabytes, so that they are read ahead; some frames are longer than what is left in
    front of a buffer for them."""
    real = [f for path in FIXTURES for f in read(path) if f.link == ETHERNET]
    long = eth(ip4(("10.9.9.9", "10.8.8.8"), 17, udp(1, 2, bytes(60_000)))) + bytes(140_000)
    frames, size = [], 0
    for i in range(1 << 20):
        data = long if i % 997 == 5 else real[i % len(real)].data
        frames.append(frame(EPOCH + i * 1_000_000, data))
        size += len(data)
        if size > 3_000_000:
            break
    return frames


LARGE = {
    "a.pcap": plain,
    "a.pcapng": pcapng,
    "a.pcap.gz": lambda frames: gzip.compress(plain(frames), 1),
    "a.pcap.zst": lambda frames: zstd(plain(frames)),
    "cut.pcap": lambda frames: plain(frames)[:-1234],
    "broken.pcap": lambda frames: plain(frames[:9000]) + bytes(1_500_000),
    "cut.pcap.gz": lambda frames: gzip.compress(plain(frames), 1)[:-2000],
}


@pytest.mark.parametrize("name", LARGE)
def test_read_ahead(name: str, tmp_path: Path) -> None:
    (tmp_path / name).write_bytes(LARGE[name](large()))
    out = check("bidir=1", "features=all", "idle_timeout=2", name, cwd=tmp_path)
    assert out.count(b"\n") > 100
    for threads in THREADS:  # who reads has had enough
        words = [program(), f"threads={threads}", "features=all", "output=/dev/full", name]
        assert subprocess.run(words, cwd=tmp_path, capture_output=True, check=False).returncode == 1


@pytest.mark.parametrize("options", [("count=7",), ("rotate=3600",), ()], ids=str)
@pytest.mark.parametrize("name", ["o.json", "o.json.gz", "o.csv", "o.json.zst"])
def test_files(name: str, options: tuple[str, ...], tmp_path: Path) -> None:
    said = []
    for threads in (1, *THREADS):
        folder = tmp_path / str(threads)
        folder.mkdir()
        words = ("bidir=1", *options, f"outdir={folder}", f"output={name}", ROOT / "sample.pcap")
        assert run(threads, *words)[0] == 0
        said.append([p.read_bytes() for p in sorted(folder.iterdir())])
        assert len(said[-1][0]) > 100
    assert all(s == said[0] for s in said)


def test_output_fails(tmp_path: Path) -> None:
    for threads in THREADS:
        capture = ROOT / "tests/fixtures/tls.pcap"
        status, out, err = run(threads, "features=all", "output=/dev/full", capture)
        assert status == 1 and out == b"" and b"/dev/full" in err and err.count(b"\n") == 1
