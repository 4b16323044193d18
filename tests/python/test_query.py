# SPDX-License-Identifier: BSD-3-Clause
"""joy query: answers counted by hand (talks.py), in every format, from every kind of input."""

from __future__ import annotations

import csv
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
import talks
import traps
from kit import ROOT
from talks import joy_here as joy


@pytest.fixture(scope="module")
def inputs(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    """The same flows as capture, JSON lines, Arrow and Parquet."""
    folder = tmp_path_factory.mktemp("talks")
    found = {"capture": talks.write(folder / "t.pcap"), "json": folder / "t.json"}
    command = [str(ROOT / "pcap2flow"), "bidir=1", "features=all", str(found["capture"])]
    found["json"].write_bytes(subprocess.run(command, capture_output=True, check=True).stdout)
    for name in ("arrow", "arrows", "parquet"):
        found[name] = folder / f"t.{name}"
        done = joy("convert", found["json"], found[name])
        assert done.returncode == 0, done.stderr
    return found


KINDS = ["capture", "json", "arrow", "arrows", "parquet"]


def ask(*words: str | Path) -> list[dict]:
    """An answer as rows."""
    done = joy("query", *words, "--json")
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def told(*words: str | Path) -> tuple[int, str]:
    """Exit status and messages of a query."""
    done = joy("query", *words)
    return done.returncode, done.stderr


# --- SQL -----------------------------------------------------------------------------------------
@pytest.mark.parametrize("kind", KINDS)
def test_flows(inputs: dict[str, Path], kind: str) -> None:
    names = ", ".join(talks.KEYS)
    found = ask(f"SELECT {names} FROM flows ORDER BY flow_id", inputs[kind])
    assert [tuple(row.values()) for row in found] == talks.FLOWS


@pytest.mark.parametrize("kind", KINDS)
def test_packets(inputs: dict[str, Path], kind: str) -> None:
    found = ask(
        "SELECT dense_rank() OVER (ORDER BY flow_id) AS n, i, dir, b, sa, dp "
        "FROM packets ORDER BY n, i",
        inputs[kind],
    )
    assert [(row["n"], row["dir"], row["b"]) for row in found] == talks.PACKETS
    assert [row["i"] for row in found] == [0, 1, 2, 3, 0, 1, 0, 1, 0, 1, 0, 1]
    assert {(row["sa"], row["dp"]) for row in found if row["n"] == 3} == {("10.0.0.4", 53)}


@pytest.mark.parametrize("kind", KINDS)
def test_objects_are_tables(inputs: dict[str, Path], kind: str) -> None:
    """Flow 1: SYN, ACK, data, ACK, FIN, ACK from the client: 5 segments with ACK."""
    found = ask(
        'SELECT sp, dp, "out".counts.syn AS s, "out".counts.ack AS a FROM tcp', inputs[kind]
    )
    assert found == [{"sp": 40000, "dp": 80, "s": 1, "a": 5}]
    found = ask("SELECT sum(num_pkts_out) AS n FROM flows JOIN ip USING (flow_id)", inputs[kind])
    assert found == [{"n": 11}]


@pytest.mark.parametrize("kind", ["capture", "arrows", "parquet"])
def test_a_table_may_be_named_often(inputs: dict[str, Path], kind: str) -> None:
    found = ask(
        "SELECT a.dp, count(*) AS n FROM flows a JOIN flows b ON a.da = b.da "
        "WHERE EXISTS (SELECT 1 FROM packets p WHERE p.flow_id = b.flow_id AND p.b > 60) "
        "GROUP BY a.dp ORDER BY a.dp",
        inputs[kind],
    )  # 10.0.0.2 has four flows, of which three have a packet above 60 bytes
    assert found == [{"dp": 53, "n": 6}, {"dp": 80, "n": 3}, {"dp": 7000, "n": 1},
                     {"dp": None, "n": 3}]  # fmt: skip


def test_all_inputs_are_one_table(inputs: dict[str, Path]) -> None:
    found = ask("SELECT count(*) AS n, sum(bytes_in) AS b FROM flows", *inputs.values())
    assert found == [{"n": 25, "b": 5 * (3000 + 70 + 71 + 48)}]


def test_a_star_has_what_records_have(inputs: dict[str, Path]) -> None:
    found = ask("SELECT * FROM flows WHERE pr = 1", inputs["capture"])
    assert found[0]["icmp_type"] == 8 and found[0]["packets"][0] == {"b": 48, "dir": ">", "ipt": 0}
    assert "tls" not in found[0]


def test_a_star_and_a_feature(inputs: dict[str, Path]) -> None:
    found = ask("SELECT * FROM flows WHERE entropy = 0", inputs["capture"])
    assert [row["dp"] for row in found] == [53, 53, 7000]  # zeros only; the echo has its header


def test_whole_rows_and_stars_of_others(inputs: dict[str, Path]) -> None:
    found = ask("SELECT f FROM flows f WHERE dp = 80", inputs["capture"])
    assert found[0]["f"]["bytes_in"] == 3000
    found = ask("WITH a AS (FROM packets) SELECT sum(b) AS b FROM (SELECT * FROM a)",
                inputs["capture"])  # fmt: skip
    assert found == [{"b": sum(size for _, _, size in talks.PACKETS)}]


def test_statements_that_are_no_select(inputs: dict[str, Path]) -> None:
    found = ask("DESCRIBE packets", inputs["capture"])
    assert [row["column_name"] for row in found][-4:] == ["i", "b", "dir", "ipt"]
    found = ask("CREATE TEMP VIEW big AS FROM packets WHERE b > 900; "
                "SELECT count(*) AS n FROM big", inputs["capture"])  # fmt: skip
    assert found == [{"n": 3}]
    found = ask("PIVOT flows ON pr USING count(*)", inputs["json"])
    assert sum(row["17"] for row in found) == 3


def test_values_keep_their_form(inputs: dict[str, Path]) -> None:
    found = ask(
        "SELECT time_start AS t, age(time_end::TIMESTAMPTZ, time_start::TIMESTAMPTZ) AS d, "
        "sum(bytes_out) OVER () AS s, "
        "'\\xC0\\x2F'::BLOB AS x, dp = 7000 AS y, NULL AS z, 0.1 AS f FROM flows WHERE dp = 7000",
        inputs["capture"],
    )
    assert found == [{"t": "2023-11-14T22:13:20.007Z", "d": "0.09 s", "s": 1000, "x": "c02f",
                      "y": True, "z": None, "f": 0.1}]  # fmt: skip


def test_nanoseconds_are_kept(tmp_path: Path) -> None:
    packet = traps.Packet(123_456_789, traps.ip((traps.C, traps.S), 17, traps.udp(1, 2, b"x")))
    capture = talks.write(tmp_path / "ns.pcap", [packet])
    assert joy("convert", capture, tmp_path / "ns.parquet").returncode == 0
    for path in (capture, tmp_path / "ns.parquet"):
        assert ask("SELECT time_start AS t FROM flows", path) == [
            {"t": "2023-11-14T22:13:20.123456789Z"}
        ]


def test_certificates() -> None:
    """fixtures/handshakes.sh lets one server ask for a certificate of the client; tshark agrees."""
    fixture = ROOT / "tests/fixtures/tls.pcap"
    sides = ["server", "client"]
    found = ask("SELECT side, count(*) AS n FROM certs GROUP BY side", fixture)
    by_side = {row["side"]: row["n"] for row in found}
    tshark = subprocess.run(
        ["tshark", "-r", str(fixture), "-Y", "tls.handshake.certificate", "-T", "fields",
         "-e", "ip.src", "-e", "ipv6.src", "-e", "tls.handshake.certificate_length"],
        capture_output=True, text=True, check=True,
    )  # fmt: skip
    count = dict.fromkeys(sides, 0)
    for line in tshark.stdout.splitlines():
        four, six, lengths = line.split("\t")
        side = "server" if (four or six) in ("192.0.2.1", "2001:db8::1") else "client"
        count[side] += len(lengths.split(","))
    assert by_side == {side: n for side, n in count.items() if n}


# --- how answers are written ---------------------------------------------------------------------
SQL = "SELECT sa, dp, bytes_in, packets FROM flows WHERE pr <> 6 ORDER BY flow_id LIMIT 2"


def test_csv(inputs: dict[str, Path]) -> None:
    done = joy("query", SQL, inputs["capture"], "--format", "csv")
    table = list(csv.reader(done.stdout.splitlines()))
    assert table[0] == ["sa", "dp", "bytes_in", "packets"]
    assert table[1][:3] == ["10.0.0.3", "53", "70"]
    assert json.loads(table[1][3]) == [
        {"b": 30, "dir": ">", "ipt": 0}, {"b": 70, "dir": "<", "ipt": 3}
    ]  # fmt: skip


def test_json_lines(inputs: dict[str, Path]) -> None:
    done = joy("query", SQL, inputs["capture"], "--format", "jsonl")
    assert [json.loads(line)["sa"] for line in done.stdout.splitlines()] == ["10.0.0.3", "10.0.0.4"]


def test_table_in_a_pipe_is_plain_and_whole(inputs: dict[str, Path]) -> None:
    sql = "SELECT sa, bytes_in AS b, repeat('x', 300) AS x FROM flows ORDER BY flow_id LIMIT 2"
    done = joy("query", sql, inputs["capture"])
    x = "x" * 300
    assert done.stdout.splitlines() == [
        "sa           b  x",
        f"10.0.0.1  3000  {x}",
        f"10.0.0.3    70  {x}",
    ]


def test_parquet_to_a_file(inputs: dict[str, Path], tmp_path: Path) -> None:
    out = tmp_path / "out.parquet"
    assert joy("query", SQL, inputs["capture"], "-O", out).returncode == 0
    table = pq.read_table(out)
    assert table.column("bytes_in").to_pylist() == [70, 71]
    assert table.column("packets").to_pylist()[0][1]["b"] == 70
    assert not list(tmp_path.glob("*.part"))


@pytest.mark.parametrize("suffix", ["csv", "json", "jsonl"])
def test_a_file_by_its_suffix(inputs: dict[str, Path], tmp_path: Path, suffix: str) -> None:
    out = tmp_path / f"out.{suffix}"
    assert joy("query", SQL, inputs["capture"], "-O", out).returncode == 0
    form = joy("query", SQL, inputs["capture"], "--format", suffix).stdout
    assert out.read_text() == form and "10.0.0.4" in form


def test_no_rows(inputs: dict[str, Path]) -> None:
    sql = "SELECT sa FROM flows WHERE dp = 1"
    assert joy("query", sql, inputs["capture"], "--json").stdout == "[]\n"
    assert joy("query", sql, inputs["capture"], "--format", "csv").stdout == "sa\n"
    assert joy("query", sql, inputs["capture"]).stdout == "sa\n"


# --- faults --------------------------------------------------------------------------------------
FAULTS = {
    "SELECT sax FROM flows": "did you mean sa?",
    "SELECT x FROM packts": "did you mean packets?",
    "SELECT tls.snii FROM flows": "did you mean",
    "SELECT f.foo FROM flows f": "foo",
    "SELEC 1": "syntax error",
    "": "empty",
    "CREATE TABLE x AS SELECT 1": "SELECT",
    "SELECT time_end - time_start FROM flows": "epoch(time_end) - epoch(time_start)",
}


@pytest.mark.parametrize("query", FAULTS)
def test_faults_in_sql(inputs: dict[str, Path], query: str) -> None:
    status, text = told(query, inputs["capture"])
    assert status == 2 and FAULTS[query] in text and "Traceback" not in text


def test_what_the_inputs_do_not_have(tmp_path: Path, inputs: dict[str, Path]) -> None:
    plain = tmp_path / "plain.parquet"
    assert joy("convert", inputs["capture"], plain).returncode == 0
    for query in ("SELECT sni FROM tls", "SELECT tls.sni FROM flows", "SELECT tls FROM flows"):
        status, text = told(query, plain)
        assert status == 2 and "none of the inputs; pcap2flow gives it with tls=1" in text


@pytest.mark.parametrize(
    "query",
    [
        "SELECT * FROM read_csv('/etc/passwd')",
        "SELECT * FROM '/etc/passwd'",
        "SELECT * FROM glob('/*')",
        "COPY flows TO '{tmp}/stolen.csv'",
        "ATTACH '{tmp}/other.db'; SELECT 1",
        "INSTALL httpfs; SELECT 1",
        "LOAD httpfs; SELECT 1",
        "SET enable_external_access = true; SELECT 1",
        "SET memory_limit = '1TB'; SELECT 1",
        "SELECT * FROM read_parquet('https://192.0.2.1/x.parquet')",
    ],
)
@pytest.mark.parametrize("kind", ["capture", "parquet"])
def test_sql_reaches_nothing_but_the_inputs(
    inputs: dict[str, Path], tmp_path: Path, kind: str, query: str
) -> None:
    status, text = told(query.format(tmp=tmp_path), inputs[kind])
    assert status == 2, text
    assert not list(tmp_path.iterdir())


def test_names_of_files_are_only_names(tmp_path: Path, inputs: dict[str, Path]) -> None:
    for kind in ("parquet", "arrow", "capture"):
        odd = tmp_path / f'it\'s "odd" ; --{kind}'
        odd.write_bytes(inputs[kind].read_bytes())
        assert ask("SELECT count(*) AS n FROM flows", odd) == [{"n": 5}]


def test_exit_status_of_inputs(tmp_path: Path, inputs: dict[str, Path]) -> None:
    empty = tmp_path / "empty.json"
    empty.touch()
    count = "SELECT count(*) AS n FROM flows"
    status, text = told(count, empty)
    assert status == 1 and "empty" in text
    done = joy("query", count, empty, inputs["json"], inputs["parquet"], "--json")
    assert done.returncode == 3 and "empty" in done.stderr
    assert json.loads(done.stdout) == [{"n": 10}]
    half = tmp_path / "half.parquet"
    half.write_bytes(inputs["parquet"].read_bytes()[:-50])
    done = joy("query", count, half, inputs["capture"], "--json")
    assert done.returncode == 3 and "not a whole Parquet file" in done.stderr
    assert json.loads(done.stdout) == [{"n": 5}]


def test_usage(inputs: dict[str, Path], tmp_path: Path) -> None:
    capture = inputs["capture"]
    for words in (
        ["SELECT 1"],
        [SQL, capture, "--format", "xml"],
        [SQL, capture, "--format", "parquet"],
        [SQL, capture, "--memory", "lots"],
        [SQL, capture, "-o", "num_pkts=many"],
    ):
        assert told(*words)[0] == 2, words
    status, text = told(SQL, capture, "-O", tmp_path / "none" / "x.csv")
    assert status == 1 and "cannot write" in text


def test_mixed_schemas_are_scanned_in_place(tmp_path: Path) -> None:
    item = pa.struct([("b", pa.uint16())])
    pq.write_table(
        pa.table(
            {"dp": pa.array([80], pa.uint16()), "packets": pa.array([[{"b": 7}]], pa.list_(item))}
        ),
        tmp_path / "1.parquet",
    )
    more = pa.struct([("b", pa.uint32()), ("dir", pa.utf8())])
    pq.write_table(
        pa.table({"sa": ["10.0.0.1"], "dp": pa.array([443], pa.int64()),
                  "packets": pa.array([[{"b": 70000, "dir": ">"}]], pa.list_(more))}),
        tmp_path / "2.parquet")  # fmt: skip
    found = ask("SELECT sa, dp, b, dir, i FROM packets ORDER BY dp", tmp_path)
    assert [list(row.values()) for row in found] == [
        [None, 80, 7, None, 0], ["10.0.0.1", 443, 70000, ">", 0]
    ]  # fmt: skip


def test_columns_of_others_are_there(tmp_path: Path) -> None:
    table = pa.table({"flow_id": [1, 2], "truth": ["good", "bad"]})
    pq.write_table(table, tmp_path / "t.parquet")
    with pa.ipc.new_file(str(tmp_path / "t.arrow"), table.schema) as file:
        file.write_table(table)
    for name in ("t.parquet", "t.arrow"):
        found = ask("SELECT truth FROM flows WHERE flow_id = 2", tmp_path / name)
        assert found == [{"truth": "bad"}]
    with pa.ipc.new_file(str(tmp_path / "u.arrow"), table.select(["truth"]).schema) as file:
        file.write_table(table.select(["truth"]))
    assert ask("SELECT count(*) AS n FROM flows", tmp_path / "u.arrow") == [{"n": 2}]


# --- the old vocabulary --------------------------------------------------------------------------
def old(*words: str | Path) -> list[dict]:
    """What the old vocabulary prints: a JSON object a line."""
    done = joy("query", *words)
    assert done.returncode == 0, done.stderr
    return [json.loads(line) for line in done.stdout.splitlines()]


@pytest.mark.parametrize("kind", KINDS)
def test_select_where(inputs: dict[str, Path], kind: str) -> None:
    found = old("--select", "da,packets[{b}]", "--where", "packets[{b>60}],dp<100", inputs[kind])
    assert found == [
        {"da": "10.0.0.2", "packets": [{"b": 100}, {"b": 1000}, {"b": 1000}, {"b": 1000}]},
        {"da": "10.0.0.2", "packets": [{"b": 30}, {"b": 70}]},
        {"da": "10.0.0.2", "packets": [{"b": 31}, {"b": 71}]},
    ]


def test_nesting_stays(inputs: dict[str, Path]) -> None:
    found = old("--select", "tcp{out{counts{syn,fin}}},dp", "--where", "tcp=*", inputs["capture"])
    assert found == [{"tcp": {"out": {"counts": {"syn": 1, "fin": 1}}}, "dp": 80}]


def test_dist(inputs: dict[str, Path]) -> None:
    assert old("--select", "dp,pr", "--dist", inputs["capture"]) == [
        {"count": 2, "total": 5, "dp": 53, "pr": 17},
        {"count": 1, "total": 5, "dp": 80, "pr": 6},
        {"count": 1, "total": 5, "dp": 7000, "pr": 17},
        {"count": 1, "total": 5, "pr": 1},
    ]


def test_dist_by_groups(inputs: dict[str, Path]) -> None:
    assert old("--groupby", "sa", "--select", "dp", "--dist", inputs["capture"]) == [
        {"count": 1, "total": 1, "sa": "10.0.0.1", "dp": 80},
        {"count": 1, "total": 2, "sa": "10.0.0.3", "dp": 53},
        {"count": 1, "total": 2, "sa": "10.0.0.3"},
        {"count": 1, "total": 1, "sa": "10.0.0.4", "dp": 53},
        {"count": 1, "total": 1, "sa": "fd00::1", "dp": 7000},
    ]
    assert old("--groupby", "pr", "--dist", "--top", "1", inputs["capture"]) == [
        {"count": 3, "total": 5, "pr": 17}
    ]


def test_sum(inputs: dict[str, Path]) -> None:
    capture = inputs["capture"]
    assert old("--sum", "bytes_out,bytes_in", capture) == [{"bytes_out": 1209, "bytes_in": 3189}]
    assert old("--groupby", "sa", "--sum", "bytes_in", "--top", "2", capture) == [
        {"sa": "10.0.0.1", "bytes_in": 3000},
        {"sa": "10.0.0.3", "bytes_in": 118},
    ]
    assert old("--groupby", "sa", "--select", "da,bytes_in", "--sum", "bytes_in", "--sort", "sa",
               "--top", "1", capture) == [
        {"sa": "10.0.0.1", "da": "10.0.0.2", "bytes_in": 3000}]  # fmt: skip


def test_sort_and_groups(inputs: dict[str, Path]) -> None:
    capture = inputs["capture"]
    found = old("--select", "bytes_in", "--sort", "-bytes_in", "--top", "2", capture)
    assert found == [{"bytes_in": 3000}, {"bytes_in": 71}]
    found = old("--select", "dp", "--groupby", "sa", "--where", "pr=17", capture)
    assert [row["sa"] for row in found] == ["10.0.0.3", "10.0.0.4", "fd00::1"]


def test_whole_records(inputs: dict[str, Path]) -> None:
    found = old("--where", "icmp{out{requests}}=1", inputs["capture"])
    assert len(found) == 1 and found[0]["bytes_out"] == 48
    assert found[0]["icmp"]["out"]["requests"] == 1 and "sp" not in found[0]


def test_stitch_within_a_file(inputs: dict[str, Path], tmp_path: Path) -> None:
    """Files that look alike have flows of their own with independent=1, also in other tables."""
    twin = tmp_path / "twin.pcap"
    twin.write_bytes(inputs["capture"].read_bytes())
    words = ("-o", "independent=1", "-o", "active_timeout=0.04")
    files = (inputs["capture"], twin)
    whole = old("--stitch", "--select", "file,bytes_out", "--where", "pr=6", *files, *words)
    assert [row["bytes_out"] for row in whole] == [100, 100]
    assert {row["file"] for row in whole} == set(map(str, files))
    words = ("-o", "independent=1")
    rows = ask("SELECT file, count(*) AS n FROM packets GROUP BY file", *files, *words)
    assert [row["n"] for row in rows] == [12, 12]


def test_stitch(tmp_path: Path, inputs: dict[str, Path]) -> None:
    """With an active timeout of 40 ms flow 1 (110 ms) has parts; together they are the whole."""
    split = ("-o", "active_timeout=0.04", "--where", "pr=6")
    fields = "part,bytes_out,num_pkts_out,bytes_in,num_pkts_in,packets[{b}]"
    parts = old("--select", fields, inputs["capture"], *split)
    assert [part["part"] for part in parts] == list(range(1, len(parts) + 1)) and len(parts) > 2
    whole = old("--stitch", "--select", fields, inputs["capture"], *split)
    assert whole == [{
        "part": 1, "bytes_out": 100, "num_pkts_out": 6, "bytes_in": 3000, "num_pkts_in": 6,
        "packets": [{"b": 100}, {"b": 1000}, {"b": 1000}, {"b": 1000}],
    }]  # fmt: skip
    times = "time_start,time_end,end_reason,marks,entropy"
    joined = old("--stitch", "--select", times, inputs["capture"], *split)
    assert joined[0]["time_start"] == "2023-11-14T22:13:20Z"
    assert joined[0]["time_end"] == "2023-11-14T22:13:20.110Z"
    assert joined[0]["end_reason"] != 2 and "entropy" not in joined[0]
    assert len(old("--stitch", "--select", "sa", inputs["capture"])) == 5


def test_what_no_input_has_is_told(inputs: dict[str, Path], tmp_path: Path) -> None:
    plain = tmp_path / "plain.parquet"
    assert joy("convert", inputs["capture"], plain).returncode == 0
    done = joy("query", "--select", "sa,tls{sni}", "--where", "tls{sni}=*", plain)
    assert done.returncode == 0 and done.stdout == ""
    assert "none of the inputs has tls.sni" in done.stderr


@pytest.mark.parametrize(
    "words",
    [
        ["--dist"],
        ["--dist", "--sum", "bytes_in"],
        ["--sum", "sa"],
        ["--top", "0", "--select", "sa"],
        ["--select", "sa", "--sort", "packets[{b}]"],
        ["--groupby", "sa", "--sum", "bytes_in", "--sort", "dp"],
        ["--select", "nothing"],
        ["--where", "dp="],
        ["--where", "dp=443; DROP TABLE flows"],
    ],
)
def test_old_words_that_say_nothing(inputs: dict[str, Path], words: list[str]) -> None:
    status, text = told(*words, inputs["capture"])
    assert status == 2 and "Traceback" not in text


def test_show_sql(inputs: dict[str, Path]) -> None:
    words = ["--select", "sa", "--where", "dp=53", "--sort", "sa"]
    done = joy("query", "--show-sql", *words, inputs["capture"])
    assert done.returncode == 0
    again = ask(done.stdout, inputs["capture"])
    assert again == old(*words, inputs["capture"])


def test_an_interrupt_ends_it_and_leaves_nothing(inputs: dict[str, Path], tmp_path: Path) -> None:
    long = "SELECT count(*) FROM range(1000000000000) a, flows"
    command = [sys.executable, "-m", "joy", "query", long, str(inputs["capture"])]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python"), "TMPDIR": str(tmp_path)}
    with subprocess.Popen(command, env=env, stderr=subprocess.PIPE, text=True) as running:
        end = time.monotonic() + 60
        while not list(tmp_path.glob("joy-*/flows.db")) and time.monotonic() < end:
            assert running.poll() is None
        running.send_signal(signal.SIGINT)
        _, said = running.communicate(timeout=60)
    assert (running.returncode, said) == (130, "joy: interrupted\n")
    assert not list(tmp_path.iterdir())


def test_who_reads_may_stop_early(inputs: dict[str, Path]) -> None:
    sql = "SELECT i, repeat('x', 100) FROM range(1000000) r(i), flows"
    command = [sys.executable, "-m", "joy", "query", sql, str(inputs["capture"])]
    env = {**os.environ, "PYTHONPATH": str(ROOT / "python")}
    pipe = subprocess.PIPE
    with subprocess.Popen(command, env=env, stdout=pipe, stderr=pipe) as running:
        assert running.stdout is not None and running.stderr is not None
        running.stdout.readline()
        running.stdout.close()
        assert running.stderr.read() == b""
    assert running.returncode == 0


def test_columns_that_contradict(tmp_path: Path, inputs: dict[str, Path]) -> None:
    for n, dp in enumerate(([80], ["http"])):
        pq.write_table(pa.table({"dp": dp, "flow_id": [n]}), tmp_path / f"{n}.parquet")
    done = joy("query", "SELECT dp FROM flows ORDER BY flow_id", tmp_path, "--json")
    assert done.returncode == 3 and "column dp" in done.stderr
    assert json.loads(done.stdout) == [{"dp": 80}, {"dp": None}]
    status, text = told("SELECT dp FROM flows", tmp_path / "1.parquet", inputs["capture"])
    assert status == 1 and "column dp is string in some inputs" in text


def test_what_does_not_fit_into_memory_goes_to_disk(inputs: dict[str, Path]) -> None:
    sql = "SELECT count(DISTINCT i) AS n FROM range(3000000) r(i), flows WHERE dp = 80"
    assert ask(sql, inputs["capture"], "--memory", "60MB") == [{"n": 3_000_000}]
