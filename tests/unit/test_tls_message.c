/* SPDX-License-Identifier: BSD-3-Clause */
/* test_tls_message.c - the messages of a handshake that are neither hellos nor keys. */
#include "unit/cut_kit.h"

#include "proto/tls_message.h"
#include "proto/tls_record.h"

static void walks_messages(void **unused)
{
	/* HelloRequest, ServerHelloDone, Finished "abc", then one that is cut */
	static const char bytes[] = "\x00\x00\x00\x00"
				    "\x0e\x00\x00\x00"
				    "\x14\x00\x00\x03"
				    "abc"
				    "\x0b\x00\x00\x09"
				    "short";
	struct rd r = BYTES(bytes);
	struct tls_message m;

	(void)unused;
	assert_true(tls_message_next(&r, &m));
	assert_true(m.type == TLS_HELLO_REQUEST && m.size == 0 && rd_ok(&m.body));
	assert_true(tls_message_next(&r, &m));
	assert_true(tls_message_next(&r, &m));
	assert_int_equal(m.type, TLS_FINISHED);
	assert_bytes(m.body, "abc");
	assert_false(tls_message_next(&r, &m));
	assert_int_equal(m.size, 9);
	assert_false(rd_ok(&r));
	r = BYTES("");
	assert_false(tls_message_next(&r, &m));
	assert_true(rd_ok(&r));
}

static void tells_plausible_messages(void **unused)
{
	(void)unused;
	assert_true(tls_message_plausible(TLS_CLIENT_HELLO, 512));
	assert_true(tls_message_plausible(TLS_CERTIFICATE, 100000));
	assert_true(tls_message_plausible(TLS_SERVER_HELLO_DONE, 0));
	assert_false(tls_message_plausible(TLS_SERVER_HELLO_DONE, 1));
	assert_false(tls_message_plausible(TLS_CLIENT_HELLO, 1 << 20));
	assert_false(tls_message_plausible(TLS_FINISHED, 12)); /* encrypted, always */
	assert_false(tls_message_plausible(7, 0));
	assert_false(tls_message_plausible(255, 0));
}

/* certificates "leaf" and "root" */
static const char chain[] = "\x00\x00\x0e"
			    "\x00\x00\x04"
			    "leaf"
			    "\x00\x00\x04"
			    "root";
/* TLS 1.3: context "c", "leaf" with extensions "x", "root" without */
static const char chain13[] = "\x01"
			      "c"
			      "\x00\x00\x13"
			      "\x00\x00\x04"
			      "leaf"
			      "\x00\x01x"
			      "\x00\x00\x04"
			      "root"
			      "\x00\x00";

static void walks_certificates(void **unused)
{
	struct rd list, der;

	(void)unused;
	assert_true(tls_certificate_list(BYTES(chain), false, &list));
	assert_true(tls_certificate_next(&list, false, &der));
	assert_bytes(der, "leaf");
	assert_true(tls_certificate_next(&list, false, &der));
	assert_bytes(der, "root");
	assert_false(tls_certificate_next(&list, false, &der));
	assert_true(rd_ok(&list));
	assert_true(tls_certificate_list(BYTES(chain13), true, &list));
	assert_true(tls_certificate_next(&list, true, &der));
	assert_bytes(der, "leaf");
	assert_true(tls_certificate_next(&list, true, &der));
	assert_bytes(der, "root");
	assert_false(tls_certificate_next(&list, true, &der));
	assert_true(rd_ok(&list));
}

static void gives_whole_certificates_of_cut_chains(void **unused)
{
	(void)unused;
	for (size_t n = 0; n < sizeof chain - 1; n++) {
		struct rd cut = cut_copy(BYTES(chain), n), list, der;
		size_t count = 0;

		assert_false(tls_certificate_list(cut, false, &list));
		while (tls_certificate_next(&list, false, &der))
			count++;
		assert_int_equal(count, n < 10 ? 0 : 1);
		cut_free(cut);
	}
	for (size_t n = 0; n < sizeof chain13 - 1; n++) {
		struct rd cut = cut_copy(BYTES(chain13), n), list, der;
		size_t count = 0;

		assert_false(tls_certificate_list(cut, true, &list));
		while (tls_certificate_next(&list, true, &der))
			count++;
		assert_int_equal(count, n < 12 ? 0 : n < 22 ? 1 : 2);
		cut_free(cut);
	}
}

static void reads_compressed_certificates(void **unused)
{
	static const char bytes[] = "\x00\x02"
				    "\x00\x10\x00"
				    "\x00\x00\x03zzz";
	struct tls_compressed_certificate c;

	(void)unused;
	assert_true(tls_compressed_certificate_parse(BYTES(bytes), &c));
	assert_true(c.algorithm == 2 && c.size == 4096);
	assert_bytes(c.data, "zzz");
	for (size_t n = 0; n < sizeof bytes - 1; n++) {
		struct rd cut = cut_copy(BYTES(bytes), n);

		assert_false(tls_compressed_certificate_parse(cut, &c));
		cut_free(cut);
	}
}

/* types rsa_sign, ecdsa_sign; one name "DN" */
#define REQUEST_10                                                                                 \
	"\x02\x01\x40"                                                                             \
	"\x00\x04\x00\x02"                                                                         \
	"DN"
/* the same with signature algorithms 0403 */
#define REQUEST_12                                                                                 \
	"\x02\x01\x40"                                                                             \
	"\x00\x02\x04\x03"                                                                         \
	"\x00\x04\x00\x02"                                                                         \
	"DN"
