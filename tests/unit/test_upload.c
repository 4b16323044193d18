/* SPDX-License-Identifier: BSD-3-Clause */
/* test_upload.c - targets of uploads, words for ssh and shells, the spool, and when to try again.
 */
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "sink/upload_command.h"
#include "sink/upload_retry.h"
#include "sink/upload_send.h"
#include "sink/upload_spool.h"

/* --- targets ------------------------------------------------------------------------------------
 */

static void takes_targets_apart(void **unused)
{
	static const struct {
		const char *text, *user, *host, *port, *folder;
	} row[] = {
		{ "joy@store.example.org:/data/in", "joy", "store.example.org", "", "/data/in" },
		{ "store:in/", "", "store", "", "in" },
		{ "store:", "", "store", "", "" },
		{ "joy@store:~", "joy", "store", "", "" },
		{ "joy@store:~/in//", "joy", "store", "", "in" },
		{ "joy@store:~//in", "joy", "store", "", "in" },
		{ "joy@store:/", "joy", "store", "", "/" },
		{ "joy@store:a b'c\"d:e@f", "joy", "store", "", "a b'c\"d:e@f" },
		{ "joy@store:-rf", "joy", "store", "", "-rf" },
		{ "joy@example.org@store:/x", "joy@example.org", "store", "", "/x" },
		{ "joy@[::1]:/x", "joy", "::1", "", "/x" },
		{ "[fe80::1%eth0]:[x]:y", "", "fe80::1%eth0", "", "[x]:y" },
		{ "sftp://joy@store:2222//data/in/", "joy", "store", "2222", "/data/in" },
		{ "sftp://store", "", "store", "", "" },
		{ "sftp://store/", "", "store", "", "" },
		{ "sftp://store/a%20b%2f%C3%bc", "", "store", "", "a b/\xc3\xbc" },
		{ "sftp://joy@[2001:db8::2]:1/in", "joy", "2001:db8::2", "1", "in" },
		{ "sftp://[::1]/in", "", "::1", "", "in" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof row / sizeof row[0]; i++) {
		struct upload_target t;
		struct err e = { "" };

		if (!upload_target_parse(&t, row[i].text, &e))
			fail_msg("%s: %s", row[i].text, e.text);
		assert_string_equal(t.user, row[i].user);
		assert_string_equal(t.host, row[i].host);
		assert_string_equal(t.port, row[i].port);
		assert_string_equal(t.folder, row[i].folder);
	}
}

static const struct {
	const char *text, *says;
} refused[] = {
	{ "", "names no host" },
	{ "store", "names no host" },
	{ "/data/in", "names no host" },
	{ "./a:b", "names no host" },
	{ ":/data", "no host before" },
	{ "joy@:/data", "no host before" },
	{ "@store:/data", "no name of a user" },
	{ "-oProxyCommand=x:/data", "no name of a host" },
	{ "joy@-x:/data", "no name of a host" },
	{ "-l@store:/data", "no name of a user" },
	{ "joy;id@store:/data", "no name of a user" },
	{ "jo y@store:/data", "no name of a user" },
	{ "joy@sto re:/data", "no name of a host" },
	{ "joy@store`id`:/data", "no name of a host" },
	{ "joy@$(id):/data", "no name of a host" },
	{ "joy@::1:/data", "stands in brackets" },
	{ "joy@fe80::1:/data", "stands in brackets" },
	{ "joy@[::1:/data", "names no host" },
	{ "joy@[store]:/data", "no IPv6 address" },
	{ "joy@[-o:]:/data", "no IPv6 address" },
	{ "joy@[]:/data", "no IPv6 address" },
	{ "joy@store:/da\nta", "control character" },
	{ "joy@store:/da\177ta", "control character" },
	{ "joy@store:~ann/in", "own home folder" },
	{ "ssh://joy@store/in", "sftp://USER@HOST:PORT/FOLDER" },
	{ "sftp://", "no host" },
	{ "sftp://joy@/in", "no host" },
	{ "sftp://store:/in", "no port" },
	{ "sftp://store:0/in", "no port" },
	{ "sftp://store:65536/in", "no port" },
	{ "sftp://store:99999999999999999999/in", "no port" },
	{ "sftp://store:2x/in", "no port" },
	{ "sftp://store/%", "hexadecimal" },
	{ "sftp://store/%4", "hexadecimal" },
	{ "sftp://store/%zz", "hexadecimal" },
	{ "sftp://store/%00", "hexadecimal" },
	{ "sftp://store/%0a", "control character" },
	{ "sftp://[::1/in", "no port" },
};

static void refuses_targets(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof refused / sizeof refused[0]; i++) {
		struct upload_target t;
		struct err e = { "" };

		if (upload_target_parse(&t, refused[i].text, &e))
			fail_msg("%s is taken", refused[i].text);
		if (strstr(e.text, refused[i].says) == NULL)
			fail_msg("%s: %s", refused[i].text, e.text);
	}
}

