/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hd.c - header description: which of the first N payload bits never change, which bytes count up.
 *
 * Protocols whose messages begin with a header of their own show it this way.  For each direction
 * one block holds the last packet's bytes and what still is true of all packets.
 */
#include "feature/feature.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum { WORD = 8, VECTOR = 16 /* bytes compared at a time */ };

struct side {
	uint32_t n;
	uint8_t bytes[]; /* N of the last packet; N: bits that never changed; which bytes count up
			  */
};

struct hd {
	struct side *side[2];
};

struct options {
	uint32_t bytes;
};

struct out_side {
	uint32_t n;
	struct field_hex const_mask, const_value;
	struct field_list seq;
};

struct out {
	struct out_hd {
		uint32_t bytes;
		struct out_side out, in;
	} hd;
};

static uint32_t width(const struct feature_env *env)
{
	return ((const struct options *)env->options)->bytes;
}

static struct side *side_new(const struct feature_env *env, struct flow *flow)
{
	uint32_t n = width(env);
	struct side *s = arena_alloc(&flow->arena, env->pool, sizeof *s + 2 * n + (n + 7) / 8);

	if (s == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return NULL;
	}
	s->n = 0;
	memset(s->bytes + n, 0xff, n + (n + 7) / 8);
	return s;
}

/* Bit i is set when byte i, in memory order, is one more than in 'last', modulo 256. */
static uint8_t counts_up(uint64_t last, uint64_t now)
{
	const uint64_t low = 0x7f7f7f7f7f7f7f7f, high = ~low;
	uint64_t next = ((last & low) + 0x0101010101010101) ^ (last & high);
	uint64_t differs = next ^ now;
	uint64_t equal = ~(((differs & low) + low) | differs) & high;

	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__)
		equal = __builtin_bswap64(equal);
	return (uint8_t)((equal >> 7) * 0x0102040810204080 >> 56);
}

static void compare_word(uint8_t *last, uint8_t *same, uint8_t *up, const uint8_t *now)
{
	uint64_t l, s, n;

	memcpy(&l, last, WORD);
	memcpy(&s, same, WORD);
	memcpy(&n, now, WORD);
	s &= ~(n ^ l);
	memcpy(same, &s, WORD);
	memcpy(last, &n, WORD);
	if (*up != 0)
		*up &= counts_up(l, n);
}

#ifdef __SSE2__
static void compare_vector(uint8_t *last, uint8_t *same, uint8_t *up, const uint8_t *now)
{
	const __m128i l = _mm_loadu_si128((const __m128i *)(const void *)last);
	const __m128i s = _mm_loadu_si128((const __m128i *)(const void *)same);
	const __m128i n = _mm_loadu_si128((const __m128i *)(const void *)now);
	const __m128i next = _mm_add_epi8(l, _mm_set1_epi8(1));
	const int equal = _mm_movemask_epi8(_mm_cmpeq_epi8(next, n));

	_mm_storeu_si128((__m128i *)(void *)same, _mm_andnot_si128(_mm_xor_si128(n, l), s));
	_mm_storeu_si128((__m128i *)(void *)last, n);
	up[0] &= (uint8_t)equal;
	up[1] &= (uint8_t)(equal >> 8);
}
#endif

static void compare(struct side *s, const uint8_t *now, uint32_t n)
{
	uint8_t *last = s->bytes, *same = last + n, *up = same + n;
	uint32_t i = 0;

#ifdef __SSE2__
	for (; i + VECTOR <= n; i += VECTOR)
		compare_vector(last + i, same + i, up + i / WORD, now + i);
#endif
	for (; i + WORD <= n; i += WORD)
		compare_word(last + i, same + i, up + i / WORD, now + i);
	for (; i < n; i++) {
		if (now[i] != (uint8_t)(last[i] + 1))
			up[i / WORD] &= (uint8_t) ~(1u << i % WORD);
		same[i] &= (uint8_t) ~(now[i] ^ last[i]);
		last[i] = now[i];
	}
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct hd *hd = state;
	struct side **s = &hd->side[pkt->dir];
	uint32_t n = width(env);
	struct rd first = rd_first(pkt->payload, n);

	if (first.left < n || pkt_is_old(pkt))
		return MORE;
	if (*s == NULL)
		*s = side_new(env, flow);
	if (*s == NULL)
		return MORE;
	if ((*s)->n == 0)
		memcpy((*s)->bytes, first.p, n);
	else
		compare(*s, first.p, n);
	if ((*s)->n < UINT32_MAX)
		(*s)->n++;
	else
		flow->marks |= FLOW_CAPPED;
	return MORE;
}

/* Writes the offsets, below 'n', whose bits are set; returns how many. */
static size_t offsets_of(const uint8_t *up, uint32_t n, uint8_t *offsets)
{
	size_t count = 0;

	for (uint32_t i = 0; i < n; i += WORD)
		for (unsigned bits = up[i / WORD]; bits != 0; bits &= bits - 1) {
			const uint32_t at = i + (uint32_t)__builtin_ctz(bits);

			if (at < n)
				offsets[count++] = (uint8_t)at;
		}
	return count;
}

static void report(const struct side *s, const struct feature_env *env, struct out_side *o)
{
	uint32_t n = width(env);
	uint8_t *value, *seq;

	if (s == NULL)
		return;
	value = arena_alloc(env->scratch, env->pool, 2 * n);
	if (value == NULL)
		return;
	seq = value + n;
	o->n = s->n;
	o->seq.items = seq;
	for (uint32_t i = 0; i < n; i++)
		value[i] = s->bytes[i] & s->bytes[n + i];
	if (s->n > 1)
		o->seq.count = offsets_of(s->bytes + 2 * n, n, seq);
	o->const_mask = (struct field_hex){ s->bytes + n, n };
	o->const_value = (struct field_hex){ value, n };
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct hd *hd = state;
	struct out_hd *o = &((struct out *)out)->hd;

	(void)view;
	if (hd->side[0] == NULL && hd->side[1] == NULL)
		return false;
	o->bytes = width(env);
	report(hd->side[0], env, &o->out);
	report(hd->side[1], env, &o->in);
	return true;
}

