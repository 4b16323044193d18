/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_anon.c - addresses, names, users and packets without what tells whose they are; the key.
 *
 * The key and the addresses in the first tests are those of the sample that the authors of
 * Crypto-PAn publish with their code.
 */
#include "base/buf.h"
#include "base/limits.h"
#include "host/anon.h"
#include "list_kit.h"

static const uint8_t key_bytes[] = { 21, 34, 23, 141, 51, 164, 207, 128, 19, 10, 91, 22, 73, 144,
	125, 16, 216, 152, 143, 131, 121, 121, 101, 39, 98, 87, 76, 45, 42, 132, 34, 2 };

static const char *key_file(const char *name)
{
	char text[70];

	for (size_t i = 0; i < sizeof key_bytes; i++)
		snprintf(text + 2 * i, 3, "%02x", key_bytes[i]);
	memcpy(text + 64, "\n", 2);
	const char *path = file(name, text);

	assert_int_equal(chmod(path, 0600), 0);
	return path;
}

static struct anon *load(const struct anon_conf *conf)
{
	struct err e;
	struct anon *a = anon_load(conf, NULL, &e);

	if (a == NULL)
		fail_msg("%s", e.text);
	return a;
}

static struct anon *for_subnets(const char *subnets)
{
	struct anon_conf conf = { .subnets = file("subnets", subnets),
		.key_file = key_file("key") };

	return load(&conf);
}

static void says(const struct err *e, const char *words)
{
	if (strstr(e->text, words) == NULL)
		fail_msg("'%s' does not say '%s'", e->text, words);
}

/* --- Crypto-PAn -------------------------------------------------------------------------- */

static void the_authors_sample(void **unused)
{
	static const char *const pairs[][2] = {
		{ "128.11.68.132", "135.242.180.132" },
		{ "129.118.74.4", "134.136.186.123" },
		{ "130.132.252.244", "133.68.164.234" },
		{ "141.223.7.43", "141.167.8.160" },
	};
	struct anon *a = for_subnets("0.0.0.0/0\n");
	struct anon_worker *w = anon_worker_new();

	(void)unused;
	for (unsigned twice = 0; twice < 2; twice++) { /* then from the cache */
		for (size_t i = 0; i < 4; i++) {
			struct address from = address(pairs[i][0]), to = address(pairs[i][1]);

			assert_int_equal(anon_address(a, w, 4, from.bytes), ANON_CHANGED);
			assert_memory_equal(from.bytes, to.bytes, 4);
		}
	}
	anon_worker_free(w);
	anon_worker_free(NULL);
	anon_free(a);
	anon_free(NULL);
}

static unsigned common_bits(const uint8_t *a, const uint8_t *b, unsigned bits)
{
	unsigned n = 0;

	while (n < bits && (((a[n / 8] ^ b[n / 8]) >> (7 - n % 8)) & 1) == 0)
		n++;
	return n;
}

static void prefixes_are_kept(void **unused)
{
	struct anon *a = for_subnets("0.0.0.0/0\n::/0\n");
	struct anon_worker *w = anon_worker_new();

	(void)unused;
	for (unsigned round = 0; round < 400; round++) {
		uint8_t version = round % 2 ? 4 : 6, x[16], y[16], fx[16], fy[16];
		unsigned bits = version == 4 ? 32 : 128;

		for (unsigned i = 0; i < 16; i++)
			x[i] = y[i] = (uint8_t)next_random();
		for (unsigned i = (unsigned)(next_random() % bits) / 8; i < 16; i++)
			y[i] = (uint8_t)next_random();
		memcpy(fx, x, 16);
		memcpy(fy, y, 16);
		assert_int_equal(anon_address(a, w, version, fx), ANON_CHANGED);
		assert_int_equal(anon_address(a, w, version, fy), ANON_CHANGED);
		assert_int_equal(common_bits(x, y, bits), common_bits(fx, fy, bits));
	}
	anon_worker_free(w);
	anon_free(a);
}

