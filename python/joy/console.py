# SPDX-License-Identifier: BSD-3-Clause
"""What commands share: where output goes, how it looks, and how a command ends.

Answers go to standard output: in colour on a terminal, plain in a pipe, or one JSON value with
--json.  All else (progress, warnings, errors) goes to standard error.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from joy.errors import InputError, JoyError, UsageError

OK, FAILED, USAGE, DAMAGED = 0, 1, 2, 3  # exit codes

out = Console(highlight=False, soft_wrap=False)
err = Console(stderr=True, highlight=False, soft_wrap=True)


def say_json(value: Any) -> None:
    """One JSON value and a newline; dates become ISO 8601, bytes hexadecimal digits."""
    json.dump(value, sys.stdout, default=_plain, ensure_ascii=False, allow_nan=False)
    sys.stdout.write("\n")


def _plain(value: Any) -> Any:
    if hasattr(value, "isoformat"):
        return value.isoformat()
    if isinstance(value, (bytes, bytearray)):
        return value.hex()
    if hasattr(value, "item"):  # numpy
        return value.item()
    return str(value)


def warn(text: str) -> None:
    """A line that does not end the command."""
    err.print(f"[yellow]joy: warning:[/] {escape(text)}")


def fail(text: str) -> None:
    """A line that says why the command ends."""
    err.print(f"[red]joy:[/] {escape(text)}")


def inputs_and_output(paths: Sequence[str]) -> tuple[list[str], str]:
    """What to read, and the file to write, which is named last.

    Raises:
        UsageError: there are not both.
    """
    if len(paths) < 2:
        raise UsageError("name what to read, and behind it the file to write")
    return list(paths[:-1]), paths[-1]


def options_of(words: Sequence[str]) -> dict[str, str]:
    """Options given as name=value, or name alone for name=1, as pcap2flow takes them.

    Raises:
        UsageError: one without a name.
    """
    options = {}
    for word in words:
        name, _, value = word.partition("=")
        if not name:
            raise UsageError(f"option {word}: give it as name=value")
        options[name.strip()] = value.strip() if "=" in word else "1"
    return options


@contextmanager
def progress(what: str, quiet: bool = False) -> Iterator[Callable[[float | None], None]]:
    """A bar on standard error while something is read, where that is a terminal.

    Gives a function that takes the share done, 0 to 1, or None when it is not known.
    """
    if quiet or not err.is_terminal:
        yield lambda share: None
        return
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as bar:
        task = bar.add_task(what, total=None)

        def moved(share: float | None) -> None:
            if share is not None:
                bar.update(task, total=1.0, completed=share)

        yield moved


def end(action: Callable[[], int | None]) -> int:
    """Run a command's body; its exit code, with a line for what went wrong."""
    try:
        return action() or OK
    except UsageError as wrong:
        fail(str(wrong))
        return USAGE
    except (InputError, JoyError) as bad:
        fail(str(bad))
        return FAILED
    except BrokenPipeError:
        sys.stderr.close()  # who read has had enough
        return OK
    except KeyboardInterrupt:
        fail("interrupted")
        return 130
