# SPDX-License-Identifier: BSD-3-Clause
"""The program joy: answers from captures and flow records."""

from __future__ import annotations

import sys
from importlib import import_module

import typer

from joy.commands import NAMES

app = typer.Typer(
    name="joy",
    help="Answers from captures and flow records: pcap, JSON lines, Arrow, Parquet; files, "
    "folders, globs.",
    no_args_is_help=True,
    add_completion=True,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


for _name in NAMES:
    _module = import_module(f"joy.commands.{_name}")
    if hasattr(_module, "app"):  # with commands of its own
        app.add_typer(_module.app, name=_name)
    else:
        app.command(_name)(_module.command)


def main() -> None:
    """Entry point of the program."""
    app(args=sys.argv[1:], prog_name="joy")
