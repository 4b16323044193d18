# SPDX-License-Identifier: BSD-3-Clause
"""What has to hold for any capture, tried on all fixtures and on random conversations.

A shorter snaplen only removes; files are one stream, however they are cut and packed; a shift of
time changes times and nothing else; the form of a file says nothing; runs repeat; records of one
direction are halves of records of both; batches do not show.
"""

from __future__ import annotations

import random
import subprocess
import sys
from collections import Counter
from decimal import Decimal
from pathlib import Path

import captures
import pytest
from captures import PACKERS, Frame
from program import FIXTURES, ROOT, Run, pcap2flow, program

sys.path.insert(0, str(ROOT / "tests/diff"))

import conversations  # noqa: E402

EVERYTHING = ("bidir=1", "features=all", "num_pkts=20", "zeros=1", "salt=1")
SNAPLENS = (0, 1, 13, 14, 17, 33, 34, 38, 41, 42, 53, 54, 58, 66, 73, 74, 90, 120, 200, 400)
ICMP_ERRORS = {1: {3, 4, 5, 11, 12}, 58: set(range(1, 128))}
COUNTERS = ("num_pkts", "bytes", "ip_bytes")
QUALITY = ("retrans", "ooo", "dup", "keep_alive", "overlap", "gaps", "icmp_errors")


