# SPDX-License-Identifier: BSD-3-Clause
"""Large files are mapped window by window: the same output as through a pipe, and a file that is
cut, goes on growing, or whose packets lie across the windows' ends does no harm."""

from __future__ import annotations

import json
import os
import random
import subprocess
from pathlib import Path

import pytest
from captures import US, Frame, frame, gzip, pcap, pcapng
from program import outputs, program
from traps import eth, ip4, udp

EPOCH = 1_700_000_000 * 10**9
MiB = 1 << 20
FORMS = {"pcap": pcap, "pcapng": pcapng, "gzip": lambda f: gzip.compress(pcap(f), 1)}
RANDOM = random.Random(7)


def conversations(size: int, payload: int) -> list[Frame]:
    """Datagrams of all lengths up to 'payload', until they fill 'size' bytes."""
    noise = RANDOM.randbytes(payload)
    frames: list[Frame] = []
    while size > 0:
        n = RANDOM.randrange(payload)
        port = 1024 + RANDOM.randrange(5000)
        data = eth(ip4(("10.0.0.1", "10.0.0.2"), 17, udp(port, 53, noise[:n])))
        frames.append(frame(EPOCH + len(frames) * 1000, data))
        size -= len(data) + 16
    return frames


def run(*words: str | Path, stdin: bytes | None = None) -> tuple[int, bytes, bytes]:
    """Exit code and both outputs."""
    return outputs("bidir=1", *words, stdin=stdin)


@pytest.mark.parametrize("threads", ["threads=1", "threads=3"])
@pytest.mark.parametrize("form", FORMS)
def test_as_through_a_pipe(form: str, threads: str, tmp_path: Path) -> None:
    data = FORMS[form](conversations(9 * MiB, 1400))
    (tmp_path / "a").write_bytes(data)
    mapped = run(threads, "dist=1", tmp_path / "a")
    piped = run("threads=1", "dist=1", "-", stdin=data)
    assert mapped[0] == piped[0] == 0
    assert mapped[1].splitlines()[1:-1] == piped[1].splitlines()[1:-1]
    assert len(mapped[1].splitlines()) > 4000


def test_packets_larger_than_half_a_window(tmp_path: Path) -> None:
    frames = conversations(30 * MiB, 60000)
    huge = [Frame(f.ns, f.data + bytes(250000), len(f.data) + 250000) for f in frames[::40]]
    data = pcap(sorted(frames + huge, key=lambda f: f.ns))
    (tmp_path / "a").write_bytes(data)
    for threads in "threads=1", "threads=2":
        mapped, piped = run(threads, tmp_path / "a"), run(threads, "-", stdin=data)
        assert mapped[1].splitlines()[1:-1] == piped[1].splitlines()[1:-1]


@pytest.mark.parametrize("cut", [24, 3 * MiB, 9 * MiB // 2 + 7])
def test_cut_in_a_packet(cut: int, tmp_path: Path) -> None:
    data = pcap(conversations(9 * MiB, 1400))[: 5 * MiB + cut]
    (tmp_path / "a").write_bytes(data)
    mapped, piped = run("threads=1", tmp_path / "a"), run("threads=1", "-", stdin=data)
    assert mapped[0] == piped[0]
    assert mapped[1].splitlines()[1:-1] == piped[1].splitlines()[1:-1]
    assert mapped[2].replace(bytes(tmp_path / "a"), b"standard input") == piped[2]


def started(path: Path, threads: int) -> subprocess.Popen[bytes]:
    """A run that stands still in the file: its records fill the pipe, which nobody reads."""
    words = ["bidir=1", "idle_timeout=1", f"threads={threads}", "output=-", str(path)]
    p = subprocess.Popen(
        [program(), *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0
    )
    assert p.stdout is not None
    p.stdout.read(1)  # records have come
    return p


def slow(size: int) -> list[Frame]:
    """Every flow is over before the next begins."""
    frames = conversations(size, 1400)
    return [f.later(i * 2 * 10**9) for i, f in enumerate(frames)]


@pytest.mark.parametrize(("threads", "in_flight"), [(1, 256), (2, 33 * 256)])
def test_cut_while_it_is_read(threads: int, in_flight: int, tmp_path: Path) -> None:
    path = tmp_path / "a"
    path.write_bytes(pcap(slow(40 * MiB)))
    p = started(path, threads)
    os.truncate(path, 100)
    out, trouble = p.communicate(timeout=120)
    assert p.returncode == 3
    assert b"became shorter while it was read" in trouble
    assert 100 < len(out.splitlines()) < 40 * MiB // 700  # what was measured is there
    summary = json.loads(out.splitlines()[-1])["summary"]
    lost = sum(summary[what] for what in ("cut_short", "malformed", "unknown", "not_ip"))
    assert lost <= in_flight  # their bytes went while they were looked at


def test_growing_while_it_is_read(tmp_path: Path) -> None:
    path = tmp_path / "a"
    frames = slow(20 * MiB)
    some = len(frames) * 3 // 4
    path.write_bytes(pcap(frames[:some]))
    p = started(path, 1)
    with path.open("ab") as f:
        f.write(pcap(frames[some:], magic=US)[24:])
    out, trouble = p.communicate(timeout=120)
    assert (p.returncode, trouble) == (0, b"")
    assert len(out.splitlines()) == len(frames) + 2
