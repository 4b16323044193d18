# SPDX-License-Identifier: BSD-3-Clause
"""Ground truth joined onto flows: sets against sets, in DuckDB, some thousands of flows at a time.

Rules with the same kinds of conditions (an exact address, a prefix, a range of ports, ...) are one
table: what is exact in them, and the bytes that all addresses of a prefix begin with, are joined by
equality, the rest by ranges.  So the work grows with what matches, not with flows times rules,
wherever a rule has something exact.
"""

from __future__ import annotations

import fnmatch
import os
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pyarrow as pa
import pyarrow.compute as pc

from joy.errors import JoyError, UsageError
from joy.tables import column, plain_array
from joy.truth import Rule, Truth, address_key

if TYPE_CHECKING:
    import duckdb

CHUNK = 65_536  # flows that are joined at a time, and rows of a row group
CONFLICT = ("mark", "first", "error")
NEEDED = ("sa", "da", "pr", "sp", "dp", "time_start", "time_end")  # columns that are joined on
PAIRS = (("sa", "da"), ("sp", "dp"))  # what changes places in the other direction

_ARROW = {str: pa.utf8(), bool: pa.bool_(), int: pa.int64(), float: pa.float64(), None: pa.utf8()}
_RULE = pa.schema(
    [("row", pa.int64())]
    + [(f"{side}_{end}", pa.binary()) for side in ("sa", "da") for end in ("low", "high", "cut")]
    + [(f"{side}_{end}", pa.int32()) for side in ("sp", "dp") for end in ("low", "high")]
    + [("pr", pa.int32()), ("time_low", pa.int64()), ("time_high", pa.int64())]
    + [("name", pa.utf8()), ("path", pa.utf8())]
)


@dataclass
class Counts:
    """What came of it.

    Attributes:
        flows, labelled, unlabelled, ambiguous: numbers of flows; ambiguous ones had a label for
            which rows of the same priority say different things.
        values: for each label column how many flows have each value.
        conflicts: for each label column how many flows it is ambiguous for.
        examples: of conflicts, a line each.
    """

    flows: int = 0
    labelled: int = 0
    unlabelled: int = 0
    ambiguous: int = 0
    values: dict[str, Counter] = field(default_factory=dict)
    conflicts: Counter = field(default_factory=Counter)
    examples: list[str] = field(default_factory=list)


# --- rules as tables -----------------------------------------------------------------------------
def _is_wild(text: str) -> bool:
    return any(sign in text for sign in "*?[")


def _form(rule: Rule) -> tuple[tuple[str, str], ...]:
    """What kinds of conditions a rule has: (column, kind).

    Kinds are exact, range, wild, and for a range of addresses the number of bytes that all of them
    begin with.
    """
    form = []
    for key in ("sa", "da", "sp", "dp"):
        ends = getattr(rule, key)
        if ends is not None:
            form.append((key, "exact" if ends[0] == ends[1] else _range(ends)))
    if rule.pr is not None:
        form.append(("pr", "exact"))
    if rule.time is not None:
        form.append(("time", "range"))
    for key in ("name", "path"):
        text = getattr(rule, key)
        if text is not None:
            form.append((key, "wild" if _is_wild(text) else "exact"))
    return (*form, ("either", "yes")) if rule.either else tuple(form)


def _range(ends: tuple) -> str:
    return str(len(os.path.commonprefix(ends))) if isinstance(ends[0], bytes) else "range"


def _as_row(rule: Rule) -> dict[str, Any]:
    out: dict[str, Any] = {"row": rule.row, "pr": rule.pr, "name": rule.name, "path": rule.path}
    for key in ("sa", "da", "sp", "dp", "time"):
        ends = getattr(rule, key)
        out[f"{key}_low"], out[f"{key}_high"] = ends if ends is not None else (None, None)
        if key in ("sa", "da") and ends is not None:
            out[f"{key}_cut"] = os.path.commonprefix(ends)
    return out


def _condition(key: str, kind: str, swapped: bool, process: str) -> str:
    """SQL of one condition of rule r on flow f."""
    if key == "time":
        return "f.time_start <= r.time_high AND f.time_end >= r.time_low"
    if key in ("name", "path"):
        sign = "GLOB" if kind == "wild" else "="
        return f"f.{process}_{key} {sign} r.{key}"
    if key == "pr":
        return "f.pr = r.pr"
    there = {"sa": "da", "da": "sa", "sp": "dp", "dp": "sp"}[key] if swapped else key
    if kind == "exact":
        return f"f.{there} = r.{key}_low"
    between = f"f.{there} BETWEEN r.{key}_low AND r.{key}_high"
    return between if kind == "range" else f"f.{there}_{kind} = r.{key}_cut AND {between}"


