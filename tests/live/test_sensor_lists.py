# SPDX-License-Identifier: BSD-3-Clause
"""Lists of a sensor without rights: read again while it captures, kept when they break."""

from __future__ import annotations

import json
import signal
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from program import ROOT, program

from net import Namespace, Net, Process, needs_root

sys.path.insert(0, str(ROOT / "tests/property"))

import everything  # noqa: E402

pytestmark = needs_root


@pytest.fixture
def net() -> Iterator[Net]:
    """Namespaces that are gone afterwards."""
    with Net() as made:
        yield made


def sensor(where: Namespace, folder: Path, *options: str) -> Process:
    """Writes flows as soon as they are silent for half a second; two workers, no rights left."""
    words = ["interface=eth0", "promisc=1", "bidir=1", "verbosity=2", "username=nobody", "ring=16M"]
    words += ["threads=2", "idle_timeout=0.5", f"output={folder / 'out.json'}", "tls=1"]
    p = where.start(program(), *words, *options)
    p.wait_for("capturing from eth0")
    return p


def records(out: Path) -> list[dict]:
    """Flows of an output that is finished."""
    return [r for r in map(json.loads, out.read_text().splitlines()) if "flow_id" in r]


def test_lists_are_read_again_by_who_has_no_rights(net: Net) -> None:
    a, b = net.cable(mtu=9000)
    box = net.folder / "box"
    box.mkdir()
    net.folder.chmod(0o755)
    for name, text in (("watch", "192.0.2.1\n"), ("nets", "10.20.30.0/24\n2001:db8:77::/48\n")):
        (box / name).write_text(text)
    (box / "all.pcap").write_bytes(everything.capture())
    box.chmod(0o777)
    options = (f"watch={box / 'watch'}", f"label=own:{box / 'nets'}", f"anon={box / 'nets'}")
    p = sensor(b, box, *options)
    key = (box / "nets.key").read_text()
    assert (box / "nets.key").stat().st_mode & 0o777 == 0o600

    # another watchlist, more to anonymise
    (box / "watch").write_text(f"{everything.FOREIGN}\n")
    (box / "nets").write_text("\n".join(everything.OURS) + "\n")
    p.send(signal.SIGHUP)
    p.wait_for("lists were read again")
    a.replay(box / "all.pcap", "--pps=2000")

    # one list breaks: none of them changes
    (box / "watch").write_text("198.51.100.8\n")
    (box / "nets").write_text("what is this\n")
    p.send(signal.SIGHUP)
    p.wait_for("nets:1: what is this: not an IPv4.*what was read before stays")
    assert p.stop() == 0

    found = records(box / "out.json")
    assert found
    assert any("sa_labels" in r for r in found)
    hits = {(h["what"], h["entry"]) for r in found for h in r.get("watch", [])}
    assert {entry for _, entry in hits} == {everything.FOREIGN}
    assert {"sa", "da"} <= {what for what, _ in hits}
    told = (box / "out.json").read_text()
    for address in (everything.A, everything.B, everything.C6, "10.1.0.1"):
        assert f'"{address}"' not in told
    assert (box / "nets.key").read_text() == key
