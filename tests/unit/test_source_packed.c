/* SPDX-License-Identifier: BSD-3-Clause */
/* test_source_packed.c - captures within gzip, zstd and xz: in pieces, nested, cut and damaged. */
#include "source_kit.h"

#include <zlib.h>
#ifdef HAVE_ZSTD
#include <zstd.h>
#endif
#ifdef HAVE_LZMA
#include <lzma.h>
#endif

enum { ROOM = 1 << 20, PACKETS = 40 };

struct packer {
	struct buf (*pack)(const void *bytes, size_t size);
	size_t check; /* where a byte of a check lies, from the end */
};

static struct buf gzip(const void *bytes, size_t size)
{
	struct buf b = buf_new(ROOM);
	z_stream z = { 0 };

	assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, MAX_WBITS + 16, 8, Z_DEFAULT_STRATEGY),
			Z_OK);
	z.next_in = (Bytef *)(uintptr_t)bytes;
	z.avail_in = (uInt)size;
	z.next_out = (Bytef *)buf_reserve(&b, ROOM / 2);
	z.avail_out = ROOM / 2;
	assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
	buf_commit(&b, z.total_out);
	deflateEnd(&z);
	return b;
}

#ifdef HAVE_ZSTD
static struct buf zstd(const void *bytes, size_t size)
{
	struct buf b = buf_new(ROOM);
	ZSTD_CCtx *z = ZSTD_createCCtx();

	ZSTD_CCtx_setParameter(z, ZSTD_c_checksumFlag, 1);
	size_t made = ZSTD_compress2(z, buf_reserve(&b, ROOM / 2), ROOM / 2, bytes, size);
	assert_false(ZSTD_isError(made));
	buf_commit(&b, made);
	ZSTD_freeCCtx(z);
	return b;
}
#endif

#ifdef HAVE_LZMA
static struct buf xz(const void *bytes, size_t size)
{
	struct buf b = buf_new(ROOM);
	size_t made = 0;

	assert_int_equal(lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, bytes, size,
					 (uint8_t *)buf_reserve(&b, ROOM / 2), &made, ROOM / 2),
			LZMA_OK);
	buf_commit(&b, made);
	return b;
}
#endif

static const struct packer packers[] = {
	{ gzip, 8 }, /* CRC and length */
#ifdef HAVE_ZSTD
	{ zstd, 4 }, /* checksum */
#endif
#ifdef HAVE_LZMA
	{ xz, 16 }, /* check of the index */
#endif
};
enum { PACKERS = sizeof(packers) / sizeof(packers[0]) };

/* Two pieces packed apart and laid one behind the other. */
static struct buf two_pieces(const struct packer *with, const struct buf *plain)
{
	size_t cut = plain->size / 3;
	struct buf b = with->pack(plain->p, cut);
	struct buf second = with->pack(plain->p + cut, plain->size - cut);

	buf_bytes(&b, second.p, second.size);
	buf_free(&second);
	return b;
}

/* Of the packets of kit_pcap(): the first run->count, in order and unharmed. */
static void assert_prefix(const struct kit_run *run)
{
	for (size_t i = 0; i < run->count; i++) {
		assert_int_equal(run->frames[i].caplen, 41 + i);
		assert_true(kit_is_payload(&run->frames[i], (uint32_t)i + 1));
	}
}

static void reads_each_coding_in_pieces(void **unused)
{
	static const size_t steps[] = { 0, 1, 3, 100 };
	struct buf plain = kit_pcap(PACKETS);

	(void)unused;
	for (size_t i = 0; i < PACKERS * 4; i++) {
		struct buf b = two_pieces(&packers[i / 4], &plain);
		struct kit_run *run = kit_read_memory(&b, steps[i % 4], 7);

		assert_string_equal(run->all_troubles, "");
		assert_int_equal(run->count, PACKETS);
		assert_prefix(run);
		kit_run_free(run);
		buf_free(&b);
	}
	buf_free(&plain);
}

static void reads_codings_within_each_other(void **unused)
{
	struct buf plain = kit_pcap(PACKETS);

	(void)unused;
	for (size_t i = 0; i < PACKERS * PACKERS; i++) {
		struct buf inner = packers[i / PACKERS].pack(plain.p, plain.size);
		struct buf outer = packers[i % PACKERS].pack(inner.p, inner.size);
		struct kit_run *run = kit_read_memory(&outer, 5, 64);

		assert_string_equal(run->all_troubles, "");
		assert_int_equal(run->count, PACKETS);
		assert_prefix(run);
		kit_run_free(run);
		buf_free(&inner);
		buf_free(&outer);
	}
	buf_free(&plain);
}

static void bounds_the_nesting(void **unused)
{
	struct buf b = kit_pcap(1);

	(void)unused;
	for (int i = 0; i < 5; i++) {
		struct buf packed = gzip(b.p, b.size);

		buf_free(&b);
		b = packed;
	}
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	assert_int_equal(run->count, 0);
	assert_int_equal(run->troubles[SOURCE_FAILED], 1);
	assert_non_null(strstr(run->last_trouble, "packed more than 4"));
	kit_run_free(run);
	buf_free(&b);
}

