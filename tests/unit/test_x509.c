/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_x509.c - certificates as a whole: sound, cut short, bent at every byte; names, serials,
 * times and keys.  Extensions: test_x509_extensions.c.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "proto/x509_internal.h"
#include "x509_against.h"
#include "x509_kit.h"

static struct builder cert, inner;
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

/* Parses, holds what is said against OpenSSL, gives what is said. */
static const struct x509_info *parse(struct rd der)
{
	const char *wrong;
	bool sound;

	arena_free(&arena, pool);
	sound = x509_parse(der, &arena, pool, &info);
	assert_int_equal(sound, !info.damaged);
	wrong = x509_against(der, &info);
	if (wrong != NULL)
		fail_msg("differs from OpenSSL: %s", wrong);
	return &info;
}

static const struct x509_info *parse_recipe(const struct recipe *r)
{
	return parse(cook(&cert, r));
}

#define assert_text(r, literal)                                                                    \
	do {                                                                                       \
		assert_int_equal((r).left, sizeof(literal) - 1);                                   \
		assert_memory_equal((r).p, literal, sizeof(literal) - 1);                          \
	} while (0)

static void reads_a_sound_one(void **unused)
{
	const struct x509_info *i = parse_recipe(&(struct recipe){ 0 });
	uint8_t digest[32];

	(void)unused;
	assert_false(i->damaged || i->malformed || i->cut);
	assert_int_equal(i->size, cert.size);
	assert_int_equal(i->trailing, 0);
	assert_int_equal(i->version, 3);
	assert_text(i->serial, "\x01");
	assert_int_equal(i->subject.count, 1);
	assert_string_equal(i->subject.items[0].name, "commonName");
	assert_string_equal(i->subject.items[0].short_name, "CN");
	assert_text(i->subject.items[0].oid, OID_CN);
	assert_text(i->subject.items[0].value.text, "person");
	assert_true(i->subject.items[0].value.utf8);
	assert_text(i->issuer.items[0].value.text, "issuer");
	assert_text(i->not_before.text, "2026-01-01T00:00:00Z");
	assert_text(i->not_after.text, "2027-01-01T00:00:00Z");
	assert_int_equal(i->not_before.seconds, 1767225600);
	assert_string_equal(i->signature, "ecdsa-with-SHA256");
	assert_string_equal(i->signature_hash, "SHA256");
	assert_string_equal(i->key_type, "ec");
	assert_string_equal(i->curve, "prime256v1");
	assert_int_equal(i->key_bits, 256);
	assert_false(i->self_signed);
	assert_int_equal(i->path_length, -1);
	assert_null(i->extensions);
	SHA256(cert.bytes, cert.size, digest);
	assert_memory_equal(i->sha256, digest, sizeof digest);
	SHA1(cert.bytes, cert.size, digest);
	assert_memory_equal(i->sha1, digest, sizeof i->sha1);
}

static void damaged_when_cut_short(void **unused)
{
	struct rd whole = cook(&cert, &(struct recipe){ .extensions = RD("") });

	(void)unused;
	for (size_t n = 0; n < whole.left; n++) {
		uint8_t *cut = memcpy(malloc(n + !n), whole.p, n), digest[32];

		assert_true(parse((struct rd){ cut, n })->damaged);
		assert_int_equal(info.size, n);
		SHA256(cut, n, digest);
		assert_memory_equal(info.sha256, digest, sizeof digest);
		assert_null(info.subject.items);
		free(cut);
	}
	assert_true(parse((struct rd){ NULL, 0 })->damaged);
}

static void counts_what_is_behind_it(void **unused)
{
	cook(&cert, &(struct recipe){ 0 });
	RAW(&cert, "more");
	(void)unused;
	assert_false(parse(built(&cert))->damaged);
	assert_int_equal(info.trailing, 4);
	assert_int_equal(info.size, cert.size);
}

/* Each byte takes each of a few other values; OpenSSL sees the same in what comes out. */
static void takes_any_bent_byte(void **unused)
{
	static const uint8_t bends[] = { 0x01, 0x80, 0x20, 0xff };
	size_t size = cook(&cert, &(struct recipe){ 0 }).left;

	(void)unused;
	for (size_t at = 0; at < size; at++) {
		for (size_t b = 0; b < sizeof bends; b++) {
			uint8_t *bent = memcpy(malloc(size), cert.bytes, size);

			bent[at] ^= bends[b];
			parse((struct rd){ bent, size });
			free(bent);
		}
	}
}

