# SPDX-License-Identifier: BSD-3-Clause
"""joy fingerprint: what is counted, collected, looked up and compared, against counts by hand.

The capture has five connections.  Clients 10.1.0.0 (ports 20000, 20001) and 10.1.0.1 say hello A to
www.example.test, 10.1.0.0 (20002) says hello B to api.example.test, 10.1.0.2 only connects.
"""

from __future__ import annotations

import hashlib
import json
import re
import shutil
from pathlib import Path

import handshakes as h
import pytest
from joy import fingerprint_db, npf
from joy.errors import InputError, UsageError
from kit import ROOT
from made import joy, ok, run_page, write_pcap
from made import write_records as save
from program import pcap2flow

T0 = 1_760_000_000  # s; 2025-10-09T08:53:20Z
A = h.Hello()
B = h.Hello(ciphers=[0x1301, 0xC02F], alpn=["h2"], name="api.example.test")
SERVER = h.server_hello(0x1301, h.selected13(29, 32))
NAMES = {20000: "firefox", 20001: "firefox", 20256: "curl", 20002: "curl"}


def ja3(ciphers: str, extensions: str) -> str:
    """Of its definition: version, ciphersuites, extensions, groups without GREASE, formats."""
    text = f"771,{ciphers},{extensions},4588-29-23,0"
    return hashlib.md5(text.encode(), usedforsecurity=False).hexdigest()


JA3_A = ja3("4865-4866-49199-156", "0-23-10-11-16-13-43-51")
JA3_B = ja3("4865-49199", "0-23-10-11-16-13-43-51")
JA3S = hashlib.md5(b"771,4865,51-43", usedforsecurity=False).hexdigest()
TCP = "tcp/(40)()(40)(ffff)()"


def whole(_: int, data: bytes) -> h.Pieces:
    return [(0, data)]


def frames(number: int, hello: h.Hello | None, second: int) -> list[tuple[int, bytes]]:
    """A connection in which a frame comes each millisecond."""
    flights: h.Flights = []
    if hello is not None:
        flights = [(0, h.record(22, hello.message(), 0x0301)), (1, h.record(22, SERVER))]
    sent = h.tcp_flow(number, flights, whole)
    return [((T0 + second) * 10**9 + i * 10**6, data) for i, data in enumerate(sent)]


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    """The five connections."""
    flows = [(0, A, 0), (1, A, 1), (256, A, 2), (2, B, 3), (512, None, 4)]
    return write_pcap(tmp_path / "five.pcap", [f for flow in flows for f in frames(*flow)])


def told(path: Path) -> list[dict]:
    """Its records, with processes as a sensor on the clients would have them."""
    done = pcap2flow("bidir=1", "fingerprint=1", "tls=1", path)
    assert done.status == 0, done.stderr
    out = done.records
    for record in out:
        port = record["sp"] + 256 * int(record["sa"].endswith(".1"))
        if port in NAMES and "tls" in record:
            name = NAMES[port]
            exe = {"name": name, "pid": 9, "confidence": "exact", "side": ">"}
            record["exe"] = exe | {"hash": {"firefox": "aa", "curl": "cc"}[name] * 32}
    return out


@pytest.fixture
def records(tmp_path: Path, capture: Path) -> Path:
    return save(tmp_path / "five.json", told(capture))


def build(db: Path, *arguments: str | Path) -> dict[tuple[str, str], dict]:
    """The entries of a database that is made of it."""
    ok("fingerprint", "build", "-O", db, *arguments)
    items = [json.loads(line) for line in db.read_text(encoding="utf-8").splitlines()]
    return {(item["kind"], item["value"]): item for item in items}


