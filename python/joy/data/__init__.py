# SPDX-License-Identifier: BSD-3-Clause
"""Files that come with the package: lists of IANA, policies of `joy audit`."""

from __future__ import annotations

from pathlib import Path

_HERE = Path(__file__).resolve().parent
_PLACES = (_HERE, _HERE.parents[2] / "data")  # installed; in a source tree


def path(name: str) -> Path:
    """Where a file or folder of the package's data is, such as "policies" or "iana-ciphers.csv".

    Raises:
        FileNotFoundError: there is none of that name.
    """
    for place in _PLACES:
        found = place / name
        if found.resolve().is_relative_to(place) and found.exists() and found.suffix != ".py":
            return found
    raise FileNotFoundError(f"the package joy has no data file '{name}'")
