# SPDX-License-Identifier: BSD-3-Clause
"""What `make bench` stands on: made captures are right and always the same; the table is whole."""

from __future__ import annotations

import json
import os
import shutil
import struct
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import FIXTURES, ROOT, pcap2flow, program

sys.path.append(str(ROOT / "bench"))
import where  # noqa: E402

TOOLS = [f"build/bench/{name}" for name in ("cost", "null", "walk", "replicate")]
MODES = ("web", "mix", "small", "tls", "elephant")
FLOWS, SECONDS, BYTES = 300, 20, 3_000_000
TCP, UDP, ICMP, ICMPV6 = 6, 17, 1, 58


@pytest.fixture(scope="module", autouse=True)
def tools() -> None:
    """The programs of the folder bench that are needed here."""
    subprocess.run(["make", "-s", *TOOLS], cwd=ROOT, check=True)


def make(mode: str, seed: int, to: Path, seeds: list[Path] = FIXTURES) -> Path:
    """A capture of FLOWS flows."""
    words = ["-b", str(BYTES), mode, str(FLOWS), str(SECONDS), str(seed), str(to)]
    subprocess.run([ROOT / "build/bench/replicate", *words, *seeds], check=True)
    return to


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """One of each mode."""
    folder = tmp_path_factory.mktemp("made")
    return {mode: make(mode, 1, folder / mode) for mode in MODES}


def frames(path: Path) -> Iterator[tuple[float, bytes]]:
    """Time and bytes of each packet."""
    data = path.read_bytes()
    at = 24
    while at < len(data):
        seconds, us, size, wire = struct.unpack_from("<IIII", data, at)
        assert size == wire
        yield seconds + us / 1e6, data[at + 16 : at + 16 + size]
        at += 16 + size


def ones_sum(data: bytes) -> int:
    """The Internet checksum's sum; 0xffff when the checksum in it is right."""
    data += bytes(len(data) % 2)
    total = sum(struct.unpack(f">{len(data) // 2}H", data))
    while total >> 16:
        total = (total & 0xFFFF) + (total >> 16)
    return total


def transport(ip: bytes) -> tuple[int, bytes, bytes]:
    """Protocol, addresses, and what is behind the IP header; IPv4's own checksum is looked at."""
    if ip[0] >> 4 == 4:
        head = (ip[0] & 15) * 4
        assert ones_sum(ip[:head]) == 0xFFFF
        assert struct.unpack(">H", ip[2:4])[0] == len(ip)
        return ip[9], ip[12:20], ip[head:]
    assert struct.unpack(">H", ip[4:6])[0] == len(ip) - 40
    return ip[6], ip[8:40], ip[40:]


@pytest.mark.parametrize("mode", MODES)
def test_same_arguments_same_file(mode: str, made: dict[str, Path], tmp_path: Path) -> None:
    first = made[mode].read_bytes()
    assert make(mode, 1, tmp_path / "again").read_bytes() == first
    assert make(mode, 2, tmp_path / "other").read_bytes() != first


@pytest.mark.parametrize("mode", MODES)
def test_checksums_are_right(mode: str, made: dict[str, Path]) -> None:
    protocols = set()
    for _, frame in frames(made[mode]):
        proto, addresses, rest = transport(frame[14:])
        protocols.add(proto)
        pseudo = b"" if proto == ICMP else addresses + struct.pack(">II", len(rest), proto)
        assert ones_sum(pseudo + rest) == 0xFFFF
        assert proto != UDP or rest[6:8] != b"\0\0"
    assert protocols <= {TCP, UDP, ICMP, ICMPV6}
    assert len(protocols) >= {"elephant": 1, "small": 2, "tls": 2}.get(mode, 3)


@pytest.mark.parametrize("mode", MODES)
def test_as_many_flows_as_asked(mode: str, made: dict[str, Path]) -> None:
    summary = pcap2flow("bidir=1", "num_pkts=0", made[mode]).summary
    assert summary["flows"] == FLOWS == summary["records"]
    assert summary["ip_packets"] == summary["packets"]


@pytest.mark.parametrize("mode", MODES)
def test_packets_are_in_order_of_time_and_full_at_most(mode: str, made: dict[str, Path]) -> None:
    times = [time for time, _ in frames(made[mode])]
    assert times == sorted(times)
    assert SECONDS * 0.9 < times[-1] - times[0] <= SECONDS * 1.5
    assert max(len(frame) for _, frame in frames(made[mode])) <= 1514


def test_flows_overlap(made: dict[str, Path]) -> None:
    records = pcap2flow("bidir=1", made["web"]).records
    starts = sorted(r["time_start"] for r in records)
    ends = sorted(r["time_end"] for r in records)
    assert sum(a < b for a, b in zip(starts[1:], ends, strict=False)) > FLOWS / 2


def test_small_flows_are_small(made: dict[str, Path]) -> None:
    packets = [
        r["num_pkts_out"] + r.get("num_pkts_in", 0)
        for r in pcap2flow("bidir=1", made["small"]).records
    ]
    assert set(packets) == {1, 2, 3}


def test_handshakes_are_each_their_own(made: dict[str, Path]) -> None:
    """Also QUIC's, whose Initials have to be deciphered with keys of their own."""
    records = pcap2flow("bidir=1", "tls=1", "quic=1", made["tls"]).records
    randoms = [hello["c_random"] for r in records if "c_random" in (hello := r.get("tls", {}))]
    quic = [r for r in records if "quic" in r]
    assert len(set(randoms)) == len(randoms) >= FLOWS * 0.95
    assert len(quic) == FLOWS // 3


