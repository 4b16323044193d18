# SPDX-License-Identifier: BSD-3-Clause
"""joy plot: what is drawn is what the record says, in SVG, PNG and on a terminal."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from joy.commands import plot
from joy.inputs import Flows
from joy.plot import figures, picture, select, terminal
from kit import ROOT, joy

FIXTURES = ROOT / "tests" / "fixtures"
SAMPLE = ROOT / "sample.pcap"
EXAMPLE = ROOT / "doc" / "plot-packets.svg"
FLOW = 41  # of sample.pcap: TLS 1.2 with web.test
SVG = "{http://www.w3.org/2000/svg}"


def record(flow_id: int, capture: Path = SAMPLE) -> dict[str, Any]:
    """A flow's record as pcap2flow writes it: what plots are held against."""
    run = subprocess.check_output([ROOT / "pcap2flow", "bidir=1", "features=all", capture])
    found = [json.loads(line) for line in run.splitlines()]
    return next(r for r in found if r.get("flow_id") == flow_id)


def drawing(tmp_path: Path, *arguments: str | Path) -> ElementTree.Element:
    """The SVG that a command writes."""
    path = tmp_path / "out.svg"
    done = joy("plot", *arguments, "-O", path)
    assert done.returncode == 0, done.stderr
    return ElementTree.parse(path).getroot()


def group(root: ElementTree.Element, name: str) -> ElementTree.Element | None:
    return next((e for e in root.iter(f"{SVG}g") if e.get("id") == name), None)


def lines(root: ElementTree.Element, name: str) -> list[tuple[float, float]]:
    """Place and height of each vertical line in a group, in the units of the drawing."""
    found = group(root, name)
    assert found is not None, name
    drawn = []
    for path in found.iter(f"{SVG}path"):
        x0, y0, x1, y1 = map(float, re.findall(r"-?[\d.]+", path.get("d") or ""))
        assert x0 == x1
        drawn.append((x0, y0 - y1))
    return drawn


def words(root: ElementTree.Element) -> str:
    return " ".join("".join(e.itertext()) for e in root.iter(f"{SVG}text"))


# --- pictures ------------------------------------------------------------------------------------
def test_packets_are_those_of_the_record(tmp_path: Path) -> None:
    flow = record(FLOW)
    root = drawing(tmp_path, SAMPLE, "--flow", str(FLOW))
    for way, name in ((">", "out"), ("<", "back")):
        now, expected = 0.0, []
        for packet in flow["packets"]:
            now += packet["ipt"]
            if packet["dir"] == way:
                expected.append((now, packet["b"] if way == ">" else -packet["b"]))
        drawn = lines(root, f"flow0-packets-{name}")
        assert len(drawn) == len(expected)
        heights = [y for _, y in drawn]
        scale = expected[0][1] / heights[0]
        assert scale > 0
        assert [y * scale for y in heights] == pytest.approx([b for _, b in expected], rel=1e-3)
        places = [x for x, _ in drawn]
        per_ms = (places[-1] - places[0]) / (expected[-1][0] - expected[0][0])
        at = [(x - places[0]) / per_ms + expected[0][0] for x in places]
        assert at == pytest.approx([ms for ms, _ in expected], abs=0.01)
    assert "time since the first data packet (ms)" in words(root)
    assert "payload (bytes)" in words(root)
    assert "192.0.2.10:47912 > 192.0.2.1:443" in words(root)


def test_records_are_coloured_by_type(tmp_path: Path) -> None:
    flow = record(FLOW)
    root = drawing(tmp_path, SAMPLE, "--flow", str(FLOW))
    types = {20: "change-cipher-spec", 21: "alert", 22: "handshake", 23: "application-data"}
    for number, name in types.items():
        count = sum(r["tp"] == number for r in flow["tls"]["srlt"])
        assert len(lines(root, f"flow0-inner-{name}")) == count > 0
    assert "ClientHello" in words(root)
    styles = {
        next(group(root, f"flow0-inner-{n}").iter(f"{SVG}path")).get("style")
        for n in types.values()
    }
    assert len(styles) == len(types)


def test_several_flows_have_panels_of_their_own(tmp_path: Path) -> None:
    root = drawing(tmp_path, FIXTURES / "dns.pcap", "--where", "pr = 17 AND dp = 53")
    for number in range(7):  # counted by tshark: 7 streams of UDP
        assert group(root, f"flow{number}-packets-out") is not None
    assert group(root, "flow7-packets-out") is None


