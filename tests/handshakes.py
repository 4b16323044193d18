# SPDX-License-Identifier: BSD-3-Clause
"""Handshakes of TLS, DTLS and QUIC made from nothing, and the frames that carry them.

A conversation is a list of flights, each the bytes that one side sends without waiting: (side,
bytes), side 0 the client.  Ciphers are only used where a reader has to take them off: QUIC's
Initials.  Whatever else is encrypted is random.
"""

from __future__ import annotations

import datetime
import random
import struct
from dataclasses import dataclass, field
from functools import cache

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF, HKDFExpand

Flights = list[tuple[int, bytes]]

HRR = bytes.fromhex("cf21ad74e59a6111be1d8c021e65b891c2a211167abb8c5e079e09e2c8a8339c")
V1, V2 = 1, 0x6B3343CF
SALTS = {
    V1: bytes.fromhex("38762cf7f55934b34d179ae6a4c80cadccbb7f0a"),
    V2: bytes.fromhex("0dede3def700a6db819381be6e269dcbf9bd2ed9"),
}


def block(size: int, data: bytes) -> bytes:
    """Bytes with their own length in front."""
    return len(data).to_bytes(size, "big") + data


def numbers(values: list[int], size: int = 2) -> bytes:
    """Big-endian numbers, one behind the other."""
    return b"".join(v.to_bytes(size, "big") for v in values)


# --- messages ------------------------------------------------------------------------------------
def extension(kind: int, data: bytes) -> bytes:
    """One extension of a hello."""
    return struct.pack("!H", kind) + block(2, data)


def message(kind: int, body: bytes) -> bytes:
    """A handshake message."""
    return bytes([kind]) + block(3, body)


@dataclass
class Hello:
    """What a client says; random by a seed, so that two are alike when their seeds are."""

    seed: int = 1
    version: int = 0x0303
    versions: list[int] = field(default_factory=lambda: [0x0304, 0x0303])
    ciphers: list[int] = field(default_factory=lambda: [0x1301, 0x1302, 0xC02F, 0x009C])
    name: str = "www.example.test"
    alpn: list[str] = field(default_factory=lambda: ["h2", "http/1.1"])
    groups: list[int] = field(default_factory=lambda: [0x2A2A, 0x11EC, 29, 23])
    shares: list[tuple[int, int]] = field(default_factory=lambda: [(0x11EC, 1216), (29, 32)])
    signatures: list[int] = field(default_factory=lambda: [0x0403, 0x0804, 0x0401])
    more: list[bytes] = field(default_factory=list)
    cookie: bytes | None = None  # of DTLS

    def bytes(self, size: int) -> bytes:
        """Random bytes that depend on the seed and their number alone."""
        return random.Random(f"{self.seed} {size}").randbytes(size)

    def extensions(self) -> list[bytes]:
        """All extensions, in order."""
        out = [extension(0, block(2, b"\0" + block(2, self.name.encode())))]
        out.append(extension(23, b""))
        out.append(extension(10, block(2, numbers(self.groups))))
        out.append(extension(11, block(1, b"\0")))
        if self.alpn:
            names = b"".join(block(1, name.encode()) for name in self.alpn)
            out.append(extension(16, block(2, names)))
        out.append(extension(13, block(2, numbers(self.signatures))))
        if self.versions:
            out.append(extension(43, block(1, numbers(self.versions))))
        if self.shares:
            keys = b"".join(
                struct.pack("!H", group) + block(2, self.bytes(size)) for group, size in self.shares
            )
            out.append(extension(51, block(2, keys)))
        return out + self.more

    def body(self) -> bytes:
        """ClientHello."""
        out = struct.pack("!H", self.version) + self.bytes(32) + block(1, self.bytes(31))
        if self.cookie is not None:
            out += block(1, self.cookie)
        out += block(2, numbers(self.ciphers)) + block(1, b"\0")
        return out + block(2, b"".join(self.extensions()))

    def message(self) -> bytes:
        """The same with its head."""
        return message(1, self.body())


