# SPDX-License-Identifier: BSD-3-Clause
"""What a data set was made of: files with their hashes, versions, options, counts.

A manifest lies beside the file it speaks of, so that who gets both can tell whether they belong
together, and who has the inputs can make the file again.
"""

from __future__ import annotations

import hashlib
import json
import os
import platform
import sys
from dataclasses import dataclass
from datetime import datetime, timezone
from importlib import metadata
from pathlib import Path
from typing import Any

from joy.errors import InputError

BLOCK = 1 << 20


@dataclass(frozen=True)
class Stamp:
    """Size in bytes and time of change of a file, by which it is noticed that it changed."""

    path: str
    size: int
    changed: int

    @staticmethod
    def of(path: str) -> Stamp:
        """That of a file as it is now; raises InputError."""
        try:
            stat = os.stat(path)
        except OSError as bad:
            raise InputError(f"{path}: {bad.strerror}", path) from None
        return Stamp(path, stat.st_size, stat.st_mtime_ns)


def sha256(path: str) -> str:
    """Of a file's bytes, in hexadecimal digits."""
    total = hashlib.sha256()
    with open(path, "rb") as file:
        while block := file.read(BLOCK):
            total.update(block)
    return total.hexdigest()


def describe(stamp: Stamp) -> dict[str, Any]:
    """path, bytes and sha256 of a file.

    Raises:
        InputError: it changed since it was stamped, so that nobody knows what was read.
    """
    digest = sha256(stamp.path)
    if Stamp.of(stamp.path) != stamp:
        raise InputError(f"{stamp.path}: changed while it was read", stamp.path)
    return {"path": stamp.path, "bytes": stamp.size, "sha256": digest}


def versions() -> dict[str, str]:
    """Of this package, of Python and of the packages that took part."""
    out = {"joy": joy_version(), "python": platform.python_version()}
    for name in ("pyarrow", "duckdb"):
        try:
            out[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            out[name] = "unknown"
    return out


def joy_version() -> str:
    """Of this package: as installed, or of the source tree it is in."""
    tree = Path(__file__).resolve().parent.parent.parent / "VERSION"
    if tree.exists():
        return tree.read_text(encoding="utf-8").strip()
    try:
        return metadata.version("joy")
    except metadata.PackageNotFoundError:
        return "unknown"


def now() -> str:
    """The time, to the second; SOURCE_DATE_EPOCH in its place where that is set."""
    given = os.environ.get("SOURCE_DATE_EPOCH", "")
    time = datetime.now(timezone.utc)
    if given.isdigit():
        time = datetime.fromtimestamp(int(given), timezone.utc)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def write(path: str, content: dict[str, Any]) -> dict[str, Any]:
    """Write a manifest, whole or not at all; gives what is in it.

    Args:
        path: of the manifest.
        content: its members; created, command and versions are put in front.
    """
    head = {"created": now(), "command": ["joy", *sys.argv[1:]], "versions": versions()}
    whole = {**head, **content}
    part = path + ".part"
    with open(part, "w", encoding="utf-8") as out:
        json.dump(whole, out, ensure_ascii=False, indent=1, allow_nan=False)
        out.write("\n")
    os.replace(part, path)
    return whole
