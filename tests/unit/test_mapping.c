/* SPDX-License-Identifier: BSD-3-Clause */
/* test_mapping.c - os/mapping.c: what a mapped file shows, also when somebody cuts it. */
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <cmocka.h>

#include "os/mapping.h"

enum { SIZE = 2 * MAPPING_ALIGN + 4096, PAGE = 65536 };

static sigjmp_buf elsewhere;
static struct sigaction guard; /* each test has a handler of cmocka's in its place */

static void on_bus_error(int number)
{
	(void)number;
	siglongjmp(elsewhere, 1);
}

/* Each byte says in which page it lies. */
static uint8_t byte_at(size_t at)
{
	return (uint8_t)(at / PAGE + 1);
}

static int make_file(void)
{
	FILE *f = tmpfile();

	assert_non_null(f);
	for (size_t i = 0; i < SIZE; i++)
		putc(byte_at(i), f);
	assert_int_equal(fflush(f), 0);
	return dup(fileno(f));
}

static void only_with_the_guard(void **unused)
{
	int fd = make_file();
	bool huge;

	(void)unused;
	assert_null(mapping_new(fd, 0, SIZE, &huge));
	close(fd);
	signal(SIGBUS, on_bus_error); /* for what comes later: it must still be asked */
	assert_true(mapping_guard());
	assert_true(mapping_guard());
	sigaction(SIGBUS, NULL, &guard);
}

static void shows_the_file(void **unused)
{
	int fd = make_file();
	bool huge;
	const uint8_t *w = mapping_new(fd, MAPPING_ALIGN, SIZE - MAPPING_ALIGN, &huge);

	(void)unused;
	assert_non_null(w);
	for (size_t i = 0; i < SIZE - MAPPING_ALIGN; i++)
		assert_int_equal(w[i], byte_at(MAPPING_ALIGN + i));
	assert_false(mapping_lost(w));
	mapping_free(w, SIZE - MAPPING_ALIGN);
	close(fd);
}

static void a_cut_file_is_zeros(void **unused)
{
	int fd = make_file(), other = make_file();
	bool huge;
	const uint8_t *w = mapping_new(fd, 0, SIZE, &huge);
	const uint8_t *untouched = mapping_new(other, 0, SIZE, &huge);

	(void)unused;
	sigaction(SIGBUS, &guard, NULL);
	assert_int_equal(ftruncate(fd, PAGE), 0);
	assert_int_equal(w[PAGE - 1], 1);
	assert_false(mapping_lost(w));
	for (size_t i = PAGE; i < SIZE; i++)
		assert_int_equal(w[i], 0);
	assert_int_equal(w[PAGE - 1], 1);
	assert_true(mapping_lost(w));
	assert_false(mapping_lost(untouched));
	mapping_free(w, SIZE);
	mapping_free(untouched, SIZE);
	close(fd);
	close(other);
}

static void what_cannot_be_had_is_refused(void **unused)
{
	int fd = make_file();
	bool huge;

	(void)unused;
	assert_null(mapping_new(-1, 0, SIZE, &huge));
	assert_null(mapping_new(fd, 3 * (uint64_t)MAPPING_ALIGN, 4096, &huge)); /* behind its end */
	close(fd);
}

static void places_come_back(void **unused)
{
	enum { MANY = 300 };
	const uint8_t *w[MANY];
	int fd = make_file();
	bool huge;
	size_t count[2] = { 0 };

	(void)unused;
	for (size_t round = 0; round < 2; round++) {
		while (count[round] < MANY &&
				(w[count[round]] = mapping_new(fd, 0, SIZE, &huge)) != NULL)
			count[round]++;
		for (size_t i = 0; i < count[round]; i++)
			mapping_free(w[i], SIZE);
	}
	assert_in_range(count[0], 16, MANY - 1);
	assert_int_equal(count[0], count[1]);
	close(fd);
}

static void other_faults_go_on(void **unused)
{
	int fd = make_file();
	volatile uint8_t *foreign = mmap(NULL, SIZE, PROT_READ, MAP_SHARED, fd, 0);

	(void)unused;
	sigaction(SIGBUS, &guard, NULL);
	assert_ptr_not_equal(foreign, MAP_FAILED);
	assert_int_equal(ftruncate(fd, 0), 0);
	if (sigsetjmp(elsewhere, 1) == 0) {
		(void)foreign[SIZE - 1];
		fail();
	}
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(only_with_the_guard),
		cmocka_unit_test(shows_the_file),
		cmocka_unit_test(a_cut_file_is_zeros),
		cmocka_unit_test(what_cannot_be_had_is_refused),
		cmocka_unit_test(places_come_back),
		cmocka_unit_test(other_faults_go_on),
	};

	return cmocka_run_group_tests_name("mapping", tests, NULL, NULL);
}
