# SPDX-License-Identifier: BSD-3-Clause
"""However its bytes are cut and in whatever order they come, a handshake says the same.

Handshakes are made by tests/handshakes.py.  Each is sent whole, then cut in two at every byte in
either order, then into many pieces at random, shuffled, doubled and overlapping.  All variants
are flows of one capture, and their records may differ in nothing but lengths and times of packets.
"""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import captures
import handshakes as h
import pytest
from program import Run, pcap2flow

OPTIONS = ("bidir=1", "tls=1", "quic=1", "fingerprint=1", "num_pkts=40")
Pieces = h.Pieces


def run(folder: Path, flows: list[list[bytes]], *options: str) -> Run:
    """All flows in one capture; every frame has the same time."""
    frames = [captures.frame(10**18, data) for flow in flows for data in flow]
    path = folder / "flows.pcap"
    path.write_bytes(captures.plain(frames))
    done = pcap2flow(*OPTIONS, *options, path)
    assert done.status == 0, done.stderr
    return done


def told(done: Run) -> list[dict]:
    """What the records say of handshakes, in order of flows."""
    records = sorted(done.records, key=lambda r: r["flow_id"])
    keys = ("tls", "quic", "fingerprints")
    return [{key: r[key] for key in keys if key in r} for r in records]


def check_same(found: list[dict], names: list[str]) -> None:
    """All say what the first one says."""
    assert len(found) == len(names)
    assert found[0]
    for name, now in zip(names, found, strict=True):
        assert now == found[0], name


# --- cuts ----------------------------------------------------------------------------------------
def whole(_: int, data: bytes) -> Pieces:
    """One piece."""
    return [(0, data)]


def in_two(flight: int, at: int, back: bool, place: int, data: bytes) -> Pieces:
    """One flight in two pieces, the others whole."""
    if place != flight:
        return [(0, data)]
    pieces = [(0, data[:at]), (at, data[at:])]
    return pieces[::-1] if back else pieces


def single_bytes(_: int, data: bytes) -> Pieces:
    """A piece for each byte."""
    return [(i, data[i : i + 1]) for i in range(len(data))]


def first_byte_last(_: int, data: bytes) -> Pieces:
    """A piece for each byte, in order but for the first."""
    pieces = single_bytes(0, data)
    return [*pieces[1:], pieces[0]]


def shuffled(seed: int, place: int, data: bytes) -> Pieces:
    """Random pieces, some twice, some overlapping their neighbours, in random order."""
    rng = random.Random(f"{seed} {place}")
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(rng.randrange(12)))})
    pieces = []
    for start, end in zip(cuts, cuts[1:], strict=False):
        start, end = max(0, start - rng.choice((0, 0, 7))), min(len(data), end + rng.choice((0, 3)))
        pieces += [(start, data[start:end])] * rng.choice((1, 1, 2))
    rng.shuffle(pieces)
    return pieces


Cut = Callable[[int, bytes], Pieces]


def cuts(flights: h.Flights) -> Iterator[tuple[str, Cut]]:
    """All ways to send the flights, each with a name."""
    yield "whole", whole
    for flight, (_, data) in enumerate(flights):
        for at in range(1, len(data)):
            for back in (False, True):
                yield f"flight {flight} cut at {at} {back}", partial(in_two, flight, at, back)
    yield "single bytes", single_bytes
    for seed in range(60):
        yield f"shuffled {seed}", partial(shuffled, seed)


# --- TLS -----------------------------------------------------------------------------------------
CONVERSATIONS = {
    "tls12": h.tls12(),
    "tls12 in one record": h.tls12(one_record=True),
    "tls12 resumed": h.tls12(resumed=True),
    "tls13": h.tls13(),
    "tls13 retry": h.tls13(retry=True),
    "records of one byte": h.split_records([1]),
    "records of all sizes": h.split_records([3, 1, 2, 700, 4, 5, 10]),
    "smtp": h.smtp(),
    "ssl2": h.ssl2(),
}


