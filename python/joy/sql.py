# SPDX-License-Identifier: BSD-3-Clause
"""Tables over whatever was named: flows, and one for each column that is a list or an object.

Parquet files are scanned where they lie.  What else there is goes once, with only the columns that
the query names, into a database in a temporary folder that is gone with the session.
"""

from __future__ import annotations

import os
import re
import tempfile
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

import pyarrow as pa

from joy import sources, unify, views
from joy.errors import InputError, JoyError, UsageError
from joy.finding import PARQUET, Found, Trouble
from joy.inputs import Flows, nothing
from joy.needs import Needs
from joy.views import literal, name, tables

ANSWERS = ("SELECT", "EXPLAIN", "MULTI", "CALL", "RELATION", "EXECUTE")  # kinds of statements
UNKNOWN = (  # how the database says that a name does not exist
    "Referenced column",
    "Referenced table",
    "Table with name",
    "find key",
    "column named",
)
Result = TypeVar("Result")
MEMORY = "2GB"  # of the database, unless said otherwise; what does not fit goes to disk


# --- a session -----------------------------------------------------------------------------------
class Session:
    """A database with the tables of some inputs.

    Args:
        paths: as Flows takes them.
        options: of pcap2flow, for captures.
        memory: most memory that the database takes, such as "500MB".

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
    ) -> None:
        found = Found(paths)
        self.troubles: list[Trouble] = found.troubles
        self._parquet = [one.path for one in found.inputs if one.kind == PARQUET]
        self._others = [one.path for one in found.inputs if one.kind != PARQUET]
        self._options = dict(options or {})
        self._progress: Callable[[float | None], None] | None = None
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

    def open(self, wanted: Needs, progress: Callable[[float | None], None] | None = None) -> None:
        """Make the tables, with the columns that a query names; `progress` is as of Flows.

        Raises:
            InputError: nothing that can be read.
        """
        self._progress = progress
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
        self._views(parts, wanted)
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
        import duckdb

        columns, options = self._wanted(wanted, paths)
        flows = Flows(paths, columns=columns, options=options, progress=self._progress)
        if not flows.schema.names:  # only rows are counted, and there is no flow_id
            flows = Flows(paths, options=options, progress=self._progress)
        table = name(f"input {paths[0]}")
        self.connection.register("incoming", flows.reader())
        try:
            self.connection.execute(f"CREATE TABLE {table} AS SELECT * FROM incoming")
        except duckdb.Error as bad:
            raise flows.failure or self.fault(bad) from None
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
        named = wanted.columns(schema)
        if wanted.whole:
            return None, sources.switched_on(self._options, named)
        return named, self._options

    def _views(self, parts: Sequence[str], wanted: Needs) -> None:
        """Tables that are spoken of: the database looks at all columns for each that it makes."""
        columns = ", ".join(name(one.name) for one in self.schema)
        union = " UNION ALL BY NAME ".join(parts)
        self.connection.execute(f"CREATE VIEW flows AS SELECT {columns} FROM ({union})")
        self.tables = tables(self.schema)
        for table, shown in self.tables.items():
            if not wanted.speaks_of(table):
                continue
            body = (
                views.certificates(self.tables)
                if table == "certs"
                else views.view(table, shown, self.schema)
            )
            self.connection.execute(f"CREATE VIEW {name(table)} AS {body}")

    def interruptible(self, work: Callable[[], Result]) -> Result:
        """Does it in a thread of its own, so that an interrupt ends what the database is at."""
        with ThreadPoolExecutor(1) as pool:
            future = pool.submit(work)
            try:
                return future.result()
            except KeyboardInterrupt:
                self.connection.interrupt()
                raise

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
