/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_process_store.c - which process has a flow: by addresses, in time, in namespaces; slots that
 * go to others; a full table; a reader beside the writer.
 */
#include "process_kit.h"

#include <pthread.h>

enum { TCP = 6, UDP = 17 };

struct kit {
	struct process_store *s;
	uint32_t sockets;
};

static int set_up(void **state)
{
	struct kit *k = calloc(1, sizeof *k);
	struct err e;

	k->s = process_store_new(&e);
	assert_non_null(k->s);
	*state = k;
	return 0;
}

static int tear_down(void **state)
{
	struct kit *k = *state;

	process_store_free(k->s);
	free(k);
	return 0;
}

/* A socket of process 'pid' (in the slot of that number) with a tuple; returns its slot. */
static uint32_t add(struct kit *k, uint32_t pid, struct process_tuple t, int64_t open_ns,
		unsigned confidence, uint64_t netns)
{
	struct process p = kit_process(pid, "name");
	struct process_socket socket = { .process = pid,
		.process_generation = 1,
		.generation = 7,
		.confidence = confidence,
		.netns = netns,
		.open_ns = open_ns,
		.close_ns = INT64_MAX };
	uint32_t slot = k->sockets++;

	process_store_process(k->s, pid, 1, &p);
	process_store_socket(k->s, slot, &socket);
	process_store_tuple(k->s, &t, slot, 7);
	return slot;
}

static void expect(struct kit *k, struct process_flow f, uint32_t pid, unsigned confidence)
{
	struct process_match m = process_store_find(k->s, &f);
	struct process p;

	assert_int_equal(m.confidence, confidence);
	if (confidence == PROCESS_NOBODY) {
		assert_false(process_store_read(k->s, m, &p));
		return;
	}
	assert_true(process_store_read(k->s, m, &p));
	assert_int_equal(p.pid, pid);
}

static void finds_a_connection_from_both_ends(void **state)
{
	struct kit *k = *state;

	add(k, 10, kit_tuple(TCP, "10.0.0.1", 4000, "10.0.0.2", 80), SECOND, PROCESS_EXACT, 0);
	add(k, 20, kit_tuple(TCP, "10.0.0.2", 80, "10.0.0.1", 4000), SECOND, PROCESS_LATE, 0);
	expect(k, kit_flow(TCP, "10.0.0.1", 4000, "10.0.0.2", 80, SECOND), 10, PROCESS_EXACT);
	expect(k, kit_flow(TCP, "10.0.0.2", 80, "10.0.0.1", 4000, SECOND), 20, PROCESS_LATE);
	expect(k, kit_flow(UDP, "10.0.0.1", 4000, "10.0.0.2", 80, SECOND), 0, PROCESS_NOBODY);
	expect(k, kit_flow(TCP, "10.0.0.1", 4001, "10.0.0.2", 80, SECOND), 0, PROCESS_NOBODY);
}

static void a_port_used_again_has_its_owner_of_the_time(void **state)
{
	struct kit *k = *state;
	struct process_tuple t = kit_tuple(TCP, "::1", 4000, "::2", 80);
	uint32_t first = add(k, 10, t, 10 * SECOND, PROCESS_EXACT, 0);

	process_store_close(k->s, first, 7, 20 * SECOND);
	add(k, 11, t, 30 * SECOND, PROCESS_EXACT, 0);
	expect(k, kit_flow(TCP, "::1", 4000, "::2", 80, 15 * SECOND), 10, PROCESS_EXACT);
	expect(k, kit_flow(TCP, "::1", 4000, "::2", 80, 30 * SECOND), 11, PROCESS_EXACT);
	expect(k, kit_flow(TCP, "::1", 4000, "::2", 80, 99 * SECOND), 11, PROCESS_EXACT);
	expect(k, kit_flow(TCP, "::1", 4000, "::2", 80, 29 * SECOND), 0, PROCESS_NOBODY);
	expect(k, kit_flow(TCP, "::1", 4000, "::2", 80, 9 * SECOND), 0, PROCESS_NOBODY);
}

