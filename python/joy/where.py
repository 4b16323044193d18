# SPDX-License-Identifier: BSD-3-Clause
"""The language of --where and --select: read into a tree, refused with the place of a fault.

condition = part { "|" part }
part      = term { ("," | "&") term }            "," binds closer than "|"
term      = "~" term | "(" condition ")" | predicate
predicate = element operator value
element   = name { "." name } [ "{" inner "}" | "[" [ "{" inner "}" ] "]" ]
inner     = element | condition                  a condition: of one and the same item
operator  = "=" | "~" | "!=" | "<" | ">" | "<=" | ">="      "~" and "!=": is not
value     = text up to , & | ) } ] or "quoted"; * ? [abc] stand for other characters
"""

from __future__ import annotations

import re
from dataclasses import dataclass

from joy.errors import UsageError

DEPTH = 50  # of parentheses and braces

OPERATORS = ("<=", ">=", "!=", "==", "=", "~", "<", ">")
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")
_SPACE = re.compile(r"\s*")


# --- the tree ------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Compare:
    """Some value at `path` stands in the relation `operator` to `value`."""

    path: tuple[str, ...]
    operator: str
    value: str


@dataclass(frozen=True)
class Item:
    """Some item, or the object, at `path` fulfils a condition whose paths begin there."""

    path: tuple[str, ...]
    inner: Condition


@dataclass(frozen=True)
class Not:
    """The condition does not hold."""

    inner: Condition


@dataclass(frozen=True)
class And:
    """All of them hold."""

    parts: tuple[Condition, ...]


@dataclass(frozen=True)
class Or:
    """One of them holds."""

    parts: tuple[Condition, ...]


Condition = Compare | Item | Not | And | Or


@dataclass(frozen=True)
class Pick:
    """An element to show: its name, and what of it; nothing: all of it."""

    name: str
    below: tuple[Pick, ...] = ()


@dataclass(frozen=True)
class _Bare:
    """An element that waits for its operator."""

    path: tuple[str, ...]


# --- reading -------------------------------------------------------------------------------------
class _Text:
    """A text and the place where reading stands."""

    def __init__(self, text: str) -> None:
        self.text, self.at, self.depth = text, 0, 0

    def skip(self) -> None:
        self.at = _SPACE.match(self.text, self.at).end()  # type: ignore[union-attr]

    def next(self) -> str:
        """The next character that is no space; "" at the end."""
        self.skip()
        return self.text[self.at : self.at + 1]

    def take(self, *words: str) -> str:
        """The first of these that stands here, which is passed; "" when none does."""
        self.skip()
        for word in words:
            if self.text.startswith(word, self.at):
                self.at += len(word)
                return word
        return ""

    def need(self, word: str) -> None:
        if not self.take(word):
            self.fail(f"{word} is missing")

    def name(self) -> str:
        self.skip()
        found = _NAME.match(self.text, self.at)
        if not found:
            self.fail("a name is missing")
        self.at = found.end()  # type: ignore[union-attr]
        return found[0]  # type: ignore[index]

    def deeper(self) -> None:
        self.depth += 1
        if self.depth > DEPTH:
            self.fail("this is nested too deeply")

    def fail(self, why: str) -> None:
        raise UsageError(f"{why}:\n  {self.text}\n  {' ' * self.at}^")


def condition(text: str) -> Condition:
    """Reads what --where takes.

    Raises:
        UsageError: a fault, with its place.
    """
    read = _Text(text)
    found = _any(read, False)
    if read.next():
        read.fail("this is more than a condition")
    return found  # type: ignore[return-value]


def picks(text: str) -> tuple[Pick, ...]:
    """Reads what --select, --groupby, --sum and --sort take: elements with commas between them.

    Raises:
        UsageError: a fault, with its place.
    """
    read = _Text(text)
    found = _picks(read)
    if read.next():
        read.fail("this is more than a list of elements")
    return found


# --- conditions ----------------------------------------------------------------------------------
def _any(read: _Text, bare: bool) -> Condition | _Bare:
    parts = [_all(read, bare)]
    while read.take("||", "|"):
        parts.append(_all(read, False))
    return _joined(read, Or, parts)


