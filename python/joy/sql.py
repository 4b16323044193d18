# SPDX-License-Identifier: BSD-3-Clause
"""Tables over whatever was named: flows, and one for each column that is a list or an object.

Parquet files are scanned where they lie.  What else there is goes once, with only the columns that
the query names, into a database in a temporary folder that is gone with the session.
"""

from __future__ import annotations

import json
import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from joy import sources, unify
from joy.errors import InputError, JoyError, UsageError
from joy.finding import PARQUET, Found, Trouble
from joy.inputs import Flows, nothing

KEYS = ("flow_id", "part", "sa", "da", "sp", "dp", "pr", "time_start")
CERTIFICATES = {"tls_s_cert": "server", "tls_c_cert": "client"}  # whose they are, in table certs
ANSWERS = ("SELECT", "EXPLAIN", "MULTI", "CALL", "RELATION", "EXECUTE")  # kinds of statements
UNKNOWN = (  # how the database says that a name does not exist
    "Referenced column",
    "Referenced table",
    "Table with name",
    "find key",
    "column named",
)
MEMORY = "2GB"  # of the database, unless said otherwise; what does not fit goes to disk


def name(identifier: str) -> str:
    """A name as SQL has it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


# --- tables --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Table:
    """A table beside flows.

    Attributes:
        path: dotted name of the column that it shows.
        listed: it has a row for each item of a list, numbered from 0 in column i.
    """

    path: str
    listed: bool

    @property
    def column(self) -> str:
        """The outermost column that it needs."""
        return self.path.split(".")[0]


def tables(schema: pa.Schema) -> dict[str, Table]:
    """All tables that a schema gives beside flows, by name."""
    found: dict[str, Table] = {}

    def walk(fields: Sequence[pa.Field], path: str, deep: bool) -> None:
        for one in fields:
            here = f"{path}{one.name}"
            if unify.is_list(one.type) and pa.types.is_struct(one.type.value_type):
                found[here.replace(".", "_")] = Table(here, True)
            elif pa.types.is_struct(one.type):
                if not deep:
                    found[here] = Table(here, False)
                walk(list(one.type), here + ".", True)

    walk(list(schema), "", False)
    if CERTIFICATES.keys() & found.keys():
        found["certs"] = Table("tls", True)
    return found


def _view(table: str, shown: Table, schema: pa.Schema) -> str:
    """The query that a table is."""
    keys = [key for key in KEYS if schema.get_field_index(key) >= 0]
    kind = unify.find(schema, shown.path).type  # type: ignore[union-attr]
    path = ".".join(map(name, shown.path.split(".")))
    heads = ", ".join(map(name, keys))
    if not shown.listed:
        fields = _fields(table, kind, keys, path)
        return f"SELECT {heads}, {fields} FROM flows WHERE {path} IS NOT NULL"
    fields = _fields(table, kind.value_type, [*keys, "i"], "item")
    return (
        f"SELECT {heads}, i, {fields} FROM (SELECT {heads}, unnest({path}) AS item, "
        f"generate_subscripts({path}, 1) - 1 AS i FROM flows)"
    )


def _fields(table: str, kind: pa.DataType, taken: Sequence[str], path: str) -> str:
    """The fields of a struct as columns; one whose name is taken gets the table's before it."""
    parts = []
    for one in kind:
        called = f"{table}_{one.name}" if one.name in taken else one.name
        parts.append(f"{path}.{name(one.name)} AS {name(called)}")
    return ", ".join(parts)


def _certificates(found: Mapping[str, Table]) -> str:
    sides = [
        f"SELECT {literal(side)} AS side, * FROM {name(table)}"
        for table, side in CERTIFICATES.items()
        if table in found
    ]
    return " UNION ALL BY NAME ".join(sides)


# --- what a query names --------------------------------------------------------------------------
@dataclass
class Needs:
    """What a query speaks of.

    Attributes:
        words: every name in it, in lower case.
        whole: it asks for all columns of flows.
    """

    words: set[str] = field(default_factory=set)
    whole: bool = False


def needs(connection: Any, statements: Sequence[str]) -> Needs:
    """The names in statements, by the database's own parser."""
    found = Needs()
    for statement in statements:
        text = connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()[0][0]
        tree = json.loads(text)
        if tree["error"]:  # no SELECT: it is not taken apart
            found.whole = True
            found.words |= {word.lower() for word in re.findall(r"\w+", statement)}
        else:
            _walk(tree, found)
    return found


def _walk(node: Any, found: Needs) -> None:
    if isinstance(node, str):
        found.words.add(node.lower())
    elif isinstance(node, list):
        for one in node:
            _walk(one, found)
    elif isinstance(node, dict):
        if "select_list" in node and "from_table" in node:
            found.whole |= _asks_for_all(node)
        for one in node.values():
            _walk(one, found)


