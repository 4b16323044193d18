# SPDX-License-Identifier: BSD-3-Clause
"""Ground truth: rows that say which flows have which labels, read from CSV, JSON, Parquet, TOML.

A row has conditions (columns of CONDITIONS; an empty cell is none) and labels (all other columns).
Each becomes one or more rules, in which addresses, ports and times are ranges of numbers that a
database can join.
"""

from __future__ import annotations

import csv
import ipaddress
import json
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta, timezone, tzinfo
from decimal import Decimal, InvalidOperation
from functools import lru_cache
from itertools import product
from math import isnan, prod
from pathlib import Path
from typing import Any

from joy.errors import InputError, UsageError

TIMES = ("start", "end", "time", "duration")
CONDITIONS = (*TIMES, "sa", "da", "sp", "dp", "pr", "exe.name", "exe.path", "file")
SETTINGS = ("direction", "priority")
DIRECTIONS = ("either", "forward")
PROTOCOLS = {
    "icmp": 1,
    "igmp": 2,
    "tcp": 6,
    "udp": 17,
    "dccp": 33,
    "gre": 47,
    "esp": 50,
    "ah": 51,
    "icmp6": 58,
    "icmpv6": 58,
    "ipv6-icmp": 58,
    "ospf": 89,
    "sctp": 132,
    "udplite": 136,
}
EARLIEST, LATEST = -(2**63), 2**63 - 1  # ns since 1970
MOST_RULES = 4096  # of one row
_BETWEEN = re.compile(r"[\s,;]+")
_SECONDS = re.compile(r"\s*-?\d+(\.\d*)?\s*")
_ISO = re.compile(
    r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d(?::\d\d)?)(?:[.,](\d{1,9}))?\s*(Z|[+-]\d\d:?\d\d)?"
)


class BadRow(ValueError):
    """What is wrong with a row, without its place."""


@dataclass(frozen=True)
class Clock:
    """How times of the truth are read.

    Attributes:
        zone: of times that do not say one; None: such times are refused.
        shift: nanoseconds to add to a time of the truth to have that of the capture.
        slack: nanoseconds by which intervals are widened at both ends.
    """

    zone: tzinfo | None = None
    shift: int = 0
    slack: int = 0


@dataclass
class Rule:
    """A row's conditions (or one alternative of them) as ranges; None: any.

    Addresses are the bytes of address_key(), from lowest to highest; times ns since 1970.
    """

    row: int
    either: bool
    sa: tuple[bytes, bytes] | None = None
    da: tuple[bytes, bytes] | None = None
    sp: tuple[int, int] | None = None
    dp: tuple[int, int] | None = None
    pr: int | None = None
    time: tuple[int, int] | None = None
    name: str | None = None
    path: str | None = None
    file: str | None = None


@dataclass
class Row:
    """A row of the truth: where it stands, how much it counts, its labels."""

    where: str
    priority: int
    labels: dict[str, Any]


@dataclass
class Truth:
    """All rows of all files.

    Attributes:
        rows: in the order of files and lines; Rule.row is a place in it.
        rules: what they match.
        labels: names of label columns, in the order in which they come; the Python type of each.
        bad: rows that could not be understood, with their place.
    """

    rows: list[Row] = field(default_factory=list)
    rules: list[Rule] = field(default_factory=list)
    labels: dict[str, type | None] = field(default_factory=dict)
    bad: list[str] = field(default_factory=list)

    @property
    def wants_files(self) -> bool:
        """Whether some row asks from which file a flow is."""
        return any(rule.file is not None for rule in self.rules)

    @property
    def wants_processes(self) -> bool:
        """Whether some row asks for a process."""
        return any(rule.name is not None or rule.path is not None for rule in self.rules)


# --- cells ---------------------------------------------------------------------------------------
@lru_cache(maxsize=None, typed=True)
def address_key(address: str) -> bytes:
    """Bytes by which addresses are ordered: 4 or 6, then the address; IPv4 before IPv6."""
    packed = ipaddress.ip_address(address).packed
    return (b"\4" if len(packed) == 4 else b"\6") + packed


def _words(cell: Any) -> list[Any]:
    """A cell's alternatives: a list as it is, a text cut at white space, commas, semicolons."""
    if isinstance(cell, str):
        return [w for w in _BETWEEN.split(cell) if w] if _BETWEEN.search(cell) else [cell]
    return list(cell) if isinstance(cell, (list, tuple)) else [cell]


