/* SPDX-License-Identifier: BSD-3-Clause */
/* test_fingerprint.c - JA3, JA4 and NPF against published values, then odd and cut hellos. */
#include "unit/hello_kit.h"

#include "proto/fingerprint.h"

static struct buf text, other;
static struct hello_bytes b;
static struct fingerprint_work *work;

static void make(enum hello_kind kind, uint16_t version, const char *ciphers,
		const struct hello_extension *extensions)
{
	hello_make(&b, kind, version, ciphers, extensions);
	fingerprint_read(work, &b.hello);
}

static void assert_text(const char *want)
{
	assert_true(buf_ok(&text));
	buf_byte(&text, '\0');
	assert_string_equal(text.p, want);
	buf_clear(&text);
}

/* What Chrome sent about 2022, extensions shuffled: the example of JA4's description. */
static const char chrome_ciphers[] = "0a0a130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f"
				     "0035";
static const struct hello_extension chrome[] = {
	{ 0x1a1a, "" },
	{ 0x001b, "020002" },
	{ 0x0000, "000e00000b6578616d706c652e636f6d" },
	{ 0x0033, "00290a0a000100001d00200000000000000000000000000000000000000000000000000000000000"
		  "000000" },
	{ 0x0010, "000c02683208687474702f312e31" },
	{ 0x4469, "0003026832" },
	{ 0x0017, "" },
	{ 0x002d, "0101" },
	{ 0x000d, "001004030804040105030805050108060601" },
	{ 0x0005, "0100000000" },
	{ 0x0023, "" },
	{ 0x0012, "" },
	{ 0x002b, "067a7a03040303" },
	{ 0xff01, "00" },
	{ 0x000b, "0100" },
	{ 0x000a, "00089a9a001d00170018" },
	{ 0x2a2a, "00" },
	{ 0x0015, "0000" },
	{ 0, NULL },
};

static void ja3_of_a_client(void **unused)
{
	char hash[JA3_SIZE];

	(void)unused;
	make(HELLO_CLIENT, 0x0303, chrome_ciphers, chrome);
	ja3_text(work, &text);
	assert_text("771,4865-4866-4867-49195-49199-49196-49200-52393-52392-49171-49172-156-157-"
		    "47-53,27-0-51-16-17513-23-45-13-5-35-18-43-65281-11-10-21,29-23-24,0");
	ja3(work, &text, hash);
	assert_string_equal(hash, "c000e2caf3a25423f9de6c8a4b12a975");
	buf_clear(&text);
	make(HELLO_CLIENT, 0x0303, "1301", NULL);
	ja3(work, &text, hash);
	assert_string_equal(hash, "ea1e247991e541e39bf918cb7cfa5139"); /* 771,4865,,, */
}

static void ja3s_of_a_server(void **unused)
{
	static const struct hello_extension extensions[] = { { 0x0033, "001d0001aa" },
		{ 0x002b, "0304" }, { 0, NULL } };
	char hash[JA3_SIZE];

	(void)unused;
	make(HELLO_SERVER, 0x0303, "1302", extensions);
	ja3_text(work, &text);
	assert_text("771,4866,51-43");
	ja3(work, &text, hash);
	assert_string_equal(hash, "907bf3ecef1c987c889946b737b43de8");
	buf_clear(&text);
	npf_server(work, false, &text);
	assert_text("tls_server/(0303)(1302)((0033)(002b00020304))");
}

