# SPDX-License-Identifier: BSD-3-Clause
"""One pass over flows: everything that `joy summary` says, as one object."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from joy.inputs import Flows
from joy.sources import all_columns
from joy.summary import names, rules
from joy.summary.columns import Columns, text, unlisted
from joy.summary.counters import Top
from joy.summary.scans import Scans
from joy.summary.timeline import Timeline
from joy.unify import find

ROWS = 1 << 16  # flows that are added up at once,
BYTES = 64 << 20  # unless they are that large

_BASE = (
    "sa da pr sp dp bytes_out num_pkts_out bytes_in num_pkts_in ip_bytes_out ip_bytes_in "
    "time_start time_end flow_id part end_reason marks retrans_out retrans_in "
    "ooo_out ooo_in gaps_out gaps_in icmp_errors_out icmp_errors_in"
).split()
_FEATURES = (
    "tcp.in.flags tls.protocol tls.starttls tls.version tls.version_code tls.c_version tls.sni "
    "tls.alpn tls.scs_name tls.handshake tls.alerts.level tls.s_cert.self_signed "
    "tls.s_cert.not_before_s tls.s_cert.not_after_s tls.s_cert.key_type tls.s_cert.key_length "
    "tls.s_cert.signature_algorithm quic.version quic.google.sni fingerprints.ja4 entropy"
).split()
_HOST = (
    "fingerprints.labels.label exe.name exe.path sa_labels da_labels watch.entry watch.list "
    "sa_geo.country da_geo.country sa_geo.organisation da_geo.organisation"
).split()
_TO_COME = "dns http".split()  # data elements that newer records may have
COLUMNS = tuple(_BASE + _FEATURES + _HOST)

_NAME_KEYS = {"dns": ("qn", "qname", "query", "name"), "http": ("host", "authority")}


def columns() -> tuple[str, ...]:
    """What to ask Flows for: COLUMNS, and data elements to come that this version knows."""
    schema = all_columns()
    return COLUMNS + tuple(n for n in _TO_COME if find(schema, n) is not None)


class Summary:
    """What was seen so far.

    Words of which each flow has at most one are counted by `words`: section -> counter.
    """

    def __init__(self) -> None:
        self.totals = dict.fromkeys(_TOTALS, 0)
        self.quality = dict.fromkeys(_QUALITY, 0)
        self.timeline = Timeline()
        sizes = ("bytes", "flows", "packets")
        self.protocols, self.services = Top(*sizes), Top(*sizes)
        self.hosts = Top("bytes", "flows", "packets", "sent", "received", "begun")
        self.pairs = Top(*sizes)
        self.words = {name: Top("flows") for name in _WORDS}
        self.scans = Scans()
        self.findings = rules.Findings()

    def add(self, table: pa.Table) -> None:
        """Add flows: a table of one chunk, with any of COLUMNS."""
        flows = Columns(table)
        if not flows.rows:
            return
        sizes = _sizes(flows)
        self._totals(flows, sizes)
        self._times(flows, sizes["bytes"])
        self._ends(flows, sizes)
        for name, keys in _WORDS.items():
            for key in keys(flows):
                self.words[name].add(key)
        self._oddities(table, flows)

    def _totals(self, flows: Columns, sizes: dict[str, pa.Array]) -> None:
        part = flows.numbers("part")
        self.totals["flows"] += flows.rows
        self.totals["parts"] += pc.sum(pc.greater(part, 1)).as_py() or 0
        for name in ("packets", "bytes", "bytes_out", "bytes_in"):
            values = sizes[name] if name in sizes else flows.numbers(name)
            self.totals[name] += pc.sum(values).as_py()
        for name in ("ip_bytes_out", "ip_bytes_in"):
            self.totals["ip_bytes"] += pc.sum(flows.numbers(name)).as_py() or 0
        for name, fields in _QUALITY.items():
            self.quality[name] += sum(pc.sum(flows.numbers(f)).as_py() or 0 for f in fields)
        if (back := flows.struct("num_pkts_in")) is None or back.null_count:
            self.totals["one_way"] += flows.rows if back is None else back.null_count

    def _times(self, flows: Columns, size: pa.Array) -> None:
        start, end = (_times(flows, name) for name in ("time_start", "time_end"))
        if start is not None and end is not None:
            self.timeline.add(start, end, size.to_numpy(zero_copy_only=False))

    def _ends(self, flows: Columns, sizes: dict[str, pa.Array]) -> None:
        self.protocols.add(flows.numbers("pr"), **sizes)
        sa, da, dp = flows.words("sa"), flows.words("da"), flows.struct("dp")
        if dp is not None:
            self.services.add(_service(flows.numbers("pr"), dp), **sizes)
        if sa is None or da is None:
            return
        self.pairs.add(pc.binary_join_element_wise(sa, da, " "), **sizes)
        self._hosts(flows, sizes, sa, da)

    def _hosts(self, flows: Columns, sizes: dict[str, Any], sa: pa.Array, da: pa.Array) -> None:
        out, back = flows.numbers("bytes_out"), flows.numbers("bytes_in")
        begun = sizes["flows"]
        self.hosts.add(sa, **sizes, sent=out, received=back, begun=begun)
        # who talks to himself has one flow of it, not two; what he sends he also gets
        other = pc.not_equal(sa, da).cast(pa.int64())
        mine = {n: pc.multiply(v, other) for n, v in sizes.items()}
        self.hosts.add(da, **mine, sent=back, received=out, begun=pc.multiply(begun, 0))

    def _oddities(self, table: pa.Table, flows: Columns) -> None:
        can = [r for r in rules.RULES if all(n in flows for n in r.needs)]
        self.findings.add(table, can)
        if all(n in flows for n in ("sa", "da", "dp", "flow_id", "num_pkts_in")):
            self.scans.add(_failed(flows))

    def result(self, top: int, bins: int = 60) -> dict[str, Any]:
        """Everything as one object; the keys are in doc/summary.md."""
        hosts = _rows(self.hosts.result(top), lambda key: {"host": key})
        words = {n: _rows(c.result(top), _WORD.get(n, _value)) for n, c in self.words.items()}
        quality = {name: words.pop(name) for name in ("end_reasons", "marks")}
        totals = {"hosts": hosts["distinct"], "hosts_capped": hosts["capped"]}
        return {
            "time": self._span() | self.timeline.result(bins),
            "totals": self.totals | totals,
            "protocols": _rows(self.protocols.result(top), _protocol),
            "services": _rows(self.services.result(top), _service_name),
            "hosts": hosts,
            "pairs": _rows(self.pairs.result(top), _pair),
            **words,
            "quality": self.quality | quality,
            "oddities": self.findings.result(),
            "scans": {"capped": self.scans.capped, "found": self.scans.result(top)},
        }

    def _span(self) -> dict[str, Any]:
        first, last = self.timeline.start, self.timeline.end
        if first is None or last is None:
            return {"first_ns": None, "last_ns": None, "seconds": None}
        return {"first_ns": first, "last_ns": last, "seconds": (last - first) / 1e9}


_TOTALS = "flows parts one_way packets bytes bytes_out bytes_in ip_bytes".split()
_QUALITY = {
    "retransmissions": ("retrans_out", "retrans_in"),
    "out_of_order": ("ooo_out", "ooo_in"),
    "gaps": ("gaps_out", "gaps_in"),
    "icmp_errors": ("icmp_errors_out", "icmp_errors_in"),
}


def _sizes(flows: Columns) -> dict[str, pa.Array]:
    return {
        "bytes": pc.add(flows.numbers("bytes_out"), flows.numbers("bytes_in")),
        "flows": pa.repeat(pa.scalar(1, pa.int64()), flows.rows),
        "packets": pc.add(flows.numbers("num_pkts_out"), flows.numbers("num_pkts_in")),
    }


def _times(flows: Columns, name: str) -> np.ndarray | None:
    found = flows.struct(name)
    if found is None:
        return None
    return pc.fill_null(found.cast(pa.int64()), 0).to_numpy(zero_copy_only=False)


def _service(pr: pa.Array, dp: pa.Array) -> pa.Array:
    return pc.add(pc.multiply(pr, 65536), dp.cast(pa.int64()))


def _rows(result: dict[str, Any], said: Callable[[Any], dict[str, Any]]) -> dict[str, Any]:
    """A counter's result with what its keys mean in place of them."""
    return result | {"top": [said(row.pop("key")) | row for row in result["top"]]}


