/* SPDX-License-Identifier: BSD-3-Clause */
/* test_conf.c - options by name: every type, every range, unknown names, ranks, presets, features.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "conf/conf.h"
#include "conf/nearest.h"
#include "conf/print.h"

/* Options as features have them: one of each type that the core lacks, switches of three kinds. */
struct extra {
	bool dist;
	uint32_t idp;
	uint64_t wide;
	char *cdist, *secret, *many;
};

static const struct option extra_options[] = {
	OPTION(struct extra, dist, "dist", "byte distribution", .flags = OPTION_FEATURE),
	OPTION(struct extra, idp, "idp", "first bytes", .flags = OPTION_FEATURE, .on = "1300",
			.maximum = 5000),
	OPTION(struct extra, wide, "wide", "64 bits", .minimum = 3),
	OPTION(struct extra, cdist, "cdist", "map", .flags = OPTION_FEATURE, .value = "FILE"),
	OPTION(struct extra, secret, "secret", "key", .flags = OPTION_SECRET),
	OPTION(struct extra, many, "many", "texts", .flags = OPTION_REPEAT),
	{ 0 },
};

struct fixture {
	struct conf core;
	struct extra extra;
	struct option_set set[2];
	struct option_sets sets;
	struct err e;
};

static int setup(void **state)
{
	struct fixture *f = calloc(1, sizeof(*f));

	f->set[0] = (struct option_set){ conf_options, &f->core };
	f->set[1] = (struct option_set){ extra_options, &f->extra };
	f->sets = (struct option_sets){ f->set, 2 };
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

static void good(struct fixture *f, const char *name, const char *value)
{
	if (!conf_set(&f->sets, name, value, &f->e))
		fail_msg("%s=%s: %s", name, value, f->e.text);
}

/* Refused, and the error has these words in it. */
static void bad(struct fixture *f, const char *name, const char *value, const char *words)
{
	f->e.text[0] = '\0';
	if (conf_set(&f->sets, name, value, &f->e))
		fail_msg("%s=%s was taken", name, value);
	if (strstr(f->e.text, words) == NULL)
		fail_msg("%s=%s: '%s' does not say '%s'", name, value, f->e.text, words);
}

static void has_value(struct fixture *f, const char *name, const char *expected)
{
	const struct option_set *in;
	const struct option *o = conf_find(&f->sets, name, &in);
	struct buf b = buf_new(1024);

	assert_non_null(o);
	conf_value(o, in->base, &b);
	buf_byte(&b, '\0');
	assert_string_equal(b.p, expected);
	buf_free(&b);
}

static void defaults_are_those_of_the_table(void **state)
{
	struct fixture *f = *state;

	assert_false(f->core.bidir);
	assert_true(f->core.vlan_key);
	assert_string_equal(f->core.tunnel, "inner");
	assert_int_equal(f->core.idle_timeout.ns, INT64_C(120000000000));
	assert_int_equal(f->core.active_timeout.ns, INT64_C(1800000000000));
	assert_int_equal(f->core.linger.ns, INT64_C(2000000000));
	assert_int_equal(f->core.memory.bytes, 1 << 30);
	assert_int_equal(f->core.num_pkts, 50);
	assert_int_equal(f->core.type, 1);
	assert_null(f->core.output);
	assert_null(f->core.timeouts);
	assert_int_equal(f->core.verbosity, 1);
	assert_true(f->core.progress);
	assert_int_equal(f->extra.idp, 0);
}

/* A default or a limit that its own option refuses would go unnoticed until somebody types it. */
static void every_option_takes_its_own_default(void **state)
{
	struct fixture *f = *state;

	for (const struct option *o = conf_options; o->name != NULL; o++) {
		const struct option_set *in;

		assert_ptr_equal(conf_find(&f->sets, o->name, &in), o);
		assert_ptr_equal(in, &f->set[0]);
		assert_non_null(o->help);
		if (o->initial != NULL) {
			good(f, o->name, o->initial);
			has_value(f, o->name, o->initial);
		}
	}
}

static void bool_takes_words(void **state)
{
	static const char *const words[] = { "0", "1", "no", "yes", "false", "TRUE", "Off", "on" };
	struct fixture *f = *state;

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		f->core.bidir = i % 2 == 0;
		good(f, "bidir", words[i]);
		assert_int_equal(f->core.bidir, i % 2);
	}
	bad(f, "bidir", "2", "must be 0 or 1");
	bad(f, "bidir", "", "must be 0 or 1");
	bad(f, "bidir", "01", "must be 0 or 1");
	assert_true(f->core.bidir);
}

