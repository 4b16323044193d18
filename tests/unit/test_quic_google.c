/* SPDX-License-Identifier: BSD-3-Clause */
/* test_quic_google.c - Google's QUIC to Q050: clear packets of each layout, frames, messages. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "proto/quic_google.h"
#include "unit/gquic_kit.h"
#include "unit/quic_kit.h"

enum {
	Q024 = 0x51303234,
	Q035 = 0x51303335,
	Q043 = 0x51303433,
	Q044 = 0x51303434,
	Q046 = 0x51303436,
	Q048 = 0x51303438,
	Q050 = 0x51303530
};

static const struct gquic_pair chlo_pairs[] = {
	{ "SNI", "www.example.com" }, /* the fourth character is the zero that ends the literal */
	{ "VER", "Q046" },
	{ "UAID", "Chrome/80" },
	{ "AEAD", "AESG" },
	{ "ICSL", "\x1e\x01\x01\x01" },
	{ "ZZZZ", "?" },
};
enum { PAIRS = sizeof chlo_pairs / sizeof chlo_pairs[0] };

static struct gquic_bytes chlo(void)
{
	return gquic_make("CHLO", chlo_pairs, PAIRS);
}

static void assert_text(struct rd r, const char *text)
{
	assert_true(rd_ok(&r));
	assert_int_equal(r.left, strlen(text));
	assert_memory_equal(r.p, text, r.left);
}

static void reads_a_client_hello(void **unused)
{
	struct gquic_bytes b = chlo();
	struct gquic_message m;
	struct gquic_info i;
	char text[9];

	(void)unused;
	assert_true(gquic_message_parse((struct rd){ b.at, b.size }, &m));
	assert_true(m.complete);
	assert_int_equal(m.tag, GQUIC_CHLO);
	assert_int_equal(m.count, PAIRS);
	assert_int_equal(m.size, b.size);
	gquic_decode(&m, &i);
	assert_text(i.sni, "www.example.com");
	assert_text(i.user_agent, "Chrome/80");
	assert_text(i.version, "Q046");
	assert_text(i.aead, "AESG");
	assert_false(rd_ok(&i.proof));
	assert_true(i.has_idle_timeout);
	assert_int_equal(i.idle_timeout_s, 0x0101011e);
	assert_int_equal(i.tag_count, PAIRS);
	gquic_tag_text(GQUIC_REJ, text);
	assert_string_equal(text, "REJ");
	gquic_tag_text(0x435254ff, text);
	assert_string_equal(text, "CRTff");
	gquic_tag_text(0x00010203, text);
	assert_string_equal(text, "00010203");
}

/* At each length: what is there is read, and complete says whether it is all. */
static void reads_what_there_is_of_a_message(void **unused)
{
	struct gquic_bytes b = chlo();
	size_t values = 8 + PAIRS * 8;

	(void)unused;
	for (size_t n = 0; n <= b.size; n++) {
		uint8_t *cut = kit_copy(b.at, n);
		struct gquic_message m;
		struct gquic_info i;

		assert_int_equal(gquic_message_parse((struct rd){ cut, n }, &m), n >= 8);
		if (n >= 8) {
			assert_int_equal(m.complete, n == b.size);
			assert_int_equal(m.size, n >= values ? b.size : 0);
			gquic_decode(&m, &i);
			assert_int_equal(rd_ok(&i.sni), n >= values + 15);
			assert_int_equal(rd_ok(&i.user_agent), n >= values + 15 + 4 + 9);
		}
		free(cut);
	}
}

static void refuses_what_is_no_message(void **unused)
{
	struct gquic_bytes b = chlo();
	struct gquic_message m;

	(void)unused;
	b.at[8 + 4] = 200; /* the first value ends behind the second */
	assert_false(gquic_message_parse((struct rd){ b.at, b.size }, &m));
	b = chlo();
	b.at[8 + 5 * 8 + 6] = 2; /* the last value ends behind any cap */
	assert_false(gquic_message_parse((struct rd){ b.at, b.size }, &m));
	b = chlo();
	b.at[5] = 0xff; /* more tags than any message has */
	assert_false(gquic_message_parse((struct rd){ b.at, b.size }, &m));
	b.at[0] = 'X';
	assert_false(gquic_message_parse((struct rd){ b.at, b.size }, &m));
}

/* STREAM 1 at 'offset' (2 bytes, as there is one) with a size, in the byte order of the version */
static void put_stream(struct gquic_bytes *b, uint32_t version, uint16_t offset, const void *data,
		size_t size)
{
	void (*put)(struct gquic_bytes *, uint64_t, size_t) =
			version < 0x51303339 ? gquic_little : gquic_big;

	gquic_put(b, "\xa4\x01", 2);
	put(b, offset, 2);
	put(b, size, 2);
	gquic_put(b, data, size);
}

