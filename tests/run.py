#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run every kind of test and sum up; the last line is "N passed, N failed".

A kind is a function that runs its tests, lets them print what they have to say and returns a
Count.  `run.py KIND ...` runs only those.  Programs are built through make, so that objects of
release and sanitizer builds lie apart.
"""

from __future__ import annotations

import argparse
import filecmp
import os
import re
import subprocess
import sys
import tempfile
import time
import xml.etree.ElementTree
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
SECONDS = 600  # the longest that one test program may take
SANITIZERS = {
    "ASAN_OPTIONS": "detect_leaks=1:abort_on_error=0",
    "UBSAN_OPTIONS": "print_stacktrace=1:halt_on_error=1",
}


@dataclass
class Count:
    """How many tests passed, failed, and were left out (with a reason printed)."""

    passed: int = 0
    failed: int = 0
    skipped: int = 0

    def __iadd__(self, other: Count) -> Count:
        self.passed += other.passed
        self.failed += other.failed
        self.skipped += other.skipped
        return self

    def note(self, good: bool) -> None:
        """Count one test."""
        if good:
            self.passed += 1
        else:
            self.failed += 1


class Runner:
    """What the kinds share: where things are and how many jobs make may use."""

    def __init__(self, jobs: int) -> None:
        self.jobs = jobs

    def make(self, *words: str) -> bool:
        """Build quietly; print make's output only when it fails."""
        done = self.run(["make", "-s", f"-j{self.jobs}", *words])
        if done.returncode != 0:
            print(done.stdout, end="")
        return done.returncode == 0

    def variable(self, mode: str, name: str) -> str:
        """The value of a make variable in that mode."""
        return self.run(["make", "-s", f"MODE={mode}", f"print-{name}"]).stdout.strip()

    def run(self, command: list[str], **env: str) -> subprocess.CompletedProcess[str]:
        """Run in the main folder; both outputs become one text."""
        environment = {**os.environ, **env}
        environment.pop("MAKEFLAGS", None)
        environment.pop("MAKELEVEL", None)
        try:
            return subprocess.run(
                command,
                cwd=ROOT,
                env=environment,
                timeout=SECONDS,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                text=True,
                errors="replace",
                check=False,
            )
        except subprocess.TimeoutExpired as late:
            text = late.stdout if isinstance(late.stdout, str) else ""
            return subprocess.CompletedProcess(command, 124, f"{text}\nstopped after {SECONDS} s\n")
        except OSError as missing:
            return subprocess.CompletedProcess(command, 127, f"{missing}\n")


# --- C -------------------------------------------------------------------------------------------
def count_cmocka(done: subprocess.CompletedProcess[str]) -> Count:
    """Count TAP lines; a program that ends badly without naming a test is one failure.

    cmocka says "not ok" of what is skipped too.
    """
    lines = [line for line in done.stdout.splitlines() if re.match(r"(not )?ok ", line)]
    skipped = sum("# SKIP" in line for line in lines)
    failed = sum(line.startswith("not ok ") and "# SKIP" not in line for line in lines)
    count = Count(len(lines) - skipped - failed, failed, skipped)
    if done.returncode != 0 and count.failed == 0:
        count.failed = 1
    return count


def unit(r: Runner, mode: str) -> Count:
    """Every cmocka program of one build."""
    total = Count()
    programs = r.variable(mode, "UNIT").split()
    r.make("-k", f"MODE={mode}", "units")
    for program in programs:
        if not (ROOT / program).exists():
            print(f"{program}: does not build")
            total.failed += 1
            continue
        done = r.run([program], CMOCKA_MESSAGE_OUTPUT="TAP", **SANITIZERS)
        count = count_cmocka(done)
        print(f"{Path(program).name}: {count.passed} passed, {count.failed} failed")
        if count.failed:
            print(done.stdout, end="")
        total += count
    return total


def fuzz(r: Runner) -> Count:
    """Every file of tests/fuzz/corpus/NAME through the target fuzz_NAME, under sanitizers."""
    total = Count()
    r.make("-k", "MODE=asan", "fuzzers")
    for program in r.variable("asan", "FUZZ").split():
        name = Path(program).name.removeprefix("fuzz_")
        files = sorted(p for p in (ROOT / "tests/fuzz/corpus" / name).glob("*") if p.is_file())
        if not (ROOT / program).exists():
            print(f"fuzz_{name}: does not build")
            total.failed += 1
            continue
        count = replay(r, program, files)
        print(f"fuzz_{name}: {count.passed} files passed, {count.failed} failed")
        total += count
    return total


def replay(r: Runner, program: str, files: list[Path]) -> Count:
    """Give all files to one process; after a crash go on behind the file that caused it."""
    count = Count()
    rest = [str(f.relative_to(ROOT)) for f in files]
    while rest:
        done = r.run([program, *rest], **SANITIZERS)
        if done.returncode == 0:
            count.passed += len(rest)
            break
        names = [line for line in done.stdout.splitlines() if line in rest]
        reached = rest.index(names[-1]) if names else 0
        print(done.stdout[-4000:])
        print(f"{program} failed on {rest[reached]}")
        count.passed += reached
        count.failed += 1
        rest = rest[reached + 1 :]
    return count


