# SPDX-License-Identifier: BSD-3-Clause
"""independent=1: each file as if it were alone, in their order, for any number of threads."""

from __future__ import annotations

import gzip
import json
import os
import random
import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from captures import ETHERNET, Frame, frame, pcap
from program import FIXTURES, outputs, pcap2flow
from traps import eth, ip4, pieces4, udp

THREADS = (1, 2, 3, 7)
EPOCH = 1_700_000_000 * 10**9
DAMAGED, FAILED, USAGE = 3, 1, 2


def run(threads: int, *words: str | Path, cwd: Path | None = None) -> tuple[int, bytes, bytes]:
    """Exit code and both outputs."""
    return outputs("independent=1", f"threads={threads}", *words, cwd=cwd)


def check(*words: str | Path, cwd: Path | None = None) -> tuple[int, list[bytes], str]:
    """All numbers of threads say the same: exit code, records, messages."""
    runs = [run(threads, *words, cwd=cwd) for threads in THREADS]
    for threads, one in zip(THREADS, runs, strict=True):
        assert one == runs[0], threads
    status, out, messages = runs[0]
    lines = out.splitlines()
    assert [line.startswith(b'{"version"') for line in lines].count(True) == 1
    assert lines[-1].startswith(b'{"summary"')
    return status, lines[1:-1], messages.decode()


def alone(file: str | Path, *options: str, cwd: Path | None = None) -> list[bytes]:
    """Records of a run over one file that does not know the option."""
    return pcap2flow(*options, "threads=1", file, cwd=cwd).stdout.splitlines()[1:-1]


def each_alone(
    records: list[bytes], files: list[str] | list[Path], *options: str, cwd: Path | None = None
) -> None:
    """The records are those of the files one by one, but for the member that names these."""
    at = 0
    for file in files:
        member = b',"file":' + json.dumps(str(file)).encode()
        for line in alone(file, *options, cwd=cwd):
            assert records[at].count(member) == 1
            assert records[at].replace(member, b"") == line
            at += 1
    assert at == len(records)


def datagram(now: int, port: int, link: int = ETHERNET) -> Frame:
    data = eth(ip4(("10.0.0.1", "10.0.0.2"), 17, udp(port, 53, bytes(8))))
    return replace(frame(now, data), link=link)


def one_flow(now: int = EPOCH, packets: int = 3) -> bytes:
    return pcap([datagram(now + i * 10**6, 4000) for i in range(packets)])


@pytest.mark.parametrize(
    "options",
    [
        ("bidir=1", "features=all"),
        ("num_pkts=0",),
        ("idle_timeout=1", "active_timeout=1", "tunnel=outer", "type=2"),
        ("bpf=udp or ip6", "bidir=1"),
    ],
    ids=lambda o: o[0],
)
def test_equal_to_each_file_alone(options: tuple[str, ...]) -> None:
    _, records, _ = check(*options, *FIXTURES)
    assert len(records) > 100
    each_alone(records, FIXTURES, *options)


def test_nothing_goes_on_in_the_next_file(tmp_path: Path) -> None:
    """The same five-tuple, fragments of one datagram in two files, copies of such, time that
    falls back."""
    whole = udp(4000, 9, bytes(600))
    parts = pieces4(whole, (0, 320), (320, len(whole)), ident=7)
    at = ["a", "b", "c", "d", "e"]
    for i, name in enumerate(at[:2]):
        frames = [datagram(EPOCH + i * 10**9, 4000), frame(EPOCH + i * 10**9 + 5, eth(parts[i]))]
        (tmp_path / name).write_bytes(pcap(frames))
    (tmp_path / "c").write_bytes(one_flow(EPOCH - 5000 * 10**9))
    copies = [frame(EPOCH + i, eth(part)) for i, part in enumerate((*parts, parts[0]))]
    (tmp_path / "d").write_bytes(pcap([datagram(EPOCH, 4000), *copies[:2]]))
    (tmp_path / "e").write_bytes(pcap([datagram(EPOCH, 4000), copies[2]]))
    status, records, _ = check("bidir=1", *at, cwd=tmp_path)
    assert status == 0
    each_alone(records, at, "bidir=1", cwd=tmp_path)
    flows = [json.loads(line) for line in records]
    assert [f["file"] for f in flows if f.get("dp") == 53] == at
    fragments = [f.get("marks", []) for f in flows if f.get("dp") != 53]
    assert ["incomplete_datagram" in marks for marks in fragments] == [True, True, False, True]
    assert {f["flow_id"] for f in flows} == {1, 2}
    joined = pcap2flow("bidir=1", *at, cwd=tmp_path)
    assert len(joined.records) < len(flows)
    assert all("file" not in record for record in joined.records)


