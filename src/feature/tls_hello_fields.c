/* SPDX-License-Identifier: BSD-3-Clause */
/* tls_hello_fields.c - what the fields of a hello in the "tls" object mean. */
#include "feature/tls_out.h"

#define NULLABLE  (FIELD_NULLABLE | FIELD_OPTIONAL)
#define NO_EXT    "left out without that extension"
#define WORD_LIST "; numbers without a name as \"0x1234\""

static const struct field share_fields[] = {
	FIELD(struct out_key_share, group, "group", "", "Name of the group" WORD_LIST ".",
			.source = "IANA TLS Supported Groups"),
	FIELD(struct out_key_share, length, "length", "bytes", "Size of the key."),
	{ 0 },
};

static const struct field ech_fields[] = {
	FIELD(struct out_ech, type, "type", "",
			"outer: the hello's real names are in the hidden part, or it is GREASE, "
			"which looks the same; inner: the marker of a hello that was hidden.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT),
	FIELD(struct out_ech, kdf, "kdf", "", "HPKE key derivation function" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "only of type outer"),
	FIELD(struct out_ech, aead, "aead", "", "HPKE cipher" WORD_LIST ".",
			.flags = FIELD_OPTIONAL, .null_rule = "only of type outer"),
	FIELD(struct out_ech, config_id, "config_id", "", "Which of the server's keys.",
			.flags = NULLABLE, .null_rule = "only of type outer"),
	FIELD(struct out_ech, enc_length, "enc_length", "bytes", "Size of the HPKE key.",
			.flags = NULLABLE, .null_rule = "only of type outer"),
	FIELD(struct out_ech, payload_length, "payload_length", "bytes",
			"Size of the hidden hello.", .flags = NULLABLE,
			.null_rule = "only of type outer"),
	{ 0 },
};

#define WORDS(member, key, definition, rfc)                                                        \
	FIELD_SCALARS(struct out_hello, member, key, const char *, "", definition WORD_LIST ".",   \
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT, .source = rfc)
#define NUMBER(member, key, unit, definition, rfc)                                                 \
	FIELD(struct out_hello, member, key, unit, definition, .flags = NULLABLE,                  \
			.null_rule = NO_EXT, .source = rfc)

const struct field tls_hello_fields[] = {
	WORDS(versions, "versions", "supported_versions; of the server the one selected",
			"RFC 8446 section 4.2.1"),
	FIELD_SCALARS(struct out_hello, alpn, "alpn", struct field_text, "",
			"Application protocols, as sent; of the server the one selected.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT, .source = "RFC 7301"),
	WORDS(groups, "groups", "supported_groups", "RFC 8446 section 4.2.7; RFC 8422"),
	FIELD_LIST_OF(struct out_hello, key_shares, "key_shares", struct out_key_share,
			share_fields, "Keys in key_share.", .flags = FIELD_OPTIONAL,
			.null_rule = NO_EXT, .source = "RFC 8446 section 4.2.8"),
	WORDS(point_formats, "point_formats", "ec_point_formats", "RFC 8422"),
	WORDS(signature_algorithms, "signature_algorithms", "signature_algorithms",
			"RFC 8446 section 4.2.3"),
	WORDS(signature_algorithms_cert, "signature_algorithms_cert", "signature_algorithms_cert",
			"RFC 8446 section 4.2.3"),
	WORDS(delegated_credentials, "delegated_credentials",
			"Signature schemes of delegated_credential", "RFC 9345"),
	WORDS(certificate_compression, "certificate_compression",
			"Algorithms of compress_certificate", "RFC 8879"),
	WORDS(psk_modes, "psk_modes", "psk_key_exchange_modes", "RFC 8446 section 4.2.9"),
	NUMBER(psk_identities, "psk_identities", "", "Identities that pre_shared_key offers.",
			"RFC 8446 section 4.2.11"),
	NUMBER(psk_selected, "psk_selected", "", "Number of the identity selected, from 0.",
			"RFC 8446 section 4.2.11"),
	FIELD_SCALARS(struct out_hello, alps, "alps", struct field_text, "",
			"Protocols in application_settings (17513 or 17613).",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT),
	WORDS(srtp_profiles, "srtp_profiles", "Profiles of use_srtp", "RFC 5764"),
	WORDS(client_certificate_types, "client_certificate_types", "client_certificate_type",
			"RFC 7250"),
	WORDS(server_certificate_types, "server_certificate_types", "server_certificate_type",
			"RFC 7250"),
	NUMBER(record_size_limit, "record_size_limit", "bytes", "record_size_limit.", "RFC 8449"),
	NUMBER(max_fragment_length, "max_fragment_length", "bytes", "max_fragment_length.",
			"RFC 6066 section 4"),
	NUMBER(session_ticket_length, "session_ticket_length", "bytes",
			"Size of the ticket in session_ticket; 0 asks for one.", "RFC 5077"),
	NUMBER(renegotiation_info_length, "renegotiation_info_length", "bytes",
			"Size of the data in renegotiation_info; 0 in a first handshake.",
			"RFC 5746"),
	NUMBER(cookie_length, "cookie_length", "bytes",
			"Size of the cookie: of DTLS, or of the extension.",
			"RFC 6347 section 4.2.1; RFC 8446 section 4.2.2"),
	NUMBER(padding_length, "padding_length", "bytes", "Size of padding.", "RFC 7685"),
	NUMBER(certificate_authorities, "certificate_authorities", "",
			"Names in certificate_authorities.", "RFC 8446 section 4.2.4"),
	NUMBER(sct_count, "sct_count", "",
			"Signed certificate timestamps that the server sends in its hello.",
			"RFC 6962"),
	FIELD(struct out_hello, heartbeat_mode, "heartbeat_mode", "",
			"peer_allowed_to_send or peer_not_allowed_to_send.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT, .source = "RFC 6520"),
	FIELD(struct out_hello, status_type, "status_type", "",
			"What status_request asks for" WORD_LIST ".", .flags = FIELD_OPTIONAL,
			.null_rule = NO_EXT, .source = "RFC 6066 section 8"),
	FIELD(struct out_hello, connection_id, "connection_id", "",
			"Connection id that the sender wants to see (DTLS); may be empty.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT, .source = "RFC 9146"),
	FIELD_SUB(struct out_hello, ech, "ech", ech_fields, "encrypted_client_hello.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_EXT, .source = "RFC 9849"),
	FIELD(struct out_hello, extension_count, "extension_count", "",
			"Number of extensions, GREASE and unknown ones included.",
			.flags = NULLABLE,
			.null_rule = "left out without a hello, or one without "
				     "a place for extensions"),
	FIELD(struct out_hello, grease_extensions, "grease_extensions", "",
			"Of these: with a GREASE type.", .flags = NULLABLE,
			.null_rule = "as extension_count", .source = "RFC 8701"),
	FIELD_SCALARS(struct out_hello, faults, "faults", const char *, "",
			"cut_or_malformed: the hello does not read to its end, or not all of it "
			"was captured or kept; malformed_extension: the inside of a known "
			"extension contradicts itself and is not decoded; duplicate_extension: a "
			"type is there twice.",
			.flags = FIELD_OPTIONAL, .null_rule = "left out without faults"),
	{ 0 },
};
