# SPDX-License-Identifier: BSD-3-Clause
"""Every field of every record equals the independent slow reference (reference.py).

More than a thousand random conversations go through both.  Integers, texts, lists, nulls and times
that are exact by definition have to be equal; other numbers to 1e-9 relative.  The two records have
to have the same keys, so a field that the reference does not know fails here.
"""

from __future__ import annotations

import json
import subprocess
from decimal import Decimal
from pathlib import Path

import conversations
import pytest
from program import ROOT, program
from reference import frames_of, parts_of
from reffeatures import Options, records
from refflows import Part, Timeouts

EVERYTHING = ("features=all", "community_id=1")
# Tables of rules and texts, tested elsewhere: in tests/unit, and the latter in test_hellos.py.
NOT_NUMBERS = {"probable_os", "tls", "quic", "fingerprints"}
COUNT = 1200  # conversations
FEW = 300  # of them where options are tried out
SHOWN = 12  # differences that are printed


def lines_of(captures: list[Path], *options: str) -> tuple[list[dict], dict]:
    """Records and summary of the program; numbers with a point stay decimal."""
    command = [str(program()), *EVERYTHING, *options, *map(str, captures)]
    done = subprocess.run(command, capture_output=True, timeout=120, check=False)
    assert done.returncode == 0, done.stderr.decode(errors="replace")
    lines = [json.loads(line, parse_float=Decimal) for line in done.stdout.splitlines()]
    assert "version" in lines[0]
    assert set(lines[-1]) == {"summary"}
    return lines[1:-1], lines[-1]["summary"]


def differences(got: object, want: object, path: str) -> list[str]:
    """Where two values differ."""
    if isinstance(want, dict) and isinstance(got, dict):
        out = []
        for key in sorted(set(got) | set(want)):
            if key not in want:
                out.append(f"{path}.{key}: the reference does not know it: {got[key]!r}")
            elif key not in got:
                out.append(f"{path}.{key}: missing, should be {want[key]!r}")
            else:
                out += differences(got[key], want[key], f"{path}.{key}")
        return out
    if isinstance(want, list) and isinstance(got, list):
        if len(got) != len(want):
            return [f"{path}: {len(got)} items, should be {len(want)}: {got!r}, {want!r}"]
        pairs = enumerate(zip(got, want, strict=True))
        return [d for i, (a, b) in pairs for d in differences(a, b, f"{path}[{i}]")]
    if isinstance(want, float) and isinstance(got, int | Decimal) and not isinstance(got, bool):
        good = abs(float(got) - want) <= 1e-9 * max(abs(want), abs(float(got)))
    else:
        good = got == want and isinstance(got, bool) == isinstance(want, bool)
    return [] if good else [f"{path}: {got!r}, should be {want!r}"]


def compare(got: list[dict], want: list[dict]) -> None:
    """All records, in order."""
    found = []
    for i, (a, b) in enumerate(zip(got, want, strict=False)):
        known = {k: v for k, v in a.items() if k not in NOT_NUMBERS}
        found += differences(known, b, f"[{i}] flow {b['flow_id']}.{b['part']}")
    assert not found, f"{len(found)} differences:\n" + "\n".join(found[:SHOWN])
    assert len(got) == len(want)


def capture(folder: Path, seed: int, count: int) -> list[Path]:
    """Conversations as three files: microseconds, nanoseconds, big-endian."""
    frames = conversations.conversations(seed, count)
    third = len(frames) // 3
    return [
        conversations.write(folder / "a.pcap", frames[:third]),
        conversations.write(folder / "b.pcap", frames[third : 2 * third], nano=True),
        conversations.write(folder / "c.pcap", frames[2 * third :], order=">"),
    ]


Many = tuple[list[Path], list[Part], dict[str, int]]