static void only_listed_ones(void **unused)
{
	struct anon *a = for_subnets("10.0.0.0/8\n2001:db8::/32\n");
	struct anon_worker *w = anon_worker_new();
	struct address same = address("11.0.0.1"), other = address("2001:db9::1"),
		       ours = address("2001:db8::1"), before = ours;

	(void)unused;
	assert_int_equal(anon_address(a, w, 4, same.bytes), ANON_SAME);
	assert_int_equal(anon_address(a, w, 6, other.bytes), ANON_SAME);
	assert_int_equal(anon_address(a, w, 6, ours.bytes), ANON_CHANGED);
	assert_memory_not_equal(ours.bytes, before.bytes, 16);
	assert_true(anon_listed(a, 4, address("10.255.0.1").bytes));
	assert_false(anon_listed(a, 4, same.bytes));
	anon_worker_free(w);
	anon_free(a);
}

/* The IPv4 address within becomes what it becomes alone; the rest stays. */
static void ipv4_within_ipv6(void **unused)
{
	static const struct {
		const char *text;
		unsigned at;
	} all[] = {
		{ "::ffff:10.1.2.3", 12 },
		{ "::10.1.2.3", 12 },
		{ "64:ff9b::10.1.2.3", 12 },
		{ "2002:a01:203::1", 2 },
		{ "2001:db8:1:2:0:5efe:10.1.2.3", 12 },
		{ "fe80::200:5efe:10.1.2.3", 12 },
		{ "2001:0:a01:203::", 4 },
	};
	struct anon *a = for_subnets("10.1.0.0/16\n");
	struct anon_worker *w = anon_worker_new();
	struct address alone = address("10.1.2.3"), teredo = address("2001:0:808:808::f5fe:fdfc"),
		       none = address("::1");

	(void)unused;
	anon_address(a, w, 4, alone.bytes);
	for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
		struct address v6 = address(all[i].text), want = v6;

		assert_true(anon_listed(a, 6, v6.bytes));
		memcpy(want.bytes + all[i].at, alone.bytes, 4);
		assert_int_equal(anon_address(a, w, 6, v6.bytes), ANON_CHANGED);
		assert_memory_equal(v6.bytes, want.bytes, 16);
	}
	assert_true(anon_listed(a, 6, teredo.bytes));
	assert_int_equal(anon_address(a, w, 6, teredo.bytes), ANON_CHANGED);
	for (unsigned i = 0; i < 4; i++)
		assert_int_equal(teredo.bytes[12 + i], (uint8_t)~alone.bytes[i]);
	assert_false(anon_listed(a, 6, none.bytes));
	anon_worker_free(w);
	anon_free(a);
}

/* --- texts ------------------------------------------------------------------------------- */

struct texts {
	struct anon *a;
	struct anon_worker *w;
	struct buf b;
};

static struct texts texts(struct anon *a)
{
	return (struct texts){ a, anon_worker_new(), buf_new(1 << 20) };
}

static void done(struct texts *t)
{
	buf_free(&t->b);
	anon_worker_free(t->w);
	anon_free(t->a);
}

static const char *turned(struct texts *t, enum anon_text what, const char *text)
{
	enum anon_outcome outcome;

	buf_clear(&t->b);
	outcome = anon_text(t->a, t->w, what, text, strlen(text), &t->b);
	assert_int_not_equal(outcome, ANON_FAILED);
	if (outcome == ANON_SAME)
		return text;
	buf_byte(&t->b, '\0');
	return t->b.p;
}

static void becomes(struct texts *t, const char *text, const char *want)
{
	assert_string_equal(turned(t, ANON_TEXT, text), want);
}

static void stays(struct texts *t, const char *text)
{
	becomes(t, text, text);
}

