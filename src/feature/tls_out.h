/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tls_out.h - the "tls" object of a record as a struct, shared by the files that fill it.
 *
 * tls.c is the feature; tls_fields.c describes the struct; tls_hello_out.c, tls_key_out.c and
 * tls_cert_out.c fill its parts.  Everything points into the flow's arena, the certificate store
 * or the scratch arena.
 */
#pragma once

#include "feature/handshake_state.h"

struct out_extension {
	uint16_t type;
	const char *name;
	struct field_hex data;
};

struct out_key_share {
	const char *group;
	uint32_t length;
};

struct out_ech {
	const char *type, *kdf, *aead;
	int32_t config_id, enc_length, payload_length;
};

/* What the extensions of a hello say beyond the keys that stand in "tls" itself. */
struct out_hello {
	struct field_list versions, alpn, groups, key_shares, point_formats;
	struct field_list signature_algorithms, signature_algorithms_cert, delegated_credentials;
	struct field_list certificate_compression, psk_modes, alps, srtp_profiles;
	struct field_list client_certificate_types, server_certificate_types;
	int32_t psk_identities, psk_selected, record_size_limit, max_fragment_length;
	int32_t session_ticket_length, renegotiation_info_length, cookie_length, padding_length;
	int32_t certificate_authorities, sct_count;
	const char *heartbeat_mode, *status_type;
	struct field_hex connection_id;
	struct out_ech ech;
	int32_t extension_count, grease_extensions;
	struct field_list faults;
};

struct out_retry {
	const char *group;
	struct field_hex scs, c_random;
	struct field_list c_extensions, s_extensions;
	struct out_hello client, server;
};

struct out_server_key {
	const char *type, *curve, *signature_algorithm;
	int32_t length;
};

struct out_request {
	struct field_list types, signature_algorithms;
	int32_t authorities;
};

struct out_ticket {
	int32_t count, length;
	int64_t lifetime;
};

struct out_tls_alert {
	const char *dir, *level, *description;
	int32_t code;
};

struct out_record {
	uint32_t b;
	const char *dir;
	struct field_ms ipt;
	uint8_t tp;
	struct field_list hs_types, hs_lens;
};

struct out_attribute {
	const char *name;
	struct field_text value;
	struct field_hex oid;
};

struct out_cert_extension {
	const char *name;
	struct field_hex oid;
	bool critical;
};

struct out_san {
	const char *type;
	struct field_text value;
};

struct out_certificate {
	uint32_t length;
	struct field_hex sha1, sha256;
	bool damaged;
	int32_t version;
	struct field_hex serial;
	struct field_list subject, issuer;
	struct field_text not_before, not_after;
	int64_t not_before_s, not_after_s;
	const char *key_type, *curve, *signature_algorithm;
	int32_t key_length;
	struct field_hex key_sha256;
	struct field_list sans, key_usage, ext_key_usage, ocsp, extensions;
	const char *ca; /* "yes", "no", NULL: no basicConstraints */
	int64_t path_length;
	int32_t sct_count;
	bool self_signed, malformed;
};

struct out_tls {
	const char *protocol, *starttls, *version, *handshake;
	int32_t version_code, c_version, s_version, c_record_version, s_record_version;
	const char *c_version_name, *s_version_name;
	struct field_text sni;
	struct field_text alpn;
	struct field_hex c_random, s_random, c_sid, s_sid;
	struct field_list cs;
	struct field_hex scs;
	const char *scs_name, *scs_recommended;
	struct field_hex c_compressions, s_compression;
	struct field_list c_extensions, s_extensions;
	struct out_hello client, server;
	struct out_retry retry;
	int32_t c_key_length;
	struct field_hex c_key_exchange;
	struct out_server_key s_key;
	struct out_request certificate_request;
	const char *c_signature_algorithm;
	struct field_list c_cert, s_cert;
	int32_t ocsp_length;
	struct out_ticket tickets;
	int32_t hello_requests, heartbeats;
	int32_t verify_cookie_length;
	struct field_list alerts, marks, srlt;
};

/* Where the parts come from; the arguments that everybody passes on. */
struct tls_report {
	const struct feature_env *env;
	const struct hs *hs;
	const struct hs_told *told;
	struct out_tls *out;
};

/* A word for a number: its name, or its digits in hex ("0x1234"). */
const char *tls_word(const struct tls_report *r, const char *name, unsigned value);

void *tls_scratch(const struct tls_report *r, size_t count, size_t size);

/* tls_hello_out.c */
void tls_report_hellos(struct tls_report *r);
struct field_list tls_signature_list(const struct tls_report *r, struct rd list);

/* tls_key_out.c: what stands between the hellos and Finished. */
void tls_report_keys(struct tls_report *r);

/* tls_cert_out.c */
void tls_report_certificates(struct tls_report *r);
extern const struct field tls_certificate_fields[];

/* tls_hello_fields.c, tls_fields.c */
extern const struct field tls_hello_fields[];
extern const struct field tls_fields[];
