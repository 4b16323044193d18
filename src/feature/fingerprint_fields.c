/* SPDX-License-Identifier: BSD-3-Clause */
/* fingerprint_fields.c - what the fields of the "fingerprints" object mean. */
#include "feature/fingerprint_out.h"

static const struct field label_fields[] = {
	FIELD(struct out_label, kind, "kind", "", "Which fingerprint has it: its key here."),
	FIELD(struct out_label, label, "label", "", "The label, as the file has it."),
	{ 0 },
};

#define FINGERPRINT(member, definition, rule, from)                                                \
	FIELD(struct out_fingerprints, member, #member, "", definition, .flags = FIELD_OPTIONAL,   \
			.null_rule = "left out without a whole " rule, .source = from)
#define NPF "cisco/mercury, doc/npf.md"

const struct field fingerprint_fields[] = {
	FINGERPRINT(ja3, "JA3 of the first ClientHello, of whatever carrier.", "ClientHello",
			"salesforce/ja3"),
	FINGERPRINT(ja3s, "JA3S of the ServerHello.", "ServerHello", "salesforce/ja3"),
	FINGERPRINT(ja4, "JA4 of the first ClientHello.", "ClientHello", "FoxIO, JA4.md"),
	FINGERPRINT(ja4_r, "JA4_r: the same with its lists in place of their hashes.",
			"ClientHello", "FoxIO, JA4.md"),
	FINGERPRINT(npf_tls, "Network Protocol Fingerprint \"tls/\" of the first ClientHello.",
			"ClientHello over TCP", NPF),
	FINGERPRINT(npf_tls_1, "\"tls/1/\": extensions sorted.", "ClientHello over TCP", NPF),
	FINGERPRINT(npf_tls_2, "\"tls/2/\": extensions sorted and selected.",
			"ClientHello over TCP", NPF),
	FINGERPRINT(npf_quic, "\"quic/\" of the first ClientHello.", "ClientHello over QUIC", NPF),
	FINGERPRINT(npf_quic_1, "\"quic/1/\": extensions selected.", "ClientHello over QUIC", NPF),
	FINGERPRINT(npf_dtls, "\"dtls/\" of the first ClientHello.", "ClientHello over DTLS", NPF),
	FINGERPRINT(npf_dtls_1, "\"dtls/1/\": extensions sorted.", "ClientHello over DTLS", NPF),
	FINGERPRINT(npf_dtls_2, "\"dtls/2/\": extensions sorted and selected.",
			"ClientHello over DTLS", NPF),
	FINGERPRINT(npf_tls_server, "\"tls_server/\" of the ServerHello.",
			"ServerHello over TCP or QUIC", NPF),
	FINGERPRINT(npf_dtls_server, "\"dtls_server/\" of the ServerHello.",
			"ServerHello over DTLS", NPF),
	FINGERPRINT(npf_tcp, "\"tcp/\" of the first SYN without ACK.", "SYN", NPF),
	FIELD_LIST_OF(struct out_fingerprints, labels, "labels", struct out_label, label_fields,
			"What fingerprint_db= knows of these.", .flags = FIELD_OPTIONAL,
			.null_rule = "left out when it knows none"),
	{ 0 },
};

const struct field fingerprint_table[] = {
	FIELD_SUB(struct fingerprint_record, fingerprints, "fingerprints", fingerprint_fields,
			"Names for how client and server say hello; see doc/fingerprints.md.",
			.null_rule = "left out when there is none", .merge = MERGE_FIRST),
	{ 0 },
};
