/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_upload_sftp.c - SFTP against OpenSSH's server, started without ssh, and against answers that
 * no good server gives; and pipes to programs that end, hang and talk.
 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>
#include <openssl/evp.h>

#include "base/rd.h"
#include "sink/upload_sftp.h"

enum { STALL_MS = 10000 };

static int ends[2];
static struct upload_control control;
static struct upload_pipe p;
static struct upload_sftp s;
static struct err e;
static char folder[256], path[512];

static const char *in_folder(const char *name)
{
	snprintf(path, sizeof path, "%s/%s", folder, name);
	return path;
}

static int set_up(void **unused)
{
	const char *where = getenv("TMPDIR");

	(void)unused;
	signal(SIGPIPE, SIG_IGN);
	snprintf(folder, sizeof folder, "%s/test_upload.XXXXXX", where != NULL ? where : "/tmp");
	if (mkdtemp(folder) == NULL || socketpair(AF_UNIX, SOCK_STREAM, 0, ends) != 0)
		return 1;
	fcntl(ends[0], F_SETFD, FD_CLOEXEC);
	fcntl(ends[1], F_SETFD, FD_CLOEXEC);
	control = (struct upload_control){ .fd = ends[0] };
	e.text[0] = '\0';
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	upload_pipe_close(&p);
	close(ends[0]);
	close(ends[1]);
	return rmdir(folder); /* fails when a test left something behind */
}

/* --- pipes --------------------------------------------------------------------------------------
 */

static void run_shell(const char *script, uint32_t stall_ms)
{
	char *argv[] = { "/bin/sh", "-c", strdup(script), NULL };

	assert_true(upload_pipe_open(&p, &control, stall_ms, argv, &e));
	free(argv[2]);
}

static void turn_to_end(void)
{
	while (upload_pipe_turn(&p, &e))
		continue;
}

static void tells_last_words(void **unused)
{
	static const struct {
		const char *script, *says;
	} row[] = {
		{ "printf 'one\\r\\ntwo\\n\\nthree\\r\\n' >&2", "two; three" },
		{ "printf 'a\\033[1mb\\tc\\303\\274' >&2", "a?[1mb?c??" },
		{ "printf '%0500d\\nend' 0 >&2", NULL },
		{ "exit 3", "ssh has ended without a word" },
		{ "exec 1>&-; sleep 0.1; echo late >&2", "late" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		run_shell(row[i].script, STALL_MS);
		turn_to_end();
		if (row[i].says != NULL)
			assert_string_equal(e.text, row[i].says);
		else
			assert_string_equal(e.text + strlen(e.text) - 5, "; end");
		upload_pipe_close(&p);
	}
}

static void moves_bytes_both_ways(void **unused)
{
	enum { SIZE = 1000000 };
	size_t seen = 0;

	(void)unused;
	run_shell("cat", STALL_MS);
	for (size_t i = 0; i < SIZE; i++)
		buf_byte(&p.out, (char)(i * 7 >> 3));
	while (seen < SIZE && upload_pipe_turn(&p, &e)) {
		for (; p.taken < p.in.size; p.taken++, seen++)
			assert_int_equal(p.in.p[p.taken], (char)(seen * 7 >> 3));
	}
	assert_int_equal(seen, SIZE);
	assert_int_equal(upload_pipe_unsent(&p), 0);
}

/* Ended; whoever inherits it may not have collected it yet. */
static bool is_gone(pid_t pid)
{
	char text[64] = "";

	if (kill(pid, 0) != 0)
		return errno == ESRCH;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)pid);
	FILE *f = fopen(path, "r");
	const bool zombie = f == NULL ||
			    (fgets(text, sizeof text, f) != NULL && strstr(text, ") Z ") != NULL);
	if (f != NULL)
		fclose(f);
	return zombie;
}

/* What it has started goes with it. */
static void ends_what_hangs(void **unused)
{
	(void)unused;
	run_shell("sleep 1000 & echo $!; sleep 1000", 150);
	turn_to_end();
	assert_string_equal(e.text, "nothing has moved for 150 ms");
	buf_byte(&p.in, '\0');
	const pid_t pid = (pid_t)strtol(p.in.p, NULL, 10), first = p.pid;
	assert_false(is_gone(pid));
	upload_pipe_close(&p);
	assert_true(is_gone(first));
	for (int i = 0; i < 1000 && !is_gone(pid); i++)
		usleep(1000);
	assert_true(is_gone(pid));
}

static void ends_with_the_main_process(void **unused)
{
	(void)unused;
	run_shell("sleep 1000", STALL_MS);
	assert_int_equal(write(ends[1], "wsw", 3), 3);
	assert_true(upload_pipe_turn(&p, &e));
	assert_true(control.woken && control.stop && !control.end);
	close(ends[1]);
	turn_to_end();
	assert_true(control.end);
	ends[1] = dup(ends[0]);
}

