# SPDX-License-Identifier: BSD-3-Clause
"""Capture files taken apart and written anew in every format that pcap2flow reads.

A capture is a list of Frame; writers give the bytes of a file.  Only the standard library; a zstd
file is written as blocks without compression (RFC 8878 section 3.1.1.2.2).
"""

from __future__ import annotations

import gzip
import lzma
import struct
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

ETHERNET = 1
US, NS = 0xA1B2C3D4, 0xA1B23C4D
MODIFIED = 0xA1B2CD34
BLOCK = 1 << 17  # the most that a zstd block holds


@dataclass(frozen=True)
class Frame:
    """What was captured of one frame, when, and how long it was."""

    ns: int
    data: bytes
    wire: int
    link: int = ETHERNET
    nano: bool = False

    def cut(self, snaplen: int) -> Frame:
        """As with a shorter snaplen."""
        return replace(self, data=self.data[:snaplen])

    def later(self, ns: int) -> Frame:
        """At another time."""
        return replace(self, ns=self.ns + ns)


def frame(ns: int, data: bytes) -> Frame:
    """A frame captured whole."""
    return Frame(ns, data, len(data))


# --- reading -------------------------------------------------------------------------------------
def read(path: Path) -> list[Frame]:
    """All frames of a pcap or pcapng file of this repository's fixtures (one section)."""
    data = path.read_bytes()
    if data[:4] == b"\x0a\x0d\x0d\x0a":
        return read_pcapng(data)
    magic = struct.unpack("<I", data[:4])[0]
    order = "<" if magic in (US, NS) else ">"
    nano = struct.unpack(order + "I", data[:4])[0] == NS
    link = struct.unpack_from(order + "I", data, 20)[0]
    frames, at = [], 24
    while at < len(data):
        seconds, part, size, wire = struct.unpack_from(order + "IIII", data, at)
        at += 16
        ns = seconds * 10**9 + part * (1 if nano else 1000)
        frames.append(Frame(ns, data[at : at + size], wire, link, nano))
        at += size
    return frames


def read_pcapng(data: bytes) -> list[Frame]:
    """Enhanced packet blocks of little-endian sections with decimal time resolutions."""
    frames: list[Frame] = []
    interfaces: list[tuple[int, int]] = []
    at = 0
    while at < len(data):
        kind, size = struct.unpack_from("<II", data, at)
        body = data[at + 8 : at + size - 4]
        if kind == 1:
            interfaces.append((struct.unpack_from("<H", body)[0], resolution(body[8:])))
        elif kind == 6:
            number, high, low, captured, wire = struct.unpack_from("<IIIII", body)
            link, unit = interfaces[number]
            ns = (high << 32 | low) * unit
            frames.append(Frame(ns, body[20 : 20 + captured], wire, link, unit < 1000))
        at += size
    return frames


def resolution(options: bytes) -> int:
    """Nanoseconds of a tick of an interface."""
    while len(options) >= 4:
        code, size = struct.unpack_from("<HH", options)
        if code == 9:
            return 10 ** (9 - options[4])
        options = options[4 + (size + 3) // 4 * 4 :]
    return 1000


# --- writing -------------------------------------------------------------------------------------
def pcap(frames: list[Frame], order: str = "<", magic: int = US, link: int | None = None) -> bytes:
    """A pcap file; 'magic' tells the form.  All frames have to have one link type."""
    if link is None:
        link = frames[0].link if frames else ETHERNET
    assert all(f.link == link for f in frames)
    unit = 1 if magic == NS else 1000
    out = [struct.pack(order + "IHHiIII", magic, 2, 4, 0, 0, 262144, link)]
    for f in frames:
        head = (f.ns // 10**9, f.ns % 10**9 // unit, len(f.data), f.wire)
        out.append(struct.pack(order + "IIII", *head))
        if magic == MODIFIED:
            out.append(struct.pack(order + "IHBB", 1, 0, 0, 0))
        out.append(f.data)
    return b"".join(out)


def pcapng(frames: list[Frame], order: str = "<") -> bytes:
    """A pcapng file with an interface for each kind of frame."""

    def block(kind: int, body: bytes) -> bytes:
        body += bytes(-len(body) % 4)
        size = struct.pack(order + "I", len(body) + 12)
        return struct.pack(order + "I", kind) + size + body + size

    kinds = sorted({(f.link, f.nano) for f in frames})
    out = [block(0x0A0D0D0A, struct.pack(order + "IHHq", 0x1A2B3C4D, 1, 0, -1))]
    for link, nano in kinds:
        option = struct.pack(order + "HHB3xHH", 9, 1, 9 if nano else 6, 0, 0)
        out.append(block(1, struct.pack(order + "HHI", link, 0, 0) + option))
    for f in frames:
        ticks = f.ns // (1 if f.nano else 1000)
        head = (kinds.index((f.link, f.nano)), ticks >> 32, ticks & 0xFFFFFFFF)
        head += (len(f.data), f.wire)
        out.append(block(6, struct.pack(order + "IIIII", *head) + f.data))
    return b"".join(out)


def plain(frames: list[Frame]) -> bytes:
    """The simplest file that holds them."""
    if len({(f.link, f.nano) for f in frames}) > 1:
        return pcapng(frames)
    return pcap(frames, magic=NS if frames and frames[0].nano else US)


def zstd(data: bytes) -> bytes:
    """A zstd frame of raw blocks, with its content size in 8 bytes."""
    out = [struct.pack("<IBQ", 0xFD2FB528, 0xE0, len(data))]
    for at in range(0, len(data), BLOCK):
        part = data[at : at + BLOCK]
        last = at + BLOCK >= len(data)
        out += [(len(part) << 3 | last).to_bytes(3, "little"), part]
    return b"".join(out)


PACKERS: dict[str, Callable[[bytes], bytes]] = {
    "": lambda data: data,
    ".gz": lambda data: gzip.compress(data, 1),
    ".zst": zstd,
    ".xz": lambda data: lzma.compress(data, preset=0),
}