def _all(read: _Text, bare: bool) -> Condition | _Bare:
    parts = [_term(read, bare)]
    while read.take(",", "&&", "&"):
        parts.append(_term(read, False))
    return _joined(read, And, parts)


def _joined(read: _Text, kind: type, parts: list) -> Condition | _Bare:
    if len(parts) == 1:
        return parts[0]
    if isinstance(parts[0], _Bare):
        read.fail("one element can be compared here, not several")
    return kind(tuple(parts))


def _term(read: _Text, bare: bool) -> Condition | _Bare:
    if read.take("~", "!"):
        read.deeper()
        inner = _term(read, False)
        read.depth -= 1
        return Not(inner)  # type: ignore[arg-type]
    if read.take("("):
        read.deeper()
        inner = _any(read, False)
        read.need(")")
        read.depth -= 1
        return inner
    return _predicate(read, bare)


def _predicate(read: _Text, bare: bool) -> Condition | _Bare:
    path = _path(read)
    inner = _inner(read)
    if isinstance(inner, _Bare):
        path += inner.path
    elif inner is not None:
        return Item(path, inner)
    operator = read.take(*OPERATORS)
    if operator:
        return Compare(path, {"==": "=", "!=": "~"}.get(operator, operator), _value(read))
    if not bare:
        read.fail("an operator is missing: = ~ < > <= >=")
    return _Bare(path)


def _path(read: _Text) -> tuple[str, ...]:
    names = [read.name()]
    while read.take("."):
        names.append(read.name())
    return tuple(names)


def _inner(read: _Text) -> Condition | _Bare | None:
    """What stands in braces behind a name; None when nothing does."""
    listed = read.take("[")
    if listed and read.take("]"):
        return None
    braced = read.take("{")
    if not braced:
        if listed:
            read.fail("{ or ] is missing")
        return None
    read.deeper()
    inner = _any(read, True)
    read.need("}")
    if listed:
        read.need("]")
    read.depth -= 1
    return inner


def _value(read: _Text) -> str:
    read.skip()
    quote = read.take('"', "'")
    if quote:
        end = read.text.find(quote, read.at)
        if end < 0:
            read.fail(f"{quote} is missing")
        value = read.text[read.at : end]
        read.at = end + 1
        return value
    begin, open_brackets, open_parentheses = read.at, 0, 0
    while read.at < len(read.text):
        letter = read.text[read.at]
        if open_brackets == 0 and (letter in ",&|}]" or letter == ")" and not open_parentheses):
            break
        open_brackets += {"[": 1, "]": -1}.get(letter, 0)
        if not open_brackets:
            open_parentheses += {"(": 1, ")": -1}.get(letter, 0)
        read.at += 1
    value = read.text[begin : read.at].strip()
    if open_brackets:
        read.fail("] is missing")
    if not value:
        read.fail("a value is missing")
    return value


# --- elements ------------------------------------------------------------------------------------
def _picks(read: _Text) -> tuple[Pick, ...]:
    found = [_pick(read)]
    while read.take(","):
        found.append(_pick(read))
    return merged(found)


def _pick(read: _Text) -> Pick:
    names = _path(read)
    below: tuple[Pick, ...] = ()
    listed = read.take("[")
    if not (listed and read.take("]")):
        if read.take("{"):
            read.deeper()
            below = _picks(read)
            read.need("}")
            read.depth -= 1
            if listed:
                read.need("]")
        elif listed:
            read.fail("{ or ] is missing")
    for name in reversed(names):
        below = (Pick(name, below),)
    return below[0]


def merged(found: list[Pick]) -> tuple[Pick, ...]:
    """Elements of the same name as one that shows what each shows."""
    by_name: dict[str, Pick] = {}
    for pick in found:
        had = by_name.get(pick.name)
        if had is None:
            by_name[pick.name] = pick
        else:
            whole = not had.below or not pick.below
            below = () if whole else merged([*had.below, *pick.below])
            by_name[pick.name] = Pick(pick.name, below)
    return tuple(by_name.values())


def paths(found: tuple[Pick, ...]) -> list[str]:
    """Dotted names of the elements."""
    names = []
    for pick in found:
        below = paths(pick.below)
        names += [f"{pick.name}.{name}" for name in below] if below else [pick.name]
    return names
