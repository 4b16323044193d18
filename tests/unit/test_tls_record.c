/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_record.c - record heads, and what looks like the beginning of TLS. */
#include "unit/cut_kit.h"

#include "proto/tls_record.h"

/* handshake, TLS 1.0, 512 bytes: ClientHello of 508 bytes, TLS 1.2 */
#define CLIENT_HELLO "\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"
/* handshake, TLS 1.2, 100 bytes: ServerHello of 96 bytes, TLS 1.2 */
#define SERVER_HELLO "\x16\x03\x03\x00\x64\x02\x00\x00\x60\x03\x03"
/* 46 bytes: ClientHello, TLS 1.0, 21 bytes of ciphers, no id, challenge of 16 */
#define SSL2_HELLO   "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x10"
/* 35 bytes: ServerHello, no hit, X.509, SSL 2, certificate of 5 */
#define SSL2_SERVER  "\x80\x23\x04\x00\x01\x00\x02\x00\x05\x00\x03"

static void reads_a_head(void **unused)
{
	struct tls_record rec;

	(void)unused;
	assert_true(tls_record_head(BYTES("\x17\x03\x03\x00\x03"
					  "abcd"),
			&rec));
	assert_int_equal(rec.type, TLS_APPLICATION_DATA);
	assert_int_equal(rec.version, TLS_VERSION_1_2);
	assert_int_equal(rec.size, 3);
	assert_bytes(rec.body, "abc");
	assert_true(tls_record_head(BYTES("\x17\x03\x03\x48\x00"
					  "ab"),
			&rec));
	assert_int_equal(rec.size, TLS_RECORD_MAX);
	assert_int_equal(rec.body.left, 2);
}

static void refuses_other_heads(void **unused)
{
	struct tls_record rec;

	(void)unused;
	assert_false(tls_record_head(BYTES("\x13\x03\x03\x00\x03"), &rec)); /* type */
	assert_false(tls_record_head(BYTES("\x19\x03\x03\x00\x03"), &rec));
	assert_false(tls_record_head(BYTES("\x16\x03\x05\x00\x03"), &rec)); /* version */
	assert_false(tls_record_head(BYTES("\x16\x02\x03\x00\x03"), &rec));
	assert_false(tls_record_head(BYTES("\x16\x03\x03\x48\x01"), &rec)); /* size */
	for (size_t n = 0; n < TLS_RECORD_HEAD; n++) {
		struct rd cut = cut_copy(BYTES(CLIENT_HELLO), n);

		assert_false(tls_record_head(cut, &rec));
		cut_free(cut);
	}
}

static void knows_ssl2_heads(void **unused)
{
	struct tls_ssl2_record rec;

	(void)unused;
	assert_true(tls_ssl2_record_head(BYTES("\x80\x02"
					       "abc"),
			&rec));
	assert_true(rec.head == 2 && rec.size == 2 && rec.padding == 0);
	assert_bytes(rec.body, "ab");
	assert_true(tls_ssl2_record_head(BYTES("\x00\x04\x01"
					       "abc"),
			&rec));
	assert_true(rec.head == 3 && rec.size == 4 && rec.padding == 1);
	assert_bytes(rec.body, "abc");
	assert_false(tls_ssl2_record_head(BYTES("\x80\x00"), &rec));
	assert_false(tls_ssl2_record_head(BYTES("\x00\x04"), &rec));
	assert_false(tls_ssl2_record_head(BYTES("\x00\x04\x04"), &rec));
}

/* Every first part says "maybe", the whole says 'want', and more bytes change nothing. */
static void assert_guess(struct rd r, size_t enough, enum tls_guess want)
{
	for (size_t n = 0; n <= r.left; n++) {
		struct rd cut = cut_copy(r, n);

		assert_int_equal(tls_guess(cut), n < enough ? TLS_MAYBE : want);
		cut_free(cut);
	}
}

static void guesses_beginnings(void **unused)
{
	(void)unused;
	assert_guess(BYTES(CLIENT_HELLO "more"), 11, TLS_YES);
	assert_guess(BYTES(SERVER_HELLO), 11, TLS_YES);
	assert_guess(BYTES(SSL2_HELLO "more"), 11, TLS_SSL2);
	assert_guess(BYTES(SSL2_SERVER), 11, TLS_SSL2);
	/* records of 1, 3 and 5 bytes */
	assert_guess(BYTES("\x16\x03\x01\x00\x01\x01"), 6, TLS_YES);
	assert_guess(BYTES("\x16\x03\x01\x00\x03\x01\x00\x01"), 8, TLS_YES);
	assert_guess(BYTES("\x16\x03\x01\x00\x05\x01\x00\x01\xfc\x03"), 10, TLS_YES);
	/* TLCP; a draft's ServerHello */
	assert_guess(BYTES("\x16\x01\x01\x00\x40\x01\x00\x00\x3c\x01\x01"), 11, TLS_YES);
	assert_guess(BYTES("\x16\x03\x01\x00\x40\x02\x00\x00\x3c\x7f\x12"), 11, TLS_YES);
}

static void guesses_connections_under_way(void **unused)
{
	(void)unused;
	assert_guess(BYTES("\x17\x03\x03\x01\x00"), 5, TLS_YES);
	assert_guess(BYTES("\x14\x03\x03\x00\x01\x01"), 6, TLS_YES);
	assert_guess(BYTES("\x15\x03\x03\x00\x1a"), 5, TLS_YES);
	assert_int_equal(tls_guess(BYTES("\x15\x03\x03\x00\x02\x02\x28")), TLS_YES);
	/* an encrypted Finished */
	assert_int_equal(tls_guess(BYTES("\x16\x03\x03\x00\x28\x99\x98\x97\x96\x95\x94")), TLS_YES);
}

static void refuses_what_is_not_tls(void **unused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} others[] = {
		{ "GET / HTTP", 10 },
		{ "SSH-2.0-x", 9 },
		{ "\x16\x03\x05\x00\x10", 5 },                          /* version */
		{ "\x16\x03\x01\xff", 4 },                              /* size */
		{ "\x17\x03\x03\x00\x00", 5 },                          /* nothing in it */
		{ "\x14\x03\x03\x00\x02", 5 },                          /* CCS of two bytes */
		{ "\x15\x03\x03\x00\x02\x07", 6 },                      /* alert of level 7 */
		{ "\x16\x03\x01\x00\x10\x63\x00\x00\x0c\x03\x03", 11 }, /* message type */
		{ "\x16\x03\x01\x00\x10\x01\xff\xff\x0c\x03\x03", 11 }, /* message size */
		{ "\x16\x03\x01\x00\x10\x01\x00\x00\x0c\x41\x03", 11 }, /* hello's version */
		{ "\x80\x2e\x01\x03\x01\x00\x14\x00\x00\x00\x10", 11 }, /* ciphers, not of 3 */
		{ "\x80\x2e\x01\x03\x01\x00\x15\x00\x00\x00\x11", 11 }, /* sizes do not add up */
		{ "\x80\x2e\x09", 3 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct rd r = { (const uint8_t *)others[i].bytes, others[i].size };

		assert_int_equal(tls_guess(r), TLS_NO);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_head),
		cmocka_unit_test(refuses_other_heads),
		cmocka_unit_test(knows_ssl2_heads),
		cmocka_unit_test(guesses_beginnings),
		cmocka_unit_test(guesses_connections_under_way),
		cmocka_unit_test(refuses_what_is_not_tls),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
