/* SPDX-License-Identifier: BSD-3-Clause */
/* test_quic_wire.c - QUIC packets, frames and parameters: good ones, then every way to cut them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/quic_wire.h"
#include "unit/quic_kit.h"

/*
 * One datagram of version 1: Initial (ids 0102030405060708 and "ab", token "T", 5 bytes), 0-RTT
 * (2 bytes), Handshake (3 bytes), then a short header with the spin bit and an id of 2 bytes.
 */
static const uint8_t coalesced[] = "\xc0\x00\x00\x00\x01\x08\x01\x02\x03\x04\x05\x06\x07\x08\x02"
				   "ab\x01T\x05PPPPP"
				   "\xd0\x00\x00\x00\x01\x00\x00\x02QQ"
				   "\xe0\x00\x00\x00\x01\x00\x02"
				   "ab\x40\x03RRR"
				   "\x60idSSSS";
enum {
	COALESCED = sizeof coalesced - 1,
	INITIAL_SIZE = 25,
	ZERO_RTT_SIZE = 10,
	HANDSHAKE_SIZE = 14
};

static void walks_over_coalesced_packets(void **unused)
{
	static const enum quic_packet_type types[] = { QUIC_INITIAL, QUIC_ZERO_RTT, QUIC_HANDSHAKE,
		QUIC_SHORT };
	static const size_t payloads[] = { 5, 2, 3, 4 };
	struct rd r = { coalesced, COALESCED };
	struct quic_packet p;
	size_t n = 0, used = 0;

	(void)unused;
	for (; quic_packet_next(&r, 2, &p); n++) {
		assert_int_equal(p.type, types[n]);
		assert_int_equal(p.payload.left, payloads[n]);
		assert_true(p.fixed_bit && !p.cut);
		assert_int_equal(p.version, n < 3 ? 1 : 0);
		assert_int_equal(p.long_header, n < 3);
		assert_ptr_equal(p.whole.p, coalesced + used);
		used += p.whole.left;
		if (n == 0) {
			assert_int_equal(p.dcid.left, 8);
			assert_int_equal(p.scid.left, 2);
			assert_int_equal(p.token.left, 1);
		}
	}
	assert_int_equal(n, 4);
	assert_int_equal(used, COALESCED);
	assert_true(rd_ok(&r));
}

static void reads_a_short_header(void **unused)
{
	static const uint8_t bytes[] = { 0x60, 'i', 'd', 9 };
	struct rd r = { bytes, sizeof bytes };
	struct quic_packet p;

	(void)unused;
	assert_true(quic_packet_next(&r, 2, &p));
	assert_true(p.spin);
	assert_int_equal(p.dcid.left, 2);
	assert_int_equal(p.payload.left, 1);
	r = (struct rd){ bytes, sizeof bytes };
	assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	assert_false(rd_ok(&p.dcid));
	assert_int_equal(p.payload.left, 3);
	r = (struct rd){ bytes, sizeof bytes };
	assert_false(quic_packet_next(&r, 4, &p));
	assert_false(rd_ok(&r));
}

/* RFC 9369 section 3.2 */
static void turns_the_types_of_version_2(void **unused)
{
	static const enum quic_packet_type types[] = { QUIC_RETRY, QUIC_INITIAL, QUIC_ZERO_RTT,
		QUIC_HANDSHAKE };
	uint8_t bytes[64] = { 0, 0x6b, 0x33, 0x43, 0xcf, 0, 0 };

	(void)unused;
	for (unsigned i = 0; i < 4; i++) {
		struct rd r = { bytes, sizeof bytes };
		struct quic_packet p;

		bytes[0] = (uint8_t)(0xc0 | i << 4);
		assert_true(quic_packet_next(&r, 0, &p));
		assert_int_equal(p.type, types[i]);
		assert_string_equal(quic_version_name(p.version), "2");
	}
}

static void reads_version_negotiation(void **unused)
{
	static const uint8_t bytes[] = { 0xaa, 0, 0, 0, 0, 1, 7, 2, 8, 9, 0, 0, 0, 1, 0x6b, 0x33,
		0x43, 0xcf };
	struct rd r = { bytes, sizeof bytes };
	struct quic_packet p;

	(void)unused;
	assert_true(quic_guess(r));
	assert_true(quic_packet_next(&r, 0, &p));
	assert_int_equal(p.type, QUIC_VERSION_NEGOTIATION);
	assert_int_equal(p.supported_versions.left, 8);
	assert_int_equal(p.dcid.left, 1);
	assert_int_equal(p.scid.left, 2);
	assert_false(quic_packet_next(&r, 0, &p));
	/* without a version that anybody knows, or not in fours, it is something else */
	assert_false(quic_guess((struct rd){ bytes, sizeof bytes - 2 }));
	assert_false(quic_guess((struct rd){ bytes, 10 }));
}

