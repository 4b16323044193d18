# SPDX-License-Identifier: BSD-3-Clause
"""Handshakes: what tshark reads of them, and fingerprints worked out once more from raw fields.

The fields of every flow of the repository's captures are held against tshark's; JA3, JA3S, JA4 and
JA4_r against their definitions, computed here from the ciphersuites and extensions in the record.
"""

from __future__ import annotations

import hashlib
import random
import subprocess
import sys
from collections import defaultdict
from pathlib import Path

import handshakes
import pytest
from program import FIXTURES, ROOT, pcap2flow

sys.path.insert(0, str(ROOT / "tests/property"))

import captures  # noqa: E402

FIELDS = """ip.src ip.dst ipv6.src ipv6.dst tcp.srcport tcp.dstport udp.srcport udp.dstport
tls.handshake.extensions_server_name tls.handshake.ja3 tls.handshake.ja3s
tls.handshake.certificate tls.handshake.type tls.handshake.version
tls.handshake.ciphersuite dtls.handshake.type""".split()
CASES = [*FIXTURES, ROOT / "sample.pcap"]
OPTIONS = ("bidir=1", "tls=1", "quic=1", "fingerprint=1")
Said = dict[str, set[str]]


# --- tshark --------------------------------------------------------------------------------------
def flows_of_tshark(capture: Path) -> dict[frozenset, Said]:
    """What tshark says of each pair of ends: server names, JA3, JA3S, certificates."""
    command = ["tshark", "-r", str(capture), "-T", "fields", "-E", "occurrence=a"]
    command += ["-Y", "tls.handshake"]
    for name in FIELDS:
        command += ["-e", name]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    flows: dict[frozenset, Said] = defaultdict(lambda: defaultdict(set))
    for line in done.stdout.splitlines():
        columns = (c.split(",") if c else [] for c in line.split("\t"))
        values = dict(zip(FIELDS, columns, strict=True))

        def last(*names: str, of: dict = values) -> str:
            return next(of[name][-1] for name in names if of[name])

        ends = [
            (last(f"ip.{a}", f"ipv6.{a}"), last(f"tcp.{a}port", f"udp.{a}port"))
            for a in ("src", "dst")
        ]
        said = flows[frozenset(ends)]
        said["sni"] |= set(values["tls.handshake.extensions_server_name"])
        said["ja3"] |= set(values["tls.handshake.ja3"])
        said["ja3s"] |= set(values["tls.handshake.ja3s"])
        said["certificates"] |= {
            hashlib.sha256(bytes.fromhex(der.replace(":", ""))).hexdigest()
            for der in values["tls.handshake.certificate"]
        }
        if "2" in values["tls.handshake.type"]:
            said["scs"] |= {f"{int(values['tls.handshake.ciphersuite'][-1], 0):04x}"}
    return flows


def flows_of_program(capture: Path) -> dict[frozenset, Said]:
    """The same of our records."""
    flows: dict[frozenset, Said] = defaultdict(lambda: defaultdict(set))
    done = pcap2flow(*OPTIONS, capture)
    assert done.status == 0, done.stderr
    for record in done.records:
        tls, prints = record.get("tls"), record.get("fingerprints", {})
        if tls is None or tls["protocol"] == "dtls":
            continue
        ends = ((record[a], str(record[p])) for a, p in (("sa", "sp"), ("da", "dp")))
        said = flows[frozenset(ends)]
        said["sni"] |= {tls["sni"]} if "sni" in tls else set()
        said["scs"] |= {tls["scs"]} if "scs" in tls else set()
        for name in ("ja3", "ja3s"):
            said[name] |= {prints[name]} if name in prints else set()
        said["certificates"] |= {
            c["sha256"] for side in ("c_cert", "s_cert") for c in tls.get(side, ())
        }
        if "version_negotiation" in record.get("quic", {}):
            said["renegotiated"] = {"yes"}  # of which tshark reads nothing
        retry = tls.get("retry", {})
        if "s_extensions" in retry:  # tshark counts it, and the second hello, as hellos too
            said["retry"] = {"yes"}
    return flows


@pytest.mark.parametrize("capture", CASES, ids=lambda path: path.name)
def test_tshark(capture: Path) -> None:
    theirs, ours = flows_of_tshark(capture), flows_of_program(capture)
    for ends, said in theirs.items():
        now = ours[ends]
        if "renegotiated" in now:
            assert all(said[name] <= now[name] for name in said)
            continue
        if now.pop("retry", None):
            assert now["ja3"] <= said["ja3"] and now["ja3s"] <= said["ja3s"]
            assert now["sni"] == said["sni"]
            continue
        for name in ("sni", "ja3", "ja3s", "scs", "certificates"):
            assert now[name] == said[name], (name, ends)


# --- fingerprints --------------------------------------------------------------------------------
def is_grease(v: int) -> bool:
    """RFC 8701."""
    return v & 0x0F0F == 0x0A0A and v >> 8 == v & 0xFF


def u16(data: bytes, skip: int = 0) -> list[int]:
    """Numbers of two bytes, without GREASE."""
    found = [int.from_bytes(data[i : i + 2], "big") for i in range(skip, len(data) - 1, 2)]
    return [v for v in found if not is_grease(v)]


class Raw:
    """The client's hello out of a record."""

    def __init__(self, tls: dict) -> None:
        self.version = tls["c_version"]
        self.ciphers = [v for v in (int(c, 16) for c in tls.get("cs", ())) if not is_grease(v)]
        listed = [(e["type"], bytes.fromhex(e["data"])) for e in tls.get("c_extensions", ())]
        self.types = [kind for kind, _ in listed if not is_grease(kind)]
        self.data = dict(reversed(listed))
        self.carrier = tls["protocol"]


