/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_hello.c - hellos of every version, whole and cut, and what their extensions say. */
#include "unit/cut_kit.h"

#include "proto/tls_hello.h"

#define RANDOM "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
#define RETRY                                                                                      \
	"\xcf\x21\xad\x74\xe5\x9a\x61\x11\xbe\x1d\x8c\x02\x1e\x65\xb8\x91"                         \
	"\xc2\xa2\x11\x16\x7a\xbb\x8c\x5e\x07\x9e\x09\xe2\xc8\xa8\x33\x9c"

/* TLS 1.2, session id "id", ciphers GREASE 1301 c02f, null compression */
#define FIXED                                                                                      \
	"\x03\x03" RANDOM "\x02id"                                                                 \
	"\x00\x06\x1a\x1a\x13\x01\xc0\x2f"                                                         \
	"\x01\x00"
/* GREASE 4a4a, empty; server_name: host "a.example" */
#define EXT_SNI                                                                                    \
	"\x4a\x4a\x00\x00"                                                                         \
	"\x00\x00\x00\x0e\x00\x0c\x00\x00\x09"                                                     \
	"a.example"
/* alpn: h2, http/1.1; supported_groups: GREASE, X25519MLKEM768, x25519 */
#define EXT_ALPN                                                                                   \
	"\x00\x10\x00\x0e\x00\x0c\x02"                                                             \
	"h2"                                                                                       \
	"\x08"                                                                                     \
	"http/1.1"
#define EXT_GROUPS   "\x00\x0a\x00\x08\x00\x06\x3a\x3a\x11\xec\x00\x1d"
/* supported_versions: GREASE, 1.3, 1.2; key_share: GREASE 1 byte, x25519 "KEY" */
#define EXT_VERSIONS "\x00\x2b\x00\x07\x06\xfa\xfa\x03\x04\x03\x03"
#define EXT_SHARES                                                                                 \
	"\x00\x33\x00\x0e\x00\x0c\x3a\x3a\x00\x01\x00\x00\x1d\x00\x03"                             \
	"KEY"
/* signature_algorithms; psk_key_exchange_modes; compress_certificate: brotli; record_size_limit */
#define EXT_LISTS                                                                                  \
	"\x00\x0d\x00\x06\x00\x04\x04\x03\x08\x04"                                                 \
	"\x00\x2d\x00\x02\x01\x01"                                                                 \
	"\x00\x1b\x00\x03\x02\x00\x02"                                                             \
	"\x00\x1c\x00\x02\x40\x01"
/* encrypted_client_hello: outer, HKDF-SHA256, AES-128-GCM, config 0xc7, enc "ENC", payload "hidden"
 */
#define EXT_ECH                                                                                    \
	"\xfe\x0d\x00\x13\x00\x00\x01\x00\x01\xc7\x00\x03"                                         \
	"ENC"                                                                                      \
	"\x00\x06"                                                                                 \
	"hidden"
/* ems, session_ticket "T", renegotiation_info, status_request, sct, alps (new): h2, early_data */
#define EXT_MORE                                                                                   \
	"\x00\x17\x00\x00"                                                                         \
	"\x00\x23\x00\x01T"                                                                        \
	"\xff\x01\x00\x01\x00"                                                                     \
	"\x00\x05\x00\x05\x01\x00\x00\x00\x00"                                                     \
	"\x00\x12\x00\x00"                                                                         \
	"\x44\xcd\x00\x05\x00\x03\x02h2"                                                           \
	"\x00\x2a\x00\x00"
/* pre_shared_key: identity "psk1" of age 7, a binder of 1 byte */
#define EXT_PSK                                                                                    \
	"\x00\x29\x00\x10\x00\x0a\x00\x04"                                                         \
	"psk1"                                                                                     \
	"\x00\x00\x00\x07"                                                                         \
	"\x00\x02\x01"                                                                             \
	"B"
#define EXTENSIONS                                                                                 \
	EXT_SNI EXT_ALPN EXT_GROUPS EXT_VERSIONS EXT_SHARES EXT_LISTS EXT_ECH EXT_MORE EXT_PSK

