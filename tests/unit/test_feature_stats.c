/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_feature_stats.c - statistics by hand on small flows, and against a slow two-pass reference
 * on random ones, short and long.
 */
#include <math.h>
#include <stdio.h>

#include "unit/feature_kit.h"

extern const struct feature feature_stats;

enum { MAX_PACKETS = 400 };
#define S INT64_C(1000000000)

struct options {
	bool on;
	struct option_seconds idle;
};

static void start(struct kit *k, int64_t start_ns)
{
	struct options o = { true, { 5 * S } };

	kit_start(k, &feature_stats, start_ns);
	assert_int_equal(feature_stats.options_size, sizeof o);
	memcpy(k->options, &o, sizeof o);
}

static void near(double got, double want)
{
	if (isnan(want))
		assert_true(isnan(got));
	else
		assert_true(fabs(got - want) <= 1e-12 * fabs(want));
}

static void one_packet_has_no_times(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 77);
	kit_packet(&k, 0, 0, 77);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.payload.all.n"), 0);
	assert_int_equal(kit_int(&k, "stats.payload.out.min"), -1); /* null */
	near(kit_double(&k, "stats.payload.all.mean"), (double)NAN);
	assert_int_equal(kit_int(&k, "stats.segment.out.n"), 1);
	assert_int_equal(kit_int(&k, "stats.segment.out.max"), 0);
	assert_int_equal(kit_int(&k, "stats.ip.out.min"), 40);
	near(kit_double(&k, "stats.ip.out.mean"), 40);
	near(kit_double(&k, "stats.ip.out.std"), (double)NAN);
	assert_int_equal(kit_int(&k, "stats.ipt.all.n"), 0);
	assert_int_equal(kit_int(&k, "stats.ipt.all.min"), -1);
	assert_int_equal(kit_int(&k, "stats.duration_ms"), 0);
	near(kit_double(&k, "stats.pkts_per_s"), (double)NAN);
	near(kit_double(&k, "stats.down_up_ratio"), 0);
	assert_int_equal(kit_int(&k, "stats.active.n"), 1);
	assert_int_equal(kit_int(&k, "stats.active.max"), 0);
	assert_int_equal(kit_int(&k, "stats.idle.n"), 0);
	assert_int_equal(kit_int(&k, "stats.subflows"), 1);
	assert_true(kit_is(&k, "stats.first_dirs", ""));
	kit_free(&k);
}

static void small_flow_by_hand(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 0);
	kit_packet(&k, 0, 100, 0);
	kit_packet(&k, 1, 0, 1 * S);
	kit_packet(&k, 1, 300, 2 * S);
	kit_packet(&k, 0, 50, 4 * S);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.duration_ms"), 4 * S);
	assert_int_equal(kit_int(&k, "stats.payload.out.n"), 2);
	near(kit_double(&k, "stats.payload.out.mean"), 75);
	near(kit_double(&k, "stats.payload.out.std"), sqrt(1250));
	near(kit_double(&k, "stats.payload.all.mean"), 150);
	assert_int_equal(kit_int(&k, "stats.payload.all.min"), 50);
	assert_int_equal(kit_int(&k, "stats.payload.all.max"), 300);
	assert_int_equal(kit_int(&k, "stats.payload.in.min"), 300);
	assert_int_equal(kit_int(&k, "stats.segment.in.min"), 0);
	near(kit_double(&k, "stats.segment.in.mean"), 150);
	near(kit_double(&k, "stats.ip.all.mean"), (450 + 160) / 4.0);
	assert_int_equal(kit_int(&k, "stats.ipt.out.n"), 1);
	assert_int_equal(kit_int(&k, "stats.ipt.out.min"), 4 * S);
	near(kit_double(&k, "stats.ipt.in.mean"), 1000);
	near(kit_double(&k, "stats.ipt.all.mean"), 4000 / 3.0);
	assert_int_equal(kit_int(&k, "stats.ipt.all.max"), 2 * S);
	near(kit_double(&k, "stats.bytes_per_s"), 112.5);
	near(kit_double(&k, "stats.ip_bytes_per_s"), 610 / 4.0);
	near(kit_double(&k, "stats.pkts_per_s"), 1);
	near(kit_double(&k, "stats.pkts_per_s_in"), 0.5);
	near(kit_double(&k, "stats.down_up_ratio"), 1);
	assert_int_equal(kit_int(&k, "stats.small_out"), 1);
	assert_int_equal(kit_int(&k, "stats.large_in"), 1);
	assert_int_equal(kit_int(&k, "stats.large_out"), 0);
	assert_int_equal(kit_int(&k, "stats.subflows"), 2);
	assert_true(kit_is(&k, "stats.first_dirs", "><>"));
	kit_free(&k);
}