# --- count ---------------------------------------------------------------------------------------
def test_count(records: Path) -> None:
    found = json.loads(ok("fingerprint", "count", records, "--json"))
    by = {(item["kind"], item["value"]): item for item in found}
    a = by["ja3", JA3_A]
    assert (a["flows"], a["hosts"]) == (3, 2)
    assert a["snis"] == [{"name": "www.example.test", "flows": 3}]
    assert a["addresses"] == [{"name": "10.1.0.0", "flows": 2}, {"name": "10.1.0.1", "flows": 1}]
    assert a["processes"] == [{"name": "firefox", "flows": 2}, {"name": "curl", "flows": 1}]
    assert a["first"] == "2025-10-09T08:53:20.000000Z"
    assert a["last"] == "2025-10-09T08:53:22.000000Z"
    assert (by["ja3", JA3_B]["flows"], by["ja3", JA3_B]["hosts"]) == (1, 1)
    # The server's: one address, and no process, since all are the clients'.
    s = by["ja3s", JA3S]
    assert (s["flows"], s["hosts"], s["processes"]) == (4, 1, [])
    assert s["addresses"] == [{"name": "192.0.2.1", "flows": 4}]
    assert (by["npf_tcp", TCP]["flows"], by["npf_tcp", TCP]["hosts"]) == (5, 3)
    order = [(item["kind"], -item["flows"], item["value"]) for item in found]
    assert order == sorted(order)


def test_count_says_the_same_of_capture_and_records(capture: Path, records: Path) -> None:
    keys = ("kind", "value", "flows", "hosts", "snis", "first", "last")
    both = [
        [{k: item[k] for k in keys} for item in json.loads(ok("fingerprint", "count", p, "--json"))]
        for p in (capture, records)
    ]
    assert both[0] == both[1]


def test_count_of_some_kinds_as_text(capture: Path) -> None:
    lines = ok("fingerprint", "count", capture, "--kind", "ja3").splitlines()
    cells = [line.split() for line in lines[1:]]
    assert [[*row[:3], row[-1]] for row in cells] == [
        ["ja3", "3", "2", JA3_A],
        ["ja3", "1", "1", JA3_B],
    ]
    done = joy("fingerprint", "count", capture, "--kind", "ja5")
    assert done.returncode == 2
    assert "ja5" in done.stderr and "ja4" in done.stderr


def test_count_of_nothing(tmp_path: Path) -> None:
    empty = write_pcap(tmp_path / "empty.pcap", [])
    assert json.loads(ok("fingerprint", "count", empty, "--json")) == []
    assert build(tmp_path / "db", empty) == {}
    for by in ("flow", "host"):
        done = ok("fingerprint", "lookup", empty, "--db", tmp_path / "db", "--by", by, "--json")
        assert json.loads(done) == {"answers": [], "flows": 0, "fingerprinted": 0, "known": 0}
    done = joy("fingerprint", "count", tmp_path / "none.pcap")
    assert done.returncode == 1
    assert "none.pcap" in done.stderr


def test_records_without_fingerprints_are_told(tmp_path: Path, records: Path) -> None:
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    for row in rows:
        row.pop("fingerprints", None)
    done = joy("fingerprint", "count", save(tmp_path / "bare.json", rows))
    assert done.returncode == 0 and done.stdout == ""
    assert "bare.json: no record has fingerprints" in done.stderr


def test_damaged_input_is_told(tmp_path: Path, capture: Path) -> None:
    capture.write_bytes(capture.read_bytes()[:-3])
    (tmp_path / "db").write_text("")
    for words in (["count"], ["lookup", "--db", tmp_path / "db"], ["build", "-O", tmp_path / "o"]):
        done = joy("fingerprint", words[0], capture, *words[1:])
        assert done.returncode == 3, done.stderr
        assert "five.pcap" in done.stderr


# --- build ---------------------------------------------------------------------------------------
def test_build(tmp_path: Path, records: Path) -> None:
    found = build(tmp_path / "db", records)
    assert found["ja3", JA3_A] == {
        "kind": "ja3",
        "value": JA3_A,
        "labels": ["firefox", "curl"],
        "processes": [
            {
                "name": "firefox",
                "flows": 2,
                "first_seen": "2025-10-09T08:53:20.000000Z",
                "last_seen": "2025-10-09T08:53:21.000000Z",
                "versions": {"aa" * 32: 2},
                "ports": {"443": 2},
                "sni": {"example.test": 2},
            },
            {
                "name": "curl",
                "flows": 1,
                "first_seen": "2025-10-09T08:53:22.000000Z",
                "last_seen": "2025-10-09T08:53:22.000000Z",
                "versions": {"cc" * 32: 1},
                "ports": {"443": 1},
                "sni": {"example.test": 1},
            },
        ],
    }
    assert found["ja3", JA3_B]["labels"] == ["curl"]
    assert [p["flows"] for p in found["npf_tcp", TCP]["processes"]] == [2, 2]
    assert found["npf_tcp", TCP]["labels"] == ["curl", "firefox"]  # as many: by name
    assert ("ja3s", JA3S) not in found  # the server's program is not known


