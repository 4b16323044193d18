/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink_kit.h - what the tests of outputs share: a folder of their own, records to write, and ways
 * to read back what was written through the libraries that made it.
 */
#pragma once

#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/limits.h"
#include "json_valid.h"
#include "sink/sink.h"

struct data {
	uint64_t n;
	struct field_text text;
};
static const struct field fields[] = {
	FIELD(struct data, n, "n", "", "A number."),
	FIELD(struct data, text, "text", "", "A text."),
	{ 0 },
};

/* What a receiver of lines has seen; it has had enough at 'stop_at'. */
struct risen {
	uint64_t records, last;
	uint64_t stop_at;
};

/* For sink_target: the records' numbers rise. */
static inline bool rising_line(void *ctx, const char *bytes, size_t size)
{
	struct risen *r = ctx;
	unsigned long long n;

	(void)size;
	if (sscanf(bytes, "{\"n\":%llu", &n) != 1)
		return true;
	if (r->records > 0)
		assert_true(n > r->last);
	r->last = n;
	return ++r->records != r->stop_at;
}

enum { PATH_SIZE = 256, COUNT = 3000 };

static struct plan *plan;
static struct pen *pen; /* of the sink that was opened last */
static char folder[PATH_SIZE / 2];
static char path[PATH_SIZE], part[PATH_SIZE + 8];

static inline void name_path(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	snprintf(part, sizeof part, "%s.part", path);
}

static inline int set_up(void **unused)
{
	const struct field *const tables[] = { fields };
	const char *where = getenv("TMPDIR");
	struct err e = { "" };

	(void)unused;
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	snprintf(folder, sizeof folder, "%s/test_sink.XXXXXX", where != NULL ? where : "/tmp");
	plan = plan_new(tables, 1, true, &e);
	return mkdtemp(folder) == NULL || plan == NULL;
}

static inline int tear_down(void **unused)
{
	(void)unused;
	plan_free(plan);
	return rmdir(folder); /* fails when a test left something behind */
}

static inline bool exists(const char *name)
{
	struct stat st;

	return lstat(name, &st) == 0;
}

static inline struct buf content(const char *name)
{
	struct buf b = buf_new(64 << 20);
	FILE *f = fopen(name, "rb");
	size_t n;

	if (f == NULL)
		fail_msg("%s cannot be read", name);
	do {
		char *to = buf_reserve(&b, 65536);

		assert_non_null(to);
		n = fread(to, 1, 65536, f);
		buf_commit(&b, n);
	} while (n > 0);
	fclose(f);
	return b;
}

