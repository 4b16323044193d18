#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Hold the repository to its own rules: who includes whom, sizes, words, and loose ends.

Each rule is a function from a Tree to its findings; a finding is an error or a warning.  The last
line says how many rules hold and how many are broken; warnings break nothing.

    tools/lint.py [FOLDER]
"""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from shutil import which

FILE_ASK, FILE_REFUSE = 600, 1000  # lines
FUNCTION_ASK, FUNCTION_REFUSE = 50, 80  # lines between the braces
BRANCHES_ASK, BRANCHES_REFUSE = 15, 40  # decisions in a function, plus one
COLUMNS, TAB = 100, 8

# Words that have no business in a repository: where it was made, by whom, on which errand.
BANNED = re.compile(
    r"/wor[k]/|/tm[p]/bash_jobs|sub-?agen[t]|as an A[I]\b|language mode[l]|\bissue[s]? #?\d"
)


@dataclass(frozen=True)
class Finding:
    """One place that breaks a rule, or only asks for a look."""

    where: str
    text: str
    error: bool = True


@dataclass(frozen=True)
class Function:
    """A C function as the text shows it."""

    name: str
    line: int
    length: int
    branches: int


class Source:
    """One text file, and for C its text without comments and literals."""

    def __init__(self, root: Path, path: str) -> None:
        self.path = path
        self.text = (root / path).read_text(encoding="utf-8", errors="replace")
        self.lines = self.text.splitlines()
        parts = path.split("/")
        self.room = parts[1] if parts[0] == "src" and len(parts) > 2 else None

    @property
    def is_c(self) -> bool:
        """C source or header."""
        return self.path.endswith((".c", ".h"))

    @cached_property
    def code(self) -> list[str]:
        """Lines with comments, strings and character constants blanked out."""
        pattern = r"/\*.*?\*/|//[^\n]*|\"(?:\\.|[^\"\\\n])*\"|'(?:\\.|[^'\\\n])*'"
        keep = re.sub(pattern, lambda m: re.sub(r"[^\n]", " ", m[0]), self.text, flags=re.DOTALL)
        return keep.splitlines()

    @cached_property
    def functions(self) -> list[Function]:
        """Functions by their shape: from a brace alone in column 0 to the next closing one."""
        found, start = [], None
        for number, line in enumerate(self.code, 1):
            if line.rstrip() == "{":
                start = number
            elif line.startswith("}") and start is not None:
                body = "\n".join(self.code[start : number - 1])
                found.append(
                    Function(self._name_above(start), start, number - start - 1, branches(body))
                )
                start = None
        return found

    def _name_above(self, line: int) -> str:
        head = " ".join(self.code[max(0, line - 8) : line - 1])
        head = re.split(r"[;}]", head)[-1]
        named = re.search(r"(\w+)\s*\(", head)
        return named[1] if named else "?"

    def includes(self) -> Iterator[tuple[int, str]]:
        """Line number and name of each #include "..."."""
        for number, line in enumerate(self.lines, 1):
            if found := re.match(r'\s*#\s*include\s+"([^"]+)"', line):
                yield number, found[1]


def branches(code: str) -> int:
    """Decisions in a piece of C, plus one."""
    return 1 + len(re.findall(r"\b(?:if|for|while|case)\b|&&|\|\||\?", code))


class Tree:
    """All text files of a repository (of git where there is one, else of the folder)."""

    SUFFIXES = (".c", ".h", ".py", ".sh", ".mk", ".md", ".def", ".map", ".cfg", ".toml", ".txt")
    NAMES = ("Makefile", "LAYERS", "run")

    def __init__(self, root: Path) -> None:
        self.root = root
        self.sources = [Source(root, p) for p in self._paths() if self._is_text(p)]

    def _paths(self) -> list[str]:
        if (self.root / ".git").exists():
            command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
            out = subprocess.run(command, cwd=self.root, capture_output=True, text=True, check=True)
            paths = [p for p in out.stdout.splitlines() if (self.root / p).is_file()]
        else:
            paths = [str(p.relative_to(self.root)) for p in self.root.rglob("*") if p.is_file()]
            paths = [p for p in paths if not p.startswith(("build/", "dist/"))]
        return sorted(paths)

    def _is_text(self, path: str) -> bool:
        return path.endswith(self.SUFFIXES) or Path(path).name in self.NAMES

    def c(self) -> list[Source]:
        """C files, wherever they are."""
        return [s for s in self.sources if s.is_c]

    def code(self) -> list[Source]:
        """Files that people program in."""
        return [s for s in self.sources if s.path.endswith((".c", ".h", ".py", ".sh"))]

    def read(self, path: str) -> str:
        """A file's text; empty without one."""
        file = self.root / path
        return file.read_text() if file.exists() else ""


