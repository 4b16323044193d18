# SPDX-License-Identifier: BSD-3-Clause
"""An audit as one page of HTML that needs nothing else: no script, no font from elsewhere.

Light or dark as the reader's system is; on paper everything is unfolded.
"""

from __future__ import annotations

from html import escape
from typing import Any

from joy.audit.outcome import APART, FAILED, PASSED, UNSEEN
from joy.audit.policy import SEVERITIES, Policy
from joy.audit.report_json import OUTCOMES, moment
from joy.audit.report_text import NOTHING, Broken, by_subject, clean, count, headline
from joy.audit.tally import Finding, Result, Tally
from joy.inputs import Flows

WORDS = {FAILED: "broken", PASSED: "kept", UNSEEN: "not seen", APART: "does not apply"}
SUBJECTS_SHOWN = 500  # of a side of a policy; the JSON report has them all

STYLE = """
:root { --paper: #fbfaf8; --card: #fff; --ink: #1d2430; --soft: #667085; --line: #e4e2dd;
  --error: #b3261e; --warning: #a05e03; --note: #1f6f8b; --passed: #2e7d5b; --unseen: #b9b5ab;
  --error-tint: #fbe9e7; --warning-tint: #fdf1dc; --note-tint: #e3f1f5; --apart: #efede8; }
@media (prefers-color-scheme: dark) { :root { --paper: #14171c; --card: #1c2027; --ink: #e6e8ec;
  --soft: #98a1b0; --line: #303641; --error: #ff8a80; --warning: #f0b35a; --note: #7cc4dd;
  --passed: #6fc79b; --unseen: #5b6270; --error-tint: #3a1f1e; --warning-tint: #382a14;
  --note-tint: #162f38; --apart: #272c35; } }
* { box-sizing: border-box; }
html { color-scheme: light dark; }
body { margin: 0; background: var(--paper); color: var(--ink);
  font: 15px/1.5 system-ui, -apple-system, "Segoe UI", "Noto Sans", sans-serif; }
main { max-width: 72rem; margin: 0 auto; padding: 2.5rem 1.5rem 4rem; }
h1 { font-size: 1.9rem; letter-spacing: -.02em; margin: 0 0 .25rem; }
h2 { font-size: 1.35rem; letter-spacing: -.01em; margin: 3rem 0 .2rem; }
h3 { font-size: 1.02rem; margin: 2rem 0 .6rem; }
p { margin: .3rem 0; } section > .scroll { margin-top: 1rem; }
.soft { color: var(--soft); } .small { font-size: .86rem; }
a { color: inherit; text-decoration-color: var(--soft); text-underline-offset: .15em; }
code { font: .88em ui-monospace, "Cascadia Mono", "DejaVu Sans Mono", monospace;
  overflow-wrap: anywhere; }
table { width: 100%; border-collapse: collapse; background: var(--card);
  border: 1px solid var(--line); border-radius: .6rem; overflow: hidden; }
.scroll { overflow-x: auto; }
th { text-align: left; font-weight: 600; font-size: .8rem; color: var(--soft); }
th, td { padding: .5rem .75rem; vertical-align: top; border-top: 1px solid var(--line); }
thead th { border-top: 0; } .number { text-align: right; font-variant-numeric: tabular-nums;
  white-space: nowrap; }
.tag { display: inline-block; min-width: 4.4rem; text-align: center; border-radius: 99px;
  padding: .05rem .6rem; font-size: .78rem; font-weight: 600; }
.error { color: var(--error); background: var(--error-tint); }
.warning { color: var(--warning); background: var(--warning-tint); }
.note { color: var(--note); background: var(--note-tint); }
.quiet { color: var(--soft); background: var(--apart); }
.bar { display: flex; height: .5rem; border-radius: 99px; overflow: hidden; min-width: 8rem;
  background: var(--apart); margin-top: .45rem; }
.bar i { display: block; } .bar .b-error { background: var(--error); }
.bar .b-warning { background: var(--warning); } .bar .b-note { background: var(--note); }
.bar .passed { background: var(--passed); } .bar .not_seen { background: var(--unseen); }
.cards { display: grid; gap: .9rem; margin: 1.6rem 0;
  grid-template-columns: repeat(auto-fit, minmax(15rem, 1fr)); }
.card { background: var(--card); border: 1px solid var(--line); border-radius: .8rem;
  padding: 1rem 1.1rem; text-decoration: none; display: block; }
.card b { display: block; margin-bottom: .5rem; } .card .tag { margin: 0 .3rem .3rem 0; }
.fine { border-left: 3px solid var(--line); padding: .2rem 0 .2rem .9rem; margin: 1rem 0; }
details { background: var(--card); border: 1px solid var(--line); border-radius: .6rem;
  margin: .5rem 0; } details > div { padding: 0 1rem .9rem; }
summary { padding: .6rem 1rem; cursor: pointer; }
details > div.scroll { padding: 0; } details table { border-width: 1px 0 0; border-radius: 0; }
summary .tag { margin-left: .5rem; } summary code { font-weight: 600; }
.finding { border-top: 1px solid var(--line); padding: .7rem 0 .1rem; }
.finding ul { margin: .3rem 0; padding-left: 1.2rem; }
.damaged { background: var(--error-tint); color: var(--error); border-radius: .6rem;
  padding: .7rem 1rem; margin: 1rem 0; }
@media print { :root { --paper: #fff; --card: #fff; --ink: #000; --soft: #444; --line: #bbb; }
  main { max-width: none; padding: 0; } body { font-size: 10pt; }
  .card, .finding, tr { break-inside: avoid; } h2, h3, summary { break-after: avoid; }
  .bar, .tag { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
  details::details-content { content-visibility: visible; block-size: auto; }
  details:not([open]) > div { display: block; } }
"""


