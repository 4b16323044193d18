/* SPDX-License-Identifier: BSD-3-Clause */
/* gzip.c - gzip data (RFC 1952), any number of members one after the other, by zlib. */
#include <stdlib.h>
#include <zlib.h>

#include "source/decoder.h"

enum { GZIP_ONLY = 16, MAGIC_1 = 0x1f, MAGIC_2 = 0x8b, DEFLATE = 8 };

static bool is(struct rd first)
{
	return rd_u8(&first) == MAGIC_1 && rd_u8(&first) == MAGIC_2 && rd_u8(&first) == DEFLATE;
}

static bool begins(uint8_t byte)
{
	return byte == MAGIC_1;
}

static bool gzip_open(struct decoder *d)
{
	z_stream *z = calloc(1, sizeof(*z));

	if (z == NULL || inflateInit2(z, MAX_WBITS + GZIP_ONLY) != Z_OK) {
		free(z);
		return false;
	}
	d->state = z;
	return true;
}

static void gzip_close(struct decoder *d)
{
	inflateEnd(d->state);
	free(d->state);
}

static uInt at_most(size_t n)
{
	return n < UINT32_MAX / 2 ? (uInt)n : UINT32_MAX / 2;
}

static bool gzip_step(struct decoder *d, struct decoder_from *from, struct decoder_to *to)
{
	z_stream *z = d->state;

	if (d->between && !decoder_next_member(d, from, begins))
		return !d->done;
	z->next_in = (Bytef *)(uintptr_t)from->at; /* zlib does not write there */
	z->avail_in = at_most((size_t)(from->end - from->at));
	z->next_out = to->at;
	z->avail_out = at_most((size_t)(to->end - to->at));
	int result = inflate(z, Z_NO_FLUSH);
	from->at = z->next_in;
	to->at = z->next_out;
	if (result == Z_STREAM_END) {
		d->between = true;
		return inflateReset(z) == Z_OK;
	}
	if (result == Z_OK || result == Z_BUF_ERROR)
		return true;
	return err_set(&d->in.fault, "gzip data is damaged (%s)",
			z->msg != NULL ? z->msg : "inflate failed");
}

const struct coding coding_gzip = {
	.name = "gzip",
	.is = is,
	.open = gzip_open,
	.step = gzip_step,
	.close = gzip_close,
};
