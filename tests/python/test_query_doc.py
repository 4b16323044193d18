# SPDX-License-Identifier: BSD-3-Clause
"""doc/query.md: every example runs, every condition is one, every table is there."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from joy import sources, views, where
from kit import ROOT
from talks import joy_here

PAGE = (ROOT / "doc/query.md").read_text()
BLOCKS = re.findall(r"^```\n(.*?)^```$", PAGE, re.M | re.S)


def commands(block: str) -> list[list[str]]:
    """The commands of a block as words; quotes may span lines."""
    found, text = [], ""
    for line in block.splitlines():
        text += line + "\n"
        try:
            found.append(shlex.split(text))
        except ValueError:  # a quote is open
            continue
        text = ""
    assert not text.strip(), text
    return found


def test_the_page_has_examples() -> None:
    assert len(BLOCKS) > 8
    assert {words[0] for block in BLOCKS for words in commands(block)} == {"joy", "pcap2flow"}


def test_every_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "sample.pcap").symlink_to(ROOT / "sample.pcap")
    (tmp_path / "tests").symlink_to(ROOT / "tests")
    monkeypatch.chdir(tmp_path)
    for block in BLOCKS:
        for program, *words in commands(block):
            if program == "pcap2flow":
                subprocess.run([ROOT / "pcap2flow", *words], check=True)
                continue
            done = joy_here(*words)
            assert done.returncode == 0, (words, done.stderr)
            rows = done.stdout.splitlines()
            if words[0] == "query" and "-O" not in words:
                assert len(rows) > ("--select" not in words and "--sum" not in words), words


def test_every_condition_is_one() -> None:
    begin = PAGE.index("A condition compares")
    table = PAGE[begin : PAGE.index("An element that no input has")]
    cells = [line.split(" | ")[0] for line in table.splitlines() if line.startswith("| ")]
    found = [text for cell in cells for text in re.findall(r"`([^`]+)`", cell)]
    conditions = [text for text in found if not re.fullmatch(r"[&<>=*]+", text)]
    assert len(conditions) > 15
    for text in conditions:
        where.condition(text)
    where.condition("dp=80|dp=443")
    assert "<code>dp=80&#124;dp=443</code>" in table


def test_every_table_is_there() -> None:
    begin = PAGE.index("| table | a row is")
    table = PAGE[begin : PAGE.index("A field that has the name")]
    cells = [line.split(" | ")[0] for line in table.splitlines()[2:] if line.startswith("| ")]
    named = {name for cell in cells for name in re.findall(r"`(\w+)`", cell)}
    assert len(named) > 12
    assert named <= {"flows", *views.tables(sources.all_columns())}
