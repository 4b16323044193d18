# SPDX-License-Identifier: BSD-3-Clause
"""Private networks for live tests: namespaces, cables between them, programs, replayed captures.

Everything hangs on one Net, which removes all of it at the end, whatever happened:

    with Net() as net:
        a, b = net.cable()                       # two namespaces, eth0 in each
        p = b.start(program(), "interface=eth0", "output=out.json")
        p.wait_for("capturing")                  # a line of its output, not a sleep
        sent = a.replay("tests/fixtures/web.pcap")
        p.stop()

Names of namespaces contain the process id.  Tests that use this need root: say
`pytestmark = needs_root` (from this file) at their top.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from types import TracebackType

import pytest

SECONDS = 20.0  # the longest that a test waits for one event
STEP = 0.01  # seconds between two looks at what gives no events of its own


def missing() -> str:
    """Why there can be no private networks here; empty when there can."""
    if os.geteuid() != 0:
        return "network namespaces need root"
    if shutil.which("ip") is None:
        return "no ip (iproute2) here"
    return ""


needs_root = pytest.mark.skipif(bool(missing()), reason=missing() or "-")


def await_true(what: Callable[[], object], why: str, seconds: float = SECONDS) -> None:
    """Return as soon as what() is true; fail when it is not within that time."""
    end = time.monotonic() + seconds
    while not what():
        if time.monotonic() > end:
            raise AssertionError(f"waited in vain ({seconds:g} s) for {why}")
        time.sleep(STEP)


class Process:
    """A program that runs in the background; both its outputs go to one file."""

    def __init__(self, command: Sequence[str], log: Path, env: dict[str, str] | None) -> None:
        self.command, self.log = command, log
        with log.open("wb") as out:
            self.popen = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=subprocess.STDOUT,
                env={**os.environ, **(env or {})},
                start_new_session=True,
            )

    def text(self) -> str:
        """What it has said so far."""
        return self.log.read_text(errors="replace")

    @property
    def pid(self) -> int:
        """Its process id (`ip netns exec` becomes the program, so it is the program's own)."""
        return self.popen.pid

    def wait_for(self, pattern: str, seconds: float = SECONDS, times: int = 1) -> str:
        """Wait until its output has the pattern (that often) and return the last match's line."""
        found = re.compile(f"^.*(?:{pattern}).*$", re.MULTILINE)

        def there() -> bool:
            if len(found.findall(self.text())) >= times:
                return True
            if self.popen.poll() is not None and len(found.findall(self.text())) < times:
                raise AssertionError(f"ended without {pattern!r}:\n{self.text()}")
            return False

        try:
            await_true(there, f"{pattern!r}", seconds)
        except AssertionError as late:
            raise AssertionError(f"{late}\n{self.text()[-4000:]}") from None
        return found.findall(self.text())[times - 1]

    def send(self, number: int) -> None:
        """Send it a signal."""
        self.popen.send_signal(number)

    def wait(self, seconds: float = SECONDS) -> int:
        """Wait for its end; the exit status."""
        try:
            return self.popen.wait(seconds)
        except subprocess.TimeoutExpired:
            raise AssertionError(
                f"{self.command[0]} does not end:\n{self.text()[-4000:]}"
            ) from None

    def stop(self, number: int = signal.SIGTERM, seconds: float = SECONDS) -> int:
        """Ask it to end, wait; the exit status."""
        if self.popen.poll() is None:
            self.send(number)
        return self.wait(seconds)

    def kill(self) -> None:
        """End it and its children for good."""
        try:
            os.killpg(self.popen.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        self.popen.wait()


class Namespace:
    """A network namespace of its own, with its loopback up and IPv6's own chatter off."""

    def __init__(self, net: Net, name: str) -> None:
        self.net, self.name = net, name
        ip("netns", "add", name)
        for key in ("all", "default"):
            self.sysctl(f"net.ipv6.conf.{key}.disable_ipv6", "1")
        self.ip("link", "set", "lo", "up")

    def inside(self, *command: str | Path) -> list[str]:
        """The command as it has to be called to run inside."""
        return ["ip", "netns", "exec", self.name, *map(str, command)]

    def run(
        self,
        *command: str | Path,
        check: bool = True,
        seconds: float = 60,
        stdin: bytes | None = None,
        env: dict[str, str] | None = None,
    ) -> subprocess.CompletedProcess[str]:
        """Run a command to its end; its status must be 0 unless check is False."""
        done = subprocess.run(
            self.inside(*command),
            input=None if stdin is None else stdin.decode(),
            stdin=subprocess.DEVNULL if stdin is None else None,
            capture_output=True,
            text=True,
            errors="replace",
            timeout=seconds,
            env={**os.environ, **(env or {})},
            check=False,
        )
        if check and done.returncode != 0:
            raise AssertionError(f"{command}: status {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def start(
        self, *command: str | Path, log: Path | None = None, env: dict[str, str] | None = None
    ) -> Process:
        """Run a command in the background; Net ends it if the test does not."""
        where = log or self.net.folder / f"{len(self.net.processes)}.log"
        process = Process(self.inside(*command), where, env)
        self.net.processes.append(process)
        return process

    def ip(self, *words: str) -> str:
        """`ip` inside, such as ip("link", "set", "eth0", "down")."""
        return ip("-n", self.name, *words)

    def sysctl(self, key: str, value: str) -> None:
        """Set a kernel variable of the namespace, where there is such a one."""
        path = "/proc/sys/" + key.replace(".", "/")
        self.run("sh", "-c", f"[ ! -e {path} ] || echo {value} >{path}")

    def counter(self, interface: str, name: str) -> int:
        """A counter of /sys/class/net/INTERFACE/statistics, such as rx_packets."""
        return int(self.run("cat", f"/sys/class/net/{interface}/statistics/{name}").stdout)

    def replay(self, capture: str | Path, *options: str, interface: str = "eth0") -> int:
        """Send a capture by tcpreplay (as fast as it can, or by --mbps=, --pps=, --multiplier=).

        Returns how many packets were sent; a packet that could not be sent is a failure.
        """
        if shutil.which("tcpreplay") is None:
            pytest.skip("no tcpreplay here")
        speed = options or ("--topspeed",)
        done = self.run("tcpreplay", f"--intf1={interface}", *speed, str(capture), seconds=600)
        said = done.stdout + done.stderr
        sent = re.search(r"Successful packets:\s+(\d+)", said)
        failed = re.search(r"Failed packets:\s+(\d+)", said)
        if sent is None or failed is None or int(failed[1]) != 0:
            raise AssertionError(f"tcpreplay {capture}:\n{said}")
        return int(sent[1])


class Net:
    """All namespaces, cables and programs of one test; removed when the block is left."""

    count = 0  # of namespaces made by this process

    def __init__(self) -> None:
        self.namespaces: list[Namespace] = []
        self.processes: list[Process] = []
        self.folder = Path(tempfile.mkdtemp(prefix="joy-net-"))

    def __enter__(self) -> Net:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        what: BaseException | None,
        where: TracebackType | None,
    ) -> None:
        self.close()

    def namespace(self, name: str = "ns") -> Namespace:
        """A new namespace; its name is made unique."""
        Net.count += 1
        ns = Namespace(self, f"joy-{name}-{os.getpid()}-{Net.count}")
        self.namespaces.append(ns)
        return ns

    def cable(
        self,
        a: Namespace | None = None,
        b: Namespace | None = None,
        names: tuple[str, str] = ("eth0", "eth0"),
        mtu: int = 1600,
    ) -> tuple[Namespace, Namespace]:
        """A veth pair, up at both ends, without addresses: only what a test sends is on it.

        Checksums are real ones and nothing is merged or segmented, so that what is captured at
        one end is what was sent at the other.  What 'a' sends is sent from now on; the kernel may
        need a moment for 'b', and what is sent until then vanishes without an error.
        """
        a = a or self.namespace("a")
        b = b or self.namespace("b")
        ends = ["name", names[0], "mtu", str(mtu), "type", "veth", "peer", "name", names[1]]
        a.ip("link", "add", *ends, "mtu", str(mtu), "netns", b.name)
        for ns, name in ((b, names[1]), (a, names[0])):  # the sender has its carrier at once
            if shutil.which("ethtool"):
                ns.run("ethtool", "-K", name, "tx", "off", "gro", "off", "tso", "off", check=False)
            ns.ip("link", "set", name, "up", "arp", "off")
        return a, b

    def hosts(self, subnet: str = "192.0.2") -> tuple[Namespace, Namespace]:
        """A cable with ARP and an IPv4 address at each end: SUBNET.1 and SUBNET.2."""
        a, b = self.cable()
        for number, ns in enumerate((a, b), 1):
            ns.ip("link", "set", "eth0", "arp", "on")
            ns.ip("address", "add", f"{subnet}.{number}/24", "dev", "eth0")
        await_true(
            lambda: a.run("ping", "-c1", "-W1", f"{subnet}.2", check=False).returncode == 0,
            "an answer from the other host",
        )
        return a, b

    def close(self) -> None:
        """End every program, remove every namespace (and so every interface in it)."""
        for process in self.processes:
            if process.popen.poll() is None:
                process.kill()
        for ns in self.namespaces:
            for pid in ip("netns", "pids", ns.name, check=False).split():
                try:
                    os.kill(int(pid), signal.SIGKILL)
                except ProcessLookupError:
                    pass
            ip("netns", "del", ns.name, check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


def ip(*words: str, check: bool = True) -> str:
    """The program ip; its output."""
    done = subprocess.run(["ip", *words], capture_output=True, text=True, check=False)
    if check and done.returncode != 0:
        raise AssertionError(f"ip {' '.join(words)}: {done.stderr}")
    return done.stdout
