# SPDX-License-Identifier: BSD-3-Clause
"""Where the package's tables are."""

from __future__ import annotations

from pathlib import Path

HERE = Path(__file__).resolve().parent


def path(name: str) -> Path:
    """The file or folder of that name: first in the package's own joy/data folder, then in the
    source tree's data/.

    Raises:
        FileNotFoundError: it is in neither.
    """
    for folder in (HERE / "data", HERE.parent.parent / "data"):
        if (folder / name).exists():
            return folder / name
    raise FileNotFoundError(f"{name}: neither in {HERE / 'data'} nor in the source tree's data/")