def text(value: Any) -> str:
    """Anything as text in HTML; control characters are spelt out."""
    return escape(clean(str(value)), quote=True)


def tag(severity: str, words: str | None = None) -> str:
    """A severity, or words in its colour."""
    return f'<span class="tag {severity}">{text(words or severity)}</span>'


def page(tally: Tally, flows: Flows) -> str:
    """The report."""
    pairs = list(enumerate(zip(tally.policies, tally.results, strict=True)))
    body = [
        "<h1>TLS audit</h1>",
        f'<p class="soft">{text(headline(tally, flows))}; by {text(tally.view)}</p>',
        _inputs(flows),
        _unseen(tally),
        f'<div class="cards">{"".join(_card(i, p, r) for i, (p, r) in pairs)}</div>',
        *(_policy(i, p, r) for i, (p, r) in pairs),
    ]
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>TLS audit</title><style>{STYLE}</style></head>\n"
        f"<body><main>\n{chr(10).join(b for b in body if b)}\n</main></body></html>\n"
    )


def _inputs(flows: Flows) -> str:
    some = ", ".join(f"<code>{text(i.path)}</code>" for i in flows.inputs[:12])
    more = len(flows.inputs) - 12
    if more > 0:
        some += f" and {count(more, 'more file')}"
    out = f'<p class="small soft">{some}</p>'
    if flows.damaged:
        lines = "<br>".join(text(t.text) for t in flows.troubles if t.damaged)
        out += f'<div class="damaged"><b>Input was damaged.</b> {lines}</div>'
    return out


def _unseen(tally: Tally) -> str:
    if not tally.flows:
        return f'<div class="fine"><b>{NOTHING}</b></div>'
    if not tally.unseen:
        return ""
    reasons = "; ".join(f"{text(why)}: {n:,}" for why, n in sorted(tally.unseen.items()))
    return (
        '<div class="fine small soft"><b>Not everything was seen.</b> What was not is counted for '
        f"each rule and neither kept nor broken. Handshakes: {reasons}.</div>"
    )


def _card(place: int, policy: Policy, results: list[Result]) -> str:
    counts = dict.fromkeys(SEVERITIES, 0)
    for result in results:
        counts[result.rule.severity] += len(result.findings)
    tags = [tag(s, count(n, s)) for s, n in counts.items() if n]
    tags = tags or [tag("quiet", "nothing wrong seen")]
    return (
        f'<a class="card" href="#policy-{place}"><b>{text(policy.title)}</b>{"".join(tags)}'
        f'<p class="small soft">{text(policy.publisher)}, {text(policy.edition)}</p></a>'
    )


def _link(url: str) -> str:
    """A link, when it is one to the web."""
    if not url.startswith(("https://", "http://")):
        return text(url)
    return f'<a href="{text(url)}" rel="noreferrer">{text(url)}</a>'


def _policy(place: int, policy: Policy, results: list[Result]) -> str:
    parts = [
        f'<section id="policy-{place}"><h2>{text(policy.title)}</h2>',
        f'<p class="soft">{text(policy.publisher)}, {text(policy.edition)}, {text(policy.date)}. '
        f"{_link(policy.url)}</p><p>{text(policy.scope)}</p>",
        _rules(results),
    ]
    for side, name in (("server", "Servers"), ("client", "Clients")):
        found = by_subject(results, side)
        if found:
            parts.append(f"<h3>{name} <span class='soft'>{len(found):,}</span></h3>")
            parts += [_subject(s, b) for s, b in found[:SUBJECTS_SHOWN]]
        if len(found) > SUBJECTS_SHOWN:
            left = count(len(found) - SUBJECTS_SHOWN, "more subject")
            parts.append(f'<p class="soft">{left}: --format json lists them all.</p>')
    if policy.unseen:
        items = "".join(f"<li>{text(u)}</li>" for u in policy.unseen)
        parts.append(
            "<details><summary>What this document asks for and no capture can show</summary>"
            f"<div><ul>{items}</ul></div></details>"
        )
    return "\n".join([*parts, "</section>"])