@pytest.mark.parametrize("name", CONVERSATIONS)
def test_cuts_of_tcp_do_not_show(name: str, tmp_path: Path) -> None:
    flights = CONVERSATIONS[name]
    ways = list(cuts(flights))
    flows = [h.tcp_flow(i, flights, cut) for i, (_, cut) in enumerate(ways)]
    check_same(told(run(tmp_path, flows)), [name for name, _ in ways])


@pytest.mark.parametrize("name", [name for name in CONVERSATIONS if name != "smtp"])
def test_directions_in_any_order(name: str, tmp_path: Path) -> None:
    """All segments shuffled: records are listed in another order, all else is the same.

    STARTTLS has to be asked for before the server's TLS begins.
    """
    flights, flows = CONVERSATIONS[name], []
    for seed in range(150):
        frames = h.tcp_flow(seed, flights, partial(shuffled, seed) if seed else whole)
        start, rest = frames[:3], frames[3:]
        if seed:
            random.Random(seed).shuffle(rest)
        flows.append(start + rest)
    found = without_records(told(run(tmp_path, flows)))
    for now in found:
        now["tls"].get("alerts", []).sort(key=str)
    check_same(found, [str(i) for i in range(150)])


def test_what_they_say(tmp_path: Path) -> None:
    """The generator's handshakes are what they are meant to be."""
    flows = [h.tcp_flow(i, f, whole) for i, f in enumerate(CONVERSATIONS.values())]
    said = dict(zip(CONVERSATIONS, (t["tls"] for t in told(run(tmp_path, flows))), strict=True))
    full = said["tls12"]
    assert (full["version"], full["handshake"], full["alpn"]) == ("TLS 1.2", "full", "h2")
    assert [len(full[k]) for k in ("s_cert", "c_cert")] == [2, 1]
    assert full["s_cert"][0]["sans"] == [{"type": "dns", "value": "www.example.test"}]
    assert full["c_key_length"] == 256 and full["s_key"]["curve"] == "x25519"
    assert full["tickets"] == {"count": 1, "length": 180, "lifetime": 7200}
    assert full["certificate_request"]["authorities"] == 0
    assert full["srlt"][0]["hs_types"] == [1]
    one = {k: v for k, v in said["tls12 in one record"].items() if k != "srlt"}
    assert one == {k: v for k, v in full.items() if k != "srlt"}
    assert said["tls12 resumed"]["handshake"] == "resumed"
    assert said["tls13"]["version"] == "TLS 1.3"
    assert said["tls13"]["c_key_length"] == 1216 * 8
    retry = said["tls13 retry"]
    assert retry["retry"]["group"] == "secp256r1" and retry["c_key_length"] == 65 * 8
    assert said["smtp"]["starttls"] == "smtp" and said["smtp"]["sni"] == "www.example.test"
    assert said["ssl2"]["cs"] == ["00002f", "00000a", "010080"]
    assert said["ssl2"]["version"] == "TLS 1.0"
    assert said["records of one byte"]["sni"] == "www.example.test"
    alert = said["records of one byte"]["alerts"]
    assert alert == [{"dir": "<", "level": "fatal", "code": 40, "description": "handshake_failure"}]


# --- QUIC ----------------------------------------------------------------------------------------
DCID, SCID, SERVER = b"\x11" * 8, b"\x22" * 5, b"\x33" * 4


def initials(side: int, pieces: Pieces, version: int, token: bytes = b"") -> list[bytes]:
    """A datagram for each piece of a side's CRYPTO stream."""
    keys = h.quic_keys(DCID, side == 1, version)
    dcid, scid = (DCID, SCID) if side == 0 else (SCID, SERVER)
    size = 1200 if len(pieces) < 100 else 0
    return [
        h.Initial(keys, version, dcid, scid, n, h.crypto(*piece), token).protect(size)
        for n, piece in enumerate(pieces)
    ]