def test_summary_and_configuration(tmp_path: Path) -> None:
    for name in ("a", "b", "c"):
        (tmp_path / name).write_bytes(one_flow())
    for threads in THREADS:
        done = pcap2flow("independent=1", f"threads={threads}", "bidir=1", ".", cwd=tmp_path)
        assert done.config["independent"] == 1
        assert done.config["start_time"] == EPOCH / 10**9
        assert [done.summary[key] for key in ("packets", "flows", "records")] == [9, 3, 3]
        assert done.summary["input"]["files"] == 3
        size = sum(p.stat().st_size for p in tmp_path.iterdir())
        assert done.summary["input"]["bytes"] == size
        assert [r["file"] for r in done.records] == ["./a", "./b", "./c"]


def test_damaged_files_leave_others_alone(tmp_path: Path) -> None:
    """Messages in the files' order, whichever worker is first."""
    names = [f"{i:02}" for i in range(40)]
    for i, name in enumerate(names):
        data = one_flow(EPOCH + i * 10**9)
        (tmp_path / name).write_bytes(data[:-5] if i % 9 == 4 else data)
    (tmp_path / names[7]).write_bytes(b"no capture at all")
    (tmp_path / names[8]).write_bytes(b"")
    (tmp_path / names[9]).write_bytes(gzip.compress(one_flow())[:-4])
    status, records, messages = check("bidir=1", *names, "missing", cwd=tmp_path)
    assert status == DAMAGED
    each_alone(records, [n for n in names if n not in ("07", "08")], "bidir=1", cwd=tmp_path)
    told = [line.split()[2].rstrip(":") for line in messages.splitlines()]
    assert told == ["04", "07", "08", "09", "13", "22", "31", "missing"]
    _, _, messages = check("bidir=1", ".", cwd=tmp_path)
    assert "./07 is no capture" in messages and "passed over" in messages


