# SPDX-License-Identifier: BSD-3-Clause
"""An audit in SARIF 2.1.0 (OASIS): a run for each policy, a result for each finding."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any
from urllib.parse import quote

from joy.audit.policy import Policy, Rule
from joy.audit.report_json import about, finding
from joy.audit.tally import Finding, Result, Tally
from joy.inputs import Flows

SCHEMA = (
    "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"
)


def report(tally: Tally, flows: Flows, version: str) -> dict[str, Any]:
    """A SARIF log."""
    runs = zip(tally.policies, tally.results, strict=True)
    return {
        "$schema": SCHEMA,
        "version": "2.1.0",
        "runs": [_run(policy, results, flows, version) for policy, results in runs],
    }


def _uri(path: str) -> str:
    """A file's name as URI reference; absolute paths as file URI."""
    return Path(path).as_uri() if Path(path).is_absolute() else quote(path)


def _run(policy: Policy, results: list[Result], flows: Flows, version: str) -> dict[str, Any]:
    files = [i.path for i in flows.inputs]
    driver = {
        "name": "joy audit",
        "semanticVersion": version,
        "rules": [_descriptor(policy, r.rule) for r in results],
    }
    return {
        "tool": {"driver": driver},
        "automationDetails": {"id": f"joy-audit/{policy.name}/"},
        "columnKind": "utf16CodeUnits",
        "artifacts": [{"location": {"uri": _uri(f)}} for f in files],
        "invocations": [
            {
                "executionSuccessful": True,
                "toolExecutionNotifications": [
                    *(_trouble(t.text, t.damaged) for t in flows.troubles),
                    *(n for r in results for n in _unseen(policy, r)),
                ],
            }
        ],
        "results": [
            _result(policy, place, result, found, files)
            for place, result in enumerate(results)
            for found in result.sorted()
        ],
        "properties": {"policy": about(policy)},
    }


def _id(policy: Policy, rule: Rule) -> str:
    return f"{policy.name}/{rule.id}"


def _descriptor(policy: Policy, rule: Rule) -> dict[str, Any]:
    out: dict[str, Any] = {
        "id": _id(policy, rule),
        "name": "".join(word.capitalize() for word in rule.id.split("-")),
        "shortDescription": {"text": rule.title},
        "fullDescription": {"text": rule.help or rule.title},
        "help": {"text": f"{policy.title}, {policy.edition}: {rule.source}"},
        "defaultConfiguration": {"level": rule.severity},
        "properties": {"tags": ["security", "tls", rule.side], "source": rule.source},
    }
    if policy.url:
        out["helpUri"] = policy.url
    return out


def _trouble(text: str, damaged: bool) -> dict[str, Any]:
    return {"level": "error" if damaged else "warning", "message": {"text": text}}


def _unseen(policy: Policy, result: Result) -> list[dict[str, Any]]:
    """What could not be judged, as notes of the run: neither passed nor failed."""
    return [
        {
            "level": "note",
            "message": {"text": f"not judged in {count} flows: {why}"},
            "associatedRule": {"id": _id(policy, result.rule)},
        }
        for why, count in sorted(result.unseen.items())
    ]


def _result(
    policy: Policy, place: int, result: Result, found: Finding, files: list[str]
) -> dict[str, Any]:
    what = "; ".join(text for text, _ in found.details.most_common(3))
    plural = "flow" if found.flows == 1 else "flows"
    location: dict[str, Any] = {
        "logicalLocations": [
            {
                "name": found.subject,
                "fullyQualifiedName": f"{found.side}: {found.subject}",
                "kind": "resource",
            }
        ]
    }
    if len(files) == 1:
        location["physicalLocation"] = {"artifactLocation": {"uri": _uri(files[0]), "index": 0}}
    mark = hashlib.sha256(f"{_id(policy, result.rule)}\n{found.subject}".encode()).hexdigest()
    return {
        "ruleId": _id(policy, result.rule),
        "ruleIndex": place,
        "level": result.rule.severity,
        "kind": "fail",
        "message": {"text": f"{found.subject}: {what} ({found.flows} {plural})"},
        "locations": [location],
        "partialFingerprints": {"ruleAndSubject/v1": mark},
        "occurrenceCount": found.flows,
        "properties": finding(found),
    }
