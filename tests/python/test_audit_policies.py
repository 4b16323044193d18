# SPDX-License-Identifier: BSD-3-Clause
"""Policies of joy audit: errors that name the nearest word, files of one's own, the users' page."""

from __future__ import annotations

import json
from pathlib import Path

import audit_captures as A
import pytest
from audit_captures import GOOD12, GOOD13, OLD, audit, rule_of
from joy.audit import names
from joy.audit import policy as policies
from joy.cli import app
from kit import ROOT, joy
from typer.testing import CliRunner


@pytest.fixture(scope="module")
def captures(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """A capture without errors, and one with an old version."""
    folder = tmp_path_factory.mktemp("policies")
    good = A.capture(folder / "good.pcap", GOOD12, GOOD13.but(carrier="quic"))
    return {"good": good, "old": A.capture(folder / "old.pcap", OLD, GOOD12.but(carrier="dtls"))}


HEAD = """
name = "mine"
title = "Mine"
publisher = "Me"
edition = "1"
date = "2026-01-01"
url = ""
scope = "Here"
"""
RULE = """
[[rule]]
id = "one"
title = "One"
severity = "error"
source = "Section 1"
side = "server"
"""
WRONG = {
    'check = { kind = "verzion", of = "negotiated", allowed = ["TLS 1.2"] }': (
        "mine.toml, rule one, check: kind = 'verzion' is none of",
        "did you mean version?",
    ),
    'check = { kind = "version", of = "chosen", allowed = ["TLS 1.2"] }': (
        "of = 'chosen' is none of negotiated, offered, best_offered",
    ),
    'check = { kind = "version", of = "negotiated", allowed = ["TLS 1.2", "TLS 1.4"] }': (
        "allowed: TLS 1.4 is none of the versions; did you mean TLS 1.",
    ),
    'check = { kind = "version", of = "negotiated", alowed = ["TLS 1.2"] }': (
        "there is no key alowed; did you mean allowed?",
    ),
    'check = { kind = "ciphersuite", of = "offered", denied = ["TLS_AES_128_GMC_SHA256"] }': (
        "TLS_AES_128_GMC_SHA256 is none of the ciphersuites; did you mean TLS_AES_128_GCM_SHA256?",
    ),
    'check = { kind = "ciphersuite", of = "offered", denied = ["*_RC5_*"] }': (
        "*_RC5_* stands for none of the ciphersuites",
    ),
    'check = { kind = "ciphersuite", of = "offered", denied = ["0xFFF0"] }': ("0xFFF0 is none",),
    'check = { kind = "group", of = "negotiated", any_of = ["X25519KLMEM768"] }': (
        "did you mean X25519MLKEM768?",
    ),
    'check = { kind = "version", of = "negotiated" }': ("says nothing",),
    'check = { kind = "version", of = "negotiated", allowed = [] }': ("list of names",),
    'check = { kind = "version", of = "negotiated", allowed = "TLS 1.2" }': ("has to be a list",),
    'check = { kind = "key_size", minimum = { rsb = 2048 } }': (
        "there is no key rsb; did you mean rsa?",
    ),
    'check = { kind = "key_size", minimum = { rsa = true } }': ("rsa has to be a int",),
    'check = { kind = "certificate_fault", of = "server", faults = ["expird"] }': (
        "did you mean expired?",
    ),
    'check = { kind = "certificate_validity", of = "server", max_days = "90" }': (
        "max_days has to be a float",
    ),
    'check = { kind = "downgrade", faults = ["history", "sentinel"] }': ("rule of its own",),
    'check = { kind = "renegotiation", of = "server" }': ("there is no key of",),
    'check = "version"': ("check has to be a dict",),
    'check = { kind = "renegotiation" }\nwhen = { version = ["TLS 1.2"] }': (
        "when: there is no key version; did you mean versions?",
    ),
    'check = { kind = "renegotiation" }\nprotocols = ["tcp"]': ("tcp is none of the protocols",),
    'check = { kind = "renegotiation" }\nlevel = "error"': ("there is no key level",),
    "": ("check is missing",),
}


@pytest.mark.parametrize("text", WRONG)
def test_wrong_checks(text: str) -> None:
    with pytest.raises(policies.PolicyError) as wrong:
        policies.parse(HEAD + RULE + text, "mine.toml")
    for part in WRONG[text]:
        assert part in str(wrong.value)


RIGHT = 'check = { kind = "renegotiation" }\n'


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (HEAD, "mine.toml: rule is missing"),
        (HEAD + "rule = []", "mine.toml: has no rules"),
        (HEAD + RULE + RIGHT + RULE + RIGHT, "mine.toml: there are two rules one"),
        (HEAD.replace("title", "tittle") + RULE + RIGHT, "mine.toml: title is missing"),
        (HEAD + 'autor = "x"\n' + RULE + RIGHT, "there is no key autor"),
        (HEAD + RULE.replace('"error"', '"fatal"') + RIGHT, "severity = 'fatal' is none of error"),
        (HEAD + RULE.replace('"server"', '"peer"') + RIGHT, "side = 'peer' is none of client"),
        ("name = ", "mine.toml: not TOML"),
    ],
)
def test_wrong_policies(text: str, says: str) -> None:
    with pytest.raises(policies.PolicyError) as wrong:
        policies.parse(text, "mine.toml")
    assert says in str(wrong.value)


