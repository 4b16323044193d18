# SPDX-License-Identifier: BSD-3-Clause
"""Options as keyword arguments: the names and values of pcap2flow's name=value.

The library's option table says which there are, what they take and what they are for; nothing of
it is written down here.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from difflib import get_close_matches
from functools import cache
from typing import Any

from joy import _joy
from joy.errors import UsageError

# Why an option has no place in a call, by what it is for (Option.use).
REFUSED = {
    "output": "records go to the caller here, not to a file; write them from the stream",
    "service": "it is for the program pcap2flow running as a service",
    "command": "it has the program pcap2flow print something instead of a run",
}
LIVE = "it is for captures from an interface: see joy.live()"
LIVE_NAMES = ("interface",)  # that joy.live() has as an argument of its own


@dataclass(frozen=True)
class Option:
    """One option.

    Attributes:
        name: as a keyword argument.
        type: "bool", "integer", "text", "seconds" (a number), "size" (bytes, or K, M, G, T).
        default: as pcap2flow has it, as a text; None: none.  (bidir is on in Python.)
        minimum, maximum: of numbers, in seconds or bytes; None: no limit.
        choices: the only texts allowed; empty: any.
        value: what stands behind the = of pcap2flow.
        help, more: what it does, in a line, and further sentences.
        group: heading in documents.
        since: version.
        use: "flows" (which records there are, and what is in them) or "live" (captures from
            interfaces); what has another use does not exist here.
        on: value that features=NAME means.
        flags: of "feature" (features=all switches it on), "file" (a path), "repeat" (takes a list),
            "reloadable", "secret", "place", "auto".
    """

    name: str
    type: str
    value: str
    default: str | None
    use: str
    group: str
    help: str
    more: str | None
    since: str
    on: str | None
    flags: frozenset[str]
    minimum: float | None = None
    maximum: float | None = None
    choices: tuple[str, ...] = ()


@cache
def table() -> dict[str, Option]:
    """All options of the library by name, in the order of its documents."""
    rows = json.loads(_joy.Handle().text(_joy.TEXT_OPTION_TABLE) or "[]")
    made = []
    for row in rows:
        lists = {"flags": frozenset(row["flags"]), "choices": tuple(row.get("choices", ()))}
        made.append(Option(**{**row, **lists}))
    return {option.name: option for option in made}


def options() -> list[Option]:
    """The options that joy.read() and joy.live() take (those with use "live" only the latter)."""
    return [o for o in table().values() if o.use not in REFUSED and o.name not in LIVE_NAMES]


def unknown(function: str, name: str, own: Iterable[str] = ()) -> TypeError:
    """The error for a keyword that is neither an option nor one of the function's own."""
    near = get_close_matches(name, [*own, *(o.name for o in options())], n=1)
    hint = f"; did you mean '{near[0]}'?" if near else ""
    return TypeError(f"{function}() got an unexpected keyword argument '{name}'{hint}")


def check(function: str, names: Iterable[str], own: Iterable[str] = ()) -> None:
    """See that all names are options that the function takes.

    Raises:
        TypeError: one is not; the text names the nearest that is, or says why it is not taken.
    """
    for name in names:
        option = table().get(name)
        if option is None:
            raise unknown(function, name, own)
        reason = REFUSED.get(option.use)
        if name in LIVE_NAMES or (option.use == "live" and function != "live"):
            reason = LIVE if function != "live" else "it is the first argument"
        if reason:
            raise TypeError(f"{function}() takes no option '{name}': {reason}")


def _one(option: Option, value: Any) -> str:
    """One value as the library takes it."""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, os.PathLike):
        return os.fsdecode(value)
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    if isinstance(value, float):
        return f"{value:.9f}".rstrip("0")
    if isinstance(value, (str, int)):
        return str(value)
    raise UsageError(
        f"option '{option.name}' takes {option.value}, not a value of type {type(value).__name__}"
    )


def texts(option: Option, value: Any) -> list[str]:
    """An option's value as texts to be set one after the other.

    A list is for options that may be given several times, and for those that take a LIST of names.

    Raises:
        UsageError: a value of a type that no option has, or a list where one value is wanted.
    """
    if not isinstance(value, (list, tuple, set, frozenset)):
        return [_one(option, value)]
    each = [_one(option, item) for item in value]
    if "repeat" in option.flags:
        return each or ["none"]
    if "LIST" in option.value:
        return [",".join(each) or "none"]
    raise UsageError(f"option '{option.name}' takes one value, not a list")


def apply(handle: _joy.Handle, given: Mapping[str, Any]) -> None:
    """Set options on a handle; None leaves the default.

    Raises:
        UsageError: a value that the option does not take; the text says what it takes.
    """
    for name, value in given.items():
        if value is None:
            continue
        for text in texts(table()[name], value):
            if "\0" in text:
                raise UsageError(f"option '{name}' holds a zero byte")
            if handle.set(name, text) != _joy.OK:
                raise UsageError(handle.error())
