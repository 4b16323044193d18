/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_calls.c - features that report from the state of another, memory of a worker, and bytes in
 * order only for those who still want them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/calls.h"
#include "flow/table.h"

enum { WANTED = 10 };

static int workers; /* alive */
static unsigned left;

struct state {
	uint64_t bytes;
};

static void *worker_new(void)
{
	workers++;
	return malloc(1);
}

static void worker_free(void *worker)
{
	if (worker != NULL)
		workers--;
	free(worker);
}

static enum verdict stream(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt, unsigned dir, struct rd bytes, uint64_t offset)
{
	struct state *s = state;

	(void)flow;
	(void)pkt;
	(void)dir;
	(void)offset;
	assert_non_null(env->worker);
	s->bytes += bytes.left;
	return s->bytes >= WANTED ? DONE : MORE;
}

static uint64_t stream_bytes(const struct feature_env *env)
{
	(void)env;
	return 1000;
}

static void leave(void *state, const struct feature_env *env)
{
	const struct state *s = state;

	assert_non_null(env->worker);
	left += (unsigned)s->bytes;
}

static const struct feature collector = {
	.name = "collector",
	.wants = WANT_STREAM,
	.size = sizeof(struct state),
	.stream = stream,
	.stream_bytes = stream_bytes,
	.worker_new = worker_new,
	.worker_free = worker_free,
	.leave = leave,
};

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct state *read = env->read;

	(void)state;
	(void)view;
	assert_non_null(env->worker);
	*(uint64_t *)out = read->bytes;
	return read->bytes > 0;
}

static const struct field nothing[] = { { 0 } };

static const struct feature reporter = {
	.name = "reporter",
	.reads = &collector,
	.out_size = sizeof(uint64_t),
	.finish = finish,
	.fields = nothing,
};

struct setup {
	struct registry registry;
	struct calls calls;
	struct pool *pool;
	struct arena scratch;
	struct flow *flow;
	struct pkt pkt;
};

/* As registry_settle() lays them out. */
static void begin(struct setup *s, bool bidir)
{
	struct err e;

	*s = (struct setup){ .pool = pool_new() };
	s->registry.core.bidir = bidir;
	s->registry.on_count = 2;
	s->registry.on[0] = &collector;
	s->registry.on[1] = &reporter;
	s->registry.on_wants[0] = collector.wants;
	s->registry.on_size[0] = sizeof(struct state);
	calls_build(&s->calls, &s->registry, s->pool, &s->scratch);
	assert_true(calls_make_workers(&s->calls, &e));
	s->flow = calloc(1, sizeof *s->flow + calls_state_size(&s->calls));
	assert_non_null(s->flow);
	s->flow->part = 1;
	s->pkt = (struct pkt){ .proto = PROTO_UDP };
	left = 0;
}

static void end(struct setup *s)
{
	arena_free(&s->flow->arena, s->pool);
	calls_free_workers(&s->calls);
	assert_int_equal(workers, 0);
	free(s->flow);
	pool_free(s->pool);
}

static void datagram(struct setup *s, uint8_t dir, size_t size)
{
	static const uint8_t bytes[100];

	s->pkt.dir = dir;
	s->pkt.payload = (struct rd){ bytes, size };
	s->pkt.payload_len = (uint32_t)size;
	s->flow->side[dir].payload_bytes += size;
	calls_packet(&s->calls, s->flow, &s->pkt, s->pool);
}

static void a_reporter_reads_the_collector(void **unused)
{
	struct setup s;
	uint64_t out = 0;

	(void)unused;
	begin(&s, true);
	assert_int_equal(workers, 1);
	assert_false(calls_finish(&s.calls, 0, &(struct flow_view){ s.flow, 0, true }, &out));
	assert_false(calls_finish(&s.calls, 1, &(struct flow_view){ s.flow, 0, true }, &out));
	datagram(&s, 0, 4);
	datagram(&s, 1, 3);
	assert_true(calls_finish(&s.calls, 1, &(struct flow_view){ s.flow, 0, true }, &out));
	assert_int_equal(out, 7);
	calls_leave(&s.calls, s.flow);
	assert_int_equal(left, 7);
	end(&s);
}

static void each_view_has_its_own(void **unused)
{
	struct setup s;
	uint64_t out = 0;

	(void)unused;
	begin(&s, false);
	datagram(&s, 0, 4);
	datagram(&s, 1, 3);
	assert_true(calls_finish(&s.calls, 1, &(struct flow_view){ s.flow, 1, false }, &out));
	assert_int_equal(out, 3);
	calls_leave(&s.calls, s.flow);
	assert_int_equal(left, 7);
	end(&s);
}

static void who_is_done_sees_no_more(void **unused)
{
	struct setup s;

	(void)unused;
	begin(&s, true);
	datagram(&s, 0, WANTED);
	datagram(&s, 0, WANTED);
	calls_leave(&s.calls, s.flow);
	assert_int_equal(left, WANTED);
	end(&s);
}

/* Behind a gap bytes would wait for those that are missing: not when nobody wants them. */
static void nothing_waits_for_nobody(void **unused)
{
	struct setup s;

	(void)unused;
	begin(&s, true);
	s.pkt.proto = PROTO_TCP;
	s.pkt.tcp_class = TCP_CLASS_GAP;
	s.pkt.seq = 500;
	s.pkt.tcp_next = 1;
	s.flow->tcp[0].seen = TCP_SEEN_SYN;
	datagram(&s, 0, 50);
	assert_non_null(s.flow->arena.first);
	arena_free(&s.flow->arena, s.pool);
	s.flow->extra = NULL;

	s.pkt.proto = PROTO_UDP;
	datagram(&s, 0, WANTED);
	s.pkt.proto = PROTO_TCP;
	datagram(&s, 0, 50);
	assert_null(s.flow->arena.first);
	end(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_reporter_reads_the_collector),
		cmocka_unit_test(each_view_has_its_own),
		cmocka_unit_test(who_is_done_sees_no_more),
		cmocka_unit_test(nothing_waits_for_nobody),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
