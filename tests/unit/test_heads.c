/* SPDX-License-Identifier: BSD-3-Clause */
/* test_heads.c - which data elements files of records have, by their configuration objects. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "api/heads.h"
#include "joy.h"

static void add(struct heads *h, const char *line)
{
	assert_true(heads_add(h, (struct rd){ (const uint8_t *)line, strlen(line) }, NULL));
}

/* The names of what is on, each with a space before it. */
static void check(struct heads *h, const char *names, bool both)
{
	char text[1000] = "";

	heads_end(h);
	for (size_t i = 0; i < feature_count; i++)
		if (h->on[i])
			snprintf(text + strlen(text), sizeof text - strlen(text), " %s",
					feature_list[i]->name);
	assert_string_equal(text, names);
	assert_int_equal(h->both, both);
	heads_free(h);
}

static void switches_are_read(void **unused)
{
	struct heads h = heads_new();

	(void)unused;
	add(&h, "{\"version\":\"1.0.0\",\"bidir\":1,\"num_pkts\":0,\"tls\":1,\"idp\":64,"
		"\"exe\":0,\"label\":[]}\n");
	check(&h, " base idp handshake tls", true);
}

static void values_of_all_types(void **unused)
{
	struct heads h = heads_new();

	(void)unused;
	add(&h, "{\"version\":\"1.0.0\",\"bidir\":0,\"num_pkts\":0,\"label\":[\"a:/no/file\","
		"\"b:/none\"],\"cdist\":\"/no/\\u006dap\",\"geoip\":[\"/no.mmdb\"],"
		"\"watch\":null,\"hd\":null}");
	check(&h, " base dist label geo", false);
}

static void files_add_up(void **unused)
{
	struct heads h = heads_new();

	(void)unused;
	add(&h, "{\"version\":\"1.0.0\",\"bidir\":0,\"num_pkts\":0,\"tcp\":1}\r\n");
	add(&h, "{\"bidir\":1,\"num_pkts\":50,\"version\":\"1.0.0\"}\n");
	assert_int_equal(h.count, 2);
	assert_int_equal(h.configuration.size, 50);
	assert_memory_equal(h.configuration.p + 42, "\"tcp\":1}", 8);
	check(&h, " base packets tcp", true);
}

/* features= of another version may mean more than what its records had. */
static void general_words_are_not_taken(void **unused)
{
	struct heads h = heads_new();

	(void)unused;
	add(&h, "{\"version\":\"0.1\",\"features\":\"all\",\"timeouts\":\"unheard of\","
		"\"num_pkts\":0,\"strange\":{\"a\":[1]},\"idle_timeout\":\"wrong\",\"wht\":1}");
	check(&h, " base wht", false);
}

static void everything(char *names, size_t size)
{
	*names = '\0';
	for (size_t i = 0; i < feature_count; i++)
		if (feature_list[i]->fields != NULL)
			snprintf(names + strlen(names), size - strlen(names), " %s",
					feature_list[i]->name);
}

static void without_a_configuration_all_is_on(void **unused)
{
	static const char *const lines[] = { "{\"sa\":\"192.0.2.1\"}\n", "no JSON", "[]",
		"{\"version\":\"1.0.0\",", "{\"version\":\"1.0.0\"} x" };
	struct heads h = heads_new();
	char names[1000];

	(void)unused;
	everything(names, sizeof names);
	check(&h, names, true);
	for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
		h = heads_new();
		add(&h, "{\"version\":\"1.0.0\",\"num_pkts\":0}");
		add(&h, lines[i]);
		check(&h, names, true);
	}
}

static int first_line(void *ctx, const char *bytes, size_t size)
{
	struct heads *h = ctx;

	if (h->count == 0)
		assert_true(heads_add(h, (struct rd){ (const uint8_t *)bytes, size }, NULL));
	return 0;
}

/* What a run writes about itself is read back. */
static void a_run_is_understood(void **unused)
{
	struct heads h = heads_new();
	struct joy *j = joy_new();

	(void)unused;
	joy_set(j, "features", "tls,entropy");
	joy_set(j, "bidir", "1");
	joy_on_line(j, first_line, &h);
	assert_int_equal(joy_start(j), JOY_OK);
	assert_int_equal(joy_finish(j), JOY_OK);
	joy_free(j);
	assert_int_equal(h.count, 1);
	check(&h, " base packets dist handshake tls", true);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(switches_are_read),
		cmocka_unit_test(values_of_all_types),
		cmocka_unit_test(files_add_up),
		cmocka_unit_test(general_words_are_not_taken),
		cmocka_unit_test(without_a_configuration_all_is_on),
		cmocka_unit_test(a_run_is_understood),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
