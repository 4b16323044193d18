# SPDX-License-Identifier: BSD-3-Clause
"""Every rule of every policy, with a capture that breaks it and one that keeps it.

The rules come from the policy files themselves: a new rule without a scene here fails.  What a
finding has to say was written down from the scene, by hand.
"""

from __future__ import annotations

from itertools import count

import audit_captures as A
import pytest
from audit_captures import CBC, DHE, GOOD12, GOOD13, MUTUAL, OLD, RSA_KEYS, Scene
from joy.audit import policy as policies
from joy.audit.facts import COLUMNS, Facts, read
from joy.audit.tally import Result, Tally
from joy.inputs import Flows

POLICIES = {name: policies.load(name) for name in policies.installed()}
RULES = [(p.name, r.id) for p in POLICIES.values() for r in p.rules]

CHACHA = GOOD12.but(cipher=0xCCA9, ciphers=(0xCCA9,))
X25519_13 = GOOD13.but(groups=(A.X25519,), shares=(A.X25519,), group=A.X25519)
CNSA = GOOD13.but(
    versions=(A.TLS13,),
    ciphers=(0x1302,),
    groups=(A.MLKEM1024,),
    shares=(A.MLKEM1024,),
    group=A.MLKEM1024,
    signatures=(A.MLDSA87,),
)
BSI = GOOD13.but(shares=(A.SECP256R1MLKEM768,), group=A.SECP256R1MLKEM768)
PQ_CERTIFICATE = GOOD12.but(certificates=(A.PQ_SIGNED,))
PSK_MODES = GOOD13.but(c_more=(A.H.extension(45, b"\1\1"),))

GOOD = {
    "mozilla-intermediate": (GOOD12, GOOD13),
    "nist-800-52r2": (GOOD12, GOOD13, CBC),
    "fips-140": (GOOD12, GOOD13, MUTUAL),
    "bsi-tr-02102-2": (GOOD12, BSI, CBC, BSI.but(c_more=PSK_MODES.c_more)),
    "cnsa-2.0": (CNSA, PQ_CERTIFICATE, PSK_MODES),
}


def held(*certificates: bytes, **changes) -> Scene:
    """A server with other certificates."""
    return GOOD12.but(certificates=certificates, **changes)


def offer(*ciphers: int, scene: Scene = GOOD12) -> Scene:
    """A client that offers more than what is taken."""
    return scene.but(ciphers=(*scene.ciphers, *ciphers))


NULL, ANON, EXPORT, RC4, TDES = 0x0002, 0x0018, 0x0003, 0x0005, 0x000A
FALLBACK = GOOD12.but(ciphers=(0xC02B, 0x5600))
SENTINEL = GOOD12.but(versions=(A.TLS13, A.TLS12), random_end=b"DOWNGRD\x01")
HISTORY = (GOOD13, GOOD13.but(version=A.TLS12, cipher=0xC02B, group=A.SECP256R1, shares=()))
NO_EMS = GOOD12.but(s_ext=(A.RENEGOTIATION,))
NO_EMS_OFFERED = GOOD12.but(c_ext=(A.RENEGOTIATION,), s_ext=(A.RENEGOTIATION,))
NO_RENEGOTIATION = GOOD12.but(s_ext=(A.EMS,))
DEFLATE = GOOD12.but(compressions=b"\1\0")

