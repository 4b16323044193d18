# SPDX-License-Identifier: BSD-3-Clause
"""The old vocabulary (--select, --where, --groupby, --dist, --sum, ...) as SQL over table flows.

Names are looked up in the schema, so an element that does not exist is refused, and stand quoted in
the SQL; values stand there as quoted literals.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import count

import pyarrow as pa

from joy import answers, sources, unify, where
from joy.errors import UsageError
from joy.needs import Needs
from joy.views import literal, name
from joy.where import And, Compare, Condition, Item, Not, Or, Pick

SUMMED = (  # counters of one part of a flow, without _out and _in
    "bytes", "num_pkts", "ip_bytes", "retrans", "ooo", "dup", "keep_alive", "overlap", "gaps",
    "icmp_errors",
)  # fmt: skip
JOINED = ("packets", "salt", "ppi")  # lists that go on from part to part
FLOW = ("flow_id", "sa", "da", "sp", "dp", "pr", "file")  # what the parts of a flow share
UNTRUE = ("entropy", "total_entropy", "byte_dist", "byte_dist_mean", "byte_dist_std",
          "compact_byte_dist", "stats", "wht", "hd")  # fmt: skip
OLD = {
    "ts": "time_start", "te": "time_end", "ob": "bytes_out", "ib": "bytes_in",
    "op": "num_pkts_out", "signature_key_size": "key_length",
    "signature_algo": "signature_algorithm",
}  # fmt: skip


@dataclass(frozen=True)
class Flags:
    """What the options say, as read.

    Attributes:
        sort: elements with whether the order falls.
    """

    select: tuple[Pick, ...] = ()
    where: Condition | None = None
    groupby: tuple[Pick, ...] = ()
    dist: bool = False
    sum: tuple[Pick, ...] = ()
    top: int | None = None
    sort: tuple[tuple[str, bool], ...] = ()
    stitch: bool = False

    def needs(self) -> Needs:
        """The columns that they speak of."""
        named = where.paths(self.select + self.groupby + self.sum)
        named += [path for path, _ in self.sort]
        named += [".".join(path) for path in _named(self.where)]
        if self.stitch:
            named += [*FLOW, "part", "time_start", "time_end", "end_reason"]
        whole = not (self.select or self.groupby or self.sum)
        return Needs(exact=named, whole=whole)


def read(
    select: str | None,
    condition: str | None,
    groupby: str | None,
    dist: bool,
    sums: str | None,
    top: int | None,
    sort: str | None,
    stitch: bool,
) -> Flags:
    """Reads the options.

    Raises:
        UsageError: a fault in one of them, or options that say nothing together.
    """

    def elements(text: str | None) -> tuple[Pick, ...]:
        return () if text is None else where.picks(text)

    if dist and sums is not None:
        raise UsageError("--dist and --sum exclude each other")
    if dist and select is None and groupby is None:
        raise UsageError("--dist counts what --select or --groupby name")
    if top is not None and top < 1:
        raise UsageError("--top takes a number from 1 up")
    order = []
    for word in (sort or "").split(","):
        falls = word.strip().startswith("-")
        if word.strip():
            order.append((".".join(where.paths(where.picks(word.strip().lstrip("-")))), falls))
    return Flags(
        select=elements(select),
        where=None if condition is None else where.condition(condition),
        groupby=elements(groupby),
        dist=dist,
        sum=elements(sums),
        top=top,
        sort=tuple(order),
        stitch=stitch,
    )


def _named(condition: Condition | None) -> list[tuple[str, ...]]:
    """Paths that a condition speaks of."""
    if isinstance(condition, Compare):
        return [condition.path]
    if isinstance(condition, Item):
        below = _named(condition.inner)
        return [condition.path + path for path in below]
    if isinstance(condition, Not):
        return _named(condition.inner)
    if isinstance(condition, (And, Or)):
        return [path for part in condition.parts for path in _named(part)]
    return []


# --- conditions ----------------------------------------------------------------------------------
class Conditions:
    """Conditions over a schema as SQL; what they name and is not there goes to `missing`."""

    def __init__(self, schema: pa.Schema) -> None:
        self._schema = schema
        self._names: Iterator[str] = (f"x{number}" for number in count())
        self.missing: list[str] = []

    def sql(self, condition: Condition) -> str:
        """An expression that is true or false, never null."""
        return self._any(condition, pa.struct(list(self._schema)), "", ())

    def _any(self, condition: Condition, kind: pa.DataType, at: str, above: tuple[str, ...]) -> str:
        """A condition about the object `at`, which is of type `kind` and lies at path `above`."""
        if isinstance(condition, Not):
            return f"NOT {self._any(condition.inner, kind, at, above)}"
        if isinstance(condition, (And, Or)):
            word = " AND " if isinstance(condition, And) else " OR "
            parts = [self._any(part, kind, at, above) for part in condition.parts]
            return f"({word.join(parts)})"
        return self._walk(condition, condition.path, kind, at, above)

    def _walk(
        self,
        condition: Compare | Item,
        path: tuple[str, ...],
        kind: pa.DataType,
        at: str,
        above: tuple[str, ...],
    ) -> str:
        """The rest `path` of a condition's path, seen from `at`."""
        if unify.is_list(kind) and (path or not _presence(condition)):
            item = next(self._names)
            inner = self._walk(condition, path, kind.value_type, item, above)
            return f"coalesce(len(list_filter({at}, lambda {item}: {inner})) > 0, false)"
        if not path:
            return self._leaf(condition, kind, at, above)
        here = (*above, path[0])
        if not pa.types.is_struct(kind) or kind.get_field_index(path[0]) < 0:
            return self._absent((*above, *path))
        below = kind.field(path[0])
        expression = f"{at}.{name(path[0])}" if at else name(path[0])
        return self._walk(condition, path[1:], below.type, expression, here)

    def _absent(self, path: tuple[str, ...]) -> str:
        dotted = ".".join(path)
        if unify.find(sources.all_columns(), dotted) is None:
            raise UsageError(f"there is no element {dotted}{_nearest(path, self._schema)}")
        self.missing.append(dotted)
        return "false"

    def _leaf(
        self, condition: Compare | Item, kind: pa.DataType, at: str, above: tuple[str, ...]
    ) -> str:
        if isinstance(condition, Item):
            return f"({at} IS NOT NULL AND {self._any(condition.inner, kind, at, above)})"
        if condition.value == "*":
            there = (
                f"coalesce(len({at}) > 0, false)"
                if unify.is_list(kind)
                else (f"({at} IS NOT NULL)")
            )
            return f"(NOT {there})" if condition.operator == "~" else there
        if pa.types.is_struct(kind):
            raise UsageError(f"{'.'.join(above)} is an object: say which of its elements")
        return f"coalesce({_compare(condition, kind, at)}, false)"


