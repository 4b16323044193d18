# SPDX-License-Identifier: BSD-3-Clause
"""What an analyst wants pointed out: each rule in words, and as an SQL condition on a flow.

The conditions stand behind WHERE in `joy query 'SELECT ... FROM flows WHERE ...'`, so that who
reads a finding can ask for all flows behind it.  A rule whose fields the input does not have is
passed over.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timezone
from typing import Any

import pyarrow as pa

HIGH, MEDIUM, LOW = "high", "medium", "low"  # how much it matters


@dataclass(frozen=True)
class Rule:
    """One thing to point out.

    Attributes:
        key: its name in --json.
        level: high, medium or low.
        title: a few words.
        words: the rule, as one says it.
        where: the same as SQL, true for the flows that are meant.
        needs: dotted names of the fields in it.
        most: SQL number; the example is the flow that has most of it, else the first.
    """

    key: str
    level: str
    title: str
    words: str
    where: str
    needs: tuple[str, ...]
    most: str | None = None


_BASE = ("pr", "bytes_out", "bytes_in", "num_pkts_out", "num_pkts_in")
_TLS_PORTS = "(443, 465, 563, 587, 636, 853, 989, 990, 992, 993, 994, 995, 3389, 4433, 5061, 5223, \
5349, 6514, 6697, 8443, 8883, 9443)"
_SECRET_PORTS = "(22, 443, 500, 853, 873, 993, 995, 1194, 4500, 8443, 51820)"
_CERT = "tls.s_cert[1]"
_DURATION = "(epoch(time_end) - epoch(time_start))"
UNANSWERED = "pr = 6 AND num_pkts_in = 0 AND bytes_out = 0"
REFUSED = "pr = 6 AND bytes_in = 0 AND bytes_out = 0 AND tcp.\"in\".flags LIKE '%R%'"

RULES = (
    Rule(
        "watch", HIGH, "on a watchlist",
        "An address or a name of the flow stands in a list of watch=.",
        "len(watch) > 0", ("watch",),
    ),
    Rule(
        "deprecated_tls", HIGH, "deprecated TLS",
        "The server took SSL, TLS 1.0, TLS 1.1 or DTLS 1.0 (RFC 7568, RFC 8996).",
        "tls.version_code < 771 OR tls.version_code = 65279", ("tls.version_code",),
    ),
    Rule(
        "weak_cipher", HIGH, "weak ciphersuite",
        "The ciphersuite taken has no encryption, no authentication, export keys, RC4, DES or MD5.",
        "regexp_matches(tls.scs_name, '_(NULL|anon|EXPORT|RC4|DES|DES40|3DES|MD5|RC2)(_|$)')",
        ("tls.scs_name",),
    ),
    Rule(
        "expired_certificate", HIGH, "certificate out of date",
        "The server's certificate was not yet, or no longer, valid when the flow began.",
        f"{_CERT}.not_after_s < epoch(time_start) OR {_CERT}.not_before_s > epoch(time_start)",
        ("tls.s_cert.not_after_s", "tls.s_cert.not_before_s", "time_start"),
    ),
    Rule(
        "self_signed_certificate", MEDIUM, "self-signed certificate",
        "The server's certificate is signed by itself.",
        f"{_CERT}.self_signed", ("tls.s_cert.self_signed",),
    ),
    Rule(
        "weak_certificate", MEDIUM, "weak certificate",
        "The server's certificate has an RSA key below 2,048 bits, or is signed with MD5 or SHA-1.",
        f"({_CERT}.key_type = 'rsa' AND {_CERT}.key_length < 2048) OR "
        f"regexp_matches({_CERT}.signature_algorithm, '(?i)md5|sha-?1([^0-9]|$)')",
        ("tls.s_cert.key_type", "tls.s_cert.key_length", "tls.s_cert.signature_algorithm"),
    ),
    Rule(
        "fatal_alert", LOW, "TLS handshake refused",
        "One side ended TLS with a fatal alert in the clear.",
        "len(list_filter(tls.alerts, lambda a: a.level = 'fatal')) > 0", ("tls.alerts.level",),
    ),
    Rule(
        "no_server_name", LOW, "TLS without a server name",
        "A client said hello in TLS or QUIC without naming the server.",
        "tls.c_version IS NOT NULL AND tls.sni IS NULL AND tls.protocol IN ('tls', 'quic')",
        ("tls.c_version", "tls.sni", "tls.protocol"),
    ),
    Rule(
        "tls_odd_port", MEDIUM, "TLS on an odd port",
        "TLS begins with the connection on a port that is not known for it.",
        f"tls.protocol = 'tls' AND tls.starttls IS NULL AND dp NOT IN {_TLS_PORTS}",
        ("tls.protocol", "tls.starttls", "dp"),
    ),
    Rule(
        "not_tls", MEDIUM, "port 443 without TLS",
        "TCP to port 443 carries payload both ways, seen from its start, and no TLS.",
        "pr = 6 AND dp = 443 AND bytes_out > 0 AND bytes_in > 0 AND tls.protocol IS NULL "
        "AND coalesce(list_contains(marks, 'midstream'), false) = false",
        ("tls.protocol", "dp", "marks", *_BASE),
    ),
    Rule(
        "high_entropy", MEDIUM, "random bytes on an odd port",
        "4,096 bytes or more with an entropy of 7.9 bits per byte or more: encrypted or "
        "compressed, where neither TLS nor QUIC was seen and the port is not known for it.",
        f"entropy >= 7.9 AND bytes_out + bytes_in >= 4096 AND tls.protocol IS NULL "
        f"AND pr IN (6, 17) AND dp NOT IN {_SECRET_PORTS}",
        ("entropy", "tls.protocol", "dp", *_BASE), "bytes_out + bytes_in",
    ),
    Rule(
        "clear_login", MEDIUM, "log-ins in the clear",
        "Payload on a port of telnet, FTP, POP3, IMAP, rlogin or rsh without TLS.",
        "pr = 6 AND dp IN (21, 23, 110, 143, 512, 513, 514) AND bytes_out > 0 "
        "AND tls.protocol IS NULL",
        ("dp", "tls.protocol", *_BASE),
    ),
    Rule(
        "dns_odd_port", MEDIUM, "DNS on an odd port",
        "DNS on other ports than 53, 853, 5353 and 5355.",
        "len(dns) > 0 AND dp NOT IN (53, 853, 5353, 5355) AND sp NOT IN (53, 853, 5353, 5355)",
        ("dns", "sp", "dp"),
    ),
    Rule(
        "dns_volume", MEDIUM, "much data on port 53",
        "More than 20,000 bytes of payload to port 53 in one flow: a zone transfer, or a tunnel.",
        "dp = 53 AND bytes_out + bytes_in > 20000", ("dp", *_BASE), "bytes_out + bytes_in",
    ),
    Rule(
        "icmp_volume", MEDIUM, "much data in ICMP",
        "More than 65,536 bytes of payload in one ICMP flow.",
        "pr IN (1, 58) AND bytes_out + bytes_in > 65536", _BASE, "bytes_out + bytes_in",
    ),
    Rule(
        "large_upload", MEDIUM, "large upload",
        "10,000,000 bytes of payload or more to the responder, and 5 times what came back.",
        "bytes_out >= 10000000 AND bytes_out >= 5 * bytes_in", _BASE, "bytes_out",
    ),
    Rule(
        "long_flow", LOW, "very long flow",
        "Lasted an hour or more, or went on when the active timeout cut it (its part 2).",
        f"{_DURATION} >= 3600 OR part = 2", ("time_start", "time_end", "part"), _DURATION,
    ),
    Rule(
        "unanswered", LOW, "TCP without an answer",
        "A SYN to which nothing came back: nobody there, a filter, or a scan.",
        UNANSWERED, _BASE,
    ),
    Rule(
        "refused", LOW, "TCP refused",
        "A connection that was reset without payload: a closed port, or a scan.",
        REFUSED, ("tcp.in.flags", *_BASE),
    ),
    Rule(
        "retransmissions", LOW, "many retransmissions",
        "20 packets or more, and one in ten of them sent again.",
        "num_pkts_out + num_pkts_in >= 20 "
        "AND 10 * (retrans_out + retrans_in) >= num_pkts_out + num_pkts_in",
        ("retrans_out", "retrans_in", *_BASE), "retrans_out + retrans_in",
    ),
    Rule(
        "clock", LOW, "clock going backwards",
        "A packet has an earlier time than the one before it.",
        "list_contains(marks, 'time_backwards')", ("marks",),
    ),
)  # fmt: skip


class Findings:
    """Counts and examples of all rules that the columns allow."""

    def __init__(self) -> None:
        import duckdb

        self.connection = duckdb.connect(
            config={"threads": 1, "enable_external_access": "false"}  # nothing but what it is given
        )
        self.found: dict[str, dict[str, Any]] = {}

    def add(self, table: pa.Table, rules: list[Rule]) -> None:
        """Ask all rules of a table of flows, whose columns are there."""
        if not rules or not table.num_rows:
            return
        row = pa.array(range(table.num_rows), pa.int32())
        flows = table.append_column("joy_row", row)
        asked = ", ".join(_asked(rule) for rule in rules)
        self.connection.register("flows", flows)
        answer = self.connection.execute(f"SELECT {asked} FROM flows").fetchall()[0]
        self.connection.unregister("flows")
        for rule, n, at, most in zip(rules, answer[::3], answer[1::3], answer[2::3], strict=True):
            if n:
                self._keep(rule, n, flows.slice(at, 1), most)

    def _keep(self, rule: Rule, count: int, flow: pa.Table, most: float | None) -> None:
        known = self.found.setdefault(rule.key, {"count": 0, "most": None, "flow": None})
        known["count"] += count
        better = rule.most and (known["most"] is None or (most or 0) > known["most"])
        if known["flow"] is None or better:
            known["flow"], known["most"] = example(flow), most

    def result(self) -> list[dict[str, Any]]:
        """What was found, in the order of the rules."""
        return [
            {
                "rule": rule.key,
                "level": rule.level,
                "title": rule.title,
                "words": rule.words,
                "sql": rule.where,
                "flows": self.found[rule.key]["count"],
                "example": self.found[rule.key]["flow"],
            }
            for rule in RULES
            if rule.key in self.found
        ]


def _asked(rule: Rule) -> str:
    only = f"FILTER (WHERE {rule.where})"
    if rule.most is None:
        return f"count(*) {only}, min(joy_row) {only}, NULL"
    return f"count(*) {only}, arg_max(joy_row, {rule.most}) {only}, max({rule.most}) {only}"


_NAMED = ("flow_id", "part", "sa", "sp", "da", "dp", "pr")


def example(flow: pa.Table) -> dict[str, Any]:
    """What names a flow: a table of one row as an object."""
    said = flow.select([n for n in _NAMED if n in flow.column_names]).to_pylist()[0]
    if "time_start" in flow.column_names:
        said["time_start"] = moment(flow.column("time_start").cast(pa.int64())[0].as_py())
    return said


def moment(time_ns: int | None) -> str | None:
    """ns since 1970 as RFC 3339 in UTC, with 6 decimals, or 9 where they are needed."""
    if time_ns is None:
        return None
    whole, part = divmod(time_ns, 10**9)
    decimals = f"{part // 1000:06}" if part % 1000 == 0 else f"{part:09}"
    return f"{datetime.fromtimestamp(whole, timezone.utc):%Y-%m-%dT%H:%M:%S}.{decimals}Z"
