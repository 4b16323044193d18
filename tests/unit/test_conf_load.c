/* SPDX-License-Identifier: BSD-3-Clause */
/* test_conf_load.c - configuration files as people write them, and that what is printed loads
 * again. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "conf/print.h"

struct fixture {
	struct conf core;
	struct option_set set;
	struct option_sets sets;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->set = (struct option_set){ conf_options, &f->core };
	f->sets = (struct option_sets){ &f->set, 1 };
	*state = f;
	return conf_defaults(&f->sets, &f->e) ? 0 : -1;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	conf_free(&f->sets);
	free(f);
	return 0;
}

/* The text lies in a block of its exact size, so that the sanitizer sees a read past its end. */
static bool load(struct fixture *f, const char *text, size_t size)
{
	char *copy = malloc(size > 0 ? size : 1);

	memcpy(copy, text, size);
	bool good = conf_load_text(&f->sets, "my.cfg", copy, size, &f->e);
	free(copy);
	return good;
}

static void loads(struct fixture *f, const char *text)
{
	if (!load(f, text, strlen(text)))
		fail_msg("%s", f->e.text);
}

static void refuses(struct fixture *f, const char *text, size_t size, const char *words)
{
	if (load(f, text, size))
		fail_msg("'%s' was taken", text);
	if (strstr(f->e.text, words) == NULL)
		fail_msg("'%s' does not say '%s'", f->e.text, words);
}

static void white_space_is_free(void **state)
{
	struct fixture *f = *state;

	loads(f, "\n \t\n  num_pkts\t=\t12  \nbidir\n\toutput=a b.json \r\nzeros =yes\v\f\n");
	assert_int_equal(f->core.num_pkts, 12);
	assert_true(f->core.bidir);
	assert_string_equal(f->core.output, "a b.json");
	assert_true(f->core.zeros);
}

static void lines_end_as_on_any_system(void **state)
{
	struct fixture *f = *state;

	loads(f, "\xef\xbb\xbfnum_pkts=1\r\nbidir\rzeros\nretrans"); /* no end on the last one */
	assert_int_equal(f->core.num_pkts, 1);
	assert_true(f->core.bidir && f->core.zeros && f->core.retrans);
	refuses(f, "bidir\r\n\r\nx\r\n", 12, "my.cfg:3: ");
}

static void comments(void **state)
{
	struct fixture *f = *state;

	loads(f, "# bidir\n  # bidir\nnum_pkts = 3 # three\noutput = a#b.json\t# name with a #\n#");
	assert_false(f->core.bidir);
	assert_int_equal(f->core.num_pkts, 3);
	assert_string_equal(f->core.output, "a#b.json");
}

static void the_last_of_a_file_counts(void **state)
{
	struct fixture *f = *state;

	loads(f, "num_pkts = 3\nnum_pkts = 4\noutput = a\noutput = none\n");
	assert_int_equal(f->core.num_pkts, 4);
	assert_null(f->core.output);
}

static void errors_name_file_and_line(void **state)
{
	struct fixture *f = *state;

	refuses(f, "bidir\nbidri = 1\n", 16, "my.cfg:2: unknown option 'bidri'");
	refuses(f, "type = 7", 8, "my.cfg:1: type=7: must be a whole number from 1 to 2");
	refuses(f, "= 7", 3, "my.cfg:1: not of the form");
	refuses(f, "output", 6, "my.cfg:1: 'output' needs a value");
	refuses(f, "output =", 8, "my.cfg:1: output=: must be a text");
	refuses(f, "bi\0dir=1", 8, "my.cfg:1: not text");
	refuses(f, "\xd4\xc3\xb2\xa1\x02", 5, "my.cfg:1: not of the form");
}

static void lines_have_a_limit(void **state)
{
	struct fixture *f = *state;
	size_t size = LIMIT_OPTION_BYTES;
	char *text = malloc(size + 1);

	memset(text, 'a', size + 1);
	memcpy(text, "output=", 7);
	assert_true(load(f, text, size));
	assert_int_equal(strlen(f->core.output), size - 7);
	refuses(f, text, size + 1, "my.cfg:1: longer than 65536 bytes");
	free(text);
}