static const struct x509_text *subject_of(uint8_t tag, const void *value, size_t size)
{
	inner.size = 0;
	open_tag(&inner, DER_SEQUENCE);
	attribute(&inner, tag, value, size);
	close_tag(&inner);
	assert_false(parse_recipe(&(struct recipe){ .subject = built(&inner) })->damaged);
	assert_int_equal(info.subject.count, 1);
	return &info.subject.items[0].value;
}
#define SUBJECT(tag, literal) subject_of(tag, literal, sizeof(literal) - 1)

static void keeps_texts_right(void **unused)
{
	(void)unused;
	assert_text(SUBJECT(DER_UTF8_STRING, "Gr\xc3\xb6\xc3\x9f"
					     "e")
					->text,
			"Gr\xc3\xb6\xc3\x9f"
			"e");
	assert_true(info.subject.items[0].value.utf8);
	assert_text(SUBJECT(DER_T61_STRING, "Gr\xf6\xdf"
					    "e")
					->text,
			"Gr\xc3\xb6\xc3\x9f"
			"e");
	assert_true(info.subject.items[0].value.utf8);
	assert_text(SUBJECT(DER_BMP_STRING, "\0G\0\xf6\x20\xac")->text, "G\xc3\xb6\xe2\x82\xac");
	assert_true(info.subject.items[0].value.utf8);
	/* U+1F600 as two halves */
	assert_text(SUBJECT(DER_BMP_STRING, "\xd8\x3d\xde\x00")->text, "\xf0\x9f\x98\x80");
	assert_text(SUBJECT(DER_UNIVERSAL_STRING, "\0\0\0G\0\x01\xf6\0")->text,
			"G\xf0\x9f\x98\x80");
	assert_text(SUBJECT(DER_PRINTABLE_STRING, "plain")->text, "plain");
	assert_true(info.subject.items[0].value.utf8);
	assert_text(SUBJECT(DER_UTF8_STRING, "a\0b.example")->text, "a\0b.example");
	assert_true(info.subject.items[0].value.utf8);
	assert_non_null(SUBJECT(DER_UTF8_STRING, "")->text.p);
	assert_true(SUBJECT(DER_BMP_STRING, "")->utf8);
}

static void keeps_what_is_no_text_as_bytes(void **unused)
{
	static const struct {
		uint8_t tag;
		const char *bytes;
		size_t size;
	} odd[] = {
		{ DER_UTF8_STRING,
				"Gr\xf6\xdf"
				"e",
				5 },                    /* ISO 8859-1 */
		{ DER_UTF8_STRING, "\xc0\x80", 2 },     /* longer than need be */
		{ DER_UTF8_STRING, "\xed\xa0\x80", 3 }, /* half a pair */
		{ DER_PRINTABLE_STRING,
				"Gr\xf6\xdf"
				"e",
				5 },
		{ DER_IA5_STRING, "\xff", 1 },
		{ DER_BMP_STRING, "\0G\0", 3 },
		{ DER_BMP_STRING, "\xd8\x3d\0G", 4 },
		{ DER_BMP_STRING, "\xd8\x3d", 2 },
		{ DER_UNIVERSAL_STRING, "\0\x11\0\0", 4 }, /* above U+10FFFF */
		{ DER_UNIVERSAL_STRING, "\0\0\0", 3 },
		{ DER_BIT_STRING, "\0\x41", 2 },
		{ DER_OCTET_STRING, "A", 1 },
	};

	(void)unused;
	for (size_t n = 0; n < sizeof odd / sizeof odd[0]; n++) {
		const struct x509_text *t = subject_of(odd[n].tag, odd[n].bytes, odd[n].size);

		assert_false(t->utf8);
		assert_int_equal(t->text.left, odd[n].size);
		assert_memory_equal(t->text.p, odd[n].bytes, odd[n].size);
		assert_false(info.malformed);
	}
}

