# SPDX-License-Identifier: BSD-3-Clause
"""Handshakes with one fault each, for the tests of joy audit, and the captures that carry them.

A scene says what both sides put into their hellos and what follows; `but` changes a few things of
it.  Certificates are made with `cryptography`; what that refuses to make is edited in DER, which
works because nobody here checks signatures.
"""

from __future__ import annotations

import datetime
import json
import random
import struct
import sys
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID
from typer.testing import CliRunner

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

import handshakes as H  # noqa: E402
from joy.cli import app  # noqa: E402

START = 1_790_000_000  # time of the first packet: 2026-09-21
NAME = "www.example.test"

SSL3, TLS10, TLS11, TLS12, TLS13 = range(0x0300, 0x0305)
SECP256R1, SECP384R1, X25519, MLKEM1024 = 23, 24, 29, 0x0202
X25519MLKEM768, SECP256R1MLKEM768 = 0x11EC, 0x11EB
ECDSA_SHA256, ECDSA_SHA1, PKCS1_SHA256, PKCS1_SHA1 = 0x0403, 0x0203, 0x0401, 0x0201
PSS_SHA256, RSA_MD5, MLDSA87 = 0x0804, 0x0101, 0x0906
EMS, ETM, RENEGOTIATION, STATUS, HEARTBEAT, TRUNCATED, EARLY = 23, 22, 0xFF01, 5, 15, 4, 42


# --- certificates --------------------------------------------------------------------------------
@cache
def key(kind: str):
    """A private key: rsa2048, rsa1024, dsa2048, secp256r1, ed25519, ..."""
    if kind.startswith("rsa"):
        return rsa.generate_private_key(65537, int(kind[3:]))
    if kind.startswith("dsa"):
        return dsa.generate_private_key(int(kind[3:]))
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    return ec.generate_private_key(getattr(ec, kind.upper())())


SHA256_RSA = bytes.fromhex("2a864886f70d01010b")
SHA1_RSA, MD5_RSA = bytes.fromhex("2a864886f70d010105"), bytes.fromhex("2a864886f70d010104")
RSA_KEY = bytes.fromhex("2a864886f70d010101")
ML_DSA_87 = bytes.fromhex("608648016503040313")


@cache
def certificate(
    kind: str = "secp256r1",
    issuer: str = "secp256r1",
    start: int = -10,
    days: int = 80,
    names: tuple[str, ...] = (NAME,),
    server: bool = True,
    own: bool = False,
) -> bytes:
    """A certificate in DER.

    Args:
        kind, issuer: types of its key and of the one that signs it.
        start, days: beginning of its validity, in days from START, and its length.
        names: alternative names; none: no such extension.
        server: with extended key usage serverAuth.
        own: signed by itself.
    """
    day = datetime.timedelta(days=1)
    first = datetime.datetime.fromtimestamp(START, datetime.timezone.utc) + start * day
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, NAME)])
    above = subject if own else x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "Test CA")])
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(above)
    builder = builder.public_key(key(kind).public_key()).serial_number(4711)
    builder = builder.not_valid_before(first).not_valid_after(first + days * day)
    if names:
        held = x509.SubjectAlternativeName([x509.DNSName(n) for n in names])
        builder = builder.add_extension(held, False)
    if server:
        usage = x509.ExtendedKeyUsage([ExtendedKeyUsageOID.SERVER_AUTH])
        builder = builder.add_extension(usage, False)
    signer = key(kind if own else issuer)
    made = builder.sign(signer, None if issuer == "ed25519" else hashes.SHA256())
    return made.public_bytes(serialization.Encoding.DER)


def edited(der: bytes, *changes: tuple[bytes, bytes]) -> bytes:
    """A certificate with some of its bytes replaced by as many others."""
    for old, new in changes:
        assert old in der and len(old) == len(new)
        der = der.replace(old, new)
    return der


RSA_SIGNED = certificate(issuer="rsa2048")
SHA1_SIGNED = edited(RSA_SIGNED, (SHA256_RSA, SHA1_RSA))
MD5_SIGNED = edited(RSA_SIGNED, (SHA256_RSA, MD5_RSA))
PQ_SIGNED = edited(certificate("rsa2048", "rsa2048"), (SHA256_RSA, ML_DSA_87), (RSA_KEY, ML_DSA_87))
OLD_VERSION = edited(certificate(), (bytes.fromhex("a003020102"), bytes.fromhex("a003020100")))


