/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_tcp.c - flags, windows, options and handshake times of each direction. */
#include "unit/feature_kit.h"

extern const struct feature feature_tcp;

/* MSS 1460, SACK permitted, timestamps 1 / 2, NOP, window scale 7 */
static const uint8_t syn_options[] = "\x02\x04\x05\xb4"
				     "\x04\x02"
				     "\x08\x0a\0\0\0\x01\0\0\0\x02"
				     "\x01"
				     "\x03\x03\x07";
/* NOP, NOP, timestamps 3 / 4 */
static const uint8_t later_options[] = "\x01\x01\x08\x0a\0\0\0\x03\0\0\0\x04";

static uint8_t header[60];

/* A segment whose captured header is as long as its data offset says. */
static void send(struct kit *k, unsigned dir, uint16_t flags, uint16_t window,
		const uint8_t *options, size_t size, int64_t ns)
{
	header[12] = (uint8_t)((5 + size / 4) << 4);
	if (size > 0)
		memcpy(header + 20, options, size);
	k->pkt.body = (struct rd){ header, 20 + size };
	k->pkt.tcp_options = (struct rd){ header + 20, size };
	k->pkt.tcp_flags = flags;
	k->pkt.window = window;
	kit_packet(k, dir, 0, ns);
	memset(header, 0xee, sizeof header); /* what was kept must be a copy */
}

static void start(struct kit *k)
{
	kit_start(k, &feature_tcp, 0);
	k->pkt.seq = 1000;
}

static void nothing_of_other_protocols(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	assert_false(kit_finish(&k));
	kit_free(&k);
}

static void flags_as_letters_and_counts(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, TCP_SYN, 100, NULL, 0, 1);
	for (unsigned i = 0; i < 600; i++)
		send(&k, 0, TCP_ACK | (i < 300 ? TCP_PSH : 0), 100, NULL, 0, 2);
	send(&k, 0, TCP_FIN | TCP_ACK | TCP_AE, 100, NULL, 0, 3);
	send(&k, 1, TCP_RST | TCP_URG | TCP_ECE | TCP_CWR, 0, NULL, 0, 4);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "tcp.out.flags", "FSPAN"));
	assert_true(kit_is(&k, "tcp.in.flags", "RUEC"));
	assert_int_equal(kit_int(&k, "tcp.out.counts.ack"), 601);
	assert_int_equal(kit_int(&k, "tcp.out.counts.psh"), 300);
	assert_int_equal(kit_int(&k, "tcp.out.counts.fin"), 1);
	assert_int_equal(kit_int(&k, "tcp.out.counts.ae"), 1);
	assert_int_equal(kit_int(&k, "tcp.out.counts.rst"), 0);
	assert_int_equal(kit_int(&k, "tcp.in.counts.rst"), 1);
	assert_int_equal(kit_int(&k, "tcp.in.counts.urg"), 1);
	assert_int_equal(kit_int(&k, "tcp.in.counts.ece"), 1);
	assert_int_equal(kit_int(&k, "tcp.in.counts.cwr"), 1);
	kit_free(&k);
}

static void windows_leave_resets_aside(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, TCP_SYN, 65535, NULL, 0, 1);
	send(&k, 0, TCP_ACK, 0, NULL, 0, 1);
	send(&k, 0, TCP_ACK, 0, NULL, 0, 1);
	send(&k, 0, TCP_ACK | TCP_FIN, 0, NULL, 0, 1);
	send(&k, 1, TCP_RST, 0, NULL, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.out.first_window_size"), 65535);
	assert_int_equal(kit_int(&k, "tcp.out.window_min"), 0);
	assert_int_equal(kit_int(&k, "tcp.out.window_max"), 65535);
	assert_int_equal(kit_int(&k, "tcp.out.zero_windows"), 2);
	assert_int_equal(kit_int(&k, "tcp.in.first_window_size"), 0);
	assert_int_equal(kit_int(&k, "tcp.in.window_min"), -1);
	assert_int_equal(kit_int(&k, "tcp.in.window_max"), -1);
	assert_int_equal(kit_int(&k, "tcp.in.zero_windows"), 0);
	kit_free(&k);
}