def random_capture() -> list[Frame]:
    """Random conversations of tests/diff, in microseconds."""
    return [
        captures.frame(ns // 1000 * 1000, data)
        for ns, data in conversations.conversations(seed=11, count=120)
    ]


INPUTS = [path.name for path in FIXTURES] + ["random"]


@pytest.fixture(scope="module", params=INPUTS)
def frames(request: pytest.FixtureRequest) -> list[Frame]:
    """The frames of one capture after the other."""
    if request.param == "random":
        return random_capture()
    return captures.read(ROOT / "tests/fixtures" / request.param)


def run(*arguments: str | Path, stdin: bytes | None = None) -> Run:
    """Everything switched on; has to succeed."""
    done = pcap2flow(*EVERYTHING, *arguments, stdin=stdin)
    assert done.status == 0, done.stderr
    assert done.config
    assert done.summary
    return done


def lines(done: Run) -> list[bytes]:
    """The records as they were written."""
    return done.stdout.splitlines()[1:-1]


def write(path: Path, data: bytes) -> Path:
    """A file; its path."""
    path.write_bytes(data)
    return path


@pytest.fixture()
def whole(frames: list[Frame], tmp_path: Path) -> Run:
    """The capture as one plain file."""
    return run(write(tmp_path / "whole", captures.plain(frames)))


# --- snaplen -------------------------------------------------------------------------------------
def totals(done: Run) -> dict[tuple, Counter]:
    """Counters by the ends of a flow, whoever began it, summed over its records."""
    out: dict[tuple, Counter] = {}
    for r in done.records:
        ends = ((r["sa"], r.get("sp")), (r["da"], r.get("dp")))
        low = min(ends, key=str)
        layers = tuple((e["type"], e["id"]) for e in r.get("encap", ()))
        kind = (r.get("icmp_type"), r.get("icmp_code"), r.get("icmp_id"), r.get("spi"))
        key = (tuple(r.get("vlan", ())), layers, r["pr"], low, max(ends, key=str), kind)
        count = out.setdefault(key, Counter())
        count["records"] += 1
        count["truncated"] += "truncated" in r.get("marks", ())
        for i, side in enumerate(("out", "in")):
            sender = "low" if ends[i] == low else "high"
            for name in COUNTERS:
                count[name, sender] += r[f"{name}_{side}"]
    return out


def is_rest(key: tuple) -> bool:
    """Flows of packets that do not say enough: ICMP errors without a quote, unknown ports."""
    _, _, proto, low, _, (kind, *_) = key
    if proto in ICMP_ERRORS:
        return kind is None or kind in ICMP_ERRORS[proto]
    return proto in (6, 17) and low[1] is None


def test_snaplen_only_removes(frames: list[Frame], whole: Run, tmp_path: Path) -> None:
    full = totals(whole)
    before = 0
    for snaplen in SNAPLENS:
        cut = write(tmp_path / "cut", captures.plain([f.cut(snaplen) for f in frames]))
        done = run(cut)
        counted = done.summary["ip_packets"] + done.summary["icmp_errors"]
        assert counted >= before, "a longer snaplen gave less"
        before = counted
        for key, count in totals(done).items():
            if key not in full:  # what is inside a tunnel, or tells the ports, was cut
                assert count["truncated"] == count["records"], (snaplen, key)
            if key not in full or is_rest(key):
                continue
            for name, value in count.items():
                if name not in ("truncated", "records"):
                    assert value <= full[key][name], (snaplen, key, name)
            for side in ("low", "high"):
                if count["num_pkts", side] == full[key]["num_pkts", side]:
                    assert count["ip_bytes", side] == full[key]["ip_bytes", side], (snaplen, key)
    assert before <= whole.summary["ip_packets"] + whole.summary["icmp_errors"]


def test_snaplen_beyond_all_packets_changes_nothing(frames: list[Frame], whole: Run) -> None:
    longest = max(len(f.data) for f in frames)
    same = [f.cut(longest) for f in frames]
    assert lines(run("-", stdin=captures.plain(same))) == lines(whole)


# --- files ---------------------------------------------------------------------------------------
@pytest.mark.parametrize("pieces", [2, 3, 10])
def test_files_are_one_stream(frames: list[Frame], whole: Run, tmp_path: Path, pieces: int) -> None:
    rng = random.Random(pieces)
    cuts = sorted(rng.randrange(len(frames) + 1) for _ in range(pieces - 1))
    files = []
    for i, (begin, end) in enumerate(zip([0, *cuts], [*cuts, len(frames)], strict=True)):
        suffix = list(PACKERS)[(i + pieces) % len(PACKERS)]
        data = captures.plain(frames[begin:end] or [])
        if begin == end:  # an empty capture, of the same link type
            data = captures.pcap([], link=frames[0].link)
        files.append(write(tmp_path / f"part{i}{suffix}", PACKERS[suffix](data)))
    done = run(*files)
    assert lines(done) == lines(whole)
    ours, theirs = ({k: v for k, v in d.summary.items() if k != "input"} for d in (done, whole))
    assert ours == theirs


def forms(frames: list[Frame]) -> dict[str, bytes]:
    """The same capture in all forms that keep its time resolution."""
    out = {"pcapng": captures.pcapng(frames), "pcapng big": captures.pcapng(frames, ">")}
    if len({(f.link, f.nano) for f in frames}) == 1:
        magic = captures.NS if frames[0].nano else captures.US
        out["pcap"] = captures.pcap(frames, "<", magic)
        out["pcap big"] = captures.pcap(frames, ">", magic)
        if not frames[0].nano:
            out["modified"] = captures.pcap(frames, "<", captures.MODIFIED)
            out["modified big"] = captures.pcap(frames, ">", captures.MODIFIED)
    return out


def test_form_says_nothing(frames: list[Frame], whole: Run, tmp_path: Path) -> None:
    for i, (name, data) in enumerate(forms(frames).items()):
        assert lines(run("-", stdin=data)) == lines(whole), name
        suffix = list(PACKERS)[i % len(PACKERS)]
        packed = PACKERS[suffix](data)
        assert lines(run(write(tmp_path / f"form{suffix}", packed))) == lines(whole), name + suffix
        assert lines(run("-", stdin=packed)) == lines(whole), name + suffix


# --- time ----------------------------------------------------------------------------------------
@pytest.mark.parametrize("shift", [1000, 86_400 * 10**9, -(10**9) * 10**8 - 1000])
def test_time_shift_changes_times_only(frames: list[Frame], whole: Run, shift: int) -> None:
    done = run("-", stdin=captures.plain([f.later(shift) for f in frames]))
    for record in done.records:
        for key in ("time_start", "time_end"):
            record[key] = None
    plain = [{**r, "time_start": None, "time_end": None} for r in whole.records]
    assert done.records == plain
    for ours, theirs in zip(lines(done), lines(whole), strict=True):
        for key in (b'"time_start":', b'"time_end":'):
            a, b = (Decimal(x.split(key)[1].split(b",")[0].decode()) for x in (ours, theirs))
            assert a - b == Decimal(shift) / 10**9


# --- runs ----------------------------------------------------------------------------------------
def test_runs_repeat(frames: list[Frame], whole: Run, tmp_path: Path) -> None:
    """The hash has another seed in each run."""
    again = run(tmp_path / "whole")
    assert again.stdout == whole.stdout


def test_halves_are_the_whole(whole: Run, tmp_path: Path) -> None:
    """Counters of bidir=0 are those of bidir=1, a record for each direction that has packets."""
    halves = pcap2flow("bidir=0", tmp_path / "whole")
    expected = []
    for r in whole.records:
        for side, other, a, b in (("out", "in", "s", "d"), ("in", "out", "d", "s")):
            if r[f"num_pkts_{side}"] == 0:
                continue
            half = {"sa": r[f"{a}a"], "da": r[f"{b}a"], "sp": r.get(f"{a}p"), "dp": r.get(f"{b}p")}
            half |= {k: r[k] for k in ("pr", "flow_id", "part", "end_reason")}
            for name in (*COUNTERS, *QUALITY):
                half[name] = r.get(f"{name}_{side}")
                assert f"{name}_{other}" in r or name in QUALITY
            expected.append(half)
    got = [
        {
            **{k: r.get(k) for k in ("sa", "da", "sp", "dp", "pr", "flow_id", "part")},
            "end_reason": r["end_reason"],
            **{name: r.get(f"{name}_out") for name in (*COUNTERS, *QUALITY)},
        }
        for r in halves.records
    ]
    assert got == expected
    assert not any(k.endswith("_in") for r in halves.records for k in r)


# --- batches -------------------------------------------------------------------------------------
@pytest.mark.parametrize("before", [1, 7, 31, 32, 33])
def test_batches_do_not_show(frames: list[Frame], whole: Run, before: int) -> None:
    """Frames without IP move all others against the batches in which they are worked off."""
    arp = b"\xff" * 6 + b"\2\0\0\0\0\1\x08\x06" + bytes(46)
    first = Frame(frames[0].ns, arp, len(arp), captures.ETHERNET, frames[0].nano)
    done = run("-", stdin=captures.pcapng([first] * before + frames))
    for r in done.records:
        r["flow_id"] -= before
    assert done.records == whole.records


def test_dribble(frames: list[Frame], whole: Run) -> None:
    """A pipe that gives a few bytes at a time."""
    data = captures.plain(frames)[:40_000]
    command = [str(program()), *EVERYTHING, "-"]
    rng = random.Random(5)
    with subprocess.Popen(
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as child:
        assert child.stdin is not None and child.stdout is not None
        at = 0
        while at < len(data):
            size = rng.choice((1, 2, 3, 100, 1000, 5000))
            child.stdin.write(data[at : at + size])
            child.stdin.flush()
            at += size
        child.stdin.close()
        slow = child.stdout.read()
    at_once = pcap2flow(*EVERYTHING, "-", stdin=data)
    assert slow == at_once.stdout
