# SPDX-License-Identifier: BSD-3-Clause
"""What the reference's fields are worked out from: a part of a flow as one record shows it."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import Decimal

from refflows import Event, Part

MS, SECOND = 10**6, 10**9


@dataclass
class Options:
    """The options of the program that change fields."""

    bidir: bool = False
    num_pkts: int = 50
    type: int = 1
    zeros: bool = False
    retrans: bool = False
    salt: bool = False
    idp: int = 64
    payload: int = 32
    hd: int = 16
    stats_idle: int = 5 * SECOND
    seed: int = 0
    dist_bytes: int = 0


@dataclass
class View:
    """A part as one record shows it: all of it, or one direction as if there were no other."""

    part: Part
    options: Options
    out: int
    events: list[Event]  # of the record, in order

    @property
    def both(self) -> bool:
        """Is the other direction in the record too?"""
        return self.options.bidir

    def dir(self, event: Event) -> int:
        """0: out."""
        return int(event.dir != self.out)

    def side(self, number: int) -> list[Event]:
        """Out or in."""
        return [e for e in self.events if self.dir(e) == number]

    def arrow(self, event: Event) -> str:
        """The direction as text."""
        return "<" if self.dir(event) else ">"

    @property
    def proto(self) -> int:
        """IP protocol."""
        return self.part.conversation.packet.proto


def ms(ns: int) -> Decimal:
    """Exact milliseconds."""
    return Decimal(ns) / MS


def data(events: list[Event]) -> list[Event]:
    """Those with payload on the wire."""
    return [e for e in events if e.packet.payload_len > 0]


def segments(events: list[Event]) -> list[Event]:
    """TCP segments with a sound header."""
    return [e for e in events if e.cls is not None]
