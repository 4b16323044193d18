# SPDX-License-Identifier: BSD-3-Clause
"""Outcomes added up: per rule, and per rule and whom it concerns.  All of it is bounded.

Who is concerned depends on the view: a host (the service for what servers do, the client for what
clients do), a process, or the single flow.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from joy.audit import names
from joy.audit.facts import Facts
from joy.audit.outcome import FAILED, PASSED, UNSEEN, Outcome
from joy.audit.policy import Policy, Rule
from joy.audit.rules import judge, server_able

EXAMPLES_MOST, DETAILS_MOST, PROCESSES_MOST = 3, 8, 8
FINDINGS_MOST = 50_000  # pairs of rule and subject
SUBJECTS_MOST = 100_000
SERVICES_MOST = 20_000  # whose versions are remembered
PAIRS_MOST = 64  # versions offered and negotiated with a service, per subject
SHAPES_MOST = 4096  # handshakes that differ, whose outcomes are remembered
OTHER = "(others)"


def end(address: str, port: int | None) -> str:
    """An address with its port, IPv6 in brackets."""
    host = f"[{address}]" if ":" in address else address
    return host if port is None else f"{host}:{port}"


def service(facts: Facts) -> str:
    """Who answers: name and port, and where; and over what when it is not TCP."""
    over = "" if facts.protocol == "tls" else f" over {facts.protocol.upper()}"
    at = end(facts.server, facts.port)
    if not facts.sni:
        return at + over
    return end(facts.sni, facts.port) + f" at {end(facts.server, None)}{over}"


def subject(view: str, side: str, facts: Facts) -> str:
    """Whom an outcome concerns."""
    if view == "flow":
        return f"flow {facts.flow_id}: {end(facts.client, facts.client_port)} to {service(facts)}"
    if view == "process":
        path = facts.server_process if side == "server" else facts.client_process
        return path or "(process not known)"
    return service(facts) if side == "server" else facts.client


def example(facts: Facts, what: str) -> dict[str, Any]:
    """One case to look up: which flow, when, between whom, what."""
    return {
        "flow_id": facts.flow_id,
        "time": facts.time,
        "client": end(facts.client, facts.client_port),
        "server": end(facts.server, facts.port),
        "sni": facts.sni,
        "protocol": facts.protocol,
        "ja4": facts.ja4,
        "what": what,
    }


@dataclass
class Finding:
    """A rule that somebody breaks.

    Attributes:
        first, last: time of the first, last flow that breaks it, in seconds since 1970.
        details: what was wrong, and in how many flows; "(others)" beyond a few.
        processes: of the side concerned, likewise.
    """

    subject: str
    side: str
    flows: int = 0
    first: float = 0.0
    last: float = 0.0
    details: Counter[str] = field(default_factory=Counter)
    processes: Counter[str] = field(default_factory=Counter)
    examples: list[dict[str, Any]] = field(default_factory=list)

    def add(self, what: str, process: str | None, case: dict[str, Any], count: int = 1) -> None:
        """One more flow, or several alike."""
        when = case["time"]
        self.first = min(self.first, when) if self.flows else when
        self.last = max(self.last, when) if self.flows else when
        self.flows += count
        _bounded(self.details, what, DETAILS_MOST, count)
        if process:
            _bounded(self.processes, process, PROCESSES_MOST, count)
        if len(self.examples) < EXAMPLES_MOST:
            self.examples.append(case)


def _bounded(counter: Counter[str], key: str, most: int, count: int = 1) -> None:
    """Count under a key, or under "(others)" when there are enough keys."""
    counter[key if key in counter or len(counter) < most else OTHER] += count


@dataclass
class Result:
    """What came out of one rule.

    Attributes:
        outcomes: flows by kind of outcome.
        unseen: flows by why it could not be told.
        findings: by subject.
        more: flows that break it whose subject is not listed for lack of room.
    """

    rule: Rule
    outcomes: Counter[str] = field(default_factory=Counter)
    unseen: Counter[str] = field(default_factory=Counter)
    findings: dict[str, Finding] = field(default_factory=dict)
    more: int = 0

    def sorted(self) -> list[Finding]:
        """Findings, most flows first, then by name."""
        return sorted(self.findings.values(), key=lambda f: (-f.flows, f.subject))


@dataclass
class _Shape:
    """What the rules say of handshakes that are alike, and how many of them came.

    Attributes:
        broken: results of the rules that they break, with what is wrong.
        others: results of the other rules.
    """

    broken: list[tuple[Result, Outcome]]
    others: list[tuple[Result, Outcome]]
    count: int = 0


@dataclass
class _Seen:
    """Flows of one subject that offered and negotiated the same with a service."""

    facts: Facts
    count: int = 1


class _Service:
    """What a service negotiated with whom."""

    def __init__(self) -> None:
        self.best = 0
        self.pairs: dict[tuple[int, int, str], _Seen] = {}


class Tally:
    """All outcomes of a run.

    Args:
        policies: to hold the flows against.
        view: host, process or flow.
    """

    def __init__(self, policies: Iterable[Policy], view: str = "host") -> None:
        self.policies = list(policies)
        self.view = view
        self.results = [[Result(rule) for rule in p.rules] for p in self.policies]
        self.flows: Counter[str] = Counter()
        self.unseen: Counter[str] = Counter()
        self.services: set[str] = set()
        self.clients: set[str] = set()
        self._places = 0
        self._history: dict[str, _Service] = {}
        self._forgotten = 0
        self._done = False
        self._shapes: dict[tuple, _Shape] = {}
        self._watches = any(_wants_history(r) for p in self.policies for r in p.rules)

    def add(self, facts: Facts) -> None:
        """One more handshake."""
        self.flows[facts.protocol] += 1
        self._count_unseen(facts)
        for known, name in ((self.services, service(facts)), (self.clients, facts.client)):
            if len(known) < SUBJECTS_MOST:
                known.add(name)
        if self._watches:
            self._remember(facts)
        key = facts.shape()
        shape = self._shapes.get(key) if key else None
        if shape is None:
            shape = self._judge(facts)
            if key:
                self._remember_shape(key, shape)
        for result, outcome in shape.broken:
            self._fail(result, facts, outcome.what)
        shape.count += 1
        if not key:
            _settle(shape)

    def finish(self) -> None:
        """Judge what needs more than one flow; once, behind the last."""
        if self._done:
            return
        self._done = True
        self._settle_all()
        for results in self.results:
            for result in results:
                if _wants_history(result.rule):
                    self._judge_history(result)

    def count(self, policy: int, severity: str) -> int:
        """Findings of a severity in a policy."""
        return sum(len(r.findings) for r in self.results[policy] if r.rule.severity == severity)

    def worst(self) -> list[str]:
        """Severities that some rule was broken at."""
        broken = {r.rule.severity for rs in self.results for r in rs if r.outcomes[FAILED]}
        return sorted(broken)

    def _count_unseen(self, facts: Facts) -> None:
        if facts.suites is None:
            self.unseen["no ClientHello"] += 1
        if facts.suite is None:
            self.unseen["no ServerHello"] += 1
        for mark in ("midstream", "cut", "capped", "malformed"):
            if mark in facts.marks:
                self.unseen[f"marked {mark}"] += 1
        if facts.suite and facts.encrypted_certificates:
            self.unseen["certificates are encrypted (TLS 1.3)"] += 1

    def _judge(self, facts: Facts) -> _Shape:
        shape = _Shape([], [])
        for results in self.results:
            for result in results:
                outcome = judge(result.rule, facts)
                if _wants_history(result.rule) and outcome.kind == PASSED:
                    continue  # judged at the end
                (shape.broken if outcome.kind == FAILED else shape.others).append((result, outcome))
        return shape

    def _remember_shape(self, key: tuple, shape: _Shape) -> None:
        if len(self._shapes) >= SHAPES_MOST:
            self._settle_all()
        self._shapes[key] = shape

    def _settle_all(self) -> None:
        for shape in self._shapes.values():
            _settle(shape)
        self._shapes.clear()

    def _fail(self, result: Result, facts: Facts, what: str, count: int = 1) -> None:
        side = result.rule.side
        who = subject(self.view, side, facts)
        finding = result.findings.get(who)
        if finding is None:
            if self._places >= FINDINGS_MOST:
                result.more += count
                return
            self._places += 1
            finding = result.findings[who] = Finding(who, side)
        process = facts.server_process if side == "server" else facts.client_process
        finding.add(what, process, example(facts, what), count)

    def _remember(self, facts: Facts) -> None:
        """What a service negotiated, for downgrades that only a comparison shows."""
        if facts.version is None or facts.suites is None:
            return
        key = service(facts)
        known = self._history.get(key)
        if known is None:
            if len(self._history) >= SERVICES_MOST:
                self._forgotten += 1
                return
            known = self._history[key] = _Service()
        known.best = max(known.best, server_able(facts))
        sides = (subject(self.view, side, facts) for side in ("server", "client"))
        pair = (names.rank(facts.best_offered or ""), facts.rank, " | ".join(sides))
        if pair in known.pairs:
            known.pairs[pair].count += 1
        elif len(known.pairs) < PAIRS_MOST:
            known.pairs[pair] = _Seen(facts)
        else:
            self._forgotten += 1

    def _judge_history(self, result: Result) -> None:
        for known in self._history.values():
            for (offered, negotiated, _), seen in known.pairs.items():
                if judge(result.rule, seen.facts).kind != PASSED:
                    continue  # counted when it came
                if negotiated < min(offered, known.best):
                    best = next(k for k, v in names.RANKS.items() if v == min(offered, known.best))
                    what = f"{seen.facts.version}, though both can do {best}"
                    result.outcomes[FAILED] += seen.count
                    self._fail(result, seen.facts, what, seen.count)
                else:
                    result.outcomes[PASSED] += seen.count
        if self._forgotten:
            result.outcomes[UNSEEN] += self._forgotten
            result.unseen["too many services to compare"] += self._forgotten


def _settle(shape: _Shape) -> None:
    """Add the outcomes of a shape to the results, as often as it came."""
    for result, outcome in (*shape.broken, *shape.others):
        result.outcomes[outcome.kind] += shape.count
        if outcome.kind == UNSEEN:
            result.unseen[outcome.what] += shape.count


def _wants_history(rule: Rule) -> bool:
    return rule.check.kind == "downgrade" and "history" in rule.check.faults