/* 128.11.68.132 becomes 135.242.180.132. */
static void addresses_in_text(void **unused)
{
	struct texts t = texts(for_subnets("128.11.0.0/16\n2001:db8::/32\n"));
	char v6[64];

	(void)unused;
	becomes(&t, "128.11.68.132", "135.242.180.132");
	becomes(&t, "a 128.11.68.132, b", "a 135.242.180.132, b");
	becomes(&t, "128.11.68.132.", "135.242.180.132.");
	becomes(&t, "128.11.68.132:443", "135.242.180.132:443");
	becomes(&t, "http://128.11.68.132/x?128.11.68.132",
			"http://135.242.180.132/x?135.242.180.132");
	becomes(&t, "128.11.68.132.example", "135.242.180.132.example");
	becomes(&t, "ip-128-11-68-132.example", "ip-135-242-180-132.example");
	becomes(&t, "5-128-11-68-132", "5-135-242-180-132");
	becomes(&t, "132.68.11.128.in-addr.arpa", "132.180.242.135.in-addr.arpa");
	becomes(&t, "x.1.132.68.11.128.IN-ADDR.ARPA.", "x.1.132.180.242.135.IN-ADDR.ARPA.");
	becomes(&t, "68.11.128.in-addr.arpa", "180.242.135.in-addr.arpa");
	becomes(&t, "net 128.11.0.0/16", "net 135.242.0.0/16");
	becomes(&t, "::ffff:128.11.68.132", "::ffff:135.242.180.132");
	becomes(&t, "{\"a\":\"128.11.68.132\"}", "{\"a\":\"135.242.180.132\"}");
	stays(&t, "128.12.68.132");
	stays(&t, "v128.11.68.132");
	stays(&t, "128.11.68.132a");
	stays(&t, "1.128.11.68.132");
	stays(&t, "128.11.68.132.1");
	stays(&t, "128.11.68");
	stays(&t, "128.11.68.1320");
	stays(&t, "");
	snprintf(v6, sizeof v6, "%s", turned(&t, ANON_TEXT, "2001:db8::1"));
	assert_string_not_equal(v6, "2001:db8::1");
	snprintf(v6 + strlen(v6), sizeof v6 - strlen(v6), "]:80");
	becomes(&t, "2001:db8::1]:80", v6);
	assert_string_not_equal(turned(&t, ANON_TEXT, "see 2001:DB8::1."), "see 2001:DB8::1.");
	assert_string_not_equal(turned(&t, ANON_TEXT, "1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa"),
			"1.0.0.0.8.b.d.0.1.0.0.2.ip6.arpa");
	stays(&t, "12:34:56");
	stays(&t, "std::string");
	stays(&t, "2001:db9::1");
	done(&t);
}

static void names_by_labels(void **unused)
{
	struct anon_conf conf = { .subnets = file("subnets", "128.11.0.0/16\n"),
		.key_file = key_file("key"),
		.names = true };
	struct texts t = texts(load(&conf));
	char one[100], two[100], three[120];

	(void)unused;
	snprintf(one, sizeof one, "%s", turned(&t, ANON_NAME, "www.example.com"));
	snprintf(two, sizeof two, "%s", turned(&t, ANON_NAME, "example.com"));
	snprintf(three, sizeof three, "%s", turned(&t, ANON_NAME, "www.example.net"));
	assert_int_equal(strlen(one), 3 * 16 + 2);
	assert_string_equal(one + 17, two);
	assert_memory_not_equal(one, three, 16); /* the same label in another domain */
	assert_string_equal(turned(&t, ANON_NAME, "WWW.Example.com."), one);
	snprintf(three, sizeof three, "*.%s", two);
	assert_string_equal(turned(&t, ANON_NAME, "*.example.com"), three);
	snprintf(three, sizeof three, "%s", turned(&t, ANON_NAME, "somebody@example.com"));
	assert_int_equal(three[16], '@');
	assert_string_equal(three + 17, two);
	assert_int_equal(strlen(turned(&t, ANON_NAME, "no host name at all")), 32);
	assert_string_equal(turned(&t, ANON_NAME, "128.11.68.132"), "135.242.180.132");
	assert_string_equal(turned(&t, ANON_NAME, "9.9.9.9"), "9.9.9.9");
	assert_string_equal(turned(&t, ANON_NAME, "128.11.0.0/16"), "135.242.0.0/16");
	stays(&t, "www.example.com"); /* as a text, not a name */
	done(&t);
}

static void users_as_whole_words(void **unused)
{
	struct anon_conf conf = { .users = file("users", "alice\nBob.Smith\n"),
		.key_file = key_file("key") };
	struct texts t = texts(load(&conf));
	char alice[32], want[100];

	(void)unused;
	snprintf(alice, sizeof alice, "%s", turned(&t, ANON_TEXT, "alice"));
	assert_int_equal(strlen(alice), 16);
	becomes(&t, "Alice", alice);
	snprintf(want, sizeof want, "/home/%s/x?u=%s&", alice, alice);
	becomes(&t, "/home/alice/x?u=ALICE&", want);
	stays(&t, "malice alices alice2");
	stays(&t, "128.11.68.132");
	assert_int_equal(strlen(turned(&t, ANON_TEXT, "~bob.smith/")), 18);
	stays(&t, "bob");
	done(&t);
}

/* --- packets ----------------------------------------------------------------------------- */

