/* SPDX-License-Identifier: BSD-3-Clause */
/* test_process_wire.c - each message there and back, cut short at every length, and strange ones.
 */
#include "process_kit.h"

static struct process whole(void)
{
	struct process p = kit_process(4711, "name");

	p.parent_pid = 17;
	p.start_ns = -1;
	p.cut = 1;
	process_add_text(&p, PROCESS_PATH, "/bin/name", 9);
	process_add_text(&p, PROCESS_CMDLINE, "name -x", 7);
	return p;
}

/* Every message once. */
static struct buf all_messages(void)
{
	struct buf b = buf_new(LIMIT_PROCESS_MESSAGE);
	struct process p = whole();
	struct process_tuple t = kit_tuple(6, "2001:db8::1", 80, "2001:db8::2", 4000);
	struct process_socket s = { .process = 3,
		.process_generation = 4,
		.generation = 5,
		.confidence = PROCESS_EXACT,
		.netns = UINT64_MAX,
		.open_ns = 123456789012345,
		.close_ns = INT64_MAX };
	const uint8_t hash[32] = { 1, [31] = 2 }, address[16] = { 127, 0, 0, 1 };

	process_wire_note(&b, PROCESS_WIRE_READY, PROCESS_BY_EBPF, "words");
	process_wire_process(&b, 1, 2, &p);
	process_wire_hash(&b, 1, 2, hash);
	process_wire_socket(&b, 9, &s);
	process_wire_tuple(&b, 9, 5, &t);
	process_wire_close(&b, 9, 5, -7);
	process_wire_address(&b, 4, address, true);
	process_wire_lost(&b, UINT64_MAX);
	assert_true(buf_ok(&b));
	return b;
}

static struct process_wire next(struct rd *r, enum process_wire_type type)
{
	struct process_wire m;

	assert_true(process_wire_next(r, &m));
	assert_int_equal(m.type, type);
	return m;
}

static void messages_come_back(void **state)
{
	struct buf b = all_messages();
	struct rd r = { (const uint8_t *)b.p, b.size };
	struct process_wire m = next(&r, PROCESS_WIRE_READY);
	struct process p = whole();

	(void)state;
	assert_int_equal(m.note.method, PROCESS_BY_EBPF);
	assert_memory_equal(m.note.text.p, "words", 5);
	m = next(&r, PROCESS_WIRE_PROCESS);
	assert_int_equal(m.slot, 1);
	assert_int_equal(m.generation, 2);
	assert_memory_equal(&m.process, &p, sizeof p);
	m = next(&r, PROCESS_WIRE_HASH);
	assert_true(m.hash[0] == 1 && m.hash[31] == 2);
	m = next(&r, PROCESS_WIRE_SOCKET);
	assert_true(m.slot == 9 && m.socket.generation == 5 && m.socket.process == 3);
	assert_true(m.socket.netns == UINT64_MAX && m.socket.open_ns == 123456789012345);
	m = next(&r, PROCESS_WIRE_TUPLE);
	assert_true(m.tuple.version == 6 && m.tuple.local_port == 80 && m.tuple.local[0] == 0x20);
	m = next(&r, PROCESS_WIRE_CLOSE);
	assert_true(m.socket.close_ns == -7);
	m = next(&r, PROCESS_WIRE_ADDRESS);
	assert_true(m.address.here && m.address.bytes[0] == 127);
	m = next(&r, PROCESS_WIRE_COUNTS);
	assert_true(m.lost == UINT64_MAX);
	assert_false(process_wire_next(&r, &m));
	buf_free(&b);
}

static void what_is_cut_short_ends(void **state)
{
	struct buf b = all_messages();

	(void)state;
	for (size_t n = 0; n < b.size; n++) {
		uint8_t *cut = malloc(n + !n); /* exact size: a sanitizer sees any overread */
		struct rd r = { cut, n };
		struct process_wire m;
		unsigned count = 0;

		memcpy(cut, b.p, n);
		while (process_wire_next(&r, &m))
			count++;
		assert_true(count < 8);
		free(cut);
	}
	buf_free(&b);
}

static void texts_that_do_not_fit_are_cut(void **state)
{
	char text[LIMIT_PROCESS_TEXT + 1];
	struct process p = { 0 };

	(void)state;
	memset(text, 'x', sizeof text);
	process_add_text(&p, PROCESS_NAME, text, 60);
	process_add_text(&p, PROCESS_PATH, text, sizeof text);
	process_add_text(&p, PROCESS_USER, text, 1);
	assert_int_equal(p.end[PROCESS_PATH], LIMIT_PROCESS_TEXT);
	assert_int_equal(p.end[PROCESS_CMDLINE], LIMIT_PROCESS_TEXT);
	assert_int_equal(p.cut, 1 << PROCESS_PATH | 1 << PROCESS_USER);
}

/* A process whose texts claim more than there is room for, and more than there are bytes. */
static void long_texts_on_the_wire_do_no_harm(void **state)
{
	struct buf b = buf_new(1 << 17);
	struct process p = whole();
	struct process_wire m;

	(void)state;
	process_wire_process(&b, 1, 2, &p);
	b.p[3 + 8 + 24] = (char)0xff;
	struct rd r = { (const uint8_t *)b.p, b.size };
	assert_false(process_wire_next(&r, &m));
	buf_clear(&b);
	buf_bytes(&b, "\x04\x7f\xff", 3);
	for (size_t i = 0; i < 32 + 2; i++)
		buf_byte(&b, i == 32 ? 0x70 : 0);
	while (b.size < 3 + 0x7fff)
		buf_byte(&b, 0);
	r = (struct rd){ (const uint8_t *)b.p, b.size };
	assert_true(process_wire_next(&r, &m));
	assert_int_equal(m.process.end[PROCESS_NAME], LIMIT_PROCESS_TEXT);
	buf_free(&b);
}

static void types_not_known_are_passed_over(void **state)
{
	static const uint8_t bytes[] = { 99, 0, 2, 'a', 'b', PROCESS_WIRE_NOTE, 0, 2, 0, 'c' };
	struct rd r = { bytes, sizeof bytes };
	struct process_wire m;

	(void)state;
	assert_true(process_wire_next(&r, &m));
	assert_int_equal(m.type, 0);
	assert_true(process_wire_next(&r, &m));
	assert_int_equal(m.type, PROCESS_WIRE_NOTE);
	assert_int_equal(m.note.text.left, 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(messages_come_back),
		cmocka_unit_test(what_is_cut_short_ends),
		cmocka_unit_test(texts_that_do_not_fit_are_cut),
		cmocka_unit_test(long_texts_on_the_wire_do_no_harm),
		cmocka_unit_test(types_not_known_are_passed_over),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
