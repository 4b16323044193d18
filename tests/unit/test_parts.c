/* SPDX-License-Identifier: BSD-3-Clause */
/* test_parts.c - every rule of merging, with and without values; copies; what must not differ. */
#include "record/parts.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/moments.h"

struct pair {
	const char *word;
	uint32_t n;
};
static const struct field pair_fields[] = {
	FIELD(struct pair, word, "word", "", "W.", .flags = FIELD_OPTIONAL),
	FIELD(struct pair, n, "n", "", "N.", .flags = FIELD_OPTIONAL | FIELD_NULLABLE,
			.merge = MERGE_SUM),
	{ 0 },
};

struct all {
	int32_t same, first, last, begin, end, least, most, own;
	uint64_t sum;
	uint8_t small; /* a sum */
	bool yes;
	struct field_ms time;
	struct field_text text;
	struct field_list concat, set, words, sums, items, same_list;
	struct pair firsts, whole;
};

#define MAYBE (FIELD_OPTIONAL | FIELD_NULLABLE)
#define NUMBER(member, rule)                                                                       \
	FIELD(struct all, member, #member, "", "N.", .flags = MAYBE, .merge = MERGE_##rule)
#define LIST(member, of, rule)                                                                     \
	FIELD_SCALARS(struct all, member, #member, of, "", "L.", .flags = FIELD_OPTIONAL,          \
			.merge = MERGE_##rule)

static const struct field fields[] = {
	NUMBER(same, INHERIT),
	NUMBER(first, FIRST),
	NUMBER(last, LAST),
	NUMBER(begin, BEGIN),
	NUMBER(end, END),
	NUMBER(least, MIN),
	NUMBER(most, MAX),
	NUMBER(own, OWN),
	NUMBER(sum, SUM),
	NUMBER(small, SUM),
	FIELD(struct all, yes, "yes", "", "T."),
	FIELD(struct all, time, "time", "ms", "D.", .flags = FIELD_OPTIONAL, .merge = MERGE_SUM),
	FIELD(struct all, text, "text", "", "T.", .flags = FIELD_OPTIONAL, .merge = MERGE_LAST),
	LIST(concat, uint16_t, CONCAT),
	LIST(set, uint8_t, UNION),
	LIST(words, const char *, UNION),
	LIST(sums, uint64_t, SUM),
	FIELD_LIST_OF(struct all, items, "items", struct pair, pair_fields, "I.",
			.flags = FIELD_OPTIONAL, .merge = MERGE_UNION),
	LIST(same_list, uint8_t, SAME),
	FIELD_SUB(struct all, firsts, "firsts", pair_fields, "S.", .flags = FIELD_OPTIONAL,
			.merge = MERGE_FIRST),
	FIELD_SUB(struct all, whole, "whole", pair_fields, "S.", .flags = FIELD_OPTIONAL,
			.merge = MERGE_WHOLE),
	{ 0 },
};

struct room {
	struct pool *pool;
	struct arena arena;
	struct parts_memory memory;
};

static int open_room(void **state)
{
	struct room *r = calloc(1, sizeof *r);

	r->pool = pool_new();
	r->memory = (struct parts_memory){ &r->arena, r->pool, false };
	*state = r;
	return 0;
}

static int close_room(void **state)
{
	struct room *r = *state;

	arena_free(&r->arena, r->pool);
	pool_free(r->pool);
	free(r);
	return 0;
}

static struct all nothing(void)
{
	return (struct all){ .same = -1,
		.first = -1,
		.last = -1,
		.begin = -1,
		.end = -1,
		.least = -1,
		.most = -1,
		.own = -1,
		.sum = UINT64_MAX,
		.small = UINT8_MAX,
		.time = { -1 },
		.firsts = { NULL, UINT32_MAX },
		.whole = { NULL, UINT32_MAX } };
}

static struct all numbers(int32_t v)
{
	struct all a = nothing();

	a.same = 7;
	a.first = a.last = a.begin = a.end = a.least = a.most = a.own = v;
	a.sum = (uint64_t)v;
	a.small = (uint8_t)v;
	a.time.ns = v;
	return a;
}

static struct all joined(struct room *r, struct all a, struct all b)
{
	assert_null(parts_join(fields, &a, &b, 4, &r->memory));
	assert_false(r->memory.failed);
	return a;
}

static void check(const struct all *a, int32_t first, int32_t last, int32_t begin, int32_t end,
		int32_t least, int32_t most, uint64_t sum)
{
	assert_int_equal(a->first, first);
	assert_int_equal(a->last, last);
	assert_int_equal(a->begin, begin);
	assert_int_equal(a->own, begin);
	assert_int_equal(a->end, end);
	assert_int_equal(a->least, least);
	assert_int_equal(a->most, most);
	assert_int_equal(a->sum, sum);
}

static void numbers_by_their_rules(void **state)
{
	struct all a = joined(*state, numbers(5), numbers(3));

	check(&a, 5, 3, 5, 3, 3, 5, 8);
	assert_int_equal(a.same, 7);
	assert_int_equal(a.small, 8);
	assert_int_equal(a.time.ns, 8);
	a = joined(*state, nothing(), numbers(3));
	check(&a, 3, 3, -1, 3, 3, 3, 3);
	assert_int_equal(a.same, -1); /* not the same in both */
	a = joined(*state, numbers(5), nothing());
	check(&a, 5, 5, 5, -1, 5, 5, 5);
	assert_int_equal(a.same, -1);
	a = joined(*state, nothing(), nothing());
	check(&a, -1, -1, -1, -1, -1, -1, UINT64_MAX);
}

static void what_differs_is_left_out_for_good(void **state)
{
	struct all a = numbers(1), b = numbers(1), c = numbers(1);

	b.same = 8;
	a = joined(*state, a, b);
	assert_int_equal(a.same, -1);
	a = joined(*state, a, c);
	assert_int_equal(a.same, -1);
}

static void what_must_be_there_must_be_the_same(void **state)
{
	struct room *r = *state;
	struct all a = numbers(1), b = numbers(1);
	const struct field *bad;

	b.yes = true;
	bad = parts_join(fields, &a, &b, 4, &r->memory);
	assert_non_null(bad);
	assert_string_equal(bad->key, "yes");
}

/* A sum that would not fit, or be the null, is left out. */
static void sums_that_do_not_fit(void **state)
{
	struct all a = numbers(200), b = numbers(55);

	a.sum = UINT64_MAX - 2;
	b.sum = 2;
	a = joined(*state, a, b);
	assert_int_equal(a.small, UINT8_MAX);
	assert_true(a.sum == UINT64_MAX);
	a = numbers(200);
	a.sum = UINT64_MAX - 2;
	b = numbers(54);
	b.sum = 1;
	a = joined(*state, a, b);
	assert_int_equal(a.small, 254);
	assert_true(a.sum == UINT64_MAX - 1);
}

static void lists_by_their_rules(void **state)
{
	static const uint16_t two[] = { 1, 2 }, three[] = { 2, 3, 4 }, both[] = { 1, 2, 2, 3 };
	static const uint8_t set[] = { 3, 9 }, more[] = { 1, 4, 9, 200 },
			     all[] = { 1, 3, 4, 9, 200 };
	static const char *const words[] = { "b", "a" }, *const others[] = { "a", "c" };
	static const uint64_t counts[] = { 1, 2 }, others_counts[] = { 10, 20 };
	struct all a = nothing(), b = nothing();

	a.concat = (struct field_list){ two, 2 };
	b.concat = (struct field_list){ three, 3 };
	a.set = (struct field_list){ set, 2 };
	b.set = (struct field_list){ more, 4 };
	a.words = (struct field_list){ words, 2 };
	b.words = (struct field_list){ others, 2 };
	a.sums = (struct field_list){ counts, 2 };
	b.sums = (struct field_list){ others_counts, 2 };
	a.same_list = b.same_list = (struct field_list){ set, 2 };
	a = joined(*state, a, b);
	assert_int_equal(a.concat.count, 4);
	assert_memory_equal(a.concat.items, both, sizeof both);
	assert_int_equal(a.set.count, 5);
	assert_memory_equal(a.set.items, all, sizeof all);
	assert_int_equal(a.words.count, 3);
	assert_string_equal(((const char *const *)a.words.items)[2], "c");
	assert_int_equal(((const uint64_t *)a.sums.items)[1], 22);
	assert_int_equal(counts[1], 2); /* lists are shared: they stay as they are */
	assert_int_equal(a.same_list.count, 2);
	b.same_list.count = 1;
	b.sums.count = 1;
	a = joined(*state, a, b);
	assert_int_equal(a.same_list.count, 0);
	assert_int_equal(a.sums.count, 0);
}

static void lists_that_are_not_there(void **state)
{
	static const uint64_t counts[] = { 1, 2 };
	struct all a = nothing(), b = nothing();

	b.sums = (struct field_list){ counts, 2 };
	assert_int_equal(joined(*state, a, b).sums.count, 2);
	assert_int_equal(joined(*state, b, a).sums.count, 2);
	assert_int_equal(joined(*state, a, a).sums.count, 0);
}

static void structs(void **state)
{
	static const struct pair one[] = { { "x", 1 } }, two[] = { { "x", 1 }, { "x", 2 } };
	struct all a = nothing(), b = nothing();

	a.firsts = a.whole = (struct pair){ NULL, 1 };
	b.firsts = b.whole = (struct pair){ "b", 2 };
	a.items = (struct field_list){ one, 1 };
	b.items = (struct field_list){ two, 2 };
	a = joined(*state, a, b);
	assert_string_equal(a.firsts.word, "b"); /* member by member, each by its own rule */
	assert_int_equal(a.firsts.n, 3);
	assert_null(a.whole.word);
	assert_int_equal(a.whole.n, 1);
	assert_int_equal(a.items.count, 2);
	a = joined(*state, nothing(), b);
	assert_string_equal(a.whole.word, "b");
}

static void copies_share_nothing(void **state)
{
	struct room *r = *state;
	char text[] = "text", word[] = "word";
	const char *words[] = { word };
	struct pair items[] = { { word, 3 } };
	struct all a = numbers(4), b;

	a.text = (struct field_text){ text, 4 };
	a.words = (struct field_list){ words, 1 };
	a.items = (struct field_list){ items, 1 };
	a.whole.word = word;
	parts_copy(fields, &a, sizeof a, &b, &r->memory);
	assert_true(parts_equal(fields, &a, &b));
	text[0] = word[0] = 'X';
	items[0].n = 0;
	assert_memory_equal(b.text.p, "text", 4);
	assert_string_equal(((const char *const *)b.words.items)[0], "word");
	assert_string_equal(((const struct pair *)b.items.items)[0].word, "word");
	assert_int_equal(((const struct pair *)b.items.items)[0].n, 3);
	assert_string_equal(b.whole.word, "word");
	assert_false(parts_equal(fields, &a, &b));
}

/* --- sums out of number, mean and spread --------------------------------------------------------
 */

static struct moments back(const struct moments *m)
{
	return moments_from(m->n, m->min, m->max, moments_mean(m, 1), moments_std(m, 1), 1);
}

static void moments_come_back(void **unused)
{
	static const uint64_t values[] = { 0, 1500, 7, 1500, 52, 9000 };
	struct moments m = { 0 }, again;

	(void)unused;
	for (size_t i = 0; i < sizeof values / sizeof values[0]; i++) {
		moments_add(&m, values[i]);
		again = back(&m);
		assert_int_equal(again.n, m.n);
		assert_int_equal(again.sum, m.sum);
		assert_int_equal(again.min, m.min);
		assert_int_equal(again.max, m.max);
		assert_true(moments_mean(&again, 1) == moments_mean(&m, 1));
		assert_true(m.n < 2 ? isnan(moments_std(&again, 1))
				    : fabs(moments_std(&again, 1) - moments_std(&m, 1)) < 1e-9);
	}
}

static void equal_numbers_have_no_spread(void **unused)
{
	struct moments m = { 0 }, twice, again;

	(void)unused;
	for (size_t i = 0; i < 1000; i++)
		moments_add(&m, 1234567891);
	again = back(&m);
	twice = moments_both(&again, &again);
	assert_true(moments_std(&twice, 1) < 1e-3);
}

static void moments_of_nonsense_are_unknown(void **unused)
{
	struct moments m = moments_from(3, 0, 9, (double)NAN, 1, 1);

	(void)unused;
	assert_true(isnan(moments_mean(&m, 1)));
	m = moments_from(3, 0, 9, 1e300, 1, 1);
	assert_true(isnan(moments_mean(&m, 1)));
	m = moments_from(UINT64_MAX, 0, 9, 1, 1e30, 1);
	assert_true(isnan(moments_mean(&m, 1)));
	m = moments_from(0, 4, 5, (double)NAN, (double)NAN, 1);
	assert_int_equal(m.n, 0);
	assert_int_equal(m.max, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, open_room, close_room)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(numbers_by_their_rules),
		TEST(what_differs_is_left_out_for_good),
		TEST(what_must_be_there_must_be_the_same),
		TEST(sums_that_do_not_fit),
		TEST(lists_by_their_rules),
		TEST(lists_that_are_not_there),
		TEST(structs),
		TEST(copies_share_nothing),
		cmocka_unit_test(moments_come_back),
		cmocka_unit_test(equal_numbers_have_no_spread),
		cmocka_unit_test(moments_of_nonsense_are_unknown),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
