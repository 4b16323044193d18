/* SPDX-License-Identifier: BSD-3-Clause */
/* payload.c - the first bytes of application data of each direction, in order for TCP. */
#include "feature/trail.h"

struct payload {
	struct trail bytes[2]; /* plain bytes here */
	bool closed[2];        /* nothing more is wanted */
};

struct options {
	uint32_t bytes;
};

struct out {
	struct out_bytes {
		struct field_hex out, in;
	} payload;
};

static uint64_t stream_bytes(const struct feature_env *env)
{
	const struct options *o = env->options;

	return o->bytes;
}

static enum verdict stream(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt, unsigned dir, struct rd bytes, uint64_t offset)
{
	struct payload *s = state;
	struct trail *t = &s->bytes[dir];
	uint32_t wanted = (uint32_t)stream_bytes(env);

	if (!s->closed[dir] && offset == t->size) {
		struct rd more = rd_first(bytes, wanted - t->size);

		if (!trail_add(t, env, flow, more.p, more.left))
			return DONE;
	}
	/* What follows a datagram, or bytes that were not captured, is not the beginning. */
	s->closed[dir] |= pkt->proto != PROTO_TCP || offset > t->size || t->size == wanted;
	return s->closed[dir] && (!env->conf->bidir || s->closed[!dir]) ? DONE : MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct payload *s = state;
	struct out *o = out;

	(void)env;
	(void)view;
	for (unsigned dir = 0; dir < 2; dir++) {
		struct field_hex *hex = dir == 0 ? &o->payload.out : &o->payload.in;

		if (s->bytes[dir].size > 0)
			*hex = (struct field_hex){ s->bytes[dir].p, s->bytes[dir].size };
	}
	return o->payload.out.p != NULL || o->payload.in.p != NULL;
}

#define NO_DATA "left out when no byte of it was captured"

static const struct field byte_fields[] = {
	FIELD(struct out_bytes, out, "out", "",
			"First payload=N bytes that the initiator sent.  TCP: of its byte stream, "
			"in order, each byte once, up to the first byte that was lost or not "
			"captured.  Other protocols: of its first datagram with payload, as far as "
			"captured.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS | FIELD_PERSONAL,
			.null_rule = NO_DATA),
	FIELD(struct out_bytes, in, "in", "", "As payload.out, of the responder.",
			.flags = FIELD_OPTIONAL | FIELD_REVERSE | FIELD_IS_ADDRESS | FIELD_PERSONAL,
			.null_rule = NO_DATA),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, payload, "payload", byte_fields,
			"The beginning of the application data of each direction.",
			.null_rule = "left out when there is none in either direction"),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, bytes, "payload", "give the first N bytes of application data",
			.flags = OPTION_FEATURE, .on = "32", .maximum = LIMIT_FIRST_BYTES,
			.value = "N",
			.more = "Of each direction, in hexadecimal; content in the clear."),
	{ 0 },
};

const struct feature feature_payload = {
	.name = "payload",
	.help = "first bytes of application data",
	.wants = WANT_STREAM,
	.size = sizeof(struct payload),
	.out_size = sizeof(struct out),
	.stream = stream,
	.stream_bytes = stream_bytes,
	.finish = finish,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
