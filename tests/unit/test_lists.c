/* SPDX-License-Identifier: BSD-3-Clause */
/* test_lists.c - files of lists: lines, labels, watchlists in all their formats, what is refused.
 */
#include "base/limits.h"
#include "host/geo.h"
#include "host/label.h"
#include "host/lines.h"
#include "host/watch.h"
#include "list_kit.h"

static void says(const struct err *e, const char *words)
{
	if (strstr(e->text, words) == NULL)
		fail_msg("'%s' does not say '%s'", e->text, words);
}

/* --- lines ------------------------------------------------------------------------------- */

static void lines_without_comments(void **unused)
{
	static const char *const want[] = { "one", "two words", "a#b;c", "last" };
	struct lines l;
	struct err e;
	size_t n = 0;

	(void)unused;
	assert_true(lines_open(&l,
			file("lines", "\xef\xbb\xbf"
				      "# comment\n\n  one\t# more\r\n; other\n\ttwo words ; x\n"
				      "a#b;c\n   \nlast"),
			&e));
	while (lines_next(&l)) {
		assert_int_equal(l.size, strlen(want[n]));
		assert_memory_equal(l.text, want[n], l.size);
		n++;
	}
	assert_int_equal(n, 4);
	assert_int_equal(l.number, 8);
	assert_false(lines_refuse(&l, "why", &e));
	says(&e, "/lines:8: last: why");
	lines_again(&l);
	assert_true(lines_next_row(&l));
	assert_memory_equal(l.text, "one\t# more", l.size);
	assert_int_equal(l.number, 3);
	lines_close(&l);
	lines_close(&l);
}

static void files_that_are_none(void **unused)
{
	struct lines l;
	struct err e;

	(void)unused;
	assert_false(lines_open(&l, "/nonexistent/list", &e));
	says(&e, "/nonexistent/list: No such file");
	assert_false(lines_open(&l, list_folder, &e));
	says(&e, "Is a directory");
	assert_true(lines_open(&l, file("empty", ""), &e));
	assert_false(lines_next(&l));
	lines_close(&l);
}

/* --- labels ------------------------------------------------------------------------------ */

static void has_labels(const struct labels *l, const char *of, const char *want)
{
	struct address a = address(of);
	char text[200] = "";
	size_t count;
	const char *const *words = labels_find(l, a.version, a.bytes, &count);

	for (size_t i = 0; i < count; i++)
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%s", i > 0 ? " " : "",
				words[i]);
	if (strcmp(text, want) != 0)
		fail_msg("%s has '%s', not '%s'", of, text, want);
}

static void labels_nest_and_add_up(void **unused)
{
	char option[1200];
	struct err e;
	struct labels *l;

	(void)unused;
	snprintf(option, sizeof option, "inside:%s\nlab:%s\ninside:%s\nall:%s",
			file("in", "10.0.0.0/8 # ours\nfc00::/7\n"),
			file("lab", "10.1.0.0/16\n10.1.2.3\n192.0.2.0/255.255.255.0\n"),
			file("more", "2001:db8::/32\n10.1.2.0/24\n"),
			file("all", "0.0.0.0/0\n10.1.2.3/32\n"));
	l = labels_load(option, &e);
	if (l == NULL)
		fail_msg("%s", e.text);
	has_labels(l, "10.1.2.3", "inside lab all");
	has_labels(l, "10.9.9.9", "inside all");
	has_labels(l, "192.0.2.255", "lab all");
	has_labels(l, "8.8.8.8", "all");
	has_labels(l, "fd00::1", "inside");
	has_labels(l, "2001:db8:1::", "inside");
	has_labels(l, "2001:db9::", "");
	labels_free(l);
	labels_free(NULL);
}

static void bad_label(const char *option, const char *words)
{
	struct err e;

	if (labels_load(option, &e) != NULL)
		fail_msg("%s was taken", option);
	says(&e, words);
}

static void mistakes_in_labels(void **unused)
{
	char option[600];

	(void)unused;
	bad_label("name", "label=name: must be NAME:FILE");
	bad_label(":file", "must be NAME:FILE");
	bad_label("name:", "must be NAME:FILE");
	bad_label("name:/nonexistent/x", "/nonexistent/x");
	snprintf(option, sizeof option, "a:%s", file("bad", "10.0.0.0/8\n\n10.0.0.0/40\n"));
	bad_label(option, "/bad:3: 10.0.0.0/40: the length of an IPv4 subnet is 0 to 32");
	snprintf(option, sizeof option, "a:%s", file("bad", "example.com\n"));
	bad_label(option, "/bad:1: example.com: not an IPv4 or IPv6 address or subnet");
	snprintf(option, sizeof option, "a:%s", file("bad", "10.0.0.0/8 extra\n"));
	bad_label(option, "/bad:1:");
}

