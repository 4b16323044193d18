# SPDX-License-Identifier: BSD-3-Clause
"""Write MaxMind DB files (format 2.0) small enough for tests.

The format: a binary search tree of the bits of addresses, 16 zero bytes, the data, and behind a
marker the metadata.  A record of a node that is at least the number of nodes leads to data; IPv4
addresses are the subnet ::/96.  https://maxmind.github.io/MaxMind-DB/
"""

from __future__ import annotations

import ipaddress
import struct
from pathlib import Path

MARKER = b"\xab\xcd\xefMaxMind.com"
MAP, TEXT, U16, U32, U64, LIST = 7, 2, 5, 6, 9, 11


def control(kind: int, size: int) -> bytes:
    """The bytes in front of a value: its type and size."""
    low = size if size < 29 else 29 if size < 285 else 30
    more = b"" if size < 29 else bytes([size - 29]) if size < 285 else struct.pack("!H", size - 285)
    if kind > 7:
        return bytes([low, kind - 7]) + more
    return bytes([kind << 5 | low]) + more


def number(kind: int, v: int) -> bytes:
    """An unsigned integer without leading zeros."""
    data = v.to_bytes((v.bit_length() + 7) // 8, "big")
    return control(kind, len(data)) + data


def value(v: object) -> bytes:
    """Maps, lists, texts, and numbers of 32 bits."""
    if isinstance(v, dict):
        items = b"".join(value(key) + value(item) for key, item in v.items())
        return control(MAP, len(v)) + items
    if isinstance(v, list):
        return control(LIST, len(v)) + b"".join(map(value, v))
    if isinstance(v, str):
        return control(TEXT, len(v.encode())) + v.encode()
    return number(U32, v)


def bits_of(net: ipaddress.IPv4Network | ipaddress.IPv6Network) -> list[int]:
    """The bits of a subnet, IPv4 as ::/96."""
    address, length = int(net.network_address), net.prefixlen
    length += 96 if net.version == 4 else 0
    return [address >> (127 - i) & 1 for i in range(length)]


def tree_of(entries: dict[str, dict]) -> tuple[list[list], dict[bytes, int], bytes]:
    """Nodes (a record: None, a node's number, or data), where data stands, and the data."""
    nodes: list[list] = [[None, None]]
    places: dict[bytes, int] = {}
    data = b""
    for text, item in sorted(entries.items(), key=lambda e: ipaddress.ip_network(e[0]).prefixlen):
        packed = value(item)
        if packed not in places:
            places[packed] = len(data)
            data += packed
        at, bits = 0, bits_of(ipaddress.ip_network(text))
        for bit in bits[:-1]:
            below = nodes[at][bit]
            if not isinstance(below, int):  # what a shorter subnet has goes on below
                nodes.append([below, below])
                below = nodes[at][bit] = len(nodes) - 1
            at = below
        nodes[at][bits[-1]] = packed
    return nodes, places, data


def write(path: Path, entries: dict[str, dict], kind: str = "Test") -> Path:
    """A file that has 'entries': subnet, and what is said of it."""
    nodes, places, data = tree_of(entries)
    count = len(nodes)

    def record(r: object) -> bytes:
        place = count if r is None else r if isinstance(r, int) else count + 16 + places[r]
        return place.to_bytes(4, "big")

    out = b"".join(record(r) for node in nodes for r in node) + bytes(16) + data + MARKER
    meta = {
        "node_count": number(U32, count),
        "record_size": number(U16, 32),
        "ip_version": number(U16, 6),
        "database_type": value(kind),
        "languages": value(["en"]),
        "binary_format_major_version": number(U16, 2),
        "binary_format_minor_version": number(U16, 0),
        "build_epoch": number(U64, 1_790_000_000),
        "description": value({"en": "made by a test"}),
    }
    out += control(MAP, len(meta)) + b"".join(value(key) + item for key, item in meta.items())
    path.write_bytes(out)
    return path
