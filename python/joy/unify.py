# SPDX-License-Identifier: BSD-3-Clause
"""Schemas of many inputs as one: types that hold the values of all, batches brought to them.

Older versions wrote fewer columns and narrower numbers, and what comes from JSON has no
dictionaries.  What an input does not have is null; what contradicts is told, and null.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Sequence
from dataclasses import dataclass

import pyarrow as pa

Clash = Callable[[str, pa.DataType, pa.DataType], None]  # column, type taken, type refused


def is_list(kind: pa.DataType) -> bool:
    """A list of any width or form."""
    return (
        pa.types.is_list(kind) or pa.types.is_large_list(kind) or pa.types.is_fixed_size_list(kind)
    )


def is_text(kind: pa.DataType) -> bool:
    """Text of any form, that of a dictionary too."""
    if pa.types.is_dictionary(kind):
        return is_text(kind.value_type)
    return (
        pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind)
    )


def is_binary(kind: pa.DataType) -> bool:
    """Bytes of any form."""
    return (
        pa.types.is_binary(kind)
        or pa.types.is_large_binary(kind)
        or pa.types.is_fixed_size_binary(kind)
    )


# --- types ---------------------------------------------------------------------------------------
def merge_types(name: str, a: pa.DataType, b: pa.DataType, clash: Clash) -> pa.DataType:
    """A type for the values of both; `clash` is told when there is none, and `a` stands."""
    if a.equals(b) or pa.types.is_null(b):
        return a
    if pa.types.is_null(a):
        return b
    if pa.types.is_struct(a) and pa.types.is_struct(b):
        return pa.struct(merge_fields(name, list(a), list(b), clash))
    if is_list(a) and is_list(b):
        inner = merge_types(name, a.value_type, b.value_type, clash)
        return pa.list_(a.value_field.with_type(inner).with_nullable(True))
    merged = _merge_plain(a, b)
    if merged is None:
        clash(name, a, b)
        return a
    return merged


def _merge_plain(a: pa.DataType, b: pa.DataType) -> pa.DataType | None:
    if is_text(a) and is_text(b):
        return pa.utf8()
    if is_binary(a) and is_binary(b):
        return pa.binary()
    if pa.types.is_integer(a) and pa.types.is_integer(b):
        return _merge_integers(a, b)
    numbers = (pa.types.is_integer, pa.types.is_floating)
    if all(any(test(kind) for test in numbers) for kind in (a, b)):
        return pa.float64()
    if pa.types.is_timestamp(a) and pa.types.is_timestamp(b):
        units = ("s", "ms", "us", "ns")
        finer = max(a.unit, b.unit, key=units.index)
        return pa.timestamp(finer, a.tz or b.tz)
    return None


def _merge_integers(a: pa.DataType, b: pa.DataType) -> pa.DataType:
    signed = [pa.types.is_signed_integer(kind) for kind in (a, b)]
    width = max(a.bit_width, b.bit_width)
    if signed[0] != signed[1]:
        unsigned = b if signed[0] else a
        width = min(64, max(width, 2 * unsigned.bit_width))
        return getattr(pa, f"int{width}")()
    return getattr(pa, f"int{width}" if signed[0] else f"uint{width}")()


def merge_fields(
    path: str, a: Sequence[pa.Field], b: Sequence[pa.Field], clash: Clash
) -> list[pa.Field]:
    """The fields of both, by name; each may be null."""
    merged = {field.name: field for field in a}
    for field in b:
        name = f"{path}.{field.name}" if path else field.name
        had = merged.get(field.name)
        if had is None:
            merged[field.name] = field.with_nullable(True)
            continue
        kind = merge_types(name, had.type, field.type, clash)
        merged[field.name] = had.with_type(kind).with_nullable(had.nullable or field.nullable)
    for name in merged.keys() - {field.name for field in b}:
        merged[name] = merged[name].with_nullable(True)
    return list(merged.values())


@dataclass
class Schemas:
    """One schema out of many.

    Attributes:
        first: the schema whose order, and metadata of schema and fields, come first.
    """

    first: pa.Schema | None = None

    def add(self, schema: pa.Schema, clash: Clash) -> None:
        """Take in the columns of one more input."""
        if self.first is None:
            self.first = schema
            return
        fields = merge_fields("", list(self.first), list(schema), clash)
        self.first = pa.schema(fields, metadata=self.first.metadata or schema.metadata)

    def ordered(self, like: pa.Schema) -> pa.Schema:
        """The columns in the order of `like`, those within structs too; the others behind."""
        schema = self.first if self.first is not None else pa.schema([])
        return pa.schema(order_fields(list(schema), list(like)), metadata=schema.metadata)


def order_fields(fields: Sequence[pa.Field], like: Sequence[pa.Field]) -> list[pa.Field]:
    """Fields in the order of others with the same names."""
    known = {field.name: field for field in like}
    place = {name: at for at, name in enumerate(known)}
    there = sorted(fields, key=lambda f: place.get(f.name, len(place)))
    return [
        f.with_type(_order(f.type, known[f.name].type)) if f.name in known else f for f in there
    ]


def _order(kind: pa.DataType, like: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind) and pa.types.is_struct(like):
        return pa.struct(order_fields(list(kind), list(like)))
    if is_list(kind) and is_list(like):
        return pa.list_(kind.value_field.with_type(_order(kind.value_type, like.value_type)))
    return kind


# --- which columns -------------------------------------------------------------------------------
def prune(schema: pa.Schema, wanted: Collection[str] | None) -> pa.Schema:
    """Only the fields with these dotted names, with all below them."""
    if wanted is None:
        return schema
    return pa.schema(_prune(list(schema), "", wanted), metadata=schema.metadata)


def _prune(fields: Sequence[pa.Field], path: str, wanted: Collection[str]) -> list[pa.Field]:
    kept = []
    for field in fields:
        name = path + field.name
        if name in wanted:
            kept.append(field)
        elif any(w.startswith(name + ".") for w in wanted):
            kind = _prune_type(field.type, name + ".", wanted)
            if kind is not None:
                kept.append(field.with_type(kind))
    return kept


def _prune_type(kind: pa.DataType, path: str, wanted: Collection[str]) -> pa.DataType | None:
    if is_list(kind):
        inner = _prune_type(kind.value_type, path, wanted)
        return None if inner is None else pa.list_(kind.value_field.with_type(inner))
    below = _prune(list(kind), path, wanted) if pa.types.is_struct(kind) else []
    return pa.struct(below) if below else None


# --- values --------------------------------------------------------------------------------------
def adapt(batch: pa.RecordBatch, schema: pa.Schema, clash: Clash) -> pa.RecordBatch:
    """The batch with the columns of a schema."""
    if batch.schema.equals(schema, check_metadata=True):
        return batch
    if len(schema) == 0:
        return batch.select([])  # which keeps the number of rows
    columns = []
    for field in schema:
        at = batch.schema.get_field_index(field.name)
        if at < 0:
            columns.append(pa.nulls(batch.num_rows, field.type))
        else:
            columns.append(adapt_array(field.name, batch.column(at), field.type, clash))
    return pa.RecordBatch.from_arrays(columns, schema=schema)


def adapt_array(name: str, array: pa.Array, kind: pa.DataType, clash: Clash) -> pa.Array:
    """The array's values as another type; null where they cannot be that."""
    if array.type.equals(kind):
        return array
    if pa.types.is_struct(kind) and pa.types.is_struct(array.type):
        return _adapt_struct(name, array, kind, clash)
    if pa.types.is_list(kind) and is_list(array.type):
        if not pa.types.is_list(array.type):
            array = array.cast(pa.list_(array.type.value_field))
        return _adapt_list(name, array, kind, clash)
    if pa.types.is_dictionary(array.type) and not pa.types.is_dictionary(kind):
        array = array.dictionary_decode()
    try:
        if pa.types.is_dictionary(kind):
            return array.cast(kind.value_type).dictionary_encode().cast(kind)
        return array.cast(kind)
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError):
        clash(name, kind, array.type)
        return pa.nulls(len(array), kind)