static void files_that_cannot_be_read(void **state)
{
	struct fixture *f = *state;

	assert_false(conf_load(&f->sets, "/nonexistent/my.cfg", &f->e));
	assert_string_equal(
			f->e.text, "cannot read /nonexistent/my.cfg: No such file or directory");
	assert_false(conf_load(&f->sets, "/", &f->e));
	assert_false(conf_load(&f->sets, "/dev/zero", &f->e));
	assert_non_null(strstr(f->e.text, "no configuration file"));
}

static void reads_a_file(void **state)
{
	struct fixture *f = *state;
	char path[] = "/tmp/test_conf_XXXXXX";
	int fd = mkstemp(path);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, "num_pkts = 5\n", 13), 13);
	close(fd);
	assert_true(conf_load(&f->sets, path, &f->e));
	unlink(path);
	assert_int_equal(f->core.num_pkts, 5);
}

static void what_is_printed_loads_again(void **state)
{
	struct fixture *f = *state, *g;
	struct buf first = buf_new(LIMIT_TEXT_BYTES), second = buf_new(LIMIT_TEXT_BYTES);

	loads(f, "idle_timeout=0.25\nmemory=17M\noutput=a#b\ntunnel=outer\nbidir\nbpf=tcp port "
		 "80\n");
	print_config(&f->sets, &first);
	assert_int_equal(setup((void **)&g), 0);
	if (!load(g, first.p, first.size))
		fail_msg("%s", g->e.text);
	print_config(&g->sets, &second);
	assert_int_equal(first.size, second.size);
	assert_int_equal(memcmp(first.p, second.p, first.size), 0);
	assert_string_equal(g->core.bpf, "tcp port 80");
	buf_free(&first);
	buf_free(&second);
	teardown((void **)&g);
}

static void what_cannot_be_written_is_a_comment(void **state)
{
	struct fixture *f = *state;
	struct buf b = buf_new(LIMIT_TEXT_BYTES);

	assert_true(conf_set(&f->sets, "output", "a #b", &f->e));
	print_config(&f->sets, &b);
	buf_byte(&b, '\0');
	assert_non_null(strstr(b.p, "# output has a value"));
	assert_null(strstr(b.p, "output = "));
	buf_free(&b);
}

/* Secrets, places and commands stay out; numbers are numbers. */
static void members_of_the_configuration_object(void **state)
{
	struct fixture *f = *state;
	struct buf b = buf_new(LIMIT_TEXT_BYTES);

	loads(f, "output=a\nidle_timeout=0.5\nmemory=16M\nbidir\nbpf=a\"b\n");
	buf_byte(&b, '{');
	print_members(&f->sets, &b);
	buf_byte(&b, '\0');
	assert_non_null(strstr(b.p, "\"bidir\":1,"));
	assert_non_null(strstr(b.p, "\"idle_timeout\":0.5,"));
	assert_non_null(strstr(b.p, "\"memory\":16777216,"));
	assert_non_null(strstr(b.p, "{\"bpf\":\"a\\\"b\","));
	assert_non_null(strstr(b.p, "\"timeouts\":null,"));
	assert_null(strstr(b.p, "output"));
	assert_null(strstr(b.p, "help"));
	buf_free(&b);
}

static void help_names_every_option(void **state)
{
	void (*const forms[])(const struct option_sets *, struct buf *) = { print_help, print_man,
		print_bash, print_zsh, print_options };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(forms) / sizeof(forms[0]); i++) {
		struct buf b = buf_new(LIMIT_TEXT_BYTES);

		forms[i](&f->sets, &b);
		buf_byte(&b, '\0');
		assert_true(buf_ok(&b));
		for (const struct option *o = conf_options; o->name != NULL; o++)
			assert_non_null(strstr(b.p, o->name));
		buf_free(&b);
	}
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(white_space_is_free),
		TEST(lines_end_as_on_any_system),
		TEST(comments),
		TEST(the_last_of_a_file_counts),
		TEST(errors_name_file_and_line),
		TEST(lines_have_a_limit),
		TEST(files_that_cannot_be_read),
		TEST(reads_a_file),
		TEST(what_is_printed_loads_again),
		TEST(what_cannot_be_written_is_a_comment),
		TEST(members_of_the_configuration_object),
		TEST(help_names_every_option),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
