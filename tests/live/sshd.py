# SPDX-License-Identifier: BSD-3-Clause
"""A real sshd on loopback with keys, configuration and port of its own, and the upload driver.

Everything lies in one temporary folder and goes with it.  The accounts are those of the machine:
root, or another one by `user`.
"""

from __future__ import annotations

import atexit
import os
import queue
import shutil
import signal
import socket
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
SSHD = shutil.which("sshd") or "/usr/sbin/sshd"
RUN = Path("/run/sshd")  # sshd insists on it
SECONDS = 30  # the longest wait for anything


def why_not() -> str:
    """Why these tests cannot run here; empty when they can."""
    if os.geteuid() != 0:
        return "needs root"
    if not Path(SSHD).exists() or not shutil.which("ssh-keygen"):
        return "needs sshd and ssh-keygen"
    return ""


def make_key(path: Path) -> Path:
    """A new key pair without a passphrase."""
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", "test", "-f", str(path)], check=True
    )
    return path


def free_port() -> int:
    """A port that nobody listens on now."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Sshd:
    """The other side; `incoming` is the folder that uploads go to."""

    def __init__(self, folder: Path, user: str = "root", *lines: str) -> None:
        self.folder, self.user, self.lines = folder, user, lines
        self.port = free_port()
        self.process: subprocess.Popen[bytes] | None = None
        self.incoming = folder / "incoming"
        self.incoming.mkdir()
        self.host_key = make_key(folder / "host_key")
        self.key = make_key(folder / "key")
        self.keys = folder / "authorized_keys"
        self.keys.write_text(self.key.with_suffix(".pub").read_text())
        self.known = folder / "known_hosts"
        self.known.write_text(self.known_line(self.host_key))
        self.wrap: list[str] = []
        for path in (folder, self.incoming):
            path.chmod(0o755)
        if user != "root":
            shutil.chown(self.incoming, user)

    def known_line(self, key: Path) -> str:
        """What known_hosts says of this host with that key."""
        public = key.with_suffix(".pub").read_text().split()
        return f"[127.0.0.1]:{self.port} {public[0]} {public[1]}\n"

    def start(self) -> None:
        """Listen; returns once connections are taken."""
        if not RUN.exists():
            RUN.mkdir(mode=0o755)
            atexit.register(RUN.rmdir)
        config = self.folder / "sshd_config"
        words = [
            f"Port {self.port}",
            "ListenAddress 127.0.0.1",
            f"HostKey {self.host_key}",
            f"AuthorizedKeysFile {self.keys}",
            "PidFile none",
            "StrictModes no",
            "UsePAM no",
            "PermitRootLogin prohibit-password",
            "PasswordAuthentication no",
            "KbdInteractiveAuthentication no",
            "Subsystem sftp internal-sftp",
            "MaxStartups 1000",
            # A shell that sshd starts reads what is in its home, which is none of our business: it
            # may take long, or leave locks behind when it is killed.
            f"SetEnv HOME={self.folder}",
            *self.lines,
        ]
        config.write_text("\n".join(words) + "\n")
        log = (self.folder / "sshd.log").open("ab")
        self.process = subprocess.Popen(
            [*self.wrap, SSHD, "-D", "-e", "-f", str(config)],
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        log.close()
        end = time.monotonic() + SECONDS
        while time.monotonic() < end:
            try:
                socket.create_connection(("127.0.0.1", self.port), 1).close()
                return
            except OSError:
                if self.process.poll() is not None:
                    break
                time.sleep(0.02)
        raise RuntimeError((self.folder / "sshd.log").read_text())

    def stop(self) -> None:
        """Gone, with all connections."""
        if self.process is None:
            return
        for pid in descendants(self.process.pid):
            kill(pid)
        kill(self.process.pid)
        self.process.wait()
        self.process = None

    def to(self, path: str | None = None) -> str:
        """What upload= says for this host."""
        where = path if path is not None else str(self.incoming)
        return f"sftp://{self.user}@127.0.0.1:{self.port}/{where}"

    def files(self) -> dict[str, bytes]:
        """What is in the folder, parts left out."""
        return {
            p.name: p.read_bytes()
            for p in self.incoming.iterdir()
            if p.is_file() and not p.name.endswith(".part")
        }


def kill(pid: int) -> None:
    """SIGKILL, for one that may be gone already."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        pass


def children(pid: int) -> list[int]:
    """Processes that this one has started and that are there."""
    try:
        tasks = Path(f"/proc/{pid}/task").iterdir()
        return [int(c) for t in tasks for c in (t / "children").read_text().split()]
    except (FileNotFoundError, ProcessLookupError):
        return []


