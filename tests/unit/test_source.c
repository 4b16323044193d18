/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_source.c - a run over files: folders, their order, what is no capture, pipes, windows, bpf.
 *
 * Each test works in a folder of its own, which is the current one while it runs.
 */
#include "source_kit.h"

#include <sys/stat.h>
#include <sys/wait.h>

static char home[256];

static int enter_folder(void **state)
{
	char folder[] = "test_source.XXXXXX";
	const char *base = getenv("TMPDIR") != NULL ? getenv("TMPDIR") : "/tmp";

	(void)state;
	if (getcwd(home, sizeof(home)) == NULL || chdir(base) != 0 || mkdtemp(folder) == NULL)
		return -1;
	*state = strdup(folder);
	return chdir(folder);
}

static int remove_all(const char *path)
{
	pid_t child = fork();
	int status = -1;

	if (child == 0) {
		execlp("rm", "rm", "-rf", path, (char *)NULL);
		_exit(127);
	}
	waitpid(child, &status, 0);
	return status;
}

static int leave_folder(void **state)
{
	int status = chdir("..") | remove_all(*state);

	free(*state);
	return status | chdir(home);
}

/* A capture with one packet at second 'seed'. */
static void save_one(const char *path, uint32_t seed)
{
	struct buf b = buf_new(1000);

	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	kit_pcap_packet(&b, false, seed, 0, 50, 50);
	kit_save(path, b.p, b.size);
	buf_free(&b);
}

static struct kit_run *read_one(const char *path)
{
	return kit_read_paths(&path, 1, NULL);
}

static void assert_seconds(const struct kit_run *run, const char *expected)
{
	char seconds[256] = "";

	for (size_t i = 0; i < run->count; i++)
		snprintf(seconds + strlen(seconds), sizeof(seconds) - strlen(seconds), "%lld ",
				(long long)run->frames[i].ns / 1000000000);
	assert_string_equal(seconds, expected);
}

static void reads_several_files_as_one_stream(void **state)
{
	static const char *const paths[] = { "b", "a", "missing", "b" };

	(void)state;
	save_one("a", 1);
	save_one("b", 2);
	struct kit_run *run = kit_read_paths(paths, 4, NULL);
	assert_seconds(run, "2 1 2 ");
	for (uint32_t i = 0; i < 3; i++)
		assert_int_equal(run->frames[i].interface, i);
	assert_int_equal(run->troubles[SOURCE_FAILED], 1);
	assert_non_null(strstr(run->last_trouble, "missing cannot be opened: No such file"));
	assert_int_equal(run->last_offset, -1);
	assert_int_equal(run->progress.files_total, 4);
	assert_int_equal(run->progress.files_done, 4);
	assert_int_equal(run->progress.packets, 3);
	assert_int_equal(run->progress.bytes_total, 3 * 90);
	assert_int_equal(run->progress.bytes_read, 3 * 90);
	kit_run_free(run);
}

/* An untimed packet that opens a file has the time of the last packet of the file before. */
static void carries_time_into_the_next_file(void **state)
{
	static const char *const paths[] = { "a", "simple" };
	struct buf b = buf_new(1000), body = buf_new(100);

	(void)state;
	save_one("a", 7);
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 0, 9, 0);
	kit_uint(&body, false, 4, 20);
	kit_payload(&body, 0, 20);
	kit_block(&b, false, 3, &body);
	kit_save("simple", b.p, b.size);
	struct kit_run *run = kit_read_paths(paths, 2, NULL);
	assert_seconds(run, "7 7 ");
	assert_true(run->frames[1].untimed);
	kit_run_free(run);
	buf_free(&b);
	buf_free(&body);
}

/* The seconds of what is left to read. */
static void assert_rest(struct source *s, const char *expected)
{
	char seconds[256] = "";
	struct frame frames[1];
	bool ok;
	struct err e;

	while (source_read(s, frames, 1, &ok, &e) > 0) {
		assert_int_equal(frames[0].interface, 0);
		snprintf(seconds + strlen(seconds), sizeof(seconds) - strlen(seconds), "%lld ",
				(long long)frames[0].ns / 1000000000);
	}
	assert_string_equal(seconds, expected);
}

