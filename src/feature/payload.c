/* SPDX-License-Identifier: BSD-3-Clause */
/* payload.c - the first bytes of application data of each direction, in order for TCP. */
#include <string.h>

#include "feature/feature.h"

struct first {
	uint32_t room : 31;
	uint32_t closed : 1; /* nothing more is wanted */
	uint32_t size;
	uint8_t bytes[];
};

struct payload {
	struct first *of[2]; /* by direction; NULL: nothing yet */
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

/* The direction's block with room for 'more' bytes; NULL without memory. */
static struct first *grow(
		struct first *old, const struct feature_env *env, struct flow *flow, uint32_t more)
{
	uint32_t size = old == NULL ? 0 : old->size;
	struct first *f = old;

	if (old != NULL && old->room - size >= more)
		return old;
	size_t room = pool_room(sizeof *f + size + size / 2 + more);
	f = arena_move(&flow->arena, env->pool, old, old == NULL ? 0 : sizeof *old + size, room);
	if (f == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return NULL;
	}
	if (old == NULL)
		*f = (struct first){ 0 };
	f->room = (uint32_t)(room - sizeof *f) & INT32_MAX;
	return f;
}

static bool is_closed(const struct first *f)
{
	return f != NULL && f->closed;
}

static enum verdict stream(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt, unsigned dir, struct rd bytes, uint64_t offset)
{
	struct payload *s = state;
	struct first *f = s->of[dir];
	uint32_t wanted = (uint32_t)stream_bytes(env), had = f == NULL ? 0 : f->size;
	struct rd more = rd_first(bytes, offset == had && !is_closed(f) ? wanted - had : 0);

	f = grow(f, env, flow, (uint32_t)more.left);
	if (f == NULL)
		return DONE;
	s->of[dir] = f;
	if (more.left > 0)
		memcpy(f->bytes + had, more.p, more.left);
	f->size = had + (uint32_t)more.left;
	/* What follows a datagram, or bytes that were not captured, is not the beginning. */
	f->closed |= pkt->proto != PROTO_TCP || offset > f->size || f->size == wanted;
	return f->closed && (!env->conf->bidir || is_closed(s->of[!dir])) ? DONE : MORE;
}

static struct field_hex hex_of(const struct first *f)
{
	return f == NULL || f->size == 0 ? (struct field_hex){ NULL, 0 }
					 : (struct field_hex){ f->bytes, f->size };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct payload *s = state;
	struct out *o = out;

	(void)env;
	(void)view;
	o->payload.out = hex_of(s->of[0]);
	o->payload.in = hex_of(s->of[1]);
	return o->payload.out.p != NULL || o->payload.in.p != NULL;
}

#define NO_DATA "left out when no byte of it was captured, and with anonymisation"

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
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when there is none in either direction, and with "
				     "anonymisation",
			.merge = MERGE_FIRST),
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
	.pointers = 2,
	.out_size = sizeof(struct out),
	.stream = stream,
	.stream_bytes = stream_bytes,
	.finish = finish,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
