#!/usr/bin/env python3
# SPDX-License-Identifier: BSD-3-Clause
"""Turn data/iana-*.csv into src/proto/tls_names.def, the tables behind src/proto/tls_names.h.

    tools/make_names.py              write the file afresh (`make names`)
    tools/make_names.py --print      write it to standard output

A row is value, name, the registry's column "Recommended", and origin: empty for IANA's own numbers,
else grease, draft or private.  What a ciphersuite is made of is read from its name.
"""

from __future__ import annotations

import csv
import re
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
TARGET = ROOT / "src/proto/tls_names.def"

# enum tls_registry: data/iana-NAME.csv
REGISTRIES = {
    "TLS_CIPHERS": "ciphers",
    "TLS_SSL2_CIPHERS": "ssl2-ciphers",
    "TLS_EXTENSIONS": "extensions",
    "TLS_GROUPS": "groups",
    "TLS_SIGNATURES": "signatures",
    "TLS_ALERTS": "alerts",
    "TLS_HANDSHAKES": "handshakes",
    "TLS_CONTENTS": "contents",
    "TLS_POINT_FORMATS": "point-formats",
    "TLS_PSK_MODES": "psk-modes",
    "TLS_COMPRESS": "certificate-compression",
    "TLS_COMPRESSION": "compression-methods",
    "TLS_CERT_TYPES": "certificate-types",
    "TLS_CLIENT_CERTS": "client-certificate-types",
    "TLS_CERT_STATUS": "certificate-status",
    "TLS_CURVE_TYPES": "curve-types",
    "TLS_HASHES": "hash-algorithms",
    "TLS_SIGNERS": "signature-algorithms",
    "TLS_VERSIONS": "versions",
    "TLS_HPKE_KEMS": "hpke-kems",
    "TLS_HPKE_KDFS": "hpke-kdfs",
    "TLS_HPKE_AEADS": "hpke-aeads",
    "TLS_SRTP_PROFILES": "srtp-profiles",
    "TLS_QUIC_PARAMETERS": "quic-parameters",
    "TLS_QUIC_ERRORS": "quic-errors",
}
FACTOR = 0x9E3779B97F4A7C15  # of the hash in tls_names.c
MASK = (1 << 64) - 1
ORIGINS = {"": "IANA", "grease": "GREASE", "draft": "DRAFT", "private": "PRIVATE"}

# What stands before _WITH_ in a name: enum tls_exchange, enum tls_auth.
EXCHANGES = {
    "NULL": "NULL NULL",
    "RSA": "RSA RSA",
    "RSA_FIPS": "RSA RSA",
    "RSA_EXPORT": "RSA_EXPORT RSA",
    "RSA_EXPORT1024": "RSA_EXPORT RSA",
    "DH_DSS": "DH DSS",
    "DH_RSA": "DH RSA",
    "DH_DSS_EXPORT": "DH_EXPORT DSS",
    "DH_RSA_EXPORT": "DH_EXPORT RSA",
    "DHE_DSS": "DHE DSS",
    "DHE_RSA": "DHE RSA",
    "DHE_DSS_EXPORT": "DHE_EXPORT DSS",
    "DHE_DSS_EXPORT1024": "DHE_EXPORT DSS",
    "DHE_RSA_EXPORT": "DHE_EXPORT RSA",
    "DH_anon": "DHE ANON",
    "DH_anon_EXPORT": "DHE_EXPORT ANON",
    "ECDH_ECDSA": "ECDH ECDSA",
    "ECDH_RSA": "ECDH RSA",
    "ECDHE_ECDSA": "ECDHE ECDSA",
    "ECDHE_RSA": "ECDHE RSA",
    "ECDH_anon": "ECDHE ANON",
    "PSK": "PSK PSK",
    "DHE_PSK": "DHE_PSK PSK",
    "PSK_DHE": "DHE_PSK PSK",
    "RSA_PSK": "RSA_PSK RSA",
    "ECDHE_PSK": "ECDHE_PSK PSK",
    "SRP_SHA": "SRP SRP",
    "SRP_SHA_RSA": "SRP RSA",
    "SRP_SHA_DSS": "SRP DSS",
    "KRB5": "KRB5 KRB5",
    "KRB5_EXPORT": "KRB5_EXPORT KRB5",
    "GOSTR341094": "GOST GOST",
    "GOSTR341001": "GOST GOST",
    "GOSTR341112_256": "GOST GOST",
    "ECCPWD": "ECCPWD ECCPWD",
    "FORTEZZA_KEA": "FORTEZZA FORTEZZA",
    "CECPQ1_RSA": "UNKNOWN RSA",
    "CECPQ1_ECDSA": "UNKNOWN ECDSA",
    "ECJPAKE": "UNKNOWN UNKNOWN",
    # GB/T 38636 and what came before it; names without _WITH_
    "ECDHE": "SM2 SM2",
    "ECC": "SM2 SM2",
    "IBSDH": "SM2 SM2",
    "IBC": "SM2 SM2",
}
BITS = {  # bits of a cipher's key; others have them in their name
    "NULL": 0,
    "3DES_EDE_CBC": 168,
    "DES_CBC": 56,
    "DES40_CBC": 40,
    "DES_CBC_40": 40,
    "RC2_CBC": 128,
    "RC2_CBC_40": 40,
    "RC2_CBC_56": 56,
    "IDEA_CBC": 128,
    "SEED_CBC": 128,
    "CHACHA20_POLY1305": 256,
    "ESTREAM_SALSA20": 256,
    "SALSA20": 256,
    "FORTEZZA_CBC": 80,
    "28147_CNT": 256,
    "KUZNYECHIK_CTR": 256,
    "KUZNYECHIK_MGM_L": 256,
    "KUZNYECHIK_MGM_S": 256,
    "MAGMA_CTR": 256,
    "MAGMA_MGM_L": 256,
    "MAGMA_MGM_S": 256,
    "SM1": 128,
    "SM4_CBC": 128,
    "SM4_GCM": 128,
    "SM4_CCM": 128,
}
AEAD = re.compile(r"GCM|CCM|POLY1305|MGM|AEGIS|OCB")
MACS = "SHA256|SHA384|SHA512|SHA1|SHA|MD5|RMD|SM3|IMIT|OMAC|GOSTR3411"


