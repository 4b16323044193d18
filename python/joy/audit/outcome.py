# SPDX-License-Identifier: BSD-3-Clause
"""What can come out of a check, and what most checks do: hold names against a rule's lists."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from joy.audit import names
from joy.audit.policy import Check

PASSED, FAILED, UNSEEN, APART = "passed", "failed", "not_seen", "not_applicable"
LISTED = 6  # names in one finding


class Outcome(NamedTuple):
    """What came out, and of failures what was wrong, of the unseen why."""

    kind: str
    what: str = ""


KEPT = Outcome(PASSED)
NO_CLIENT = Outcome(UNSEEN, "no ClientHello")
NO_SERVER = Outcome(UNSEEN, "no ServerHello")
CUT_CLIENT = Outcome(UNSEEN, "ClientHello cut")
CUT_SERVER = Outcome(UNSEEN, "ServerHello cut")
ENCRYPTED = Outcome(UNSEEN, "certificates are encrypted (TLS 1.3)")
RESUMED = Outcome(UNSEEN, "resumed session")
UNTOLD = Outcome(UNSEEN, "not in the record of a certificate")


def listed(values: Iterable[str]) -> str:
    """Some names as text."""
    several = list(dict.fromkeys(values))
    more = f" and {len(several) - LISTED} more" if len(several) > LISTED else ""
    return ", ".join(several[:LISTED]) + more


def among(check: Check, values: Iterable[str], verb: str) -> Outcome:
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
        return Outcome(FAILED, f"{verb} {listed(wrong)}")
    if check.any_of is not None and not check.any_of.intersection(values):
        return Outcome(FAILED, f"{verb} none of {listed(sorted(check.any_of))}")
    return KEPT
