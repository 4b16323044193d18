/* SPDX-License-Identifier: BSD-3-Clause */
/* test_prefix.c - subnets as text, and the longest that holds an address, beside trying them all.
 */
#include "base/limits.h"
#include "host/prefix.h"
#include "list_kit.h"

/* --- text -------------------------------------------------------------------------------- */

static struct prefix parsed(const char *text)
{
	struct prefix p;
	const char *wrong = prefix_parse(text, strlen(text), &p);

	if (wrong != NULL)
		fail_msg("%s: %s", text, wrong);
	return p;
}

static void goes_round(const char *text, const char *want)
{
	struct prefix p = parsed(text);
	char back[PREFIX_ROOM];
	size_t size = prefix_text(&p, back);

	assert_int_equal(size, strlen(want));
	assert_memory_equal(back, want, size);
}

static void reads_what_people_write(void **unused)
{
	(void)unused;
	goes_round("10.0.0.0/8", "10.0.0.0/8");
	goes_round("10.0.0.0/255.0.0.0", "10.0.0.0/8");
	goes_round("192.0.2.1", "192.0.2.1");
	goes_round("192.0.2.1/32", "192.0.2.1");
	goes_round("192.0.2.1/255.255.255.255", "192.0.2.1");
	goes_round("0.0.0.0/0", "0.0.0.0/0");
	goes_round("0.0.0.0/0.0.0.0", "0.0.0.0/0");
	goes_round("172.16.0.0/255.240.0.0", "172.16.0.0/12");
	goes_round("192.0.2.0/255.255.255.254", "192.0.2.0/31");
	goes_round("2001:db8::/32", "2001:db8::/32");
	goes_round("2001:DB8:0::1", "2001:db8::1");
	goes_round("::/0", "::/0");
	goes_round("::ffff:10.0.0.1/128", "::ffff:10.0.0.1");
}

static void refuses_the_rest(void **unused)
{
	static const char *const bad[] = { "", " ", "10", "10.0.0", "10.0.0.0.0", "256.0.0.1",
		"1.2.3.4/", "1.2.3.4/33", "1.2.3.4/-1", "1.2.3.4/08", "1.2.3.4/255.0.255.0",
		"1.2.3.4/255.255.255.256", "01.2.3.4", "1.2.3.4 ", "1.2.3.4/8/8", "::/129", "::/",
		":::", "2001:db8::/1.2.3.4", "g::1", "1.2.3.4:80", "example.com", "1..2.3", "/8",
		"1.2.3.4x", "2001:db8:1:2:3:4:5:6:7:8:9:a:b:c:d:e:f:0:1:2:3:4:5:6" };
	struct prefix p;

	(void)unused;
	for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
		if (prefix_parse(bad[i], strlen(bad[i]), &p) == NULL)
			fail_msg("'%s' was taken", bad[i]);
	assert_non_null(prefix_parse("::1\0", 4, &p));
}

/* --- the table --------------------------------------------------------------------------- */

static bool holds(const struct prefix *p, const struct address *a)
{
	if (p->version != a->version)
		return false;
	for (unsigned i = 0; i < p->length; i++)
		if (((p->bytes[i / 8] ^ a->bytes[i / 8]) >> (7 - i % 8)) & 1)
			return false;
	return true;
}

/* The longest by trying all; its length, or -1. */
static int longest(const struct prefix *all, size_t count, const struct address *a)
{
	int best = -1;

	for (size_t i = 0; i < count; i++)
		if (holds(&all[i], a) && all[i].length > best)
			best = all[i].length;
	return best;
}

static size_t count_holding(const struct prefix *all, size_t count, const struct address *a)
{
	size_t n = 0;

	for (size_t i = 0; i < count; i++)
		n += holds(&all[i], a);
	return n;
}

static void check_one(const struct prefix_table *t, const struct prefix *all, size_t count,
		const struct address *a)
{
	uint32_t at = prefix_find(t, a->version, a->bytes);
	int length = longest(all, count, a), before = 129;
	size_t held = 0;

	if (length < 0) {
		assert_int_equal(at, PREFIX_NONE);
		return;
	}
	assert_int_not_equal(at, PREFIX_NONE);
	assert_int_equal(prefix_at(t, at).length, length);
	for (; at != PREFIX_NONE; at = prefix_outer(t, at)) {
		struct prefix p = prefix_at(t, at);

		assert_true(holds(&p, a));
		assert_true(p.length <= before);
		assert_int_equal(p.value, prefix_value(t, at));
		assert_true(prefix_outer(t, at) == PREFIX_NONE || prefix_outer(t, at) < at);
		before = p.length;
		held++;
	}
	assert_int_equal(held, count_holding(all, count, a));
}

/* Addresses where something may go wrong: the first and last of each subnet, and their neighbours.
 */
static void check_edges(const struct prefix_table *t, const struct prefix *all, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		struct address a = { .version = all[i].version };
		unsigned bits = a.version == 4 ? 32 : 128;

		memcpy(a.bytes, all[i].bytes, 16);
		for (unsigned b = all[i].length; b < bits; b++)
			a.bytes[b / 8] &= (uint8_t) ~(0x80 >> b % 8);
		check_one(t, all, count, &a);
		for (unsigned b = bits / 8; b-- > 0 && a.bytes[b]-- == 0;)
			;
		check_one(t, all, count, &a);
		memcpy(a.bytes, all[i].bytes, 16);
		for (unsigned b = all[i].length; b < bits; b++)
			a.bytes[b / 8] |= (uint8_t)(0x80 >> b % 8);
		check_one(t, all, count, &a);
		for (unsigned b = bits / 8; b-- > 0 && ++a.bytes[b] == 0;)
			;
		check_one(t, all, count, &a);
	}
}

