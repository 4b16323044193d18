# SPDX-License-Identifier: BSD-3-Clause
"""What `make install` puts somewhere can be used from there, and `make uninstall` takes it away."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT

EXPECTED = {
    "bin/pcap2flow",
    "lib/libjoy.a",
    "lib/libjoy.so",
    "lib/libjoy.so.1",
    "include/joy.h",
    "lib/pkgconfig/joy.pc",
    "share/man/man1/pcap2flow.1",
    "share/bash-completion/completions/pcap2flow",
    "share/zsh/site-functions/_pcap2flow",
}


def make(target: str, prefix: Path) -> None:
    """Run make as a packager would."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("MAKE", "MFLAGS"))}
    command = ["make", "-s", target, f"PREFIX={prefix}"]
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout + done.stderr


def files(prefix: Path) -> set[str]:
    """Files and links below a folder."""
    return {str(p.relative_to(prefix)) for p in prefix.rglob("*") if not p.is_dir()}


@pytest.fixture(scope="module")
def prefix(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """A folder with everything installed."""
    folder = tmp_path_factory.mktemp("usr")
    make("install", folder)
    yield folder


def flags(prefix: Path, *words: str) -> list[str]:
    """What pkg-config says of the installed library."""
    environment = {**os.environ, "PKG_CONFIG_PATH": str(prefix / "lib/pkgconfig")}
    command = ["pkg-config", *words, "joy"]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    return done.stdout.split()


def test_files(prefix: Path) -> None:
    assert EXPECTED <= files(prefix)
    assert (prefix / "lib/libjoy.so").resolve().name.startswith("libjoy.so.1.")


def test_program(prefix: Path) -> None:
    done = subprocess.run(
        [prefix / "bin/pcap2flow", "bidir=1", ROOT / "sample.pcap"], capture_output=True, check=True
    )
    assert done.stdout.count(b"\n") > 2


def libraries(prefix: Path, linking: str) -> list[str]:
    """What the linker needs: libjoy.so, or libjoy.a and the shared libraries that it uses."""
    if linking == "shared":
        return flags(prefix, "--libs")
    needs = flags(prefix, "--print-requires-private")
    done = subprocess.run(["pkg-config", "--libs", *needs], capture_output=True, text=True)
    return [str(prefix / "lib/libjoy.a"), *done.stdout.split(), "-lm"]


@pytest.mark.parametrize("linking", ["shared", "static"])
@pytest.mark.parametrize("source", sorted(ROOT.glob("doc/*.c")), ids=lambda path: path.name)
def test_example(prefix: Path, tmp_path: Path, linking: str, source: Path) -> None:
    example = tmp_path / "example"
    command = ["cc", "-Wall", "-Wextra", "-Werror", *flags(prefix, "--cflags"), str(source)]
    subprocess.run([*command, "-o", str(example), *libraries(prefix, linking)], check=True)
    environment = {**os.environ, "LD_LIBRARY_PATH": str(prefix / "lib")}
    command = [str(example), str(ROOT / "sample.pcap")]
    done = subprocess.run(command, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout


def test_uninstall(tmp_path: Path) -> None:
    make("install", tmp_path)
    make("uninstall", tmp_path)
    assert files(tmp_path) == set()
