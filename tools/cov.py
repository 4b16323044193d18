#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Print how many lines of each source file unit and golden tests reach: cov.py BUILD-FOLDER.

The folder is that of a MODE=cov build; counts of earlier runs are thrown away first.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path


def run_tests(build: Path) -> None:
    """Unit programs, then the golden tests with this build's program; failures do not matter."""
    for old in build.rglob("*.gcda"):
        old.unlink()
    for program in sorted((build / "unit").glob("test_*")):
        if os.access(program, os.X_OK) and not program.suffix:
            subprocess.run([program], capture_output=True, check=False)
    for folder in ("tests/golden", "tests/property", "tests/diff"):
        command = [sys.executable, "-m", "pytest", "-q", folder]
        environment = {**os.environ, "PCAP2FLOW": str((build / "pcap2flow").resolve())}
        subprocess.run(command, env=environment, capture_output=True, check=False)


def lines_of(data: Path) -> tuple[str, int, int] | None:
    """Source file, lines reached and lines there are, from gcov's summary of one object."""
    done = subprocess.run(["gcov", "-n", data], capture_output=True, text=True, check=False)
    found = re.search(r"File '(src/[^']+\.c)'\nLines executed:([\d.]+)% of (\d+)", done.stdout)
    if found is None:
        return None
    total = int(found[3])
    return found[1], round(float(found[2]) * total / 100), total


def main() -> int:
    """A line for each file, worst first, and the sum."""
    build = Path(sys.argv[1])
    run_tests(build)
    files = [item for data in (build / "src").rglob("*.gcda") if (item := lines_of(data))]
    files.sort(key=lambda item: item[1] / item[2])
    for name, reached, total in files:
        print(
            f"{100 * reached / total:5.1f} %  {total - reached:5} of {total:5} not reached  {name}"
        )
    reached, total = sum(f[1] for f in files), sum(f[2] for f in files)
    print(f"{100 * reached / max(total, 1):5.1f} %  of {total} lines")
    return 0


if __name__ == "__main__":
    sys.exit(main())