enum { EXTENSIONS_SIZE = sizeof(EXTENSIONS) - 1, FIXED_SIZE = sizeof(FIXED) - 1 };

static const char hello[] = FIXED "\x00\xc1" EXTENSIONS;

static void reads_a_client_hello(void **unused)
{
	struct tls_hello h;

	(void)unused;
	assert_int_equal(EXTENSIONS_SIZE, 0xc1);
	assert_true(tls_hello_parse(BYTES(hello), false, false, &h));
	assert_false(h.server || h.retry || h.ssl2);
	assert_int_equal(h.legacy_version, TLS_VERSION_1_2);
	assert_bytes(h.random, RANDOM);
	assert_bytes(h.session_id, "id");
	assert_bytes(h.ciphers, "\x1a\x1a\x13\x01\xc0\x2f");
	assert_bytes(h.compressions, "\x00");
	assert_int_equal(h.extensions.left, EXTENSIONS_SIZE);
	assert_false(rd_ok(&h.cookie));
}

static void decodes_its_lists(void **unused)
{
	struct tls_hello h;
	struct tls_hello_info i;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(hello), false, false, &h));
	tls_hello_decode(&h, &i);
	assert_true(i.sound && !i.duplicate && i.malformed == 0 && i.has_sni);
	assert_int_equal(i.extension_count, 19);
	assert_int_equal(i.grease_count, 1);
	assert_bytes(i.sni, "a.example");
	assert_bytes(i.alpn, "\x02"
			     "h2"
			     "\x08"
			     "http/1.1");
	assert_bytes(i.groups, "\x3a\x3a\x11\xec\x00\x1d");
	assert_bytes(i.versions, "\xfa\xfa\x03\x04\x03\x03");
	assert_bytes(i.signature_algorithms, "\x04\x03\x08\x04");
	assert_bytes(i.psk_modes, "\x01");
	assert_bytes(i.compress_certificate, "\x00\x02");
	assert_int_equal(i.record_size_limit, 0x4001);
	assert_bytes(i.session_ticket, "T");
	assert_bytes(i.renegotiation, "");
	assert_bytes(i.alps, "\x02h2");
	assert_int_equal(i.alps_type, TLS_EXT_ALPS);
	assert_true(i.has_extended_master_secret && i.has_status_request && i.has_sct);
	assert_true(i.has_early_data && i.status_type == 1);
	assert_false(i.has_encrypt_then_mac || rd_ok(&i.cookie) || rd_ok(&i.npn));
	assert_int_equal(tls_hello_version(&h, &i), TLS_VERSION_1_3);
}

static void decodes_shares_psk_and_ech(void **unused)
{
	struct tls_hello h;
	struct tls_hello_info i;
	struct tls_key_share share;
	struct tls_psk psk;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(hello), false, false, &h));
	tls_hello_decode(&h, &i);
	assert_true(tls_key_share_next(&i.key_shares, &share));
	assert_true(tls_is_grease(share.group) && share.key.left == 1);
	assert_true(tls_key_share_next(&i.key_shares, &share));
	assert_int_equal(share.group, 29);
	assert_bytes(share.key, "KEY");
	assert_false(tls_key_share_next(&i.key_shares, &share));
	assert_true(i.has_psk && i.psk_count == 1);
	assert_true(tls_psk_next(&i.psk_identities, &psk));
	assert_bytes(psk.identity, "psk1");
	assert_int_equal(psk.age, 7);
	assert_true(i.ech.present && i.ech.type == TLS_ECH_OUTER && i.ech.config_id == 0xc7);
	assert_true(i.ech.kdf == 1 && i.ech.aead == 1);
	assert_true(i.ech.enc_size == 3 && i.ech.payload_size == 6);
}

