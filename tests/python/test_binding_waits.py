# SPDX-License-Identifier: BSD-3-Clause
"""Waiting for packets: the interpreter lock is free, and signals get through.

Each test is a process of its own that reads from a fifo, so that one which hangs is a failure and
no more.  It says by a line that it waits inside the consumer: a thread of it sees that the run has
gone on further than it could without somebody taking batches.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import FrameType

import pytest
from kit import ROOT, datagram, pcap

SECONDS = 30  # the longest that a process may take
FLOWS = 40  # a packet each, 1000 s from each other: all but the last end

CHILD = """
import signal, sys, threading, time
import joy
{imports}

signal.signal(signal.SIGINT, signal.default_int_handler)

def say(*words):
    print(*words, flush=True)

def watch():
    while stream.stats["packets"] < {flows}:
        time.sleep(0.01)
    say("inside")

try:
    stream = joy.read(sys.argv[1], batch_rows=1)
    threading.Thread(target=watch, daemon=True).start()
    try:
        {consume}
    except {other}:
        raise
    except Exception as error:
        say("error", type(error).__name__)
    for _ in range(1000):
        say  # control is back
except KeyboardInterrupt:
    say("KeyboardInterrupt")
except {other} as error:
    say("other", type(error).__name__, error)
say("end")
"""

CONSUMERS = {
    "iteration": ("", "for batch in stream: pass"),
    "read_all": ("", "stream.read_all()"),
    "pyarrow": ("import pyarrow", "pyarrow.RecordBatchReader.from_stream(stream).read_all()"),
    "polars": ("import polars", "polars.DataFrame(stream)"),
    "duckdb": ("import duckdb", "duckdb.sql('select sum(sp) from stream').fetchall()"),
}


def packets() -> bytes:
    """What the fifo gets before it falls silent."""
    return pcap((1000.0 * i, datagram(10000 + i, 53)) for i in range(FLOWS))


@pytest.fixture(autouse=True)
def _no_test_hangs() -> Iterator[None]:
    """What waits for a line or a reader in vain is a failure."""

    def late(number: int, frame: FrameType | None) -> None:
        raise AssertionError(f"took more than {2 * SECONDS} s")

    before = signal.signal(signal.SIGALRM, late)
    signal.alarm(2 * SECONDS)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


class Child:
    """A process that consumes a stream from a fifo, which stays open for writing."""

    def __init__(self, folder: Path, *command: str, more: tuple[str, ...] = ()) -> None:
        fifo = folder / "fifo"
        os.mkfifo(fifo)
        environment = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
        self.process = subprocess.Popen(
            [sys.executable, *command, str(fifo), *more],
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=environment,
            preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
        )
        self.fifo = open(fifo, "wb")  # returns when the run has opened it for reading
        self.fifo.write(packets())
        self.fifo.flush()

    def line(self) -> str:
        """The next line that it says; "" at its end."""
        return self.process.stdout.readline().strip()

    def rest(self) -> list[str]:
        """All other lines, once it has ended."""
        try:
            said, _ = self.process.communicate(timeout=SECONDS)
        except subprocess.TimeoutExpired:
            self.process.kill()
            said = f"{self.process.communicate()[0]}\nhangs"
        finally:
            self.fifo.close()
        return said.split("\n")


def child_code(consumer: str, other: str = "ZeroDivisionError", before: str = "") -> str:
    imports, consume = CONSUMERS[consumer]
    words = {"imports": imports + "\n" + before, "consume": consume, "other": other}
    return CHILD.format(flows=FLOWS, **words)


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_an_interrupt_ends_the_waiting(tmp_path: Path, consumer: str) -> None:
    child = Child(tmp_path, "-c", child_code(consumer))
    assert child.line() == "inside"  # so the lock is free while it waits: another thread says that
    child.process.send_signal(signal.SIGINT)
    said = child.rest()
    assert "KeyboardInterrupt" in said and "end" in said and "hangs" not in said, said
    assert child.process.returncode == 0


@pytest.mark.parametrize("consumer", ["read_all", "pyarrow"])
def test_what_a_handler_raises_arrives(tmp_path: Path, consumer: str) -> None:
    """Another signal, with a handler of the program's own."""
    handler = (
        "def handler(number, frame): raise ZeroDivisionError('from the handler')\n"
        "signal.signal(signal.SIGUSR1, handler)"
    )
    child = Child(tmp_path, "-c", child_code(consumer, before=handler))
    assert child.line() == "inside"
    child.process.send_signal(signal.SIGUSR1)
    said = child.rest()
    assert "other ZeroDivisionError from the handler" in said and "end" in said, said


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_a_handler_that_raises_nothing_is_called_and_the_waiting_goes_on(
    tmp_path: Path, consumer: str
) -> None:
    handler = "signal.signal(signal.SIGUSR1, lambda number, frame: say('handled'))"
    child = Child(tmp_path, "-c", child_code(consumer, before=handler))
    assert child.line() == "inside"
    child.process.send_signal(signal.SIGUSR1)
    if consumer != "duckdb":  # whose main thread may be waiting for another thread, in a lock
        assert child.line() == "handled"
    child.fifo.close()  # the end of the input
    said = [line for line in child.rest() if line]
    assert said == (["end"] if consumer != "duckdb" else ["handled", "end"])


