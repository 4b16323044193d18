# SPDX-License-Identifier: BSD-3-Clause
"""The program as people meet it: command line, exit status, messages, outputs, documents."""

from __future__ import annotations

import gzip
import json
import os
import pty
import re
import select
import shutil
import signal
import subprocess
import time
from pathlib import Path

import pytest
from program import ROOT, pcap2flow, program

SAMPLE = ROOT / "sample.pcap"
SETTINGS = [
    "bpf bidir vlan_key tunnel idle_timeout active_timeout linger timeouts community_id",
    "community_id_seed memory features num_pkts type zeros retrans",
]
PLACES = "output outdir logfile"
COMMANDS = "help version show_config show_interfaces explain print"


def raw(*arguments: str | Path, **more) -> subprocess.CompletedProcess[str]:
    """Run with both outputs as text and nothing on standard input."""
    more.setdefault("stdin", subprocess.DEVNULL)
    return subprocess.run(
        [str(program()), *map(str, arguments)],
        stdout=more.pop("stdout", subprocess.PIPE),
        stderr=subprocess.PIPE,
        text=True,
        timeout=60,
        check=False,
        **more,
    )


def is_usage_error(done: subprocess.CompletedProcess[str], *words: str) -> None:
    """Exit 2, nothing on standard output, one line that has these words."""
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("pcap2flow: error: ")
    assert done.stderr.count("\n") == 1
    for word in words:
        assert word in done.stderr


def is_whole_json(data: bytes) -> bool:
    """Configuration first, summary last, every line an object."""
    lines = [json.loads(line) for line in data.splitlines()]
    return data.endswith(b"\n") and "version" in lines[0] and "summary" in lines[-1]


# --- command line --------------------------------------------------------------------------------
@pytest.mark.parametrize("word", ["--help", "-h", "help=1", "--help=yes"])
def test_help_lists_every_option(word: str) -> None:
    done = raw(word)
    assert done.returncode == 0
    assert done.stderr == ""
    for name in " ".join([*SETTINGS, PLACES, COMMANDS, "verbosity progress"]).split():
        assert re.search(rf"^  {name}=", done.stdout, re.MULTILINE), name
    assert max(map(len, done.stdout.splitlines())) <= 100


@pytest.mark.parametrize("word", ["--version", "-v", "version=1"])
def test_version_names_libraries(word: str) -> None:
    done = raw(word)
    assert done.returncode == 0
    version = (ROOT / "VERSION").read_text().strip()
    assert done.stdout.splitlines()[0] == f"pcap2flow {version}"
    libraries = "compiler libpcap zlib libzstd liblzma libbrotli libcrypto xxHash"
    for library in libraries.split():
        assert re.search(rf"^{library} +\S", done.stdout, re.MULTILINE)


def test_without_arguments_on_a_terminal() -> None:
    master, slave = pty.openpty()
    done = raw(stdin=slave)
    os.close(slave)
    os.close(master)
    assert done.returncode == 2
    assert done.stdout == ""
    assert done.stderr.startswith("usage: pcap2flow")
    assert raw().returncode == 2  # /dev/null holds no capture either


def test_reads_standard_input() -> None:
    from_file = pcap2flow(SAMPLE)
    for arguments in (["-"], []):
        run = pcap2flow(*arguments, stdin=SAMPLE.read_bytes())
        assert run.status == 0
        assert run.records == from_file.records
        assert run.config["capture_files"] == ["-"]


def test_options_before_and_behind_files() -> None:
    before = pcap2flow("bidir=1", "num_pkts=3", SAMPLE)
    behind = pcap2flow(SAMPLE, "bidir=1", "--num_pkts=3")
    assert before.status == 0
    assert before.stdout == behind.stdout
    assert before.config["num_pkts"] == 3
    assert pcap2flow("num_pkts=3", SAMPLE, "num_pkts=4").config["num_pkts"] == 4