static void caps_attributes(void **unused)
{
	(void)unused;
	inner.size = 0;
	open_tag(&inner, DER_SEQUENCE);
	for (unsigned n = 0; n < LIMIT_X509_ATTRIBUTES; n++)
		attribute(&inner, DER_UTF8_STRING, "x", 1);
	close_tag(&inner);
	assert_false(parse_recipe(&(struct recipe){ .subject = built(&inner) })->cut);
	assert_int_equal(info.subject.count, LIMIT_X509_ATTRIBUTES);
	inner.size = 0;
	open_tag(&inner, DER_SEQUENCE);
	for (unsigned n = 0; n <= LIMIT_X509_ATTRIBUTES; n++)
		attribute(&inner, DER_UTF8_STRING, "x", 1);
	close_tag(&inner);
	assert_true(parse_recipe(&(struct recipe){ .subject = built(&inner) })->cut);
	assert_int_equal(info.subject.count, LIMIT_X509_ATTRIBUTES);
}

static void reads_odd_names(void **unused)
{
	/* no attributes; two in one set; an unknown type; a type that is no object identifier */
	static const char two[] = "\x30\x14\x31\x12\x30\x07\x06\x02\x2a\x03\x0c\x01"
				  "a"
				  "\x30\x07\x06\x01\x81\x0c\x02"
				  "bc";

	(void)unused;
	assert_int_equal(parse_recipe(&(struct recipe){ .subject = RD("\x30\0") })->subject.count,
			0);
	assert_false(info.malformed);
	assert_int_equal(parse_recipe(&(struct recipe){ .subject = RD(two) })->subject.count, 2);
	assert_string_equal(info.subject.items[0].name, "1.2.3");
	assert_string_equal(info.subject.items[0].short_name, "1.2.3");
	assert_string_equal(info.subject.items[1].name, "invalid");
	assert_text(info.subject.items[1].value.text, "bc");
	/* elements that are no attributes */
	parse_recipe(&(struct recipe){ .subject = RD("\x30\x04\x31\x02\x05\0") });
	assert_true(!info.damaged && info.malformed && info.subject.count == 0);
}

static void reads_serials(void **unused)
{
	struct x509_info *i = &info;

	(void)unused;
	parse_recipe(&(struct recipe){ .serial = RD("\x02\x01\0") });
	assert_text(i->serial, "\0");
	parse_recipe(&(struct recipe){ .serial = RD("\x02\x02\0\xff") });
	assert_text(i->serial, "\xff");
	assert_false(i->serial_negative);
	parse_recipe(&(struct recipe){ .serial = RD("\x02\x02\xff\x7f") });
	assert_true(i->serial_negative);
	inner.size = 0;
	open_tag(&inner, DER_INTEGER);
	for (unsigned n = 1; n <= 200; n++)
		raw(&inner, &(uint8_t){ (uint8_t)n }, 1);
	close_tag(&inner);
	assert_int_equal(parse_recipe(&(struct recipe){ .serial = built(&inner) })->serial.left,
			200);
}

static void reads_versions(void **unused)
{
	(void)unused;
	assert_int_equal(parse_recipe(&(struct recipe){ .version = RD("") })->version, 1);
	assert_int_equal(parse_recipe(&(struct recipe){ .version = RD("\xa0\x03\x02\x01\x01") })
					 ->version,
			2);
	assert_int_equal(parse_recipe(&(struct recipe){ .version = RD("\xa0\x07\x02\x05\x7f\xff\xff"
								      "\xff\xff") })
					 ->version,
			0);
}

static struct x509_time time_of(uint8_t tag, const char *text)
{
	struct x509_memory m = { .arena = &arena, .pool = pool };
	struct rd r = { (const uint8_t *)text, strlen(text) };

	return x509_time(&m, &(struct der){ tag, r, r });
}

