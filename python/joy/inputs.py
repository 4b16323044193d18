# SPDX-License-Identifier: BSD-3-Clause
"""Flows: whatever was named on the command line, as one stream of record batches.

Captures, JSON lines of pcap2flow, Arrow IPC and Parquet files, folders and globs of these.  The
columns of all inputs together are the columns of the stream, in the order of the field tables;
what an input does not have is null there.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from joy import sources, unify
from joy.errors import InputError
from joy.finding import CAPTURE, Found, Input, Trouble

__all__ = ["Flows", "Input", "Trouble"]

ROWS = 8192  # at most, of a batch


class Flows:
    """Records of all inputs, in their order: one pass, in batches of bounded memory.

    All captures are read as one stream, at the place of the first: flows continue from file to
    file, as they do for pcap2flow.

    Args:
        paths: files, folders (searched for what is known), globs, "-" for a capture, JSON lines or
            an Arrow stream on standard input.
        columns: dotted names of the fields wanted (with all below them); for captures their
            features are switched on.  None: what is there; captures give what `options` say.
        options: of pcap2flow, for captures; bidir is on.
        progress: gets the share done, 0 to 1, or None, now and then.

    Attributes:
        schema: of every batch; known before anything is read.
        inputs: the files, in the order in which they are read.
        troubles: what was found so far.
        clashes: columns that some inputs have as something else.
        failure: what ended reader() early.
        summaries: what pcap2flow says of its runs (packets, drops, what was cut or malformed): of
            the captures, and of JSON lines what stands in them; once they are read.

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
        found = Found(paths)
        self.troubles = found.troubles
        self._columns = None if columns is None else [name.replace("[]", "") for name in columns]
        self._options = dict(options or {})
        sources.check_options(self._options)
        self._progress = progress or (lambda share: None)
        self.clashes: set[str] = set()
        self.failure: BaseException | None = None
        self.summaries: list[dict[str, Any]] = []
        self._sources = self._open(found.inputs)
        self.inputs = [one for source in self._sources for one in source.inputs]
        if not self._sources:
            raise nothing(self.troubles)
        self.schema = self._unified()

    def _open(self, inputs: Sequence[Input]) -> list[sources.Source]:
        known = sources.with_standard_input(inputs, self.troubles)
        captures = [one for one in known if one.kind == CAPTURE]
        opened: list[sources.Source] = []
        for one in known:
            if one.kind != CAPTURE:
                self._try(opened, [one])
            elif one is captures[0]:
                self._try(opened, captures)
        return opened

    def _try(self, opened: list[sources.Source], inputs: list[Input]) -> None:
        try:
            opened.append(sources.opened(inputs, self._columns, self._options, self.troubles))
        except InputError as bad:
            self.troubles.append(Trouble(str(bad), bad.file, bad.offset, True))

    def _unified(self) -> pa.Schema:
        schemas = unify.Schemas()
        for source in self._sources:
            schemas.add(source.schema, self._clash)
        whole = schemas.ordered(sources.all_columns())
        sources.check_columns(self._columns or (), whole)
        return unify.prune(whole, self._columns)

    def _clash(self, name: str, taken: pa.DataType, refused: pa.DataType) -> None:
        if name not in self.clashes:
            self.clashes.add(name)
            text = f"column {name}: {refused} does not go with {taken} of other files; left empty"
            self.troubles.append(Trouble(text, None, None, True))

    @property
    def damaged(self) -> bool:
        """Whether some input was lost: the command's exit code is 3 then."""
        return any(t.damaged for t in self.troubles)

    def has(self, column: str) -> bool:
        """Whether a field, by its dotted name, is in the schema."""
        return unify.find(self.schema, column) is not None

    def __iter__(self) -> Iterator[pa.RecordBatch]:
        total = sum(one.size for one in self.inputs)
        done = 0
        for source in self._sources:
            size = sum(one.size for one in source.inputs)
            for share, batch in self._batches(source):
                if total:
                    self._progress((done + share * size) / total)
                yield unify.adapt(batch, self.schema, self._clash)
            done += size
            self.summaries += source.summaries
        self._progress(1.0)

    def _batches(self, source: sources.Source) -> Iterator[tuple[float, pa.RecordBatch]]:
        """A source's batches; what goes wrong meanwhile is a trouble, and the next one's turn."""
        try:
            for share, batch in source.batches():
                for at in range(0, batch.num_rows, ROWS):
                    yield share, batch.slice(at, ROWS)
        except InputError as bad:
            self.troubles.append(Trouble(str(bad), bad.file, bad.offset, True))
        except (OSError, EOFError, pa.ArrowException) as bad:
            name = os.fspath(source.inputs[0].path)
            self.troubles.append(Trouble(f"{name}: {_line(bad)}", name, None, True))

    def stop(self) -> None:
        """Ask for an early end of what is being read, perhaps by another thread."""
        for source in self._sources:
            source.stop()

    def reader(self) -> pa.RecordBatchReader:
        """The same as a reader, for DuckDB, pyarrow.parquet and whoever takes a C stream.

        What ends it early, such as an interrupt, is kept in `failure`: who reads may tell of it in
        other words.
        """

        def kept() -> Iterator[pa.RecordBatch]:
            try:
                yield from self
            except GeneratorExit:
                raise
            except BaseException as bad:
                self.failure = bad
                raise

        return pa.RecordBatchReader.from_batches(self.schema, kept())


def _line(bad: BaseException) -> str:
    return (str(bad) or type(bad).__name__).splitlines()[0]


def nothing(troubles: Sequence[Trouble]) -> InputError:
    """Why there is nothing that can be read."""
    lost = [t for t in troubles if t.damaged]
    if not lost:
        return InputError("there is nothing to read: name captures or files of records")
    return InputError("\n".join(t.text for t in lost), lost[0].file, lost[0].offset)