def test_words_by_number_and_pattern() -> None:
    assert names.expand("0xC02F", "ciphersuites") == {"TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"}
    assert names.expand("0x11ec", "groups") == {"X25519MLKEM768"}
    tables = ("data/iana-ciphers.csv", "data/iana-ssl2-ciphers.csv")
    table = [line for t in tables for line in (ROOT / t).read_text().splitlines()]
    exports = {line.split(",")[1] for line in table if "_EXPORT" in line}
    assert len(exports) > 10
    assert names.expand("*_EXPORT*", "ciphersuites") == exports
    assert "GREASE" not in names.expand("*", "ciphersuites")


def test_suites_on_the_wire() -> None:
    assert names.suite(bytes.fromhex("c02f")) == "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"
    assert names.suite(bytes.fromhex("00002f")) == "TLS_RSA_WITH_AES_128_CBC_SHA"
    assert names.suite(bytes.fromhex("010080")) == "SSL2_RC4_128_WITH_MD5"
    assert names.suite(bytes.fromhex("4a4a")) == ""
    assert names.suite(bytes.fromhex("fff0")) == "0xFFF0"


def test_installed_policies_say_what_they_are() -> None:
    assert set(policies.installed()) == {
        *("mozilla-intermediate", "nist-800-52r2", "fips-140", "bsi-tr-02102-2", "cnsa-2.0"),
    }
    for name in policies.installed():
        policy = policies.load(name)
        assert policy.name == name
        assert policy.url.startswith("https://")
        assert policy.unseen
        assert all(r.source for r in policy.rules)


def test_policy_from_a_file(captures: dict[str, Path], tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    check = 'check = { kind = "version", of = "negotiated", denied = ["TLS 1.2"] }\n'
    mine.write_text(HEAD + RULE + check)
    report = audit(captures["good"], "--policy", mine, "-p", "cnsa-2.0")
    assert [p["name"] for p in report["policies"]] == ["mine", "cnsa-2.0"]
    assert rule_of(report, "one")["flows"]["failed"] == 1


def test_lowest_version(captures: dict[str, Path], tmp_path: Path) -> None:
    mine = tmp_path / "mine.toml"
    mine.write_text(HEAD + RULE + 'check = { kind = "version", of = "negotiated", at_least = "X" }')
    assert joy("audit", "x.pcap", "-p", mine).returncode == 2
    for least, failed in (("TLS 1.0", 0), ("TLS 1.1", 1), ("TLS 1.2", 1), ("TLS 1.3", 2)):
        check = f'check = {{ kind = "version", of = "negotiated", at_least = "{least}" }}'
        mine.write_text(HEAD + RULE + check)
        assert rule_of(audit(captures["old"], "-p", mine), "one")["flows"]["failed"] == failed


def test_unknown_policy_names_the_nearest() -> None:
    done = joy("audit", "x.pcap", "--policy", "mozila-intermediate")
    assert done.returncode == 2
    assert "did you mean mozilla-intermediate?" in " ".join(done.stderr.split())


def test_list() -> None:
    done = joy("audit", "--list")
    assert done.returncode == 0
    listed = json.loads(joy("audit", "--list", "--json").stdout)
    assert {p["name"] for p in listed} == set(policies.installed())
    for one in listed:
        assert one["name"] in done.stdout


# --- the page for users --------------------------------------------------------------------------
PAGE = (ROOT / "doc/audit.md").read_text()


def test_page_lists_policies_and_checks() -> None:
    for name in policies.installed():
        (line,) = [
            row
            for row in PAGE.splitlines()
            if row.startswith(f"| `{name}` | ") and row.endswith("|")
        ][:1]
        assert line.split("|")[-2].strip() == str(len(policies.load(name).rules))
    for kind, about in policies.KINDS.items():
        (line,) = [row for row in PAGE.splitlines() if row.startswith(f"| `{kind}` |")]
        for word in (*about.of, *about.lists, *about.more):
            assert f"`{word}`" in line
    for fault in policies.CERTIFICATE_FAULTS:
        assert f"`{fault}`" in PAGE


def test_example_of_a_policy_is_right(captures: dict[str, Path], tmp_path: Path) -> None:
    example = PAGE.split("```toml\n")[1].split("```")[0]
    mine = tmp_path / "house-rules.toml"
    mine.write_text(example)
    report = audit(captures["old"], "--policy", mine)
    assert rule_of(report, "only-aead")["flows"]["failed"] == 1
    assert rule_of(report, "mac-order")["flows"]["not_applicable"] == 2


def test_examples_of_the_command_are_right(captures: dict[str, Path], tmp_path: Path) -> None:
    """The commands of the page, with a capture and a policy in place of the files they name."""
    (tmp_path / "house-rules.toml").write_text(PAGE.split("```toml\n")[1].split("```")[0])
    lines = [line for line in PAGE.splitlines() if line.startswith("joy audit ")]
    assert len(lines) == 5
    for line in lines:
        words = line.split()[1:]
        for old in ("capture.pcap", "/var/spool/flows", "flows.json.gz"):
            words = [str(captures["good"]) if w == old else w for w in words]
        words = [
            str(tmp_path / w) if w.endswith((".toml", ".html", ".sarif")) else w for w in words
        ]
        done = CliRunner().invoke(app, words)
        assert done.exit_code in (0, 1), done.output
    assert (tmp_path / "audit.html").exists()
    assert (tmp_path / "audit.sarif").exists()
