# SPDX-License-Identifier: BSD-3-Clause
"""What the package offers: captures, interfaces and written records as streams."""

from __future__ import annotations

import os
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Any, Literal

from joy import _joy, keywords
from joy.errors import UsageError
from joy.stream import Stream, failure

if TYPE_CHECKING:
    import pyarrow
    from typing_extensions import Unpack

    from joy._options import FlowOptions, LiveOptions

Path = str | bytes | os.PathLike[str]
Addresses = Literal["text", "binary"]
Damaged = Literal["warn", "raise", "ignore"]

BATCH_ROWS, BATCH_BYTES = 8192, 8 << 20
_OWN = ("columns", "addresses", "batch_rows", "batch_bytes", "damaged")


def read(
    paths: Path | Iterable[Path],
    *,
    bidir: bool = True,
    bpf: str | None = None,
    threads: int = 0,
    columns: str | Iterable[str] | None = None,
    addresses: Addresses = "text",
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    damaged: Damaged = "warn",
    **options: Unpack[FlowOptions],
) -> Stream:
    """Flows of captures: pcap and pcapng files, compressed or not.

    Args:
        paths: files and folders; "-" is standard input.
        bidir: one record for both directions of a conversation.
        bpf: take only packets that match a filter (pcap-filter(7)).
        threads: workers; 0 as many as suit the input.  (A stream from files has one.)
        columns: dotted names of the fields wanted, each with all that lies below it, such as
            "sa", "tls.sni"; what they need is switched on.  None: what the options say.
        addresses: "text", or "binary": 16 bytes each, IPv4 as ::ffff:a.b.c.d.
        batch_rows, batch_bytes: a batch has at most so many records and about so many bytes.
        damaged: what damaged input leads to at the end of the stream: a DamagedInputWarning, an
            error, or nothing but an entry in Stream.troubles.
        options: those of pcap2flow (joy.options(), doc/options.md): True, False, numbers, texts,
            paths; lists where an option takes several.

    Returns:
        The stream; its run has begun.

    Raises:
        TypeError: no such option, or one that makes no sense here; the text says why.
        UsageError: a value that an option does not take, a column that does not exist (both are
            ValueErrors).
        InputError: from the stream: nothing could be read.
    """
    wanted = {"bidir": bidir, "bpf": bpf, "threads": threads or None}
    keywords.check("read", options, (*_OWN, *wanted))
    handle = _handle({**wanted, **options}, columns, addresses, batch_rows, batch_bytes)
    return Stream(handle, _joy.CAPTURES, _paths(paths), _damaged(damaged))


def live(
    interface: str | Iterable[str],
    *,
    bidir: bool = True,
    columns: str | Iterable[str] | None = None,
    addresses: Addresses = "text",
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    damaged: Damaged = "warn",
    **options: Unpack[LiveOptions],
) -> Stream:
    """Flows of network interfaces, as they end, until the stream is closed.

    A batch comes at least once a second while flows end.  Capturing needs rights (root, or
    CAP_NET_RAW); they are not given up.

    Args:
        interface: names, or "auto", "any".

    The rest is as in joy.read().

    Raises:
        JoyError: the capture cannot be opened; TypeError and UsageError as of joy.read().
    """
    names = interface if isinstance(interface, str) else ",".join(interface)
    keywords.check("live", options, (*_OWN, "bidir"))
    wanted = {"interface": names, "bidir": bidir, **options}
    handle = _handle(wanted, columns, addresses, batch_rows, batch_bytes)
    return Stream(handle, _joy.CAPTURES, [], _damaged(damaged))


def read_json(
    paths: Path | Iterable[Path],
    *,
    columns: str | Iterable[str] | None = None,
    addresses: Addresses = "text",
    batch_rows: int = BATCH_ROWS,
    batch_bytes: int = BATCH_BYTES,
    damaged: Damaged = "warn",
) -> Stream:
    """Flows from JSON lines that pcap2flow wrote, compressed or not, also older versions of it.

    The arguments are those of joy.read().  Every column may be null.
    """
    handle = _handle({}, columns, addresses, batch_rows, batch_bytes)
    return Stream(handle, _joy.RECORDS, _paths(paths), _damaged(damaged))


