# SPDX-License-Identifier: BSD-3-Clause
"""A check held against what was seen of a handshake.

Each has one of four outcomes: passed, failed, unseen (what it needs was not in the capture, or is
encrypted), apart (the check does not speak of such a handshake).  What was not seen never passes.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import NamedTuple

from joy.audit import names
from joy.audit.facts import RENEGOTIATION_INFO, STATUS_REQUEST, Facts
from joy.audit.policy import Check, Rule, When

PASSED, FAILED, UNSEEN, APART = "passed", "failed", "not_seen", "not_applicable"
DAY_S = 86400
LISTED = 6  # names in one finding


class Outcome(NamedTuple):
    """What came out, and of failures what was wrong, of the unseen why."""

    kind: str
    what: str = ""


_PASSED = Outcome(PASSED)
_NO_CLIENT = Outcome(UNSEEN, "no ClientHello")
_NO_SERVER = Outcome(UNSEEN, "no ServerHello")
_CUT_CLIENT = Outcome(UNSEEN, "ClientHello cut")
_CUT_SERVER = Outcome(UNSEEN, "ServerHello cut")
_ENCRYPTED = Outcome(UNSEEN, "certificates are encrypted (TLS 1.3)")
_RESUMED = Outcome(UNSEEN, "resumed session")
_UNTOLD = Outcome(UNSEEN, "not in the record of a certificate")


def judge(rule: Rule, facts: Facts) -> Outcome:
    """What a rule says of a handshake."""
    if facts.protocol not in rule.protocols:
        return Outcome(APART, "other protocol")
    return _applies(rule.when, facts) or _CHECKS[rule.check.kind](rule.check, facts)


def _applies(when: When, facts: Facts) -> Outcome | None:
    """None when the rule is about such a handshake."""
    if when.offered is not None and facts.best_offered not in when.offered:
        if facts.suites is None:
            return _NO_CLIENT
        return Outcome(APART, f"{facts.best_offered} offered")
    for wanted, was in ((when.versions, facts.version), (when.ciphersuites, facts.suite)):
        if wanted is None:
            continue
        if was is None:
            return _NO_SERVER
        if was not in wanted:
            return Outcome(APART, f"{was} negotiated")
    return None


# --- lists ---------------------------------------------------------------------------------------
def _listed(values: Iterable[str]) -> str:
    """Some names as text."""
    several = list(dict.fromkeys(values))
    more = f" and {len(several) - LISTED} more" if len(several) > LISTED else ""
    return ", ".join(several[:LISTED]) + more


def _among(check: Check, values: Iterable[str], verb: str) -> Outcome:
    """The lists of a check against what is there."""
    values = list(values)
    wrong = [
        v
        for v in values
        if (check.denied is not None and v in check.denied)
        or (check.allowed is not None and v not in check.allowed)
        or (check.at_least and names.rank(v) < names.RANKS[check.at_least])
    ]
    if wrong:
        return Outcome(FAILED, f"{verb} {_listed(wrong)}")
    if check.any_of is not None and not check.any_of.intersection(values):
        return Outcome(FAILED, f"{verb} none of {_listed(sorted(check.any_of))}")
    return _PASSED


def _offered(check: Check, facts: Facts, values: tuple[str, ...] | None) -> Outcome:
    """A list of the client's.  None: it has no such list, or its hello was not seen."""
    if facts.suites is None:
        return _NO_CLIENT
    if values is None:
        if not facts.whole[0]:
            return _CUT_CLIENT
        return _among(check, (), "offers") if check.any_of else Outcome(APART, "no such list")
    found = _among(check, values, "offers")
    return found if facts.whole[0] or found.kind == FAILED and not check.any_of else _CUT_CLIENT


def _chosen(check: Check, facts: Facts, value: str | None, missing: Outcome) -> Outcome:
    """One name that the server chose."""
    if facts.suite is None:
        return _NO_SERVER
    return missing if value is None else _among(check, (value,), "negotiated")