def test_lengths_and_times_count_every_packet(tmp_path: Path) -> None:
    for kind in ("lengths", "times"):
        root = drawing(tmp_path, SAMPLE, "--flow", str(FLOW), "--kind", kind)
        ids = [e.get("id") or "" for e in root.iter(f"{SVG}g")]
        figure = json.loads(
            joy("plot", "--json", SAMPLE, "--flow", str(FLOW), "--kind", kind).stdout
        )[0]
        for way in ("out", "back"):
            assert sum(i == f"bin-{way}" for i in ids) == sum(1 for n in figure[way] if n)
        total = len(record(FLOW)["packets"]) - (kind == "times")
        assert sum(figure["out"]) + sum(figure["back"]) + sum(figure["zero"]) == total


def test_byte_grid(tmp_path: Path) -> None:
    flow = record(FLOW)
    done = joy("plot", "--json", SAMPLE, "--flow", str(FLOW), "--kind", "bytes")
    assert json.loads(done.stdout)[0]["counts"] == flow["byte_dist"]
    root = drawing(tmp_path, SAMPLE, "--flow", str(FLOW), "--kind", "bytes")
    assert f"{sum(flow['byte_dist']):,} bytes of payload" in words(root)
    assert next(root.iter(f"{SVG}image"), None) is not None


def test_hosts_have_their_flows(tmp_path: Path) -> None:
    root = drawing(tmp_path, SAMPLE)
    ids = [e.get("id") for e in root.iter(f"{SVG}g")]
    assert ids.count("flow-begun") == ids.count("flow-answered") == 25  # flows of sample.pcap
    assert "192.0.2.10" in words(root)
    assert "seconds since 2026-11-24 00:30:23.178 UTC" in words(root)


@pytest.mark.parametrize("kind", ["packets", "bytes", "lengths", "times", "hosts"])
def test_pictures_are_the_same_each_time(kind: str, tmp_path: Path) -> None:
    found = Flows([str(SAMPLE)], columns=select.columns(kind))
    chosen = list(select.records(found, kind, f"flow_id = {FLOW}"))
    for suffix in ("svg", "png"):
        for number in (1, 2):
            picture.write(kind, plot._figures(kind, chosen), tmp_path / f"{number}.{suffix}")
        first, second = (tmp_path / f"{n}.{suffix}" for n in (1, 2))
        assert first.read_bytes() == second.read_bytes()
    assert (tmp_path / "1.png").read_bytes().startswith(b"\x89PNG\r\n\x1a\n")
    assert b"<dc:date>" not in (tmp_path / "1.svg").read_bytes()


def test_example_of_the_manual_is_what_comes_out(tmp_path: Path) -> None:
    path = tmp_path / "example.svg"
    assert joy("plot", SAMPLE, "--flow", str(FLOW), "-O", path).returncode == 0
    made, kept = (ElementTree.parse(p).getroot() for p in (path, EXAMPLE))
    for root in (made, kept):
        assert root.tag == f"{SVG}svg"
    assert words(made) == words(kept)
    for name in ("flow0-packets-out", "flow0-packets-back", "flow0-inner-handshake"):
        assert lines(made, name) == pytest.approx(lines(kept, name), abs=2)


# --- the numbers ---------------------------------------------------------------------------------
BARE = {
    "sa": "192.0.2.1", "da": "2001:db8::2", "pr": 6, "sp": 1, "dp": 443, "flow_id": 7, "part": 1,
    "bytes_out": 10, "bytes_in": 20, "time_start": 0, "time_end": 10**9,
}  # fmt: skip


def packets_of(*listed: tuple[int, str, float]) -> list[dict[str, Any]]:
    return [{"b": b, "dir": way, "ipt": ipt} for b, way, ipt in listed]


def test_times_add_up() -> None:
    line = figures.packets({**BARE, "packets": packets_of((5, ">", 0), (9, "<", 2.5), (1, "<", 1))})
    assert [(s.ms, s.size, s.out) for s in line.packets] == [
        (0, 5, True), (2.5, 9, False), (3.5, 1, False),
    ]  # fmt: skip
    assert line.inner == []
    assert line.title == "192.0.2.1:1 > [2001:db8::2]:443  tcp  (flow 7)"