/* draft-ietf-quic-transport-24 section 17.2.5: the original id stands before the token. */
static void reads_a_retry_without_tag(void **unused)
{
	static const uint8_t bytes[] = { 0xf0, 0xff, 0, 0, 0x18, 0, 1, 5, 2, 8, 9, 't', 'o', 'k' };
	struct rd r = { bytes, sizeof bytes };
	struct quic_packet p;

	(void)unused;
	assert_true(quic_packet_next(&r, 0, &p));
	assert_int_equal(p.type, QUIC_RETRY);
	assert_int_equal(p.token.left, 3);
	assert_int_equal(p.payload.left, 0);
	assert_true(rd_ok(&p.payload));
}

static void leaves_unknown_versions_alone(void **unused)
{
	uint8_t bytes[1200] = { 0xc0, 0x12, 0x34, 0x56, 0x78, 30 };
	struct rd r = { bytes, sizeof bytes };
	struct quic_packet p;

	(void)unused;
	assert_true(quic_packet_next(&r, 0, &p));
	assert_int_equal(p.type, QUIC_UNKNOWN_PACKET);
	assert_int_equal(p.dcid.left, 30); /* the invariants allow it */
	assert_int_equal(p.payload.left, 1200 - 5 - 1 - 30 - 1);
	assert_null(quic_version_name(p.version));
	assert_false(quic_version_readable(p.version));
	assert_false(quic_guess(
			(struct rd){ bytes, sizeof bytes })); /* ids too long for QUIC now */
	bytes[5] = 8;
	assert_true(quic_guess((struct rd){ bytes, sizeof bytes }));
	assert_false(quic_guess((struct rd){ bytes, sizeof bytes - 1 })); /* Initials are larger */
	bytes[0] = 0x80;
	assert_false(quic_guess((struct rd){ bytes, sizeof bytes }));
	bytes[0] = 0xc0;
	memcpy(bytes + 1, "\0\0\0\1\x15", 5); /* version 1 has no ids of 21 bytes */
	r = (struct rd){ bytes, sizeof bytes };
	assert_false(quic_packet_next(&r, 0, &p));
	assert_false(rd_ok(&r));
}

static void takes_zeros_behind_packets_for_padding(void **unused)
{
	uint8_t bytes[INITIAL_SIZE + 9] = { 0 };
	struct rd r = { bytes, sizeof bytes };
	struct quic_packet p;

	(void)unused;
	memcpy(bytes, coalesced, INITIAL_SIZE);
	assert_true(quic_packet_next(&r, 2, &p));
	assert_false(quic_packet_next(&r, 2, &p));
	assert_true(rd_ok(&r) && !rd_more(&r));
}

