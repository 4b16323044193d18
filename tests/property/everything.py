# SPDX-License-Identifier: BSD-3-Clause
"""A capture that holds addresses of OURS wherever a capture can, for tests of anonymisation."""

from __future__ import annotations

import datetime
import ipaddress
import struct

import captures
import handshakes as h
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

OURS = ["10.20.30.0/24", "2001:db8:77::/48", "10.1.0.0/16"]
NAMES = ["secret-host.inside.example", "other-host.inside.example", "ca.inside.example"]
A, B, C6 = "10.20.30.4", "10.20.30.5", "2001:db8:77::9"
FOREIGN, FOREIGN6 = "198.51.100.7", "2001:db8:1::7"


def ip(source: str, target: str, proto: int, body: bytes) -> bytes:
    """An IP packet."""
    a, b = map(ipaddress.ip_address, (source, target))
    if a.version == 6:
        return struct.pack("!IHBB", 6 << 28, len(body), proto, 64) + a.packed + b.packed + body
    head = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(body), 1, 0, 64, proto, 0)
    return head + a.packed + b.packed + body


def ether(packet: bytes) -> bytes:
    """Ethernet around it."""
    return bytes(12) + (b"\x08\x00" if packet[0] >> 4 == 4 else b"\x86\xdd") + packet


def udp(source: int, target: int, data: bytes) -> bytes:
    """A datagram."""
    return struct.pack("!HHHH", source, target, 8 + len(data), 0) + data


