# SPDX-License-Identifier: BSD-3-Clause
"""The file of labels that fingerprint_db= of pcap2flow reads, with the counts behind its labels.

A line is one JSON object with kind, value and labels, which is all that pcap2flow takes from it;
its other members say how often which program had the fingerprint, and where it went
(doc/fingerprints.md).  Members that are not known here are kept.
"""

from __future__ import annotations

import json
import os
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joy.errors import InputError

LISTS = {"process": "processes", "library": "libraries", "system": "systems"}  # what: member
DESTINATIONS = ("ports", "sni", "as")
COUNTERS = ("versions", *DESTINATIONS)
TIME = "%Y-%m-%dT%H:%M:%S.%fZ"


@dataclass
class Known:
    """What is known of one name for a fingerprint.

    Attributes:
        flows: how many flows of this name had it.
        first, last: when these began, as text in the form of TIME; "" when unknown.
        counts: of COUNTERS, each a number of flows by word.
    """

    flows: int = 0
    first: str = ""
    last: str = ""
    counts: dict[str, Counter[str]] = field(
        default_factory=lambda: {c: Counter() for c in COUNTERS}
    )

    def add(self, other: Known) -> None:
        """Both together."""
        self.flows += other.flows
        self.first = min(filter(None, (self.first, other.first)), default="")
        self.last = max(self.last, other.last)
        for key in COUNTERS:
            self.counts[key].update(other.counts[key])

    def as_json(self, name: str, keep: int, anonymous: bool) -> dict[str, Any]:
        """Its member of a list: at most `keep` words of each counter, the most frequent."""
        item: dict[str, Any] = {"name": name, "flows": self.flows}
        if self.first:
            item |= {"first_seen": self.first, "last_seen": self.last}
        for key in COUNTERS:
            words = _most(self.counts[key])[:keep]
            if words and not (anonymous and key in DESTINATIONS):
                item[key] = dict(words)
        return item


@dataclass
class Entry:
    """A fingerprint: what is known of it by (what, name), labels by hand, other members."""

    names: dict[tuple[str, str], Known] = field(default_factory=dict)
    labels: list[str] = field(default_factory=list)
    more: dict[str, Any] = field(default_factory=dict)

    def ranked(self, what: str) -> list[tuple[str, Known]]:
        """Names of a what, the most frequent first."""
        found = [(name, known) for (kind, name), known in self.names.items() if kind == what]
        return sorted(found, key=lambda pair: (-pair[1].flows, pair[0]))

    def total(self, what: str) -> int:
        """Flows of all names of a what."""
        return sum(known.flows for _, known in self.ranked(what))


Database = dict[tuple[str, str], Entry]  # by kind and value


@dataclass(frozen=True)
class Rules:
    """What of a database is written.

    Attributes:
        flows: names with fewer flows are left out.
        share: names with a smaller share of their fingerprint's flows get no label.
        keep: words of versions, ports, server names and AS that are kept of each name.
        anonymous: no destinations.
    """

    flows: int = 1
    share: float = 0.0
    keep: int = 100
    anonymous: bool = False


def _most(counts: Counter[str]) -> list[tuple[str, int]]:
    return sorted(counts.items(), key=lambda pair: (-pair[1], pair[0]))


# --- reading -------------------------------------------------------------------------------------
def read(path: str | Path, into: Database | None = None) -> Database:
    """Read a file, adding to what is there.

    Raises:
        InputError: it cannot be read, or a line is no entry: with its number.
    """
    found: Database = {} if into is None else into
    try:
        with open(path, encoding="utf-8", newline="\n") as lines:
            for number, line in enumerate(lines, 1):
                if line.strip():
                    _take(found, line, f"{path}:{number}", str(path))
    except UnicodeDecodeError as bad:
        raise InputError(f"{path}: is not UTF-8 ({bad.reason})", str(path)) from None
    except OSError as bad:
        if isinstance(bad, InputError):
            raise
        raise InputError(f"{path}: {bad.strerror}", str(path)) from None
    return found


def _take(found: Database, line: str, where: str, path: str) -> None:
    try:
        item = json.loads(line)
        key = (item.pop("kind"), item.pop("value"))
        if not all(isinstance(text, str) for text in key):
            raise TypeError("kind and value have to be texts")
        entry = _entry(item)
    except (ValueError, KeyError, TypeError, AttributeError) as bad:
        why = f": {bad}" if isinstance(bad, TypeError) else ""
        text = f"{where}: not an object with kind, value and labels{why}"
        raise InputError(text, path) from None
    _merge(found.setdefault(key, Entry()), entry)


