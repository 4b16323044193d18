# SPDX-License-Identifier: BSD-3-Clause
"""A sensor as a service: whose rights it has, what it tells, what it can be asked, how it ends."""

from __future__ import annotations

import contextlib
import json
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import program

from net import Namespace, Net, Process, await_true, needs_root

pytestmark = needs_root

NOBODY = pwd.getpwnam("nobody")
TALK = """
import socket, sys
for flow in range(int(sys.argv[2])):
    s = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    for n in range(int(sys.argv[1])):
        s.sendto(b"x" * 100, ("192.0.2.1", 4711))
"""
ASK = """
import socket, sys
s = socket.create_connection(("127.0.0.1", 9464))
s.sendall(sys.stdin.buffer.read())
data = b""
while some := s.recv(65536):
    data += some
sys.stdout.buffer.write(data)
"""


class Sensor:
    """pcap2flow capturing at one end of a cable, and the other end to send from."""

    def __init__(self, *options: str, user: str = "nobody", disk: str = "", **env: str) -> None:
        self.net = Net()
        try:
            self.here, self.there = self.net.hosts()
            self.folder = self.net.folder / "out"
            self.folder.mkdir()
            self.disk = disk
            if disk:  # of so many bytes
                mount = ["mount", "-t", "tmpfs", "-o", f"size={disk}", "none", self.folder]
                subprocess.run(mount, check=True)
            self.net.folder.chmod(0o755)
            self.user(user)
            self.control = self.net.folder / "control"
            self.process = self.start(*options, user=user, env=env)
        except BaseException:
            self.net.close()
            raise

    def user(self, name: str) -> None:
        """The folder of the output goes to that user."""
        if name not in ("none", "auto"):
            os.chown(self.folder, pwd.getpwnam(name).pw_uid, -1)

    def start(self, *options: str, user: str = "nobody", env: dict[str, str]) -> Process:
        """Returns when it captures."""
        words = [f"output={self.folder}/data.json", f"control={self.control}", f"username={user}"]
        p = self.here.start(
            *(program(), "interface=eth0", "bidir=1", "verbosity=2", "count=1000000"),
            *words,
            *options,
            env=env,
        )
        p.wait_for("capturing from eth0")
        return p

    def __enter__(self) -> Sensor:
        return self

    def __exit__(self, *_: object) -> None:
        self.process.kill()
        if self.disk:
            subprocess.run(["umount", self.folder], check=True)
        self.net.close()

    def talk(self, count: int = 20, flows: int = 1) -> None:
        """So many datagrams of so many flows come in."""
        self.there.run(sys.executable, "-c", TALK, str(count), str(flows))

    def ctl(self, word: str) -> subprocess.CompletedProcess[str]:
        """Ask over the control socket."""
        return ctl(word, self.control)

    def stats(self) -> dict:
        """The counters, as ctl=stats prints them."""
        done = self.ctl("stats")
        assert (done.returncode, done.stderr) == (0, "")
        return json.loads(done.stdout)

    def await_packets(self, count: int) -> None:
        """Until so many are counted."""
        await_true(lambda: self.stats()["summary"]["packets"] >= count, f"{count} packets")

    def await_files(self, count: int) -> None:
        """Until a record is written and so many files are finished, the last one by ctl=rotate."""
        await_true(lambda: self.stats()["output"]["records"] >= 1, "a record")
        assert self.ctl("rotate").returncode == 0
        await_true(lambda: len(list(self.folder.glob("*.json"))) >= count, f"{count} files")

    def http(self, request: str) -> tuple[int, str, str]:
        """Status, head, and body of the answer to a request, asked inside."""
        done = self.here.run(sys.executable, "-c", ASK, stdin=request.encode())
        head, _, body = done.stdout.replace("\r\n", "\n").partition("\n\n")
        return int(head.split()[1]), head, body

    def get(self, path: str) -> tuple[int, str, str]:
        """GET by HTTP/1.1."""
        return self.http(f"GET {path} HTTP/1.1\r\nHost: localhost\r\n\r\n")


