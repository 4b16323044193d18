# SPDX-License-Identifier: BSD-3-Clause
"""joy summary: numbers against captures counted by hand, bounded counters, rules, how it looks.

What captures hold was counted with tshark 4: `-T fields -e tcp.len` and `udp.length` less 8 summed
up, `-e tcp.stream` counted, `-Y tls.handshake.type==2` for versions and ciphersuites of servers,
`-Y tls.handshake.extensions_server_name` for names, capinfos for packets and times.
"""

from __future__ import annotations

import json
import os
import pty
import random
import re
import subprocess
import sys
from collections import Counter
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from joy.inputs import Flows
from joy.summary import collect, rules, text
from joy.summary.columns import Columns
from joy.summary.counters import Top
from joy.summary.scans import Scans
from joy.summary.timeline import Timeline
from kit import ROOT, joy

FIXTURES = ROOT / "tests" / "fixtures"
SAMPLE = ROOT / "sample.pcap"


def summary(*paths: Path, top: int = 10) -> dict[str, Any]:
    """The object that --json prints."""
    flows = Flows([str(path) for path in paths], columns=collect.columns())
    return json.loads(json.dumps(collect.summarize(flows, top)))


def counts(section: dict[str, Any], what: str = "flows") -> dict[str, int]:
    """value -> flows of a section of words."""
    return {row["value"]: row[what] for row in section["top"]}


# --- captures ------------------------------------------------------------------------------------
def test_numbers_of_sample() -> None:
    found = summary(SAMPLE)
    totals = found["totals"]
    assert totals["packets"] == 308
    assert totals["hosts"] == 8
    assert not totals["hosts_capped"]
    by_name = {row["name"]: row for row in found["protocols"]["top"]}
    assert (by_name["tcp"]["flows"], by_name["tcp"]["packets"]) == (9, 256)
    assert by_name["tcp"]["bytes"] == 127537
    assert (by_name["udp"]["packets"], by_name["udp"]["bytes"]) == (30, 1400)
    assert (by_name["icmp"]["packets"], by_name["icmp6"]["packets"]) == (10, 12)
    assert found["time"]["first_ns"] == 1795480223178435000
    assert found["time"]["last_ns"] == 1795480226586583000
    assert counts(found["tls_versions"]) == {"TLS 1.3": 3, "TLS 1.2": 1}
    names = {(row["from"], row["value"]): row["flows"] for row in found["names"]["top"]}
    assert names == {("tls", "web.test"): 2, ("tls", "www.test"): 2}


def test_numbers_of_tls() -> None:
    found = summary(FIXTURES / "tls.pcap")
    assert found["totals"]["packets"] == 357
    tcp = next(row for row in found["protocols"]["top"] if row["pr"] == 6)
    assert (tcp["flows"], tcp["packets"], tcp["bytes"]) == (18, 349, 90928)
    assert counts(found["tls_versions"]) == {"TLS 1.3": 6, "TLS 1.2": 8, "TLS 1.1": 1, "TLS 1.0": 1}
    suites = counts(found["tls_ciphersuites"])
    assert suites["TLS_AES_256_GCM_SHA384"] == 5
    assert suites["TLS_ECDHE_ECDSA_WITH_AES_256_GCM_SHA384"] == 3
    assert sum(suites.values()) == 16
    odd = {row["rule"]: row for row in found["oddities"]}
    assert odd["deprecated_tls"]["flows"] == 2  # streams 0 and 1, ports 4401 and 4402
    assert odd["deprecated_tls"]["example"]["dp"] == 4401
    assert odd["tls_odd_port"]["flows"] == 17


def test_numbers_of_quic_and_dns() -> None:
    found = summary(FIXTURES / "quic.pcap", top=1)
    assert counts(found["tls_versions"]) == {"TLS 1.3": 7}
    assert found["protocols"]["top"] == [
        {"pr": 17, "name": "udp", "bytes": 30631, "flows": 7, "packets": 58}
    ]
    assert found["quic_versions"]["distinct"] == 3  # 1, 2, and a version made to be refused
    found = summary(FIXTURES / "dns.pcap")
    assert found["totals"]["packets"] == 50
    by_port = {(row["pr"], row["dp"]): row for row in found["services"]["top"]}
    assert (by_port[6, 53]["flows"], by_port[6, 53]["bytes"]) == (3, 3431)
    assert (by_port[17, 53]["flows"], by_port[17, 53]["bytes"]) == (7, 918)


