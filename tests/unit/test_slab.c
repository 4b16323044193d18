/* SPDX-License-Identifier: BSD-3-Clause */
/* test_slab.c - objects under numbers: apart from each other, reused last first, and with pages
 * behind them before they are asked for. */
#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/pages.h"
#include "base/slab.h"

enum { OBJECT = 320, OBJECTS = 3000, PAGE = 4096 };

/* Each keeps what was written into it, whatever was given back and taken again in between. */
static void objects_are_apart(void **state)
{
	struct slab s;

	(void)state;
	assert_true(slab_init(&s, OBJECT, OBJECTS));
	for (uint32_t i = 0; i < OBJECTS; i++) {
		assert_int_equal(slab_take(&s), i);
		memset(slab_at(&s, i), (int)(i % 251), OBJECT);
	}
	assert_int_equal(slab_take(&s), SLAB_NONE);
	slab_give(&s, 7);
	slab_give(&s, 2000);
	assert_int_equal(s.used, OBJECTS - 2);
	assert_int_equal(slab_take(&s), 2000);
	assert_int_equal(slab_take(&s), 7);
	assert_int_equal(slab_take(&s), SLAB_NONE);
	memset(slab_at(&s, 7), 7, OBJECT);
	memset(slab_at(&s, 2000), 2000 % 251, OBJECT);
	for (uint32_t i = 0; i < OBJECTS; i++)
		for (size_t k = 0; k < OBJECT; k++)
			assert_int_equal(((uint8_t *)slab_at(&s, i))[k], i % 251);
	for (uint32_t i = 0; i < OBJECTS; i++)
		slab_give(&s, i);
	slab_destroy(&s);
}

#if !defined(SLAB_MALLOC) && defined(MADV_POPULATE_WRITE)

/* How many pages of the slab's range are in memory. */
static size_t pages_there(const struct slab *s, size_t bytes)
{
	unsigned char there[(OBJECT * OBJECTS + 4095) / PAGE];
	size_t count = 0;

	assert_int_equal(mincore(s->base, bytes, there), 0);
	for (size_t i = 0; i < (bytes + 4095) / PAGE; i++)
		count += there[i] & 1;
	return count;
}

/* Pages come ahead of their objects, twice as many each time up to a step, and never behind the
 * end. */
static void pages_come_ahead(void **state)
{
	const size_t all = (size_t)OBJECT * OBJECTS;
	struct slab s;

	(void)state;
	assert_true(slab_init(&s, OBJECT, OBJECTS));
	if (sysconf(_SC_PAGESIZE) != PAGE || madvise(s.base, PAGE, MADV_POPULATE_WRITE) != 0)
		skip(); /* a kernel before 5.14 */
	slab_take(&s);
	assert_int_equal(pages_there(&s, all), PAGES_FIRST / PAGE);
	while (s.fresh < OBJECTS) {
		slab_take(&s);
		assert_true(s.there >= s.object * s.fresh);
		assert_true(s.there <= s.object * s.fresh + PAGES_STEP);
		assert_int_equal(pages_there(&s, all), (s.there + 4095) / PAGE);
	}
	assert_int_equal(s.there, all);
	slab_destroy(&s);
}

#else

static void pages_come_ahead(void **state)
{
	(void)state;
	skip();
}

#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(objects_are_apart),
		cmocka_unit_test(pages_come_ahead),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