static void gives_what_a_cut_hello_has(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < sizeof hello - 1; n++) {
		struct rd cut = cut_copy(BYTES(hello), n);
		struct tls_hello h;
		struct tls_hello_info i;
		size_t fixed = FIXED_SIZE;

		assert_int_equal(tls_hello_parse(cut, false, false, &h), n == fixed);
		tls_hello_decode(&h, &i);
		assert_int_equal(rd_ok(&h.ciphers), n >= fixed - 2);
		assert_int_equal(h.extensions.left, n < fixed + 2 ? 0 : n - fixed - 2);
		assert_int_equal(rd_ok(&i.sni), n >= fixed + 2 + sizeof(EXT_SNI) - 1);
		assert_int_equal(i.malformed, 0);
		cut_free(cut);
	}
}

static void refuses_bytes_behind_a_hello(void **unused)
{
	struct tls_hello h;

	(void)unused;
	assert_false(tls_hello_parse(BYTES(FIXED "\x00\x00x"), false, false, &h));
	assert_true(tls_hello_parse(BYTES(FIXED "\x00\x00"), false, false, &h));
	assert_bytes(h.extensions, "");
	assert_true(tls_hello_parse(BYTES(FIXED), false, false, &h));
	assert_false(rd_ok(&h.extensions));
}

/* TLS 1.3: no session id, 1301, key_share x25519 "K", supported_versions 1.3, psk 0 selected */
static const char server[] = "\x03\x03" RANDOM "\x00\x13\x01\x00\x00\x15"
			     "\x00\x33\x00\x05\x00\x1d\x00\x01K"
			     "\x00\x2b\x00\x02\x03\x04"
			     "\x00\x29\x00\x02\x00\x00";

static void reads_a_server_hello(void **unused)
{
	struct tls_hello h;
	struct tls_hello_info i;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(server), true, false, &h));
	tls_hello_decode(&h, &i);
	assert_true(h.server && !h.retry && i.sound && i.malformed == 0);
	assert_bytes(h.ciphers, "\x13\x01");
	assert_bytes(h.session_id, "");
	assert_bytes(h.compressions, "\x00");
	assert_int_equal(i.key_share_group, 29);
	assert_bytes(i.key_shares, "\x00\x1d\x00\x01K");
	assert_true(i.has_psk && i.psk_selected == 0);
	assert_int_equal(tls_hello_version(&h, &i), TLS_VERSION_1_3);
	for (size_t n = 0; n < sizeof server - 1; n++) {
		struct rd cut = cut_copy(BYTES(server), n);
		bool bare = n == 2 + 32 + 1 + 2 + 1;

		assert_int_equal(tls_hello_parse(cut, true, false, &h), bare);
		tls_hello_decode(&h, &i);
		cut_free(cut);
	}
}

static void tells_a_retry(void **unused)
{
	/* asks for secp256r1, cookie "C", ech confirmation */
	static const char retry[] = "\x03\x03" RETRY "\x00\x13\x02\x00\x00\x1f"
				    "\x00\x2b\x00\x02\x03\x04"
				    "\x00\x33\x00\x02\x00\x17"
				    "\x00\x2c\x00\x03\x00\x01"
				    "C"
				    "\xfe\x0d\x00\x08"
				    "confirms";
	struct tls_hello h;
	struct tls_hello_info i;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(retry), true, false, &h));
	tls_hello_decode(&h, &i);
	assert_true(h.retry && i.malformed == 0);
	assert_int_equal(i.key_share_group, 23);
	assert_bytes(i.key_shares, "");
	assert_bytes(i.cookie, "C");
	assert_bytes(i.ech.confirmation, "confirms");
}