def rows(name: str) -> list[list[str]]:
    """The lines of data/iana-NAME.csv without the head."""
    path = ROOT / f"data/iana-{name}.csv"
    with open(path, newline="", encoding="utf-8") as f:
        lines = list(csv.reader(f))
    if lines[0][1:] != ["name", "recommended", "origin"]:
        sys.exit(f"{path}: unknown columns")
    for line in lines[1:]:
        if len(line) != 4 or line[2] not in ("", "Y", "N", "D") or line[3] not in ORIGINS:
            sys.exit(f"{path}: odd row {line}")
    return lines[1:]


def quoted(text: str) -> str:
    """A C string."""
    return '"' + text.replace("\\", "\\\\").replace('"', '\\"') + '"'


def name_rows(name: str) -> list[str]:
    """A registry as rows of struct tls_name, sorted by value."""
    values = [int(row[0], 16) for row in rows(name)]
    if values != sorted(set(values)):
        sys.exit(f"data/iana-{name}.csv: not sorted, or a value twice")
    return [
        "\t{ %s, %s, %s, TLS_ORIGIN_%s },"
        % (value, quoted(text), f"'{recommended}'" if recommended else "0", ORIGINS[origin])
        for value, text, recommended, origin in rows(name)
    ]


def slots(name: str) -> tuple[int, list[str]]:
    """How far tls_names.c shifts a hash, and row numbers by hash: a free place has the next number.

    Half of the places are free at least, so that few rows stand behind the place of their hash.
    """
    values = [int(row[0], 16) for row in rows(name)]
    bits = max(1, (2 * len(values) - 1).bit_length())
    places = [len(values)] * (1 << bits)
    for row, value in enumerate(values):
        at = (value * FACTOR & MASK) >> (64 - bits)
        while places[at] < len(values):
            at = (at + 1) % len(places)
        places[at] = row
    lines = [places[at : at + 16] for at in range(0, len(places), 16)]
    return 64 - bits, ["\t" + " ".join(f"{row}," for row in line) for line in lines]


def cipher_row(value: str, name: str, origin: str) -> str:
    """A ciphersuite as a row of struct tls_cipher; all zero when it is none."""
    if origin == "grease" or name.endswith("_SCSV"):
        return "\t{ %s, 0, 0, 0, false, NULL, NULL, NULL }," % value
    bare = re.sub(r"^(TLS|SSL)_", "", name)
    if "_WITH_" in bare:
        head, rest = bare.split("_WITH_")
        exchange = EXCHANGES[head]
    elif found := re.match(r"(ECDHE|ECC|IBSDH|IBC|RSA)_(SM[14].*)", bare):
        exchange, rest = EXCHANGES[found[1]], found[2]
    else:
        exchange, rest = "TLS13 TLS13", bare
    if "MGM" in rest:  # RFC 9367: ciphersuites of TLS 1.3 in the spelling of TLS 1.2
        exchange = "TLS13 TLS13"
    cipher, mac, prf = parts(rest)
    bits = BITS[cipher] if cipher in BITS else int(re.search(r"_(\d+)", cipher)[1])
    kx, auth = exchange.split()
    aead = AEAD.search(cipher) is not None
    texts = [quoted(text) if text else "NULL" for text in (cipher, "AEAD" if aead else mac, prf)]
    return "\t{ %s, TLS_EXCHANGE_%s, TLS_AUTH_%s, %d, %s, %s }," % (
        value,
        kx,
        auth,
        bits,
        "true" if aead else "false",
        ", ".join(texts),
    )