/* ACK (2 blocks, 2 times), STOP_WAITING, handshake data, and padding behind */
static struct gquic_bytes some_frames(uint32_t version, size_t number_size)
{
	struct gquic_bytes b = { 0 };

	if (version >= 0x51303334) {
		gquic_put(&b, "\x60\x09\0\0\x01\x02\x01\x02\x02\x01\0\0\0\0\x01\0\0", 17);
		gquic_put(&b, "\x06\0\0\0\0\0\0", 1 + number_size);
	} else {
		gquic_put(&b, "\x60\x05\x09\0\0\x02\x01\0\0\0\0\x01\0\0\x01\x02\x01\0", 18);
		gquic_put(&b, "\x06\x09\0\0\0\0\0\0", 2 + number_size);
	}
	gquic_put(&b, "\x07", 1);
	put_stream(&b, version, 0x102, "data", 4);
	gquic_put(&b, "\0\0\0", 3);
	return b;
}

static void walks_over_frames_of_old_and_new_versions(void **unused)
{
	static const uint32_t versions[] = { Q024, Q035, Q043, Q046 };
	static const uint64_t types[] = { QUIC_FRAME_PING, QUIC_FRAME_PING, QUIC_FRAME_PING,
		QUIC_FRAME_CRYPTO, QUIC_FRAME_PADDING };

	(void)unused;
	for (size_t v = 0; v < 4; v++) {
		struct gquic_bytes b = some_frames(versions[v], 2);
		struct rd r = { b.at, b.size };
		struct quic_frame f;
		size_t n = 0;

		while (gquic_frame_next(&r, versions[v], 2, &f)) {
			assert_int_equal(f.type, types[n++]);
			if (f.type == QUIC_FRAME_CRYPTO) {
				assert_int_equal(f.offset, 0x102);
				assert_text(f.bytes, "data");
			}
		}
		assert_true(rd_ok(&r));
		assert_int_equal(n, 5);
		for (size_t cut = 0; cut < b.size; cut++) {
			uint8_t *copy = kit_copy(b.at, cut);

			r = (struct rd){ copy, cut };
			while (gquic_frame_next(&r, versions[v], 2, &f))
				;
			free(copy);
		}
	}
}

static void reads_other_frames(void **unused)
{
	static const uint8_t close[] = "\x02\0\0\0\x19\0\x03why"
				       "\x03\0\0\0\1\0\0\0\2\0\1x"
				       "\x01\0\0\0\1\0\0\0\0\0\0\0\2\0\0\0\3"
				       "\x04\0\0\0\1\0\0\0\0\0\0\0\2"
				       "\x05\0\0\0\1"
				       "\x80\x05rest";
	struct rd r = { close, sizeof close - 1 };
	struct quic_frame f;
	size_t n = 1;

	(void)unused;
	assert_true(gquic_frame_next(&r, Q043, 1, &f));
	assert_int_equal(f.type, QUIC_FRAME_CLOSE);
	assert_int_equal(f.error, 0x19);
	assert_text(f.bytes, "why");
	for (; gquic_frame_next(&r, Q043, 1, &f); n++)
		assert_int_equal(f.type, QUIC_FRAME_PING); /* data of stream 5 as well */
	assert_int_equal(n, 6);
	assert_true(rd_ok(&r));
	r = (struct rd){ (const uint8_t *)"\x08\x40\x05\x02hi", 6 };
	assert_true(gquic_frame_next(&r, Q048, 1, &f));
	assert_int_equal(f.type, QUIC_FRAME_CRYPTO);
	assert_int_equal(f.offset, 5);
	assert_text(f.bytes, "hi");
	r = (struct rd){ (const uint8_t *)"\x09", 1 };
	assert_false(gquic_frame_next(&r, Q050, 1, &f));
	assert_false(rd_ok(&r));
}

static void put_version(struct gquic_bytes *b, uint32_t version)
{
	gquic_big(b, version, 4);
}

/* Clear packets of each layout; the header is written by hand. */
static struct gquic_bytes header_of(uint32_t version, bool from_server)
{
	struct gquic_bytes b = { 0 };