static void reads_drafts(void **unused)
{
	/* draft 18: no session id, no compression; key_share under its old number */
	static const char old[] =
			"\x7f\x12" RANDOM "\x13\x01\x00\x09\x00\x28\x00\x05\x00\x1d\x00\x01K";
	struct tls_hello h;
	struct tls_hello_info i;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(old), true, false, &h));
	tls_hello_decode(&h, &i);
	assert_false(rd_ok(&h.session_id));
	assert_bytes(h.ciphers, "\x13\x01");
	assert_int_equal(i.key_share_group, 29);
	assert_int_equal(tls_hello_version(&h, &i), 0x7f12);
	/* draft 18 and draft 19 of HelloRetryRequest */
	assert_true(tls_retry_parse(BYTES("\x7f\x12\x00\x06\x00\x28\x00\x02\x00\x17"), &h));
	tls_hello_decode(&h, &i);
	assert_true(h.retry && i.key_share_group == 23 && !rd_ok(&h.ciphers));
	assert_true(tls_retry_parse(BYTES("\x7f\x13\x13\x01\x00\x06\x00\x28\x00\x02\x00\x17"), &h));
	assert_bytes(h.ciphers, "\x13\x01");
	assert_false(tls_retry_parse(BYTES("\x7f\x13\x13"), &h));
}

static void ranks_versions(void **unused)
{
	static const uint16_t rising[] = { 0x0002, 0x0101, 0x0300, 0x0301, 0x0302, 0x0303, 0x7f12,
		0x7f1c, 0x0304 };
	struct tls_hello h = { .legacy_version = 0x0303 };
	struct tls_hello_info i = { .versions = BYTES("\x7f\x1c\x0a\x0a\x03\x03\x7f\x17") };

	(void)unused;
	for (size_t n = 1; n < sizeof rising / sizeof rising[0]; n++)
		assert_true(tls_version_compare(rising[n - 1], rising[n]) < 0);
	assert_true(tls_version_compare(TLS_VERSION_DTLS_1_0, TLS_VERSION_DTLS_1_2) < 0);
	assert_int_equal(tls_version_compare(TLS_VERSION_DTLS_1_2, TLS_VERSION_1_2), 0);
	assert_int_equal(tls_version_compare(TLS_VERSION_DTLS_1_3, TLS_VERSION_1_3), 0);
	assert_true(tls_version_compare(TLS_VERSION_DTLS_OLD, TLS_VERSION_DTLS_1_0) < 0);
	assert_true(tls_version_is_13(0xfb1a) && tls_version_is_13(0x7f17));
	assert_true(tls_version_is_13(TLS_VERSION_DTLS_1_3) && !tls_version_is_13(0x0303));
	assert_int_equal(tls_hello_version(&h, &i), 0x7f1c);
	i.versions = BYTES("\x0a\x0a");
	assert_int_equal(tls_hello_version(&h, &i), 0x0303);
	assert_true(tls_is_grease(0x0a0a) && tls_is_grease(0xfafa));
	assert_false(tls_is_grease(0x0a1a) || tls_is_grease(0x0b0b));
}

static void reads_a_cookie_of_dtls(void **unused)
{
	static const char dtls[] = "\xfe\xfd" RANDOM "\x00\x02"
				   "ck"
				   "\x00\x02\xc0\x2b\x01\x00";
	struct tls_hello h;

	(void)unused;
	assert_true(tls_hello_parse(BYTES(dtls), false, true, &h));
	assert_bytes(h.cookie, "ck");
	assert_bytes(h.ciphers, "\xc0\x2b");
	for (size_t n = 0; n < sizeof dtls - 1; n++) {
		struct rd cut = cut_copy(BYTES(dtls), n);

		assert_false(tls_hello_parse(cut, false, true, &h));
		cut_free(cut);
	}
}

/* 9 + 6 + 16 bytes: TLS 1.0, ciphers 010080 000004, no session id, challenge */
static const char ssl2_client[] = "\x80\x1f\x01\x03\x01\x00\x06\x00\x00\x00\x10"
				  "\x01\x00\x80\x00\x00\x04"
				  "CCCCCCCCCCCCCCCC";
/* 11 + 4 + 3 + 2 bytes: no hit, X.509 "cert", cipher 010080, connection id "id" */
static const char ssl2_server[] = "\x80\x14\x04\x00\x01\x00\x02\x00\x04\x00\x03\x00\x02"
				  "cert\x01\x00\x80id";