/* A text of 'head' and 'count' times 'c'. */
static char *repeated(const char *head, char c, size_t count)
{
	const size_t size = strlen(head);
	char *text = malloc(size + count + 1);

	assert_non_null(text);
	memcpy(text, head, size);
	memset(text + size, c, count);
	text[size + count] = '\0';
	return text;
}

static void holds_targets_against_caps(void **unused)
{
	static const struct {
		const char *head;
		size_t cap;
	} row[] = { { "store:", LIMIT_UPLOAD_PATH }, { "sftp://store/", LIMIT_UPLOAD_PATH } };
	struct upload_target t;

	(void)unused;
	for (size_t i = 0; i < 2; i++) {
		char *fits = repeated(row[i].head, 'x', row[i].cap);
		char *longer = repeated(row[i].head, 'x', row[i].cap + 1);

		assert_true(upload_target_parse(&t, fits, NULL));
		assert_int_equal(strlen(t.folder), row[i].cap);
		assert_false(upload_target_parse(&t, longer, NULL));
		free(fits);
		free(longer);
	}
	char *name = repeated("", 'x', LIMIT_UPLOAD_NAME + 1);
	assert_false(upload_target_name(name, NULL));
	name[LIMIT_UPLOAD_NAME] = '\0';
	assert_true(upload_target_name(name, NULL));
	free(name);
	assert_false(upload_target_name("", NULL));
	assert_false(upload_target_name("..", NULL));
	assert_false(upload_target_name("a/b", NULL));
	assert_false(upload_target_name("a\nb", NULL));
}

/* --- words --------------------------------------------------------------------------------------
 */

static void is_text(struct buf *b, const char *text)
{
	assert_true(buf_ok(b));
	buf_byte(b, '\0');
	assert_string_equal(b->p, text);
	buf_clear(b);
}

static void quotes(void **unused)
{
	struct buf b = buf_new(4096);
	struct upload_target t = { .folder = "a b" };

	(void)unused;
	upload_target_shell("it's $(id) `id` \\ \"x\"", &b);
	is_text(&b, "'it'\\''s $(id) `id` \\ \"x\"'");
	upload_target_shell("", &b);
	is_text(&b, "''");

	upload_target_path(&t, ".", "-n", ".part", &b);
	is_text(&b, "a b/.-n.part");
	t.folder[0] = '\0';
	upload_target_path(&t, "", "-n", "", &b);
	is_text(&b, "-n");
	t.folder[0] = '/', t.folder[1] = '\0';
	upload_target_path(&t, "", "-n", "", &b);
	is_text(&b, "/-n");

	assert_true(upload_target_option("-oIdentityFile", "/a b/100%/it's $HOME", &b, NULL));
	is_text(&b, "-oIdentityFile=\"/a b/100%%/it's $HOME\"");
	assert_false(upload_target_option("x", "/a\"b", &b, NULL));
	assert_false(upload_target_option("x", "/a\\b", &b, NULL));
	assert_false(upload_target_option("x", "/a${HOME}", &b, NULL));
	assert_false(upload_target_option("x", "/a\nb", &b, NULL));
	buf_free(&b);
}

static void names_what_is_taken(void **unused)
{
	struct buf b = buf_new(4096);

	(void)unused;
	upload_send_other_name("data.json.gz", "0a1b", &b);
	is_text(&b, "data-0a1b.json.gz");
	upload_send_other_name("data", "0a1b", &b);
	is_text(&b, "data-0a1b");
	upload_send_other_name(".data", "0a1b", &b);
	is_text(&b, ".data-0a1b");
	upload_send_other_name(".", "0a1b", &b);
	is_text(&b, ".-0a1b");
	buf_free(&b);
}

static bool has(char *const *words, const char *word)
{
	for (; *words != NULL; words++) {
		if (strcmp(*words, word) == 0)
			return true;
	}
	return false;
}

