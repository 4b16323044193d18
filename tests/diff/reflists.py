# SPDX-License-Identifier: BSD-3-Clause
"""Slow references for lists and anonymisation, written from definitions and not from the program.

Subnets are tried one by one; Crypto-PAn enciphers a block for each bit (Xu, Fan, Ammar, Moon 2002);
names are hashed by the HMAC of the standard library.
"""

from __future__ import annotations

import hashlib
import hmac
import ipaddress
from dataclasses import dataclass
from functools import cache

from cryptography.hazmat.primitives.ciphers import Cipher, algorithms, modes

Net = ipaddress.IPv4Network | ipaddress.IPv6Network


def network(text: str) -> Net:
    """A subnet as a list may have it."""
    return ipaddress.ip_network(text, strict=False)


def holds(net: Net, address: str) -> bool:
    """Is the address in the subnet?"""
    a = ipaddress.ip_address(address)
    return a.version == net.version and a in net


def labels(lists: list[tuple[str, list[str]]], address: str) -> list[str]:
    """Labels of an address, in the order in which lists first name them."""
    order = list(dict.fromkeys(name for name, _ in lists))
    found = {name for name, nets in lists for n in nets if holds(network(n), address)}
    return [name for name in order if name in found]


def is_net(entry: str) -> bool:
    """An address or a subnet, and no name."""
    try:
        network(entry)
    except ValueError:
        return False
    return True


def watched(entries: list[str], address: str) -> str | None:
    """The longest subnet of a list that holds the address, as the record has it."""
    nets = [network(e) for e in entries if is_net(e)]
    held = [n for n in nets if holds(n, address)]
    if not held:
        return None
    longest = max(held, key=lambda n: n.prefixlen)
    single = longest.prefixlen == longest.max_prefixlen
    return str(longest.network_address) if single else str(longest)


def watched_name(entries: list[str], name: str) -> str | None:
    """The longest name of a list that is the name or a domain around it."""
    ours = name.lower().rstrip(".")
    names = [e.lower() for e in entries if not is_net(e)]
    held = [e for e in names if ours == e or ours.endswith("." + e)]
    return max(held, key=len, default=None)


# --- anonymisation -------------------------------------------------------------------------------
@dataclass(frozen=True)
class Key:
    """What a key file holds."""

    bytes: bytes

    def aes(self, block: bytes) -> bytes:
        """One block of AES-128 with the first half of the key."""
        e = Cipher(algorithms.AES(self.bytes[:16]), modes.ECB()).encryptor()
        return e.update(block) + e.finalize()

    def names(self) -> bytes:
        """The key of names."""
        return hmac.new(self.bytes, b"names", hashlib.sha256).digest()

    def hash(self, text: str, size: int = 16) -> str:
        """Keyed hash of a text, the first 'size' digits."""
        return hmac.new(self.names(), text.encode(), hashlib.sha256).hexdigest()[:size]


@cache
def crypto_pan(key: Key, address: str) -> str:
    """Each bit is flipped by the first bit of the AES of the bits before it and the pad's rest."""
    a = ipaddress.ip_address(address)
    pad = int.from_bytes(key.aes(key.bytes[16:]), "big")
    bits, whole = a.max_prefixlen, int(a) << (128 - a.max_prefixlen)
    out = int(a)
    for i in range(bits):
        mask = ((1 << i) - 1) << (128 - i)
        block = (whole & mask) | (pad & ~mask & ((1 << 128) - 1))
        out ^= (key.aes(block.to_bytes(16, "big"))[0] >> 7) << (bits - 1 - i)
    return str(type(a)(out))


def anonymous(key: Key, nets: list[str], address: str) -> str:
    """What becomes of an address."""
    listed = any(holds(network(n), address) for n in nets)
    return crypto_pan(key, address) if listed else str(ipaddress.ip_address(address))


def hashed_name(key: Key, name: str) -> str:
    """What becomes of a host name: each label by the name from there on."""
    parts = name.lower().rstrip(".").split(".")
    return ".".join(
        "*" if part == "*" else key.hash(".".join(parts[i:])) for i, part in enumerate(parts)
    )