def _asks_for_all(select: dict) -> bool:
    """Whether a SELECT has a star, or a whole row, of flows itself."""
    here = {table.lower(): alias.lower() for table, alias in _from(select["from_table"])}
    if "flows" not in here:
        return False
    rows = {"flows", here["flows"]} - {""}
    return any(
        one.get("class") == "STAR"
        or (
            one.get("class") == "COLUMN_REF"
            and one["column_names"][0].lower() in rows
            and len(one["column_names"]) == 1
        )
        for one in _expressions(select["select_list"])
    )


def _from(node: Any) -> list[tuple[str, str]]:
    """Tables of a FROM with their aliases, without those of queries in it."""
    if isinstance(node, list):
        return [one for each in node for one in _from(each)]
    if not isinstance(node, dict) or "select_list" in node:
        return []
    if node.get("type") == "BASE_TABLE":
        return [(node["table_name"], node["alias"])]
    return [one for each in node.values() for one in _from(each)]


def _expressions(node: Any) -> list[dict]:
    if isinstance(node, list):
        return [one for each in node for one in _expressions(each)]
    if not isinstance(node, dict) or "select_list" in node:
        return []
    return [node, *(one for each in node.values() for one in _expressions(each))]


# --- a session -----------------------------------------------------------------------------------
class Session:
    """A database with the tables of some inputs.

    Args:
        paths: as Flows takes them.
        options: of pcap2flow, for captures.
        memory: most memory that the database takes, such as "500MB".
        progress: as Flows takes it.

    Attributes:
        connection: of DuckDB; after `open` it reaches nothing but the inputs.
        schema: of flows, once it is open.
        troubles: what was found while reading.
    """

    def __init__(
        self,
        paths: Sequence[str],
        options: Mapping[str, Any] | None = None,
        memory: str = MEMORY,
        progress: Callable[[float | None], None] | None = None,
    ) -> None:
        found = Found(paths)
        self.troubles: list[Trouble] = found.troubles
        self._parquet = [one.path for one in found.inputs if one.kind == PARQUET]
        self._others = [one.path for one in found.inputs if one.kind != PARQUET]
        self._options, self._progress = dict(options or {}), progress
        self._folder = tempfile.TemporaryDirectory(prefix="joy-")
        self.connection = _connect(self._folder.name, memory)
        self.schema = pa.schema([])

    def __enter__(self) -> Session:
        return self

    def __exit__(self, *_: Any) -> None:
        self.connection.close()
        self._folder.cleanup()

    @property
    def damaged(self) -> bool:
        """Whether some input was lost."""
        return any(trouble.damaged for trouble in self.troubles)

    def open(self, wanted: Needs) -> None:
        """Make the tables, with the columns that a query names.

        Raises:
            InputError: nothing that can be read.
        """
        schemas, parts = unify.Schemas(), []
        for paths, put in ((self._parquet, self._scan), (self._others, self._load)):
            if not paths:
                continue
            try:
                flows, part = put(paths, wanted)
            except InputError as bad:
                self.troubles.append(Trouble(str(bad), bad.file, bad.offset, True))
                continue
            schemas.add(flows.schema, self._clash)
            parts.append(part)
        if not parts:
            raise nothing(self.troubles)
        self.schema = schemas.ordered(sources.all_columns())
        self._views(parts)
        _lock(self.connection, self._parquet)

    def _clash(self, column: str, taken: pa.DataType, refused: pa.DataType) -> None:
        raise InputError(f"column {column} is {taken} in some inputs and {refused} in others")

    def _scan(self, paths: Sequence[str], wanted: Needs) -> tuple[Flows, str]:
        """Parquet files, where they lie."""
        flows = Flows(paths)
        if flows.clashes:
            return self._load(paths, wanted)
        self.troubles += flows.troubles
        files = ", ".join(literal(os.path.abspath(one.path)) for one in flows.inputs)
        by_name = len(flows.inputs) > 1
        return flows, (
            f"SELECT * FROM read_parquet([{files}], hive_partitioning = false, "
            f"union_by_name = {str(by_name).lower()})"
        )

    def _load(self, paths: Sequence[str], wanted: Needs) -> tuple[Flows, str]:
        """All else, into a table of the database."""
        columns, options = self._wanted(wanted, paths)
        flows = Flows(paths, columns=columns, options=options, progress=self._progress)
        table = name(f"input {paths[0]}")
        self.connection.register("incoming", flows.reader())
        self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
        self.connection.unregister("incoming")
        self.troubles += flows.troubles
        return flows, f"SELECT * FROM {table}"

    def _wanted(self, wanted: Needs, paths: Sequence[str]) -> tuple[list[str] | None, dict]:
        """Columns for Flows, and the options with the features of what is named switched on."""
        known = unify.Schemas()
        known.add(sources.all_columns(), lambda *_: None)
        for schema in sources.own_schemas(paths):
            known.add(schema, lambda *_: None)
        schema = known.ordered(sources.all_columns())
        named = [one.name for one in schema if one.name.lower() in wanted.words]
        shown = [table for word, table in tables(schema).items() if word.lower() in wanted.words]
        named += [table.column for table in shown if table.column not in named]
        if wanted.whole:
            return None, sources.switched_on(self._options, named)
        keys = KEYS if shown else KEYS[:1]
        return named + [key for key in keys if key not in named], self._options

    def _views(self, parts: Sequence[str]) -> None:
        columns = ", ".join(name(one.name) for one in self.schema)
        union = " UNION ALL BY NAME ".join(parts)
        self.connection.execute(f"CREATE VIEW flows AS SELECT {columns} FROM ({union})")
        self.tables = tables(self.schema)
        for table, shown in self.tables.items():
            body = (
                _certificates(self.tables) if table == "certs" else _view(table, shown, self.schema)
            )
            self.connection.execute(f"CREATE VIEW {name(table)} AS {body}")

    def run(self, statements: Sequence[str]) -> Any:
        """The answer of the last statement, as a relation of DuckDB.

        Raises:
            UsageError: a fault in the SQL.
        """
        import duckdb

        try:
            for statement in statements[:-1]:
                self.connection.execute(statement)
            answer = self.connection.sql(statements[-1])
        except duckdb.Error as bad:
            raise self.fault(bad) from bad
        if answer is None:
            raise UsageError("the last statement is to be a SELECT")
        return answer

    def fault(self, bad: Exception) -> JoyError:
        """An error of the database in words, with the nearest name for one that does not exist."""
        import duckdb

        lines = str(bad).strip().splitlines()
        if "TIMESTAMPTZ_NS, TIMESTAMPTZ_NS" in lines[0]:
            lines[0] = "times are subtracted as seconds: epoch(time_end) - epoch(time_start)"
        if isinstance(bad, duckdb.OutOfMemoryException):
            return JoyError(f"{lines[0]}; --memory gives more")
        hint = self._hint(lines[0])
        place = next((at for at, line in enumerate(lines) if line.startswith("LINE ")), None)
        shown = [] if place is None else lines[place : place + 3]
        return UsageError("\n".join([lines[0] + hint, *shown]))

    def _hint(self, text: str) -> str:
        found = re.search(rf'(?:{"|".join(UNKNOWN)}) "?([\w.]+)', text)
        if not found:
            return ""
        everything = sources.all_columns()
        word = found[1]
        if everything.get_field_index(word) >= 0 or word in tables(everything):
            return f"\n{word} is in none of the inputs{sources.switch(word)}"
        known = [*unify.names(everything), *unify.names(self.schema)]
        ends = [one.split(".")[-1] for one in known]
        if "able" in found[0]:
            ends = known = ["flows", *self.tables, *tables(everything)]
        return sources.nearest(word, [*known, *ends])


