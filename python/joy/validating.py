# SPDX-License-Identifier: BSD-3-Clause
"""Records held against the schema that the field tables give, and against sense."""

from __future__ import annotations

import ipaddress
import json
import lzma
import re
import zlib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from joy import answers, sense, sources, unify
from joy.errors import InputError
from joy.finding import JSON, Input, unpacked

KEPT = 100  # problems of a file that are kept in words; all are counted

Checker = Callable[[Any, str], Iterator[str]]


@dataclass
class Report:
    """What is wrong with a file.

    Attributes:
        problems: place (number of line or row, from 1; 0 for the file itself) and words; the first
            KEPT of them.
        count: of all problems.
        damage: why the file could not be read to its end, None when it could.
    """

    file: str
    records: int = 0
    count: int = 0
    problems: list[tuple[int, str]] = field(default_factory=list)
    damage: str | None = None

    def add(self, place: int, text: str) -> None:
        """Count a problem."""
        self.count += 1
        if len(self.problems) < KEPT:
            self.problems.append((place, text))


# --- the schema ----------------------------------------------------------------------------------
_TYPES: dict[str, Callable[[Any], bool]] = {
    "null": lambda v: v is None,
    "object": lambda v: isinstance(v, dict),
    "array": lambda v: isinstance(v, list),
    "string": lambda v: isinstance(v, str),
    "boolean": lambda v: isinstance(v, bool),
    "integer": lambda v: isinstance(v, int) and not isinstance(v, bool),
    "number": lambda v: isinstance(v, (int, float)) and not isinstance(v, bool),
}


def _is_address(version: str) -> Callable[[str], bool]:
    kind = {"ipv4": ipaddress.IPv4Address, "ipv6": ipaddress.IPv6Address}[version]

    def check(text: str) -> bool:
        try:
            kind(text)
        except ValueError:
            return False
        return True

    return check


def checker(schema: Mapping[str, Any]) -> Checker:
    """A function that holds a value against a JSON Schema, as far as ours goes.

    Keys that the schema does not know are problems.
    """
    named = schema.get("type", [])
    kinds = [named] if isinstance(named, str) else named
    tests = [_TYPES[kind] for kind in kinds]
    below = _below(schema)
    single = _single(schema)

    def check(value: Any, path: str) -> Iterator[str]:
        if tests and not any(test(value) for test in tests):
            yield f"{path}: is no {' or '.join(kinds)}"
            return
        if value is None:
            return
        yield from single(value, path)
        yield from below(value, path)

    return check


def _single(schema: Mapping[str, Any]) -> Checker:
    """Range, pattern and form of one value."""
    low, high = schema.get("minimum"), schema.get("maximum")
    pattern = re.compile(schema["pattern"]) if "pattern" in schema else None
    choices = [schema] if "format" in schema else schema.get("anyOf", [])
    formats = [_is_address(one["format"]) for one in choices if one.get("format", "")[:2] == "ip"]

    def check(value: Any, path: str) -> Iterator[str]:
        if low is not None and value < low or high is not None and value > high:
            yield f"{path}: {value} is out of range"
        if pattern is not None and not pattern.search(value):
            yield f"{path}: {value!r} has not the form {pattern.pattern}"
        if formats and not any(form(value) for form in formats):
            yield f"{path}: {value!r} is no address"

    return check


def _below(schema: Mapping[str, Any]) -> Checker:
    """What an object or list holds."""
    if "items" in schema:
        item = checker(schema["items"])

        def check_list(value: Any, path: str) -> Iterator[str]:
            for at, one in enumerate(value):
                yield from item(one, f"{path}[{at}]")

        return check_list
    if "properties" not in schema:
        return lambda value, path: iter(())
    known = {name: checker(one) for name, one in schema["properties"].items()}
    required = schema.get("required", ())
    together = schema.get("dependentRequired", {})

    def check_object(value: Any, path: str) -> Iterator[str]:
        dot = f"{path}." if path else ""
        for name, one in value.items():
            if name in known:
                yield from known[name](one, dot + name)
            else:
                yield f"{dot}{name}: there is no such field"
        missing = [name for name in required if name not in value]
        for name in value.keys() & together.keys():
            missing += [other for other in together[name] if other not in value]
        yield from (f"{dot}{name}: is missing" for name in dict.fromkeys(missing))

    return check_object


class Records:
    """Checks records as JSON has them."""

    def __init__(self) -> None:
        self._schema = checker(sources.json_schema())

    def problems(self, record: dict[str, Any]) -> Iterator[str]:
        """All that is wrong with a record."""
        yield from self._schema(record, "")
        yield from sense.problems(record)