def test_the_engine_reads_what_is_built(tmp_path: Path, capture: Path, records: Path) -> None:
    build(tmp_path / "db", records)
    done = pcap2flow("bidir=1", f"fingerprint_db={tmp_path / 'db'}", "fingerprint=1", capture)
    assert done.status == 0, done.stderr
    labels = {
        (r["sa"], r["sp"]): [
            label["label"] for label in r["fingerprints"]["labels"] if label["kind"] == "ja3"
        ]
        for r in done.records
    }
    assert labels == {
        ("10.1.0.0", 20000): ["firefox", "curl"],
        ("10.1.0.0", 20001): ["firefox", "curl"],
        ("10.1.0.1", 20000): ["firefox", "curl"],
        ("10.1.0.0", 20002): ["curl"],
        ("10.1.0.2", 20000): [],
    }


def test_names_that_need_care_in_json_reach_the_engine(
    tmp_path: Path, capture: Path, records: Path
) -> None:
    odd = 'a "b" \\ \u00fc\n\U0001f600'
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    for row in rows:
        if "exe" in row:
            row["exe"]["name"] = odd
    build(tmp_path / "db", save(tmp_path / "odd.json", rows), "--kind", "ja3")
    done = pcap2flow("bidir=1", f"fingerprint_db={tmp_path / 'db'}", "fingerprint=1", capture)
    said = [r["fingerprints"].get("labels") for r in done.records]
    assert said.count([{"kind": "ja3", "label": odd}]) == 4


def test_build_adds_to_what_is_there(tmp_path: Path, records: Path) -> None:
    db = tmp_path / "db"
    hand = {"kind": "ja3", "value": JA3_A, "labels": ["by hand"], "since": [1, {"x": None}]}
    db.write_text(json.dumps(hand) + "\n")
    once = build(db, records)["ja3", JA3_A]
    assert once["labels"] == ["by hand", "firefox", "curl"]
    assert once["since"] == [1, {"x": None}]
    twice = build(db, records)["ja3", JA3_A]
    assert [p["flows"] for p in twice["processes"]] == [4, 2]
    assert twice["processes"][0]["sni"] == {"example.test": 4}
    assert twice["labels"] == once["labels"]
    assert twice["processes"][0]["first_seen"] == once["processes"][0]["first_seen"]
    anew = build(db, records, "--replace")["ja3", JA3_A]
    assert [p["flows"] for p in anew["processes"]] == [2, 1]
    assert anew["labels"] == ["firefox", "curl"]


def test_databases_are_merged_in_any_order(tmp_path: Path, records: Path) -> None:
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    parts = [save(tmp_path / f"{i}.json", rows[i::2]) for i in range(2)]
    for i, part in enumerate(parts):
        build(tmp_path / f"{i}.db", part)
    ok("fingerprint", "build", "-O", tmp_path / "01", "--add", tmp_path / "0.db", "--add",
       tmp_path / "1.db")  # fmt: skip
    ok("fingerprint", "build", "-O", tmp_path / "10", "--add", tmp_path / "1.db", "--add",
       tmp_path / "0.db")  # fmt: skip
    build(tmp_path / "whole", save(tmp_path / "back.json", rows[::-1]))
    whole_db = (tmp_path / "whole").read_bytes()
    assert (tmp_path / "01").read_bytes() == whole_db
    assert (tmp_path / "10").read_bytes() == whole_db
    keys = [(i["kind"], i["value"]) for i in map(json.loads, whole_db.decode().splitlines())]
    assert keys == sorted(keys)