def _connect(folder: str, memory: str) -> Any:
    import duckdb

    try:
        connection = duckdb.connect(
            os.path.join(folder, "flows.db"),
            config={
                "memory_limit": memory,
                "temp_directory": os.path.join(folder, "spill"),
                "autoinstall_known_extensions": "false",
                "autoload_known_extensions": "false",
                "python_enable_replacements": "false",
            },
        )
    except duckdb.Error as bad:
        raise UsageError(f"--memory {memory}: {bad}") from bad
    connection.execute("SET TimeZone = 'UTC'")
    return connection


def _lock(connection: Any, files: Sequence[str]) -> None:
    """From here on SQL reaches these files and the database's own folder, and nothing else."""
    allowed = ", ".join(literal(os.path.abspath(file)) for file in files)
    connection.execute(f"SET allowed_paths = [{allowed}]")
    connection.execute("SET enable_external_access = false")
    connection.execute("SET lock_configuration = true")


def statements_of(text: str) -> list[str]:
    """The statements of a text, one after another.

    Raises:
        UsageError: it is no SQL.
    """
    import duckdb

    try:
        parsed = duckdb.extract_statements(text)
    except duckdb.Error as bad:
        raise UsageError(str(bad).strip()) from bad
    if not parsed:
        raise UsageError("the query is empty")
    if str(parsed[-1].type).split(".")[-1] not in ANSWERS:
        raise UsageError("the last statement is to give an answer: SELECT, FROM, DESCRIBE, PIVOT")
    return [one.query.strip() for one in parsed]