static const struct {
	uint8_t tag;
	const char *text, *rfc3339;
	int64_t seconds;
} good_times[] = {
	{ DER_UTC_TIME, "700101000000Z", "1970-01-01T00:00:00Z", 0 },
	{ DER_UTC_TIME, "491231235959Z", "2049-12-31T23:59:59Z", 2524607999 },
	{ DER_UTC_TIME, "500101000000Z", "1950-01-01T00:00:00Z", -631152000 },
	{ DER_UTC_TIME, "2602282359Z", "2026-02-28T23:59:00Z", 1772323140 },
	{ DER_UTC_TIME, "260101000000+0130", "2025-12-31T22:30:00Z", 1767220200 },
	{ DER_UTC_TIME, "260101000000-0130", "2026-01-01T01:30:00Z", 1767231000 },
	{ DER_UTC_TIME, "000229000000Z", "2000-02-29T00:00:00Z", 951782400 },
	{ DER_GENERALIZED_TIME, "99991231235959Z", "9999-12-31T23:59:59Z", 253402300799 },
	{ DER_GENERALIZED_TIME, "00000101000000Z", "0000-01-01T00:00:00Z", -62167219200 },
	{ DER_GENERALIZED_TIME, "15821004120000Z", "1582-10-04T12:00:00Z", -12220200000 },
	{ DER_GENERALIZED_TIME, "20260101000000.999Z", "2026-01-01T00:00:00Z", 1767225600 },
};
static const struct {
	uint8_t tag;
	const char *text;
} bad_times[] = {
	{ DER_UTC_TIME, "" },
	{ DER_UTC_TIME, "260101000000" },
	{ DER_UTC_TIME, "260101000000Z " },
	{ DER_UTC_TIME, "261301000000Z" },
	{ DER_UTC_TIME, "260001000000Z" },
	{ DER_UTC_TIME, "260100000000Z" },
	{ DER_UTC_TIME, "260229000000Z" },
	{ DER_UTC_TIME, "260101240000Z" },
	{ DER_UTC_TIME, "260101006000Z" },
	{ DER_UTC_TIME, "260101000060Z" },
	{ DER_UTC_TIME, "26010100000aZ" },
	{ DER_UTC_TIME, "260101000000+2400" },
	{ DER_UTC_TIME, "260101000000.5Z" },
	{ DER_GENERALIZED_TIME, "19000229000000Z" },
	{ DER_GENERALIZED_TIME, "99991231235959-0001" },
	{ DER_GENERALIZED_TIME, "00000101000000+0001" },
	{ DER_UTF8_STRING, "260101000000Z" },
};

static void reads_times(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < sizeof good_times / sizeof good_times[0]; n++) {
		struct x509_time t = time_of(good_times[n].tag, good_times[n].text);

		assert_true(t.valid);
		assert_true(t.seconds == good_times[n].seconds);
		assert_int_equal(t.text.left, 20);
		assert_memory_equal(t.text.p, good_times[n].rfc3339, 20);
	}
	for (size_t n = 0; n < sizeof bad_times / sizeof bad_times[0]; n++) {
		struct x509_time t = time_of(bad_times[n].tag, bad_times[n].text);

		assert_false(t.valid);
		assert_true(t.seconds == 0);
		assert_int_equal(t.text.left, strlen(bad_times[n].text));
		assert_ptr_equal(t.text.p, bad_times[n].text);
	}
}

/* Every day of 800 years, there and back, is one more than the day before. */
static void counts_days(void **unused)
{
	int64_t before = 0;
	bool first = true;

	(void)unused;
	for (int year = 1600; year < 2400; year++) {
		for (int month = 1; month <= 12; month++) {
			for (int day = 1; day <= 31; day++) {
				char text[48];
				struct x509_time t;

				snprintf(text, sizeof text, "%04d%02d%02d000000Z", year, month,
						day);
				t = time_of(DER_GENERALIZED_TIME, text);
				if (!t.valid)
					continue;
				assert_true(first || t.seconds == before + 86400);
				assert_memory_equal(t.text.p, text, 4);
				assert_memory_equal(t.text.p + 5, text + 4, 2);
				assert_memory_equal(t.text.p + 8, text + 6, 2);
				before = t.seconds;
				first = false;
			}
		}
		arena_free(&arena, pool);
	}
}

static void says_self_signed(void **unused)
{
	struct recipe r = { .issuer = RD(USUAL_NAME("person")) };

	(void)unused;
	assert_true(parse_recipe(&r)->self_signed);
}

static void marks_signatures_that_differ(void **unused)
{
	struct recipe r = { .outer = RD("\x30\x05\x06\x03\x2b\x65\x70") };

	(void)unused;
	assert_true(parse_recipe(&r)->malformed);
	assert_string_equal(info.signature, "ED25519");
	assert_null(info.signature_hash);
}

