/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_x509_extensions.c - extensions of certificates: every kind of alternative name, lists at
 * their caps, the same one twice, values that are not what they should be.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "x509_against.h"
#include "x509_kit.h"

#define OID_SAN       "\x55\x1d\x11"
#define OID_KEY_USAGE "\x55\x1d\x0f"
#define OID_BASIC     "\x55\x1d\x13"
#define OID_EKU       "\x55\x1d\x25"
#define OID_POLICIES  "\x55\x1d\x20"
#define OID_CRL       "\x55\x1d\x1f"
#define OID_SKI       "\x55\x1d\x0e"
#define OID_AKI       "\x55\x1d\x23"
#define OID_AIA       "\x2b\x06\x01\x05\x05\x07\x01\x01"
#define OID_FEATURE   "\x2b\x06\x01\x05\x05\x07\x01\x18"
#define OID_SCTS      "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x02"
#define OID_POISON    "\x2b\x06\x01\x04\x01\xd6\x79\x02\x04\x03"

static struct builder cert, list, value;
static struct pool *pool;
static struct arena arena;
static struct x509_info info;

static int set_up(void **unused)
{
	(void)unused;
	pool = pool_new();
	return pool == NULL;
}

static int tear_down(void **unused)
{
	(void)unused;
	arena_free(&arena, pool);
	pool_free(pool);
	return 0;
}

/* Puts an extension with the content of 'value' into 'list'. */
static void add(struct rd oid, bool critical)
{
	open_tag(&list, DER_SEQUENCE);
	put(&list, DER_OID, oid.p, oid.left);
	if (critical)
		PUT(&list, DER_BOOLEAN, "\xff");
	put(&list, DER_OCTET_STRING, value.bytes, value.size);
	close_tag(&list);
}

static void parse(void)
{
	struct rd der = cook(&cert, &(struct recipe){ .extensions = built(&list) });
	const char *wrong;

	arena_free(&arena, pool);
	assert_true(x509_parse(der, &arena, pool, &info));
	wrong = x509_against(der, &info);
	if (wrong != NULL)
		fail_msg("differs from OpenSSL: %s", wrong);
}

/* A certificate with one extension. */
static void parse_one(struct rd oid)
{
	list.size = 0;
	add(oid, false);
	parse();
}

static void parse_bytes(struct rd oid, struct rd bytes)
{
	value.size = 0;
	raw(&value, bytes.p, bytes.left);
	parse_one(oid);
}

#define assert_text(r, literal)                                                                    \
	do {                                                                                       \
		assert_int_equal((r).left, sizeof(literal) - 1);                                   \
		assert_memory_equal((r).p, literal, sizeof(literal) - 1);                          \
	} while (0)

static void put_alternative_names(void)
{
	value.size = 0;
	open_tag(&value, DER_SEQUENCE);
	PUT(&value, 0x82, "example.org");
	PUT(&value, 0x81, "a@example.org");
	PUT(&value, 0x86, "https://example.org/");
	PUT(&value, 0x87, "\xc0\0\x02\x01");
	PUT(&value, 0x87, "\x20\x01\x0d\xb8\0\0\0\0\0\0\0\0\0\0\0\x01");
	PUT(&value, 0x88, "\x2a\x03\x04");
	open_tag(&value, 0xa0);
	PUT(&value, DER_OID, "\x2b\x06\x01\x04\x01\x82\x37\x14\x02\x03");
	open_tag(&value, 0xa0);
	PUT(&value, DER_UTF8_STRING, "user@example.org");
	close_tag(&value);
	close_tag(&value);
	open_tag(&value, 0xa4);
	open_tag(&value, DER_SEQUENCE);
	attribute(&value, DER_UTF8_STRING, "a,b", 3);
	attribute(&value, DER_T61_STRING, "\xf6", 1);
	close_tag(&value);
	close_tag(&value);
	PUT(&value, 0xa3, "\x30\0");
	PUT(&value, 0xa5, "\x81\x01x");
	close_tag(&value);
}