/* JA3 and JA4 of what begins alike and of what was seen before. */
static void ja_of_hellos_before(void **unused)
{
	static const struct hello_extension none[] = { { 0, NULL } };
	static const struct hello_extension one[] = { { 0x1302, "" }, { 0, NULL } };
	static const struct hello_extension groups[] = { { 0x000a, "00041302001d" }, { 0, NULL } };
	static const struct hello_extension group[] = { { 0x000a, "00021302" },
		{ 0x000b, "021d00" }, { 0, NULL } };
	static const struct {
		const char *ciphers;
		const struct hello_extension *extensions;
		const char *ja3, *ja4;
	} hellos[] = {
		{ "13011302", none, "@1", "t12i0200" },
		{ "1301", one, "@2", "t12i0101" },
		{ "1301", groups, "@3", "t12i0101" },
		{ "1301", group, "@4", "t12i0102" },
		{ "0a0a13011302", none, "@1", "t12i0200" },
		{ "130113021a1a", none, "@1", "t12i0200" },
		{ "13021301", none, "@5", "t12i0200" },
	};
	const size_t count = sizeof hellos / sizeof hellos[0];
	char first[8][JA3_SIZE] = { "" }, sorted[JA4_SIZE] = "", hash[JA4_SIZE];

	(void)unused;
	for (size_t i = 0; i < 2 * count; i++) {
		const size_t n = i % count, same = (size_t)(hellos[n].ja3[1] - '0');

		make(HELLO_CLIENT, 0x0303, hellos[n].ciphers, hellos[n].extensions);
		ja3(work, &text, hash);
		for (size_t k = 1; k < 8; k++)
			assert_int_equal(strcmp(first[k], hash) == 0,
					k == same && first[same][0] != '\0');
		memcpy(first[same], hash, JA3_SIZE);
		ja4(work, &b.info, JA4_TLS, &text, hash);
		assert_memory_equal(hash, hellos[n].ja4, strlen(hellos[n].ja4));
		if (n == 0)
			memcpy(sorted, hash, sizeof sorted);
		else if (hellos[n].extensions == none) /* in whatever order they came */
			assert_string_equal(hash, sorted);
	}
	buf_clear(&text);
}

static void ja4_of_its_description(void **unused)
{
	char hash[JA4_SIZE];

	(void)unused;
	make(HELLO_CLIENT, 0x0303, chrome_ciphers, chrome);
	ja4(work, &b.info, JA4_TLS, &text, hash);
	assert_string_equal(hash, "t13d1516h2_8daaf6152771_e5627efa2ab1");
	ja4(work, &b.info, JA4_QUIC, &text, hash);
	assert_string_equal(hash, "q13d1516h2_8daaf6152771_e5627efa2ab1");
	buf_clear(&text);
	ja4_r(work, &b.info, JA4_TLS, &text);
	assert_text("t13d1516h2_002f,0035,009c,009d,1301,1302,1303,c013,c014,c02b,c02c,c02f,c030,"
		    "cca8,cca9_0005,000a,000b,000d,0012,0015,0017,001b,0023,002b,002d,0033,4469,"
		    "ff01_0403,0804,0401,0503,0805,0501,0806,0601");
	ja4_ro(work, &b.info, JA4_TLS, &text);
	assert_text("t13d1516h2_1301,1302,1303,c02b,c02f,c02c,c030,cca9,cca8,c013,c014,009c,009d,"
		    "002f,0035_001b,0000,0033,0010,4469,0017,002d,000d,0005,0023,0012,002b,ff01,"
		    "000b,000a,0015_0403,0804,0401,0503,0805,0501,0806,0601");
}

/* The first 10 characters for a version, in which extension there is one, and an ALPN. */
static void assert_head(enum ja4_transport transport, uint16_t legacy, const char *versions,
		const char *alpn, const char *want)
{
	struct hello_extension extensions[] = { { 0x002b, versions }, { 0x0010, alpn },
		{ 0, NULL } };
	struct hello_extension *first = extensions;
	char hash[JA4_SIZE];

	if (alpn == NULL)
		extensions[1] = (struct hello_extension){ 0x0017, "" };
	if (versions == NULL)
		first++;
	make(transport == JA4_DTLS ? HELLO_DTLS : HELLO_CLIENT, legacy, "130113010a0a", first);
	ja4(work, &b.info, transport, &text, hash);
	assert_memory_equal(hash, want, strlen(want));
}

