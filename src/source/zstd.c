/* SPDX-License-Identifier: BSD-3-Clause */
/* zstd.c - Zstandard data (RFC 8878), any number of frames one after the other, by libzstd. */
#include "source/decoder.h"

#include "base/limits.h"

/* The magic numbers, as they lie in the file: of a frame, and of one to be passed over. */
enum { FRAME = 0x28b52ffd, FRAME_1 = 0x28, SKIPPED_1 = 0x50, SKIPPED_2 = 0x2a4d18 };

static bool is(struct rd first)
{
	uint32_t magic = rd_u32(&first);

	return magic == FRAME || (magic >> 28 == SKIPPED_1 >> 4 && (magic & 0xffffff) == SKIPPED_2);
}

#ifdef HAVE_ZSTD
#include <stdlib.h>

#include <zstd.h>

static bool begins(uint8_t byte)
{
	return byte == FRAME_1 || (byte & 0xf0) == SKIPPED_1;
}

struct stream {
	ZSTD_DStream *z;
	size_t wanted; /* packed bytes to the end of the next block */
};

static bool zstd_open(struct decoder *d)
{
	struct stream *s = calloc(1, sizeof(*s));

	if (s == NULL || (s->z = ZSTD_createDStream()) == NULL) {
		free(s);
		return false;
	}
	s->wanted = 1;
	d->state = s;
	return !ZSTD_isError(
			ZSTD_DCtx_setParameter(s->z, ZSTD_d_windowLogMax, LIMIT_ZSTD_WINDOW_LOG));
}

static void zstd_close(struct decoder *d)
{
	struct stream *s = d->state;

	ZSTD_freeDStream(s->z);
	free(s);
}

/*
 * A call that fails gives nothing, not even what was good before the damage.  So each call gets one
 * block, as long as libzstd itself says, and the check at a frame's end goes alone.
 */
static bool zstd_step(struct decoder *d, struct decoder_from *from, struct decoder_to *to)
{
	struct stream *s = d->state;

	if (d->between && !decoder_next_member(d, from, begins))
		return !d->done;
	size_t packed = (size_t)(from->end - from->at);
	ZSTD_inBuffer in = { from->at, packed < s->wanted ? packed : s->wanted, 0 };
	ZSTD_outBuffer out = { to->at, (size_t)(to->end - to->at), 0 };
	size_t result = ZSTD_decompressStream(s->z, &out, &in);

	from->at += in.pos;
	to->at += out.pos;
	if (ZSTD_isError(result))
		return err_set(&d->in.fault, "zstd data is damaged (%s)",
				ZSTD_getErrorName(result));
	d->between = result == 0;
	s->wanted = result > 0 ? result : 1;
	return true;
}
#else
static bool zstd_open(struct decoder *d)
{
	return err_set(&d->in.fault,
			"is zstd data, which this build cannot read (made without libzstd)");
}

static void zstd_close(struct decoder *d)
{
	(void)d;
}

static bool zstd_step(struct decoder *d, struct decoder_from *from, struct decoder_to *to)
{
	(void)d, (void)from, (void)to;
	return false;
}
#endif

const struct coding coding_zstd = {
	.name = "zstd",
	.is = is,
	.open = zstd_open,
	.step = zstd_step,
	.close = zstd_close,
};