static void reads_alternative_names(void **unused)
{
	static const char *const kinds[] = { "dns", "email", "uri", "ip", "ip", "rid", "othername",
		"dirname", "x400", "edi" };
	static const char *const texts[] = { "example.org", "a@example.org", "https://example.org/",
		"192.0.2.1", "2001:db8::1", "1.2.3.4", "1.3.6.1.4.1.311.20.2.3:user@example.org",
		"CN=a\\,b,CN=\xc3\xb6" };

	(void)unused;
	put_alternative_names();
	parse_one(RD(OID_SAN));
	assert_false(info.malformed || info.cut);
	assert_int_equal(info.san_count, 10);
	for (size_t n = 0; n < 10; n++)
		assert_string_equal(info.sans[n].kind, kinds[n]);
	for (size_t n = 0; n < sizeof texts / sizeof texts[0]; n++) {
		assert_true(info.sans[n].value.utf8);
		assert_int_equal(info.sans[n].value.text.left, strlen(texts[n]));
		assert_memory_equal(info.sans[n].value.text.p, texts[n], strlen(texts[n]));
	}
	assert_text(info.sans[3].bytes, "\xc0\0\x02\x01");
	assert_text(info.sans[8].value.text, "\x30\0");
	assert_false(info.sans[8].value.utf8);
	assert_int_equal(info.extension_count, 1);
	assert_string_equal(info.extensions[0].name, "subjectAltName");
	assert_text(info.extensions[0].oid, OID_SAN);
	assert_int_equal(info.extensions[0].value.left, value.size);
}

static void keeps_odd_alternative_names(void **unused)
{
	(void)unused;
	value.size = 0;
	open_tag(&value, DER_SEQUENCE);
	PUT(&value, 0x82, "nul\0.example.org");
	PUT(&value, 0x82, "\xff");
	PUT(&value, 0x87, "\x01\x02\x03");
	PUT(&value, 0x88, "");
	PUT(&value, 0xa6, "\x16\x01x"); /* in pieces */
	PUT(&value, 0xa0, "junk");
	PUT(&value, 0xa4, "junk");
	PUT(&value, 0x82, "");
	PUT(&value, 0x99, "unknown");
	PUT(&value, DER_UTF8_STRING, "no context");
	PUT(&value, 0x82, "last");
	close_tag(&value);
	parse_one(RD(OID_SAN));
	assert_true(info.malformed);
	assert_int_equal(info.san_count, 9);
	assert_text(info.sans[0].value.text, "nul\0.example.org");
	assert_true(info.sans[0].value.utf8);
	assert_text(info.sans[1].value.text, "\xff");
	assert_false(info.sans[1].value.utf8);
	assert_text(info.sans[2].value.text, "\x01\x02\x03");
	assert_text(info.sans[4].value.text, "\x16\x01x");
	assert_false(info.sans[4].value.utf8);
	assert_text(info.sans[5].value.text, "junk");
	assert_non_null(info.sans[7].value.text.p);
	assert_text(info.sans[8].value.text, "last");
}

static void caps_alternative_names(void **unused)
{
	(void)unused;
	value.size = 0;
	open_tag(&value, DER_SEQUENCE);
	for (unsigned n = 0; n <= LIMIT_X509_NAMES; n++)
		PUT(&value, 0x82, "a.example");
	close_tag(&value);
	parse_one(RD(OID_SAN));
	assert_true(info.cut);
	assert_false(info.malformed);
	assert_int_equal(info.san_count, LIMIT_X509_NAMES);
}

