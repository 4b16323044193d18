/* SPDX-License-Identifier: BSD-3-Clause */
/* test_table.c - when flows begin, part and leave, in which order, and what the budget does. */
#include "flowtest.h"

struct left {
	int64_t deadline;
	uint64_t id, part_number, packets[2];
	uint32_t part, marks;
	uint16_t client_port;
	uint8_t end;
};

struct world {
	struct table *table;
	struct left left[8192];
	size_t count;
	uint64_t all, packets; /* beyond what 'left' holds too */
	uint64_t number;
};

static void on_leave(void *ctx, struct flow *f)
{
	struct world *w = ctx;

	w->all++;
	w->packets += f->side[0].packets + f->side[1].packets;
	if (w->count == sizeof w->left / sizeof w->left[0])
		return;
	w->left[w->count++] = (struct left){
		.deadline = f->timer.deadline_ns,
		.id = flow_id(f),
		.part_number = f->part_number,
		.packets = { f->side[0].packets, f->side[1].packets },
		.part = f->part,
		.marks = f->marks,
		.client_port = f->key.port[flow_endpoint(f, 0)],
		.end = f->end,
	};
}

static struct world *world_new(size_t memory)
{
	struct world *w = calloc(1, sizeof *w);
	struct table_conf conf = {
		.idle_ns = 120 * SECOND,
		.active_ns = 1800 * SECOND,
		.linger_ns = 2 * SECOND,
		.vlan_key = true,
		.memory = memory,
		.state_size = 64,
		.leave = on_leave,
		.ctx = w,
	};
	struct err e;

	w->table = table_new(&conf, &e);
	assert_non_null(w->table);
	return w;
}

static void world_free(struct world *w)
{
	table_free(w->table);
	free(w);
}

static struct flow *show(struct world *w, struct pkt *p)
{
	struct table_ticket ticket;

	p->number = ++w->number;
	table_ticket(w->table, p, &ticket);
	table_advance(w->table, p->clock_ns);
	return table_packet(w->table, p, &ticket);
}

static struct flow *udp(struct world *w, bool back, int64_t ns, uint16_t client_port)
{
	struct pkt p = flowtest_packet(PROTO_UDP, back, ns, 10);

	p.port[back] = client_port;
	return show(w, &p);
}

static struct flow *tcp(
		struct world *w, bool back, int64_t ns, uint16_t flags, uint32_t seq, uint32_t ack)
{
	struct pkt p = flowtest_tcp(back, ns, flags, seq, ack, 0);

	return show(w, &p);
}

static void silence_ends_a_flow(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	udp(w, 0, 0, 4000);
	udp(w, 1, 119 * SECOND, 4000);
	udp(w, 0, 119 * SECOND + 120 * SECOND, 4000); /* exactly the timeout: over */
	table_finish(w->table, 300 * SECOND);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->left[0].end, FLOW_END_IDLE);
	assert_int_equal(w->left[0].deadline, 239 * SECOND);
	assert_int_equal(w->left[0].packets[0], 1);
	assert_int_equal(w->left[0].packets[1], 1);
	assert_int_equal(w->left[1].end, FLOW_END_FORCED);
	assert_int_equal(w->left[1].id, 3);
	assert_int_equal(w->left[1].part, 1);
	world_free(w);
}

static void long_flows_come_in_parts(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	for (int64_t s = 0; s < 4000; s += 100)
		udp(w, s % 200 != 0, s * SECOND, 4000);
	table_finish(w->table, 4000 * SECOND);
	assert_int_equal(w->count, 3);
	for (uint32_t i = 0; i < 3; i++) {
		assert_int_equal(w->left[i].id, 1);
		assert_int_equal(w->left[i].part, i + 1);
		assert_int_equal(w->left[i].client_port, 4000);
	}
	assert_int_equal(w->left[0].end, FLOW_END_ACTIVE);
	assert_int_equal(w->left[0].deadline, 1800 * SECOND);
	assert_int_equal(w->left[0].packets[0] + w->left[0].packets[1], 18);
	assert_int_equal(w->left[1].deadline, 3600 * SECOND);
	assert_int_equal(w->left[2].end, FLOW_END_FORCED);
	assert_int_equal(w->left[2].packets[0] + w->left[2].packets[1], 4);
	world_free(w);
}