def test_records_behind_another_protocol_lie_where_they_were() -> None:
    """STARTTLS: the first record is in the third packet."""
    listed = packets_of((20, "<", 0), (9, ">", 1), (200, ">", 2), (900, "<", 4), (50, ">", 1))
    records = [
        {"b": 195, "dir": ">", "ipt": 0, "tp": 22, "hs_types": [1]},
        {"b": 80, "dir": "<", "ipt": 4, "tp": 22, "hs_types": [2]},
        {"b": 700, "dir": "<", "ipt": 0, "tp": 22, "hs_types": [11, 14]},
    ]
    line = figures.packets({**BARE, "packets": listed, "tls": {"srlt": records}})
    assert [(s.ms, s.label) for s in line.inner] == [
        (3, "ClientHello"), (7, "ServerHello"), (7, "Certificate, ServerHelloDone"),
    ]  # fmt: skip


def test_bins_of_lengths() -> None:
    sizes = [1, 2, 3, 4, 7, 8, 1448]
    flow = {**BARE, "packets": packets_of(*((b, ">", 1.0) for b in sizes), (64, "<", 1.0))}
    figure = figures.lengths([flow])
    assert figure.edges == [2.0**k for k in range(12)]
    assert figure.out == [1, 2, 2, 1, 0, 0, 0, 0, 0, 0, 1]
    assert figure.back == [0, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0]


def test_bins_of_times() -> None:
    listed = packets_of((1, ">", 0), (1, "<", 0), (1, ">", 1), (1, ">", 1.5), (1, "<", 10))
    figure = figures.times([{**BARE, "packets": listed}])
    assert figure.edges[0] == pytest.approx(1)
    assert figure.edges[-1] == pytest.approx(10 ** (6 / 5))
    assert (figure.out, figure.back) == ([2, 0, 0, 0, 0, 0], [0, 0, 0, 0, 0, 1])
    assert figure.zero == (0, 1)  # the first packet has no packet before it


def test_hosts_with_most_bytes_have_rows() -> None:
    flows = [
        {**BARE, "time_start": 0, "time_end": 4 * 10**9},
        {**BARE, "time_start": 10**9, "time_end": 2 * 10**9, "flow_id": 8, "pr": 17, "dp": 53},
        {**BARE, "sa": "192.0.2.7", "da": "192.0.2.7", "bytes_in": 0, "flow_id": 9, "pr": 1},
    ]
    figure = figures.hosts(flows, rows=2)
    assert [address for address, _ in figure.rows] == ["192.0.2.1", "2001:db8::2"]
    assert figure.left_out == 1
    segments = figure.rows[0][1]
    assert [(s.start, s.end, s.kind, s.initiator, s.lane) for s in segments] == [
        (0, 4, "other TCP", True, 0), (1, 2, "DNS", True, 1),
    ]  # fmt: skip
    assert [s.initiator for s in figure.rows[1][1]] == [False, False]
    assert figure.seconds == 4


# --- on a terminal -------------------------------------------------------------------------------
def plain(kind: str, figure: Any, width: int) -> list[str]:
    return [line.plain.rstrip() for line in terminal.lines(kind, figure, width)]


def test_terminal_packets() -> None:
    line = figures.packets(
        {**BARE, "packets": packets_of((800, ">", 0), (400, "<", 5), (100, "<", 5))}
    )
    assert plain("packets", line, 31)[1:] == [
        "     800 ⡇",
        "         ⡇",
        "         ⡇",
        "         ⡇",
        "         ⡇",
        "         ⡇",
        "         ⡇",
        "         ⡇",
        "       0 ─────────────────────",
        "                   ⡇         ⢸",
        "                   ⡇",
        "                   ⡇",
        "     400           ⡇",
        "         0        ms        10",
        "         up: to the responder  down: to the initiator",
    ]


def test_terminal_bytes() -> None:
    counts = [0] * 256
    counts[0x00], counts[0x41], counts[0xFF] = 1, 1000, 30
    shown = plain("bytes", figures.ByteGrid("t", counts), 80)
    assert shown[2] == "  0_  ░░"
    assert shown[6] == "  4_     ██"
    assert shown[17] == "  F_" + " " * 47 + "▒▒"
    assert shown[18] == "  1,031 bytes; shades of the logarithm, from 1 ░ to 1,000 █"
    assert [terminal.shade(n, 1, 10**4) for n in (0, 1, 9, 10, 100, 1000, 10**4)] == [
        0, 1, 1, 2, 3, 4, 4,
    ]  # fmt: skip


def test_terminal_histogram() -> None:
    figure = figures.Histogram("t", "bytes", [1, 2, 4], [4, 2], [0, 1])
    assert plain("lengths", figure, 48) == [
        "t",
        "7 packets by payload in bytes",
        "                to the responder  to the initiator",
        "             1  ██████████ 4",
        "           2-3  █████ 2           ██▌ 1",
    ]