static void reads_the_file_that_is_chosen(void **state)
{
	static const char *const paths[] = { "a", "b", "c" };
	const struct source_conf conf = { 0 };
	struct err e;
	(void)state;
	save_one("a", 1);
	save_one("b", 2);
	save_one("c", 3);
	struct source *all = source_new(paths, 3, &conf, &e);
	struct source *other = source_sibling(all, &conf, &e);
	assert_string_equal(source_choose(other, 2), "c");
	assert_rest(other, "3 ");
	assert_string_equal(source_choose(other, 0), "a");
	assert_rest(other, "1 ");
	assert_int_equal(source_progress(other).packets, 1); /* of this file */
	assert_string_equal(source_choose(all, 1), "b");
	assert_rest(all, "2 ");
	const struct source_progress read = source_progress(other);
	source_add(all, &read);
	assert_int_equal(source_progress(all).packets, 2);
	assert_int_equal(source_progress(all).files_done, 2);
	assert_int_equal(source_progress(all).bytes_read, 2 * 90);
	source_free(other);
	source_free(all);
}

static void walks_folders_in_order_of_bytes(void **state)
{
	(void)state;
	mkdir("d", 0700);
	mkdir("d/B", 0700);
	mkdir("d/B/deep", 0700);
	mkdir("d/empty", 0700);
	save_one("d/A", 1);
	save_one("d/B/a", 2);
	save_one("d/B/deep/x", 3);
	save_one("d/B/z", 4);
	save_one("d/C10", 5);
	save_one("d/C9", 6);
	save_one("d/a", 7);
	save_one("d/\xc3\xa4", 8);
	struct kit_run *run = read_one("d");
	assert_seconds(run, "1 2 3 4 5 6 7 8 ");
	assert_string_equal(run->all_troubles, "");
	assert_int_equal(run->progress.files_total, 8);
	kit_run_free(run);
	run = read_one("d/");
	assert_int_equal(run->count, 8);
	kit_run_free(run);
}

static void passes_over_what_is_no_capture_in_folders(void **state)
{
	(void)state;
	mkdir("d", 0700);
	save_one("d/a.pcap", 1);
	kit_save("d/notes.txt", "no packets here\n", 16);
	kit_save("d/nothing", "", 0);
	save_one("d/z.txt", 2); /* names say nothing */
	assert_int_equal(mkfifo("d/pipe", 0600), 0);
	struct kit_run *run = read_one("d");
	assert_seconds(run, "1 2 ");
	assert_int_equal(run->troubles[SOURCE_WARNING], 2);
	assert_int_equal(run->troubles[SOURCE_FAILED], 0);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 0);
	assert_non_null(strstr(
			run->all_troubles, "d/notes.txt is no capture: it is text; passed over"));
	kit_run_free(run);
}

static void is_not_caught_in_loops_of_links(void **state)
{
	(void)state;
	mkdir("d", 0700);
	mkdir("d/sub", 0700);
	save_one("d/a", 1);
	assert_int_equal(symlink("..", "d/sub/up"), 0);
	assert_int_equal(symlink("sub", "d/twin"), 0);
	assert_int_equal(symlink("a", "d/latest"), 0);
	assert_int_equal(symlink("self", "d/self"), 0);
	struct kit_run *run = read_one("d");
	assert_seconds(run, "1 ");
	assert_int_equal(run->troubles[SOURCE_FAILED], 1); /* the link to itself */
	assert_non_null(strstr(run->last_trouble, "d/self cannot be examined"));
	kit_run_free(run);
}

static void bounds_the_depth_of_folders(void **state)
{
	char path[400] = "d";

	(void)state;
	mkdir(path, 0700);
	for (int i = 0; i < 70; i++) {
		memcpy(path + strlen(path), "/d", 3);
		mkdir(path, 0700);
	}
	save_one("d/a", 1);
	struct kit_run *run = read_one("d");
	assert_seconds(run, "1 ");
	assert_int_equal(run->troubles[SOURCE_FAILED], 1);
	assert_non_null(strstr(run->last_trouble, "too deep"));
	kit_run_free(run);
}

