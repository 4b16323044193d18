# SPDX-License-Identifier: BSD-3-Clause
"""Records of whatever was named go through the engine once more, and into a file.

What the commands anonymize and merge share: the options are pcap2flow's, the work is the library's,
and the end of the output's name says what is written.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pyarrow as pa

from joy import _joy, console, keywords, writing
from joy.errors import JoyError, UsageError
from joy.inputs import Flows

TEXTS = (".json", ".jsonl", ".csv")
PACKED = ("", ".gz", ".zst")
COLUMNS = {
    ".parquet": writing.Parquet,
    ".arrow": writing.ArrowFile,
    ".arrows": writing.ArrowStream,
}


@dataclass
class Rewritten:
    """What came of it.

    Attributes:
        output: name of the file.
        summary: counters of the run: records_read, records, left_out, with merge also parts,
            merged, alone, early.
        warnings: what was odd or damaged, a line each.
        damaged: something was lost.
    """

    output: str
    summary: dict[str, int] = field(default_factory=dict)
    warnings: list[str] = field(default_factory=list)
    damaged: bool = False


def rewrite(
    inputs: Sequence[str],
    output: str,
    *,
    options: Mapping[str, Any],
    work: Mapping[str, Any],
    quiet: bool = False,
) -> Rewritten:
    """Read all inputs, rewrite their records, write them.

    Args:
        inputs: as Flows takes them.
        output: .json, .jsonl or .csv (each also with .gz or .zst), .parquet, .arrow, .arrows; "-"
            for JSON lines on standard output.
        options: of pcap2flow, for captures.
        work: options of pcap2flow that say what is to be done.

    Raises:
        UsageError: a name or an option that cannot be.
        InputError: nothing that can be read.
        JoyError: it cannot be done, or not be written.
    """
    kind = _kind(output)
    with console.progress("rewriting", quiet) as moved:
        flows = Flows(inputs, options=options, progress=moved)
        _not_itself(flows, output)
        done = Rewritten(output)
        handle = _joy.Handle()
        keywords.apply(handle, dict(work))
        if kind in COLUMNS:
            status = _into_columns(handle, flows, output, kind)
        else:
            status = _into_text(handle, flows, output)
    done.summary = _summary(handle)
    done.warnings = [t.text for t in flows.troubles] + [text for *_, text in handle.log()]
    done.damaged = flows.damaged or status == _joy.DAMAGED
    return done


def _kind(output: str) -> str:
    """The suffix that says what is written."""
    if output == "-":
        return ".json"
    for text in TEXTS:
        if output.endswith(tuple(text + packed for packed in PACKED)):
            return text
    suffix = os.path.splitext(output)[1]
    if suffix in COLUMNS:
        return suffix
    raise UsageError(
        f"{output}: what shall it be? The name must end with .json or .csv (these also with .gz or "
        ".zst), .parquet, .arrow or .arrows"
    )


def _not_itself(flows: Flows, output: str) -> None:
    for one in flows.inputs:
        both = os.path.exists(one.path) and os.path.exists(output)
        if both and os.path.samefile(one.path, output):
            raise UsageError(f"{output}: would be written over while it is read")


def _failure(handle: _joy.Handle, status: int) -> JoyError:
    kind = UsageError if status == _joy.USAGE else JoyError
    return kind(handle.error())


def _into_text(handle: _joy.Handle, flows: Flows, output: str) -> int:
    keywords.apply(handle, {"output": output})
    status = handle.rewrite(flows.reader().__arrow_c_stream__())
    if flows.failure is not None:  # an interrupt, which the library has in other words
        raise flows.failure
    if status not in (_joy.OK, _joy.DAMAGED):
        raise _failure(handle, status)
    return status


@dataclass
class _Capsule:
    """A stream for pyarrow."""

    capsule: object

    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        return self.capsule


def _batches(handle: _joy.Handle, reader: pa.RecordBatchReader) -> Iterator[pa.RecordBatch]:
    """All batches; signals are heeded while they are waited for."""
    while True:
        handle.wait()
        try:
            yield reader.read_next_batch()
        except StopIteration:
            return
        except pa.ArrowException as failed:
            raise _failure(handle, handle.status() or _joy.FAILED) from failed


def _into_columns(handle: _joy.Handle, flows: Flows, output: str, kind: str) -> int:
    made = handle.stream_rewrite(flows.reader().__arrow_c_stream__())
    if isinstance(made, int):
        raise _failure(handle, made)
    reader = pa.RecordBatchReader.from_stream(_Capsule(made))
    try:
        with writing.named(output), writing.whole(output) as part:
            writer = COLUMNS[kind](part, reader.schema)
            for batch in _batches(handle, reader):
                writer.write(batch)
            writer.close()
    except BaseException:
        flows.stop()  # the reader's end waits for it
        raise
    finally:
        reader.close()
    return handle.status() or _joy.OK


def _summary(handle: _joy.Handle) -> dict[str, int]:
    text = handle.text(_joy.TEXT_SUMMARY)
    summary = json.loads(text) if text else {}
    return summary.get("summary", summary)


def tell(done: Rewritten, as_json: bool, quiet: bool) -> int:
    """Say what came of it; the exit code."""
    for text in done.warnings:
        console.warn(text)
    if as_json:
        console.say_json({"output": done.output, "damaged": done.damaged, **done.summary})
    elif not quiet and done.output != "-":
        console.err.print(f"{done.output}: {done.summary.get('records', 0)} records")
    return console.DAMAGED if done.damaged else console.OK