static void periods_end_at_long_gaps(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 0);
	kit_packet(&k, 0, 0, 0);
	kit_packet(&k, 1, 0, 5 * S); /* just not idle */
	kit_packet(&k, 0, 0, 10 * S + 1);
	kit_packet(&k, 0, 0, 30 * S + 1);
	kit_packet(&k, 0, 0, 31 * S + 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.idle.n"), 2);
	assert_int_equal(kit_int(&k, "stats.idle.min"), 5 * S + 1);
	assert_int_equal(kit_int(&k, "stats.idle.max"), 20 * S);
	assert_int_equal(kit_int(&k, "stats.active.n"), 3);
	assert_int_equal(kit_int(&k, "stats.active.min"), 0);
	assert_int_equal(kit_int(&k, "stats.active.max"), 5 * S);
	near(kit_double(&k, "stats.active.mean"), 2000);
	assert_int_equal(kit_int(&k, "stats.subflows"), 4);
	kit_free(&k);
}

static void bursts_are_three_packets_of_one_side(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 0);
	kit_packet(&k, 1, 10, 0);
	kit_packet(&k, 1, 20, S);
	kit_packet(&k, 0, 0, S + 1); /* an acknowledgement does not interrupt */
	kit_packet(&k, 1, 30, 2 * S);
	kit_packet(&k, 1, 40, 2 * S + 5);
	kit_packet(&k, 0, 1, 2 * S + 6);
	kit_packet(&k, 1, 50, 2 * S + 7); /* two are no burst */
	kit_packet(&k, 1, 50, 2 * S + 8);
	kit_packet(&k, 1, 60, 4 * S); /* too late to be the third */
	kit_packet(&k, 1, 60, 4 * S);
	kit_packet(&k, 1, 60, 5 * S);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.burst.in.n"), 2);
	assert_int_equal(kit_int(&k, "stats.burst.in.pkts"), 7);
	assert_int_equal(kit_int(&k, "stats.burst.in.bytes"), 280);
	near(kit_double(&k, "stats.burst.in.mean"), 140);
	assert_int_equal(kit_int(&k, "stats.burst.in.duration_ms"), 2 * S + 5 + S);
	near(kit_double(&k, "stats.burst.in.bytes_per_s"), 280 / 3.000000005);
	assert_int_equal(kit_int(&k, "stats.burst.out.n"), 0);
	near(kit_double(&k, "stats.burst.out.mean"), (double)NAN);
	assert_true(kit_is(&k, "stats.first_dirs", "<<<<><<<"));
	kit_free(&k);
}

static void header_lengths(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 0);
	k.pkt.transport_len = 60;
	kit_packet(&k, 0, 0, 0);
	kit_packet(&k, 1, 0, 0);
	k.pkt.transport_len = 20;
	kit_packet(&k, 0, 0, 0);
	k.pkt.marks = PKT_FRAGMENT;
	kit_packet(&k, 1, 0, 0);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.header_min_out"), 20);
	assert_int_equal(kit_int(&k, "stats.header_min_in"), 60);
	k.pkt.marks = 0;
	k.pkt.proto = PROTO_UDP;
	k.pkt.transport_len = 8;
	kit_packet(&k, 1, 0, 0);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.header_min_in"), 8);
	kit_free(&k);
}

static void the_other_direction_alone(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k, 0);
	k.conf.bidir = false;
	kit_count(&k, 0, 10, 5); /* seen by the other view only */
	kit_count(&k, 1, 10, 7);
	k.pkt.dir = 0;
	feature_stats.update(k.state, &k.env, &k.flow, &k.pkt);
	k.view = (struct flow_view){ &k.flow, 1, false };
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "stats.payload.out.n"), 1);
	assert_int_equal(kit_int(&k, "stats.payload.all.n"), 1);
	kit_free(&k);
}

/* --- against a reference
 * -------------------------------------------------------------------------- */

struct seen {
	int64_t ns;
	uint32_t payload_len, ip_len;
	unsigned dir;
};

struct series {
	long double v[2 * MAX_PACKETS];
	size_t n;
};

static void push(struct series *s, long double v)
{
	s->v[s->n++] = v;
}