/* The words that end a vector. */
static void ends_in(char *const *words, const char *const *last, size_t count)
{
	size_t n = 0;

	while (words[n] != NULL)
		n++;
	assert_true(n > count);
	for (size_t i = 0; i < count; i++)
		assert_string_equal(words[n - count + i], last[i]);
}

static void makes_words_for_ssh(void **unused)
{
	static const char *const sftp[] = { "-p", "22", "-l", "joy", "-s", "--", "::1", "sftp" };
	static const char *const shell[] = { "-p", "22", "-l", "joy", "--", "::1", "a 'b'" };
	char command[] = "a 'b'";
	struct upload_target t;
	struct upload_command c;
	struct err e = { "" };

	(void)unused;
	assert_true(upload_target_parse(&t, "sftp://joy@[::1]:22/x", &e));
	assert_true(upload_command_new(&c, &t, "/bin/sh", NULL, "/dev/null", &e));
	assert_string_equal(upload_command_sftp(&c)[0], "/bin/sh");
	assert_true(has(upload_command_sftp(&c), "-oBatchMode=yes"));
	assert_true(has(upload_command_sftp(&c), "-oStrictHostKeyChecking=yes"));
	assert_true(has(upload_command_sftp(&c), "-oUserKnownHostsFile=\"/dev/null\""));
	assert_true(has(upload_command_sftp(&c), "-oGlobalKnownHostsFile=/dev/null"));
	assert_false(has(upload_command_sftp(&c), "-oIdentitiesOnly=yes"));
	upload_command_free(&c);

	assert_true(upload_command_new(&c, &t, "/bin/sh", NULL, NULL, &e));
	ends_in(upload_command_sftp(&c), sftp, 8);
	ends_in(upload_command_shell(&c, command), shell, 7);
	upload_command_free(&c);
	assert_false(upload_command_new(&c, &t, "/nonexistent", NULL, NULL, &e));
	assert_false(upload_command_new(&c, &t, "/bin/sh", "/nonexistent", NULL, &e));
	assert_false(upload_command_new(&c, &t, "/bin/sh", "/", NULL, &e));
	assert_false(upload_command_new(&c, &t, "/bin/sh", NULL, "/nonexistent", &e));
}

/* --- the spool ----------------------------------------------------------------------------------
 */

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
	snprintf(folder, sizeof folder, "%s/test_upload.XXXXXX", where != NULL ? where : "/tmp");
	return mkdtemp(folder) == NULL;
}

static int tear_down(void **unused)
{
	(void)unused;
	rmdir(in_folder(".spool"));
	return rmdir(folder); /* fails when a test left something behind */
}

static void make(const char *name, const char *text)
{
	const int fd = open(in_folder(name), O_WRONLY | O_CREAT | O_TRUNC, 0644);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, strlen(text)), strlen(text));
	close(fd);
}

static bool is_there(const char *name)
{
	return access(in_folder(name), F_OK) == 0;
}

static struct upload_spool open_spool(void)
{
	struct upload_spool s;
	struct err e = { "" };

	if (!upload_spool_open(&s, folder, NULL, &e))
		fail_msg("%s", e.text);
	return s;
}

static void add(struct upload_spool *s, const char *name)
{
	struct err e = { "" };

	if (!upload_spool_add(s, in_folder(name), &e))
		fail_msg("%s", e.text);
}

static struct upload_batch list(const struct upload_spool *s, uint64_t after)
{
	struct upload_batch b;

	assert_true(upload_spool_list(s, after, &b, NULL));
	return b;
}

static void spools_oldest_first(void **unused)
{
	struct upload_spool s = open_spool();

	(void)unused;
	make("b.json", "1"), add(&s, "b.json");
	make("a.json.part", "2"), add(&s, "a.json.part");
	make(".part", "3"), add(&s, ".part"); /* that is its name */
	const struct upload_batch b = list(&s, 0);
	assert_int_equal(b.count, 3);
	assert_int_equal(b.waiting, 3);
	assert_int_equal(b.oldest, b.entry[0].number);
	assert_string_equal(b.entry[0].name, "b.json");
	assert_string_equal(b.entry[1].name, "a.json");
	assert_string_equal(b.entry[2].name, ".part");
	assert_int_equal(list(&s, b.entry[0].number).count, 2);

	for (size_t i = 0; i < 3; i++)
		assert_true(upload_spool_done(&s, &b.entry[i], true, NULL));
	assert_true(upload_spool_done(&s, &b.entry[0], true, NULL)); /* once more is no harm */
	assert_int_equal(list(&s, 0).waiting, 0);
	unlink(in_folder("b.json")), unlink(in_folder("a.json.part")), unlink(in_folder(".part"));
	upload_spool_close(&s);
}

