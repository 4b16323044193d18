/* SPDX-License-Identifier: BSD-3-Clause */
/* stats.c - sizes and times of a flow in numbers: moments, rates, periods, bursts. */
#include "feature/feature.h"
#include "feature/measure.h"
#include "feature/stats_out.h"

static int64_t idle_ns(const struct feature_env *env)
{
	const struct stats_options *o = env->options;

	return o->idle.ns;
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct measure_packet p = { pkt->now_ns, pkt->payload_len, pkt->ip_len, pkt->dir,
		pkt->marks & (PKT_FRAGMENT | PKT_BAD_TRANSPORT) ? 0 : pkt->transport_len };

	(void)flow;
	measure_add(state, &p, idle_ns(env));
	return MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct measure *t = state;
	const struct flow *f = view->flow;
	uint64_t packets =
			f->side[view->out].packets + (view->both ? f->side[!view->out].packets : 0);

	(void)env;
	if (t->ip[0].n + t->ip[1].n != packets) /* memory ran out on the way */
		return false;
	stats_fill(out, t);
	return true;
}

static bool at_once(const struct journal_packet *packets, size_t count,
		const struct feature_env *env, const struct flow_view *view, void *out)
{
	struct measure t = { 0 };

	measure_all(&t, packets, count, idle_ns(env));
	return finish(&t, env, view, out);
}

static const struct option options[] = {
	OPTION(struct stats_options, on, "stats", "give statistics of sizes and times",
			.flags = OPTION_FEATURE, .on = "1",
			.more = "Number, least, mean, standard deviation and greatest of payload "
				"lengths, IP lengths and inter-packet times; rates, active and "
				"idle periods, bursts."),
	OPTION(struct stats_options, idle, "stats_idle",
			"gap that ends an active period of stats=1", .initial = "5",
			.minimum = 1000, .value = "SECONDS",
			.more = "A longer time without a packet is an idle period."),
	{ 0 },
};

const struct feature feature_stats = {
	.name = "stats",
	.help = "statistics of sizes and times",
	.wants = WANT_PACKET,
	.size = sizeof(struct measure),
	.out_size = sizeof(struct stats_out),
	.update = update,
	.finish = finish,
	.merge = stats_merge,
	.later = true,
	.at_once = at_once,
	.fields = stats_fields,
	.options = options,
	.options_size = sizeof(struct stats_options),
};
