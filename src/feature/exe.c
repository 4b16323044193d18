/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exe.c - the processes behind a flow: looked for while packets come, and once more at its end.
 *
 * What the watcher tells (host/process.h) comes a little after the packets, so a flow asks at its
 * first, second, fourth, eighth ... packet until the answer cannot get better, and when its record
 * is written.  The two ends of the flow's key are asked for one by one, whoever began.
 */
#include <time.h>

#include "feature/exe_out.h"
#include "feature/feature.h"

struct options {
	bool on, cmdline, hash;
	char *by;
	struct process_watch *watch;
};

struct exe {
	int64_t start_ns; /* the flow's, CLOCK_BOOTTIME */
	int64_t slack_ns; /* how wrong that may be */
	uint32_t packets;
	struct process_match end[2]; /* of the flow's key */
};

/* --- when the flow began -----------------------------------------------------------------------
 */

#define LATE_NS  (INT64_C(30) * 1000 * 1000 * 1000) /* a packet waits no longer in a ring */
#define EARLY_NS (INT64_C(50) * 1000 * 1000)        /* nor is it from the future */

/*
 * Packet time is that of the host's clock, mostly: then it is converted.  When the clock has been
 * set meanwhile, or is the adapter's, the moment of asking stands in.
 */
static void note_start(struct exe *x, int64_t packet_ns)
{
	const int64_t now = process_clock();
	struct timespec t;
	int64_t start;

	clock_gettime(CLOCK_REALTIME, &t);
	start = packet_ns - (t.tv_sec * INT64_C(1000000000) + t.tv_nsec - now);
	if (start > now - LATE_NS && start < now + EARLY_NS) {
		x->start_ns = start;
		x->slack_ns = 0;
	} else {
		x->start_ns = now;
		x->slack_ns = LATE_NS;
	}
}

/* --- asking ------------------------------------------------------------------------------------
 */

static struct process_end end_of(const struct flow_key *k, unsigned i)
{
	struct process_end e = { .port = k->port[i] };

	memcpy(e.address, k->address[i], sizeof e.address);
	return e;
}

/* Between the first packet of the flow and the last so far. */
static int64_t age_ns(const struct flow *f)
{
	int64_t last = f->start_ns;

	for (unsigned i = 0; i < 2; i++)
		if (f->side[i].packets > 0 && f->side[i].last_ns > last)
			last = f->side[i].last_ns;
	return last - f->start_ns;
}

static struct process_match ask(const struct process_watch *w, const struct exe *x,
		const struct flow *f, unsigned i)
{
	struct process_flow q = { .ip_version = f->key.ip_version,
		.proto = f->key.proto,
		.local = end_of(&f->key, i),
		.remote = end_of(&f->key, !i),
		.start_ns = x->start_ns,
		.end_ns = x->start_ns + age_ns(f),
		.slack_ns = x->slack_ns,
		.midstream = (f->marks & FLOW_MIDSTREAM) != 0 };

	return process_find(w, &q);
}

static void ask_both(const struct process_watch *w, struct exe *x, const struct flow *f)
{
	for (unsigned i = 0; i < 2; i++) {
		if (x->end[i].confidence == PROCESS_EXACT)
			continue;

		struct process_match m = ask(w, x, f, i);

		if (m.confidence > x->end[i].confidence)
			x->end[i] = m;
	}
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	const struct options *o = env->options;
	struct exe *x = state;
	uint32_t n = ++x->packets;

	if (pkt->proto != PROTO_TCP && pkt->proto != PROTO_UDP)
		return DONE;
	if (n == 1)
		note_start(x, pkt->ns);
	if ((n & (n - 1)) == 0)
		ask_both(o->watch, x, flow);
	return MORE;
}

/* The process at one end, with the texts in memory that lasts until the record is written. */
static bool tell(const struct exe *x, const struct feature_env *env, const struct flow *f,
		unsigned end, bool initiator, struct exe_process *to)
{
	const struct options *o = env->options;
	struct process_match now = ask(o->watch, x, f, end), before = x->end[end];
	struct process *p = arena_alloc(env->scratch, env->pool, sizeof *p);

	if (p == NULL)
		return false;
	if (before.confidence > now.confidence) {
		struct process_match other = now;

		now = before;
		before = other;
	}
	if (!process_read(o->watch, now, p)) {
		if (!process_read(o->watch, before, p))
			return false;
		now = before;
	}
	exe_fill(to, p, now.confidence, initiator);
	return true;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct exe *x = state;
	const struct flow *f = view->flow;
	const unsigned initiator = flow_endpoint(f, view->out);
	struct exe_out *o = out;
	bool first;

	exe_nobody(&o->exe);
	exe_nobody(&o->peer);
	if (x->packets == 0 || (f->key.proto != PROTO_TCP && f->key.proto != PROTO_UDP))
		return false;
	first = tell(x, env, f, initiator, true, &o->exe);
	return tell(x, env, f, !initiator, false, first ? &o->peer : &o->exe) || first;
}

/* --- options -----------------------------------------------------------------------------------
 */

static const char *const ways[] = { "auto", "ebpf", "sock_diag", "proc", NULL };

static enum process_method method_of(const char *word)
{
	for (unsigned i = 0; word != NULL && ways[i] != NULL; i++)
		if (strcmp(ways[i], word) == 0)
			return i;
	return PROCESS_BY_BEST;
}

static bool enabled(const struct conf *conf, const void *options)
{
	const struct options *o = options;

	(void)conf;
	return o->on;
}

static bool prepare(void *options, const struct conf *conf, struct err *e)
{
	struct options *o = options;
	struct process_conf c = { .method = method_of(o->by),
		.cmdline = o->cmdline,
		.hash = o->hash,
		.filter = conf->sandbox,
		.user = conf->username };

	if (conf->interface == NULL)
		return err_set(e, "exe=1 needs a live capture (interface=): a file does not say "
				  "which process sent its packets");
	o->watch = process_watch_new(&c, e);
	return o->watch != NULL;
}

static void release(void *options)
{
	struct options *o = options;

	process_watch_free(o->watch);
	o->watch = NULL;
}

static void poll(void *options, void (*say)(void *ctx, const char *text), void *ctx)
{
	struct options *o = options;

	process_watch_poll(o->watch, say, ctx);
}

static const struct option options[] = {
	OPTION(struct options, on, "exe", "name the process of this host behind each flow",
			.more = "Of live captures.  Name, path, hash, user, parent and more, and "
				"how "
				"sure it is; needs root for processes of others."),
	OPTION(struct options, cmdline, "exe_cmdline", "with exe=1: give command lines too",
			.more = "They may hold passwords."),
	OPTION(struct options, hash, "exe_hash", "with exe=1: SHA-256 of executables",
			.initial = "1"),
	OPTION(struct options, by, "exe_by", "with exe=1: how sockets are followed",
			.initial = "auto", .choices = ways,
			.more = "ebpf: the kernel tells of each; sock_diag, proc: they are looked "
				"at ten times a second; auto: the first of these that works."),
	{ 0 },
};

const struct feature feature_exe = {
	.name = "exe",
	.help = "process behind the flow",
	.wants = WANT_PACKET,
	.size = sizeof(struct exe),
	.out_size = sizeof(struct exe_out),
	.update = update,
	.finish = finish,
	.fields = exe_fields,
	.options = options,
	.options_size = sizeof(struct options),
	.prepare = prepare,
	.release = release,
	.poll = poll,
	.enabled = enabled,
};
