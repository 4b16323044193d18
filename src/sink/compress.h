/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * compress.h - bytes into one gzip (RFC 1952) or zstd (RFC 8878) stream.  Private to the room.
 *
 * Every compress_add() ends in a flush: what was added can be read back from what came out.  So a
 * file that met a full disk can be cut at the last flush and given a proper end.  The same
 * bytes in the same pieces give the same stream; no time and no name is in it.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

enum compress_kind { COMPRESS_NONE, COMPRESS_GZIP, COMPRESS_ZSTD };

/* ".gz", ".zst", or "" */
const char *compress_suffix(enum compress_kind kind);

/* Whether this build can. */
bool compress_available(enum compress_kind kind);

/* The state of a stream after a flush: all that its end needs. */
struct compress_mark {
	uint32_t check; /* CRC-32, or the low half of XXH64 */
	uint32_t size;  /* bytes added, modulo 2^32 */
};

struct compress;

struct compress *compress_new(enum compress_kind kind, struct err *e);
void compress_free(struct compress *c);

/* Appends to 'out' what the bytes become.  False: no memory. */
bool compress_add(struct compress *c, const char *bytes, size_t size, struct buf *out);

/* Ends the stream. */
bool compress_end(struct compress *c, struct buf *out);

struct compress_mark compress_mark(const struct compress *c);

/* The bytes that end a stream cut at 'mark'. */
void compress_tail(enum compress_kind kind, struct compress_mark mark, struct buf *out);