static void reads_uses(void **unused)
{
	(void)unused;
	list.size = value.size = 0;
	RAW(&value, "\x30\x06\x01\x01\xff\x02\x01\x03");
	add(RD(OID_BASIC), true);
	value.size = 0;
	RAW(&value, "\x03\x03\x07\x86\x80"); /* bits 0, 5, 6, 8 */
	add(RD(OID_KEY_USAGE), false);
	value.size = 0;
	RAW(&value, "\x30\x0e\x06\x08\x2b\x06\x01\x05\x05\x07\x03\x01\x06\x02\x2a\x03");
	add(RD(OID_EKU), false);
	parse();
	assert_false(info.malformed);
	assert_true(info.has_basic_constraints && info.ca && info.extensions[0].critical);
	assert_int_equal(info.path_length, 3);
	assert_true(info.has_key_usage);
	assert_int_equal(info.key_usage, 1 << 0 | 1 << 5 | 1 << 6 | 1 << 8);
	assert_string_equal(x509_key_usage_name(5), "keyCertSign");
	assert_null(x509_key_usage_name(9));
	assert_int_equal(info.ext_key_usage_count, 2);
	assert_string_equal(info.ext_key_usage[0], "serverAuth");
	assert_string_equal(info.ext_key_usage[1], "1.2.3");
	assert_int_equal(info.extension_count, 3);
	parse_bytes(RD(OID_BASIC), RD("\x30\0"));
	assert_true(info.has_basic_constraints && !info.ca && info.path_length == -1);
}

static void reads_urls(void **unused)
{
	(void)unused;
	parse_bytes(RD(OID_AIA), RD("\x30\x2a"
				    "\x30\x10\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x01\x86\x04o://"
				    "\x30\x10\x06\x08\x2b\x06\x01\x05\x05\x07\x30\x02\x86\x04"
				    "c://"
				    "\x30\x04\x06\x02\x2a\x03"));
	assert_true(info.malformed); /* a method without a place */
	assert_int_equal(info.ocsp_count, 1);
	assert_text(info.ocsp[0].text, "o://");
	assert_int_equal(info.ca_issuers_count, 1);
	assert_text(info.ca_issuers[0].text, "c://");
	parse_bytes(RD(OID_CRL), RD("\x30\x1f"
				    "\x30\x10\xa0\x0e\xa0\x0c\x86\x04l://\x86\x04m://"
				    "\x30\x03\x81\x01\0"
				    "\x30\x06\xa0\x04\xa0\x02\x86\0"));
	assert_false(info.malformed);
	assert_int_equal(info.crl_count, 3);
	assert_text(info.crls[1].text, "m://");
	assert_int_equal(info.crls[2].text.left, 0);
}

static void reads_the_rest(void **unused)
{
	(void)unused;
	parse_bytes(RD(OID_POLICIES), RD("\x30\x0f\x30\x08\x06\x06\x67\x81\x0c\x01\x02\x01"
					 "\x30\x03\x06\x01\x2a"));
	assert_int_equal(info.policy_count, 2);
	assert_string_equal(info.policies[0], "2.23.140.1.2.1");
	assert_string_equal(info.policies[1], "1.2");
	parse_bytes(RD(OID_SKI), RD("\x04\x02\xab\xcd"));
	assert_text(info.subject_key_id, "\xab\xcd");
	parse_bytes(RD(OID_AKI), RD("\x30\x04\x80\x02\xab\xcd"));
	assert_text(info.authority_key_id, "\xab\xcd");
	parse_bytes(RD(OID_FEATURE), RD("\x30\x06\x02\x01\x11\x02\x01\x05"));
	assert_true(info.must_staple);
	parse_bytes(RD(OID_FEATURE), RD("\x30\x03\x02\x01\x11"));
	assert_false(info.must_staple);
	parse_bytes(RD(OID_SCTS), RD("\x04\x0b\0\x09\0\x03"
				     "abc\0\x02"
				     "de"));
	assert_int_equal(info.sct_count, 2);
	assert_false(info.malformed || info.precertificate);
	parse_bytes(RD(OID_POISON), RD("\x05\0"));
	assert_true(info.precertificate);
}

static void self_signed_by_key_ids(void **unused)
{
	struct recipe r = { .issuer = RD(USUAL_NAME("person")), .extensions = { list.bytes, 0 } };

	(void)unused;
	list.size = value.size = 0;
	RAW(&value, "\x04\x01\xab");
	add(RD(OID_SKI), false);
	value.size = 0;
	RAW(&value, "\x30\x03\x80\x01\xab");
	add(RD(OID_AKI), false);
	r.extensions.left = list.size;
	assert_true(x509_parse(cook(&cert, &r), &arena, pool, &info) && info.self_signed);
	list.bytes[list.size - 1] = 0xac;
	assert_true(x509_parse(cook(&cert, &r), &arena, pool, &info) && !info.self_signed);
}

