# SPDX-License-Identifier: BSD-3-Clause
"""Types of the options as keyword arguments.  Written by `make docs`; do not edit."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Literal, TypedDict

Path = str | os.PathLike[str]

class FlowOptions(TypedDict, total=False):
    """What joy.read() takes."""

    independent: bool | int | None
    """Each file has flows of its own."""
    vlan_key: bool | int | None
    """VLAN ids tell flows apart."""
    tunnel: Literal["inner", "outer"] | None
    """Which IP packet of a tunnel makes the flow."""
    idle_timeout: float | None
    """End a flow after this much silence."""
    active_timeout: float | None
    """Write a record of a flow that goes on for this long."""
    linger: float | None
    """Wait for late packets of a closed TCP connection."""
    timeouts: Literal["joy", "nfstream", "yaf", "cisco"] | None
    """Idle and active timeout as another program has them."""
    community_id: bool | int | None
    """Add the Community ID of each flow."""
    community_id_seed: int | None
    """Seed of the Community ID."""
    memory: int | str | None
    """Most memory that flows may take."""
    merge: bool | int | None
    """Make one record of the parts of a flow."""
    features: str | Sequence[str] | None
    """Data elements to switch on."""
    num_pkts: int | None
    """List at most N packets of each flow."""
    type: int | None
    """What is listed: 1 packets, 2 messages."""
    zeros: bool | int | None
    """List packets without payload too."""
    retrans: bool | int | None
    """List retransmitted packets too."""
    salt: bool | int | None
    """List lengths and times of application messages."""
    dist: bool | int | None
    """Give the distribution of byte values, with mean and std."""
    cdist: Path | bool | None
    """Give the distribution of byte values in 16 bins."""
    entropy: bool | int | None
    """Give the entropy of byte values."""
    dist_bytes: int | None
    """Bytes of each direction that dist, cdist and entropy count."""
    ip: bool | int | None
    """Give TTL, identification, DSCP, ECN and flags of IP headers."""
    tcp: bool | int | None
    """Give flags, windows, options and handshake times of TCP."""
    icmp: bool | int | None
    """Give types, sequence numbers and echo times of ICMP."""
    idp: int | bool | None
    """Give N bytes of the first data packet of each direction."""
    tls: bool | int | None
    """Give the handshake of TLS, DTLS and QUIC."""
    quic: bool | int | None
    """Give versions, ids and packets of QUIC."""
    fingerprint: bool | int | None
    """Give fingerprints of TLS, DTLS, QUIC and TCP."""
    fingerprint_db: Path | None
    """Labels for fingerprints, from a file."""
    payload: int | bool | None
    """Give the first N bytes of application data."""
    ppi: bool | int | None
    """List header facts of the first TCP packets."""
    hd: int | bool | None
    """Describe what the first N payload bytes have in common."""
    wht: bool | int | None
    """Give the Walsh-Hadamard transform of the payload."""
    os: bool | int | None
    """Guess the operating systems from SYN and SYN-ACK."""
    stats: bool | int | None
    """Give statistics of sizes and times."""
    stats_idle: float | None
    """Gap that ends an active period of stats=1."""
    exe: bool | int | None
    """Name the process of this host behind each flow."""
    exe_cmdline: bool | int | None
    """With exe=1: give command lines too."""
    exe_hash: bool | int | None
    """With exe=1: SHA-256 of executables."""
    exe_by: Literal["auto", "ebpf", "sock_diag", "proc"] | None
    """With exe=1: how sockets are followed."""
    label: Path | Sequence[Path] | None
    """Name the subnets that addresses lie in."""
    watch: Path | Sequence[Path] | None
    """Mark flows that have to do with listed addresses and names."""
    geoip: Path | Sequence[Path] | None
    """Look addresses up in a MaxMind DB file."""
    anon: Path | None
    """Replace addresses in the listed subnets."""
    anon_key: Path | None
    """Key of anonymisation."""
    anon_names: bool | int | None
    """Replace host names by keyed hashes."""
    useranon: Path | None
    """Replace listed user names by keyed hashes."""

class LiveOptions(FlowOptions, total=False):
    """What joy.live() takes."""

    bpf: str | None
    """Take only packets that match a filter."""
    promisc: bool | int | None
    """Take packets for other machines too."""
    snaplen: int | None
    """Take at most N bytes of each packet."""
    capture: Literal["auto", "packet", "libpcap"] | None
    """How packets are captured."""
    clock: Literal["host", "adapter"] | None
    """Whose clock stamps packets."""
    ring: int | str | None
    """Memory of each packet ring."""
    threads: int | None
    """Workers that share the flows."""
    drops_interval: float | None
    """Time that a record of lost packets speaks of."""
