# SPDX-License-Identifier: BSD-3-Clause
"""What can go wrong, as exceptions and warnings that know where."""

from __future__ import annotations


class JoyError(Exception):
    """A run could not be done.

    Attributes:
        file: name of the input that is to blame, None when it is none.
        offset: byte in that file (as it is unpacked), None when no place can be named.
    """

    def __init__(self, text: str, file: str | None = None, offset: int | None = None) -> None:
        super().__init__(text)
        self.file = file
        self.offset = offset


class UsageError(JoyError, ValueError):
    """A wrong value, or options that exclude each other: nothing was read."""


class InputError(JoyError, OSError):
    """Input that cannot be read at all."""


class DamagedInputWarning(UserWarning):
    """Some input was damaged; what could be read is there.

    Attributes:
        file: its name.
        offset: byte in that file (as it is unpacked), None when no place can be named.
    """

    def __init__(self, text: str, file: str | None = None, offset: int | None = None) -> None:
        super().__init__(text)
        self.file = file
        self.offset = offset


class DamagedInputError(InputError):
    """The same as an error, with damaged="raise"."""
