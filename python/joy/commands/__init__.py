# SPDX-License-Identifier: BSD-3-Clause
"""The commands of the program joy, a module each.

A module NAME has a function `command`, which typer reads: its parameters are the options, the first
paragraph of its docstring the help.  It returns nothing and raises typer.Exit(code) by
`raise typer.Exit(console.end(...))`.
"""

NAMES = (
    "summary",
    "query",
    "audit",
    "fingerprint",
    "plot",
    "convert",
    "anonymize",
    "merge",
    "label",
    "validate",
)
