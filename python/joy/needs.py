# SPDX-License-Identifier: BSD-3-Clause
"""What a query names, so that no more is read than it needs."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from joy import unify
from joy.views import CERTIFICATES, KEYS, Table, tables, witness

CATALOG = re.compile(r"\bshow\b|\b(?:duckdb|sqlite|pragma)_|information_schema", re.IGNORECASE)


@dataclass
class Needs:
    """What a query speaks of.

    Attributes:
        words: every name in it, in lower case.
        tables: names of tables and of what it calls them.
        bare: names of columns that are wanted with all that lies in them.
        whole: it asks for all columns of flows.
        star: it asks for all columns of some table.
        catalog: it asks which tables there are.
        exact: dotted names of all that is needed, where that is known; the rest does not count.
    """

    words: set[str] = field(default_factory=set)
    tables: set[str] = field(default_factory=set)
    bare: set[str] = field(default_factory=set)
    whole: bool = False
    star: bool = False
    catalog: bool = False
    exact: Sequence[str] | None = None

    def speaks_of(self, table: str) -> bool:
        """Whether a table is to be there."""
        named = table.lower() in self.tables
        return self.catalog or named or (table in CERTIFICATES and "certs" in self.tables)

    def columns(self, schema: pa.Schema) -> list[str]:
        """Dotted names of what is needed of all that there is."""
        if self.exact is not None:
            there = [one for one in self.exact if unify.find(schema, one) is not None]
            return list(dict.fromkeys([*there, KEYS[0]]))
        shown = [table for called, table in tables(schema).items() if self.speaks_of(called)]
        columns: list[str] = []
        for one in schema:
            mine = [table for table in shown if table.column == one.name]
            if mine or one.name.lower() in self.words:
                columns += self._parts(one, mine, schema)
        keys = KEYS if shown else KEYS[:1]
        return columns + [key for key in keys if key not in columns]

    def _parts(self, column: pa.Field, shown: Sequence[Table], schema: pa.Schema) -> Iterator[str]:
        """A column, or only those parts of it that are named."""
        kind = column.type.value_type if unify.is_list(column.type) else column.type
        if not pa.types.is_struct(kind) or self.star or column.name.lower() in self.bare:
            yield column.name
            return
        parts = [one.name for one in kind if one.name.lower() in self.words]
        parts += [table.path.partition(".")[2].split(".")[0] for table in shown]
        known = witness(column.name, schema)
        if known == column.name:  # nothing in it says that it is there
            yield known
            return
        named = [f"{column.name}.{part}" for part in parts if part]
        yield from dict.fromkeys([*named, known])


def needs(connection: Any, statements: Sequence[str]) -> Needs:
    """What statements speak of, by the database's own parser."""
    found = Needs()
    for statement in statements:
        found.catalog |= CATALOG.search(statement) is not None
        text = connection.execute("SELECT json_serialize_sql(?)", [statement]).fetchall()[0][0]
        tree = json.loads(text)
        if tree["error"]:  # no SELECT: it is not taken apart
            found.whole = found.star = True
            found.words |= {word.lower() for word in re.findall(r"\w+", statement)}
            found.tables |= found.words
        else:
            _read(tree, found)
    return found


def _read(tree: Any, found: Needs) -> None:
    for node in _nodes(tree, ()):
        if isinstance(node, str):
            found.words.add(node.lower())
        elif node.get("class") == "STAR":
            found.star = True
        elif node.get("class") == "COLUMN_REF":
            found.bare.add(node["column_names"][-1].lower())
        elif node.get("type") == "BASE_TABLE":
            found.tables |= {node["table_name"].lower(), node["alias"].lower()}
        elif "select_list" in node and "from_table" in node:
            found.whole |= _asks_for_all(node)
    found.star |= bool(found.tables & found.bare) or "natural" in found.words


def _nodes(node: Any, stop: tuple[str, ...]) -> Iterator[Any]:
    """All objects and texts of a tree, but for objects that have a key of `stop`."""
    if isinstance(node, str):
        yield node
    elif isinstance(node, list):
        for one in node:
            yield from _nodes(one, stop)
    elif isinstance(node, dict) and not any(key in node for key in stop):
        yield node
        for one in node.values():
            yield from _nodes(one, stop)


def _asks_for_all(select: dict) -> bool:
    """Whether a SELECT has a star, or a whole row, of flows itself, not of a query within."""
    tables_here = _objects(select["from_table"], "type", "BASE_TABLE")
    rows = {
        one
        for table in tables_here
        if table["table_name"].lower() == "flows"
        for one in ("flows", table["alias"].lower())
    }
    if not rows:
        return False
    columns = [
        one["column_names"] for one in _objects(select["select_list"], "class", "COLUMN_REF")
    ]
    star = next(_objects(select["select_list"], "class", "STAR"), None)
    return star is not None or any(len(c) == 1 and c[0].lower() in rows for c in columns)


def _objects(tree: Any, key: str, value: str) -> Iterator[dict]:
    """Objects of a kind in a part of a SELECT, without those of queries within."""
    for node in _nodes(tree, ("select_list",)):
        if isinstance(node, dict) and node.get(key) == value:
            yield node