# --- Python --------------------------------------------------------------------------------------
def pytest(r: Runner, folder: str, program: str) -> Count:
    """One folder of pytest files, run with the given pcap2flow."""
    if not list((ROOT / folder).glob("test_*.py")):
        print("no tests yet")
        return Count()
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(scratch) / "report.xml"
        command = [sys.executable, "-m", "pytest", "-q", "-rs", f"--junitxml={report}", folder]
        done = r.run(command, PCAP2FLOW=str(ROOT / program), **SANITIZERS)
        print(done.stdout, end="")
        if not report.exists():
            return Count(failed=1)
        return count_junit(report, done.returncode)


def count_junit(report: Path, status: int) -> Count:
    """Sum a pytest report; errors outside a test count as failures."""
    suite = xml.etree.ElementTree.parse(report).getroot().find("testsuite")
    if suite is None:
        return Count(failed=1)
    tests, skipped = int(suite.get("tests", 0)), int(suite.get("skipped", 0))
    failed = int(suite.get("failures", 0)) + int(suite.get("errors", 0))
    if status not in (0, 5) and failed == 0:
        failed = 1
    return Count(max(tests - skipped - failed, 0), failed, skipped)


# --- the repository ------------------------------------------------------------------------------
def lint(r: Runner) -> Count:
    """tools/lint.py (one test a rule) and ruff."""
    done = r.run([sys.executable, "tools/lint.py"])
    print(done.stdout, end="")
    found = re.search(r"(\d+) rules hold, (\d+) broken", done.stdout)
    count = Count(int(found[1]), int(found[2])) if found else Count(failed=1)
    ruff = r.run([sys.executable, "-m", "ruff", "check", "--quiet", "."])
    print(ruff.stdout, end="")
    count.note(ruff.returncode == 0)
    return count


GENERATED = (
    "doc/fields.md",
    "doc/schema.json",
    "doc/options.md",
    "pcap2flow.1",
    "completion/pcap2flow.bash",
    "completion/_pcap2flow",
    "python/joy/_options.pyi",
)


def docs(r: Runner) -> Count:
    """What the program writes about itself is what is checked in; the man pages are sound."""
    count = Count()
    with tempfile.TemporaryDirectory() as fresh:
        r.make("docs", f"DOCS={fresh}")
        for name in GENERATED:
            old, new = ROOT / name, Path(fresh) / name
            same = old.exists() and new.exists() and filecmp.cmp(old, new, shallow=False)
            if not same:
                print(f"{name} is stale: run `make docs`")
            count.note(same)
    for page in ["pcap2flow.1", *(str(p.relative_to(ROOT)) for p in ROOT.glob("doc/*.3"))]:
        done = r.run(["mandoc", "-T", "lint", "-W", "warning", page])
        print(done.stdout, end="")
        count.note(done.returncode == 0)
    return count


def main() -> int:
    """Run the kinds asked for, or all."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("kinds", nargs="*")
    parser.add_argument("--jobs", type=int, default=2)
    arguments = parser.parse_args()
    r = Runner(arguments.jobs)
    asan = r.variable("asan", "B") + "/pcap2flow"
    kinds: dict[str, Callable[[], Count]] = {
        "lint": lambda: lint(r),
        "unit": lambda: unit(r, "release"),
        "unit-asan": lambda: unit(r, "asan"),
        "fuzz": lambda: fuzz(r),
        "docs": lambda: docs(r),
        "golden": lambda: pytest(r, "tests/golden", "pcap2flow"),
        "golden-asan": lambda: r.make("MODE=asan", "build") and pytest(r, "tests/golden", asan),
        "property": lambda: pytest(r, "tests/property", "pcap2flow"),
        "diff": lambda: pytest(r, "tests/diff", "pcap2flow"),
        "python": lambda: r.make("python-ext") and pytest(r, "tests/python", "pcap2flow"),
        "live": lambda: pytest(r, "tests/live", "pcap2flow"),
    }
    if unknown := set(arguments.kinds) - set(kinds):
        parser.error(f"no kind {', '.join(unknown)}; there are {', '.join(kinds)}")

    total = Count()
    lines = []
    for name in arguments.kinds or kinds:
        print(f"\n=== {name}", flush=True)
        start = time.monotonic()
        count = kinds[name]() or Count(failed=1)
        seconds = time.monotonic() - start
        lines.append(
            f"{name:12} {count.passed:6} passed {count.failed:4} failed "
            f"{count.skipped:4} skipped {seconds:6.0f} s"
        )
        sys.stdout.flush()
        total += count
    print("\n=== all")
    print("\n".join(lines))
    print(f"{total.passed} passed, {total.failed} failed")
    return 1 if total.failed else 0


if __name__ == "__main__":
    sys.exit(main())