static void reads_signature_hashes(void **unused)
{
	/* RSASSA-PSS with SHA-384; without parameters inside, which is SHA-1; and cut short */
	static const char pss[] =
			"\x30\x1c\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\x0f\xa0\x0d"
			"\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x02\x02";
	static const char plain[] = "\x30\x0d\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a\x30\0";
	static const char none[] = "\x30\x0b\x06\x09\x2a\x86\x48\x86\xf7\x0d\x01\x01\x0a";
	static const char ml_dsa[] = "\x30\x0b\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x12";
	static const char unknown[] = "\x30\x04\x06\x02\x2a\x03";

	(void)unused;
	parse_recipe(&(struct recipe){ .algorithm = RD(pss) });
	assert_string_equal(info.signature, "rsassaPss");
	assert_string_equal(info.signature_hash, "SHA384");
	parse_recipe(&(struct recipe){ .algorithm = RD(plain) });
	assert_string_equal(info.signature_hash, "SHA1");
	parse_recipe(&(struct recipe){ .algorithm = RD(none) });
	assert_null(info.signature_hash);
	parse_recipe(&(struct recipe){ .algorithm = RD(ml_dsa) });
	assert_string_equal(info.signature, "ML-DSA-65");
	assert_null(info.signature_hash);
	parse_recipe(&(struct recipe){ .algorithm = RD(unknown) });
	assert_string_equal(info.signature, "1.2.3");
}

/* A key of this algorithm (content of its SEQUENCE) with these bytes. */
static const struct x509_info *key_of(struct rd algorithm, const void *key, size_t size)
{
	inner.size = 0;
	open_tag(&inner, DER_SEQUENCE);
	put(&inner, DER_SEQUENCE, algorithm.p, algorithm.left);
	open_tag(&inner, DER_BIT_STRING);
	RAW(&inner, "\0");
	raw(&inner, key, size);
	close_tag(&inner);
	close_tag(&inner);
	parse_recipe(&(struct recipe){ .key = built(&inner) });
	assert_false(info.damaged);
	return &info;
}

static void reads_keys(void **unused)
{
	static const uint8_t many[2592] = { 1 };
	static const char rsa[] = "\x30\x0d\x02\x06\0\x9f\xff\xff\xff\xff\x02\x03\x01\0\x01";

	(void)unused;
	key_of(RD("\x06\x09" OID_RSA "\x05\0"), rsa, sizeof rsa - 1);
	assert_string_equal(info.key_type, "rsa");
	assert_int_equal(info.key_bits, 40);
	assert_text(info.rsa_exponent, "\x01\0\x01");
	assert_null(info.curve);
	key_of(RD("\x06\x09" OID_RSA "\x05\0"), "nonsense", 8);
	assert_true(info.malformed);
	key_of(RD("\x06\x03\x2b\x65\x70"), many, 32);
	assert_string_equal(info.key_type, "ed25519");
	assert_int_equal(info.key_bits, 256);
	key_of(RD("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x11"), many, 1312);
	assert_string_equal(info.key_type, "ML-DSA-44");
	assert_int_equal(info.key_bits, 1312 * 8);
	key_of(RD("\x06\x09\x60\x86\x48\x01\x65\x03\x04\x03\x13"), many, 2592);
	assert_string_equal(info.key_type, "ML-DSA-87");
	key_of(RD("\x06\x02\x2a\x03"), many, 10);
	assert_string_equal(info.key_type, "1.2.3");
	assert_int_equal(info.key_bits, 80);
	/* DSA with p of 24 bits */
	key_of(RD("\x06\x07\x2a\x86\x48\xce\x38\x04\x01\x30\x0b\x02\x03\x7f\xff\xff\x02\x01\x03\x02"
		  "\x01\x02"),
			"\x02\x01\x05", 3);
	assert_string_equal(info.key_type, "dsa");
	assert_int_equal(info.key_bits, 23);
}