def test_what_is_left_out(tmp_path: Path, records: Path) -> None:
    few = build(tmp_path / "few", records, "--min-flows", "2")
    assert [p["name"] for p in few["ja3", JA3_A]["processes"]] == ["firefox"]
    assert ("ja3", JA3_B) not in few
    rare = build(tmp_path / "rare", records, "--min-share", "0.5")["ja3", JA3_A]
    assert rare["labels"] == ["firefox"]  # 2 of 3; curl has 1 of 3
    assert [p["name"] for p in rare["processes"]] == ["firefox", "curl"]
    dark = build(tmp_path / "dark", records, "--anonymous")
    text = (tmp_path / "dark").read_text()
    assert "example" not in text and "ports" not in text
    assert dark["ja3", JA3_A]["processes"][0]["flows"] == 2
    some = build(tmp_path / "some", records, "--kind", "ja4", "--kind", "ja3")
    assert {kind for kind, _ in some} == {"ja3", "ja4"}


def test_guesses_count_when_asked_for(tmp_path: Path, records: Path) -> None:
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    for row in rows:
        if row["sp"] == 20001:
            row["exe"]["confidence"] = "guess"
    path = save(tmp_path / "guess.json", rows)
    sure = build(tmp_path / "sure", path)["ja3", JA3_A]
    assert [p["flows"] for p in sure["processes"]] == [1, 1]
    both = build(tmp_path / "both", path, "--guesses")["ja3", JA3_A]
    assert [p["flows"] for p in both["processes"]] == [2, 1]


def test_a_process_has_the_fingerprints_of_its_own_end(tmp_path: Path, records: Path) -> None:
    """exe may be at either end, exe_peer is at the other; a record of one direction is its own."""
    rows = [json.loads(line) for line in records.read_text().splitlines()]
    server = {"name": "nginx", "pid": 1, "confidence": "exact", "side": "<"}
    rows = [r for r in rows if r["sp"] in (20000, 20001) and r["sa"] == "10.1.0.0"]
    assert len(rows) == 2
    rows[0]["exe"] = server
    rows[1]["exe_peer"] = server
    found = build(tmp_path / "db", save(tmp_path / "ends.json", rows))
    assert found["ja3s", JA3S]["labels"] == ["nginx"]
    assert found["ja3s", JA3S]["processes"][0]["flows"] == 2
    assert found["ja3s", JA3S]["processes"][0]["ports"] == {"443": 2}
    assert found["ja3", JA3_A]["labels"] == ["firefox"]
    assert found["ja3", JA3_A]["processes"][0]["flows"] == 1
    back = {k: rows[0][k] for k in rows[0] if not k.endswith("_in")}
    back |= {"sa": "192.0.2.1", "sp": 443, "da": "10.1.0.0", "dp": 20000}
    back |= {"exe": server | {"side": ">"}, "fingerprints": {"ja3s": JA3S}}
    alone = build(tmp_path / "alone", save(tmp_path / "back.json", [back]))
    assert alone["ja3s", JA3S]["labels"] == ["nginx"]
    assert alone["ja3s", JA3S]["processes"][0]["ports"] == {"443": 1}


def test_autonomous_systems_and_names(tmp_path: Path, records: Path) -> None:
    rows = [json.loads(line) for line in records.read_text().splitlines()][:1]
    rows[0]["da_geo"] = {"asn": 64496}
    rows[0]["tls"]["sni"] = "A.B.Example.TEST."
    path = save(tmp_path / "geo.json", rows)
    (entry,) = build(tmp_path / "db", path, "--kind", "ja3", "--suffix", "3").values()
    assert entry["processes"][0]["as"] == {"64496": 1}
    assert entry["processes"][0]["sni"] == {"b.example.test": 1}
    rows[0]["tls"]["sni"] = "192.0.2.77"
    path = save(tmp_path / "ip.json", rows)
    (entry,) = build(tmp_path / "db2", path, "--kind", "ja3").values()
    assert entry["processes"][0]["sni"] == {"192.0.2.77": 1}


