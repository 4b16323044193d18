# SPDX-License-Identifier: BSD-3-Clause
"""Uploads to a real sshd: what arrives, what is refused, and what is said when it fails.

The driver (upload_driver.c) stands for the main process.  Times are those of the tests: the first
wait is some hundred milliseconds.
"""

from __future__ import annotations

import ctypes
import hashlib
import os
import pwd
import shutil
import stat
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sshd import (
    Driver,
    Sshd,
    children,
    content,
    descendants,
    driver_program,
    is_zombie,
    kill,
    make_key,
    wait_childless,
    wait_gone,
    why_not,
)

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())

FAST = ("retry=200", "longest=600", "stall=5000")
ODD = [
    "-rf",
    "a b.json",
    "it's.json",
    '"two".json',
    "$(id).json",
    "!x.json",
    "*?[a].json",
    "ü;&.gz",
]


@pytest.fixture(scope="session")
def program() -> Path:
    """The driver."""
    return driver_program()


@pytest.fixture
def near(tmp_path: Path) -> Path:
    """The folder that files are finished in."""
    folder = tmp_path / "near"
    folder.mkdir()
    for path in (folder, *tmp_path.parents, tmp_path):
        if path.is_relative_to("/tmp/pytest-of-root"):
            path.chmod(0o755)
    return folder


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Sshd]:
    """An sshd that takes files for root."""
    (tmp_path / "far").mkdir()
    sshd = Sshd(tmp_path / "far")
    sshd.start()
    yield sshd
    sshd.stop()


def run(program: Path, host: Sshd, near: Path, *words: str, to: str | None = None) -> Driver:
    """A driver that is ready."""
    keys = (f"key={host.key}", f"hosts={host.known}")
    driver = Driver(program, to or host.to(), near, *keys, *FAST, *words)
    driver.wait("ready")
    return driver


def one_line(driver: Driver, text: str) -> str:
    """The line with that text: it is there once."""
    lines = driver.said(text)
    assert len(lines) == 1, driver.lines
    return lines[0]


# --- what arrives --------------------------------------------------------------------------------
@pytest.mark.parametrize("retain", [True, False])
def test_files_arrive_and_stay_only_if_asked(
    program: Path, host: Sshd, near: Path, retain: bool
) -> None:
    """Small, empty and large enough for sha256sum and many requests; the name has no .part."""
    sizes = [0, 1, 32768, 100_000, 5_000_001]
    driver = run(program, host, near, f"retain={int(retain)}")
    for size in sizes:
        driver.do(f"write f-{size} {size}")
    driver.until("done", len(sizes))
    names = {f"f-{size}": content(f"f-{size}", size) for size in sizes}
    assert host.files() == names
    assert {p.name for p in host.incoming.iterdir()} == set(names)
    assert driver.spool() == []
    assert {p.name for p in near.iterdir()} == ({".spool", *names} if retain else {".spool"})
    assert driver.counts()["failed"] == 0
    assert driver.stop() == 0


FORCED = """#!/bin/sh
cd "{incoming}" || exit 1
case "$SSH_ORIGINAL_COMMAND" in
sha256sum*) sh -c "$SSH_ORIGINAL_COMMAND"; echo "$?" >>"{log}" ;;
*) exec /usr/lib/openssh/sftp-server ;;
esac
"""


@pytest.mark.skipif(not Path("/usr/lib/openssh/sftp-server").exists(), reason="needs sftp-server")
@pytest.mark.parametrize("folder", ["", 'it\'s a $(touch x) "folder"/-n'])
def test_odd_names(program: Path, tmp_path: Path, near: Path, folder: str) -> None:
    """What a shell would take for something else; over a mebibyte, so that one sees the path."""
    (tmp_path / "far").mkdir()
    script, log = tmp_path / "forced", tmp_path / "log"
    host = Sshd(tmp_path / "far", "root", f"ForceCommand {script}")
    script.write_text(FORCED.format(incoming=host.incoming, log=log))
    script.chmod(0o755)
    there = host.incoming / folder
    there.mkdir(parents=True, exist_ok=True)
    host.start()
    try:
        data = {name: content(name, 1_100_000) for name in ODD}
        driver = run(program, host, near, to=host.to(folder))
        for name, bytes_ in data.items():
            (near / name).write_bytes(bytes_)
            driver.do(f"add {name}")
        driver.until("done", len(ODD))
        assert driver.stop() == 0
    finally:
        host.stop()
    assert {p.name: p.read_bytes() for p in there.iterdir() if p.is_file()} == data
    assert log.read_text() == "0\n" * len(ODD)


