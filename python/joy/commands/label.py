# SPDX-License-Identifier: BSD-3-Clause
"""joy label: ground truth joined onto flows, with a manifest of what was made of what."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from datetime import timedelta, timezone, tzinfo
from pathlib import Path
from typing import Annotated, Any

import typer

from joy import console, manifest
from joy.errors import JoyError, UsageError
from joy.inputs import Flows
from joy.truth import BadRow, Clock, Truth, seconds

FEW = 10  # bad or unmatched rows that are named on the terminal
MANY = 10_000  # in the manifest


@dataclass(frozen=True)
class Job:
    """What was asked for, as the manifest has it."""

    on_conflict: str
    label: tuple[str, ...]
    prefix: str
    rows: str
    file: str
    zone: str
    shift: str
    slack: str
    skip_bad_rows: bool
    options: dict[str, str]


def command(
    paths: Annotated[list[str], typer.Argument(help="Captures, JSON lines, Arrow, Parquet.")],
    truth: Annotated[
        list[str], typer.Option("--truth", help="Rows of truth; repeatable.", metavar="FILE")
    ],
    output: Annotated[Path, typer.Option("-O", "--output", help="A Parquet file.")],
    label: Annotated[
        list[str] | None, typer.Option(help="Only this label column; repeatable.")
    ] = None,
    on_conflict: Annotated[
        str, typer.Option(help="Rows contradict: mark (no label), first, error.")
    ] = "mark",
    zone: Annotated[str, typer.Option(help="Of times without one: UTC, +02:00, a name.")] = "",
    shift: Annotated[str, typer.Option(help="Seconds to add to times of the truth.")] = "0",
    slack: Annotated[str, typer.Option(help="Seconds that intervals are widened by.")] = "0",
    prefix: Annotated[str, typer.Option(help="In front of names of label columns.")] = "",
    rows: Annotated[str, typer.Option(help="Column for the rows that matched.")] = "",
    file: Annotated[str, typer.Option(help="Column for the file a flow is from.")] = "",
    skip_bad_rows: Annotated[
        bool, typer.Option("--skip-bad-rows", help="Leave out rows that make no sense.")
    ] = False,
    as_json: Annotated[bool, typer.Option("--json", help="One JSON value.")] = False,
    option: Annotated[
        list[str] | None, typer.Option("-o", metavar="N=V", help="Option of pcap2flow.")
    ] = None,
    quiet: Annotated[bool, typer.Option("--quiet", help="No progress bar.")] = False,
) -> None:
    """Join ground truth onto flows: labels by time, addresses, ports, process, file.

    Writes the flows with their labels, and beside them a manifest (OUTPUT's name with
    .manifest.json) of what they were made of.
    """

    def run() -> int:
        from joy.labelling import CONFLICT

        if on_conflict not in CONFLICT:
            raise UsageError(f"--on-conflict {on_conflict}: has to be {', '.join(CONFLICT)}")
        if output.suffix != ".parquet":
            raise UsageError(f"{output}: has to end in .parquet (joy convert makes other formats)")
        job = Job(
            on_conflict, tuple(label or ()), prefix, rows, file, zone, shift, slack,
            skip_bad_rows, console.options_of(option or []),
        )  # fmt: skip
        with console.progress("labelling", quiet) as moved:
            report, damaged = _run(paths, truth, str(output), job, moved)
        if as_json:
            console.say_json(report)
        else:
            _say(report)
        return console.DAMAGED if damaged else console.OK

    raise typer.Exit(console.end(run))


def _clock(job: Job) -> Clock:
    try:
        shift, slack = seconds(job.shift), seconds(job.slack)
    except BadRow as bad:
        raise UsageError(f"--shift, --slack: {bad}") from None
    if slack < 0:
        raise UsageError("--slack: cannot be negative")
    return Clock(_zone(job.zone) if job.zone else None, shift, slack)


def _zone(name: str) -> tzinfo:
    """A zone by its name, or an offset: +02:00.

    Raises:
        UsageError: there is none of that name.
    """
    from zoneinfo import ZoneInfo

    if name in ("UTC", "Z"):
        return timezone.utc
    sign, digits = name[:1], name[1:].replace(":", "")
    if sign in ("+", "-") and digits.isdigit() and len(digits) == 4:
        ahead = timedelta(hours=int(digits[:2]), minutes=int(digits[2:]))
        if ahead < timedelta(hours=24):
            return timezone(-ahead if sign == "-" else ahead)
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        raise UsageError(f"--zone {name}: is no time zone (UTC, +02:00, Europe/Berlin)") from None


# --- the run -------------------------------------------------------------------------------------
def _run(
    paths: Sequence[str], files: Sequence[str], output: str, job: Job, moved: Any
) -> tuple[dict[str, Any], bool]:
    """Writes output and manifest; the manifest's content, and whether input was damaged."""
    from joy import truth as read_truth
    from joy.labelling import Labeller
    from joy.tables import database

    stamps = [manifest.Stamp.of(path) for path in files]
    truth = read_truth.read(files, _clock(job), job.label)
    _refuse_bad(truth, job.skip_bad_rows)
    flows = Flows(paths, options=job.options, progress=moved)
    inputs = [_stamp(item.path) for item in flows.inputs]
    _check(output, [s.path for s in (*stamps, *inputs) if s])
    part = output + ".part"
    try:
        with database() as con:
            labeller = Labeller(con, truth, job.on_conflict)
            runs = _runs(flows, truth.wants_files or bool(job.file), job)
            damaged, numbers, notes = _write(runs, flows, labeller, truth, part, job)
        made = {**manifest.describe(manifest.Stamp.of(part)), "path": output}
        content = {
            "output": {**made, "rows": labeller.counts.flows},
            "inputs": _inputs(flows, inputs, numbers),
            "truth": [manifest.describe(stamp) for stamp in stamps],
            "options": asdict(job),
            "flows": _schema_words(flows),
            "troubles": notes,
            **_counted(labeller, truth),
        }
        Path(_beside(output)).unlink(missing_ok=True)  # never one that speaks of another file
        os.replace(part, output)
        return manifest.write(_beside(output), content), damaged
    except OSError as bad:
        if isinstance(bad, JoyError):
            raise
        raise JoyError(f"{output}: {bad.strerror or bad}", output) from None
    finally:
        Path(part).unlink(missing_ok=True)