def test_labelled_captures_make_a_database(tmp_path: Path, capture: Path) -> None:
    """From a capture without processes, by way of joy label."""
    truth = tmp_path / "truth.csv"
    truth.write_text("sp,app,os\n20002,tool,BSD\n20000 20001,browser,Linux\n")
    out = tmp_path / "labelled.parquet"
    ok("label", capture, "--truth", truth, "-O", out, "-o", "fingerprint=1", "-o", "tls=1")
    found = build(tmp_path / "db", out, "--process", "app", "--system", "os")
    assert [(p["name"], p["flows"]) for p in found["ja3", JA3_A]["processes"]] == [("browser", 3)]
    assert [(p["name"], p["flows"]) for p in found["ja3", JA3_B]["processes"]] == [("tool", 1)]
    systems = [(p["name"], p["flows"]) for p in found["npf_tcp", TCP]["systems"]]
    assert systems == [("Linux", 4), ("BSD", 1)]
    assert found["npf_tcp", TCP]["labels"] == ["browser", "tool", "Linux", "BSD"]
    assert ("ja3s", JA3S) not in found
    servers = build(tmp_path / "db2", out, "--process", "app", "--side", "server")
    assert servers["ja3s", JA3S]["labels"] == ["browser", "tool"]
    assert ("ja3", JA3_A) not in servers


def test_build_wants_something_to_read(tmp_path: Path, records: Path) -> None:
    done = joy("fingerprint", "build", "-O", tmp_path / "db")
    assert done.returncode == 2
    done = joy("fingerprint", "build", records, "-O", tmp_path / "db", "--side", "both")
    assert done.returncode == 2
    done = joy("fingerprint", "build", records, "-O", tmp_path / "db", "--library", "lib")
    assert done.returncode == 2
    assert "lib" in done.stderr
    assert not (tmp_path / "db").exists()
    done = joy("fingerprint", "build", records, "-O", tmp_path / "none" / "db")
    assert done.returncode == 1


@pytest.mark.parametrize(
    "line",
    [
        "ja3 x",
        "[]",
        '{"kind": "ja3"}',
        '{"kind": "ja3", "value": 1}',
        '{"kind": "ja3", "value": "x", "labels": [1]}',
        '{"kind": "ja3", "value": "x", "processes": [{"name": "a", "flows": -1}]}',
        '{"kind": "ja3", "value": "x", "processes": [{"name": "a", "flows": true}]}',
        '{"kind": "ja3", "value": "x", "processes": [{"flows": 1}]}',
        '{"kind": "ja3", "value": "x", "processes": 7}',
        '{"kind": "ja3", "value": "x", "processes": [{"name": "a", "flows": 1, "sni": []}]}',
    ],
)
def test_bad_lines_are_told_by_number(tmp_path: Path, line: str) -> None:
    db = tmp_path / "db"
    db.write_text(f'{{"kind": "ja3", "value": "y", "labels": "one"}}\n\n{line}\n')
    with pytest.raises(InputError, match=r"db:3: not an object"):
        fingerprint_db.read(db)


def test_a_bad_database_stays_as_it_is(tmp_path: Path, records: Path) -> None:
    db = tmp_path / "db"
    db.write_text("nonsense\n")
    done = joy("fingerprint", "build", records, "-O", db)
    assert done.returncode == 1
    assert "db:1:" in done.stderr
    assert db.read_text() == "nonsense\n"


# --- look up -------------------------------------------------------------------------------------
def test_lookup_by_flow(tmp_path: Path, capture: Path, records: Path) -> None:
    build(tmp_path / "db", records)
    done = json.loads(ok("fingerprint", "lookup", capture, "--db", tmp_path / "db", "--json"))
    assert (done["flows"], done["fingerprinted"], done["known"]) == (5, 5, 5)
    answers = {(a["sa"], a["sp"], a["subject"]): a for a in done["answers"]}
    assert len(answers) == len(done["answers"]) == 9  # 4 of hellos, 5 of SYNs
    first = answers["10.1.0.0", 20000, "client"]
    assert first["kind"] == "npf_tls"
    assert first["time"] == "2025-10-09T08:53:20.000000Z"
    assert first["names"] == [
        {"what": "process", "name": "firefox", "flows": 2, "share": 2 / 3},
        {"what": "process", "name": "curl", "flows": 1, "share": 1 / 3},
    ]
    assert answers["10.1.0.0", 20002, "client"]["names"] == [
        {"what": "process", "name": "curl", "flows": 1, "share": 1.0}
    ]
    assert answers["10.1.0.2", 20000, "tcp"]["names"] == [
        {"what": "process", "name": "curl", "flows": 2, "share": 0.5},
        {"what": "process", "name": "firefox", "flows": 2, "share": 0.5},
    ]


