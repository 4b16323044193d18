/* SPDX-License-Identifier: BSD-3-Clause */
/* test_dtls.c - DTLS records and fragments, and messages out of fragments in any order. */
#include "unit/cut_kit.h"

#include "proto/dtls.h"
#include "proto/tls_message.h"

/* handshake, DTLS 1.2, epoch 0, sequence 5, 3 bytes; then change_cipher_spec, sequence 6 */
static const char two_records[] = "\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x05\x00\x03"
				  "abc"
				  "\x14\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x06\x00\x01\x01";

static void walks_records(void **unused)
{
	struct rd r = BYTES(two_records);
	struct dtls_record rec;

	(void)unused;
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_true(rec.type == TLS_HANDSHAKE && rec.version == TLS_VERSION_DTLS_1_2);
	assert_true(rec.epoch == 0 && rec.sequence == 5 && rec.size == 3 && !rec.unified);
	assert_bytes(rec.body, "abc");
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_int_equal(rec.type, TLS_CHANGE_CIPHER_SPEC);
	assert_false(dtls_record_next(&r, 0, &rec));
	assert_true(rd_ok(&r));
}

static void takes_any_cut(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < sizeof two_records - 1; n++) {
		struct rd cut = cut_copy(BYTES(two_records), n), r = cut;
		struct dtls_record rec;
		size_t count = 0, bytes = 0;

		for (; dtls_record_next(&r, 0, &rec); count++)
			bytes += rec.body.left;
		assert_int_equal(count, n < 13 ? 0 : n < 29 ? 1 : 2);
		assert_int_equal(bytes, n < 13 ? 0 : n < 16 ? n - 13 : 3);
		assert_int_equal(rd_ok(&r), n == 0 || n == 16);
		cut_free(cut);
	}
}

static void refuses_other_records(void **unused)
{
	static const char *others[] = {
		"\x13\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01x", /* type */
		"\x1b\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01x",
		"\x16\xfe\xfb\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01x", /* version */
		"\x16\x03\x03\x00\x00\x00\x00\x00\x00\x00\x05\x00\x01x",
		"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x05\x48\x01x", /* size */
	};

	(void)unused;
	for (size_t i = 0; i < sizeof others / sizeof others[0]; i++) {
		struct rd r = { (const uint8_t *)others[i], 14 };
		struct dtls_record rec;

		assert_false(dtls_guess(r));
		assert_false(dtls_record_next(&r, 0, &rec));
		assert_false(rd_ok(&r));
	}
}

static void reads_connection_ids(void **unused)
{
	static const char bytes[] = "\x19\xfe\xfd\x00\x01\x00\x00\x00\x00\x00\x09"
				    "cid"
				    "\x00\x02xy";
	struct rd r = BYTES(bytes);
	struct dtls_record rec;

	(void)unused;
	assert_true(dtls_record_next(&r, 3, &rec));
	assert_bytes(rec.cid, "cid");
	assert_bytes(rec.body, "xy");
	assert_true(rec.epoch == 1 && rec.sequence == 9 && !rec.cid_unknown);
	r = BYTES(bytes);
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_true(rec.cid_unknown && !rd_ok(&rec.cid));
	assert_bytes(rec.body, "cid\x00\x02xy");
	assert_false(dtls_record_next(&r, 0, &rec));
	assert_true(rd_ok(&r));
}

static void reads_unified_heads(void **unused)
{
	/* epoch 2, short sequence, size; epoch 3, long sequence, no size; epoch 3, id, size */
	struct rd r = BYTES("\x26\x07\x00\x02xy"
			    "\x2b\x01\x02"
			    "rest");
	struct dtls_record rec;

	(void)unused;
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_true(rec.unified && rec.epoch == 2 && rec.sequence == 7);
	assert_bytes(rec.body, "xy");
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_true(rec.epoch == 3 && rec.sequence == 0x0102);
	assert_bytes(rec.body, "rest");
	assert_false(dtls_record_next(&r, 0, &rec));
	assert_true(rd_ok(&r));
	r = BYTES("\x37"
		  "id"
		  "\x05\x00\x01x");
	assert_true(dtls_record_next(&r, 2, &rec));
	assert_bytes(rec.cid, "id");
	assert_bytes(rec.body, "x");
	r = BYTES("\x37"
		  "id"
		  "\x05\x00\x01x");
	assert_true(dtls_record_next(&r, 0, &rec));
	assert_true(rec.cid_unknown && rec.body.left == 6);
	r = BYTES("\x26\x07\x00");
	assert_false(dtls_record_next(&r, 0, &rec));
	assert_false(rd_ok(&r));
}

