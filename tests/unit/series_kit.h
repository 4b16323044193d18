/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * series_kit.h - what the tests of split and live outputs share: what is in the folder, which
 * records are in which file, what was said, and a clock that tests set.
 */
#pragma once

#include <dirent.h>
#include <pthread.h>
#include <time.h>

#include "sink_kit.h"

#define NS   INT64_C(1000000000)
#define NOON (INT64_C(1769860800) * NS) /* 2026-01-31 12:00:00 */

enum { NAMES = 256, RECORDS = 20000 };

/* --- the folder ---------------------------------------------------------------------------------
 */

static struct names {
	char name[NAMES][64];
	size_t count;
} names;

static inline int compare_names(const void *a, const void *b)
{
	return strcmp(a, b);
}

/* Lists the folder, sorted; returns how many there are. */
static inline size_t list(void)
{
	DIR *d = opendir(folder);
	struct dirent *entry;

	assert_non_null(d);
	names.count = 0;
	while ((entry = readdir(d)) != NULL) {
		if (entry->d_name[0] == '.')
			continue;
		assert_true(names.count < NAMES);
		assert_true(strlen(entry->d_name) < 64);
		memcpy(names.name[names.count++], entry->d_name, strlen(entry->d_name) + 1);
	}
	closedir(d);
	qsort(names.name, names.count, 64, compare_names);
	return names.count;
}

static inline const char *in_folder(const char *name)
{
	static char full[PATH_SIZE];

	snprintf(full, sizeof full, "%s/%s", folder, name);
	return full;
}

static inline void clear_folder(void)
{
	list();
	for (size_t i = 0; i < names.count; i++)
		unlink(in_folder(names.name[i]));
}

static inline bool ends(const char *name, const char *suffix)
{
	const size_t a = strlen(name), b = strlen(suffix);

	return a >= b && strcmp(name + a - b, suffix) == 0;
}

/* --- records ------------------------------------------------------------------------------------
 */

static unsigned char seen[RECORDS * 4]; /* how often record n was found */

/* The beginning of the line at 'at', for sscanf(), which looks for the end of its text. */
static inline const char *line_at(const struct buf *b, size_t at)
{
	static char line[128];
	const size_t size = b->size - at < sizeof line - 1 ? b->size - at : sizeof line - 1;

	memcpy(line, b->p + at, size);
	line[size] = '\0';
	return line;
}

static inline size_t next_line(const struct buf *b, size_t at)
{
	return (size_t)((const char *)memchr(b->p + at, '\n', b->size - at) - b->p) + 1;
}

/* Counts the records of a text, which must be whole lines; returns how many. */
static inline uint64_t count_records(const struct buf *b)
{
	uint64_t records = 0;

	json_lines(b);
	for (size_t at = 0; at < b->size; at = next_line(b, at)) {
		unsigned long long n;

		if (sscanf(line_at(b, at), "{\"n\":%llu,", &n) == 1) {
			assert_true(n < sizeof seen);
			seen[n]++;
			records++;
		}
	}
	return records;
}

static inline const char *compression_of(const char *name)
{
	for (size_t c = 1; c < COMPRESSIONS; c++)
		if (ends(name, compressions[c]))
			return compressions[c];
	return "";
}

static inline struct buf text_of(const char *name)
{
	return unpacked(in_folder(name), compression_of(name));
}

static inline uint64_t records_of(const char *name)
{
	struct buf b = text_of(name);
	const uint64_t records = count_records(&b);

	buf_free(&b);
	return records;
}

/* Reads all files; returns how many records there are. */
static inline uint64_t gather(void)
{
	uint64_t records = 0;

	memset(seen, 0, sizeof seen);
	list();
	for (size_t i = 0; i < names.count; i++)
		records += records_of(names.name[i]);
	return records;
}

/* The records from 0 on are there, each once. */
static inline void assert_each_once(uint64_t count)
{
	for (uint64_t n = 0; n < sizeof seen; n++)
		if (seen[n] != (n < count))
			fail_msg("record %llu is there %u times", (unsigned long long)n, seen[n]);
}

static inline bool has(const struct buf *b, const char *words)
{
	return memmem(b->p, b->size, words, strlen(words)) != NULL;
}

static inline void assert_has(const char *name, const char *words, bool expected)
{
	struct buf b = text_of(name);

	if (has(&b, words) != expected)
		fail_msg("\"%s\" is %sin %s", words, expected ? "not " : "", name);
	buf_free(&b);
}

/* --- what is said -------------------------------------------------------------------------------
 */

static struct said {
	char text[64][512];
	size_t count;
} said;

static inline void hear(void *ctx, enum sink_level level, const char *text)
{
	(void)ctx, (void)level;
	if (said.count < 64)
		snprintf(said.text[said.count++], 512, "%s", text);
}

/* How many lines have these words. */
static inline size_t heard(const char *words)
{
	size_t count = 0;

	for (size_t i = 0; i < said.count; i++)
		count += strstr(said.text[i], words) != NULL;
	return count;
}

static inline void assert_heard(const char *words, size_t times)
{
	if (heard(words) == times)
		return;
	for (size_t i = 0; i < said.count; i++)
		print_message("%s\n", said.text[i]);
	fail_msg("\"%s\" was heard %zu times", words, heard(words));
}

/* --- time ---------------------------------------------------------------------------------------
 */

static _Atomic int64_t now_ns;

static inline int64_t tell_time(void *ctx)
{
	(void)ctx;
	return now_ns;
}

static inline void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 2000000 }, NULL);
}

/* --- opening ------------------------------------------------------------------------------------
 */

static inline struct sink_target target_of(const char *name)
{
	name_path(name);
	said.count = 0;
	return (struct sink_target){ .path = path, .log = hear, .clock = tell_time };
}

static inline void write_series(const struct sink_target *target, uint64_t count)
{
	struct sink *s = open_target(target);
	struct err e = { "" };

	write_all(s, count);
	if (!sink_close(s, true, &e))
		fail_msg("%s", e.text);
	free_sink(s);
}

static inline int begin_test(void **unused)
{
	(void)unused;
	now_ns = NOON;
	clear_folder();
	return 0;
}

static inline int end_test(void **unused)
{
	(void)unused;
	clear_folder();
	return 0;
}