def test_lookup_by_host(tmp_path: Path, capture: Path, records: Path) -> None:
    build(tmp_path / "db", records)
    done = json.loads(
        ok("fingerprint", "lookup", capture, "--db", tmp_path / "db", "--by", "host", "--json")
    )
    rows = {(a["host"], a["subject"], a["name"]): a for a in done["answers"]}
    # 10.1.0.0: A twice (firefox 2/3, curl 1/3), B once (curl 1).
    firefox, curl = (rows["10.1.0.0", "client", name] for name in ("firefox", "curl"))
    assert (firefox["flows"], firefox["of"]) == (2, 3)
    assert firefox["share"] == pytest.approx((2 / 3 + 2 / 3 + 0) / 3)
    assert (curl["flows"], curl["of"]) == (1, 3)
    assert curl["share"] == pytest.approx((1 / 3 + 1 / 3 + 1) / 3)
    assert rows["10.1.0.2", "tcp", "curl"]["share"] == 0.5


def test_lookup_of_labels_by_hand(tmp_path: Path, capture: Path) -> None:
    db = tmp_path / "db"
    db.write_text(json.dumps({"kind": "ja3", "value": JA3_B, "labels": ["tool"]}) + "\n")
    done = json.loads(ok("fingerprint", "lookup", capture, "--db", db, "--json"))
    assert (done["fingerprinted"], done["known"]) == (5, 1)
    (answer,) = done["answers"]
    assert answer["names"] == [{"what": "label", "name": "tool", "flows": None, "share": None}]
    done = json.loads(ok("fingerprint", "lookup", capture, "--db", db, "--json", "--by", "host"))
    assert [(a["name"], a["flows"], a["share"]) for a in done["answers"]] == [("tool", 1, None)]
    assert "label tool" in ok("fingerprint", "lookup", capture, "--db", db)


def test_lookup_takes_the_kind_that_tells_most(
    tmp_path: Path, capture: Path, records: Path
) -> None:
    build(tmp_path / "db", records)
    every = json.loads(
        ok("fingerprint", "lookup", capture, "--db", tmp_path / "db", "--every", "--json")
    )
    kinds = [a["kind"] for a in every["answers"] if a["sp"] == 20002]
    assert kinds == ["npf_tls", "npf_tls_1", "npf_tls_2", "ja4_r", "ja4", "ja3", "npf_tcp"]


def test_lookup_without_a_database(tmp_path: Path, capture: Path) -> None:
    done = joy("fingerprint", "lookup", capture, "--db", tmp_path / "none")
    assert done.returncode == 1
    assert "none" in done.stderr
    done = joy("fingerprint", "lookup", capture, "--db", tmp_path / "none", "--by", "day")
    assert done.returncode == 2


# --- compare -------------------------------------------------------------------------------------
def test_compare(tmp_path: Path) -> None:
    old = write_pcap(tmp_path / "old.pcap", frames(0, A, 0) + frames(1, A, 1))
    new = write_pcap(tmp_path / "new.pcap", frames(0, A, 0) + frames(2, B, 3) + frames(3, B, 4))
    found = json.loads(ok("fingerprint", "compare", "--json", old, "--", new))
    assert found["ja3"] == {
        "only_first": [],
        "only_second": [{"value": JA3_B, "flows": 2}],
        "both": [{"value": JA3_A, "first": 2, "second": 1}],
    }
    (b,) = found["npf_tls"]["only_second"]
    assert b["nearest"] == found["npf_tls"]["both"][0]["value"]
    # A: version, 4 ciphers, 8 extensions.  B: version, 2 ciphers, 8 extensions, ALPN another one.
    assert b["similarity"] == pytest.approx(2 * (1 + 2 + 7) / (13 + 11), abs=1e-6)
    assert [e["code"] for e in b["only_first"]] == ["1302", "009c"]
    assert b["only_first"][0]["name"] == "TLS_AES_256_GCM_SHA384"
    assert b["only_second"] == [] and b["moved"] == []
    (alpn,) = b["changed"]
    assert (alpn["code"], alpn["data"], alpn["data_second"]) == (
        "0010",
        "000e000c02683208687474702f312e31",
        "00050003026832",
    )
    back = json.loads(ok("fingerprint", "compare", new, "--with", old, "--json"))
    assert back["ja3"]["only_first"] == found["ja3"]["only_second"]
    text = ok("fingerprint", "compare", old, new, "--kind", "ja3")
    assert [line.split() for line in text.splitlines()[1:]] == [
        ["+", "ja3", "0", "2", JA3_B],
        ["=", "ja3", "2", "1", JA3_A],
    ]
    assert joy("fingerprint", "compare", old).returncode == 2