static void guesses(void **unused)
{
	(void)unused;
	assert_true(dtls_guess(BYTES(two_records)));
	/* a ClientHello's fragment; then with an offset past its end, and of an unknown type */
	assert_true(dtls_guess(BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0\x00\x0d"
				     "\x01\x00\x00\x01\0\0\0\0\0\0\0\x01x")));
	assert_false(dtls_guess(BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0\x00\x0d"
				      "\x01\x00\x00\x01\0\0\0\0\x01\0\0\x01x")));
	assert_false(dtls_guess(BYTES("\x16\xfe\xff\0\0\0\0\0\0\0\0\x00\x0d"
				      "\x63\x00\x00\x01\0\0\0\0\0\0\0\x01x")));
	assert_true(dtls_guess(BYTES("\x17\xfe\xfd\0\x01\0\0\0\0\0\x09\x00\x20"
				     "cut")));
	assert_false(dtls_guess(BYTES("\x26\x07\x00\x02xy")));
	assert_false(dtls_guess(BYTES("")));
}

/* "defg" of a ClientHello of 10 bytes, message 1, from byte 3 on */
static const char fragment[] = "\x01\x00\x00\x0a\x00\x01\x00\x00\x03\x00\x00\x04"
			       "defg";

static void walks_fragments(void **unused)
{
	(void)unused;
	for (size_t n = 0; n <= sizeof fragment - 1; n++) {
		struct rd cut = cut_copy(BYTES(fragment), n), r = cut;
		struct dtls_fragment f;

		assert_int_equal(dtls_fragment_next(&r, &f), n >= 12);
		if (n >= 12) {
			assert_true(f.type == TLS_CLIENT_HELLO && f.size == 10 && f.sequence == 1);
			assert_true(f.offset == 3 && f.fragment_size == 4);
			assert_int_equal(f.body.left, n - 12);
		}
		assert_int_equal(rd_ok(&r), n == 0 || n == 16);
		cut_free(cut);
	}
}

static const char message[] = "0123456789abcdefghijklmnopqrstuvwxyz";
enum { SIZE = sizeof message - 1 };

static struct dtls_fragment part(uint32_t from, uint32_t to)
{
	return (struct dtls_fragment){ .type = TLS_CERTIFICATE,
		.sequence = 2,
		.size = SIZE,
		.offset = from,
		.fragment_size = to - from,
		.body = { (const uint8_t *)message + from, to - from } };
}

/* Adds parts until the message is whole; each out of memory of its own. */
static bool add(struct dtls_assembler *a, uint32_t from, uint32_t to)
{
	struct dtls_fragment f = part(from, to);
	struct rd copy = cut_copy(f.body, f.body.left);

	f.body = copy;

	bool whole = dtls_assembler_add(a, &f);

	cut_free(copy);
	return whole;
}

static void assembles_in_any_order(void **unused)
{
	/* the cuts of four parts, in all 24 orders */
	static const uint32_t cuts[] = { 0, 7, 8, 20, SIZE };

	(void)unused;
	for (unsigned order = 0; order < 256; order++) {
		unsigned parts[] = { order & 3, order >> 2 & 3, order >> 4 & 3, order >> 6 & 3 };
		unsigned all = 1u << parts[0] | 1u << parts[1] | 1u << parts[2] | 1u << parts[3];
		struct dtls_fragment first = part(0, SIZE);
		struct dtls_assembler a;
		uint8_t room[SIZE];

		dtls_assembler_begin(&a, &first, room, SIZE);
		for (size_t i = 0; i < 4; i++) {
			bool whole = add(&a, cuts[parts[i]], cuts[parts[i] + 1]);

			assert_int_equal(whole, i == 3 && all == 15);
		}
		assert_int_equal(a.refused, 0);
		if (all == 15)
			assert_memory_equal(dtls_assembler_body(&a).p, message, SIZE);
	}
}

