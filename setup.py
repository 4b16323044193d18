# SPDX-License-Identifier: BSD-3-Clause
"""What pyproject.toml cannot say: the extension comes from make, data files from data/."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext
from setuptools.command.build_py import build_py

ROOT = Path(__file__).resolve().parent
DATA = ("*.csv", "*.txt", "policies/*.toml")


class Make(build_ext):
    """Builds the extension with the flags of the Makefile, for whatever libraries are here."""

    def build_extension(self, ext: Extension) -> None:
        """Run make and take what it made."""
        jobs = str(os.cpu_count() or 1)
        command = ["make", "-s", f"-j{jobs}", f"PYTHON={sys.executable}", "python-ext"]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("MAKE")}
        subprocess.run(command, cwd=ROOT, check=True, env={**environment, "MFLAGS": ""})
        target = Path(self.get_ext_fullpath(ext.name))
        target.parent.mkdir(parents=True, exist_ok=True)
        made = ROOT / "python/joy/_joy.abi3.so"
        if made.resolve() != target.resolve():
            shutil.copy(made, target)


class WithData(build_py):
    """Puts data/ beside the modules, as joy/data."""

    def run(self) -> None:
        """Copy modules, then data."""
        super().run()
        if self.editable_mode:  # joy.data.path() finds the source tree's
            return
        for pattern in DATA:
            for file in sorted((ROOT / "data").glob(pattern)):
                target = Path(self.build_lib, "joy/data", file.relative_to(ROOT / "data"))
                self.mkpath(str(target.parent))
                self.copy_file(str(file), str(target))


setup(
    ext_modules=[Extension("joy._joy", sources=[], py_limited_api=True)],
    cmdclass={"build_ext": Make, "build_py": WithData},
    options={"bdist_wheel": {"py_limited_api": "cp310"}},
)