def server_hello(
    cipher: int, extensions: list[bytes], version: int = 0x0303, retry: bool = False, seed: int = 2
) -> bytes:
    """ServerHello or HelloRetryRequest."""
    value = HRR if retry else random.Random(seed).randbytes(32)
    body = struct.pack("!H", version) + value + block(1, bytes(32)) + struct.pack("!HB", cipher, 0)
    return message(2, body + block(2, b"".join(extensions)))


@cache
def certificate(name: str = "www.example.test") -> bytes:
    """A self-signed certificate in DER."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(4711)
    builder = builder.not_valid_before(start).not_valid_after(start.replace(year=2036))
    builder = builder.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def certificates(*chain: bytes) -> bytes:
    """A Certificate message up to TLS 1.2."""
    return message(11, block(3, b"".join(block(3, der) for der in chain)))


def server_key() -> bytes:
    """ServerKeyExchange of ECDHE_RSA in TLS 1.2: x25519."""
    key = b"\x03\x00\x1d" + block(1, random.Random(3).randbytes(32))
    return message(12, key + b"\x08\x04" + block(2, random.Random(4).randbytes(256)))


def client_key() -> bytes:
    """ClientKeyExchange of ECDHE."""
    return message(16, block(1, random.Random(5).randbytes(32)))


# --- TLS -----------------------------------------------------------------------------------------
def record(kind: int, body: bytes, version: int = 0x0303) -> bytes:
    """A TLS record."""
    return struct.pack("!BH", kind, version) + block(2, body)


CHANGE, ALERT, HANDSHAKE, DATA = 20, 21, 22, 23


def secret(kind: int, size: int) -> bytes:
    """An encrypted record."""
    return record(kind, random.Random(size).randbytes(size))


def tls12(resumed: bool = False, one_record: bool = False) -> Flights:
    """A whole TLS 1.2 handshake; 'one_record': the server's messages share a record."""
    hello = Hello(versions=[], shares=[], more=[extension(35, b""), extension(0xFF01, b"\0")])
    flights: Flights = [(0, record(HANDSHAKE, hello.message(), 0x0301))]
    answer = [server_hello(0xC02F, [extension(0xFF01, b"\0"), extension(16, block(2, b"\x02h2"))])]
    finished = record(CHANGE, b"\1") + secret(HANDSHAKE, 40)
    if resumed:
        flights.append((1, record(HANDSHAKE, answer[0]) + finished))
        flights.append((0, finished + secret(DATA, 100)))
    else:
        answer += [certificates(certificate(), certificate("ca.test")), server_key()]
        answer += [message(13, b"\x02\x01\x40" + block(2, b"\x04\x03\x08\x04") + b"\0\0")]
        answer += [message(14, b"")]
        joined = [b"".join(answer)] if one_record else answer
        flights.append((1, b"".join(record(HANDSHAKE, m) for m in joined)))
        mine = certificates(certificate("client.test"))
        flights.append((0, record(HANDSHAKE, mine + client_key()) + finished))
        ticket = message(4, struct.pack("!I", 7200) + block(2, bytes(range(180))))
        flights.append((1, record(HANDSHAKE, ticket) + finished + secret(DATA, 500)))
    return [*flights, (0, record(ALERT, b"\1\0"))]


def selected13(group: int, size: int) -> list[bytes]:
    """Extensions of a ServerHello of TLS 1.3."""
    share = struct.pack("!H", group) + block(2, random.Random(size).randbytes(size))
    return [extension(51, share), extension(43, b"\x03\x04")]