@pytest.mark.parametrize(
    ("word", "nearest"),
    [
        ("bidri=1", "bidir"),
        ("num_pkt=1", "num_pkts"),
        ("idle=3", "idle_timeout"),
        ("--bdir=1", "bidir"),
        ("distress=1", ""),
        ("interfaces=lo", ""),
        ("thread=2", "threads"),
        ("counts=1", "count"),
        ("uploads=x", "upload"),
    ],
)
def test_unknown_option_names_the_nearest(word: str, nearest: str) -> None:
    name = word.lstrip("-").split("=")[0]
    is_usage_error(raw(word, SAMPLE), f"unknown option '{name}'", f"the nearest is '{nearest}")


@pytest.mark.parametrize(
    ("word", "words"),
    [
        ("bidir=2", "must be 0 or 1"),
        ("num_pkts=-1", "a whole number from 0 to 4294967295"),
        ("type=3", "from 1 to 2"),
        ("idle_timeout=0", "from 0.001 to 31536000"),
        ("linger=3601", "from 0 to 3600"),
        ("memory=1M", "of at least 16M"),
        ("tunnel=middle", "inner or outer"),
        ("timeouts=cicids", "joy, nfstream, yaf or cisco"),
        ("verbosity=4", "from 0 to 3"),
        ("features=entropi", "the nearest is 'entropy'"),
        ("bpf=tcp poort", "bpf"),
        ("output=", "must be a text"),
        ("-q", "unknown option '-q'"),
        ("-x", "-x FILE"),
    ],
)
def test_wrong_values_say_what_is_right(word: str, words: str) -> None:
    is_usage_error(raw(SAMPLE, word), words)


def test_files_with_an_equals_sign(tmp_path: Path) -> None:
    shutil.copy(SAMPLE, tmp_path / "a=b.pcap")
    is_usage_error(raw("a=b.pcap", cwd=tmp_path), "./a=b.pcap")
    assert pcap2flow("./a=b.pcap", cwd=tmp_path).status == 0
    run = pcap2flow("bidir=1", "--", "a=b.pcap", cwd=tmp_path)
    assert run.status == 0
    assert run.config["bidir"] == 1
    assert run.config["capture_files"] == ["a=b.pcap"]


# --- configuration files -------------------------------------------------------------------------
@pytest.mark.parametrize("flag", [["-x", "my.cfg"], ["--x=my.cfg"], ["-xmy.cfg"]])
def test_command_line_wins_over_file(tmp_path: Path, flag: list[str]) -> None:
    (tmp_path / "my.cfg").write_text("# mine\n  bidir\nnum_pkts =\t7 # seven\n\nzeros = yes\r\n")
    for arguments in ([*flag, "num_pkts=9", SAMPLE], [SAMPLE, "num_pkts=9", *flag]):
        config = pcap2flow(*arguments, cwd=tmp_path).config
        assert (config["bidir"], config["num_pkts"], config["zeros"]) == (1, 9, 1)
    assert pcap2flow(*flag, SAMPLE, cwd=tmp_path).config["num_pkts"] == 7


def test_errors_in_files_name_the_line(tmp_path: Path) -> None:
    file = tmp_path / "my.cfg"
    file.write_text("bidir\n\nnum_pkt = 7\n")
    is_usage_error(raw("-x", file, SAMPLE), f"{file}:3: unknown option 'num_pkt'")
    is_usage_error(raw("-x", tmp_path / "none", SAMPLE), "No such file")
    is_usage_error(raw("-x", SAMPLE, SAMPLE), f"{SAMPLE}:1: ")


def test_shown_configuration_loads_again(tmp_path: Path) -> None:
    arguments = ["timeouts=yaf", "idle_timeout=7.5", "features=all", "dist=0", "memory=64M"]
    shown = raw(*arguments, "show_config=1")
    assert shown.returncode == 0
    lines = dict(re.findall(r"^(\w+) = (.*)$", shown.stdout, re.MULTILINE))
    assert (lines["idle_timeout"], lines["active_timeout"]) == ("7.5", "1800")
    assert (lines["dist"], lines["entropy"], lines["memory"]) == ("0", "1", "64M")
    (tmp_path / "my.cfg").write_text(shown.stdout)
    assert raw("-x", tmp_path / "my.cfg", "show_config=1").stdout == shown.stdout


