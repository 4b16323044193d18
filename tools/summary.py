#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Say in a few lines what a file of flow records holds: summary.py FILE.json [ROWS].

Reads JSON lines as pcap2flow writes them, plain or gzip, from a file or "-".
"""

from __future__ import annotations

import gzip
import json
import sys
from collections import defaultdict
from collections.abc import Iterable, Iterator
from datetime import datetime, timezone

PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp", 47: "gre", 50: "esp", 58: "icmp6", 132: "sctp"}


def read(path: str) -> Iterator[dict]:
    """Flow records only: neither the configuration object nor the summary."""
    if path == "-":
        stream: Iterable[str] = sys.stdin
    elif path.endswith(".gz"):
        stream = gzip.open(path, "rt", encoding="utf-8")
    else:
        stream = open(path, encoding="utf-8")
    for line in stream:
        item = json.loads(line)
        if "version" not in item and "summary" not in item:
            yield item


def both(flow: dict, name: str) -> int:
    """The sum over both directions."""
    return (flow.get(f"{name}_out") or 0) + (flow.get(f"{name}_in") or 0)


def end(flow: dict, address: str, port: str) -> str:
    """An address, with its port where there is one."""
    host = flow[address]
    if not flow.get(port):
        return host
    return f"[{host}]:{flow[port]}" if ":" in host else f"{host}:{flow[port]}"


def amount(size: int) -> str:
    """Bytes in a unit that leaves three or four digits."""
    value = float(size)
    for unit in ("B", "kB", "MB", "GB"):
        if value < 10000 or unit == "GB":
            return f"{value:.0f} {unit}" if unit == "B" else f"{value:.1f} {unit}"
        value /= 1000
    return ""


def protocol(flow: dict) -> str:
    """tcp, udp, ... or the number."""
    return PROTOCOLS.get(flow["pr"], str(flow["pr"]))


def table(rows: list[list[str]], left: int) -> None:
    """Columns as wide as they need to be; the first 'left' of them flush left, numbers right."""
    widths = [max(len(row[i]) for row in rows) for i in range(len(rows[0]))]
    for row in rows:
        pairs = enumerate(zip(row, widths, strict=True))
        cells = [cell.ljust(w) if i < left else cell.rjust(w) for i, (cell, w) in pairs]
        print("  " + "  ".join(cells).rstrip())


def main() -> int:
    """Print totals, protocols and the largest flows."""
    path = sys.argv[1] if len(sys.argv) > 1 else "data.json"
    rows = int(sys.argv[2]) if len(sys.argv) > 2 else 12
    flows = list(read(path))
    if not flows:
        print(f"{path}: no flows")
        return 0
    first = min(float(f["time_start"]) for f in flows)
    last = max(float(f["time_end"]) for f in flows)
    packets = sum(both(f, "num_pkts") for f in flows)
    total = sum(both(f, "bytes") for f in flows)
    day = datetime.fromtimestamp(first, timezone.utc).strftime("%Y-%m-%d %H:%M:%S UTC")
    print(
        f"{path}: {len(flows)} flows, {packets} packets, {amount(total)} of payload "
        f"in {last - first:.1f} s from {day}\n"
    )

    sums: dict[str, list[int]] = defaultdict(lambda: [0, 0, 0])
    for f in flows:
        for i, value in enumerate((1, both(f, "num_pkts"), both(f, "bytes"))):
            sums[protocol(f)][i] += value
    ranked = sorted(sums.items(), key=lambda item: -item[1][2])
    print("By protocol")
    table(
        [["", "flows", "packets", "payload"]]
        + [[name, str(n), str(p), amount(b)] for name, (n, p, b) in ranked],
        left=1,
    )

    print(f"\nLargest {min(rows, len(flows))} of {len(flows)} flows")
    lines = [["protocol", "initiator", "responder", "packets", "sent", "received", "seconds"]]
    for f in sorted(flows, key=lambda f: -both(f, "bytes"))[:rows]:
        seconds = float(f["time_end"]) - float(f["time_start"])
        lines.append(
            [
                protocol(f),
                end(f, "sa", "sp"),
                end(f, "da", "dp"),
                str(both(f, "num_pkts")),
                amount(f.get("bytes_out") or 0),
                amount(f.get("bytes_in") or 0),
                f"{seconds:.3f}",
            ]
        )
    table(lines, left=3)
    return 0


if __name__ == "__main__":
    sys.exit(main())