/* A part that waits leaves at its idle timeout, one with a packet earlier than that. */
static void parts_may_be_shorter_than_silence(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);
	struct table_conf conf = {
		.idle_ns = 120 * SECOND,
		.active_ns = 10 * SECOND,
		.leave = on_leave,
		.memory = 16 << 20,
		.ctx = w,
	};
	struct err e;

	table_free(w->table);
	w->table = table_new(&conf, &e);
	for (int64_t s = 0; s <= 24; s += 4)
		udp(w, 0, s * SECOND, 4000);
	table_finish(w->table, 24 * SECOND);
	assert_int_equal(w->count, 3);
	assert_int_equal(w->packets, 7);
	assert_int_equal(w->left[1].part, 2);
	assert_int_equal(w->left[1].deadline, 22 * SECOND);
	assert_int_equal(w->left[1].end, FLOW_END_ACTIVE);
	assert_int_equal(w->left[2].packets[0], 1);
	world_free(w);
}

static void a_part_without_packets_is_no_record(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	for (int64_t s = 0; s < 1800; s += 100)
		udp(w, 0, s * SECOND, 4000);
	udp(w, 0, 5000 * SECOND, 5000); /* another flow moves the clock */
	udp(w, 0, 5001 * SECOND, 4000); /* long after the idle timeout: a new conversation */
	table_finish(w->table, 5001 * SECOND);
	assert_int_equal(w->count, 3);
	assert_int_equal(w->left[0].end, FLOW_END_ACTIVE);
	assert_int_equal(w->left[2].part, 1);
	assert_int_equal(w->left[2].id, 20);
	world_free(w);
}

/* What is counted at a flow found by table_peek() has to reach a record. */
static void a_part_without_packets_is_not_found(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);
	struct pkt p = flowtest_packet(PROTO_UDP, false, 0, 10);
	struct table_ticket ticket;

	table_ticket(w->table, &p, &ticket);
	for (int64_t s = 0; s < 1800; s += 100)
		udp(w, 0, s * SECOND, 4000);
	assert_non_null(table_peek(w->table, &ticket, 1700 * SECOND));
	udp(w, 0, 1801 * SECOND, 5000);
	assert_null(table_peek(w->table, &ticket, 1801 * SECOND));
	udp(w, 0, 1802 * SECOND, 4000);
	assert_non_null(table_peek(w->table, &ticket, 1802 * SECOND));
	world_free(w);
}

static void a_lost_fragment_marks_the_flow(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);
	struct pkt p = flowtest_packet(PROTO_UDP, false, 0, 0);

	p.marks = PKT_FRAGMENT | PKT_INCOMPLETE;
	assert_int_equal(show(w, &p)->marks & (FLOW_INCOMPLETE_DATAGRAM | FLOW_NO_PORTS),
			FLOW_INCOMPLETE_DATAGRAM);
	world_free(w);
}

static void connect_and_close(struct world *w, int64_t at, uint32_t isn)
{
	tcp(w, 0, at, TCP_SYN, isn, 0);
	tcp(w, 1, at + 1, TCP_SYN | TCP_ACK, 900, isn + 1);
	tcp(w, 0, at + 2, TCP_ACK, isn + 1, 901);
	tcp(w, 0, at + 3, TCP_ACK | TCP_FIN, isn + 1, 901);
	tcp(w, 1, at + 4, TCP_ACK | TCP_FIN, 901, isn + 2);
	tcp(w, 0, at + 5, TCP_ACK, isn + 2, 902);
}

static void closed_connections_linger(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	connect_and_close(w, 0, 1000);
	tcp(w, 1, SECOND, TCP_ACK | TCP_FIN, 901,
			1002); /* late: still the same flow, does not prolong it */
	tcp(w, 1, 3 * SECOND, TCP_ACK, 902, 1002); /* too late */
	table_finish(w->table, 3 * SECOND);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->left[0].end, FLOW_END_DETECTED);
	assert_int_equal(w->left[0].packets[0], 4);
	assert_int_equal(w->left[0].packets[1], 3);
	assert_int_equal(w->left[0].deadline, 2 * SECOND + 5);
	assert_true(w->left[1].marks & FLOW_MIDSTREAM);
	world_free(w);
}

static void a_port_used_again_is_another_flow(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	connect_and_close(w, 0, 1000);
	connect_and_close(w, SECOND / 2, 7000);
	tcp(w, 0, SECOND, TCP_SYN, 50000, 0); /* and one that never closed before */
	tcp(w, 0, SECOND + 9, TCP_SYN, 60000, 0);
	table_finish(w->table, 2 * SECOND);
	assert_int_equal(w->count, 4);
	for (size_t i = 0; i < 3; i++) {
		assert_int_equal(w->left[i].end, FLOW_END_DETECTED);
		assert_true(w->left[i].id < w->left[i + 1].id);
	}
	assert_int_equal(w->left[0].deadline, SECOND / 2);
	world_free(w);
}