static void ja4_heads(void **unused)
{
	(void)unused;
	assert_head(JA4_TLS, 0x0303, NULL, NULL, "t12i020100");
	assert_head(JA4_TLS, 0x0302, NULL, NULL, "t11i020100");
	assert_head(JA4_TLS, 0x0301, NULL, NULL, "t10i020100");
	assert_head(JA4_TLS, 0x0300, NULL, NULL, "ts3i020100");
	assert_head(JA4_DTLS, 0xfeff, NULL, NULL, "dd1i020100");
	assert_head(JA4_DTLS, 0xfefd, NULL, NULL, "dd2i020100");
	assert_head(JA4_DTLS, 0xfefd, "04fefdfefc", NULL, "dd3i020200");
	assert_head(JA4_TLS, 0x0303, "080a0a030403030302", NULL, "t13i020200");
	assert_head(JA4_TLS, 0x0303, "067f1c03040303", NULL, "t00i020200"); /* a draft */
	assert_head(JA4_TLS, 0x0303, "020a0a", NULL, "t00i020200");
	/* ALPN: "h2", "h", 0xab, 0x30 0xab, 0x30 0x31 0xab 0xcd, "", "http/1.1" */
	assert_head(JA4_TLS, 0x0303, NULL, "0003026832", "t12i0201h2");
	assert_head(JA4_TLS, 0x0303, NULL, "00020168", "t12i0201hh");
	assert_head(JA4_TLS, 0x0303, NULL, "000201ab", "t12i0201ab");
	assert_head(JA4_TLS, 0x0303, NULL, "00030230ab", "t12i02013b");
	assert_head(JA4_TLS, 0x0303, NULL, "0005043031abcd", "t12i02013d");
	assert_head(JA4_TLS, 0x0303, NULL, "000100", "t12i020100");
	assert_head(JA4_TLS, 0x0303, NULL, "000908687474702f312e31", "t12i0201h1");
}

static void ja4_of_little_and_much(void **unused)
{
	static const struct hello_extension only_name[] = { { 0, "000400000161" }, { 0, NULL } };
	struct hello_extension many[120] = { { 0, NULL } };
	char hash[JA4_SIZE], ciphers[4 * 120 + 1] = "";

	(void)unused;
	make(HELLO_CLIENT, 0x0303, "", NULL);
	ja4(work, &b.info, JA4_TLS, &text, hash);
	assert_string_equal(hash, "t12i000000_000000000000_000000000000");
	make(HELLO_CLIENT, 0x0303, "0a0a", only_name);
	ja4(work, &b.info, JA4_TLS, &text, hash);
	assert_string_equal(hash, "t12d000100_000000000000_000000000000");
	for (size_t i = 0; i < 119; i++) {
		many[i] = (struct hello_extension){ (uint16_t)(0x1000 + i), "" };
		memcpy(ciphers + 4 * i, "1301", 5);
	}
	make(HELLO_CLIENT, 0x0303, ciphers, many);
	ja4(work, &b.info, JA4_TLS, &text, hash);
	assert_memory_equal(hash, "t12i999900_", 11);
}

/* Values that mercury's own tests expect for captures of it. */
static void npf_of_tls(void **unused)
{
	static const struct hello_extension curl[] = {
		{ 0x0000, "000d00000a676f6f676c652e636f6d" },
		{ 0x000b, "03000102" },
		{ 0x000a, "000a001d0017001e00190018" },
		{ 0x0023, "" },
		{ 0x0016, "" },
		{ 0x0017, "" },
		{ 0x000d, "0603" },
		{ 0x002b, "080304030303020301" },
		{ 0x002d, "0101" },
		{ 0x0033, "0005001d000100" },
		{ 0, NULL },
	};

	(void)unused;
	make(HELLO_CLIENT, 0x0303, "130213031301c02c", curl);
	npf_tls(work, false, NPF_PLAIN, &text);
	assert_text("tls/(0303)(130213031301c02c)((0000)(000b000403000102)(000a000c000a001d0017001e"
		    "00190018)(0023)(0016)(0017)(000d00020603)(002b0009080304030303020301)"
		    "(002d00020101)(0033))");
}

