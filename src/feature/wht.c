/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wht.c - Walsh-Hadamard transform of the payload in blocks of four bytes.
 *
 * The transform is linear: the mean over all blocks is the transform of the four sums of the bytes
 * at positions 0 to 3 modulo 4, so only those are kept.
 */
#include <math.h>

#include "feature/feature.h"

#ifdef __SSE2__
#include <emmintrin.h>
#endif

enum {
	SIZE = 4,
	LANES = 8, /* of 16 bits */
	BLOCKS = 4,
	VECTOR = BLOCKS * SIZE,
	BYTES_MAX = 256 * VECTOR, /* lanes of 16 bits hold 257 times 255 */
};

typedef uint16_t lanes __attribute__((vector_size(VECTOR)));

struct wht {
	uint64_t sum[SIZE]; /* of the bytes at each position of a block */
	uint64_t blocks;
};

struct options {
	bool wht;
};

struct out {
	struct field_list wht;
	uint64_t wht_blocks;
	double mean[SIZE]; /* the items of 'wht' */
};

/* Adds the lanes: 'high' of what is in the upper byte of each two, 'low' of what is in the lower.
 */
static void add_lanes(uint64_t sum[SIZE], lanes low, lanes high)
{
#ifdef __SSE2__
	const __m128i zero = _mm_setzero_si128(), l = (__m128i)low, h = (__m128i)high;
	const __m128i one = _mm_unpacklo_epi16(l, h), other = _mm_unpackhi_epi16(l, h);
	const __m128i all = _mm_add_epi32(
			_mm_add_epi32(_mm_unpacklo_epi16(one, zero), _mm_unpackhi_epi16(one, zero)),
			_mm_add_epi32(_mm_unpacklo_epi16(other, zero),
					_mm_unpackhi_epi16(other, zero)));
	__m128i *to = (__m128i *)(void *)sum;

	_mm_storeu_si128(to, _mm_add_epi64(_mm_loadu_si128(to), _mm_unpacklo_epi32(all, zero)));
	to++;
	_mm_storeu_si128(to, _mm_add_epi64(_mm_loadu_si128(to), _mm_unpackhi_epi32(all, zero)));
#else
	const unsigned upper = __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? 1 : 0;

	for (unsigned k = 0; k < LANES; k++) {
		sum[2 * k % SIZE + upper] += high[k];
		sum[2 * k % SIZE + !upper] += low[k];
	}
#endif
}

/* The last 'size' bytes, less than four blocks, of the vector that ends at 'end' after zeros. */
static lanes last_of(const uint8_t *end, size_t size)
{
	static const uint32_t edge[2 * BLOCKS] = { 0, 0, 0, 0, ~0u, ~0u, ~0u, ~0u };
	lanes v, mask;

	memcpy(&v, end - VECTOR, VECTOR);
	memcpy(&mask, edge + size / SIZE, VECTOR);
	return v & mask;
}

/*
 * Adds whole blocks, a vector's bytes to BYTES_MAX.  A lane is two bytes, of which one is shifted
 * out and added up; the sum of the other one is what this leaves of the sum of lanes modulo 65,536.
 */
static void add_vectors(uint64_t sum[SIZE], const uint8_t *p, size_t size)
{
	const size_t n = size / VECTOR;
	lanes both = last_of(p + size, size % VECTOR), high = both >> 8;

#pragma GCC unroll 8
	for (size_t i = 0; i < n; i++) {
		lanes v;

		memcpy(&v, p + i * VECTOR, VECTOR);
		both += v;
		high += v >> 8;
	}
	add_lanes(sum, both - (high << 8), high);
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct wht *s = state;
	struct rd blocks = rd_first(pkt->payload, pkt->payload.left / SIZE * SIZE);

	(void)env;
	(void)flow;
	s->blocks += blocks.left / SIZE;
	while (blocks.left >= VECTOR) {
		struct rd part = rd_bytes(
				&blocks, blocks.left < BYTES_MAX ? blocks.left : BYTES_MAX);

		add_vectors(s->sum, part.p, part.left);
	}
	while (rd_more(&blocks)) {
		struct rd block = rd_bytes(&blocks, SIZE);

		for (unsigned k = 0; k < block.left; k++)
			s->sum[k] += block.p[k];
	}
	return MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct wht *s = state;
	const uint64_t *x = s->sum;
	struct out *o = out;
	double *mean = o->mean, n = (double)s->blocks;

	(void)env;
	(void)view;
	if (s->blocks == 0)
		return false;
	mean[0] = (double)(x[0] + x[1] + x[2] + x[3]) / n;
	mean[1] = (double)(int64_t)(x[0] - x[1] + x[2] - x[3]) / n;
	mean[2] = (double)(int64_t)(x[0] + x[1] - x[2] - x[3]) / n;
	mean[3] = (double)(int64_t)(x[0] - x[1] - x[2] + x[3]) / n;
	o->wht = (struct field_list){ mean, SIZE };
	o->wht_blocks = s->blocks;
	return true;
}

/* The sums behind the means are whole numbers, and come out of them exactly below 2^53. */
static bool merge(struct feature_join *join, const void *before, const void *next, void *out)
{
	const struct out *a = before, *b = next;
	struct out *o = out;
	double *mean;

	if (a == NULL || b == NULL)
		return true;
	mean = arena_alloc(join->arena, join->pool, SIZE * sizeof *mean);
	if (mean == NULL || a->wht.count != SIZE || b->wht.count != SIZE || o->wht_blocks == 0)
		return false;
	for (unsigned i = 0; i < SIZE; i++) {
		const double x = ((const double *)a->wht.items)[i],
			     y = ((const double *)b->wht.items)[i];

		mean[i] = (round(x * (double)a->wht_blocks) + round(y * (double)b->wht_blocks)) /
			  (double)o->wht_blocks;
	}
	o->wht = (struct field_list){ mean, SIZE };
	return true;
}

#define NO_BLOCK "left out when no packet has four captured payload bytes"

static const struct field fields[] = {
	FIELD_SCALARS(struct out, wht, "wht", double, "",
			"Walsh-Hadamard transform of the captured payload, four numbers: the means "
			"over all blocks of w0 = x0+x1+x2+x3, w1 = x0-x1+x2-x3, w2 = x0+x1-x2-x3, "
			"w3 = x0-x1-x2+x3, where x0 to x3 are the bytes of a block, 0 to 255.  The "
			"payload of each packet (as in byte_dist: every packet as seen, in the "
			"directions of this record) is cut into blocks of four bytes from its "
			"start; one to three bytes left over are not used.",
			.null_rule = NO_BLOCK, .source = "J. Walsh, 1923; Joy", .merge = MERGE_OWN),
	FIELD(struct out, wht_blocks, "wht_blocks", "", "Blocks of four bytes behind wht.",
			.null_rule = NO_BLOCK, .merge = MERGE_SUM),
	{ 0 },
};

static const struct option options[] = {
	OPTION(struct options, wht, "wht", "give the Walsh-Hadamard transform of the payload",
			.flags = OPTION_FEATURE, .on = "1"),
	{ 0 },
};

const struct feature feature_wht = {
	.name = "wht",
	.help = "Walsh-Hadamard transform of the payload",
	.wants = WANT_DATA,
	.size = sizeof(struct wht),
	.out_size = sizeof(struct out),
	.update = update,
	.finish = finish,
	.merge = merge,
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