def _selects(name: str, form: tuple[tuple[str, str], ...]) -> Iterator[str]:
    """SQL that gives (i, row) of what a table of rules matches; one for each way to match."""
    conditions = [pair for pair in form if pair[0] != "either"]
    ends = any(key in ("sa", "da", "sp", "dp") for key, _ in conditions)
    turns = (False, True) if ("either", "yes") in form and ends else (False,)
    asks = any(key in ("name", "path") for key, _ in conditions)
    for swapped in turns:
        for process in ("exe", "exe_peer") if asks else ("exe",):
            words = [_condition(key, kind, swapped, process) for key, kind in conditions]
            where = " AND ".join(words) if words else "true"
            yield f"SELECT f.i, r.row FROM f JOIN {name} r ON {where}"


# --- flows as keys -------------------------------------------------------------------------------
def _keys(table: pa.Table, forms: Iterable[tuple], processes: bool) -> pa.Table:
    """What rules of these forms are joined on: a row for each flow, i from 0."""
    batch = table.combine_chunks().to_batches()[0]
    out = {"i": pa.array(range(table.num_rows), pa.int64())}
    cuts = {kind for form in forms for key, kind in form if key in ("sa", "da")} - {"exact"}
    for key in ("sa", "da"):
        out[key] = _address_keys(column(batch, key, pa.utf8()))
        for cut in sorted(cuts):
            out[f"{key}_{cut}"] = pc.binary_slice(out[key], 0, int(cut))
    for key in ("sp", "dp", "pr"):
        out[key] = column(batch, key, pa.int32())
    for key in ("time_start", "time_end"):
        out[key] = column(batch, key, pa.timestamp("ns", "UTC")).cast(pa.int64())
    if processes:
        for process in ("exe", "exe_peer"):
            for key in ("name", "path"):
                out[f"{process}_{key}"] = column(batch, f"{process}.{key}", pa.utf8())
    return pa.table(out)


def _address_keys(addresses: pa.Array) -> pa.Array:
    """Each different address is read once."""
    words = addresses.dictionary_encode()
    keys = pa.array([address_key(word) for word in words.dictionary.to_pylist()], pa.binary())
    return keys.take(words.indices)


def label_schema(truth: Truth, schema: pa.Schema, prefix: str, rows: str, file: str) -> pa.Schema:
    """Columns of the output: the flows' own, then labels, label_conflicts, and what was asked for.

    Raises:
        UsageError: a name that a column of the flows has.
    """
    fields = [pa.field(prefix + name, _ARROW[kind]) for name, kind in truth.labels.items()]
    fields.append(pa.field(prefix + "label_conflicts", pa.list_(pa.utf8())))
    fields += [pa.field(rows, pa.list_(pa.utf8()))] if rows else []
    fields += [pa.field(file, pa.utf8())] if file else []
    names = Counter([*schema.names, *(f.name for f in fields)])
    twice = [f.name for f in fields if names[f.name] > 1]
    if twice:
        raise UsageError(f"column {twice[0]} is there already: use --prefix, or name another")
    return pa.schema([*schema, *fields], schema.metadata)