# Rule, or policy/rule where policies differ: what breaks it, and what has to be said of it.
BAD: dict[str, tuple[Scene | tuple[Scene, ...], str]] = {
    "version-negotiated": (OLD, "negotiated TLS 1.0"),
    "fips-140/version-negotiated": (OLD.but(version=A.SSL3), "negotiated SSL 3.0"),
    "cnsa-2.0/version-negotiated": (GOOD12, "negotiated TLS 1.2"),
    "version-old": (OLD.but(version=A.TLS11), "negotiated TLS 1.1"),
    "version-offered": (OLD, "offers TLS 1.0"),
    "cnsa-2.0/version-offered": (GOOD13, "offers TLS 1.2"),
    "version-obsolete": (OLD, "negotiated TLS 1.0"),
    "version-11": (OLD.but(c_version=A.TLS11, version=A.TLS11), "negotiated TLS 1.1"),
    "version-12": (GOOD12, "negotiated TLS 1.2"),
    "version-13-missed": (HISTORY[1], "negotiated TLS 1.2"),
    "version-13-offered": (GOOD12, "offers TLS 1.2"),
    "version-obsolete-offered": (
        OLD.but(c_version=A.SSL3, version=A.SSL3),
        "offers SSL 3.0",
    ),
    "ciphersuite-negotiated": (CHACHA, "TLS_ECDHE_ECDSA_WITH_CHACHA20_POLY1305_SHA256"),
    "mozilla-intermediate/ciphersuite-negotiated": (
        DHE,
        "negotiated TLS_DHE_RSA_WITH_AES_128_GCM_SHA256",
    ),
    "cnsa-2.0/ciphersuite-negotiated": (
        CNSA.but(cipher=0x1301),
        "negotiated TLS_AES_128_GCM_SHA256",
    ),
    "ciphersuite-offered": (offer(RC4), "offers TLS_RSA_WITH_RC4_128_SHA"),
    "cnsa-2.0/ciphersuite-offered": (
        CNSA.but(ciphers=(0x1302, 0x1301)),
        "offers TLS_AES_128_GCM_SHA256",
    ),
    "ciphersuite-broken-offered": (
        offer(NULL, ANON, EXPORT, TDES),
        "offers TLS_RSA_WITH_NULL_SHA, TLS_DH_anon_WITH_RC4_128_MD5, "
        "TLS_RSA_EXPORT_WITH_RC4_40_MD5, TLS_RSA_WITH_3DES_EDE_CBC_SHA",
    ),
    "rsa-key-transport": (RSA_KEYS, "negotiated RSA (TLS_RSA_WITH_AES_128_GCM_SHA256)"),
    "rsa-key-transport-offered": (offer(0x009C), "offers RSA"),
    "forward-secrecy": (
        GOOD12.but(cipher=0xC02D, ciphers=(0xC02D,), group=None, sign=None),
        "negotiated ECDH_ECDSA (TLS_ECDH_ECDSA_WITH_AES_128_GCM_SHA256)",
    ),
    "dhe": (DHE, "negotiated DHE_RSA (TLS_DHE_RSA_WITH_AES_128_GCM_SHA256)"),
    "mode-cbc": (CBC, "negotiated TLS_ECDHE_ECDSA_WITH_AES_128_CBC_SHA256"),
    "mode-ccm8": (
        GOOD12.but(cipher=0xC0AE, ciphers=(0xC0AE,)),
        "negotiated TLS_ECDHE_ECDSA_WITH_AES_128_CCM_8",
    ),
    "encrypt-then-mac": (CBC.but(s_ext=GOOD12.s_ext), "without encrypt_then_mac"),
    "extended-master-secret": (NO_EMS, "without extended_master_secret"),
    "extended-master-secret-offered": (NO_EMS_OFFERED, "without extended_master_secret"),
    "renegotiation": (NO_RENEGOTIATION, "does not answer secure renegotiation"),
    "renegotiation-offered": (
        GOOD12.but(c_ext=(A.EMS,), s_ext=(A.EMS,)),
        "does not signal secure renegotiation",
    ),
    "renegotiation-seen": (
        GOOD12.but(behind=A.H.secret(A.H.HANDSHAKE, 60)),
        "renegotiates behind application data",
    ),
    "server-name": (GOOD12.but(name=None), "without server_name"),
    "truncated-hmac": (
        GOOD12.but(c_ext=(*GOOD12.c_ext, A.TRUNCATED), s_ext=(*GOOD12.s_ext, A.TRUNCATED)),
        "answers truncated_hmac",
    ),
    "heartbeat": (
        GOOD12.but(c_ext=(*GOOD12.c_ext, A.HEARTBEAT), s_ext=(*GOOD12.s_ext, A.HEARTBEAT)),
        "answers heartbeat",
    ),
    "heartbeat-overlong": (
        GOOD12.but(answered=False, c_ext=(*GOOD12.c_ext, A.HEARTBEAT)),
        "marked heartbeat_overlong",
    ),
    "group-negotiated": (
        GOOD12.but(groups=(25,), group=25),
        "negotiated secp521r1",
    ),
    "nist-800-52r2/group-negotiated": (X25519_13, "negotiated x25519"),
    "fips-140/group-negotiated": (X25519_13, "negotiated x25519"),
    "bsi-tr-02102-2/group-negotiated": (X25519_13, "negotiated x25519"),
    "cnsa-2.0/group-negotiated": (BSI, "negotiated SecP256r1MLKEM768"),
    "group-quantum": (
        CNSA.but(groups=(A.MLKEM1024, A.SECP384R1), shares=(A.SECP384R1,), group=A.SECP384R1),
        "negotiated none of",
    ),
    "group-offered": (X25519_13, "offers x25519"),
    "cnsa-2.0/group-offered": (BSI, "offers none of MLKEM1024"),
    "group-only-offered": (CNSA.but(groups=(A.MLKEM1024, A.X25519)), "offers x25519"),
    "key-share": (CNSA.but(shares=(A.SECP384R1,)), "offers none of MLKEM1024"),
    "pq-offered": (X25519_13, "offers none of"),
    "pq-negotiated": (GOOD12, "negotiated none of"),
    "key-size": (DHE.but(dh_bits=1024), "1024-bit dh key exchange, below"),
    "signature": (GOOD12.but(sign=A.PKCS1_SHA1), "signed with rsa_pkcs1_sha1"),
    "signature-client": (MUTUAL.but(c_sign=A.ECDSA_SHA1), "signed with ecdsa_sha1"),
    "signature-offered": (
        GOOD12.but(signatures=(A.ECDSA_SHA256, A.RSA_MD5)),
        "offers rsa_pkcs1_md5",
    ),
    "cnsa-2.0/signature-offered": (GOOD13, "offers none of mldsa87"),
    "signature-only-offered": (
        CNSA.but(signatures=(A.MLDSA87, A.ECDSA_SHA256)),
        "offers ecdsa_secp256r1_sha256",
    ),
    "psk-mode": (GOOD13.but(c_more=(A.H.extension(45, b"\2\1\0"),)), "offers psk_ke"),
    "early-data": (GOOD13.but(c_ext=(*GOOD13.c_ext, A.EARLY)), "offers early_data"),
    "compression-negotiated": (DEFLATE.but(compression=1), "negotiated DEFLATE"),
    "compression-offered": (DEFLATE, "offers DEFLATE"),
    "ocsp-staple": (GOOD12.but(stapled=False), "no OCSP response with the certificate"),
    "downgrade-sentinel": (SENTINEL, "TLS 1.2, though the server's random value says more"),
    "downgrade-history": (HISTORY, "TLS 1.2, though both can do TLS 1.3"),
    "fallback": (FALLBACK, "came back with TLS 1.2 after a failure"),
    "certificate-key": (held(A.certificate("rsa1024")), "1024-bit rsa key, below"),
    "cnsa-2.0/certificate-key": (GOOD12, "key of type ec"),
    "certificate-client-key": (
        MUTUAL.but(c_certificates=(A.certificate("rsa1024"),)),
        "1024-bit rsa key, below 2048",
    ),
    "certificate-curve": (held(A.certificate("secp256k1")), "key on curve secp256k1"),
    "certificate-signature": (held(A.SHA1_SIGNED), "signed with sha1WithRSAEncryption"),
    "cnsa-2.0/certificate-signature": (GOOD12, "signed with ecdsa-with-SHA256"),
    "certificate-signature-broken": (held(A.MD5_SIGNED), "signed with md5WithRSAEncryption"),
    "certificate-pkcs1": (held(A.RSA_SIGNED), "signed with sha256WithRSAEncryption"),
    "certificate-validity": (held(A.certificate(days=1100)), "valid for 1100 days, over"),
    "certificate-validity-recommended": (
        held(A.certificate(days=91)),
        "valid for 91 days, over 90",
    ),
    "certificate-expired": (held(A.certificate(start=-90, days=60)), "expired 2026-08-22"),
    "certificate-not-yet-valid": (held(A.certificate(start=1)), "valid only from 2026-09-22"),
    "certificate-name": (
        held(A.certificate(names=("other.test",))),
        "www.example.test is none of its names (other.test)",
    ),
    "certificate-san": (held(A.certificate(names=())), "no subject alternative name"),
    "certificate-self-signed": (held(A.certificate(own=True)), "self-signed"),
    "certificate-version": (held(A.OLD_VERSION), "X.509 version 1"),
    "certificate-usage": (held(A.certificate(server=False)), "no extended key usage"),
}