static void numbers_keep_to_their_range(void **state)
{
	struct fixture *f = *state;

	good(f, "num_pkts", "4294967295");
	assert_int_equal(f->core.num_pkts, UINT32_MAX);
	bad(f, "num_pkts", "4294967296", "from 0 to 4294967295");
	bad(f, "num_pkts", "18446744073709551616", "from 0 to 4294967295");
	bad(f, "num_pkts", "-1", "a whole number");
	bad(f, "num_pkts", "+1", "a whole number");
	bad(f, "num_pkts", " 1", "a whole number");
	bad(f, "num_pkts", "0x10", "a whole number");
	bad(f, "num_pkts", "1.0", "a whole number");
	bad(f, "num_pkts", "none", "a whole number");
	bad(f, "type", "0", "from 1 to 2");
	bad(f, "type", "3", "from 1 to 2");
	good(f, "type", "2");
	bad(f, "verbosity", "4", "from 0 to 3");
	bad(f, "community_id_seed", "65536", "from 0 to 65535");
	assert_int_equal(f->core.num_pkts, UINT32_MAX);
	good(f, "wide", "18446744073709551615");
	assert_true(f->extra.wide == UINT64_MAX);
	bad(f, "wide", "18446744073709551616", "of at least 3");
	bad(f, "wide", "2", "of at least 3");
	bad(f, "idp", "5001", "from 0 to 5000");
}

/* A store as wide as the member: what lies beside it stays. */
static void neighbours_are_left_alone(void **state)
{
	struct fixture *f = *state;

	f->core.zeros = f->core.retrans = true;
	good(f, "num_pkts", "0");
	assert_true(f->core.zeros && f->core.retrans);
	good(f, "zeros", "0");
	assert_true(f->core.retrans);
	assert_int_equal(f->core.type, 1);
}

static void seconds_are_exact(void **state)
{
	struct fixture *f = *state;

	good(f, "idle_timeout", "0.001");
	assert_int_equal(f->core.idle_timeout.ns, 1000000);
	good(f, "idle_timeout", "1.000000001");
	assert_int_equal(f->core.idle_timeout.ns, 1000000001);
	has_value(f, "idle_timeout", "1.000000001");
	good(f, "idle_timeout", "31536000");
	bad(f, "idle_timeout", "31536000.000000001", "seconds from 0.001 to 31536000");
	bad(f, "idle_timeout", "0", "seconds from 0.001 to 31536000");
	bad(f, "idle_timeout", "0.0009", "seconds from 0.001");
	bad(f, "idle_timeout", "1.0000000001", "seconds");
	bad(f, "idle_timeout", "10s", "seconds");
	bad(f, "idle_timeout", "1.", "seconds");
	bad(f, "idle_timeout", ".5", "seconds");
	bad(f, "idle_timeout", "1e3", "seconds");
	bad(f, "idle_timeout", "9223372037", "seconds");
	bad(f, "idle_timeout", "18446744073709551615", "seconds");
	good(f, "linger", "0");
	bad(f, "linger", "3600.5", "from 0 to 3600");
}

