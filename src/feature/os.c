/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * os.c - which systems are probably at the two ends, from SYN and SYN-ACK (os_rules.h).
 */
#include "feature/feature.h"
#include "feature/os_rules.h"

#include <stdlib.h>
#include <string.h>

struct os {
	struct os_sign sign[2];
};

struct options {
	bool os;
};

struct out {
	struct out_os {
		const char *out, *in, *signature_out, *signature_in;
	} probable_os;
};

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct os *os = state;
	struct os_sign *s = &os->sign[pkt->dir];

	(void)flow;
	if (!(pkt->tcp_flags & TCP_SYN) || s->version != 0)
		return MORE;
	*s = os_sign_of(pkt);
	return !env->conf->bidir || os->sign[!pkt->dir].version != 0 ? DONE : MORE;
}

/* --- what is said of a signature: most connections show one that was seen before ---------------
 */

enum { MEMO_BITS = 7 };

struct memo {
	struct os_sign sign; /* zero: nothing yet */
	const char *name;
	char text[OS_TEXT];
};

static void *worker_new(void)
{
	return calloc((size_t)1 << MEMO_BITS, sizeof(struct memo));
}

static size_t worker_memory(const void *worker)
{
	(void)worker;
	return sizeof(struct memo) << MEMO_BITS;
}

static size_t place(const struct os_sign *s)
{
	uint64_t a, b;

	_Static_assert(sizeof *s >= sizeof a + sizeof b, "all that differs mostly");
	memcpy(&a, s, sizeof a);
	memcpy(&b, (const char *)s + sizeof a, sizeof b);
	return (a * UINT64_C(0x9e3779b97f4a7c15) ^ b) * UINT64_C(0x9e3779b97f4a7c15) >>
	       (64 - MEMO_BITS);
}

static void report(const struct os_sign *s, const struct feature_env *env, const char **name,
		const char **signature)
{
	struct memo *memos = env->worker, spare = { .name = NULL };
	struct memo *m = memos != NULL ? &memos[place(s)] : &spare;
	char *text = arena_alloc(env->scratch, env->pool, OS_TEXT);

	if (memcmp(&m->sign, s, sizeof *s) != 0) {
		m->sign = *s;
		m->name = os_name(s);
		os_sign_text(s, m->text);
	}
	*name = m->name;
	if (text != NULL) /* another signature of the record may take the place */
		*signature = memcpy(text, m->text, OS_TEXT);
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct os *os = state;
	const struct os_sign *there = &os->sign[0], *back = &os->sign[1];
	struct out_os *o = &((struct out *)out)->probable_os;

	(void)view;
	if (there->version != 0)
		report(there, env, &o->out, &o->signature_out);
	if (back->version != 0)
		report(back, env, &o->in, &o->signature_in);
	return there->version != 0 || back->version != 0;
}

#define NO_SYN "left out when the direction has no segment with SYN"

static const struct field os_fields[] = {
	FIELD(struct out_os, out, "out", "",
			"Family of systems that sends such a SYN or SYN-ACK, by a table of rules "
			"over the signature; \"unknown\" when none fits.  Of sa: the direction's "
			"first segment with SYN.  A proxy, load balancer or firewall that answers "
			"in place of a host shows itself.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_SYN),
	FIELD(struct out_os, in, "in", "", "As probable_os.out, of da.",
			.flags = FIELD_OPTIONAL | FIELD_REVERSE, .null_rule = NO_SYN),
	FIELD(struct out_os, signature_out, "signature_out", "",
			"What the rules see of that segment: IP version : TTL rounded up to 32, "
			"64, 128 or 255 : bytes of IPv4 options : MSS option : window , window "
			"scale option (- without) : a letter for each TCP option in order (E end, "
			"N no-operation, M MSS, W window scale, S SACK permitted, K SACK, T "
			"timestamps, F fast open, P multipath, A MD5 or authentication, ? other, + "
			"at the end when there are more than 16) : quirks, with commas between, in "
			"this order: df (don't fragment), id0 and id54321 (IPv4 identification), "
			"ecn (ECE or CWR set), psh, urg (flags), data (payload on the wire), seq0 "
			"(sequence number 0), ack (acknowledgement number not 0 in a SYN without "
			"that flag), ts0 (own timestamp 0), echo (echoed timestamp not 0 in a SYN "
			"without ACK), scale15 (window scale above 14), pad (bytes not 0 behind "
			"the end of options), bad (an option does not fit or was not captured).",
			.flags = FIELD_OPTIONAL, .null_rule = NO_SYN),
	FIELD(struct out_os, signature_in, "signature_in", "", "As signature_out, of da.",
			.flags = FIELD_OPTIONAL | FIELD_REVERSE, .null_rule = NO_SYN),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, probable_os, "probable_os", os_fields,
			"Operating systems at the two ends, as their TCP handshake gives them "
			"away.",
			.null_rule = "left out of flows without SYN", .merge = MERGE_FIRST),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, os, "os", "guess the operating systems from SYN and SYN-ACK",
			.flags = OPTION_FEATURE, .on = "1"),
	{ 0 },
};

const struct feature feature_os = {
	.name = "os",
	.help = "probable operating systems, from SYN and SYN-ACK",
	.wants = WANT_TCP,
	.size = sizeof(struct os),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.worker_new = worker_new,
	.worker_free = free,
	.worker_memory = worker_memory,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
