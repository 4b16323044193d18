/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_feature_tls.c - records and messages of TLS over TCP, and what the "tls" object says of
 * them; how cuts do not matter is shown in tests/property.
 */
#include <zlib.h>

#include "unit/handshake_kit.h"

extern const struct feature feature_tls;

#define RANDOM "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"

/* TLS 1.2, random, no session id, two ciphersuites, null compression, SNI "a.b" */
#define HELLO_BODY                                                                                 \
	"\x03\x03" RANDOM "\x00\x00\x04\xc0\x2f\x13\x01\x01\x00\x00\x0c\x00\x00\x00\x08"           \
	"\x00\x06\x00\x00\x03"                                                                     \
	"a.b"
/* record, message of 57 bytes */
#define CLIENT_HELLO "\x16\x03\x01\x00\x3d\x01\x00\x00\x39" HELLO_BODY
/* TLS 1.2, random, no session id, ECDHE_RSA with AES-128-GCM, null compression */
#define SERVER_HELLO "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" RANDOM "\x00\xc0\x2f\x00"
#define SERVER_DONE  "\x16\x03\x03\x00\x04\x0e\x00\x00\x00"
#define CHANGE       "\x14\x03\x03\x00\x01\x01"
#define FINISHED     "\x16\x03\x03\x00\x10\x00\x00\x00\x00\x00\x00\x00\x00SEALED!!"
#define DATA         "\x17\x03\x03\x00\x03xyz"

static void start(struct shake *s)
{
	shake_start(s, &feature_tls, PROTO_TCP);
}

static void client_hello(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.protocol", "tls"));
	assert_int_equal(kit_int(&s.kit, "tls.c_version"), 0x303);
	assert_true(kit_is(&s.kit, "tls.c_version_name", "TLS 1.2"));
	assert_int_equal(kit_int(&s.kit, "tls.c_record_version"), 0x301);
	assert_true(kit_is(&s.kit, "tls.sni", "a.b"));
	assert_true(kit_is(&s.kit, "tls.c_random", RANDOM));
	assert_true(kit_is(&s.kit, "tls.c_sid", ""));
	assert_int_equal(kit_count_of(&s.kit, "tls.cs"), 2);
	assert_true(kit_is(&s.kit, "tls.cs.0", "\xc0\x2f"));
	assert_int_equal(kit_count_of(&s.kit, "tls.c_extensions"), 1);
	assert_true(kit_is(&s.kit, "tls.c_extensions.0.name", "server_name"));
	assert_int_equal(kit_int(&s.kit, "tls.s_version"), -1);
	assert_int_equal(kit_int(&s.kit, "tls.version_code"), -1);
	assert_true(kit_absent(&s.kit, "tls.version"));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 1);
	assert_int_equal(kit_int(&s.kit, "tls.srlt.0.b"), 61);
	assert_int_equal(kit_int(&s.kit, "tls.srlt.0.hs_types.0"), 1);
	assert_int_equal(kit_int(&s.kit, "tls.srlt.0.hs_lens.0"), 57);
	assert_int_equal(kit_count_of(&s.kit, "tls.marks"), 0);
	shake_free(&s);
}

static void half_a_hello_is_marked(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	shake_give(&s, 0, CLIENT_HELLO, 55);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.c_random", RANDOM));
	assert_int_equal(kit_count_of(&s.kit, "tls.cs"), 2);
	assert_true(shake_has(&s, "tls.marks", "cut"));
	assert_true(shake_has(&s, "tls.client.faults", "cut_or_malformed"));
	shake_free(&s);
}

static void whoever_says_client_hello_is_the_client(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 1, CLIENT_HELLO);
	SHAKE(&s, 0, SERVER_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.sni", "a.b"));
	assert_true(kit_is(&s.kit, "tls.version", "TLS 1.2"));
	assert_true(kit_is(&s.kit, "tls.scs_name", "TLS_ECDHE_RSA_WITH_AES_128_GCM_SHA256"));
	assert_true(kit_is(&s.kit, "tls.scs_recommended", "Y"));
	assert_true(kit_is(&s.kit, "tls.srlt.0.dir", "<"));
	shake_free(&s);
}

