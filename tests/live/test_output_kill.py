# SPDX-License-Identifier: BSD-3-Clause
"""kill -9 at random moments of a capture whose output is split into short files.

Every file that has its final name is whole and stays as it is, no record is there twice, and every
record that was whole in the file that was being written is there after the next start.

    test_output_kill.py [MOMENTS [SEED]]     more of them; the test has eight
"""

from __future__ import annotations

import csv
import gzip
import hashlib
import io
import json
import os
import random
import shutil
import subprocess
import sys
import tempfile
import time
import zlib
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent))
sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from program import ROOT, program

from net import Net, Process, await_true, needs_root

pytestmark = needs_root

SUFFIXES = (".json", ".json.gz", ".csv", ".json.zst")
RATE = 8000  # flows per second, each with an address of its own


def unzstd(data: bytes) -> bytes:
    """What is in a zstd stream, as far as it goes."""
    command = ["zstd", "-dcq", "-"]
    return subprocess.run(command, input=data, capture_output=True, check=False).stdout


def unpack(path: Path, whole: bool) -> bytes:
    """The text of a file; 'whole' refuses a stream without a proper end."""
    data = path.read_bytes()
    name = path.name.removesuffix(".part")
    if name.endswith(".zst"):
        if whole:
            subprocess.run(["zstd", "-tq", "-"], input=data, check=True)
        return unzstd(data)
    if name.endswith(".gz"):
        return gzip.decompress(data) if whole else zlib.decompressobj(31).decompress(data)
    return data


def keys_of(path: Path, whole: bool = True) -> list[str]:
    """The initiators of a file's records, which are all different ones; else of its whole lines."""
    text = unpack(path, whole)
    if not whole:
        text = text[: text.rfind(b"\n") + 1]
    assert text.endswith(b"\n") or not whole
    if ".csv" in path.name:
        rows = csv.DictReader(io.StringIO(text.decode(), newline=""), strict=True)
        return [row["sa"] for row in rows]
    lines = [json.loads(line) for line in text.splitlines()]
    return [line["sa"] for line in lines if "flow_id" in line]


def digest(path: Path) -> str:
    """What is in a file now."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


class Scene:
    """A folder, a stream of new flows, and what has been seen of the output."""

    def __init__(self, net: Net, send: Path, seed: int) -> None:
        self.random = random.Random(seed)
        self.net = net
        self.near, self.far = net.cable()
        self.out = net.folder / "out"
        self.out.mkdir()
        os.chmod(net.folder, 0o755)
        shutil.chown(self.out, "nobody")
        self.load = self.near.start(send, "eth0", "syn", str(RATE), "16000000", "1000")
        self.finished: dict[Path, str] = {}  # as they were when first seen
        self.whole: set[str] = set()  # keys of records that were whole on the disk
        self.recovered = 0

    def start(self, suffix: str) -> Process:
        """A sensor; it names what a dead one left."""
        words = ["interface=eth0", "bidir=1", "verbosity=2", "idle_timeout=0.05", "num_pkts=0"]
        words += ["username=nobody", f"output={self.out}/flows{suffix}", "count=300"]
        process = self.far.start(program(), *words)
        process.wait_for("capturing from eth0")
        return process

    def look(self) -> None:
        """Files that have been finished stay as they are."""
        for path in self.out.iterdir():
            if path.suffix != ".part" and path not in self.finished:
                self.finished[path] = digest(path)

    def kill(self, suffix: str) -> None:
        """One run and its end."""
        process = self.start(suffix)
        end = time.monotonic() + self.random.uniform(0, 0.6)
        while time.monotonic() < end:
            self.look()
        process.kill()
        self.look()
        for path in self.out.iterdir():
            if path.suffix == ".part":
                self.whole.update(keys_of(path, whole=False))
        self.recovered += "recovered " in process.text()

    def end(self) -> None:
        """Recovers all; nothing is left that is not whole."""
        for suffix in SUFFIXES:
            process = self.start(suffix)
            assert process.stop() == 0, process.text()
            self.recovered += "recovered " in process.text()
        self.look()

    def check(self) -> int:
        """How many records there are, once each."""
        assert all(digest(path) == seen for path, seen in self.finished.items())
        assert sorted(self.out.iterdir()) == sorted(self.finished)
        keys = [key for path in self.finished for key in keys_of(path)]
        assert len(keys) == len(set(keys))
        assert self.whole <= set(keys)
        return len(keys)


def compile_send(folder: Path) -> Path:
    """bench/send.c: new flows at an even rate."""
    to = folder / "send"
    flags = ["-O2", "-std=c17", "-D_GNU_SOURCE"]
    subprocess.run(["cc", *flags, "-o", to, ROOT / "bench/send.c", "-lpcap"], check=True)
    return to


def play(net: Net, send: Path, moments: int, seed: int) -> tuple[Scene, int]:
    """So many kills, then a look at what is there."""
    scene = Scene(net, send, seed)
    for n in range(moments):
        scene.kill(SUFFIXES[n % len(SUFFIXES)])
    scene.load.kill()
    await_true(lambda: scene.load.popen.poll() is not None, "the end of the load")
    scene.end()
    return scene, scene.check()


def test_kills(tmp_path: Path) -> None:
    with Net() as net:
        scene, records = play(net, compile_send(tmp_path), 8, random.randrange(1 << 32))
    assert records > 300
    assert scene.recovered > 0


def main() -> None:
    """Says what was seen."""
    moments = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    seed = int(sys.argv[2]) if len(sys.argv) > 2 else random.randrange(1 << 32)
    begin = time.monotonic()
    with tempfile.TemporaryDirectory() as folder, Net() as net:
        scene, records = play(net, compile_send(Path(folder)), moments, seed)
    print(
        f"seed {seed}: {moments} kills, {len(scene.finished)} files whole and as they were, "
        f"{records} records, none twice, {len(scene.whole)} that were whole in parts are there, "
        f"{scene.recovered} starts recovered some ({time.monotonic() - begin:.0f} s)"
    )


if __name__ == "__main__":
    main()