@pytest.fixture(scope="module")
def many(tmp_path_factory: pytest.TempPathFactory) -> Many:
    """All conversations, and what the reference says with the timeouts that are the default."""
    captures = capture(tmp_path_factory.mktemp("many"), 1, COUNT)
    return captures, *parts_of(frames_of(captures), Timeouts())


def test_both_directions(many: Many) -> None:
    captures, parts, counts = many
    assert counts["flows"] > COUNT
    got, summary = lines_of(captures, "bidir=1")
    compare(got, records(parts, Options(bidir=True, salt=True)))
    assert {k: summary[k] for k in counts} == counts
    assert summary["records"] == len(got)


def test_each_direction(many: Many) -> None:
    captures, parts, _ = many
    got, _ = lines_of(captures, "bidir=0")
    compare(got, records(parts, Options(salt=True)))


@pytest.mark.parametrize(
    "options",
    [
        Options(bidir=True, num_pkts=3, zeros=True, salt=True, idp=40, payload=5, hd=4),
        Options(bidir=True, num_pkts=1000, retrans=True, salt=True, payload=3000, hd=64, seed=7),
        Options(bidir=True, num_pkts=0, salt=True, stats_idle=10**9),
        Options(bidir=True, num_pkts=10, zeros=True, retrans=True, type=2, dist_bytes=1),
        Options(bidir=True, salt=True, dist_bytes=700),
    ],
    ids=["few", "many", "none", "messages", "first bytes"],
)
def test_lists(tmp_path: Path, options: Options) -> None:
    captures = capture(tmp_path, 2, FEW)
    parts, _ = parts_of(frames_of(captures), Timeouts())
    got, _ = lines_of(
        captures,
        "bidir=1",
        f"num_pkts={options.num_pkts}",
        f"type={options.type}",
        f"zeros={int(options.zeros)}",
        f"retrans={int(options.retrans)}",
        f"salt={int(options.salt)}",
        f"idp={options.idp}",
        f"payload={options.payload}",
        f"hd={options.hd}",
        f"dist_bytes={options.dist_bytes}",
        f"stats_idle={options.stats_idle / 1e9}",
        f"community_id_seed={options.seed}",
    )
    compare(got, records(parts, options))


@pytest.mark.parametrize("idle, active, linger", [(10, 30, 2), (15, 20, 0), (4, 4, 1), (60, 10, 2)])
def test_timeouts(tmp_path: Path, idle: int, active: int, linger: int) -> None:
    captures = capture(tmp_path, 3, FEW)
    got, summary = lines_of(
        captures,
        "bidir=1",
        f"idle_timeout={idle}",
        f"active_timeout={active}",
        f"linger={linger}",
    )
    timeouts = Timeouts(idle * 10**9, active * 10**9, linger * 10**9)
    parts, counts = parts_of(frames_of(captures), timeouts)
    compare(got, records(parts, Options(bidir=True, salt=True)))
    assert {k: summary[k] for k in counts} == counts


def test_snaplen(tmp_path: Path) -> None:
    """Lengths are those on the wire, bytes are those captured."""
    cut = conversations.write(
        tmp_path / "cut.pcap", conversations.conversations(seed=4, count=FEW), snap=150
    )
    got, _ = lines_of([cut], "bidir=1")
    parts, _ = parts_of(frames_of([cut]), Timeouts())
    compare(got, records(parts, Options(bidir=True, salt=True)))


REAL = "bulk dhcp dns fragments icmp offload qinq ssh vlan web web6".split()


@pytest.mark.parametrize("capture", [f"tests/fixtures/{x}.pcap" for x in REAL] + ["sample.pcap"])
def test_real_captures(capture: str) -> None:
    """Those in Ethernet without tunnels, as real programs made them."""
    got, summary = lines_of([ROOT / capture], "bidir=1")
    parts, counts = parts_of(frames_of([ROOT / capture]), Timeouts())
    compare(got, records(parts, Options(bidir=True, salt=True)))
    assert {k: summary[k] for k in counts} == counts
