# SPDX-License-Identifier: BSD-3-Clause
"""Checks of certificates: keys, signatures, validity, names."""

from __future__ import annotations

from collections.abc import Callable
from ipaddress import ip_address

from joy.audit import names
from joy.audit.facts import Facts
from joy.audit.outcome import (
    APART,
    ENCRYPTED,
    FAILED,
    KEPT,
    NO_SERVER,
    RESUMED,
    UNSEEN,
    UNTOLD,
    Outcome,
    among,
    listed,
)
from joy.audit.policy import Check

DAY_S = 86400


def found_in(check: Check, facts: Facts) -> list[dict] | Outcome:
    """Those to look at, the holder's first, or why there are none."""
    server = check.of == "server"
    found = facts.certificates[server]
    if found:
        return found if check.chain == "all" else found[:1]
    if facts.suite is None:
        return NO_SERVER
    if facts.encrypted_certificates:
        return ENCRYPTED
    if facts.resumed:
        return RESUMED
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
    found = found_in(check, facts)
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
    return doubt or KEPT


def _curve(certificate: dict) -> str:
    curve = certificate.get("curve") or ""
    return names.CURVES.get(curve, curve)


def key(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        kind, bits = certificate.get("key_type"), certificate.get("key_length")
        if kind is None:
            return UNTOLD
        if among(check, (kind,), "").kind == FAILED:
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


def signature(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        if place and certificate.get("self_signed"):
            return None  # nobody relies on a root's signature of itself
        name = certificate.get("signature_algorithm")
        if name is None:
            return UNTOLD
        return f"signed with {name}" if among(check, (name,), "").kind == FAILED else None

    return _each(check, facts, fault)


def validity(check: Check, facts: Facts) -> Outcome:
    def fault(certificate: dict, place: int) -> str | Outcome | None:
        first, last = certificate.get("not_before_s"), certificate.get("not_after_s")
        if first is None or last is None:
            return Outcome(UNSEEN, "validity is no time")
        days = (last - first) / DAY_S
        if days <= check.max_days:
            return None
        return f"valid for {days:.0f} days, over {check.max_days:g}"

    return _each(check, facts, fault)


def fault_of(check: Check, facts: Facts) -> Outcome:
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
        return UNTOLD
    return f"X.509 version {version}" if version != 3 else None


def _no_server_auth(certificate: dict, facts: Facts) -> str | None:
    usage = certificate.get("ext_key_usage")
    if usage is None:
        return "no extended key usage"
    return None if "serverAuth" in usage else f"extended key usage {listed(usage)}"


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
    names_held = f" ({listed(v for _, v in held)})" if held else ""
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
