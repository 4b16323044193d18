# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 at random moments of finishing and uploading files; nothing finished is lost or doubled.

At each moment one of them is killed: the main process, the uploader's keeper or its working half,
ssh, the sshd that takes the file, or all of sshd.  In the end every file that was finished is whole
on the other side, once.

    test_kill.py [MOMENTS [SEED]]     more of them; the test has ten
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent))
from sshd import Driver, Sshd, children, content, descendants, driver_program, kill, why_not

pytestmark = pytest.mark.skipif(why_not() != "", reason=why_not())

VICTIMS = ("main", "keeper", "worker", "ssh", "session", "sshd")
WORDS = ("retry=20", "longest=100", "stall=5000")


class Scene:
    """One sensor, one other side, and what has been finished so far."""

    def __init__(self, folder: Path, seed: int, retain: bool) -> None:
        self.random = random.Random(seed)
        self.retain = retain
        self.near = folder / "near"
        self.near.mkdir()
        (folder / "far").mkdir()
        self.host = Sshd(folder / "far")
        self.program = driver_program()
        self.asked: dict[str, int] = {}  # names and sizes of files that may have been finished
        self.finished: set[str] = set()  # of those that have been
        self.killed: Counter[str] = Counter()
        self.driver = self.start()

    def start(self) -> Driver:
        """A main process; it finishes what a dead one left, as sinks do."""
        if self.host.process is None:
            self.host.start()
        words = (f"key={self.host.key}", f"hosts={self.host.known}", *WORDS)
        to, retain = self.host.to(), f"retain={int(self.retain)}"
        driver = Driver(self.program, to, self.near, *words, retain)
        driver.wait("ready")
        return driver

    def write(self, count: int) -> None:
        """Has files made, and does not wait for it."""
        for _ in range(count):
            size = self.random.choice([100, 30_000, 300_000, 1_500_000])
            name = f"f{len(self.asked):05d}-{size}"
            self.asked[name] = size
            self.driver.tell(f"write {name} {size}")

    def take_answers(self) -> None:
        """Each "ok" is a file that is finished, in their order."""
        done = len([line for line in self.driver.lines if line == "ok"])
        self.finished |= set(list(self.asked)[self.first : self.first + done])

    def victim(self, what: str) -> list[int]:
        """Its process ids; none when it does not run just now."""
        main = self.driver.process.pid
        keeper = children(main)[:1]
        worker = children(keeper[0])[:1] if keeper else []
        sshd = self.host.process.pid if self.host.process else 0
        return {
            "main": [main],
            "keeper": keeper,
            "worker": worker,
            "ssh": children(worker[0]) if worker else [],
            "session": descendants(sshd),
            "sshd": [sshd, *descendants(sshd)],
        }[what]

    def moment(self) -> None:
        """Writes, waits a while, kills; a dead main process gets a successor."""
        self.first = len(self.asked)
        self.driver.lines.clear()
        self.write(self.random.randrange(1, 5))
        time.sleep(self.random.uniform(0, 0.6))
        what = self.random.choice(VICTIMS)
        pids = self.victim(what)
        self.killed[what if pids else f"no {what}"] += 1
        if what == "sshd":
            self.host.stop()
            self.host.start()
        elif what == "main":
            self.driver.kill()
        else:
            for pid in pids:
                kill(pid)
        if what != "main":
            self.driver.until("running", int(what != "keeper"))
            self.finish_driver()
        self.driver.reader.join(5)
        self.take_answers()
        self.driver = self.start()

    def finish_driver(self) -> None:
        """Half of the time an orderly end, else another kill."""
        if self.random.random() < 0.5:
            assert self.driver.stop() == 0
        else:
            self.driver.kill()

    def check(self) -> None:
        """Works the spool off, then compares both sides."""
        self.first, self.driver.lines[:] = len(self.asked), []
        self.driver.until("waiting", 0, 120)
        assert self.driver.stop() == 0
        self.there = there = self.host.files()
        assert self.finished <= set(there) <= set(self.asked)
        for name, bytes_ in there.items():
            assert bytes_ == content(name, self.asked[name]), f"{name} is not whole"
        left = {p.name for p in self.near.iterdir()} - {".spool"}
        assert left == (set(there) if self.retain else set())
        assert list((self.near / ".spool").iterdir()) == []
        parts = {p.name for p in self.host.incoming.iterdir()} - set(there)
        assert parts == set()


def play(folder: Path, moments: int, seed: int, retain: bool) -> Scene:
    """So many kills; whatever happens, nothing runs on."""
    scene = Scene(folder, seed, retain)
    try:
        for _ in range(moments):
            scene.moment()
        scene.check()
    finally:
        scene.driver.kill()
        scene.host.stop()
    return scene


@pytest.mark.parametrize("retain", [True, False])
def test_kills(tmp_path: Path, retain: bool) -> None:
    """Ten in all."""
    seed = random.randrange(1 << 32)
    print(f"seed {seed}")
    scene = play(tmp_path, 5, seed, retain)
    assert len(scene.finished) > 0


def main() -> None:
    """Half of the moments with retain=1, half with retain=0."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    for retain in (True, False):
        begin = time.monotonic()
        with tempfile.TemporaryDirectory() as folder:
            scene = play(Path(folder), moments // 2, seed, retain)
            print(
                f"retain={int(retain)} seed {seed}: {moments // 2} kills {dict(scene.killed)}, "
                f"{len(scene.finished)} files finished, {len(scene.there)} there, all whole, "
                f"none twice ({time.monotonic() - begin:.0f} s)"
            )


if __name__ == "__main__":
    main()