static void turn(struct texts *t, uint8_t *bytes, size_t size)
{
	assert_int_equal(anon_packet(t->a, t->w, bytes, size), ANON_CHANGED);
}

static void a_packet_of_ipv4(void **unused)
{
	/* 24 bytes with an option, TCP with an option, two bytes of payload */
	static const uint8_t packet[] = { 0x46, 0, 0, 50, 1, 2, 0x40, 0, 64, 6, 0xaa, 0xbb, 128, 11,
		68, 132, 8, 8, 8, 8, 7, 4, 4, 9,                                          /* IP */
		1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 0x60, 2, 13, 14, 0xcc, 0xdd, 0, 0, /* TCP */
		2, 4, 5, 180, 'h', 'i' };
	static const uint8_t to[] = { 135, 242, 180, 132 };
	struct texts t = texts(for_subnets("128.11.0.0/16\n"));
	uint8_t p[sizeof packet];
	uint32_t sum = 0;

	(void)unused;
	memcpy(p, packet, sizeof p);
	turn(&t, p, sizeof p);
	assert_memory_equal(p, packet, 10);
	assert_memory_equal(p + 12, to, 4);
	assert_memory_equal(p + 16, packet + 16, 4);
	for (unsigned i = 0; i < 24; i += 2)
		sum += (uint32_t)p[i] << 8 | p[i + 1];
	assert_int_equal((sum & 0xffff) + (sum >> 16), 0xffff);
	assert_int_equal(p[20] | p[21] | p[22] | p[23], 0);
	assert_memory_equal(p + 24, packet + 24, 16);
	assert_int_equal(p[40] | p[41], 0);
	for (size_t i = 44; i < sizeof p; i++)
		assert_int_equal(p[i], 0);
	/* cut at any length: what is left of the address does not stay */
	for (size_t n = 0; n < sizeof p; n++) {
		uint8_t *cut = memcpy(malloc(n + !n), packet, n);

		turn(&t, cut, n);
		for (size_t i = 12; i + 2 < n && i < 16; i++)
			assert_memory_not_equal(cut + 12, packet + 12, n < 16 ? n - 12 : 4);
		free(cut);
	}
	done(&t);
}

static void a_packet_of_ipv6(void **unused)
{
	uint8_t p[40 + 24 + 8 + 4] = { 0x60, 0, 0, 0, 0, 36, 43, 64 }, before[sizeof p];
	struct texts t = texts(for_subnets("2001:db8::/32\n"));

	(void)unused;
	memcpy(p + 8, address("2001:db8::1").bytes, 16);
	memcpy(p + 24, address("2001:db9::1").bytes, 16);
	p[40] = 17; /* a routing header with an address, then UDP */
	p[41] = 2;
	memcpy(p + 48, address("2001:db8::2").bytes, 16);
	memcpy(p + 64,
			"\x01\x02\x03\x04\x00\x0c\xee\xff"
			"data",
			12);
	memcpy(before, p, sizeof p);
	turn(&t, p, sizeof p);
	assert_memory_equal(p, before, 8);
	assert_memory_not_equal(p + 8, before + 8, 16);
	assert_memory_equal(p + 24, before + 24, 18);
	for (unsigned i = 42; i < 64; i++)
		assert_int_equal(p[i], 0);
	assert_memory_equal(p + 64, before + 64, 6);
	for (unsigned i = 70; i < sizeof p; i++)
		assert_int_equal(p[i], 0);
	for (size_t n = 0; n < sizeof p; n++) {
		uint8_t *cut = memcpy(malloc(n + !n), before, n);

		turn(&t, cut, n);
		free(cut);
	}
	done(&t);
}

static void what_is_no_packet(void **unused)
{
	uint8_t p[] = { 1, 2, 3, 4 };
	struct texts t = texts(for_subnets("2001:db8::/32\n"));

	(void)unused;
	turn(&t, p, sizeof p);
	assert_int_equal(p[0] | p[1] | p[2] | p[3], 0);
	done(&t);
}

/* --- the key ----------------------------------------------------------------------------- */