def tls13(retry: bool = False) -> Flights:
    """A TLS 1.3 handshake with the dummy change_cipher_spec of browsers."""
    hello = Hello(shares=[(29, 32)] if retry else [(0x11EC, 1216), (29, 32)])
    flights: Flights = [(0, record(HANDSHAKE, hello.message(), 0x0301))]
    change = record(CHANGE, b"\1")
    if retry:
        wanted = [extension(43, b"\x03\x04"), extension(51, b"\0\x17")]
        flights.append((1, record(HANDSHAKE, server_hello(0x1301, wanted, retry=True)) + change))
        second = Hello(shares=[(23, 65)])
        flights.append((0, change + record(HANDSHAKE, second.message())))
        flights.append((1, record(HANDSHAKE, server_hello(0x1301, selected13(23, 65)))))
    else:
        answer = server_hello(0x1301, selected13(0x11EC, 1120))
        flights.append((1, record(HANDSHAKE, answer) + change))
    flights.append((1, secret(DATA, 2000)))
    flights.append((0, (b"" if retry else change) + secret(DATA, 74) + secret(DATA, 300)))
    return flights


def split_records(sizes: list[int]) -> Flights:
    """A ClientHello in records of its own cutting; the last size is repeated."""
    data, out = Hello().message(), b""
    while data:
        size = sizes.pop(0) if len(sizes) > 1 else sizes[0]
        out += record(HANDSHAKE, data[:size], 0x0301)
        data = data[size:]
    return [(0, out), (1, record(ALERT, b"\2\x28"))]


def smtp() -> Flights:
    """STARTTLS."""
    text = [(1, b"220 mail.test ESMTP\r\n"), (0, b"EHLO me\r\n")]
    text += [(1, b"250-mail.test\r\n250 STARTTLS\r\n"), (0, b"STARTTLS\r\n"), (1, b"220 go\r\n")]
    return text + tls12()


def ssl2() -> Flights:
    """An SSLv2 ClientHello, answered in TLS 1.0."""
    body = b"\1\3\1" + struct.pack("!HHH", 9, 0, 16)
    body += bytes.fromhex("00002f00000a010080") + random.Random(9).randbytes(16)
    answer = server_hello(0x002F, [], version=0x0301)
    return [
        (0, struct.pack("!H", 0x8000 | len(body)) + body),
        (1, record(HANDSHAKE, answer + certificates(certificate()), 0x0301)),
        (0, record(ALERT, b"\2\x2a", 0x0301)),
    ]


# --- QUIC ----------------------------------------------------------------------------------------
def varint(v: int) -> bytes:
    """RFC 9000 section 16."""
    for bits, (limit, size) in enumerate([(1 << 6, 1), (1 << 14, 2), (1 << 30, 4), (1 << 62, 8)]):
        if v < limit:
            return (v | bits << (8 * size - 2)).to_bytes(size, "big")
    raise ValueError(v)


def expand(key: bytes, label: str, size: int) -> bytes:
    """HKDF-Expand-Label with an empty context."""
    name = b"tls13 " + label.encode()
    info = struct.pack("!H", size) + block(1, name) + b"\0"
    return HKDFExpand(hashes.SHA256(), size, info).derive(key)


@dataclass
class QuicKeys:
    """Keys of one side's Initials."""

    key: bytes
    iv: bytes
    header: bytes


def quic_keys(dcid: bytes, server: bool, version: int) -> QuicKeys:
    """RFC 9001 section 5.2."""
    initial = HKDF.extract(hashes.SHA256(), SALTS[version], dcid)
    key = expand(initial, "server in" if server else "client in", 32)
    prefix = "quicv2 " if version == V2 else "quic "
    return QuicKeys(*(expand(key, prefix + n, s) for n, s in (("key", 16), ("iv", 12), ("hp", 16))))


@dataclass
class Initial:
    """One Initial packet before protection."""

    keys: QuicKeys
    version: int
    dcid: bytes
    scid: bytes
    number: int
    frames: bytes
    token: bytes = b""

    def protect(self, size: int = 0) -> bytes:
        """The packet as it is sent, padded so that it has at least 'size' bytes."""
        kind = 1 if self.version == V2 else 0
        first = 0xC0 | kind << 4 | 1  # two bytes of packet number
        head = bytes([first]) + struct.pack("!I", self.version)
        head += block(1, self.dcid) + block(1, self.scid)
        head += varint(len(self.token)) + self.token
        frames = self.frames + bytes(max(0, size - len(head) - 4 - len(self.frames) - 16))
        head += struct.pack("!H", 0x4000 | (2 + len(frames) + 16))
        head += struct.pack("!H", self.number)
        nonce = bytes(
            a ^ b for a, b in zip(self.keys.iv, self.number.to_bytes(12, "big"), strict=True)
        )
        sealed = AESGCM(self.keys.key).encrypt(nonce, frames, head)
        encryptor = Cipher(algorithms.AES(self.keys.header), modes.ECB()).encryptor()
        mask = encryptor.update(sealed[2:18])
        out = bytearray(head)
        out[0] ^= mask[0] & 0x0F
        out[-2] ^= mask[1]
        out[-1] ^= mask[2]
        return bytes(out) + sealed


