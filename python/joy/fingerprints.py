# SPDX-License-Identifier: BSD-3-Clause
"""Answers about fingerprints: counted, compared, put into a database and looked up in one.

Sightings (joy/sightings.py) are counted by DuckDB, as they come; what stays in memory grows with
the number of different fingerprints, not with that of flows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from joy import fingerprint_db as db
from joy import npf
from joy.inputs import Flows
from joy.sightings import SCHEMA, Names, begin, sightings
from joy.tables import column, database

if TYPE_CHECKING:
    import duckdb

# What speaks of the same thing, the most telling kind first: one answer for each of these.
SUBJECTS = {
    "client": (
        "npf_tls",
        "npf_quic",
        "npf_dtls",
        "npf_tls_1",
        "npf_quic_1",
        "npf_dtls_1",
        "npf_tls_2",
        "npf_dtls_2",
        "ja4_r",
        "ja4",
        "ja3",
    ),
    "server": ("npf_tls_server", "npf_dtls_server", "ja3s"),
    "tcp": ("npf_tcp",),
}

_TIME = f"strftime({{}}, '{db.TIME}')"


# --- counting as they come ------------------------------------------------------------------------
ROWS = 100_000  # sightings that are counted at a time
PARTS = 32  # such counts, after which they are added up


def _gather(
    con: duckdb.DuckDBPyConnection,
    table: str,
    select: str,
    seen: Iterator[tuple[pa.RecordBatch, pa.RecordBatch]],
) -> None:
    """Makes a table of counts.

    Args:
        con: the database.
        table: the name of the new table.
        select: of the rows of `seen`; gives n, low, high (number, first and last time) behind what
            they are of.
        seen: of sightings().
    """
    held: list[pa.RecordBatch] = []
    size = parts = 0
    con.register("seen", SCHEMA.empty_table())
    con.execute(f"CREATE TEMP TABLE {table} AS {select}")
    for _, batch in seen:
        held.append(batch)
        size += batch.num_rows
        if size >= ROWS:
            con.register("seen", pa.Table.from_batches(held))
            con.execute(f"INSERT INTO {table} {select}")
            held, size, parts = [], 0, parts + 1
        if parts == PARTS:
            _add_up(con, table)
            parts = 0
    con.register("seen", pa.Table.from_batches(held, SCHEMA))
    con.execute(f"INSERT INTO {table} {select}")
    _add_up(con, table)


def _add_up(con: duckdb.DuckDBPyConnection, table: str) -> None:
    con.execute(
        f"CREATE OR REPLACE TEMP TABLE {table} AS SELECT * EXCLUDE (n, low, high), "
        f"sum(n)::BIGINT AS n, min(low) AS low, max(high) AS high FROM {table} GROUP BY ALL"
    )


# --- build ---------------------------------------------------------------------------------------
@dataclass
class Built:
    """What a run added: sightings of fingerprints, those with a name, those only guessed."""

    sightings: int = 0
    named: int = 0
    guessed: int = 0


def build(
    into: db.Database,
    flows: Flows,
    names: Names,
    kinds: Sequence[str] = (),
    *,
    guesses: bool = False,
    suffix: int = 2,
) -> Built:
    """Add what the flows say to a database.

    Args:
        into: the database.
        flows: opened with sightings.COLUMNS and those of `names`.
        names: where names of programs come from.
        kinds: kinds of fingerprints; all when empty.
        guesses: count processes that are only guessed, too.
        suffix: labels of a server's name that are kept, from its end.

    Raises:
        UsageError: a kind or column that is not there.
    """
    built = Built()
    with database() as con:
        con.execute("SET VARIABLE suffix = $n", {"n": suffix})
        con.execute("SET VARIABLE guesses = $yes", {"yes": guesses})
        _gather(con, "fact", _FACTS, sightings(flows, kinds, names))
        sums = con.execute(
            "SELECT coalesce(sum(n), 0), coalesce(sum(n) FILTER (what = 'any'), 0), "
            "coalesce(sum(n) FILTER (what = 'guess'), 0) FROM fact WHERE what IN "
            "('any', 'none', 'guess')"
        ).fetchone()
        built.sightings, built.named, built.guessed = (int(n) for n in sums or (0, 0, 0))
        found = con.execute(
            f"SELECT kind, value, what, name, n AS flows, {_TIME.format('low')} AS first, "
            f"{_TIME.format('high')} AS last, version AS versions, port AS ports, sni, "
            "asn AS \"as\" FROM fact WHERE what IN ('process', 'library', 'system') "
            "ORDER BY ALL"
        )
        while rows := found.fetchmany(10_000):
            keys = [d[0] for d in found.description]
            db.add_facts(into, (dict(zip(keys, row, strict=True)) for row in rows))
    return built


# One row for each name a sighting has, and one that says whether it had any.
_FACTS = r"""
WITH known AS (
    SELECT * REPLACE (CASE WHEN left_out THEN NULL ELSE process END AS process),
        string_split(host_name, '.') AS host_words
    FROM (SELECT *, guess AND NOT getvariable('guesses') AS left_out,
              lower(rtrim(sni, '.')) AS host_name FROM seen)
), named AS (
    SELECT *,
        CASE WHEN regexp_matches(host_name, '^[0-9.]+$|:') THEN host_name
             ELSE array_to_string(list_slice(host_words, -getvariable('suffix'), -1), '.')
        END AS suffix,
        unnest([
            {'what': 'process', 'name': process, 'version': version},
            {'what': 'library', 'name': library, 'version': NULL},
            {'what': 'system', 'name': system, 'version': NULL},
            {'what': CASE WHEN coalesce(process, library, system) IS NOT NULL THEN 'any'
                          WHEN left_out THEN 'guess' ELSE 'none' END,
             'name': '', 'version': NULL}
        ]) AS who
    FROM known
)
SELECT kind, value, who.what AS what, who.name AS name, who.version AS version, port,
    suffix AS sni, asn, count(*) AS n, min(time) AS low, max(time) AS high