static void order_is_that_of_leaving(void **unused)
{
	(void)unused;
	struct world *w = world_new(64 << 20);
	unsigned seed = 3;
	int64_t now = 0;

	for (unsigned i = 0; i < 40000; i++) {
		seed = seed * 1103515245 + 12345;
		now += (int64_t)(seed % 200000000);
		udp(w, 0, now, (uint16_t)(seed >> 16 & 0x3ff));
	}
	table_finish(w->table, now);
	assert_true(w->count > 1000);
	for (size_t i = 1; i < w->count; i++) {
		const struct left *a = &w->left[i - 1], *b = &w->left[i];

		assert_true(a->deadline < b->deadline ||
				(a->deadline == b->deadline && a->part_number < b->part_number));
	}
	assert_int_equal(w->packets, 40000);
	world_free(w);
}

/* 'count' flows of one packet each, 'step' ns from one to the next. */
static void many(struct world *w, uint32_t count, int64_t step)
{
	for (uint32_t i = 0; i < count; i++) {
		struct pkt p = flowtest_packet(PROTO_UDP, false, (int64_t)i * step, 10);

		memcpy(p.address[0] + 8, &i, sizeof i);
		p.ip_version = 6;
		assert_non_null(show(w, &p));
	}
}

/* When many flows end at once, a few leave with each packet: more than one, so it comes to an end.
 */
static void few_leave_at_a_time(void **unused)
{
	(void)unused;
	enum { MANY = 100000 };
	static const int64_t steps[] = { 0, 10, 1000 }; /* all of a moment, of a slot, of many */

	for (size_t s = 0; s < sizeof steps / sizeof steps[0]; s++) {
		struct world *w = world_new(64 << 20);
		uint64_t before = 0, most = 0, packets = 0;
		int64_t now = 200 * SECOND;

		many(w, MANY, steps[s]);
		assert_int_equal(w->all, 0);
		for (; table_due(w->table) <= now; packets++) {
			udp(w, packets % 2, now, 4000);
			most = w->all - before > most ? w->all - before : most;
			before = w->all;
			assert_true(packets < MANY / 2);
		}
		assert_int_equal(w->all, MANY);
		assert_true(most <= 4);
		for (size_t i = 1; i < w->count; i++)
			assert_true(w->left[i - 1].id < w->left[i].id);
		assert_int_equal(table_stats(w->table)->alive, 1);
		world_free(w);
	}
}

/* Flows that wait to leave are over: their keys are free, and they are found no more. */
static void who_waits_is_over(void **unused)
{
	(void)unused;
	struct world *w = world_new(64 << 20);
	struct table_ticket ticket;
	struct pkt p;

	for (uint16_t port = 1; port <= 1000; port++)
		udp(w, 0, port, port);
	udp(w, 0, 200 * SECOND, 4000);
	assert_true(w->count < 100);
	p = flowtest_packet(PROTO_UDP, false, 200 * SECOND, 10);
	p.port[0] = 900;
	table_ticket(w->table, &p, &ticket);
	assert_null(table_peek(w->table, &ticket, 200 * SECOND));
	assert_int_equal(udp(w, 0, 200 * SECOND, 900)->part_number, 1002);
	assert_true(w->count < 100);
	assert_false(table_catch_up(w->table, 200 * SECOND, UINT32_MAX));
	assert_int_equal(w->count, 1000);
	assert_int_equal(table_passed(w->table) >> 24, 200 * SECOND >> 24);
	for (size_t i = 0; i < w->count; i++) {
		assert_int_equal(w->left[i].id, i + 1);
		assert_int_equal(w->left[i].end, FLOW_END_IDLE);
	}
	world_free(w);
}

/* While flows wait, no flow leaves before what table_passed() says, and they make room. */
static void who_waits_makes_room(void **unused)
{
	(void)unused;
	struct world *w = world_new(1 << 20);

	many(w, 1500, 1000);
	assert_int_equal(table_stats(w->table)->evicted, 0);
	for (uint32_t i = 0; i < 3000; i++) {
		struct pkt p = flowtest_packet(PROTO_UDP, true, 200 * SECOND, 10);
		const size_t before = w->count;
		const int64_t passed = table_passed(w->table);

		memcpy(p.address[0] + 8, &i, sizeof i);
		p.ip_version = 6;
		assert_non_null(show(w, &p));
		for (size_t k = before; k < w->count; k++)
			assert_true(w->left[k].deadline >= passed ||
					w->left[k].end == FLOW_END_RESOURCES);
		if (w->all < 1500)
			assert_int_equal(table_stats(w->table)->evicted, 0);
	}
	for (size_t i = 0; i < 1500; i++)
		assert_int_equal(w->left[i].end, FLOW_END_IDLE);
	world_free(w);
}

