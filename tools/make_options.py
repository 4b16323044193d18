#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write python/joy/_options.pyi, the types of options as keyword arguments, from the option table.

PYTHONPATH=python tools/make_options.py >python/joy/_options.pyi
"""

from __future__ import annotations

import textwrap

from joy.keywords import Option, options

HEAD = '''\
# SPDX-License-Identifier: BSD-3-Clause
"""Types of the options as keyword arguments.  Written by `make docs`; do not edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypedDict

Path = str | os.PathLike[str]
'''
NUMBERS = {
    "bool": "bool | int",
    "integer": "int",
    "seconds": "float",
    "size": "int | str",
}
ARGUMENTS = ("bidir", "bpf")  # of joy.read() itself


def annotation(option: Option) -> str:
    """The type of an option's values."""
    one = NUMBERS.get(option.type) or ("Path" if "file" in option.flags else "str")
    if option.choices:
        words = ", ".join(f'"{word}"' for word in option.choices)
        one = f"Literal[{words}]"
    elif option.type != "bool" and "feature" in option.flags:
        one += " | bool"
    if "repeat" in option.flags or "LIST" in option.value:
        one += f" | Sequence[{one}]"
    return f"{one} | None"


def member(option: Option) -> str:
    """One line of a TypedDict, and what the option does."""
    words = f'"""{option.help[:1].upper()}{option.help[1:]}."""'
    return f"{option.name}: {annotation(option)}\n{words}\n"


def main() -> None:
    """Print the file."""
    flows = [o for o in options() if o.use == "flows" and o.name not in ARGUMENTS]
    live = [o for o in options() if o.use == "live" or o.name == "bpf"]
    print(HEAD)
    print('class FlowOptions(TypedDict, total=False):\n    """What joy.read() takes."""\n')
    print(textwrap.indent("".join(map(member, flows)), "    "))
    print('class LiveOptions(FlowOptions, total=False):\n    """What joy.live() takes."""\n')
    print(textwrap.indent("".join(map(member, live)), "    "), end="")


if __name__ == "__main__":
    main()