def test_terminal_hosts() -> None:
    flows = [
        {**BARE, "time_start": 0, "time_end": 4 * 10**9},
        {**BARE, "time_start": 10**9, "time_end": 2 * 10**9, "flow_id": 8, "pr": 17, "dp": 53},
    ]
    assert plain("hosts", figures.hosts(flows), 30)[1:5] == [
        "  192.0.2.1 │ CCCCCCCCCCCCCCCC",
        "            │     DDDDD",
        "2001:db8::2 │ cccccccccccccccc",
        "            │     ddddd",
    ]


def test_dots_of_a_canvas() -> None:
    canvas = terminal.Canvas(2, 1)
    for x, y in ((0, 0), (1, 3), (3, 1), (9, 9), (-1, 0)):
        canvas.dot(x, y)
    assert [row.plain for row in canvas.rows()] == ["⢁⠐"]


def test_terminal_in_a_pipe() -> None:
    done = joy("plot", SAMPLE, "--flow", str(FLOW))
    assert done.returncode == 0
    assert "\x1b" not in done.stdout
    assert "8 handshake  2 change cipher spec  2 application data  1 alert" in done.stdout
    assert all(len(line) <= 100 for line in done.stdout.splitlines())


# --- what can go wrong ---------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["--flow", "x"], 2, "wants a flow_id"),
        (["--flow", "999999"], 1, "no flow with flow_id = 999999"),
        (["-O", "out.pdf"], 2, ".png or .svg"),
        (["--where", "nonsense ="], 2, "--where"),
        (["--where", "nothing_here = 1"], 2, "nothing_here"),
        (["--kind", "pie"], 2, "pie"),
        (["--flow", "1", "--where", "pr = 200"], 1, "no flow with"),
    ],
)
def test_wrong_use(arguments: list[str], code: int, said: str) -> None:
    done = joy("plot", SAMPLE, *arguments)
    assert done.returncode == code
    assert said in done.stderr
    assert "Traceback" not in done.stderr


def test_records_without_what_is_drawn(tmp_path: Path) -> None:
    path = tmp_path / "bare.json"
    run = [ROOT / "pcap2flow", "bidir=1", "num_pkts=0", SAMPLE]
    path.write_bytes(subprocess.check_output(run))
    for kind, column in (("bytes", "byte_dist"), ("packets", "packets"), ("times", "packets")):
        done = joy("plot", path, "--kind", kind)
        assert done.returncode == 1
        assert f"have no {column}" in done.stderr
    assert joy("plot", path, "--kind", "hosts").returncode == 0


def test_empty_and_damaged_captures(tmp_path: Path) -> None:
    empty, cut = tmp_path / "empty.pcap", tmp_path / "cut.pcap"
    empty.write_bytes(SAMPLE.read_bytes()[:24])
    cut.write_bytes(SAMPLE.read_bytes()[:100_000])
    done = joy("plot", empty)
    assert (done.returncode, "no flows" in done.stderr) == (1, True)
    done = joy("plot", cut, "-O", tmp_path / "cut.png")
    assert done.returncode == 3
    assert (tmp_path / "cut.png").exists()


def test_where_reaches_no_files(tmp_path: Path) -> None:
    secret = tmp_path / "secret.csv"
    secret.write_text("a\n1\n")
    where = f"EXISTS (SELECT * FROM read_csv('{secret}'))"
    done = joy("plot", SAMPLE, "--where", where)
    assert done.returncode == 2
    assert "Traceback" not in done.stderr


def test_without_matplotlib(tmp_path: Path) -> None:
    (tmp_path / "matplotlib.py").write_text("raise ImportError('not here')\n")
    run = "import sys; sys.path.insert(0, sys.argv.pop(1)); from joy.cli import main; main()"
    done = subprocess.run(
        [sys.executable, "-c", run, tmp_path, "plot", SAMPLE, "-O", tmp_path / "a.png"],
        capture_output=True, text=True, check=False,
        env={"PYTHONPATH": str(ROOT / "python"), "PATH": "/usr/bin:/bin"},
    )  # fmt: skip
    assert done.returncode == 1
    assert "pip install 'joy[plot]'" in done.stderr
    assert not (tmp_path / "a.png").exists()


def test_flow_numbers() -> None:
    assert select.number("41") == (41, None)
    assert select.number("41:2") == (41, 2)
    assert select.condition("41:2", "pr = 6") == "(pr = 6) AND flow_id = 41 AND part = 2"
    assert select.condition(None, None) is None