static void says_what_a_file_looked_like(void **state)
{
	static const struct {
		const char *bytes;
		size_t size;
		const char *words;
	} files[] = {
		{ "", 0, "x is no capture: it is nothing (0 bytes)" },
		{ "hello\n", 6, "it is text" },
		{ "\x89PNG\r\n\x1a\n....", 12, "it is a PNG image" },
		{ "\x7f"
		  "ELF\2\1\1",
				8, "it is an ELF program" },
		{ "\1\2\3\xff\xfe\0\x10\x20\x30", 9,
				"data that begins with 01 02 03 ff fe 00 10 20" },
		{ "\xd4\xc3\xb2\xa1\2\0\4\0", 8, "x is too short for a pcap capture (8 bytes)" },
		{ "\x0a\x0d\x0d\x0a\x1c\0\0\0abcdefghijklmnopqrst", 28,
				"a section header without" },
		{ "\x1f\x8b\x08", 3, "cannot be read: gzip data ends too early" },
	};

	(void)state;
	for (size_t i = 0; i < sizeof(files) / sizeof(files[0]); i++) {
		kit_save("x", files[i].bytes, files[i].size);
		struct kit_run *run = read_one("x");
		assert_int_equal(run->count, 0);
		assert_int_equal(run->troubles[SOURCE_FAILED] + run->troubles[SOURCE_DAMAGED], 1);
		if (strstr(run->last_trouble, files[i].words) == NULL)
			assert_string_equal(run->last_trouble, files[i].words);
		kit_run_free(run);
	}
}

static void tells_of_folders_without_files(void **state)
{
	(void)state;
	mkdir("d", 0700);
	struct kit_run *run = read_one("d");
	assert_int_equal(run->troubles[SOURCE_FAILED], 1);
	assert_string_equal(run->last_trouble, "d is a folder without files");
	kit_run_free(run);
}

static void keeps_a_trouble_on_one_line(void **state)
{
	(void)state;
	kit_save("a\nb\x1b[1m", "text", 4);
	struct kit_run *run = read_one("a\nb\x1b[1m"); /* kit_trouble() refuses new lines */
	assert_non_null(strstr(run->last_trouble, "a?b?[1m is no capture"));
	kit_run_free(run);
}

/* --- windows ------------------------------------------------------------------------------- */

enum { MANY = 700, LARGE = 40000 };

/* 28 MB in packets of very different sizes, so that they lie across any border. */
static size_t save_large(const char *path)
{
	struct buf b = buf_new(64 << 20);

	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	for (uint32_t i = 0; i < MANY; i++)
		kit_pcap_packet(&b, false, i, 0, i * 7919 % (2 * LARGE), 2 * LARGE);
	kit_save(path, b.p, b.size);
	size_t size = b.size;
	buf_free(&b);
	return size;
}

static void reads_packets_across_windows(void **state)
{
	(void)state;
	save_large("x");
	struct kit_run *run = read_one("x");
	assert_int_equal(run->count, MANY);
	for (uint32_t i = 0; i < MANY; i++) {
		assert_int_equal(run->frames[i].caplen, i * 7919 % (2 * LARGE));
		assert_true(kit_is_payload(&run->frames[i], i));
	}
	assert_string_equal(run->all_troubles, "");
	kit_run_free(run);
}

/* Reads on after 'change' was done to the file behind the source's back. */
static struct kit_run *read_while(void (*change)(void))
{
	static const char *const path = "x";
	struct kit_run *run = kit_run_new();
	struct source_conf conf = { .trouble = kit_trouble, .ctx = run };
	struct frame frames[8];
	struct err e;
	bool ok;
	struct source *s = source_new(&path, 1, &conf, &e);

	assert_non_null(s);
	assert_int_equal(source_read(s, frames, 8, &ok, &e), 8);
	change();
	kit_drain(run, s, 8);
	return run;
}

static void cut_short(void)
{
	assert_int_equal(truncate("x", 100000), 0);
}

static void survives_a_file_cut_while_it_is_read(void **state)
{
	(void)state;
	save_large("x");
	struct kit_run *run = read_while(cut_short);
	assert_true(run->count < MANY - 8); /* what had been read by then */
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_non_null(strstr(run->last_trouble, "became shorter"));
	kit_run_free(run);
}

static void add_packet(void)
{
	struct buf b = buf_new(1000);
	int fd = open("x", O_WRONLY | O_APPEND);

	kit_pcap_packet(&b, false, 5000, 0, 50, 50);
	assert_int_equal(write(fd, b.p, b.size), (ssize_t)b.size);
	close(fd);
	buf_free(&b);
}

static void follows_a_file_that_grows(void **state)
{
	(void)state;
	save_large("x");
	struct kit_run *run = read_while(add_packet);
	assert_int_equal(run->count, MANY - 8 + 1);
	assert_int_equal(run->frames[MANY - 8].ns, 5000000000000);
	assert_string_equal(run->all_troubles, "");
	kit_run_free(run);
}

