# SPDX-License-Identifier: BSD-3-Clause
"""Handshakes of TLS, DTLS and QUIC held against published policies.

names.py knows the words, policy.py reads policies, facts.py takes from records what was seen of a
handshake, rules.py and certificates.py hold one against the other with an outcome (outcome.py),
tally.py adds up, report_*.py tell.
"""