# --- scenes --------------------------------------------------------------------------------------
@dataclass(frozen=True)
class Scene:
    """A handshake, by default of TLS 1.2 and without fault.

    Attributes:
        carrier: tls, dtls or quic.
        c_version, versions: what the client offers; `versions` in supported_versions.
        version: what the server takes.
        group: of the server's key; None: by the ciphersuite there is none.
        dh_bits: size of the prime, for DHE.
        sign, c_sign: how the server's key, the client's CertificateVerify is signed.
        c_ext, s_ext: extensions that have no content worth mentioning.
        c_more, s_more: whole extensions.
        random_end: last bytes of the server's random value.
        behind: what the client sends behind the handshake.
        cut: bytes of the client's first flight that the capture has.
    """

    carrier: str = "tls"
    c_version: int = TLS12
    versions: tuple[int, ...] = ()
    version: int = TLS12
    ciphers: tuple[int, ...] = (0xC02B, 0xC02C)
    cipher: int = 0xC02B
    groups: tuple[int, ...] = (X25519MLKEM768, SECP256R1MLKEM768, SECP256R1, SECP384R1)
    shares: tuple[int, ...] = ()
    group: int | None = SECP256R1
    dh_bits: int = 0
    signatures: tuple[int, ...] = (ECDSA_SHA256, PSS_SHA256)
    sign: int | None = ECDSA_SHA256
    c_sign: int = ECDSA_SHA256
    certificates: tuple[bytes, ...] = (certificate(),)
    c_certificates: tuple[bytes, ...] = ()
    name: str | None = NAME
    c_ext: tuple[int, ...] = (EMS, RENEGOTIATION, STATUS)
    s_ext: tuple[int, ...] = (EMS, RENEGOTIATION)
    c_more: tuple[bytes, ...] = ()
    s_more: tuple[bytes, ...] = ()
    compressions: bytes = b"\0"
    compression: int = 0
    random_end: bytes = b""
    stapled: bool = True
    resumed: bool = False
    behind: bytes = b""
    answered: bool = True
    cut: int | None = None

    def but(self, **changes) -> Scene:
        """The same with some things changed."""
        return replace(self, **changes)


GOOD12 = Scene()
GOOD13 = Scene(
    versions=(TLS13, TLS12),
    version=TLS13,
    ciphers=(0x1302, 0x1301, 0xC02B),
    cipher=0x1302,
    shares=(X25519MLKEM768,),
    group=X25519MLKEM768,
)
MUTUAL = GOOD12.but(c_certificates=(certificate(),))
CBC = GOOD12.but(
    ciphers=(0xC023,), cipher=0xC023, c_ext=(*GOOD12.c_ext, ETM), s_ext=(*GOOD12.s_ext, ETM)
)
OLD = GOOD12.but(c_version=TLS10, version=TLS10, cipher=0xC009, ciphers=(0xC009,), sign=None)
RSA_KEYS = GOOD12.but(cipher=0x009C, ciphers=(0x009C,), group=None, sign=None)
DHE = GOOD12.but(cipher=0x009E, ciphers=(0x009E,), group=None, dh_bits=3072, sign=PSS_SHA256)


def simple(kind: int) -> bytes:
    """An extension by its number, with what has to be in it."""
    inside = {RENEGOTIATION: b"\0", STATUS: b"\1\0\0\0\0", HEARTBEAT: b"\1"}
    return H.extension(kind, inside.get(kind, b""))


SHARE_SIZES = {X25519: 32, SECP256R1: 65, SECP384R1: 97, X25519MLKEM768: 1216}
SHARE_SIZES |= {25: 133, SECP256R1MLKEM768: 1249, MLKEM1024: 1568}


def some(size: int, seed: object = 0) -> bytes:
    """Bytes that are the same each time."""
    return random.Random(f"{seed} {size}").randbytes(size)