static struct prefix_table *table_of(const struct prefix *all, size_t count)
{
	struct prefix_table *t = prefix_new();
	struct err e;

	assert_non_null(t);
	for (size_t i = 0; i < count; i++)
		assert_true(prefix_add(t, &all[i], &e));
	assert_true(prefix_build(t, &e));
	assert_true(prefix_memory(t) > 0);
	return t;
}

/* 'spread': how many of the first bits differ; the fewer, the more they nest. */
static struct prefix random_prefix(uint8_t version, unsigned spread)
{
	struct prefix p = { .version = version };
	unsigned bits = version == 4 ? 32 : 128;

	for (unsigned i = 0; i < bits / 8; i++)
		p.bytes[i] = (uint8_t)(next_random() % 3 == 0 ? next_random() : 0);
	for (unsigned i = spread; i < bits && spread < bits; i++)
		if (next_random() % 8 != 0)
			p.bytes[i / 8] &= (uint8_t) ~(0x80 >> i % 8);
	p.length = (uint8_t)(next_random() % (bits + 1));
	p.value = (uint32_t)next_random() % 3;
	return p;
}

static void unique(struct prefix *all, size_t *count)
{
	size_t kept = 0;

	for (size_t i = 0; i < *count; i++) {
		struct address a = { .version = all[i].version };
		bool again = false;

		memcpy(a.bytes, all[i].bytes, 16);
		for (size_t k = 0; k < kept; k++)
			again |= all[k].length == all[i].length && all[k].value == all[i].value &&
				 holds(&all[k], &a);
		if (!again)
			all[kept++] = all[i];
	}
	*count = kept;
}

static void finds_what_trying_all_finds(void **unused)
{
	enum { MANY = 400, ROUNDS = 40 };
	struct prefix all[MANY];

	(void)unused;
	for (unsigned round = 0; round < ROUNDS; round++) {
		size_t count = 1 + next_random() % MANY;
		struct prefix_table *t;

		for (size_t i = 0; i < count; i++)
			all[i] = random_prefix(round % 3 == 0   ? 4
					       : round % 3 == 1 ? 6
								: (next_random() & 1 ? 4 : 6),
					round % 4 == 0 ? 128 : 4 + round);
		t = table_of(all, count);
		unique(all, &count);
		assert_int_equal(prefix_count(t), count);
		check_edges(t, all, count);
		prefix_free(t);
	}
}

/* A slot of an index has at most so many; many in one place make nodes below nodes. */
static void dense_places_are_found_too(void **unused)
{
	enum { MANY = 3000 };
	static struct prefix all[MANY];

	(void)unused;
	for (uint32_t i = 0; i < MANY; i++) {
		struct prefix *p = &all[i];

		*p = (struct prefix){ .version = 6, .length = 128, .value = i };
		p->bytes[0] = 0x20;
		p->bytes[1] = i % 10 == 0 ? (uint8_t)(i / 10) : 1;
		p->bytes[14] = (uint8_t)(i >> 8);
		p->bytes[15] = (uint8_t)i;
	}
	struct prefix_table *t = table_of(all, MANY);

	for (uint32_t i = 0; i < MANY; i++) {
		uint32_t at = prefix_find(t, 6, all[i].bytes);

		assert_int_not_equal(at, PREFIX_NONE);
		assert_int_equal(prefix_value(t, at), i);
		all[i].bytes[13] ^= 1;
		assert_int_equal(prefix_find(t, 6, all[i].bytes), PREFIX_NONE);
	}
	prefix_free(t);
}

static void nothing_and_everything(void **unused)
{
	struct prefix_table *t = prefix_new();
	struct address v4 = address("255.255.255.255"), v6 = address("::");
	struct err e;

	(void)unused;
	assert_true(prefix_build(t, &e));
	assert_int_equal(prefix_find(t, 4, v4.bytes), PREFIX_NONE);
	assert_int_equal(prefix_find(t, 6, v6.bytes), PREFIX_NONE);
	prefix_free(t);
	prefix_free(NULL);

	struct prefix all[] = { parsed("0.0.0.0/0"), parsed("::/0"), parsed("255.255.255.255"),
		parsed("ffff:ffff:ffff:ffff:ffff:ffff:ffff:ffff") };

	t = table_of(all, 4);
	check_edges(t, all, 4);
	prefix_free(t);
}

/* One subnet in several lists is there for each; in one list twice it is there once. */
static void the_same_subnet_has_several_values(void **unused)
{
	struct prefix p = parsed("10.0.0.0/8");
	struct address a = address("10.1.2.3");
	struct prefix_table *t = prefix_new();
	uint32_t values[] = { 7, 3, 7, 5, 3 }, at;
	struct err e;

	(void)unused;
	for (size_t i = 0; i < 5; i++) {
		p.value = values[i];
		assert_true(prefix_add(t, &p, &e));
	}
	assert_true(prefix_build(t, &e));
	assert_int_equal(prefix_count(t), 3);
	at = prefix_find(t, 4, a.bytes);
	assert_int_equal(prefix_value(t, at), 7);
	at = prefix_outer(t, at);
	assert_int_equal(prefix_value(t, at), 5);
	at = prefix_outer(t, at);
	assert_int_equal(prefix_value(t, at), 3);
	assert_int_equal(prefix_outer(t, at), PREFIX_NONE);
	prefix_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_what_people_write),
		cmocka_unit_test(refuses_the_rest),
		cmocka_unit_test(finds_what_trying_all_finds),
		cmocka_unit_test(dense_places_are_found_too),
		cmocka_unit_test(nothing_and_everything),
		cmocka_unit_test(the_same_subnet_has_several_values),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
