# SPDX-License-Identifier: BSD-3-Clause
"""Tables beside flows: one for each column that is an object or a list of objects."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import pyarrow as pa

from joy import sources, unify

KEYS = ("flow_id", "part", "sa", "da", "sp", "dp", "pr", "time_start", "file")  # in every table
CERTIFICATES = {"tls_s_cert": "server", "tls_c_cert": "client"}  # whose they are, in table certs


def name(identifier: str) -> str:
    """A name as SQL has it."""
    return '"' + identifier.replace('"', '""') + '"'


def literal(text: str) -> str:
    """A text as SQL has it."""
    return "'" + text.replace("'", "''") + "'"


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


def view(table: str, shown: Table, schema: pa.Schema) -> str:
    """The query that a table is."""
    keys = [key for key in KEYS if schema.get_field_index(key) >= 0]
    kind = unify.find(schema, shown.path).type  # type: ignore[union-attr]
    path = _dotted(shown.path)
    heads = ", ".join(map(name, keys))
    if not shown.listed:
        fields = _fields(table, kind, keys, path)
        there = _dotted(witness(shown.path, schema))
        return f"SELECT {heads}, {fields} FROM flows WHERE {there} IS NOT NULL"
    fields = _fields(table, kind.value_type, [*keys, "i"], "item")
    return (
        f"SELECT {heads}, i, {fields} FROM (SELECT {heads}, unnest({path}) AS item, "
        f"generate_subscripts({path}, 1) - 1 AS i FROM flows)"
    )


def _dotted(path: str) -> str:
    return ".".join(map(name, path.split(".")))


def witness(path: str, schema: pa.Schema) -> str:
    """A field that is there whenever the object, or item, is: so not all of it need be read."""

    def search(kind: pa.DataType, above: str) -> str | None:
        for one in kind:
            here = f"{above}.{one.name}"
            if not one.metadata or b"null_rule" in one.metadata or unify.is_list(one.type):
                continue
            found = search(one.type, here) if pa.types.is_struct(one.type) else here
            if found and unify.find(schema, found) is not None:
                return found
        return None

    known = unify.find(sources.all_columns(), path)
    kind = None if known is None else known.type
    if kind is not None and unify.is_list(kind):
        kind = kind.value_type
    return (search(kind, path) if kind is not None and pa.types.is_struct(kind) else None) or path


def _fields(table: str, kind: pa.DataType, taken: Sequence[str], path: str) -> str:
    """The fields of a struct as columns; one whose name is taken gets the table's before it."""
    parts = []
    for one in kind:
        called = f"{table}_{one.name}" if one.name in taken else one.name
        parts.append(f"{path}.{name(one.name)} AS {name(called)}")
    return ", ".join(parts)


def certificates(found: Mapping[str, Table]) -> str:
    sides = [
        f"SELECT {literal(side)} AS side, * FROM {name(table)}"
        for table, side in CERTIFICATES.items()
        if table in found
    ]
    return " UNION ALL BY NAME ".join(sides)