static void names_versions(void **unused)
{
	static const struct {
		uint32_t version;
		const char *name;
		enum quic_layout layout;
		bool readable;
	} known[] = {
		{ 0x00000001, "1", QUIC_LAYOUT_IETF, true },
		{ 0x6b3343cf, "2", QUIC_LAYOUT_V2, true },
		{ 0xff000017, "draft-23", QUIC_LAYOUT_IETF, true },
		{ 0xff00001d, "draft-29", QUIC_LAYOUT_IETF, true },
		{ 0xff000022, "draft-34", QUIC_LAYOUT_IETF, true },
		{ 0x51303433, "Q043", QUIC_LAYOUT_GOOGLE_43, false },
		{ 0x51303434, "Q044", QUIC_LAYOUT_GOOGLE_44, false },
		{ 0x51303436, "Q046", QUIC_LAYOUT_GOOGLE_46, false },
		{ 0x51303530, "Q050", QUIC_LAYOUT_GOOGLE_50, true },
		{ 0x54303531, "T051", QUIC_LAYOUT_GOOGLE_50, true },
		{ 0xfaceb002, "mvfst-draft-27", QUIC_LAYOUT_IETF, true },
		{ 0x1a2a3a4a, "grease", QUIC_LAYOUT_UNKNOWN, false },
		{ 0xff000023, NULL, QUIC_LAYOUT_UNKNOWN, false },
		{ 0x51303531, NULL, QUIC_LAYOUT_UNKNOWN, false },
		{ 0, NULL, QUIC_LAYOUT_UNKNOWN, false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
		const char *name = quic_version_name(known[i].version);

		if (known[i].name == NULL)
			assert_null(name);
		else
			assert_string_equal(name, known[i].name);
		assert_int_equal(quic_layout(known[i].version), known[i].layout);
		assert_int_equal(quic_version_readable(known[i].version), known[i].readable);
	}
	for (enum quic_packet_type t = QUIC_INITIAL; t <= QUIC_UNKNOWN_PACKET; t++)
		assert_non_null(quic_packet_name(t));
}

/* RFC 9000 A.1 */
static void reads_numbers_of_any_size(void **unused)
{
	static const struct {
		const char *hex;
		uint64_t value;
	} cases[] = {
		{ "c2197c5eff14e88c", 151288809941952652 },
		{ "9d7f3e7d", 494878333 },
		{ "7bbd", 15293 },
		{ "25", 37 },
		{ "4025", 37 },
		{ "ffffffffffffffff", ((uint64_t)1 << 62) - 1 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		struct rd whole = kit_hex(cases[i].hex), r = whole;

		assert_int_equal(quic_varint(&r), cases[i].value);
		assert_true(rd_ok(&r) && !rd_more(&r));
		r = rd_first(whole, whole.left - 1);
		assert_int_equal(quic_varint(&r), 0);
		assert_false(rd_ok(&r));
		free((void *)whole.p);
	}
}

/* PADDING * 3, PING, ACK (largest 9, delay 1, 1 more range), ACK_ECN, CRYPTO at 5 "hello", CLOSE */
static const uint8_t frames[] = "\0\0\0"
				"\x01"
				"\x02\x09\x01\x01\x02\x00\x03"
				"\x03\x09\x01\x00\x02\x01\x02\x03"
				"\x06\x05\x05hello"
				"\x1c\x41\x28\x06\x03why";
enum { FRAMES = sizeof frames - 1 };
static const struct quic_packet version_1 = { .version = QUIC_V1 };

static void reads_frames(void **unused)
{
	static const uint64_t types[] = { QUIC_FRAME_PADDING, QUIC_FRAME_PING, QUIC_FRAME_ACK,
		QUIC_FRAME_ACK_ECN, QUIC_FRAME_CRYPTO, QUIC_FRAME_CLOSE };
	struct rd r = { frames, FRAMES }, bytes;
	struct quic_frame f;
	uint64_t offset;
	size_t n = 0;

	(void)unused;
	while (quic_frame_next(&r, &version_1, &f)) {
		assert_int_equal(f.type, types[n++]);
		if (f.type == QUIC_FRAME_PADDING)
			assert_int_equal(f.bytes.left, 2); /* behind the first, which is the type */
	}
	assert_int_equal(n, 6);
	assert_true(rd_ok(&r));
	r = (struct rd){ frames, FRAMES };
	assert_true(quic_crypto_next(&r, &version_1, &offset, &bytes));
	assert_int_equal(offset, 5);
	assert_int_equal(bytes.left, 5);
	assert_memory_equal(bytes.p, "hello", 5);
	assert_true(quic_frame_next(&r, &version_1, &f));
	assert_int_equal(f.error, 0x128); /* CRYPTO_ERROR: handshake_failure */
	assert_int_equal(f.frame_type, 6);
	assert_memory_equal(f.bytes.p, "why", 3);
	assert_false(quic_crypto_next(&r, &version_1, &offset, &bytes));
}

/* However long it is, and whatever ends it. */
static void reads_all_of_a_padding(void **unused)
{
	enum { LONGEST = 40 };

	(void)unused;
	for (size_t size = 1; size <= LONGEST; size++) {
		for (size_t behind = 0; behind <= LONGEST - size; behind++) {
			uint8_t *bytes = calloc(1, size + behind);
			struct rd r = { bytes, size + behind };
			struct quic_frame f;

			assert_non_null(bytes);
			memset(bytes + size, QUIC_FRAME_PING, behind);
			assert_true(quic_frame_next(&r, &version_1, &f));
			assert_int_equal(f.type, QUIC_FRAME_PADDING);
			assert_int_equal(f.bytes.left, size - 1);
			assert_int_equal(r.left, behind);
			free(bytes);
		}
	}
}

static void refuses_frames_that_have_no_place(void **unused)
{
	(void)unused;
	for (unsigned type = 0; type < 0x40; type++) {
		uint8_t bytes[40] = { (uint8_t)type };
		struct rd r = { bytes, sizeof bytes };
		struct quic_frame f;
		bool fits = type <= 3 || type == 6 || type == 0x1c || type == 0x1d;

		assert_int_equal(quic_frame_next(&r, &version_1, &f), fits);
		assert_int_equal(rd_ok(&r), fits);
	}
}

static void takes_any_cut_of_frames(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < FRAMES; n++) {
		uint8_t *cut = kit_copy(frames, n);
		struct rd r = { cut, n };
		struct quic_frame f;
		bool between = n <= 4 || n == 11 || n == 19 || n == 27;

		while (quic_frame_next(&r, &version_1, &f))
			;
		assert_int_equal(rd_ok(&r), between);
		free(cut);
	}
}

static void takes_any_cut_of_packets(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < COALESCED; n++) {
		uint8_t *cut = kit_copy(coalesced, n);
		struct rd r = { cut, n };
		struct quic_packet p;
		size_t count = 0;

		quic_guess(r);
		while (quic_packet_next(&r, 2, &p)) {
			assert_true(p.whole.p >= cut && p.whole.p + p.whole.left <= cut + n);
			assert_true(!p.cut || !rd_more(&r));
			count++;
		}
		assert_true(count <= 4);
		assert_true(count >= 1 || n < 20);
		free(cut);
	}
}