def parts(rest: str) -> tuple[str, str, str]:
    """AES_128_CBC_SHA256: the cipher, its MAC, and the hash of the PRF in TLS 1.2 and later."""
    if rest == "NULL_NULL":
        return "NULL", "NULL", ""
    if rest in ("SHA256_SHA256", "SHA384_SHA384"):  # RFC 9150: integrity only
        return "NULL", rest[:6], rest[:6]
    found = re.fullmatch(rf"(.+?)(?:_({MACS}))?", rest)
    cipher, mac = found[1], found[2] or ""
    if AEAD.search(cipher):
        streebog = "STREEBOG256" if "MGM" in cipher else ""
        return cipher, "AEAD", mac or streebog or "SHA256"
    if mac in ("IMIT", "OMAC", "GOSTR3411"):
        return cipher, mac, "STREEBOG256" if mac == "OMAC" else "GOSTR3411"
    return cipher, mac, mac if mac in ("SHA384", "SM3") else "SHA256"


def group_row(value: str, name: str, origin: str) -> str:
    """A group as a row of struct tls_group; all zero when it is none."""
    if origin == "grease" or name.startswith("arbitrary"):
        return "\t{ %s, 0, 0, false, false }," % value
    low = name.lower()
    if low.startswith("cecpq2"):
        return "\t{ %s, 255, 0, false, true }," % value
    kem = re.search(r"(?:kem|kyber)(\d+)", low)
    classical = low[: kem.start()] if kem else low
    classical = re.sub(r"(ml)$", "", classical)
    bits = 0
    if "25519" in classical:
        bits = 255
    elif "448" in classical:
        bits = 448
    elif "curvesm2" in classical:
        bits = 256
    elif found := re.search(r"(?:sect|secp|brainpoolp|ffdhe|gc|p)(\d+)", classical):
        bits = int(found[1])
    return "\t{ %s, %d, %s, %s, %s }," % (
        value,
        bits,
        kem[1] if kem else "0",
        "true" if low.startswith("ffdhe") else "false",
        "true" if kem else "false",
    )


def table(kind: str, name: str, lines: list[str]) -> list[str]:
    """A C array."""
    return [f"static const {kind} {name}[] = {{", *lines, "};", ""]


def generate() -> str:
    """The whole file."""
    out = [
        "/* SPDX-License-Identifier: BSD-3-Clause */",
        "/* tls_names.def - made by tools/make_names.py from data/iana-*.csv; not to be edited. */",
        "",
    ]
    shifts = {}
    for registry, name in REGISTRIES.items():
        out += table("struct tls_name", registry.lower(), name_rows(name))
        shifts[registry], places = slots(name)
        out += table("uint16_t", registry.lower() + "_slots", places)
    ciphers = [cipher_row(value, name, origin) for value, name, _, origin in rows("ciphers")]
    out += table("struct tls_cipher", "ciphers", ciphers)
    groups = [group_row(value, name, origin) for value, name, _, origin in rows("groups")]
    out += table("struct tls_group", "groups", groups)
    alpn = rows("alpn")
    if [row[0].encode() for row in alpn] != sorted({row[0].encode() for row in alpn}):
        sys.exit("data/iana-alpn.csv: not sorted, or an id twice")
    lines = ["\t{ %s, %s }," % (quoted(row[0]), quoted(row[1])) for row in alpn]
    out += table("struct alpn_name", "alpn", lines)
    out.append("static const struct tls_table tables[TLS_REGISTRIES] = {")
    for registry in REGISTRIES:
        low = registry.lower()
        count = f"sizeof {low} / sizeof {low}[0]"
        out.append(f"\t[{registry}] = {{ {low}, {count}, {low}_slots, {shifts[registry]} }},")
    return "\n".join([*out, "};", ""])


def main() -> int:
    """Write the tables where they belong, or print them."""
    text = generate()
    if "--print" in sys.argv[1:]:
        sys.stdout.write(text)
    elif not TARGET.exists() or TARGET.read_text(encoding="utf-8") != text:
        TARGET.write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
