/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sink_direct.c - long plain files, which go past the page cache: the same bytes, in whole
 * pages, and whole lines only after a failure at any of their writes.
 *
 * write() is replaced for the whole program, so that a disk can be full, broken, or unable to do
 * direct writes, where a test wants it.  Where the file system of the tests refuses direct writes,
 * the same tests run through the cache.
 */
#include <errno.h>
#include <sys/resource.h>
#include <sys/syscall.h>

#include "sink/file.h"
#include "sink_kit.h"

enum { NEVER = 1 << 30, RECORDS = 12000, LONGEST_LINE = 400 };

/* --- the disk -----------------------------------------------------------------------------------
 */

static struct disk {
	uint64_t room;    /* bytes it takes; a direct write takes whole pages */
	unsigned fail_at; /* the write, counted from 1, that fails, and all behind it */
	size_t part;      /* of that one is written all the same */
	bool lost;        /* a failing write makes the file longer and does not say so */
	bool odd;         /* direct writes are no valid calls */
	int why;
	unsigned writes, direct, unaligned, small;
	bool last_direct;
	uint64_t used;
} disk;

static void new_disk(void)
{
	disk = (struct disk){ .room = UINT64_MAX, .fail_at = NEVER, .why = ENOSPC };
}

static bool is_aligned(int fd, const void *bytes, size_t size)
{
	return (uintptr_t)bytes % FILE_PAGE == 0 && size % FILE_PAGE == 0 &&
	       lseek(fd, 0, SEEK_CUR) % FILE_PAGE == 0;
}

/* How many of 'size' bytes the disk takes now. */
static size_t taken(size_t size, bool direct)
{
	uint64_t room = disk.room - disk.used;

	if (disk.writes > disk.fail_at)
		room = 0;
	else if (disk.writes == disk.fail_at)
		room = disk.part;
	if (room >= size)
		return size;
	return direct ? room - room % FILE_PAGE : room;
}

ssize_t write(int fd, const void *bytes, size_t size)
{
	const bool direct = fcntl(fd, F_GETFL) & O_DIRECT;
	size_t take;
	ssize_t n;

	disk.writes++;
	if (direct && disk.odd) {
		errno = EINVAL;
		return -1;
	}
	take = taken(size, direct);
	if (take == 0 && size > 0) {
		const off_t at = lseek(fd, 0, SEEK_CUR);

		if (disk.lost && at >= 0)
			assert_int_equal(ftruncate(fd, at + 5000), 0);
		errno = disk.why;
		return -1;
	}
	disk.direct += direct;
	disk.unaligned += direct && !is_aligned(fd, bytes, size);
	disk.small += direct && size < 1 << 20;
	disk.last_direct = direct;
	n = syscall(SYS_write, fd, bytes, take);
	disk.used += n > 0 ? (uint64_t)n : 0;
	return n;
}

static bool can_direct(void)
{
	char name[PATH_SIZE];
	int fd;

	snprintf(name, sizeof name, "%s/probe", folder);
	fd = open(name, O_WRONLY | O_CREAT | O_DIRECT, 0600);
	close(fd);
	unlink(name);
	return fd >= 0;
}

/* --- writing ------------------------------------------------------------------------------------
 */

static struct sink *open_cached(uint64_t cached)
{
	const struct sink_target target = { .path = path, .cached = cached };

	return open_target(&target);
}

/* A record with a text of 'size' bytes. */
static bool sized(uint64_t n, size_t size, struct err *e)
{
	static char text[2 << 20];
	const struct data d = { n, { text, size } };
	const void *const data[] = { &d };

	if (text[0] == '\0')
		memset(text, 'x', sizeof text);
	return pen_record(pen, data, e);
}

static struct buf written(uint64_t cached, uint64_t count)
{
	struct sink *s = open_cached(cached);
	struct err e = { "" };
	struct buf b;

	write_all(s, count);
	assert_true(sink_close(s, true, &e));
	b = content(path);
	assert_true(counts(s).bytes < b.size && counts(s).bytes + 200 > b.size);
	free_sink(s);
	unlink(path);
	return b;
}

static void assert_same(const struct buf *a, const struct buf *b)
{
	assert_int_equal(a->size, b->size);
	assert_memory_equal(a->p, b->p, a->size);
}

/* What a failed run left: whole lines, as many as the error says.  Returns its size. */
static size_t assert_whole_lines(struct sink *s, const struct err *e, bool csv)
{
	struct buf b = content(part);
	unsigned long long whole = 0, all = 0;
	const char *counts = strstr(e->text, "; ");
	const size_t size = b.size;

	assert_error(e, part);
	assert_non_null(counts);
	assert_int_equal(sscanf(counts, "; %llu of %llu records", &whole, &all), 2);
	assert_int_equal(all, sink_records(s));
	assert_false(exists(path));
	if (size == 0)
		assert_int_equal(whole, 0);
	else
		assert_int_equal(csv ? csv_rows(&b) : json_lines(&b), whole + 1);
	buf_free(&b);
	unlink(part);
	return size;
}