static void reads_ssl2_hellos(void **unused)
{
	struct tls_hello h;

	(void)unused;
	assert_true(tls_ssl2_hello_parse(BYTES(ssl2_client), &h));
	assert_true(h.ssl2 && !h.server && h.legacy_version == TLS_VERSION_1_0);
	assert_bytes(h.ciphers, "\x01\x00\x80\x00\x00\x04");
	assert_bytes(h.random, "CCCCCCCCCCCCCCCC");
	assert_bytes(h.session_id, "");
	assert_true(tls_ssl2_hello_parse(BYTES(ssl2_server), &h));
	assert_true(h.ssl2 && h.server && h.legacy_version == TLS_VERSION_SSL2);
	assert_bytes(h.certificate, "cert");
	assert_bytes(h.ciphers, "\x01\x00\x80");
	assert_bytes(h.random, "id");
	for (size_t n = 0; n < sizeof ssl2_client - 1; n++) {
		struct rd cut = cut_copy(BYTES(ssl2_client), n);

		assert_false(tls_ssl2_hello_parse(cut, &h));
		cut_free(cut);
	}
	for (size_t n = 0; n < sizeof ssl2_server - 1; n++) {
		struct rd cut = cut_copy(BYTES(ssl2_server), n);

		assert_false(tls_ssl2_hello_parse(cut, &h));
		cut_free(cut);
	}
}

/* One extension alone in a ClientHello, or a ServerHello. */
static struct tls_hello_info decode(struct rd extension, bool from_server)
{
	struct tls_hello h = { .server = from_server, .extensions = extension };
	struct tls_hello_info i;

	tls_hello_decode(&h, &i);
	assert_true(i.sound);
	return i;
}

static void decodes_what_servers_say(void **unused)
{
	struct tls_hello_info i;

	(void)unused;
	i = decode(BYTES("\x00\x00\x00\x00"
			 "\x00\x10\x00\x05\x00\x03\x02h2"),
			true);
	assert_true(i.has_sni && !rd_ok(&i.sni) && i.malformed == 0);
	assert_bytes(i.alpn, "\x02h2");
	i = decode(BYTES("\x33\x74\x00\x06\x02h2\x02h1"
			 "\x00\x14\x00\x01\x02"),
			true);
	assert_bytes(i.npn, "\x02h2\x02h1");
	assert_bytes(i.server_certificate_types, "\x02");
	i = decode(BYTES("\x00\x0e\x00\x05\x00\x02\x00\x07\x00"
			 "\x00\x36\x00\x03\x02id"),
			true);
	assert_bytes(i.srtp_profiles, "\x00\x07");
	assert_bytes(i.srtp_mki, "");
	assert_bytes(i.connection_id, "id");
	i = decode(BYTES("\x00\x12\x00\x04\x00\x02"
			 "ts"
			 "\x00\x05\x00\x00"),
			true);
	assert_bytes(i.scts, "ts");
	assert_true(i.has_status_request);
}

static void decodes_rarer_extensions(void **unused)
{
	struct tls_hello_info i;

	(void)unused;
	i = decode(BYTES("\x00\x01\x00\x01\x02"
			 "\x00\x0f\x00\x01\x01"
			 "\x00\x15\x00\x03\0\0\0"),
			false);
	assert_true(i.max_fragment_length == 2 && i.heartbeat == 1);
	assert_true(i.has_padding && i.padding_size == 3);
	i = decode(BYTES("\x00\x39\x00\x02QP"
			 "\xff\xa5\x00\x02qp"),
			false);
	assert_bytes(i.quic_parameters, "QP");
	assert_false(i.quic_parameters_draft);
	i = decode(BYTES("\xff\xa5\x00\x02qp"
			 "\x44\x69\x00\x05\x00\x03\x02h2"),
			false);
	assert_bytes(i.quic_parameters, "qp");
	assert_true(i.quic_parameters_draft && i.alps_type == TLS_EXT_ALPS_OLD);
	i = decode(BYTES("\x00\x18\x00\x04\x01\x00\x01\x02"
			 "\x00\x22\x00\x04\x00\x02\x04\x03"),
			false);
	assert_true(i.has_token_binding);
	assert_bytes(i.token_binding, "\x02");
	assert_bytes(i.delegated_credentials, "\x04\x03");
	i = decode(BYTES("\x00\x2f\x00\x05\x00\x03\x00\x01"
			 "D"
			 "\x00\x31\x00\x00"
			 "\xfe\x0d\x00\x01\x01"),
			false);
	assert_bytes(i.certificate_authorities, "\x00\x01"
						"D");
	assert_true(i.has_post_handshake_auth && i.ech.type == TLS_ECH_INNER);
}