def scenes_of(entry: tuple[Scene | tuple[Scene, ...], str]) -> tuple[Scene, ...]:
    """The scenes of an entry of BAD."""
    return entry[0] if isinstance(entry[0], tuple) else (entry[0],)


def bad(policy: str, rule: str) -> tuple[tuple[Scene, ...], str]:
    """What breaks a rule, and what has to be said of it."""
    entry = BAD.get(f"{policy}/{rule}") or BAD.get(rule)
    assert entry, f"{policy}/{rule} has no capture that breaks it: add a scene to BAD"
    return scenes_of(entry), entry[1]


@pytest.fixture(scope="module")
def seen(tmp_path_factory: pytest.TempPathFactory) -> dict[Scene, Facts]:
    """What is seen of each scene, out of one capture of them all."""
    scenes = [s for e in BAD.values() for s in scenes_of(e)]
    scenes += [s for several in GOOD.values() for s in several]
    numbered = dict(zip(dict.fromkeys(scenes), count(1), strict=False))
    made = []
    for scene, number in numbered.items():
        frames = A.frames(scene, number)
        if scene is BAD["heartbeat-overlong"][0]:
            frames = heartbleed(scene, number)
        made += frames
    path = A.write(tmp_path_factory.mktemp("audit") / "all.pcap", made)
    facts = {
        A.number_of(f.client, f.client_port): f
        for batch in Flows([str(path)], columns=list(COLUMNS))
        for f in read(batch)
    }
    assert len(facts) == len(numbered)
    return {scene: facts[number] for scene, number in numbered.items()}


