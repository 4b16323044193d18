# SPDX-License-Identifier: BSD-3-Clause
"""What pytest has to know: where tests import program.py from, and the option of `make golden`."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest

HERE = Path(__file__).resolve().parent
sys.path[:0] = [str(HERE), str(HERE / "python"), str(HERE.parent / "python")]


def pytest_addoption(parser: pytest.Parser) -> None:
    """--rewrite: take what the program says now as what is expected."""
    parser.addoption("--rewrite", action="store_true", help="write expected records afresh")