def _adapt_struct(name: str, array: pa.Array, kind: pa.DataType, clash: Clash) -> pa.Array:
    values = []
    for field in kind:
        at = array.type.get_field_index(field.name)
        if at < 0:
            values.append(pa.nulls(len(array), field.type))
        else:
            below = array.field(at)
            values.append(adapt_array(f"{name}.{field.name}", below, field.type, clash))
    mask = array.is_null() if array.null_count else None
    return pa.StructArray.from_arrays(values, fields=list(kind), mask=mask)


def _adapt_list(name: str, array: pa.Array, kind: pa.DataType, clash: Clash) -> pa.Array:
    return with_items(array, adapt_array(name, array.values, kind.value_type, clash), kind)


def with_items(array: pa.ListArray, items: pa.Array, kind: pa.DataType) -> pa.ListArray:
    """The list array with other items in the same places; `items` are for all of array.values."""
    mask = array.is_null() if array.null_count else None
    offsets = array.offsets
    if offsets.offset and mask is not None:
        offsets = pa.concat_arrays([offsets])  # a mask does not go with a slice
    return pa.ListArray.from_arrays(offsets, items, type=kind, mask=mask)


def has_dictionary(kind: pa.DataType) -> bool:
    """Whether there is a dictionary in it, however deep."""
    if pa.types.is_struct(kind):
        return any(has_dictionary(field.type) for field in kind)
    return has_dictionary(kind.value_type) if is_list(kind) else pa.types.is_dictionary(kind)


# --- names ---------------------------------------------------------------------------------------
def find(schema: pa.Schema, column: str) -> pa.Field | None:
    """A field by its dotted name; lists are looked through."""
    kind: pa.DataType = pa.struct(list(schema))
    field = None
    for key in column.split("."):
        while is_list(kind):
            kind = kind.value_type
        if not pa.types.is_struct(kind) or kind.get_field_index(key) < 0:
            return None
        field = kind.field(key)
        kind = field.type
    return field


def names(schema: pa.Schema) -> list[str]:
    """Dotted names of all fields, those with fields below them too."""
    found: list[str] = []

    def walk(kind: pa.DataType, path: str) -> None:
        while is_list(kind):
            kind = kind.value_type
        if pa.types.is_struct(kind):
            for field in kind:
                found.append(path + field.name)
                walk(field.type, path + field.name + ".")

    walk(pa.struct(list(schema)), "")
    return found
