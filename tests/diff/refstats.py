# SPDX-License-Identifier: BSD-3-Clause
"""The reference's statistics: numbers, moments, rates, periods and bursts, from exact integers."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Callable
from fractions import Fraction

from refflows import Event
from refpackets import TCP, UDP
from refview import MS, SECOND, View, data, ms


def moments(count: Counter[int]) -> tuple[float | None, float | None]:
    """Mean and sample standard deviation of numbers counted, exact up to the last step."""
    n = count.total()
    if n == 0:
        return None, None
    total = sum(value * times for value, times in count.items())
    if n < 2:
        return float(total), None
    squares = sum((n * value - total) ** 2 * times for value, times in count.items())
    return float(Fraction(total, n)), math.sqrt(Fraction(squares, n * n * (n - 1)))


def size_numbers(values: list[int]) -> dict:
    """n, min, mean, std, max of lengths."""
    mean, std = moments(Counter(values))
    low, high = (min(values), max(values)) if values else (None, None)
    return {"n": len(values), "min": low, "mean": mean, "std": std, "max": high}


def time_numbers(values: list[int]) -> dict:
    """The same of times in ns, in ms."""
    said = size_numbers(values)
    for key in ("min", "max"):
        said[key] = None if said[key] is None else ms(said[key])
    for key in ("mean", "std"):
        said[key] = None if said[key] is None else said[key] / MS
    return said


def groups(v: View, pick: Callable[[list[Event]], dict]) -> dict:
    """The same numbers of out, in, and all."""
    out = {"out": pick(v.side(0)), "all": pick(v.events)}
    if v.both:
        out["in"] = pick(v.side(1))
    return out


def waits(events: list[Event]) -> list[int]:
    """Times between one and the next."""
    return [b.ns - a.ns for a, b in zip(events, events[1:], strict=False)]


def stats(v: View) -> dict:
    """Statistics of sizes and times."""
    span = v.events[-1].ns - v.events[0].ns
    sizes = [e.packet.payload_len for e in v.events]

    def rate(amount: int) -> float | None:
        return float(Fraction(amount * SECOND, span)) if span else None

    gaps = waits(v.events)
    idle = [g for g in gaps if g > v.options.stats_idle]
    active, begin = [], v.events[0]
    for a, b in zip(v.events, [*v.events[1:], None], strict=True):
        if b is None or b.ns - a.ns > v.options.stats_idle:
            active.append(a.ns - begin.ns)
            begin = b
    out = {
        "duration_ms": ms(span),
        "payload": groups(v, lambda s: size_numbers([e.packet.payload_len for e in data(s)])),
        "segment": groups(v, lambda s: size_numbers([e.packet.payload_len for e in s])),
        "ip": groups(v, lambda s: size_numbers([e.packet.ip_len for e in s])),
        "ipt": groups(v, lambda s: time_numbers(waits(s))),
        "bytes_per_s": rate(sum(sizes)),
        "ip_bytes_per_s": rate(sum(e.packet.ip_len for e in v.events)),
        "pkts_per_s": rate(len(v.events)),
        "first_dirs": "".join(v.arrow(e) for e in data(v.events)[:8]),
        "subflows": 1 + sum(g > SECOND for g in gaps),
        "active": time_numbers(active),
        "idle": time_numbers(idle),
        "burst": {},
    }
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        side = v.side(number)
        out[f"pkts_per_s_{name}"] = rate(len(side))
        out[f"small_{name}"] = sum(1 <= e.packet.payload_len <= 59 for e in side)
        out[f"large_{name}"] = sum(e.packet.payload_len > 225 for e in side)
        out[f"header_min_{name}"] = min(headers(v, side), default=None)
        out["burst"][name] = bursts(v, number)
    if v.both:
        counts = len(v.side(1)), len(v.side(0))
        out["down_up_ratio"] = counts[0] / counts[1] if counts[1] else None
    return {"stats": out}


def headers(v: View, events: list[Event]) -> list[int]:
    """Lengths of transport headers."""
    sound = [e.packet for e in events if e.packet.sound and not e.packet.fragment_only]
    if v.proto == TCP:
        return [20 + p.options_len for p in sound]
    return [8 for _ in sound] if v.proto == UDP else []


def bursts(v: View, number: int) -> dict:
    """Runs of three data packets and more."""
    runs: list[list[Event]] = []
    last = None
    for e in data(v.events):
        if last is not None and last.dir == e.dir and e.ns - last.ns <= SECOND:
            runs[-1].append(e)
        else:
            runs.append([e])
        last = e
    runs = [r for r in runs if len(r) >= 3 and v.dir(r[0]) == number]
    size = sum(e.packet.payload_len for r in runs for e in r)
    span = sum(r[-1].ns - r[0].ns for r in runs)
    if not runs:
        return {"n": 0}
    return {
        "n": len(runs),
        "pkts": sum(len(r) for r in runs),
        "bytes": size,
        "mean": size / len(runs) if runs else None,
        "duration_ms": ms(span),
        "bytes_per_s": float(Fraction(size * SECOND, span)) if span else None,
    }