def quic_flow(number: int, version: int, cut: Cut) -> list[bytes]:
    """Both sides' Initials."""
    host = h.Host(number)
    client = initials(0, cut(0, h.quic_hello().message()), version, b"token")
    answer = h.server_hello(0x1301, h.selected13(29, 32))
    server = initials(1, cut(1, answer), version)
    return [host.udp(0, d) for d in client] + [host.udp(1, d) for d in server]


def without_packets(found: list[dict]) -> list[dict]:
    """The packets themselves do differ."""
    for now in found:
        now["quic"].pop("packets")
    return found


@pytest.mark.parametrize("version", [h.V1, h.V2])
def test_cuts_of_crypto_do_not_show(version: int, tmp_path: Path) -> None:
    flights = [(0, h.quic_hello().message()), (1, h.server_hello(0x1301, h.selected13(29, 32)))]
    ways = list(cuts(flights))
    ways = [w for w in ways if w[0] != "single bytes"] + [("bytes", single_bytes)] * (version == 1)
    flows = [quic_flow(i, version, cut) for i, (_, cut) in enumerate(ways)]
    found = without_packets(told(run(tmp_path, flows)))
    check_same(found, [name for name, _ in ways])
    assert found[0]["tls"]["sni"] == "www.example.test"
    assert found[0]["tls"]["version"] == "TLS 1.3"
    assert found[0]["quic"]["version"] == {h.V1: "1", h.V2: "2"}[version]
    assert found[0]["quic"]["token_length"] == 5
    assert [p["id"] for p in found[0]["quic"]["c_parameters"]] == [1, 4, 15]
    assert found[0]["quic"]["undecrypted"] == 0


def test_packets_of_quic_in_any_order(tmp_path: Path) -> None:
    """Also across directions: what comes before its keys waits."""
    flows = []
    for seed in range(200):
        rng = random.Random(seed)
        cut = partial(shuffled, seed)
        client = initials(0, cut(0, h.quic_hello().message()), h.V1)
        server = initials(1, [(0, h.server_hello(0x1301, h.selected13(29, 32)))], h.V1)
        host = h.Host(seed)
        frames = [host.udp(0, d) for d in client] + [host.udp(1, d) for d in server]
        if seed > 0:
            rng.shuffle(frames)
        flows.append(frames)
    found = without_packets(told(run(tmp_path, flows)))
    check_same([f["tls"] for f in found], [str(i) for i in range(200)])


def test_parameters_that_are_no_numbers(tmp_path: Path) -> None:
    """One byte that announces four, none at all, and one that is right."""
    parameters = h.extension(57, b"\x01\x01\x80" + b"\x04\x00" + b"\x05\x01\x07")
    data = h.Hello(alpn=["h3"], versions=[0x0304], more=[parameters]).message()
    flow = [h.Host(0).udp(0, d) for d in initials(0, [(0, data)], h.V1)]
    (found,) = told(run(tmp_path, [flow]))
    assert [p.get("number") for p in found["quic"]["c_parameters"]] == [None, None, 7]


def test_more_crypto_than_is_kept(tmp_path: Path) -> None:
    """The cap lies at the same byte however frames are cut, and in both ways it is marked."""
    data = h.Hello(seed=1, versions=[0x0304]).message()
    data += h.Hello(more=[h.extension(0x5A5A, bytes(20))] * 2660).message()

    def pieces(size: int, _: int, data: bytes) -> Pieces:
        return [(i, data[i : i + size]) for i in range(0, len(data), size)]

    flows = []
    for n, size in enumerate([1100, 1000, 700, 1100]):
        cut = pieces(size, 0, data)
        if n == 3:
            cut[0], cut[1] = cut[1], cut[0]
        flows.append([h.Host(n).udp(0, d) for d in initials(0, cut, h.V1)])
    done = run(tmp_path, flows)
    check_same(without_packets(told(done)), ["1100", "1000", "700", "swapped"])
    assert all("capped" in r["tls"]["marks"] for r in done.records if "tls" in r)
    assert all("capped" in r["marks"] for r in done.records if "tls" in r)


