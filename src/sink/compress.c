/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compress.c - gzip through zlib, zstd through libzstd where the build has it.
 *
 * Levels are the fast ends: records are written by the thread that makes them, and text like this
 * gains little from more effort.
 */
#include "sink/compress.h"

#include <stdlib.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#define ZLIB_CONST
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

enum { GZIP_LEVEL = 3, ZSTD_LEVEL = 1, GZIP_WINDOW = 15 + 16, PIECE = 1 << 16 };

struct compress {
	enum compress_kind kind;
	z_stream gzip;
#ifdef HAVE_ZSTD
	ZSTD_CCtx *zstd;
#endif
	XXH64_state_t hash; /* of all that was added, for a zstd stream's end */
	uint32_t size;
};

const char *compress_suffix(enum compress_kind kind)
{
	return kind == COMPRESS_GZIP ? ".gz" : kind == COMPRESS_ZSTD ? ".zst" : "";
}

bool compress_available(enum compress_kind kind)
{
#ifdef HAVE_ZSTD
	(void)kind;
	return true;
#else
	return kind != COMPRESS_ZSTD;
#endif
}

/* --- gzip ---------------------------------------------------------------------------------------
 */

static bool add_gzip(struct compress *c, const char *bytes, size_t size, int flush, struct buf *out)
{
	z_stream *z = &c->gzip;
	int status;

	z->next_in = (const Bytef *)bytes;
	do {
		const size_t piece = size < PIECE ? size : PIECE;
		char *to = buf_reserve(out, PIECE);

		if (to == NULL)
			return false;
		if (z->avail_in == 0) {
			z->avail_in = (uInt)piece;
			size -= piece;
		}
		z->next_out = (Bytef *)to;
		z->avail_out = PIECE;
		status = deflate(z, size > 0 ? Z_NO_FLUSH : flush);
		buf_commit(out, PIECE - z->avail_out);
	} while (status == Z_OK && (size > 0 || z->avail_in > 0 || z->avail_out == 0));
	return status == Z_OK || status == Z_STREAM_END || status == Z_BUF_ERROR;
}

/* --- zstd ---------------------------------------------------------------------------------------
 */

#ifdef HAVE_ZSTD
static bool new_zstd(struct compress *c)
{
	c->zstd = ZSTD_createCCtx();
	return c->zstd != NULL &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(
			       c->zstd, ZSTD_c_compressionLevel, ZSTD_LEVEL)) &&
	       !ZSTD_isError(ZSTD_CCtx_setParameter(c->zstd, ZSTD_c_checksumFlag, 1));
}

static bool add_zstd(struct compress *c, const char *bytes, size_t size, bool last, struct buf *out)
{
	ZSTD_inBuffer in = { bytes, size, 0 };
	size_t left;

	do {
		char *to = buf_reserve(out, PIECE);
		ZSTD_outBuffer part = { to, PIECE, 0 };

		if (to == NULL)
			return false;
		left = ZSTD_compressStream2(c->zstd, &part, &in, last ? ZSTD_e_end : ZSTD_e_flush);
		buf_commit(out, part.pos);
	} while (!ZSTD_isError(left) && left > 0);
	return !ZSTD_isError(left);
}

static void free_zstd(struct compress *c)
{
	ZSTD_freeCCtx(c->zstd);
}
#else
static bool new_zstd(struct compress *c)
{
	(void)c;
	return false;
}

static bool add_zstd(struct compress *c, const char *bytes, size_t size, bool last, struct buf *out)
{
	(void)c, (void)bytes, (void)size, (void)last, (void)out;
	return false;
}

static void free_zstd(struct compress *c)
{
	(void)c;
}
#endif

/* --- either -------------------------------------------------------------------------------------
 */

struct compress *compress_new(enum compress_kind kind, struct err *e)
{
	struct compress *c = calloc(1, sizeof *c);

	if (c == NULL) {
		err_set(e, "no memory to compress");
		return NULL;
	}
	c->kind = kind;
	XXH64_reset(&c->hash, 0);

	const bool ready = kind == COMPRESS_GZIP ? deflateInit2(&c->gzip, GZIP_LEVEL, Z_DEFLATED,
								   GZIP_WINDOW, 8,
								   Z_DEFAULT_STRATEGY) == Z_OK
						 : new_zstd(c);

	if (!ready) {
		err_set(e, "cannot compress: no memory, or this build is without %s",
				compress_suffix(kind));
		compress_free(c);
		return NULL;
	}
	return c;
}

void compress_free(struct compress *c)
{
	if (c == NULL)
		return;
	if (c->kind == COMPRESS_GZIP)
		deflateEnd(&c->gzip);
	else
		free_zstd(c);
	free(c);
}

bool compress_add(struct compress *c, const char *bytes, size_t size, struct buf *out)
{
	c->size += (uint32_t)size;
	if (c->kind == COMPRESS_GZIP)
		return add_gzip(c, bytes, size, Z_SYNC_FLUSH, out);
	XXH64_update(&c->hash, bytes, size);
	return add_zstd(c, bytes, size, false, out);
}

bool compress_end(struct compress *c, struct buf *out)
{
	return c->kind == COMPRESS_GZIP ? add_gzip(c, "", 0, Z_FINISH, out)
					: add_zstd(c, "", 0, true, out);
}

struct compress_mark compress_mark(const struct compress *c)
{
	const uint32_t check = c->kind == COMPRESS_GZIP ? (uint32_t)c->gzip.adler
							: (uint32_t)XXH64_digest(&c->hash);

	return (struct compress_mark){ check, c->size };
}

static void add_little(struct buf *out, uint32_t v)
{
	for (unsigned shift = 0; shift < 32; shift += 8)
		buf_byte(out, (char)(v >> shift & 0xff));
}

void compress_tail(enum compress_kind kind, struct compress_mark mark, struct buf *out)
{
	if (kind == COMPRESS_GZIP) {
		buf_bytes(out, "\x03\x00", 2); /* the last block of deflate, without content */
		add_little(out, mark.check);
		add_little(out, mark.size);
	} else {
		buf_bytes(out, "\x01\x00\x00", 3); /* the last block, raw, of size 0 */
		add_little(out, mark.check);
	}
}