static void sizes_take_letters(void **state)
{
	struct fixture *f = *state;

	good(f, "memory", "512M");
	assert_int_equal(f->core.memory.bytes, 512 << 20);
	has_value(f, "memory", "512M");
	good(f, "memory", "2g");
	assert_true(f->core.memory.bytes == UINT64_C(2) << 30);
	good(f, "memory", "16777216");
	has_value(f, "memory", "16M");
	good(f, "memory", "16777217");
	has_value(f, "memory", "16777217");
	good(f, "memory", "1T");
	assert_true(f->core.memory.bytes == UINT64_C(1) << 40);
	bad(f, "memory", "16777215", "of at least 16M");
	bad(f, "memory", "16777216T", "a size");
	bad(f, "memory", "1GB", "a size");
	bad(f, "memory", "1P", "a size");
	bad(f, "memory", "M", "a size");
}

static void texts_and_choices(void **state)
{
	struct fixture *f = *state;

	good(f, "output", "a b.json");
	assert_string_equal(f->core.output, "a b.json");
	good(f, "output", "none");
	assert_null(f->core.output);
	has_value(f, "output", "none");
	good(f, "output", "auto");
	bad(f, "outdir", "auto", "reserved");
	bad(f, "output", "", "must be a text");
	good(f, "tunnel", "outer");
	bad(f, "tunnel", "none", "inner or outer");
	bad(f, "tunnel", "Inner", "inner or outer");
	assert_string_equal(f->core.tunnel, "outer");
	bad(f, "timeouts", "jo", "joy, nfstream, yaf or cisco");
	good(f, "timeouts", "none");
}

static void unknown_names_get_the_nearest(void **state)
{
	struct fixture *f = *state;

	bad(f, "bidri", "1", "the nearest is 'bidir'");
	bad(f, "num_pkt", "1", "the nearest is 'num_pkts'");
	bad(f, "BIDIR", "1", "the nearest is 'bidir'");
	bad(f, "idle", "1", "the nearest is 'idle_timeout'");
	bad(f, "distress", "1", "unknown option 'distress'");
	bad(f, "bidi", "1", "unknown option 'bidi'");
	bad(f, "", "1", "unknown option ''");
	for (const char *const *name = (const char *const[]){ "counts", "rotation", "up",
			     "interfaces", "thread", "x", NULL };
			*name != NULL; name++)
		bad(f, *name, "1", "unknown option");
}

static void distance_counts_letters(void **state)
{
	(void)state;
	assert_int_equal(nearest_distance("", ""), 0);
	assert_int_equal(nearest_distance("", "abc"), 3);
	assert_int_equal(nearest_distance("abc", ""), 3);
	assert_int_equal(nearest_distance("abc", "abc"), 0);
	assert_int_equal(nearest_distance("abc", "acb"), 1);
	assert_int_equal(nearest_distance("abc", "ABD"), 1);
	assert_int_equal(nearest_distance("kitten", "sitting"), 3);
	assert_int_equal(nearest_distance("ca", "abc"), 3); /* each letter is touched once */
}

static void lines_on_the_command_line(void **state)
{
	struct fixture *f = *state;

	assert_true(conf_set_line(&f->sets, "bpf=host a and tcp[0]=1", &f->e));
	assert_string_equal(f->core.bpf, "host a and tcp[0]=1");
	assert_true(conf_set_line(&f->sets, "  num_pkts\t=  7 ", &f->e));
	assert_int_equal(f->core.num_pkts, 7);
	assert_true(conf_set_line(&f->sets, "bidir", &f->e));
	assert_true(f->core.bidir);
	assert_false(conf_set_line(&f->sets, "output", &f->e));
	assert_non_null(strstr(f->e.text, "needs a value: output=FILE"));
	assert_false(conf_set_line(&f->sets, "=1", &f->e));
	assert_false(conf_set_line(&f->sets, "", &f->e));
	assert_false(conf_set_line(&f->sets, "a b=1", &f->e));
}