def ctl(word: str, control: Path) -> subprocess.CompletedProcess[str]:
    """The client of the control socket."""
    command = [str(program()), f"ctl={word}", f"control={control}"]
    return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)


def status(pid: int | str, task: str = "") -> dict[str, str]:
    """/proc/PID/status as a table."""
    text = Path(f"/proc/{pid}{task}/status").read_text(encoding="ascii", errors="replace")
    return dict(re.findall(r"^(\w+):[ \t]*(.*?)[ \t]*$", text, re.MULTILINE))


def threads(pid: int) -> list[dict[str, str]]:
    """The same for each thread."""
    return [status(pid, f"/task/{t.name}") for t in Path(f"/proc/{pid}/task").iterdir()]


# --- rights --------------------------------------------------------------------------------------
def test_drops_rights() -> None:
    with Sensor("threads=2", "idle_timeout=0.2") as s:
        all_threads = threads(s.process.pid)
        assert len(all_threads) >= 3
        for t in all_threads:
            assert t["Uid"].split() == [str(NOBODY.pw_uid)] * 4
            assert t["Gid"].split() == [str(NOBODY.pw_gid)] * 4
            assert t["Groups"] == ""
            for name in ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"):
                assert int(t[name], 16) == 0
            assert (t["NoNewPrivs"], t["Seccomp"]) == ("1", "2")
        s.talk()
        s.await_files(1)
        s.talk()
        assert s.process.stop() == 0
        files = sorted(s.folder.glob("*.json"))
        assert len(files) == 2
        assert {f.stat().st_uid for f in files} == {NOBODY.pw_uid}
        lines = [json.loads(line) for f in files for line in f.read_text().splitlines()]
        assert sum(r.get("num_pkts_out", 0) for r in lines if r.get("dp") == 4711) == 40


def test_root_stays_in_the_sandbox_where_there_is_no_joy(tmp_path: Path) -> None:
    """sudo ./pcap2flow interface=eth0 bidir=1 output=data.json"""
    with contextlib.suppress(KeyError):
        pwd.getpwnam("joy")
        pytest.skip("user joy is here")
    with Net() as net:
        here, there = net.hosts()
        command = f"cd {tmp_path} && exec {program()} interface=eth0 bidir=1 output=data.json"
        p = here.start("sh", "-c", f"{command} verbosity=2")
        p.wait_for("there is no user joy")
        p.wait_for("capturing from eth0")
        s = status(p.pid)
        assert s["Uid"].split() == ["0"] * 4
        assert int(s["CapEff"], 16) == 2  # CAP_DAC_OVERRIDE: folders of others may be written to
        assert (s["NoNewPrivs"], s["Seccomp"]) == ("1", "2")
        there.run(sys.executable, "-c", TALK, "5", "1")
        assert p.stop() == 0
        assert json.loads((tmp_path / "data.json").read_text().splitlines()[-1])["summary"]


# A mount namespace whose user data base has a joy more than this machine's.
JOY = """
set -e
for file in passwd group; do
    (cat /etc/$file; echo joy:x:4711:{line}) >{folder}/$file
    mount --bind {folder}/$file /etc/$file
done
cd {folder}/out
exec {program} interface=eth0 bidir=1 output=data.json logfile={folder}/log verbosity=2
"""


@pytest.mark.parametrize("writable", [True, False])
def test_joy_is_the_default_where_he_can_write(writable: bool) -> None:
    with Net() as net:
        here, there = net.hosts()
        (net.folder / "out").mkdir()
        net.folder.chmod(0o777)
        if writable:
            os.chown(net.folder / "out", 4711, 4711)
        script = JOY.replace("{line}", "4711::/:/bin/false")
        script = script.format(folder=net.folder, program=program())
        p = here.start("unshare", "-m", "--propagation", "private", "sh", "-c", script)
        log = net.folder / "log"
        await_true(lambda: log.exists() and "capturing" in log.read_text(), "the capture")
        uid = 4711 if writable else 0
        assert status(p.pid)["Uid"].split() == [str(uid)] * 4
        assert status(p.pid)["Seccomp"] == "2"
        words = f"warning: user joy cannot write to {net.folder}/out: 'chown joy {net.folder}/out'"
        warned = words in log.read_text()
        assert warned != writable
        there.run(sys.executable, "-c", TALK, "5", "1")
        assert p.stop() == 0
        assert (net.folder / "out/data.json").stat().st_uid == uid


