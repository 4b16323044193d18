# SPDX-License-Identifier: BSD-3-Clause
"""install-sh below a folder, by the plainest shell here; and what it installs can be read."""

from __future__ import annotations

import os
import plistlib
import re
import shutil
import subprocess
from pathlib import Path

import pytest
from program import ROOT

SHELL = shutil.which("dash") or "sh"


def install(
    folder: Path, *arguments: str | Path, shell: str = SHELL, **environment: str
) -> subprocess.CompletedProcess[str]:
    """Run install-sh with DESTDIR; a systemd machine unless SERVICE says another."""
    return subprocess.run(
        [shell, str(ROOT / "install-sh"), *map(str, arguments)],
        env={**os.environ, "DESTDIR": str(folder), "SERVICE": "systemd", **environment},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def tree(folder: Path) -> dict[str, tuple[int, bytes]]:
    """Every file below it: mode and contents."""
    files = [p for p in folder.rglob("*") if p.is_file()]
    return {str(p.relative_to(folder)): (p.stat().st_mode & 0o7777, p.read_bytes()) for p in files}


def setting(folder: Path, name: str) -> list[str]:
    """Values that joy.cfg gives an option."""
    text = (folder / "etc/joy/joy.cfg").read_text(encoding="utf-8")
    return re.findall(rf"^{name} = (.*)$", text, re.MULTILINE)


def test_installs_and_again(tmp_path: Path) -> None:
    done = install(tmp_path)
    assert (done.returncode, done.stderr) == (0, "")
    first = tree(tmp_path)
    assert first["usr/local/bin/pcap2flow"][0] == 0o755
    assert first["etc/joy/joy.cfg"] == (0o644, (ROOT / "linux.cfg").read_bytes())
    assert "etc/joy/internal.net" in first
    assert "usr/local/share/man/man1/pcap2flow.1" in first
    unit = first["etc/systemd/system/joy.service"][1].decode()
    assert "ExecStart=/usr/local/bin/pcap2flow -x /etc/joy/joy.cfg" in unit
    assert (tmp_path / "var/lib/joy").stat().st_mode & 0o777 == 0o750
    assert install(tmp_path).returncode == 0
    assert tree(tmp_path) == first


def test_files_that_are_given(tmp_path: Path) -> None:
    for name in ("subnets", "list", "key"):
        (tmp_path / name).write_text(name, encoding="utf-8")
        (tmp_path / name).chmod(0o600)
    to = tmp_path / "to"
    given = ("-a", tmp_path / "subnets", "-w", tmp_path / "list", "-k", tmp_path / "key")
    assert install(to, *given).returncode == 0
    files = tree(to)
    assert files["etc/joy/anon.net"] == (0o644, b"subnets")
    assert files["etc/joy/watch.txt"] == (0o644, b"list")
    assert files["etc/joy/upload.key"] == (0o600, b"key")
    assert setting(to, "anon") == ["/etc/joy/anon.net"]
    assert setting(to, "watch") == ["/etc/joy/watch.txt"]
    assert setting(to, "keyfile") == ["/etc/joy/upload.key"]
    assert install(to, *given).returncode == 0
    assert tree(to) == files


def test_settings_of_ones_own(tmp_path: Path) -> None:
    mine, to = tmp_path / "mine.cfg", tmp_path / "to"
    mine.write_text("interface = eth7\nwatch=old # mine\n  watch = older\n", encoding="utf-8")
    (tmp_path / "list").write_text("x", encoding="utf-8")
    assert install(to).returncode == 0
    assert install(to, "-c", mine, "-w", tmp_path / "list").returncode == 0
    text = (to / "etc/joy/joy.cfg").read_text(encoding="utf-8")
    assert text == "interface = eth7\nwatch = /etc/joy/watch.txt\n"
    assert (to / "etc/joy/joy.cfg.old").read_bytes() == (ROOT / "linux.cfg").read_bytes()
    assert install(to).returncode == 0  # later ones keep what is there
    assert (to / "etc/joy/joy.cfg").read_text(encoding="utf-8") == text


@pytest.mark.parametrize(
    ("kind", "files"),
    [
        ("systemd", {"etc/systemd/system/joy.service"}),
        ("sysv", {"etc/init.d/joy", "etc/logrotate.d/joy"}),
        ("launchd", {"Library/LaunchDaemons/org.joy.pcap2flow.plist"}),
        ("none", set()),
    ],
)
def test_uninstall(tmp_path: Path, kind: str, files: set[str]) -> None:
    assert install(tmp_path, SERVICE=kind, PREFIX="/opt/joy").returncode == 0
    there = tree(tmp_path)
    outside = {n for n in there if not n.startswith(("opt/joy/", "etc/joy/"))}
    assert outside == files
    assert all(b"/usr/bin/pcap2flow" not in there[name][1] for name in files)
    done = install(tmp_path, "-u", SERVICE=kind, PREFIX="/opt/joy")
    assert done.returncode == 0
    assert "left as they are: /etc/joy /var/lib/joy" in done.stdout
    assert set(tree(tmp_path)) == {"etc/joy/joy.cfg", "etc/joy/internal.net"}
    assert install(tmp_path, "-u", "-p", SERVICE=kind, PREFIX="/opt/joy").returncode == 0
    assert tree(tmp_path) == {}
    assert not (tmp_path / "var/lib/joy").exists()


@pytest.mark.parametrize(
    ("arguments", "status", "words"),
    [
        (["-h"], 0, "-c config"),
        (["-x"], 2, "usage"),
        (["file"], 2, "usage"),
        (["-p"], 2, "usage"),
        (["-c"], 2, "usage"),
        (["-c", "/no/such/file"], 1, "cannot read /no/such/file"),
    ],
)
def test_usage(tmp_path: Path, arguments: list[str], status: int, words: str) -> None:
    done = install(tmp_path, *arguments)
    assert done.returncode == status
    assert words in (done.stdout if status == 0 else done.stderr)
    assert tree(tmp_path) == {}


def test_unit_of_systemd(tmp_path: Path) -> None:
    if not shutil.which("systemd-analyze"):
        pytest.skip("no systemd-analyze here")
    unit = tmp_path / "joy.service"
    text = (ROOT / "packaging/joy.service").read_text(encoding="utf-8")
    text = re.sub("^Documentation=.*\n", "", text, flags=re.MULTILINE)  # may not be installed
    unit.write_text(text.replace("/usr/bin/pcap2flow", str(ROOT / "pcap2flow")), encoding="utf-8")
    command = ["systemd-analyze", "verify", "--man=no", str(unit)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout + done.stderr) == (0, "")


def test_property_list_of_launchd() -> None:
    data = (ROOT / "packaging/org.joy.pcap2flow.plist").read_bytes()
    settings = plistlib.loads(data)
    assert settings["Label"] == "org.joy.pcap2flow"
    assert settings["ProgramArguments"][:3] == ["/usr/bin/pcap2flow", "-x", "/etc/joy/joy.cfg"]
    assert settings["Umask"] == 0o027


def test_init_script() -> None:
    script = ROOT / "packaging/joy.init"
    assert subprocess.run([SHELL, "-n", str(script)], check=False).returncode == 0
    done = subprocess.run([SHELL, str(script), "what"], capture_output=True, check=False)
    assert done.returncode in (0, 2)  # 0: no program installed here
    text = script.read_text(encoding="utf-8")
    assert re.search(r"### BEGIN INIT INFO\n(#.*\n)+### END INIT INFO", text)


def test_versions_agree() -> None:
    version = (ROOT / "VERSION").read_text(encoding="utf-8").strip()
    first = (ROOT / "debian/changelog").read_text(encoding="utf-8").splitlines()[0]
    assert f"({version})" in first