FROM named WHERE who.name IS NOT NULL GROUP BY ALL
"""


# --- count ---------------------------------------------------------------------------------------
def count(flows: Flows, kinds: Sequence[str] = (), top: int = 10) -> list[dict[str, Any]]:
    """How often each fingerprint occurs, by kind and then the most frequent first.

    Gives dicts: kind, value, flows, hosts (different addresses that gave it), first and last (when
    the flows began), and the `top` most frequent each of addresses, snis, processes, as lists of
    {name, flows}.
    """
    with database() as con:
        select = (
            "SELECT kind, value, host, sni, process, count(*) AS n, min(time) AS low, "
            "max(time) AS high FROM seen GROUP BY ALL"
        )
        _gather(con, "seen_by", select, sightings(flows, kinds))
        found = con.execute(
            "SELECT kind, value, sum(n)::BIGINT AS flows, count(DISTINCT host) AS hosts, "
            f"{_TIME.format('min(low)')} AS first, {_TIME.format('max(high)')} AS last "
            "FROM seen_by GROUP BY kind, value ORDER BY kind, flows DESC, value"
        )
        keys = [d[0] for d in found.description]
        out = [dict(zip(keys, row, strict=True)) for row in found.fetchall()]
        for member, name in (("addresses", "host"), ("snis", "sni"), ("processes", "process")):
            lists = _top(con, name, top)
            for item in out:
                item[member] = lists.get((item["kind"], item["value"]), [])
    return out


def _top(con: Any, name: str, top: int) -> dict[tuple[str, str], list[dict[str, Any]]]:
    rows = con.execute(
        f"SELECT kind, value, {name}, sum(n)::BIGINT AS flows FROM seen_by "
        f"WHERE {name} IS NOT NULL GROUP BY kind, value, {name} QUALIFY row_number() OVER "
        f"(PARTITION BY kind, value ORDER BY flows DESC, {name}) <= $top "
        f"ORDER BY kind, value, flows DESC, {name}",
        {"top": top},
    ).fetchall()
    lists: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for kind, value, word, number in rows:
        lists.setdefault((kind, value), []).append({"name": word, "flows": number})
    return lists


# --- compare -------------------------------------------------------------------------------------
NEAREST = 200  # new fingerprints of a kind, the most frequent, that are compared with
NEAREST_OF = 1000  # of the other side, the most frequent


def compare(first: list[dict[str, Any]], second: list[dict[str, Any]]) -> dict[str, Any]:
    """What is in one count(), in the other, in both; by kind.

    The second is what is looked at, the first what it is held against: an NPF of the second alone
    has the nearest one of the first beside it, with how they differ (at most NEAREST of a kind).
    """
    kinds = sorted({item["kind"] for item in [*first, *second]})
    out: dict[str, Any] = {}
    for kind in kinds:
        a = {item["value"]: item["flows"] for item in first if item["kind"] == kind}
        b = {item["value"]: item["flows"] for item in second if item["kind"] == kind}
        new = [{"value": v, "flows": b[v]} for v in _ranked(b) if v not in a]
        if kind.startswith("npf_"):
            for item in new[:NEAREST]:
                item |= nearest(item["value"], _ranked(a)[:NEAREST_OF])
        out[kind] = {
            "only_first": [{"value": v, "flows": a[v]} for v in _ranked(a) if v not in b],
            "only_second": new,
            "both": [{"value": v, "first": a[v], "second": b[v]} for v in _ranked(b) if v in a],
        }
    return out


def _ranked(flows: dict[str, int]) -> list[str]:
    return sorted(flows, key=lambda value: (-flows[value], value))


def nearest(value: str, others: Sequence[str]) -> dict[str, Any]:
    """The most similar of others and how it differs, {} without others."""
    own = Counter(npf.elements(value))
    bounds = [(_bound(own, Counter(npf.elements(other))), other) for other in others]
    best: tuple[float, str, npf.Difference] | None = None
    for bound, other in sorted(bounds, key=lambda pair: (-pair[0], pair[1])):
        if best is not None and bound <= best[0]:
            break
        difference = npf.compare(other, value)
        if best is None or difference.similarity > best[0]:
            best = (difference.similarity, other, difference)
    return {} if best is None else {"nearest": best[1], **best[2].as_json()}


def _bound(a: Counter, b: Counter) -> float:
    """No order can make two more similar than the elements they share."""
    return 2 * (a & b).total() / ((a.total() + b.total()) or 1)


# --- look up -------------------------------------------------------------------------------------
class Lookup:
    """Looks flows up in a database, batch by batch.

    Attributes:
        flows, fingerprinted, known: how many flows were seen, had a fingerprint, had one that the
            database knows.
    """

    def __init__(self, known: db.Database, every: bool = False) -> None:
        self.flows = self.fingerprinted = self.known = 0
        self._every = every
        schema = pa.schema(
            [("kind", pa.utf8()), ("value", pa.utf8()), ("what", pa.utf8()), ("name", pa.utf8()),
             ("rank", pa.int32()), ("flows", pa.int64()), ("share", pa.float64())]
        )  # fmt: skip
        self._names = pa.Table.from_pylist(db.rows(known), schema)
        places = [
            {"kind": kind, "subject": subject, "place": place}
            for subject, kinds in SUBJECTS.items()
            for place, kind in enumerate(kinds)
        ]
        self._places = pa.Table.from_pylist(places)

    def answers(self, flows: Flows, kinds: Sequence[str] = ()) -> Iterator[pa.Table]:
        """Tables with a row for each name: flow, time, sa, sp, da, dp, pr, subject, side, host,
        kind, value, what, name, rank, flows, share; in order of flows."""
        with database() as con:
            con.register("known_names", self._names)
            con.execute("CREATE TEMP TABLE db_name AS SELECT * FROM known_names")
            con.register("known_places", self._places)
            first = 0
            for batch, seen in sightings(flows, kinds):
                table = _ends(batch, first)
                first += batch.num_rows
                con.register("seen", pa.Table.from_batches([seen]))
                con.register("ends", table)
                found = con.sql(_ANSWERS, params={"every": self._every}).to_arrow_table()
                self._add(batch, seen, found)
                yield found

    def _add(self, batch: pa.RecordBatch, seen: pa.RecordBatch, found: pa.Table) -> None:
        self.flows += batch.num_rows
        self.fingerprinted += len(seen.column("flow").unique())
        self.known += len(found.column("flow").unique())


def _ends(batch: pa.RecordBatch, first: int) -> pa.Table:
    return pa.table(
        {
            "flow": pa.array(range(first, first + batch.num_rows), pa.int64()),
            "time": begin(batch),
            "sa": column(batch, "sa", pa.utf8()),
            "sp": column(batch, "sp", pa.int32()),
            "da": column(batch, "da", pa.utf8()),
            "dp": column(batch, "dp", pa.int32()),
            "pr": column(batch, "pr", pa.int32()),
        }
    )


_ANSWERS = """
WITH hit AS (
    SELECT seen.*, coalesce(p.subject, seen.side) AS subject, coalesce(p.place, 99) AS place
    FROM seen LEFT JOIN known_places p USING (kind)
    WHERE EXISTS (SELECT 1 FROM db_name d WHERE d.kind = seen.kind AND d.value = seen.value)
    QUALIFY $every OR row_number() OVER (PARTITION BY flow, subject ORDER BY place, kind) = 1
)
SELECT h.flow, ends.time, ends.sa, ends.sp, ends.da, ends.dp, ends.pr, h.subject, h.side, h.host,
    h.kind, h.value, d.what, d.name, d.rank, d.flows, d.share
