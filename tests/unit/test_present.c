/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_present.c - an engine in a live run: flows leave without packets, losses mark those that are
 * alive, flows can be listed, workers number their packets apart.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "engine/engine.h"

#define SECOND ((int64_t)1000000000)
#define START  (1700000000 * SECOND)

enum { FRAME = 14 + 20 + 8 + 4, ETHERNET = 1, ROOM = 1 << 20 };

struct seen {
	char text[ROOM];
	size_t size;
	unsigned lines;
};

struct run {
	struct registry *registry;
	struct plan *plan;
	struct sink *sink;
	struct engine *engine;
	struct seen *seen;
};

static bool on_line(void *ctx, const char *bytes, size_t size)
{
	struct seen *s = ctx;

	assert_true(s->size + size < ROOM);
	memcpy(s->text + s->size, bytes, size);
	s->size += size;
	s->lines++;
	return true;
}

static struct run run_new(void)
{
	struct run r = { .seen = calloc(1, sizeof(struct seen)) };
	const struct sink_target target = { .line = on_line, .ctx = r.seen };
	struct err e = { "" };

	r.registry = registry_new(&e);
	assert_true(conf_set(&r.registry->sets, "bidir", "1", &e));
	assert_true(registry_settle(r.registry, &e));
	r.plan = plan_new(r.registry->tables, r.registry->on_count, true, &e);
	r.sink = sink_open(&target, r.plan, &e);
	r.engine = engine_new(&r.registry->core, r.registry, r.sink, &e);
	assert_string_equal(e.text, "");
	engine_present(r.engine, START, 0);
	return r;
}

static void run_free(struct run *r)
{
	engine_free(r->engine);
	sink_free(r->sink);
	plan_free(r->plan);
	registry_free(r->registry);
	free(r->seen);
}

/* Ethernet, IPv4 10.0.0.1 > 10.0.0.2, UDP from 'port', "ping". */
static void feed(struct run *r, uint16_t port, int64_t ns)
{
	uint8_t bytes[FRAME] = { 0x02, 0, 0, 0, 0, 2, 0x02, 0, 0, 0, 0, 1, 0x08, 0x00, 0x45, 0, 0,
		32, 0, 1, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, 0, 0, 0x07, 0xd0, 0, 12, 0,
		0, 'p', 'i', 'n', 'g' };
	const struct frame f = {
		.bytes = bytes, .caplen = FRAME, .wirelen = FRAME, .ns = ns, .linktype = ETHERNET
	};
	struct err e;

	bytes[34] = (uint8_t)(port >> 8);
	bytes[35] = (uint8_t)port;
	assert_true(engine_feed(r->engine, &f, 1, &e));
	assert_true(engine_flush_records(r->engine, &e));
}

static void idle(struct run *r, int64_t after_ns)
{
	struct err e;

	engine_present(r->engine, START + after_ns, after_ns);
	assert_true(engine_idle(r->engine, &e));
	assert_true(engine_flush_records(r->engine, &e));
}

/* A ring may hand on a packet a second late, so a flow's end is noticed a second late. */
static void flows_leave_without_packets(void **unused)
{
	(void)unused;
	struct run r = run_new();

	feed(&r, 1000, START);
	idle(&r, 119 * SECOND);
	assert_int_equal(r.seen->lines, 0);
	idle(&r, 123 * SECOND);
	assert_int_equal(r.seen->lines, 1);
	assert_non_null(strstr(r.seen->text, "\"end_reason\":1"));
	run_free(&r);
}

static void losses_mark_flows_that_are_alive(void **unused)
{
	(void)unused;
	struct run r = run_new();
	struct err e;

	feed(&r, 1000, START);
	engine_lost(r.engine);
	engine_present(r.engine, START + SECOND, SECOND);
	feed(&r, 2000, START + SECOND);
	assert_true(engine_finish(r.engine, &e));
	assert_true(engine_flush_records(r.engine, &e));
	assert_int_equal(r.seen->lines, 2);

	char *second = strchr(r.seen->text, '\n') + 1;

	assert_non_null(strstr(second, "\"sp\":2000"));
	assert_null(strstr(second, "drops"));
	*second = '\0';
	assert_non_null(strstr(r.seen->text, "\"sp\":1000"));
	assert_non_null(strstr(r.seen->text, "drops"));
	run_free(&r);
}

static void flows_can_be_listed(void **unused)
{
	(void)unused;
	struct run r = run_new();
	struct buf out = buf_new(LIMIT_TEXT_BYTES);

	feed(&r, 1000, START);
	feed(&r, 2000, START);
	assert_int_equal(engine_stats(r.engine)->alive, 2);
	assert_int_equal(engine_flows(r.engine, 10, &out), 0);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.p, "\"sp\":1000"));
	assert_non_null(strstr(out.p, "\"sp\":2000"));
	out.size = 0;
	assert_int_equal(engine_flows(r.engine, 1, &out), 1);
	buf_free(&out);
	idle(&r, 200 * SECOND);
	assert_int_equal(engine_stats(r.engine)->alive, 0);
	run_free(&r);
}

static void workers_number_their_packets_apart(void **unused)
{
	(void)unused;
	struct run r = run_new();
	struct err e;

	engine_number(r.engine, 2, 3);
	feed(&r, 1000, START);
	feed(&r, 2000, START);
	assert_true(engine_finish(r.engine, &e));
	assert_true(engine_flush_records(r.engine, &e));
	assert_non_null(strstr(r.seen->text, "\"flow_id\":2,"));
	assert_non_null(strstr(r.seen->text, "\"flow_id\":5,"));
	assert_int_equal(engine_stats(r.engine)->packets, 2);
	run_free(&r);
}

static void counters_of_workers_add_up(void **unused)
{
	(void)unused;
	struct run a = run_new(), b = run_new();
	struct buf out = buf_new(LIMIT_TEXT_BYTES);

	feed(&a, 1000, START);
	feed(&b, 1000, START - SECOND);
	feed(&b, 1000, START + SECOND);
	engine_summary((struct engine *[]){ a.engine, b.engine }, 2, 7, &out);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.p, "\"packets\":3,"));
	assert_non_null(strstr(out.p, "\"drops\":7,"));
	assert_non_null(strstr(out.p, "\"flows\":2,"));
	assert_non_null(strstr(out.p, "\"seconds\":2,"));
	buf_free(&out);
	run_free(&a);
	run_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(flows_leave_without_packets),
		cmocka_unit_test(losses_mark_flows_that_are_alive),
		cmocka_unit_test(flows_can_be_listed),
		cmocka_unit_test(workers_number_their_packets_apart),
		cmocka_unit_test(counters_of_workers_add_up),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
