# SPDX-License-Identifier: BSD-3-Clause
"""Network Protocol Fingerprints taken apart, and how two of them differ.

A fingerprint is a name and groups in brackets, of hexadecimal digits or of groups again: round
ones in the order of the wire, square ones sorted (doc/fingerprints.md says where they come from):

    tls/1/(0303)(13011302)[(0000)(000a00040002001d)]
"""

from __future__ import annotations

import csv
import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

from joy.errors import UsageError

Tree = str | list["Tree"]

_NAME = re.compile(r"[a-z][a-z0-9_]*(?:/[0-9]+)?/")
_TOKEN = re.compile(r"[()\[\]]|[0-9a-f]+")
_CLOSES = {"(": ")", "[": "]"}
_DEEPEST = 8

# Parts of a fingerprint by the word it begins with, in order; "*" is a list of numbers of two
# bytes, "[]" a list of groups that begin with a type of that many digits.
_PARTS: dict[str, tuple[tuple[str, str], ...]] = {
    "tls": (("version", ""), ("cipher", "*"), ("extension", "[4]")),
    "dtls": (("version", ""), ("cipher", "*"), ("extension", "[4]")),
    "quic": (("quic_version", ""), ("version", ""), ("cipher", "*"), ("extension", "[4]")),
    "tls_server": (("version", ""), ("cipher", "*"), ("extension", "[4]")),
    "dtls_server": (("version", ""), ("cipher", "*"), ("extension", "[4]")),
    "tcp": (
        ("ip_version", ""),
        ("ip_id", ""),
        ("ttl", ""),
        ("window", ""),
        ("option", "[2]"),
    ),
}


@dataclass(frozen=True, order=True)
class Element:
    """One thing a fingerprint is made of.

    Attributes:
        part: what it is: version, cipher, extension, option, ...
        code: its number, as hexadecimal digits.
        data: what follows the number of an extension or option; "" for others.
    """

    part: str
    code: str
    data: str = ""

    def known_as(self) -> str:
        """IANA's name for it, "" when there is none."""
        table = {"cipher": "ciphers", "extension": "extensions", "version": "versions"}
        return names(table[self.part]).get(self.code, "") if self.part in table else ""

    def as_json(self) -> dict[str, str]:
        """For output: what is empty is left out."""
        items = {"part": self.part, "code": self.code, "name": self.known_as(), "data": self.data}
        return {key: value for key, value in items.items() if value}

    def __str__(self) -> str:
        return " ".join(w for w in (self.part, self.code, self.known_as(), self.data) if w)


@dataclass(frozen=True)
class Difference:
    """How two fingerprints differ.

    Attributes:
        similarity: 2 * shared / (elements of the first + of the second), 0 to 1, where shared is
            the length of their longest common subsequence; 1 exactly when they are the same.
        first: elements of the first alone.  Of what changed place, too: see moved.
        second: elements of the second alone.
        changed: pairs of extensions or options with the same number and other data.
        moved: elements that both have, in another order.
    """

    similarity: float
    first: tuple[Element, ...]
    second: tuple[Element, ...]
    changed: tuple[tuple[Element, Element], ...]
    moved: tuple[Element, ...]

    def as_json(self) -> dict[str, Any]:
        """For output."""
        return {
            "similarity": round(self.similarity, 6),
            "only_first": [e.as_json() for e in self.first],
            "only_second": [e.as_json() for e in self.second],
            "changed": [
                {**a.as_json(), "data": a.data, "data_second": b.data} for a, b in self.changed
            ],
            "moved": [e.as_json() for e in self.moved],
        }


@cache
def names(table: str) -> dict[str, str]:
    """Names of numbers by IANA, {"1301": "TLS_AES_128_GCM_SHA256"}; {} when they are not there.

    Args:
        table: ciphers, extensions, versions: the file data/iana-TABLE.csv.
    """
    here = Path(__file__).resolve().parent
    for folder in (here / "data", here.parent.parent / "data"):
        path = folder / f"iana-{table}.csv"
        if path.exists():
            with path.open(encoding="utf-8", newline="") as lines:
                return {row["value"].lower()[2:]: row["name"] for row in csv.DictReader(lines)}
    return {}


