/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * idp.c - the initial data packet: the first bytes of each direction's first packet with payload,
 * IP header onward, for parsers outside.
 */
#include <string.h>

#include "feature/feature.h"

struct first {
	uint32_t size;
	uint8_t bytes[];
};

struct idp {
	struct first *of[2]; /* by direction */
};

struct options {
	uint32_t bytes;
};

struct out {
	struct field_hex idp_out, idp_in;
	uint32_t idp_len_out, idp_len_in;
};

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct idp *s = state;
	const struct options *o = env->options;
	struct rd bytes = rd_first(pkt->ip, o->bytes);
	struct first *first;

	/* What was put together from fragments has no IP header of its own. */
	if (s->of[pkt->dir] != NULL || (pkt->marks & (PKT_REASSEMBLED | PKT_FRAGMENT)))
		return MORE;
	s->of[pkt->dir] = first = arena_alloc(&flow->arena, env->pool, sizeof *first + bytes.left);
	if (first == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return DONE;
	}
	if (bytes.left > 0)
		memcpy(first->bytes, bytes.p, bytes.left);
	first->size = (uint32_t)bytes.left;
	return !env->conf->bidir || s->of[!pkt->dir] != NULL ? DONE : MORE;
}

static struct field_hex hex_of(const struct first *f)
{
	return f == NULL ? (struct field_hex){ NULL, 0 } : (struct field_hex){ f->bytes, f->size };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct idp *s = state;
	struct out *o = out;

	(void)env;
	(void)view;
	o->idp_out = hex_of(s->of[0]);
	o->idp_in = hex_of(s->of[1]);
	o->idp_len_out = s->of[0] != NULL ? s->of[0]->size : UINT32_MAX;
	o->idp_len_in = s->of[1] != NULL ? s->of[1]->size : UINT32_MAX;
	return s->of[0] != NULL || s->of[1] != NULL;
}

#define NO_DATA "left out when the direction has no such packet"

static const struct field fields[] = {
	FIELD(struct out, idp_out, "idp_out", "",
			"First idp=N bytes of the initial data packet of the initiator: its first "
			"packet with payload on the wire, from the innermost IP header on, as far "
			"as captured and without link-layer padding.  Packets that came in "
			"fragments are passed over.  With anonymisation all but the fixed headers "
			"is zero.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS | FIELD_IS_PACKET |
				 FIELD_PERSONAL,
			.null_rule = NO_DATA, .merge = MERGE_FIRST),
	FIELD(struct out, idp_len_out, "idp_len_out", "bytes", "Number of bytes in idp_out.",
			.flags = FIELD_OPTIONAL | FIELD_NULLABLE, .null_rule = NO_DATA,
			.merge = MERGE_FIRST),
	FIELD(struct out, idp_in, "idp_in", "", "As idp_out, of the responder.",
			.flags = FIELD_OPTIONAL | FIELD_REVERSE | FIELD_IS_ADDRESS |
				 FIELD_IS_PACKET | FIELD_PERSONAL,
			.null_rule = NO_DATA, .merge = MERGE_FIRST),
	FIELD(struct out, idp_len_in, "idp_len_in", "bytes", "Number of bytes in idp_in.",
			.flags = FIELD_OPTIONAL | FIELD_REVERSE | FIELD_NULLABLE,
			.null_rule = NO_DATA, .merge = MERGE_FIRST),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, bytes, "idp",
			"give N bytes of the first data packet of each direction",
			.flags = OPTION_FEATURE, .on = "64", .maximum = LIMIT_FIRST_BYTES,
			.value = "N",
			.more = "The bytes begin with the IP header and are written in "
				"hexadecimal.  They hold addresses and content in the clear.  "
				"features=all takes 64; 1300 is what Joy's users know."),
	{ 0 },
};

const struct feature feature_idp = {
	.name = "idp",
	.help = "first bytes of the first data packet",
	.wants = WANT_DATA,
	.size = sizeof(struct idp),
	.pointers = 2,
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
