# SPDX-License-Identifier: BSD-3-Clause
"""Nothing is left of listed addresses, names and users, and nothing else changes.

The capture of everything.py holds them wherever one can; what is left is looked for by the program
(anon_check) and once more here: as text, and as bytes in hexadecimal.
"""

from __future__ import annotations

import gzip
import ipaddress
import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import everything
import mmdb
import pytest
from program import FIXTURES, Run, pcap2flow, program

EVERYTHING = ("features=all", "idp=400", "payload=400", "hd=16", "num_pkts=5")
INTERNAL = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7"]
DOCUMENTATION = ["192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "2001:db8::/32", "fe80::/10"]


@pytest.fixture(name="box")
def make_box(tmp_path: Path) -> Path:
    """A folder with the capture of everything, a list of its addresses, and one of users."""
    (tmp_path / "all.pcap").write_bytes(everything.capture())
    (tmp_path / "ours").write_text("\n".join(everything.OURS))
    (tmp_path / "users").write_text("alice\n")
    return tmp_path


def run(*arguments: str | Path) -> Run:
    """A run that goes well."""
    done = pcap2flow(*arguments)
    assert done.status == 0, done.stderr
    return done


def check(nets: Path, done: Run) -> tuple[int, str]:
    """Exit status and words of anon_check."""
    out = nets.parent / "records.json"
    out.write_bytes(done.stdout)
    command = [str(program()), f"anon={nets}", f"anon_check={out}"]
    checked = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    return checked.returncode, checked.stdout


def texts(item: object, path: str = "") -> Iterator[tuple[str, str]]:
    """Every text of a record with its path."""
    if isinstance(item, dict):
        for key, value in item.items():
            yield from texts(value, f"{path}.{key}" if path else key)
    elif isinstance(item, list):
        for value in item:
            yield from texts(value, path)
    elif isinstance(item, str):
        yield path, item


def left(nets: list[str], done: Run) -> list[str]:
    """Texts that hold a listed address, as text or as the bytes of one that the capture has."""
    listed = [ipaddress.ip_network(n) for n in nets]
    found = []
    known = [ipaddress.ip_address(a).packed.hex() for a in (everything.A, everything.B)]
    known.append(ipaddress.ip_address(everything.C6).packed.hex())
    for path, text in texts([done.config, *done.records]):
        for token in re.findall(r"[0-9a-fA-F:.]{3,}", text.replace("-", ".")):
            try:
                a = ipaddress.ip_address(token.strip("."))
            except ValueError:
                continue
            if any(a.version == n.version and a in n for n in listed):
                found.append(f"{path}: {text}")
        if re.fullmatch(r"(?:[0-9a-f]{2})+", text) and any(k in text for k in known):
            found.append(f"{path}: {text}")
    return found


@pytest.mark.parametrize("bidir", [0, 1])
def test_nothing_is_left_in_a_capture_of_everything(box: Path, bidir: int) -> None:
    options = (*EVERYTHING, f"bidir={bidir}", f"watch={box / 'ours'}", f"label=own:{box / 'ours'}")
    raw = run(*options, box / "all.pcap")
    status, words = check(box / "ours", raw)
    assert status == 1
    for field in ("sa", "da", "encap.sa", "tls.sni", "tls.s_cert.sans.value", "idp_out", "payload",
                  "tls.s_cert.subject.value", "tls.s_cert.ocsp", "watch.entry"):  # fmt: skip
        assert re.search(rf"^{re.escape(field)}[.a-z]*: ", words, re.MULTILINE), (field, words)
    assert left(everything.OURS, raw)

    done = run(*options, f"anon={box / 'ours'}", box / "all.pcap")
    status, words = check(box / "ours", done)
    assert status == 0, words
    assert not left(everything.OURS, done)
    assert len(done.records) == len(raw.records)


@pytest.mark.parametrize("capture", FIXTURES, ids=lambda path: path.name)
def test_nothing_is_left_of_internal_addresses(capture: Path, tmp_path: Path) -> None:
    nets = INTERNAL + DOCUMENTATION
    (tmp_path / "nets").write_text("\n".join(nets))
    done = run(*EVERYTHING, "bidir=1", f"anon={tmp_path / 'nets'}", capture)
    status, words = check(tmp_path / "nets", done)
    assert status == 0, words
    assert not left(nets, done)
    assert check(tmp_path / "nets", run(*EVERYTHING, "bidir=1", capture))[0] == 1


# What anonymisation leaves out or replaces, however it is used.
OPAQUE = ("payload", "data", "value", "idp_out", "idp_in", "const_value", "community_id")


def without(item: object, nets: list[ipaddress.IPv4Network]) -> object:
    """A record without what may change."""
    if isinstance(item, dict):
        return {k: without(v, nets) for k, v in item.items() if k not in (*OPAQUE, "sa", "da")}
    if isinstance(item, list):
        return [without(v, nets) for v in item]
    return item


def test_nothing_else_changes(box: Path) -> None:
    raw = run(*EVERYTHING, "bidir=1", "tls=0", box / "all.pcap")
    done = run(*EVERYTHING, "bidir=1", "tls=0", f"anon={box / 'ours'}", box / "all.pcap")
    assert without(done.records, []) == without(raw.records, [])
    for a, b in zip(done.records, raw.records, strict=True):
        for key in ("idp_out", "idp_in"):
            assert len(a.get(key, "")) == len(b.get(key, ""))
            if key in a:
                assert a[key][:20] == b[key][:20] or a[key][0] == "6"
        assert "payload" not in a


def test_one_address_is_one_address_everywhere(box: Path) -> None:
    """In records, names, URLs and headers it becomes the same."""
    done = run(*EVERYTHING, "bidir=1", f"anon={box / 'ours'}", box / "all.pcap")
    raw = run(*EVERYTHING, "bidir=1", box / "all.pcap")
    becomes = {}
    for a, b in zip(done.records, raw.records, strict=True):
        for key in ("sa", "da"):
            assert becomes.setdefault(b[key], a[key]) == a[key]
            assert a[key] not in (r["sa"] for r in raw.records) or a[key] == b[key]
    new = becomes[everything.B]
    sans = [
        s for r in done.records for s in r.get("tls", {}).get("s_cert", [{}])[0].get("sans", [])
    ]
    values = {s["value"] for s in sans}
    assert f"https://{new}:8443/alice?x=[{becomes[everything.C6]}]" in values
    dashes = new.replace(".", "-")
    assert f"ip-{dashes}.compute.example" in values
    a4 = becomes[everything.A].split(".")
    assert ".".join(reversed(a4)) + ".in-addr.arpa" in values
    idp = next(r["idp_out"] for r in done.records if r["da"] == new and r["pr"] == 132)
    assert idp[32:40] == ipaddress.ip_address(new).packed.hex()
    nat64 = next(r["sa"] for r in done.records if r["sa"].startswith("64:ff9b::"))
    want = ipaddress.ip_address(becomes[everything.A]).packed
    assert ipaddress.ip_address(nat64).packed[12:] == want


def test_the_configuration_line(box: Path) -> None:
    """A filter, and names of files."""
    capture = box / f"from {everything.A}.pcap"
    (box / "all.pcap").rename(capture)
    done = run(f"anon={box / 'ours'}", f"bpf=host {everything.A} or net 10.1.0.0/16", capture)
    raw = run(f"bpf=host {everything.A} or net 10.1.0.0/16", capture)
    assert everything.A not in json.dumps(done.config)
    assert len(done.records) == len(raw.records) > 0
    assert re.search(r"^host [0-9.]+ or net [0-9.]+\.0\.0/16$", done.config["bpf"])


def test_the_key_stays_where_it_is(box: Path) -> None:
    options = (*EVERYTHING, "bidir=1", f"anon={box / 'ours'}", "anon_names=1")
    first = run(*options, box / "all.pcap")
    key = box / "ours.key"
    assert key.stat().st_mode & 0o777 == 0o600
    digits = key.read_text().strip()
    assert re.fullmatch(r"[0-9a-f]{64}", digits)
    assert digits.encode() not in first.stdout
    assert b"ours.key" not in first.stdout
    assert run(*options, box / "all.pcap").stdout == first.stdout
    elsewhere = box / "elsewhere"
    key.rename(elsewhere)
    again = run(*options, f"anon_key={elsewhere}", box / "all.pcap")
    assert again.stdout == first.stdout
    assert not key.exists()
    elsewhere.chmod(0o640)
    done = pcap2flow(*options, f"anon_key={elsewhere}", box / "all.pcap")
    assert done.status == 2
    assert "others may read or write" in done.stderr
    assert "chmod 600" in done.stderr


def test_names_are_hashed(box: Path) -> None:
    options = (*EVERYTHING, "bidir=1")
    raw = run(*options, box / "all.pcap")
    plain = raw.stdout.decode()
    for name in (*everything.NAMES, "inside", "Lab at"):
        assert name in plain
    watch = box / "domains"
    watch.write_text("inside.example\n")
    done = run(*options, f"watch={watch}", f"anon={box / 'ours'}", "anon_names=1", box / "all.pcap")
    told = "\n".join(t for _, t in texts(done.records))
    assert "inside" not in told and "Lab at" not in told and "alice" not in told
    # what was watched for is still found, and ends as the names do
    hits = [r for r in done.records if any(w["what"] == "tls.sni" for w in r.get("watch", []))]
    assert len(hits) == 2  # by TLS and by QUIC
    entry = next(w["entry"] for w in hits[0]["watch"] if w["what"] == "tls.sni")
    assert hits[0]["tls"]["sni"].endswith("." + entry)
    certs = [c for r in done.records for c in r.get("tls", {}).get("s_cert", [])]
    assert certs
    assert not any({"sha1", "sha256", "serial", "key_sha256"} & set(c) for c in certs)


def test_users_are_hashed(box: Path) -> None:
    options = (*EVERYTHING, "bidir=1", f"useranon={box / 'users'}", box / "all.pcap")
    done = run(*options)
    told = "\n".join(t for _, t in texts(done.records))
    assert "alice" not in told
    assert everything.NAMES[0] in told
    assert everything.A in {r["sa"] for r in done.records}
    assert (box / "users.key").exists()


def test_csv_and_gzip(box: Path) -> None:
    options = (*EVERYTHING, "bidir=1", box / "all.pcap")
    for name, anon in (("raw.csv", ()), ("a.csv", (f"anon={box / 'ours'}",)),
                       ("a.json.gz", (f"anon={box / 'ours'}",))):  # fmt: skip
        assert pcap2flow(*options, *anon, f"output={box / name}").status == 0
        checked = subprocess.run(
            [str(program()), f"anon={box / 'ours'}", f"anon_check={box / name}"],
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert checked.returncode == (name == "raw.csv"), checked.stdout
    assert gzip.decompress((box / "a.json.gz").read_bytes())


def test_check_needs_a_list(box: Path) -> None:
    done = pcap2flow(f"anon_check={box / 'all.pcap'}")
    assert done.status == 2
    assert "anon_check needs the list of subnets: anon=FILE" in done.stderr


# --- where addresses are -------------------------------------------------------------------------
def test_countries_and_organisations(box: Path) -> None:
    city = mmdb.write(
        box / "city.mmdb",
        {
            "198.51.100.0/24": {"country": {"iso_code": "DE"}},
            "10.20.30.0/24": {"registered_country": {"iso_code": "CH"}},
            "2001:db8:1::/48": {"country": {"iso_code": "JP"}, "city": {"names": {"en": "X" * 40}}},
        },
    )
    asn = mmdb.write(
        box / "asn.mmdb",
        {
            "198.51.100.0/25": {
                "autonomous_system_number": 64500,
                "autonomous_system_organization": "Example Ü",
            },
            "10.20.30.4/32": {"autonomous_system_number": 4200000000},
        },
    )
    options = ("bidir=1", f"geoip={city}", f"geoip={asn}", box / "all.pcap")
    done = run(*options)
    want = {
        everything.FOREIGN: {"country": "DE", "asn": 64500, "organisation": "Example Ü"},
        everything.FOREIGN6: {"country": "JP"},
        everything.A: {"country": "CH", "asn": 4200000000},
        everything.B: {"country": "CH"},
        everything.C6: None,
    }
    seen = set()
    for r in done.records:
        for key in ("sa", "da"):
            if r[key] in want:
                assert r.get(f"{key}_geo") == want[r[key]], r[key]
                seen.add(r[key])
    assert seen == set(want)
    # of a replaced address nothing is told
    hidden = run(*options[:-1], f"anon={box / 'ours'}", box / "all.pcap")
    for a, b in zip(hidden.records, done.records, strict=True):
        for key in ("sa", "da"):
            assert a.get(f"{key}_geo") == (b.get(f"{key}_geo") if a[key] == b[key] else None)


def test_a_file_that_is_no_database(box: Path) -> None:
    done = pcap2flow(f"geoip={box / 'users'}", box / "all.pcap")
    assert done.status == 2
    assert "geoip: cannot read" in done.stderr or "no libmaxminddb" in done.stderr


# --- options -------------------------------------------------------------------------------------
def test_repeated_options_in_all_their_places(box: Path) -> None:
    conf = box / "joy.cfg"
    conf.write_text(f"label = a:{box / 'ours'}\nlabel = b:{box / 'ours'}\n")
    from_file = run("-x", conf, box / "all.pcap")
    assert from_file.config["label"] == [f"a:{box / 'ours'}", f"b:{box / 'ours'}"]
    assert {tuple(r["sa_labels"]) for r in from_file.records if "sa_labels" in r} == {("a", "b")}
    line = run("-x", conf, f"label=c:{box / 'ours'}", box / "all.pcap")
    assert line.config["label"] == [f"c:{box / 'ours'}"]
    shown = subprocess.run(
        [str(program()), "-x", conf, "show_config=1"], capture_output=True, text=True, check=True
    ).stdout
    assert f"label = a:{box / 'ours'}\nlabel = b:{box / 'ours'}\n" in shown
    assert "watch = none\n" in shown
    conf.write_text(shown)
    assert run("-x", conf, box / "all.pcap").config["label"] == from_file.config["label"]


def test_mistakes_name_file_and_line(box: Path) -> None:
    bad = box / "bad"
    bad.write_text("10.0.0.0/8\n\n10.0.0.0/99\n")
    for option in (f"label=x:{bad}", f"watch={bad}", f"anon={bad}"):
        done = pcap2flow(option, box / "all.pcap")
        assert done.status == 2
        assert f"{bad}:3: 10.0.0.0/99: the length of an IPv4 subnet is 0 to 32" in done.stderr