static void higher_rank_wins_in_either_order(void **state)
{
	struct fixture *f = *state;
	static const char file[] = "num_pkts = 7\nbidir = 1\n";

	good(f, "num_pkts", "9");
	assert_true(conf_load_text(&f->sets, "f", file, sizeof(file) - 1, &f->e));
	assert_int_equal(f->core.num_pkts, 9);
	assert_true(f->core.bidir);
	good(f, "bidir", "0");
	assert_false(f->core.bidir);
	good(f, "num_pkts", "10");
	assert_int_equal(f->core.num_pkts, 10);
	/* a value that does not count is still looked at */
	assert_false(conf_load_text(&f->sets, "f", "num_pkts = x\n", 13, &f->e));
	assert_non_null(strstr(f->e.text, "f:1: num_pkts=x"));
	assert_int_equal(f->core.num_pkts, 10);
}

static void presets_fill_what_was_not_given(void **state)
{
	struct fixture *f = *state;

	good(f, "idle_timeout", "7");
	good(f, "timeouts", "joy");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_int_equal(f->core.idle_timeout.ns, INT64_C(7000000000));
	assert_int_equal(f->core.active_timeout.ns, INT64_C(30000000000));
	good(f, "idle_timeout", "8");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_int_equal(f->core.idle_timeout.ns, INT64_C(8000000000));
}

static void a_preset_of_higher_rank_wins(void **state)
{
	struct fixture *f = *state;

	assert_true(conf_load_text(&f->sets, "f", "idle_timeout=7", 14, &f->e));
	good(f, "timeouts", "yaf");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_int_equal(f->core.idle_timeout.ns, INT64_C(300000000000));
}

static void every_preset_is_known(void **state)
{
	struct fixture *f = *state;
	const struct option *o = conf_find(&f->sets, "timeouts", NULL);

	for (size_t i = 0; o->choices[i] != NULL; i++) {
		good(f, "timeouts", o->choices[i]);
		assert_true(conf_settle(&f->sets, &f->core, &f->e));
	}
	has_value(f, "idle_timeout", "15"); /* cisco, the last */
}

static void features_switch_on(void **state)
{
	struct fixture *f = *state;

	good(f, "features", "dist, idp ,");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_true(f->extra.dist);
	assert_int_equal(f->extra.idp, 1300);
	assert_null(f->extra.cdist);
}

static void features_all_keeps_what_was_given(void **state)
{
	struct fixture *f = *state;

	good(f, "dist", "0");
	good(f, "features", "all");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_false(f->extra.dist);
	assert_int_equal(f->extra.idp, 1300);
	assert_null(f->extra.cdist); /* needs a value that nobody gave */
	good(f, "idp", "20");
	assert_true(conf_settle(&f->sets, &f->core, &f->e));
	assert_int_equal(f->extra.idp, 20);
}

static void features_refuse_what_they_do_not_know(void **state)
{
	struct fixture *f = *state;

	good(f, "features", "dits");
	assert_false(conf_settle(&f->sets, &f->core, &f->e));
	assert_non_null(strstr(f->e.text, "the nearest is 'dist'"));
	good(f, "features", "wide"); /* an option, but no switch */
	assert_false(conf_settle(&f->sets, &f->core, &f->e));
	good(f, "features", "cdist");
	assert_false(conf_settle(&f->sets, &f->core, &f->e));
	assert_non_null(strstr(f->e.text, "cdist=FILE"));
}

#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)

static void repeated_values_are_added(void **state)
{
	struct fixture *f = *state;
	char long_text[LIMIT_OPTION_BYTES / 2 + 2];

	has_value(f, "many", "none");
	good(f, "many", "a:1");
	good(f, "many", "b c");
	good(f, "many", "a:1"); /* is there already */
	has_value(f, "many", "a:1\nb c");
	good(f, "many", "d\n\nb c\ne");
	has_value(f, "many", "a:1\nb c\nd\ne");
	good(f, "many", "none");
	has_value(f, "many", "none");
	good(f, "many", "x");
	has_value(f, "many", "x");
	bad(f, "many", "", "texts, or none");
	bad(f, "many", "\n\n", "texts, or none");
	memset(long_text, 'l', sizeof long_text);
	long_text[sizeof long_text - 1] = '\0';
	good(f, "many", long_text);
	long_text[0] = 'm';
	bad(f, "many", long_text, "too many values");
	good(f, "many", "none");
}

