/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng.c - the block-structured capture file (draft-ietf-opsawg-pcapng).
 *
 *   block: type 4, total length 4, body, total length 4
 *
 * A section header block sets the byte order and forgets all interfaces; interface blocks number
 * them from 0; packet blocks name one.  What a block's body says is read in pcapng_block.c; here
 * the blocks are found one after the other.
 */
#include "source/pcapng.h"

#include <stdlib.h>

#include "base/limits.h"
#include "source/order.h"

enum { BLOCK_HEADER = 8, BLOCK_TRAILER = 4, BLOCK_MIN = 12, SECTION_MIN = 28 };

static bool is(struct rd first)
{
	return rd_u32(&first) == PCAPNG_SECTION;
}

/* The order of a section header's own length stands behind it. */
static bool section_order(struct pcapng *ng, struct format_file *file)
{
	if (input_need(file->in, BLOCK_MIN) < BLOCK_MIN) {
		format_cut(file, "a section header", SECTION_MIN);
		return false;
	}
	uint32_t magic = order_u32(file->in->at + 8, false);
	if (magic != PCAPNG_ORDER && magic != __builtin_bswap32(PCAPNG_ORDER))
		return format_damage(file, input_offset(file->in),
				"is damaged at offset %llu: a section header without order",
				(unsigned long long)input_offset(file->in));
	ng->swapped = magic != PCAPNG_ORDER;
	ng->big = ng->swapped == ORDER_LITTLE_MACHINE;
	return true;
}

/* What can be told from the first eight bytes: type and length; false when nonsense. */
static bool block_header(struct pcapng *ng, struct format_file *file, struct pcapng_block *b)
{
	const uint8_t *at = file->in->at;

	b->type = order_u32(at, ng->swapped);
	if (b->type == PCAPNG_SECTION && !section_order(ng, file))
		return false;
	at = file->in->at;
	b->length = order_u32(at + 4, ng->swapped);
	b->total = ((size_t)b->length + 3) & ~(size_t)3;
	if (b->length < BLOCK_MIN || (b->type == PCAPNG_SECTION && b->length < SECTION_MIN) ||
			b->total > LIMIT_BLOCK_BYTES)
		return format_damage(file, input_offset(file->in),
				"is damaged at offset %llu: a block of %u bytes",
				(unsigned long long)input_offset(file->in), b->length);
	return true;
}

/*
 * The length once more, behind the body.  Writers that forgot to pad to four bytes stand on one
 * side or the other of what their length says; both are found here.
 */
static bool block_trailer(const struct pcapng *ng, struct format_file *file, struct pcapng_block *b)
{
	const uint8_t *at = file->in->at;

	b->at = at;
	b->offset = input_offset(file->in);
	if (order_u32(at + b->total - BLOCK_TRAILER, ng->swapped) == b->length)
		return true;
	b->total = b->length;
	if (order_u32(at + b->total - BLOCK_TRAILER, ng->swapped) == b->length)
		return true;
	return format_damage(file, b->offset,
			"is damaged at offset %llu: the two lengths of a block differ",
			(unsigned long long)b->offset);
}

/* Brings the next block whole to hand; false at the end, good or bad. */
static bool bring(struct pcapng *ng, struct format_file *file, struct pcapng_block *b)
{
	size_t at_hand = input_need(file->in, BLOCK_HEADER);

	if (at_hand == 0)
		return false;
	if (at_hand < BLOCK_HEADER) {
		format_cut(file, "a block header", BLOCK_HEADER);
		return false;
	}
	if (!block_header(ng, file, b))
		return false;
	if (input_need(file->in, b->total) < b->total)
		b->total = b->length; /* the last block, not padded */
	if (input_at_hand(file->in) < b->total) {
		format_cut(file, "a block", b->total);
		return false;
	}
	return block_trailer(ng, file, b);
}

/* The same when the block is whole in the window; false says only that bring() has to look. */
static bool at_hand_already(
		const struct pcapng *ng, struct format_file *file, struct pcapng_block *b)
{
	size_t at_hand = input_at_hand(file->in);
	const uint8_t *at = file->in->at;

	if (at_hand < BLOCK_MIN)
		return false;
	b->type = order_u32(at, ng->swapped);
	b->length = order_u32(at + 4, ng->swapped);
	b->total = b->length;
	b->at = at;
	b->offset = input_offset(file->in);
	return b->type != PCAPNG_SECTION && b->length >= BLOCK_MIN && b->length % 4 == 0 &&
	       b->length <= at_hand && b->length <= LIMIT_BLOCK_BYTES &&
	       order_u32(at + b->length - BLOCK_TRAILER, ng->swapped) == b->length;
}

static struct rd body(const struct pcapng_block *b)
{
	return (struct rd){ b->at + BLOCK_HEADER, b->length - BLOCK_MIN };
}

static size_t pcapng_read(void *state, struct format_file *file, struct frame *frames, size_t max)
{
	struct pcapng *ng = state;
	struct pcapng_block b;
	size_t n = 0;

	while (n < max && file->damage.text[0] == '\0') {
		if (!at_hand_already(ng, file, &b) && (n > 0 || !bring(ng, file, &b)))
			break;
		format_prefetch(file->in, b.at, b.at + b.total);
		file->in->at += b.total;
		if (pcapng_block_read(ng, file, &b, body(&b), &frames[n]))
			ng->last_ns = frames[n++].ns;
	}
	return n;
}

static void pcapng_close(void *state)
{
	struct pcapng *ng = state;

	free(ng->faces);
	free(ng);
}

/* Reads the first section header, so that a file that only looks like a capture is told at once. */
static void *pcapng_open(struct format_file *file)
{
	struct pcapng *ng = calloc(1, sizeof(*ng));
	struct pcapng_block b;
	struct frame none;

	if (ng == NULL) {
		err_set(&file->damage, "no memory");
		return NULL;
	}
	ng->last_ns = file->last_ns;
	if (bring(ng, file, &b)) {
		file->in->at += b.total;
		pcapng_block_read(ng, file, &b, body(&b), &none);
	}
	if (file->damage.text[0] != '\0') {
		pcapng_close(ng);
		return NULL;
	}
	return ng;
}

const struct format format_pcapng = {
	.name = "pcapng",
	.min_size = SECTION_MIN,
	.is = is,
	.open = pcapng_open,
	.read = pcapng_read,
	.close = pcapng_close,
};
