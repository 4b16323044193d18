# SPDX-License-Identifier: BSD-3-Clause
"""Run the program under test and take its output apart, for all Python tests.

The environment variable PCAP2FLOW names another program than ./pcap2flow, such as the
sanitizer build.
"""

from __future__ import annotations

import json
import os
import subprocess
from dataclasses import dataclass, field
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
FIXTURES = sorted((ROOT / "tests/fixtures").glob("*.pcap*"))


@dataclass
class Run:
    """One run of pcap2flow: exit status, messages, and its output lines taken apart."""

    status: int
    stderr: str
    stdout: bytes
    config: dict = field(default_factory=dict)
    records: list[dict] = field(default_factory=list)
    summary: dict = field(default_factory=dict)


def program() -> Path:
    """The pcap2flow under test."""
    return Path(os.environ.get("PCAP2FLOW", ROOT / "pcap2flow"))


def execute(
    *arguments: str | Path,
    stdin: bytes | None = None,
    cwd: Path | None = None,
    seconds: int = 120,
) -> subprocess.CompletedProcess[bytes]:
    """Run with these arguments, whatever comes of it."""
    return subprocess.run(
        [str(program()), *map(str, arguments)],
        input=stdin,
        stdin=subprocess.DEVNULL if stdin is None else None,
        capture_output=True,
        cwd=cwd,
        timeout=seconds,
        check=False,
    )


def outputs(
    *arguments: str | Path, stdin: bytes | None = None, cwd: Path | None = None
) -> tuple[int, bytes, bytes]:
    """Exit code and both outputs, byte for byte."""
    done = execute(*arguments, stdin=stdin, cwd=cwd, seconds=300)
    return done.returncode, done.stdout, done.stderr


def pcap2flow(
    *arguments: str | Path,
    stdin: bytes | None = None,
    cwd: Path | None = None,
    seconds: int = 120,
) -> Run:
    """Run with JSON lines on standard output; every line has to be valid JSON."""
    done = execute(*arguments, stdin=stdin, cwd=cwd, seconds=seconds)
    run = Run(done.returncode, done.stderr.decode(errors="replace"), done.stdout)
    for line in done.stdout.splitlines():
        if not line.startswith(b"{"):
            continue
        item = json.loads(line)
        if "version" in item:
            run.config = item
        elif "summary" in item:
            run.summary = item["summary"]
        else:
            run.records.append(item)
    return run
