# SPDX-License-Identifier: BSD-3-Clause
"""A sensor that is killed at random moments while it splits and uploads its output.

    test_sensor_kill.py [MOMENTS [SEED]]      # 100 moments, with a line of what came of it

Every packet sent is a flow of its own, so that a record seen twice, or lost from a file that was
finished, shows.  What the kill took from the sensor's memory is gone, and no more than that.
"""

from __future__ import annotations

import json
import random
import shutil
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import pytest
import sshd
from program import program
from test_output_kill import compile_send

from net import Namespace, Net, Process, await_true, needs_root

pytestmark = [needs_root, pytest.mark.skipif(bool(sshd.why_not()), reason=sshd.why_not() or "-")]

SAMPLE = sshd.ROOT / "sample.pcap"
RATE = 3000  # flows a second


class Inside(sshd.Sshd):
    """An sshd in a namespace."""

    def listen(self, where: Namespace) -> Process:
        """Start it there; returns when connections are taken."""
        sshd.RUN.mkdir(mode=0o755, exist_ok=True)
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
            "Subsystem sftp internal-sftp",
            "MaxStartups 1000",
        ]
        config.write_text("\n".join(words) + "\n")
        p = where.start(sshd.SSHD, "-D", "-e", "-f", config)
        p.wait_for("Server listening")
        return p


def keys_of(data: bytes) -> list[str]:
    """The initiators of a finished file, every line of which is JSON."""
    assert data.endswith(b"\n")
    lines = [json.loads(line) for line in data.splitlines()]
    assert "version" in lines[0]
    return [line["sa"] for line in lines if "flow_id" in line]


def start(where: Namespace, out: Path, far: Inside) -> Process:
    """The sensor, when it captures."""
    words = ["interface=eth0", "bidir=1", "idle_timeout=0.3", "count=200", "verbosity=3"]
    words += [f"output={out}/x.json", f"upload={far.to()}", f"keyfile={far.key}"]
    words += [f"known_hosts={far.known}", "username=none"]
    p = where.start(program(), *words)
    p.wait_for("capturing from eth0")
    return p


def finished(out: Path) -> dict[str, bytes]:
    """Files that have their names."""
    return {p.name: p.read_bytes() for p in out.glob("x-*.json")}


def play(net: Net, folder: Path, moments: int, seed: int) -> dict[str, int]:
    """Kill so often; then let everything be uploaded, and look."""
    dice = random.Random(seed)
    (folder / "far").mkdir()
    (folder / "out").mkdir()
    far, out = Inside(folder / "far"), folder / "out"
    a, b = net.cable()
    far.listen(b)
    send = compile_send(folder)
    load = a.start(send, "eth0", "syn", str(RATE), str(RATE * 3600), "1000")
    seen: dict[str, bytes] = {}
    for _ in range(moments):
        p = start(b, out, far)
        time.sleep(dice.uniform(0.05, 0.8))  # the moment is what is random
        seen.update(finished(out))
        if dice.random() < 0.5:
            p.kill()  # with its children
        else:
            p.popen.kill()
            p.popen.wait()
    load.kill()
    p = start(b, out, far)
    await_true(lambda: not list((out / ".spool").iterdir()), "an empty spool", 120)
    assert p.stop(seconds=60) == 0
    here, there = finished(out), far.files()
    for name, data in seen.items():
        assert here.get(name) == data, f"{name}: finished, and not as it was"
    assert here == {name: there.get(name) for name in here}
    assert set(there) == set(here)
    records = Counter(key for data in here.values() for key in keys_of(data))
    twice = [key for key, times in records.items() if times > 1]
    assert not twice, f"{len(twice)} records twice, such as {twice[0]}"
    return {"files": len(here), "records": len(records), "kills": moments}


def test_kills(tmp_path: Path) -> None:
    with Net() as net:
        come = play(net, tmp_path, 6, 1)
    assert come["files"] > 0
    assert come["records"] > 0


def test_no_name_service(tmp_path: Path) -> None:
    """The other side's name cannot be looked up: said, files wait; another day they go up."""
    (tmp_path / "far").mkdir()
    far = Inside(tmp_path / "far")
    out = tmp_path / "x.json"
    words = [program(), "bidir=1", "count=10", "verbosity=2", f"output={out}", SAMPLE]
    words += [f"keyfile={far.key}", f"known_hosts={far.known}"]
    with Net() as net:
        alone = net.namespace()
        first = alone.run(*words, "upload=joy@nowhere.invalid:/srv")
        assert "nowhere.invalid is away: ssh: Could not resolve hostname" in first.stderr
        waiting = finished(tmp_path)
        assert len(waiting) > 1
        assert len(list((tmp_path / ".spool").iterdir())) == len(waiting)
        far.listen(alone)
        alone.run(*words, f"upload={far.to()}")
        assert not list((tmp_path / ".spool").iterdir())
    assert far.files() == finished(tmp_path)
    assert waiting.items() <= far.files().items()


def main() -> None:
    """Many moments; a line of numbers."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 30)
    folder = Path(tempfile.mkdtemp(prefix="joy-kill-"))
    try:
        with Net() as net:
            come = play(net, folder, moments, seed)
    finally:
        shutil.rmtree(folder, ignore_errors=True)
    print(
        f"seed {seed}: {come['kills']} kills, {come['files']} files finished and uploaded, all "
        f"whole and equal on both sides; {come['records']} records in them, none twice"
    )


if __name__ == "__main__":
    main()