static void a_key_is_made_once(void **unused)
{
	struct anon_conf conf = { .subnets = file("own",
						  "10.0.0.0/8\n192.168.0.0/16\nfc00::/7\n") };
	char path[300], first[100] = "", again[100] = "";
	struct address x = address("10.1.2.3"), y = x;
	struct anon_worker *w = anon_worker_new();
	struct stat s;
	FILE *f;

	(void)unused;
	snprintf(path, sizeof path, "%s.key", conf.subnets);
	struct anon *a = load(&conf);

	assert_int_equal(stat(path, &s), 0);
	assert_int_equal(s.st_mode & 07777, 0600);
	assert_int_equal(s.st_size, 65);
	f = fopen(path, "r");
	assert_non_null(fgets(first, sizeof first, f));
	fclose(f);
	anon_address(a, w, 4, x.bytes);
	/* what comes out is not listed itself */
	assert_false(anon_listed(a, 4, x.bytes));
	anon_free(a);
	a = load(&conf);
	anon_address(a, w, 4, y.bytes);
	assert_memory_equal(x.bytes, y.bytes, 4);
	f = fopen(path, "r");
	assert_non_null(fgets(again, sizeof again, f));
	fclose(f);
	assert_string_equal(first, again);
	anon_free(a);
	anon_worker_free(w);
}

static void bad_key(const char *text, mode_t mode, const char *words)
{
	struct anon_conf conf = { .subnets = file("nets", "10.0.0.0/8\n"),
		.key_file = file("badkey", text) };
	struct err e;

	assert_int_equal(chmod(conf.key_file, mode), 0);
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, words);
}

static void keys_that_are_refused(void **unused)
{
	static const char good[] =
			"000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F";
	struct anon_conf conf = { .names = true };
	struct err e;

	(void)unused;
	bad_key(good, 0640, "others may read or write");
	bad_key(good, 0604, "(mode 604); chmod 600 ");
	bad_key("", 0600, "does not have 64 hexadecimal digits");
	bad_key("zz0102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F", 0600,
			"does not");
	bad_key("000102030405060708090a0b0c0d0e0f101112131415161718191A1B1C1D1E1F00", 0600,
			"does not");
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "anon_names=1 needs a key: anon_key=FILE");
	conf.key_file = list_folder;
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "is no file");
	conf.key_file = "/nonexistent/key";
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "cannot make /nonexistent/key");
	conf = (struct anon_conf){ .subnets = file("nets", "10.0.0.0/8\nwhat\n"),
		.key_file = key_file("key") };
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "/nets:2: what: not an IPv4");
	conf = (struct anon_conf){ .subnets = "/nonexistent/list" };
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "anon: cannot read /nonexistent/list");
	conf = (struct anon_conf){ .users = "/nonexistent/users" };
	assert_null(anon_load(&conf, NULL, &e));
	says(&e, "useranon: cannot read /nonexistent/users");
}

/* Read again: another list, the same key, though its file has gone. */
static void lists_are_read_again(void **unused)
{
	struct anon_conf conf = { .subnets = file("first", "128.11.0.0/16\n"),
		.key_file = key_file("gone") };
	struct anon *a = load(&conf), *b;
	struct anon_worker *w = anon_worker_new();
	struct address x = address("128.11.68.132"), y = x, z = address("129.118.74.4");
	struct err e;

	(void)unused;
	anon_address(a, w, 4, x.bytes);
	assert_int_equal(anon_address(a, w, 4, z.bytes), ANON_SAME);
	assert_int_equal(unlink(conf.key_file), 0);
	conf.subnets = file("second", "128.0.0.0/7\n");
	b = anon_load(&conf, a, &e);
	assert_non_null(b);
	assert_int_equal(access(conf.key_file, F_OK), -1);
	anon_free(a);
	anon_address(b, w, 4, y.bytes);
	assert_memory_equal(x.bytes, y.bytes, 4);
	assert_int_equal(anon_address(b, w, 4, z.bytes), ANON_CHANGED);
	anon_free(b);
	anon_worker_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_authors_sample),
		cmocka_unit_test(prefixes_are_kept),
		cmocka_unit_test(only_listed_ones),
		cmocka_unit_test(ipv4_within_ipv6),
		cmocka_unit_test(addresses_in_text),
		cmocka_unit_test(names_by_labels),
		cmocka_unit_test(users_as_whole_words),
		cmocka_unit_test(a_packet_of_ipv4),
		cmocka_unit_test(a_packet_of_ipv6),
		cmocka_unit_test(what_is_no_packet),
		cmocka_unit_test(a_key_is_made_once),
		cmocka_unit_test(keys_that_are_refused),
		cmocka_unit_test(lists_are_read_again),
	};

	return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