class Labeller:
    """Gives flows their labels, some thousands at a time.

    Args:
        con: a database of its own.
        truth: what is joined.
        conflict: of CONFLICT: leave the label empty, take the first row's, or stop.

    Attributes:
        counts: of all flows so far.
        matched: for each row of the truth how many flows it matched.
        used: for each row how many flows have a label that it gives.
        processes: whether some flow has a process, where the truth asks for that.
    """

    def __init__(self, con: duckdb.DuckDBPyConnection, truth: Truth, conflict: str) -> None:
        self.counts = Counts(values={name: Counter() for name in truth.labels})
        self.matched = [0] * len(truth.rows)
        self.used = [0] * len(truth.rows)
        self.processes = False
        self._con, self._truth, self._conflict = con, truth, conflict
        self._load_rows()
        self._filed: dict[str, list[Rule]] = {}  # those that ask for a file, by its pattern
        for rule in truth.rules:
            if rule.file is not None:
                self._filed.setdefault(rule.file, []).append(rule)
        self._always = self._load("rule", (r for r in truth.rules if r.file is None))
        self._of_file: list[tuple[tuple, str]] = []

    def _load_rows(self) -> None:
        rows = self._truth.rows
        columns: dict[str, pa.Array] = {
            "row": pa.array(range(len(rows)), pa.int64()),
            "priority": pa.array([row.priority for row in rows], pa.int64()),
        }
        for place, (name, kind) in enumerate(self._truth.labels.items()):
            cells = [row.labels.get(name) for row in rows]
            columns[f"label_{place}"] = pa.array(cells, _ARROW[kind])
        self._con.register("truth_rows", pa.table(columns))
        self._con.execute("CREATE TEMP TABLE truth AS SELECT * FROM truth_rows")

    def select_file(self, file: str | None) -> None:
        """From here on flows are of this file: only rules that hold for it are looked at."""
        for _, name in self._of_file:
            self._con.execute(f"DROP TABLE {name}")
        found = (
            rule
            for pattern, rules in self._filed.items()
            if file is not None and _is_file(file, pattern)
            for rule in rules
        )
        self._of_file = self._load("file_rule", found)

    def _load(self, name: str, rules: Iterable[Rule]) -> list[tuple[tuple, str]]:
        """Makes a table for each form of rules; forms and names of tables."""
        forms: dict[tuple, list[Rule]] = {}
        for rule in rules:
            forms.setdefault(_form(rule), []).append(rule)
        tables = [(form, f"{name}_{place}") for place, form in enumerate(forms)]
        for form, table in tables:
            part = pa.Table.from_pylist([_as_row(rule) for rule in forms[form]], _RULE)
            self._con.register("part", part)
            self._con.execute(f"CREATE TEMP TABLE {table} AS SELECT * FROM part")
        return tables

    def label(self, table: pa.Table, schema: pa.Schema, file: str | None, rows: bool) -> pa.Table:
        """The same flows in the columns of label_schema().

        Args:
            table: flows, at least one.
            schema: of label_schema().
            file: where they are from, for the last column of the schema where that asks for it.
            rows: whether the schema asks for the rows that matched.

        Raises:
            JoyError: rows contradict each other, and conflicts are errors.
        """
        self._match(table)
        found = [self._column(place, name) for place, name in enumerate(self._truth.labels)]
        columns, bad = [values for values, _ in found], [flags for _, flags in found]
        self._count(table, columns, bad)
        columns.append(self._conflicts(bad, table.num_rows))
        columns += [self._places()] if rows else []
        if len(table.columns) + len(columns) < len(schema):
            columns.append(pa.repeat(pa.scalar(file, pa.utf8()), table.num_rows))
        return pa.table([*table.columns, *columns], schema=schema)

    def _match(self, table: pa.Table) -> None:
        tables = [*self._always, *self._of_file]
        forms = [form for form, _ in tables]
        keys = _keys(table, forms, self._truth.wants_processes)
        if self._truth.wants_processes:
            self.processes |= keys["exe_name"].null_count < len(keys)
        self._con.register("f", keys)
        selects = [select for form, name in tables for select in _selects(name, form)]
        none = "SELECT 0::BIGINT AS i, 0::BIGINT AS row WHERE false"
        self._con.execute(
            f"CREATE OR REPLACE TEMP TABLE match AS {' UNION '.join([none, *selects])}"
        )
        found = self._con.execute("SELECT row, count(*) FROM match GROUP BY row").fetchall()
        for row, flows in found:
            self.matched[row] += flows

    def _column(self, place: int, name: str) -> tuple[pa.Array, pa.Array]:
        """A label of each flow, and whether rows contradict each other about it."""
        self._con.execute(_BEST.format(label=f"label_{place}"))
        table = self._con.sql(
            "SELECT b.first, coalesce(b.n > 1, false) AS ambiguous FROM f LEFT JOIN best b "
            "USING (i) ORDER BY f.i"
        ).to_arrow_table()
        first = table.column("first").combine_chunks()
        ambiguous = table.column("ambiguous").combine_chunks()
        if pc.any(ambiguous).as_py():
            self._note(place, name)
        if self._conflict == "mark":
            first = pc.if_else(ambiguous, pa.scalar(None, first.type), first)
        self._use()
        return first.cast(_ARROW[self._truth.labels[name]]), ambiguous

    def _use(self) -> None:
        """Rows whose label a flow has: those that agree with what was taken."""
        taken = "true" if self._conflict == "first" else "b.n = 1"
        rows = self._con.execute(
            "SELECT t.row, count(*) FROM top t JOIN best b USING (i) "
            f"WHERE t.value = b.first AND {taken} GROUP BY t.row"
        ).fetchall()
        for row, flows in rows:
            self.used[row] += flows

    def _note(self, place: int, name: str) -> None:
        """Keeps an example of a conflict; raises it when conflicts are errors."""
        rows = self._con.execute(
            "SELECT t.i, t.row, t.value FROM top t WHERE t.i = (SELECT min(i) FROM best "
            "WHERE n > 1) ORDER BY t.row LIMIT 4"
        ).fetchall()
        says = ", ".join(f"{self._truth.rows[row].where} says {value!r}" for _, row, value in rows)
        number = self.counts.flows + rows[0][0] + 1
        text = f"flow {number} (in order of output): {name} is ambiguous: {says}"
        if self._conflict == "error":
            raise JoyError(f"{text}; use priority, or --on-conflict mark or first")
        if len(self.counts.examples) < 10:
            self.counts.examples.append(text)

    def _count(self, table: pa.Table, columns: list[pa.Array], bad: list[pa.Array]) -> None:
        counts, size = self.counts, table.num_rows
        some = _any([pc.is_valid(values) for values in columns], size)
        counts.flows += size
        counts.labelled += pc.sum(some).as_py() or 0
        counts.unlabelled += pc.sum(pc.invert(some)).as_py() or 0
        counts.ambiguous += pc.sum(_any(bad, size)).as_py() or 0
        for name, values, ambiguous in zip(self._truth.labels, columns, bad, strict=True):
            counts.conflicts[name] += pc.sum(ambiguous).as_py() or 0
            for item in pc.value_counts(values.drop_null()).to_pylist():
                counts.values[name][item["values"]] += item["counts"]

    def _conflicts(self, bad: list[pa.Array], size: int) -> pa.Array:
        """For each flow the names of labels that are ambiguous; null when none is."""
        some = _any(bad, size).to_pylist()
        if not any(some):
            return pa.nulls(size, pa.list_(pa.utf8()))
        names = list(self._truth.labels)
        lists = [None] * size
        for i in (i for i, yes in enumerate(some) if yes):
            lists[i] = [name for name, flags in zip(names, bad, strict=True) if flags[i].as_py()]
        return pa.array(lists, pa.list_(pa.utf8()))

    def _places(self) -> pa.Array:
        """For each flow the rows that match it, as file:line."""
        where = pa.table(
            {
                "row": pa.array(range(len(self._truth.rows)), pa.int64()),
                "place": pa.array([row.where for row in self._truth.rows], pa.utf8()),
            }
        )
        self._con.register("place", where)
        table = self._con.sql(
            "SELECT p.list FROM f LEFT JOIN (SELECT i, list(place ORDER BY row) AS list "
            "FROM match JOIN place USING (row) GROUP BY i) p USING (i) ORDER BY f.i"
        ).to_arrow_table()
        return table.column(0).combine_chunks().cast(pa.list_(pa.utf8()))


