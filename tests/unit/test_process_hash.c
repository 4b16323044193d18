/* SPDX-License-Identifier: BSD-3-Clause */
/* test_process_hash.c - hashes of files, from the cache and not, and by the thread. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <fcntl.h>
#include <poll.h>
#include <sys/stat.h>
#include <unistd.h>

#include "host/process_hash.h"

/* SHA-256 of "abc" (FIPS 180-2, appendix B.1) */
static const uint8_t abc[HASH_BYTES] = { 0xba, 0x78, 0x16, 0xbf, 0x8f, 0x01, 0xcf, 0xea, 0x41, 0x41,
	0x40, 0xde, 0x5d, 0xae, 0x22, 0x23, 0xb0, 0x03, 0x61, 0xa3, 0x96, 0x17, 0x7a, 0x9c, 0xb4,
	0x10, 0xff, 0x61, 0xf2, 0x00, 0x15, 0xad };

static int make_file(char path[], const char *text)
{
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	lseek(fd, 0, SEEK_SET);
	return fd;
}

static void a_file_is_hashed_and_remembered(void **state)
{
	char path[] = "/tmp/test-hash-XXXXXX";
	int fd = make_file(path, "abc");
	struct hash_cache *c = hash_cache_new();
	struct hash_file f = { .inode = 7, .size = 3 };
	uint8_t hash[HASH_BYTES];

	(void)state;
	assert_true(hash_open_file(c, fd, hash));
	assert_memory_equal(hash, abc, HASH_BYTES);
	memset(hash, 0, sizeof hash);
	assert_true(hash_open_file(c, fd, hash)); /* now at its end: from the cache */
	assert_memory_equal(hash, abc, HASH_BYTES);
	assert_false(hash_cache_get(c, &f, hash));
	hash_cache_put(c, &f, abc);
	assert_true(hash_cache_get(c, &f, hash));
	f.modified_ns++;
	assert_false(hash_cache_get(c, &f, hash));
	hash_cache_free(c);
	close(fd);
	unlink(path);
}

static void the_cache_is_bounded(void **state)
{
	struct hash_cache *c = hash_cache_new();
	uint8_t hash[HASH_BYTES];
	unsigned kept = 0;

	(void)state;
	for (uint64_t i = 1; i <= 4 * LIMIT_PROCESS_HASHES; i++) {
		struct hash_file f = { .inode = i };

		hash_cache_put(c, &f, abc);
		assert_true(hash_cache_get(c, &f, hash));
	}
	for (uint64_t i = 1; i <= 4 * LIMIT_PROCESS_HASHES; i++) {
		struct hash_file f = { .inode = i };

		kept += hash_cache_get(c, &f, hash);
	}
	assert_true(kept <= LIMIT_PROCESS_HASHES);
	hash_cache_free(c);
}

static void what_is_no_file_has_no_hash(void **state)
{
	struct hash_cache *c = hash_cache_new();
	uint8_t hash[HASH_BYTES];
	int fd = open("/dev/zero", O_RDONLY), folder = open("/", O_RDONLY);

	(void)state;
	assert_false(hash_open_file(c, fd, hash));
	assert_false(hash_open_file(c, folder, hash));
	assert_false(hash_open_file(c, -1, hash));
	close(fd);
	close(folder);
	hash_cache_free(c);
}

static bool wait_for(struct hasher *h, struct hash_job *done)
{
	struct pollfd p = { .fd = hasher_fd(h), .events = POLLIN };

	while (poll(&p, 1, 5000) > 0)
		if (hasher_next(h, done))
			return true;
	return false;
}

static void the_thread_opens_the_right_file_only(void **state)
{
	char path[] = "/tmp/test-hash-XXXXXX";
	int fd = make_file(path, "abc");
	struct hasher *h = hasher_new(NULL);
	struct hash_job job = { .slot = 1, .pid = UINT32_MAX }, done;
	struct stat st;

	(void)state;
	assert_non_null(h);
	assert_int_equal(fstat(fd, &st), 0);
	memcpy(job.path, path, sizeof path);
	job.inode = (uint64_t)st.st_ino + 1; /* another file has the path by now: no answer */
	assert_true(hasher_ask(h, &job));
	job.slot = 2;
	job.inode = (uint64_t)st.st_ino;
	assert_true(hasher_ask(h, &job));
	assert_true(wait_for(h, &done));
	assert_int_equal(done.slot, 2);
	assert_memory_equal(done.hash, abc, HASH_BYTES);
	assert_false(hasher_next(h, &done));
	hasher_free(h);
	close(fd);
	unlink(path);
}

static void too_many_questions_are_refused(void **state)
{
	struct hasher *h = hasher_new(NULL);
	struct hash_job job = { .pid = UINT32_MAX };
	unsigned taken = 0;

	(void)state;
	for (unsigned i = 0; i < 64 * LIMIT_PROCESS_JOBS; i++)
		taken += hasher_ask(h, &job);
	assert_true(taken >= LIMIT_PROCESS_JOBS);
	hasher_free(h);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_is_hashed_and_remembered),
		cmocka_unit_test(the_cache_is_bounded),
		cmocka_unit_test(what_is_no_file_has_no_hash),
		cmocka_unit_test(the_thread_opens_the_right_file_only),
		cmocka_unit_test(too_many_questions_are_refused),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
