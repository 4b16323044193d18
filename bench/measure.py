# SPDX-License-Identifier: BSD-3-Clause
"""What a program costs, by bench/cost.c, and what a capture holds, by pcap2flow.

Programs that are compared run in turn, round by round, so that drift of the machine meets all
alike. What counts is CPU time, user + system.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from typing import NamedTuple

COST = "build/bench/cost"
SECONDS = 300  # the longest that a program may take


class Cost(NamedTuple):
    """Of one run: CPU and wall in seconds, peak resident size in MiB."""

    cpu: float
    wall: float
    peak: float


class Failed(Exception):
    """A program ended badly; the text says how."""


def run(command: list[str]) -> Cost:
    """One run of COMMAND, without output; a capture that ends too early (3) is no failure."""
    done = subprocess.run(
        [COST, str(SECONDS), *command], capture_output=True, text=True, errors="replace", check=True
    )
    code, cpu, peak, wall = done.stdout.split()
    if code not in ("0", "3"):
        last = done.stderr.strip().splitlines()[-1:]
        raise Failed("%s: exit %s: %s" % (command[0], code, "".join(last)))
    return Cost(float(cpu), float(wall), int(peak) / 1024)


def empty(folder: str) -> None:
    """Removes what the program before has written: freeing it must not count for the next one."""
    for name in os.listdir(folder):
        path = os.path.join(folder, name)
        shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


def summary_of(program: str, capture: str) -> dict[str, int]:
    """What the program counts."""
    command = [program, "num_pkts=0", "bidir=1", "progress=0", capture]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout or ():
            last = line
    return json.loads(last)["summary"]