/* --- whole files --------------------------------------------------------------------------------
 */

static const char *const names[] = { "long.json", "long.csv" };

static void long_files_go_past_the_cache(void **unused)
{
	static const uint64_t cached[] = { 1, 4096, 262144, 300000, 1 << 20, 2000001 };

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof cached / sizeof cached[0]; i++) {
		struct buf plain, direct;

		name_path(names[i % 2]);
		new_disk();
		plain = written(UINT64_MAX, 4 * RECORDS);
		assert_int_equal(disk.direct, 0);
		new_disk();
		direct = written(cached[i / 2], 4 * RECORDS);
		assert_same(&plain, &direct);
		if (can_direct())
			assert_true(disk.direct > 1);
		assert_int_equal(disk.unaligned, 0);
		assert_true(disk.small <= 2); /* the first and the last */
		assert_false(disk.last_direct);
		buf_free(&plain);
		buf_free(&direct);
	}
}

static void short_files_stay_in_the_cache(void **unused)
{
	struct buf b;

	(void)unused;
	name_path("short.json");
	new_disk();
	b = written(0, RECORDS);
	assert_int_equal(disk.direct, 0);
	buf_free(&b);
	new_disk();
	b = written(0, 8 * RECORDS);
	assert_true(b.size > 17 << 20);
	if (can_direct())
		assert_true(disk.direct > 0);
	buf_free(&b);
}

static void a_flush_is_whole_lines(void **unused)
{
	struct err e = { "" };
	struct buf plain, b;

	(void)unused;
	name_path("flush.json");
	new_disk();
	plain = written(UINT64_MAX, RECORDS);

	struct sink *s = open_cached(100000);

	assert_true(begin(s, &e));
	for (uint64_t n = 0; n < RECORDS; n++) {
		assert_true(record(pen, n, &e));
		if (n % 1000 > 1 && n % 7000 != 0)
			continue;
		assert_true(sink_flush(s, &e));
		b = content(part);
		assert_int_equal(json_lines(&b), n + 2);
		buf_free(&b);
	}
	assert_true(end(s, &e) && sink_close(s, true, &e));
	free_sink(s);
	assert_int_equal(disk.unaligned, 0);
	b = content(path);
	assert_same(&plain, &b);
	buf_free(&plain);
	buf_free(&b);
	unlink(path);
}

static void a_disk_without_direct_writes(void **unused)
{
	struct buf plain, b;

	(void)unused;
	name_path("odd.json");
	new_disk();
	plain = written(UINT64_MAX, RECORDS);
	new_disk();
	disk.odd = true;
	b = written(300000, RECORDS);
	assert_int_equal(disk.direct, 0);
	assert_same(&plain, &b);
	buf_free(&plain);
	buf_free(&b);
}

/* --- failures -----------------------------------------------------------------------------------
 */

/* Writes until it fails; returns the size of what is left, or 0 when all was written. */
static size_t fill(const char *name, uint64_t cached)
{
	const bool csv = strstr(name, ".csv") != NULL;
	struct err e = { "" };
	struct sink *s;
	size_t size = 0;
	bool good;

	name_path(name);
	s = open_cached(cached);
	good = begin(s, &e);
	for (uint64_t n = 0; n < 5000 && good; n++) {
		const size_t rare = n % 1500 == 1499 ? 2 << 20 : n % 200 == 199 ? 150000 : 0;

		good = rare > 0 ? sized(n, rare, &e) : record(pen, n, &e);
	}
	good = good && end(s, &e);
	if (sink_close(s, good, &e))
		unlink(path);
	else
		size = assert_whole_lines(s, &e, csv);
	free_sink(s);
	return size;
}

/* None, some or most of a write arrives before the disk fails, at each write in turn. */
static void a_failure_at_every_write(void **unused)
{
	static const size_t parts[] = { 0, 1000, 100000, 700000 };

	(void)unused;
	for (size_t i = 0; i < sizeof parts / sizeof parts[0]; i++) {
		unsigned failed = 0;

		for (unsigned at = 1;; at++) {
			new_disk();
			disk.fail_at = at;
			disk.part = parts[i];
			disk.why = at % 2 == 0 ? ENOSPC : EIO;
			disk.lost = at % 3 == 0;
			fill(names[at % 2], at % 5 == 0 ? 1 : 1000000);
			if (disk.writes < at)
				break;
			failed++;
		}
		assert_true(failed > 6);
	}
}

