#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""CPU time of a handshake, beside whatever peers are installed, and part by part.

    bench/peers.py --input CAPTURE [--rounds N] [--program ./pcap2flow]

The first table is made as in run.py: every program once a round, user + system, medians. tshark
sees only the first packets (--slice), and its time is scaled by packets. The second table is one
run of bench/handshake.c.
"""

import argparse
import os
import shutil
import subprocess
import tempfile

from run import PLAIN, table

FULL = ["bidir=1", "tls=1", "fingerprint=1", "quic=1"]
OURS = "pcap2flow, tls, fingerprint, quic"
NULL = "null libpcap loop"
TSHARK = "tshark"
MODULE = "mercury's Python module"
FIELDS = (
    "handshake.version handshake.ciphersuite handshake.extensions_server_name handshake.ja3 "
    "handshake.ja3s handshake.extensions_alpn_str handshake.random handshake.certificate"
)


def survey(program, capture):
    """Packets, handshakes of TLS over TCP and of QUIC; streamed, for a child's peak is its
    parent's."""
    command = [program, *FULL, "progress=0", capture]
    packets = tls = quic = 0
    with subprocess.Popen(command, stdout=subprocess.PIPE) as process:
        for line in process.stdout:
            if b'"quic":{' in line:
                quic += 1
            elif b'"tls":{' in line:
                tls += 1
            elif b'"summary":{' in line:
                packets = int(line.split(b'"packets":', 1)[1].split(b",", 1)[0])
    return packets, tls, quic


def has_mercury(python):
    """Whether that Python can import mercury's module."""
    done = subprocess.run([python, "-c", "from mercury import Mercury"], capture_output=True)
    return done.returncode == 0


def programs(args, folder):
    """{name: command}; ours with one data element after the other, for the differences."""
    out = os.path.join(folder, "out.json")

    def ours(*options):
        return [args.program, *options, "progress=0", "output=" + out, args.input]

    found = {
        NULL: [args.null, args.input],
        "pcap2flow, plain flows": ours(*PLAIN),
        "pcap2flow, default": ours("bidir=1"),
        "pcap2flow, tls": ours("bidir=1", "tls=1"),
        "pcap2flow, fingerprint": ours("bidir=1", "fingerprint=1"),
        "pcap2flow, quic": ours("bidir=1", "quic=1"),
        OURS: ours(*FULL),
        "ndpiReader, CSV": ["ndpiReader", "-q", "-i", args.input, "-C", out],
        "mercury": ["mercury", "-r", args.input, "-f", out, "--select=tls,quic", "--metadata"],
        TSHARK: ["tshark", "-n", "-r", args.input, "-c", str(args.slice), "-Y", "tls.handshake"]
        + ["-T", "fields"]
        + [word for field in FIELDS.split() for word in ("-e", "tls." + field)],
    }
    found = {name: c for name, c in found.items() if shutil.which(c[0])}
    if has_mercury(args.python):
        found[MODULE] = [args.python, "bench/with_mercury.py", args.input]
    return found


def show(rows, packets, handshakes, args):
    """The table; a slice is scaled to the whole."""
    ours = rows[OURS][0]
    head = ("program", "us/handshake", "times null loop", "times ours", "peak MiB")
    print("%-34s %13s %16s %11s %9s" % head)
    for name, (cpu, ratio, peak) in rows.items():
        scale = max(1.0, packets / args.slice) if name == TSHARK else 1.0
        what = name + (" (%d packets, scaled)" % args.slice if scale > 1 else "")
        print(
            "%-34s %13.2f %16.2f %11.2f %9.0f"
            % (what, cpu * scale * 1e6 / handshakes, ratio * scale, cpu * scale / ours, peak)
        )
    if MODULE in rows:
        command = [args.python, "bench/with_mercury.py", args.input, "--python"]
        share = float(subprocess.run(command, capture_output=True, check=True).stdout)
        print("%-34s %13.2f" % ("  of these Python's own", share * 1e6 / handshakes))


def main():
    ap = argparse.ArgumentParser(description=__doc__.split("\n", 1)[0])
    ap.add_argument("--input", required=True)
    ap.add_argument("--rounds", type=int, default=3)
    ap.add_argument("--program", default="./pcap2flow")
    ap.add_argument("--null", default="build/bench/null")
    ap.add_argument("--parts", default="build/bench/handshake")
    ap.add_argument("--python", default="python3", help="one that may have mercury's module")
    ap.add_argument("--slice", type=int, default=200000, help="packets that tshark sees")
    args = ap.parse_args()
    packets, tls, quic = survey(args.program, args.input)
    print(
        "%s: %d packets, %d handshakes of TLS over TCP, %d of QUIC, %d rounds"
        % (os.path.basename(args.input), packets, tls, quic, args.rounds)
    )
    with tempfile.TemporaryDirectory() as folder:
        rows = table(programs(args, folder), args.rounds, folder)
        show(rows, packets, tls + quic, args)
        out = os.path.join(folder, "out.json")
        print("part by part, of one run (hs: handshake):", flush=True)
        command = [args.parts, str(tls + quic), args.input, *FULL, "output=" + out]
        subprocess.run(command, check=True)


if __name__ == "__main__":
    main()
