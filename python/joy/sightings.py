# SPDX-License-Identifier: BSD-3-Clause
"""Fingerprints in flows, one row for each of a flow's, with who gave it and where to.

A sighting belongs to the client or to the server of its flow; whose it is says its kind.  Names of
programs come from exe (which knows at which end its process is) or from a column of the user's.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

import pyarrow as pa
import pyarrow.compute as pc

from joy.errors import UsageError
from joy.inputs import Flows
from joy.tables import column

COLUMNS = (
    "sa",
    "da",
    "pr",
    "sp",
    "dp",
    "num_pkts_in",
    "time_start",
    "fingerprints",
    "tls.sni",
    "exe",
    "exe_peer",
    "sa_geo",
    "da_geo",
)
WHATS = ("process", "library", "system")
PROCESS = "exe.name"  # read by the end it stands at; any other column is taken as it is

SCHEMA = pa.schema(
    [
        ("flow", pa.int64()),  # how-manieth record, from 0
        ("kind", pa.utf8()),  # ja3, ja4, npf_tls, ...
        ("value", pa.utf8()),
        ("side", pa.utf8()),  # client, server: whose fingerprint it is
        ("host", pa.utf8()),  # address of that side
        ("time", pa.timestamp("us")),  # UTC
        ("port", pa.int32()),  # of the server
        ("sni", pa.utf8()),
        ("asn", pa.int64()),  # of the server
        ("process", pa.utf8()),
        ("library", pa.utf8()),
        ("system", pa.utf8()),
        ("version", pa.utf8()),  # of the process
        ("guess", pa.bool_()),  # the process is only guessed
    ]
)


@dataclass
class Names:
    """Where names come from: columns of the records, "" for none.

    Attributes:
        process: of the program; exe.name is that of the process at the fingerprint's own end.
        library, system: of the library that says hello, of the operating system.
        version: of the program; "" with exe.name takes the hash of its executable.
        side: whom the columns other than exe.name speak of, client or server.
    """

    process: str = PROCESS
    library: str = ""
    system: str = ""
    version: str = ""
    side: str = "client"
    missing: list[str] = field(default_factory=list, compare=False)

    def columns(self) -> list[str]:
        """Those that are columns of the user's."""
        given = (self.process, self.library, self.system, self.version)
        return [name for name in given if name not in ("", PROCESS)]


def is_of_server(kind: str) -> bool:
    """Whether a fingerprint of this kind is the server's."""
    return kind == "ja3s" or kind.endswith("_server")


def kinds_of(schema: pa.Schema, wanted: Sequence[str] = ()) -> list[str]:
    """Kinds of fingerprints that the records can have, in their order.

    Raises:
        UsageError: a wanted one is not among them.
    """
    place = schema.get_field_index("fingerprints")
    there = [f.name for f in schema.field(place).type if _is_text(f.type)] if place >= 0 else []
    for kind in wanted:
        if there and kind not in there:
            raise UsageError(f"--kind {kind}: there are {', '.join(there)}")
    return [kind for kind in there if not wanted or kind in wanted]


def _is_text(kind: pa.DataType) -> bool:
    return pa.types.is_string(kind) or pa.types.is_dictionary(kind)


def sightings(
    flows: Flows, kinds: Sequence[str] = (), names: Names | None = None
) -> Iterator[tuple[pa.RecordBatch, pa.RecordBatch]]:
    """Each batch of records, and its sightings in the order of SCHEMA.

    Args:
        flows: opened with COLUMNS (or more).
        kinds: those wanted; all when empty.
        names: where names of programs come from.
    """
    names = names or Names()
    for name in names.columns():
        if not flows.has(name):
            raise UsageError(f"column {name}: no input has it")
    wanted = kinds_of(flows.schema, kinds)
    first = 0
    for batch in flows:
        sides = {server: _side(batch, server, first, names) for server in (False, True)}
        parts = [_of_kind(batch, kind, sides[is_of_server(kind)]) for kind in wanted]
        table = pa.Table.from_batches(parts, SCHEMA).combine_chunks()
        rows = table.to_batches()
        yield batch, rows[0] if rows else pa.RecordBatch.from_pylist([], SCHEMA)
        first += batch.num_rows