def ja3(raw: Raw) -> str:
    """salesforce/ja3."""
    groups, formats = u16(raw.data.get(10, b""), 2), list(raw.data.get(11, b"")[1:])
    lists = ["-".join(map(str, x)) for x in (raw.ciphers, raw.types, groups, formats)]
    return hashlib.md5(",".join([str(raw.version), *lists]).encode()).hexdigest()


def ja3s(tls: dict) -> str:
    """Of the server."""
    types = "-".join(str(e["type"]) for e in tls.get("s_extensions", ()))
    text = f"{tls['s_version']},{int(tls['scs'], 16)},{types}"
    return hashlib.md5(text.encode()).hexdigest()


VERSIONS = {0x0304: "13", 0x0303: "12", 0x0302: "11", 0x0301: "10", 0x0300: "s3", 2: "s2"}
VERSIONS |= {0xFEFF: "d1", 0xFEFD: "d2", 0xFEFC: "d3"}


def ja4_parts(raw: Raw) -> tuple[str, list[str], list[str], list[str]]:
    """JA4.md: the first part, sorted ciphersuites, sorted extensions, signature algorithms."""
    offered = u16(raw.data[43], 1) if 43 in raw.data else [raw.version]
    version = VERSIONS.get(max(offered, default=0), "00")
    if raw.carrier == "dtls" and 43 in raw.data:
        version = VERSIONS.get(min(offered, default=0), "00")
    name = raw.data.get(16, b"")[3:]
    name = name[: raw.data[16][2]] if name else b""
    if not name:
        alpn = "00"
    elif all(chr(c).isascii() and chr(c).isalnum() for c in (name[0], name[-1])):
        alpn = chr(name[0]) + chr(name[-1])
    else:
        alpn = name.hex()[0] + name.hex()[-1]
    first = {"tls": "t", "dtls": "d", "quic": "q"}[raw.carrier] + version
    first += "d" if 0 in raw.types else "i"
    first += f"{min(len(raw.ciphers), 99):02}{min(len(raw.types), 99):02}{alpn}"
    ciphers = sorted(f"{v:04x}" for v in raw.ciphers)
    extensions = sorted(f"{v:04x}" for v in raw.types if v not in (0, 16))
    return first, ciphers, extensions, [f"{v:04x}" for v in u16(raw.data.get(13, b""), 2)]


def short(text: str) -> str:
    """The first 12 digits of SHA-256; zeros of nothing."""
    return hashlib.sha256(text.encode()).hexdigest()[:12] if text else "0" * 12


def ja4(raw: Raw) -> str:
    """With hashes."""
    first, ciphers, extensions, signatures = ja4_parts(raw)
    text = ",".join(extensions)
    if text and signatures:
        text += "_" + ",".join(signatures)
    return f"{first}_{short(','.join(ciphers))}_{short(text)}"


def ja4_r(raw: Raw) -> str:
    """With lists; no third one without signature algorithms."""
    first, ciphers, extensions, signatures = ja4_parts(raw)
    lists = [ciphers, extensions, *([signatures] if signatures else [])]
    return "_".join([first, *(",".join(x) for x in lists)])


def check(records: list[dict]) -> int:
    """All fingerprints of all records; how many hellos there were."""
    hellos = 0
    for record in records:
        tls, prints = record.get("tls"), record.get("fingerprints", {})
        if tls is None:
            continue
        if "ja3" in prints:
            raw = Raw(tls)
            hellos += 1
            assert prints["ja3"] == ja3(raw)
            assert prints["ja4"] == ja4(raw)
            assert prints["ja4_r"] == ja4_r(raw)
        if "ja3s" in prints:
            assert prints["ja3s"] == ja3s(tls)
    return hellos


@pytest.mark.parametrize("capture", CASES, ids=lambda path: path.name)
def test_fingerprints_of_captures(capture: Path) -> None:
    check(pcap2flow(*OPTIONS, capture).records)


def test_fingerprints_of_random_hellos(tmp_path: Path) -> None:
    """Of many hellos that have little in common."""
    count, flows = 2000, []
    for number in range(count):
        rng = random.Random(number)

        def some(rng: random.Random = rng, most: int = 40) -> list[int]:
            return [
                rng.choice((rng.randrange(65536), rng.randrange(64), 0x0A0A, 0x3A3A))
                for _ in range(rng.randrange(most))
            ]

        names = ["h2", "http/1.1", "h", "\x01\xab", "-x-", "x-", ""]
        more = [
            handshakes.extension(kind, rng.randbytes(rng.randrange(20)))
            for kind in some(most=120)
            if kind not in (0, 10, 11, 13, 16, 43)
        ]
        hello = handshakes.Hello(
            seed=number,
            version=rng.choice((0x0300, 0x0301, 0x0302, 0x0303, 0x0303, 0x1234)),
            versions=rng.choice(([], [0x0304, 0x0303], [0x3A3A, 0x0302], [0x7F1C], some(most=9))),
            ciphers=some(most=130),
            alpn=rng.choice(([], rng.sample(names[:-1], 2))),
            groups=some(),
            signatures=some(),
            more=more,
        )
        data = handshakes.record(handshakes.HANDSHAKE, hello.message(), 0x0301)
        flows.append(handshakes.tcp_flow(number, [(0, data)], lambda _, d: [(0, d)]))
    frames = [captures.frame(10**18, data) for flow in flows for data in flow]
    path = tmp_path / "hellos.pcap"
    path.write_bytes(captures.plain(frames))
    assert check(pcap2flow(*OPTIONS, path).records) == count
