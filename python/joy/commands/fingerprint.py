# SPDX-License-Identifier: BSD-3-Clause
"""joy fingerprint: count, compare, look up and collect fingerprints."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Annotated, Any

import typer

from joy import console
from joy import fingerprint_db as db
from joy.errors import UsageError
from joy.inputs import Flows

app = typer.Typer(
    help="Fingerprints of clients and servers: count and compare them, look them up, and collect "
    "them with the names of their programs.",
    no_args_is_help=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Paths = Annotated[list[str], typer.Argument(help="Captures, JSON lines, Arrow, Parquet, folders.")]
AsJson = Annotated[bool, typer.Option("--json", help="One JSON value in place of text.")]
Options = Annotated[
    list[str] | None,
    typer.Option("-o", help="Option of pcap2flow for captures, as name=value.", metavar="N=V"),
]
Quiet = Annotated[bool, typer.Option("--quiet", help="No progress bar.")]
Kinds = Annotated[
    list[str] | None,
    typer.Option("--kind", help="Only this kind of fingerprint (ja4, npf_tls, ...); repeatable."),
]
WIDE = 72  # characters of a fingerprint on a terminal


# --- what they share -----------------------------------------------------------------------------
def _flows(paths: Sequence[str], given: Sequence[str] | None, more: Iterable[str] = ()) -> Flows:
    """The inputs with what sightings need, as far as they have it."""
    from joy.sightings import COLUMNS

    return Flows(paths, columns=[*COLUMNS, *more], options=console.options_of(given or ()))


def _ended(flows: Flows, seen: bool = True) -> int:
    """Says what was wrong with inputs, and when no fingerprint was seen; the exit code."""
    for trouble in flows.troubles:
        console.warn(trouble.text)
    if not seen:
        names = ", ".join(item.path for item in flows.inputs[:3])
        console.warn(f"{names}: no record has fingerprints (pcap2flow gives them by fingerprint=1)")
    return console.DAMAGED if flows.damaged else console.OK


def _say(rows: Sequence[Sequence[Any]], heads: Sequence[str]) -> None:
    """Aligned columns: numbers to the right."""
    if not rows:
        return
    texts = [["" if cell is None else str(cell) for cell in row] for row in rows]
    widths = [max(len(row[i]) for row in [heads, *texts]) for i in range(len(heads))]
    right = [all(isinstance(row[i], (int, float)) for row in rows) for i in range(len(heads))]
    for row in [list(heads), *texts]:
        cells = [
            cell.rjust(width) if left_pad else cell.ljust(width)
            for cell, width, left_pad in zip(row, widths, right, strict=True)
        ]
        console.out.print("  ".join(cells).rstrip(), markup=False, soft_wrap=True)


def _short(value: str) -> str:
    if not console.out.is_terminal or len(value) <= WIDE:
        return value
    return value[: WIDE - 3] + "..."


def _share(share: float | None) -> str:
    return "" if share is None else f"{100 * share:.1f} %"


def _names(items: Sequence[dict[str, Any]], most: int = 3) -> str:
    words = [f"{item['name']} ({item['flows']})" for item in items[:most]]
    return ", ".join(words) + (", ..." if len(items) > most else "")


# --- count ---------------------------------------------------------------------------------------
@app.command("count")
def count_command(
    paths: Paths,
    kind: Kinds = None,
    top: Annotated[int, typer.Option(min=0, help="Addresses, names, processes of each.")] = 10,
    as_json: AsJson = False,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """How often each fingerprint occurs, from which hosts, to which servers, by which processes."""

    def run() -> int:
        from joy.fingerprints import count

        flows = _flows(paths, option)
        with console.progress("reading", quiet):
            found = count(flows, kind or (), top)
        if as_json:
            console.say_json(found)
        else:
            rows = [_counted(item) for item in found]
            _say(rows, ("kind", "flows", "hosts", "servers", "processes", "fingerprint"))
        return _ended(flows, found != [])

    raise typer.Exit(console.end(run))


def _counted(item: dict[str, Any]) -> list[Any]:
    value = _short(item["value"])
    names = [_names(item["snis"]), _names(item["processes"])]
    return [item["kind"], item["flows"], item["hosts"], *names, value]


# --- compare -------------------------------------------------------------------------------------
@app.command("compare")
def compare_command(
    paths: Paths,
    other: Annotated[
        list[str] | None,
        typer.Option("--with", help="What is held against them; repeatable, globs."),
    ] = None,
    kind: Kinds = None,
    as_json: AsJson = False,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Which fingerprints are in PATHS alone, in --with alone, in both.

    Without --with there have to be two paths.  What is new in the second is shown with the
    nearest of the first and how it differs.
    """

    def run() -> int:
        from joy.fingerprints import compare, count

        first, second = _sides(paths, other)
        sides = [_flows(names, option) for names in (first, second)]
        with console.progress("reading", quiet):
            counts = [count(flows, kind or (), 0) for flows in sides]
        found = compare(*counts)
        if as_json:
            console.say_json(found)
        else:
            _say_compared(found)
        ends = [_ended(flows, n != []) for flows, n in zip(sides, counts, strict=True)]
        return max(ends)

    raise typer.Exit(console.end(run))


