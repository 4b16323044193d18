# SPDX-License-Identifier: BSD-3-Clause
"""An audit as one JSON value."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

from joy.audit.outcome import APART, FAILED, PASSED, UNSEEN
from joy.audit.policy import Policy
from joy.audit.tally import Finding, Result, Tally
from joy.inputs import Flows

OUTCOMES = (FAILED, PASSED, UNSEEN, APART)


def moment(seconds: float) -> str:
    """RFC 3339, UTC, to the microsecond."""
    when = datetime.fromtimestamp(seconds, timezone.utc)
    return when.isoformat(timespec="microseconds").replace("+00:00", "Z")


def about(policy: Policy) -> dict[str, Any]:
    """What a policy is, without its rules."""
    keys = ("name", "title", "publisher", "edition", "date", "url", "scope")
    return {key: getattr(policy, key) for key in keys} | {"unseen": list(policy.unseen)}


def report(tally: Tally, flows: Flows) -> dict[str, Any]:
    """The whole of it: inputs, what was seen, and each policy with its rules and findings."""
    return {
        "joy_audit": 1,
        "view": tally.view,
        "inputs": [{"path": i.path, "kind": i.kind, "bytes": i.size} for i in flows.inputs],
        "damaged": flows.damaged,
        "troubles": [t.text for t in flows.troubles],
        "flows": dict(tally.flows),
        "services": len(tally.services),
        "clients": len(tally.clients),
        "not_seen": dict(tally.unseen),
        "policies": [
            about(policy) | {"rules": [_rule(r) for r in results]}
            for policy, results in zip(tally.policies, tally.results, strict=True)
        ],
    }


def _rule(result: Result) -> dict[str, Any]:
    rule = result.rule
    return {
        "id": rule.id,
        "title": rule.title,
        "severity": rule.severity,
        "source": rule.source,
        "side": rule.side,
        "protocols": sorted(rule.protocols),
        "flows": {kind: result.outcomes[kind] for kind in OUTCOMES},
        "not_seen": dict(result.unseen),
        "findings": [finding(f) for f in result.sorted()],
        "flows_not_listed": result.more,
    }


def finding(found: Finding) -> dict[str, Any]:
    """One finding; counts are flows."""
    return {
        "subject": found.subject,
        "side": found.side,
        "flows": found.flows,
        "first": moment(found.first),
        "last": moment(found.last),
        "details": dict(found.details.most_common()),
        "processes": dict(found.processes.most_common()),
        "examples": [e | {"time": moment(e["time"])} for e in found.examples],
    }
