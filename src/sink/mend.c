/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mend.c - reads a part from its beginning and remembers the last place where it can end.
 *
 * gzip: every flush ends in an empty stored block, 00 00 ff ff at a byte's end (RFC 1951 3.2.4).
 * zstd: a frame is a header and blocks, each with a size of its own (RFC 8878 3.1.1); it can end
 * behind any of them.
 */
#include "sink/mend.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#define XXH_STATIC_LINKING_ONLY
#include <xxhash.h>
#define ZLIB_CONST
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

enum { PIECE = 1 << 16, ZSTD_BLOCK = 1 << 17, GZIP_WINDOW = 15 + 16 };

/* --- lines --------------------------------------------------------------------------------------
 */

static const char configuration[] = "{\"version\":";

/* What is known of the text so far. */
struct text {
	bool csv, quoted, bad; /* inside a quoted cell; a zero was met */
	bool headed;
	uint64_t size, lines;
	uint64_t whole; /* bytes up to the end of the last line */
};

static void take_byte(struct text *t, char c)
{
	if (t->size < sizeof configuration - 1)
		t->headed &= c == configuration[t->size];
	t->size++;
	t->bad |= c == '\0';
	t->quoted ^= t->csv && c == '"';
	if (c == '\n' && !t->quoted && !t->bad) {
		t->lines++;
		t->whole = t->size;
	}
}

static void take_text(struct text *t, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++)
		take_byte(t, bytes[i]);
}

static bool ends_here(const struct text *t)
{
	return t->whole == t->size && t->size > 0;
}

/* --- reading ------------------------------------------------------------------------------------
 */

/* The last place where the file can end, and what to put there. */
struct place {
	uint64_t at;
	struct compress_mark mark;
	bool ended; /* the stream's own end is there */
	uint64_t lines;
};

static bool read_some(const struct file *f, char *bytes, size_t *size)
{
	ssize_t n;

	do {
		n = read(f->fd, bytes, PIECE);
	} while (n < 0 && errno == EINTR);
	*size = n > 0 ? (size_t)n : 0;
	return n >= 0;
}

static bool read_plain(const struct file *f, struct text *t, struct place *p)
{
	char bytes[PIECE];
	size_t size;

	do {
		if (!read_some(f, bytes, &size))
			return false;
		take_text(t, bytes, size);
	} while (size > 0 && !t->bad);
	*p = (struct place){ .at = t->whole, .lines = t->lines, .ended = true };
	return true;
}

/* --- gzip ---------------------------------------------------------------------------------------
 */

enum { BLOCK_END = 128, LAST_BLOCK = 64, UNUSED_BITS = 7 }; /* of z_stream.data_type */

struct gzip {
	z_stream z;
	uint64_t at; /* bytes taken from the file */
	uint32_t check;
	char out[PIECE];
};

/* Takes what is there up to the end of a block. */
static int inflate_block(struct gzip *g, struct text *t)
{
	int status;

	do {
		const Bytef *from = g->z.next_in;
		size_t size;

		g->z.next_out = (Bytef *)g->out;
		g->z.avail_out = PIECE;
		status = inflate(&g->z, Z_BLOCK);
		size = PIECE - g->z.avail_out;
		g->at += (uint64_t)(g->z.next_in - from);
		g->check = (uint32_t)crc32(g->check, (const Bytef *)g->out, (uInt)size);
		take_text(t, g->out, size);
	} while (status == Z_OK && !(g->z.data_type & BLOCK_END) &&
			(g->z.avail_in > 0 || g->z.avail_out == 0));
	return status == Z_BUF_ERROR ? Z_OK : status; /* there is just no more */
}

/* Blocks end anywhere, flushes at the end of a byte; behind the last block nothing can follow. */
static void note_place(const struct gzip *g, const struct text *t, int status, struct place *p)
{
	const int type = g->z.data_type;
	const bool flush = (type & BLOCK_END) && !(type & (LAST_BLOCK | UNUSED_BITS));

	if (!ends_here(t) || (status != Z_STREAM_END && !flush))
		return;
	*p = (struct place){ g->at, { g->check, (uint32_t)t->size }, status == Z_STREAM_END,
		t->lines };
}

static bool inflate_all(const struct file *f, struct gzip *g, struct text *t, struct place *p)
{
	char bytes[PIECE];
	size_t size;
	int status = Z_OK;

	do {
		if (!read_some(f, bytes, &size))
			return false;
		g->z.next_in = (const Bytef *)bytes;
		g->z.avail_in = (uInt)size;
		while (status == Z_OK && g->z.avail_in > 0) {
			status = inflate_block(g, t);
			note_place(g, t, status, p);
		}
	} while (size > 0 && status == Z_OK);
	return true;
}

static bool read_gzip(const struct file *f, struct text *t, struct place *p)
{
	struct gzip *g = calloc(1, sizeof *g);
	bool done;

	if (g == NULL || inflateInit2(&g->z, GZIP_WINDOW) != Z_OK) {
		free(g);
		errno = ENOMEM;
		return false;
	}
	g->check = (uint32_t)crc32(0, NULL, 0);
	done = inflate_all(f, g, t, p);
	inflateEnd(&g->z);
	free(g);
	return done;
}

/* --- zstd ---------------------------------------------------------------------------------------
 */

