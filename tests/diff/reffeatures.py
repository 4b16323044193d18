# SPDX-License-Identifier: BSD-3-Clause
"""The reference's fields: each worked out afresh from a part's packets, as doc/fields.md words it.

Integers are int; times that the definition calls exact are Decimal; all others are float.
A key that has no value is left out; features say so by leaving it out or by None.
"""

from __future__ import annotations

import base64
import hashlib
import ipaddress
import math
from collections import Counter
from decimal import Decimal
from pathlib import Path

from refflows import ACTIVE, IDLE, NOTHING_NEW, Event, Part, ahead, tcp_options
from refpackets import ACK, FIN, ICMP, ICMP6, RST, SYN, TCP
from refstats import moments, stats, time_numbers
from refview import SECOND, Options, View, data, ms, segments

BINS = Path(__file__).resolve().parents[2] / "data/compact_bd_mapping.txt"
MARKS = (
    "midstream truncated time_backwards gap capped offload incomplete_datagram bad_transport "
    "no_ports sensor_drops no_memory"
).split()
TROUBLE = ("retrans", "ooo", "dup", "keep_alive", "overlap", "gaps")
CLASS_OF = {"ooo": "late", "gaps": "gap"}
FLAG_LETTERS = "FSRPAUECN"
FLAG_NAMES = "fin syn rst psh ack urg ece cwr ae".split()
OPTION_NAMES = {
    0: "end",
    1: "nop",
    2: "mss",
    3: "window_scale",
    4: "sack_permitted",
    5: "sack",
    8: "timestamps",
    30: "mptcp",
    254: "experiment_2",
}
ICMP_PAIRS = {  # type of a request, type of its reply (Community ID specification)
    ICMP: {8: 0, 13: 14, 15: 16, 17: 18, 10: 9},
    ICMP6: {128: 129, 130: 131, 133: 134, 135: 136, 139: 140, 144: 145},
}


def records(parts: list[Part], options: Options) -> list[dict]:
    """Every record, in order."""
    out = []
    for part in parts:
        for side in (0,) if options.bidir else (0, 1):
            events = [e for e in part.events if options.bidir or e.dir == side]
            if events:
                out.append(record(View(part, options, side, events)))
    return out


def record(view: View) -> dict:
    """All keys of one record."""
    done: dict = {}
    for feature in FEATURES:
        done.update(feature(view))
    return present(done)


def present(value: object) -> object:
    """VALUE without the keys that have none."""
    if isinstance(value, dict):
        return {k: present(v) for k, v in value.items() if v is not None}
    return [present(v) for v in value] if isinstance(value, list) else value


# --- base ----------------------------------------------------------------------------------------
def base(v: View) -> dict:
    """Key, counters, times, end, TCP quality."""
    c, out = v.part.conversation, {}
    ends = c.ends if v.out == 0 else c.ends[::-1]
    out["sa"], out["da"] = (str(ipaddress.ip_address(end[0])) for end in ends)
    out["pr"] = v.proto
    if c.packet.ports is not None:
        out["sp"], out["dp"] = ends[0][1], ends[1][1]
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        events = v.side(number)
        out[f"bytes_{name}"] = sum(e.packet.payload_len for e in events)
        out[f"num_pkts_{name}"] = len(events)
        out[f"ip_bytes_{name}"] = sum(e.packet.ip_len for e in events)
        if v.proto == TCP:
            out.update({f"{k}_{name}": n for k, n in trouble(events).items()})
        if v.part.icmp_errors[v.out ^ number]:
            out[f"icmp_errors_{name}"] = v.part.icmp_errors[v.out ^ number]
    out["time_start"] = Decimal(v.events[0].ns) / SECOND
    out["time_end"] = Decimal(v.events[-1].ns) / SECOND
    out["flow_id"], out["part"], out["end_reason"] = c.number, v.part.index, v.part.reason
    if v.part.reason in (IDLE, ACTIVE):
        out["expire_type"] = "i" if v.part.reason == IDLE else "a"
    out["community_id"] = community_id(v)
    if c.packet.vlans:
        out["vlan"] = list(c.packet.vlans)
    if v.part.marks:
        out["marks"] = [m for m in MARKS if m in v.part.marks]
    if c.key[5] is not None:
        out["icmp_type"], out["icmp_code"] = c.key[5][:2]
        if c.key[5][2] is not None:
            out["icmp_id"] = c.key[5][2]
    rtt = handshake(v.part)
    if rtt is not None:
        out["rtt_ms"] = ms(rtt[0])
    return out


def trouble(events: list[Event]) -> dict[str, int]:
    """How many segments are of each class that is not simply the next one."""
    return {k: sum(e.cls == CLASS_OF.get(k, k) for e in events) for k in TROUBLE}