def heartbleed(scene: Scene, number: int) -> list[bytes]:
    """A client that asks for 16 KiB of the server's memory before the handshake goes on."""
    flights = A.flights(scene)[:1] + [(0, A.H.record(24, b"\1\x40\0abc"))]
    return A.H.tcp_flow(number, flights, lambda _, data: [(0, data)])


def judged(policy: str, rule: str, facts: list[Facts]) -> Result:
    """The result of one rule over some flows."""
    tally = Tally([POLICIES[policy]])
    for one in facts:
        tally.add(one)
    tally.finish()
    return next(r for r in tally.results[0] if r.rule.id == rule)


@pytest.mark.parametrize(("policy", "rule"), RULES)
def test_broken(policy: str, rule: str, seen: dict[Scene, Facts]) -> None:
    scenes, says = bad(policy, rule)
    result = judged(policy, rule, [seen[s] for s in scenes])
    assert result.outcomes["failed"] == 1
    (finding,) = result.findings.values()
    (detail,) = finding.details
    assert says in detail
    client = finding.side == "client"
    service = seen[scenes[-1]].sni or seen[scenes[-1]].server
    assert finding.subject.startswith("10.1." if client else service)


@pytest.mark.parametrize(("policy", "rule"), RULES)
def test_kept(policy: str, rule: str, seen: dict[Scene, Facts]) -> None:
    results = [judged(policy, rule, [seen[s]]) for s in GOOD[policy]]
    kept = [r for r in results if r.outcomes == {"passed": 1}]
    assert kept, [dict(r.outcomes) for r in results]


@pytest.mark.parametrize("policy", POLICIES)
def test_good_handshakes_have_no_errors(policy: str, seen: dict[Scene, Facts]) -> None:
    """The policy's good handshakes break nothing at all, but for notes that exclude each other."""
    for scene in GOOD[policy]:
        if policy == "cnsa-2.0" and scene is not CNSA:
            continue  # there for rules that TLS 1.3 hides, and of TLS 1.2
        tally = Tally([POLICIES[policy]])
        tally.add(seen[scene])
        tally.finish()
        broken = {r.rule.id for r in tally.results[0] if r.outcomes["failed"]}
        exclusive = {"version-12", "version-13-offered", "mode-cbc", "pq-negotiated"}
        assert broken <= exclusive


def test_no_scene_without_a_rule() -> None:
    known = {r for _, r in RULES} | {f"{p}/{r}" for p, r in RULES}
    assert set(BAD) <= known