# --- DTLS ----------------------------------------------------------------------------------------
def dtls_flow(number: int, cut: Cut, shuffle: int | None = None) -> list[bytes]:
    """Hello with a cookie, its answer and a certificate, each message cut into fragments."""
    host = h.Host(number)
    hello = h.Hello(version=0xFEFD, versions=[], shares=[], cookie=b"c" * 20).body()
    answer = h.server_hello(0xC02F, [], version=0xFEFD)[4:]
    chain = h.certificates(h.certificate())[4:]
    frames = []
    for place, (side, kind, sequence, body) in enumerate(
        [(0, 1, 1, hello), (1, 2, 1, answer), (1, 11, 2, chain)]
    ):
        for n, (offset, piece) in enumerate(cut(place, body)):
            part = h.fragment(kind, sequence, body, offset, offset + len(piece))
            frames.append(host.udp(side, h.dtls_record(n, part)))
    if shuffle:
        random.Random(shuffle).shuffle(frames)
    return frames


def without_records(found: list[dict]) -> list[dict]:
    """Every fragment is in a record of its own."""
    for now in found:
        now["tls"].pop("srlt")
    return found


def test_fragments_of_dtls_do_not_show(tmp_path: Path) -> None:
    flights = [(0, h.Hello(version=0xFEFD, versions=[], shares=[], cookie=b"c" * 20).body())]
    flights += [(1, h.server_hello(0xC02F, [], version=0xFEFD)[4:])]
    flights += [(1, h.certificates(h.certificate())[4:])]
    ways = [w for w in cuts(flights) if w[0] != "single bytes"]
    flows = [dtls_flow(i, cut) for i, (_, cut) in enumerate(ways)]
    flows += [dtls_flow(len(ways) + i, partial(shuffled, i), shuffle=i) for i in range(1, 100)]
    names = [name for name, _ in ways] + [f"all shuffled {i}" for i in range(1, 100)]
    found = without_records(told(run(tmp_path, flows)))
    check_same(found, names)
    assert found[0]["tls"]["sni"] == "www.example.test"
    assert found[0]["tls"]["client"]["cookie_length"] == 20
    assert found[0]["tls"]["version"] == "DTLS 1.2"
    assert len(found[0]["tls"]["s_cert"]) == 1


# --- hostile sizes -------------------------------------------------------------------------------
def test_a_hello_of_ten_thousand_segments(tmp_path: Path) -> None:
    """One byte each, backwards: linear, or it would not end in time."""
    flights = [(0, h.record(h.HANDSHAKE, h.Hello(more=[h.extension(21, bytes(9000))]).message()))]
    back = h.tcp_flow(1, flights, lambda _, data: single_bytes(0, data)[::-1])
    straight = h.tcp_flow(0, flights, whole)
    start = time.monotonic()
    check_same(told(run(tmp_path, [straight, back])), ["straight", "back"])
    assert time.monotonic() - start < 10


def test_single_bytes_behind_a_hole(tmp_path: Path) -> None:
    """The first byte comes last: no segment passes all those that wait."""
    hello = h.record(h.HANDSHAKE, h.Hello(more=[h.extension(21, bytes(8000))]).message())
    late = [
        h.tcp_flow(n, [(0, hello + bytes(size))], first_byte_last)
        for n, size in ((0, 0), (1, 10**5))
    ]
    straight = h.tcp_flow(9, [(0, hello)], whole)
    start = time.monotonic()
    done = run(tmp_path, [*late, straight])
    assert time.monotonic() - start < 10
    short, long, plain = told(done)
    check_same([short["tls"], plain["tls"]], ["short", "straight"])
    assert "tls" not in long  # more waits than there is room for, which is marked
    assert ["capped" in r.get("marks", ()) for r in done.records] == [False, True, False]


