# SPDX-License-Identifier: BSD-3-Clause
"""Output that survives: files of a sensor that is at work under its own user and in its sandbox.

A full disk, a folder that is read-only or gone: writing waits, says so once, and goes on.
"""

from __future__ import annotations

import gzip
import json
import os
import re
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT, program

from net import Namespace, Net, Process, await_true, needs_root

pytestmark = needs_root

NAME = re.compile(r"\d{8}T\d{6}Z-(\d{6})\.json(\.gz)?$")


@pytest.fixture
def net() -> Iterator[Net]:
    """Namespaces that are gone afterwards."""
    with Net() as made:
        yield made


@pytest.fixture(scope="session")
def send(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """bench/send.c: packets at an even rate."""
    to = tmp_path_factory.mktemp("send") / "send"
    flags = ["-O2", "-std=c17", "-D_GNU_SOURCE"]
    subprocess.run(["cc", *flags, "-o", to, ROOT / "bench/send.c", "-lpcap"], check=True)
    return to


def folder_of(net: Net) -> Path:
    """A folder that only the sensor's user may write to."""
    out = net.folder / "out"
    out.mkdir()
    os.chmod(net.folder, 0o755)
    shutil.chown(out, "nobody")
    return out


def sensor(where: Namespace, *options: str | Path, before: str = "true") -> Process:
    """pcap2flow as user nobody, capturing from eth0, when it does; 'before' are shell commands."""
    words = ["interface=eth0", "bidir=1", "verbosity=2", "idle_timeout=0.1", "username=nobody"]
    command = [str(program()), *words, *map(str, options)]
    p = where.start("sh", "-c", f'{before} && exec "$@"', "sh", *command)
    p.wait_for("capturing from eth0")
    return p


def flows(send: Path, where: Namespace, count: int) -> None:
    """So many conversations of a packet each."""
    where.run(send, "eth0", "64", "20000", str(count), str(count))


def lines_of(path: Path) -> list[dict]:
    """Every line is JSON."""
    data = path.read_bytes()
    text = gzip.decompress(data) if path.suffix == ".gz" else data
    assert text.endswith(b"\n")
    return [json.loads(line) for line in text.splitlines()]


def finished(out: Path) -> list[Path]:
    """Files that have their final names, in order."""
    return sorted(p for p in out.iterdir() if NAME.search(p.name))


def records_of(path: Path) -> list[dict]:
    """The flows of a file, which is whole by itself."""
    lines = lines_of(path)
    records = [line for line in lines if "flow_id" in line]
    (own,) = [x["summary"] for x in lines if "file" in x.get("summary", {})]
    assert "version" in lines[0]
    assert own["records"] == len(records)
    return records


def run_summary(path: Path) -> dict:
    """What the run said at its end."""
    return lines_of(path)[-1]["summary"]


@pytest.mark.parametrize("suffix", [".json", ".json.gz"])
def test_count_splits_exactly(net: Net, send: Path, suffix: str) -> None:
    a, b = net.cable()
    out = folder_of(net)
    p = sensor(b, f"output=flows{suffix}", f"outdir={out}", "count=100", "threads=2")
    flows(send, a, 1050)
    await_true(lambda: len(finished(out)) == 10, "ten files")
    assert p.stop() == 0
    files = finished(out)
    assert [len(records_of(f)) for f in files] == [100] * 10 + [50]
    assert [NAME.search(f.name)[1] for f in files] == [f"{n:06}" for n in range(11)]
    assert sorted(out.iterdir()) == files
    assert all(f.owner() == "nobody" for f in files)
    assert len({r["sa"] for f in files for r in records_of(f)}) == 1050
    assert run_summary(files[-1])["flows"] == 1050
    assert "sandbox: " in p.text()


def test_time_splits_without_traffic(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    p = sensor(b, f"output={out}/flows.json", "rotate=0.5")
    flows(send, a, 10)
    await_true(lambda: len(finished(out)) == 1, "a file")
    flows(send, a, 20)
    await_true(lambda: len(finished(out)) == 2, "another")
    assert p.stop() == 0
    assert [len(records_of(f)) for f in finished(out)] == [10, 20, 0]


def test_auto_is_named_by_the_address(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    mac = b.run("cat", "/sys/class/net/eth0/address").stdout.strip().replace(":", "")
    p = sensor(b, "output=auto", f"outdir={out}")
    flows(send, a, 5)
    assert p.stop() == 0
    (file,) = out.iterdir()
    assert re.fullmatch(mac + r"-\d{8}T\d{6}Z-000000\.json", file.name)
    assert len(records_of(file)) == 5


def test_only_own_files_are_deleted(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    others = [out / "flows.json", out / "other-20200101T000000Z-000000.json"]
    for other in others:
        other.write_text("mine\n" * 1000)
    p = sensor(b, f"output={out}/flows.json", "count=50", "keep_size=200K")
    flows(send, a, 1000)
    p.wait_for("deleted .*keep_size")
    assert p.stop() == 0
    files = finished(out)
    assert sum(f.stat().st_size for f in files if f not in others) <= 200 << 10
    assert all(other in out.iterdir() for other in others)


def inside(p: Process, path: str) -> Path:
    """A folder as the program sees it."""
    return Path(f"/proc/{p.pid}/root{path}")


def in_its_mounts(p: Process, *command: str) -> None:
    """A command among the mounts of the program."""
    subprocess.run(["nsenter", "-m", "-t", str(p.pid), *command], check=True)


def tmpfs(out: Path, size: str) -> str:
    """A small disk that only the program sees."""
    return f"mount -t tmpfs -o size={size},mode=777 joy {out}"


def test_a_full_disk_is_waited_out(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    saved = net.folder / "saved"
    saved.mkdir()
    p = sensor(b, f"output={out}/flows.json", "count=100", before=tmpfs(out, "200k"))
    flows(send, a, 1000)
    p.wait_for("cannot write .*No space left on device; records wait in memory")
    flows(send, a, 500)

    def make_room() -> bool:
        for file in finished(inside(p, str(out))):
            shutil.copy(file, saved)
            file.unlink()
        return "caught up" in p.text()

    await_true(make_room, "the output to catch up")
    p.wait_for("output has caught up: 0 records were lost")
    in_its_mounts(p, "mount", "-o", "remount,size=10m", str(out))
    keep = os.open(inside(p, str(out)), os.O_PATH)  # the disk outlives the program
    assert p.stop() == 0
    for file in finished(Path(f"/proc/self/fd/{keep}")):
        shutil.copy(file, saved)
    os.close(keep)
    files = finished(saved)
    assert run_summary(files[-1])["flows"] == 1500
    assert sum(len(records_of(f)) for f in files) == 1500
    assert len(re.findall("No space left", p.text())) == 1
    assert len(re.findall("caught up", p.text())) == 1


def test_a_full_disk_and_no_memory(net: Net, send: Path) -> None:
    """What cannot wait is lost, and counted to the last record."""
    a, b = net.cable()
    out = folder_of(net)
    p = sensor(b, f"output={out}/flows.json", "count=1000", before=tmpfs(out, "200k"))
    for _ in range(5):
        a.run(send, "eth0", "syn", "50000", "25000", "1000")
    p.wait_for("there is no memory left for records that wait to be written: they are lost")
    in_its_mounts(p, "mount", "-o", "remount,size=500m", str(out))
    said = p.wait_for("output has caught up: [1-9][0-9]* records were lost")
    lost = int(re.search(r"(\d+) records were lost", said)[1])
    keep = os.open(inside(p, str(out)), os.O_PATH)
    assert p.stop() == 0
    files = finished(Path(f"/proc/self/fd/{keep}"))
    summaries = [x["summary"] for f in files for x in lines_of(f) if "summary" in x]
    total = summaries[-1]["records"]
    assert sum(len(records_of(f)) for f in files) == total - lost
    assert sum(s.get("lost", 0) for s in summaries) == lost
    os.close(keep)


def test_a_folder_that_is_read_only_for_a_while(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    p = sensor(b, f"output={out}/flows.json.gz", "count=10", before=tmpfs(out, "10m"))
    flows(send, a, 10)
    await_true(lambda: len(finished(inside(p, str(out)))) == 1, "a file")
    in_its_mounts(p, "mount", "-o", "remount,ro", str(out))
    flows(send, a, 15)
    p.wait_for(f"cannot write {out}: Read-only file system; records wait in memory")
    in_its_mounts(p, "mount", "-o", "remount,rw", str(out))
    p.wait_for("output has caught up: 0 records were lost")
    keep = os.open(inside(p, str(out)), os.O_PATH)
    assert p.stop() == 0
    files = finished(Path(f"/proc/self/fd/{keep}"))
    assert [len(records_of(f)) for f in files] == [10, 10, 5]
    os.close(keep)


def test_a_folder_that_goes_and_comes_back(net: Net, send: Path) -> None:
    """In a sandbox only the folder itself may come back, not another of that name."""
    a, b = net.cable()
    out = folder_of(net)
    away = net.folder / "away"
    p = sensor(b, f"output={out}/flows.json", "count=10")
    flows(send, a, 10)
    await_true(lambda: len(finished(out)) == 1, "a file")
    out.rename(away)
    flows(send, a, 15)
    p.wait_for(f"cannot write {out}: No such file or directory; records wait in memory")
    away.rename(out)
    p.wait_for("output has caught up: 0 records were lost")
    assert p.stop() == 0
    assert [len(records_of(f)) for f in finished(out)] == [10, 10, 5]


def test_a_deleted_file_is_noticed(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    p = sensor(b, "output=auto", f"outdir={out}")
    flows(send, a, 10)
    await_true(lambda: [f for f in out.iterdir() if b'"flow_id"' in f.read_bytes()], "a part")
    (part,) = out.iterdir()
    await_true(lambda: part.read_bytes().count(b'"flow_id"') == 10, "ten records in it")
    part.unlink()
    p.wait_for(f"{part} has vanished: 10 records are lost in it")
    flows(send, a, 5)
    assert p.stop() == 0
    (file,) = out.iterdir()
    assert len(records_of(file)) == 5
    assert [x["summary"]["lost"] for x in lines_of(file) if "lost" in x.get("summary", {})] == [10]


def test_what_a_dead_run_left_gets_its_name(net: Net, send: Path) -> None:
    a, b = net.cable()
    out = folder_of(net)
    for compressed in ("", ".gz"):
        name = f"output={out}/flows.json{compressed}"
        p = sensor(b, name, "count=1000")
        flows(send, a, 10)
        await_true(lambda: any(f.suffix == ".part" for f in out.iterdir()), "a part")
        p.kill()
        p = sensor(b, name, "count=1000")
        p.wait_for("recovered .*flows-[0-9TZ]*-000000.json.* of a run that died: [0-9]* lines")
        assert p.stop() == 0
        assert not [f for f in out.iterdir() if f.suffix == ".part"]