def _scalar(word: Any) -> Any:
    """A text or number; numbers that were read as floats for want of another type are whole."""
    if isinstance(word, float) and word.is_integer():
        return int(word)
    if not isinstance(word, (str, int, float)):
        raise BadRow(f"{word!r} is no text or number")
    return word


@lru_cache(maxsize=None, typed=True)
def _address(word: Any) -> tuple[bytes, bytes]:
    try:
        if "%" in word:
            raise ValueError
        net = ipaddress.ip_network(word.strip(), strict=True)
    except (ValueError, TypeError, AttributeError) as bad:
        hint = " (bits are set behind its length)" if "host bits" in str(bad) else ""
        raise BadRow(f"{word!r} is no address or prefix{hint}") from None
    return address_key(str(net[0])), address_key(str(net[-1]))


@lru_cache(maxsize=None, typed=True)
def _port(word: Any) -> tuple[int, int]:
    found = re.fullmatch(r"(\d{1,5})(?:-(\d{1,5}))?", str(word)) if word is not True else None
    low, high = (int(found[1]), int(found[2] or found[1])) if found else (1, 0)
    if not low <= high <= 65535:
        raise BadRow(f"{word!r} is no port or range of ports")
    return low, high


@lru_cache(maxsize=None, typed=True)
def _protocol(word: Any) -> int:
    number = PROTOCOLS.get(str(word).lower())
    if number is None and re.fullmatch(r"\d{1,3}", str(word)) and int(word) <= 255:
        number = int(word)
    if number is None:
        raise BadRow(f"{word!r} is no protocol: a number, or {', '.join(PROTOCOLS)}")
    return number


def _text(word: Any) -> str:
    if not isinstance(word, str):
        raise BadRow(f"{word!r} is no text")
    return word


def seconds(word: Any) -> int:
    """Nanoseconds of a number of seconds, exactly; raises BadRow."""
    try:
        value = Decimal(str(word).strip())
        if isinstance(word, bool) or not value.is_finite() or abs(value) > 9 * 10**9:
            raise InvalidOperation
    except InvalidOperation:
        raise BadRow(f"{word!r} is no number of seconds") from None
    return int((value * 10**9).to_integral_value())


def moment(word: Any, clock: Clock) -> int:
    """Nanoseconds since 1970 of seconds since then, of ISO 8601, or of a datetime.

    Raises:
        BadRow: none of these, or local time without a zone, or one that a clock change makes
            impossible or ambiguous.
    """
    if isinstance(word, datetime):
        return _instant(word, word, 0, clock)
    if not isinstance(word, str) or _SECONDS.fullmatch(word):
        return seconds(word) + clock.shift
    found = _ISO.fullmatch(word.strip())
    if found is None:
        raise BadRow(f"{word!r} is no time: seconds since 1970, or 2026-01-31T23:59:59.5Z")
    day, hour, part, offset = found.groups()
    offset = "+00:00" if offset == "Z" else offset or ""
    if offset and ":" not in offset:
        offset = offset[:3] + ":" + offset[3:]
    try:
        whole = datetime.fromisoformat(f"{day}T{hour}{offset}")
    except ValueError as bad:
        raise BadRow(f"{word!r} is no time: {bad}") from None
    return _instant(word, whole, int((part or "").ljust(9, "0")), clock)