def test_nothing_readable(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(b"text")
    for words in (("a", "missing"), (".",), ("missing",)):
        runs = [run(threads, *words, cwd=tmp_path) for threads in THREADS]
        assert {one[0] for one in runs} == {FAILED}
        assert len({one[2] for one in runs}) == 1


def test_empty_captures(tmp_path: Path) -> None:
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(pcap([]))
    (tmp_path / "c").write_bytes(one_flow())
    status, records, _ = check("a", "b", "c", "a", cwd=tmp_path)
    assert (status, len(records)) == (0, 1)
    status, records, _ = check("a", "b", cwd=tmp_path)
    assert (status, records) == (0, [])


def test_one_file_and_standard_input(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(one_flow())
    _, records, _ = check("bidir=1", "a", cwd=tmp_path)
    each_alone(records, ["a"], "bidir=1", cwd=tmp_path)
    for threads in THREADS:
        words = ("independent=1", f"threads={threads}", "bidir=1", "a", "-", "a", "-")
        done = pcap2flow(*words, cwd=tmp_path, stdin=one_flow(packets=4))
        packets = [(r["file"], r["num_pkts_out"]) for r in done.records]
        assert packets == [("a", 3), ("-", 4), ("a", 3)]
        assert "standard input" in done.stderr  # there was nothing left for the second time


def test_filter_that_does_not_fit(tmp_path: Path) -> None:
    """Told of each file with such a link type, as if it were alone."""
    for name, link in (("a", 1), ("b", 249), ("c", 1), ("d", 249)):
        (tmp_path / name).write_bytes(pcap([datagram(EPOCH, 4000, link)]))
    status, records, messages = check("bpf=port 53", "a", "b", "c", "d", cwd=tmp_path)
    assert (status, len(records)) == (DAMAGED, 2)
    assert [line.split()[2] for line in messages.splitlines()][:2] == ["b:", "d:"]


def test_unknown_link_types_are_told_once(tmp_path: Path) -> None:
    for i in range(12):
        link = (60000, 60001, 1)[i % 3]
        (tmp_path / f"{i:02}").write_bytes(pcap([datagram(EPOCH, 4000, link)]))
    _, _, messages = check(".", cwd=tmp_path)
    assert [w for w in messages.split() if w.startswith("6000")] == ["60000", "60001"]


def series(folder: Path, name: str) -> list[tuple[str, bytes]]:
    return [(p.name, p.read_bytes()) for p in sorted(folder.glob(f"{name}-*"))]


@pytest.mark.parametrize("split", ["count=7", "rotate=3", "rotate_size=3000"])
def test_split_output(split: str, tmp_path: Path) -> None:
    for i in range(30):
        (tmp_path / f"{i:02}.pcap").write_bytes(one_flow(EPOCH + i * 10**9, 1 + i % 5))
    files = sorted(tmp_path.glob("*.pcap"))
    seen = []
    for threads in THREADS:
        words = ("independent=1", f"threads={threads}", split, "output=out.csv", *files)
        assert pcap2flow(*words, cwd=tmp_path).status == 0
        texts = [data for _, data in series(tmp_path, "out")]
        assert len(texts) > 2
        seen.append(texts)
        for name, _ in series(tmp_path, "out"):
            (tmp_path / name).unlink()
    assert all(one == seen[0] for one in seen)


def test_anonymised_names_and_addresses(tmp_path: Path) -> None:
    """Also in the file's name."""
    (tmp_path / "nets").write_text("10.0.0.0/8\n")
    for name in ("from-10.0.0.1.pcap", "b.pcap"):
        (tmp_path / name).write_bytes(one_flow())
    key = tmp_path / "key"
    key.write_text(bytes(range(32)).hex())
    key.chmod(0o600)
    words = ("bidir=1", "anon=nets", "anon_key=key", "from-10.0.0.1.pcap", "b.pcap")
    _, records, _ = check(*words, cwd=tmp_path)
    assert len(records) == 2
    assert b"10.0.0.1" not in records[0] and b'"file":"b.pcap"' in records[1]
    assert json.loads(records[0])["sa"] == json.loads(records[1])["sa"]


def test_much_output_behind_a_slow_file(tmp_path: Path) -> None:
    """The first file is large, so what others have to say waits, and most of them too."""
    dice = random.Random(1)
    hosts = [f"10.1.{i // 250}.{i % 250 + 1}" for i in range(2000)]

    def many(packets: int) -> bytes:
        frames = []
        for i in range(packets):
            ends = (dice.choice(hosts), dice.choice(hosts))
            data = eth(ip4(ends, 17, udp(dice.randrange(1024, 65536), 53, bytes(8))))
            frames.append(frame(EPOCH + i * 10**5, data))
        return pcap(frames)

    (tmp_path / "00").write_bytes(many(60000))
    (tmp_path / "01").write_bytes(many(10000))
    for i in range(2, 10):
        shutil.copy(tmp_path / "01", tmp_path / f"{i:02}")
    _, records, _ = check("features=all", ".", cwd=tmp_path)
    assert len(records) > 140000


def test_output_fails(tmp_path: Path) -> None:
    for i in range(20):
        (tmp_path / f"{i:02}").write_bytes(one_flow())
    if not os.path.exists("/dev/full"):
        pytest.skip("no /dev/full")
    for threads in THREADS:
        status, _, messages = run(threads, "output=/dev/full", ".", cwd=tmp_path)
        assert status == FAILED and b"/dev/full" in messages


def test_not_for_live_captures() -> None:
    status, _, messages = run(2, "interface=lo")
    assert status == USAGE and b"independent is for files" in messages


def test_parts_are_merged_within_their_file(tmp_path: Path) -> None:
    """Flows of two files may look alike to the number."""
    frames = [datagram(EPOCH + i * 10**9, 4000) for i in range(10)]
    for name in ("a", "b"):
        (tmp_path / name).write_bytes(pcap(frames))
    words = ("bidir=1", "active_timeout=3", "a", "b")
    _, records, _ = check(*words, cwd=tmp_path)
    parts = [json.loads(line) for line in records]
    assert len(parts) == 2 * len({p["part"] for p in parts}) > 4
    assert [p["file"] for p in parts] == sorted(p["file"] for p in parts)