def test_order_and_a_bad_one(program: Path, host: Sshd, near: Path) -> None:
    """Oldest first; one that cannot be read holds up nobody, and is said once."""
    host.stop()
    driver = run(program, host, near)
    driver.do("write f-1 1000")
    driver.wait("is away")
    for i in range(2, 6):
        driver.do(f"write f-{i} 1000")
    spool = near / ".spool"
    bad = next(p for p in spool.iterdir() if p.name.endswith("f-2"))
    bad.unlink()
    bad.mkdir()  # cannot be read
    host.start()
    driver.until("done", 4)
    there = [line.split()[2] for line in driver.said("is there")]
    assert there == ["f-1", "f-3", "f-4", "f-5"]
    driver.until("waiting", 1)
    time.sleep(1)
    assert "f-2" in one_line(driver, "no regular file")
    assert driver.counts()["failed"] > 2
    bad.rmdir()
    driver.stop()


def test_there_already(program: Path, host: Sshd, near: Path) -> None:
    """The same file is not sent twice; another one of that name is kept beside it."""
    (host.incoming / "same.json").write_bytes(content("same.json", 3000))
    before = (host.incoming / "same.json").stat()
    (host.incoming / "taken.json.gz").write_bytes(b"something else")
    driver = run(program, host, near)
    driver.do("write same.json 3000")
    driver.do("write taken.json.gz 3000")
    driver.until("done", 2)
    driver.stop()
    names = sorted(host.files())
    assert len(names) == 3
    assert names[0] == "same.json"
    assert names[1].startswith("taken-") and names[1].endswith(".json.gz")
    assert (host.incoming / "same.json").stat().st_ino == before.st_ino
    assert (host.incoming / "same.json").stat().st_mtime_ns == before.st_mtime_ns
    assert (host.incoming / "taken.json.gz").read_bytes() == b"something else"
    assert host.files()[names[1]] == content("taken.json.gz", 3000)


def test_goes_on_with_a_part(program: Path, host: Sshd, near: Path) -> None:
    """What a dead run sent of a file is used; what it damaged is found and sent anew."""
    data = {name: content(name, 2_000_000) for name in ("good", "damaged")}
    for name, bytes_ in data.items():
        digits = hashlib.sha256(bytes_).hexdigest()[:16]
        part = bytes_[:1_000_000] if name == "good" else b"x" + bytes_[1:1_000_000]
        (host.incoming / f".{name}.{digits}.part").write_bytes(part)
    driver = run(program, host, near)
    driver.do("write good 2000000")
    driver.do("write damaged 2000000")
    driver.until("done", 2)
    assert "damaged" in one_line(driver, "did not arrive")
    driver.stop()
    assert host.files() == data
    assert len(list(host.incoming.iterdir())) == 2


def test_restart_works_off_the_spool(program: Path, host: Sshd, near: Path) -> None:
    """What waited when the program ended goes up with the next start, and two of one name too."""
    host.stop()
    driver = run(program, host, near)
    driver.do("write data.json 1000")
    driver.do("write data.json 2000")
    driver.wait("is away")
    driver.stop()
    assert len(driver.spool()) == 2
    host.start()
    driver = run(program, host, near)
    driver.until("done", 2)
    driver.stop()
    assert sorted(map(len, host.files().values())) == [1000, 2000]


def test_stop_waits_for_the_last_file(program: Path, host: Sshd, near: Path) -> None:
    """An end that waits works off the spool, and not longer than asked when nobody is there."""
    driver = run(program, host, near)
    driver.tell("write a 1000000")
    driver.tell("write b 1000")
    assert driver.stop(20000) == 0
    assert set(host.files()) == {"a", "b"}
    host.stop()
    driver = run(program, host, near)
    driver.do("write c 1000")
    begin = time.monotonic()
    assert driver.stop(20000) == 0
    assert time.monotonic() - begin < 5
    assert len(driver.spool()) == 1


