/* SPDX-License-Identifier: BSD-3-Clause */
/* xz.c - xz data, any number of streams one after the other with padding, by liblzma. */
#include "source/decoder.h"

#include <stdlib.h>

#include "base/limits.h"

static bool is(struct rd first)
{
	return rd_uint(&first, 6) == 0xfd377a585a00;
}

#ifdef HAVE_LZMA
#include <lzma.h>

static bool xz_open(struct decoder *d)
{
	lzma_stream *z = calloc(1, sizeof(*z));

	if (z == NULL)
		return false;
	*z = (lzma_stream)LZMA_STREAM_INIT;
	d->between = false; /* liblzma itself knows where it may end */
	d->state = z;
	return lzma_stream_decoder(z, LIMIT_XZ_MEMORY, LZMA_CONCATENATED) == LZMA_OK;
}

static void xz_close(struct decoder *d)
{
	lzma_end(d->state);
	free(d->state);
}

static const char *words(lzma_ret result)
{
	switch (result) {
	case LZMA_MEM_ERROR:
		return "no memory";
	case LZMA_MEMLIMIT_ERROR:
		return "needs too much memory to unpack";
	case LZMA_FORMAT_ERROR:
		return "not xz";
	case LZMA_OPTIONS_ERROR:
		return "unknown options";
	default:
		return "corrupt";
	}
}

static bool xz_step(struct decoder *d, struct decoder_from *from, struct decoder_to *to)
{
	lzma_stream *z = d->state;

	z->next_in = from->at;
	z->avail_in = (size_t)(from->end - from->at);
	z->next_out = to->at;
	z->avail_out = (size_t)(to->end - to->at);
	lzma_ret result = lzma_code(z, d->last ? LZMA_FINISH : LZMA_RUN);
	from->at = z->next_in;
	to->at = z->next_out;
	if (result == LZMA_STREAM_END)
		d->done = true;
	if (result == LZMA_OK || result == LZMA_BUF_ERROR || result == LZMA_STREAM_END)
		return true;
	return err_set(&d->in.fault, "xz data is damaged (%s)", words(result));
}
#else
static bool xz_open(struct decoder *d)
{
	return err_set(&d->in.fault,
			"is xz data, which this build cannot read (made without liblzma)");
}

static void xz_close(struct decoder *d)
{
	(void)d;
}

static bool xz_step(struct decoder *d, struct decoder_from *from, struct decoder_to *to)
{
	(void)d, (void)from, (void)to;
	return false;
}
#endif

const struct coding coding_xz = {
	.name = "xz",
	.is = is,
	.open = xz_open,
	.step = xz_step,
	.close = xz_close,
};