/* The answer's first bytes, too few to say what they are, come before the hello. */
static void directions_overtake_each_other(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	shake_give(&s, 1, SERVER_HELLO, 3);
	SHAKE(&s, 0, CLIENT_HELLO);
	shake_give(&s, 1, &SERVER_HELLO[3], sizeof SERVER_HELLO - 1 - 3);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.sni", "a.b"));
	assert_true(kit_is(&s.kit, "tls.version", "TLS 1.2"));
	assert_int_equal(kit_count_of(&s.kit, "tls.marks"), 0);
	shake_free(&s);

	start(&s); /* likewise "S", by which PostgreSQL agrees to TLS */
	SHAKE(&s, 0, "\x00\x00\x00\x08\x04\xd2\x16\x2f" CLIENT_HELLO);
	SHAKE(&s, 1, "S");
	SHAKE(&s, 1, SERVER_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.starttls", "postgresql"));
	assert_true(kit_is(&s.kit, "tls.version", "TLS 1.2"));
	shake_free(&s);
}

static void full_and_resumed(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, SERVER_HELLO SERVER_DONE);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.handshake", "full"));
	shake_free(&s);

	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, SERVER_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_absent(&s.kit, "tls.handshake"));
	SHAKE(&s, 1, CHANGE FINISHED);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.handshake", "resumed"));
	shake_free(&s);
}

static void behind_change_cipher_spec_nothing_is_read(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO CHANGE FINISHED DATA);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 4);
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt.2.hs_types"), 0);
	assert_int_equal(kit_count_of(&s.kit, "tls.marks"), 0);
	SHAKE(&s, 0, FINISHED);
	assert_true(kit_finish(&s.kit));
	assert_true(shake_has(&s, "tls.marks", "renegotiation"));
	shake_free(&s);
}

/* The dummy change_cipher_spec of TLS 1.3 comes before a second hello. */
static void a_second_hello_behind_change_cipher_spec(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO CHANGE CLIENT_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.retry.c_random", RANDOM));
	assert_int_equal(kit_int(&s.kit, "tls.srlt.2.hs_types.0"), 1);
	shake_free(&s);
}

static void alerts(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, "\x15\x03\x01\x00\x02\x02\x28");
	SHAKE(&s, 0,
			"\x15\x03\x03\x00\x1a"
			"01234567890123456789012345");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.alerts"), 2);
	assert_true(kit_is(&s.kit, "tls.alerts.0.dir", "<"));
	assert_true(kit_is(&s.kit, "tls.alerts.0.level", "fatal"));
	assert_true(kit_is(&s.kit, "tls.alerts.0.description", "handshake_failure"));
	assert_int_equal(kit_int(&s.kit, "tls.alerts.0.code"), 40);
	assert_int_equal(kit_int(&s.kit, "tls.alerts.1.code"), -1);
	assert_true(kit_absent(&s.kit, "tls.alerts.1.level"));
	shake_free(&s);
}

static void heartbeats(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 0,
			"\x18\x03\x03\x00\x14\x01\x00\x01"
			"p0123456789abcdef");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_int(&s.kit, "tls.heartbeats"), 1);
	assert_false(shake_has(&s, "tls.marks", "heartbeat_overlong"));
	SHAKE(&s, 0, "\x18\x03\x03\x00\x03\x01\x40\x00");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_int(&s.kit, "tls.heartbeats"), 2);
	assert_true(shake_has(&s, "tls.marks", "heartbeat_overlong"));
	shake_free(&s);
}

static void a_connection_under_way(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	s.kit.flow.tcp[0].seen = s.kit.flow.tcp[1].seen = 0;
	SHAKE(&s, 0, "the end of a record");
	assert_int_equal(s.verdict, MORE);
	SHAKE(&s, 0, DATA DATA);
	SHAKE(&s, 1, DATA);
	assert_true(kit_finish(&s.kit));
	assert_true(shake_has(&s, "tls.marks", "midstream"));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 3);
	assert_int_equal(kit_int(&s.kit, "tls.srlt.0.tp"), 23);
	shake_free(&s);
}

/* Its change_cipher_spec was not seen, but what is encrypted is not taken for messages. */
static void encrypted_messages_of_a_connection_under_way(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	s.kit.flow.tcp[0].seen = s.kit.flow.tcp[1].seen = 0;
	SHAKE(&s, 0, DATA "\x16\x03\x03\x00\x10\x01\x00\x00\x50like a hello" DATA);
	SHAKE(&s, 1, "\x16\x03\x03\x00\x21\x38\xb4\xe6\x52the rest of a sealed Finished");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 4);
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt.1.hs_types"), 0);
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt.3.hs_types"), 0);
	assert_int_equal(kit_int(&s.kit, "tls.c_version"), -1);
	assert_true(shake_has(&s, "tls.marks", "midstream"));
	assert_true(shake_has(&s, "tls.marks", "renegotiation"));
	assert_false(shake_has(&s, "tls.marks", "cut"));
	shake_free(&s);
}

static void what_is_no_record_ends_it(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO "GET / HTTP/1.1");
	assert_int_equal(s.verdict, MORE);
	SHAKE(&s, 1, SERVER_HELLO "\xff\xff\xff\xff\xff");
	assert_int_equal(s.verdict, DONE);
	assert_true(kit_finish(&s.kit));
	assert_true(shake_has(&s, "tls.marks", "malformed"));
	shake_free(&s);
}

