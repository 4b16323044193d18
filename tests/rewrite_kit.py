# SPDX-License-Identifier: BSD-3-Clause
"""Records as columns and back, for the tests of rewriting: JSON lines become Arrow tables by the
types that doc/fields.md names, in Python; libjoy rewrites them, called by ctypes.

Neither uses what the library itself makes of records as columns.
"""

from __future__ import annotations

import ctypes
import json
import os
import re
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
from program import ROOT, pcap2flow

SIMPLE = {
    "boolean": pa.bool_(),
    "integer": pa.int64(),
    "number": pa.float64(),
    "word": pa.dictionary(pa.int32(), pa.utf8()),
    "text": pa.utf8(),
    "address": pa.utf8(),
    "hex": pa.binary(),
}
TIMES = ("time_start", "time_end")
OK, FAILED, USAGE, DAMAGED = range(4)


def fields(both: bool) -> dict[str, list[pa.Field]]:
    """The columns of all records, by data element, as doc/fields.md names them.

    Args:
        both: with those that only records of both directions have.
    """
    elements: dict[str, dict[str, Any]] = {}
    name = ""
    for line in (ROOT / "doc/fields.md").read_text().splitlines():
        name = line[3:] if line.startswith("## ") else name
        found = re.match(r"\| `([^`]+)` \| ([a-z ]+) \|", line)
        if found is None or (not both and "only in records of both directions" in line):
            continue
        at, keys = elements.setdefault(name, {}), found[1].replace("[]", "").split(".")
        if any(key not in at for key in keys[:1]) and len(keys) > 1:
            continue
        for key in keys[:-1]:
            at = at[key][1] if key in at else {}
        kind = found[2].replace("list of ", "").replace("objects", "object").strip()
        at[keys[-1]] = ("list" in found[2], {}, kind)
    return {e: [_field(k, v) for k, v in root.items()] for e, root in elements.items()}


def _field(name: str, node: tuple[bool, dict, str]) -> pa.Field:
    is_list, below, kind = node
    if name in TIMES:
        return pa.field(name, pa.timestamp("ns", "UTC"))
    inner = pa.struct([_field(k, v) for k, v in below.items()]) if below else SIMPLE[kind]
    return pa.field(name, pa.list_(inner) if is_list else inner)


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return int(value * 1_000_000_000)
    if pa.types.is_floating(kind):
        return float(value)
    if pa.types.is_binary(kind):
        return bytes.fromhex(value)
    if pa.types.is_list(kind):
        return [_value(kind.value_type, v) for v in value]
    if pa.types.is_struct(kind):
        return {f.name: _value(f.type, value.get(f.name)) for f in kind}
    return value


def table(lines: bytes) -> pa.Table:
    """Records as columns: those of all data elements of which some record has something."""
    items = [json.loads(line, parse_float=Decimal) for line in lines.splitlines()]
    records = [i for i in items if "sa" in i]
    there = {key for r in records for key in r}
    elements = fields(both=items[0]["bidir"] == 1).values()
    schema = pa.schema(
        [f for e in elements if any(f.name in there for f in e) for f in e],
        metadata={"joy.configuration": lines.splitlines()[0]},
    )
    rows = [{f.name: _value(f.type, r.get(f.name)) for f in schema} for r in records]
    return pa.Table.from_pylist(rows, schema)


def capture(path: Path, *options: str) -> bytes:
    """The lines that pcap2flow writes of a capture."""
    run = pcap2flow(*options, path)
    assert run.status in (OK, DAMAGED), run.stderr
    return run.stdout


def records(lines: bytes) -> list[bytes]:
    """The lines that are records."""
    return [line for line in lines.splitlines() if line.startswith(b'{"sa"')]


# --- libjoy ---------------------------------------------------------------------------------------
LINE = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t)
LOG = ctypes.CFUNCTYPE(None, ctypes.c_void_p, ctypes.c_int, ctypes.c_char_p)


