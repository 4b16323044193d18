#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run mercury over a capture through its Python module (mercury-python on PyPI).

    bench/with_mercury.py CAPTURE

Cisco's mercury is in no distribution; its module has the same library inside, and gives each
message as a dict. A fifth of its time is Python's: the loop, and making dicts from JSON.
"""

import struct
import sys


def packets(path):
    """(seconds, bytes) of each packet of a pcap file in this machine's order."""
    with open(path, "rb") as capture:
        if struct.unpack("<I", capture.read(24)[:4])[0] not in (0xA1B2C3D4, 0xA1B23C4D):
            raise SystemExit("with_mercury.py: not a pcap file")
        while head := capture.read(16):
            seconds, _, size, _ = struct.unpack("<IIII", head)
            yield float(seconds), capture.read(size)


def main(path):
    from mercury import Mercury

    library = Mercury(packet_filter_cfg=b"tls,quic", certs_json_output=True, metadata_output=True)
    said = sum(bool(library.get_mercury_json(packet, time)) for time, packet in packets(path))
    print("%d messages" % said)


if __name__ == "__main__":
    main(sys.argv[1])