def schema(
    *, everything: bool = False, bidir: bool = True, **options: Unpack[FlowOptions]
) -> pyarrow.Schema:
    """The schema that joy.read() with these options gives (needs pyarrow).

    Each field's metadata says unit, definition, null_rule, source, since and type.

    Args:
        everything: all columns that there are, whatever is switched on.
        bidir, options: as in joy.read().
    """
    keywords.check("schema", options, ("everything", "bidir"))
    handle = _joy.Handle()
    keywords.apply(handle, {"bidir": bidir, **options})
    return _schema(handle, everything)


def explain(name: str) -> str:
    """What a field means, by its name in a record ("entropy"), its path, or the path's beginning.

    Raises:
        UsageError: there is no such field; the text names the nearest.
    """
    handle = _joy.Handle()
    text = handle.text(_joy.TEXT_EXPLAIN, name)
    if text is None:
        raise UsageError(handle.error())
    return text


# --- what they share -----------------------------------------------------------------------------
class _Schema:
    """A capsule as pyarrow takes it."""

    def __init__(self, capsule: object) -> None:
        self._capsule = capsule

    def __arrow_c_schema__(self) -> object:
        return self._capsule


def _schema(handle: _joy.Handle, everything: bool) -> pyarrow.Schema:
    import pyarrow

    capsule = handle.schema(everything)
    if isinstance(capsule, int):
        raise failure(handle, capsule)
    return pyarrow.schema(_Schema(capsule))


@cache
def _switches() -> dict[str, tuple[str, ...]]:
    """The options that switch each outermost column on."""
    fields = _schema(_joy.Handle(), True)
    metadata = {f.name: (f.metadata or {}).get(b"options", b"").decode() for f in fields}
    return {name: tuple(filter(None, text.split(","))) for name, text in metadata.items()}


def _needed(columns: Sequence[str]) -> dict[str, str]:
    """Options, and their values, without which these columns do not exist."""
    roots = [name.split(".")[0].removesuffix("[]") for name in columns]
    names = [option for root in roots for option in _switches().get(root, ())]
    found = {name: keywords.table()[name] for name in names}
    return {name: option.on or "1" for name, option in found.items() if "feature" in option.flags}


def _handle(
    options: Mapping[str, Any],
    columns: str | Iterable[str] | None,
    addresses: str,
    batch_rows: int,
    batch_bytes: int,
) -> _joy.Handle:
    """A handle with everything set."""
    if addresses not in ("text", "binary"):
        raise UsageError(f"addresses is 'text' or 'binary', not {addresses!r}")
    if batch_rows < 1 or batch_bytes < 1:
        raise UsageError("batch_rows and batch_bytes are at least 1")
    names = [columns] if isinstance(columns, str) else None if columns is None else list(columns)
    if names is not None and not names:
        raise UsageError("columns names no column")
    given = {name: value for name, value in options.items() if value is not None}
    handle = _joy.Handle()
    keywords.apply(handle, {**_needed(names or ()), **given})
    status = handle.columns(names, batch_rows, batch_bytes, addresses == "binary")
    if status != _joy.OK:
        raise failure(handle, status)
    return handle


def _paths(paths: Path | Iterable[Path]) -> list[Path]:
    """One path or several as a list."""
    some = [paths] if isinstance(paths, (str, bytes, os.PathLike)) else list(paths)
    if not some:
        raise UsageError("no input: there are no paths")
    return some


def _damaged(what: str) -> str:
    if what not in ("warn", "raise", "ignore"):
        raise UsageError(f"damaged is 'warn', 'raise' or 'ignore', not {what!r}")
    return what
