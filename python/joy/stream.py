# SPDX-License-Identifier: BSD-3-Clause
"""A stream: the records of one run as Arrow record batches, in bounded memory."""

from __future__ import annotations

import json
import os
import sys
import warnings
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any

from joy import _joy
from joy.errors import DamagedInputError, DamagedInputWarning, InputError, JoyError, UsageError

if TYPE_CHECKING:
    import pandas
    import polars
    import pyarrow

_HERE = str(Path(__file__).parent)


@dataclass(frozen=True)
class Trouble:
    """What was wrong with an input.

    Attributes:
        text: a whole line.
        file: its name, None when it is none.
        offset: byte in that file as it is unpacked, None when no place can be named.
        damaged: something was lost; else it was only odd.
    """

    text: str
    file: str | None
    offset: int | None
    damaged: bool


def failure(handle: _joy.Handle, status: int) -> JoyError:
    """The exception for a status that is neither OK nor DAMAGED."""
    text = handle.error()
    if status == _joy.USAGE:
        return UsageError(text)
    lost = [t for t in handle.troubles() if t[0] != _joy.OK]
    if not lost:
        return JoyError(text)
    _, file, offset, words = lost[0]
    more = f" (and {len(lost) - 1} more)" if len(lost) > 1 else ""
    return InputError(words + more, file, offset)


def _level() -> int:
    """How many frames up the caller's own code is, for a warning from here."""
    level, frame = 1, sys._getframe(1)
    while frame.f_back is not None and frame.f_code.co_filename.startswith(_HERE):
        level, frame = level + 1, frame.f_back
    return level


def warn(troubles: Sequence[tuple[int, str | None, int | None, str]]) -> None:
    """A DamagedInputWarning for each trouble by which something was lost."""
    for status, file, offset, text in troubles:
        if status != _joy.OK:
            warnings.warn(DamagedInputWarning(text, file, offset), stacklevel=_level())


class Stream:
    """The records of one run, to be consumed once.

    It has the Arrow PyCapsule interface, so pyarrow.table(), polars.DataFrame(),
    pandas.DataFrame.from_arrow() and DuckDB take it as it is.  The run has a thread of its own,
    which is at most a few batches ahead; nothing holds the interpreter lock while it works or is
    waited for.  Two streams may run at once; one stream is for one thread at a time.

    joy.read(), joy.live() and joy.read_json() make streams.
    """

    def __init__(
        self,
        handle: _joy.Handle,
        what: int,
        paths: Sequence[str | bytes | os.PathLike[str]],
        damaged: str,
    ) -> None:
        """Begin the run; `what` is CAPTURES or RECORDS of the extension."""
        self._handle = handle
        self._damaged = damaged
        self._reader: pyarrow.RecordBatchReader | None = None
        self._capsule: Any = handle.stream(paths, what, damaged == "raise")
        if isinstance(self._capsule, int):
            raise failure(handle, self._capsule)
        if damaged == "ignore":
            handle.tell()  # so nobody else does

    # --- as others take it -----------------------------------------------------------------------
    def __arrow_c_stream__(self, requested_schema: object = None) -> object:
        """The stream as a capsule, once; another schema than its own is not heeded.

        Raises:
            JoyError: it was taken already.
        """
        if self._capsule is None:
            raise JoyError("a stream can be consumed once: read the input again")
        capsule, self._capsule = self._capsule, None
        return capsule

    def __arrow_c_schema__(self) -> object:
        """The schema of its batches as a capsule; takes nothing from the stream."""
        return self._handle.stream_schema()

    @property
    def schema(self) -> pyarrow.Schema:
        """The schema of its batches (needs pyarrow)."""
        import pyarrow

        return pyarrow.schema(self)

    # --- as Python takes it ----------------------------------------------------------------------
    def __iter__(self) -> Iterator[pyarrow.RecordBatch]:
        """Its record batches, one by one (needs pyarrow).

        Raises:
            JoyError: it was taken already, or the run failed; InputError with file and offset
                when input is to blame.
            DamagedInputError: at the end, with damaged="raise".
        """
        import pyarrow

        self._reader = pyarrow.RecordBatchReader.from_stream(self)
        return self._batches(self._reader)

    def _batches(self, reader: pyarrow.RecordBatchReader) -> Iterator[pyarrow.RecordBatch]:
        while self._reader is not None:  # not closed
            self._handle.wait()
            try:
                batch = reader.read_next_batch()
            except StopIteration:
                self._finish()
                return
            except Exception as failed:
                raise self._why() or failed from None
            yield batch

    def _why(self) -> JoyError | None:
        """What the library says of a stream that failed."""
        status = self._handle.status()
        if status is None or status == _joy.OK:
            return None
        if status == _joy.DAMAGED:
            lost = [t for t in self._handle.troubles() if t[0] != _joy.OK]
            _, file, offset, text = lost[0] if lost else (status, None, None, self._handle.error())
            return DamagedInputError(text, file, offset)
        return failure(self._handle, status)

    def _finish(self) -> None:
        """Behind the last batch: tell of damage, unless somebody has."""
        if self._handle.status() == _joy.DAMAGED and self._handle.tell():
            warn(self._handle.troubles())

    def read_all(self) -> pyarrow.Table:
        """All that is left as a table (needs pyarrow); raises what iteration raises."""
        import pyarrow

        schema = self.schema
        return pyarrow.Table.from_batches(self, schema)

    def to_polars(self) -> polars.DataFrame:
        """All that is left as a data frame of polars."""
        import polars

        return polars.DataFrame(self.read_all())

    def to_pandas(self) -> pandas.DataFrame:
        """All that is left as a data frame of pandas."""
        return self.read_all().to_pandas()

    # --- its run ---------------------------------------------------------------------------------
    def stop(self) -> None:
        """Ask for an orderly end, of a capture above all: flows that are alive still come."""
        self._handle.end()

    def close(self) -> None:
        """End the run, whatever is left; may be called again."""
        self._capsule = None
        reader, self._reader = self._reader, None
        if reader is not None:
            reader.close()

    def __enter__(self) -> Stream:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    @property
    def stats(self) -> dict[str, int]:
        """Counters of the run so far: packets, bytes, flows, records, drops, memory (bytes) ..."""
        return self._handle.stats()

    @property
    def progress(self) -> float | None:
        """Share of the input that was read, 0 to 1; None when its size is not known."""
        now = self._handle.stats()
        return min(now["input_read"] / now["input_total"], 1.0) if now["input_total"] else None

    @property
    def troubles(self) -> list[Trouble]:
        """What was wrong with inputs so far, at most 1000."""
        return [
            Trouble(text, file, offset, status != _joy.OK)
            for status, file, offset, text in self._handle.troubles()
        ]

    @property
    def log(self) -> list[str]:
        """What the library had to say so far, at most 1000 lines."""
        return [text for _, _, _, text in self._handle.log()]

    @property
    def summary(self) -> dict[str, Any]:
        """The run's summary, as the last line of pcap2flow's output.

        Raises:
            JoyError: the stream has not come to its end.
        """
        if self._handle.status() is None:
            raise JoyError("there is a summary once the stream has come to its end")
        text = self._handle.text(_joy.TEXT_SUMMARY)
        if text is None:
            raise JoyError(self._handle.error())
        summary = json.loads(text)
        return summary.get("summary", summary)