static void options_of_the_syn(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, TCP_SYN, 100, syn_options, 20, 1);
	send(&k, 0, TCP_ACK, 100, later_options, 12, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.out.opt_len"), 20);
	assert_int_equal(kit_count_of(&k, "tcp.out.opts"), 5);
	assert_true(kit_is(&k, "tcp.out.opts.0.name", "mss"));
	assert_true(kit_is(&k, "tcp.out.opts.0.value", "\x05\xb4"));
	assert_int_equal(kit_int(&k, "tcp.out.opts.3.kind"), 1);
	assert_true(kit_absent(&k, "tcp.out.opts.3.value"));
	assert_int_equal(kit_int(&k, "tcp.out.mss"), 1460);
	assert_int_equal(kit_int(&k, "tcp.out.window_scale"), 7);
	assert_int_equal(kit_int(&k, "tcp.out.ts_value"), 1);
	assert_int_equal(kit_int(&k, "tcp.out.ts_echo"), 2);
	assert_int_equal(kit_int(&k, "tcp.in.opt_len"), -1);
	assert_int_equal(kit_count_of(&k, "tcp.in.opts"), 0);
	assert_int_equal(kit_int(&k, "tcp.in.mss"), -1);
	kit_free(&k);
}

static void a_late_syn_brings_its_options(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	send(&k, 0, TCP_ACK, 7, later_options, 12, 1);
	k.pkt.seq = 5;
	send(&k, 0, TCP_SYN, 8, syn_options, 20, 1);
	send(&k, 0, TCP_SYN, 9, later_options, 12, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.first_seq"), 1000);
	assert_int_equal(kit_int(&k, "tcp.out.first_window_size"), 7);
	assert_int_equal(kit_int(&k, "tcp.out.opt_len"), 20);
	assert_int_equal(kit_int(&k, "tcp.out.mss"), 1460);
	assert_true(kit_is(&k, "tcp.out.flags", "SA"));
	kit_free(&k);
}

static void options_cut_by_snaplen_end_early(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	memcpy(header + 20, syn_options, 10);
	header[12] = 10 << 4;
	k.pkt.body = (struct rd){ header, 30 };
	k.pkt.tcp_options = (struct rd){ header + 20, 10 };
	k.pkt.tcp_flags = TCP_SYN;
	kit_packet(&k, 0, 0, 1);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.out.opt_len"), 20);
	assert_int_equal(kit_count_of(&k, "tcp.out.opts"), 2);
	assert_int_equal(kit_int(&k, "tcp.out.ts_value"), -1);
	kit_free(&k);
}

static void handshake_times(void **unused)
{
	struct kit k;

	(void)unused;
	start(&k);
	k.flow.start_ns = 1000;
	send(&k, 0, TCP_SYN, 1, NULL, 0, 1000);
	send(&k, 1, TCP_SYN | TCP_ACK, 1, NULL, 0, 31000);
	send(&k, 1, TCP_SYN | TCP_ACK, 1, NULL, 0, 32000);
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.handshake.syn_ack_ms"), -1);
	k.flow.rtt_ns = 45000;
	assert_true(kit_finish(&k));
	assert_int_equal(kit_int(&k, "tcp.handshake.syn_ack_ms"), 30000);
	assert_int_equal(kit_int(&k, "tcp.handshake.ack_ms"), 15000);
	assert_int_equal(kit_int(&k, "tcp.first_seq_in"), 1000);
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_of_other_protocols),
		cmocka_unit_test(flags_as_letters_and_counts),
		cmocka_unit_test(windows_leave_resets_aside),
		cmocka_unit_test(options_of_the_syn),
		cmocka_unit_test(a_late_syn_brings_its_options),
		cmocka_unit_test(options_cut_by_snaplen_end_early),
		cmocka_unit_test(handshake_times),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
