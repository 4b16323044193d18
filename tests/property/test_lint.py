# SPDX-License-Identifier: BSD-3-Clause
"""tools/lint.py finds what it is there to find: each test is a small tree with one fault in it."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
HEAD = "/* SPDX-License-Identifier: BSD-3-Clause */\n"
GOOD = {
    "src/LAYERS": "base:\nnet:\nflow: net\nfeature: flow\ncmd:\n",
    "src/base/limits.h": HEAD + "/* limits.h - caps. */\nenum { LIMIT_DEPTH = 4 };\n",
    "src/net/ip.c": HEAD + '/* ip.c - IP. */\n#include "base/limits.h"\nint a = LIMIT_DEPTH;\n',
    "src/feature/list.def": "/* list.def */\nFEATURE(dist)\nFEATURE(salt)\n",
    "src/feature/dist.c": HEAD + "/* dist.c - bytes. */\n",
    "src/feature/salt.c": HEAD + "/* salt.c - lengths. */\n",
}


def lint(folder: Path, files: dict[str, str]) -> tuple[int, str]:
    """Exit status and output of lint over the good tree with some files put over it."""
    for name, text in (GOOD | files).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    command = [sys.executable, str(ROOT / "tools/lint.py"), str(folder)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout + done.stderr


def function(body: str) -> str:
    """A C file with one function."""
    return HEAD + "/* x.c - x. */\nstatic int f(int a)\n{\n" + body + "\treturn a;\n}\n"


def test_good_tree(tmp_path: Path) -> None:
    status, out = lint(tmp_path, {})
    assert (status, out.splitlines()[-1].split(", ")[1]) == (0, "0 broken"), out


FAULTS = {
    "layer": ("src/net/x.c", HEAD + '/* x.c - x. */\n#include "flow/key.h"\n', "may not include"),
    "no room": ("src/net/x.c", HEAD + '/* x.c - x. */\n#include "key.h"\n', "write the room too"),
    "public header": ("src/net/x.c", HEAD + '/* x.c - x. */\n#include "joy.h"\n', "joy.h"),
    "unknown room": ("src/attic/x.c", HEAD + "/* x.c - x. */\n", "not in src/LAYERS"),
    "feature": (
        "src/feature/dist.c",
        HEAD + '/* dist.c - x. */\n#include "feature/salt.h"\n',
        "feature dist includes salt",
    ),
    "list": ("src/feature/list.def", "FEATURE(nothing)\n", "has no src/feature/nothing.c"),
    "file": ("src/net/x.c", HEAD + "/* x.c - x. */\n" + "int a;\n" * 1000, "1002 lines"),
    "function": ("src/net/x.c", function("\ta++;\n" * 80), "f() has 81 lines"),
    "branches": ("src/net/x.c", function("\tif (a && a)\n\t\ta++;\n" * 20), "complexity of 41"),
    "licence": ("src/net/x.c", "/* x.c - x. */\n", "SPDX"),
    "opening": ("src/net/x.c", HEAD + "int a;\n", "no comment"),
    "name": ("src/net/x.c", HEAD + "/* y.c - y. */\n", "does not name it"),
    "word": ("doc/a.md", "Lies in /wor" + "k/x.\n", "does not belong here"),
    "columns": ("src/net/x.c", HEAD + "/* x.c - x. */\n/*" + "x" * 97 + "*/\n", "101 columns"),
    "tabs": ("src/net/x.c", function("        a++;\n"), "indented by spaces"),
    "line end": ("src/net/x.c", HEAD + "/* x.c - x. */ \n", "space at the end"),
    "unused limit": (
        "src/base/limits.h",
        HEAD + "/* limits.h - caps. */\nenum {\n\tLIMIT_DEPTH = 4,\n\tLIMIT_X = 1,\n};\n",
        "LIMIT_X is used nowhere",
    ),
    "unnamed limit": ("src/net/x.c", function("\ta += LIMIT_Y;\n"), "LIMIT_Y is not in limits.h"),
    "goto": ("src/net/x.c", function("again:\n\tgoto again;\n"), "goto again"),
    "macro": ("src/net/x.c", HEAD + "/* x.c */\n#define X(a) if (a) return\n", "jumps"),
}


@pytest.mark.parametrize("name", FAULTS)
def test_fault(tmp_path: Path, name: str) -> None:
    path, text, complaint = FAULTS[name]
    status, out = lint(tmp_path, {path: text})
    assert status == 1, out
    assert complaint in out
    assert ", 1 broken" in out


def test_asks_without_refusing(tmp_path: Path) -> None:
    status, out = lint(tmp_path, {"src/net/x.c": function("\ta++;\n" * 55)})
    assert status == 0
    assert "warning: f() has 56 lines" in out


def test_comments_are_not_code(tmp_path: Path) -> None:
    status, out = lint(tmp_path, {"src/net/x.c": function("\t/* LIMIT_Z; goto x; if if if */\n")})
    assert status == 0, out
