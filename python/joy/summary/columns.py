# SPDX-License-Identifier: BSD-3-Clause
"""Fields of a table of flows by their dotted names, whether they are there or not."""

from __future__ import annotations

import pyarrow as pa
import pyarrow.compute as pc

from joy.unify import find


class Columns:
    """A table of flows in one chunk, asked by dotted names.

    What asks says nothing of types: words come as text, numbers as int64, so that inputs whose
    schemas differ (older versions, JSON) add up alike.
    """

    def __init__(self, table: pa.Table) -> None:
        self.table = table
        self.rows = table.num_rows

    def __contains__(self, name: str) -> bool:
        return find(self.table.schema, name) is not None

    def struct(self, name: str) -> pa.Array | None:
        """A field as it is, None when the schema has none; null where an object around it is."""
        keys = name.split(".")
        if name not in self:
            return None
        column = self.table.column(keys[0])
        whole = column.combine_chunks() if column.num_chunks != 1 else column.chunk(0)
        return pc.struct_field(whole, keys[1:]) if keys[1:] else whole

    def words(self, name: str) -> pa.Array | None:
        """A field as text."""
        found = self.struct(name)
        return None if found is None else text(found)

    def numbers(self, name: str) -> pa.Array:
        """A field as int64, 0 where it is null or does not exist."""
        found = self.struct(name)
        if found is None:
            return pa.array([0] * self.rows, pa.int64())
        return pc.fill_null(found.cast(pa.int64()), 0)

    def flat(self, name: str) -> pa.Array | None:
        """All values of a field that lies in lists, one behind the other, whichever row's."""
        keys = name.split(".")
        values = self.struct(keys[0]) if name in self else None
        for key in keys[1:] if values is not None else []:
            values = pc.struct_field(unlisted(values), [key])
        return None if values is None else unlisted(values)


def unlisted(values: pa.Array) -> pa.Array:
    """The elements of lists, of lists of lists, ...; anything else as it is."""
    while is_list(values.type):
        values = pc.list_flatten(values)
    return values


def is_list(kind: pa.DataType) -> bool:
    """Lists of any kind: ours, and those that other programs write."""
    large, fixed = pa.types.is_large_list(kind), pa.types.is_fixed_size_list(kind)
    return pa.types.is_list(kind) or large or fixed


def text(values: pa.Array) -> pa.Array:
    """Words or texts as plain text."""
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    return values.cast(pa.utf8())