def _rules(results: list[Result]) -> str:
    """Broken rules, and folded away those that nobody was seen to break."""
    order = sorted(results, key=lambda r: SEVERITIES.index(r.rule.severity))
    broken = [r for r in order if r.outcomes[FAILED]]
    others = [r for r in order if not r.outcomes[FAILED]]
    out = _table(broken) if broken else "<p><b>Nothing wrong was seen.</b></p>"
    if others:
        title = f"{count(len(others), 'rule')} that nobody was seen to break"
        out += f"<details><summary>{title}</summary>{_table(others)}</details>"
    return out


def _table(results: list[Result]) -> str:
    head = "".join(f'<th class="number">{WORDS[k]}</th>' for k in (FAILED, PASSED, UNSEEN))
    rows = "\n".join(_row(r) for r in results)
    return (
        '<div class="scroll"><table><thead><tr><th>Severity</th><th>Rule</th>'
        f"{head}<th>Flows</th></tr></thead><tbody>\n{rows}\n</tbody></table></div>"
    )


def _row(result: Result) -> str:
    rule, counts = result.rule, result.outcomes
    total = sum(counts[k] for k in OUTCOMES) or 1
    colours = {FAILED: f"b-{rule.severity}", PASSED: PASSED, UNSEEN: UNSEEN}
    bar = "".join(
        f'<i class="{colour}" style="width:{100 * counts[kind] / total:.2f}%"></i>'
        for kind, colour in colours.items()
        if counts[kind]
    )
    says = ", ".join(f"{WORDS[k]} {counts[k]:,}" for k in OUTCOMES)
    numbers = "".join(f'<td class="number">{counts[k]:,}</td>' for k in (FAILED, PASSED, UNSEEN))
    why = "; ".join(f"{text(w)}: {n:,}" for w, n in result.unseen.most_common(3))
    extra = f'<br><span class="small soft">Not seen: {why}</span>' if why else ""
    return (
        f"<tr><td>{tag(rule.severity if counts[FAILED] else 'quiet', rule.severity)}</td>"
        f'<td>{text(rule.title)}<br><span class="small soft"><code>{text(rule.id)}</code> '
        f"{text(rule.source)}</span>{extra}</td>{numbers}"
        f'<td><div class="bar" role="img" aria-label="{says}" title="{says}">{bar}</div></td></tr>'
    )


def _subject(name: str, broken: Broken) -> str:
    counts = dict.fromkeys(SEVERITIES, 0)
    for result, _ in broken:
        counts[result.rule.severity] += 1
    tags = "".join(tag(s, count(n, s)) for s, n in counts.items() if n)
    shown = " open" if counts["error"] else ""
    findings = "".join(_finding(r, f) for r, f in broken)
    return (
        f"<details{shown}><summary><code>{text(name)}</code>{tags}</summary>"
        f"<div>{findings}</div></details>"
    )


def _finding(result: Result, found: Finding) -> str:
    rule = result.rule
    details = "".join(
        f"<li>{text(what)} <span class='soft'>{count(n, 'flow')}</span></li>"
        for what, n in found.details.most_common()
    )
    cases = "<br>".join(_case(e) for e in found.examples)
    programs = ", ".join(f"<code>{text(p)}</code>" for p, _ in found.processes.most_common())
    by = f"<p class='small'>Processes: {programs}</p>" if programs else ""
    advice = f"<p class='small'>{text(rule.help)}</p>" if rule.help else ""
    span = moment(found.first)
    if found.last > found.first:
        span += f" to {moment(found.last)}"
    return (
        f'<div class="finding">{tag(rule.severity)} <b>{text(rule.title)}</b> '
        f'<span class="small soft">{text(rule.source)}</span><ul>{details}</ul>{advice}{by}'
        f'<p class="small soft">{span}<br>{cases}</p></div>'
    )


def _case(case: dict[str, Any]) -> str:
    name = f" ({text(case['sni'])})" if case["sni"] else ""
    print_ = f", JA4 <code>{text(case['ja4'])}</code>" if case["ja4"] else ""
    return (
        f"Flow {case['flow_id']}, {moment(case['time'])}: <code>{text(case['client'])}</code> to "
        f"<code>{text(case['server'])}</code>{name}, {text(case['protocol'])}{print_}"
    )