def _beside(output: str) -> str:
    return output[: -len(".parquet")] + ".manifest.json"


def _stamp(path: str) -> manifest.Stamp | None:
    return None if path == "-" else manifest.Stamp.of(path)


def _refuse_bad(truth: Truth, skip: bool) -> None:
    if not truth.bad:
        return
    shown = truth.bad[:FEW]
    if len(truth.bad) > FEW:
        shown.append(f"... and {len(truth.bad) - FEW} more")
    if not skip:
        raise JoyError("\n".join([*shown, "no labels: rows of the truth make no sense "
                                          "(--skip-bad-rows leaves them out)"]))  # fmt: skip
    for line in shown:
        console.warn(f"left out: {line}")


def _check(output: str, read: Sequence[str]) -> None:
    if any(os.path.exists(output) and os.path.samefile(output, path) for path in read):
        raise UsageError(f"{output}: is one of the inputs")


def _runs(flows: Flows, by_file: bool, job: Job) -> Iterator[tuple[str | None, Flows]]:
    """The inputs as one stream, or each as a stream of its own with its name."""
    if not by_file:
        yield None, flows
        return
    if any(item.path == "-" for item in flows.inputs):
        raise UsageError("standard input has no file name, which the truth or --file asks for")
    for item in flows.inputs:
        yield item.path, Flows([item.path], options=job.options)