/* A connection that comes is reported behind its handshake, which is in the flow. */
static void a_socket_may_open_while_the_flow_goes_on(void **state)
{
	struct kit *k = *state;
	struct process_flow f = kit_flow(TCP, "::1", 80, "::2", 4000, 29 * SECOND);

	add(k, 10, kit_tuple(TCP, "::1", 80, "::2", 4000), 30 * SECOND, PROCESS_EXACT, 0);
	add(k, 11, kit_tuple(TCP, "::1", 80, "::2", 4000), 31 * SECOND, PROCESS_EXACT, 0);
	expect(k, f, 0, PROCESS_NOBODY);
	f.end_ns = 35 * SECOND;
	expect(k, f, 10, PROCESS_EXACT);
}

static void what_is_left_of_a_connection_is_a_guess(void **state)
{
	struct kit *k = *state;
	struct process_flow f = kit_flow(TCP, "10.0.0.1", 4000, "10.0.0.2", 80, 40 * SECOND);
	uint32_t s = add(k, 10, kit_tuple(TCP, "10.0.0.1", 4000, "10.0.0.2", 80), SECOND,
			PROCESS_EXACT, 0);

	process_store_close(k->s, s, 6, 0); /* of an older generation: nothing happens */
	process_store_close(k->s, s, 7, 2 * SECOND);
	expect(k, f, 0, PROCESS_NOBODY); /* begins with a SYN: not of a closed socket */
	f.midstream = true;
	expect(k, f, 10, PROCESS_GUESS);
	f.start_ns = f.end_ns = 90 * SECOND;
	expect(k, f, 0, PROCESS_NOBODY);
}

static void a_socket_at_any_address_has_only_ours(void **state)
{
	struct kit *k = *state;
	uint8_t address[16];

	add(k, 53, kit_tuple(UDP, "0.0.0.0", 53, "0.0.0.0", 0), 0, PROCESS_EXACT, 0);
	expect(k, kit_flow(UDP, "192.0.2.1", 53, "192.0.2.9", 999, SECOND), 0, PROCESS_NOBODY);
	expect(k, kit_flow(UDP, "127.0.0.5", 53, "127.0.0.1", 999, SECOND), 53, PROCESS_GUESS);
	process_store_address(k->s, kit_address("192.0.2.1", address), address, true);
	expect(k, kit_flow(UDP, "192.0.2.1", 53, "192.0.2.9", 999, SECOND), 53, PROCESS_GUESS);
	process_store_address(k->s, kit_address("192.0.2.1", address), address, false);
	expect(k, kit_flow(UDP, "192.0.2.1", 53, "192.0.2.9", 999, SECOND), 0, PROCESS_NOBODY);
}

static void a_known_peer_is_more_than_a_port(void **state)
{
	struct kit *k = *state;
	uint8_t address[16];

	process_store_address(k->s, kit_address("192.0.2.1", address), address, true);
	add(k, 5, kit_tuple(UDP, "0.0.0.0", 5353, "0.0.0.0", 0), SECOND, PROCESS_EXACT, 0);
	add(k, 6, kit_tuple(UDP, "0.0.0.0", 5353, "192.0.2.9", 7), 0, PROCESS_EXACT, 0);
	expect(k, kit_flow(UDP, "192.0.2.1", 5353, "192.0.2.9", 7, SECOND), 6, PROCESS_EXACT);
	expect(k, kit_flow(UDP, "192.0.2.1", 5353, "192.0.2.9", 8, SECOND), 5, PROCESS_GUESS);
	expect(k, kit_flow(UDP, "224.0.0.251", 5353, "192.0.2.9", 7, SECOND), 6, PROCESS_EXACT);
	expect(k, kit_flow(UDP, "198.51.100.1", 5353, "192.0.2.9", 7, SECOND), 0, PROCESS_NOBODY);
}

static void mapped_addresses_are_ipv4(void **state)
{
	struct kit *k = *state;

	add(k, 1, kit_tuple(TCP, "::ffff:127.0.0.1", 80, "::ffff:127.0.0.1", 4000), SECOND,
			PROCESS_EXACT, 0);
	expect(k, kit_flow(TCP, "127.0.0.1", 80, "127.0.0.1", 4000, SECOND), 1, PROCESS_EXACT);
	add(k, 2, kit_tuple(UDP, "::", 53, "::ffff:127.0.0.1", 4000), SECOND, PROCESS_EXACT, 0);
	expect(k, kit_flow(UDP, "127.0.0.1", 53, "127.0.0.1", 4000, SECOND), 2, PROCESS_EXACT);
}