def client_hello(scene: Scene) -> bytes:
    """Body of the ClientHello."""
    more = [simple(kind) for kind in scene.c_ext]
    if scene.name is not None:
        name = H.block(2, b"\0" + H.block(2, scene.name.encode()))
        more.insert(0, H.extension(0, name))
    if scene.groups:
        more.append(H.extension(10, H.block(2, H.numbers(list(scene.groups)))))
    if scene.signatures:
        more.append(H.extension(13, H.block(2, H.numbers(list(scene.signatures)))))
    if scene.versions:
        more.append(H.extension(43, H.block(1, H.numbers(list(scene.versions)))))
    if scene.shares:
        keys = [struct.pack("!H", g) + H.block(2, some(SHARE_SIZES[g])) for g in scene.shares]
        more.append(H.extension(51, H.block(2, b"".join(keys))))
    version = 0xFEFD if scene.carrier == "dtls" else scene.c_version
    out = struct.pack("!H", version) + some(32) + H.block(1, b"")
    if scene.carrier == "dtls":
        out += H.block(1, b"")
    out += H.block(2, H.numbers(list(scene.ciphers))) + H.block(1, scene.compressions)
    return out + H.block(2, b"".join([*more, *scene.c_more]))


def server_hello(scene: Scene) -> bytes:
    """Body of the ServerHello."""
    value = some(32 - len(scene.random_end), 1) + scene.random_end
    version = 0xFEFD if scene.carrier == "dtls" else min(scene.version, TLS12)
    more = []
    if scene.version >= TLS13:
        size = 1120 if scene.group == X25519MLKEM768 else SHARE_SIZES[scene.group]
        more += [H.extension(43, struct.pack("!H", scene.version))]
        more += [H.extension(51, struct.pack("!H", scene.group) + H.block(2, some(size)))]
    else:
        more += [simple(kind) for kind in scene.s_ext]
    body = struct.pack("!H", version) + value + H.block(1, some(32, "session"))
    body += struct.pack("!HB", scene.cipher, scene.compression)
    return body + H.block(2, b"".join([*more, *scene.s_more]))