def handshake(part: Part) -> tuple[int, int | None] | None:
    """RTT, and from the SYN to the SYN-ACK, in ns."""
    first = part.events[0]
    if part.index > 1 or first.cls is None or first.packet.flags & (SYN | ACK) != SYN:
        return None
    syns: list[Event] = []
    for e in segments(part.events):
        theirs = [s for s in syns if s.dir == 1]
        if e.packet.flags & SYN and e.cls != "dup":
            syns.append(e)
        if e.dir == 0 and e.packet.flags & ACK and theirs:
            if ahead(e.packet.ack, (theirs[0].packet.seq + 1) % 2**32) >= 0:
                break
    else:
        return None
    if len(theirs) != 1 or len(syns) != 2:
        return None
    answer = theirs[0].ns - first.ns if theirs[0].packet.flags & ACK else None
    return e.ns - first.ns, answer


def community_id(v: View) -> str:
    """Community ID specification, version 1."""
    c = v.part.conversation
    (a, sport), (b, dport) = c.ends
    ports, ordered = c.packet.ports is not None, True
    if c.key[5] is not None:
        ports = True
        sport, code = c.packet.icmp  # as the first packet has it: a reply may be first
        pairs = ICMP_PAIRS[v.proto]
        pairs = pairs | {reply: request for request, reply in pairs.items()}
        dport = pairs.get(sport, code)
        ordered = sport in pairs
    if ordered and (a, sport) > (b, dport):
        a, b, sport, dport = b, a, dport, sport
    elif not ordered and v.out == 1:
        a, b = b, a
    text = v.options.seed.to_bytes(2, "big") + a + b + bytes((v.proto, 0))
    if ports:
        text += sport.to_bytes(2, "big") + dport.to_bytes(2, "big")
    return "1:" + base64.b64encode(hashlib.sha1(text).digest()).decode()


# --- lists of packets ----------------------------------------------------------------------------
def packets(v: View) -> dict:
    """SPLT."""
    if v.options.num_pkts == 0 or v.options.type == 2:
        return {}
    listed: list[dict] = []
    before = 0
    for e in v.events:
        if len(listed) == v.options.num_pkts:
            break
        if e.packet.fragment_only:
            continue
        if e.packet.payload_len == 0 and not v.options.zeros:
            continue
        if e.cls in NOTHING_NEW and not v.options.retrans:
            continue
        wait = e.ns - before if listed else 0
        listed.append({"b": e.packet.payload_len, "dir": v.arrow(e), "ipt": ms(wait)})
        before = e.ns
    return {"packets": listed}


def salt(v: View) -> dict:
    """Messages, told apart by acknowledgement numbers."""
    if v.options.num_pkts == 0 or not (v.options.salt or v.options.type == 2):
        return {}
    messages: list[list[Event]] = []
    for e in data(v.events):
        if e.cls in NOTHING_NEW:
            continue
        last = messages[-1][-1] if messages else None
        same = v.proto == TCP and last is not None and e.dir == last.dir
        if same and e.packet.ack == last.packet.ack:
            messages[-1].append(e)
        else:
            messages.append([e])
    listed = []
    for before, message in zip([None, *messages], messages, strict=False):
        wait = message[0].ns - before[0].ns if before else 0
        size = sum(e.packet.payload_len for e in message)
        listed.append({"b": size, "dir": v.arrow(message[0]), "ipt": ms(wait)})
    return {"salt": listed[: v.options.num_pkts]}


def ppi(v: View) -> dict:
    """Facts of TCP headers."""
    if v.proto != TCP or v.options.num_pkts == 0:
        return {}
    listed = segments(v.events)[: v.options.num_pkts]
    first = {e.dir: e.packet.seq for e in reversed(listed)}
    out = []
    for e in listed:
        p, other = e.packet, first.get(1 - e.dir)
        known = p.flags & ACK and other is not None
        out.append(
            {
                "seq": (p.seq - first[e.dir]) % 2**32,
                "ack": (p.ack - other) % 2**32 if known else None,
                "b": p.payload_len,
                "olen": p.options_len,
                "dir": v.arrow(e),
                "t": ms(e.ns - v.part.events[0].ns),
                "flags": letters(p.flags),
            }
        )
    return {"ppi": out}


def letters(flags: int) -> str:
    """One for each flag."""
    return "".join(x for i, x in enumerate(FLAG_LETTERS) if flags >> i & 1)


