/* SPDX-License-Identifier: BSD-3-Clause */
/* test_due.c - flows are taken in the order of a sort of all, in whatever order they were added. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/due.h"
#include "random_kit.h"

enum { FLOWS = 20000 };

static struct due flows[FLOWS], sorted[FLOWS];

static int compare(const void *one, const void *other)
{
	const struct due *a = one, *b = other;

	if (a->leaves_ns != b->leaves_ns)
		return a->leaves_ns < b->leaves_ns ? -1 : 1;
	return a->number < b->number ? -1 : a->number > b->number;
}

/* Adds and takes 'count' flows; all stretches have been given back afterwards. */
static void go_through(struct due_queue *q, size_t count)
{
	struct due d;

	memcpy(sorted, flows, count * sizeof *flows);
	qsort(sorted, count, sizeof *sorted, compare);
	for (size_t i = 0; i < count; i++)
		assert_true(due_add(q, &flows[i]));
	due_seal(q);
	for (size_t i = 0; i < count; i++) {
		assert_true(due_take(q, &d));
		assert_int_equal(d.leaves_ns, sorted[i].leaves_ns);
		assert_int_equal(d.number, sorted[i].number);
		assert_int_equal(d.flow, sorted[i].flow);
	}
	assert_false(due_take(q, &d));
	assert_int_equal(q->runs.used, 0);
}

/* Times of 'spread' ns, each displaced from its order by 'shuffle' places or so. */
static void make(size_t count, uint64_t spread, uint64_t shuffle)
{
	for (size_t i = 0; i < count; i++)
		flows[i] = (struct due){ -5000 + (int64_t)(next_random() % spread), i,
			(uint32_t)i };
	qsort(flows, count, sizeof *flows, compare);
	for (size_t i = 0; shuffle > 0 && i < count; i++) {
		const size_t other = i + next_random() % shuffle;
		const struct due d = flows[i];

		if (other >= count)
			continue;
		flows[i] = flows[other];
		flows[other] = d;
	}
}

static void order_is_that_of_a_sort(void **unused)
{
	(void)unused;
	static const size_t counts[] = { 0, 1, 2, 28, 29, 30, 58, 59, 145, 1000, FLOWS };
	static const uint64_t spreads[] = { 1, 3, 1000, 1 << 24 };
	static const uint64_t shuffles[] = { 0, 4, 100, FLOWS };
	struct due_queue q;

	assert_true(due_init(&q, FLOWS));
	for (size_t c = 0; c < sizeof counts / sizeof counts[0]; c++)
		for (size_t p = 0; p < 4; p++)
			for (size_t s = 0; s < 4; s++) {
				make(counts[c], spreads[p], shuffles[s]);
				go_through(&q, counts[c]);
			}
	due_destroy(&q);
}

static void backwards(void **unused)
{
	(void)unused;
	struct due_queue q;

	assert_true(due_init(&q, FLOWS));
	for (size_t i = 0; i < FLOWS; i++)
		flows[i] = (struct due){ -(int64_t)i, i, (uint32_t)i };
	go_through(&q, FLOWS);
	due_destroy(&q);
}

/* Those that come in order are one stretch: nothing is compared with the others as they leave. */
static void in_order_there_is_nothing_to_merge(void **unused)
{
	(void)unused;
	struct due_queue q;

	assert_true(due_init(&q, FLOWS));
	make(FLOWS, 1 << 24, 0);
	for (size_t i = 0; i < FLOWS; i++)
		assert_true(due_add(&q, &flows[i]));
	due_seal(&q);
	assert_int_equal(q.heads, 1);
	due_destroy(&q);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(backwards),
		cmocka_unit_test(in_order_there_is_nothing_to_merge),
		cmocka_unit_test(order_is_that_of_a_sort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