def _presence(condition: Compare | Item) -> bool:
    return isinstance(condition, Compare) and condition.value == "*"


def _compare(condition: Compare, kind: pa.DataType, at: str) -> str:
    operator = {"~": "<>"}.get(condition.operator, condition.operator)
    value = condition.value
    if pa.types.is_timestamp(kind):
        return f"{at} {operator} {_moment(condition)}"
    if unify.is_binary(kind):
        at, value = f"lower(hex({at}))", value.lower()
    number = pa.types.is_integer(kind) or pa.types.is_floating(kind)
    if set("*?[") & set(value):
        if operator not in ("=", "<>"):
            raise UsageError(f"{'.'.join(condition.path)}: {operator} takes no * ? or [ ]")
        text = f"{at}::VARCHAR" if number else at
        glob = f"({text} GLOB {literal(_pattern(value))})"
        return glob if operator == "=" else f"NOT {glob}"
    if pa.types.is_boolean(kind):
        return f"{at} {operator} {_boolean(condition)}"
    if number:
        return f"{at} {operator} {_number(condition)}"
    if operator not in ("=", "<>"):
        raise UsageError(f"{'.'.join(condition.path)} is text: {operator} is for numbers and times")
    return f"{at} {operator} {literal(value)}"


def _pattern(value: str) -> str:
    return value.replace("\\", "\\\\")  # the database's own way out of * and ?


def _number(condition: Compare) -> str:
    try:
        number = float(condition.value)
        if number != number or number in (float("inf"), float("-inf")):
            raise ValueError
    except ValueError:
        raise UsageError(
            f"{'.'.join(condition.path)} is a number: {condition.value} is none"
        ) from None
    return str(int(condition.value)) if condition.value.lstrip("+-").isdigit() else repr(number)


def _boolean(condition: Compare) -> str:
    words = {"true": "true", "1": "true", "yes": "true", "false": "false", "0": "false",
             "no": "false"}  # fmt: skip
    if condition.value.lower() not in words or condition.operator not in "=~":
        raise UsageError(f"{'.'.join(condition.path)} is true or false")
    return words[condition.value.lower()]