static void cannot_run(void **unused)
{
	char *argv[] = { "/nonexistent", NULL };

	(void)unused;
	assert_true(upload_pipe_open(&p, &control, STALL_MS, argv, &e));
	turn_to_end();
	assert_string_equal(e.text, "cannot run /nonexistent: No such file or directory");
}

/* None of ours but its three standard streams. */
static void gives_no_descriptors_away(void **unused)
{
	char script[256];

	(void)unused;
	run_shell("read x", STALL_MS);
	const int ours[] = { p.to, p.from, p.errors, ends[0], ends[1] };
	struct upload_pipe first = p;
	snprintf(script, sizeof script,
			"for i in %d %d %d %d %d; do [ -e /proc/$$/fd/$i ] && echo "
			"$i; done",
			ours[0], ours[1], ours[2], ours[3], ours[4]);
	run_shell(script, STALL_MS);
	turn_to_end();
	assert_int_equal(p.in.size, 0);
	upload_pipe_close(&first);
}

/* --- a good server ------------------------------------------------------------------------------
 */

static const char server[] = "/usr/lib/openssh/sftp-server";

static void start_server(void)
{
	char *argv[] = { strdup(server), NULL };

	if (access(server, X_OK) != 0) {
		free(argv[0]);
		skip();
	}
	assert_true(upload_pipe_open(&p, &control, STALL_MS, argv, &e));
	free(argv[0]);
	assert_int_equal(upload_sftp_begin(&s, &p), SFTP_GOOD);
	assert_true(s.can_sync);
}

static int local(size_t size, uint8_t hash[SFTP_HASH])
{
	const int fd = open(in_folder("local"), O_RDWR | O_CREAT | O_TRUNC, 0600);
	uint8_t *bytes = malloc(size + 1);

	assert_true(fd >= 0 && bytes != NULL);
	for (size_t i = 0; i < size; i++)
		bytes[i] = (uint8_t)(i * i >> 7 ^ i);
	assert_int_equal(write(fd, bytes, size), size);
	assert_int_equal(EVP_Digest(bytes, size, hash, NULL, EVP_sha256(), NULL), 1);
	free(bytes);
	return fd;
}

static void reads_from_a_server(void **unused)
{
	static const size_t sizes[] = { 0, 1, 32768, 32769, 3000000 };
	struct upload_handle h;
	uint8_t hash[SFTP_HASH], other[SFTP_HASH] = { 0 };
	uint64_t size;
	bool same;

	(void)unused;
	start_server();
	for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++) {
		close(local(sizes[i], hash));
		assert_int_equal(upload_sftp_size(&s, in_folder("local"), &size), SFTP_GOOD);
		assert_int_equal(size, sizes[i]);
		assert_int_equal(upload_sftp_open(&s, path, false, 0, &h), SFTP_GOOD);
		assert_int_equal(upload_sftp_compare(&s, &h, size, hash, &same), SFTP_GOOD);
		assert_true(same);
		assert_int_equal(upload_sftp_compare(&s, &h, size, other, &same), SFTP_GOOD);
		assert_false(same);
		assert_int_equal(upload_sftp_compare(&s, &h, size + 1, hash, &same), SFTP_GOOD);
		assert_false(same);
		assert_int_equal(upload_sftp_close(&s, &h), SFTP_GOOD);
	}
	unlink(in_folder("local"));
	assert_int_equal(upload_sftp_size(&s, in_folder("local"), &size), SFTP_REFUSED);
	assert_int_equal(s.code, SFTP_NO_SUCH_FILE);
	assert_string_equal(s.why.text, "no such file or folder");
	assert_int_equal(upload_sftp_open(&s, path, false, 0, &h), SFTP_REFUSED);
	assert_int_equal(upload_sftp_remove(&s, path), SFTP_REFUSED);
	h = (struct upload_handle){ .size = 4 };
	assert_int_equal(upload_sftp_close(&s, &h), SFTP_REFUSED); /* goes on after each */
}

/* --- other answers ------------------------------------------------------------------------------
 */

/* Bytes as all that will ever come. */
static void pretend(const char *bytes, size_t size)
{
	p = (struct upload_pipe){ .control = &control,
		.stall_ms = STALL_MS,
		.to = -1,
		.from = -1,
		.errors = -1,
		.out = buf_new(1 << 20),
		.in = buf_new(1 << 20),
		.ended = true };
	buf_bytes(&p.in, bytes, size);
}

#define VERSION_3                                                                                  \
	"\0\0\0\x05"                                                                               \
	"\x02"                                                                                     \
	"\0\0\0\x03"
#define WITH_SYNC                                                                                  \
	"\0\0\0\x1e"                                                                               \
	"\x02"                                                                                     \
	"\0\0\0\x03"                                                                               \
	"\0\0\0\x11"                                                                               \
	"fsync@openssh.com"                                                                        \
	"\0\0\0\0"