@dataclass
class Rewritten:
    """What a run of joy_rewrite() gave: status, its error, lines, messages, the summary."""

    status: int = OK
    error: str = ""
    lines: bytes = b""
    log: list[str] = field(default_factory=list)

    @property
    def records(self) -> list[bytes]:
        """The lines that are records."""
        return records(self.lines)

    @property
    def summary(self) -> dict:
        """The object behind "summary"."""
        return json.loads(self.lines.splitlines()[-1])["summary"]


def library() -> ctypes.CDLL:
    """libjoy.so that was built last, or that of the environment variable LIBJOY."""
    built = sorted(ROOT.glob("build/release-*/libjoy.so"), key=lambda p: p.stat().st_mtime)
    assert built, "make build first"
    joy = ctypes.CDLL(os.environ.get("LIBJOY", str(built[-1])))
    joy.joy_new.restype = ctypes.c_void_p
    joy.joy_error.restype = ctypes.c_char_p
    return joy


class Handle:
    """A struct joy with options set; its messages; freed with `close`."""

    def __init__(self, **options: Any) -> None:
        self.joy, self.log = library(), []
        self.at = ctypes.c_void_p(self.joy.joy_new())
        self._log = LOG(lambda _, level, text: self.log.append(text.decode(errors="replace")))
        self.joy.joy_on_log(self.at, self._log, None)
        for name, value in options.items():
            status = self.joy.joy_set(self.at, name.encode(), str(value).encode())
            assert status == OK, self.error

    @property
    def error(self) -> str:
        """What joy_error() says."""
        return self.joy.joy_error(self.at).decode()

    def close(self) -> None:
        """Free the handle."""
        self.joy.joy_free(self.at)


def _stream() -> ctypes.Array:
    return ctypes.create_string_buffer(5 * ctypes.sizeof(ctypes.c_void_p))


def _exported(columns: Any) -> ctypes.Array:
    stream = _stream()
    reader = columns.to_reader() if isinstance(columns, pa.Table) else columns
    reader._export_to_c(ctypes.addressof(stream))
    return stream


def _imported(handle: Handle, stream: ctypes.Array) -> pa.Table:
    reader = pa.RecordBatchReader._import_from_c(ctypes.addressof(stream))
    result = reader.read_all()
    reader.close()
    handle.close()
    return result


def rewrite(columns: Any, **options: Any) -> Rewritten:
    """joy_rewrite() of a table or reader, with lines by callback."""
    handle, out, parts = Handle(**options), Rewritten(), []
    line = LINE(lambda _, at, size: parts.append(ctypes.string_at(at, size)) or 0)
    handle.joy.joy_on_line(handle.at, line, None)
    out.status = handle.joy.joy_rewrite(handle.at, _exported(columns))
    out.error, out.log, out.lines = handle.error, handle.log, b"".join(parts)
    handle.close()
    return out


def rewritten_table(columns: Any, **options: Any) -> pa.Table:
    """joy_stream_rewrite() of a table or reader."""
    handle, stream = Handle(**options), _stream()
    status = handle.joy.joy_stream_rewrite(handle.at, _exported(columns), stream)
    assert status == OK, handle.error
    return _imported(handle, stream)


class Wanted(ctypes.Structure):
    """struct joy_columns."""

    _fields_ = [
        ("names", ctypes.c_void_p),
        ("count", ctypes.c_size_t),
        ("batch_rows", ctypes.c_size_t),
        ("batch_bytes", ctypes.c_size_t),
        ("binary_addresses", ctypes.c_int),
    ]


def captured_table(path: Path, *, rows: int = 0, binary: bool = False, **options: Any) -> pa.Table:
    """joy_stream() of a capture: at most so many rows in a batch, addresses perhaps as bytes."""
    handle, stream = Handle(**options), _stream()
    wanted = Wanted(None, 0, rows, 0, binary)
    assert handle.joy.joy_columns(handle.at, ctypes.byref(wanted)) == OK, handle.error
    paths = (ctypes.c_char_p * 1)(str(path).encode())
    status = handle.joy.joy_stream(handle.at, 0, paths, 1, stream)
    assert status == OK, handle.error
    return _imported(handle, stream)