/* Sixteen subnets around each other, each with its own label. */
static void many_combinations(void **unused)
{
	char option[4000] = "", name[32], text[64];
	struct err e;
	struct labels *l;
	struct address a = address("10.0.0.0");
	size_t count;

	(void)unused;
	for (unsigned i = 8; i < 24; i++) {
		snprintf(name, sizeof name, "n%u", i);
		snprintf(text, sizeof text, "10.0.0.0/%u\n", i);
		snprintf(option + strlen(option), sizeof option - strlen(option), "%s%s:%s",
				i > 8 ? "\n" : "", name, file(name, text));
	}
	l = labels_load(option, &e);
	assert_non_null(l);
	labels_find(l, 4, a.bytes, &count);
	assert_int_equal(count, 16);
	a = address("10.0.0.0");
	a.bytes[1] = 0x80;
	labels_find(l, 4, a.bytes, &count);
	assert_int_equal(count, 1);
	labels_free(l);
}

/* --- watchlists -------------------------------------------------------------------------- */

static struct watch *watch(const char *option)
{
	struct err e;
	struct watch *w = watch_load(option, &e);

	if (w == NULL)
		fail_msg("%s: %s", option, e.text);
	return w;
}

/* What is found, as "ENTRY@LIST ..." */
static void finds(const struct watch *w, const char *what, const char *want)
{
	struct watch_hit hits[LIMIT_WATCH_HITS];
	size_t more = 0, n = watch_name(w, what, strlen(what), hits, LIMIT_WATCH_HITS, &more);
	char text[800] = "", subnet[PREFIX_ROOM];

	assert_int_equal(more, 0);
	for (size_t i = 0; i < n; i++) {
		const char *entry = hits[i].entry;
		size_t size = hits[i].entry_size;

		if (entry == NULL) {
			size = prefix_text(&hits[i].subnet, subnet);
			entry = subnet;
		}
		snprintf(text + strlen(text), sizeof text - strlen(text), "%s%.*s@%s",
				i > 0 ? " " : "", (int)size, entry, hits[i].list);
	}
	if (strcmp(text, want) != 0)
		fail_msg("%s: '%s', not '%s'", what, text, want);
}

static void plain_lists(void **unused)
{
	struct watch *w =
			watch(file("plain", "bad.example # no\n*.wild.example\n.dot.example.\n"
					    "192.0.2.0/24\n192.0.2.7\n2001:db8::1\n"
					    "198.51.100.1:8080\nhttp://url.example:80/a?b#c\n"
					    "https://user@other.example\n[2001:db8::2]:443\n"
					    "port.example:99\nplain.example/path\nBÜCHER.example\n"
					    "http://[2001:db8::3]/\n"));

	(void)unused;
	finds(w, "bad.example", "bad.example@plain");
	finds(w, "WWW.Bad.Example.", "bad.example@plain");
	finds(w, "bad.example:443", "bad.example@plain");
	finds(w, "notbad.example", "");
	finds(w, "bad.example.org", "");
	finds(w, "x.wild.example", "wild.example@plain");
	finds(w, "wild.example", "wild.example@plain");
	finds(w, "*.wild.example", "wild.example@plain");
	finds(w, "dot.example", "dot.example@plain");
	finds(w, "192.0.2.7", "192.0.2.7@plain");
	finds(w, "192.0.2.8", "192.0.2.0/24@plain");
	finds(w, "192.0.2.8:80", "192.0.2.0/24@plain");
	finds(w, "192.0.2.0/25", "");
	finds(w, "2001:db8::1", "2001:db8::1@plain");
	finds(w, "2001:db8::2", "2001:db8::2@plain");
	finds(w, "2001:db8::3", "2001:db8::3@plain");
	finds(w, "198.51.100.1", "198.51.100.1@plain");
	finds(w, "a.url.example", "url.example@plain");
	finds(w, "other.example", "other.example@plain");
	finds(w, "port.example", "port.example@plain");
	finds(w, "plain.example", "plain.example@plain");
	finds(w, "xn--bcher-kva.example", "xn--bcher-kva.example@plain");
	finds(w, "www.bücher.example", "xn--bcher-kva.example@plain");
	finds(w, "", "");
	finds(w, "no name", "");
	watch_free(w);
	watch_free(NULL);
}

static void hosts_files(void **unused)
{
	struct watch *w = watch(file("hosts", "127.0.0.1 localhost\n::1 localhost ip6-loopback\n"
					      "255.255.255.255\tbroadcasthost\n"
					      "fe80::1%lo0 localhost\nff02::1 ip6-allnodes\n"
					      "0.0.0.0 0.0.0.0\n"
					      "0.0.0.0 bad.example\tworse.example # both\n"
					      ":: six.example\n"));

	(void)unused;
	finds(w, "bad.example", "bad.example@hosts");
	finds(w, "a.worse.example", "worse.example@hosts");
	finds(w, "six.example", "six.example@hosts");
	finds(w, "localhost", "");
	finds(w, "0.0.0.0", "");
	finds(w, "127.0.0.1", "");
	watch_free(w);
}

