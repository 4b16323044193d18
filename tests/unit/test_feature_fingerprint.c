/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_feature_fingerprint.c - which fingerprints a flow has; the texts themselves are tested where
 * they are made (test_fingerprint.c).
 */
#include "unit/handshake_kit.h"

extern const struct feature feature_fingerprint;

#define RANDOM       "RRRRRRRRRRRRRRRRRRRRRRRRRRRRRRRR"
#define HELLO        "\x01\x00\x00\x29\x03\x03" RANDOM "\x00\x00\x02\x00\x2f\x01\x00"
#define SERVER_HELLO "\x16\x03\x03\x00\x2a\x02\x00\x00\x26\x03\x03" RANDOM "\x00\x00\x2f\x00"

static void of_tls(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_fingerprint, PROTO_TCP);
	SHAKE(&s, 0, "\x16\x03\x01\x00\x2d" HELLO);
	SHAKE(&s, 1, SERVER_HELLO);
	assert_true(kit_finish(&s.kit));
	/* MD5 of "771,47,,,", "771,47," */
	assert_true(kit_is(&s.kit, "fingerprints.ja3", "fde4273625b2ac63bd01d9c500dac91b"));
	assert_true(kit_is(&s.kit, "fingerprints.ja3s", "5397c414a9ebeaff1bf18b70ca22eaa0"));
	assert_true(kit_is(&s.kit, "fingerprints.ja4_r", "t12i010000_002f_"));
	assert_true(kit_is(&s.kit, "fingerprints.npf_tls", "tls/(0303)(002f)()"));
	assert_true(kit_is(&s.kit, "fingerprints.npf_tls_1", "tls/1/(0303)(002f)[]"));
	assert_true(kit_is(&s.kit, "fingerprints.npf_tls_server", "tls_server/(0303)(002f)()"));
	assert_true(kit_absent(&s.kit, "fingerprints.npf_quic"));
	assert_true(kit_absent(&s.kit, "fingerprints.npf_dtls"));
	assert_true(kit_absent(&s.kit, "fingerprints.npf_tcp"));
	shake_free(&s);
}

static void not_of_half_a_hello(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_fingerprint, PROTO_TCP);
	shake_give(&s, 0, "\x16\x03\x01\x00\x2d" HELLO, 48);
	assert_false(kit_finish(&s.kit));
	shake_free(&s);
}

static void of_tcp(void **unused)
{
	/* MSS 1460, SACK permitted, window scale 7 */
	static const uint8_t options[] = "\x02\x04\x05\xb4\x04\x02\x03\x03\x07";
	struct shake s;
	struct pkt *pkt = &s.kit.pkt;

	(void)unused;
	shake_start(&s, &feature_fingerprint, PROTO_TCP);
	pkt->ip_version = 4;
	pkt->ttl = 64;
	pkt->window = 64240;
	pkt->tcp_flags = TCP_SYN;
	pkt->tcp_options = (struct rd){ options, sizeof options - 1 };
	kit_packet(&s.kit, 0, 0, 1);
	assert_true(s.kit.done);
	assert_true(kit_finish(&s.kit));
	assert_true(kit_is(&s.kit, "fingerprints.npf_tcp",
			"tcp/(40)(00)(40)(faf0)((020405b4)(04)(030307))"));
	shake_free(&s);
}

/* The SYN may come behind its answer, but not behind other segments. */
static void of_a_late_syn(void **unused)
{
	struct shake s;

	(void)unused;
	shake_start(&s, &feature_fingerprint, PROTO_TCP);
	s.kit.pkt.tcp_flags = TCP_SYN | TCP_ACK;
	kit_packet(&s.kit, 1, 0, 1);
	assert_false(s.kit.done);
	s.kit.pkt.tcp_flags = TCP_ACK;
	kit_packet(&s.kit, 1, 0, 1);
	assert_true(s.kit.done);
	assert_false(kit_finish(&s.kit));
	shake_free(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(of_tls),
		cmocka_unit_test(not_of_half_a_hello),
		cmocka_unit_test(of_tcp),
		cmocka_unit_test(of_a_late_syn),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