def _moment(condition: Compare) -> str:
    """A time: seconds since 1970, or what the database reads as a time of UTC."""
    from datetime import datetime, timezone
    from decimal import Decimal, InvalidOperation

    value = condition.value
    try:
        return literal(answers.moment(int(Decimal(value).scaleb(9)), "ns", "UTC"))
    except (InvalidOperation, ValueError, OverflowError):
        pass
    try:
        moment = datetime.fromisoformat(value.replace("Z", "+00:00"))
    except ValueError:
        where_ = ".".join(condition.path)
        raise UsageError(
            f"{where_}: {value} is no time: seconds since 1970, or 2026-01-31T12:00"
        ) from None
    moment = moment if moment.tzinfo else moment.replace(tzinfo=timezone.utc)
    return literal(moment.isoformat())


def _nearest(path: tuple[str, ...], schema: pa.Schema) -> str:
    new = OLD.get(path[-1])
    if new:
        return f": it is {'.'.join((*path[:-1], new))} now"
    known = [*unify.names(sources.all_columns()), *unify.names(schema)]
    return sources.nearest(".".join(path), known)


# --- elements ------------------------------------------------------------------------------------
class Elements:
    """Elements over a schema as SQL."""

    def __init__(self, schema: pa.Schema) -> None:
        self._kind = pa.struct(list(schema))
        self._schema = schema
        self._names: Iterator[str] = (f"y{number}" for number in count())
        self.missing: list[str] = []

    def columns(self, picks: Sequence[Pick]) -> list[tuple[str, str]]:
        """Expression and name of each; what is not there is null."""
        return [(self._pick(pick, self._kind, "", ()), pick.name) for pick in picks]

    def _pick(self, pick: Pick, kind: pa.DataType, at: str, above: tuple[str, ...]) -> str:
        here = (*above, pick.name)
        if not pa.types.is_struct(kind) or kind.get_field_index(pick.name) < 0:
            dotted = ".".join(here)
            if unify.find(sources.all_columns(), dotted) is None:
                raise UsageError(f"there is no element {dotted}{_nearest(here, self._schema)}")
            self.missing += (
                where.paths((_chain(".".join(above), pick),)) if above else (where.paths((pick,)))
            )
            return "NULL"
        below = kind.field(pick.name).type
        expression = f"{at}.{name(pick.name)}" if at else name(pick.name)
        return self._part(pick.below, below, expression, here) if pick.below else expression

    def _part(
        self, below: Sequence[Pick], kind: pa.DataType, at: str, above: tuple[str, ...]
    ) -> str:
        """Only some fields of the object, or of the objects in the list, at `at`."""
        if unify.is_list(kind):
            item = next(self._names)
            inner = self._part(below, kind.value_type, item, above)
            return f"list_transform({at}, lambda {item}: {inner})"
        fields = [f"{name(one.name)} := {self._pick(one, kind, at, above)}" for one in below]
        return f"CASE WHEN {at} IS NOT NULL THEN struct_pack({', '.join(fields)}) END"

    def number(self, pick: Pick) -> tuple[str, str]:
        """Expression, and name, of an element that can be added up."""
        path = where.paths((pick,))[0]
        found = unify.find(self._schema, path)
        if found is not None and not (
            pa.types.is_integer(found.type) or pa.types.is_floating(found.type)
        ):
            raise UsageError(f"--sum {path}: it is no number")
        return self.dotted(path), path

    def dotted(self, path: str) -> str:
        """Expression of an element that lies in no list."""
        kind: pa.DataType = self._kind
        for key in path.split("."):
            if unify.is_list(kind):
                raise UsageError(f"{path} lies in a list: a table of its own shows that, in SQL")
            if not pa.types.is_struct(kind) or kind.get_field_index(key) < 0:
                return self._pick(_chain(path), self._kind, "", ())
            kind = kind.field(key).type
        return ".".join(map(name, path.split(".")))


def _chain(path: str, *last: Pick) -> Pick:
    below: tuple[Pick, ...] = last
    for key in reversed(path.split(".")):
        below = (Pick(key, below),)
    return below[0]


# --- the query -----------------------------------------------------------------------------------
def query(flags: Flags, schema: pa.Schema) -> tuple[str, list[str]]:
    """The SQL that the options stand for, and what they name that is in none of the inputs.

    Raises:
        UsageError: an element that does not exist, or cannot be compared or added up so.
    """
    conditions, elements = Conditions(schema), Elements(schema)
    source = f"({stitched(schema)}) AS flows" if flags.stitch else "flows"
    kept = "" if flags.where is None else f" WHERE {conditions.sql(flags.where)}"
    if flags.dist:
        body = _dist(flags, elements, source, kept)
    elif flags.sum:
        body = _sums(flags, elements, source, kept)
    else:
        body = _rows(flags, elements, source, kept)
    limit = f" LIMIT {flags.top}" if flags.top is not None else ""
    return body + limit, conditions.missing + elements.missing


def _shown(columns: Sequence[tuple[str, str]]) -> str:
    return ", ".join(f"{expression} AS {name(called)}" for expression, called in columns)