@pytest.mark.parametrize("consumer", CONSUMERS)
def test_another_thread_feeds_what_is_waited_for(tmp_path: Path, consumer: str) -> None:
    """The packets come from a Python thread of the same process, which needs the lock for that."""
    imports, consume = CONSUMERS[consumer]
    code = f"""
import os, sys, threading
import joy
{imports}
sys.path.insert(0, {str(ROOT / "tests/python")!r})
from test_binding_waits import packets

def feed():
    with open(sys.argv[1], "wb") as fifo:
        for byte in packets():
            fifo.write(bytes([byte]))
            fifo.flush()

os.mkfifo(sys.argv[1])
thread = threading.Thread(target=feed)
stream = joy.read(sys.argv[1], batch_rows=1)
thread.start()
{consume}
thread.join()
print(stream.stats["records"])
"""
    done = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "fifo")],
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )
    assert (done.stdout.strip(), done.returncode) == (str(FLOWS), 0), done.stderr


def test_closing_ends_a_run_that_waits_for_input(tmp_path: Path) -> None:
    code = """
import sys, joy
stream = joy.read(sys.argv[1], batch_rows=1)
next(iter(stream))
stream.close()
print("closed", flush=True)
"""
    child = Child(tmp_path, "-c", code)
    assert child.line() == "closed"
    assert child.rest() == [""]
    assert child.process.returncode == 0


@pytest.mark.parametrize("output", ["out.json", "out.parquet"])
def test_an_interrupt_ends_a_command_that_rewrites(tmp_path: Path, output: str) -> None:
    """There a thread of the library reads what Python reads from the library."""
    subnets = tmp_path / "subnets"
    subnets.write_text("10.0.0.0/8\n")
    command = ("-m", "joy", "anonymize", "--subnets", str(subnets))
    child = Child(tmp_path, *command, more=(str(tmp_path / output),))
    child.process.send_signal(signal.SIGINT)
    assert [line for line in child.rest() if line] == ["joy: interrupted"]
    assert child.process.returncode == 130
    assert not (tmp_path / output).exists()


def test_memory_is_bounded(tmp_path: Path) -> None:
    """200,000 flows, one by one: the peak is not that of a table of them."""
    path = tmp_path / "flows.pcap"
    subprocess.run([sys.executable, ROOT / "bench/million.py", path, "200000"], check=True)
    code = """
import resource, sys, joy
import pyarrow
def peak():
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024
begin = peak()
rows = sum(len(b) for b in joy.read(sys.argv[1], batch_rows=1000, idle_timeout=5, linger=0))
print(rows, peak() - begin)
table = joy.read(sys.argv[1]).read_all()
print(table.num_rows, table.nbytes >> 20)
"""
    done = subprocess.run(
        [sys.executable, "-c", code, path],
        capture_output=True,
        text=True,
        check=True,
        env={**os.environ, "PYTHONPATH": str(ROOT / "python")},
    )
    (rows, grown), (all_rows, size) = (map(int, x.split()) for x in done.stdout.splitlines())
    assert rows == all_rows == 200000
    assert grown < 60 < size
