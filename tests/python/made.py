# SPDX-License-Identifier: BSD-3-Clause
"""Inputs that tests of fingerprints and labels make, and commands of the documents run on them."""

from __future__ import annotations

import io
import json
import os
import re
import shlex
import struct
import subprocess
import sys
from collections.abc import Iterable
from contextlib import redirect_stderr, redirect_stdout
from pathlib import Path

from joy.cli import app
from kit import ROOT


def joy(*arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """The command joy, run in this process, which is faster; both outputs as text."""
    out, err, code = io.StringIO(), io.StringIO(), 0
    words = [str(word) for word in arguments]
    with redirect_stdout(out), redirect_stderr(err):
        try:
            app(args=words, prog_name="joy")
        except SystemExit as end:
            code = int(end.code or 0)
    return subprocess.CompletedProcess(words, code, out.getvalue(), err.getvalue())


def ok(*arguments: str | Path) -> str:
    """Standard output of the command joy, which has to end well."""
    done = joy(*arguments)
    assert done.returncode == 0, done.stderr
    return done.stdout


def write_pcap(path: Path, frames: Iterable[tuple[int, bytes]]) -> Path:
    """A capture of Ethernet frames, each with its time in ns since 1970."""
    out = [struct.pack("<IHHiIII", 0xA1B23C4D, 2, 4, 0, 0, 262144, 1)]
    for ns, data in frames:
        head = (ns // 10**9, ns % 10**9, len(data), len(data))
        out.append(struct.pack("<IIII", *head) + data)
    path.write_bytes(b"".join(out))
    return path


def write_records(path: Path, records: Iterable[dict]) -> Path:
    """Records as JSON lines."""
    path.write_text("".join(json.dumps(r) + "\n" for r in records), encoding="utf-8")
    return path


def run_page(text: str, folder: Path) -> int:
    """Run the lines "$ joy ..." of a document, in a folder; how many there are."""
    commands = re.findall(r"^\$ joy (.+)$", text, re.M)
    environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    for command in commands:
        done = subprocess.run(
            [sys.executable, "-m", "joy", *shlex.split(command)],
            capture_output=True,
            text=True,
            timeout=120,
            check=False,
            cwd=folder,
            env=environment,
        )
        assert done.returncode == 0, (command, done.stderr)
    return len(commands)
