# SPDX-License-Identifier: BSD-3-Clause
"""The words that policies may use: IANA's names from the project's tables, and some of X.509.

A word in a policy is a name, a hexadecimal number of that registry, or a pattern with * and ?.
"""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable
from difflib import get_close_matches
from fnmatch import fnmatchcase
from functools import cache

from joy import data

SCSV = frozenset({"TLS_EMPTY_RENEGOTIATION_INFO_SCSV", "TLS_FALLBACK_SCSV"})

# As OpenSSL spells them, which is how records have them.
CERTIFICATE_SIGNATURES = (
    *(f"md{n}WithRSAEncryption" for n in (2, 4, 5)),
    *(f"sha{n}WithRSAEncryption" for n in (1, 224, 256, 384, 512)),
    "ripemd160WithRSA",
    "rsassaPss",
    *(f"ecdsa-with-SHA{n}" for n in (1, 224, 256, 384, 512)),
    "dsaWithSHA1",
    "dsa_with_SHA224",
    "dsa_with_SHA256",
    "dsa_with_SHA384",
    "dsa_with_SHA512",
    "ED25519",
    "ED448",
    *(f"ML-DSA-{n}" for n in (44, 65, 87)),
    *(f"SLH-DSA-{h}-{n}" for h in ("SHA2", "SHAKE") for n in ("128s", "128f", "192s", "192f")),
    *(f"SLH-DSA-{h}-{n}" for h in ("SHA2", "SHAKE") for n in ("256s", "256f")),
    "SM2-with-SM3",
)
KEY_TYPES = (
    *("rsa", "rsa-pss", "rsa-oaep", "ec", "dsa", "dh", "ed25519", "ed448", "x25519", "x448"),
    *("gost94", "gost2001", "gost2012_256", "gost2012_512"),
    *(f"ML-DSA-{n}" for n in (44, 65, 87)),
)
# Curves whose name in certificates is not the one in TLS.
CURVES = {"prime256v1": "secp256r1", "prime192v1": "secp192r1"}
MARKS = (
    *("early_data", "renegotiation", "midstream", "cut", "capped", "malformed"),
    "heartbeat_overlong",
)


@cache
def registry(table: str) -> dict[int, str]:
    """Number and name of each row of data/iana-TABLE.csv, GREASE left out."""
    with data.path(f"iana-{table}.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {int(r["value"], 16): r["name"] for r in rows if r["origin"] != "grease"}


@cache
def suite(number: bytes) -> str:
    """Name of a ciphersuite as it is on the wire: 2 bytes, or 3 in an SSL 2.0 hello.

    "" for GREASE (RFC 8701); "0x1234" for one without a name.
    """
    value = int.from_bytes(number, "big")
    if len(number) == 3 and number[0]:
        return registry("ssl2-ciphers").get(value, f"0x{value:06X}")
    if value & 0x0F0F == 0x0A0A and value >> 8 == value & 0xFF:
        return ""
    return registry("ciphers").get(value, f"0x{value:04X}")


@cache
def key_exchange(name: str) -> str:
    """Key exchange and authentication in a ciphersuite's name: ECDHE_RSA, RSA, TLS13, ..."""
    found = re.match(r"TLS_(.+?)_WITH_", name)
    if found:
        return found[1]
    if name.startswith("SSL2_"):
        return "RSA"
    return "TLS13" if name.startswith("TLS_") else name.split("_")[0]


@cache
def vocabulary(kind: str) -> dict[int, str] | dict[str, str]:
    """The words of a kind, by number where they have one."""
    if kind == "ciphersuites":
        both = {**registry("ciphers"), **registry("ssl2-ciphers")}
        return {k: v for k, v in both.items() if v not in SCSV}
    tables = {
        "versions": "versions",
        "groups": "groups",
        "signatures": "signatures",
        "extensions": "extensions",
        "psk_modes": "psk-modes",
        "compressions": "compression-methods",
    }
    if kind in tables:
        return registry(tables[kind])
    words = {
        "key_exchanges": {key_exchange(n) for n in vocabulary("ciphersuites").values()},
        "certificate_signatures": CERTIFICATE_SIGNATURES,
        "key_types": KEY_TYPES,
        "marks": MARKS,
        "protocols": ("tls", "dtls", "quic"),
    }
    return {w: w for w in words[kind]}


def nearest(word: str, known: Iterable[str]) -> str:
    """ "; did you mean X?" for the known word most like this one, or ""."""
    names = {k.lower(): k for k in known}
    found = get_close_matches(word.lower(), list(names), 1, 0.6)
    return f"; did you mean {names[found[0]]}?" if found else ""


def expand(word: str, kind: str) -> frozenset[str]:
    """The names that a word of a policy stands for.

    Raises:
        ValueError: there is no such name; the text says which is nearest.
    """
    words = vocabulary(kind)
    known = frozenset(words.values())
    if word in known:
        return frozenset({word})
    if re.fullmatch(r"0[xX][0-9A-Fa-f]+", word):
        found = words.get(int(word, 16))  # type: ignore[call-overload]
        if found:
            return frozenset({found})
    if "*" in word or "?" in word:
        several = frozenset(k for k in known if fnmatchcase(k, word))
        if several:
            return several
        raise ValueError(f"{word} stands for none of the {kind.replace('_', ' ')}")
    raise ValueError(f"{word} is none of the {kind.replace('_', ' ')}{nearest(word, known)}")


RANKS = {"SSL 2.0": 2, "SSL 3.0": 3, "TLS 1.0": 4, "TLS 1.1": 5, "TLS 1.2": 6, "TLS 1.3": 7}
RANKS |= {"DTLS 1.0": 5, "DTLS 1.2": 6, "DTLS 1.3": 7}  # what they are made from


def rank(version: str) -> int:
    """Order of a version among all of TLS and DTLS; drafts of 1.3 count as 1.3; unknown ones 0."""
    return RANKS.get(version) or (7 if version.startswith("TLS 1.3") else 0)
