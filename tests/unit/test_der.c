/* SPDX-License-Identifier: BSD-3-Clause */
/* test_der.c - the walk over DER: lengths in every form, what does not fit, and counting. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/der.h"

#define RD(literal) ((struct rd){ (const uint8_t *)(literal), sizeof(literal) - 1 })

static void walks_in_order(void **unused)
{
	/* INTEGER 5, an empty SEQUENCE, two bytes in a long form, and in one longer than need be */
	struct rd r = RD("\x02\x01\x05\x30\0\x04\x81\x02"
			 "ab\x04\x84\0\0\0\x01"
			 "c");
	struct der d;

	(void)unused;
	assert_int_equal(der_count(r), 4);
	assert_true(der_fits(r));
	assert_true(der_next(&r, &d));
	assert_int_equal(d.tag, DER_INTEGER);
	assert_int_equal(d.value.left, 1);
	assert_int_equal(d.whole.left, 3);
	assert_true(der_next(&r, &d) && d.value.left == 0 && rd_ok(&d.value));
	assert_true(der_next(&r, &d) && d.value.left == 2 && d.whole.left == 5);
	assert_memory_equal(d.value.p, "ab", 2);
	assert_true(der_next(&r, &d) && d.value.left == 1 && d.value.p[0] == 'c');
	assert_false(der_next(&r, &d));
	assert_true(rd_ok(&r));
}

static void refuses_what_does_not_fit(void **unused)
{
	static const struct {
		const char *bytes;
		size_t size;
	} odd[] = {
		{ "\x02", 1 },         /* no length */
		{ "\x02\x01", 2 },     /* no value */
		{ "\x30\x80\0\0", 4 }, /* an indefinite length */
		{ "\x04\x82\0", 3 },   /* half a length */
		{ "\x04\x88\xff\xff\xff\xff\xff\xff\xff\xff", 10 },
		{ "\x04\x89\0\0\0\0\0\0\0\0\0", 11 }, /* 9 bytes of length */
		{ "\x1f\x01\0", 3 },                  /* a tag above 30 */
	};

	(void)unused;
	for (size_t n = 0; n < sizeof odd / sizeof odd[0]; n++) {
		uint8_t *bytes = memcpy(malloc(odd[n].size), odd[n].bytes, odd[n].size);
		struct rd r = { bytes, odd[n].size };
		struct der d;

		assert_int_equal(der_count(r), 0);
		assert_false(der_fits(r));
		assert_false(der_next(&r, &d));
		assert_false(rd_ok(&r) || rd_ok(&d.value) || rd_ok(&d.whole));
		free(bytes);
	}
}

static void takes_by_tag(void **unused)
{
	struct rd r = RD("\x02\x01\x05\x05\0"), value;

	(void)unused;
	value = der_optional(&r, DER_NULL);
	assert_true(!rd_ok(&value) && rd_ok(&r) && r.left == 5);
	value = der_optional(&r, DER_INTEGER);
	assert_true(rd_ok(&value) && r.left == 2);
	value = der_take(&r, DER_INTEGER);
	assert_false(rd_ok(&value) || rd_ok(&r));
	value = der_optional(&r, DER_NULL);
	assert_false(rd_ok(&value));
}

static void counts_bits(void **unused)
{
	(void)unused;
	assert_int_equal(der_bits(RD("")), 0);
	assert_int_equal(der_bits(RD("\0")), 0);
	assert_int_equal(der_bits(RD("\0\x01")), 1);
	assert_int_equal(der_bits(RD("\xff")), 8);
	assert_int_equal(der_bits(RD("\0\x80\0")), 16);
	assert_int_equal(der_bits((struct rd){ NULL, 0 }), 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_in_order),
		cmocka_unit_test(refuses_what_does_not_fit),
		cmocka_unit_test(takes_by_tag),
		cmocka_unit_test(counts_bits),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