@pytest.mark.parametrize("name", ["linux.cfg", "macosx.cfg"])
def test_shipped_configuration_files(name: str) -> None:
    run = pcap2flow("-x", ROOT / name, "rotate=0", "output=none", SAMPLE)
    assert run.status == 0
    assert run.config["bidir"] == 1
    assert len(run.records) > 0


# --- input ---------------------------------------------------------------------------------------
def test_damaged_input_is_status_3(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(SAMPLE.read_bytes()[:30000])
    run = pcap2flow("bidir=1", cut)
    assert run.status == 3
    assert re.search(rf"pcap2flow: warning: {cut}.* offset \d+", run.stderr)
    assert is_whole_json(run.stdout)
    assert run.summary["packets"] > 0
    assert run.summary["input"]["damaged"] == 1


def test_what_is_no_capture(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("no capture at all\n" * 100)
    alone = pcap2flow(text)
    assert alone.status == 1
    assert str(text) in alone.stderr
    assert is_whole_json(alone.stdout)
    beside = pcap2flow(text, SAMPLE)
    assert beside.status == 3
    assert beside.records == pcap2flow(SAMPLE).records
    assert pcap2flow(tmp_path / "missing", SAMPLE).status == 3
    assert pcap2flow(tmp_path / "missing").status == 1
    assert pcap2flow(tmp_path).status == 1  # a folder with nothing else in it
    shutil.copy(SAMPLE, tmp_path)
    among_others = pcap2flow(tmp_path)
    assert among_others.status == 0
    assert "passed over" in among_others.stderr


def test_filter_counts_what_it_takes_out() -> None:
    whole = pcap2flow(SAMPLE).summary
    for port in ("port 53", "not port 53"):
        part = pcap2flow(f"bpf={port}", SAMPLE).summary
        assert part["packets"] > 0
        assert part["packets"] + part["filtered"] == whole["packets"]


# --- output --------------------------------------------------------------------------------------
def test_same_bytes_from_run_to_run(tmp_path: Path) -> None:
    arguments = ["bidir=1", "features=all", SAMPLE]
    first = pcap2flow(*arguments)
    for name in ("a.json", "b.json"):
        assert raw(*arguments, f"output={name}", cwd=tmp_path).returncode == 0
        assert (tmp_path / name).read_bytes() == first.stdout


def test_configuration_object() -> None:
    config = pcap2flow("bidir=1", "idle_timeout=0.5", "memory=64M", SAMPLE).config
    names = list(config)
    assert names[0] == "version"
    assert set(" ".join(SETTINGS).split()) <= set(names)
    assert not set(f"{PLACES} {COMMANDS}".split()) - {"version"} & set(names)
    assert config["version"] == (ROOT / "VERSION").read_text().strip()
    assert (config["bidir"], config["idle_timeout"], config["memory"]) == (1, 0.5, 64 << 20)
    assert config["timeouts"] is None
    assert config["capture_files"] == [str(SAMPLE)]
    assert config["link_type"] == 1
    assert config["start_time"] > 1e9
    assert config["host"] == os.uname().nodename


def test_no_key_twice() -> None:
    def pairs(items: list[tuple[str, object]]) -> dict:
        keys = [key for key, _ in items]
        assert len(keys) == len(set(keys)), keys
        return dict(items)

    for line in pcap2flow("bidir=1", "features=all", SAMPLE).stdout.splitlines():
        json.loads(line, object_pairs_hook=pairs)


def test_compressed_and_csv_output(tmp_path: Path) -> None:
    plain = pcap2flow("bidir=1", SAMPLE).stdout
    for name in ("a.json", "a.json.gz", "a.json.zst", "a.csv", "a.csv.gz"):
        assert raw("bidir=1", f"output={name}", SAMPLE, cwd=tmp_path).returncode == 0
        assert not (tmp_path / f"{name}.part").exists()
    assert (tmp_path / "a.json").read_bytes() == plain
    assert gzip.decompress((tmp_path / "a.json.gz").read_bytes()) == plain
    csv = (tmp_path / "a.csv").read_bytes()
    assert gzip.decompress((tmp_path / "a.csv.gz").read_bytes()) == csv
    assert csv.startswith(b"sa,da,pr,")
    if shutil.which("zstd"):
        command = ["zstd", "-dc", str(tmp_path / "a.json.zst")]
        assert subprocess.run(command, capture_output=True, check=True).stdout == plain


def test_outdir_is_for_relative_names(tmp_path: Path) -> None:
    (tmp_path / "out").mkdir()
    assert raw("outdir=out", "output=a.json", SAMPLE, cwd=tmp_path).returncode == 0
    assert (tmp_path / "out/a.json").exists()
    assert raw("outdir=out", f"output={tmp_path}/b.json", SAMPLE, cwd=tmp_path).returncode == 0
    assert (tmp_path / "b.json").exists()


def test_input_is_never_overwritten(tmp_path: Path) -> None:
    mine = tmp_path / "mine.pcap"
    shutil.copy(SAMPLE, mine)
    is_usage_error(raw(f"output={mine}", mine), "input and output at once")
    assert mine.read_bytes() == SAMPLE.read_bytes()


def test_full_disk_is_an_error_with_counts() -> None:
    if not Path("/dev/full").exists():
        pytest.skip("no /dev/full here")
    with open("/dev/full", "w") as full:
        to_pipe = raw(SAMPLE, stdout=full)
        help_text = raw("--help", stdout=full)
    for done in (to_pipe, raw("output=/dev/full", SAMPLE)):
        assert done.returncode == 1
        assert "No space left on device" in done.stderr
        assert re.search(r"after \d+ packets, \d+ flows, \d+ records", done.stderr)
    assert help_text.returncode == 1
    assert "No space left" in help_text.stderr


def test_full_disk_leaves_no_half_line(tmp_path: Path) -> None:
    """A limit on file size stands for the disk; what is left under .part ends with a whole line."""
    command = f"trap '' XFSZ; ulimit -f 8; exec {program()} features=all output=a.json {SAMPLE}"
    done = subprocess.run(
        ["bash", "-c", command], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert done.returncode == 1
    assert re.search(r"after \d+ packets", done.stderr)
    assert not (tmp_path / "a.json").exists()
    part = tmp_path / "a.json.part"
    if part.exists():
        data = part.read_bytes()
        assert data == b"" or data.endswith(b"\n")
        for line in data.splitlines():
            assert "summary" not in json.loads(line)


def test_closed_pipe_is_an_error() -> None:
    reader, writer = os.pipe()
    os.close(reader)
    done = raw(SAMPLE, stdout=writer)
    os.close(writer)
    assert done.returncode == 1
    assert "Broken pipe" in done.stderr
    assert re.search(r"after \d+ packets, \d+ flows, \d+ records", done.stderr)


# --- messages ------------------------------------------------------------------------------------
def test_verbosity_and_logfile(tmp_path: Path) -> None:
    cut = tmp_path / "cut.pcap"
    cut.write_bytes(SAMPLE.read_bytes()[:30000])
    assert raw("verbosity=0", cut).stderr == ""
    assert "info:" not in raw("verbosity=1", cut).stderr
    assert re.search(r"pcap2flow: info: \d+ packets", raw("verbosity=2", cut).stderr)
    log = tmp_path / "log"
    for count in (1, 2):
        done = raw(f"logfile={log}", cut)
        assert (done.returncode, done.stderr) == (3, "")
        assert log.read_text().count("pcap2flow: warning: ") == count
    assert raw(f"logfile={tmp_path}/no/log", SAMPLE).returncode == 1


def drain(master: int, seconds: float) -> bytes:
    """What comes out of a terminal within that time, or until it is closed."""
    data, end = b"", time.monotonic() + seconds
    while (left := end - time.monotonic()) > 0:
        if not select.select([master], [], [], left)[0]:
            break
        try:
            some = os.read(master, 65536)
        except OSError:
            break
        if not some:
            break
        data += some
    return data


@pytest.mark.parametrize(("progress", "expected"), [(1, True), (0, False)])
def test_progress_on_a_terminal(progress: int, expected: bool) -> None:
    """A run that goes on for more than a second shows a line and takes it away again."""
    master, slave = pty.openpty()
    command = [str(program()), f"progress={progress}", "-"]
    run = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.DEVNULL, stderr=slave)
    os.close(slave)
    data = SAMPLE.read_bytes()
    packets = data[24:]
    run.stdin.write(data)
    screen, end = b"", time.monotonic() + 20
    while time.monotonic() < end and (not screen if expected else end - time.monotonic() > 18.5):
        run.stdin.write(packets)
        run.stdin.flush()
        screen += drain(master, 0.02)
    run.stdin.close()
    screen += drain(master, 10)
    os.close(master)
    assert run.wait(30) == 0
    assert (b"packets/s" in screen) == expected
    if expected:
        assert screen.endswith(b"\r\x1b[K")
    else:
        assert screen == b""


def wait_for_sleep(run: subprocess.Popen[bytes]) -> None:
    """Until the program waits for its pipe."""
    state = Path(f"/proc/{run.pid}/stat")
    end = time.monotonic() + 20
    while time.monotonic() < end and state.read_text().rsplit(")", 1)[1].split()[0] != "S":
        os.sched_yield()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_signal_ends_in_order(number: signal.Signals) -> None:
    """While it waits for a pipe that stays open, in the middle of a packet even."""
    run = subprocess.Popen(
        [str(program()), "bidir=1", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    run.stdin.write(SAMPLE.read_bytes()[:30000])
    run.stdin.flush()
    wait_for_sleep(run)
    run.send_signal(number)
    out, _ = run.communicate(timeout=30)
    assert run.returncode == 0
    assert is_whole_json(out)
    assert json.loads(out.splitlines()[-1])["summary"]["packets"] > 0


def labels_of(out: bytes) -> set[str]:
    """All labels of fingerprints."""
    records = [json.loads(line) for line in out.splitlines()]
    prints = [r["fingerprints"] for r in records if "fingerprints" in r]
    return {label["label"] for p in prints for label in p.get("labels", [])}


@pytest.mark.parametrize(
    ("then", "words", "label"),
    [
        ('{"kind": "ja4", "value": "VALUE", "labels": ["second"]}', "read again", "second"),
        ('{"kind": "ja4", "value": ', "what was read before stays", "first"),
    ],
)
def test_hang_up_reads_lists_again(tmp_path: Path, then: str, words: str, label: str) -> None:
    """Records have the labels of the moment they are written; a broken list changes nothing."""
    fixture = ROOT / "tests/fixtures/tls.pcap"
    capture, database, log = fixture.read_bytes(), tmp_path / "labels", tmp_path / "log"
    ja4 = re.search(r'"ja4":"([^"]+)"', raw("bidir=1", "fingerprint=1", fixture).stdout)[1]
    first = {"kind": "ja4", "value": ja4, "labels": ["first"]}
    database.write_text(json.dumps(first) + "\n", encoding="utf-8")
    run = subprocess.Popen(
        [str(program()), "bidir=1", f"fingerprint_db={database}", "fingerprint=1", "verbosity=2"]
        + [f"logfile={log}", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    run.stdin.write(capture[:2048])
    run.stdin.flush()
    wait_for_sleep(run)
    database.write_text(then.replace("VALUE", ja4) + "\n", encoding="utf-8")
    log.rename(tmp_path / "old")
    run.send_signal(signal.SIGHUP)
    out, _ = run.communicate(capture[2048:], timeout=30)
    assert run.returncode == 0
    assert is_whole_json(out)
    assert labels_of(out) == {label}
    assert words in log.read_text(encoding="utf-8")


# --- documents -----------------------------------------------------------------------------------
def test_explain() -> None:
    done = raw("explain=entropy")
    assert done.returncode == 0
    assert "Shannon" in done.stdout
    assert "bits" in done.stdout
    is_usage_error(raw("explain=entropi"), "the nearest is 'entropy'")
    is_usage_error(raw("explain=ip.out.tll"), "the nearest is 'ip.out.ttl'")


def test_every_key_of_a_record_is_explained() -> None:
    keys = {k for r in pcap2flow("bidir=1", "features=all", SAMPLE).records for k in r}
    for key in sorted(keys):
        assert raw(f"explain={key}").returncode == 0, key


def test_interfaces() -> None:
    done = raw("show_interfaces=1")
    assert done.returncode == 0
    assert re.search(r"^lo +up +127\.0\.0\.1", done.stdout, re.MULTILINE)


@pytest.mark.parametrize("what", ["man", "bash", "zsh", "fields", "schema", "options"])
def test_documents(what: str) -> None:
    done = raw(f"print={what}")
    assert done.returncode == 0
    assert len(done.stdout) > 1000
    assert done.stderr == ""


def test_manual_pages_are_sound(tmp_path: Path) -> None:
    if not shutil.which("mandoc"):
        pytest.skip("no mandoc here")
    (tmp_path / "pcap2flow.1").write_text(raw("print=man").stdout)
    for page in (tmp_path / "pcap2flow.1", ROOT / "doc/libjoy.3"):
        command = ["mandoc", "-T", "lint", "-W", "warning", str(page)]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
        assert (done.returncode, done.stdout) == (0, "")


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["bid"], ["bidir="]),
        (["tunnel", "=", "o"], ["outer"]),
        (["tunnel", "="], ["inner", "outer"]),
        (["bidir", "=", ""], ["0", "1"]),
        (["features", "=", "dist,entr"], ["dist,entropy"]),
        (["output", "=", "a b"], ["a b.json"]),
        (["-x", "my"], ["my.cfg"]),
        (["act"], ["active_timeout="]),
        (["a b"], ["a b.json"]),
    ],
)
def test_bash_completion(tmp_path: Path, words: list[str], expected: list[str]) -> None:
    for name in ("my.cfg", "a b.json"):
        (tmp_path / name).touch()
    (tmp_path / "completion").write_text(raw("print=bash").stdout)
    script = """
        compopt() { :; }  # has no place outside of a completion
        source ./completion
        COMP_WORDS=(pcap2flow "$@") COMP_CWORD=$#
        _pcap2flow
        printf '%s\\n' "${COMPREPLY[@]}"
    """
    command = ["bash", "-c", script, "bash", *words]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    assert done.stdout.splitlines() == expected
    assert done.stderr == ""


def test_zsh_completion_can_be_parsed(tmp_path: Path) -> None:
    if not shutil.which("zsh"):
        pytest.skip("no zsh here")
    (tmp_path / "_pcap2flow").write_text(raw("print=zsh").stdout)
    subprocess.run(["zsh", "-n", str(tmp_path / "_pcap2flow")], check=True)


def make_variable(name: str) -> str:
    """What the Makefile says, in its release mode."""
    environment = {k: v for k, v in os.environ.items() if k not in ("MAKEFLAGS", "MAKELEVEL")}
    command = ["make", "-s", f"print-{name}"]
    done = subprocess.run(
        command, cwd=ROOT, env=environment, capture_output=True, text=True, check=True
    )
    return done.stdout.strip()


def test_example_of_the_library(tmp_path: Path) -> None:
    library = ROOT / make_variable("B") / "libjoy.a"
    if not library.exists():
        pytest.skip("libjoy.a is not built")
    example = tmp_path / "example"
    command = ["cc", "-std=c17", "-Wall", "-Wextra", "-Werror", f"-I{ROOT}/include", "-o"]
    command += [str(example), str(ROOT / "doc/example.c"), str(library)]
    subprocess.run([*command, *make_variable("PKG_LIBS").split()], check=True)
    done = subprocess.run([str(example), str(SAMPLE)], capture_output=True, check=False)
    assert (done.returncode, done.stderr) == (0, b"")
    assert done.stdout == pcap2flow("bidir=1", SAMPLE).stdout
    assert subprocess.run([str(example)], capture_output=True, check=False).returncode == 2


def test_library_exports_its_interface_only() -> None:
    library = ROOT / make_variable("B") / "libjoy.so"
    if not library.exists() or not shutil.which("nm"):
        pytest.skip("libjoy.so is not built")
    command = ["nm", "-D", "--defined-only", str(library)]
    names = subprocess.run(command, capture_output=True, text=True, check=True).stdout.split("\n")
    symbols = {line.split()[2].split("@")[0] for line in names if len(line.split()) == 3}
    header = (ROOT / "include/joy.h").read_text()
    declared = set(re.findall(r"JOY_API [^(;]*?\b(joy_\w+)\(", header))
    assert symbols - {"JOY_1.0"} == declared