# --- rules ---------------------------------------------------------------------------------------
def layers_table(tree: Tree) -> dict[str, set[str]]:
    """src/LAYERS as a table: room -> the rooms that it may include."""
    table = {}
    for line in tree.read("src/LAYERS").splitlines():
        if line.strip() and not line.startswith("#"):
            room, _, others = line.partition(":")
            table[room.strip()] = {room.strip(), "base", *others.split()}
    return table


def rule_layers(tree: Tree) -> Iterator[Finding]:
    """src/LAYERS says which rooms a room may include; joy.h is for api and cmd."""
    table = layers_table(tree)
    for source in tree.c():
        if source.room is None:
            continue
        if source.room not in table:
            yield Finding(source.path, f"room '{source.room}' is not in src/LAYERS")
            continue
        for line, name in source.includes():
            where = f"{source.path}:{line}"
            if name == "joy.h":
                if source.room not in ("api", "cmd"):
                    yield Finding(where, f"{source.room} may not include joy.h")
            elif "/" not in name:
                yield Finding(where, f'"{name}": write the room too, "room/{name}"')
            elif name.split("/")[0] not in table[source.room]:
                yield Finding(where, f"{source.room} may not include {name}")


def listed(tree: Tree, room: str) -> list[tuple[str, str]]:
    """The lines WORD(name) of a room's list.def, as pairs of word and name."""
    text = re.sub(r"/\*.*?\*/", "", tree.read(f"src/{room}/list.def"), flags=re.DOTALL)
    return re.findall(r"^([A-Z]+)\((\w+)\)", text, re.MULTILINE)


def rule_lists(tree: Tree) -> Iterator[Finding]:
    """WORD(name) in a room's list.def has a file name.c or word_name.c there."""
    for room in layers_table(tree):
        for word, name in listed(tree, room):
            names = (f"src/{room}/{name}.c", f"src/{room}/{word.lower()}_{name}.c")
            if not any((tree.root / path).exists() for path in names):
                yield Finding(f"src/{room}/list.def", f"{word}({name}) has no {names[0]}")


def rule_features_apart(tree: Tree) -> Iterator[Finding]:
    """A feature includes no other feature: what they share sits in proto."""
    features = {name for _, name in listed(tree, "feature")}
    for source in tree.c():
        own = Path(source.path).stem
        for line, name in source.includes():
            other = Path(name).stem
            apart = source.room == "feature" and name.startswith("feature/")
            if apart and other in features - {own}:
                yield Finding(f"{source.path}:{line}", f"feature {own} includes {other}")


def rule_file_size(tree: Tree) -> Iterator[Finding]:
    """A file has at most 1,000 lines; from 600 on ask why."""
    for source in tree.code():
        if (lines := len(source.lines)) > FILE_ASK:
            yield Finding(source.path, f"{lines} lines", lines > FILE_REFUSE)


def rule_function_size(tree: Tree) -> Iterator[Finding]:
    """A function has at most 80 lines; from 50 on ask why."""
    for source in tree.c():
        for f in source.functions:
            if f.length > FUNCTION_ASK:
                text = f"{f.name}() has {f.length} lines"
                yield Finding(f"{source.path}:{f.line}", text, f.length > FUNCTION_REFUSE)


def rule_complexity(tree: Tree) -> Iterator[Finding]:
    """A function takes at most 40 decisions; from 15 on ask why."""
    for source in tree.c():
        for f in source.functions:
            if f.branches > BRANCHES_ASK:
                text = f"{f.name}() has a complexity of {f.branches}"
                yield Finding(f"{source.path}:{f.line}", text, f.branches > BRANCHES_REFUSE)


