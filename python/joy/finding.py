# SPDX-License-Identifier: BSD-3-Clause
"""What a command line names, as files of known kinds: folders walked, globs spread.

A file's kind is told by its first bytes, behind its compression, never by its name.
"""

from __future__ import annotations

import glob
import gzip
import lzma
import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import IO

HEAD = 64  # bytes that tell a kind
DEPTH = 64  # of folders

CAPTURE, JSON, ARROW, ARROW_STREAM, PARQUET = "capture", "json", "arrow", "arrows", "parquet"

_CAPTURES = (
    b"\xd4\xc3\xb2\xa1",  # pcap, microseconds, both byte orders
    b"\xa1\xb2\xc3\xd4",
    b"\x4d\x3c\xb2\xa1",  # nanoseconds
    b"\xa1\xb2\x3c\x4d",
    b"\x34\xcd\xb2\xa1",  # with the longer heads of packets
    b"\xa1\xb2\xcd\x34",
    b"\x0a\x0d\x0d\x0a",  # pcapng
)
_ARROW_FILE, _ARROW_STREAM, _PARQUET = b"ARROW1\0\0", b"\xff\xff\xff\xff", b"PAR1"
_GZIP, _ZSTD, _XZ = b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"\xfd7zXZ\0"


@dataclass(frozen=True)
class Input:
    """One file: its path, what it is (capture, json, arrow, arrows, parquet), its size in bytes."""

    path: str
    kind: str
    size: int


@dataclass(frozen=True)
class Trouble:
    """What was wrong with an input, in a whole line; 'damaged' when something was lost."""

    text: str
    file: str | None
    offset: int | None
    damaged: bool


def kind_of(head: bytes) -> str | None:
    """What a file with these first bytes is, as far as they are not compressed."""
    if head.startswith(_CAPTURES):
        return CAPTURE
    for magic, kind in ((_PARQUET, PARQUET), (_ARROW_FILE, ARROW), (_ARROW_STREAM, ARROW_STREAM)):
        if head.startswith(magic):
            return kind
    return JSON if head.lstrip(b"\xef\xbb\xbf \t\r\n").startswith(b"{") else None


def unpacked(path: str) -> IO[bytes]:
    """The file's bytes, behind gzip, zstd or xz.

    Raises:
        OSError: it cannot be opened, or (while reading) its compression is damaged.
    """
    import pyarrow as pa

    with open(path, "rb") as file:
        head = file.read(8)
    if head.startswith(_GZIP):
        return gzip.open(path)
    if head.startswith(_XZ):
        return lzma.open(path)
    if head.startswith(_ZSTD):
        return pa.CompressedInputStream(pa.OSFile(path), "zstd")
    return open(path, "rb")


def _kind(path: str) -> str | None:
    with unpacked(path) as file:
        return kind_of(file.read(HEAD))


class Found:
    """All files that some names stand for.

    Attributes:
        inputs: those of a known kind, in the order of the names; within folders by name, byte by
            byte, as pcap2flow takes them.
        troubles: of the others, a line each.
    """

    def __init__(self, names: Sequence[str]) -> None:
        self.inputs: list[Input] = []
        self.troubles: list[Trouble] = []
        for name in names:
            self._name(name)

    def _name(self, name: str) -> None:
        if name == "-":
            self.inputs.append(Input("-", "", 0))
        elif os.path.isdir(name):
            self._folder(name)
        elif os.path.lexists(name) or not glob.has_magic(name):
            self._file(name)
        else:
            self._glob(name)

    def _glob(self, name: str) -> None:
        matches = sorted(glob.glob(name, recursive=True), key=os.fsencode)
        if not matches:
            self._bad(f"{name}: no file has such a name", name)
        for match in matches:
            if os.path.isdir(match):
                if "**" not in name:
                    self._folder(match)
            elif match.endswith(".part"):
                self._note_part(match)
            else:
                self._file(match)

    def _folder(self, name: str) -> None:
        before, unknown = len(self.inputs), []
        for path in _walk(name):
            if path.endswith(".part"):
                self._note_part(path)
            elif not self._known(path):
                unknown.append(path)
        if unknown:
            more = f" and {len(unknown) - 1} more" if len(unknown) > 1 else ""
            text = f"{name}: passed over what is no capture and no records: {unknown[0]}{more}"
            self.troubles.append(Trouble(text, name, None, False))
        if len(self.inputs) == before:
            self._bad(f"{name}: a folder without captures or records", name)

    def _known(self, path: str) -> bool:
        """Takes a file of a folder; false when it is of no known kind."""
        try:
            size = os.path.getsize(path)
            kind = _kind(path)
        except (OSError, EOFError, lzma.LZMAError) as bad:
            self._bad(f"{path}: {_reason(bad)}", path)
            return True
        if kind is None and size == 0:
            self._bad(f"{path}: is empty", path)
            return True
        if kind is not None:
            self.inputs.append(Input(path, kind, size))
        return kind is not None

    def _file(self, name: str) -> None:
        if not os.path.lexists(name):
            self._bad(f"{name}: there is no such file", name)
        elif not self._regular(name):
            self.inputs.append(Input(name, CAPTURE, 0))  # a pipe: only the engine may read it
        elif not self._known(name):
            self._bad(f"{name}: is neither a capture nor JSON lines, Arrow or Parquet", name)

    def _regular(self, name: str) -> bool:
        try:
            return stat.S_ISREG(os.stat(name).st_mode)
        except OSError:
            return True  # opening it says what is wrong

    def _note_part(self, path: str) -> None:
        text = f"{path}: passed over: it is being written"
        self.troubles.append(Trouble(text, path, None, False))

    def _bad(self, text: str, file: str) -> None:
        self.troubles.append(Trouble(text, file, None, True))


def _reason(bad: Exception) -> str:
    return getattr(bad, "strerror", None) or str(bad) or type(bad).__name__


def _walk(folder: str) -> Iterator[str]:
    """Files below a folder, each folder once, names in the order of their bytes."""
    seen: set[tuple[int, int]] = set()

    def enter(path: str, depth: int) -> Iterator[str]:
        status = os.stat(path)
        if (status.st_dev, status.st_ino) in seen or depth > DEPTH:
            return
        seen.add((status.st_dev, status.st_ino))
        for name in sorted(os.listdir(path), key=os.fsencode):
            below = os.path.join(path, name)
            if os.path.isdir(below):
                yield from enter(below, depth + 1)
            else:
                yield below

    return enter(folder, 0)
