/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_assemble.c - handshake messages out of pieces: one, two, every single byte. */
#include "unit/cut_kit.h"

#include "proto/tls_message.h"

/* ClientHello "hello", ServerHelloDone, Finished "abc" */
static const char stream[] = "\x01\x00\x00\x05"
			     "hello"
			     "\x0e\x00\x00\x00"
			     "\x14\x00\x00\x03"
			     "abc";
enum { SIZE = sizeof stream - 1 };

/* What came out: each message as type, then what was kept of its body, then a point. */
struct out {
	struct tls_assembler a;
	char text[256];
	uint8_t room[64];
	uint32_t give; /* room for each message; 0: none */
	size_t messages, asked;
};

static void note(struct out *out, const struct tls_message *m)
{
	size_t at = strlen(out->text);

	assert_true(at + m->body.left + 3 < sizeof out->text);
	out->text[at++] = (char)('a' + m->type);
	if (m->body.left > 0)
		memcpy(out->text + at, m->body.p, m->body.left);
	out->text[at + m->body.left] = '.';
	out->text[at + m->body.left + 1] = '\0';
	out->messages++;
}

/* Feeds bytes out of memory of their own size, gone before the next ones come. */
static void feed(struct out *out, const char *bytes, size_t n)
{
	struct rd piece = cut_copy((struct rd){ (const uint8_t *)bytes, n }, n), r = piece;
	struct tls_message m;
	enum tls_step step;

	while ((step = tls_assemble(&out->a, &r, &m)) != TLS_STEP_END) {
		if (step == TLS_STEP_MESSAGE)
			note(out, &m);
		else if (out->asked++, out->give > 0)
			tls_assembler_room(&out->a, out->room, out->give);
	}
	assert_int_equal(r.left, 0);
	cut_free(piece);
}

static void takes_one_piece_without_room(void **unused)
{
	struct out out = { 0 };

	(void)unused;
	feed(&out, stream, SIZE);
	assert_string_equal(out.text, "bhello.o.uabc.");
	assert_int_equal(out.asked, 0);
	assert_memory_equal(&out.a, &(struct tls_assembler){ 0 }, sizeof out.a);
}

static void takes_any_two_pieces(void **unused)
{
	(void)unused;
	for (size_t first = 0; first <= SIZE; first++) {
		struct out out = { .give = 64 };

		feed(&out, stream, first);
		feed(&out, stream + first, SIZE - first);
		assert_string_equal(out.text, "bhello.o.uabc.");
	}
}

static void takes_any_three_pieces(void **unused)
{
	(void)unused;
	for (size_t first = 0; first <= SIZE; first++) {
		for (size_t second = first; second <= SIZE; second++) {
			struct out out = { .give = 64 };

			feed(&out, stream, first);
			feed(&out, stream + first, second - first);
			feed(&out, stream + second, SIZE - second);
			assert_string_equal(out.text, "bhello.o.uabc.");
		}
	}
}

static void takes_single_bytes(void **unused)
{
	struct out out = { .give = 64 }, counting = { 0 }, small = { .give = 2 };

	(void)unused;
	for (size_t i = 0; i < SIZE; i++) {
		feed(&out, stream + i, 1);
		feed(&counting, stream + i, 1);
		feed(&small, stream + i, 1);
	}
	assert_string_equal(out.text, "bhello.o.uabc.");
	assert_int_equal(out.asked, 2);
	assert_string_equal(counting.text, "b.o.u.");
	assert_int_equal(counting.asked, 2);
	assert_string_equal(small.text, "bhe.o.uab.");
	assert_int_equal(small.asked, 4); /* each asks for more once, in vain */
}

static void lets_room_grow(void **unused)
{
	static const char head[] = "\x01\x00\x27\x10"; /* 10,000 bytes */
	struct tls_assembler a = { 0 };
	struct tls_message m;
	uint8_t *room = NULL;
	uint32_t size = 0;
	size_t copied = 0, steps = 0;

	(void)unused;
	for (size_t i = 0; i < 4 + 10000; i++) {
		uint8_t byte = i < 4 ? (uint8_t)head[i] : (uint8_t)i;
		struct rd r = { &byte, 1 };

		while (tls_assemble(&a, &r, &m) == TLS_STEP_ROOM) {
			uint8_t *more = malloc(size == 0 ? 16 : 2 * size);

			copied += m.body.left;
			size = size == 0 ? 16 : 2 * size;
			tls_assembler_room(&a, more, size);
			free(room);
			room = more;
			steps++;
		}
		assert_true(i == 4 + 9999 || a.seen == (i < 4 ? 0 : i - 3));
	}
	assert_int_equal(m.body.left, 10000);
	for (size_t i = 0; i < 10000; i++)
		assert_int_equal(m.body.p[i], (uint8_t)(i + 4));
	assert_true(steps == 11 && copied < 20000);
	free(room);
}

static void gives_what_is_there_at_the_end(void **unused)
{
	struct out out = { .give = 64 };
	struct tls_message m;

	(void)unused;
	feed(&out, stream, 3);
	assert_false(tls_assembler_partial(&out.a, &m));
	feed(&out, stream + 3, 4);
	assert_true(tls_assembler_partial(&out.a, &m));
	assert_true(m.type == TLS_CLIENT_HELLO && m.size == 5);
	assert_bytes(m.body, "hel");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_one_piece_without_room),
		cmocka_unit_test(takes_any_two_pieces),
		cmocka_unit_test(takes_any_three_pieces),
		cmocka_unit_test(takes_single_bytes),
		cmocka_unit_test(lets_room_grow),
		cmocka_unit_test(gives_what_is_there_at_the_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
