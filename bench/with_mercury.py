#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Run mercury over a capture through its Python module (mercury-python on PyPI).

    bench/with_mercury.py CAPTURE [--python]

Cisco's mercury is in no distribution; its module has the same library inside, and gives each
message as a dict. --python prints how many seconds of CPU of such a run are Python's: the loop, and
making dicts from JSON, both measured apart.
"""

import json
import struct
import sys
import time

SAMPLE = 5000


def packets(path):
    """(seconds, bytes) of each packet of a pcap file in this machine's order."""
    with open(path, "rb") as capture:
        if struct.unpack("<I", capture.read(24)[:4])[0] not in (0xA1B2C3D4, 0xA1B23C4D):
            raise SystemExit("with_mercury.py: not a pcap file")
        while head := capture.read(16):
            seconds, _, size, _ = struct.unpack("<IIII", head)
            yield float(seconds), capture.read(size)


def run(path):
    """How many packets had something to say, and texts of a sample of these."""
    from mercury import Mercury

    library = Mercury(packet_filter_cfg=b"tls,quic", certs_json_output=True, metadata_output=True)
    said, sample = 0, []
    for seconds, packet in packets(path):
        if found := library.get_mercury_json(packet, seconds):
            said += 1
            if len(sample) < SAMPLE:
                sample.append(found)
    return said, sample


def share_of_python(path):
    """CPU seconds."""
    said, sample = run(path)
    texts = [json.dumps(found) for found in sample]
    begin = time.process_time()
    for text in texts:
        json.loads(text)
    loads = (time.process_time() - begin) / max(1, len(texts)) * said
    begin = time.process_time()
    for _ in packets(path):
        pass
    return loads + time.process_time() - begin


if __name__ == "__main__":
    if "--python" in sys.argv:
        print(share_of_python(sys.argv[1]))
    else:
        run(sys.argv[1])
