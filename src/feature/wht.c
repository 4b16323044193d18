/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * wht.c - Walsh-Hadamard transform of the payload in blocks of four bytes.
 *
 * The transform is linear: the mean over all blocks is the transform of the four sums of the bytes
 * at positions 0 to 3 modulo 4, so only those are kept.
 */
#include "feature/feature.h"

enum { SIZE = 4, WORD = 8, LANES_MAX = 257 };

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
};

/* Adds 'n' words of two blocks, at most LANES_MAX: lanes of 16 bits hold 257 times 255. */
static void add_words(uint64_t sum[SIZE], const uint8_t *p, size_t n)
{
	const uint64_t mask = 0x00ff00ff00ff00ff;
	uint64_t even = 0, odd = 0;
	uint16_t lane[2][SIZE];

	for (size_t i = 0; i < n; i++) {
		uint64_t v;

		memcpy(&v, p + i * WORD, WORD);
		even += v & mask;
		odd += v >> 8 & mask;
	}
	/* On a big-endian machine a lane's two bytes, and with them even and odd, change places. */
	if (__BYTE_ORDER__ == __ORDER_BIG_ENDIAN__) {
		uint64_t swap = even;

		even = odd;
		odd = swap;
	}
	memcpy(lane[0], &even, WORD);
	memcpy(lane[1], &odd, WORD);
	for (unsigned k = 0; k < SIZE; k++)
		sum[k] += (uint64_t)lane[k % 2][k / 2] + lane[k % 2][k / 2 + 2];
}

static enum verdict update(void *state, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct wht *s = state;
	struct rd blocks = rd_first(pkt->payload, pkt->payload.left / SIZE * SIZE);

	(void)env;
	(void)flow;
	s->blocks += blocks.left / SIZE;
	while (blocks.left >= WORD) {
		size_t words = blocks.left / WORD < LANES_MAX ? blocks.left / WORD : LANES_MAX;
		struct rd part = rd_bytes(&blocks, words * WORD);

		add_words(s->sum, part.p, words);
	}
	for (unsigned k = 0; rd_more(&blocks); k++)
		s->sum[k] += rd_u8(&blocks);
	return MORE;
}

static bool finish(const void *state, const struct feature_env *env, const struct flow_view *view,
		void *out)
{
	const struct wht *s = state;
	const uint64_t *x = s->sum;
	struct out *o = out;
	double *mean = arena_alloc(env->scratch, env->pool, SIZE * sizeof *mean);
	double n = (double)s->blocks;

	(void)view;
	if (s->blocks == 0 || mean == NULL)
		return false;
	mean[0] = (double)(x[0] + x[1] + x[2] + x[3]) / n;
	mean[1] = (double)(int64_t)(x[0] - x[1] + x[2] - x[3]) / n;
	mean[2] = (double)(int64_t)(x[0] + x[1] - x[2] - x[3]) / n;
	mean[3] = (double)(int64_t)(x[0] - x[1] - x[2] + x[3]) / n;
	o->wht = (struct field_list){ mean, SIZE };
	o->wht_blocks = s->blocks;
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
			.null_rule = NO_BLOCK, .source = "J. Walsh, 1923; Joy"),
	FIELD(struct out, wht_blocks, "wht_blocks", "", "Blocks of four bytes behind wht.",
			.null_rule = NO_BLOCK),
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
	.fields = fields,
	.options = options,
	.options_size = sizeof(struct options),
};