static void csv_files(void **unused)
{
	struct watch *w = watch(file("a.csv", "# feed\nfirst_seen,Indicator,note\n"
					      "2026-01-01,\"bad.example\",\"a, b\"\n"
					      "2026-01-02, 192.0.2.1 ,x # y\n\n2026-01-03,,\n"
					      "2026-01-03\n"));
	struct watch *b = watch(file("b.csv", "one.example,malware\n\"192.0.2.2\",x\n"));
	struct watch *c = watch(file("c.csv", "name;type\nthree.example;x\n"));
	struct watch *d = watch(
			file("d.csv", "id,ip,domain\n1,192.0.2.4,four.example\n2,,five.example\n"));

	(void)unused;
	finds(w, "bad.example", "bad.example@a.csv");
	finds(w, "192.0.2.1", "192.0.2.1@a.csv");
	finds(b, "one.example", "one.example@b.csv");
	finds(b, "192.0.2.2", "192.0.2.2@b.csv");
	finds(c, "three.example", "three.example@c.csv");
	finds(c, "name", "");
	finds(d, "192.0.2.4", "192.0.2.4@d.csv");
	finds(d, "four.example", "four.example@d.csv");
	finds(d, "five.example", "five.example@d.csv");
	watch_free(w);
	watch_free(b);
	watch_free(c);
	watch_free(d);
}

static void several_lists(void **unused)
{
	char option[800];
	struct watch *w;
	struct watch_hit hits[1];
	size_t more = 0;
	struct address a = address("192.0.2.9");

	(void)unused;
	snprintf(option, sizeof option, "%s\n%s\n%s", file("x", "example.com\n192.0.2.0/24\n"),
			file("y", "www.example.com\nexample.com\n192.0.2.9\n192.0.0.0/16\n"),
			file("z", "com\n"));
	w = watch(option);
	finds(w, "www.example.com", "www.example.com@y example.com@x com@z");
	finds(w, "example.com", "example.com@x example.com@y com@z");
	finds(w, "192.0.2.9", "192.0.2.9@y 192.0.2.0/24@x");
	assert_int_equal(watch_address(w, 4, a.bytes, hits, 1, &more), 1);
	assert_int_equal(more, 1);
	assert_string_equal(hits[0].list, "y");
	watch_free(w);
}

static void bad_watch(const char *text, const char *words)
{
	struct err e;

	if (watch_load(file("bad", text), &e) != NULL)
		fail_msg("'%s' was taken", text);
	says(&e, words);
}

static void mistakes_in_watchlists(void **unused)
{
	struct err e;

	(void)unused;
	assert_null(watch_load("/nonexistent/list", &e));
	says(&e, "watch: cannot read /nonexistent/list");
	bad_watch("a.example\nb .. c\n", "/bad:2: b .. c: more than one entry in a line");
	bad_watch("1.2.3.999\n", "/bad:1: 1.2.3.999: neither");
	bad_watch("1.2.3.4/33\n", "the length of an IPv4 subnet");
	bad_watch("bad..example\n", "neither an address, nor a subnet, nor a name");
	bad_watch("a*b.example\n", "neither");
	bad_watch("192.168.1.1 name.example\n", "more than one entry");
	bad_watch("0.0.0.0 good.example bad..example\n", "/bad:1:");
	bad_watch("domain,x\ngood.example,1\n!!,2\n", "/bad:3: !!,2: neither");
	bad_watch("http://\n", "neither");
	bad_watch("\x01\x1b[2J\n", "/bad:1: ??[2J: neither");
}

static void lists_without_anything(void **unused)
{
	struct watch *w = watch(file("none", "# nothing\n"));

	(void)unused;
	finds(w, "example.com", "");
	finds(w, "192.0.2.1", "");
	watch_free(w);
}

/* --- MaxMind DB -------------------------------------------------------------------------- */

static void files_that_are_no_database(void **unused)
{
	struct err e;

	(void)unused;
	assert_null(geo_load("/nonexistent.mmdb", &e));
	says(&e, "geoip: ");
	assert_null(geo_load(file("no.mmdb", "this is none"), &e));
	says(&e, "geoip: ");
	geo_free(NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(lines_without_comments),
		cmocka_unit_test(files_that_are_none),
		cmocka_unit_test(labels_nest_and_add_up),
		cmocka_unit_test(mistakes_in_labels),
		cmocka_unit_test(many_combinations),
		cmocka_unit_test(plain_lists),
		cmocka_unit_test(hosts_files),
		cmocka_unit_test(csv_files),
		cmocka_unit_test(several_lists),
		cmocka_unit_test(mistakes_in_watchlists),
		cmocka_unit_test(lists_without_anything),
		cmocka_unit_test(files_that_are_no_database),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