/*
 * Cut at every byte: packets are a prefix, and there is trouble unless the cut falls where a piece
 * ends and so does a packet, which it never does here, or at the very end.
 */
static void tells_of_cut_data(void **unused)
{
	struct buf plain = kit_pcap(PACKETS);

	(void)unused;
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf b = two_pieces(&packers[i], &plain);

		for (size_t cut = 0; cut < b.size; cut++) {
			struct buf part = { .p = b.p, .size = cut };
			struct kit_run *run = kit_read_memory(&part, cut % 9, 64);

			assert_true(run->count < PACKETS || run->troubles[SOURCE_DAMAGED] == 1);
			assert_int_equal(run->troubles[SOURCE_DAMAGED] +
							 run->troubles[SOURCE_FAILED],
					1);
			assert_prefix(run);
			kit_run_free(run);
		}
		buf_free(&b);
	}
	buf_free(&plain);
}

/* The last bytes of each coding are a check of what came before: the packets come, and a word. */
static void tells_of_a_wrong_check(void **unused)
{
	struct buf plain = kit_pcap(PACKETS);

	(void)unused;
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf b = packers[i].pack(plain.p, plain.size);

		b.p[b.size - packers[i].check] ^= 0x55;
		struct kit_run *run = kit_read_memory(&b, 0, 7);
		assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
		assert_non_null(strstr(run->last_trouble, "data is damaged"));
		assert_int_equal(run->last_offset, plain.size); /* of what is unpacked */
		assert_int_equal(run->count, PACKETS);
		assert_prefix(run);
		kit_run_free(run);
		buf_free(&b);
	}
	buf_free(&plain);
}

/* Any one byte changed: never a crash, and what came before the damage is right. */
static void survives_any_flipped_byte(void **unused)
{
	struct buf plain = kit_pcap(6);

	(void)unused;
	for (size_t i = 0; i < PACKERS; i++) {
		struct buf b = packers[i].pack(plain.p, plain.size);

		for (size_t at = 0; at < b.size; at++) {
			b.p[at] ^= 0x41;
			struct kit_run *run = kit_read_memory(&b, at % 5, 64);
			assert_true(run->count <= KIT_MOST);
			kit_run_free(run);
			b.p[at] ^= 0x41;
		}
		buf_free(&b);
	}
	buf_free(&plain);
}

static void passes_over_what_follows_the_data(void **unused)
{
	struct buf plain = kit_pcap(PACKETS), b = gzip(plain.p, plain.size);

	(void)unused;
	buf_bytes(&b, "\0\0\0\0\0\0\0", 7); /* padding of tapes */
	struct kit_run *run = kit_read_memory(&b, 3, 64);
	assert_int_equal(run->count, PACKETS);
	assert_string_equal(run->all_troubles, "");
	kit_run_free(run);

	buf_text(&b, "signature");
	run = kit_read_memory(&b, 3, 64);
	assert_int_equal(run->count, PACKETS);
	assert_int_equal(run->troubles[SOURCE_WARNING], 1);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 0);
	kit_run_free(run);
	buf_free(&b);
	buf_free(&plain);
}

/* Trouble of the data inside and of the bytes behind it are both told. */
static void tells_of_a_cut_capture_in_whole_data(void **unused)
{
	struct buf plain = kit_pcap(PACKETS), b = gzip(plain.p, plain.size - 5);

	(void)unused;
	buf_text(&b, "signature");
	struct kit_run *run = kit_read_memory(&b, 0, 64);
	assert_int_equal(run->count, PACKETS - 1);
	assert_int_equal(run->troubles[SOURCE_WARNING], 1);
	assert_int_equal(run->troubles[SOURCE_DAMAGED], 1);
	assert_non_null(strstr(run->all_troubles, "unpacked"));
	kit_run_free(run);
	buf_free(&b);
	buf_free(&plain);
}

static void says_what_is_packed(void **unused)
{
	struct buf b = gzip("some words, no packets", 22), twice = gzip(b.p, b.size);
	struct kit_run *run = kit_read_memory(&twice, 0, 64);

	(void)unused;
	assert_int_equal(run->troubles[SOURCE_FAILED], 1);
	assert_non_null(strstr(run->last_trouble, "gzip of gzip of text"));
	kit_run_free(run);
	buf_free(&b);
	b = gzip("", 0);
	run = kit_read_memory(&b, 0, 64);
	assert_non_null(strstr(run->last_trouble, "gzip of nothing"));
	kit_run_free(run);
	buf_free(&twice);
	buf_free(&b);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_each_coding_in_pieces),
		cmocka_unit_test(reads_codings_within_each_other),
		cmocka_unit_test(bounds_the_nesting),
		cmocka_unit_test(tells_of_cut_data),
		cmocka_unit_test(tells_of_a_wrong_check),
		cmocka_unit_test(survives_any_flipped_byte),
		cmocka_unit_test(passes_over_what_follows_the_data),
		cmocka_unit_test(tells_of_a_cut_capture_in_whole_data),
		cmocka_unit_test(says_what_is_packed),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
