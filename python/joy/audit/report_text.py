# SPDX-License-Identifier: BSD-3-Clause
"""An audit for a terminal: rules with their counts, then who breaks which."""

from __future__ import annotations

from collections.abc import Iterator

from rich.console import Console
from rich.table import Table
from rich.text import Text

from joy.audit.outcome import FAILED, PASSED, UNSEEN
from joy.audit.policy import SEVERITIES, Policy
from joy.audit.report_json import moment
from joy.audit.tally import Finding, Result, Tally
from joy.inputs import Flows

NOTHING = "No handshake of TLS, DTLS or QUIC is in it, so that nothing was judged."
COLOURS = {"error": "bold red", "warning": "yellow", "note": "cyan"}


def clean(text: str) -> str:
    """Text from the wire without control characters, which a terminal would obey."""
    return "".join(c if c.isprintable() else f"\\x{ord(c):02x}" for c in text)


def count(number: int, what: str) -> str:
    """A number and its noun."""
    return f"{number:,} {what}{'' if number == 1 else 's'}"


def headline(tally: Tally, flows: Flows) -> str:
    """What was looked at, in a line."""
    kinds = ", ".join(f"{n:,} {p.upper()}" for p, n in sorted(tally.flows.items())) or "none"
    total = count(sum(tally.flows.values()), "handshake")
    where = f"{count(len(tally.services), 'service')} and {count(len(tally.clients), 'client')}"
    return f"{total} ({kinds}) of {where} in {count(len(flows.inputs), 'input')}"


def show(console: Console, tally: Tally, flows: Flows) -> None:
    """Write the report."""
    _line(console, Text(headline(tally, flows)))
    if tally.unseen:
        reasons = "; ".join(f"{why}: {n:,}" for why, n in sorted(tally.unseen.items()))
        _line(console, Text(f"Not everything was seen. {reasons}", "dim"))
    if not tally.flows:
        _line(console, Text(NOTHING, "yellow"))
        return
    for policy, results in zip(tally.policies, tally.results, strict=True):
        _policy(console, policy, results)


def _line(console: Console, text: Text) -> None:
    """A line that is folded on a terminal only."""
    console.print(text, soft_wrap=not console.is_terminal)


def _policy(console: Console, policy: Policy, results: list[Result]) -> None:
    title = Text(f"\n{policy.title}, {policy.edition}", "bold")
    title.append(f"  ({policy.name}; {policy.publisher}, {policy.date})", "dim not bold")
    _line(console, title)
    console.print(_rules(results, console.width))
    for side, name in (("server", "Servers"), ("client", "Clients")):
        subjects = by_subject(results, side)
        if subjects:
            _line(console, Text(f"\n{name}", "bold"))
        for subject, broken in subjects:
            for line in _subject(subject, broken):
                _line(console, line)
    if not any(r.outcomes[FAILED] for r in results):
        _line(console, Text("Nothing wrong was seen.", "green"))


def _rules(results: list[Result], width: int) -> Table:
    """Rules, broken ones first; what they say where there is room."""
    table = Table(box=None, pad_edge=False, header_style="dim")
    for name in ("", "broken", "kept", "not seen"):
        table.add_column(name, justify="right" if name else "left", no_wrap=True)
    table.add_column("rule", no_wrap=True)
    roomy = width >= 100
    if roomy:
        table.add_column("", no_wrap=True, overflow="ellipsis", style="dim")
    order = sorted(
        results, key=lambda r: (not r.outcomes[FAILED], SEVERITIES.index(r.rule.severity))
    )
    for result in order:
        broken = result.outcomes[FAILED]
        colour = COLOURS[result.rule.severity] if broken else "dim"
        table.add_row(
            Text(result.rule.severity, colour),
            Text(f"{broken:,}", colour),
            f"{result.outcomes[PASSED]:,}",
            f"{result.outcomes[UNSEEN]:,}",
            Text(result.rule.id),
            *([Text(result.rule.title)] if roomy else []),
        )
    return table


Broken = list[tuple[Result, Finding]]


def by_subject(results: list[Result], side: str) -> list[tuple[str, Broken]]:
    """Findings by whom they concern, those with the worst severity first."""
    out: dict[str, Broken] = {}
    for result in sorted(results, key=lambda r: SEVERITIES.index(r.rule.severity)):
        for found in result.findings.values():
            if found.side == side:
                out.setdefault(found.subject, []).append((result, found))

    def weight(item: tuple[str, Broken]) -> tuple:
        worst = SEVERITIES.index(item[1][0][0].rule.severity)
        return worst, -sum(f.flows for _, f in item[1]), item[0]

    return sorted(out.items(), key=weight)


def _subject(name: str, broken: Broken) -> Iterator[Text]:
    yield Text(f"  {clean(name)}", "bold")
    for result, found in broken:
        what = "; ".join(f"{clean(t)} ({n:,})" for t, n in found.details.most_common(3))
        line = Text(f"    {result.rule.severity:7} ", COLOURS[result.rule.severity])
        line.append(f"{result.rule.id}: {what}", "default not bold")
        yield line
        where = [result.rule.source]
        if found.processes:
            where.append(", ".join(clean(p) for p, _ in found.processes.most_common(3)))
        case = found.examples[0]
        where.append(f"flow {case['flow_id']} at {moment(case['time'])}")
        yield Text(f"            {'; '.join(where)}", "dim")
