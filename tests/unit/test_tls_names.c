/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_names.c - the generated tables: sorted, whole, and right where one can say so. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/tls_names.h"

static void names_what_networks_carry(void **unused)
{
	(void)unused;
	assert_string_equal(tls_cipher_name(0x1301), "TLS_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0xc02f), "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256");
	assert_string_equal(tls_cipher_name(0x00ff), "TLS_EMPTY_RENEGOTIATION_INFO_SCSV");
	assert_string_equal(tls_name(TLS_SSL2_CIPHERS, 0x0700c0), "SSL2_DES_192_EDE3_CBC_WITH_MD5");
	assert_string_equal(tls_extension_name(0xfe0d), "encrypted_client_hello");
	assert_string_equal(tls_extension_name(0x44cd), "application_settings");
	assert_string_equal(tls_extension_name(34), "delegated_credential");
	assert_string_equal(tls_group_name(0x11ec), "X25519MLKEM768");
	assert_string_equal(tls_group_name(0x11eb), "SecP256r1MLKEM768");
	assert_string_equal(tls_group_name(0x11ed), "SecP384r1MLKEM1024");
	assert_string_equal(tls_group_name(0x0202), "MLKEM1024");
	assert_string_equal(tls_signature_name(0x0905), "mldsa65");
	assert_string_equal(tls_alert_name(121), "ech_required");
	assert_string_equal(tls_handshake_name(25), "compressed_certificate");
	assert_string_equal(tls_content_name(22), "handshake");
	assert_string_equal(tls_version_name(0x0304), "TLS 1.3");
	assert_string_equal(tls_version_name(0x7f1c), "TLS 1.3 draft 28");
	assert_string_equal(tls_version_name(0xfefd), "DTLS 1.2");
	assert_string_equal(tls_compress_name(2), "brotli");
	assert_string_equal(tls_psk_mode_name(1), "psk_dhe_ke");
	assert_string_equal(tls_point_format_name(0), "uncompressed");
	assert_string_equal(tls_hpke_kem_name(0x20), "DHKEM(X25519, HKDF-SHA256)");
	assert_string_equal(tls_hpke_kdf_name(1), "HKDF-SHA256");
	assert_string_equal(tls_hpke_aead_name(3), "ChaCha20Poly1305");
	assert_string_equal(tls_name(TLS_CLIENT_CERTS, 64), "ecdsa_sign");
	assert_string_equal(tls_name(TLS_CERT_STATUS, 1), "ocsp");
	assert_string_equal(tls_name(TLS_QUIC_PARAMETERS, 0x2ab2), "grease_quic_bit");
	assert_string_equal(tls_name(TLS_QUIC_PARAMETERS, 0x17f7586d2cb571), "reset_stream_at");
	assert_string_equal(quic_error_name(0x0a), "PROTOCOL_VIOLATION");
}

static void unknown_is_null(void **unused)
{
	(void)unused;
	assert_null(tls_cipher_name(0x4242));
	assert_null(tls_name(TLS_CIPHERS, 0x10000 + 0x1301));
	assert_null(tls_extension_name(9999));
	assert_null(quic_error_name(0x200));
	assert_null(tls_name(TLS_QUIC_PARAMETERS, UINT64_MAX)); /* 31 * N + 15 */
	assert_null(tls_cipher_find(0x4242));
	assert_null(tls_cipher_find(0x00ff));
	assert_null(tls_cipher_find(0x5600));
	assert_null(tls_cipher_find(0x1a1a));
	assert_null(tls_group_find(0x1a1a));
	assert_null(tls_group_find(0x4242));
	assert_int_equal(tls_cipher_key_exchange(0x4242), TLS_EXCHANGE_UNKNOWN);
	assert_string_equal(tls_exchange_name((enum tls_exchange)99), "unknown");
	assert_string_equal(tls_auth_name((enum tls_auth)99), "unknown");
}

/* Numbers in their order find the rows of a table in theirs, one behind the other. */
static void finds_every_row(void **unused)
{
	static const enum tls_registry wide[] = { TLS_SSL2_CIPHERS, TLS_QUIC_PARAMETERS,
		TLS_QUIC_ERRORS };

	(void)unused;
	for (enum tls_registry r = 0; r < TLS_REGISTRIES; r++) {
		const struct tls_name *before = NULL;

		for (uint64_t v = 0; v <= 0xffff; v++) {
			const struct tls_name *n = tls_name_find(r, v);

			if (n == NULL || r == wide[0] || r == wide[1] || r == wide[2])
				continue;
			assert_int_equal(n->value, v);
			assert_true(before == NULL || n == before + 1);
			before = n;
		}
	}
}

static void says_where_a_number_comes_from(void **unused)
{
	(void)unused;
	assert_int_equal(tls_name_find(TLS_CIPHERS, 0xcc13)->origin, TLS_ORIGIN_DRAFT);
	assert_int_equal(tls_name_find(TLS_CIPHERS, 0xcca8)->origin, TLS_ORIGIN_IANA);
	assert_int_equal(tls_name_find(TLS_GROUPS, 0x6399)->origin, TLS_ORIGIN_DRAFT);
	assert_int_equal(tls_name_find(TLS_SSL2_CIPHERS, 0x010080)->origin, TLS_ORIGIN_PRIVATE);
	for (unsigned i = 0; i < 16; i++) {
		uint16_t v = (uint16_t)(0x0a0a + 0x1010 * i);

		assert_string_equal(tls_cipher_name(v), "GREASE");
		assert_string_equal(tls_extension_name(v), "GREASE");
		assert_string_equal(tls_group_name(v), "GREASE");
		assert_string_equal(tls_signature_name(v), "GREASE");
		assert_string_equal(tls_version_name(v), "GREASE");
		assert_int_equal(tls_name_find(TLS_CIPHERS, v)->origin, TLS_ORIGIN_GREASE);
	}
	assert_string_equal(tls_name(TLS_QUIC_PARAMETERS, 31ull * 123456789 + 27), "GREASE");
	for (uint64_t code = 0x100; code < 0x200; code++)
		assert_string_equal(quic_error_name(code), "CRYPTO_ERROR");
}

static void knows_what_is_recommended(void **unused)
{
	(void)unused;
	assert_true(tls_cipher_recommended(0x1301));
	assert_false(tls_cipher_recommended(0x1305));
	assert_true(tls_cipher_recommended(0xc02b));
	assert_false(tls_cipher_recommended(0x002f));
	assert_false(tls_cipher_recommended(0x4242));
	assert_int_equal(tls_name_find(TLS_CIPHERS, 0xc007)->recommended, 'D');
	assert_int_equal(tls_name_find(TLS_GROUPS, 1)->recommended, 'D');
	assert_int_equal(tls_name_find(TLS_GROUPS, 0x11ec)->recommended, 'Y');
	assert_int_equal(tls_name_find(TLS_CIPHERS, 0xcc13)->recommended, 0);
}

/* A row is suite, kx, auth, bits, aead, cipher, mac, prf. */
static void takes_ciphersuites_apart(void **unused)
{
	static const struct tls_cipher expected[] = {
		{ 0x0000, TLS_EXCHANGE_NULL, TLS_AUTH_NULL, 0, false, "NULL", "NULL", NULL },
		{ 0x0003, TLS_EXCHANGE_RSA_EXPORT, TLS_AUTH_RSA, 40, false, "RC4_40", "MD5",
				"SHA256" },
		{ 0x000a, TLS_EXCHANGE_RSA, TLS_AUTH_RSA, 168, false, "3DES_EDE_CBC", "SHA",
				"SHA256" },
		{ 0x001a, TLS_EXCHANGE_DHE, TLS_AUTH_ANON, 56, false, "DES_CBC", "SHA", "SHA256" },
		{ 0x0031, TLS_EXCHANGE_DH, TLS_AUTH_RSA, 128, false, "AES_128_CBC", "SHA",
				"SHA256" },
		{ 0x00b7, TLS_EXCHANGE_RSA_PSK, TLS_AUTH_RSA, 256, false, "AES_256_CBC", "SHA384",
				"SHA384" },
		{ 0x00c6, TLS_EXCHANGE_TLS13, TLS_AUTH_TLS13, 128, true, "SM4_GCM", "AEAD", "SM3" },
		{ 0x1302, TLS_EXCHANGE_TLS13, TLS_AUTH_TLS13, 256, true, "AES_256_GCM", "AEAD",
				"SHA384" },
		{ 0x1305, TLS_EXCHANGE_TLS13, TLS_AUTH_TLS13, 128, true, "AES_128_CCM_8", "AEAD",
				"SHA256" },
		{ 0xc01a, TLS_EXCHANGE_SRP, TLS_AUTH_SRP, 168, false, "3DES_EDE_CBC", "SHA",
				"SHA256" },
		{ 0xc028, TLS_EXCHANGE_ECDHE, TLS_AUTH_RSA, 256, false, "AES_256_CBC", "SHA384",
				"SHA384" },
		{ 0xc0a4, TLS_EXCHANGE_PSK, TLS_AUTH_PSK, 128, true, "AES_128_CCM", "AEAD",
				"SHA256" },
		{ 0xc0ab, TLS_EXCHANGE_DHE_PSK, TLS_AUTH_PSK, 256, true, "AES_256_CCM_8", "AEAD",
				"SHA256" },
		{ 0xc0b4, TLS_EXCHANGE_TLS13, TLS_AUTH_TLS13, 0, false, "NULL", "SHA256",
				"SHA256" },
		{ 0xc100, TLS_EXCHANGE_GOST, TLS_AUTH_GOST, 256, false, "KUZNYECHIK_CTR", "OMAC",
				"STREEBOG256" },
		{ 0xc103, TLS_EXCHANGE_TLS13, TLS_AUTH_TLS13, 256, true, "KUZNYECHIK_MGM_L", "AEAD",
				"STREEBOG256" },
		{ 0xccac, TLS_EXCHANGE_ECDHE_PSK, TLS_AUTH_PSK, 256, true, "CHACHA20_POLY1305",
				"AEAD", "SHA256" },
		{ 0xe013, TLS_EXCHANGE_SM2, TLS_AUTH_SM2, 128, false, "SM4_CBC", "SM3", "SM3" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof expected / sizeof expected[0]; i++) {
		const struct tls_cipher *e = &expected[i], *c = tls_cipher_find(e->value);

		assert_non_null(c);
		assert_int_equal(c->value, e->value);
		assert_int_equal(c->kx, e->kx);
		assert_int_equal(c->auth, e->auth);
		assert_int_equal(c->bits, e->bits);
		assert_int_equal(c->aead, e->aead);
		assert_string_equal(c->cipher, e->cipher);
		assert_string_equal(c->mac, e->mac);
		assert_true((c->prf == NULL) == (e->prf == NULL));
		assert_true(c->prf == NULL || strcmp(c->prf, e->prf) == 0);
	}
}

/* Every suite has a name, and the name holds its cipher. */
static void ciphers_and_names_agree(void **unused)
{
	size_t named = 0;

	(void)unused;
	for (unsigned suite = 0; suite <= 0xffff; suite++) {
		const struct tls_cipher *c = tls_cipher_find((uint16_t)suite);
		const char *name = tls_cipher_name((uint16_t)suite);

		named += name != NULL;
		if (c == NULL)
			continue;
		assert_int_equal(c->value, suite);
		assert_non_null(name);
		assert_true(strstr(name, c->cipher) != NULL || suite == 0xc0b4 || suite == 0xc0b5);
		assert_true((c->bits == 0) == (strcmp(c->cipher, "NULL") == 0));
		assert_true(c->kx < TLS_EXCHANGE_COUNT && c->auth < TLS_AUTH_COUNT);
		assert_non_null(tls_exchange_name((enum tls_exchange)c->kx));
		assert_non_null(tls_auth_name((enum tls_auth)c->auth));
	}
	assert_true(named > 400);
}

static void knows_groups(void **unused)
{
	const struct tls_group *g;

	(void)unused;
	g = tls_group_find(23);
	assert_true(g != NULL && g->bits == 256 && g->kem == 0 && !g->post_quantum);
	g = tls_group_find(25);
	assert_int_equal(g->bits, 521);
	g = tls_group_find(29);
	assert_int_equal(g->bits, 255);
	g = tls_group_find(0x0102);
	assert_true(g->finite_field && g->bits == 4096);
	g = tls_group_find(0x11ec);
	assert_true(g->post_quantum && g->bits == 255 && g->kem == 768);
	g = tls_group_find(0x0200);
	assert_true(g->post_quantum && g->bits == 0 && g->kem == 512);
}

static const char *alpn(const char *id)
{
	return alpn_description((struct rd){ (const uint8_t *)id, strlen(id) });
}

static void describes_alpn(void **unused)
{
	(void)unused;
	assert_string_equal(alpn("h2"), "HTTP/2 over TLS");
	assert_string_equal(alpn("http/1.1"), "HTTP/1.1");
	assert_string_equal(alpn("xmpp-server"), "XMPP jabber:server namespace");
	assert_string_equal(alpn("acme-tls/1"), "acme-tls/1");
	assert_string_equal(alpn("\x4a\x4a"), "GREASE");
	assert_null(alpn(""));
	assert_null(alpn("h"));
	assert_null(alpn("h22"));
	assert_null(alpn("zzz"));
	assert_null(alpn_description((struct rd){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_networks_carry),
		cmocka_unit_test(unknown_is_null),
		cmocka_unit_test(finds_every_row),
		cmocka_unit_test(says_where_a_number_comes_from),
		cmocka_unit_test(knows_what_is_recommended),
		cmocka_unit_test(takes_ciphersuites_apart),
		cmocka_unit_test(ciphers_and_names_agree),
		cmocka_unit_test(knows_groups),
		cmocka_unit_test(describes_alpn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