/* --- pipes --------------------------------------------------------------------------------- */

/* Makes one end of a pipe standard input and returns the other; *kept is what was there before. */
static int pipe_to_stdin(int *kept)
{
	int ends[2];

	assert_int_equal(pipe(ends), 0);
	*kept = dup(STDIN_FILENO);
	assert_true(*kept >= 0);
	dup2(ends[0], STDIN_FILENO);
	close(ends[0]);
	return ends[1];
}

static void restore_stdin(int kept)
{
	dup2(kept, STDIN_FILENO);
	close(kept);
}

static void send_bytes(int fd, const char *bytes, size_t size)
{
	assert_int_equal(write(fd, bytes, size), (ssize_t)size);
}

static void gives_frames_of_a_pipe_before_its_end(void **state)
{
	static const char *const path = "-";
	struct kit_run *run = kit_run_new();
	struct source_conf conf = { .trouble = kit_trouble, .ctx = run };
	struct buf b = kit_pcap(3);
	struct frame frames[8];
	struct err e;
	bool ok;
	int kept, fd = pipe_to_stdin(&kept);
	struct source *s = source_new(&path, 1, &conf, &e);

	(void)state;
	assert_non_null(s);
	assert_int_equal(source_progress(s).bytes_total, 0);
	send_bytes(fd, b.p, 24 + 16 + 41);
	assert_int_equal(source_read(s, frames, 8, &ok, &e), 1);
	send_bytes(fd, b.p + 81, 16 + 42 + 5); /* one, and the start of another */
	assert_int_equal(source_read(s, frames, 8, &ok, &e), 1);
	assert_true(kit_is_payload(&frames[0], 2));
	send_bytes(fd, b.p + 81 + 63, b.size - 81 - 63);
	close(fd);
	assert_int_equal(source_read(s, frames, 8, &ok, &e), 1);
	assert_true(kit_is_payload(&frames[0], 3));
	assert_int_equal(source_read(s, frames, 8, &ok, &e), 0);
	assert_string_equal(run->all_troubles, "");
	source_free(s);
	kit_run_free(run);
	restore_stdin(kept);
	buf_free(&b);
}

static bool after_some_questions(void *ctx)
{
	int *left = ctx;

	return (*left)-- <= 0;
}

static void no_trouble(void *ctx, const struct source_report *r)
{
	(void)ctx;
	fail_msg("unexpected: %s", r->text);
}

static void stops_waiting_when_asked(void **state)
{
	static const char *const path = "-";
	int left = 4, kept, fd = pipe_to_stdin(&kept);
	struct source_conf conf = {
		.trouble = no_trouble, .stopped = after_some_questions, .ctx = &left
	};
	struct frame frame;
	struct err e;
	bool ok;
	struct source *s = source_new(&path, 1, &conf, &e);

	(void)state;
	send_bytes(fd, "\xd4\xc3\xb2\xa1", 4); /* and nothing more */
	assert_int_equal(source_read(s, &frame, 1, &ok, &e), 0);
	assert_true(ok);
	assert_true(left < 0);
	source_free(s);
	close(fd);
	restore_stdin(kept);
}

/* --- bpf ----------------------------------------------------------------------------------- */

#ifdef HAVE_PCAP
/* Ethernet, IPv4 without options, UDP 7 > 'port', no payload. */
static void udp_packet(struct buf *b, uint16_t port)
{
	kit_uint(b, false, 8, 1);
	kit_uint(b, false, 4, 42);
	kit_uint(b, false, 4, 42);
	buf_bytes(b, "\2\0\0\0\0\1\2\0\0\0\0\2\x08\0", 14);
	buf_bytes(b, "\x45\0\0\x1c\0\0\0\0\x40\x11\0\0\x0a\0\0\1\x0a\0\0\2", 20);
	buf_bytes(b, "\0\7", 2);
	kit_uint(b, true, 2, port);
	buf_bytes(b, "\0\x08\0\0", 4);
}