# --- files ---------------------------------------------------------------------------------------
def validate(one: Input, records: Records) -> Report:
    """Look at all records of a file."""
    report = Report(one.path)
    try:
        if one.kind == JSON:
            _lines(one.path, records, report)
        else:
            _columns(one, records, report)
    except (OSError, EOFError, lzma.LZMAError, zlib.error, pa.ArrowException) as bad:
        report.damage = (str(bad) or type(bad).__name__).splitlines()[0]
    return report


# --- JSON lines ----------------------------------------------------------------------------------
def _lines(path: str, records: Records, report: Report) -> None:
    claimed: dict[str, Any] = {}
    with unpacked(path) as file:
        for number, line in enumerate(_split(file), 1):
            try:
                value = json.loads(line, object_pairs_hook=_no_key_twice, parse_constant=_no_number)
            except (ValueError, RecursionError) as bad:
                report.add(number, f"is no JSON: {bad}")
                continue
            if isinstance(value, dict) and isinstance(value.get("summary"), dict):
                claimed.setdefault("records", value["summary"].get("records"))
                claimed["line"] = number
            elif not (isinstance(value, dict) and ("version" in value or "drops" in value)):
                report.records += 1
                for text in (
                    records.problems(value) if isinstance(value, dict) else ["is no object"]
                ):
                    report.add(number, text)
    if claimed and claimed["records"] not in (None, report.records):
        text = f"summary.records: {claimed['records']}, but there are {report.records}"
        report.add(claimed["line"], text)


def _split(file: Any) -> Iterator[bytes]:
    """Lines of a stream that may have no readline."""
    rest = b""
    while block := file.read(1 << 20):
        *lines, rest = (rest + block).split(b"\n")
        yield from lines
    if rest:
        yield rest


def _no_key_twice(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    found = dict(pairs)
    if len(found) < len(pairs):
        names = [name for name, _ in pairs]
        twice = next(name for name in names if names.count(name) > 1)
        raise ValueError(f"key {twice} stands twice")
    return found


def _no_number(word: str) -> float:
    raise ValueError(f"{word} is no JSON number")


# --- columns -------------------------------------------------------------------------------------
def _columns(one: Input, records: Records, report: Report) -> None:
    try:
        source = sources.opened([one], None, {}, [])
    except InputError as bad:
        report.damage = str(bad).removeprefix(f"{one.path}: ")
        return
    wrong = dict(_types("", source.schema, sources.all_columns()))
    for name, text in wrong.items():
        report.add(0, f"{name}: {text}")
    for _, batch in source.batches():
        for row in as_json(batch):
            report.records += 1
            for text in records.problems(row):
                if text.split(":")[0].replace("[0]", "") not in wrong:
                    report.add(report.records, text)


def _types(
    path: str, there: Iterable[pa.Field], known: Iterable[pa.Field]
) -> Iterator[tuple[str, str]]:
    """Columns that do not exist, or are of another kind: name and words."""
    right = {one.name: one for one in known}
    for one in there:
        name = f"{path}{one.name}"
        if one.name not in right:
            yield name, "there is no such field"
            continue
        yield from _type(name, one.type, right[one.name].type)


def _type(name: str, there: pa.DataType, known: pa.DataType) -> Iterator[tuple[str, str]]:
    if unify.is_list(there) and unify.is_list(known):
        yield from _type(name, there.value_type, known.value_type)
    elif pa.types.is_struct(there) and pa.types.is_struct(known):
        yield from _types(f"{name}.", list(there), list(known))
    elif not any(test(there) and test(known) for test in _SAME) and not there.equals(known):
        yield name, f"is {there}, not {known}"


_SAME = (unify.is_text, unify.is_binary, pa.types.is_integer, pa.types.is_floating)


def as_json(batch: pa.RecordBatch) -> Iterator[dict[str, Any]]:
    """Rows as the JSON of the same records: times as seconds, bytes as digits, without nulls."""
    moments = [one.name for one in batch.schema if pa.types.is_timestamp(one.type)]
    units = {
        name: {"s": 1, "ms": 10**3, "us": 10**6, "ns": 10**9}[batch.schema.field(name).type.unit]
        for name in moments
    }
    plain = pa.schema(
        [one.with_type(pa.int64()) if one.name in units else one for one in batch.schema]
    )
    for row in answers.rows([unify.adapt(batch, plain, lambda *_: None)], plain):
        for name, per in units.items():
            if row[name] is not None:
                row[name] = row[name] / per
        yield answers.without_null(row)