static void marks_values_that_are_wrong(void **unused)
{
	static const struct {
		struct rd oid, value;
	} wrong[] = {
		{ RD_(OID_SAN), RD_("\x04\x01\0") },
		{ RD_(OID_SAN), RD_("\x30\x03\x82\x02z") },
		{ RD_(OID_BASIC), RD_("") },
		{ RD_(OID_BASIC), RD_("\x30\x03\x01\x04\xff") },
		{ RD_(OID_KEY_USAGE), RD_("\x03\0") },
		{ RD_(OID_EKU), RD_("\x30\x02\x06\x05") },
		{ RD_(OID_POLICIES), RD_("\x30\x02\x30\0") },
		{ RD_(OID_AIA), RD_("\x30\x02\x30\0") },
		{ RD_(OID_CRL), RD_("\x30\x01\x30") },
		{ RD_(OID_SKI), RD_("\x04\x03z") },
		{ RD_(OID_AKI), RD_("\x04\x01\0") },
		{ RD_(OID_SCTS), RD_("\x04\x05\0\x03\0\x02x") },
		{ RD_(OID_SCTS), RD_("\x04\0") },
		{ RD_(OID_FEATURE), RD_("\x02\x01\x05") },
	};

	(void)unused;
	for (size_t n = 0; n < sizeof wrong / sizeof wrong[0]; n++) {
		parse_bytes(wrong[n].oid, wrong[n].value);
		assert_true(info.malformed);
		assert_int_equal(info.extension_count, 1);
	}
}

static void takes_the_first_of_two(void **unused)
{
	(void)unused;
	list.size = value.size = 0;
	RAW(&value, "\x30\x03\x82\x01z");
	add(RD(OID_SAN), false);
	add(RD(OID_SAN), false);
	parse();
	assert_true(info.malformed);
	assert_int_equal(info.san_count, 1);
	assert_int_equal(info.extension_count, 2);
}

static void caps_lists(void **unused)
{
	(void)unused;
	list.size = value.size = 0;
	for (unsigned n = 0; n <= LIMIT_X509_EXTENSIONS; n++)
		add(RD("\x2a\x03"), false);
	parse();
	assert_true(info.cut);
	assert_int_equal(info.extension_count, LIMIT_X509_EXTENSIONS);
	assert_string_equal(info.extensions[0].name, "1.2.3");
	value.size = 0;
	open_tag(&value, DER_SEQUENCE);
	for (unsigned n = 0; n <= LIMIT_X509_ITEMS; n++)
		PUT(&value, DER_OID, "\x2a\x03");
	close_tag(&value);
	parse_one(RD(OID_EKU));
	assert_true(info.cut);
	assert_int_equal(info.ext_key_usage_count, LIMIT_X509_ITEMS);
}

static void marks_extensions_that_are_none(void **unused)
{
	(void)unused;
	list.size = 0;
	RAW(&list, "\x05\0\x30\0\x30\x02\x05\0\x30\x04\x06\x02\x2a\x03");
	parse();
	assert_true(info.malformed);
	assert_int_equal(info.extension_count, 1);
}

/* Whatever is cut off from an extension's value, the certificate stays one. */
static void takes_any_cut_of_a_value(void **unused)
{
	size_t size;

	(void)unused;
	put_alternative_names();
	size = value.size;
	for (size_t n = 0; n < size; n++) {
		value.size = n;
		parse_one(RD(OID_SAN));
		assert_true(info.malformed && !info.damaged);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_alternative_names),
		cmocka_unit_test(keeps_odd_alternative_names),
		cmocka_unit_test(caps_alternative_names),
		cmocka_unit_test(reads_uses),
		cmocka_unit_test(reads_urls),
		cmocka_unit_test(reads_the_rest),
		cmocka_unit_test(self_signed_by_key_ids),
		cmocka_unit_test(marks_values_that_are_wrong),
		cmocka_unit_test(takes_the_first_of_two),
		cmocka_unit_test(caps_lists),
		cmocka_unit_test(marks_extensions_that_are_none),
		cmocka_unit_test(takes_any_cut_of_a_value),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