	if (version <= Q043 && !from_server) {
		gquic_put(&b, version == Q024 ? "\x0d" : "\x09", 1);
		gquic_put(&b, "CIDCIDCI", 8);
		put_version(&b, version);
		gquic_put(&b, "\x01", 1);
	} else if (version <= Q043) {
		/* a nonce from Q033 on, where the flag before was a size of the id */
		gquic_put(&b, "\x1c", 1);
		gquic_put(&b, "CIDCIDCI", 8);
		if (version != Q024)
			gquic_put(&b, "NNNNNNNNNNNNNNNNNNNNNNNNNNNNNNNN", 32);
		gquic_put(&b, "\x01\x02", 2);
	} else if (version == Q044) {
		gquic_put(&b, "\xff", 1);
		put_version(&b, version);
		gquic_put(&b, "\x50", 1);
		gquic_put(&b, "CIDCIDCI\0\0\0\1", 12);
	} else {
		gquic_put(&b, "\xc1", 1);
		put_version(&b, version);
		gquic_put(&b, from_server ? "\x05" : "\x50", 1);
		gquic_put(&b, "CIDCIDCI\0\1", 10);
	}
	return b;
}

static void tells_clear_packets_by_their_hash(void **unused)
{
	static const uint32_t versions[] = { Q024, Q035, Q043, Q044, Q046, Q048 };

	(void)unused;
	for (size_t v = 0; v < 12; v++) {
		uint32_t version = versions[v / 2];
		bool server = v % 2 == 1;
		struct gquic_bytes frames = { 0 }, all;
		struct quic_packet p;
		struct quic_frame f;

		if (version == Q024)
			gquic_put(&frames, "\0", 1); /* private flags */
		put_stream(&frames, version, 0, "CHLO", 4);
		all = gquic_packet(header_of(version, server), frames,
				version < 0x51303337 ? ""
				: server             ? "Server"
						     : "Client");

		struct rd r = { all.at, all.size };

		if (server && version <= Q043) {
			assert_false(quic_guess(r));
			assert_true(quic_google_packet(r, version, true, &p));
		} else {
			assert_true(quic_guess(r));
			assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
		}
		assert_int_equal(p.type, QUIC_GOOGLE);
		assert_int_equal(p.version, version);
		assert_true(p.clear);
		assert_text(server && version > Q044 ? p.scid : p.dcid, "CIDCIDCI");
		assert_true(quic_frame_next(&p.payload, &p, &f));
		assert_int_equal(f.type, QUIC_FRAME_CRYPTO);
		assert_text(f.bytes, "CHLO");
		all.at[all.size - 1] ^= 1;
		assert_true(quic_google_packet(
				(struct rd){ all.at, all.size }, version, server, &p));
		assert_false(p.clear);
	}
}

static void takes_any_cut_of_packets(void **unused)
{
	static const uint32_t versions[] = { Q024, Q043, Q044, Q046 };

	(void)unused;
	for (size_t v = 0; v < 4; v++) {
		struct gquic_bytes frames = { 0 }, all;

		put_stream(&frames, versions[v], 0, "CHLO", 4);
		all = gquic_packet(header_of(versions[v], false), frames, "Client");
		for (size_t n = 0; n < all.size; n++) {
			uint8_t *cut = kit_copy(all.at, n);
			struct rd r = { cut, n };
			struct quic_packet p;

			quic_guess(r);
			quic_google_packet(r, versions[v], true, &p);
			if (quic_google_packet(r, versions[v], false, &p) && n > 0)
				assert_false(p.clear);
			free(cut);
		}
	}
}

static void reads_negotiation_and_reset(void **unused)
{
	static const uint8_t versions[] = "\x09"
					  "CIDCIDCIQ043Q035";
	static const uint8_t reset[] = "\x0e"
				       "CIDCIDCIPRST\0\0\0\0";
	struct rd r = { versions, sizeof versions - 1 };
	struct gquic_message m;
	struct quic_packet p;

	(void)unused;
	assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	assert_int_equal(p.type, QUIC_VERSION_NEGOTIATION);
	assert_text(p.supported_versions, "Q043Q035");
	r = (struct rd){ reset, sizeof reset - 1 };
	assert_true(quic_packet_next(&r, QUIC_CID_UNKNOWN, &p));
	assert_int_equal(p.type, QUIC_GOOGLE_RESET);
	assert_true(gquic_message_parse(p.payload, &m));
	assert_int_equal(m.tag, GQUIC_PRST);
	assert_true(m.complete);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(reads_a_client_hello),
		cmocka_unit_test(reads_what_there_is_of_a_message),
		cmocka_unit_test(refuses_what_is_no_message),
		cmocka_unit_test(walks_over_frames_of_old_and_new_versions),
		cmocka_unit_test(reads_other_frames),
		cmocka_unit_test(tells_clear_packets_by_their_hash),
		cmocka_unit_test(takes_any_cut_of_packets),
		cmocka_unit_test(reads_negotiation_and_reset),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