# --- who may ------------------------------------------------------------------------------------
def test_unknown_host_key(program: Path, host: Sshd, near: Path) -> None:
    """Another host key, and none: nothing is sent, the reason is said once."""
    other = make_key(host.folder / "other")
    host.known.write_text(host.known_line(other))
    driver = run(program, host, near)
    driver.do("write a 1000")
    driver.wait("Host key verification failed")
    driver.until("failed", 3)
    assert "is away" in one_line(driver, "Host key verification failed")
    driver.stop()
    host.known.write_text("")
    driver = run(program, host, near)
    driver.wait("No ED25519 host key is known")
    driver.stop()
    assert host.files() == {}
    assert host.known.read_text() == ""
    assert len(driver.spool()) == 1


def test_wrong_key(program: Path, host: Sshd, near: Path) -> None:
    """A key that the account does not know, until it does."""
    host.keys.write_text(make_key(host.folder / "other").with_suffix(".pub").read_text())
    driver = run(program, host, near)
    driver.do("write a 1000")
    driver.wait("Permission denied (publickey)")
    driver.until("failed", 2)
    host.keys.write_text(host.key.with_suffix(".pub").read_text())
    driver.wait("127.0.0.1 is back after")
    driver.until("waiting", 0)
    driver.stop()
    assert set(host.files()) == {"a"}
    one_line(driver, "Permission denied")


def test_options_that_cannot_be(program: Path, host: Sshd, near: Path) -> None:
    """Files that are not there, or open to others, are errors at the start."""
    words = {
        "key=/nonexistent": "cannot read keyfile /nonexistent",
        "hosts=/nonexistent": "cannot read known_hosts",
        "ssh=/nonexistent": "there is no ssh here",
        f"key={near}": "is no file",
    }
    for word, text in words.items():
        driver = Driver(program, host.to(), near, word)
        driver.wait(text)
        assert driver.process.wait() == 1
    host.key.chmod(0o644)
    driver = Driver(program, host.to(), near, f"key={host.key}")
    driver.wait("chmod 600")
    driver = Driver(program, "-oProxyCommand=x:y", near)
    driver.wait("no name of a host")


# --- the other side fails ------------------------------------------------------------------------
def test_gone_and_back(program: Path, host: Sshd, near: Path) -> None:
    """One line when it goes, one when it is back, whatever happens in between."""
    driver = run(program, host, near)
    for turn in range(2):
        driver.do(f"write a{turn} 1000")
        driver.until("waiting", 0)
        host.stop()
        driver.do(f"write b{turn} 1000")
        driver.do(f"write c{turn} 1000")
        driver.wait("127.0.0.1 is away: ")
        counts = driver.until("failed", (turn + 1) * 4)
        assert counts["away"] == 1 and counts["waiting"] == 2 and counts["oldest_ms"] > 0
        host.start()
        driver.wait("127.0.0.1 is back after")
        driver.until("waiting", 0)
    assert driver.counts()["away"] == 0
    driver.stop()
    assert len(driver.said("is away")) == 2 and len(driver.said("is back")) == 2
    assert "Connection refused" in driver.said("is away")[0]
    assert len(host.files()) == 6


def test_connection_dies_in_a_transfer(program: Path, host: Sshd, near: Path) -> None:
    """All of sshd killed while bytes flow: the file is whole in the end."""
    driver = run(program, host, near)
    driver.tell("write a 60000000")
    end = time.monotonic() + 20
    while not [p for p in host.incoming.iterdir() if p.stat().st_size > 1_000_000]:
        assert time.monotonic() < end
        time.sleep(0.001)
    host.stop()
    assert not (host.incoming / "a").exists()
    driver.wait("is away")
    host.start()
    driver.until("waiting", 0)
    driver.stop()
    assert host.files() == {"a": (near / "a").read_bytes()}


