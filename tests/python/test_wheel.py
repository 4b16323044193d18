# SPDX-License-Identifier: BSD-3-Clause
"""The package as others get it: a wheel and a source archive, each in an empty environment."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tarfile
import zipfile
from pathlib import Path

from kit import ROOT

TRY = """
import joy, joy.data, sys
table = joy.read(sys.argv[1], tls=True).read_all()
assert "python" not in joy.__file__.split("/site-packages")[0].split("/")[-1:]
assert joy.data.path("iana-ciphers.csv").is_relative_to(joy.data.__path__[0])
print(joy.__version__, len(table), joy.explain("entropy").split()[0])
"""


def build(source: Path, kind: str, out: Path) -> Path:
    """Make a distribution with the tools that are here, without the network."""
    command = [sys.executable, "-m", "build", kind, "--no-isolation", "--outdir", str(out)]
    done = subprocess.run(command, cwd=source, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    (made,) = out.iterdir()
    return made


def install_and_try(wheel: Path, folder: Path) -> str:
    """A new environment with the wheel; what a first program says.

    The packages that it depends on are those of this environment: they are looked up behind its
    own, so that nothing has to be fetched.
    """
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder / "venv"], check=True)
    python = folder / "venv/bin/python"
    install = [sys.executable, "-m", "pip", "--quiet", "--python", str(python), "install"]
    subprocess.run([*install, "--no-deps", "--no-index", str(wheel)], check=True, timeout=300)
    (site,) = (folder / "venv/lib").glob("python3*/site-packages")
    own = [p for p in sys.path if p.endswith("site-packages")]
    (site / "others.pth").write_text("\n".join(own) + "\n")
    environment = {k: v for k, v in os.environ.items() if k != "PYTHONPATH"}
    done = subprocess.run(
        [python, "-c", TRY, ROOT / "sample.pcap"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    command = subprocess.run(
        [folder / "venv/bin/joy", "--help"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert command.returncode == 0 and "captures" in command.stdout, command.stderr
    return done.stdout


def expected() -> str:
    """What the first program is to say: the flows of the sample are known."""
    return f"{(ROOT / 'VERSION').read_text().strip()} 25 entropy\n"


def test_the_wheel_works_in_an_empty_environment(tmp_path: Path) -> None:
    shutil.rmtree(ROOT / "build/lib", ignore_errors=True)  # of what may be gone since
    wheel = build(ROOT, "--wheel", tmp_path / "dist")
    assert wheel.name.startswith("joy_flows-") and "-cp310-abi3-linux_" in wheel.name
    names = zipfile.ZipFile(wheel).namelist()
    assert {"joy/py.typed", "joy/_joy.abi3.so", "joy/_joy.pyi", "joy/_options.pyi"} <= set(names)
    assert not [n for n in names if n.endswith((".c", ".h", ".o"))]
    policies = {f"joy/data/policies/{p.name}" for p in ROOT.glob("data/policies/*.toml")}
    assert policies <= set(names)
    assert install_and_try(wheel, tmp_path) == expected()


def test_the_source_archive_builds_on_its_own(tmp_path: Path) -> None:
    archive = build(ROOT, "--sdist", tmp_path / "dist")
    with tarfile.open(archive) as tar:
        tar.extractall(tmp_path / "there", filter="data")
    (unpacked,) = (tmp_path / "there").iterdir()
    wheel = build(unpacked, "--wheel", tmp_path / "again")
    assert install_and_try(wheel, tmp_path) == expected()


def test_the_extension_shows_nothing_but_its_entry() -> None:
    """libjoy inside must not meet another libjoy in the same process."""
    command = ["nm", "-D", "--defined-only", ROOT / "python/joy/_joy.abi3.so"]
    out = subprocess.run(command, check=True, capture_output=True, text=True).stdout
    assert [line.split()[-1] for line in out.splitlines()] == ["PyInit__joy"]