def _sides(paths: list[str], other: list[str] | None) -> tuple[list[str], list[str]]:
    if other:
        return paths, other
    if len(paths) != 2:
        raise UsageError("compare: name two inputs, or the second ones by --with")
    return paths[:1], paths[1:]


def _say_compared(found: dict[str, Any]) -> None:
    rows = []
    for kind, parts in found.items():
        for item in parts["only_first"]:
            rows.append(["-", kind, item["flows"], 0, _short(item["value"])])
        for item in parts["only_second"]:
            rows.append(["+", kind, 0, item["flows"], _short(item["value"])])
        for item in parts["both"]:
            rows.append(["=", kind, item["first"], item["second"], _short(item["value"])])
    _say(rows, ("", "kind", "first", "second", "fingerprint"))
    for parts in found.values():
        for item in parts["only_second"]:
            if "nearest" in item:
                console.out.print(f"\n+ {item['value']}", markup=False, soft_wrap=True)
                console.out.print(f"~ {item['nearest']}", markup=False, soft_wrap=True)
                _say_difference(item)


def _say_difference(item: dict[str, Any]) -> None:
    lines = [f"  similarity {item['similarity']:.3f}"]
    lines += [f"  - {_element(e)}" for e in item["only_first"]]
    lines += [f"  + {_element(e)}" for e in item["only_second"]]
    lines += [f"  * {_element(e)} -> {e['data_second'] or '(empty)'}" for e in item["changed"]]
    lines += [f"  ~ {_element(e)} (elsewhere)" for e in item["moved"]]
    for line in lines:
        console.out.print(line, markup=False, soft_wrap=True)


def _element(item: dict[str, str]) -> str:
    return " ".join(item[k] for k in ("part", "code", "name", "data") if item.get(k))


@app.command("diff")
def diff_command(
    first: Annotated[str, typer.Argument(help="A fingerprint of NPF: tls/(0303)...")],
    second: Annotated[str, typer.Argument(help="Another of the same kind.")],
    as_json: AsJson = False,
) -> None:
    """How two fingerprints differ: which ciphersuites, extensions, options."""

    def run() -> None:
        from joy import npf

        found = npf.compare(first, second).as_json()
        if as_json:
            console.say_json(found)
        else:
            _say_difference(found)

    raise typer.Exit(console.end(run))