def certificate(name: str) -> bytes:
    """With addresses in every place that takes one."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name(
        [
            x509.NameAttribute(x509.NameOID.COMMON_NAME, name),
            x509.NameAttribute(x509.NameOID.ORGANIZATION_NAME, f"Lab at {A}"),
            x509.NameAttribute(x509.NameOID.EMAIL_ADDRESS, f"alice@{NAMES[0]}"),
        ]
    )
    names = [
        x509.DNSName(NAMES[1]),
        x509.DNSName("*." + NAMES[0]),
        x509.IPAddress(ipaddress.ip_address(A)),
        x509.IPAddress(ipaddress.ip_address(C6)),
        x509.UniformResourceIdentifier(f"https://{B}:8443/alice?x=[{C6}]"),
        x509.RFC822Name(f"alice@{NAMES[1]}"),
        x509.DNSName("4.30.20.10.in-addr.arpa"),
        x509.DNSName("ip-10-20-30-5.compute.example"),
        x509.DirectoryName(subject),
    ]
    ocsp = x509.AccessDescription(
        x509.AuthorityInformationAccessOID.OCSP,
        x509.UniformResourceIdentifier(f"http://{B}/ocsp"),
    )
    start = datetime.datetime(2026, 1, 1, tzinfo=datetime.timezone.utc)
    builder = x509.CertificateBuilder().subject_name(subject).issuer_name(subject)
    builder = builder.public_key(key.public_key()).serial_number(4711)
    builder = builder.not_valid_before(start).not_valid_after(start.replace(year=2036))
    builder = builder.add_extension(x509.SubjectAlternativeName(names), False)
    builder = builder.add_extension(x509.AuthorityInformationAccess([ocsp]), False)
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.DER)


def tls(number: int, sni: str, cert: bytes) -> list[bytes]:
    """A TLS 1.2 connection; hosts are those of handshakes.Host, 10.1.x.x."""
    hello = h.Hello(seed=number, name=sni, versions=[], shares=[])
    answer = [h.server_hello(0xC02F, []), h.certificates(cert, h.certificate(NAMES[2]))]
    answer += [h.server_key(), h.message(14, b"")]
    flights = [
        (0, h.record(h.HANDSHAKE, hello.message(), 0x0301)),
        (1, b"".join(h.record(h.HANDSHAKE, m) for m in answer)),
        (0, h.record(h.ALERT, b"\2\x28")),
    ]
    return h.tcp_flow(number, flights, lambda _, d: [(0, d)])


def quic() -> bytes:
    """An Initial whose transport parameters hold addresses (preferred_address, which a client
    must not send but can)."""
    v4, v6 = (ipaddress.ip_address(a).packed for a in (A, C6))
    preferred = v4 + b"\x01\xbb" + v6 + b"\x01\xbb" + b"\4abcd" + bytes(16)
    parameters = b"\x0d" + bytes([len(preferred)]) + preferred + b"\x04\x01\x20"
    hello = h.quic_hello(7)
    hello.name = NAMES[0]
    hello.more = [h.extension(0x39, parameters)]
    dcid, frame = b"12345678", h.crypto(0, hello.message())
    keys = h.quic_keys(dcid, False, h.V1)
    return h.Initial(keys, h.V1, dcid, b"scid", 0, frame).protect(1200)


def tunnels() -> list[bytes]:
    """Listed addresses outside, and inside."""
    inner = ip(A, FOREIGN, 17, udp(1000, 2000, b"inner of one"))
    inner2 = ip(FOREIGN, "198.51.100.8", 17, udp(1001, 2001, b"inner of another"))
    vxlan = b"\x08\0\0\0\0\0\x07\0" + bytes(12) + b"\x08\x00" + inner2
    return [
        ip(A, B, 4, inner),
        ip(A, B, 47, b"\0\0\x08\0" + inner2),
        ip(C6, FOREIGN6, 41, ip(FOREIGN6, C6, 17, udp(1002, 2002, b"six in six"))),
        ip(B, FOREIGN, 17, udp(50000, 4789, vxlan)),
    ]


def errors() -> list[bytes]:
    """ICMP errors that quote, and a redirect with a gateway."""
    quoted = ip(A, FOREIGN, 17, udp(3000, 3001, b"quoted payload"))
    unreachable = struct.pack("!BBHI", 3, 3, 0, 0) + quoted[:28]
    redirect = struct.pack("!BBH", 5, 1, 0) + ipaddress.ip_address(B).packed + quoted[:28]
    quoted6 = ip(C6, FOREIGN6, 17, udp(3002, 3003, b"quoted payload"))
    too_big = struct.pack("!BBHI", 2, 0, 0, 1280) + quoted6[:48]
    return [
        ip(FOREIGN, A, 1, unreachable),
        ip(FOREIGN, A, 1, redirect),
        ip(FOREIGN6, C6, 58, too_big),
        ip(A, FOREIGN, 1, struct.pack("!BBHHH", 8, 0, 0, 7, 1) + b"ping from " + A.encode()),
    ]


def payloads() -> list[bytes]:
    """Addresses in what applications say: DNS, HTTP, FTP, and in IPv6 made of IPv4."""
    question = b"\x01\x34\x02\x33\x30\x02\x32\x30\x02\x31\x30\x07in-addr\x04arpa\0\0\x0c\0\x01"
    answer = b"\xc0\x0c\0\x01\0\x01\0\0\0\x3c\0\4" + ipaddress.ip_address(B).packed
    dns = struct.pack("!HHHHHH", 7, 0x8180, 1, 1, 0, 0) + question + answer
    mapped = "64:ff9b::a14:1e04"  # 10.20.30.4
    routing = bytes([17, 2, 0, 1, 0, 0, 0, 0]) + ipaddress.ip_address(C6).packed
    options = b"\x07\x07\x04" + ipaddress.ip_address(B).packed + b"\0"
    plain = ip(A, FOREIGN, 17, udp(4000, 4001, b"options"))
    length = len(plain) + len(options)
    with_options = b"\x47\0" + struct.pack("!H", length) + plain[4:20] + options + plain[20:]
    return [
        ip(FOREIGN, A, 17, udp(53, 5353, dns)),
        ip(A, FOREIGN, 17, udp(5000, 80, f"GET / Host: {B} User: alice".encode())),
        ip(mapped, FOREIGN6, 17, udp(5001, 81, b"nat64")),
        ip(C6, FOREIGN6, 43, routing + udp(5002, 82, b"routed")),
        with_options,
        ip(A, B, 132, struct.pack("!HHII", 1, 2, 3, 4) + ipaddress.ip_address(A).packed * 4),
        ip(A, B, 99, ipaddress.ip_address(B).packed * 8),
    ]


def capture() -> bytes:
    """All of it as a pcap file."""
    cert = certificate(B)
    frames = tls(1, NAMES[0], cert) + tls(2, A, cert) + tls(3, f"x.{A}.sslip.example", cert)
    packets = [*tunnels(), *errors(), *payloads()]
    packets.append(ip(A, FOREIGN, 17, udp(6000, 443, quic())))
    for packet in packets:
        frames += [ether(packet)] * 2
    return captures.plain([captures.frame(10**18 + i * 10**6, f) for i, f in enumerate(frames)])