def crypto(offset: int, data: bytes) -> bytes:
    """A CRYPTO frame."""
    return b"\x06" + varint(offset) + varint(len(data)) + data


def quic_hello(seed: int = 1) -> Hello:
    """A client's hello with transport parameters."""
    parameters = b"\x01\x04\x80\x00\x75\x30" + b"\x04\x04\x80\x10\x00\x00" + b"\x0f\x04abcd"
    return Hello(seed=seed, alpn=["h3"], versions=[0x0304], more=[extension(57, parameters)])


# --- DTLS ----------------------------------------------------------------------------------------
def dtls_record(sequence: int, body: bytes, kind: int = HANDSHAKE, epoch: int = 0) -> bytes:
    """A DTLS 1.2 record."""
    return struct.pack("!BHHHI", kind, 0xFEFD, epoch, 0, sequence) + block(2, body)


def fragment(
    kind: int, sequence: int, body: bytes, start: int = 0, end: int | None = None
) -> bytes:
    """Part of a DTLS handshake message."""
    part = body[start:end]
    head = bytes([kind]) + len(body).to_bytes(3, "big") + struct.pack("!H", sequence)
    return head + start.to_bytes(3, "big") + block(3, part)


# --- frames --------------------------------------------------------------------------------------
@dataclass
class Host:
    """The two ends of a flow; 'number' makes its addresses and ports its own."""

    number: int

    def frame(self, side: int, proto: int, data: bytes) -> bytes:
        """Ethernet and IPv4 around a transport header with its payload."""
        client = struct.pack("!BBH", 10, 1, self.number >> 8)
        ends = [client, bytes([192, 0, 2, 1])]
        source, target = ends[side], ends[1 - side]
        head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(data), 1, 0, 64, proto, 0)
        return bytes(12) + b"\x08\x00" + head + source + target + data

    def ports(self, side: int) -> tuple[int, int]:
        """Source and target port."""
        ends = (20000 + (self.number & 0xFF), 443)
        return ends[side], ends[1 - side]

    def udp(self, side: int, data: bytes) -> bytes:
        """A datagram."""
        return self.frame(
            side, 17, struct.pack("!HHHH", *self.ports(side), 8 + len(data), 0) + data
        )

    def tcp(self, side: int, flags: int, seq: int, ack: int, data: bytes = b"") -> bytes:
        """A segment."""
        head = struct.pack("!HHIIBBHHH", *self.ports(side), seq, ack, 0x50, flags, 65535, 0, 0)
        return self.frame(side, 6, head + data)


Pieces = list[tuple[int, bytes]]  # (offset, bytes), in the order of sending


def tcp_flow(number: int, flights: Flights, cut) -> list[bytes]:
    """Frames of a connection; 'cut' makes the Pieces of a flight, in any order."""
    host = Host(number)
    start, sent = [1000, 50000], [0, 0]
    frames = [host.tcp(0, 2, 1000, 0), host.tcp(1, 18, 50000, 1001), host.tcp(0, 16, 1001, 50001)]
    for place, (side, data) in enumerate(flights):
        for offset, piece in cut(place, data):
            seq = start[side] + 1 + sent[side] + offset
            frames.append(host.tcp(side, 24, seq, start[1 - side] + 1 + sent[1 - side], piece))
        sent[side] += len(data)
    return frames