static void reads_curves(void **unused)
{
	static const uint8_t point[67] = { 4 };

	(void)unused;
	key_of(RD("\x06\x07" OID_EC_KEY "\x06\x05\x2b\x81\x04\0\x23"), point, 133 - 66);
	assert_string_equal(info.curve, "secp521r1");
	assert_int_equal(info.key_bits, 521);
	key_of(RD("\x06\x07" OID_EC_KEY "\x06\x08\x2a\x81\x1c\xcf\x55\x01\x82\x2d"), point, 65);
	assert_string_equal(info.curve, "SM2");
	assert_int_equal(info.key_bits, 256);
	key_of(RD("\x06\x07" OID_EC_KEY "\x06\x02\x2a\x03"), point, 65);
	assert_string_equal(info.curve, "1.2.3");
	assert_int_equal(info.key_bits, 256);
	/* explicit: version 1, a prime field of 17 bits; then a binary field of 163 */
	key_of(RD("\x06\x07" OID_EC_KEY "\x30\x13\x02\x01\x01\x30\x0e\x06\x07\x2a\x86\x48\xce\x3d"
		  "\x01\x01\x02\x03\x01\x00\x01"),
			point, 65);
	assert_string_equal(info.curve, "explicit");
	assert_int_equal(info.key_bits, 17);
	key_of(RD("\x06\x07" OID_EC_KEY "\x30\x14\x02\x01\x01\x30\x0f\x06\x07\x2a\x86\x48\xce\x3d"
		  "\x01\x02\x30\x04\x02\x02\0\xa3"),
			point, 65);
	assert_string_equal(info.curve, "explicit");
	assert_int_equal(info.key_bits, 163);
	key_of(RD("\x06\x07" OID_EC_KEY "\x05\0"), point, 65);
	assert_null(info.curve);
	key_of(RD("\x06\x07" OID_EC_KEY), point, 65);
	assert_true(info.malformed);
}

/* Real keys, as OpenSSL writes them; x509_against() compares their sizes. */
static void reads_keys_of_openssl(void **unused)
{
	EVP_PKEY *keys[] = { EVP_RSA_gen(1024), EVP_EC_gen("P-256"), EVP_EC_gen("P-384"),
		EVP_EC_gen("brainpoolP512r1"), EVP_EC_gen("sect233k1"), EVP_EC_gen("secp256k1"),
		EVP_PKEY_Q_keygen(NULL, NULL, "ED25519"), EVP_PKEY_Q_keygen(NULL, NULL, "X448") };
	static const uint32_t bits[] = { 1024, 256, 384, 512, 233, 256, 256, 448 };

	(void)unused;
	for (size_t n = 0; n < sizeof keys / sizeof keys[0]; n++) {
		unsigned char *der = NULL;
		int size = i2d_PUBKEY(keys[n], &der);
		struct recipe r = { .key = { der, (size_t)size } };

		assert_true(size > 0);
		assert_int_equal(parse_recipe(&r)->key_bits, bits[n]);
		assert_false(info.malformed);
		assert_int_equal(info.key.left, size);
		OPENSSL_free(der);
		EVP_PKEY_free(keys[n]);
	}
}

/* With less and less memory texts and lists go, and 'cut' says so. */
static void does_with_little_memory(void **unused)
{
	struct pool *small = pool_new();
	struct arena none = { NULL };

	(void)unused;
	pool_limit(small, 16);
	assert_true(x509_parse(cook(&cert, &(struct recipe){ 0 }), &none, small, &info));
	assert_true(info.cut);
	assert_int_equal(info.subject.count, 0);
	assert_int_equal(info.key_bits, 256);
	arena_free(&none, small);
	pool_free(small);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_sound_one),
		cmocka_unit_test(damaged_when_cut_short),
		cmocka_unit_test(counts_what_is_behind_it),
		cmocka_unit_test(takes_any_bent_byte),
		cmocka_unit_test(keeps_texts_right),
		cmocka_unit_test(keeps_what_is_no_text_as_bytes),
		cmocka_unit_test(caps_attributes),
		cmocka_unit_test(reads_odd_names),
		cmocka_unit_test(reads_serials),
		cmocka_unit_test(reads_versions),
		cmocka_unit_test(reads_times),
		cmocka_unit_test(counts_days),
		cmocka_unit_test(says_self_signed),
		cmocka_unit_test(marks_signatures_that_differ),
		cmocka_unit_test(reads_signature_hashes),
		cmocka_unit_test(reads_keys),
		cmocka_unit_test(reads_curves),
		cmocka_unit_test(reads_keys_of_openssl),
		cmocka_unit_test(does_with_little_memory),
	};

	return cmocka_run_group_tests(tests, set_up, tear_down);
}