def test_captures_in_a_folder_are_seeds(tmp_path: Path) -> None:
    folder = tmp_path / "seeds"
    folder.mkdir()
    (folder / "dns.pcap").symlink_to(ROOT / "tests/fixtures/dns.pcap")
    out = make("web", 1, tmp_path / "out", [folder])
    assert {r["dp"] for r in pcap2flow("bidir=1", out).records} == {53}


def test_nothing_to_replicate_is_an_error(tmp_path: Path) -> None:
    words = ["web", "10", "10", "1", tmp_path / "out"]
    done = subprocess.run(
        [ROOT / "build/bench/replicate", *words], capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert "no conversation" in done.stderr


@pytest.fixture(scope="module")
def report(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, list[dict]]:
    """Text and numbers of a run of a thousandth, with two peers that are not there."""
    out = tmp_path_factory.mktemp("report")
    options = ["--rounds", "1", "--parts", "table,threads", "--peers", "softflowd,argus"]
    env = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
    env |= {"BENCH_SCALE": "0.001", "PATH": str(out)}
    words = ["bench/run.py", *options, "--program", program(), "--out", out]
    subprocess.run([sys.executable, *words], cwd=ROOT, env=env, capture_output=True, check=True)
    lines = (out / "bench.json").read_text().splitlines()
    return (out / "bench.txt").read_text(), [json.loads(line) for line in lines]


def test_table_has_every_program_and_input(report: tuple[str, list[dict]]) -> None:
    text, numbers = report
    costs = {(n["input"], n["program"]): n for n in numbers if n["what"] == "cost"}
    programs = {program for _, program in costs}
    assert {name for name, _ in costs} == {"web", "mix", "small", "elephant", "tls"}
    assert len(programs) == 6 and len(costs) == 30
    for name in programs:
        assert sum(line.startswith(name + " ") for line in text.splitlines()) == 1
    assert all(c["ratio"] == 1 for (_, p), c in costs.items() if p == "null libpcap loop")
    assert all(c["ns"] > 0 and c["peak"] > 0 for c in costs.values())


def test_missing_peers_are_named(report: tuple[str, list[dict]]) -> None:
    text, numbers = report
    for name in ("softflowd", "argus"):
        row = next(line for line in text.splitlines() if line.startswith(name))
        assert row.count("missing") == 5
        assert {"what": "absent", "program": name, "why": "missing"} in numbers


def test_goals_stand_beside_what_was_measured(report: tuple[str, list[dict]]) -> None:
    text, numbers = report
    goals = [n for n in numbers if n["what"] == "goal"]
    assert len(goals) == 9 + 6
    for goal in goals:
        row = next(line for line in text.splitlines() if line.startswith(goal["name"] + " "))
        assert row.endswith("  met") == goal["met"]
        assert f"{goal['wanted']:.2f}" in row


def test_every_source_file_is_part_of_something() -> None:
    files = [p.relative_to(ROOT / "src") for p in (ROOT / "src").rglob("*.[ch]")]
    parts = {str(p): where.source_part(str(p)) for p in files if p.parts[0] != "bpf"}
    assert {path for path, part in parts.items() if part == where.UNKNOWN} == set()
    assert set(parts.values()) == set(where.PARTS)


@pytest.mark.parametrize(
    "part, names",
    [
        ("kernel: reading", ["_copy_to_iter", "filemap_read", "__x64_sys_read"]),
        ("kernel: reading", ["next_uptodate_folio", "filemap_map_pages", "asm_exc_page_fault"]),
        ("kernel: writing", ["gup_fast_fallback", "__x64_sys_pwrite64"]),
        ("kernel: pages of memory", ["clear_page_erms", "do_anonymous_page", "asm_exc_page_fault"]),
        ("kernel: pages of memory", ["clear_page_erms", "__x64_sys_madvise"]),
        ("kernel: other", ["__schedule", "__x64_sys_futex"]),
    ],
)
def test_kernel_time_belongs_to_what_led_there(part: str, names: list[str]) -> None:
    chain = [f"\tffffffff815e0366 {name} ([kernel.kallsyms])" for name in names]
    assert where.kernel_part(chain) == part


@pytest.mark.skipif(shutil.which("perf") is None, reason="perf looks where the program is")
def test_every_nanosecond_is_somewhere() -> None:
    unstripped = max(ROOT.glob("build/release-*/pcap2flow"), key=lambda p: p.stat().st_mtime)
    env = {name: value for name, value in os.environ.items() if not name.startswith("BENCH_")}
    words = ["bench/where.py", "--program", unstripped, "web:plain", "mix:everything"]
    done = subprocess.run(
        [sys.executable, *words],
        cwd=ROOT,
        env=env | {"BENCH_SCALE": "0.02"},
        capture_output=True,
        text=True,
        check=True,
    )
    rows = [line.strip("|").split("|") for line in done.stdout.splitlines()[2:]]
    parts = {name.strip(): [int(x) for x in numbers] for name, *numbers in rows}
    assert parts["text"][1] > 0 and parts["flows: key, table, TCP, timeouts"][0] > 0
    for column in (0, 1):
        total = parts["sum"][column]
        known = sum(n[column] for name, n in parts.items() if name not in ("sum", "no line known"))
        assert 0.8 * total < known <= 1.1 * total
