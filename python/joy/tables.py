# SPDX-License-Identifier: BSD-3-Clause
"""Small things about Arrow that commands share: nested columns by name, plain types, DuckDB."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

if TYPE_CHECKING:
    import duckdb


def plain_type(kind: pa.DataType) -> pa.DataType:
    """The same type with its words as text in place of numbers into a dictionary."""
    if pa.types.is_dictionary(kind):
        return plain_type(kind.value_type)
    if pa.types.is_struct(kind):
        return pa.struct([plain_field(field) for field in kind])
    if pa.types.is_list(kind):
        return pa.list_(plain_field(kind.value_field))
    return kind


def plain_field(field: pa.Field) -> pa.Field:
    """The same field, its type a plain one."""
    return field.with_type(plain_type(field.type))


def plain_schema(schema: pa.Schema) -> pa.Schema:
    """The same columns and metadata, their types plain ones."""
    return pa.schema([plain_field(field) for field in schema], schema.metadata)


def plain_array(array: pa.Array) -> pa.Array:
    """The same values, of plain_type().

    Not by Array.cast(): that looks up words in places that a struct above says are null, where
    there may be none.
    """
    kind = plain_type(array.type)
    if kind == array.type:
        return array
    if pa.types.is_dictionary(array.type):
        return plain_array(array.dictionary_decode())
    if pa.types.is_struct(kind):
        parts = [plain_array(part) for part in array.flatten()]
        return pa.StructArray.from_arrays(parts, fields=list(kind), mask=array.is_null())
    sizes = pc.fill_null(pc.list_value_length(array), 0)
    ends = pc.cumulative_sum(sizes).cast(pa.int32())
    starts = pa.concat_arrays([pa.array([0], pa.int32()), ends])
    values = plain_array(array.flatten())
    return pa.ListArray.from_arrays(starts, values, type=kind, mask=array.is_null())


def column(batch: pa.RecordBatch, name: str, kind: pa.DataType) -> pa.Array:
    """A field of each record, by its dotted name, as `kind`; all null where the batch has none."""
    first, *rest = name.split(".")
    place = batch.schema.get_field_index(first)
    array = batch.column(place) if place >= 0 else None
    for key in rest:
        if array is None or not pa.types.is_struct(array.type):
            return pa.nulls(batch.num_rows, kind)
        if array.type.get_field_index(key) < 0:
            return pa.nulls(batch.num_rows, kind)
        array = pc.struct_field(array, key)
    if array is None:
        return pa.nulls(batch.num_rows, kind)
    if pa.types.is_dictionary(array.type):
        array = array.dictionary_decode()
    return array.cast(kind)


@contextmanager
def database() -> Iterator[duckdb.DuckDBPyConnection]:
    """A database in memory; what does not fit goes to a folder of its own, gone at the end."""
    import duckdb

    with tempfile.TemporaryDirectory(prefix="joy-") as folder:
        with duckdb.connect(":memory:", config={"temp_directory": folder}) as connection:
            yield connection