static void marks_malformed_insides(void **unused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} odd[] = {
		{ "\x00\x00\x00\x00", 4 },                      /* SNI without a list */
		{ "\x00\x00\x00\x05\x00\x04\x00\x00\x02z", 9 }, /* name reaches out */
		{ "\x00\x0a\x00\x03\x00\x01\x01", 7 },          /* half a group */
		{ "\x00\x0a\x00\x02\x00\x02", 6 },              /* list reaches out */
		{ "\x00\x10\x00\x04\x00\x02\x05x", 8 },         /* protocol reaches out */
		{ "\x00\x1c\x00\x01\x01", 5 },                  /* number too short */
		{ "\x00\x2b\x00\x04\x02\x03\x04\x00", 8 },      /* bytes behind the list */
		{ "\x00\x33\x00\x05\x00\x03\x00\x1d\x00", 9 },  /* share cut */
		{ "\x00\x29\x00\x04\x00\x02\x00\x04", 8 },      /* identity cut */
		{ "\xfe\x0d\x00\x01\x02", 5 },                  /* ECH of a third type */
		{ "\xff\x01\x00\x00", 4 },                      /* renegotiation without a size */
	};

	(void)unused;
	for (size_t n = 0; n < sizeof odd / sizeof odd[0]; n++) {
		struct rd r = cut_copy((struct rd){ (const uint8_t *)odd[n].bytes, odd[n].size },
				odd[n].size);
		struct tls_hello_info i = decode(r, false);

		assert_int_equal(i.malformed, 1);
		assert_false(rd_ok(&i.sni) || rd_ok(&i.groups) || rd_ok(&i.alpn));
		assert_false(rd_ok(&i.versions) || rd_ok(&i.key_shares) || rd_ok(&i.renegotiation));
		cut_free(r);
	}
}

static void marks_duplicates(void **unused)
{
	struct tls_hello_info i = decode(BYTES("\x00\x1c\x00\x02\x00\x01"
					       "\x00\x1c\x00\x02\x00\x02"),
			false);

	(void)unused;
	assert_true(i.duplicate && i.record_size_limit == 1);
	i = decode(BYTES("\x99\x99\x00\x00"
			 "\x99\x98\x00\x00"),
			false);
	assert_false(i.duplicate);
	i = decode(BYTES("\x99\x99\x00\x00"
			 "\x99\x98\x00\x00"
			 "\x99\x99\x00\x00"),
			false);
	assert_true(i.duplicate);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_client_hello),
		cmocka_unit_test(decodes_its_lists),
		cmocka_unit_test(decodes_shares_psk_and_ech),
		cmocka_unit_test(gives_what_a_cut_hello_has),
		cmocka_unit_test(refuses_bytes_behind_a_hello),
		cmocka_unit_test(reads_a_server_hello),
		cmocka_unit_test(tells_a_retry),
		cmocka_unit_test(reads_drafts),
		cmocka_unit_test(ranks_versions),
		cmocka_unit_test(reads_a_cookie_of_dtls),
		cmocka_unit_test(reads_ssl2_hellos),
		cmocka_unit_test(decodes_what_servers_say),
		cmocka_unit_test(decodes_rarer_extensions),
		cmocka_unit_test(marks_malformed_insides),
		cmocka_unit_test(marks_duplicates),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