#ifdef HAVE_ZSTD
struct zstd {
	ZSTD_DStream *stream;
	XXH64_state_t hash;
	char in[ZSTD_BLOCK + 16];
	size_t size; /* bytes in 'in' */
	uint64_t at; /* bytes of the file that are decoded */
	char out[ZSTD_BLOCK];
};

/* Reads until 'size' bytes are there; false: there are no more. */
static bool fill(const struct file *f, struct zstd *z, size_t size)
{
	while (z->size < size) {
		const ssize_t n = read(f->fd, z->in + z->size, size - z->size);

		if (n == 0 || (n < 0 && errno != EINTR))
			return false;
		z->size += n > 0 ? (size_t)n : 0;
	}
	return true;
}

/* Decodes the bytes that are there; false: they are damaged. */
static bool decode(struct zstd *z, struct text *t)
{
	ZSTD_inBuffer in = { z->in, z->size, 0 };
	ZSTD_outBuffer out;

	do {
		out = (ZSTD_outBuffer){ z->out, ZSTD_BLOCK, 0 };
		if (ZSTD_isError(ZSTD_decompressStream(z->stream, &out, &in)))
			return false;
		XXH64_update(&z->hash, z->out, out.pos);
		take_text(t, z->out, out.pos);
	} while (in.pos < in.size || out.pos == out.size);
	z->at += z->size;
	z->size = 0;
	return true;
}

enum zstd_step { STEP_BLOCK, STEP_LAST, STEP_STOP };

/* Block header: bit 0 last, bits 1 and 2 type (raw, one byte repeated, compressed), then size. */
static enum zstd_step next_block(const struct file *f, struct zstd *z, struct text *t)
{
	uint32_t head, size;

	if (!fill(f, z, 3))
		return STEP_STOP;
	head = (uint32_t)((uint8_t)z->in[0] | (uint8_t)z->in[1] << 8 | (uint8_t)z->in[2] << 16);
	size = (head >> 1 & 3) == 1 ? 1 : head >> 3;
	if (size > ZSTD_BLOCK || !fill(f, z, 3 + size) || !decode(z, t))
		return STEP_STOP;
	return head & 1 ? STEP_LAST : STEP_BLOCK;
}

/* Behind the last block stands the checksum. */
static bool has_end(const struct file *f, struct zstd *z, struct text *t)
{
	return fill(f, z, 4) && decode(z, t);
}

/* Magic number, descriptor (a checksum and nothing else: as compress.c writes it), window. */
static bool read_header(const struct file *f, struct zstd *z, struct text *t)
{
	enum { HEADER = 6, DESCRIPTOR = 4, CHECKSUM = 4 };

	return fill(f, z, HEADER) && z->in[DESCRIPTOR] == CHECKSUM && decode(z, t);
}

static void decode_all(const struct file *f, struct zstd *z, struct text *t, struct place *p)
{
	enum zstd_step step = STEP_BLOCK;

	if (!read_header(f, z, t))
		return;
	while (step == STEP_BLOCK) {
		step = next_block(f, z, t);
		if (step == STEP_BLOCK && ends_here(t))
			*p = (struct place){ z->at, { (uint32_t)XXH64_digest(&z->hash), 0 }, false,
				t->lines };
	}
	if (step == STEP_LAST && has_end(f, z, t) && ends_here(t))
		*p = (struct place){ .at = z->at, .ended = true, .lines = t->lines };
}

static bool read_zstd(const struct file *f, struct text *t, struct place *p)
{
	struct zstd *z = calloc(1, sizeof *z);

	if (z != NULL)
		z->stream = ZSTD_createDStream();
	if (z == NULL || z->stream == NULL) {
		free(z);
		errno = ENOMEM;
		return false;
	}
	XXH64_reset(&z->hash, 0);
	decode_all(f, z, t, p);
	ZSTD_freeDStream(z->stream);
	free(z);
	return true;
}
#else
static bool read_zstd(const struct file *f, struct text *t, struct place *p)
{
	(void)f, (void)t, (void)p;
	errno = ENOSYS;
	return false;
}
#endif

/* --- cutting ------------------------------------------------------------------------------------
 */

static bool put_end(struct file *f, enum compress_kind kind, const struct place *p)
{
	struct buf tail = buf_new(64);
	bool done;

	if (p->ended || p->at == 0)
		return true;
	compress_tail(kind, p->mark, &tail);
	done = file_write(f, tail.p, tail.size) == tail.size;
	buf_free(&tail);
	return done;
}

bool mend(struct file *f, enum compress_kind kind, bool csv, struct mended *m)
{
	struct text t = { .csv = csv, .headed = !csv };
	struct place p = { .at = 0 };
	off_t size;
	bool done;

	switch (kind) {
	case COMPRESS_NONE:
		done = read_plain(f, &t, &p);
		break;
	case COMPRESS_GZIP:
		done = read_gzip(f, &t, &p);
		break;
	default:
		done = read_zstd(f, &t, &p);
	}
	size = lseek(f->fd, 0, SEEK_END);
	if (!done || size < 0)
		return false;
	*m = (struct mended){ p.lines, (uint64_t)size - p.at, csv || t.headed };
	if (p.lines == 0)
		return true;
	return (m->cut == 0 || ftruncate(f->fd, (off_t)p.at) == 0) &&
	       lseek(f->fd, (off_t)p.at, SEEK_SET) >= 0 && put_end(f, kind, &p);
}