def _entry(item: dict[str, Any]) -> Entry:
    entry = Entry()
    for what, member in LISTS.items():
        for known in item.pop(member, []):
            entry.names.setdefault((what, _text(known["name"])), Known()).add(_known(known))
    labels = item.pop("labels", [])
    labels = [labels] if isinstance(labels, str) else labels
    ours = {name for _, name in entry.names}
    entry.labels = [_text(label) for label in labels if label not in ours]
    entry.more = item
    return entry


def _text(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError("labels and names have to be texts")
    return value


def _count(value: Any) -> int:
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise TypeError("counts have to be whole numbers")
    return value


def _known(item: dict[str, Any]) -> Known:
    known = Known(_count(item["flows"]), _text(item.get("first_seen", "")))
    known.last = _text(item.get("last_seen", ""))
    for key in COUNTERS:
        known.counts[key].update({w: _count(n) for w, n in item.get(key, {}).items()})
    return known


def _merge(into: Entry, entry: Entry) -> None:
    for key, known in entry.names.items():
        into.names.setdefault(key, Known()).add(known)
    into.labels += [label for label in entry.labels if label not in into.labels]
    into.more |= entry.more


# --- writing -------------------------------------------------------------------------------------
def lines(database: Database, rules: Rules) -> Iterator[str]:
    """The file's lines, in order of kind and value."""
    for (kind, value), entry in sorted(database.items(), key=lambda pair: pair[0]):
        item: dict[str, Any] = {"kind": kind, "value": value, "labels": list(entry.labels)}
        for what, member in LISTS.items():
            total = entry.total(what)
            kept = [(n, k) for n, k in entry.ranked(what) if k.flows >= rules.flows]
            if kept:
                item[member] = [k.as_json(n, rules.keep, rules.anonymous) for n, k in kept]
            item["labels"] += [
                name
                for name, known in kept
                if known.flows >= rules.share * total and name not in item["labels"]
            ]
        if len(item) > 3 or entry.labels or entry.more:
            yield json.dumps(item | entry.more, ensure_ascii=False, sort_keys=False) + "\n"


def write(path: str | Path, database: Database, rules: Rules | None = None) -> int:
    """Write a file whole, or not at all; gives the number of entries.

    Raises:
        InputError: it cannot be written.
    """
    target, count = Path(path), 0
    part = target.with_name(target.name + ".part")
    try:
        with part.open("w", encoding="utf-8", newline="\n") as out:
            for line in lines(database, rules or Rules()):
                out.write(line)
                count += 1
        os.replace(part, target)
    except OSError as bad:
        part.unlink(missing_ok=True)
        raise InputError(f"{path}: {bad.strerror}", str(path)) from None
    return count


# --- adding what was seen ------------------------------------------------------------------------
def add_facts(database: Database, facts: Iterable[dict[str, Any]]) -> None:
    """Add rows of counts.

    Args:
        facts: dicts with kind, value, what, name, flows, first, last and a word (or None) for
            each of COUNTERS.
    """
    for fact in facts:
        known = Known(fact["flows"], fact["first"], fact["last"])
        for key in COUNTERS:
            if fact[key] is not None:
                known.counts[key][str(fact[key])] = fact["flows"]
        entry = database.setdefault((fact["kind"], fact["value"]), Entry())
        entry.names.setdefault((fact["what"], fact["name"]), Known()).add(known)


def rows(database: Database) -> list[dict[str, Any]]:
    """What look-ups need: for each name of an entry its rank, flows and share.

    The rank is the number of names with more flows, so that 0 is the likeliest, or one of them.
    Labels by hand have rank 0, and neither flows nor share.
    """
    out = []
    for (kind, value), entry in sorted(database.items(), key=lambda pair: pair[0]):
        key = {"kind": kind, "value": value}
        for what in LISTS:
            total = entry.total(what)
            ranked = entry.ranked(what)
            rank = 0
            for place, (name, known) in enumerate(ranked):
                if known.flows < ranked[rank][1].flows:
                    rank = place
                share = known.flows / total if total else None
                out.append({**key, "what": what, "name": name, "rank": rank,
                            "flows": known.flows, "share": share})  # fmt: skip
        for label in entry.labels:
            out.append({**key, "what": "label", "name": label, "rank": 0,
                        "flows": None, "share": None})  # fmt: skip
    return out
