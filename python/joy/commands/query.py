# SPDX-License-Identifier: BSD-3-Clause
"""joy query"""


def command() -> None:
    """Query."""