def test_diff() -> None:
    one = "tcp/(40)()(40)(faf0)((020405b4)(04)(08)(01)(03030a))"
    two = "tcp/(40)()(40)(ffff)((020405b4)(01)(04)(03030b))"
    found = json.loads(ok("fingerprint", "diff", one, two, "--json"))
    # 9 and 8 elements; the same and in order: 40, (), 40, 020405b4, and 04 (or 01).
    assert found["similarity"] == pytest.approx(2 * 5 / 17, abs=1e-6)
    first = [(e["part"], e["code"]) for e in found["only_first"]]
    assert first == [("window", "faf0"), ("option", "08")]
    assert found["moved"] in ([{"part": "option", "code": c}] for c in ("01", "04"))
    assert [(e["code"], e["data"], e["data_second"]) for e in found["changed"]] == [
        ("03", "030a", "030b")
    ]
    assert [(e["part"], e["code"]) for e in found["only_second"]] == [("window", "ffff")]


@pytest.mark.parametrize(
    ("text", "place"),
    [("", 0), ("nonsense", 0), ("tls/(", 0), ("tls/(0303))", 11), ("tls/(03(", 0), ("tls/0303", 5),
     ("tls/(030)", 6), ("tls/(0303]", 10), ("tls/(XY)", 6), ("tls/" + "(" * 99, 13)],
)  # fmt: skip
def test_what_is_no_fingerprint(text: str, place: int) -> None:
    with pytest.raises(UsageError) as error:
        npf.elements(text)
    if place:
        assert f"character {place} " in str(error.value)


def all_npf() -> list[str]:
    """Those of the repository's captures."""
    names = ("browser", "quic", "dtls", "tls", "starttls", "web6")
    paths = [ROOT / f"tests/fixtures/{name}.pcap" for name in names]
    found = set()
    for path in paths:
        for record in pcap2flow("bidir=1", "fingerprint=1", path).records:
            prints = record.get("fingerprints", {})
            found |= {v for k, v in prints.items() if k.startswith("npf_")}
    assert len(found) > 40
    return sorted(found)


def test_fingerprints_of_captures_are_taken_apart_whole() -> None:
    """Every digit is in some element, in its order, and a difference with itself is none."""
    texts = all_npf()
    for text in texts:
        digits = re.sub(r"[^0-9a-f]", "", text[re.match(r"[a-z_]+/(\d+/)?", text).end() :])
        assert "".join(e.code + e.data for e in npf.elements(text)) == digits
        same = npf.compare(text, text)
        assert (same.similarity, same.first, same.second, same.changed, same.moved) == (
            1.0, (), (), (), ()
        )  # fmt: skip
    tls = [t for t in texts if t.startswith("tls/(")]
    for one, two in zip(tls, tls[1:], strict=False):
        there, back = npf.compare(one, two), npf.compare(two, one)
        assert there.similarity == back.similarity < 1
        assert len(there.first) == len(back.second)
    with pytest.raises(UsageError, match="different kinds"):
        npf.compare(tls[0], "tcp/(40)")


# --- documents -----------------------------------------------------------------------------------
def test_the_page_says_what_happens(tmp_path: Path, records: Path) -> None:
    """Each command of the page is run, in order, in a folder that has its files."""
    page = (ROOT / "doc/fingerprints.md").read_text(encoding="utf-8")
    section = page[page.index("## The command") :]
    shutil.copy(records, tmp_path / "monday.json")
    shutil.copy(records, tmp_path / "tuesday.json")
    shutil.copy(ROOT / "sample.pcap", tmp_path / "sample.pcap")
    assert run_page(section, tmp_path) >= 6
