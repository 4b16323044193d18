/* SPDX-License-Identifier: BSD-3-Clause */
/* test_process_known.c - slots: found again, given on when full, never those in use. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include "host/process_known.h"

enum { PROCESSES = 8, SOCKETS = 16 };

static uint32_t process(struct known *k, uint32_t pid, bool *is_new)
{
	struct known_key key = { .start_ns = 5, .pid = pid };

	return known_process(k, &key, is_new);
}

static void a_process_keeps_its_slot(void **state)
{
	struct known *k = known_new(PROCESSES, SOCKETS);
	struct known_key later = { .start_ns = 6, .pid = 1 };
	bool is_new;
	uint32_t slot = process(k, 1, &is_new);

	(void)state;
	assert_true(is_new);
	assert_int_equal(process(k, 1, &is_new), slot);
	assert_false(is_new);
	assert_int_not_equal(known_process(k, &later, &is_new), slot); /* the id used again */
	assert_true(is_new);
	known_free(k);
}

static void who_has_open_sockets_stays(void **state)
{
	struct known *k = known_new(PROCESSES, SOCKETS);
	bool is_new;
	uint32_t kept = process(k, 1, &is_new), generation = known_generation(k, kept);
	struct known_socket *s = known_add_socket(k, 77);

	(void)state;
	known_set_owner(k, s, kept);
	for (uint32_t pid = 2; pid < 100; pid++)
		process(k, pid, &is_new);
	assert_int_equal(process(k, 1, &is_new), kept);
	assert_false(is_new);
	assert_int_equal(known_generation(k, kept), generation);
	known_close(k, s);
	for (uint32_t pid = 200; pid < 300; pid++)
		process(k, pid, &is_new);
	process(k, 1, &is_new);
	assert_true(is_new);
	known_free(k);
}

static void when_all_have_sockets_one_goes_all_the_same(void **state)
{
	struct known *k = known_new(PROCESSES, SOCKETS);
	bool is_new;

	(void)state;
	for (uint32_t pid = 1; pid <= PROCESSES; pid++)
		known_set_owner(k, known_add_socket(k, pid), process(k, pid, &is_new));
	process(k, 100, &is_new);
	assert_true(is_new);
	for (uint32_t pid = 1; pid <= PROCESSES; pid++) /* the new owner's count stays right */
		known_close(k, known_find_socket(k, pid));
	for (uint32_t pid = 200; pid < 300; pid++)
		process(k, pid, &is_new);
	process(k, 100, &is_new);
	assert_true(is_new);
	known_free(k);
}

static void closed_sockets_make_room_first(void **state)
{
	struct known *k = known_new(PROCESSES, SOCKETS);
	struct known_socket *s;
	uint32_t at = 0, open = 0;

	(void)state;
	for (uint64_t c = 1; c <= SOCKETS; c++)
		known_add_socket(k, c);
	known_close(k, known_find_socket(k, 5));
	known_add_socket(k, 100);
	assert_null(known_find_socket(k, 5));
	assert_int_equal(known_evicted(k), 0);
	known_add_socket(k, 101);
	assert_int_equal(known_evicted(k), 1);
	assert_non_null(known_find_socket(k, 101));
	while ((s = known_next_open(k, &at)) != NULL)
		open++;
	assert_int_equal(open, SOCKETS);
	known_free(k);
}

static void a_slot_given_on_has_a_new_generation(void **state)
{
	struct known *k = known_new(PROCESSES, 1);
	struct known_socket *s = known_add_socket(k, 1);
	uint32_t slot = known_socket_slot(k, s), generation = s->generation;

	(void)state;
	known_close(k, s);
	s = known_add_socket(k, 2);
	assert_int_equal(known_socket_slot(k, s), slot);
	assert_int_not_equal(s->generation, generation);
	known_free(k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_process_keeps_its_slot),
		cmocka_unit_test(who_has_open_sockets_stays),
		cmocka_unit_test(when_all_have_sockets_one_goes_all_the_same),
		cmocka_unit_test(closed_sockets_make_room_first),
		cmocka_unit_test(a_slot_given_on_has_a_new_generation),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