static void filters_by_bpf(void **state)
{
	struct buf b = buf_new(100000);
	static const char *const path = "x";

	(void)state;
	kit_pcap_header(&b, false, 0xa1b2c3d4, 4, 1);
	for (uint16_t port = 0; port < 500; port++)
		udp_packet(&b, port);
	kit_save("x", b.p, b.size);
	struct kit_run *run = kit_read_paths(&path, 1, "udp dst port 53 or udp dst port 499");
	assert_int_equal(run->count, 2);
	assert_memory_equal(run->frames[0].bytes + 36, "\0\x35", 2);
	assert_memory_equal(run->frames[1].bytes + 36, "\x01\xf3", 2);
	assert_int_equal(run->progress.packets, 2);
	assert_int_equal(run->progress.filtered, 498);
	assert_string_equal(run->all_troubles, "");
	kit_run_free(run);
	buf_free(&b);
}

/* LINKTYPE_RAW is 101 in files and another number within libpcap. */
static void filters_each_link_type(void **state)
{
	struct buf b = buf_new(100000), ether = buf_new(1000);
	static const char *const path = "x";

	(void)state;
	udp_packet(&ether, 53);
	kit_section(&b, false, -1);
	kit_interface(&b, false, 1, 0, 9, 0);
	kit_interface(&b, false, 101, 0, 9, 0);
	kit_interface(&b, false, 249, 0, 9, 0); /* USBPcap: no ports there */
	for (uint32_t i = 0; i < 6; i++) {
		struct buf body = buf_new(1000);
		size_t skip = i % 3 == 1 ? 14 : 0;

		kit_uint(&body, false, 4, i % 3);
		kit_uint(&body, false, 8, 0);
		kit_uint(&body, false, 4, 42 - skip);
		kit_uint(&body, false, 4, 42 - skip);
		buf_bytes(&body, ether.p + 16 + skip, 42 - skip);
		kit_block(&b, false, 6, &body);
		buf_free(&body);
	}
	kit_save("x", b.p, b.size);
	struct kit_run *run = kit_read_paths(&path, 1, "port 53");
	assert_int_equal(run->count, 4);
	assert_int_equal(run->progress.filtered, 2);
	assert_int_equal(run->frames[1].linktype, 101);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_non_null(strstr(run->last_trouble, "link type 249"));
	kit_run_free(run);
	buf_free(&b);
	buf_free(&ether);
}

static void refuses_a_bad_filter(void **state)
{
	static const char *const path = "x";
	struct source_conf conf = { .bpf = "port and host" };
	struct err e = { "" };

	(void)state;
	assert_null(source_new(&path, 1, &conf, &e));
	assert_non_null(strstr(e.text, "bpf=port and host: "));
	assert_non_null(strstr(e.text, "syntax error"));
	conf.bpf = "wlan type mgt"; /* not for Ethernet, but for others */
	struct source *s = source_new(&path, 1, &conf, &e);
	assert_non_null(s);
	source_free(s);
}
#else
static void refuses_a_bad_filter(void **state)
{
	static const char *const path = "x";
	struct source_conf conf = { .bpf = "ip" };
	struct err e = { "" };

	(void)state;
	assert_null(source_new(&path, 1, &conf, &e));
	assert_non_null(strstr(e.text, "libpcap"));
}
#endif

#define IN_FOLDER(f) cmocka_unit_test_setup_teardown(f, enter_folder, leave_folder)

int main(void)
{
	const struct CMUnitTest tests[] = {
		IN_FOLDER(reads_several_files_as_one_stream),
		IN_FOLDER(carries_time_into_the_next_file),
		IN_FOLDER(reads_the_file_that_is_chosen),
		IN_FOLDER(walks_folders_in_order_of_bytes),
		IN_FOLDER(passes_over_what_is_no_capture_in_folders),
		IN_FOLDER(is_not_caught_in_loops_of_links),
		IN_FOLDER(bounds_the_depth_of_folders),
		IN_FOLDER(says_what_a_file_looked_like),
		IN_FOLDER(tells_of_folders_without_files),
		IN_FOLDER(keeps_a_trouble_on_one_line),
		IN_FOLDER(reads_packets_across_windows),
		IN_FOLDER(survives_a_file_cut_while_it_is_read),
		IN_FOLDER(follows_a_file_that_grows),
		IN_FOLDER(gives_frames_of_a_pipe_before_its_end),
		IN_FOLDER(stops_waiting_when_asked),
#ifdef HAVE_PCAP
		IN_FOLDER(filters_by_bpf),
		IN_FOLDER(filters_each_link_type),
#endif
		IN_FOLDER(refuses_a_bad_filter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
