/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_feature_quic.c - what headers say: versions, ids, negotiation, Retry, spin bit.  Decryption
 * of whole handshakes is shown in tests/property.
 */
#include "unit/gquic_kit.h"
#include "unit/handshake_kit.h"

extern const struct feature feature_quic;

/* RFC 9001 appendix A.4: a Retry that answers an Initial to 0x8394c8f03e515708. */
#define RETRY                                                                                      \
	"\xff\x00\x00\x00\x01\x00\x08\xf0\x67\xa5\x50\x2a\x42\x62\xb5"                             \
	"token\x04\xa2\x65\xba\x2e\xff\x4d\x82\x90\x58\xfb\x3f\x0f\x24\x96\xba"
#define DCID "\x83\x94\xc8\xf0\x3e\x51\x57\x08"

enum { DATAGRAM = 1200 };

/* An Initial that nobody can read, as long as a client's has to be. */
static void initial(struct shake *s, unsigned dir, const char *head, size_t size)
{
	uint8_t bytes[DATAGRAM] = { 0 };

	memcpy(bytes, head, size);
	shake_give(s, dir, bytes, sizeof bytes);
}

#define INITIAL(s, dir, head) initial(s, dir, head, sizeof(head) - 1)

/* Version, ids, no token, a length of 1170 bytes. */
#define V1_INITIAL                                                                                 \
	"\xc3\x00\x00\x00\x01\x08" DCID "\x03"                                                     \
	"abc\x00\x44\x92"

static void start(struct shake *s)
{
	shake_start(s, &feature_quic, PROTO_UDP);
}

static void versions_and_ids(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	INITIAL(&s, 0, V1_INITIAL);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "quic.version", "1"));
	assert_true(kit_absent(&s.kit, "quic.s_version"));
	assert_true(kit_is(&s.kit, "quic.dcid", DCID));
	assert_true(kit_is(&s.kit, "quic.c_scid", "abc"));
	assert_true(kit_absent(&s.kit, "quic.s_scid"));
	assert_int_equal(kit_int(&s.kit, "quic.token_length"), -1); /* it was not read */
	assert_int_equal(kit_int(&s.kit, "quic.undecrypted"), 1);
	assert_int_equal(kit_count_of(&s.kit, "quic.packets"), 1);
	assert_true(kit_is(&s.kit, "quic.packets.0.type", "initial"));
	assert_int_equal(kit_int(&s.kit, "quic.packets.0.b"), 19 + 2 + 0x492);
	shake_free(&s);
}

static void version_negotiation(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	INITIAL(&s, 0,
			"\xc3\x1a\x2a\x3a\x4a\x08" DCID "\x03"
			"abc");
	SHAKE(&s, 1,
			"\x80\x00\x00\x00\x00\x03"
			"abc\x08" DCID "\x00\x00\x00\x01\x6b\x33\x43\xcf\x12\x34\x56\x78");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "quic.version_negotiation"), 3);
	assert_true(kit_is(&s.kit, "quic.version_negotiation.0", "1"));
	assert_true(kit_is(&s.kit, "quic.version_negotiation.1", "2"));
	assert_true(kit_is(&s.kit, "quic.version_negotiation.2", "0x12345678"));
	assert_true(kit_is(&s.kit, "quic.packets.1.type", "version_negotiation"));
	shake_free(&s);
}

static void retry(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	INITIAL(&s, 0, V1_INITIAL);
	SHAKE(&s, 1, RETRY);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_int(&s.kit, "quic.retry.token_length"), 5);
	assert_true(kit_is(&s.kit, "quic.retry.authentic", "yes"));
	assert_int_equal(kit_int(&s.kit, "quic.retry.c_token_length"), -1);
	assert_true(kit_is(&s.kit, "quic.s_scid", "\xf0\x67\xa5\x50\x2a\x42\x62\xb5"));
	shake_free(&s);
}

static void short_headers(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	INITIAL(&s, 0, V1_INITIAL);
	SHAKE(&s, 1,
			"\xe3\x00\x00\x00\x01\x03"
			"abc\x02hi\x05"
			"12345"); /* Handshake */
	SHAKE(&s, 0, "\x41hi1234567890123456789012345");
	SHAKE(&s, 0, "\x61hi1234567890123456789012345");
	SHAKE(&s, 0, "\x61ho1234567890123456789012345");
	SHAKE(&s, 1,
			"\x41"
			"abc1234567890123456789012345");
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "quic.s_scid", "hi"));
	assert_int_equal(kit_int(&s.kit, "quic.c_spin_changes"), 1);
	assert_int_equal(kit_int(&s.kit, "quic.c_cid_changes"), 1);
	assert_int_equal(kit_int(&s.kit, "quic.s_cid_changes"), 0);
	assert_true(kit_is(&s.kit, "quic.packets.1.type", "handshake"));
	assert_true(kit_is(&s.kit, "quic.packets.2.type", "1-rtt"));
	shake_free(&s);
}

/* With bidir=0 each side has a state of its own, in which it is direction 0. */
static void the_responder_alone(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	s.kit.pkt.dir = 1;
	for (unsigned i = 0; i < 6; i++) { /* more than wait for their keys */
		uint8_t bytes[DATAGRAM] = { V1_INITIAL };

		feature_handshake.stream(&s.state, &s.kit.env, &s.kit.flow, &s.kit.pkt, 0,
				(struct rd){ bytes, sizeof bytes }, 0);
	}
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "quic.s_scid", "abc"));
	assert_true(kit_is(&s.kit, "quic.s_version", "1"));
	assert_true(kit_absent(&s.kit, "quic.c_scid"));
	assert_int_equal(kit_int(&s.kit, "quic.undecrypted"), 6);
	shake_free(&s);
}

/* Of Google's handshake nothing else tells who is who. */
static void googles_responder_alone(void **unused)
{
	struct gquic_bytes header = { 0 }, frames = { 0 }, all;
	struct gquic_bytes rej = gquic_make("REJ\0", (struct gquic_pair[]){ { "STK\0", "x" } }, 1);
	struct shake s;

	(void)unused;
	start(&s);
	gquic_put(&header, "\xc1Q046\x05SERVERID\0\1", 16);
	gquic_put(&frames, "\xa0\x01", 2); /* stream 1, with a size */
	gquic_big(&frames, rej.size, 2);
	gquic_put(&frames, rej.at, rej.size);
	all = gquic_packet(header, frames, "Server");
	s.kit.pkt.dir = 1;
	feature_handshake.stream(&s.state, &s.kit.env, &s.kit.flow, &s.kit.pkt, 0,
			(struct rd){ all.at, all.size }, 0);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "quic.google.c_messages"), 0);
	assert_int_equal(kit_count_of(&s.kit, "quic.google.s_messages"), 1);
	assert_true(kit_is(&s.kit, "quic.google.s_messages.0.message", "REJ"));
	shake_free(&s);
}

static void other_datagrams_are_none(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00\x03www");
	assert_false(kit_finish(&s.kit));
	shake_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(versions_and_ids),
		cmocka_unit_test(version_negotiation),
		cmocka_unit_test(retry),
		cmocka_unit_test(short_headers),
		cmocka_unit_test(the_responder_alone),
		cmocka_unit_test(googles_responder_alone),
		cmocka_unit_test(other_datagrams_are_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
