#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""An independent slow reference: every numeric field, worked out from its definition alone.

It shares no code and no idea of speed with the program: refpackets reads the captures, refflows is
doc/flows.md, reffeatures is doc/fields.md.  As a program it prints records:

    reference.py [bidir=1] [num_pkts=N] ... FILE ...
"""

from __future__ import annotations

import json
import sys
from decimal import Decimal
from pathlib import Path

from reffeatures import Options, records
from refflows import Model, Part, Timeouts
from refpackets import Frame, read_pcap


def frames_of(captures: list[Path]) -> list[Frame]:
    """All frames of several pcap files, each an interface of its own."""
    frames: list[Frame] = []
    for interface, path in enumerate(captures):
        frames += read_pcap(path.read_bytes(), len(frames), interface)
    return frames


def parts_of(frames: list[Frame], timeouts: Timeouts) -> tuple[list[Part], dict[str, int]]:
    """All flow records of the frames, and the counts of the summary."""
    model = Model(timeouts)
    for frame in frames:
        model.frame(frame)
    return model.finish(), model.counts


def main() -> None:
    """Print what the program should."""
    options, timeouts, captures = Options(), Timeouts(), []
    for word in sys.argv[1:]:
        name, equals, value = word.partition("=")
        if not equals:
            captures.append(Path(word))
        elif name in ("idle_timeout", "active_timeout", "linger"):
            setattr(timeouts, name.removesuffix("_timeout"), int(Decimal(value) * 10**9))
        elif hasattr(options, name):
            setattr(options, name, type(getattr(options, name))(int(value)))
    parts, _ = parts_of(frames_of(captures), timeouts)
    for record in records(parts, options):
        print(json.dumps(record, default=float))


if __name__ == "__main__":
    main()
