# SPDX-License-Identifier: BSD-3-Clause
"""The extension: joy.h for Python.  Use the package joy, which is made of it."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

VERSION: Final[str]
OK: Final[int]
FAILED: Final[int]
USAGE: Final[int]
DAMAGED: Final[int]
CAPTURES: Final[int]
RECORDS: Final[int]
TEXT_CONFIG: Final[int]
TEXT_VERSION: Final[int]
TEXT_EXPLAIN: Final[int]
TEXT_OPTION_TABLE: Final[int]
TEXT_SUMMARY: Final[int]
TEXT_SCHEMA: Final[int]

class Handle:
    """One run.  Status numbers are OK, FAILED, USAGE, DAMAGED; error() has the words."""

    def __new__(cls) -> Handle: ...
    def set(self, name: str, value: str | os.PathLike[str], /) -> int: ...
    def get(self, name: str, /) -> str | None: ...
    def text(self, what: int, argument: str | None = None, /) -> str | None: ...
    def error(self) -> str: ...
    def columns(
        self,
        names: Sequence[str] | None,
        batch_rows: int,
        batch_bytes: int,
        binary_addresses: bool,
        /,
    ) -> int: ...
    def schema(self, all: bool, /) -> object:
        """A capsule "arrow_schema", or a status."""

    def stream(
        self, paths: Sequence[str | bytes | os.PathLike[str]], what: int, refuse: bool, /
    ) -> object:
        """A capsule "arrow_array_stream", or a status; with `refuse` damage is an error."""

    def stream_schema(self) -> object:
        """A capsule "arrow_schema" of the stream, as often as one likes."""

    def rewrite(self, stream: object, /) -> int:
        """Run over the stream in a capsule; the output is that of option output."""

    def stream_rewrite(self, stream: object, /) -> object:
        """A capsule "arrow_array_stream" from another, or a status."""

    def end(self) -> None:
        """Ask for the end of the run: what it has still comes."""

    def wait(self) -> None:
        """Until the stream's next batch is there; handlers of signals are called meanwhile."""

    def status(self) -> int | None:
        """How the run went; None before its stream has ended."""

    def tell(self) -> bool:
        """True for the first who asks: it is for him to tell of damaged input."""

    def troubles(self) -> list[tuple[int, str | None, int | None, str]]:
        """Status, file, offset and text of each trouble so far, at most 1000."""

    def log(self) -> list[tuple[int, None, None, str]]: ...
    def stats(self) -> dict[str, int]: ...