static void compare(const struct kit *k, const char *path, const struct series *s, long double unit)
{
	long double sum = 0, squares = 0, min = INFINITY, max = -INFINITY;
	char at[64];

	for (size_t i = 0; i < s->n; i++) {
		sum += s->v[i];
		min = s->v[i] < min ? s->v[i] : min;
		max = s->v[i] > max ? s->v[i] : max;
	}
	for (size_t i = 0; i < s->n; i++) {
		long double d = s->v[i] - sum / (long double)s->n;

		squares += d * d;
	}
	snprintf(at, sizeof at, "%s.n", path);
	assert_int_equal(kit_int(k, at), s->n);
	snprintf(at, sizeof at, "%s.mean", path);
	near(kit_double(k, at), s->n > 0 ? (double)(sum / (long double)s->n / unit) : (double)NAN);
	snprintf(at, sizeof at, "%s.std", path);
	near(kit_double(k, at), s->n > 1 ? (double)(sqrtl(squares / (long double)(s->n - 1)) / unit)
					 : (double)NAN);
	snprintf(at, sizeof at, "%s.min", path);
	assert_int_equal(kit_int(k, at), s->n > 0 ? (int64_t)min : -1);
	snprintf(at, sizeof at, "%s.max", path);
	assert_int_equal(kit_int(k, at), s->n > 0 ? (int64_t)max : -1);
}

static bool taken(const struct seen *p, unsigned which)
{
	return which == 2 || p->dir == which;
}

static void compare_all(const struct kit *k, const struct seen *p, size_t n)
{
	static const char *const side[] = { "out", "in", "all" };

	for (unsigned which = 0; which < 3; which++) {
		struct series payload = { .n = 0 }, segment = { .n = 0 }, ip = { .n = 0 },
			      ipt = { .n = 0 };
		const struct seen *before = NULL;
		char at[64];

		for (size_t i = 0; i < n; i++) {
			if (!taken(&p[i], which))
				continue;
			if (p[i].payload_len > 0)
				push(&payload, p[i].payload_len);
			push(&segment, p[i].payload_len);
			push(&ip, p[i].ip_len);
			if (before != NULL)
				push(&ipt, (long double)(p[i].ns - before->ns));
			before = &p[i];
		}
		snprintf(at, sizeof at, "stats.payload.%s", side[which]);
		compare(k, at, &payload, 1);
		snprintf(at, sizeof at, "stats.segment.%s", side[which]);
		compare(k, at, &segment, 1);
		snprintf(at, sizeof at, "stats.ip.%s", side[which]);
		compare(k, at, &ip, 1);
		snprintf(at, sizeof at, "stats.ipt.%s", side[which]);
		compare(k, at, &ipt, 1e6L);
	}
}

static uint32_t next_random(uint64_t *seed)
{
	*seed = *seed * 6364136223846793005u + 1442695040888963407u;
	return (uint32_t)(*seed >> 33);
}

static void random_flow(uint64_t seed, size_t n)
{
	static struct seen p[MAX_PACKETS];
	struct kit k;
	int64_t ns = INT64_C(1700000000) * S;

	start(&k, ns);
	for (size_t i = 0; i < n; i++) {
		uint32_t r = next_random(&seed);

		if (i > 0)
			ns += next_random(&seed) >> (next_random(&seed) % 31);
		p[i] = (struct seen){ ns, 0, 0, r & 1 };
		if (r & 2)
			p[i].payload_len = next_random(&seed) >> (15 + r / 4 % 16);
		p[i].ip_len = k.pkt.ip_len = p[i].payload_len + 40 + r / 64 % 8 * 4;
		k.pkt.payload_len = p[i].payload_len;
		kit_packet(&k, p[i].dir, p[i].payload_len, ns);
	}
	assert_true(kit_finish(&k));
	compare_all(&k, p, n);
	kit_free(&k);
}

static void agrees_with_two_passes(void **unused)
{
	(void)unused;
	for (size_t n = 1; n < 40; n++)
		for (uint64_t seed = 0; seed < 20; seed++)
			random_flow(seed * 1000 + n, n);
	random_flow(1, MAX_PACKETS);
	random_flow(2, MAX_PACKETS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_packet_has_no_times),
		cmocka_unit_test(small_flow_by_hand),
		cmocka_unit_test(periods_end_at_long_gaps),
		cmocka_unit_test(bursts_are_three_packets_of_one_side),
		cmocka_unit_test(header_lengths),
		cmocka_unit_test(the_other_direction_alone),
		cmocka_unit_test(agrees_with_two_passes),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
