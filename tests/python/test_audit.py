# SPDX-License-Identifier: BSD-3-Clause
"""joy audit: what is not seen, views, reports, exit codes."""

from __future__ import annotations

import json
import random
from html.parser import HTMLParser
from pathlib import Path

import audit_captures as A
import pytest
from audit_captures import GOOD12, GOOD13, OLD, audit, rule_of
from joy.audit import policy as policies
from joy.audit import tally
from joy.audit.facts import COLUMNS, Facts, read
from joy.audit.rules import judge
from joy.inputs import Flows
from kit import ROOT, joy
from program import pcap2flow

HOSTILE = "<img src=x onerror=alert(1)>\"'&\x1b[31m\u202e.test"


def facts_of(*paths: Path) -> list[Facts]:
    """The handshakes in some files."""
    flows = Flows([str(p) for p in paths], columns=list(COLUMNS))
    return [f for batch in flows for f in read(batch)]


# --- what is not seen ----------------------------------------------------------------------------
@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("audit")
    scenes = {
        "good": (GOOD12, GOOD13.but(carrier="quic")),
        "old": (OLD, GOOD12.but(carrier="dtls")),
        "warning": (GOOD12.but(certificates=(A.certificate(own=True),)),),
        "hostile": (OLD.but(name=HOSTILE),),
        "unseen": (
            GOOD13,
            GOOD13.but(carrier="quic"),
            GOOD12.but(cut=150),
            GOOD12.but(answered=False),
            GOOD12.but(resumed=True),
        ),
    }
    return {name: A.capture(folder / f"{name}.pcap", *several) for name, several in scenes.items()}


def test_what_is_encrypted_neither_passes_nor_fails(captures: dict[str, Path]) -> None:
    report = audit(captures["unseen"])
    expired = rule_of(report, "certificate-expired")
    assert expired["flows"] == {"failed": 0, "passed": 0, "not_seen": 5, "not_applicable": 0}
    assert expired["not_seen"] == {
        "certificates are encrypted (TLS 1.3)": 2,
        "no ServerHello": 2,
        "resumed session": 1,
    }
    assert rule_of(report, "version-negotiated")["flows"]["passed"] == 3
    assert rule_of(report, "pq-offered")["not_seen"] in (
        {"no ClientHello": 1},
        {"ClientHello cut": 1},
    )
    assert report["not_seen"]["certificates are encrypted (TLS 1.3)"] == 2
    assert report["flows"] == {"tls": 4, "quic": 1}


def test_midstream(tmp_path: Path) -> None:
    """A capture that begins behind the hellos: nothing is known of it."""
    behind = A.H.secret(A.H.DATA, 400) * 3
    made = A.frames(GOOD12.but(behind=behind), 1)
    (facts,) = facts_of(A.write(tmp_path / "late.pcap", made[-1:]))
    assert "midstream" in facts.marks
    for name in policies.installed():
        for rule in policies.load(name).rules:
            assert judge(rule, facts).kind in ("not_seen", "not_applicable"), rule.id


def test_later_parts_of_a_flow_are_no_handshakes(tmp_path: Path) -> None:
    behind = A.H.secret(A.H.DATA, 400) * 3
    late = json.dumps({**json.loads(record(1, ">")), "part": 2, "tls": {"protocol": "tls"}})
    path = tmp_path / "flows.json"
    path.write_text(record(1, ">") + "\n" + late + "\n")
    assert audit(path)["flows"] == {"tls": 1}
    one = A.write(tmp_path / "slow.pcap", A.frames(GOOD12.but(behind=behind), 1), step_ms=2000)
    report = audit(one, "-o", "active_timeout=10")
    assert report["flows"] == {"tls": 1}


def test_only_the_servers_side(tmp_path: Path) -> None:
    """A capture of one direction: what the server says is judged, what the client says is not."""
    made = [f for f in A.frames(OLD, 1) if f[26:30] == bytes([192, 0, 2, 1])]
    report = audit(A.write(tmp_path / "half.pcap", made))
    assert rule_of(report, "version-negotiated")["flows"]["failed"] == 1
    assert rule_of(report, "version-offered")["not_seen"] == {"no ClientHello": 1}