def test_sandbox_off() -> None:
    with Sensor("sandbox=0") as s:
        assert status(s.process.pid)["Seccomp"] == "0"
        assert status(s.process.pid)["NoNewPrivs"] == "1"


@pytest.mark.parametrize(
    ("options", "words"),
    [
        (["username=no-such-user"], "there is no user no-such-user"),
        (["username=nobody"], "user nobody cannot write to {folder}: 'chown nobody {folder}'"),
        (["username=none", "metrics=nonsense"], "is no address and port"),
        (["username=none", "pidfile=/no/such/folder/pid"], "cannot write /no/such/folder/pid"),
        (["username=none", "control=/no/such/folder/x"], "cannot make folder /no/such/folder"),
    ],
)
def test_says_what_is_wrong_at_the_start(tmp_path: Path, options: list[str], words: str) -> None:
    tmp_path.chmod(0o755)
    with Net() as net:
        here, _ = net.cable()
        out = f"output={tmp_path}/data.json"
        done = here.run(program(), "interface=eth0", out, *options, check=False)
        assert done.returncode == 1
        assert done.stderr.startswith("pcap2flow: error: ")
        assert words.format(folder=tmp_path) in done.stderr
        assert done.stderr.count("\n") == 1


def test_who_runs_another_program_is_ended() -> None:
    """As an attacker would, whom a packet has given control: a debugger makes the call."""
    if not shutil.which("gdb"):
        pytest.skip("no gdb here")
    with Sensor() as s:
        log = s.process
        call = "call (long)syscall(59, 0, 0, 0)"
        command = ["gdb", "-q", "-batch", "-p", str(s.process.pid), "-ex", call]
        subprocess.run(command, capture_output=True, timeout=60, check=False)
        assert log.wait() == -signal.SIGSYS
        assert "error: the sandbox ends the program: system call execve was tried" in log.text()


# --- the service manager -------------------------------------------------------------------------
@pytest.fixture
def manager(tmp_path: Path) -> Iterator[tuple[str, socket.socket]]:
    """NOTIFY_SOCKET and the socket behind it."""
    name = str(tmp_path / "notify")
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as s:
        s.bind(name)
        s.settimeout(20)
        yield name, s


def hear(s: socket.socket, word: str) -> str:
    """The next message that has the word, whatever comes before."""
    while word not in (text := s.recv(4096).decode()):
        pass
    return text


def test_notifies(manager: tuple[str, socket.socket]) -> None:
    name, told = manager
    with Sensor(NOTIFY_SOCKET=name, WATCHDOG_USEC="400000") as s:
        assert hear(told, "READY=1") == "READY=1\nSTATUS=Capturing"
        assert hear(told, "WATCHDOG=1") == "WATCHDOG=1"
        assert hear(told, "WATCHDOG=1") == "WATCHDOG=1"
        s.process.send(signal.SIGHUP)
        assert re.search(r"^MONOTONIC_USEC=\d+$", hear(told, "RELOADING=1"), re.MULTILINE)
        hear(told, "READY=1")
        s.process.send(signal.SIGTERM)
        hear(told, "STOPPING=1")
        assert s.process.wait() == 0