static void walks_over_transport_parameters(void **unused)
{
	/* max_idle_timeout 30000; initial_source_connection_id "ab"; disable_active_migration;
	 * GREASE */
	static const uint8_t bytes[] = "\x01\x04\x80\x00\x75\x30\x0f\x02"
				       "ab\x0c\x00\x1b\x01x";
	static const char *const names[] = { "max_idle_timeout", "initial_source_connection_id",
		"disable_active_migration", "grease" };
	struct rd r = { bytes, sizeof bytes - 1 }, value;
	uint64_t id;
	size_t n = 0;

	(void)unused;
	for (; quic_parameter_next(&r, &id, &value); n++) {
		assert_string_equal(quic_parameter_name(id), names[n]);
		if (quic_parameter_is_number(id))
			assert_int_equal(quic_varint(&value), 30000);
	}
	assert_int_equal(n, 4);
	assert_true(rd_ok(&r));
	assert_null(quic_parameter_name(0x1234));
	assert_false(quic_parameter_is_number(0x1234));
	for (size_t cut = 0; cut < sizeof bytes - 1; cut++) {
		uint8_t *copy = kit_copy(bytes, cut);

		r = (struct rd){ copy, cut };
		while (quic_parameter_next(&r, &id, &value))
			;
		assert_int_equal(rd_ok(&r), cut == 0 || cut == 6 || cut == 10 || cut == 12);
		free(copy);
	}
}

static void guesses_by_the_first_packet(void **unused)
{
	static const uint8_t dns[] = "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x01"
				     "a\x00\x00\x01\x00\x01";
	static const uint8_t rtp[200] = { 0x80, 0x60, 0, 1 };

	(void)unused;
	assert_true(quic_guess((struct rd){ coalesced, COALESCED }));
	assert_false(quic_guess((struct rd){ coalesced + COALESCED - 7, 7 }));
	assert_false(quic_guess((struct rd){ dns, sizeof dns - 1 }));
	assert_false(quic_guess((struct rd){ rtp, sizeof rtp }));
	assert_false(quic_guess((struct rd){ NULL, 0 }));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_over_coalesced_packets),
		cmocka_unit_test(reads_a_short_header),
		cmocka_unit_test(turns_the_types_of_version_2),
		cmocka_unit_test(reads_version_negotiation),
		cmocka_unit_test(reads_a_retry_without_tag),
		cmocka_unit_test(leaves_unknown_versions_alone),
		cmocka_unit_test(takes_zeros_behind_packets_for_padding),
		cmocka_unit_test(names_versions),
		cmocka_unit_test(reads_numbers_of_any_size),
		cmocka_unit_test(reads_frames),
		cmocka_unit_test(reads_all_of_a_padding),
		cmocka_unit_test(refuses_frames_that_have_no_place),
		cmocka_unit_test(takes_any_cut_of_frames),
		cmocka_unit_test(takes_any_cut_of_packets),
		cmocka_unit_test(walks_over_transport_parameters),
		cmocka_unit_test(guesses_by_the_first_packet),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