/* A reference: one mark a byte. */
static void agrees_with_marks_on_random_fragments(void **unused)
{
	uint32_t seed = 1;

	(void)unused;
	for (size_t round = 0; round < 2000; round++) {
		struct dtls_fragment first = part(0, SIZE);
		uint8_t room[SIZE] = { 0 }, marks[SIZE + 1] = { 0 };
		struct dtls_assembler a;

		dtls_assembler_begin(&a, &first, room, SIZE);
		for (size_t i = 0; i < 40; i++) {
			seed = seed * 1664525 + 1013904223;

			uint32_t from = (seed >> 16) % SIZE, n = (seed >> 24) % 5;
			uint32_t to = from + n < SIZE ? from + n : SIZE;
			bool whole = add(&a, from, to);

			memset(marks + from, 1, to - from);
			assert_int_equal(whole, memchr(marks, 0, SIZE) == NULL);
			assert_int_equal(dtls_assembler_body(&a).left,
					(uint8_t *)memchr(marks, 0, SIZE + 1) - marks);
		}
		for (size_t i = 0; i < SIZE; i++)
			assert_int_equal(room[i], marks[i] ? (uint8_t)message[i] : 0);
	}
}

static void keeps_what_came_first(void **unused)
{
	struct dtls_fragment f = part(2, 6);
	struct dtls_assembler a;
	uint8_t room[SIZE];

	(void)unused;
	dtls_assembler_begin(&a, &f, room, SIZE);
	assert_false(dtls_assembler_add(&a, &f));
	f = part(0, 8);
	f.body.p = (const uint8_t *)"XXXXXXXX";
	assert_false(dtls_assembler_add(&a, &f));
	assert_bytes(dtls_assembler_body(&a), "XX2345XX");
}

static void bounds_room_and_ranges(void **unused)
{
	struct dtls_fragment f = part(0, SIZE);
	struct dtls_assembler a;
	uint8_t *room = malloc(5);

	(void)unused;
	dtls_assembler_begin(&a, &f, room, 5);
	assert_false(add(&a, 3, 9));
	assert_true(add(&a, 0, SIZE));
	assert_bytes(dtls_assembler_body(&a), "01234");
	free(room);
	dtls_assembler_begin(&a, &f, NULL, 0);
	for (uint32_t i = 0; i < LIMIT_DTLS_RANGES; i++)
		assert_false(add(&a, 2 * i, 2 * i + 1));
	assert_int_equal(a.refused, 0);
	assert_false(add(&a, SIZE - 1, SIZE));
	assert_int_equal(a.refused, 1);
	assert_false(add(&a, 1, 2)); /* joins two: room for one more */
	assert_false(add(&a, SIZE - 1, SIZE));
	assert_int_equal(a.refused, 1);
	assert_true(add(&a, 0, SIZE));
}

static void refuses_contradictions(void **unused)
{
	struct dtls_fragment f = part(0, SIZE);
	struct dtls_assembler a;
	uint8_t room[SIZE];

	(void)unused;
	dtls_assembler_begin(&a, &f, room, SIZE);
	f.size++;
	assert_false(dtls_assembler_add(&a, &f));
	f = part(0, SIZE);
	f.sequence++;
	assert_false(dtls_assembler_add(&a, &f));
	f = part(0, SIZE);
	f.type++;
	assert_false(dtls_assembler_add(&a, &f));
	assert_int_equal(a.refused, 3);
	f = (struct dtls_fragment){ .type = TLS_SERVER_HELLO_DONE };
	dtls_assembler_begin(&a, &f, NULL, 0);
	assert_true(dtls_assembler_add(&a, &f));
}

static void reads_hello_verify_requests(void **unused)
{
	static const char bytes[] = "\xfe\xff\x03"
				    "abc";
	struct dtls_verify_request v;

	(void)unused;
	assert_true(dtls_verify_request_parse(BYTES(bytes), &v));
	assert_int_equal(v.version, TLS_VERSION_DTLS_1_0);
	assert_bytes(v.cookie, "abc");
	for (size_t n = 0; n < sizeof bytes - 1; n++) {
		struct rd cut = cut_copy(BYTES(bytes), n);

		assert_false(dtls_verify_request_parse(cut, &v));
		cut_free(cut);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_records),
		cmocka_unit_test(takes_any_cut),
		cmocka_unit_test(refuses_other_records),
		cmocka_unit_test(reads_connection_ids),
		cmocka_unit_test(reads_unified_heads),
		cmocka_unit_test(guesses),
		cmocka_unit_test(walks_fragments),
		cmocka_unit_test(assembles_in_any_order),
		cmocka_unit_test(agrees_with_marks_on_random_fragments),
		cmocka_unit_test(keeps_what_came_first),
		cmocka_unit_test(bounds_room_and_ranges),
		cmocka_unit_test(refuses_contradictions),
		cmocka_unit_test(reads_hello_verify_requests),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