static void npf_sorted_and_selected(void **unused)
{
	(void)unused;
	make(HELLO_CLIENT, 0x0303, chrome_ciphers, chrome);
	npf_tls(work, false, NPF_SORTED, &text);
	assert_text("tls/1/(0303)(0a0a130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035)"
		    "[(0000)(000500050100000000)(000a000a00080a0a001d00170018)(000b00020100)"
		    "(000d0012001004030804040105030805050108060601)"
		    "(0010000e000c02683208687474702f312e31)(0012)(0015)(0017)(001b0003020002)"
		    "(0023)(002b0007060a0a03040303)(002d00020101)(0033)(0a0a)(0a0a)(4469)(ff01)]");
	npf_tls(work, false, NPF_SELECTED, &text);
	assert_text("tls/2/(0303)(0a0a130113021303c02bc02fc02cc030cca9cca8c013c014009c009d002f0035)"
		    "[(0000)(000500050100000000)(000a000a00080a0a001d00170018)(000b00020100)"
		    "(000d0012001004030804040105030805050108060601)"
		    "(0010000e000c02683208687474702f312e31)(0012)(0017)(001b0003020002)"
		    "(002b0007060a0a03040303)(002d00020101)(0033)(003e)(0a0a)(0a0a)(ff01)]");
}

/* The example of NPF's description. */
static void npf_of_quic(void **unused)
{
	static const struct hello_extension extensions[] = {
		{ 0x0a0a, "" },
		{ 0x0000, "000400000161" },
		{ 0x0005, "0100000000" },
		{ 0x000a, "000a0a0a001d001700180019" },
		{ 0x0012, "" },
		{ 0x002b, "040a0a0304" },
		{ 0xffa5, "0f00040005000600070009000e00" },
		{ 0xfafa, "00" },
		{ 0, NULL },
	};
	static const struct hello_extension shuffled[] = {
		{ 0xffa5, "0900"
			  "0f00"
			  "404b00"
			  "0401aa"
			  "0500"
			  "0600"
			  "0700"
			  "80ff73db00" },
		{ 0x002d, "0101" },
		{ 0x3a3a, "" },
		{ 0x0000, "000400000161" },
		{ 0, NULL },
	};

	(void)unused;
	make(HELLO_CLIENT, 0x0303, "1a1a130113021303", extensions);
	npf_quic(work, 0xff00001d, NPF_PLAIN, &text);
	assert_text("quic/(ff00001d)(0303)(0a0a130113021303)[(0000)(000500050100000000)"
		    "(000a000c000a0a0a001d001700180019)(0012)(002b0005040a0a0304)(0a0a)(0a0a)"
		    "((ffa5)[(04)(05)(06)(07)(09)(0e)(0f)])]");
	make(HELLO_CLIENT, 0x0303, "1a1a130113021303", shuffled);
	npf_quic(work, 0x00000001, NPF_SELECTED, &text);
	assert_text("quic/1/(00000001)(0303)(0a0a130113021303)[(0000)(002d00020101)(0a0a)((ffa5)["
		    "(04)(05)(06)(07)(09)(0f)(404b)(80ff73db)])]");
}

