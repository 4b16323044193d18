# SPDX-License-Identifier: BSD-3-Clause
"""joy query: SQL, or the old vocabulary, over captures and records."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import IO, Annotated, Any

import typer

from joy import answers, console, needs, sql, vocabulary, writing
from joy.errors import UsageError

Moved = Callable[[float | None], None]
SUFFIXES = {".csv": "csv", ".json": "json", ".jsonl": "jsonl", ".parquet": "parquet"}


def command(
    words: Annotated[
        list[str],
        typer.Argument(
            metavar="[SQL] PATH...",
            help="The query, unless options say what is asked; then captures, JSON lines, Arrow, "
            "Parquet, folders, globs, -.",
        ),
    ],
    select: Annotated[
        str | None, typer.Option(metavar="ELEMENTS", help="Elements to show, as tls{sni},da.")
    ] = None,
    where: Annotated[
        str | None, typer.Option(metavar="CONDITION", help="Only flows for which it holds.")
    ] = None,
    groupby: Annotated[
        str | None, typer.Option(metavar="ELEMENTS", help="Put together by these elements.")
    ] = None,
    dist: Annotated[
        bool, typer.Option("--dist", help="Count how often each value occurs.")
    ] = False,
    sums: Annotated[
        str | None, typer.Option("--sum", metavar="ELEMENTS", help="Add these elements up.")
    ] = None,
    top: Annotated[int | None, typer.Option(metavar="N", help="Only the first N rows.")] = None,
    sort: Annotated[
        str | None, typer.Option(metavar="ELEMENTS", help="Order by these; -NAME falling.")
    ] = None,
    stitch: Annotated[
        bool, typer.Option("--stitch", help="Make one flow of the parts of a split one.")
    ] = False,
    form: Annotated[
        str | None,
        typer.Option("--format", metavar="|".join(answers.FORMATS), help="How to write it."),
    ] = None,
    output: Annotated[
        str | None, typer.Option("-O", "--output", metavar="FILE", help="Write to a file.")
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option("-o", "--option", metavar="NAME=VALUE", help="Option of pcap2flow."),
    ] = None,
    memory: Annotated[
        str, typer.Option(metavar="SIZE", help="Memory of the database; the rest goes to disk.")
    ] = sql.MEMORY,
    show_sql: Annotated[bool, typer.Option("--show-sql", help="Print the SQL, and end.")] = False,
    json: Annotated[bool, typer.Option("--json", help="As --format json.")] = False,
    quiet: Annotated[bool, typer.Option("--quiet", "-q", help="No progress.")] = False,
) -> None:
    """Ask captures and records a question, in SQL or in the words of older Joy.

    Tables: flows, and one for each list and object in it (packets, tls, stats, certs, ...).
    """

    def body() -> int:
        given = (select, where, groupby, sums, sort, top)
        flags = None
        if any(one is not None for one in given) or dist or stitch:
            flags = vocabulary.read(select, where, groupby, dist, sums, top, sort, stitch)
        elif len(words) < 2:
            raise UsageError("give a query and what to ask: joy query 'SELECT ...' PATH...")
        answer = _Answer("json" if json else form, output, flags is not None)
        paths = words if flags else words[1:]
        with sql.Session(paths, console.options_of(option or []), memory) as session:
            with console.progress("reading", quiet) as moved:
                statements = session.interruptible(
                    lambda: _statements(session, words[0], flags, moved)
                )
            if show_sql:
                print(";\n".join(statements))
            else:
                session.interruptible(lambda: answer.write(session, statements))
        for trouble in session.troubles:
            console.warn(trouble.text)
        return console.DAMAGED if session.damaged else console.OK

    raise typer.Exit(console.end(body))


def _statements(
    session: sql.Session, text: str, flags: vocabulary.Flags | None, moved: Moved
) -> list[str]:
    """Opens the session for what is asked; the SQL of that."""
    if flags is None:
        statements = sql.statements_of(text)
        session.open(needs.needs(session.connection, statements), moved)
        return statements
    session.open(flags.needs(), moved)
    statement, missing = vocabulary.query(flags, session.schema)
    for path in dict.fromkeys(missing):
        console.warn(f"none of the inputs has {path}")
    return [statement]


class _Answer:
    """Where an answer goes, and how."""

    def __init__(self, form: str | None, output: str | None, bare: bool) -> None:
        suffix = next((s for s in SUFFIXES if output and output.endswith(s)), "")
        self.form = form or SUFFIXES.get(suffix) or ("jsonl" if bare else "table")
        self.output, self.bare = output, bare
        if self.form not in answers.FORMATS:
            raise UsageError(f"--format {self.form}: one of {', '.join(answers.FORMATS)}")
        if self.form == "parquet" and not output:
            raise UsageError("--format parquet needs a file: -O FILE")

    def write(self, session: sql.Session, statements: list[str]) -> None:
        """Run the statements and write the last one's answer."""
        import duckdb

        relation = session.run(statements)
        try:
            if self.form == "parquet":
                self._parquet(relation)
            else:
                self._text(relation)
        except duckdb.Error as bad:
            raise session.fault(bad) from bad

    def _parquet(self, relation: Any) -> None:
        reader = relation.to_arrow_reader(8192)
        with writing.named(self.output), writing.whole(self.output) as part:
            file = writing.Parquet(part, reader.schema)
            for batch in reader:
                file.write(batch)
            file.close()

    def _text(self, relation: Any) -> None:
        reader = relation.to_arrow_reader(8192)
        rows = answers.rows(reader, reader.schema)
        with self._to() as to:
            answers.write(self.form, reader.schema.names, rows, to, self.bare)

    @contextmanager
    def _to(self) -> Iterator[IO[str]]:
        if self.output is None:
            yield sys.stdout
            sys.stdout.flush()
            return
        with (
            writing.named(self.output),
            writing.whole(self.output) as part,
            open(part, "w", encoding="utf-8", newline="") as file,
        ):
            yield file