/* --- parts of a split flow ------------------------------------------------------------------- */

/* Offsets that count up in both parts: between the last packet of one and the first of the other
 * they may not, and the packets are gone. */
static bool may_count_up(const struct out_side *a, const struct out_side *b)
{
	const uint8_t *x = a->seq.items, *y = b->seq.items;

	if (a->n < 2 || b->n < 2)
		return a->n < 2 ? b->n >= 2 && b->seq.count > 0 : a->seq.count > 0;
	for (size_t i = 0; i < a->seq.count; i++)
		for (size_t k = 0; k < b->seq.count; k++)
			if (x[i] == y[k])
				return true;
	return false;
}

static bool is_whole(const struct out_side *s, uint32_t n)
{
	return s->const_mask.size == n && s->const_value.size == n && s->const_mask.p != NULL &&
	       s->const_value.p != NULL;
}

/* Of two single packets all is known. */
static struct field_list counts_between(
		const struct out_side *a, const struct out_side *b, uint32_t n, uint8_t *offsets)
{
	struct field_list up = { offsets, 0 };

	if (a->n != 1 || b->n != 1)
		return (struct field_list){ 0 };
	for (uint32_t i = 0; i < n; i++)
		if (b->const_value.p[i] == (uint8_t)(a->const_value.p[i] + 1))
			offsets[up.count++] = (uint8_t)i;
	return up;
}

static bool merge_side(
		struct feature_join *join, uint32_t n, const struct out_side *b, struct out_side *o)
{
	uint8_t *mask, *value;
	uint32_t packets;

	if (b->n == 0)
		return true;
	if (o->n == 0) {
		*o = *b;
		return true;
	}
	if (may_count_up(o, b) || !is_whole(o, n) || !is_whole(b, n) ||
			__builtin_add_overflow(o->n, b->n, &packets) || n > LIMIT_HD_BYTES)
		return false;
	mask = arena_alloc(join->arena, join->pool, 3 * (size_t)n + 1);
	if (mask == NULL)
		return false;
	value = mask + n;
	o->seq = counts_between(o, b, n, value + n);
	for (uint32_t i = 0; i < n; i++) {
		mask[i] = o->const_mask.p[i] & b->const_mask.p[i] &
			  (uint8_t) ~(o->const_value.p[i] ^ b->const_value.p[i]);
		value[i] = o->const_value.p[i] & mask[i];
	}
	o->const_mask.p = mask;
	o->const_value.p = value;
	o->n = packets;
	return true;
}

static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	struct out_hd *o = &((struct out *)out)->hd;
	const struct out_hd *b;

	if (before == NULL || next == NULL)
		return true;
	b = &((const struct out *)next)->hd;
	return o->bytes == b->bytes && merge_side(join, o->bytes, &b->out, &o->out) &&
	       merge_side(join, o->bytes, &b->in, &o->in);
}

#define NO_PACKET "left out when n is 0"

static const struct field side_fields[] = {
	FIELD(struct out_side, n, "n", "packets",
			"Packets of the direction that are described: those with at least hd=N "
			"captured payload bytes (payload as in byte_dist), without TCP segments of "
			"the classes retransmission, duplicate and keep-alive; a fragmented "
			"datagram is one."),
	FIELD(struct out_side, const_mask, "const_mask", "",
			"N bytes.  A bit is set when that bit of the payload was the same in all n "
			"packets.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_PACKET),
	FIELD(struct out_side, const_value, "const_value", "",
			"N bytes.  The payload bits that const_mask marks; the other bits are 0.",
			.flags = FIELD_OPTIONAL | FIELD_IS_ADDRESS | FIELD_PERSONAL,
			.null_rule = NO_PACKET ", and with anonymisation"),
	FIELD_SCALARS(struct out_side, seq, "seq", uint8_t, "",
			"Offsets (0 to N-1, rising) of the payload bytes that in each of the n "
			"packets but the first were one more, modulo 256, than in the packet "
			"before in the order seen; as the last byte of a sequence number.",
			.null_rule = "empty when there is none, and when n is below 2"),
	{ 0 },
};

static const struct field hd_fields[] = {
	FIELD(struct out_hd, bytes, "bytes", "bytes", "N: how many payload bytes are described."),
	FIELD_SUB(struct out_hd, out, "out", side_fields, "Packets from sa to da."),
	FIELD_SUB(struct out_hd, in, "in", side_fields, "As hd.out, from da to sa.",
			.flags = FIELD_REVERSE),
	{ 0 },
};

static const struct field fields[] = {
	FIELD_SUB(struct out, hd, "hd", hd_fields,
			"Header description: what the first hd=N payload bytes of the packets have "
			"in common.",
			.null_rule = "left out when no packet has N captured payload bytes",
			.source = "Joy", .merge = MERGE_OWN),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, bytes, "hd",
			"describe what the first N payload bytes have in common",
			.flags = OPTION_FEATURE, .on = "16", .maximum = LIMIT_HD_BYTES,
			.value = "N"),
	{ 0 },
};

const struct feature feature_hd = {
	.name = "hd",
	.help = "header description: constant and counting parts of the payload",
	.wants = WANT_DATA,
	.size = sizeof(struct hd),
	.pointers = 2,
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
