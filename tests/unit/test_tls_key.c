/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_key.c - key exchange messages of every key exchange, whole and cut. */
#include "unit/cut_kit.h"

#include "proto/tls_key.h"
#include "proto/tls_record.h"

enum { V10 = TLS_VERSION_1_0, V12 = TLS_VERSION_1_2 };

/* p of 9 bits, g 2, Ys 7 */
#define DH                                                                                         \
	"\x00\x02\x01\x55"                                                                         \
	"\x00\x01\x02"                                                                             \
	"\x00\x01\x07"
/* secp256r1, a point of three bytes */
#define EC                                                                                         \
	"\x03\x00\x17"                                                                             \
	"\x03"                                                                                     \
	"\x04xy"
/* prime curve: p of 8 bits; a, b, base, order, cofactor; point */
#define EC_PRIME                                                                                   \
	"\x01"                                                                                     \
	"\x01\xfb"                                                                                 \
	"\x01"                                                                                     \
	"a\x01"                                                                                    \
	"b\x01"                                                                                    \
	"g\x01"                                                                                    \
	"n\x01"                                                                                    \
	"h"                                                                                        \
	"\x03"                                                                                     \
	"\x04xy"
/* characteristic 2 of 163 bits, pentanomial; the same behind it */
#define EC_CHAR2                                                                                   \
	"\x02\x00\xa3\x02"                                                                         \
	"\x01\x07\x01\x06\x01\x03"                                                                 \
	"\x01"                                                                                     \
	"a\x01"                                                                                    \
	"b\x01"                                                                                    \
	"g\x01"                                                                                    \
	"n\x01"                                                                                    \
	"h"                                                                                        \
	"\x03"                                                                                     \
	"\x04xy"
#define SIGNATURE "\x00\x03sig"
#define HINT      "\x00\x02hi"

static const struct server_case {
	struct rd bytes;
	enum tls_kx kx;
	uint16_t version, curve, scheme;
	uint32_t bits, public_bits;
} servers[] = {
	{ BYTES(DH SIGNATURE), TLS_KX_DHE, V10, 0, 0, 9, 3 },
	{ BYTES(DH "\x04\x01" SIGNATURE), TLS_KX_DHE, V12, 0, 0x0401, 9, 3 },
	{ BYTES(DH), TLS_KX_DH_ANON, V12, 0, 0, 9, 3 },
	{ BYTES(HINT DH), TLS_KX_DHE_PSK, V12, 0, 0, 9, 3 },
	{ BYTES(EC SIGNATURE), TLS_KX_ECDHE, TLS_VERSION_DTLS_1_0, 23, 0, 0, 24 },
	{ BYTES(EC "\x04\x03" SIGNATURE), TLS_KX_ECDHE, TLS_VERSION_DTLS_1_2, 23, 0x0403, 0, 24 },
	{ BYTES(EC), TLS_KX_ECDH_ANON, V12, 23, 0, 0, 24 },
	{ BYTES(EC_PRIME SIGNATURE), TLS_KX_ECDHE, V10, 0, 0, 8, 24 },
	{ BYTES(EC_CHAR2 SIGNATURE), TLS_KX_ECDHE, V10, 0, 0, 163, 24 },
	{ BYTES(HINT EC), TLS_KX_ECDHE_PSK, V12, 23, 0, 0, 24 },
	{ BYTES(HINT), TLS_KX_PSK, V12, 0, 0, 0, 0 },
	{ BYTES(HINT), TLS_KX_RSA_PSK, V12, 0, 0, 0, 0 },
	{ BYTES("\x00\x02\x02\x01"
		"\x00\x01\x03" SIGNATURE),
			TLS_KX_RSA_EXPORT, V10, 0, 0, 10, 0 },
	{ BYTES("\x00\x01\xff"
		"\x00\x01\x02"
		"\x01s"
		"\x00\x01\x40"),
			TLS_KX_SRP, V12, 0, 0, 8, 7 },
	{ BYTES("\x00\x01\xff"
		"\x00\x01\x02"
		"\x01s"
		"\x00\x01\x40" SIGNATURE),
			TLS_KX_SRP_SIGNED, V10, 0, 0, 8, 7 },
	{ BYTES(SIGNATURE), TLS_KX_SM2, TLS_VERSION_TLCP, 0, 0, 0, 0 },
	{ BYTES(EC SIGNATURE), TLS_KX_SM2_ECDHE, TLS_VERSION_TLCP, 23, 0, 0, 24 },
};