static void a_full_disk_loses_no_more_than_a_page(void **unused)
{
	static const uint64_t sizes[] = { 1, 20, 300, 4096, 262144, 300000, 300001, 524288, 528384,
		528385, 1000003, 1 << 20, (1 << 20) + 8192, 2000000, 2200000 };

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
		const uint64_t size = sizes[i / 2];
		struct err e = { "" };
		struct sink *s;

		new_disk();
		disk.room = size;
		name_path(names[i % 2]);
		s = open_cached(300000);
		for (uint64_t n = 0; n < RECORDS && (n > 0 || begin(s, &e)); n++) {
			if (!record(pen, n, &e))
				break;
		}
		assert_false(sink_close(s, true, &e));
		assert_error(&e, "No space left on device");
		assert_true(assert_whole_lines(s, &e, i % 2) + FILE_PAGE + LONGEST_LINE > size);
		free_sink(s);
	}
}

/* The last part, written through the cache again, has no room. */
static void a_full_disk_at_the_end(void **unused)
{
	struct buf plain;

	(void)unused;
	name_path(names[0]);
	new_disk();
	plain = written(UINT64_MAX, RECORDS);
	for (size_t missing = 1; missing < 3 * FILE_PAGE; missing += 797) {
		struct sink *s = open_cached(300000);
		struct err e = { "" };

		new_disk();
		disk.room = plain.size - missing;
		write_records(s, RECORDS);
		assert_false(end(s, &e) && sink_close(s, true, &e));
		assert_true(assert_whole_lines(s, &e, false) + FILE_PAGE + LONGEST_LINE >
				disk.room);
		free_sink(s);
	}
	buf_free(&plain);
}

/* Lines of 256 bytes: each page ends with one. */
static void a_line_that_ends_with_a_page_stays(void **unused)
{
	(void)unused;
	name_path("even.json");
	for (uint64_t room = 300 * FILE_PAGE; room < 303 * FILE_PAGE; room += FILE_PAGE) {
		struct sink *s = open_cached(8192);
		struct err e = { "" };
		bool good = sized(7, 256 - sizeof "{\"n\":7,\"text\":\"\"}", &e);
		struct buf b;
		char counts[64];

		new_disk();
		disk.room = room;
		while (good)
			good = sized(7, 256 - sizeof "{\"n\":7,\"text\":\"\"}", &e);
		snprintf(counts, sizeof counts, "; %llu of ", (unsigned long long)room / 256);
		assert_error(&e, counts);
		free_sink(s);
		b = content(part);
		assert_int_equal(b.size, room);
		assert_int_equal(json_lines(&b), room / 256);
		buf_free(&b);
		unlink(part);
	}
}

/* So short that the places of their ends fill up before the buffer. */
static void many_short_lines(void **unused)
{
	struct err e = { "" };

	(void)unused;
	name_path("short.csv");
	for (uint64_t room = 1500000; room < 1600000; room += 33333) {
		struct sink *s = open_cached(1000);
		bool good = begin(s, &e);

		new_disk();
		disk.room = room;
		for (uint64_t n = 0; good; n++)
			good = sized(n, 1, &e);
		assert_true(assert_whole_lines(s, &e, true) + FILE_PAGE + LONGEST_LINE > room);
		assert_int_equal(disk.unaligned, 0);
		free_sink(s);
	}
}

/* What the kernel itself does at a limit, at a page's end and elsewhere. */
static void a_limit_on_files(void **unused)
{
	static const rlim_t sizes[] = { 524288, 528384, 600000, 1 << 20, (2 << 20) + 512, 2000001 };

	(void)unused;
	for (size_t i = 0; i < 2 * sizeof sizes / sizeof sizes[0]; i++) {
		struct rlimit r;
		rlim_t old;

		assert_int_equal(getrlimit(RLIMIT_FSIZE, &r), 0);
		old = r.rlim_cur;
		r.rlim_cur = sizes[i / 2];
		new_disk();
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);

		const size_t size = fill(names[i % 2], 300000);

		r.rlim_cur = old;
		assert_int_equal(setrlimit(RLIMIT_FSIZE, &r), 0);
		assert_true(size > 0 && size <= sizes[i / 2]);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(long_files_go_past_the_cache),
		cmocka_unit_test(short_files_stay_in_the_cache),
		cmocka_unit_test(a_flush_is_whole_lines),
		cmocka_unit_test(a_disk_without_direct_writes),
		cmocka_unit_test(a_failure_at_every_write),
		cmocka_unit_test(a_full_disk_loses_no_more_than_a_page),
		cmocka_unit_test(a_full_disk_at_the_end),
		cmocka_unit_test(a_line_that_ends_with_a_page_stays),
		cmocka_unit_test(many_short_lines),
		cmocka_unit_test(a_limit_on_files),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