def rule_opening(tree: Tree) -> Iterator[Finding]:
    """A file of code opens with its SPDX line and a comment that says what it does."""
    mark = "SPDX-License-Identifier: BSD-3-Clause"
    for source in tree.code():
        first = [line for line in source.lines[:6] if not line.startswith("#!")]
        if not first or mark not in first[0]:
            yield Finding(source.path, "the first line is not its SPDX line")
            continue
        second = first[1] if len(first) > 1 else ""
        opens = {"c": "/*", "h": "/*", "py": '"""', "sh": "# "}[source.path.rsplit(".", 1)[1]]
        if not second.startswith(opens):
            yield Finding(source.path, "no comment behind the SPDX line says what the file does")
        elif source.is_c and Path(source.path).name not in " ".join(first[1:3]):
            yield Finding(source.path, "the comment that opens the file does not name it")


def rule_words(tree: Tree) -> Iterator[Finding]:
    """No word about where or on which errand a line was written."""
    for source in tree.sources:
        for number, line in enumerate(source.lines, 1):
            if found := BANNED.search(line):
                yield Finding(f"{source.path}:{number}", f"'{found[0]}' does not belong here")


def rule_layout(tree: Tree) -> Iterator[Finding]:
    """C is indented by tabs, the rest by spaces; 100 columns; no space at a line's end."""
    for source in tree.code():
        for number, line in enumerate(source.lines, 1):
            where = f"{source.path}:{number}"
            if line != line.rstrip():
                yield Finding(where, "space at the end of the line")
            if (width := len(line.expandtabs(TAB))) > COLUMNS:
                yield Finding(where, f"{width} columns")
            if source.is_c and line.startswith(" " * TAB):
                yield Finding(where, "indented by spaces")
            if source.path.endswith(".py") and "\t" in line:
                yield Finding(where, "tab in Python")
        if source.text and not source.text.endswith("\n"):
            yield Finding(source.path, "no newline at its end")


def rule_limits(tree: Tree) -> Iterator[Finding]:
    """Every cap of limits.h is used, and every cap that is used stands there."""
    named = set(re.findall(r"\b(LIMIT_\w+)\s*=", tree.read("src/base/limits.h")))
    used = {}
    for source in tree.c():
        if source.path.startswith("src/") and source.path != "src/base/limits.h":
            for number, line in enumerate(source.code, 1):
                for name in re.findall(r"\bLIMIT_\w+", line):
                    used.setdefault(name, f"{source.path}:{number}")
    for name in sorted(named - set(used)):
        yield Finding("src/base/limits.h", f"{name} is used nowhere")
    for name in sorted(set(used) - named):
        yield Finding(used[name], f"{name} is not in limits.h")


def rule_goto(tree: Tree) -> Iterator[Finding]:
    """goto leads to one exit for cleanup; no macro returns or jumps."""
    for source in tree.c():
        for number, line in enumerate(source.code, 1):
            where = f"{source.path}:{number}"
            jump = re.search(r"\bgoto\s+(\w+)", line)
            if jump and jump[1] not in ("out", "done", "fail"):
                yield Finding(where, f"goto {jump[1]}: only out, done or fail, for cleanup")
            if re.match(r"\s*#\s*define\b.*\b(return|goto|break|continue)\b", line):
                yield Finding(where, "a macro that jumps")


def rule_format(tree: Tree) -> Iterator[Finding]:
    """clang-format would leave each C file as it is (a count; `make fmt` applies it)."""
    if which("clang-format") is None or not (tree.root / ".clang-format").exists():
        return
    files = [s.path for s in tree.c()]
    command = ["clang-format", "--dry-run", "--Werror", "--ferror-limit=1", *files]
    done = subprocess.run(command, cwd=tree.root, capture_output=True, text=True, check=False)
    odd = set(re.findall(r"^([^:\n]+\.[ch]):\d+", done.stderr, re.MULTILINE))
    if odd:
        yield Finding(".", f"clang-format would change {len(odd)} of {len(files)} files", False)


RULES = [
    rule_layers,
    rule_lists,
    rule_features_apart,
    rule_file_size,
    rule_function_size,
    rule_complexity,
    rule_opening,
    rule_words,
    rule_layout,
    rule_limits,
    rule_goto,
    rule_format,
]


def main() -> int:
    """Print every finding; 1 when a rule is broken."""
    tree = Tree(Path(sys.argv[1] if len(sys.argv) > 1 else ".").resolve())
    broken = 0
    for rule in RULES:
        findings = list(rule(tree))
        for f in findings:
            print(f"{f.where}: {'error' if f.error else 'warning'}: {f.text}")
        if any(f.error for f in findings):
            print(f"  rule: {rule.__doc__}")
            broken += 1
    print(f"{len(RULES) - broken} rules hold, {broken} broken")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