def parse(text: str) -> tuple[str, list[Tree]]:
    """The word in front, without its version and slash, and the groups behind it.

    Raises:
        UsageError: it is no such fingerprint; names the place.
    """
    head = _NAME.match(text)
    if head is None:
        raise UsageError(f"{text[:60]!r} is no fingerprint: it has to begin like tls/1/(0303)")
    open_groups: list[list[Tree]] = [[]]
    closing: list[str] = []
    at = head.end()
    while at < len(text):
        found = _TOKEN.match(text, at)
        token = found[0] if found else ""
        if token in _CLOSES and len(closing) < _DEEPEST:
            open_groups.append([])
            closing.append(_CLOSES[token])
        elif token and closing and token == closing[-1]:
            closing.pop()
            group = open_groups.pop()
            open_groups[-1].append(group)
        elif token and token not in "()[]" and closing and len(token) % 2 == 0:
            open_groups[-1].append(token)
        else:
            raise UsageError(f"{text[:60]!r}: character {at + 1} does not belong there")
        at += len(token)
    if closing:
        raise UsageError(f"{text[:60]!r}: {closing[-1]!r} is missing at its end")
    return head[0].split("/")[0], open_groups[0]


@lru_cache(maxsize=8192)
def elements(text: str) -> tuple[Element, ...]:
    """What a fingerprint is made of, in its order.

    Raises:
        UsageError: it is no such fingerprint.
    """
    word, groups = parse(text)
    parts = _PARTS.get(word, ())
    out: list[Element] = []
    for place, group in enumerate(groups):
        part, form = parts[place] if place < len(parts) else (f"part_{place + 1}", "")
        out += _of_group(part, form, group)
    return tuple(out)


def _of_group(part: str, form: str, group: Tree) -> list[Element]:
    if form.startswith("["):
        digits = int(form[1:-1])
        codes = [_digits(item) for item in group]
        return [Element(part, code[:digits], code[digits:]) for code in codes]
    code = _digits(group)
    if form == "*":
        return [Element(part, code[i : i + 4]) for i in range(0, len(code), 4)]
    return [Element(part, code)]


def _digits(tree: Tree) -> str:
    return tree if isinstance(tree, str) else "".join(_digits(item) for item in tree)


def _common(a: Sequence[Element], b: Sequence[Element]) -> list[tuple[int, int]]:
    """Places of a longest common subsequence, in both."""
    best = [[0] * (len(b) + 1) for _ in range(len(a) + 1)]
    for i in range(len(a) - 1, -1, -1):
        for j in range(len(b) - 1, -1, -1):
            same = a[i] == b[j]
            best[i][j] = 1 + best[i + 1][j + 1] if same else max(best[i + 1][j], best[i][j + 1])
    out, i, j = [], 0, 0
    while i < len(a) and j < len(b):
        if a[i] == b[j]:
            out.append((i, j))
            i, j = i + 1, j + 1
        elif best[i + 1][j] >= best[i][j + 1]:
            i += 1
        else:
            j += 1
    return out


def compare(first: str, second: str) -> Difference:
    """How two fingerprints of the same kind differ.

    Raises:
        UsageError: one is no fingerprint, or they are of different kinds (tls and tcp).
    """
    word, other = parse(first)[0], parse(second)[0]
    if word != other:
        raise UsageError(f"{word}/ and {other}/ are different kinds: there is nothing to compare")
    a, b = elements(first), elements(second)
    shared = _common(a, b)
    similarity = 2 * len(shared) / (len(a) + len(b)) if a or b else 1.0
    left = _without(a, [i for i, _ in shared])
    right = _without(b, [j for _, j in shared])
    moved = _take_pairs(left, right, lambda e: e)
    changed = _take_pairs(left, right, lambda e: (e.part, e.code))
    return Difference(
        similarity, tuple(left), tuple(right), tuple(changed), tuple(a for a, _ in moved)
    )


def _without(items: Sequence[Element], places: list[int]) -> list[Element]:
    gone = set(places)
    return [item for i, item in enumerate(items) if i not in gone]


def _take_pairs(left: list[Element], right: list[Element], key: Any) -> list[tuple]:
    """Takes out of both what has the same key, in pairs."""
    pairs = []
    for item in list(left):
        twin = next((other for other in right if key(other) == key(item)), None)
        if twin is not None:
            left.remove(item)
            right.remove(twin)
            pairs.append((item, twin))
    return pairs
