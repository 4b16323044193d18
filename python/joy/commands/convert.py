# SPDX-License-Identifier: BSD-3-Clause
"""joy convert: captures and records into Parquet, Arrow, JSON or CSV."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from typing import Annotated, Any

import pyarrow as pa
import typer

from joy import console, sources, writing
from joy.errors import InputError, UsageError
from joy.inputs import Flows

TEXTS = (".json", ".csv")
PACKED = ("", ".gz", ".zst")
KINDS: dict[str, Callable[[str, pa.Schema], writing.Writer]] = {
    ".parquet": writing.Parquet,
    ".arrow": writing.ArrowFile,
    ".arrows": writing.ArrowStream,
}


def command(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="INPUT... OUTPUT",
            help="Captures, JSON lines, Arrow, Parquet, folders, globs, -; then the file to write.",
        ),
    ],
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", metavar="NAME=VALUE", help="Option of pcap2flow."),
    ] = None,
    partition: Annotated[
        str | None,
        typer.Option(metavar="hour", help="Write a folder of Parquet files, one for each hour."),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="Say what was written as JSON.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress, no report.")] = False,
) -> None:
    """Convert captures and records to Parquet, Arrow, JSON or CSV.

    The end of OUTPUT's name says what is written: .parquet, .arrow (file), .arrows (stream; also
    "-", standard output), .json or .csv, these also with .gz or .zst.
    """

    def body() -> int:
        inputs, output = console.inputs_and_output(paths)
        work = _Work(inputs, output, console.options_of(option or []), partition, quiet)
        rows = work.run()
        if json:
            console.say_json({"output": work.output, "records": rows, "damaged": work.damaged})
        elif not quiet and work.output != "-":
            console.err.print(f"{work.output}: {rows} records")
        return console.DAMAGED if work.damaged else console.OK

    raise typer.Exit(console.end(body))


class _Work:
    """One conversion."""

    def __init__(
        self,
        inputs: list[str],
        output: str,
        options: dict[str, Any],
        partition: str | None,
        quiet: bool,
    ) -> None:
        self.inputs, self.output, self.options, self.quiet = inputs, output, options, quiet
        self.partition = partition
        self.damaged = False
        if partition not in (None, "hour"):
            raise UsageError(f"--partition {partition}: only by hour")
        if partition and os.path.isdir(output) and os.listdir(output):
            raise UsageError(f"{output}: is there already, and not empty")
        if not partition and os.path.isdir(output):
            raise UsageError(f"{output}: is a folder; name a file, or --partition hour")

    def run(self) -> int:
        """Do it; the number of records written."""
        if self.partition:
            return self._columns(self._into_folder)
        suffix = _suffix(self.output)
        if suffix in TEXTS:
            return self._columns(self._into_text)
        maker = writing.ArrowStream if self.output == "-" else KINDS[suffix]
        return self._columns(lambda flows: self._into_file(flows, maker))

    def _columns(self, into: Callable[[Flows], int]) -> int:
        with console.progress("converting", self.quiet) as moved:
            flows = Flows(self.inputs, options=self.options, progress=moved)
            self._not_itself(flows)
            rows = into(flows)
        for trouble in flows.troubles:
            console.warn(trouble.text)
        self.damaged = flows.damaged
        return rows

    def _not_itself(self, flows: Flows) -> None:
        for one in flows.inputs:
            both = os.path.exists(one.path) and os.path.exists(self.output)
            if both and os.path.samefile(one.path, self.output):
                raise UsageError(f"{self.output}: would be written over while it is read")

    def _into_file(self, flows: Flows, maker: Callable[[str, pa.Schema], writing.Writer]) -> int:
        if self.output == "-":
            return _write(flows, maker("-", flows.schema))
        with writing.named(self.output), writing.whole(self.output) as part:
            return _write(flows, maker(part, flows.schema))

    def _into_folder(self, flows: Flows) -> int:
        part = f"{self.output.rstrip('/')}.part"
        with writing.named(part):
            shutil.rmtree(part, ignore_errors=True)
            os.makedirs(part)
            try:
                rows = _write(flows, writing.Partitions(part, flows.schema))
                os.rename(part, self.output)
            finally:
                shutil.rmtree(part, ignore_errors=True)
        return rows

    def _into_text(self, flows: Flows) -> int:
        try:
            return sources.write_text(flows.reader(), self.output, self.options)
        except InputError as bad:
            raise flows.failure or bad from None


def _write(flows: Flows, writer: writing.Writer) -> int:
    rows = 0
    for batch in flows:
        writer.write(batch)
        rows += batch.num_rows
    writer.close()
    return rows


def _suffix(name: str) -> str:
    if name == "-":
        return ".arrows"
    for text in TEXTS:
        if name.endswith(tuple(text + packed for packed in PACKED)):
            return text
    suffix = os.path.splitext(name)[1]
    if suffix not in KINDS:
        raise UsageError(
            f"{name}: what shall it be? The name must end with .parquet, .arrow, .arrows, .json or "
            ".csv (these two also with .gz or .zst)"
        )
    return suffix