FROM hit h JOIN db_name d ON d.kind = h.kind AND d.value = h.value JOIN ends USING (flow)
ORDER BY h.flow, h.subject, h.place, h.kind, d.what, d.rank, d.name
"""


def by_host(tables: Iterator[pa.Table]) -> list[dict[str, Any]]:
    """Answers of flows, together by the host that gave the fingerprint.

    Gives dicts: host, subject, what, name, flows (in which it is the likeliest), of (flows of this
    host with an answer on subject and what), share: mean of the database's shares over these, 0
    where it does not name it; None where no share is known.
    """
    with database() as con:
        number = 0
        for number, found in enumerate(tables, 1):
            con.register("answer", found)
            for table, select in (("name", _NAMES), ("total", _TOTALS)):
                into = f"INSERT INTO {table}" if number > 1 else f"CREATE TEMP TABLE {table} AS"
                con.execute(f"{into} {select}")
        if number == 0:
            return []
        result = con.execute(_BY_HOST)
        keys = [d[0] for d in result.description]
        return [dict(zip(keys, row, strict=True)) for row in result.fetchall()]


# All answers of a flow are in one table, so that numbers of flows of several may be added.
_NAMES = """
SELECT host, subject, what, name, count(DISTINCT flow) FILTER (rank = 0) AS n, sum(share) AS share
FROM answer GROUP BY ALL
"""
_TOTALS = """
SELECT host, subject, what, count(DISTINCT flow) AS n FROM answer GROUP BY ALL
"""
_BY_HOST = """
SELECT host, subject, what, name.name, sum(name.n)::BIGINT AS flows, any_value(t.n) AS "of",
    sum(name.share) / any_value(t.n) AS share
FROM name JOIN (
    SELECT host, subject, what, sum(n)::BIGINT AS n FROM total GROUP BY ALL
) t USING (host, subject, what)
GROUP BY host, subject, what, name.name
ORDER BY host, subject, what, share DESC NULLS LAST, flows DESC, name.name
"""
