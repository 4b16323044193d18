# SPDX-License-Identifier: BSD-3-Clause
"""Policies: what a published document asks for, as rules in a TOML file.

A rule has one check, of a closed list of kinds; a check has words, numbers and lists, nothing that
is evaluated.  What is unknown or misspelt is an error that names the nearest word.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from joy import data
from joy.audit import names
from joy.errors import InputError, UsageError

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

SEVERITIES = ("error", "warning", "note")  # as SARIF has them, worst first
SIDES = ("client", "server")
CERTIFICATE_FAULTS = ("expired", "not_yet_valid", "self_signed", "no_san", "name_mismatch")
CERTIFICATE_FAULTS += ("old_version", "no_server_auth", "malformed")
DOWNGRADES = ("sentinel", "history", "fallback_scsv")
EXCHANGED = ("dh", "ec", "rsa")


class PolicyError(UsageError):
    """A policy that cannot be used; the text says where and what."""


@dataclass(frozen=True)
class Kind:
    """What a kind of check may say: 'of' names what is looked at, 'words' what its lists hold."""

    of: tuple[str, ...] = ()
    words: str = ""
    lists: tuple[str, ...] = ()
    more: tuple[str, ...] = ()


LISTS = ("allowed", "denied")
KINDS = {
    "version": Kind(("negotiated", "offered", "best_offered"), "versions", LISTS, ("at_least",)),
    "ciphersuite": Kind(("negotiated", "offered"), "ciphersuites", LISTS),
    "key_exchange": Kind(("negotiated", "offered"), "key_exchanges", LISTS),
    "group": Kind(("negotiated", "offered", "key_share"), "groups", (*LISTS, "any_of")),
    "signature": Kind(
        ("offered", "server_key_exchange", "client_verify"), "signatures", (*LISTS, "any_of")
    ),
    "key_size": Kind(more=("minimum",)),
    "certificate_key": Kind(SIDES, "key_types", LISTS, ("chain", "minimum", "curves")),
    "certificate_signature": Kind(SIDES, "certificate_signatures", LISTS, ("chain",)),
    "certificate_fault": Kind(SIDES, more=("chain", "faults")),
    "certificate_validity": Kind(SIDES, more=("chain", "max_days")),
    "compression": Kind(("negotiated", "offered"), "compressions", LISTS),
    "extension": Kind(SIDES, "extensions", ("required", "denied")),
    "psk_mode": Kind(("offered",), "psk_modes", LISTS),
    "secure_renegotiation": Kind(SIDES),
    "renegotiation": Kind(),
    "downgrade": Kind(more=("faults",)),
    "mark": Kind(words="marks", lists=("denied",)),
    "ocsp_staple": Kind(),
}


@dataclass(frozen=True)
class Check:
    """What a rule looks at and what it wants there; lists hold names, patterns are expanded.

    Attributes:
        minimum: bits for each type of key.
        chain: "own": the holder's certificate; "all": those behind it too.
        max_days: longest validity, in days.
        at_least: lowest version; DTLS counts as the TLS that it is made from.
    """

    kind: str
    of: str = ""
    allowed: frozenset[str] | None = None
    denied: frozenset[str] | None = None
    any_of: frozenset[str] | None = None
    required: frozenset[str] | None = None
    curves: frozenset[str] | None = None
    faults: tuple[str, ...] = ()
    minimum: Mapping[str, int] = field(default_factory=dict)
    chain: str = "own"
    max_days: float = 0.0
    at_least: str = ""


@dataclass(frozen=True)
class When:
    """What was negotiated has to be among these for a rule to apply; None: whatever it was.

    Attributes:
        offered: the client's best version has to be among these.
    """

    versions: frozenset[str] | None = None
    ciphersuites: frozenset[str] | None = None
    offered: frozenset[str] | None = None


@dataclass(frozen=True)
class Rule:
    """One thing that a document asks for.

    Attributes:
        side: whose doing it is, so who is told: server or client.
        source: section of the document.
    """

    id: str
    title: str
    severity: str
    source: str
    side: str
    protocols: frozenset[str]
    check: Check
    when: When
    help: str = ""


@dataclass(frozen=True)
class Policy:
    """A document and its rules.

    Attributes:
        unseen: what it asks for and no capture can show.
    """

    name: str
    title: str
    publisher: str
    edition: str
    date: str
    url: str
    scope: str
    unseen: tuple[str, ...]
    rules: tuple[Rule, ...]


class _Table:
    """A TOML table that is read key by key; what is left over is an error."""

    def __init__(self, where: str, value: Any) -> None:
        self.where = where
        if not isinstance(value, dict):
            self.fail("has to be a table")
        self.left, self.known = dict(value), []

    def fail(self, text: str) -> Any:
        raise PolicyError(f"{self.where}: {text}")

    def take(self, key: str, kind: type, default: Any = None) -> Any:
        """The value of a key, of that type; without default it has to be there."""
        self.known.append(key)
        if key not in self.left:
            return default if default is not None else self.fail(f"{key} is missing")
        value = self.left.pop(key)
        wants = (int, float) if kind is float else kind
        if not isinstance(value, wants) or isinstance(value, bool) is not (kind is bool):
            self.fail(f"{key} has to be a {kind.__name__}, and is {value!r}")
        return value

    def word(self, key: str, among: tuple[str, ...], default: str | None = None) -> str:
        """One of a few words."""
        value = self.take(key, str, default)
        if value not in among:
            near = names.nearest(value, among)
            self.fail(f"{key} = {value!r} is none of {', '.join(among)}{near}")
        return value

    def words(self, key: str, among: tuple[str, ...]) -> tuple[str, ...]:
        """Some of a few words."""
        values = self.take(key, list)
        for value in values:
            if value not in among:
                near = names.nearest(str(value), among)
                self.fail(f"{key}: {value!r} is none of {', '.join(among)}{near}")
        return tuple(values) if values else self.fail(f"{key} is empty")

    def names(self, key: str, kind: str) -> frozenset[str] | None:
        """A list of names of a kind, expanded; None when it is not there."""
        self.known.append(key)
        if key not in self.left:
            return None
        values = self.take(key, list)
        if not values or not all(isinstance(v, str) for v in values):
            self.fail(f"{key} has to be a list of names")
        try:
            return frozenset().union(*(names.expand(v, kind) for v in values))
        except ValueError as wrong:
            return self.fail(f"{key}: {wrong}")

    def texts(self, key: str) -> tuple[str, ...]:
        """A list of texts, which may be empty or not there."""
        values = self.take(key, list, [])
        return tuple(str(v) for v in values)

    def bits(self, key: str, among: tuple[str, ...]) -> dict[str, int]:
        """Numbers of bits by type of key."""
        table = _Table(f"{self.where}, {key}", self.take(key, dict))
        out = {name: table.take(name, int) for name in among if name in table.left}
        table.known += list(among)
        table.done()
        return out or table.fail("is empty")

    def done(self) -> None:
        """Nothing may be left."""
        for key in self.left:
            near = names.nearest(key, self.known)
            self.fail(f"there is no key {key}{near or '; there are ' + ', '.join(self.known)}")


def _check(table: _Table) -> Check:
    name = table.word("kind", tuple(KINDS))
    kind = KINDS[name]
    given: dict[str, Any] = {"kind": name}
    if kind.of:
        given["of"] = table.word("of", kind.of)
    for key in kind.lists:
        given[key] = table.names(key, kind.words)
    if "chain" in kind.more:
        given["chain"] = table.word("chain", ("own", "all"), "own")
    if "curves" in kind.more:
        given["curves"] = table.names("curves", "groups")
    if "faults" in kind.more:
        among = DOWNGRADES if name == "downgrade" else CERTIFICATE_FAULTS
        given["faults"] = table.words("faults", among)
        if "history" in given["faults"] and len(given["faults"]) > 1:
            table.fail("history is judged over all flows and needs a rule of its own")
    if "max_days" in kind.more:
        given["max_days"] = table.take("max_days", float)
    if "at_least" in kind.more and "at_least" in table.left:
        given["at_least"] = table.word("at_least", tuple(names.RANKS))
    if "minimum" in kind.more and (name == "key_size" or "minimum" in table.left):
        types = EXCHANGED if name == "key_size" else names.KEY_TYPES
        given["minimum"] = table.bits("minimum", types)
    table.known += kind.more
    table.done()
    wants = [*kind.lists, *(k for k in kind.more if k != "chain")]
    if wants and not any(given.get(k) for k in wants):
        table.fail(f"says nothing; it needs one of {', '.join(wants)}")
    return Check(**given)


def _when(table: _Table) -> When:
    out = When(
        table.names("versions", "versions"),
        table.names("ciphersuites", "ciphersuites"),
        table.names("offered", "versions"),
    )
    table.done()
    return out


def _rule(where: str, value: Any) -> Rule:
    table = _Table(where, value)
    table.where = where = f"{where}, rule {table.take('id', str)}"
    rule = Rule(
        id=value["id"],
        title=table.take("title", str),
        severity=table.word("severity", SEVERITIES),
        source=table.take("source", str),
        side=table.word("side", SIDES),
        protocols=table.names("protocols", "protocols") or frozenset({"tls", "dtls", "quic"}),
        check=_check(_Table(f"{where}, check", table.take("check", dict))),
        when=_when(_Table(f"{where}, when", table.take("when", dict, {}))),
        help=table.take("help", str, ""),
    )
    table.done()
    return rule


def parse(text: str, where: str) -> Policy:
    """A policy from TOML; 'where' names it in errors.

    Raises:
        PolicyError: it is none.
    """
    try:
        table = _Table(where, tomllib.loads(text))
    except tomllib.TOMLDecodeError as wrong:
        raise PolicyError(f"{where}: not TOML: {wrong}") from None
    keys = ("name", "title", "publisher", "edition", "date", "url", "scope")
    about = {key: table.take(key, str) for key in keys}
    unseen = table.texts("unseen")
    rules = tuple(_rule(where, value) for value in table.take("rule", list))
    table.done()
    seen: set[str] = set()
    for rule in rules:
        if rule.id in seen:
            raise PolicyError(f"{where}: there are two rules {rule.id}")
        seen.add(rule.id)
    return Policy(**about, unseen=unseen, rules=rules) if rules else table.fail("has no rules")


def installed() -> list[str]:
    """Names of the policies that come with the package."""
    return sorted(p.stem for p in data.path("policies").glob("*.toml"))


def load(name: str) -> Policy:
    """A policy by its name, or from a file.

    Raises:
        PolicyError: there is none of that name, or it is not right.
        InputError: the file cannot be read.
    """
    if name in installed():
        path = data.path("policies") / f"{name}.toml"
    elif "/" in name or name.endswith(".toml"):
        path = Path(name)
    else:
        near = names.nearest(name, installed()) or f"; there are {', '.join(installed())}"
        raise PolicyError(f"there is no policy {name}{near}; a file's name ends in .toml")
    try:
        return parse(path.read_text(encoding="utf-8"), str(path) if path.name == name else name)
    except (OSError, UnicodeDecodeError) as wrong:
        raise InputError(f"{path}: {wrong}", str(path)) from None