def descendants(pid: int) -> list[int]:
    """All processes below this one."""
    below = children(pid)
    return [*below, *(d for child in below for d in descendants(child))]


def content(name: str, size: int) -> bytes:
    """The bytes that the driver writes into a file of that name."""
    lines = size // len(f"{name} 00000000\n") + 1
    return "".join(f"{name} {i:08d}\n" for i in range(lines)).encode()[:size]


def driver_program() -> Path:
    """Builds tests/live/upload_driver.c in the mode of UPLOAD_MODE (release)."""
    mode = f"MODE={os.environ.get('UPLOAD_MODE', 'release')}"
    env = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    make = ["make", "-s", mode]
    asked = subprocess.run(
        [*make, "print-B"], cwd=ROOT, env=env, capture_output=True, text=True, check=True
    )
    target = f"{asked.stdout.strip()}/live/upload_driver"
    subprocess.run([*make, target], cwd=ROOT, env=env, check=True)
    return ROOT / target


class Driver:
    """A running upload driver; its lines are collected by a thread."""

    def __init__(self, program: Path, to: str, folder: Path, *words: str) -> None:
        self.folder = folder
        self.process = subprocess.Popen(
            [str(program), to, str(folder), *words],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
        )
        self.lines: list[str] = []
        self.news: queue.Queue[str | None] = queue.Queue()
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self) -> None:
        assert self.process.stdout is not None
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))
            self.news.put(self.lines[-1])
        self.news.put(None)

    def wait(self, text: str, seconds: float = SECONDS) -> str:
        """The next line that has this text in it."""
        end = time.monotonic() + seconds
        while True:
            try:
                line = self.news.get(timeout=max(end - time.monotonic(), 0.001))
            except queue.Empty:
                raise AssertionError(f"no {text!r} in {self.lines}") from None
            assert line is not None, f"ended without {text!r}: {self.lines}"
            if text in line:
                return line

    def tell(self, line: str) -> None:
        """A command, without waiting."""
        assert self.process.stdin is not None
        self.process.stdin.write(line + "\n")
        self.process.stdin.flush()

    def do(self, line: str) -> None:
        """A command that has been done when this returns."""
        self.tell(line)
        self.wait("ok")

    def counts(self) -> dict[str, int]:
        """The numbers of upload_counts()."""
        self.tell("counts")
        words = self.wait("= ").split()[1:]
        return dict(zip(words[::2], map(int, words[1::2]), strict=True))

    def until(self, name: str, value: int, seconds: float = SECONDS) -> dict[str, int]:
        """Waits until a count has that value."""
        end = time.monotonic() + seconds
        while True:
            counts = self.counts()
            if counts[name] == value:
                return counts
            assert time.monotonic() < end, f"{name} stays {counts[name]}: {self.lines}"
            time.sleep(0.05)

    def said(self, text: str) -> list[str]:
        """All lines so far with this text in them."""
        return [line for line in self.lines if text in line]

    def spool(self) -> list[str]:
        """Names that wait, oldest first."""
        return sorted(p.name for p in (self.folder / ".spool").iterdir())

    def stop(self, wait_ms: int = 0) -> int:
        """An orderly end; the exit status."""
        if self.process.poll() is None:
            try:
                self.tell(f"stop {wait_ms}")
            except BrokenPipeError:
                pass
        status = self.process.wait(timeout=SECONDS)
        self.reader.join(SECONDS)
        return status

    def kill(self) -> None:
        """kill -9, and wait until everything it had started is gone too."""
        below = descendants(self.process.pid)
        kill(self.process.pid)
        self.process.wait()
        wait_gone(below)


def wait_none(left: Callable[[], list[int]]) -> None:
    """Until none of those processes is left."""
    end = time.monotonic() + SECONDS
    while pids := left():
        assert time.monotonic() < end, f"still there: {pids}"
        time.sleep(0.01)


def wait_childless(pid: int) -> None:
    """Until it has no process below it."""
    wait_none(lambda: descendants(pid))


def wait_gone(pids: list[int]) -> None:
    """Until none of them runs; they are nobody's children here, so init takes them."""
    wait_none(lambda: [p for p in pids if Path(f"/proc/{p}").exists() and not is_zombie(p)])


def is_zombie(pid: int) -> bool:
    """Ended, and not yet waited for by its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] == "Z"
    except (FileNotFoundError, ProcessLookupError):
        return True