/* A kill between link and rename, then the sink's recovery: the same file is given again. */
static void spools_a_file_once(void **unused)
{
	struct upload_spool s = open_spool();

	(void)unused;
	make("a.json.part", "1"), add(&s, "a.json.part");
	add(&s, "a.json.part");
	char part[512];
	snprintf(part, sizeof part, "%s", in_folder("a.json.part"));
	assert_int_equal(rename(part, in_folder("a.json")), 0);
	add(&s, "a.json");
	assert_int_equal(list(&s, 0).waiting, 1);

	unlink(in_folder("a.json")); /* replaced by another of that name: both wait */
	make("a.json", "2"), add(&s, "a.json");
	struct upload_batch b = list(&s, 0);
	assert_int_equal(b.waiting, 2);

	/* The first is done: the folder has another one by now, which stays. */
	assert_true(upload_spool_done(&s, &b.entry[0], false, NULL));
	assert_true(is_there("a.json"));
	assert_true(upload_spool_done(&s, &b.entry[1], false, NULL));
	assert_false(is_there("a.json"));
	assert_int_equal(list(&s, 0).waiting, 0);
	upload_spool_close(&s);
}

static void spools_more_than_a_batch(void **unused)
{
	enum { COUNT = 2 * LIMIT_UPLOAD_BATCH + 5 };
	struct upload_spool s = open_spool();
	uint64_t after = 0;
	size_t seen = 0;
	char name[32];

	(void)unused;
	for (int i = 0; i < COUNT; i++) {
		snprintf(name, sizeof name, "f%d", i);
		make(name, "x"), add(&s, name);
		unlink(in_folder(name));
	}
	for (;;) {
		const struct upload_batch b = list(&s, after);

		if (b.count == 0)
			break;
		assert_int_equal(b.waiting, COUNT - seen);
		for (size_t i = 0; i < b.count; i++, seen++) {
			snprintf(name, sizeof name, "f%zu", seen);
			assert_string_equal(b.entry[i].name, name);
			assert_true(b.entry[i].number > after);
			after = b.entry[i].number;
			assert_true(upload_spool_done(&s, &b.entry[i], false, NULL));
		}
	}
	assert_int_equal(seen, COUNT);
	upload_spool_close(&s);
}

static void refuses_to_spool(void **unused)
{
	struct upload_spool s = open_spool();
	struct err e = { "" };

	(void)unused;
	assert_false(upload_spool_add(&s, in_folder("missing"), &e));
	assert_non_null(strstr(e.text, "cannot find missing"));
	assert_int_equal(mkdir(in_folder("sub"), 0700), 0);
	assert_false(upload_spool_add(&s, in_folder("sub"), &e));
	rmdir(in_folder("sub"));
	assert_int_equal(symlink("/etc/passwd", in_folder("link")), 0);
	assert_false(upload_spool_add(&s, in_folder("link"), &e));
	unlink(in_folder("link"));
	assert_false(upload_spool_add(&s, folder, &e));
	char *name = repeated("", 'x', LIMIT_UPLOAD_NAME + 1);
	make(name, "x");
	assert_false(upload_spool_add(&s, in_folder(name), &e));
	assert_non_null(strstr(e.text, "is longer than"));
	unlink(in_folder(name));
	free(name);
	make("a\nb", "x");
	assert_false(upload_spool_add(&s, in_folder("a\nb"), &e));
	assert_non_null(strstr(e.text, "control character"));
	unlink(in_folder("a\nb"));
	assert_int_equal(list(&s, 0).waiting, 0);
	upload_spool_close(&s);

	assert_false(upload_spool_open(&s, "/nonexistent", NULL, &e));
	assert_false(upload_spool_open(&s, "/proc", NULL, &e));
}