def test_captures_add_up() -> None:
    paths = [SAMPLE, FIXTURES / "tls.pcap", FIXTURES / "dns.pcap"]
    parts = [summary(path, top=1000) for path in paths]
    whole = summary(*paths, top=1000)
    for key in ("packets", "bytes", "ip_bytes"):
        assert whole["totals"][key] == sum(part["totals"][key] for part in parts)
    for section, key in (("hosts", "host"), ("protocols", "pr")):
        added: Counter[Any] = Counter()
        for part in parts:
            added.update({row[key]: row["bytes"] for row in part[section]["top"]})
        assert {row[key]: row["bytes"] for row in whole[section]["top"]} == dict(added)


def test_hosts_send_what_others_receive() -> None:
    hosts = summary(SAMPLE, top=100)["hosts"]["top"]
    assert sum(h["sent"] for h in hosts) == sum(h["received"] for h in hosts)
    assert all(h["bytes"] == h["sent"] + h["received"] for h in hosts)
    assert [h["bytes"] for h in hosts] == sorted((h["bytes"] for h in hosts), reverse=True)


def test_records_without_features(tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    path.write_bytes(subprocess.check_output([ROOT / "pcap2flow", "bidir=1", SAMPLE]))
    found = summary(path)
    assert found["totals"]["packets"] == 308
    for section in ("names", "tls_versions", "ja4", "processes", "labels", "quic_versions"):
        assert found[section] == {"distinct": 0, "capped": False, "missing_at_most": 0, "top": []}
    shown = joy("summary", path).stdout
    assert "Protocols" in shown
    assert "TLS versions" not in shown


def test_records_of_one_direction(tmp_path: Path) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(subprocess.check_output([ROOT / "pcap2flow", "bidir=0", SAMPLE]))
    found = summary(path)
    assert found["totals"]["packets"] == 308
    assert found["totals"]["one_way"] == found["totals"]["flows"]
    assert not [o for o in found["oddities"] if o["rule"] == "unanswered"]


def test_empty_capture(tmp_path: Path) -> None:
    path = tmp_path / "empty.pcap"
    path.write_bytes(SAMPLE.read_bytes()[:24])
    done = joy("summary", path)
    assert done.returncode == 0, done.stderr
    assert "0 flows" in done.stdout
    assert "nothing in it that is a flow" in done.stdout
    found = summary(path)
    assert found["totals"]["flows"] == 0
    assert found["time"]["flows"] == []


def test_damaged_capture(tmp_path: Path) -> None:
    path = tmp_path / "cut.pcap"
    path.write_bytes(SAMPLE.read_bytes()[:100_000])
    done = joy("summary", path)
    assert done.returncode == 3
    assert "cut.pcap" in done.stdout.splitlines()[0]
    assert "Protocols" in done.stdout
    done = joy("summary", "--json", path)
    assert done.returncode == 3
    found = json.loads(done.stdout)
    assert found["inputs"]["damaged"]
    assert found["inputs"]["troubles"][0]["damaged"]


def test_wrong_use(tmp_path: Path) -> None:
    assert joy("summary", tmp_path / "nowhere.pcap").returncode == 1
    assert joy("summary", SAMPLE, "-o", "=1").returncode == 2
    assert joy("summary", SAMPLE, "--top", "0").returncode == 2


# --- how it looks --------------------------------------------------------------------------------
def test_plain_text_in_a_pipe() -> None:
    lines = joy("summary", SAMPLE).stdout.splitlines()
    assert all(len(line) <= 100 for line in lines)
    assert all(line == line.rstrip() for line in lines)
    assert "\x1b" not in "".join(lines)
    assert "25 flows, 308 packets" in lines[0]
    assert lines[1].startswith("2026-11-24 00:30:23.178 to 00:30:26.586 UTC")
    assert any(re.match(r" +9 +256 +128 kB +█+. +tcp$", line) for line in lines)


@pytest.mark.parametrize("columns", [80, 120, 180])
def test_colour_on_a_terminal(columns: int) -> None:
    shown = on_terminal(["summary", "--quiet", str(FIXTURES / "tls.pcap")], columns)
    assert "\x1b[" in shown
    bare = re.sub(r"\x1b\[[0-9;?]*[A-Za-z]", "", shown).replace("\r", "")
    assert all(len(line) <= columns for line in bare.split("\n"))
    assert "deprecated TLS" in bare
    sides = [line for line in bare.split("\n") if "Protocols" in line]
    assert (len(re.findall("flows", sides[0])) == 2) == (columns == 180)  # side by side


def on_terminal(arguments: list[str], columns: int) -> str:
    """What the command writes to a terminal of that width."""
    master, slave = pty.openpty()
    size = {"COLUMNS": str(columns), "LINES": "50", "TERM": "xterm-256color"}
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python"), **size}
    env.pop("NO_COLOR", None)
    command = [sys.executable, "-m", "joy", *arguments]
    with subprocess.Popen(command, stdout=slave, stderr=slave, stdin=slave, env=env) as running:
        os.close(slave)
        shown = b""
        while True:
            try:
                part = os.read(master, 65536)
            except OSError:  # Linux says so when the other side is closed
                break
            if not part:
                break
            shown += part
        assert running.wait(60) == 0, shown
    os.close(master)
    return shown.decode()


def test_names_cannot_steer_the_terminal() -> None:
    assert text.shown("a\x1b[31mb\u202e") == "a\\x1b[31mb\\u202e"
    table = flows({"tls": {"sni": "\x1b]0;bad\x07", "protocol": "tls"}})
    made = collect.Summary()
    made.add(table)
    found = {"inputs": {"files": [], "troubles": [], "summaries": []}, **made.result(5)}
    assert "\x1b" not in text.page(found)
    assert "\\x1b]0;bad" in text.page(found)


def test_what_the_sensor_said_is_shown() -> None:
    made = collect.Summary()
    made.add(flows({"marks": ["midstream"]}, {"marks": ["midstream", "gap"], "retrans_out": 3}))
    said = {"packets": 5000, "drops": 12, "truncated": 3, "malformed": 0}
    inputs = {"files": [], "troubles": [], "summaries": [said]}
    shown = text.page({"inputs": inputs, **made.result(5)})
    assert "  sensor       packets 5,000, drops 12, truncated 3\n" in shown
    assert "  marks        midstream 2, gap 1\n" in shown
    assert "  packets      retransmissions 3\n" in shown


def test_units() -> None:
    assert [text.size(n) for n in (0, 999, 1000, 127537)] == ["0 B", "999 B", "1 kB", "128 kB"]
    assert [text.span(s) for s in (0.05, 2.5, 60, 3725, 7200, 864000)] == [
        "50 ms", "2.5 s", "1 min", "1 h 2 min", "2 h", "10 days",
    ]  # fmt: skip
    assert [text.short(n) for n in (0, 9_999_999, 49_764_401, 2 * 10**9, 7 * 10**12)] == [
        "0", "9,999,999", "49.8 M", "2 G", "7 T",
    ]  # fmt: skip
    assert text.sparkline([0, 1, 50, 100]) == " ▁▄█"
    assert (text.bar(0, 4), text.bar(0.001, 4), text.bar(0.5, 4)) == ("", "▏", "██")


# --- counting in bounded memory ------------------------------------------------------------------
def test_counter_is_exact_below_its_cap() -> None:
    top = Top("bytes", "flows")
    for keys, sizes in ((["a", "b", "a"], [5, 1, 2]), (["b", None, "c"], [10, 99, 7])):
        top.add(pa.array(keys), bytes=pa.array(sizes), flows=pa.array([1] * 3))
    assert top.result(2) == {
        "distinct": 3,
        "capped": False,
        "missing_at_most": 0,
        "top": [
            {"key": "b", "bytes": 11, "flows": 2},
            {"key": "a", "bytes": 7, "flows": 2},
        ],
    }


def test_capped_counter_keeps_its_promise() -> None:
    """Sums are never too large, and too small by no more than is said."""
    dice = random.Random(7)
    exact: Counter[int] = Counter()
    top = Top("flows", cap=100)
    for _ in range(40):
        keys = [int(dice.paretovariate(0.7)) for _ in range(3000)]
        exact.update(keys)
        top.add(pa.array(keys))
        top._merge()
        assert top._state is not None
        assert top._state.num_rows <= 100
    found = top.result(100)
    assert found["capped"]
    assert len(exact) > 100
    for row in found["top"]:
        assert row["flows"] <= exact[row["key"]] <= row["flows"] + found["missing_at_most"]
    kept = {row["key"] for row in found["top"]}
    assert all(n <= found["missing_at_most"] for key, n in exact.items() if key not in kept)
    assert [row["key"] for row in found["top"][:3]] == [key for key, _ in exact.most_common(3)]


def test_timeline_bins() -> None:
    line = Timeline()
    second = 10**9
    start, end = np.array([0, 2 * second]), np.array([0, 4 * second])
    line.add(start, end, np.array([10, 400]))
    found = line.result(5)
    assert (found["start_ns"], found["bin_s"]) == (0, 1.0)
    assert found["flows"] == [1, 0, 1, 0, 0]
    assert found["bytes"] == [10, 0, 200, 200, 0]  # 400 bytes spread over 2 s


def test_timeline_is_the_same_in_any_order() -> None:
    dice = np.random.default_rng(3)
    start = dice.integers(-(10**15), 10**18, 5000)
    end = start + (dice.exponential(10**13, 5000)).astype(np.int64)
    size = dice.integers(0, 10**6, 5000)
    made = []
    for order in (np.arange(5000), np.argsort(start), np.argsort(-start)):
        line = Timeline()
        for part in np.array_split(order, 50):
            line.add(start[part], end[part], size[part])
        made.append(line.result(60))
        assert sum(made[-1]["flows"]) == 5000
        assert len(made[-1]["flows"]) <= 60
        assert sum(made[-1]["bytes"]) == pytest.approx(size.sum(), rel=1e-6)
        assert len(line.flows) <= 4096
    assert made[0]["flows"] == made[1]["flows"] == made[2]["flows"]
    assert made[0]["bytes"] == pytest.approx(made[1]["bytes"], abs=2)


# --- rules ---------------------------------------------------------------------------------------
WORD = pa.dictionary(pa.int32(), pa.utf8())
CERT = pa.struct(
    [
        ("self_signed", pa.bool_()),
        ("not_before_s", pa.int64()),
        ("not_after_s", pa.int64()),
        ("key_type", WORD),
        ("key_length", pa.uint32()),
        ("signature_algorithm", WORD),
    ]
)
SCHEMA = pa.schema(
    [
        *((name, pa.utf8()) for name in ("sa", "da")),
        ("pr", pa.uint8()),
        *((name, pa.uint16()) for name in ("sp", "dp")),
        *((f"{name}_{way}", pa.uint64())
          for name in ("bytes", "num_pkts", "retrans") for way in ("out", "in")),
        *((name, pa.timestamp("ns", "UTC")) for name in ("time_start", "time_end")),
        ("flow_id", pa.uint64()),
        ("part", pa.uint32()),
        ("marks", pa.list_(WORD)),
        ("tcp", pa.struct([("in", pa.struct([("flags", pa.utf8())]))])),
        ("tls", pa.struct([
            *((name, WORD) for name in ("protocol", "starttls", "version", "scs_name")),
            ("version_code", pa.uint16()),
            ("c_version", pa.uint16()),
            ("sni", pa.utf8()),
            ("alerts", pa.list_(pa.struct([("level", WORD)]))),
            ("s_cert", pa.list_(CERT)),
        ])),
        ("entropy", pa.float64()),
        ("watch", pa.list_(pa.struct([("entry", pa.utf8()), ("list", WORD)]))),
        ("dns", pa.list_(pa.struct([("qn", pa.utf8())]))),
        ("http", pa.list_(pa.struct([("out", pa.struct([("host", pa.utf8())]))]))),
    ]
)  # fmt: skip
NOW = 1_800_000_000
GOOD_CERT = {
    "self_signed": False, "not_before_s": NOW - 9, "not_after_s": NOW + 9, "key_type": "rsa",
    "key_length": 2048, "signature_algorithm": "RSA-SHA256",
}  # fmt: skip
GOOD_TLS = {
    "protocol": "tls", "version": "TLS 1.3", "version_code": 772, "c_version": 771,
    "sni": "a.test", "scs_name": "TLS_AES_128_GCM_SHA256", "s_cert": [GOOD_CERT],
}  # fmt: skip
GOOD = {
    "sa": "192.0.2.1", "da": "192.0.2.2", "pr": 6, "sp": 4000, "dp": 443, "bytes_out": 900,
    "bytes_in": 9000, "num_pkts_out": 10, "num_pkts_in": 10, "retrans_out": 0, "retrans_in": 0,
    "time_start": NOW * 10**9, "time_end": (NOW + 1) * 10**9, "flow_id": 1, "part": 1,
    "tcp": {"in": {"flags": "SPA"}}, "tls": GOOD_TLS,
}  # fmt: skip


def flows(*changes: dict[str, Any]) -> pa.Table:
    """A table of flows that are as flows should be, but for these changes; numbered from 1."""
    rows = [{**GOOD, "flow_id": i + 1, **change} for i, change in enumerate(changes)]
    return pa.Table.from_pylist(rows, SCHEMA)


def tls(**changes: Any) -> dict[str, Any]:
    return {"tls": {**GOOD_TLS, **changes}}


def cert(**changes: Any) -> dict[str, Any]:
    return tls(s_cert=[{**GOOD_CERT, **changes}, {**GOOD_CERT, "self_signed": True}])


EMPTY = {"tls": None, "bytes_out": 0, "bytes_in": 0, "dp": 81}
ODD = [
    ("watch", {"watch": [{"entry": "bad.test", "list": "l"}]}),
    ("deprecated_tls", tls(version_code=770)),
    ("deprecated_tls", tls(version_code=65279, protocol="dtls")),
    ("weak_cipher", tls(scs_name="TLS_RSA_WITH_RC4_128_MD5")),
    ("weak_cipher", tls(scs_name="TLS_DH_anon_WITH_AES_128_CBC_SHA")),
    ("weak_cipher", tls(scs_name="TLS_RSA_WITH_3DES_EDE_CBC_SHA")),
    ("expired_certificate", cert(not_after_s=NOW - 1)),
    ("expired_certificate", cert(not_before_s=NOW + 1)),
    ("self_signed_certificate", cert(self_signed=True)),
    ("weak_certificate", cert(key_length=1024)),
    ("weak_certificate", cert(signature_algorithm="RSA-SHA1")),
    ("weak_certificate", cert(signature_algorithm="sha1WithRSAEncryption")),
    ("fatal_alert", tls(alerts=[{"level": "warning"}, {"level": "fatal"}])),
    ("no_server_name", tls(sni=None)),
    ("tls_odd_port", {"dp": 4444}),
    ("not_tls", {"tls": None}),
    ("high_entropy", {"tls": None, "dp": 81, "entropy": 7.95}),
    ("clear_login", {"tls": None, "dp": 23}),
    ("dns_odd_port", {"tls": None, "dp": 54, "dns": [{"qn": "a.test"}]}),
    ("dns_volume", {"tls": None, "pr": 17, "dp": 53, "bytes_out": 20000}),
    ("icmp_volume", {"tls": None, "pr": 1, "dp": None, "sp": None, "bytes_out": 70000}),
    ("large_upload", {"bytes_out": 10_000_000}),
    ("long_flow", {"time_end": (NOW + 3600) * 10**9}),
    ("long_flow", {"part": 2}),
    ("unanswered", {**EMPTY, "num_pkts_in": 0, "tcp": None}),
    ("refused", {**EMPTY, "tcp": {"in": {"flags": "RA"}}}),
    ("retransmissions", {"retrans_in": 2}),
    ("clock", {"marks": ["truncated", "time_backwards"]}),
]
EVEN = [
    {},
    tls(version_code=771),
    tls(scs_name="TLS_ECDHE_RSA_WITH_AES_128_CBC_SHA"),
    cert(signature_algorithm="sha256WithRSAEncryption"),
    cert(signature_algorithm="ecdsa-with-SHA384", key_type="ec", key_length=256),
    tls(alerts=[{"level": "warning"}, {"level": None}]),
    {"dp": 4444, **tls(starttls="smtp")},
    {"tls": None, "marks": ["midstream"]},
    {"tls": None, "dp": 81, "entropy": 7.8},
    {"tls": None, "dp": 53, "dns": [{"qn": "a.test"}]},
    {"bytes_out": 10_000_000, "bytes_in": 2_000_001},
    {"part": 3},
    {"retrans_in": 1},
    {**EMPTY, "tcp": {"in": {"flags": "SA"}}},
]


def found_in(table: pa.Table) -> dict[str, dict[str, Any]]:
    made = collect.Summary()
    made.add(table)
    return {row["rule"]: row for row in made.result(5)["oddities"]}


@pytest.mark.parametrize(("rule", "change"), ODD)
def test_rule_finds(rule: str, change: dict[str, Any]) -> None:
    found = found_in(flows({}, change))
    assert list(found) == [rule]
    assert found[rule]["flows"] == 1
    assert found[rule]["example"]["flow_id"] == 2
    assert found[rule]["words"].endswith(".")


@pytest.mark.parametrize("change", EVEN)
def test_rules_pass_over(change: dict[str, Any]) -> None:
    assert found_in(flows(change)) == {}


def test_every_rule_is_tested() -> None:
    assert {rule for rule, _ in ODD} == {rule.key for rule in rules.RULES}


def test_example_is_the_largest() -> None:
    sizes = [{"bytes_out": n} for n in (20_000_000, 90_000_000, 30_000_000)]
    upload = found_in(flows(*sizes))["large_upload"]
    assert (upload["flows"], upload["example"]["flow_id"]) == (3, 2)


def test_rules_without_their_columns() -> None:
    table = flows({"part": 2}).select(["sa", "da", "pr", "flow_id", "part", "time_start"])
    made = collect.Summary()
    made.add(table)
    assert made.result(5)["oddities"] == []
    assert made.result(5)["totals"]["flows"] == 1


def test_names_of_features_to_come() -> None:
    change = {"dns": [{"qn": "a.test"}, {"qn": "b.test"}], "http": [{"out": {"host": "c.test"}}]}
    made = collect.Summary()
    made.add(flows(change, {"tls": None}))
    names = {(r["from"], r["value"]) for r in made.result(9)["names"]["top"]}
    assert names == {("dns", "a.test"), ("dns", "b.test"), ("http", "c.test"), ("tls", "a.test")}


def test_scans() -> None:
    dead = {**EMPTY, "num_pkts_in": 0, "tcp": None}
    ports = [{**dead, "dp": port} for port in range(100, 125)]
    hosts = [{**dead, "sa": "192.0.2.9", "da": f"198.51.100.{i}"} for i in range(30)]
    flood = [{**dead, "sa": f"203.0.113.{i}", "da": "192.0.2.8", "dp": 9} for i in range(120)]
    made = collect.Summary()
    for part in (ports[:10], ports[10:], hosts, flood):
        made.add(flows(*part))
    found = {row["kind"]: row for row in made.result(5)["scans"]["found"]}
    assert set(found) == {"port_scan", "host_scan", "flood"}
    assert found["port_scan"]["ports"] == 25
    assert (found["host_scan"]["hosts"], found["host_scan"]["dp"]) == (30, 81)
    assert (found["flood"]["flows"], found["flood"]["initiators"]) == (120, 120)
    assert Scans().result(5) == []


def test_columns_by_name() -> None:
    table = Columns(flows({}, {"tls": None}))
    assert table.words("tls.version").to_pylist() == ["TLS 1.3", None]
    assert table.numbers("tls.version_code").to_pylist() == [772, 0]
    assert table.numbers("nothing.here").to_pylist() == [0, 0]
    assert table.flat("tls.s_cert.key_length").to_pylist() == [2048]
    assert table.words("quic.version") is None


def test_captures_give_what_is_used_and_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {name for rule in rules.RULES for name in rule.needs}
    for way in ("struct", "flat"):
        whole = getattr(Columns, way)

        def listening(self: Columns, name: str, whole: Any = whole) -> Any:
            asked.add(name)
            return whole(self, name)

        monkeypatch.setattr(Columns, way, listening)
    made = collect.Summary()
    made.add(flows({}))
    made.result(1)
    asked |= set(rules._NAMED) | {"end_reason"}

    def covers(some: set[str], name: str) -> bool:
        return any(name == s or name.startswith(f"{s}.") for s in some)

    wanted = set(collect.COLUMNS)
    assert not [name for name in wanted if not covers(asked, name)]
    of_no_capture = {"dns", "http"}
    above = {".".join(w.split(".")[:n]) for w in wanted for n in range(1, 4)}
    assert not [n for n in asked if not covers(wanted, n) and n not in above | of_no_capture]


def test_batches_of_any_size_add_up() -> None:
    table = flows(*[{"sa": f"192.0.2.{i % 7}", "bytes_in": i} for i in range(100)])
    results = []
    for rows in (1, 33, 100):
        made = collect.Summary()
        for batch in table.to_batches(max_chunksize=rows):
            for chunk in collect.chunks([batch]):
                made.add(chunk)
        results.append(json.dumps(made.result(10), default=str))
    assert results[0] == results[1] == results[2]


def test_key_order_of_json_is_stable() -> None:
    done = joy("summary", "--json", FIXTURES / "dns.pcap")
    assert json.loads(done.stdout) == summary(FIXTURES / "dns.pcap")
    assert list(json.loads(done.stdout)) == [
        "inputs", "time", "totals", "protocols", "services", "hosts", "pairs", "names",
        "tls_versions", "tls_ciphersuites", "tls_alpn", "tls_starttls", "tls_handshakes",
        "quic_versions", "ja4",
        "fingerprint_labels", "processes", "labels", "watch", "countries", "organisations",
        "quality", "oddities", "scans",
    ]  # fmt: skip


def test_a_million_flows_in_seconds() -> None:
    """Row by row in Python it would take minutes; the limit is one for a busy machine."""
    import time

    rows = 100_000
    dice = np.random.default_rng(1)
    hosts = pa.array([f"10.0.{i >> 8}.{i & 255}" for i in dice.integers(0, 5000, rows)])
    times = pa.array(NOW * 10**9 + np.arange(rows) * 10**6, pa.timestamp("ns", "UTC"))
    one = flows({}).take([0] * rows).set_column(0, "sa", hosts)
    one = one.set_column(one.column_names.index("time_start"), "time_start", times)
    batches = one.to_batches(max_chunksize=8192) * 10
    begin = time.process_time()
    made = collect.Summary()
    for chunk in collect.chunks(batches):
        made.add(chunk)
    assert made.result(10)["totals"]["flows"] == 10 * rows
    assert time.process_time() - begin < 30


# --- the manual ----------------------------------------------------------------------------------
MANUAL = ROOT / "doc" / "summary.md"


def test_example_of_the_manual_is_what_comes_out() -> None:
    shown = joy("summary", SAMPLE, "--top", "2").stdout.replace(str(SAMPLE), SAMPLE.name)
    assert f"$ joy summary sample.pcap --top 2\n{shown.rstrip()}\n```" in MANUAL.read_text()


def test_manual_has_all_rules_and_keys() -> None:
    manual = MANUAL.read_text()
    for rule in rules.RULES:
        assert f"| `{rule.key}` | {rule.level} | {rule.words} |" in manual
    for key, value in summary(SAMPLE).items():
        assert f"`{key}`" in manual
        for below in value if isinstance(value, dict) else {}:
            assert f"`{below}`" in manual, f"{key}.{below}"


def test_what_the_sensor_lost_is_told(tmp_path: Path) -> None:
    """By the last line of a file of records, and of the run over a capture."""
    lost = tmp_path / "lost.json"
    told = subprocess.check_output([ROOT / "pcap2flow", "bidir=1", SAMPLE], text=True)
    lost.write_text(told.replace('"drops":0', '"drops":7'))
    done = joy("summary", lost, SAMPLE)
    assert "packets 308, drops 7" in done.stdout
    assert "packets 308, drops 0" in done.stdout