static void an_ipv6_socket_takes_ipv4_where_no_other_does(void **state)
{
	struct kit *k = *state;

	add(k, 6, kit_tuple(TCP, "::", 80, "::", 0), 5 * SECOND, PROCESS_EXACT, 0);
	expect(k, kit_flow(TCP, "127.0.0.1", 80, "127.0.0.1", 9, 9 * SECOND), 6, PROCESS_GUESS);
	add(k, 4, kit_tuple(TCP, "0.0.0.0", 80, "0.0.0.0", 0), SECOND, PROCESS_EXACT, 0);
	expect(k, kit_flow(TCP, "127.0.0.1", 80, "127.0.0.1", 9, 9 * SECOND), 4, PROCESS_GUESS);
}

static void namespaces_do_not_mix(void **state)
{
	struct kit *k = *state;
	struct process_tuple t = kit_tuple(TCP, "10.0.0.1", 4000, "10.0.0.2", 80);
	struct process_flow f = kit_flow(TCP, "10.0.0.1", 4000, "10.0.0.2", 80, 9 * SECOND);

	add(k, 1, t, SECOND, PROCESS_EXACT, 111);
	expect(k, f, 1, PROCESS_EXACT); /* the only one there is */
	add(k, 2, t, 2 * SECOND, PROCESS_EXACT, 222);
	expect(k, f, 0, PROCESS_NOBODY); /* either */
	add(k, 3, t, SECOND, PROCESS_EXACT, 0);
	expect(k, f, 3, PROCESS_EXACT); /* ours */
	add(k, 4, kit_tuple(TCP, "0.0.0.0", 22, "0.0.0.0", 0), SECOND, PROCESS_EXACT, 111);
	expect(k, kit_flow(TCP, "127.0.0.1", 22, "127.0.0.1", 5, 9 * SECOND), 0, PROCESS_NOBODY);
	add(k, 6, kit_tuple(UDP, "0.0.0.0", 5, "10.0.0.2", 53), SECOND, PROCESS_EXACT, 111);
	expect(k, kit_flow(UDP, "10.0.0.1", 5, "10.0.0.2", 53, 9 * SECOND), 6, PROCESS_GUESS);
	add(k, 5, kit_tuple(TCP, "::1", 22, "::1", 5), SECOND, PROCESS_EXACT, 111);
	expect(k, kit_flow(TCP, "::1", 22, "::1", 5, 9 * SECOND), 0, PROCESS_NOBODY);
}

static void a_slot_given_to_another_is_not_read(void **state)
{
	struct kit *k = *state;
	struct process_flow f = kit_flow(TCP, "10.0.0.1", 4000, "10.0.0.2", 80, SECOND);
	struct process next = kit_process(99, "next"), p;
	struct process_match m;
	uint8_t hash[32] = { 42 };

	add(k, 10, kit_tuple(TCP, "10.0.0.1", 4000, "10.0.0.2", 80), SECOND, PROCESS_EXACT, 0);
	m = process_store_find(k->s, &f);
	process_store_hash(k->s, 10, 1, hash);
	assert_true(process_store_read(k->s, m, &p));
	assert_true(p.hashed && p.hash[0] == 42);
	process_store_process(k->s, 10, 2, &next);
	process_store_hash(k->s, 10, 1, hash); /* comes too late */
	assert_false(process_store_read(k->s, m, &p));
	m.generation = 2;
	assert_true(process_store_read(k->s, m, &p));
	assert_int_equal(p.hashed, 0);
}