def _version(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return _NO_SERVER if not facts.version else _among(check, (facts.version,), "negotiated")
    if check.of == "best_offered" and facts.best_offered:
        return _offered(check, facts, (facts.best_offered,))
    return _offered(check, facts, facts.versions)


def _ciphersuite(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return _chosen(check, facts, facts.suite, _NO_SERVER)
    return _offered(check, facts, facts.suites)


def _key_exchange(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        if facts.suite is None:
            return _NO_SERVER
        name = names.key_exchange(facts.suite)
        found = _among(check, (name,), "negotiated")
        return found if found.kind == PASSED else Outcome(FAILED, f"{found.what} ({facts.suite})")
    suites = facts.suites
    wanted = None if suites is None else tuple(dict.fromkeys(map(names.key_exchange, suites)))
    return _offered(check, facts, wanted)


def _group(check: Check, facts: Facts) -> Outcome:
    if check.of == "offered":
        return _offered(check, facts, facts.groups)
    if check.of == "key_share":
        return _offered(check, facts, facts.shares)
    if check.any_of and check.allowed is None and facts.suites is not None and facts.whole[0]:
        if not check.any_of.intersection(facts.groups or ()):
            return Outcome(APART, "the client offers none of them")
    if facts.suite and facts.group is None and not facts.resumed:
        if check.any_of:
            return Outcome(FAILED, f"negotiated {facts.suite} without a group")
        if "DHE" not in facts.suite and facts.rank < names.RANKS["TLS 1.3"]:
            return Outcome(APART, "no group")
    missing = _RESUMED if facts.resumed else Outcome(UNSEEN, "group not named")
    return _chosen(check, facts, facts.group, missing)


def _signature(check: Check, facts: Facts) -> Outcome:
    if check.of == "offered":
        return _offered(check, facts, facts.signatures)
    own = facts.key_signature if check.of == "server_key_exchange" else facts.verify_signature
    if own is not None:
        return _among(check, (own,), "signed with")
    if facts.suite is None:
        return _NO_SERVER
    if facts.encrypted_certificates:
        return Outcome(UNSEEN, "signature is encrypted (TLS 1.3)")
    return _RESUMED if facts.resumed else Outcome(APART, "no signature that names its algorithm")


def _key_size(check: Check, facts: Facts) -> Outcome:
    if facts.suite is None:
        return _NO_SERVER
    if facts.exchange_bits is None:
        if facts.resumed:
            return _RESUMED
        return Outcome(UNSEEN, "size of the key exchange not seen")
    kind, bits = facts.exchange_bits
    least = check.minimum.get(kind)
    if least is None:
        return Outcome(APART, f"{kind} key exchange")
    if bits < least:
        return Outcome(FAILED, f"{bits}-bit {kind} key exchange, below {least}")
    return _PASSED


# --- certificates --------------------------------------------------------------------------------
def _certificates(check: Check, facts: Facts) -> list[dict] | Outcome:
    """Those to look at, the holder's first, or why there are none."""
    server = check.of == "server"
    found = facts.certificates[server]
    if found:
        return found if check.chain == "all" else found[:1]
    if facts.suite is None:
        return _NO_SERVER
    if facts.encrypted_certificates:
        return _ENCRYPTED
    if facts.resumed:
        return _RESUMED
    if not server and not facts.certificate_asked:
        return Outcome(APART, "no client certificate asked for")
    if server and _is_bare(facts.suite):
        return Outcome(APART, "ciphersuite without certificates")
    return Outcome(UNSEEN, "no certificate seen")


def _is_bare(suite: str) -> bool:
    """Whether a ciphersuite has no certificates of the server."""
    exchange = names.key_exchange(suite)
    return "anon" in exchange or exchange in ("PSK", "DHE_PSK", "ECDHE_PSK", "PSK_DHE", "SRP_SHA")


def _each(
    check: Check, facts: Facts, fault: Callable[[dict, int], str | Outcome | None]
) -> Outcome:
    """The first fault among the certificates; 'fault' takes one and its place in the chain."""
    found = _certificates(check, facts)
    if isinstance(found, Outcome):
        return found
    doubt: Outcome | None = None
    for place, certificate in enumerate(found):
        if certificate.get("damaged"):
            doubt = Outcome(UNSEEN, "a certificate does not parse")
            continue
        wrong = fault(certificate, place)
        if isinstance(wrong, Outcome):
            doubt = wrong
        elif wrong:
            which = f"certificate {place + 1} of the chain: " if place else ""
            return Outcome(FAILED, which + wrong)
    return doubt or _PASSED


def _curve(certificate: dict) -> str:
    curve = certificate.get("curve") or ""
    return names.CURVES.get(curve, curve)


def _certificate_key(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        kind, bits = certificate.get("key_type"), certificate.get("key_length")
        if kind is None:
            return _UNTOLD
        if _among(check, (kind,), "").kind == FAILED:
            return f"key of type {kind}"
        curve = _curve(certificate)
        if check.curves is not None and curve and curve not in check.curves:
            return f"key on curve {curve}"
        least = check.minimum.get(kind)
        if least is None:
            return None
        if bits is None:
            return Outcome(UNSEEN, "size of a key not known")
        return f"{bits}-bit {kind} key, below {least}" if bits < least else None

    return _each(check, facts, fault)


def _certificate_signature(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        if place and certificate.get("self_signed"):
            return None  # nobody relies on a root's signature of itself
        name = certificate.get("signature_algorithm")
        if name is None:
            return _UNTOLD
        return f"signed with {name}" if _among(check, (name,), "").kind == FAILED else None

    return _each(check, facts, fault)


def _certificate_validity(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        first, last = certificate.get("not_before_s"), certificate.get("not_after_s")
        if first is None or last is None:
            return Outcome(UNSEEN, "validity is no time")
        days = (last - first) / DAY_S
        if days <= check.max_days:
            return None
        return f"valid for {days:.0f} days, over {check.max_days:g}"

    return _each(check, facts, fault)


def _certificate_fault(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        doubt = None
        for name in check.faults:
            if place and name not in _CHAIN_FAULTS:
                continue
            wrong = _FAULTS[name](certificate, facts)
            if isinstance(wrong, str):
                return wrong
            doubt = doubt or wrong
        return doubt

    return _each(check, facts, fault)


def _expired(certificate: dict, facts: Facts) -> str | Outcome | None:
    last = certificate.get("not_after_s")
    if last is None:
        return Outcome(UNSEEN, "validity is no time")
    return f"expired {certificate.get('not_after')}" if facts.time > last else None


def _not_yet_valid(certificate: dict, facts: Facts) -> str | Outcome | None:
    first = certificate.get("not_before_s")
    if first is None:
        return Outcome(UNSEEN, "validity is no time")
    return f"valid only from {certificate.get('not_before')}" if facts.time < first else None


def _self_signed(certificate: dict, facts: Facts) -> str | None:
    return "self-signed" if certificate.get("self_signed") else None


def _no_san(certificate: dict, facts: Facts) -> str | None:
    return None if certificate.get("sans") else "no subject alternative name"


def _malformed(certificate: dict, facts: Facts) -> str | None:
    return "malformed extension" if certificate.get("malformed") else None


def _old_version(certificate: dict, facts: Facts) -> str | Outcome | None:
    version = certificate.get("version")
    if version is None:
        return _UNTOLD
    return f"X.509 version {version}" if version != 3 else None


def _no_server_auth(certificate: dict, facts: Facts) -> str | None:
    usage = certificate.get("ext_key_usage")
    if usage is None:
        return "no extended key usage"
    return None if "serverAuth" in usage else f"extended key usage {_listed(usage)}"


def _name_mismatch(certificate: dict, facts: Facts) -> str | Outcome | None:
    """RFC 9525: whether a name of the certificate is the one asked for."""
    if not facts.sni:
        return Outcome(UNSEEN, "no server name (SNI)")
    held = [(s["type"], s["value"] or "") for s in certificate.get("sans") or ()]
    if not held:
        subject = certificate.get("subject") or ()
        held = [("dns", a["value"] or "") for a in subject if a["name"] == "commonName"]
    if any(kind in ("dns", "ip") and _matches(value, facts.sni) for kind, value in held):
        return None
    names_held = f" ({_listed(v for _, v in held)})" if held else ""
    return f"{facts.sni} is none of its names{names_held}"


def _matches(held: str, asked: str) -> bool:
    held, asked = held.lower().rstrip("."), asked.lower().rstrip(".")
    if held.startswith("*."):
        return "." in asked and asked.split(".", 1)[1] == held[2:]
    try:
        return ip_address(held) == ip_address(asked)
    except ValueError:
        return held == asked


_FAULTS: dict[str, Callable[[dict, Facts], str | Outcome | None]] = {
    "expired": _expired,
    "not_yet_valid": _not_yet_valid,
    "self_signed": _self_signed,
    "no_san": _no_san,
    "name_mismatch": _name_mismatch,
    "old_version": _old_version,
    "no_server_auth": _no_server_auth,
    "malformed": _malformed,
}
_CHAIN_FAULTS = frozenset({"expired", "not_yet_valid", "malformed", "old_version"})


# --- the rest of a hello -------------------------------------------------------------------------
def _compression(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return _chosen(check, facts, facts.compression, _CUT_SERVER)
    return _offered(check, facts, facts.compressions)


def _extension(check: Check, facts: Facts) -> Outcome:
    """Extensions that a hello has to have or must not have.

    What a client did not ask for a server cannot answer; it is not held against it.
    """
    server = check.of == "server"
    there = facts.extensions[server]
    if there is None:
        return _NO_SERVER if server else _NO_CLIENT
    known = names.registry("extensions")
    present = {known.get(n, "") for n in there}
    for name in sorted((check.denied or frozenset()) & present):
        return Outcome(FAILED, f"{'answers' if server else 'offers'} {name}")
    if not facts.whole[server]:
        return _CUT_SERVER if server else _CUT_CLIENT
    missing = (check.required or frozenset()) - present
    if server and missing and facts.extensions[0] is not None:
        asked = {known.get(n, "") for n in facts.extensions[0]}
        if not missing & asked:
            return Outcome(APART, "the client does not offer it")
        missing &= asked
    return Outcome(FAILED, f"without {_listed(sorted(missing))}") if missing else _PASSED


def _psk_mode(check: Check, facts: Facts) -> Outcome:
    return _offered(check, facts, facts.psk_modes)


def _secure_renegotiation(check: Check, facts: Facts) -> Outcome:
    """RFC 5746: the extension, of clients the signalling suite too; TLS 1.3 cannot renegotiate."""
    server = check.of == "server"
    there = facts.extensions[server]
    if there is None:
        return _NO_SERVER if server else _NO_CLIENT
    asked = "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" in facts.signals
    if not server:
        if _only_13(facts):
            return Outcome(APART, "offers TLS 1.3 only")
        if asked or RENEGOTIATION_INFO in there:
            return _PASSED
        wrong = Outcome(FAILED, "does not signal secure renegotiation")
        return wrong if facts.whole[0] else _CUT_CLIENT
    if facts.rank >= names.RANKS["TLS 1.3"]:
        return Outcome(APART, "TLS 1.3 has no renegotiation")
    if RENEGOTIATION_INFO in there:
        return _PASSED
    theirs = facts.extensions[0]
    if theirs is not None and not asked and RENEGOTIATION_INFO not in theirs:
        return Outcome(APART, "the client does not signal it")
    wrong = Outcome(FAILED, "does not answer secure renegotiation")
    return wrong if facts.whole[1] else _CUT_SERVER


def _only_13(facts: Facts) -> bool:
    return facts.versions_listed and all(names.rank(v) in (0, 7) for v in facts.versions or ())


def _renegotiation(check: Check, facts: Facts) -> Outcome:
    if facts.rank >= names.RANKS["TLS 1.3"]:
        return Outcome(APART, "TLS 1.3 has no renegotiation")
    if facts.renegotiated:
        return Outcome(FAILED, "renegotiates behind application data")
    return _NO_SERVER if facts.suite is None else _PASSED


def _mark(check: Check, facts: Facts) -> Outcome:
    wrong = sorted((check.denied or frozenset()).intersection(facts.marks))
    if wrong:
        return Outcome(FAILED, f"marked {_listed(wrong)}")
    return _NO_CLIENT if facts.suites is None and facts.suite is None else _PASSED


def _ocsp_staple(check: Check, facts: Facts) -> Outcome:
    if facts.stapled:
        return _PASSED
    theirs = facts.extensions[0]
    if theirs is None:
        return _NO_CLIENT
    if STATUS_REQUEST not in theirs:
        return Outcome(APART, "the client does not ask for it")
    found = _certificates(Check("ocsp_staple", "server"), facts)
    if isinstance(found, Outcome):
        return found
    return Outcome(FAILED, "no OCSP response with the certificate")


def _downgrade(check: Check, facts: Facts) -> Outcome:
    """What one handshake shows; "history" needs others and is judged at the end (tally.py)."""
    if facts.version is None:
        return _NO_SERVER
    if facts.suites is None:
        return _NO_CLIENT
    if "fallback_scsv" in check.faults and "TLS_FALLBACK_SCSV" in facts.signals:
        return Outcome(FAILED, f"came back with {facts.best_offered} after a failure")
    if "sentinel" in check.faults:
        able, offered = server_able(facts), names.rank(facts.best_offered or "")
        if facts.rank < min(able, offered):
            return Outcome(FAILED, f"{facts.version}, though the server's random value says more")
    return _PASSED


def server_able(facts: Facts) -> int:
    """Rank of the best version that the server is known to have, by this handshake alone.

    A server that could do more says so in its random value (RFC 8446 section 4.1.3).
    """
    if facts.random_end == b"DOWNGRD\x01":
        return names.RANKS["TLS 1.3"]
    if facts.random_end == b"DOWNGRD\x00":
        return max(facts.rank, names.RANKS["TLS 1.2"])
    return facts.rank


_CHECKS: dict[str, Callable[[Check, Facts], Outcome]] = {
    "version": _version,
    "ciphersuite": _ciphersuite,
    "key_exchange": _key_exchange,
    "group": _group,
    "signature": _signature,
    "key_size": _key_size,
    "certificate_key": _certificate_key,
    "certificate_signature": _certificate_signature,
    "certificate_fault": _certificate_fault,
    "certificate_validity": _certificate_validity,
    "compression": _compression,
    "extension": _extension,
    "psk_mode": _psk_mode,
    "secure_renegotiation": _secure_renegotiation,
    "renegotiation": _renegotiation,
    "downgrade": _downgrade,
    "mark": _mark,
    "ocsp_staple": _ocsp_staple,
}