# --- bytes ---------------------------------------------------------------------------------------
def dist(v: View) -> dict:
    """Byte distribution, moments, entropy, bins."""
    count: Counter[int] = Counter()
    left = [v.options.dist_bytes or 1 << 62] * 2
    for e in v.events:
        bytes_ = e.packet.payload[: left[v.dir(e)]]
        left[v.dir(e)] -= len(bytes_)
        count.update(bytes_)
    n = count.total()
    if n == 0:
        return {}
    bins = [0] * 16
    for value, times in count.items():
        bins[mapping()[value]] += times
    mean, std = moments(count)
    entropy = math.fsum(c / n * math.log2(n / c) for c in count.values())
    out = {
        "byte_dist": [count[i] for i in range(256)],
        "byte_dist_mean": mean,
        "compact_byte_dist": bins,
        "entropy": entropy,
        "total_entropy": entropy * n,
    }
    if std is not None:
        out["byte_dist_std"] = std
    return out


def mapping(cache: list[int] = []) -> list[int]:  # noqa: B006
    """The bin of each byte value."""
    if not cache:
        for line in BINS.read_text().splitlines():
            cache.extend(int(x) for x in line.split("#")[0].replace(",", " ").split())
    return cache


def wht(v: View) -> dict:
    """Walsh-Hadamard transform of blocks of four bytes."""
    total, blocks = [0, 0, 0, 0], 0
    for e in v.events:
        whole = e.packet.payload[: len(e.packet.payload) // 4 * 4]
        a, b, c, d = (sum(whole[i::4]) for i in range(4))
        for k, w in enumerate((a + b + c + d, a - b + c - d, a + b - c - d, a - b - c + d)):
            total[k] += w
        blocks += len(whole) // 4
    return {"wht": [w / blocks for w in total], "wht_blocks": blocks} if blocks else {}


def hd(v: View) -> dict:
    """What the first bytes have in common."""
    n = v.options.hd
    out: dict = {"bytes": n}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        heads = [
            e.packet.payload[:n]
            for e in v.side(number)
            if len(e.packet.payload) >= n and e.cls not in NOTHING_NEW
        ]
        side: dict = {"n": len(heads), "seq": []}
        if heads:
            mask = [0xFF & ~changed([h[i] for h in heads]) for i in range(n)]
            side["const_mask"] = bytes(mask).hex()
            side["const_value"] = bytes(m & x for m, x in zip(mask, heads[0], strict=True)).hex()
        if len(heads) > 1:
            pairs = list(zip(heads, heads[1:], strict=False))
            side["seq"] = [i for i in range(n) if all((a[i] + 1) % 256 == b[i] for a, b in pairs)]
        out[name] = side
    return {"hd": out} if any(out[k]["n"] for k in ("out", "in") if k in out) else {}


def changed(values: list[int]) -> int:
    """The bits that are not the same in all."""
    bits = 0
    for value in values:
        bits |= value ^ values[0]
    return bits


def idp(v: View) -> dict:
    """The first data packet of each direction."""
    out = {}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        for e in data(v.side(number)):
            if not e.packet.in_fragments:
                head = e.packet.ip[: v.options.idp]
                out[f"idp_{name}"], out[f"idp_len_{name}"] = head.hex(), len(head)
                break
    return out


def payload(v: View) -> dict:
    """The first bytes of application data."""
    out = {}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        events = v.side(number)
        if v.proto == TCP:
            head = stream(events, v.options.payload, v.part.index == 1)
        else:
            head = next((e.packet.payload for e in data(events)), b"")[: v.options.payload]
        if head:
            out[name] = head.hex()
    return {"payload": out} if out else {}


def stream(events: list[Event], size: int, first: bool) -> bytes:
    """The first bytes of a TCP direction, in order; of two that disagree the first to come."""
    sent = segments(events)
    begin = []  # behind the SYN, or where the first payload is, whichever comes first
    for e in sent:
        if e.packet.flags & SYN and (first or e.packet.payload_len):
            begin.append((e.packet.seq + 1) % 2**32)
        elif e.packet.payload_len:
            begin.append(e.packet.seq)
    if not begin:
        return b""
    found: dict[int, int] = {}
    end = size  # or where a FIN was
    for e in sent:
        at = ahead(e.packet.seq + bool(e.packet.flags & SYN), begin[0])
        if e.packet.flags & FIN and at + e.packet.payload_len >= 0:
            end = min(end, at + e.packet.payload_len)
        for i in range(max(0, -at), min(len(e.packet.payload), size - at, end - at)):
            found.setdefault(at + i, e.packet.payload[i])
    head = []
    while len(head) in found:
        head.append(found[len(head)])
    return bytes(head)


# --- headers -------------------------------------------------------------------------------------
def ip(v: View) -> dict:
    """What IP headers say."""
    out = {}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        side: dict = {}
        seen = [e.packet for e in v.side(number)]
        ecn = Counter(p.tos & 3 for p in seen)
        side["ecn"] = {"not_ect": ecn[0], "ect_1": ecn[1], "ect_0": ecn[2], "ce": ecn[3]}
        if seen:
            side["ttl"] = seen[0].ttl
            side["ttl_min"], side["ttl_max"] = min(p.ttl for p in seen), max(p.ttl for p in seen)
            side["dscp"] = seen[0].tos >> 2
            side["dscps"] = sorted({p.tos >> 2 for p in seen})
        if seen and seen[0].version == 4:
            if v.options.num_pkts:
                side["id"] = [p.ip_id for p in seen[: v.options.num_pkts]]
            for bit, key in ((2, "df"), (1, "mf"), (4, "reserved")):
                side[key] = sum(bool(p.ip_flags & bit) for p in seen)
        elif seen:
            side["flow_label"] = seen[0].flow_label
        out[name] = side
    return {"ip": out}


def tcp(v: View) -> dict:
    """What TCP headers say."""
    if not segments(v.events):
        return {}
    out: dict = {}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        seen = segments(v.side(number))
        out[name] = tcp_side(seen)
        if seen:
            out["first_seq_in" if number else "first_seq"] = seen[0].packet.seq
    if v.both:
        rtt, answer = handshake(v.part) or (None, None)
        known = answer is not None
        out["handshake"] = {
            "syn_ack_ms": ms(answer) if known else None,
            "ack_ms": ms(rtt - answer) if known else None,
        }
    return {"tcp": out}


def tcp_side(events: list[Event]) -> dict:
    """One direction."""
    seen = [e.packet for e in events]
    side: dict = {
        "counts": {k: sum(p.flags >> i & 1 for p in seen) for i, k in enumerate(FLAG_NAMES)},
        "zero_windows": sum(p.window == 0 and not p.flags & (SYN | FIN | RST) for p in seen),
        "opts": [],
        "sack_permitted": False,
    }
    if not seen:
        return side
    union = 0
    for p in seen:
        union |= p.flags
    side["flags"] = letters(union)
    side["first_window_size"] = seen[0].window
    if windows := [p.window for p in seen if not p.flags & RST]:
        side["window_min"], side["window_max"] = min(windows), max(windows)
    chosen = next((p for p in seen if p.flags & SYN), seen[0])
    side["opt_len"] = chosen.options_len
    for kind, value in tcp_options(chosen.options):
        option = {"kind": kind, "name": OPTION_NAMES.get(kind, "unknown")}
        if value:
            option["value"] = value.hex()
        side["opts"].append(option)
        if kind == 2:
            side["mss"] = int.from_bytes(value, "big")
        elif kind == 3:
            side["window_scale"] = value[0]
        elif kind == 4:
            side["sack_permitted"] = True
        elif kind == 8:
            side["ts_value"] = int.from_bytes(value[:4], "big")
            side["ts_echo"] = int.from_bytes(value[4:], "big")
    return side


def icmp(v: View) -> dict:
    """Messages of ICMP flows."""
    if v.proto not in (ICMP, ICMP6):
        return {}
    request, reply = (8, 0) if v.proto == ICMP else (128, 129)
    out: dict = {}
    for number, name in enumerate(("out", "in") if v.both else ("out",)):
        seen = [e.packet for e in v.side(number) if not e.packet.fragment_only]
        seen = [p for p in seen if p.icmp is not None]
        types = Counter(p.icmp for p in seen)
        side: dict = {
            "n": len(seen),
            "requests": sum(p.icmp[0] == request for p in seen),
            "replies": sum(p.icmp[0] == reply for p in seen),
            "types": [{"type": t, "code": c, "n": n} for (t, c), n in types.items()][:8],
        }
        echoes = [p for p in seen if p.icmp[0] in (request, reply)]
        if echoes:
            side["first_seq"], side["last_seq"] = echo_seq(echoes[0]), echo_seq(echoes[-1])
        out[name] = side
    if v.both:
        out["rtt"] = echo_times(v, request, reply)
    return {"icmp": out}


def echo_seq(p: object) -> int:
    """Sequence number of an echo message."""
    return int.from_bytes(p.body[6:8], "big")


def echo_times(v: View, request: int, reply: int) -> dict:
    """From requests to their replies."""
    asked: list[Event] = []
    answered: set[int] = set()
    times = []
    for e in v.events:
        p = e.packet
        if p.fragment_only or p.icmp is None:
            continue
        if p.icmp[0] == request:
            asked.append(e)
        elif p.icmp[0] == reply:
            for q in reversed(asked[-32:]):
                same = echo_seq(q.packet) == echo_seq(p) and q.dir != e.dir
                if same and id(q) not in answered:
                    answered.add(id(q))
                    times.append(max(0, p.ns - q.packet.ns))
                    break
    said = time_numbers(times)
    return {"n": said["n"], **{f"{k}_ms": said[k] for k in ("min", "mean", "std", "max")}}


FEATURES = (base, packets, salt, dist, ip, tcp, icmp, idp, payload, ppi, hd, wht, stats)