static void a_higher_rank_replaces_all_values(void **state)
{
	struct fixture *f = *state;
	static const char file[] = "many = one\nmany = two\n";

	assert_true(conf_load_text(&f->sets, "file", file, strlen(file), &f->e));
	assert_true(conf_load_text(&f->sets, "file", "many=3", 6, &f->e));
	has_value(f, "many", "one\ntwo\n3");
	good(f, "many", "four");
	good(f, "many", "five");
	has_value(f, "many", "four\nfive");
	assert_true(conf_load_text(&f->sets, "file", file, strlen(file), &f->e));
	has_value(f, "many", "four\nfive");
	assert_false(conf_load_text(&f->sets, "file", "many=", 5, &f->e));
}

static void repeated_values_go_round(void **state)
{
	struct fixture *f = *state;
	struct fixture *other;
	struct buf b = buf_new(LIMIT_TEXT_BYTES);
	const struct option_set *in;
	const struct option *o = conf_find(&f->sets, "many", &in);

	conf_value_json(o, in->base, &b);
	assert_int_equal(b.size, 2);
	assert_memory_equal(b.p, "[]", 2);
	good(f, "many", "a:\"b\"");
	good(f, "many", "c");
	buf_clear(&b);
	conf_value_json(o, in->base, &b);
	buf_byte(&b, '\0');
	assert_string_equal(b.p, "[\"a:\\\"b\\\"\",\"c\"]");

	good(f, "wide", "3"); /* its default is out of its range */
	setup((void **)&other);
	buf_clear(&b);
	print_config(&f->sets, &b);
	assert_non_null(memmem(b.p, b.size, "many = a:\"b\"\nmany = c\n", 22));
	assert_true(conf_load_text(&other->sets, "printed", b.p, b.size, &other->e));
	has_value(other, "many", "a:\"b\"\nc");
	teardown((void **)&other);
	buf_free(&b);
}

static void help_says_that_values_may_be_repeated(void **state)
{
	struct fixture *f = *state;
	struct buf b = buf_new(LIMIT_TEXT_BYTES);

	print_help(&f->sets, &b);
	assert_non_null(memmem(b.p, b.size, "many=VALUE ...", 14));
	buf_clear(&b);
	print_man(&f->sets, &b);
	assert_non_null(memmem(b.p, b.size, "\nMay be given several times", 27));
	buf_clear(&b);
	print_options(&f->sets, &b);
	assert_non_null(memmem(b.p, b.size, "Texts. May be given several times", 33));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		TEST(defaults_are_those_of_the_table),
		TEST(every_option_takes_its_own_default),
		TEST(bool_takes_words),
		TEST(numbers_keep_to_their_range),
		TEST(neighbours_are_left_alone),
		TEST(seconds_are_exact),
		TEST(sizes_take_letters),
		TEST(texts_and_choices),
		TEST(unknown_names_get_the_nearest),
		TEST(distance_counts_letters),
		TEST(lines_on_the_command_line),
		TEST(higher_rank_wins_in_either_order),
		TEST(presets_fill_what_was_not_given),
		TEST(a_preset_of_higher_rank_wins),
		TEST(every_preset_is_known),
		TEST(features_switch_on),
		TEST(features_all_keeps_what_was_given),
		TEST(features_refuse_what_they_do_not_know),
		TEST(repeated_values_are_added),
		TEST(a_higher_rank_replaces_all_values),
		TEST(repeated_values_go_round),
		TEST(help_says_that_values_may_be_repeated),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