def test_hang(program: Path, host: Sshd, near: Path) -> None:
    """A server that stops moving is left after a while, with its process and what that started."""
    driver = run(program, host, near, "stall=700")
    driver.do("write a 1000")
    driver.until("waiting", 0)
    assert host.process is not None
    host.process.send_signal(19)
    driver.do("write b 1000")
    driver.wait("nothing has moved")
    worker = children(children(driver.process.pid)[0])[0]
    wait_gone(children(worker))
    host.process.send_signal(18)
    driver.until("waiting", 0)
    driver.stop()
    assert set(host.files()) == {"a", "b"}


def test_disk_full(program: Path, tmp_path: Path, near: Path) -> None:
    """A full disk there: said once, small files still fit, and all goes on when there is room."""
    (tmp_path / "far").mkdir()
    host = Sshd(tmp_path / "far")
    mount = f'mount -t tmpfs -o size=1m tmpfs "{host.incoming}" && exec "$@"'
    host.wrap = ["unshare", "-m", "sh", "-c", mount, "sh"]
    host.start()
    assert host.process is not None
    inside = Path(f"/proc/{host.process.pid}/root/{host.incoming}")
    try:
        (inside / "ballast").write_bytes(bytes(700_000))
        driver = run(program, host, near)
        driver.do("write large 500000")
        driver.wait("takes no files: cannot write there: failure (a full disk, a quota?)")
        driver.do("write small 1000")
        driver.until("done", 1)
        assert (inside / "small").exists() and not (inside / "large").exists()
        (inside / "ballast").unlink()
        driver.until("waiting", 0)
        assert (inside / "large").read_bytes() == (near / "large").read_bytes()
        assert driver.counts()["failed"] >= 1
        driver.stop()
        assert len(driver.said("takes no files")) <= 2
    finally:
        host.stop()


def test_folder_missing_there(program: Path, host: Sshd, near: Path) -> None:
    """No folder is made on the other side; the words say what is missing."""
    driver = run(program, host, near, to=host.to(f"{host.incoming}/sub"))
    driver.do("write a 1000")
    driver.wait("takes no files: cannot make a file there: no such file or folder")
    (host.incoming / "sub").mkdir()
    driver.until("waiting", 0)
    driver.stop()
    assert (host.incoming / "sub/a").exists()


@pytest.mark.parametrize("user", ["root", "nobody"])
def test_no_shell(program: Path, tmp_path: Path, near: Path, user: str) -> None:
    """An account that may only do SFTP: read back instead of sha256sum, and a real user."""
    (tmp_path / "far").mkdir()
    for path in tmp_path.parents:
        if path.is_relative_to("/tmp/pytest-of-root"):
            path.chmod(0o755)
    tmp_path.chmod(0o755)
    host = Sshd(tmp_path / "far", user, "ForceCommand internal-sftp")
    host.keys.chmod(0o644)
    host.start()
    try:
        driver = run(program, host, near)
        driver.do("write a 3000000")
        driver.do("write b 2000000")
        driver.until("done", 2)
        assert driver.counts()["failed"] == 0
        driver.stop()
        assert host.files() == {n: (near / n).read_bytes() for n in ("a", "b")}
        assert (host.incoming / "a").owner() == user
    finally:
        host.stop()


# --- rights, processes, descriptors --------------------------------------------------------------
def test_rights_are_dropped(program: Path, host: Sshd, near: Path) -> None:
    """The key stays root's; files are reached as the main process' user, not as root."""
    user = pwd.getpwnam("nobody")
    shutil.chown(near, "nobody")
    driver = run(program, host, near, f"uid={user.pw_uid}", "retain=0")
    assert os.stat(near / ".spool").st_uid == user.pw_uid
    assert stat.S_IMODE(host.key.stat().st_mode) == 0o600 and host.key.owner() == "root"
    driver.do("write a 1000")
    driver.until("done", 1)
    worker = children(children(driver.process.pid)[0])[0]
    status = dict(
        line.split(":\t", 1)
        for line in Path(f"/proc/{worker}/status").read_text().splitlines()
        if ":\t" in line
    )
    assert status["Uid"].split()[:2] == ["0", str(user.pw_uid)]
    assert status["NoNewPrivs"] == "1"
    assert int(status["CapEff"], 16) == 0
    assert int(status["CapPrm"], 16) == int(status["CapBnd"], 16) == 1 << 2  # to read only
    # A link to what the user cannot read, where a broken main process could put it:
    secret = near.parent / "secret"
    secret.write_text("secret")
    secret.chmod(0o600)
    os.link(secret, near / ".spool/00001000000000000000-secret")
    (near / ".spool/00001000000000000001-link").symlink_to(secret)
    driver.do("write b 1000")
    driver.until("done", 2)
    one_line(driver, "cannot read secret: Permission denied")
    one_line(driver, "cannot read link: ")
    driver.stop()
    assert set(host.files()) == {"a", "b"}
    assert sorted(p.name for p in near.iterdir()) == [".spool"]
    assert len(driver.spool()) == 2