static void npf_of_dtls(void **unused)
{
	static const struct hello_extension extensions[] = {
		{ 0x0016, "" },
		{ 0x000b, "03000102" },
		{ 0x000d, "00020403" },
		{ 0x000a, "000a001d0017001e00190018" },
		{ 0, NULL },
	};

	(void)unused;
	make(HELLO_DTLS, 0xfefd, "c02c", extensions);
	npf_tls(work, true, NPF_SORTED, &text);
	assert_text("dtls/1/(fefd)(c02c)[(000a000c000a001d0017001e00190018)(000b000403000102)"
		    "(000d000400020403)(0016)]");
	npf_tls(work, true, NPF_PLAIN, &text);
	assert_text("dtls/(fefd)(c02c)((0016)(000b000403000102)(000d000400020403)"
		    "(000a000c000a001d0017001e00190018))");
}

/* Of a capture of mercury's: Linux, TTL 64, window 64240. */
static void npf_of_tcp(void **unused)
{
	static const uint8_t options[] = "\x02\x04\x05\xb4\x04\x02\x08\x0a"
					 "12345678\x01\x03\x03\x07";
	struct npf_syn syn = { .ip_version = 4, .ttl = 64, .window = 64240 };

	(void)unused;
	syn.options = (struct rd){ options, sizeof options - 1 };
	npf_tcp(&syn, &text);
	assert_text("tcp/(40)()(40)(faf0)((020405b4)(04)(08)(01)(030307))");
	syn = (struct npf_syn){ .ip_version = 6, .ttl = 255, .id_zero = true };
	npf_tcp(&syn, &text);
	assert_text("tcp/(60)(00)(e0)(0000)()");
}

/* Of the same type the shorter first, then by data; types that are made one as well. */
static void npf_sorts_what_is_alike(void **unused)
{
	static const struct hello_extension alike[] = { { 0x8001, "" }, { 0xff77, "00" },
		{ 0x003e, "0000" }, { 0x000b, "0101" }, { 0x000b, "0100" }, { 0x000b, "02" },
		{ 0xff66, "" }, { 0x4469, "01" }, { 0x0033, "01" }, { 0x0023, "" }, { 0, NULL } };

	(void)unused;
	make(HELLO_CLIENT, 0x0303, "1301", alike);
	npf_tls(work, false, NPF_SORTED, &text);
	assert_text("tls/1/(0303)(1301)[(000b000102)(000b00020100)(000b00020101)(0023)(0033)(003e)"
		    "(4469)(8001)(ff66)(ff77)]");
	npf_tls(work, false, NPF_SELECTED, &text);
	assert_text("tls/2/(0303)(1301)[(000b000102)(000b00020100)(000b00020101)(0033)(003e)(003e)"
		    "(003e)(ff00)(ff00)]");
}

static void npf_hashes(void **unused)
{
	(void)unused;
	buf_text(&text, "tls/1/(0303)(1301)[]");
	npf_hash(&text, &other);
	buf_byte(&other, '\0');
	assert_string_equal(other.p, "tls/1/b305856a584ed4656dc8753cd67ac93c");
	buf_clear(&text);
	buf_clear(&other);
	npf_hash(&text, &other);
	assert_int_equal(other.size, 0);
}

static void says_when_there_was_no_room(void **unused)
{
	struct buf little = buf_new(16);
	char hash[JA4_SIZE];

	(void)unused;
	make(HELLO_CLIENT, 0x0303, chrome_ciphers, chrome);
	ja3(work, &little, hash);
	assert_string_equal(hash, "");
	ja4(work, &b.info, JA4_TLS, &little, hash);
	assert_string_equal(hash, "");
	buf_clear(&little);
	npf_tls(work, false, NPF_SORTED, &little);
	assert_false(buf_ok(&little));
	npf_hash(&little, &text);
	assert_int_equal(text.size, 0);
	buf_free(&little);
}