static void a_gap_ends_a_direction(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 0, CHANGE);
	s.offset[0] = 0; /* sequence numbers have come around */
	SHAKE(&s, 0, CLIENT_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 2);
	shake_free(&s);
}

static void behind_starttls(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 1, "220 mail.test ESMTP\r\n");
	SHAKE(&s, 0, "EHLO me\r\n");
	SHAKE(&s, 1, "250-mail.test\r\n250 STARTTLS\r\n");
	assert_false(kit_finish(&s.kit));
	SHAKE(&s, 0, "STARTTLS\r\n");
	SHAKE(&s, 1, "220 go\r\n");
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, SERVER_HELLO);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.starttls", "smtp"));
	assert_true(kit_is(&s.kit, "tls.sni", "a.b"));
	assert_true(kit_is(&s.kit, "tls.version", "TLS 1.2"));
	shake_free(&s);
}

static void other_protocols_cost_nothing(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, "GET / HTTP/1.1\r\n");
	assert_int_equal(s.verdict, DONE);
	assert_null(s.kit.flow.arena.first);
	assert_false(kit_finish(&s.kit));
	assert_true(feature_handshake.size <= 16);
	shake_free(&s);

	shake_start(&s, &feature_tls, PROTO_UDP);
	for (unsigned i = 0; i < 64; i++) {
		assert_true(i == 0 || s.verdict == MORE);
		SHAKE(&s, i & 1, "\x12\x34\x01\x00\x00\x01\x00\x00\x00\x00\x00\x00");
	}
	assert_int_equal(s.verdict, DONE);
	assert_null(s.kit.flow.arena.first);
	shake_free(&s);
}

/* A certificate that is none is told by length and hash. */
static void a_damaged_certificate(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1,
			SERVER_HELLO "\x16\x03\x03\x00\x0d\x0b\x00\x00\x09\x00\x00\x06\x00\x00\x03"
				     "abc");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.s_cert"), 1);
	assert_int_equal(kit_count_of(&s.kit, "tls.c_cert"), 0);
	assert_int_equal(kit_int(&s.kit, "tls.s_cert.0.length"), 3);
	assert_true(*(const bool *)kit_at(&s.kit, "tls.s_cert.0.damaged").at);
	/* SHA-1 of "abc", FIPS 180-4 */
	assert_true(kit_is(&s.kit, "tls.s_cert.0.sha1",
			"\xa9\x99\x3e\x36\x47\x06\x81\x6a\xba\x3e\x25\x71\x78\x50\xc2\x6c\x9c\xd0"
			"\xd8\x9d"));
	assert_true(kit_absent(&s.kit, "tls.s_cert.0.serial"));
	shake_free(&s);
}

/* A chain that is compressed, of one certificate "abc" with no extensions. */
static void a_compressed_chain(void **unused)
{
	static const char body[] = "\x00\x00\x00\x08\x00\x00\x03"
				   "abc\x00\x00"; /* context, list, certificate, extensions */
	uint8_t record[200] = "\x16\x03\x03\x00\x00\x19\x00\x00\x00\x00\x01\x00\x00\x0c\x00\x00";
	enum { HEAD = 5, MESSAGE = 4, ALGORITHM = 2, SIZE = 3, LENGTH = 3 };
	uLongf size = sizeof record - (HEAD + MESSAGE + ALGORITHM + SIZE + LENGTH);
	struct shake s;

	(void)unused;
	assert_int_equal(compress(record + 17, &size, (const Bytef *)body, sizeof body - 1), Z_OK);
	record[16] = (uint8_t)size;
	record[8] = (uint8_t)(ALGORITHM + SIZE + LENGTH + size);
	record[4] = (uint8_t)(MESSAGE + record[8]);
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, SERVER_HELLO);
	shake_give(&s, 1, record, HEAD + record[4]);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.s_cert"), 1);
	assert_int_equal(kit_int(&s.kit, "tls.s_cert.0.length"), 3);
	shake_free(&s);

	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	SHAKE(&s, 1, SERVER_HELLO);
	record[HEAD + MESSAGE + ALGORITHM + SIZE - 1]++; /* declares a byte more */
	shake_give(&s, 1, record, HEAD + record[4]);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.s_cert"), 0);
	shake_free(&s);
}