def thinned(value: object, chance: random.Random) -> object:
    """A JSON value without some of its members, wherever they are."""
    if isinstance(value, dict):
        kept = {k: v for k, v in value.items() if chance.random() > 0.1}
        return {k: thinned(v, chance) for k, v in kept.items()}
    if isinstance(value, list):
        return [thinned(v, chance) for v in value if chance.random() > 0.05]
    return value


def test_any_record_is_judged(tmp_path: Path) -> None:
    """Records of other versions and tools may lack anything; that is never an error."""
    records = []
    for name in ("tls", "dtls", "quic", "browser", "starttls"):
        run = pcap2flow("bidir=1", "features=all", ROOT / f"tests/fixtures/{name}.pcap")
        records += [r for r in run.records if "tls" in r]
    chance = random.Random(7)
    need = ("sa", "da", "pr", "bytes_out", "num_pkts_out", "time_start", "time_end", "flow_id")
    lines = []
    for record_ in records * 20:
        kept = {k: record_[k] for k in need if k in record_}
        lines.append(json.dumps({**kept, "tls": thinned(record_["tls"], chance)}))
    path = tmp_path / "thin.json"
    path.write_text("\n".join(lines) + "\n")
    rules = [r for name in policies.installed() for r in policies.load(name).rules]
    seen = {judge(rule, facts).kind for facts in facts_of(path) for rule in rules}
    assert seen == {"passed", "failed", "not_seen", "not_applicable"}


# --- views ---------------------------------------------------------------------------------------
def test_hosts(captures: dict[str, Path]) -> None:
    report = audit(captures["old"])
    (found,) = rule_of(report, "version-negotiated")["findings"]
    assert found["subject"] == "www.example.test:443 at 192.0.2.1"
    assert found["side"] == "server"
    assert found["details"] == {"negotiated TLS 1.0": 1}
    assert found["examples"][0]["client"] == "10.1.0.0:20001"
    assert found["first"] == "2026-09-21T14:13:20.000000Z"
    (found,) = rule_of(report, "version-offered")["findings"]
    assert (found["subject"], found["side"]) == ("10.1.0.0", "client")
    assert report["services"] == 2  # TLS and DTLS of one name
    assert report["clients"] == 1


def test_flows_one_by_one(tmp_path: Path) -> None:
    one = A.capture(tmp_path / "three.pcap", OLD, OLD, OLD)
    host = rule_of(audit(one), "version-negotiated")
    assert [f["flows"] for f in host["findings"]] == [3]
    flow = rule_of(audit(one, "--by", "flow"), "version-negotiated")
    assert [f["flows"] for f in flow["findings"]] == [1, 1, 1]
    assert all("10.1.0.0:2000" in f["subject"] for f in flow["findings"])


def record(number: int, side: str, **tls) -> str:
    """A flow record as pcap2flow writes it for a process at one end."""
    base = {"sa": "10.0.0.9", "da": "192.0.2.1", "pr": 6, "sp": 40000 + number, "dp": 443}
    base |= {"time_start": A.START + number, "time_end": A.START + number, "flow_id": number}
    hello = {"protocol": "tls", "cs": ["002f"], "scs": "002f", "s_version_name": "TLS 1.0"}
    hello |= {"version": "TLS 1.0", "version_code": 769, "c_version": 769, "sni": "a.test"}
    hello |= {"c_version_name": "TLS 1.0", "c_compressions": "00", "s_compression": "00"}
    exe = {"name": "curl", "path": "/usr/bin/curl", "pid": 7, "side": side}
    return json.dumps(base | {"tls": hello | tls, "exe": exe})


