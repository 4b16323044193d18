# SPDX-License-Identifier: BSD-3-Clause
"""What must hold in every record, whatever made it, beyond types and ranges of single fields.

A check takes a record as JSON has it and says what is wrong, or nothing.  Its words begin with the
field that is to blame.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

Record = dict[str, Any]
Check = Callable[[Record], Iterator[str]]

PORTS = {6, 17, 33, 132, 136}  # TCP, UDP, DCCP, SCTP, UDP-Lite
ICMP = {1, 58}
ESP = 50
SLACK_MS = 0.01  # of sums of times that were rounded
NEAR = 1e-6  # of a share, where numbers were rounded

CHECKS: list[Check] = []


def _check(function: Check) -> Check:
    CHECKS.append(function)
    return function


def problems(record: Record) -> Iterator[str]:
    """All that is wrong with a record."""
    for check in CHECKS:
        try:
            yield from check(record)
        except (TypeError, KeyError, ValueError, AttributeError):
            continue  # a field of a wrong type, which the schema tells


# --- keys and times ------------------------------------------------------------------------------
@_check
def times(record: Record) -> Iterator[str]:
    """A flow does not end before it begins."""
    if record["time_end"] < record["time_start"]:
        yield f"time_end: {record['time_end']} is before time_start, {record['time_start']}"


@_check
def protocol(record: Record) -> Iterator[str]:
    """Ports, ICMP types and security parameters belong to protocols."""
    pr = record["pr"]
    for names, known in (
        (("sp", "dp"), PORTS),
        (("icmp_type", "icmp_code", "icmp_id"), ICMP),
        (("spi",), {ESP}),
    ):
        for name in names:
            if name in record and pr not in known:
                yield f"{name}: is there, but protocol {pr} has none"


@_check
def ending(record: Record) -> Iterator[str]:
    """The reason of the end in both its forms, and numbers that count from 1."""
    reason = record["end_reason"]
    if not 1 <= reason <= 5:
        yield f"end_reason: {reason} is none of 1 to 5"
    letter = {1: "i", 2: "a"}.get(reason)
    if record.get("expire_type") != letter:
        yield f"expire_type: {record.get('expire_type')} does not go with end_reason {reason}"
    for name in ("flow_id", "part"):
        if record[name] < 1:
            yield f"{name}: {record[name]}, but counting begins with 1"


# --- counters ------------------------------------------------------------------------------------
@_check
def counters(record: Record) -> Iterator[str]:
    """Bytes come in packets, and are fewer than those of the IP packets around them."""
    if record["num_pkts_out"] + record.get("num_pkts_in", 0) < 1:
        yield "num_pkts_out: a flow without packets"
    for way in ("out", "in"):
        packets = record.get(f"num_pkts_{way}")
        if packets is None:
            continue
        payload, whole = record[f"bytes_{way}"], record[f"ip_bytes_{way}"]
        if payload > whole:
            yield f"bytes_{way}: {payload}, more than ip_bytes_{way}, {whole}"
        if whole > 0 and packets == 0:
            yield f"ip_bytes_{way}: {whole} bytes in no packet"
        for kind in ("retrans", "ooo", "dup", "keep_alive", "overlap", "gaps"):
            if record.get(f"{kind}_{way}", 0) > packets:
                yield f"{kind}_{way}: {record[f'{kind}_{way}']} of {packets} packets"


@_check
def both_ways(record: Record) -> Iterator[str]:
    """A record of one direction has nothing of the other."""
    if "num_pkts_in" in record:
        return
    for name in record:
        if name.endswith("_in"):
            yield f"{name}: is there, but num_pkts_in is not"
    if any(item["dir"] == "<" for item in record.get("packets", ())):
        yield "packets: from da to sa, in a record of the other direction"


@_check
def lists(record: Record) -> Iterator[str]:
    """Packets that are listed were counted, and none lies outside the flow's time."""
    for name in ("packets", "salt"):
        items = record.get(name)
        if not items:
            continue
        for mark, way in ((">", "out"), ("<", "in")):
            there = [item["b"] for item in items if item["dir"] == mark]
            packets, payload = record.get(f"num_pkts_{way}", 0), record.get(f"bytes_{way}", 0)
            if len(there) > packets:
                yield f"{name}: {len(there)} of {packets} packets {way}"
            if sum(there) > payload:
                yield f"{name}: {sum(there)} of {payload} bytes {way}"
        lasted = (record["time_end"] - record["time_start"]) * 1000
        if items[0]["ipt"] != 0:
            yield f"{name}[0].ipt: {items[0]['ipt']}, but the first has none before it"
        if min(item["ipt"] for item in items) < 0:
            yield f"{name}.ipt: time that runs backwards"
        if sum(item["ipt"] for item in items) > lasted + SLACK_MS:
            yield f"{name}.ipt: longer in all than the flow, {lasted:.3f} ms"


@_check
def first_bytes(record: Record) -> Iterator[str]:
    """The number of bytes of the first data packet is said right."""
    for way in ("out", "in"):
        if f"idp_{way}" in record:
            size = len(record[f"idp_{way}"]) // 2
            if record.get(f"idp_len_{way}") != size:
                yield f"idp_len_{way}: {record.get(f'idp_len_{way}')} of {size} bytes"


# --- byte values ---------------------------------------------------------------------------------
@_check
def byte_values(record: Record) -> Iterator[str]:
    """Bytes of a distribution are payload; both distributions are of the same bytes."""
    payload = record["bytes_out"] + record.get("bytes_in", 0)
    sums = {}
    for name, size in (("byte_dist", 256), ("compact_byte_dist", 16)):
        if name in record:
            sums[name] = sum(record[name])
            if len(record[name]) != size:
                yield f"{name}: {len(record[name])} numbers, not {size}"
            if sums[name] > payload:
                yield f"{name}: {sums[name]} of {payload} bytes"
    if len(set(sums.values())) > 1:
        yield f"compact_byte_dist: of {sums['compact_byte_dist']} bytes, byte_dist of " + str(
            sums["byte_dist"]
        )
    if not 0 <= record.get("byte_dist_mean", 0) <= 255:
        yield f"byte_dist_mean: {record['byte_dist_mean']} is none of 0 to 255"


@_check
def entropy(record: Record) -> Iterator[str]:
    """Entropy is 0 to 8 bits a byte, and its total that times the bytes."""
    if "entropy" not in record:
        return
    bits = record["entropy"]
    if not 0 <= bits <= 8:
        yield f"entropy: {bits} is none of 0 to 8"
    most = bits * (record["bytes_out"] + record.get("bytes_in", 0))
    total = record.get("total_entropy", 0)
    if total > most * (1 + NEAR) + NEAR:
        yield f"total_entropy: {total}, more than entropy times the bytes, {most}"


# --- statistics ----------------------------------------------------------------------------------
@_check
def orders(record: Record) -> Iterator[str]:
    """Wherever there are a least and a greatest value, the mean lies between them."""
    yield from _orders(record, "")


def _orders(value: Any, path: str) -> Iterator[str]:
    if isinstance(value, list):
        for item in value:
            yield from _orders(item, path + "[]")
        return
    if not isinstance(value, dict):
        return
    for key, below in value.items():
        yield from _orders(below, f"{path}.{key}" if path else key)
    for unit in ("", "_ms", "_s"):
        names = [key + unit for key in ("min", "mean", "max") if key + unit in value]
        for low, high in pairwise(names):
            if value[low] > value[high] * (1 + NEAR) + NEAR:
                yield f"{path}.{low}: {value[low]} is above {high}, {value[high]}"