#define ROW(bytes, result, says)                                                                   \
	{                                                                                          \
		bytes, sizeof(bytes) - 1, result, says                                             \
	}

struct row {
	const char *bytes;
	size_t size;
	enum upload_sftp_result result;
	const char *says; /* NULL: nothing to say */
};

static const struct row greetings[] = {
	ROW(VERSION_3, SFTP_GOOD, NULL),
	ROW(WITH_SYNC, SFTP_GOOD, NULL),
	ROW("\0\0\0\x0e"
	    "\x02"
	    "\0\0\0\x03"
	    "\0\0\0\x01"
	    "a"
	    "\0\0\0\0",
			SFTP_GOOD, NULL),
	ROW("\0\0\0\x05"
	    "\x02"
	    "\0\0\0\x04",
			SFTP_GONE, "SFTP version 3"),
	ROW("\0\0\0\x05"
	    "\x65"
	    "\0\0\0\x03",
			SFTP_GONE, "SFTP version 3"),
	ROW("", SFTP_GONE, "without a word"),
	ROW("\0\0\0\x05"
	    "\x02"
	    "\0\0\0",
			SFTP_GONE, "without a word"),
	ROW("\0\0\0\x04"
	    "\x02"
	    "\0\0\0",
			SFTP_GONE, "does not speak SFTP"),
	ROW("Welcome to this host!", SFTP_GONE, "does its shell print something"),
	ROW("\0\x04\0\x01"
	    "\x02",
			SFTP_GONE, "does not speak SFTP"),
};

static void greets(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof greetings / sizeof greetings[0]; i++) {
		const struct row *r = &greetings[i];

		pretend(r->bytes, r->size);
		assert_int_equal(upload_sftp_begin(&s, &p), r->result);
		assert_int_equal(s.can_sync, r->size == sizeof WITH_SYNC - 1);
		if (r->says != NULL)
			assert_non_null(strstr(s.why.text, r->says));
		upload_pipe_close(&p);
	}
}

/* To a question for a size; requests are numbered from 4 on. */
static const struct row sizes_told[] = {
	ROW("\0\0\0\x11"
	    "\x69"
	    "\0\0\0\x04"
	    "\0\0\0\x01"
	    "\0\0\0\0\0\0\x01\x02",
			SFTP_GOOD, NULL),
	/* none in it; cut short */
	ROW("\0\0\0\x09"
	    "\x69"
	    "\0\0\0\x04"
	    "\0\0\0\0",
			SFTP_GONE, "no sizes"),
	ROW("\0\0\0\x0c"
	    "\x69"
	    "\0\0\0\x04"
	    "\0\0\0\x01"
	    "\0\0\0",
			SFTP_GONE, "no sizes"),
	/* a status without words, without a code; a good one; a handle */
	ROW("\0\0\0\x09"
	    "\x65"
	    "\0\0\0\x04"
	    "\0\0\0\x03",
			SFTP_REFUSED, "permission denied"),
	ROW("\0\0\0\x08"
	    "\x65"
	    "\0\0\0\x04"
	    "\0\0\0",
			SFTP_GONE, "cut short"),
	ROW("\0\0\0\x09"
	    "\x65"
	    "\0\0\0\x04"
	    "\0\0\0\0",
			SFTP_GONE, "not asked"),
	ROW("\0\0\0\x0d"
	    "\x66"
	    "\0\0\0\x04"
	    "\0\0\0\x04"
	    "abcd",
			SFTP_GONE, "not asked"),
	/* an old one first */
	ROW("\0\0\0\x09"
	    "\x65"
	    "\0\0\0\x03"
	    "\0\0\0\x03"
	    "\0\0\0\x11"
	    "\x69"
	    "\0\0\0\x04"
	    "\0\0\0\x01"
	    "\0\0\0\0\0\0\x01\x02",
			SFTP_GOOD, NULL),
};

static void begin_with(const char *bytes, size_t size)
{
	struct buf b = buf_new(4096);

	buf_bytes(&b, VERSION_3, sizeof VERSION_3 - 1);
	buf_bytes(&b, bytes, size);
	pretend(b.p, b.size);
	buf_free(&b);
	assert_int_equal(upload_sftp_begin(&s, &p), SFTP_GOOD);
}

static void distrusts_sizes(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof sizes_told / sizeof sizes_told[0]; i++) {
		const struct row *r = &sizes_told[i];
		uint64_t size = 0;

		begin_with(r->bytes, r->size);
		assert_int_equal(upload_sftp_size(&s, "x", &size), r->result);
		if (r->says != NULL)
			assert_non_null(strstr(s.why.text, r->says));
		else
			assert_int_equal(size, 258);
		upload_pipe_close(&p);
	}
}