def server_key(scene: Scene) -> bytes:
    """Body of the ServerKeyExchange."""
    if scene.dh_bits:
        prime = b"\xff" + some(scene.dh_bits // 8 - 1)
        out = H.block(2, prime) + H.block(2, b"\2") + H.block(2, some(len(prime), 2))
    else:
        out = struct.pack("!BH", 3, scene.group) + H.block(1, some(SHARE_SIZES[scene.group]))
    if scene.sign is not None:
        out += struct.pack("!H", scene.sign)
    return out + H.block(2, some(70))


def answer(scene: Scene) -> list[tuple[int, bytes]]:
    """The server's clear messages: type and body."""
    out = [(2, server_hello(scene))]
    if scene.resumed or scene.version >= TLS13:
        return out
    if scene.certificates:
        chain = b"".join(H.block(3, der) for der in scene.certificates)
        out.append((11, H.block(3, chain)))
        if scene.stapled and STATUS in scene.c_ext:
            out.append((22, b"\1" + H.block(3, b"a response")))
    if scene.group or scene.dh_bits:
        out.append((12, server_key(scene)))
    if scene.c_certificates:
        out.append((13, b"\1\x40" + H.block(2, b"\x04\x03") + b"\0\0"))
    return [*out, (14, b"")]


def reply(scene: Scene) -> list[tuple[int, bytes]]:
    """The client's second flight."""
    out = []
    if scene.c_certificates:
        out.append((11, H.block(3, b"".join(H.block(3, d) for d in scene.c_certificates))))
    rsa_exchange = not scene.group and not scene.dh_bits
    out.append((16, H.block(2, some(256)) if rsa_exchange else H.block(1, some(65))))
    if scene.c_certificates:
        out.append((15, struct.pack("!H", scene.c_sign) + H.block(2, some(70))))
    return out


def flights(scene: Scene) -> H.Flights:
    """The handshake over TCP."""
    outer = max(TLS10, min(scene.version, TLS12)) if scene.version > SSL3 else SSL3
    hello = H.record(H.HANDSHAKE, H.message(1, client_hello(scene)), TLS10)
    if not scene.answered:
        return [(0, hello), (1, H.record(H.ALERT, b"\2\x28"))]
    messages = b"".join(H.message(k, b) for k, b in answer(scene))
    out: H.Flights = [(0, hello), (1, H.record(H.HANDSHAKE, messages, outer))]
    finished = H.record(H.CHANGE, b"\1", outer) + H.secret(H.HANDSHAKE, 40)
    if scene.version >= TLS13:
        return [*out, (1, H.secret(H.DATA, 900)), (0, H.secret(H.DATA, 74) + scene.behind)]
    if scene.resumed:
        return [(0, hello), (1, out[1][1] + finished), (0, finished + H.secret(H.DATA, 50))]
    mine = b"".join(H.message(k, b) for k, b in reply(scene))
    out.append((0, H.record(H.HANDSHAKE, mine, outer) + finished))
    return [*out, (1, finished), (0, H.secret(H.DATA, 100) + scene.behind)]


# --- captures ------------------------------------------------------------------------------------
def frames(scene: Scene, number: int) -> list[bytes]:
    """Ethernet frames of the handshake; 'number' makes its client's address and port."""
    host = H.Host(number)
    if scene.carrier == "quic":
        return quic_frames(scene, host)
    if scene.carrier == "dtls":
        return dtls_frames(scene, host)
    made = H.tcp_flow(
        number, flights(scene), lambda _, d: [(i, d[i : i + 1400]) for i in range(0, len(d), 1400)]
    )
    if scene.cut is None:
        return made
    return [*made[:3], made[3][: scene.cut]]


def quic_frames(scene: Scene, host: H.Host) -> list[bytes]:
    """Initials with both hellos (RFC 9001)."""
    dcid, scid = some(8, "dcid"), some(8, "scid")
    parameters = H.extension(57, b"\x01\x04\x80\x00\x75\x30" + b"\x0f\x04abcd")
    hello = H.message(1, client_hello(scene.but(c_more=(*scene.c_more, parameters))))
    out = []
    for place in range(0, len(hello), 1000):
        piece = H.crypto(place, hello[place : place + 1000])
        keys = H.quic_keys(dcid, False, H.V1)
        first = H.Initial(keys, H.V1, dcid, b"abcd", place // 1000, piece)
        out.append(host.udp(0, first.protect(1200)))
    data = H.message(2, server_hello(scene))
    keys = H.quic_keys(dcid, True, H.V1)
    for place in range(0, len(data), 1000):
        piece = H.crypto(place, data[place : place + 1000])
        packet = H.Initial(keys, H.V1, b"abcd", scid, place // 1000, piece)
        out.append(host.udp(1, packet.protect(1200)))
    return out


def dtls_frames(scene: Scene, host: H.Host) -> list[bytes]:
    """DTLS 1.2, a message to a record."""
    out = [host.udp(0, H.dtls_record(0, H.fragment(1, 0, client_hello(scene))))]
    for place, (kind, body) in enumerate(answer(scene)):
        out.append(host.udp(1, H.dtls_record(place, H.fragment(kind, place, body))))
    for place, (kind, body) in enumerate(reply(scene), 1):
        out.append(host.udp(0, H.dtls_record(place, H.fragment(kind, place, body))))
    return out


def write(path: Path, made: list[bytes], step_ms: int = 1) -> Path:
    """A capture with some milliseconds between frames."""
    out = struct.pack("<IHHiIII", 0xA1B2C3D4, 2, 4, 0, 0, 262144, 1)
    for place, frame in enumerate(made):
        when = START * 1000 + place * step_ms
        full = struct.unpack("!H", frame[16:18])[0] + 14
        head = struct.pack("<IIII", when // 1000, when % 1000 * 1000, len(frame), full)
        out += head + frame
    path.write_bytes(out)
    return path


def capture(path: Path, *scenes: Scene) -> Path:
    """A capture of scenes, each a flow."""
    return write(path, [f for number, s in enumerate(scenes, 1) for f in frames(s, number)])


def number_of(client: str, port: int | None) -> int:
    """Which scene of a capture a flow is, by its client's address and port."""
    octets = [int(part) for part in client.split(".")]
    return ((octets[2] << 8 | octets[3]) << 8) + (port or 0) - 20000


# --- the command ---------------------------------------------------------------------------------
def audit(*arguments: str | Path) -> dict:
    """The JSON report of a run, in this process."""
    words = ["audit", "--json", "--quiet", *map(str, arguments)]
    done = CliRunner().invoke(app, words)
    assert done.exit_code in (0, 1, 3), done.output
    return json.loads(done.stdout)


def rule_of(report: dict, rule: str, policy: int = 0) -> dict:
    return next(r for r in report["policies"][policy]["rules"] if r["id"] == rule)