# --- build ---------------------------------------------------------------------------------------
@app.command("build")
def build_command(
    output: Annotated[Path, typer.Option("-O", "--output", help="The database.")],
    paths: Annotated[list[str] | None, typer.Argument(help="Captures and records.")] = None,
    add: Annotated[list[Path] | None, typer.Option(help="Add what this database has.")] = None,
    replace: Annotated[
        bool, typer.Option("--replace", help="Begin anew when -O is there.")
    ] = False,
    process: Annotated[str, typer.Option(help="Column with the program's name.")] = "exe.name",
    library: Annotated[str, typer.Option(help="Column with the library's name.")] = "",
    system: Annotated[str, typer.Option(help="Column with the operating system's name.")] = "",
    version: Annotated[str, typer.Option(help="Column with the program's version.")] = "",
    side: Annotated[str, typer.Option(help="Whom these speak of: client or server.")] = "client",
    kind: Kinds = None,
    min_flows: Annotated[int, typer.Option(min=1, help="Leave out rarer names.")] = 1,
    min_share: Annotated[float, typer.Option(min=0, max=1, help="No label for rarer.")] = 0.0,
    suffix: Annotated[int, typer.Option(min=1, help="Labels kept of server names.")] = 2,
    keep: Annotated[int, typer.Option(min=0, help="Words kept of each counter.")] = 100,
    anonymous: Annotated[bool, typer.Option("--anonymous", help="No destinations.")] = False,
    guesses: Annotated[
        bool, typer.Option("--guesses", help="Count guessed processes, too.")
    ] = False,
    as_json: AsJson = False,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Collect fingerprints with the names of their programs, for fingerprint_db= and look-ups.

    A database that is there already is added to.
    """

    def run() -> int:
        from joy.fingerprints import Built, build
        from joy.sightings import Names

        if side not in ("client", "server"):
            raise UsageError(f"--side {side}: has to be client or server")
        if not paths and not add:
            raise UsageError("build: name what to read, or databases by --add")
        names = Names(process, library, system, version, side)
        found = _existing(output, add or [], replace)
        built, flows = Built(), []
        if paths:
            flows = [_flows(paths, option, names.columns())]
            with console.progress("reading", quiet):
                built = build(found, flows[0], names, kind or (), guesses=guesses, suffix=suffix)
        count = db.write(output, found, db.Rules(min_flows, min_share, keep, anonymous))
        _say_built(str(output), count, built, as_json)
        return _ended(flows[0], built.sightings > 0) if flows else console.OK

    raise typer.Exit(console.end(run))


def _existing(output: Path, add: list[Path], replace: bool) -> db.Database:
    found: db.Database = {}
    if output.exists() and not replace:
        db.read(output, found)
    for path in add:
        db.read(path, found)
    return found


def _say_built(output: str, count: int, built: Any, as_json: bool) -> None:
    if as_json:
        numbers = {"sightings": built.sightings, "named": built.named, "guessed": built.guessed}
        console.say_json({"database": output, "entries": count, **numbers})
        return
    text = f"{output}: {count} fingerprints; {built.named} of {built.sightings} seen have a name"
    guessed = f", {built.guessed} only a guess (--guesses takes them)" if built.guessed else ""
    console.out.print(text + guessed, markup=False, soft_wrap=True)


# --- lookup --------------------------------------------------------------------------------------
@app.command("lookup")
def lookup_command(
    paths: Paths,
    database: Annotated[Path, typer.Option("--db", help="A database of fingerprints.")],
    by: Annotated[str, typer.Option(help="A line for each flow, or for each host.")] = "flow",
    kind: Kinds = None,
    every: Annotated[
        bool, typer.Option("--every", help="Each kind that is known, not the best.")
    ] = False,
    as_json: AsJson = False,
    option: Options = None,
    quiet: Quiet = False,
) -> None:
    """Which program, library or system the fingerprints point to."""

    def run() -> int:
        from joy.fingerprints import Lookup, by_host

        if by not in ("flow", "host"):
            raise UsageError(f"--by {by}: has to be flow or host")
        lookup = Lookup(db.read(database), every and by == "flow")
        flows = _flows(paths, option)
        with console.progress("reading", quiet):
            answers = lookup.answers(flows, kind or ())
            rows = iter(by_host(answers)) if by == "host" else _rows(answers)
            if as_json:
                _json_list("answers", rows, lambda: _numbers(lookup))
            else:
                _say_answers(rows, by)
                console.err.print("  ".join(f"{k}: {v}" for k, v in _numbers(lookup).items()))
        return _ended(flows, lookup.fingerprinted > 0)

    raise typer.Exit(console.end(run))


def _numbers(lookup: Any) -> dict[str, int]:
    return {key: getattr(lookup, key) for key in ("flows", "fingerprinted", "known")}


def _rows(answers: Iterator[Any]) -> Iterator[dict[str, Any]]:
    """A dict for each flow, subject and kind, with its names."""
    for table in answers:
        group: dict[str, Any] | None = None
        for row in table.to_pylist():
            name = {k: row.pop(k) for k in ("what", "name", "rank", "flows", "share")}
            del name["rank"]
            if group is None or any(group[k] != row[k] for k in ("flow", "kind")):
                if group is not None:
                    yield group
                group = {**row, "time": row["time"].strftime(db.TIME), "names": []}
            group["names"].append(name)
        if group is not None:
            yield group


def _say_answers(rows: Iterator[dict[str, Any]], by: str) -> None:
    if by == "host":
        heads = ("host", "subject", "what", "name", "flows", "answered", "share")
        keys = ("host", "subject", "what", "name", "flows", "of")
        _say([[*(r[k] for k in keys), _share(r["share"])] for r in rows], heads)
        return
    for row in rows:
        names = ", ".join(
            " ".join(filter(None, (_said(n), _share(n["share"])))) for n in row["names"]
        )
        ends = f"{_end(row['sa'], row['sp'])} > {_end(row['da'], row['dp'])}"
        line = f"{row['time']}  {ends}  {row['kind']}  {names}"
        console.out.print(line, markup=False, soft_wrap=True)


def _said(name: dict[str, Any]) -> str:
    count = "" if name["flows"] is None else f" {name['flows']}"
    return f"{name['what']} {name['name']}{count}"


def _end(address: str, port: int | None) -> str:
    address = f"[{address}]" if ":" in address else address
    return address if port is None else f"{address}:{port}"


def _json_list(key: str, rows: Iterator[dict[str, Any]], then: Any) -> None:
    """One JSON object with a list that is written as it comes, and members known at its end."""
    write = sys.stdout.write
    write(f'{{"{key}":[')
    for number, row in enumerate(rows):
        write(("," if number else "") + json.dumps(row, ensure_ascii=False, allow_nan=False))
    write("]," + json.dumps(then())[1:] + "\n")
