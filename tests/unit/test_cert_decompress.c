/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_cert_decompress.c - certificate messages in zlib, brotli and zstd: whole, cut short, with
 * more behind, and declared wrongly.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>
#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif

#include "base/limits.h"
#include "feature/cert_decompress.h"

enum { SIZE = 3000 };
static uint8_t message[SIZE], out[SIZE + 1];

static void write_message(void)
{
	for (size_t n = 0; n < SIZE; n++)
		message[n] = (uint8_t)(n % 7 == 0 ? n >> 3 : 'x');
}

/* What 'packed' unpacks to, and how it does not. */
static void check(uint16_t algorithm, const uint8_t *packed, size_t size, size_t declared)
{
	struct rd in = { packed, size };
	uint8_t *more = memcpy(malloc(size + 1), packed, size);

	assert_true(cert_decompress_knows(algorithm));
	assert_true(cert_decompress(algorithm, in, declared, out));
	assert_memory_equal(out, message, declared);
	assert_false(cert_decompress(algorithm, in, declared - 1, out));
	assert_false(cert_decompress(algorithm, in, declared + 1, out));
	for (size_t n = 0; n < size; n++) {
		uint8_t *cut = memcpy(malloc(n + !n), packed, n);

		assert_false(cert_decompress(algorithm, (struct rd){ cut, n }, declared, out));
		free(cut);
	}
	more[size] = 0;
	assert_false(cert_decompress(algorithm, (struct rd){ more, size + 1 }, declared, out));
	free(more);
}

static void unpacks_zlib(void **unused)
{
	uint8_t packed[SIZE];
	uLongf size = sizeof packed;

	(void)unused;
	write_message();
	assert_int_equal(compress(packed, &size, message, SIZE), Z_OK);
	check(CERT_ZLIB, packed, size, SIZE);
}

static void unpacks_zstd(void **unused)
{
	(void)unused;
#ifdef HAVE_ZSTD
	uint8_t packed[SIZE];
	size_t size = ZSTD_compress(packed, sizeof packed, message, SIZE, 3);

	assert_false(ZSTD_isError(size));
	check(CERT_ZSTD, packed, size, SIZE);
#else
	assert_false(cert_decompress_knows(CERT_ZSTD));
#endif
}

/* RFC 7932: a window of 16 bits, then one block that is not compressed, then the last, empty one */
static void unpacks_brotli(void **unused)
{
	static const uint8_t packed[] = { 0x20, 0x00, 0x10, 'x', 'y', 'z', 0x03 };

	(void)unused;
#ifdef HAVE_BROTLI
	memcpy(message, "xyz", 3);
	check(CERT_BROTLI, packed, sizeof packed, 3);
#else
	(void)packed;
	assert_false(cert_decompress_knows(CERT_BROTLI));
#endif
}

static void refuses_the_rest(void **unused)
{
	uint8_t packed[64];
	uLongf size = sizeof packed;
	uint8_t *large = malloc(LIMIT_CERT_MESSAGE + 1);

	(void)unused;
	assert_int_equal(compress(packed, &size, (const uint8_t *)"abc", 3), Z_OK);
	assert_false(cert_decompress(0, (struct rd){ packed, size }, 3, out));
	assert_false(cert_decompress(4, (struct rd){ packed, size }, 3, out));
	assert_false(cert_decompress_knows(0));
	assert_false(cert_decompress(CERT_ZLIB, (struct rd){ packed, size }, 0, out));
	assert_false(cert_decompress(CERT_ZLIB, (struct rd){ NULL, 0 }, 3, out));
	assert_false(cert_decompress(
			CERT_ZLIB, (struct rd){ packed, size }, LIMIT_CERT_MESSAGE + 1, large));
	free(large);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(unpacks_zlib),
		cmocka_unit_test(unpacks_zstd),
		cmocka_unit_test(unpacks_brotli),
		cmocka_unit_test(refuses_the_rest),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
