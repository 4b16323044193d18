# SPDX-License-Identifier: BSD-3-Clause
"""What a query names is what is read: no column more, and none that is missed."""

from __future__ import annotations

import duckdb
import pyarrow as pa
import pytest
from joy import needs, sources, sql, unify
from kit import ROOT

KEYS = {"flow_id", "part", "sa", "da", "sp", "dp", "pr", "time_start", "file"}
TLS = {"tls.protocol"}  # says that the object is there

READ = {  # query: columns that it needs, beside flow_id; None: all that there is
    "SELECT sa FROM flows": {"sa"},
    "SELECT count(*) FROM flows": set(),
    "SELECT tls.sni FROM flows": {"tls.sni"} | TLS,
    "SELECT f.tls.sni, SA FROM flows f": {"tls.sni", "sa"} | TLS,
    "SELECT tls FROM flows": {"tls"},
    "SELECT (tls).sni FROM flows": {"tls"},
    "SELECT tls['sni'] FROM flows": {"tls"},
    "SELECT sni FROM tls": {"tls.sni"} | TLS | KEYS,
    "SELECT count(*) FROM tls": TLS | KEYS,
    "SELECT * FROM tls": {"tls"} | KEYS,
    "SELECT t FROM tls t": {"tls"} | KEYS,
    "SELECT COLUMNS('s.*') FROM tls": {"tls"} | KEYS,
    "SELECT b FROM packets": {"packets.b"} | KEYS,
    "SELECT len(packets) FROM flows": {"packets"},
    "SELECT key_length FROM certs": {"tls.s_cert", "tls.c_cert"} | TLS | KEYS,
    "SELECT key_length FROM tls_s_cert": {"tls.s_cert"} | TLS | KEYS,
    "SELECT 1 FROM flows ORDER BY rtt_ms": {"rtt_ms"},
    "SELECT 1 FROM flows GROUP BY entropy HAVING max(dp) > 1": {"entropy", "dp"},
    "SELECT 1 FROM flows WHERE dp IN (SELECT b FROM packets)": {"dp", "packets.b"} | KEYS,
    "WITH x AS (SELECT dp FROM flows) SELECT * FROM x": {"dp"},
    "SELECT sum(pr) OVER (PARTITION BY da) FROM flows": {"pr", "da"},
    "SELECT 1 FROM flows a JOIN flows b USING (community_id)": {"community_id"},
    "SELECT * FROM flows": None,
    "SELECT f.* FROM flows f": None,
    "SELECT f FROM flows AS f": None,
    "FROM flows": None,
    "SELECT * EXCLUDE (sa) FROM flows": None,
    "DESCRIBE flows": None,
    "PIVOT flows ON pr USING count(*)": None,
    "SELECT 1 FROM (SELECT * FROM flows)": None,
}


@pytest.mark.parametrize("query", READ)
def test_what_is_read(query: str) -> None:
    with duckdb.connect() as connection:
        found = needs.needs(connection, [query])
    if READ[query] is None:
        assert found.whole
        return
    assert not found.whole
    columns = set(found.columns(sources.all_columns()))
    assert columns - {"flow_id"} == READ[query] - {"flow_id"}


def loaded(query: str) -> pa.Schema:
    """The schema of flows in a session about a capture."""
    with sql.Session([str(ROOT / "tests/fixtures/tls.pcap")]) as session:
        statements = sql.statements_of(query)
        session.open(needs.needs(session.connection, statements))
        session.run(statements).fetchall()
        return session.schema


def test_no_more_is_loaded() -> None:
    schema = loaded("SELECT sni, scs FROM tls JOIN flows USING (flow_id) WHERE entropy > 1")
    assert set(schema.names) == KEYS - {"file"} | {"tls", "entropy"}
    assert {field.name for field in schema.field("tls").type} == {"protocol", "sni", "scs"}


@pytest.mark.parametrize("query", [q for q in READ if "time" not in q])
def test_what_is_read_is_enough(query: str) -> None:
    assert unify.names(loaded(query))


def test_tables_are_made_when_they_are_named_or_asked_for() -> None:
    with sql.Session([str(ROOT / "sample.pcap")]) as session:
        session.open(needs.needs(session.connection, ["SHOW TABLES"]))
        there = {row[0] for row in session.run(["SHOW TABLES"]).fetchall()}
    assert {"flows", "packets", "encap"} <= there
