# SPDX-License-Identifier: BSD-3-Clause
"""A check held against what was seen of a handshake.

Each has one of four outcomes: passed, failed, unseen (what it needs was not in the capture, or is
encrypted), apart (the check does not speak of such a handshake).  What was not seen never passes.
"""

from __future__ import annotations

from collections.abc import Callable

from joy.audit import certificates, names
from joy.audit.facts import RENEGOTIATION_INFO, STATUS_REQUEST, Facts
from joy.audit.outcome import (
    APART,
    CUT_CLIENT,
    CUT_SERVER,
    FAILED,
    KEPT,
    NO_CLIENT,
    NO_SERVER,
    PASSED,
    RESUMED,
    UNSEEN,
    Outcome,
    among,
    listed,
)
from joy.audit.policy import Check, Rule, When


def judge(rule: Rule, facts: Facts) -> Outcome:
    """What a rule says of a handshake."""
    if facts.protocol not in rule.protocols:
        return Outcome(APART, "other protocol")
    return _applies(rule.when, facts) or _CHECKS[rule.check.kind](rule.check, facts)


def _applies(when: When, facts: Facts) -> Outcome | None:
    """None when the rule is about such a handshake."""
    if when.offered is not None and facts.best_offered not in when.offered:
        if facts.suites is None:
            return NO_CLIENT
        return Outcome(APART, f"{facts.best_offered} offered")
    for wanted, was in ((when.versions, facts.version), (when.ciphersuites, facts.suite)):
        if wanted is None:
            continue
        if was is None:
            return NO_SERVER
        if was not in wanted:
            return Outcome(APART, f"{was} negotiated")
    return None


def _offered(check: Check, facts: Facts, values: tuple[str, ...] | None) -> Outcome:
    """A list of the client's.  None: it has no such list, or its hello was not seen."""
    if facts.suites is None:
        return NO_CLIENT
    if values is None:
        if not facts.whole[0]:
            return CUT_CLIENT
        return among(check, (), "offers") if check.any_of else Outcome(APART, "no such list")
    found = among(check, values, "offers")
    return found if facts.whole[0] or found.kind == FAILED and not check.any_of else CUT_CLIENT


def _chosen(check: Check, facts: Facts, value: str | None, missing: Outcome) -> Outcome:
    """One name that the server chose."""
    if facts.suite is None:
        return NO_SERVER
    return missing if value is None else among(check, (value,), "negotiated")


