/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_payload.c - the beginning of each direction's application data. */
#include "unit/feature_kit.h"

extern const struct feature feature_payload;

static void start(struct kit *k, uint32_t bytes)
{
	kit_start(k, &feature_payload, 0);
	memcpy(k->options, &bytes, sizeof bytes);
	assert_int_equal(feature_payload.stream_bytes(&k->env), bytes);
}

static enum verdict give(struct kit *k, unsigned dir, const char *text, uint64_t offset)
{
	struct rd bytes = { (const uint8_t *)text, strlen(text) };

	return feature_payload.stream(k->state, &k->env, &k->flow, &k->pkt, dir, bytes, offset);
}

static void joins_pieces_of_a_stream(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 10);
	assert_int_equal(give(&k, 0, "GET ", 0), MORE);
	assert_int_equal(give(&k, 1, "HTTP/1.1 200 OK", 0), MORE);
	assert_int_equal(give(&k, 0, "/index", 4), DONE);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "payload.out", "GET /index"));
	assert_true(kit_is(&k, "payload.in", "HTTP/1.1 2"));
	kit_free(&k);
}

static void ends_at_what_is_missing(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 32);
	give(&k, 0, "abc", 0);
	give(&k, 0, "xyz", 5);
	give(&k, 0, "def", 3);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "payload.out", "abc"));
	assert_true(kit_absent(&k, "payload.in"));
	kit_free(&k);
}

static void takes_one_datagram(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 32);
	k.pkt.proto = PROTO_UDP;
	assert_int_equal(give(&k, 0, "query", 0), MORE);
	assert_int_equal(give(&k, 0, "again", 5), MORE);
	assert_int_equal(give(&k, 1, "answer", 0), DONE);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "payload.out", "query"));
	assert_true(kit_is(&k, "payload.in", "answer"));
	kit_free(&k);
}

static void the_second_datagram_is_not_the_first(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 32);
	k.pkt.proto = PROTO_UDP;
	give(&k, 0, "second", 100); /* of the first nothing was captured */
	assert_false(kit_finish(&k));
	kit_free(&k);
}

static void grows_to_what_is_asked(void **unused)
{
	struct kit k;
	char chunk[1001];

	(void)unused;
	start(&k, 100500);
	memset(chunk, 'a', 1000);
	chunk[1000] = '\0';
	for (uint64_t i = 0; i < 101; i++)
		give(&k, 0, chunk, i * 1000);
	assert_true(kit_finish(&k));
	assert_int_equal(((const struct field_hex *)kit_at(&k, "payload.out").at)->size, 100500);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(joins_pieces_of_a_stream),
		cmocka_unit_test(ends_at_what_is_missing),
		cmocka_unit_test(takes_one_datagram),
		cmocka_unit_test(the_second_datagram_is_not_the_first),
		cmocka_unit_test(grows_to_what_is_asked),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
