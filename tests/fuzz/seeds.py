#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Write seeds for fuzz_pipeline from small captures: tests/fuzz/seeds.py FOLDER CAPTURE...

The first frames of each capture (classic pcap, microseconds, little endian) in the target's format.
"""

import os
import struct
import sys

LINKS = [1, 1, 1, 101, 0, 113, 276, 9, 50, 51, 104, 105]
LINKS += [127, 192, 163, 239, 117, 258, 242, 108, 12, 228, 229, 119]
FRAMES = 14


def frames(path):
    with open(path, "rb") as f:
        data = f.read()
    if data[:4] != b"\xd4\xc3\xb2\xa1":
        return
    link = struct.unpack_from("<I", data, 20)[0] & 0xFFFF
    at = 24
    while at + 16 <= len(data):
        caplen = struct.unpack_from("<I", data, at + 8)[0]
        yield link, data[at + 16 : at + 16 + caplen]
        at += 16 + caplen


def main():
    folder, captures = sys.argv[1], sys.argv[2:]
    os.makedirs(folder, exist_ok=True)
    for path in captures:
        seed = b"\x01"
        for link, frame in list(frames(path))[:FRAMES]:
            if link in LINKS:
                cut = frame[:0x7FF]
                seed += struct.pack(">BBBH", LINKS.index(link), 0x25, 0, len(cut)) + cut
        if len(seed) > 1:
            with open(os.path.join(folder, os.path.basename(path).split(".")[0]), "wb") as out:
                out.write(seed)


if __name__ == "__main__":
    main()