def _version(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return NO_SERVER if not facts.version else among(check, (facts.version,), "negotiated")
    if check.of == "best_offered" and facts.best_offered:
        return _offered(check, facts, (facts.best_offered,))
    return _offered(check, facts, facts.versions)


def _ciphersuite(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return _chosen(check, facts, facts.suite, NO_SERVER)
    return _offered(check, facts, facts.suites)


def _key_exchange(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        if facts.suite is None:
            return NO_SERVER
        name = names.key_exchange(facts.suite)
        found = among(check, (name,), "negotiated")
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
    missing = RESUMED if facts.resumed else Outcome(UNSEEN, "group not named")
    return _chosen(check, facts, facts.group, missing)


def _signature(check: Check, facts: Facts) -> Outcome:
    if check.of == "offered":
        return _offered(check, facts, facts.signatures)
    own = facts.key_signature if check.of == "server_key_exchange" else facts.verify_signature
    if own is not None:
        return among(check, (own,), "signed with")
    if facts.suite is None:
        return NO_SERVER
    if facts.encrypted_certificates:
        return Outcome(UNSEEN, "signature is encrypted (TLS 1.3)")
    return RESUMED if facts.resumed else Outcome(APART, "no signature that names its algorithm")


def _key_size(check: Check, facts: Facts) -> Outcome:
    if facts.suite is None:
        return NO_SERVER
    if facts.exchange_bits is None:
        if facts.resumed:
            return RESUMED
        return Outcome(UNSEEN, "size of the key exchange not seen")
    kind, bits = facts.exchange_bits
    least = check.minimum.get(kind)
    if least is None:
        return Outcome(APART, f"{kind} key exchange")
    if bits < least:
        return Outcome(FAILED, f"{bits}-bit {kind} key exchange, below {least}")
    return KEPT


# --- the rest of a hello -------------------------------------------------------------------------
def _compression(check: Check, facts: Facts) -> Outcome:
    if check.of == "negotiated":
        return _chosen(check, facts, facts.compression, CUT_SERVER)
    return _offered(check, facts, facts.compressions)


def _extension(check: Check, facts: Facts) -> Outcome:
    """Extensions that a hello has to have or must not have.

    What a client did not ask for a server cannot answer; it is not held against it.
    """
    server = check.of == "server"
    there = facts.extensions[server]
    if there is None:
        return NO_SERVER if server else NO_CLIENT
    known = names.registry("extensions")
    present = {known.get(n, "") for n in there}
    for name in sorted((check.denied or frozenset()) & present):
        return Outcome(FAILED, f"{'answers' if server else 'offers'} {name}")
    if not facts.whole[server]:
        return CUT_SERVER if server else CUT_CLIENT
    missing = (check.required or frozenset()) - present
    if server and missing and facts.extensions[0] is not None:
        asked = {known.get(n, "") for n in facts.extensions[0]}
        if not missing & asked:
            return Outcome(APART, "the client does not offer it")
        missing &= asked
    return Outcome(FAILED, f"without {listed(sorted(missing))}") if missing else KEPT


def _psk_mode(check: Check, facts: Facts) -> Outcome:
    return _offered(check, facts, facts.psk_modes)


def _secure_renegotiation(check: Check, facts: Facts) -> Outcome:
    """RFC 5746: the extension, of clients the signalling suite too; TLS 1.3 cannot renegotiate."""
    server = check.of == "server"
    there = facts.extensions[server]
    if there is None:
        return NO_SERVER if server else NO_CLIENT
    asked = "TLS_EMPTY_RENEGOTIATION_INFO_SCSV" in facts.signals
    if not server:
        if _only_13(facts):
            return Outcome(APART, "offers TLS 1.3 only")
        if asked or RENEGOTIATION_INFO in there:
            return KEPT
        wrong = Outcome(FAILED, "does not signal secure renegotiation")
        return wrong if facts.whole[0] else CUT_CLIENT
    if facts.rank >= names.RANKS["TLS 1.3"]:
        return Outcome(APART, "TLS 1.3 has no renegotiation")
    if RENEGOTIATION_INFO in there:
        return KEPT
    theirs = facts.extensions[0]
    if theirs is not None and not asked and RENEGOTIATION_INFO not in theirs:
        return Outcome(APART, "the client does not signal it")
    wrong = Outcome(FAILED, "does not answer secure renegotiation")
    return wrong if facts.whole[1] else CUT_SERVER


def _only_13(facts: Facts) -> bool:
    return facts.versions_listed and all(names.rank(v) in (0, 7) for v in facts.versions or ())


def _renegotiation(check: Check, facts: Facts) -> Outcome:
    if facts.rank >= names.RANKS["TLS 1.3"]:
        return Outcome(APART, "TLS 1.3 has no renegotiation")
    if facts.renegotiated:
        return Outcome(FAILED, "renegotiates behind application data")
    return NO_SERVER if facts.suite is None else KEPT


def _mark(check: Check, facts: Facts) -> Outcome:
    wrong = sorted((check.denied or frozenset()).intersection(facts.marks))
    if wrong:
        return Outcome(FAILED, f"marked {listed(wrong)}")
    return NO_CLIENT if facts.suites is None and facts.suite is None else KEPT


def _ocsp_staple(check: Check, facts: Facts) -> Outcome:
    if facts.stapled:
        return KEPT
    theirs = facts.extensions[0]
    if theirs is None:
        return NO_CLIENT
    if STATUS_REQUEST not in theirs:
        return Outcome(APART, "the client does not ask for it")
    found = certificates.found_in(Check("ocsp_staple", "server"), facts)
    if isinstance(found, Outcome):
        return found
    return Outcome(FAILED, "no OCSP response with the certificate")


def _downgrade(check: Check, facts: Facts) -> Outcome:
    """What one handshake shows; "history" needs others and is judged at the end (tally.py)."""
    if facts.version is None:
        return NO_SERVER
    if facts.suites is None:
        return NO_CLIENT
    if "fallback_scsv" in check.faults and "TLS_FALLBACK_SCSV" in facts.signals:
        return Outcome(FAILED, f"came back with {facts.best_offered} after a failure")
    if "sentinel" in check.faults:
        able, offered = server_able(facts), names.rank(facts.best_offered or "")
        if facts.rank < min(able, offered):
            return Outcome(FAILED, f"{facts.version}, though the server's random value says more")
    return KEPT


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
    "certificate_key": certificates.key,
    "certificate_signature": certificates.signature,
    "certificate_fault": certificates.fault_of,
    "certificate_validity": certificates.validity,
    "compression": _compression,
    "extension": _extension,
    "psk_mode": _psk_mode,
    "secure_renegotiation": _secure_renegotiation,
    "renegotiation": _renegotiation,
    "downgrade": _downgrade,
    "mark": _mark,
    "ocsp_staple": _ocsp_staple,
}