# Of the rows that match a flow and have this label, those of the highest priority: what they say,
# and the first one's word.
_BEST = """
CREATE OR REPLACE TEMP TABLE top AS
SELECT i, row, {label} AS value FROM match JOIN truth USING (row) WHERE {label} IS NOT NULL
QUALIFY priority = max(priority) OVER (PARTITION BY i);
CREATE OR REPLACE TEMP TABLE best AS
SELECT i, count(DISTINCT value) AS n, arg_min(value, row) AS first FROM top GROUP BY i;
"""


def _any(flags: Sequence[pa.Array], size: int) -> pa.Array:
    out = pa.repeat(pa.scalar(False), size)
    for flag in flags:
        out = pc.or_(out, flag)
    return out


def _is_file(path: str, pattern: str) -> bool:
    """Whether a pattern names a file: its whole path as given, or its last part."""
    return fnmatch.fnmatchcase(path, pattern) or fnmatch.fnmatchcase(
        os.path.basename(path), pattern
    )


def chunks(batches: Iterable[pa.RecordBatch], schema: pa.Schema) -> Iterator[pa.Table]:
    """The same rows, CHUNK at a time whatever the batches were, in plain columns."""
    held: list[pa.RecordBatch] = []
    size = 0
    for batch in batches:
        while size + batch.num_rows >= CHUNK:
            part = batch.slice(0, CHUNK - size)
            yield _joined([*held, part], schema)
            batch = batch.slice(part.num_rows)
            held, size = [], 0
        if batch.num_rows:
            held.append(batch)
            size += batch.num_rows
    if held:
        yield _joined(held, schema)


def _joined(batches: list[pa.RecordBatch], schema: pa.Schema) -> pa.Table:
    """Batches in the columns of `schema`, null where they have none."""
    tables = []
    for batch in batches:
        there = set(batch.schema.names)
        columns = [
            plain_array(batch.column(f.name)).cast(f.type)
            if f.name in there
            else pa.nulls(batch.num_rows, f.type)
            for f in schema
        ]
        tables.append(pa.table(columns, schema=schema))
    return pa.concat_tables(tables)