/* Whatever lies in the spool: names that are no entries, and what is no file. */
static void finds_only_entries(void **unused)
{
	static const char *const names[] = { ".spool/x", ".spool/1-x",
		".spool/0000000000000000001-x", ".spool/00000000000000000001x",
		".spool/00000000000000000001-", ".spool/99999999999999999999-x",
		".spool/0000000000000000000a-x", ".spool/00000000000000000001-..",
		".spool/00000000000000000001-a\nb" };
	struct upload_spool s = open_spool();
	struct stat st;
	struct err e = { "" };

	(void)unused;
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		make(names[i], "x");
	assert_int_equal(list(&s, 0).waiting, 0);
	for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
		unlink(in_folder(names[i]));

	assert_int_equal(symlink("/etc/passwd", in_folder(".spool/00000000000000000001-x")), 0);
	assert_int_equal(mkfifo(in_folder(".spool/00000000000000000002-y"), 0600), 0);
	const struct upload_batch b = list(&s, 0);
	assert_int_equal(b.count, 2);
	assert_int_equal(upload_spool_read(&s, &b.entry[0], &st, &e), -1);
	assert_int_equal(upload_spool_read(&s, &b.entry[1], &st, &e), -1);
	assert_string_equal(e.text, "cannot read y: it is no regular file");
	assert_true(upload_spool_done(&s, &b.entry[0], false, NULL));
	assert_true(upload_spool_done(&s, &b.entry[1], false, NULL));
	assert_int_equal(access("/etc/passwd", F_OK), 0);
	upload_spool_close(&s);
}

/* --- trying again -------------------------------------------------------------------------------
 */

static void waits_longer_each_time(void **unused)
{
	(void)unused;
	for (uint64_t seed = 0; seed < 50; seed++) {
		struct upload_retry r = upload_retry_new(5000, 600000, seed * 77777);
		int64_t now = 1000, usual = 5000;

		for (int i = 0; i < 100; i++) {
			assert_int_equal(upload_retry_away(&r, now), i == 0);
			const int64_t wait = r.side.next_ms - now;
			assert_true(wait >= usual / 2 && wait <= usual);
			now = r.side.next_ms;
			usual = usual < 300000 ? usual * 2 : 600000;
		}
		assert_int_equal(r.away_ms, 1000);
		assert_true(upload_retry_back(&r));
		assert_false(upload_retry_back(&r));
		assert_int_equal(r.side.next_ms, 0);
	}
}

static void jitters(void **unused)
{
	struct upload_retry a = upload_retry_new(5000, 600000, 1), b = a;
	int different = 0;

	(void)unused;
	b.random = 12345;
	for (int i = 0; i < 10; i++) {
		upload_retry_away(&a, 0), upload_retry_away(&b, 0);
		different += a.side.next_ms != b.side.next_ms;
	}
	assert_true(different > 5);
}

static void keeps_failing_files_apart(void **unused)
{
	struct upload_retry r = upload_retry_new(100, 1000, 1);

	(void)unused;
	assert_int_equal(upload_retry_next(&r), INT64_MAX);
	assert_true(upload_retry_failed(&r, 7, 0));
	assert_false(upload_retry_failed(&r, 7, 100));
	assert_false(upload_retry_may(&r, 7, 150));
	assert_true(upload_retry_may(&r, 8, 150));
	assert_true(upload_retry_may(&r, 7, 300));
	assert_true(upload_retry_next(&r) >= 200 && upload_retry_next(&r) <= 300);
	upload_retry_forget(&r, 7);
	upload_retry_forget(&r, 7);
	assert_true(upload_retry_may(&r, 7, 0));
	assert_int_equal(upload_retry_next(&r), INT64_MAX);

	for (uint64_t n = 1; n <= 2 * LIMIT_UPLOAD_FAILING; n++)
		assert_true(upload_retry_failed(&r, n, 1000 * (int64_t)n));
	assert_true(upload_retry_may(&r, 1, 0)); /* made room */
	assert_false(upload_retry_may(&r, 2 * LIMIT_UPLOAD_FAILING, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(takes_targets_apart),
		cmocka_unit_test(refuses_targets),
		cmocka_unit_test(holds_targets_against_caps),
		cmocka_unit_test(quotes),
		cmocka_unit_test(names_what_is_taken),
		cmocka_unit_test(makes_words_for_ssh),
		cmocka_unit_test_setup_teardown(spools_oldest_first, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spools_a_file_once, set_up, tear_down),
		cmocka_unit_test_setup_teardown(spools_more_than_a_batch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refuses_to_spool, set_up, tear_down),
		cmocka_unit_test_setup_teardown(finds_only_entries, set_up, tear_down),
		cmocka_unit_test(waits_longer_each_time),
		cmocka_unit_test(jitters),
		cmocka_unit_test(keeps_failing_files_apart),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