static void everything(const struct tls_hello *h)
{
	struct tls_hello_info i;
	char hash[JA4_SIZE];

	tls_hello_decode(h, &i);
	fingerprint_read(work, h);
	ja3(work, &text, hash);
	ja4(work, &i, JA4_TLS, &text, hash);
	ja4_r(work, &i, JA4_TLS, &text);
	assert_true(buf_ok(&text));
	for (enum npf_format f = NPF_PLAIN; f <= NPF_SELECTED; f++) {
		buf_clear(&text);
		npf_tls(work, false, f, &text);
		assert_true(buf_ok(&text));
		buf_clear(&text);
		npf_quic(work, 1, f, &text);
		assert_true(buf_ok(&text));
	}
	buf_clear(&text);
	npf_server(work, false, &text);
	assert_true(buf_ok(&text));
}

static void takes_cut_hellos(void **unused)
{
	char hash[JA4_SIZE];

	(void)unused;
	make(HELLO_CLIENT, 0x0303, chrome_ciphers, chrome);
	for (size_t n = 0; n < b.size; n++) {
		uint8_t *cut = malloc(n + !n);
		struct tls_hello h;

		memcpy(cut, b.at, n);
		tls_hello_parse((struct rd){ cut, n }, n % 2, false, &h);
		everything(&h);
		free(cut);
	}
	b.hello.ssl2 = true;
	fingerprint_read(work, &b.hello);
	ja3(work, &text, hash);
	assert_string_equal(hash, "");
	ja4(work, &b.info, JA4_TLS, &text, hash);
	assert_string_equal(hash, "");
}

/* 64 KiB of the smallest extensions, in the worst order, and of transport parameters. */
static void takes_the_largest_hello(void **unused)
{
	enum { SIZE = 65535 };
	uint8_t *bytes = calloc(1, SIZE);
	struct tls_hello h = { .legacy_version = 0x0303, .ciphers = { bytes, SIZE - 1 } };

	(void)unused;
	for (size_t i = 0; i + 4 <= SIZE; i += 4) {
		bytes[i] = (uint8_t)(~i >> 10);
		bytes[i + 1] = (uint8_t)(~i >> 2);
	}
	h.extensions = (struct rd){ bytes, SIZE - 3 };
	everything(&h);
	memset(bytes, 0, SIZE);
	bytes[1] = 0x39;
	bytes[2] = (SIZE - 4) >> 8;
	bytes[3] = (SIZE - 4) & 0xff;
	h.extensions = (struct rd){ bytes, SIZE };
	everything(&h);
	free(bytes);
}

static int begin(void **unused)
{
	(void)unused;
	text = fingerprint_buf();
	other = fingerprint_buf();
	work = fingerprint_work_new();
	return work == NULL;
}

/* Fixed outputs leave their text behind. */
static int clear(void **unused)
{
	(void)unused;
	buf_clear(&text);
	buf_clear(&other);
	return 0;
}

static int end(void **unused)
{
	(void)unused;
	buf_free(&text);
	buf_free(&other);
	fingerprint_work_free(work);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(ja3_of_a_client, clear),
		cmocka_unit_test_setup(ja3s_of_a_server, clear),
		cmocka_unit_test_setup(ja_of_hellos_before, clear),
		cmocka_unit_test_setup(ja4_of_its_description, clear),
		cmocka_unit_test_setup(ja4_heads, clear),
		cmocka_unit_test_setup(ja4_of_little_and_much, clear),
		cmocka_unit_test_setup(npf_of_tls, clear),
		cmocka_unit_test_setup(npf_sorted_and_selected, clear),
		cmocka_unit_test_setup(npf_sorts_what_is_alike, clear),
		cmocka_unit_test_setup(npf_of_quic, clear),
		cmocka_unit_test_setup(npf_of_dtls, clear),
		cmocka_unit_test_setup(npf_of_tcp, clear),
		cmocka_unit_test_setup(npf_hashes, clear),
		cmocka_unit_test_setup(says_when_there_was_no_room, clear),
		cmocka_unit_test_setup(takes_cut_hellos, clear),
		cmocka_unit_test_setup(takes_the_largest_hello, clear),
	};

	return cmocka_run_group_tests(tests, begin, end);
}
