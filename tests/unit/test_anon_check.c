/* SPDX-License-Identifier: BSD-3-Clause */
/* test_anon_check.c - listed addresses are found wherever a record may hold them, others are not.
 */
#include "base/limits.h"
#include "host/anon_check.h"
#include "list_kit.h"

/* Checks these lines for 10.20.30.0/24 and 2001:db8:77::/48; how many are found. */
static uint64_t found_in(const char *records, char *report, size_t room)
{
	struct buf b = buf_new(1 << 20);
	uint64_t found = 77;
	struct err e;

	if (!anon_check(file("nets", "10.20.30.0/24\n2001:db8:77::/48\n"), file("records", records),
			    &b, &found, &e))
		fail_msg("%s", e.text);
	buf_byte(&b, '\0');
	if (report != NULL)
		snprintf(report, room, "%s", b.p);
	buf_free(&b);
	return found;
}

static void holds(const char *record, const char *words)
{
	char report[1000];
	uint64_t found = found_in(record, report, sizeof report);

	if (found != 1 || strstr(report, words) == NULL)
		fail_msg("%s: %llu found: %s", record, (unsigned long long)found, report);
}

static void holds_none(const char *record)
{
	char report[1000];

	if (found_in(record, report, sizeof report) != 0)
		fail_msg("%s: %s", record, report);
	assert_non_null(strstr(report, "listed addresses: none"));
}

static void where_addresses_hide(void **unused)
{
	(void)unused;
	holds("{\"sa\":\"10.20.30.4\"}\n", "sa: 1 of 1 values, the first in line 1: 10.20.30.4");
	holds("{\"a\":1}\n{\"x\":{\"y\":[{\"z\":\"2001:db8:77::1\"}]}}",
			"x.y.z: 1 of 1 values, the "
			"first in line 2");
	holds("{\"l\":[\"8.8.8.8\",\"10.20.30.4\"],\"m\":1}\n", "l: 1 of 2");
	holds("{\"a\":{\"b\":\"x\"},\"c\":\"10.20.30.4\"}", "c: 1 of 1");
	holds("{\"t\":\"see http://10.20.30.4:80/\"}", "t: 1 of 1");
	holds("{\"t\":\"4.30.20.10.in-addr.arpa\"}", "10.20.30.4");
	holds("{\"t\":\"30.20.10.in-addr.arpa\"}", "10.20.30.0");
	holds("{\"t\":\"ip-10-20-30-4.internal\"}", "10.20.30.4");
	holds("{\"t\":\"1.0.0.0.7.7.0.0.8.b.d.0.1.0.0.2.ip6.arpa\"}", "2001:db8:77:1::");
	holds("{\"t\":\"::ffff:10.20.30.4\"}", "::ffff:10.20.30.4");
	holds("{\"t\":\"\\u0031\\u0030.20.30.4\"}", "10.20.30.4");
	holds("{\"idp\":\"4500003c000040004006000008080808"
	      "0a141e040102030405060708\"}",
			"idp: 1 of 1");
	holds("{\"idp\":\"6000000000003b4020010db8007700000000000000000001"
	      "20010db8000000000000000000000002\"}",
			"idp: 1 of 1");
	holds("{\"h\":\"486f73743a2031302e32302e33302e340d0a\"}", "10.20.30.4");
	holds("sa,da\n\"10.20.30.4\",8.8.8.8\n", "(text): 1 of ");
	/* bytes that by chance would hardly be a listed address */
	holds("{\"h\":\"ffffffff0a141e04ffffffff\"}", "h: 1 times four bytes");
}

static void others_are_left_alone(void **unused)
{
	(void)unused;
	holds_none("");
	holds_none("{}\n[]\n\nnull\n");
	holds_none("{\"sa\":\"10.20.31.4\",\"oid\":\"1.10.20.30.4\",\"n\":10.20}");
	holds_none("{\"10.20.30.4\":1}");
	holds_none("{\"h\":\"0a141f04\",\"i\":\"0a141\",\"j\":\"zz141e04\"}");
	holds_none("{\"a\":\"unfinished");
	holds_none("{\"a\":\"\\");
	holds_none("{\"a\":\"\\u00");
	holds_none("]]]]}}}}{{{{[[[[\"\":,,");
}

static void deep_nesting_ends_somewhere(void **unused)
{
	char text[3000];

	(void)unused;
	memset(text, '[', sizeof text - 1);
	memcpy(text, "{\"a\":", 5);
	text[sizeof text - 1] = '\0';
	found_in(text, NULL, 0);
	for (size_t i = 0; i + 5 < sizeof text; i += 5)
		memcpy(text + i, "{\"a\":", 5);
	found_in(text, NULL, 0);
}

/* With a large subnet some bytes are listed addresses by chance, and do not count. */
static void chance_is_told_apart(void **unused)
{
	struct buf b = buf_new(1 << 20);
	char records[4200];
	uint64_t found = 1;
	struct err e;

	(void)unused;
	memcpy(records, "{\"r\":\"", 6);
	for (unsigned i = 0; i < 4000; i++)
		records[6 + i] = "0123456789abcdef"[next_random() % 16];
	memcpy(records + 4006, "\"}\n", 4);
	assert_true(anon_check(
			file("nets", "10.0.0.0/8\n"), file("records", records), &b, &found, &e));
	buf_byte(&b, '\0');
	assert_non_null(strstr(b.p, "so they are passed over"));
	assert_int_equal(found, 0);
	buf_free(&b);
}

static void files_that_cannot_be_read(void **unused)
{
	struct buf b = buf_new(1 << 20);
	uint64_t found;
	struct err e;

	(void)unused;
	assert_false(anon_check("/nonexistent/nets", "/nonexistent/records", &b, &found, &e));
	assert_non_null(strstr(e.text, "/nonexistent/nets"));
	assert_false(anon_check(
			file("nets", "10.0.0.0/8\n"), "/nonexistent/records", &b, &found, &e));
	assert_non_null(strstr(e.text, "/nonexistent/records"));
	assert_false(anon_check(file("nets", "x\n"), "/nonexistent/records", &b, &found, &e));
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(where_addresses_hide),
		cmocka_unit_test(others_are_left_alone),
		cmocka_unit_test(deep_nesting_ends_somewhere),
		cmocka_unit_test(chance_is_told_apart),
		cmocka_unit_test(files_that_cannot_be_read),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