# --- signals and the log -------------------------------------------------------------------------
def test_log_is_opened_anew_and_has_statistics() -> None:
    with Net() as net:
        here, _ = net.cable()
        net.folder.chmod(0o777)
        log, old = net.folder / "log", net.folder / "old"
        options = (f"output={net.folder}/data.json", f"logfile={log}", "verbosity=2")
        p = here.start(program(), "interface=eth0", "username=nobody", *options)
        await_true(lambda: log.exists() and "capturing" in log.read_text(), "the capture")
        assert log.stat().st_uid == NOBODY.pw_uid
        assert log.stat().st_mode & 0o777 == 0o640
        log.rename(old)
        p.send(signal.SIGHUP)
        await_true(lambda: log.exists() and "read again" in log.read_text(), "the new log")
        assert re.match(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ pcap2flow: info: ", log.read_text())
        p.send(signal.SIGUSR1)
        await_true(lambda: "summary" in log.read_text(), "statistics")
        line = [x for x in log.read_text().splitlines() if "summary" in x][0]
        assert json.loads(line.partition("pcap2flow: ")[2])["summary"]["packets"] >= 0
        assert "read again" not in old.read_text()
        assert p.stop() == 0


# --- the background ------------------------------------------------------------------------------
def test_daemon() -> None:
    with Net() as net:
        here, there = net.hosts()
        net.folder.chmod(0o777)
        pidfile, control = net.folder / "pid", net.folder / "control"
        command = [program(), "interface=eth0", f"output={net.folder}/data.json", "daemon=1"]
        command += [f"pidfile={pidfile}", f"control={control}", f"logfile={net.folder}/log"]
        command += ["verbosity=2", "username=nobody"]
        done = here.run(*command)  # comes back when all is ready
        assert (done.stdout, done.stderr) == ("", "")
        pid = int(pidfile.read_text())
        s = status(pid)
        assert (s["NSsid"].split()[0], s["PPid"]) == (str(pid), "1")
        assert json.loads(ctl("health", control).stdout) == {"status": "ok"}
        again = here.run(*command, check=False)
        assert again.returncode == 1
        assert "belongs to a process that is running" in (net.folder / "log").read_text()
        assert int(pidfile.read_text()) == pid
        there.run(sys.executable, "-c", TALK, "5", "1")
        os.kill(pid, signal.SIGTERM)
        await_true(lambda: not Path(f"/proc/{pid}").exists(), "its end")
        assert not control.exists()
        assert not pidfile.exists()
        assert "summary" in (net.folder / "data.json").read_text().splitlines()[-1]


def test_daemon_that_cannot_start() -> None:
    with Net() as net:
        here = net.namespace()
        out = f"output={net.folder}/data.json"
        done = here.run(program(), "interface=eth7", out, "daemon=1", check=False)
        assert done.returncode == 1
        assert "eth7" in done.stderr
        assert done.stderr.count("\n") == 1


# --- control socket ------------------------------------------------------------------------------
def test_control() -> None:
    with Sensor() as s:
        assert s.control.stat().st_mode & 0o777 == 0o600
        assert s.control.stat().st_uid == NOBODY.pw_uid
        s.talk(7)
        s.await_packets(7)
        stats = s.stats()
        assert stats["summary"]["drops"] == 0
        flows = [json.loads(line) for line in s.ctl("flows").stdout.splitlines()]
        assert sum(f["num_pkts_out"] for f in flows if f["dp"] == 4711) == 7
        assert json.loads(s.ctl("health").stdout) == {"status": "ok"}
        assert s.ctl("reload").returncode == 0
        s.process.wait_for("lists were read again")
        second = s.here.run(
            *(program(), "interface=eth0", f"output={s.folder}/2", f"control={s.control}"),
            "username=none",
            check=False,
        )
        assert second.returncode == 1
        assert f"another pcap2flow answers at {s.control}" in second.stderr
        s.process.kill()
        assert s.control.exists()  # a dead socket
        dead = s.ctl("stats")
        assert dead.returncode == 1
        assert "nothing answers" in dead.stderr
        s.process = s.start(env={})
        assert s.ctl("health").returncode == 0
        assert s.process.stop() == 0
        assert "nothing answers" in s.ctl("health").stderr


def test_clients_that_are_slow_or_wrong_hold_nothing_up() -> None:
    with Sensor("metrics=127.0.0.1:9464") as s, contextlib.ExitStack() as stack:
        for _ in range(7):
            idle = stack.enter_context(socket.socket(socket.AF_UNIX))
            idle.connect(str(s.control))
            idle.send(b"sta")
        s.talk(50)
        s.await_packets(50)
        for question in (b"what?\n", b"stats flows\n", b"\n", b"\xff\x00\n"):
            with socket.socket(socket.AF_UNIX) as wrong:
                wrong.connect(str(s.control))
                wrong.send(question)
                assert wrong.makefile("rb").read().startswith(b"error: unknown question")
        assert s.get("/health")[0] == 200


# --- HTTP ----------------------------------------------------------------------------------------
SAMPLE = re.compile(r'^(joy_\w+)(\{\w+="[^"]*"(?:,\w+="[^"]*")*\})? ([0-9.e+-]+)$')


def openmetrics(text: str) -> dict[str, float]:
    """Samples of an exposition, whose grammar is looked at on the way."""
    assert text.endswith("# EOF\n")
    kinds: dict[str, str] = {}
    samples: dict[str, float] = {}
    family = ""
    for line in text.splitlines()[:-1]:
        if line.startswith("# TYPE "):
            _, _, family, kind = line.split(" ", 3)
            assert family not in kinds
            kinds[family] = kind
        elif line.startswith(("# HELP ", "# UNIT ")):
            assert line.split(" ")[2] == family
            if line.startswith("# UNIT "):
                assert family.endswith("_" + line.split(" ")[3])
        else:
            name, labels, value = SAMPLE.match(line).groups()
            assert name == family + ("_total" if kinds[family] == "counter" else "")
            assert name + (labels or "") not in samples
            samples[name + (labels or "")] = float(value)
    return samples


def test_metrics() -> None:
    with Sensor("metrics=127.0.0.1:9464") as s:
        s.talk(30)
        s.await_packets(30)
        code, head, body = s.get("/metrics")
        assert code == 200
        kind = "Content-Type: application/openmetrics-text; version=1.0.0; charset=utf-8"
        assert kind in head.splitlines()
        samples = openmetrics(body)
        assert samples["joy_packets_total"] >= 30
        assert samples["joy_drops_total"] == 0
        assert samples["joy_flows_alive"] >= 1
        assert samples['joy_interface_packets_total{interface="eth0"}'] >= 30
        assert s.get("/health")[0::2] == (200, '{"status":"ok"}\n')
        assert s.get("/metrics?x=1")[0] == 200
        assert s.http("HEAD /metrics HTTP/1.0\r\n\r\n")[2] == ""
        assert s.get("/")[0] == 404
        assert s.http("POST /metrics HTTP/1.1\r\nHost: x\r\n\r\n")[0] == 405
        assert s.http("nonsense\r\n\r\n")[0] == 400
        assert s.http("GET /" + "x" * 9000)[0] == 431


def test_health_says_when_records_cannot_be_written() -> None:
    with Sensor("metrics=127.0.0.1:9464", "idle_timeout=0.2", disk="1m") as s:
        (s.folder / "fill").write_bytes(bytes(1020000))
        s.talk(1, flows=200)
        await_true(lambda: s.get("/health")[0] == 503, "the pause")
        assert s.get("/health")[2] == '{"status":"paused"}\n'
        health = s.ctl("health")
        assert (health.returncode, health.stderr) == (1, "pcap2flow: error: paused\n")
        (s.folder / "fill").unlink()
        await_true(lambda: s.get("/health")[0] == 200, "the end of the pause")


def test_rotate_needs_a_series() -> None:
    with Sensor("count=0") as s:
        done = s.ctl("rotate")
        assert done.returncode == 1
        assert "the output is one file" in done.stderr


def test_namespace_is_private(tmp_path: Path) -> None:
    """Metrics listen where they are told to, and nowhere else."""
    with Sensor("metrics=127.0.0.1:9464") as s:
        assert listens(s.here) == {"0100007F:24F8"}
        assert tmp_path.exists()


def listens(where: Namespace) -> set[str]:
    """Addresses of TCP sockets that listen in a namespace, as /proc has them."""
    table = where.run("cat", "/proc/net/tcp", "/proc/net/tcp6", check=False).stdout
    return {line.split()[1] for line in table.splitlines() if " 0A " in line}