def _write(
    runs: Iterator[tuple[str | None, Flows]],
    flows: Flows,
    labeller: Any,
    truth: Truth,
    part: str,
    job: Job,
) -> tuple[bool, dict[str, int], list[str]]:
    """Writes the flows; whether input was damaged, rows by file, what was wrong with inputs."""
    import pyarrow.parquet as pq

    from joy.labelling import chunks, label_schema
    from joy.tables import plain_schema

    plain = plain_schema(flows.schema)
    schema = label_schema(truth, plain, job.prefix, job.rows, job.file)
    damaged, numbers, notes = flows.damaged, {}, [t.text for t in flows.troubles]
    with pq.ParquetWriter(part, schema, compression="zstd") as writer:
        for file, run in runs:
            labeller.select_file(file)
            before = labeller.counts.flows
            for table in chunks(run, plain):
                writer.write_table(labeller.label(table, schema, file, bool(job.rows)))
            damaged |= run.damaged
            notes += [trouble.text for trouble in run.troubles]
            if file is not None:
                numbers[file] = labeller.counts.flows - before
    if truth.wants_processes and not labeller.processes:
        notes.append("the truth asks for processes (exe.name, exe.path): no flow has one")
    notes = list(dict.fromkeys(notes))
    for note in notes:
        console.warn(note)
    return damaged, numbers, notes


# --- the report ----------------------------------------------------------------------------------
def _inputs(
    flows: Flows, stamps: Sequence[manifest.Stamp | None], numbers: dict[str, int]
) -> list[dict[str, Any]]:
    out = []
    for item, stamp in zip(flows.inputs, stamps, strict=True):
        known = {"path": "-", "bytes": None, "sha256": None}
        entry = {**(manifest.describe(stamp) if stamp else known), "kind": item.kind}
        if item.path in numbers:
            entry["rows"] = numbers[item.path]
        out.append(entry)
    return out


def _schema_words(flows: Flows) -> dict[str, str]:
    """What the stream says of itself: joy.version and joy.configuration."""
    words = flows.schema.metadata or {}
    return {k.decode(): v.decode() for k, v in words.items() if k.startswith(b"joy.")}


def _counted(labeller: Any, truth: Truth) -> dict[str, Any]:
    counts = labeller.counts
    unmatched = [row.where for row, n in zip(truth.rows, labeller.matched, strict=True) if not n]
    idle = [
        row.where
        for row, n, used in zip(truth.rows, labeller.matched, labeller.used, strict=True)
        if n and not used
    ]
    labels = {
        name: {
            "values": {
                str(v): n for v, n in sorted(values.items(), key=lambda p: (-p[1], str(p[0])))
            },
            "ambiguous": counts.conflicts[name],
        }
        for name, values in counts.values.items()
    }
    return {
        "counts": {
            "flows": counts.flows,
            "labelled": counts.labelled,
            "unlabelled": counts.unlabelled,
            "ambiguous": counts.ambiguous,
        },
        "labels": labels,
        "conflicts": counts.examples,
        "truth_rows": {
            "rows": len(truth.rows),
            "bad": truth.bad[:MANY],
            "bad_count": len(truth.bad),
            "unmatched": unmatched[:MANY],
            "unmatched_count": len(unmatched),
            "overruled": idle[:MANY],
            "overruled_count": len(idle),
        },
    }


def _say(report: dict[str, Any]) -> None:
    counts, rows = report["counts"], report["truth_rows"]
    lines = [
        f"{report['output']['path']}: {counts['flows']} flows, {counts['labelled']} labelled, "
        f"{counts['unlabelled']} not, {counts['ambiguous']} ambiguous"
    ]
    for name, label in report["labels"].items():
        lines += [f"  {name} = {value}: {n}" for value, n in label["values"].items()]
        if label["ambiguous"]:
            lines.append(f"  {name} is ambiguous: {label['ambiguous']}")
    for text in report["conflicts"][:FEW]:
        lines.append(f"  {text}")
    lines.append(
        f"truth: {rows['rows']} rows, {rows['unmatched_count']} matched no flow, "
        f"{rows['overruled_count']} gave no label, {rows['bad_count']} were left out"
    )
    lines += [f"  no flow: {where}" for where in rows["unmatched"][:FEW]]
    for line in lines:
        console.out.print(line, markup=False, soft_wrap=True)
