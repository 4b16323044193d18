# SPDX-License-Identifier: BSD-3-Clause
"""Where records come from: the engine (captures, JSON lines), pyarrow (Arrow, Parquet)."""

from __future__ import annotations

import json
import os
import stat
import threading
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from difflib import get_close_matches
from functools import cache
from typing import Any

import pyarrow as pa

from joy import _joy, api, keywords, unify
from joy.errors import InputError, UsageError
from joy.finding import (
    ARROW,
    ARROW_STREAM,
    CAPTURE,
    HEAD,
    JSON,
    PARQUET,
    Found,
    Input,
    Trouble,
    kind_of,
)

CHUNK = 1 << 16  # bytes that go from pipe to pipe at once


@cache
def all_columns() -> pa.Schema:
    """Every column that there is, in the order of the field tables."""
    return api.schema(everything=True)


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a record, from the field tables."""
    return json.loads(_joy.Handle().text(_joy.TEXT_SCHEMA))


def check_columns(columns: Sequence[str], there: pa.Schema) -> None:
    """Refuses what neither is there nor could be.

    Raises:
        UsageError: a name that no record has.
    """
    for name in columns:
        if unify.find(all_columns(), name) is None and unify.find(there, name) is None:
            known = [*unify.names(all_columns()), *unify.names(there)]
            raise UsageError(f"there is no field {name}{nearest(name, known)}")


def _engine_columns(
    columns: Sequence[str] | None, options: Mapping[str, Any] | None = None
) -> list[str] | None:
    """Those that the engine has; of captures (with `options`) those that can be switched on."""
    if columns is None:
        return None
    known = [name for name in columns if unify.find(all_columns(), name) is not None]
    if options is not None:
        known = [name for name in known if _there(name, options)]
    return known or ["flow_id"]  # at least the number of records


def _columns_there(names: Sequence[str], columns: Sequence[str] | None) -> list[str] | None:
    """Those that records have: their first line says which features were on."""
    wanted = _engine_columns(columns)
    if wanted is None or names == ["-"]:
        return None  # standard input can be read but once: all of it, then
    with api.read_json(names, batch_rows=1, damaged="ignore") as stream:
        schema = stream.schema
    return [one for one in wanted if unify.find(schema, one) is not None] or ["flow_id"]


def _there(column: str, options: Mapping[str, Any]) -> bool:
    """Whether a capture can give a column: some need a file or a live host."""
    switches = _switches(column)
    table = keywords.table()
    free = any("feature" in table[one].flags or table[one].default not in (None, "0")
               for one in switches)  # fmt: skip
    return not switches or free or any(one in options for one in switches)


def check_options(options: Mapping[str, Any]) -> None:
    """Refuses options that pcap2flow does not have.

    Raises:
        UsageError: there is no such option.
    """
    for name in options:
        if name not in keywords.table():
            raise UsageError(f"pcap2flow has no option {name}{nearest(name, [*keywords.table()])}")


def own_schemas(paths: Sequence[str]) -> list[pa.Schema]:
    """Schemas of the Arrow and Parquet files among the inputs: they may have columns of others."""
    schemas = []
    for one in Found(paths).inputs:
        if one.kind in _FILES and one.path != "-":
            try:
                schemas.append(_FILES[one.kind]([one], None).schema)
            except InputError:
                pass  # told when it is read
    return schemas


def _metadata(column: str, key: str) -> str:
    field = unify.find(all_columns(), column.split(".")[0])
    found = (field.metadata or {}) if field is not None else {}
    return found.get(key.encode(), b"").decode()


def switched_on(options: Mapping[str, Any], columns: Sequence[str]) -> dict[str, Any]:
    """The options with the features of these columns on."""
    table = keywords.table()
    names = [one for column in columns for one in _switches(column)]
    features = [one for one in names if "feature" in table[one].flags]
    return {**{one: table[one].on or "1" for one in features}, **options}


def _switches(column: str) -> list[str]:
    """Options that switch a column on."""
    return [one for one in _metadata(column, "options").split(",") if one]


def switch(column: str) -> str:
    """How pcap2flow is told to give a column: "; pcap2flow gives it with tls=1", or nothing."""
    found = _switches(column)
    return f"; pcap2flow gives it with {found[0]}=1" if found else ""


def nearest(name: str, names: Sequence[str]) -> str:
    """ "; did you mean ...?" or nothing."""
    close = get_close_matches(name, names, 1)
    return f"; did you mean {close[0]}?" if close else ""


class Source:
    """Records of one or several files of one kind.

    Attributes:
        inputs: the files.
        schema: of its batches, before the stream's own is put on them.
        summaries: of the run over captures, or those that stand in files of JSON lines; behind the
            last batch.
    """

    schema: pa.Schema
    summaries: Sequence[dict[str, Any]] = ()

    def __init__(self, inputs: Sequence[Input], columns: Sequence[str] | None) -> None:
        self.inputs = list(inputs)
        self.columns = columns
        self.path = inputs[0].path

    def batches(self) -> Iterator[tuple[float, pa.RecordBatch]]:
        """Batches, each with the share of the bytes that is read, 0 to 1."""
        raise NotImplementedError

    def stop(self) -> None:
        """Ask for an early end, where batches may be long in coming; any thread may."""

    def refuse(self, bad: BaseException) -> InputError:
        """What could not be opened, as an error that names the file."""
        line = (str(bad) or type(bad).__name__).splitlines()[0]
        return InputError(f"{self.path}: {line}", self.path)


class _Engine(Source):
    """Captures as one run, or a file of JSON lines."""

    def __init__(
        self,
        inputs: Sequence[Input],
        columns: Sequence[str] | None,
        options: Mapping[str, Any],
        troubles: list[Trouble],
    ) -> None:
        super().__init__(inputs, columns)
        self._troubles = troubles
        names = [one.path for one in inputs]
        try:
            if inputs[0].kind == CAPTURE:
                wanted = _engine_columns(columns, options)
                self._stream = api.read(names, columns=wanted, damaged="ignore", **options)
            else:
                wanted = _columns_there(names, columns)
                self._stream = api.read_json(names, columns=wanted, damaged="ignore")
        except TypeError as wrong:  # an option that is for something else
            raise UsageError(str(wrong)) from wrong
        self.schema = self._stream.schema

    def stop(self) -> None:
        """Ask the run for its end."""
        self._stream.stop()

    def batches(self) -> Iterator[tuple[float, pa.RecordBatch]]:
        with self._stream as stream:
            try:
                for batch in stream:
                    yield stream.progress or 0.0, batch
                said = stream.summary
                self.summaries = [said] if self.inputs[0].kind == CAPTURE else said["runs"]
            finally:
                for one in stream.troubles:
                    self._troubles.append(Trouble(one.text, one.file, one.offset, one.damaged))


class _Parquet(Source):
    def __init__(self, inputs: Sequence[Input], columns: Sequence[str] | None) -> None:
        super().__init__(inputs, columns)
        with self._file() as file:
            self.schema = unify.prune(file.schema_arrow, columns)

    def _file(self) -> Any:
        import pyarrow.parquet as pq

        try:
            return pq.ParquetFile(_bytes_of(self.path), buffer_size=1 << 20)
        except (OSError, pa.ArrowException) as bad:
            raise InputError(f"{self.path}: {_parquet_reason(bad)}", self.path) from bad

    def batches(self) -> Iterator[tuple[float, pa.RecordBatch]]:
        with self._file() as file:
            rows, done = file.metadata.num_rows, 0
            for batch in file.iter_batches(8192, columns=_leaves(file, self.columns)):
                done += batch.num_rows
                yield done / rows, batch


def _parquet_reason(bad: BaseException) -> str:
    text = str(bad)
    if "magic bytes" in text or "footer" in text:
        return "is not a whole Parquet file: its end is missing"
    return text.splitlines()[0] if text else type(bad).__name__


def _leaves(file: Any, columns: Sequence[str] | None) -> list[str] | None:
    """The Parquet paths of columns; a list stands there as .list.element."""
    if columns is None:
        return None
    leaves = [file.schema.column(at).path for at in range(len(file.schema))]
    plain = {leaf: leaf.replace(".list.element", "").replace(".list.item", "") for leaf in leaves}
    return [
        leaf
        for leaf, name in plain.items()
        if any(name == c or name.startswith(c + ".") for c in columns)
    ]


class _ArrowFile(Source):
    def __init__(self, inputs: Sequence[Input], columns: Sequence[str] | None) -> None:
        super().__init__(inputs, columns)
        self.schema = unify.prune(self._file().schema, columns)

    def _file(self) -> Any:
        try:
            source = _bytes_of(self.path) if self.path == "-" else pa.memory_map(self.path)
            return pa.ipc.open_file(source)
        except (OSError, pa.ArrowException) as bad:
            raise InputError(
                f"{self.path}: is not a whole Arrow file: its end is missing", self.path
            ) from bad

    def batches(self) -> Iterator[tuple[float, pa.RecordBatch]]:
        file = self._file()
        for at in range(file.num_record_batches):
            yield (at + 1) / file.num_record_batches, file.get_batch(at)


class _ArrowStream(Source):
    def __init__(self, inputs: Sequence[Input], columns: Sequence[str] | None) -> None:
        super().__init__(inputs, columns)
        try:
            self._reader = pa.ipc.open_stream(_bytes_of(self.path))
        except (OSError, pa.ArrowException) as bad:
            raise self.refuse(bad) from bad
        self.schema = unify.prune(self._reader.schema, columns)

    def batches(self) -> Iterator[tuple[float, pa.RecordBatch]]:
        for batch in self._reader:
            yield 0.5, batch


_FILES = {PARQUET: _Parquet, ARROW: _ArrowFile, ARROW_STREAM: _ArrowStream}


def opened(
    inputs: Sequence[Input],
    columns: Sequence[str] | None,
    options: Mapping[str, Any],
    troubles: list[Trouble],
) -> Source:
    """A source for files of one kind; what it finds while reading goes to `troubles`.

    Raises:
        InputError: it cannot be opened.
    """
    if inputs[0].kind in (CAPTURE, JSON):
        return _Engine(inputs, columns, options, troubles)
    return _FILES[inputs[0].kind](inputs, columns)


def _bytes_of(path: str) -> Any:
    return os.fdopen(os.dup(0), "rb") if path == "-" else pa.OSFile(path)


def write_text(batches: pa.RecordBatchReader, output: str, options: Mapping[str, Any]) -> int:
    """Records as pcap2flow writes them, JSON or CSV by the end of the name; their number.

    Args:
        options: with which captures were read, for the configuration in the first line.

    Raises:
        InputError: it cannot be written.
    """
    handle = _joy.Handle()
    told = {name: value for name, value in options.items() if _only_told(name)}
    keywords.apply(handle, {"bidir": True, **told, "output": output})
    if handle.rewrite(batches.__arrow_c_stream__()) not in (_joy.OK, _joy.DAMAGED):
        raise InputError(handle.error(), output)
    return handle.stats()["records"]


def _only_told(option: str) -> bool:
    """Whether an option changes nothing in records that are there already."""
    row = keywords.table()[option]
    acts = option == "merge" or option.startswith("exe") or "file" in row.flags
    return row.group in ("Input", "Flows", "Data elements") and not acts


# --- standard input ------------------------------------------------------------------------------
def with_standard_input(inputs: Sequence[Input], troubles: list[Trouble]) -> list[Input]:
    """The inputs, with "-" become what its first bytes say; it stays whole for who reads it."""
    known = []
    for one in inputs:
        if one.path != "-":
            known.append(one)
            continue
        kind, seekable = _peek()
        if kind is None or (kind in (PARQUET, ARROW) and not seekable):
            why = "no capture and no records" if kind is None else f"{kind}: name the file instead"
            troubles.append(Trouble(f"standard input: {why}", "-", None, True))
        else:
            known.append(replace(one, kind=kind))
    return known


def _peek() -> tuple[str | None, bool]:
    """What comes on standard input, and whether it is a file."""
    seekable = stat.S_ISREG(os.fstat(0).st_mode)
    head = b""
    while len(head) < HEAD and (more := os.read(0, HEAD - len(head))):
        head += more
    if seekable:
        os.lseek(0, -len(head), os.SEEK_CUR)
    else:
        _put_back(head)
    packed = head.startswith((b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"))
    return _packed_kind(head) if packed else kind_of(head), seekable


def _packed_kind(head: bytes) -> str:
    """What is behind gzip; of the others only a capture is likely."""
    import zlib

    if not head.startswith(b"\x1f\x8b"):
        return CAPTURE
    try:
        return kind_of(zlib.decompressobj(31).decompress(head)) or CAPTURE
    except zlib.error:
        return CAPTURE


def _put_back(head: bytes) -> None:
    """Makes standard input a pipe that begins with these bytes once more."""
    rest = os.dup(0)
    out, into = os.pipe()
    os.dup2(out, 0)
    os.close(out)

    def pump() -> None:
        try:
            data = head
            while data:
                view = memoryview(data)
                while view:
                    view = view[os.write(into, view) :]
                data = os.read(rest, CHUNK)
        except BrokenPipeError:
            pass  # who reads has had enough
        finally:
            os.close(into)
            os.close(rest)

    threading.Thread(target=pump, daemon=True).start()