static void reads_servers(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof servers / sizeof servers[0]; i++) {
		const struct server_case *c = &servers[i];
		struct tls_server_key key;

		assert_true(tls_key_exchange_server(c->bytes, c->kx, c->version, &key));
		assert_int_equal(key.bits, c->bits);
		assert_int_equal(key.public_bits, c->public_bits);
		assert_int_equal(key.curve, c->curve);
		assert_int_equal(key.scheme, c->scheme);
		for (size_t n = 0; n < c->bytes.left; n++) {
			struct rd cut = cut_copy(c->bytes, n);

			assert_false(tls_key_exchange_server(cut, c->kx, c->version, &key));
			cut_free(cut);
		}
	}
}

static void gives_the_parts(void **unused)
{
	struct tls_server_key key;

	(void)unused;
	assert_true(tls_key_exchange_server(BYTES(DH "\x04\x01" SIGNATURE), TLS_KX_DHE, V12, &key));
	assert_bytes(key.prime, "\x01\x55");
	assert_bytes(key.generator, "\x02");
	assert_bytes(key.public_value, "\x07");
	assert_bytes(key.signature, "sig");
	assert_true(tls_key_exchange_server(BYTES(HINT EC), TLS_KX_ECDHE_PSK, V12, &key));
	assert_bytes(key.hint, "hi");
	assert_bytes(key.public_value, "\x04xy");
	assert_int_equal(key.curve_type, TLS_CURVE_NAMED);
	assert_false(rd_ok(&key.signature));
}

static void refuses_other_servers(void **unused)
{
	struct tls_server_key key;

	(void)unused;
	assert_false(tls_key_exchange_server(
			BYTES("\x04\x00\x17\x01x"), TLS_KX_ECDH_ANON, V12, &key));
	assert_false(tls_key_exchange_server(BYTES(DH "x"), TLS_KX_DH_ANON, V12, &key));
	assert_false(tls_key_exchange_server(BYTES(DH), TLS_KX_TLS13, V12, &key));
	assert_false(tls_key_exchange_server(BYTES(DH), TLS_KX_UNKNOWN, V12, &key));
	assert_false(tls_key_exchange_server(
			BYTES("\x02\x00\xa3\x03\x01\x07"), TLS_KX_ECDH_ANON, V12, &key));
}

static const struct client_case {
	struct rd bytes;
	enum tls_kx kx;
	uint16_t version;
	struct rd value;
	uint32_t bits;
} clients[] = {
	{ BYTES("\x00\x03"
		"enc"),
			TLS_KX_RSA, V10, BYTES("enc"), 24 },
	{ BYTES("\x00\x02\x00\x05"), TLS_KX_DHE, V12, BYTES("\x00\x05"), 3 },
	{ BYTES("\x00\x02\x00\x05"), TLS_KX_DH_ANON, V12, BYTES("\x00\x05"), 3 },
	{ BYTES("\x03\x04xy"), TLS_KX_ECDHE, V12, BYTES("\x04xy"), 24 },
	{ BYTES("\x00\x02id"), TLS_KX_PSK, V12, BYTES(""), 0 },
	{ BYTES("\x00\x02id\x00\x01\x05"), TLS_KX_DHE_PSK, V12, BYTES("\x05"), 3 },
	{ BYTES("\x00\x02id\x01x"), TLS_KX_ECDHE_PSK, V12, BYTES("x"), 8 },
	{ BYTES("\x00\x02id\x00\x01x"), TLS_KX_RSA_PSK, V12, BYTES("x"), 8 },
	{ BYTES("\x00\x01\x80"), TLS_KX_SRP, V12, BYTES("\x80"), 8 },
	{ BYTES("\x00\x02id"
		"\x00\x00"
		"\x00\x02xy"),
			TLS_KX_KRB5, V10, BYTES("xy"), 16 },
	{ BYTES("\x00\x02xy"), TLS_KX_SM2, TLS_VERSION_TLCP, BYTES("xy"), 16 },
	{ BYTES("\x03\x00\x29\x02xy"), TLS_KX_SM2_ECDHE, TLS_VERSION_TLCP, BYTES("xy"), 16 },
};