static void a_heartbeat_of_dtls_and_a_lost_message(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_tls, PROTO_UDP);
	/* STUN before it, RTP behind it */
	SHAKE(&s, 0,
			"\x00\x01\x00\x00\x21\x12\xa4\x42"
			"transaction!");
	/* DTLS 1.2, epoch 0, number 0, 21 bytes: the last 9 of a hello of 40 bytes */
	SHAKE(&s, 0,
			"\x16\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00\x00\x15"
			"\x01\x00\x00\x28\x00\x00\x00\x00\x1f\x00\x00\x09"
			"ninebytes");
	SHAKE(&s, 0, "\x80\x60\x00\x00rtp");
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.protocol", "dtls"));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 1);
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt.0.hs_types"), 0);
	assert_true(kit_absent(&s.kit, "tls.c_random"));
	shake_free(&s);
}

/* A clear DTLS 1.2 record of 'size' bytes. */
#define DTLS(type, size) type "\xfe\xfd\x00\x00\x00\x00\x00\x00\x00\x00" size

/* What the sensor has cut contradicts nothing. */
static void records_that_were_cut(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_tls, PROTO_UDP);
	SHAKE(&s, 0, DTLS("\x18", "\x00\x14") "\x01\x00\x01p0123");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_int(&s.kit, "tls.heartbeats"), 1);
	assert_false(shake_has(&s, "tls.marks", "heartbeat_overlong"));
	/* A ClientHello, and nine of the twelve bytes of its head. */
	SHAKE(&s, 0, DTLS("\x16", "\x00\x34") "\x01\x00\x00\x28\x00\x00\x00\x00\x00");
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.srlt"), 2);
	assert_false(shake_has(&s, "tls.marks", "malformed"));
	shake_free(&s);
}

/* The first bytes of a ServerKeyExchange of 'size' bytes; 'number': of the message. */
static void begin_message(struct shake *s, char number, char size)
{
	char bytes[] = DTLS("\x16", "\x00\x0e") "\x0c\x00\x00S\x00N\x00\x00\x00\x00\x00\x02zz";

	bytes[16] = size;
	bytes[18] = number;
	shake_give(s, 0, bytes, sizeof bytes - 1);
}

static void more_messages_of_dtls_than_are_kept(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_tls, PROTO_UDP);
	for (char number = 0; number < 4; number++)
		begin_message(&s, number, 40);
	assert_true(kit_finish(&s.kit));
	assert_int_equal(kit_count_of(&s.kit, "tls.marks"), 0);
	begin_message(&s, 4, 40);
	assert_true(kit_finish(&s.kit));
	assert_true(shake_has(&s, "tls.marks", "capped"));
	assert_false(shake_has(&s, "tls.marks", "malformed"));
	assert_true(s.kit.flow.marks & FLOW_CAPPED);
	begin_message(&s, 0, 41); /* another size than before */
	assert_true(kit_finish(&s.kit));
	assert_true(shake_has(&s, "tls.marks", "malformed"));
	shake_free(&s);
}

/* Its head came, but for its body there was no room: it passes, and the flow says why. */
static void a_message_without_memory(void **unused)
{
	struct shake s;

	(void)unused;
	start(&s);
	SHAKE(&s, 0, CLIENT_HELLO);
	pool_limit(s.kit.env.pool, 1);
	while (arena_alloc(&s.kit.flow.arena, s.kit.env.pool, 8) != NULL)
		;
	SHAKE(&s, 1, "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03");
	assert_true(s.kit.flow.marks & FLOW_NO_MEMORY);
	pool_limit(s.kit.env.pool, 0);
	SHAKE(&s, 1, RANDOM "\x00\xc0\x2f\x00" SERVER_DONE);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "tls.sni", "a.b"));
	assert_int_equal(kit_int(&s.kit, "tls.s_version"), -1);
	shake_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(client_hello),
		cmocka_unit_test(half_a_hello_is_marked),
		cmocka_unit_test(whoever_says_client_hello_is_the_client),
		cmocka_unit_test(directions_overtake_each_other),
		cmocka_unit_test(full_and_resumed),
		cmocka_unit_test(behind_change_cipher_spec_nothing_is_read),
		cmocka_unit_test(a_second_hello_behind_change_cipher_spec),
		cmocka_unit_test(alerts),
		cmocka_unit_test(heartbeats),
		cmocka_unit_test(a_connection_under_way),
		cmocka_unit_test(encrypted_messages_of_a_connection_under_way),
		cmocka_unit_test(what_is_no_record_ends_it),
		cmocka_unit_test(a_gap_ends_a_direction),
		cmocka_unit_test(behind_starttls),
		cmocka_unit_test(other_protocols_cost_nothing),
		cmocka_unit_test(a_damaged_certificate),
		cmocka_unit_test(a_compressed_chain),
		cmocka_unit_test(a_heartbeat_of_dtls_and_a_lost_message),
		cmocka_unit_test(records_that_were_cut),
		cmocka_unit_test(a_message_without_memory),
		cmocka_unit_test(more_messages_of_dtls_than_are_kept),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
