# SPDX-License-Identifier: BSD-3-Clause
"""What the tests of the Python package share."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent


def joy(*arguments: str | Path, seconds: int = 120, **env: str) -> subprocess.CompletedProcess[str]:
    """Run the command joy of this source tree; both outputs as text."""
    python = os.pathsep.join([str(ROOT / "python"), os.environ.get("PYTHONPATH", "")])
    return subprocess.run(
        [sys.executable, "-m", "joy", *map(str, arguments)],
        capture_output=True,
        text=True,
        timeout=seconds,
        check=False,
        env={**os.environ, "PYTHONPATH": python, **env},
    )