def _rows(flags: Flags, elements: Elements, source: str, kept: str) -> str:
    groups = elements.columns(flags.groupby)
    columns = elements.columns(where.merged([*flags.groupby, *flags.select]))
    order = [
        f"{elements.dotted(path)} {'DESC' if falls else 'ASC'} NULLS LAST"
        for path, falls in flags.sort
    ]
    order = [expression for expression, _ in groups] + order
    ordered = f" ORDER BY {', '.join(order)}" if order else ""
    shown = _shown(columns) if flags.select or flags.groupby else "*"
    return f"SELECT {shown} FROM {source}{kept}{ordered}"


def _order(flags: Flags, known: Sequence[str], otherwise: Sequence[str]) -> str:
    """ORDER BY the columns of an answer."""
    order = []
    for path, falls in flags.sort:
        if path not in known:
            raise UsageError(f"--sort {path}: the answer has only {', '.join(known)}")
        order.append(f"{name(path)} {'DESC' if falls else 'ASC'} NULLS LAST")
    return f" ORDER BY {', '.join(order or otherwise)}" if order or otherwise else ""


def _dist(flags: Flags, elements: Elements, source: str, kept: str) -> str:
    groups = elements.columns(flags.groupby)
    values = elements.columns([p for p in flags.select if p not in flags.groupby])
    window = ", ".join(expression for expression, _ in groups)
    total = f"sum(count(*)) OVER ({f'PARTITION BY {window}' if groups and values else ''})::BIGINT"
    counted = f'count(*) AS "count", {total} AS "total"'
    shown = ", ".join(filter(None, [counted, _shown(groups + values)]))
    by = ", ".join(expression for expression, _ in groups + values)
    names = [called for _, called in groups + values]
    falling = ['"count" DESC', *map(name, names)]
    if groups and values:
        falling = [*(name(called) for _, called in groups), *falling]
    order = _order(flags, ["count", "total", *names], falling)
    return f"SELECT {shown} FROM {source}{kept} GROUP BY {by}{order}"


def _sums(flags: Flags, elements: Elements, source: str, kept: str) -> str:
    groups = elements.columns(flags.groupby)
    sums = [elements.number(_chain(path)) for path in where.paths(flags.sum)]
    names = {called for _, called in sums}
    others = [p for p in flags.select if p.name not in names and p not in flags.groupby]
    firsts = [(f"any_value({e})", called) for e, called in elements.columns(others)]
    added = [(f"sum({expression})", called) for expression, called in sums]
    by = f" GROUP BY {', '.join(expression for expression, _ in groups)}" if groups else ""
    columns = groups + firsts + added
    known = [called for _, called in columns]
    otherwise = [f"{name(added[0][1])} DESC", *(name(c) for _, c in groups)] if groups else []
    return f"SELECT {_shown(columns)} FROM {source}{kept}{by}{_order(flags, known, otherwise)}"


# --- parts of flows ------------------------------------------------------------------------------
def stitched(schema: pa.Schema) -> str:
    """A query that makes one row of all parts of a flow.

    Counters are added, lists of packets joined, times span all parts; what tells of the whole flow
    and cannot be put together from parts is null where there are several; the rest is of the first
    part that has it.
    """
    there = set(schema.names)
    for needed in ("flow_id", "part"):
        if needed not in there:
            raise UsageError(f"--stitch needs the column {needed}, which the inputs do not have")
    keys = [key for key in FLOW if key in there]
    columns = [
        f"{name(one)} AS {name(one)}" if one in keys else f"{_together(one)} AS {name(one)}"
        for one in schema.names
    ]
    by = ", ".join(map(name, keys))
    return f"SELECT {', '.join(columns)} FROM flows GROUP BY {by}"


def _together(column: str) -> str:
    """How the parts' values of a column become one."""
    quoted = name(column)
    counter, _, way = column.rpartition("_")
    if way in ("out", "in") and counter in SUMMED:
        return f"sum({quoted})::UBIGINT"
    if column in JOINED:
        return f"flatten(list({quoted} ORDER BY part) FILTER ({quoted} IS NOT NULL))"
    if column in ("time_start", "part"):
        return f"min({quoted})"
    if column == "time_end":
        return f"max({quoted})"
    if column in ("end_reason", "expire_type"):
        return f"arg_max_null({quoted}, part)"
    if column == "marks":
        return f"list_distinct(flatten(list({quoted}) FILTER ({quoted} IS NOT NULL)))"
    if column in UNTRUE:
        return f"CASE WHEN count(*) = 1 THEN first({quoted}) END"
    return f"first({quoted} ORDER BY part) FILTER ({quoted} IS NOT NULL)"