static void slots_that_there_are_not_are_ignored(void **state)
{
	struct kit *k = *state;
	struct process p = kit_process(1, "x");
	struct process_socket socket = { .generation = 7 };
	struct process_tuple t = kit_tuple(TCP, "10.0.0.1", 1, "10.0.0.2", 2);
	struct process_match m = { LIMIT_PROCESSES, 1, PROCESS_EXACT };
	uint8_t hash[32] = { 0 };

	process_store_process(k->s, LIMIT_PROCESSES, 1, &p);
	process_store_process(k->s, UINT32_MAX, 1, &p);
	process_store_hash(k->s, UINT32_MAX, 1, hash);
	process_store_socket(k->s, LIMIT_PROCESS_SOCKETS, &socket);
	process_store_close(k->s, UINT32_MAX, 7, 0);
	process_store_tuple(k->s, &t, LIMIT_PROCESS_SOCKETS, 7);
	process_store_tuple(k->s, &t, UINT32_MAX, 7);
	assert_false(process_store_read(k->s, m, &p));
}

static void a_full_table_forgets_the_longest_closed(void **state)
{
	struct kit *k = *state;
	unsigned found = 0;

	/* far more than there is room for, each closed a moment later; the last is open */
	for (uint32_t i = 0; i < 3 * LIMIT_PROCESS_TUPLES; i++) {
		struct process_tuple t = kit_tuple(UDP, "10.0.0.1", (uint16_t)(i % 60000 + 1),
				"10.0.0.2", (uint16_t)(i / 60000 + 1));
		struct process_socket socket = { .process = 1,
			.process_generation = 1,
			.generation = i / LIMIT_PROCESS_SOCKETS + 1,
			.confidence = PROCESS_EXACT,
			.open_ns = i,
			.close_ns = i + 1 };
		uint32_t slot = i % LIMIT_PROCESS_SOCKETS;

		process_store_socket(k->s, slot, &socket);
		process_store_tuple(k->s, &t, slot, socket.generation);
	}
	for (uint32_t i = 3 * LIMIT_PROCESS_TUPLES - 1000; i < 3 * LIMIT_PROCESS_TUPLES; i++) {
		struct process_flow f = kit_flow(UDP, "10.0.0.1", (uint16_t)(i % 60000 + 1),
				"10.0.0.2", (uint16_t)(i / 60000 + 1), i);

		found += process_store_find(k->s, &f).confidence == PROCESS_EXACT;
	}
	assert_int_equal(found, 1000);
	assert_int_equal(process_store_evicted(k->s), 0);
}

/* --- a reader beside the writer ----------------------------------------------------------------
 */

enum { ROUNDS = 20000 };

static void *write_on(void *arg)
{
	struct kit *k = arg;

	for (uint32_t i = 1; i <= ROUNDS; i++) {
		struct process p = { .pid = i, .parent_pid = i, .uid = i };

		memset(p.bytes, (int)(i & 0xff), sizeof p.bytes);
		process_store_process(k->s, 5, 1, &p);
	}
	return NULL;
}

static void a_reader_never_sees_half_of_two(void **state)
{
	struct kit *k = *state;
	struct process p = { 0 };
	struct process_match m = { 5, 1, PROCESS_EXACT };
	pthread_t writer;

	assert_int_equal(pthread_create(&writer, NULL, write_on, k), 0);
	while (p.pid != ROUNDS) {
		if (!process_store_read(k->s, m, &p))
			continue;
		assert_int_equal(p.pid, p.parent_pid);
		assert_int_equal(p.pid, p.uid);
		assert_int_equal((uint8_t)p.bytes[0], p.pid & 0xff);
		assert_int_equal((uint8_t)p.bytes[sizeof p.bytes - 1], p.pid & 0xff);
	}
	pthread_join(writer, NULL);
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, set_up, tear_down)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(finds_a_connection_from_both_ends),
		TEST(a_port_used_again_has_its_owner_of_the_time),
		TEST(a_socket_may_open_while_the_flow_goes_on),
		TEST(what_is_left_of_a_connection_is_a_guess),
		TEST(a_socket_at_any_address_has_only_ours),
		TEST(a_known_peer_is_more_than_a_port),
		TEST(mapped_addresses_are_ipv4),
		TEST(an_ipv6_socket_takes_ipv4_where_no_other_does),
		TEST(namespaces_do_not_mix),
		TEST(a_slot_given_to_another_is_not_read),
		TEST(slots_that_there_are_not_are_ignored),
		TEST(a_full_table_forgets_the_longest_closed),
		TEST(a_reader_never_sees_half_of_two),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