static void budget_holds_and_counts_everything(void **unused)
{
	(void)unused;
	struct world *w = world_new(1 << 20);

	for (uint32_t i = 0; i < 200000; i++) {
		struct pkt p = flowtest_packet(PROTO_UDP, false, (int64_t)i * 1000, 10);

		memcpy(p.address[0] + 8, &i, sizeof i);
		p.ip_version = 6;
		assert_non_null(show(w, &p));
		if (i % 1000 == 0)
			assert_true(table_stats(w->table)->memory <= 1 << 20);
	}
	assert_true(table_stats(w->table)->evicted > 190000);
	assert_int_equal(w->left[0].end, FLOW_END_RESOURCES);
	for (size_t i = 1; i < w->count; i++) /* the oldest first */
		assert_true(w->left[i].id > w->left[i - 1].id);
	table_finish(w->table, 200000 * 1000);
	assert_int_equal(w->packets, 200000);
	assert_int_equal(w->all, 200000);
	assert_true(table_stats(w->table)->memory_peak <= (1 << 20) + (1 << 18));
	world_free(w);
}

/* More flows than the budget allows, some of them with memory of their own. */
static void flood(struct world *w)
{
	w->number = 0;
	for (uint32_t i = 0; i < 20000; i++) {
		struct pkt p = flowtest_packet(PROTO_UDP, false, (int64_t)i * 1000, 10);

		memcpy(p.address[0] + 8, &i, sizeof i);
		p.ip_version = 6;
		p.layer_count = i % 2;
		p.layer[0] = (struct layer){ .type = LAYER_VLAN, .id = 7 };
		assert_non_null(show(w, &p));
	}
	table_finish(w->table, 20000 * 1000);
}

/* Even which flows the budget makes leave, and when. */
static void a_renewed_table_is_as_new(void **unused)
{
	(void)unused;
	struct world *w = world_new(1 << 20), *other = world_new(1 << 20);

	flood(w);
	w->count = 0;
	table_renew(w->table);
	assert_int_equal(table_stats(w->table)->alive, 0);
	assert_true(table_stats(w->table)->memory < 1 << 15);
	flood(w);
	flood(other);
	assert_int_equal(w->count, other->count);
	assert_memory_equal(w->left, other->left, sizeof w->left);
	assert_int_equal(table_stats(w->table)->evicted, 2 * table_stats(other->table)->evicted);
	assert_int_equal(table_stats(w->table)->memory, table_stats(other->table)->memory);
	world_free(w);
	world_free(other);
}

/* Packets of another time altogether: what went before does not hold them up. */
static void a_renewed_table_begins_at_any_time(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);

	udp(w, false, 1000 * SECOND, 4000);
	table_finish(w->table, 1000 * SECOND);
	table_renew(w->table);
	udp(w, false, 10 * SECOND, 5000);
	table_advance(w->table, 131 * SECOND);
	assert_int_equal(w->count, 2);
	assert_int_equal(w->left[1].end, FLOW_END_IDLE);
	assert_int_equal(w->left[1].deadline, 130 * SECOND);
	world_free(w);
}

static void time_may_fall_back(void **unused)
{
	(void)unused;
	struct world *w = world_new(16 << 20);
	struct pkt p = flowtest_packet(PROTO_UDP, false, 10 * SECOND, 10);
	struct flow *f = show(w, &p);

	assert_int_equal(p.now_ns, 10 * SECOND);
	p.ns = 9 * SECOND; /* clock_ns stays */
	f = show(w, &p);
	assert_int_equal(p.now_ns, 10 * SECOND);
	assert_true(f->marks & FLOW_BACKWARDS);
	p.ns = p.clock_ns = 11 * SECOND;
	show(w, &p);
	assert_int_equal(p.now_ns, 11 * SECOND);
	assert_int_equal(table_stats(w->table)->backwards, 1);
	world_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(silence_ends_a_flow),
		cmocka_unit_test(long_flows_come_in_parts),
		cmocka_unit_test(parts_may_be_shorter_than_silence),
		cmocka_unit_test(a_part_without_packets_is_no_record),
		cmocka_unit_test(a_part_without_packets_is_not_found),
		cmocka_unit_test(a_lost_fragment_marks_the_flow),
		cmocka_unit_test(closed_connections_linger),
		cmocka_unit_test(a_port_used_again_is_another_flow),
		cmocka_unit_test(order_is_that_of_leaving),
		cmocka_unit_test(few_leave_at_a_time),
		cmocka_unit_test(who_waits_is_over),
		cmocka_unit_test(who_waits_makes_room),
		cmocka_unit_test(budget_holds_and_counts_everything),
		cmocka_unit_test(a_renewed_table_is_as_new),
		cmocka_unit_test(a_renewed_table_begins_at_any_time),
		cmocka_unit_test(time_may_fall_back),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