def _of_kind(batch: pa.RecordBatch, kind: str, side: pa.RecordBatch) -> pa.RecordBatch:
    value = column(batch, f"fingerprints.{kind}", pa.utf8())
    there = pc.is_valid(value)
    rows = side.filter(there)
    columns = {name: rows.column(name) for name in rows.schema.names}
    columns |= {"kind": pa.repeat(kind, rows.num_rows), "value": value.filter(there)}
    return pa.RecordBatch.from_arrays([columns[f.name] for f in SCHEMA], schema=SCHEMA)


def _side(batch: pa.RecordBatch, server: bool, first: int, names: Names) -> pa.RecordBatch:
    """What sightings of a client or of a server say, but for kind and value; a row a record."""
    size = batch.num_rows
    one_way = pc.is_null(column(batch, "num_pkts_in", pa.int64()))
    # The end that sends is always at sa; of both directions the server's is at da.
    at_sa = one_way if server else pa.repeat(pa.scalar(True), size)
    server_at_sa = at_sa if server else pa.repeat(pa.scalar(False), size)
    columns = {
        "flow": pa.array(range(first, first + size), pa.int64()),
        "side": pa.repeat("server" if server else "client", size),
        "host": _either(batch, at_sa, "sa", "da", pa.utf8()),
        "time": begin(batch),
        "port": _either(batch, server_at_sa, "sp", "dp", pa.int32()),
        "sni": column(batch, "tls.sni", pa.utf8()),
        "asn": _either(batch, server_at_sa, "sa_geo.asn", "da_geo.asn", pa.int64()),
        **_who(batch, at_sa, names, names.side == ("server" if server else "client")),
    }
    return pa.RecordBatch.from_pydict(columns)


def begin(rows: pa.RecordBatch) -> pa.Array:
    """When each flow began: microseconds of UTC, without a zone in the type."""
    time = column(rows, "time_start", pa.timestamp("ns", "UTC"))
    return time.cast(pa.timestamp("us", "UTC"), safe=False).cast(pa.timestamp("us"))


def _either(
    rows: pa.RecordBatch, which: pa.Array, yes: str, no: str, kind: pa.DataType
) -> pa.Array:
    return pc.if_else(which, column(rows, yes, kind), column(rows, no, kind))


def _who(rows: pa.RecordBatch, at_sa: pa.Array, names: Names, ours: bool) -> dict[str, pa.Array]:
    """Names of the program at the end of the fingerprint; 'ours': columns speak of that end."""

    def text(name: str) -> pa.Array:
        known = name != "" and ours
        return column(rows, name, pa.utf8()) if known else pa.nulls(rows.num_rows, pa.utf8())

    who = {"library": text(names.library), "system": text(names.system)}
    who["version"] = text(names.version)
    if names.process != PROCESS:
        who["process"] = text(names.process)
        who["guess"] = pa.repeat(pa.scalar(False), rows.num_rows)
        return who
    who["process"] = _at_end(rows, at_sa, "name", pa.utf8())
    guess = pc.equal(_at_end(rows, at_sa, "confidence", pa.utf8()), "guess")
    who["guess"] = pc.fill_null(guess, False)
    if names.version == "":
        who["version"] = _hex(_at_end(rows, at_sa, "hash", pa.binary()))
    return who


def _at_end(rows: pa.RecordBatch, at_sa: pa.Array, key: str, kind: pa.DataType) -> pa.Array:
    """What exe or exe_peer says of the process at sa (or da): whichever is at that end."""
    end = pc.if_else(at_sa, ">", "<")
    value = pa.nulls(rows.num_rows, kind)
    for process in ("exe_peer", "exe"):
        side = column(rows, f"{process}.side", pa.utf8())
        here = pc.fill_null(pc.equal(side, end), False)
        value = pc.if_else(here, column(rows, f"{process}.{key}", kind), value)
    return value


def _hex(values: pa.Array) -> pa.Array:
    words = values.dictionary_encode()
    digits = [word.hex() for word in words.dictionary.to_pylist()]
    return pa.DictionaryArray.from_arrays(words.indices, pa.array(digits, pa.utf8())).cast(
        pa.utf8()
    )