static const struct row handles[] = {
	ROW("\0\0\0\x0d"
	    "\x66"
	    "\0\0\0\x04"
	    "\0\0\0\x04"
	    "abcd",
			SFTP_GOOD, NULL),
	ROW("\0\0\0\x0d"
	    "\x66"
	    "\0\0\0\x04"
	    "\0\0\0\x05"
	    "abcd",
			SFTP_GONE, "cut short"),
	ROW("\0\0\0\x05"
	    "\x66"
	    "\0\0\0\x04",
			SFTP_GONE, "cut short"),
};

static void distrusts_handles(void **unused)
{
	char longer[13 + SFTP_HANDLE + 1] = "\0\0\x01\x0a"
					    "\x66"
					    "\0\0\0\x04"
					    "\0\0\x01\x01";
	struct upload_handle h;

	(void)unused;
	for (size_t i = 0; i < sizeof handles / sizeof handles[0]; i++) {
		const struct row *r = &handles[i];

		begin_with(r->bytes, r->size);
		assert_int_equal(upload_sftp_open(&s, "x", false, 0, &h), r->result);
		if (r->says == NULL)
			assert_int_equal(h.size, 4);
		upload_pipe_close(&p);
	}
	begin_with(longer, sizeof longer);
	assert_int_equal(upload_sftp_open(&s, "x", false, 0, &h), SFTP_GONE);
}

/* Answers to nothing, without end. */
static void skips_only_so_many(void **unused)
{
	struct buf b = buf_new(1 << 20);

	(void)unused;
	buf_bytes(&b, VERSION_3, sizeof VERSION_3 - 1);
	for (int i = 0; i < 1000; i++)
		buf_bytes(&b,
				"\0\0\0\x09"
				"\x65"
				"\0\0\0\x63"
				"\0\0\0\0",
				13);
	pretend(b.p, b.size);
	buf_free(&b);
	assert_int_equal(upload_sftp_begin(&s, &p), SFTP_GOOD);
	assert_int_equal(upload_sftp_remove(&s, "x"), SFTP_GONE);
	assert_string_equal(s.why.text, "the other side answers what was not asked");
}

/* One request, one answer of 4 bytes at a time, out of 10: found by asking again for the rest. */
static void takes_short_answers(void **unused)
{
	static const char text[] = "0123456789";
	static const char attrs[] = "\0\0\0\x11"
				    "\x69"
				    "\0\0\0\x04"
				    "\0\0\0\x01"
				    "\0\0\0\0\0\0\0\x0a";
	const struct upload_handle h = { .size = 1 };
	struct buf b = buf_new(4096);
	uint8_t hash[SFTP_HASH];
	bool same;

	(void)unused;
	buf_bytes(&b, VERSION_3, sizeof VERSION_3 - 1);
	buf_bytes(&b, attrs, sizeof attrs - 1);
	/* the first time for all (5), then piece by piece (6 to 8) */
	static const struct {
		char id, from, size;
	} piece[] = { { 5, 0, 4 }, { 6, 0, 4 }, { 7, 4, 4 }, { 8, 8, 2 } };
	for (size_t i = 0; i < 4; i++) {
		const char head[] = { 0, 0, 0, (char)(9 + piece[i].size), 0x67, 0, 0, 0,
			piece[i].id, 0, 0, 0, piece[i].size };

		buf_bytes(&b, head, sizeof head);
		buf_bytes(&b, text + piece[i].from, (size_t)piece[i].size);
	}
	pretend(b.p, b.size);
	buf_free(&b);
	assert_int_equal(EVP_Digest(text, 10, hash, NULL, EVP_sha256(), NULL), 1);
	assert_int_equal(upload_sftp_begin(&s, &p), SFTP_GOOD);
	assert_int_equal(upload_sftp_compare(&s, &h, 10, hash, &same), SFTP_GOOD);
	assert_true(same);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(tells_last_words, set_up, tear_down),
		cmocka_unit_test_setup_teardown(moves_bytes_both_ways, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_what_hangs, set_up, tear_down),
		cmocka_unit_test_setup_teardown(ends_with_the_main_process, set_up, tear_down),
		cmocka_unit_test_setup_teardown(cannot_run, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_no_descriptors_away, set_up, tear_down),
		cmocka_unit_test_setup_teardown(reads_from_a_server, set_up, tear_down),
		cmocka_unit_test_setup_teardown(greets, set_up, tear_down),
		cmocka_unit_test_setup_teardown(distrusts_sizes, set_up, tear_down),
		cmocka_unit_test_setup_teardown(distrusts_handles, set_up, tear_down),
		cmocka_unit_test_setup_teardown(skips_only_so_many, set_up, tear_down),
		cmocka_unit_test_setup_teardown(takes_short_answers, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