def _instant(word: Any, time: datetime, ns: int, clock: Clock) -> int:
    if time.tzinfo is None:
        if clock.zone is None:
            raise BadRow(f"{word!s} has no time zone: name one by --zone")
        time = _local(word, time.replace(tzinfo=clock.zone))
    since = time - datetime(1970, 1, 1, tzinfo=timezone.utc)
    return (since // timedelta(microseconds=1)) * 1000 + ns + clock.shift


def _local(word: Any, time: datetime) -> datetime:
    early, late = time.replace(fold=0), time.replace(fold=1)
    if early.utcoffset() != late.utcoffset():
        there = early.astimezone(timezone.utc).astimezone(time.tzinfo)
        exists = there.replace(tzinfo=None) == early.replace(tzinfo=None)
        why = "twice" if exists else "never"
        raise BadRow(f"{word!s} was {why} in that time zone: write it with its offset")
    return time


def _interval(row: dict[str, Any], clock: Clock) -> tuple[int, int] | None:
    """When a row holds, slack and shift in it; None: always."""
    if not any(key in row for key in TIMES):
        return None
    if "time" in row:
        if "start" in row or "end" in row:
            raise BadRow("time stands for start and end: it cannot be beside them")
        row = {**row, "start": row["time"], **({} if "duration" in row else {"end": row["time"]})}
    low = moment(row["start"], clock) if "start" in row else EARLIEST
    high = moment(row["end"], clock) if "end" in row else LATEST
    if "duration" in row:
        if "start" not in row or "end" in row:
            raise BadRow("duration needs start (or time) and no end")
        high = low + seconds(row["duration"])
    if high < low:
        raise BadRow("it ends before it starts")
    return _within(low - clock.slack), _within(high + clock.slack)


def _within(ns: int) -> int:
    return min(max(ns, EARLIEST), LATEST)


# --- rows ----------------------------------------------------------------------------------------
def rules_of(row: dict[str, Any], place: int, clock: Clock) -> list[Rule]:
    """The rules of a row's conditions.

    Raises:
        BadRow: a cell is not what its column is for, or there is no condition.
    """
    given = {key: row[key] for key in CONDITIONS if key in row}
    if not given:
        raise BadRow("it has no condition and would match every flow")
    direction = row.get("direction", "either")
    if direction not in DIRECTIONS:
        raise BadRow(f"direction {direction!r}: has to be either or forward")
    alternatives = [_alternatives(key, given[key]) if key in given else [None] for key in _READ]
    if prod(map(len, alternatives)) > MOST_RULES:
        raise BadRow(f"its lists have more than {MOST_RULES} combinations")
    time = _interval(row, clock)
    either = direction == "either"
    return [
        Rule(place, either, sa, da, sp, dp, pr, time, name, path, file)
        for sa, da, sp, dp, pr, name, path, file in product(*alternatives)
    ]


_READ: dict[str, Callable[[Any], Any]] = {
    "sa": _address,
    "da": _address,
    "sp": _port,
    "dp": _port,
    "pr": _protocol,
    "exe.name": _text,
    "exe.path": _text,
    "file": _text,
}


def _alternatives(key: str, cell: Any) -> list[Any]:
    """What a cell may be, each as its rule has it."""
    read = _READ[key]
    # Names may have spaces in them: a text is one name.
    words = [cell] if read is _text and isinstance(cell, str) else _words(cell)
    if not words:
        raise BadRow(f"{key} is an empty list")
    return [read(_scalar(word)) for word in words]


def _priority(row: dict[str, Any]) -> int:
    if "priority" not in row:
        return 0
    word = str(_scalar(row["priority"]))
    if not re.fullmatch(r"[+-]?\d{1,9}", word):
        raise BadRow(f"priority {word!r} is no whole number")
    return int(word)


def _add(truth: Truth, row: dict[str, Any], where: str, clock: Clock, keep: Sequence[str]) -> None:
    row = {key: cell for key, cell in row.items() if not _is_empty(cell)}
    try:
        labels = {
            key: cell
            for key, cell in row.items()
            if key not in (*CONDITIONS, *SETTINGS) and (not keep or key in keep)
        }
        if not labels:
            raise BadRow("it has no label")
        for name, cell in labels.items():
            _check_type(truth, name, cell)
        rules = rules_of(row, len(truth.rows), clock)
        truth.rows.append(Row(where, _priority(row), labels))
        truth.rules += rules
    except BadRow as bad:
        truth.bad.append(f"{where}: {bad}")


def _is_empty(cell: Any) -> bool:
    return cell is None or cell == "" or (isinstance(cell, float) and isnan(cell))


def _check_type(truth: Truth, name: str, cell: Any) -> None:
    kind = type(cell)
    if kind not in (str, bool, int, float):
        raise BadRow(f"label {name}: {cell!r} is no text, number or truth value")
    if truth.labels.get(name) is None:
        truth.labels[name] = kind
    elif truth.labels[name] is not kind:
        was = truth.labels[name].__name__
        raise BadRow(f"label {name}: {cell!r} is a {kind.__name__}, others are {was}")


# --- files ---------------------------------------------------------------------------------------
def read(paths: Sequence[str], clock: Clock | None = None, keep: Sequence[str] = ()) -> Truth:
    """Read files of truth, in their order.

    Args:
        paths: .csv, .tsv, .json (a list, or a row a line), .jsonl, .parquet, .toml.
        clock: how times are read.
        keep: names of the label columns wanted; all that are no conditions when empty.

    Raises:
        InputError: a file cannot be read at all.
        UsageError: an ending that is not known, a wanted label that no file has.
    """
    truth = Truth()
    for path in paths:
        reader = _READERS.get(Path(path).suffix.lower())
        if reader is None:
            raise UsageError(f"{path}: truth is read from {', '.join(_READERS)}")
        try:
            columns, rows = reader(path)
        except FileNotFoundError:
            raise InputError(f"{path}: there is no such file", path) from None
        except (OSError, ValueError) as bad:
            if isinstance(bad, (InputError, UsageError)):
                raise
            raise InputError(f"{path}: {bad}", path) from None
        for name in columns:
            if name not in (*CONDITIONS, *SETTINGS) and (not keep or name in keep):
                truth.labels.setdefault(name, None)
        for number, row in rows:
            if isinstance(row, BadRow):
                truth.bad.append(f"{path}:{number}: {row}")
            else:
                _add(truth, row, f"{path}:{number}", clock or Clock(), keep)
    for name in keep:
        if name not in truth.labels:
            raise UsageError(f"--label {name}: no file of truth has it")
    return truth


Rows = Iterator[tuple[int, "dict[str, Any] | BadRow"]]


def _separated(path: str, separator: str) -> tuple[list[str], Rows]:
    with open(path, encoding="utf-8-sig", newline="") as lines:
        found = csv.reader(lines, delimiter=separator, strict=True)
        try:
            rows = [(found.line_num, row) for row in found if row]
        except csv.Error as bad:
            raise InputError(f"{path}:{found.line_num}: {bad}", path) from None
    if not rows:
        raise InputError(f"{path}: is empty: its first line has to name the columns", path)
    heads = [head.strip() for head in rows[0][1]]
    twice = [head for head in heads if head == "" or heads.count(head) > 1]
    if twice:
        raise InputError(f"{path}:1: a column has no name, or that of another: {twice[0]!r}", path)
    return heads, ((number, _cells(heads, row)) for number, row in rows[1:])


def _cells(heads: list[str], row: list[str]) -> dict[str, Any] | BadRow:
    if len(row) != len(heads):
        return BadRow(f"{len(row)} cells, but the first line names {len(heads)} columns")
    return dict(zip(heads, (cell.strip() for cell in row), strict=True))


def _json(path: str) -> tuple[list[str], Rows]:
    text = Path(path).read_text(encoding="utf-8")
    if text.lstrip().startswith("["):
        return _listed(path, json.loads(text))
    rows: list[tuple[int, Any]] = []
    for number, line in enumerate(text.split("\n"), 1):
        if line.strip():
            try:
                rows.append((number, _object(json.loads(line))))
            except json.JSONDecodeError as bad:
                rows.append((number, BadRow(f"no JSON: {bad.msg}")))
    return [], iter(rows)


def _listed(path: str, items: Any) -> tuple[list[str], Rows]:
    if not isinstance(items, list):
        raise InputError(f"{path}: has to be a list of rows", path)
    return [], ((number, _object(item)) for number, item in enumerate(items, 1))


def _object(item: Any) -> dict[str, Any] | BadRow:
    return item if isinstance(item, dict) else BadRow(f"{item!r} is no row")


def _parquet(path: str) -> tuple[list[str], Rows]:
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        names = file.schema_arrow.names
        rows = [row for batch in file.iter_batches() for row in _times_as_text(batch).to_pylist()]
        return names, iter(enumerate(rows, 1))


def _times_as_text(batch: Any) -> Any:
    """Python's own times have no nanoseconds."""
    import pyarrow as pa

    for place, field_ in enumerate(batch.schema):
        if pa.types.is_timestamp(field_.type):
            batch = batch.set_column(place, field_.name, batch.column(place).cast(pa.utf8()))
    return batch


def _toml(path: str) -> tuple[list[str], Rows]:
    try:
        import tomllib
    except ImportError:
        raise UsageError(f"{path}: TOML needs Python 3.11 or later") from None
    found = tomllib.loads(Path(path).read_text(encoding="utf-8"))
    if set(found) - {"truth"}:
        raise InputError(f"{path}: has to have tables [[truth]] and nothing else", path)
    return _listed(path, found.get("truth", []))


_READERS: dict[str, Callable[[str], tuple[list[str], Rows]]] = {
    ".csv": lambda path: _separated(path, ","),
    ".tsv": lambda path: _separated(path, "\t"),
    ".json": _json,
    ".jsonl": _json,
    ".parquet": _parquet,
    ".toml": _toml,
}