static void reads_clients(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof clients / sizeof clients[0]; i++) {
		const struct client_case *c = &clients[i];
		bool static_key = c->kx == TLS_KX_DHE || c->kx == TLS_KX_ECDHE;
		struct tls_client_key key;

		assert_true(tls_key_exchange_client(c->bytes, c->kx, c->version, &key));
		assert_int_equal(key.bits, c->bits);
		assert_int_equal(key.value.left, c->value.left);
		assert_memory_equal(key.value.p, c->value.p, c->value.left);
		assert_int_equal(rd_ok(&key.identity), key.identity.left == 2);
		for (size_t n = 0; n < c->bytes.left; n++) {
			struct rd cut = cut_copy(c->bytes, n);
			bool read = tls_key_exchange_client(cut, c->kx, c->version, &key);

			assert_int_equal(read, static_key && n == 0);
			cut_free(cut);
		}
	}
}

static void takes_bodies_without_a_shape(void **unused)
{
	struct tls_client_key key;

	(void)unused;
	assert_true(tls_key_exchange_client(BYTES("0123"), TLS_KX_RSA, TLS_VERSION_SSL3, &key));
	assert_true(key.bits == 32 && key.value.left == 4);
	assert_true(tls_key_exchange_client(BYTES("0123"), TLS_KX_GOST, V12, &key));
	assert_int_equal(key.bits, 32);
	assert_false(tls_key_exchange_client(BYTES("0123"), TLS_KX_UNKNOWN, V12, &key));
	assert_true(key.bits == 32 && key.value.left == 4);
	assert_false(tls_key_exchange_client(BYTES("\x00\x02id-"), TLS_KX_PSK, V12, &key));
}

static void knows_ciphersuites(void **unused)
{
	static const struct {
		uint16_t suite;
		enum tls_kx kx;
	} some[] = {
		{ 0x0000, TLS_KX_NONE },
		{ 0x0003, TLS_KX_RSA_EXPORT },
		{ 0x000d, TLS_KX_DH },
		{ 0x0016, TLS_KX_DHE },
		{ 0x0018, TLS_KX_DH_ANON },
		{ 0x002f, TLS_KX_RSA },
		{ 0x008d, TLS_KX_PSK },
		{ 0x0094, TLS_KX_RSA_PSK },
		{ 0x00aa, TLS_KX_DHE_PSK },
		{ 0x1301, TLS_KX_TLS13 },
		{ 0x1305, TLS_KX_TLS13 },
		{ 0xc005, TLS_KX_ECDH },
		{ 0xc018, TLS_KX_ECDH_ANON },
		{ 0xc01d, TLS_KX_SRP },
		{ 0xc01e, TLS_KX_SRP_SIGNED },
		{ 0xc02f, TLS_KX_ECDHE },
		{ 0xcca9, TLS_KX_ECDHE },
		{ 0xccac, TLS_KX_ECDHE_PSK },
		{ 0xe013, TLS_KX_SM2 },
		{ 0xc102, TLS_KX_GOST },
		{ 0xffe1, TLS_KX_RSA },
		{ 0x1300, TLS_KX_UNKNOWN },
		{ 0x1306, TLS_KX_UNKNOWN },
		{ 0xffff, TLS_KX_UNKNOWN },
		{ 0x0a0a, TLS_KX_UNKNOWN },
		{ 0x00ff, TLS_KX_NONE },
		{ 0x001e, TLS_KX_KRB5 },
	};
	unsigned known = 0;

	(void)unused;
	for (size_t i = 0; i < sizeof some / sizeof some[0]; i++)
		assert_int_equal(tls_cipher_kx(some[i].suite), some[i].kx);
	for (unsigned suite = 0; suite <= 0xffff; suite++)
		known += tls_cipher_kx((uint16_t)suite) != TLS_KX_UNKNOWN;
	assert_in_range(known, 350, 450);
	for (unsigned kx = 0; kx <= TLS_KX_TLS13; kx++)
		assert_non_null(tls_kx_name((enum tls_kx)kx));
	assert_string_equal(tls_kx_name(TLS_KX_ECDHE), "ecdhe");
	assert_string_equal(tls_kx_name((enum tls_kx)99), "unknown");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_servers),
		cmocka_unit_test(gives_the_parts),
		cmocka_unit_test(refuses_other_servers),
		cmocka_unit_test(reads_clients),
		cmocka_unit_test(takes_bodies_without_a_shape),
		cmocka_unit_test(knows_ciphersuites),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
