/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_wht.c - the transform against the transform of each block, added up. */
#include "unit/feature_kit.h"

extern const struct feature feature_wht;

enum { BYTES = 70001 };

static void show(struct kit *k, const uint8_t *bytes, size_t size)
{
	uint8_t *exact = calloc(1, size + !size); /* a sanitizer sees any overread */

	if (size > 0)
		memcpy(exact, bytes, size);
	k->pkt.payload = (struct rd){ exact, size };
	kit_packet(k, 0, (uint32_t)size, 1);
	free(exact);
}

static void plain(const uint8_t *p, size_t size, int64_t w[4], uint64_t *blocks)
{
	for (size_t i = 0; i + 4 <= size; i += 4, (*blocks)++) {
		w[0] += p[i] + p[i + 1] + p[i + 2] + p[i + 3];
		w[1] += p[i] - p[i + 1] + p[i + 2] - p[i + 3];
		w[2] += p[i] + p[i + 1] - p[i + 2] - p[i + 3];
		w[3] += p[i] - p[i + 1] - p[i + 2] + p[i + 3];
	}
}

static void check(struct kit *k, const int64_t w[4], uint64_t blocks)
{
	static const char *const paths[] = { "wht.0", "wht.1", "wht.2", "wht.3" };

	assert_true(kit_finish(k));
	assert_int_equal(kit_int(k, "wht_blocks"), blocks);
	assert_int_equal(kit_count_of(k, "wht"), 4);
	for (size_t i = 0; i < 4; i++) {
		double is = *(const double *)kit_at(k, paths[i]).at;

		assert_true(is == (double)w[i] / (double)blocks);
	}
}

static void needs_a_whole_block(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_wht, 0);
	show(&k, (const uint8_t *)"abc", 3);
	show(&k, (const uint8_t *)"abc", 3); /* blocks do not cross packets */
	assert_false(kit_finish(&k));
	kit_free(&k);
}

static void one_block_by_hand(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_wht, 0);
	show(&k, (const uint8_t *)"\x0a\x01\x02\x03\xff", 5);
	check(&k, (int64_t[]){ 16, 8, 6, 10 }, 1);
	kit_free(&k);
}

static void any_size(void **unused)
{
	uint8_t *bytes = malloc(BYTES);
	uint64_t x = 1, blocks = 0;
	int64_t w[4] = { 0 };
	struct kit k;

	(void)unused;
	for (size_t i = 0; i < BYTES; i++) {
		x = x * 6364136223846793005u + 1442695040888963407u;
		bytes[i] = i % 4 == 1 ? 255 : (uint8_t)(x >> 33);
	}
	kit_start(&k, &feature_wht, 0);
	for (size_t size = 0; size < 300; size++) {
		show(&k, bytes + size, size);
		plain(bytes + size, size, w, &blocks);
	}
	show(&k, bytes, BYTES);
	plain(bytes, BYTES, w, &blocks);
	check(&k, w, blocks);
	kit_free(&k);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(needs_a_whole_block),
		cmocka_unit_test(one_block_by_hand),
		cmocka_unit_test(any_size),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
