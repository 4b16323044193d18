# SPDX-License-Identifier: BSD-3-Clause
"""STAND-IN until the extension is there: streams by way of the program and its JSON."""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator, Sequence
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any

import pyarrow as pa

from joy import unify
from joy.errors import InputError, UsageError

ROOT = Path(__file__).resolve().parent.parent.parent


class Stream:
    """Batches of one run; `troubles` are lines with whether something was lost."""

    def __init__(self, records: list[dict], columns: Sequence[str] | None) -> None:
        self.troubles: list[tuple[str, str | None, bool]] = []
        keep = None if columns is None else {c.split(".")[0] for c in columns}
        there = {k for r in records for k in r}
        base = {"sa", "da", "pr", "sp", "dp", "marks", "vlan", "encap", "rtt_ms", "packets"}
        fields = [
            f for f in schema() if (f.name in keep if keep is not None else f.name in there | base)
        ]
        self.schema = pa.schema(fields)
        rows = [{f.name: _value(f.type, r.get(f.name)) for f in fields} for r in records]
        plain = pa.schema([pa.field(f.name, _plain(f.type)) for f in fields])
        self._table = pa.Table.from_pylist(rows, plain)

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        for batch in self._table.to_batches(max_chunksize=8192):
            yield unify.adapt(batch, self.schema, lambda *_: None)


def _plain(kind: pa.DataType) -> pa.DataType:
    if pa.types.is_struct(kind):
        return pa.struct([pa.field(f.name, _plain(f.type)) for f in kind])
    if pa.types.is_list(kind):
        return pa.list_(_plain(kind.value_type))
    return pa.utf8() if pa.types.is_dictionary(kind) else kind


def read(paths: Sequence[str], columns: Sequence[str] | None = None, **options: Any) -> Stream:
    """Captures."""
    words = [f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items()]
    if columns is not None and any(c not in BASE for c in columns):
        words = ["features=all", *words]
    command = [str(ROOT / "pcap2flow"), "bidir=1", *words, "--", *paths]
    command.remove("--")
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise UsageError(done.stderr.strip())
    if done.returncode not in (0, 3):
        raise InputError(done.stderr.strip(), paths[0])
    stream = Stream(_records(done.stdout.splitlines()), columns)
    for line in done.stderr.splitlines():
        stream.troubles.append((line, None, done.returncode == 3))
    return stream


BASE = {"sa", "da", "pr", "sp", "dp", "time_start", "time_end", "flow_id", "part", "packets"} | {
    f"{n}_{d}" for n in ("bytes", "num_pkts", "ip_bytes") for d in ("out", "in")
}


def read_json(paths: Sequence[str], columns: Sequence[str] | None = None) -> Stream:
    """JSON lines."""
    from joy.finding import unpacked

    records, bad = [], 0
    for path in paths:
        with open(0, "rb") if path == "-" else unpacked(path) as file:
            for line in file.read().decode().splitlines():
                try:
                    records += _records([line])
                except ValueError:
                    bad += 1
    stream = Stream(records, columns)
    if bad:
        stream.troubles.append((f"{paths[0]}: {bad} lines are no JSON", paths[0], True))
    return stream


def write_text(
    paths: Sequence[str], output: str, options: Any
) -> tuple[int, list[tuple[str, bool]]]:
    """JSON or CSV of captures into a file; records and troubles."""
    words = [f"{k}={int(v) if isinstance(v, bool) else v}" for k, v in options.items()]
    command = [str(ROOT / "pcap2flow"), "bidir=1", *words, f"output={output}", *paths]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode == 2:
        raise UsageError(done.stderr.strip())
    if done.returncode not in (0, 3):
        raise InputError(done.stderr.strip(), paths[0])
    return -1, [(line, done.returncode == 3) for line in done.stderr.splitlines()]


def json_schema() -> dict[str, Any]:
    """The JSON Schema of a record."""
    command = [str(ROOT / "pcap2flow"), "print=schema"]
    return json.loads(subprocess.run(command, capture_output=True, check=True).stdout)


def _records(lines: Any) -> list[dict]:
    items = [json.loads(line, parse_float=Decimal) for line in lines]
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


@cache
def schema() -> pa.Schema:
    """All columns that there are."""
    root: dict[str, Any] = {}
    section = ""
    for line in (ROOT / "doc/fields.md").read_text().splitlines():
        section = line[3:] if line.startswith("## ") else section
        found = re.match(r"\| `([^`]+)` \| ([a-z ]+) \| ([^|]*) \|", line)
        if not found:
            continue
        at, keys = root, found[1].replace("[]", "").split(".")
        for key in keys[:-1]:
            at = at[key][1]
        kind = found[2].replace("list of ", "").replace("objects", "object").strip()
        option = {"entropy": "entropy", "total_entropy": "entropy", "compact_byte_dist": "cdist"}
        switch = option.get(keys[0], "" if section in ("base", "packets") else section)
        meta = {"unit": found[3].strip(), "feature": section, "type": kind, "options": switch}
        at[keys[-1]] = ("list" if "list" in found[2] else "", {}, kind, meta)

    def build(name: str, node: Any) -> pa.Field:
        wrap, below, kind, meta = node
        if name in ("time_start", "time_end"):
            return pa.field(name, pa.timestamp("ns", "UTC"), metadata=meta)
        inner = pa.struct([build(k, v) for k, v in below.items()]) if below else _SIMPLE[kind]
        return pa.field(name, pa.list_(inner) if wrap else inner, metadata=meta)

    return pa.schema([build(k, v) for k, v in root.items()])


def _value(kind: pa.DataType, value: Any) -> Any:
    if value is None:
        return None
    if pa.types.is_timestamp(kind):
        return int(value * 10**9)
    if pa.types.is_binary(kind):
        return bytes.fromhex(value)
    if pa.types.is_list(kind):
        return [_value(kind.value_type, v) for v in value]
    if pa.types.is_struct(kind):
        return {f.name: _value(f.type, value.get(f.name)) for f in kind}
    return float(value) if isinstance(value, Decimal) else value