def test_processes_from_records(tmp_path: Path) -> None:
    lines = [record(1, ">"), record(2, ">"), record(3, "<")]
    path = tmp_path / "flows.json"
    path.write_text("\n".join(lines) + "\n")
    report = audit(path, "--by", "process")
    offered = {f["subject"]: f["flows"] for f in rule_of(report, "version-offered")["findings"]}
    assert offered == {"/usr/bin/curl": 2, "(process not known)": 1}
    chosen = {f["subject"]: f["flows"] for f in rule_of(report, "version-negotiated")["findings"]}
    assert chosen == {"/usr/bin/curl": 1, "(process not known)": 2}
    by_host = rule_of(audit(path), "version-offered")["findings"]
    assert by_host[0]["processes"] == {"/usr/bin/curl": 2}


def test_client_that_did_not_begin(tmp_path: Path) -> None:
    """The records' list says who sent ClientHello; that one is the client."""
    srlt = [{"b": 100, "dir": "<", "ipt": 0, "tp": 22, "hs_types": [1], "hs_lens": [96]}]
    path = tmp_path / "flows.json"
    path.write_text(record(1, ">", srlt=srlt) + "\n")
    (facts,) = facts_of(path)
    assert (facts.client, facts.server, facts.port) == ("192.0.2.1", "10.0.0.9", 40001)
    assert (facts.client_process, facts.server_process) == (None, "/usr/bin/curl")


