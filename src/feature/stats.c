/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stats.c - sizes and times of a flow in numbers: moments, rates, periods, bursts.
 *
 * Most flows are short: their packets are kept as a trail of { payload length << 1 | direction,
 * IP length less payload length, header length, ns since the packet before }, about eight bytes
 * each, and added up at the end.  A flow that outgrows one block of that gets sums of its own.
 */
#include "feature/measure.h"
#include "feature/stats_out.h"
#include "feature/trail.h"

enum {
	TRAIL_MAX = 120, /* bytes: what a block of the pool holds; about fifteen packets */
	ITEM_MAX = 3 * TRAIL_NUMBER + 1,
	UDP_HEADER = 8,
	TCP_OFFSET_AT = 12,
};

struct stats {
	struct measure *sums; /* NULL while the trail has all packets */
	struct trail trail;
	int64_t last_ns;
};

struct options {
	bool on;
	struct option_seconds idle;
};

static int64_t idle_ns(const struct feature_env *env)
{
	const struct options *o = env->options;

	return o->idle.ns;
}

static uint8_t *write_item(uint8_t *to, const struct measure_packet *p, int64_t last_ns)
{
	to = trail_put(to, (uint64_t)p->payload_len << 1 | p->dir);
	to = trail_put(to, trail_fold((uint64_t)p->ip_len - (uint64_t)p->payload_len));
	*to++ = p->header;
	return trail_put(to, (uint64_t)p->ns - (uint64_t)last_ns);
}

static struct measure_packet read_item(const uint8_t **from, int64_t last_ns)
{
	uint64_t head = trail_get(from);
	struct measure_packet p = { .payload_len = (uint32_t)(head >> 1), .dir = head & 1 };

	p.ip_len = p.payload_len + (uint32_t)trail_unfold(trail_get(from));
	p.header = *(*from)++;
	p.ns = (int64_t)((uint64_t)last_ns + trail_get(from));
	return p;
}

static void add_trail(
		struct measure *t, const struct stats *s, const struct flow *flow, int64_t idle)
{
	const uint8_t *from = s->trail.p, *end = from + s->trail.size;
	int64_t last_ns = flow->start_ns;

	while (from < end) {
		struct measure_packet p = read_item(&from, last_ns);

		last_ns = p.ns;
		measure_add(t, &p, idle);
	}
}

/* The trail is full: from now on packets are added up as they come. */
static bool start_measure(struct stats *s, const struct feature_env *env, struct flow *flow)
{
	s->sums = arena_zalloc(&flow->arena, env->pool, sizeof *s->sums);
	if (s->sums == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return false;
	}
	add_trail(s->sums, s, flow, idle_ns(env));
	arena_drop(&flow->arena, env->pool, s->trail.p);
	s->trail = (struct trail){ 0 };
	return true;
}

static uint8_t header_size(const struct pkt *pkt)
{
	struct rd r = pkt->body;

	if (pkt->marks & (PKT_FRAGMENT | PKT_BAD_TRANSPORT))
		return 0;
	if (pkt->proto == PROTO_UDP || pkt->proto == PROTO_UDPLITE)
		return UDP_HEADER;
	if (pkt->proto != PROTO_TCP)
		return 0;
	rd_bytes(&r, TCP_OFFSET_AT);
	return (uint8_t)((rd_u8(&r) >> 4) * 4);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct stats *s = state;
	struct measure_packet p = { trail_now(flow), pkt->payload_len, pkt->ip_len, pkt->dir,
		header_size(pkt) };

	if (s->sums == NULL) {
		uint8_t item[ITEM_MAX];
		uint8_t *end = write_item(
				item, &p, s->trail.size > 0 ? s->last_ns : flow->start_ns);
		size_t size = (size_t)(end - item);

		s->last_ns = p.ns;
		if (s->trail.size + size <= TRAIL_MAX)
			return trail_add(&s->trail, env, flow, item, size) ? MORE : DONE;
		if (!start_measure(s, env, flow))
			return DONE;
	}
	measure_add(s->sums, &p, idle_ns(env));
	return MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct stats *s = state;
	const struct flow *f = view->flow;
	uint64_t packets =
			f->side[view->out].packets + (view->both ? f->side[!view->out].packets : 0);
	struct measure replayed = { 0 };
	const struct measure *t = s->sums;

	if (t == NULL) {
		add_trail(&replayed, s, f, idle_ns(env));
		t = &replayed;
	}
	if (t->ip[0].n + t->ip[1].n != packets) /* memory ran out on the way */
		return false;
	stats_fill(out, t, env);
	return true;
}

static const struct option options[] = {
	OPTION(struct options, on, "stats", "give statistics of sizes and times",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "Number, least, mean, standard deviation and greatest of payload "
				"lengths, IP lengths and inter-packet times; rates, active and "
				"idle periods, bursts."),
	OPTION(struct options, idle, "stats_idle", "gap that ends an active period of stats=1",
			.initial = "5", .minimum = 1000, .value = "SECONDS",
			.more = "A longer time without a packet is an idle period."),
	{ 0 },
};

const struct feature feature_stats = {
	.name = "stats",
	.help = "statistics of sizes and times",
	.wants = WANT_PACKET,
	.size = sizeof(struct stats),
	.out_size = sizeof(struct stats_out),
	.update = update,
	.finish = finish,
	.fields = stats_fields,
	.options = options,
	.options_size = sizeof(struct options),
};