def _value(key: str) -> dict[str, Any]:
    return {"value": key}


def _protocol(key: int) -> dict[str, Any]:
    return {"pr": key, "name": names.protocol(key)}


def _service_name(key: int) -> dict[str, Any]:
    pr, port = divmod(key, 65536)
    return {"pr": pr, "dp": port, "name": names.PORTS.get(port)}


def _pair(key: str) -> dict[str, Any]:
    return dict(zip(("sa", "da"), key.split(" "), strict=True))


def _named(key: str) -> dict[str, Any]:
    return dict(zip(("from", "value"), key.split(" ", 1), strict=True))


def _end_reason(key: str) -> dict[str, Any]:
    return {"code": int(key), "value": names.END_REASONS.get(int(key), key)}


_WORD = {"names": _named, "end_reasons": _end_reason}


def _failed(flows: Columns) -> pa.Table:
    """Flows of TCP that got no answer, or a reset, without payload either way."""
    silent = pc.equal(pc.add(flows.numbers("bytes_out"), flows.numbers("bytes_in")), 0)
    nothing = pc.fill_null(pc.equal(flows.struct("num_pkts_in"), 0), False)
    if (flags := flows.words("tcp.in.flags")) is not None:
        nothing = pc.or_(nothing, pc.fill_null(pc.match_substring(flags, "R"), False))
    failed = pc.and_(pc.and_(silent, nothing), pc.equal(flows.numbers("pr"), 6))
    columns = {n: flows.words(n) for n in ("sa", "da")}
    numbers = {n: flows.numbers(n) for n in ("dp", "flow_id")}
    return pa.table({**columns, **numbers}).filter(failed)