def test_what_is_judged_once_counts_as_often_as_it_came(
    captures: dict[str, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Alike handshakes are judged once; the sums are those of judging each."""
    paths = [captures[name] for name in ("old", "unseen", "warning")]
    paths += [ROOT / f"tests/fixtures/{name}.pcap" for name in ("tls", "quic", "browser")]
    seen = facts_of(*paths) * 3
    assert len({f.shape() for f in seen} - {None}) < len(seen) / 3 + 1

    def sums(most: int) -> list:
        monkeypatch.setattr(tally, "SHAPES_MOST", most)
        made = tally.Tally([policies.load(name) for name in policies.installed()])
        for facts in seen:
            made.add(facts)
        made.finish()
        results = [r for several in made.results for r in several]
        return [(r.outcomes, r.unseen, r.findings, r.more) for r in results]

    remembered, few = sums(4096), sums(2)
    monkeypatch.setattr(Facts, "shape", lambda self: None)
    assert remembered == few == sums(4096)


# --- bounds --------------------------------------------------------------------------------------
def test_findings_are_bounded(captures: dict[str, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    (facts, _) = facts_of(captures["old"])
    monkeypatch.setattr(tally, "FINDINGS_MOST", 5)
    monkeypatch.setattr(tally, "SUBJECTS_MOST", 10)
    monkeypatch.setattr(tally, "SERVICES_MOST", 3)
    made = tally.Tally([policies.load("mozilla-intermediate")], "host")
    for number in range(40):
        facts.sni = f"host{number}.test"
        made.add(facts)
    made.finish()
    results = made.results[0]
    assert sum(len(r.findings) for r in results) == 5
    for result in results:
        listed = sum(f.flows for f in result.findings.values())
        assert listed + result.more == result.outcomes["failed"]
    history = next(r for r in results if r.rule.id == "downgrade-history")
    assert history.unseen == {"too many services to compare": 37}
    assert len(made.services) == 10


def test_details_are_bounded() -> None:
    found = tally.Finding("x", "server")
    for number in range(50):
        case = {"time": float(number)}
        found.add(f"wrong {number}", f"process {number}", case)
    assert len(found.details) == tally.DETAILS_MOST + 1
    assert found.details[tally.OTHER] == 50 - tally.DETAILS_MOST
    assert len(found.processes) == tally.PROCESSES_MOST + 1
    assert len(found.examples) == tally.EXAMPLES_MOST
    assert (found.first, found.last, found.flows) == (0.0, 49.0, 50)


# --- exit codes ----------------------------------------------------------------------------------
def test_exit_codes(captures: dict[str, Path], tmp_path: Path) -> None:
    def code(*arguments: str | Path) -> int:
        return joy("audit", *arguments, "--quiet").returncode

    assert code(captures["good"]) == 0  # only notes
    assert code(captures["warning"]) == 0
    assert code(captures["warning"], "--fail-on", "warning") == 1
    assert code(captures["old"]) == 1
    assert code(captures["old"], "--fail-on", "never") == 0
    assert code(captures["good"], "--policy", "nonesuch") == 2
    assert code(captures["good"], "--by", "port") == 2
    assert code(captures["good"], "--format", "xml") == 2
    assert code(captures["good"], "--fail-on", "note") == 2
    assert code() == 2
    assert code(tmp_path / "not-there.pcap") == 1


def test_damaged_input(captures: dict[str, Path], tmp_path: Path) -> None:
    whole = captures["good"].read_bytes()
    half = tmp_path / "half.pcap"
    half.write_bytes(whole[:-7])
    done = joy("audit", half)
    assert done.returncode == 3
    assert "half.pcap" in done.stderr
    broken = tmp_path / "broken.pcap"
    broken.write_bytes(captures["old"].read_bytes()[:-7])
    assert joy("audit", broken, "--quiet").returncode == 1


# --- reports -------------------------------------------------------------------------------------
def test_formats_by_suffix(captures: dict[str, Path], tmp_path: Path) -> None:
    starts = {"html": "<!doctype html>", "json": "{", "sarif": "{", "txt": "2 handshakes (1 DTLS"}
    for suffix, start in starts.items():
        path = tmp_path / f"report.{suffix}"
        done = joy("audit", captures["old"], "-O", path, "--quiet")
        assert (done.returncode, done.stdout) == (1, "")
        assert path.read_text().startswith(start)
    assert sorted(p.suffix for p in tmp_path.iterdir()) == [".html", ".json", ".sarif", ".txt"]
    assert joy("audit", captures["old"], "-O", tmp_path / "no/x.json").returncode == 1


def test_text_obeys_no_one(captures: dict[str, Path]) -> None:
    done = joy("audit", captures["hostile"])
    assert "\x1b" not in done.stdout
    assert "\u202e" not in done.stdout
    assert "<img src=x onerror=alert(1)>" in done.stdout
    assert "\\x1b[31m" in done.stdout
    assert "error   version-negotiated: negotiated TLS 1.0 (1)" in done.stdout


def test_no_handshakes_is_no_praise() -> None:
    none = ROOT / "tests/fixtures/icmp.pcap"
    done = joy("audit", none)
    assert done.returncode == 0
    assert "nothing was judged" in done.stdout
    assert "kept" not in done.stdout
    page = joy("audit", none, "--format", "html").stdout
    assert "nothing was judged" in page


class Page(HTMLParser):
    """Tags, attributes and text of a page; unbalanced tags are an error."""

    VOID = {"meta", "br", "img", "link", "input"}

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.words.append(data)


def test_html_escapes(captures: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "page.html"
    joy("audit", captures["hostile"], "-p", "nist-800-52r2", "-p", "cnsa-2.0", "-O", path)
    page = Page(path.read_text())
    names_of = {tag for tag, _ in page.tags}
    assert "img" not in names_of
    assert "script" not in names_of
    assert not [a for _, attrs in page.tags for a in attrs if a.startswith("on")]
    assert "\x1b" not in path.read_text()
    text = "".join(page.words)
    assert "<img src=x onerror=alert(1)>" in text
    for rule in policies.load("cnsa-2.0").rules:
        assert rule.title in text
        assert rule.source in text


def test_html_needs_nothing_else(captures: dict[str, Path]) -> None:
    done = joy("audit", captures["old"], "--format", "html")
    page = Page(done.stdout)
    for tag, attrs in page.tags:
        assert "src" not in attrs
        assert tag not in ("link", "script", "iframe", "object")
        assert not attrs.get("href", "#").startswith("//")
    style = done.stdout.split("<style>")[1].split("</style>")[0]
    assert "url(" not in style
    assert "@import" not in style
    assert "prefers-color-scheme: dark" in style
    assert "@media print" in style


def test_json_counts_agree(captures: dict[str, Path]) -> None:
    report = audit(captures["old"], captures["unseen"], "-p", "nist-800-52r2")
    total = sum(report["flows"].values())
    assert total == 7
    for rule in report["policies"][0]["rules"]:
        assert sum(rule["flows"].values()) == total
        assert sum(rule["not_seen"].values()) == rule["flows"]["not_seen"]
        assert sum(f["flows"] for f in rule["findings"]) == rule["flows"]["failed"]


def test_hostile_name_in_json(captures: dict[str, Path]) -> None:
    report = audit(captures["hostile"])
    (found,) = rule_of(report, "version-negotiated")["findings"]
    assert found["examples"][0]["sni"] == HOSTILE


def test_sarif(captures: dict[str, Path], tmp_path: Path) -> None:
    path = tmp_path / "audit.sarif"
    chosen = ("-p", "mozilla-intermediate", "-p", "cnsa-2.0")
    joy("audit", captures["old"], *chosen, "-O", path, "--quiet")
    log = json.loads(path.read_text())
    assert log["version"] == "2.1.0"
    assert log["$schema"].endswith("sarif-schema-2.1.0.json")
    assert [r["automationDetails"]["id"] for r in log["runs"]] == [
        "joy-audit/mozilla-intermediate/",
        "joy-audit/cnsa-2.0/",
    ]
    for run in log["runs"]:
        check_run(run)
    levels = {r["level"] for run in log["runs"] for r in run["results"]}
    assert levels == {"error", "warning", "note"}
    broken = {r["ruleId"] for r in log["runs"][0]["results"]}
    assert "mozilla-intermediate/version-negotiated" in broken


def check_run(run: dict) -> None:
    """What sections 3.14 to 3.49 of SARIF 2.1.0 ask of a run like ours."""
    driver = run["tool"]["driver"]
    assert isinstance(driver["name"], str)
    ids = [r["id"] for r in driver["rules"]]
    assert len(ids) == len(set(ids))
    for rule in driver["rules"]:
        assert rule["defaultConfiguration"]["level"] in ("error", "warning", "note")
        for key in ("shortDescription", "fullDescription", "help"):
            assert rule[key]["text"]
    (invocation,) = run["invocations"]
    assert isinstance(invocation["executionSuccessful"], bool)
    for notice in invocation["toolExecutionNotifications"]:
        assert notice["level"] in ("error", "warning", "note")
        assert notice["message"]["text"]
        assert notice.get("associatedRule", {"id": ids[0]})["id"] in ids
    for artifact in run["artifacts"]:
        assert " " not in artifact["location"]["uri"]
    prints = set()
    for result in run["results"]:
        assert ids[result["ruleIndex"]] == result["ruleId"]
        assert result["level"] in ("error", "warning", "note")
        assert result["kind"] == "fail"
        assert result["message"]["text"]
        assert result["occurrenceCount"] >= 1
        (location,) = result["locations"]
        place = location["physicalLocation"]["artifactLocation"]
        assert run["artifacts"][place["index"]]["location"]["uri"] == place["uri"]
        assert location["logicalLocations"][0]["fullyQualifiedName"]
        prints.add(result["partialFingerprints"]["ruleAndSubject/v1"])
    assert len(prints) == len(run["results"])


# --- real captures -------------------------------------------------------------------------------
def test_real_handshakes() -> None:
    """Programs' own handshakes (OpenSSL, curl, a browser): what make_fixtures.sh had them do."""
    report = audit(ROOT / "tests/fixtures/tls.pcap", "-p", "nist-800-52r2")
    assert report["flows"] == {"tls": 17}
    old = rule_of(report, "version-obsolete")["findings"]
    assert [f["subject"] for f in old] == ["web.test:4401 at 192.0.2.1"]
    eleven = rule_of(report, "version-11")["findings"]
    assert [f["subject"] for f in eleven] == ["web.test:4402 at 192.0.2.1"]
    transported = {f["subject"] for f in rule_of(report, "rsa-key-transport")["findings"]}
    assert transported == {f"web.test:{port} at 192.0.2.1" for port in (4401, 4403)}
    browser = audit(ROOT / "tests/fixtures/browser.pcap")
    assert rule_of(browser, "pq-offered")["flows"]["passed"] == 3
    assert rule_of(browser, "pq-negotiated")["flows"]["failed"] == 3
