/* SPDX-License-Identifier: BSD-3-Clause */
/* test_measure.c - the packets of a flow measured at once are what they are one by one. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>

#include <cmocka.h>

#include "feature/measure.h"
#include "random_kit.h"

#define IDLE_NS ((int64_t)5000 * 1000 * 1000)

/* Whose unused members are 0, so that two may be compared as bytes. */
static void measure_one_by_one(
		struct measure *t, const struct journal_packet *packets, size_t count)
{
	memset(t, 0, sizeof *t);
	for (size_t i = 0; i < count; i++) {
		const struct journal_packet *p = &packets[i];

		measure_add(t,
				&(struct measure_packet){ p->now_ns, p->payload_len, p->ip_len,
						p->dir, p->transport_len },
				IDLE_NS);
	}
}

static void same_moments(const struct moments *a, const struct moments *b)
{
	assert_memory_equal(a, b, sizeof *a);
}

static void same(const struct measure *a, const struct measure *b)
{
	const struct moments x = measure_active(a), y = measure_active(b);

	for (unsigned dir = 0; dir < 2; dir++) {
		same_moments(&a->payload[dir], &b->payload[dir]);
		same_moments(&a->ip[dir], &b->ip[dir]);
		same_moments(&a->ipt[dir], &b->ipt[dir]);
	}
	same_moments(&a->ipt_all, &b->ipt_all);
	same_moments(&a->idle, &b->idle);
	same_moments(&x, &y);
	assert_memory_equal(a->burst, b->burst, sizeof a->burst);
	assert_memory_equal(a->small, b->small, sizeof a->small);
	assert_memory_equal(a->large, b->large, sizeof a->large);
	assert_memory_equal(a->header_min, b->header_min, sizeof a->header_min);
	assert_int_equal(a->first, b->first);
	assert_int_equal(a->pauses, b->pauses);
}

/* 'bits': of a length at most. */
static struct journal_packet some_packet(int64_t *now_ns, unsigned bits)
{
	static const uint8_t headers[] = { 0, 8, 20, 32, 60 };
	const uint32_t length = (uint32_t)(next_random() >> (64 - bits));

	*now_ns += (int64_t)(next_random() >> (24 + next_random() % 40));
	return (struct journal_packet){ .now_ns = *now_ns,
		.payload_len = next_random() % 3 == 0 ? 0 : length,
		.ip_len = length + 40,
		.dir = next_random() % 5 < 2,
		.transport_len = headers[next_random() % 5] };
}

static void at_once_as_one_by_one(void **unused)
{
	struct journal_packet packets[JOURNAL_PACKETS];

	(void)unused;
	for (unsigned round = 0; round < 20000; round++) {
		const size_t count = next_random() % (JOURNAL_PACKETS + 1) >> round % 6;
		const unsigned bits = round % 50 == 0 ? 32 : 8 + round % 8;
		int64_t now_ns = (int64_t)(next_random() >> 3);
		struct measure at_once = { 0 }, one_by_one;

		for (size_t i = 0; i < count; i++)
			packets[i] = some_packet(&now_ns, bits);
		measure_all(&at_once, packets, count, IDLE_NS);
		measure_one_by_one(&one_by_one, packets, count);
		same(&at_once, &one_by_one);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(at_once_as_one_by_one),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