def _one(*fields: str) -> Any:
    """Keys of a section: the first of these fields that is there."""

    def keys(flows: Columns) -> list[pa.Array]:
        found = [flows.words(f) for f in fields]
        there = [f for f in found if f is not None]
        return [pc.coalesce(*there)] if there else []

    return keys


def _listed(*fields: str) -> Any:
    """Keys of a section: all elements of lists of words."""

    def keys(flows: Columns) -> list[pa.Array]:
        return [text(f) for name in fields if (f := flows.flat(name)) is not None]

    return keys


def _watched(flows: Columns) -> list[pa.Array]:
    """List and entry of each hit."""
    hits = flows.flat("watch")
    if hits is None:
        return []
    entry, name = (text(pc.struct_field(hits, n)) for n in ("entry", "list"))
    return [pc.binary_join_element_wise(entry, name, " in ")]


def _names(flows: Columns) -> list[pa.Array]:
    """Names of hosts, each behind the word for where it was said and a space."""
    keys = []
    sni, carrier = flows.words("tls.sni"), flows.words("tls.protocol")
    if sni is not None:
        said = carrier if carrier is not None else pa.repeat("tls", flows.rows)
        keys.append(pc.binary_join_element_wise(said, sni, " "))
    if (google := flows.words("quic.google.sni")) is not None:
        keys.append(pc.binary_join_element_wise("quic", google, " "))
    for column, wanted in _NAME_KEYS.items():
        whole = flows.struct(column)
        for leaf in [] if whole is None else _leaves(whole, wanted):
            keys.append(pc.binary_join_element_wise(column, text(leaf), " "))
    return keys


def _leaves(values: pa.Array, wanted: tuple[str, ...]) -> Iterator[pa.Array]:
    """All texts below a list or object whose key is wanted; the first such key of an object."""
    values = unlisted(values)
    if not pa.types.is_struct(values.type):
        return
    keys = [field.name for field in values.type]
    hit = next((k for k in wanted if k in keys), None)
    if hit is not None and _is_text(values.type.field(hit).type):
        yield pc.struct_field(values, [hit])
        return
    for key in keys:
        yield from _leaves(pc.struct_field(values, [key]), wanted)


def _is_text(kind: pa.DataType) -> bool:
    large = pa.types.is_large_string(kind)
    return pa.types.is_string(kind) or large or pa.types.is_dictionary(kind)


def _countries(flows: Columns) -> list[pa.Array]:
    return [k for end in ("sa_geo", "da_geo") for k in _one(f"{end}.country")(flows)]


def _organisations(flows: Columns) -> list[pa.Array]:
    return [k for end in ("sa_geo", "da_geo") for k in _one(f"{end}.organisation")(flows)]


def _end_reasons(flows: Columns) -> list[pa.Array]:
    found = flows.struct("end_reason")
    return [] if found is None else [found.cast(pa.utf8())]


_WORDS = {
    "names": _names,
    "tls_versions": _one("tls.version"),
    "tls_ciphersuites": _one("tls.scs_name"),
    "tls_alpn": _one("tls.alpn"),
    "tls_starttls": _one("tls.starttls"),
    "tls_handshakes": _one("tls.handshake"),
    "quic_versions": _one("quic.version"),
    "ja4": _one("fingerprints.ja4"),
    "fingerprint_labels": _listed("fingerprints.labels.label"),
    "processes": _one("exe.name", "exe.path"),
    "labels": _listed("sa_labels", "da_labels"),
    "watch": _watched,
    "countries": _countries,
    "organisations": _organisations,
    "end_reasons": _end_reasons,
    "marks": _listed("marks"),
}


def chunks(batches: Iterable[pa.RecordBatch]) -> Iterator[pa.Table]:
    """Batches put together, so that what is done once a chunk is done seldom."""
    waiting: list[pa.RecordBatch] = []
    for batch in batches:
        waiting.append(batch)
        if sum(b.num_rows for b in waiting) >= ROWS or sum(b.nbytes for b in waiting) >= BYTES:
            yield _table(waiting)
            waiting = []
    if waiting:
        yield _table(waiting)


def _table(batches: list[pa.RecordBatch]) -> pa.Table:
    return pa.Table.from_batches(batches).unify_dictionaries().combine_chunks()


def summarize(flows: Flows, top: int = 10, bins: int = 60) -> dict[str, Any]:
    """Read all flows and say what is in them.

    Args:
        flows: opened with columns().
        top: how many entries lists of the largest have.
        bins: how many the time line has at most.
    """
    summary = Summary()
    for table in chunks(flows):
        summary.add(table)
    found = summary.result(top, bins)
    return {"inputs": _inputs(flows), **found}


def _inputs(flows: Flows) -> dict[str, Any]:
    files = [{"path": i.path, "kind": i.kind, "bytes": i.size} for i in flows.inputs]
    troubles = [
        {"text": t.text, "file": t.file, "offset": t.offset, "damaged": t.damaged}
        for t in flows.troubles
    ]
    return {
        "files": files,
        "damaged": flows.damaged,
        "troubles": troubles,
        "summaries": flows.summaries,
    }
