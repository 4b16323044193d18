# SPDX-License-Identifier: BSD-3-Clause
"""Labels, watchlists and anonymisation equal the slow references of reflists.py.

Random lists, nested and overlapping, and random flows between addresses in, at the edges of, and
beside their subnets; hellos with names in and beside listed domains.
"""

from __future__ import annotations

import ipaddress
import random
import struct
import sys
from pathlib import Path

import handshakes
import pytest
import reflists as ref
from program import ROOT, Run, pcap2flow

sys.path.insert(0, str(ROOT / "tests/property"))

import captures  # noqa: E402

FLOWS = 240


def packet(number: int, source: str, target: str) -> bytes:
    """A UDP datagram; its ports make the flow its own."""
    ends = [ipaddress.ip_address(a) for a in (source, target)]
    body = struct.pack("!HHHH", 1024 + number, 53, 12, 0) + b"data"
    if ends[0].version == 4:
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, 17, 0)
        kind = b"\x08\x00"
    else:
        head = struct.pack("!IHBB", 6 << 28, len(body), 17, 64)
        kind = b"\x86\xdd"
    return bytes(12) + kind + head + ends[0].packed + ends[1].packed + body


def run(folder: Path, frames: list[bytes], *options: str) -> Run:
    """One capture of all frames, records in the order of flows."""
    path = folder / "flows.pcap"
    path.write_bytes(captures.plain([captures.frame(10**18, f) for f in frames]))
    done = pcap2flow("bidir=1", *options, path)
    assert done.status == 0, done.stderr
    done.records.sort(key=lambda r: r["flow_id"])
    return done


def random_net(rng: random.Random, version: int) -> str:
    """A subnet; most lie in few places, so that they nest."""
    bits = 32 if version == 4 else 128
    base = int(ipaddress.ip_address(rng.choice(("10.1.0.0", "192.0.2.0", "10.1.2.0"))))
    if version == 6:
        base = int(ipaddress.ip_address(rng.choice(("2001:db8::", "fd00::", "2001:db8:7::"))))
    length = rng.choice((0, 8, 12, 16, 20, 23, 24, 25, 28, 30, 31, 32, 32))
    if version == 6:
        length = rng.choice((0, 7, 16, 32, 33, 47, 48, 49, 64, 96, 127, 128, 128))
    address = base ^ rng.getrandbits(rng.choice((4, 8, 16)))
    if rng.random() < 0.2:
        address = rng.getrandbits(bits)
    net = ipaddress.ip_network((address, length), strict=False)
    if version == 4 and rng.random() < 0.2:
        return f"{net.network_address}/{net.netmask}"
    return str(net)


def addresses(rng: random.Random, nets: list[str], version: int, count: int) -> list[str]:
    """In the subnets, at their edges, behind them, anywhere."""
    bits, out = (32 if version == 4 else 128), []
    own = [n for n in map(ref.network, nets) if n.version == version]
    for _ in range(count):
        v = rng.getrandbits(bits)
        if own and rng.random() < 0.9:
            net = rng.choice(own)
            first, last = int(net.network_address), int(net.broadcast_address)
            v = rng.choice((first, last, rng.randint(first, last), first - 1, last + 1))
        v &= (1 << bits) - 1
        out.append(str(ipaddress.IPv4Address(v) if version == 4 else ipaddress.IPv6Address(v)))
    return out


def flows(rng: random.Random, nets: list[str]) -> list[tuple[str, str]]:
    """Pairs of addresses of one version."""
    out = []
    for version in (4, 6):
        ends = addresses(rng, nets, version, FLOWS)
        out += [(a, b) for a, b in zip(ends[::2], ends[1::2], strict=True) if a != b]
    return out


def write(path: Path, lines: list[str]) -> Path:
    """A list with some comments in it."""
    path.write_text("# a list\n\n" + "".join(f"{line}\t# x\n" for line in lines))
    return path


