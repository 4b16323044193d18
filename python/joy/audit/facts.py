# SPDX-License-Identifier: BSD-3-Clause
"""What the records of a batch say about handshakes, flow by flow, in the words of policies.

What was not seen is None, never an empty list: an empty list was seen to be empty.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pyarrow as pa
import pyarrow.compute as pc

from joy.audit import names

_BASE = ("sa", "da", "sp", "dp", "time_start", "flow_id", "part")
_TLS = (
    *("protocol", "version", "handshake", "c_version_name", "c_record_version", "sni"),
    *("s_random", "cs", "scs", "c_compressions", "s_compression", "c_extensions"),
    *("s_extensions", "client", "server", "retry", "c_key_length", "s_key"),
    *("certificate_request", "c_signature_algorithm", "c_cert", "s_cert", "ocsp_length"),
    *("marks", "srlt"),
)
_OTHER = ("fingerprints.ja4", "exe.name", "exe.path", "exe.side", "exe_peer.name", "exe_peer.path")
_READ = (*_BASE, *(f"tls.{k}" for k in _TLS), *_OTHER)

# Of what has many members, those that are looked at.
_CERTIFICATE = (
    *("damaged", "version", "subject", "not_before", "not_after", "not_before_s", "not_after_s"),
    *("key_type", "key_length", "curve", "signature_algorithm", "sans", "ext_key_usage"),
    *("self_signed", "malformed", "sha256"),
)
_MEMBERS = {
    "c_extensions": ("type",),
    "s_extensions": ("type",),
    "client": ("versions", "groups", "key_shares", "signature_algorithms", "psk_modes", "faults"),
    "server": ("faults",),
    "retry": ("group",),
    "c_cert": _CERTIFICATE,
    "s_cert": _CERTIFICATE,
    "srlt": ("dir", "hs_types"),
}
COLUMNS = (
    *_BASE,
    *(f"tls.{k}" for k in _TLS if k not in _MEMBERS),
    *(f"tls.{k}.{member}" for k, members in _MEMBERS.items() for member in members),
    *_OTHER,
)

CLIENT_HELLO, SERVER_HELLO = 1, 2  # handshake types
RENEGOTIATION_INFO, STATUS_REQUEST = 0xFF01, 5  # extensions


@dataclass(slots=True)
class Facts:
    """A handshake as far as it was seen.  Times in seconds since 1970, sizes of keys in bits.

    Attributes:
        client, server: address, and port of the server.
        whole: whether the client's, the server's hello was seen to its end.
        suites: ciphersuites offered, without GREASE and signalling values.
        signals: those signalling values.
        extensions: of the client's hello, of the server's; numbers.
    """

    flow_id: int
    time: float
    protocol: str
    client: str
    server: str
    port: int | None
    client_port: int | None
    sni: str | None
    client_process: str | None
    server_process: str | None
    ja4: str | None
    marks: tuple[str, ...]
    whole: tuple[bool, bool]
    versions: tuple[str, ...] | None
    versions_listed: bool
    version: str | None
    resumed: bool
    suites: tuple[str, ...] | None
    signals: frozenset[str]
    suite: str | None
    groups: tuple[str, ...] | None
    shares: tuple[str, ...] | None
    group: str | None
    signatures: tuple[str, ...] | None
    key_signature: str | None
    verify_signature: str | None
    exchange_bits: tuple[str, int] | None
    compressions: tuple[str, ...] | None
    compression: str | None
    extensions: tuple[frozenset[int] | None, frozenset[int] | None]
    psk_modes: tuple[str, ...] | None
    certificates: tuple[list[dict] | None, list[dict] | None]
    certificate_asked: bool
    renegotiated: bool
    stapled: bool
    random_end: bytes

    def shape(self) -> tuple | None:
        """What outcomes depend on: two handshakes with the same are judged alike.

        None when a certificate cannot be told from others.
        """
        held = tuple(self._held(several) for several in self.certificates)
        if None in held:
            return None
        return (
            *(held, self.sni if any(held) else None),
            *(self.protocol, self.marks, self.whole, self.versions, self.versions_listed),
            *(self.version, self.resumed, self.suites, self.signals, self.suite, self.groups),
            *(self.shares, self.group, self.signatures, self.key_signature, self.stapled),
            *(self.verify_signature, self.exchange_bits, self.compressions, self.compression),
            *(self.extensions, self.psk_modes, self.certificate_asked, self.renegotiated),
            self.random_end if self.random_end.startswith(b"DOWNGRD") else b"",
        )

    def _held(self, certificates: list[dict] | None) -> tuple | None:
        """Which certificates, and how their validity stands to the time of the flow."""
        out = []
        for one in certificates or ():
            first, last = one.get("not_before_s"), one.get("not_after_s")
            if one.get("sha256") is None:
                return None
            late = last is not None and self.time > last
            out.append((one["sha256"], first is not None and self.time < first, late))
        return tuple(out)

    @property
    def rank(self) -> int:
        """Order of the version that was negotiated; 0 when none was seen."""
        return names.rank(self.version) if self.version else 0

    @property
    def best_offered(self) -> str | None:
        """The highest version that the client offers."""
        return max(self.versions, key=names.rank) if self.versions else None

    @property
    def encrypted_certificates(self) -> bool:
        """Whether certificates are hidden from who only watches: from TLS 1.3 on."""
        return self.rank >= names.RANKS["TLS 1.3"]


def read(batch: pa.RecordBatch) -> Iterator[Facts]:
    """The handshakes in a batch of records, in order; later parts of a flow have none."""
    place = batch.schema.get_field_index("tls")
    if place < 0:
        return
    rows = batch.filter(pc.is_valid(batch.column(place)))
    if not rows.num_rows:
        return
    columns = {name: _values(rows, name) for name in _READ}
    for row in zip(*columns.values(), strict=True):
        values = dict(zip(columns, row, strict=True))
        hellos = values["tls.cs"] is not None or values["tls.scs"] is not None
        if values["tls.protocol"] is not None and (hellos or (values["part"] or 1) == 1):
            yield _facts(values)


def _values(rows: pa.RecordBatch, name: str) -> list[Any]:
    """A column by its dotted name as Python values; all None when there is no such column."""
    first, *keys = name.split(".")
    place = rows.schema.get_field_index(first)
    if place < 0:
        return [None] * rows.num_rows
    array = rows.column(place)
    for key in keys:
        if not pa.types.is_struct(array.type) or array.type.get_field_index(key) < 0:
            return [None] * rows.num_rows
        array = pc.struct_field(array, key)
    if pa.types.is_timestamp(array.type):
        exact = array.cast(pa.timestamp("ns", array.type.tz)).cast(pa.int64())
        return [None if v is None else v / 1e9 for v in exact.to_pylist()]
    return array.to_pylist()


def _facts(v: dict[str, Any]) -> Facts:
    t = {k: v[f"tls.{k}"] for k in _TLS}
    client = t["client"] or {}
    suites = _suites(t["cs"])
    forward = _client_is_sa(t["srlt"])
    ends = [(v["sa"], v["sp"]), (v["da"], v["dp"])]
    (client_at, client_port), (server_at, port) = ends if forward else ends[::-1]
    processes = _processes(v, forward)
    return Facts(
        flow_id=v["flow_id"] or 0,
        time=v["time_start"] or 0.0,
        protocol=t["protocol"],
        client=client_at,
        server=server_at,
        port=port,
        client_port=client_port,
        sni=t["sni"],
        client_process=processes[0],
        server_process=processes[1],
        ja4=v["fingerprints.ja4"],
        marks=tuple(t["marks"] or ()),
        whole=(_whole(t["client"], t["cs"]), _whole(t["server"], t["scs"])),
        versions=_versions(t, client),
        versions_listed=bool(client.get("versions")),
        version=t["version"],
        resumed=t["handshake"] == "resumed",
        suites=None if suites is None else tuple(s for s in suites if s not in names.SCSV),
        signals=names.SCSV & frozenset(suites or ()),
        suite=None if t["scs"] is None else names.suite(t["scs"]),
        groups=_named(client.get("groups")),
        shares=_named([s["group"] for s in client.get("key_shares") or []] or None),
        group=(t["s_key"] or {}).get("curve") or (t["retry"] or {}).get("group"),
        signatures=_named(client.get("signature_algorithms")),
        key_signature=(t["s_key"] or {}).get("signature_algorithm"),
        verify_signature=t["c_signature_algorithm"],
        exchange_bits=_exchange_bits(t),
        compressions=_methods(t["c_compressions"]),
        compression=(_methods(t["s_compression"]) or (None,))[0],
        extensions=(
            _types(t["c_extensions"], t["cs"]),
            _types(t["s_extensions"], t["scs"]),
        ),
        psk_modes=_named(client.get("psk_modes")),
        certificates=(t["c_cert"] or None, t["s_cert"] or None),
        certificate_asked=t["certificate_request"] is not None,
        renegotiated="renegotiation" in (t["marks"] or ()),
        stapled=bool(t["ocsp_length"]),
        random_end=(t["s_random"] or b"")[-8:],
    )


def _client_is_sa(records: list[dict] | None) -> bool:
    """Whether who began the flow says ClientHello too; so it is where nothing tells otherwise."""
    for record in records or ():
        kinds = record.get("hs_types") or ()
        if CLIENT_HELLO in kinds:
            return record["dir"] == ">"
        if SERVER_HELLO in kinds:
            return record["dir"] == "<"
    return True


def _processes(v: dict[str, Any], forward: bool) -> tuple[str | None, str | None]:
    """Executables of client and server, as far as they are of the sensor's host."""
    exe = v["exe.path"] or v["exe.name"]
    peer = v["exe_peer.path"] or v["exe_peer.name"]
    at_sa, at_da = (peer, exe) if v["exe.side"] == "<" else (exe, peer)
    return (at_sa, at_da) if forward else (at_da, at_sa)


