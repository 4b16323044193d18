/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_certs.c - the store of certificates: the same bytes once, held ones stay, the least recently
 * used others leave, and the caps hold.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "feature/certs.h"
#include "x509_kit.h"

static struct builder cert, number;

/* A sound certificate with this serial number. */
static struct rd certificate(unsigned serial)
{
	uint8_t bytes[4] = { (uint8_t)(serial >> 24 & 0x7f), (uint8_t)(serial >> 16),
		(uint8_t)(serial >> 8), (uint8_t)serial };

	number.size = 0;
	put(&number, DER_INTEGER, bytes, sizeof bytes);
	return cook(&cert, &(struct recipe){ .serial = built(&number) });
}

static void keeps_one_copy(void **unused)
{
	struct certs *s = certs_new();
	struct cert *a = certs_hold(s, certificate(1)), *b = certs_hold(s, certificate(2));

	(void)unused;
	assert_non_null(a);
	assert_ptr_not_equal(a, b);
	assert_ptr_equal(certs_hold(s, certificate(1)), a);
	assert_int_equal(certs_stats(s).count, 2);
	assert_int_equal(certs_stats(s).held, 3);
	assert_int_equal(certs_stats(s).known, 1);
	assert_int_equal(cert_der(a).left, certificate(1).left);
	assert_memory_equal(cert_der(a).p, cert.bytes, cert.size);
	certs_release(s, a);
	certs_release(s, a);
	certs_release(s, b);
	certs_release(s, NULL);
	assert_ptr_equal(certs_hold(s, certificate(1)), a); /* nobody needed its room */
	certs_free(s);
	certs_free(NULL);
}

static void parses_once(void **unused)
{
	struct certs *s = certs_new();
	struct cert *a = certs_hold(s, certificate(7));
	const struct x509_info *i = certs_info(s, a);

	(void)unused;
	assert_false(i->damaged || i->cut);
	assert_int_equal(i->serial.p[i->serial.left - 1], 7);
	assert_ptr_equal(certs_info(s, a), i);
	assert_ptr_equal(certs_info(s, certs_hold(s, certificate(7))), i);
	assert_int_equal(certs_stats(s).parsed, 1);
	certs_free(s);
}

static void tells_of_damaged_ones(void **unused)
{
	struct certs *s = certs_new();
	struct rd junk = RD("no certificate");
	const struct x509_info *i = certs_info(s, certs_hold(s, junk));

	(void)unused;
	assert_true(i->damaged);
	assert_int_equal(i->size, junk.left);
	certs_free(s);
}

static void refuses_sizes(void **unused)
{
	struct certs *s = certs_new();
	uint8_t *large = calloc(1, LIMIT_CERT_BYTES + 1);

	(void)unused;
	assert_null(certs_hold(s, (struct rd){ NULL, 0 }));
	assert_null(certs_hold(s, (struct rd){ large, 0 }));
	assert_null(certs_hold(s, (struct rd){ large, LIMIT_CERT_BYTES + 1 }));
	assert_non_null(certs_hold(s, (struct rd){ large, LIMIT_CERT_BYTES }));
	assert_int_equal(certs_stats(s).refused, 3);
	certs_free(s);
	free(large);
}

static void least_recently_used_leaves(void **unused)
{
	struct certs *s = certs_new_capped(3, 1 << 20);
	struct cert *held[4];

	(void)unused;
	for (unsigned n = 0; n < 3; n++)
		held[n] = certs_hold(s, certificate(n));
	assert_null(certs_hold(s, certificate(3))); /* all are held */
	certs_release(s, held[1]);
	certs_release(s, held[0]);
	held[1] = certs_hold(s, certificate(1)); /* used again: now the younger */
	certs_release(s, held[1]);
	held[3] = certs_hold(s, certificate(3)); /* 0 leaves */
	assert_non_null(held[3]);
	assert_int_equal(certs_stats(s).evicted, 1);
	assert_ptr_equal(certs_hold(s, certificate(1)), held[1]);
	assert_int_equal(certs_stats(s).known, 2);
	assert_null(certs_hold(s, certificate(0)));
	assert_int_equal(certs_stats(s).count, 3);
	certs_free(s);
}

static void bytes_have_a_cap(void **unused)
{
	enum { CAP = 256 * 1024 };
	struct certs *s = certs_new_capped(1000000, CAP);

	(void)unused;
	for (unsigned n = 0; n < 3000; n++) {
		struct cert *c = certs_hold(s, certificate(n));

		assert_non_null(c);
		assert_false(certs_info(s, c)->damaged);
		assert_true(certs_stats(s).bytes <= CAP + 8192);
		assert_true(certs_memory(s) <= 3 * CAP);
		certs_release(s, c);
	}
	assert_true(certs_stats(s).evicted > 2000);
	certs_free(s);
}

/* Held ones may use it all up: then no more come in, and nothing is said wrong. */
static void held_ones_fill_it(void **unused)
{
	enum { CAP = 64 * 1024, MOST = 200 };
	struct certs *s = certs_new_capped(1000000, CAP);
	struct cert *held[MOST];
	unsigned n = 0;

	(void)unused;
	while (n < MOST && (held[n] = certs_hold(s, certificate(n))) != NULL) {
		const struct x509_info *i = certs_info(s, held[n]);

		assert_true(!i->damaged && i->key_bits == 256);
		n++;
	}
	assert_in_range(n, 10, MOST - 1);
	assert_true(certs_stats(s).bytes <= 2 * CAP);
	while (n > 0)
		certs_release(s, held[--n]);
	assert_non_null(certs_hold(s, certificate(99999)));
	certs_free(s);
}

static void grows_with_what_it_holds(void **unused)
{
	enum { MANY = 5000 };
	struct certs *s = certs_new();
	static struct cert *held[MANY];

	(void)unused;
	for (unsigned n = 0; n < MANY; n++)
		held[n] = certs_hold(s, certificate(n));
	for (unsigned n = 0; n < MANY; n++)
		assert_ptr_equal(certs_hold(s, certificate(n)), held[n]);
	assert_int_equal(certs_stats(s).count, MANY);
	certs_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_one_copy),
		cmocka_unit_test(parses_once),
		cmocka_unit_test(tells_of_damaged_ones),
		cmocka_unit_test(refuses_sizes),
		cmocka_unit_test(least_recently_used_leaves),
		cmocka_unit_test(bytes_have_a_cap),
		cmocka_unit_test(held_ones_fill_it),
		cmocka_unit_test(grows_with_what_it_holds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
