# SPDX-License-Identifier: BSD-3-Clause
"""Flows: whatever was named on the command line, as one stream of record batches.

Captures, JSON lines of pcap2flow, Arrow IPC and Parquet files, folders and globs of these.  The
columns of all inputs together are the columns of the stream, in the order of the field tables;
what an input does not have is null there.
"""

# STAND-IN: reads through the program and JSON; its interface is what commands rely on.

from __future__ import annotations

import glob
import gzip
import json
import re
import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyarrow as pa

from joy.errors import InputError

ROOT = Path(__file__).resolve().parent.parent.parent


@dataclass(frozen=True)
class Input:
    """One file: its path, what it is (capture, json, arrow, parquet), its size in bytes."""

    path: str
    kind: str
    size: int


@dataclass(frozen=True)
class Trouble:
    """What was wrong with an input, in a whole line; 'damaged' when something was lost."""

    text: str
    file: str | None
    offset: int | None
    damaged: bool


class Flows:
    """Records of all inputs, in their order: one pass, in batches of bounded memory.

    Args:
        paths: files, folders (searched for what is known), globs, "-" for a capture on standard
            input.
        columns: dotted names of the fields wanted (with all below them); for captures their
            features are switched on.  None: what is there; captures give what `options` say.
        options: of pcap2flow, for captures; bidir is on.
        progress: gets the share done, 0 to 1, or None, now and then.

    Attributes:
        schema: of every batch; known before anything is read.
        inputs: the files, in the order in which they are read.
        troubles: what was found so far.

    Raises:
        InputError: nothing that can be read.
        UsageError: options or columns that do not exist.
    """

    schema: pa.Schema
    inputs: list[Input]
    troubles: list[Trouble]

    def __init__(
        self,
        paths: Sequence[str],
        *,
        columns: Sequence[str] | None = None,
        options: Mapping[str, Any] | None = None,
        progress: Callable[[float | None], None] | None = None,
    ) -> None:
        self.inputs, self.troubles = [], []
        records: list[dict] = []
        names = [n for p in paths for n in sorted(glob.glob(p)) or [p]]
        for name in names:
            records += self._file(name, columns, options or {})
        keep = None if columns is None else {c.split(".")[0] for c in columns}
        tree = _tree()
        there = {k for r in records for k in r}
        fields = [f for f in tree if f.name in there and (keep is None or f.name in keep)]
        self.schema = pa.schema(fields)
        rows = [{f.name: _value(f.type, r.get(f.name)) for f in fields} for r in records]
        self._table = pa.Table.from_pylist(rows, self.schema)

    def _file(self, name: str, columns: Any, options: Mapping[str, Any]) -> list[dict]:
        path = Path(name)
        if not path.exists():
            raise InputError(f"{name}: there is no such file", name)
        kind = "json" if ".json" in name else "capture"
        self.inputs.append(Input(name, kind, path.stat().st_size))
        if kind == "json":
            opener = gzip.open if name.endswith(".gz") else open
            with opener(name, "rt") as lines:
                return _records(lines)
        words = [f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items()]
        if columns is not None:
            words.append("features=all")
        command = [str(ROOT / "pcap2flow"), "bidir=1", *words, name]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        for line in done.stderr.splitlines():
            self.troubles.append(Trouble(line, name, None, done.returncode == 3))
        if done.returncode not in (0, 3):
            raise InputError(done.stderr.strip(), name)
        return _records(done.stdout.splitlines())

    @property
    def damaged(self) -> bool:
        """Whether some input was lost: the command's exit code is 3 then."""
        return any(t.damaged for t in self.troubles)

    def has(self, column: str) -> bool:
        """Whether a field, by its dotted name, is in the schema."""
        kind: Any = pa.struct(list(self.schema))
        for key in column.split("."):
            while pa.types.is_list(kind):
                kind = kind.value_type
            if not pa.types.is_struct(kind) or kind.get_field_index(key) < 0:
                return False
            kind = kind.field(key).type
        return True

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        yield from self._table.to_batches(max_chunksize=8192)

    def reader(self) -> pa.RecordBatchReader:
        """The same as a reader, for DuckDB, pyarrow.parquet and whoever takes a C stream."""
        return pa.RecordBatchReader.from_batches(self.schema, iter(self))


def _records(lines: Any) -> list[dict]:
    items = [json.loads(line) for line in lines]
    return [i for i in items if "version" not in i and "summary" not in i and "sa" in i]


_SIMPLE = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "word": pa.dictionary(pa.int32(), pa.utf8()),
    "text": pa.utf8(),
    "address": pa.utf8(),
    "hex": pa.binary(),
}


def _tree() -> list[pa.Field]:
    root: dict[str, Any] = {}
    for line in (ROOT / "doc/fields.md").read_text().splitlines():
        found = re.match(r"\| `([^`]+)` \| ([a-z ]+) \|", line)
        if not found:
            continue
        at, keys = root, found[1].replace("[]", "").split(".")
        for key in keys[:-1]:
            at = at[key][1]
        kind = found[2].replace("list of ", "").replace("objects", "object").strip()
        at[keys[-1]] = ("list" if "list" in found[2] else "", {}, kind)

    def build(name: str, node: Any) -> pa.Field:
        wrap, below, kind = node
        if name in ("time_start", "time_end"):
            return pa.field(name, pa.timestamp("ns", "UTC"))
        inner = pa.struct([build(k, v) for k, v in below.items()]) if below else _SIMPLE[kind]
        return pa.field(name, pa.list_(inner) if wrap else inner)

    return [build(k, v) for k, v in root.items()]


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return int(round(value * 1e6)) * 1000
    if pa.types.is_binary(kind):
        return bytes.fromhex(value)
    if pa.types.is_list(kind):
        return [_value(kind.value_type, v) for v in value]
    if pa.types.is_struct(kind):
        return {f.name: _value(f.type, value.get(f.name)) for f in kind}
    return value