def has_landlock() -> bool:
    """Does the kernel answer landlock_create_ruleset(NULL, 0, LANDLOCK_CREATE_RULESET_VERSION)?"""
    return ctypes.CDLL(None).syscall(444, None, 0, 1) >= 1


def test_uploader_writes_nowhere(program: Path, host: Sshd, near: Path) -> None:
    """Even as root it can only remove files in the folder: ssh cannot write (here: a script)."""
    if not has_landlock():
        pytest.skip("no Landlock here")
    script = near.parent / "ssh"
    outside, inside = near.parent / "outside", near / "inside"
    script.write_text(
        f"#!/bin/sh\necho x 2>/dev/null >{outside}\necho x 2>/dev/null >{inside}\n"
        f"rm -f {near}/a 2>/dev/null\necho tried >&2\n"
    )
    script.chmod(0o755)
    driver = run(program, host, near, f"ssh={script}")
    driver.do("write a 1000")
    driver.wait("is away: ")
    driver.stop()
    assert not outside.exists() and not inside.exists() and (near / "a").exists()


def descriptors(pid: int) -> list[str]:
    """What a process has open."""
    return sorted(os.readlink(p) for p in Path(f"/proc/{pid}/fd").iterdir())


def idle_processes(driver: Driver) -> list[int]:
    """The driver, the keeper and the worker, once the ssh of the last file has gone: a file counts
    as done when its last answer has come, and ssh ends behind that."""
    keeper = children(driver.process.pid)[0]
    worker = children(keeper)[0]
    wait_childless(worker)
    assert descendants(driver.process.pid) == [keeper, worker]
    return [driver.process.pid, keeper, worker]


def test_nothing_leaks(program: Path, host: Sshd, near: Path) -> None:
    """After many files and failures: no zombie, no ssh left, the same descriptors open."""
    driver = run(program, host, near)
    driver.do("write f0 2000000")
    driver.until("waiting", 0)
    pids = idle_processes(driver)
    before = [descriptors(p) for p in pids]
    for i in range(1, 11):
        driver.do(f"write f{i} 1100000")
    driver.until("waiting", 0)
    host.stop()
    driver.do("write g 1000")
    driver.until("failed", 3)
    host.start()
    driver.until("waiting", 0)
    assert idle_processes(driver) == pids
    assert not any(map(is_zombie, pids))
    assert [descriptors(p) for p in pids] == before
    driver.stop()
    wait_gone(pids)


def test_uploader_dies(program: Path, host: Sshd, near: Path) -> None:
    """The working half is started again; without the keeper the main process says so."""
    driver = run(program, host, near)
    driver.do("write a 1000")
    driver.until("waiting", 0)
    keeper = children(driver.process.pid)[0]
    kill(children(keeper)[0])
    driver.wait("the uploader has failed (signal 9) and is started again")
    driver.do("write b 1000")
    driver.until("waiting", 0)
    below = children(keeper)
    kill(keeper)
    driver.wait("the uploader has ended")
    wait_gone(below)
    driver.do("write c 1000")
    assert driver.counts()["running"] == 0
    assert driver.stop(5000) == 0
    assert set(host.files()) == {"a", "b"} and len(driver.spool()) == 1


def test_signals_to_the_group(program: Path, host: Sshd, near: Path) -> None:
    """TERM and INT to all processes, as service managers and terminals send them, end no upload."""
    driver = run(program, host, near)
    for pid in descendants(driver.process.pid):
        for number in (1, 2, 3, 10, 12, 15):
            os.kill(pid, number)
    driver.do("write a 1000")
    driver.until("waiting", 0)
    driver.stop()
    assert driver.said("failed (") == []