/* context "c"; signature_algorithms 0403; certificate_authorities "DN" */
#define REQUEST_13                                                                                 \
	"\x01"                                                                                     \
	"c"                                                                                        \
	"\x00\x12"                                                                                 \
	"\x00\x0d\x00\x04\x00\x02\x04\x03"                                                         \
	"\x00\x2f\x00\x06\x00\x04\x00\x02"                                                         \
	"DN"

static void reads_certificate_requests(void **unused)
{
	struct tls_certificate_request q;
	struct rd name;

	(void)unused;
	assert_true(tls_certificate_request_parse(BYTES(REQUEST_10), TLS_VERSION_1_0, &q));
	assert_bytes(q.types, "\x01\x40");
	assert_false(rd_ok(&q.signature_algorithms));
	assert_true(tls_block_next(&q.authorities, &name));
	assert_bytes(name, "DN");
	assert_false(tls_block_next(&q.authorities, &name));
	assert_true(rd_ok(&q.authorities));
	assert_true(tls_certificate_request_parse(BYTES(REQUEST_10), TLS_VERSION_DTLS_1_0, &q));
	assert_true(tls_certificate_request_parse(BYTES(REQUEST_12), TLS_VERSION_DTLS_1_2, &q));
	assert_true(tls_certificate_request_parse(BYTES(REQUEST_12), TLS_VERSION_1_2, &q));
	assert_bytes(q.signature_algorithms, "\x04\x03");
	assert_bytes(q.authorities, "\x00\x02"
				    "DN");
	assert_true(tls_certificate_request_parse(BYTES(REQUEST_13), TLS_VERSION_1_3, &q));
	assert_bytes(q.context, "c");
	assert_bytes(q.signature_algorithms, "\x04\x03");
	assert_bytes(q.authorities, "\x00\x02"
				    "DN");
}

static void refuses_cut_requests(void **unused)
{
	static const struct {
		struct rd bytes;
		uint16_t version;
	} forms[] = {
		{ BYTES(REQUEST_10), TLS_VERSION_1_1 },
		{ BYTES(REQUEST_12), TLS_VERSION_1_2 },
		{ BYTES(REQUEST_13), TLS_VERSION_1_3 },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof forms / sizeof forms[0]; i++) {
		for (size_t n = 0; n < forms[i].bytes.left; n++) {
			struct rd cut = cut_copy(forms[i].bytes, n);
			struct tls_certificate_request q;

			assert_false(tls_certificate_request_parse(cut, forms[i].version, &q));
			cut_free(cut);
		}
	}
}

static void reads_status_tickets_and_signatures(void **unused)
{
	struct tls_certificate_status s;
	struct tls_certificate_verify v;
	struct tls_ticket t;

	(void)unused;
	assert_true(tls_certificate_status_parse(BYTES("\x01\x00\x00\x04ocsp"), &s));
	assert_bytes(s.response, "ocsp");
	assert_false(tls_certificate_status_parse(BYTES("\x03\x00\x00\x04ocsp"), &s));
	assert_false(tls_certificate_status_parse(BYTES("\x01\x00\x00\x05ocsp"), &s));
	assert_true(tls_ticket_parse(BYTES("\x00\x00\x1c\x20\x00\x01T"), false, &t));
	assert_true(t.lifetime_s == 7200 && !rd_ok(&t.nonce));
	assert_bytes(t.ticket, "T");
	assert_true(tls_ticket_parse(
			BYTES("\x00\x00\x00\x3c\x00\x00\x00\x05\x01n\x00\x01T\x00\x00"), true, &t));
	assert_true(t.lifetime_s == 60 && t.age_add == 5);
	assert_bytes(t.nonce, "n");
	assert_false(tls_ticket_parse(BYTES("\x00\x00\x1c\x20\x00\x02T"), false, &t));
	assert_true(tls_certificate_verify_parse(BYTES("\x08\x04\x00\x01S"), TLS_VERSION_1_2, &v));
	assert_int_equal(v.scheme, 0x0804);
	assert_true(tls_certificate_verify_parse(BYTES("\x00\x01S"), TLS_VERSION_1_1, &v));
	assert_true(v.scheme == 0 && v.signature.left == 1);
	assert_false(tls_certificate_verify_parse(BYTES("\x00\x01S"), TLS_VERSION_1_2, &v));
}

static void reads_alerts_and_heartbeats(void **unused)
{
	struct tls_alert a;
	struct tls_heartbeat h;

	(void)unused;
	assert_true(tls_alert_parse(BYTES("\x02\x28"), &a));
	assert_true(a.level == 2 && a.description == 40);
	assert_false(tls_alert_parse(BYTES("\x03\x28"), &a));
	assert_false(tls_alert_parse(BYTES("\x02"), &a));
	assert_false(tls_alert_parse(BYTES("\x02\x28\x00"), &a));
	assert_true(tls_heartbeat_parse(BYTES("\x01\x40\x00"), &h));
	assert_true(h.type == 1 && h.payload_size == 0x4000 && h.overlong);
	assert_true(tls_heartbeat_parse(BYTES("\x02\x00\x01x0123456789abcdef"), &h));
	assert_false(h.overlong);
	assert_false(tls_heartbeat_parse(BYTES("\x03\x00\x00"), &h));
	assert_false(tls_heartbeat_parse(BYTES("\x01\x00"), &h));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(walks_messages),
		cmocka_unit_test(tells_plausible_messages),
		cmocka_unit_test(walks_certificates),
		cmocka_unit_test(gives_whole_certificates_of_cut_chains),
		cmocka_unit_test(reads_compressed_certificates),
		cmocka_unit_test(reads_certificate_requests),
		cmocka_unit_test(refuses_cut_requests),
		cmocka_unit_test(reads_status_tickets_and_signatures),
		cmocka_unit_test(reads_alerts_and_heartbeats),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
