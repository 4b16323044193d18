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


def joy_here(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The same within this process, which is faster; not for what it does with standard input."""
    from joy.cli import app
    from typer.testing import CliRunner

    words = [str(argument) for argument in arguments]
    done = CliRunner().invoke(app, words)
    if done.exception is not None and not isinstance(done.exception, SystemExit):
        raise done.exception
    return subprocess.CompletedProcess(words, done.exit_code, done.stdout, done.stderr)