def test_a_hello_that_never_ends(tmp_path: Path) -> None:
    """16 MiB promised: what is kept has its cap, and says so."""
    body = h.Hello().body()
    head = bytes([1]) + (1 << 24 - 1).to_bytes(3, "big")
    data = h.record(h.HANDSHAKE, head + body)
    data += b"".join(h.record(h.HANDSHAKE, bytes(16000)) for _ in range(8))
    flow = h.tcp_flow(
        0, [(0, data)], lambda _, d: [(i, d[i : i + 1400]) for i in range(0, len(d), 1400)]
    )
    (found,) = told(run(tmp_path, [flow]))
    assert found["tls"]["sni"] == "www.example.test"
    assert "cut" in found["tls"]["marks"]


def test_many_open_handshakes(tmp_path: Path) -> None:
    """Flows that begin with half a hello and stop stay within the budget of memory."""
    data = h.record(h.HANDSHAKE, h.Hello().message())[:900]
    flows = [h.tcp_flow(i, [(0, data)], whole) for i in range(30_000)]
    done = run(tmp_path, flows, "memory=16M")
    assert done.summary["evicted"] > 0
    good = [r for r in done.records if "no_memory" not in r.get("marks", ()) and "tls" in r]
    said = [r["tls"]["sni"] for r in good]
    assert set(said) == {"www.example.test"}
    assert len(said) > 29_900


# --- options -------------------------------------------------------------------------------------
def test_labels_of_a_file(tmp_path: Path) -> None:
    flow = h.tcp_flow(0, h.tls13(), whole)
    (plain,) = told(run(tmp_path, [flow]))
    prints = plain["fingerprints"]
    lines = [
        {"kind": "ja4", "value": prints["ja4"], "labels": ["one", "two"]},
        {"kind": "ja3", "value": prints["ja4"], "labels": ["of another kind"]},
        {"kind": "npf_tcp", "value": prints["npf_tcp"], "labels": "three"},
    ]
    db = tmp_path / "labels.json"
    db.write_text("\n".join(map(json.dumps, lines)))
    (found,) = told(run(tmp_path, [flow], f"fingerprint_db={db}"))
    assert found["fingerprints"].pop("labels") == [
        {"kind": "ja4", "label": "one"},
        {"kind": "ja4", "label": "two"},
        {"kind": "npf_tcp", "label": "three"},
    ]
    assert found == plain


def test_a_bad_file_of_labels(tmp_path: Path) -> None:
    db = tmp_path / "labels.json"
    db.write_text('{"kind": "ja4", "value": "x"}\nja4 x\n')
    done = pcap2flow("fingerprint=1", f"fingerprint_db={db}", tmp_path / "none.pcap")
    assert done.status == 2
    assert "labels.json:2:" in done.stderr


def test_each_direction_by_itself(tmp_path: Path) -> None:
    """With bidir=0 the client's record has the client's fields, the server's the server's."""
    flow = h.tcp_flow(0, h.tls12(), whole)
    (both,) = run(tmp_path, [flow]).records
    client, server = run(tmp_path, [flow], "bidir=0").records
    assert client["tls"]["sni"] == both["tls"]["sni"]
    assert client["tls"]["c_cert"] == both["tls"]["c_cert"]
    assert "s_cert" not in client["tls"]
    assert server["tls"]["s_cert"] == both["tls"]["s_cert"]
    assert server["tls"]["version"] == "TLS 1.2"
    assert "sni" not in server["tls"] and "c_cert" not in server["tls"]
    assert client["fingerprints"]["ja4"] == both["fingerprints"]["ja4"]
    assert server["fingerprints"]["ja3s"] == both["fingerprints"]["ja3s"]