static inline void put_file(const char *name, const char *text)
{
	FILE *f = fopen(name, "wb");

	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

/* --- writing ------------------------------------------------------------------------------------
 */

/* With a pen, which record() uses. */
static inline struct sink *open_target(const struct sink_target *target)
{
	struct err e = { "" };
	struct sink *s = sink_open(target, plan, &e);

	if (s == NULL)
		fail_msg("%s", e.text);
	pen = pen_new(s, &e);
	assert_non_null(pen);
	return s;
}

static inline struct sink *open_sink(const char *name)
{
	return open_target(&(const struct sink_target){ .path = name });
}

static inline void free_sink(struct sink *s)
{
	pen_free(pen);
	pen = NULL;
	sink_free(s);
}

static inline struct sink_counts counts(struct sink *s)
{
	struct sink_counts c;

	sink_counts(s, &c);
	return c;
}

static inline bool begin(struct sink *s, struct err *e)
{
	static char configuration[] = "{\"version\":\"1\"}";
	const struct buf b = { .p = configuration, .size = sizeof configuration - 1 };

	return sink_begin(s, &b, e);
}

static inline bool end(struct sink *s, struct err *e)
{
	static char summary[] = "{\"summary\":{}}";
	const struct buf b = { .p = summary, .size = sizeof summary - 1 };

	return sink_end(s, &b, e);
}

/* Record 'n': its text does not compress to nothing and has a line's end in it. */
static inline bool record(struct pen *p, uint64_t n, struct err *e)
{
	char text[200];
	uint64_t x = n * UINT64_C(0x9e3779b97f4a7c15) + 1;
	const int lead = snprintf(text, sizeof text, "\"%llu\"\n,", (unsigned long long)n);
	const struct data d = { n, { text, 180 } };
	const void *const data[] = { &d };

	for (size_t i = (size_t)lead; i < 180; i++) {
		x ^= x << 13, x ^= x >> 7, x ^= x << 17;
		text[i] = (char)('0' + x % 75);
	}
	return pen_record(p, data, e);
}

static inline void write_records(struct sink *s, uint64_t count)
{
	struct err e = { "" };

	assert_true(begin(s, &e));
	for (uint64_t n = 0; n < count; n++)
		assert_true(record(pen, n, &e));
	assert_int_equal(sink_records(s), count);
}

static inline void write_all(struct sink *s, uint64_t count)
{
	struct err e = { "" };

	write_records(s, count);
	assert_true(end(s, &e));
}

/* Writes a whole file. */
static inline void write_file(uint64_t count)
{
	struct sink *s = open_sink(path);
	struct err e = { "" };

	write_all(s, count);
	assert_true(exists(part));
	if (!sink_close(s, true, &e))
		fail_msg("%s", e.text);
	assert_false(exists(part));
	assert_true(exists(path));
	free_sink(s);
}

/* --- reading back -------------------------------------------------------------------------------
 */

static inline struct buf gunzip(const struct buf *packed)
{
	struct buf b = buf_new(64 << 20);
	z_stream z = { .next_in = (Bytef *)packed->p, .avail_in = (uInt)packed->size };
	int status = Z_OK;

	assert_int_equal(inflateInit2(&z, 15 + 16), Z_OK);
	while (status == Z_OK) {
		z.next_out = (Bytef *)buf_reserve(&b, 65536);
		z.avail_out = 65536;
		status = inflate(&z, Z_NO_FLUSH);
		buf_commit(&b, 65536 - z.avail_out);
	}
	assert_int_equal(status, Z_STREAM_END); /* the end is there, and its checksum right */
	assert_int_equal(z.avail_in, 0);
	inflateEnd(&z);
	return b;
}

#ifdef HAVE_ZSTD
static inline struct buf unzstd(const struct buf *packed)
{
	struct buf b = buf_new(64 << 20);
	ZSTD_DCtx *z = ZSTD_createDCtx();
	ZSTD_inBuffer in = { packed->p, packed->size, 0 };
	size_t left = 1;

	while (left > 0 && in.pos < in.size) {
		ZSTD_outBuffer out = { buf_reserve(&b, 65536), 65536, 0 };

		left = ZSTD_decompressStream(z, &out, &in);
		if (ZSTD_isError(left))
			fail_msg("%s", ZSTD_getErrorName(left));
		buf_commit(&b, out.pos);
	}
	assert_int_equal(left, 0); /* the end is there, and its checksum right */
	assert_int_equal(in.pos, in.size);
	ZSTD_freeDCtx(z);
	return b;
}
#endif

static inline struct buf unpacked(const char *name, const char *compression)
{
	struct buf packed = content(name), b;

	if (strcmp(compression, "") == 0)
		return packed;
#ifdef HAVE_ZSTD
	b = strcmp(compression, ".gz") == 0 ? gunzip(&packed) : unzstd(&packed);
#else
	b = gunzip(&packed);
#endif
	buf_free(&packed);
	return b;
}

static const char *const compressions[] = {
	"",
	".gz",
#ifdef HAVE_ZSTD
	".zst",
#endif
};
enum { COMPRESSIONS = sizeof compressions / sizeof compressions[0] };

/* Every line is JSON; returns how many. */
static inline uint64_t json_lines(const struct buf *b)
{
	uint64_t lines = 0;

	for (size_t at = 0; at < b->size; lines++) {
		const char *line = b->p + at, *stop = memchr(line, '\n', b->size - at);

		assert_non_null(stop); /* no half line */
		assert_true(json_is_valid(line, (size_t)(stop - line)));
		at = (size_t)(stop - b->p) + 1;
	}
	return lines;
}

/* Rows of CSV end in CRLF outside quotes; returns how many. */
static inline uint64_t csv_rows(const struct buf *b)
{
	uint64_t rows = 0;
	bool quoted = false;
	size_t last = 0;

	for (size_t i = 1; i < b->size; i++) {
		quoted ^= b->p[i] == '"';
		if (b->p[i] == '\n' && !quoted) {
			assert_int_equal(b->p[i - 1], '\r');
			last = i + 1;
			rows++;
		}
	}
	assert_int_equal(last, b->size); /* no half row */
	return rows;
}

static inline void assert_error(const struct err *e, const char *words)
{
	if (strstr(e->text, words) == NULL)
		fail_msg("\"%s\" is not in \"%s\"", words, e->text);
}