@pytest.mark.parametrize("seed", range(4))
def test_labels(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    lists = []
    for i in range(7):
        nets = [random_net(rng, rng.choice((4, 6))) for _ in range(rng.choice((1, 5, 60)))]
        lists.append((rng.choice("abcde"), nets))
        write(tmp_path / f"list{i}", nets)
    pairs = flows(rng, [n for _, nets in lists for n in nets])
    options = [f"label={name}:{tmp_path / f'list{i}'}" for i, (name, _) in enumerate(lists)]
    done = run(tmp_path, [packet(i, *p) for i, p in enumerate(pairs)], *options)
    assert len(done.records) == len(pairs)
    for r, (a, b) in zip(done.records, pairs, strict=True):
        assert r.get("sa_labels", []) == ref.labels(lists, a), a
        assert r.get("da_labels", []) == ref.labels(lists, b), b


def hits(record: dict, what: str) -> dict[str, str]:
    """What is found of one field, by list."""
    return {h["list"]: h["entry"] for h in record.get("watch", []) if h["what"] == what}


@pytest.mark.parametrize("seed", range(4))
def test_watch_addresses(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    lists = {}
    for i in range(5):
        nets = [random_net(rng, rng.choice((4, 6))) for _ in range(rng.choice((1, 8, 80)))]
        lists[f"list{i}"] = [*nets, "some.example"]
        write(tmp_path / f"list{i}", lists[f"list{i}"])
    pairs = flows(rng, [n for nets in lists.values() for n in nets if ref.is_net(n)])
    options = [f"watch={tmp_path / name}" for name in lists]
    done = run(tmp_path, [packet(i, *p) for i, p in enumerate(pairs)], *options)
    for r, (a, b) in zip(done.records, pairs, strict=True):
        for what, address in (("sa", a), ("da", b)):
            want = {name: ref.watched(e, address) for name, e in lists.items()}
            assert hits(r, what) == {k: v for k, v in want.items() if v is not None}, address


def random_name(rng: random.Random) -> str:
    """Few labels, so that names are often below each other."""
    count = rng.choice((1, 2, 2, 3, 4, 6))
    name = ".".join(rng.choice(("a", "b", "ab", "a-b", "xn--a", "_c")) for _ in range(count))
    return name + rng.choice((".example", ".test", ".com", ""))


@pytest.mark.parametrize("seed", range(3))
def test_watch_names(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    lists = {f"list{i}": [random_name(rng) for _ in range(rng.choice((3, 40)))] for i in range(4)}
    for name, entries in lists.items():
        write(tmp_path / name, [rng.choice((e, "*." + e, e.upper())) for e in entries])
    names = [rng.choice((str, str.upper))(random_name(rng)) for _ in range(300)]
    frames = []
    for number, name in enumerate(names):
        hello = handshakes.Hello(seed=number, name=name + rng.choice(("", ".")), shares=[])
        data = handshakes.record(handshakes.HANDSHAKE, hello.message(), 0x0301)
        frames += handshakes.tcp_flow(number, [(0, data)], lambda _, d: [(0, d)])
    options = [f"watch={tmp_path / name}" for name in lists]
    done = run(tmp_path, frames, "tls=1", *options)
    for r, name in zip(done.records, names, strict=True):
        want = {key: ref.watched_name(entries, name) for key, entries in lists.items()}
        assert hits(r, "tls.sni") == {k: v for k, v in want.items() if v is not None}, name


@pytest.mark.parametrize("seed", range(3))
def test_addresses_without_their_owners(seed: int, tmp_path: Path) -> None:
    rng = random.Random(seed)
    nets = [random_net(rng, rng.choice((4, 6))) for _ in range(12)]
    nets = [n for n in nets if ref.network(n).prefixlen >= 8] or ["10.0.0.0/8"]
    key = ref.Key(rng.randbytes(32))
    (tmp_path / "key").write_text(key.bytes.hex())
    (tmp_path / "key").chmod(0o600)
    write(tmp_path / "nets", nets)
    pairs = [p for p in flows(rng, nets) if not any(embeds(nets, a) for a in p)]
    frames = [packet(i, *p) for i, p in enumerate(pairs)]
    options = (f"anon={tmp_path / 'nets'}", f"anon_key={tmp_path / 'key'}")
    done = run(tmp_path, frames, *options)
    raw = run(tmp_path, frames)
    for r, was, (a, b) in zip(done.records, raw.records, pairs, strict=True):
        assert r["sa"] == ref.anonymous(key, nets, a)
        assert r["da"] == ref.anonymous(key, nets, b)
        same = r["sa"] == was["sa"] and r["da"] == was["da"]
        assert (r["community_id"] == was["community_id"]) == same
        for item in (r, was):
            for field in ("sa", "da", "community_id"):
                del item[field]
        assert r == was


def embeds(nets: list[str], address: str) -> bool:
    """An IPv6 address made of an IPv4 address that is listed: tested elsewhere."""
    a = ipaddress.ip_address(address)
    if a.version == 4:
        return False
    low = ipaddress.IPv4Address(int(a) & 0xFFFFFFFF)
    inner = [a.ipv4_mapped, a.sixtofour, *(a.teredo or ()), low]
    return any(ref.holds(ref.network(n), str(v)) for n in nets for v in inner if v is not None)


def test_names_without_their_owners(tmp_path: Path) -> None:
    rng = random.Random(1)
    key = ref.Key(rng.randbytes(32))
    (tmp_path / "key").write_text(key.bytes.hex())
    (tmp_path / "key").chmod(0o600)
    names, frames = [random_name(rng) for _ in range(200)], []
    for number, name in enumerate(names):
        hello = handshakes.Hello(seed=number, name=name, shares=[])
        data = handshakes.record(handshakes.HANDSHAKE, hello.message(), 0x0301)
        frames += handshakes.tcp_flow(number, [(0, data)], lambda _, d: [(0, d)])
    done = run(tmp_path, frames, "tls=1", "anon_names=1", f"anon_key={tmp_path / 'key'}")
    for r, name in zip(done.records, names, strict=True):
        assert r["tls"]["sni"] == ref.hashed_name(key, name)
