/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_to_json.c - the short ways of the JSON writer: runs of numbers, groups of counts, and values
 * that end where a page of memory does.
 */
#include "plan_kit.h"

#include "base/json.h"

#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

static void check(const struct field *table, bool both, const void *data, const char *want)
{
	struct err e = { "" };
	struct plan *p = plan_new(&table, 1, both, &e);
	struct buf b = buf_new(1 << 20);

	if (p == NULL)
		fail_msg("%s", e.text);
	plan_json(p, &data, &b);
	buf_byte(&b, '\0');
	assert_true(buf_ok(&b));
	assert_string_equal(b.p, want);
	assert_true(json_is_valid(b.p, b.size - 1));
	buf_free(&b);
	plan_free(p);
}

/* --- runs ---------------------------------------------------------------------------------------
 */

struct counters {
	struct side side;
	uint64_t a, b, c, d, e;
	uint64_t apart, f, g, h, i, j;
};

#define MAYBE .flags = FIELD_OPTIONAL | FIELD_NULLABLE, .null_rule = "left out when unknown"
#define IN    .flags = FIELD_OPTIONAL | FIELD_NULLABLE | FIELD_REVERSE, .null_rule = "unknown"

/* Five that are always written, behind a struct that closes; then five that may be left out. */
static const struct field counter_fields[] = {
	FIELD_SUB(struct counters, side, "side", side_fields, "Before them."),
	FIELD(struct counters, a, "a", "", "N."),
	FIELD(struct counters, b, "b", "", "N."),
	FIELD(struct counters, c, "c", "", "N."),
	FIELD(struct counters, d, "d", "", "N."),
	FIELD(struct counters, e, "e", "", "N."),
	FIELD(struct counters, f, "f", "", "N.", MAYBE),
	FIELD(struct counters, g, "g", "", "N.", IN),
	FIELD(struct counters, h, "h", "", "N.", MAYBE),
	FIELD(struct counters, i, "i", "", "N.", MAYBE),
	FIELD(struct counters, j, "j", "", "N.", MAYBE),
	{ 0 },
};

static void runs_of_zeros(void **unused)
{
	const struct counters zero = { .apart = 7 };

	(void)unused;
	check(counter_fields, true, &zero,
			"{\"side\":{\"ttl\":0,\"id\":0},\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,"
			"\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":0}");
	check(counter_fields, false, &zero,
			"{\"side\":{\"ttl\":0,\"id\":0},\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,"
			"\"f\":0,\"h\":0,\"i\":0,\"j\":0}");
}

static void runs_of_other_numbers(void **unused)
{
	const struct counters mixed = { { 1, -1 }, 0, 9999, 10000, UINT64_MAX, 1023, 0, UINT64_MAX,
		0, 1024, UINT64_MAX, 100000000 };
	const struct counters unknown = {
		.f = UINT64_MAX, .g = UINT64_MAX, .h = UINT64_MAX, .i = UINT64_MAX, .j = UINT64_MAX
	};
	struct counters last = { .j = 1 };

	(void)unused;
	check(counter_fields, true, &mixed,
			"{\"side\":{\"ttl\":1},\"a\":0,\"b\":9999,\"c\":10000,"
			"\"d\":18446744073709551615,\"e\":1023,\"g\":0,\"h\":1024,"
			"\"j\":100000000}");
	check(counter_fields, true, &unknown,
			"{\"side\":{\"ttl\":0,\"id\":0},\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0}");
	check(counter_fields, true, &last,
			"{\"side\":{\"ttl\":0,\"id\":0},\"a\":0,\"b\":0,\"c\":0,\"d\":0,\"e\":0,"
			"\"f\":0,\"g\":0,\"h\":0,\"i\":0,\"j\":1}");
}

/* --- groups of counts ---------------------------------------------------------------------------
 */

struct list {
	struct field_list counts;
};

static const struct field list_fields[] = {
	FIELD_SCALARS(struct list, counts, "counts", uint64_t, "", "N."),
	{ 0 },
};

/* Every place of a group of four, and behind the last group, holds every kind of number. */
static void counts_of_every_size_at_every_place(void **unused)
{
	static const uint64_t sizes[] = { 0, 1, 9, 10, 99, 100, 1023, 1024, 9999, 10000, 99999999,
		100000000, UINT64_MAX };

	(void)unused;
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		for (size_t at = 0; at < 7; at++) {
			uint64_t counts[7] = { 1, 2, 3, 4, 5, 6, 9 };
			const struct list list = { { counts, 7 } };
			struct buf want = buf_new(1 << 10);

			counts[at] = sizes[i];
			buf_text(&want, "{\"counts\":[");
			for (size_t k = 0; k < 7; k++)
				buf_printf(&want, "%s%" PRIu64, k > 0 ? "," : "", counts[k]);
			buf_bytes(&want, "]}", 3);
			check(list_fields, true, &list, want.p);
			buf_free(&want);
		}
	}
}

/* --- where memory ends --------------------------------------------------------------------------
 */

struct ends {
	const char *word;
	struct field_text text;
	struct field_hex hex;
	uint8_t behind;
};

static const struct field end_fields[] = {
	FIELD(struct ends, word, "word", "", "W."),
	FIELD(struct ends, text, "text", "", "T."),
	FIELD(struct ends, hex, "hex", "", "H."),
	FIELD(struct ends, behind, "behind", "", "N."),
	{ 0 },
};

/* A page behind which nothing can be read; its end. */
static char *page_end(void)
{
	const size_t page = (size_t)sysconf(_SC_PAGESIZE);
	char *p = mmap(NULL, 2 * page, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	assert_true(p != MAP_FAILED);
	assert_int_equal(mprotect(p + page, page, PROT_NONE), 0);
	return p + page;
}

/* What a struct ends with these bytes is as text, by the functions of base/json.h. */
static struct buf wanted(const char *bytes, size_t size)
{
	struct buf b = buf_new(1 << 16);

	buf_text(&b, "{\"word\":");
	json_text(&b, bytes);
	buf_text(&b, ",\"text\":");
	json_string(&b, bytes, size);
	buf_text(&b, ",\"hex\":");
	json_hex(&b, (const uint8_t *)bytes, size);
	buf_bytes(&b, ",\"behind\":7}", 13);
	return b;
}

/* 'bytes' end with a zero that is not among the 'size' of them. */
static void check_ends(const char *bytes, size_t size)
{
	const struct ends ends = { bytes, { bytes, size }, { (const uint8_t *)bytes, size }, 7 };
	char copy[128];
	struct buf want;

	memcpy(copy, bytes, size + 1);
	want = wanted(copy, size);
	check(end_fields, true, &ends, want.p);
	buf_free(&want);
}

static void values_up_to_the_end_of_memory(void **unused)
{
	static const char odd[] = { 'x', '"', '\\', '\n', 0x7f, 0x1f, ' ', (char)0x80 };
	char *const end = page_end();

	(void)unused;
	for (size_t size = 0; size < 80; size++) {
		for (size_t gap = 0; gap < 40; gap += 1 + gap / 3) {
			char *const bytes = end - gap - size - 1;

			memset(bytes, 'w', size + 1 + gap);
			bytes[size] = '\0';
			check_ends(bytes, size);
			if (size == 0)
				continue;
			bytes[(size * 7 + gap) % size] = odd[(size + gap) % sizeof odd];
			check_ends(bytes, size);
		}
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(runs_of_zeros),
		cmocka_unit_test(runs_of_other_numbers),
		cmocka_unit_test(counts_of_every_size_at_every_place),
		cmocka_unit_test(values_up_to_the_end_of_memory),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