def _suites(numbers: list[bytes] | None) -> list[str] | None:
    return None if numbers is None else [s for s in map(names.suite, numbers) if s]


def _whole(hello: dict | None, mark: Any) -> bool:
    return mark is not None and "cut_or_malformed" not in ((hello or {}).get("faults") or ())


def _versions(t: dict[str, Any], client: dict) -> tuple[str, ...] | None:
    """What is offered: the list in supported_versions, or the one version in the hello."""
    if client.get("versions"):
        return _named(client["versions"])
    if t["c_version_name"] is None:
        return None
    old = ("SSL 2.0",) if t["c_record_version"] == 2 else ()
    return (t["c_version_name"], *old)


def _named(words: list[str] | None) -> tuple[str, ...] | None:
    return None if words is None else tuple(w for w in words if w != "GREASE")


def _methods(numbers: bytes | None) -> tuple[str, ...] | None:
    if numbers is None:
        return None
    known = names.registry("compression-methods")
    return tuple(known.get(n, f"0x{n:02X}") for n in numbers)


def _types(extensions: list[dict] | None, hello: Any) -> frozenset[int] | None:
    """Numbers of a hello's extensions; None when there was no hello."""
    if extensions is None:
        return None if hello is None else frozenset()
    return frozenset(e["type"] for e in extensions)


def _exchange_bits(t: dict[str, Any]) -> tuple[str, int] | None:
    """Which kind of key the exchange used, dh, ec, rsa or kem, and its size (0 of kem)."""
    key = t["s_key"] or {}
    kind, bits = key.get("type") or "", key.get("length")
    if kind in ("rsa", "rsa_export", "rsa_psk"):
        own = (t["s_cert"] or [{}])[0]
        bits = bits or own.get("key_length") or t["c_key_length"]
        return ("rsa", bits) if bits else None
    group = key.get("curve") or ""
    if group.startswith("MLKEM"):
        return ("kem", 0)
    if not bits:
        return None
    finite = group.startswith("ffdhe") or kind.startswith("dh")
    return ("dh" if finite else "ec", bits)
