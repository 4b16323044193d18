# SPDX-License-Identifier: BSD-3-Clause
"""Record batches into Parquet and Arrow files, each under its name only when it is whole."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from joy import unify
from joy.errors import InputError, JoyError, UsageError

GROUP_ROWS = 122_880  # of a Parquet row group; DuckDB's own unit
GROUP_BYTES = 64 << 20  # of its columns in memory, at most about
OPEN_FILES = 32  # of partitions, at a time


class Writer(Protocol):
    """Takes batches of one schema."""

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one more batch."""

    def close(self) -> None:
        """Write what is held back, and the end."""


# --- files that appear whole ---------------------------------------------------------------------
@contextmanager
def whole(path: str) -> Iterator[str]:
    """A name beside `path` to write to; it becomes `path` at the end, or is gone after an error."""
    part = f"{path}.part"
    try:
        yield part
        with open(part, "rb+") as file:
            os.fsync(file.fileno())
        os.replace(part, path)
    finally:
        if os.path.lexists(part):
            os.unlink(part)


@contextmanager
def named(path: str) -> Iterator[None]:
    """What the system refuses meanwhile, as an error that names the output."""
    try:
        yield
    except (JoyError, BrokenPipeError):
        raise
    except OSError as bad:
        reason = os.strerror(bad.errno) if bad.errno else str(bad)
        raise InputError(f"cannot write {path}: {reason}", path) from bad


# --- Parquet -------------------------------------------------------------------------------------
class Parquet:
    """One Parquet file: zstd, dictionaries and statistics, row groups of about GROUP_ROWS."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        import pyarrow.parquet as pq

        self._file = pq.ParquetWriter(
            path,
            schema,
            compression="zstd",
            use_dictionary=True,
            write_statistics=True,
            write_page_index=True,
            store_schema=True,
        )
        self._held: list[pa.RecordBatch] = []
        self.rows = 0  # held back
        self.bytes = 0

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one more batch."""
        self._held.append(batch)
        self.rows += batch.num_rows
        self.bytes += batch.nbytes
        if self.rows >= GROUP_ROWS or self.bytes >= GROUP_BYTES:
            self.flush()

    def flush(self) -> None:
        """Make a row group of what is held back."""
        if self.rows:
            table = pa.Table.from_batches(self._held)
            self._file.write_table(table, row_group_size=self.rows)
        self._held, self.rows, self.bytes = [], 0, 0

    def close(self) -> None:
        """Write what is held back, and the end."""
        self.flush()
        self._file.close()


class Partitions:
    """A folder with one for each UTC hour of time_start: hour=2026-01-31T12/flows-0.parquet."""

    def __init__(self, folder: str, schema: pa.Schema) -> None:
        if schema.get_field_index("time_start") < 0:
            raise UsageError("--partition hour needs the column time_start")
        self._folder, self._schema = Path(folder), schema
        self._open: dict[str, Parquet] = {}  # the one used last stands last
        self._files: dict[str, int] = {}  # begun so far

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one more batch."""
        hours = pc.strftime(batch.column("time_start"), format="%Y-%m-%dT%H")
        for hour in hours.unique():
            same = pc.is_null(hours) if not hour.is_valid else pc.equal(hours, hour)
            name = hour.as_py() or "__HIVE_DEFAULT_PARTITION__"
            self._of(name).write(batch.filter(same))
        if sum(file.bytes for file in self._open.values()) > GROUP_BYTES:
            max(self._open.values(), key=lambda file: file.bytes).flush()

    def _of(self, hour: str) -> Parquet:
        file = self._open.pop(hour, None)
        if file is None:
            while len(self._open) >= OPEN_FILES:
                self._open.pop(next(iter(self._open))).close()
            number = self._files[hour] = self._files.get(hour, -1) + 1
            folder = self._folder / f"hour={hour}"
            folder.mkdir(exist_ok=True)
            file = Parquet(str(folder / f"flows-{number}.parquet"), self._schema)
        self._open[hour] = file
        return file

    def close(self) -> None:
        """Write what is held back, and the ends."""
        for file in self._open.values():
            file.close()


# --- Arrow IPC -----------------------------------------------------------------------------------
class ArrowFile:
    """An Arrow IPC file; each dictionary grows by what is new, as that format wants it."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        options = pa.ipc.IpcWriteOptions(emit_dictionary_deltas=True)
        self._file = pa.ipc.new_file(path, schema, options=options)
        self._schema = schema
        self._words = Words()

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one more batch."""
        self._file.write_batch(self._words.shared(batch))

    def close(self) -> None:
        """Write the end."""
        self._file.close()


class ArrowStream:
    """An Arrow IPC stream, to a file or to standard output."""

    def __init__(self, path: str, schema: pa.Schema) -> None:
        self._to: Any = sys.stdout.buffer if path == "-" else pa.OSFile(path, "wb")
        self._stream = pa.ipc.new_stream(self._to, schema)

    def write(self, batch: pa.RecordBatch) -> None:
        """Take one more batch."""
        self._stream.write_batch(batch)

    def close(self) -> None:
        """Write the end."""
        self._stream.close()
        if self._to is sys.stdout.buffer:
            self._to.flush()
        else:
            self._to.close()


class Words:
    """Dictionaries that only grow, one for each dictionary column wherever it lies."""

    def __init__(self) -> None:
        self._known: dict[str, pa.Array] = {}

    def shared(self, batch: pa.RecordBatch) -> pa.RecordBatch:
        """The batch with its words numbered as in the batches before."""
        columns = [
            self._array(field.name, column)
            for field, column in zip(batch.schema, batch.columns, strict=True)
        ]
        return pa.RecordBatch.from_arrays(columns, schema=batch.schema)

    def _array(self, path: str, array: pa.Array) -> pa.Array:
        kind = array.type
        if pa.types.is_dictionary(kind):
            return self._dictionary(path, array)
        if pa.types.is_struct(kind) and unify.has_dictionary(kind):
            below = [self._array(f"{path}.{f.name}", array.field(f.name)) for f in kind]
            mask = array.is_null() if array.null_count else None
            return pa.StructArray.from_arrays(below, fields=list(kind), mask=mask)
        if pa.types.is_list(kind) and unify.has_dictionary(kind):
            return unify.with_items(array, self._array(path + "[]", array.values), kind)
        return array

    def _dictionary(self, path: str, array: pa.DictionaryArray) -> pa.Array:
        words = array.dictionary
        if len(words) == 0:  # none cannot grow in a file
            words = pa.array([""], words.type)
            array = pa.DictionaryArray.from_arrays(array.indices, words)
        known = self._known.get(path)
        if known is None or (len(words) >= len(known) and words.slice(0, len(known)) == known):
            self._known[path] = words
            return array
        new = words.filter(pc.invert(pc.is_in(words, known)))
        known = self._known[path] = pa.concat_arrays([known, new]) if len(new) else known
        indices = pc.take(pc.index_in(words, known), array.indices)
        return pa.DictionaryArray.from_arrays(indices.cast(array.type.index_type), known)
