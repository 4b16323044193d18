/* SPDX-License-Identifier: BSD-3-Clause */
/* test_live_pcap.c - capture=libpcap keeps the same promises as the packet rings. */
#include "live_kit.h"

#ifdef HAVE_PCAP

static struct live_conf by_pcap(const char *interfaces)
{
	struct live_conf conf = kit_conf(interfaces);

	conf.capture = "libpcap";
	return conf;
}

static void gives_every_byte(void **state)
{
	struct live_conf conf = by_pcap("b");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	for (size_t i = 0; i < 200; i++) {
		size_t size = kit_udp(frame, 1, 2, i * 7);

		if (i % 2)
			size = kit_tag(frame, size, 0x8100, 0xe005);
		kit_pass(l, fd, frame, size);
	}
	close(fd);
	kit_await(l, 200);
	for (size_t i = 0; i < 200; i++) {
		size_t size = kit_udp(frame, 1, 2, i * 7);

		if (i % 2)
			size = kit_tag(frame, size, 0x8100, 0xe005);
		kit_same(i, frame, size);
		assert_int_equal(kit_got.frame[i].linktype, 1);
		assert_true(i == 0 || kit_got.frame[i].ns >= kit_got.frame[i - 1].ns);
	}
	struct live_counts c = kit_counts(l, 0);
	assert_int_equal(c.packets, 200);
	assert_int_equal(c.drops + c.freezes + c.interface_drops, 0);
	assert_int_equal(live_interface(l, 0)->linktype, 1);
	assert_string_equal(kit_said, "");
	assert_int_equal(live_fill(l, 0), 0);
	live_free(l);
}

static void cuts_and_filters(void **state)
{
	struct live_conf conf = by_pcap("b");
	uint8_t frame[KIT_BYTES];
	struct err e;

	(void)state;
	kit_begin();
	conf.snaplen = 100;
	conf.bpf = "vlan 5 and udp port 9";
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	size_t size = kit_udp(frame, 1, 9, 100);
	kit_pass(l, fd, frame, size);
	size = kit_tag(frame, size, 0x8100, 5);
	kit_pass(l, fd, frame, size);
	close(fd);
	kit_await(l, 1);
	assert_int_equal(kit_got.frame[0].wirelen, size);
	assert_in_range(kit_got.frame[0].caplen, 100, 104); /* with the tag, which is put back */
	assert_memory_equal(kit_got.frame[0].bytes, frame, 100);
	live_free(l);
	conf.bpf = "host and";
	assert_null(live_new(&conf, &e));
	assert_non_null(strstr(e.text, "bpf=host and: "));
}

static void takes_several_interfaces(void **state)
{
	struct live_conf conf = by_pcap("lo,b,tun5");
	uint8_t frame[KIT_BYTES];
	size_t seen[3] = { 0, 0, 0 };

	(void)state;
	kit_begin();
	int tun = kit_tun("tun5");
	struct live *l = kit_open(&conf);
	size_t size = kit_udp(frame, 1, 9, 100);
	assert_int_equal(write(tun, frame + 14, size - 14), (ssize_t)size - 14);
	kit_send("a", frame, size);
	kit_send("lo", frame, size); /* seen once */
	kit_await(l, 3);
	for (size_t i = 0; i < 3; i++) {
		size_t skip = kit_got.frame[i].interface == 2 ? 14 : 0;

		seen[kit_got.frame[i].interface]++;
		kit_same(i, frame + skip, size - skip);
		assert_int_equal(kit_got.frame[i].linktype, skip ? 101 : 1);
	}
	assert_int_equal(seen[0] * seen[1] * seen[2], 1);
	live_free(l);
	close(tun);
	conf.interfaces = "any";
	kit_got.count = 0;
	l = kit_open(&conf);
	kit_send("a", frame, size);
	kit_await(l, 2); /* at both ends */
	live_free(l);
}

/* An interface for each of two workers; a third has nothing to do. */
static void shares_interfaces_out(void **state)
{
	struct live_conf conf = by_pcap("a,b");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	conf.rings = 3;
	struct live *l = kit_open(&conf);
	assert_non_null(strstr(kit_said, "2 of 3 have work"));
	kit_send("a", frame, kit_udp(frame, 1, 9, 10));
	for (unsigned w = 0; w < 2; w++) {
		int64_t end = kit_ms() + KIT_WAIT_MS;

		while (kit_take(l, w, 100) == 0)
			assert_true(kit_ms() < end);
		assert_int_equal(kit_got.frame[w].interface, w);
	}
	assert_int_equal(kit_take(l, 2, 100), 0);
	live_free(l);
}

static void counts_what_is_lost(void **state)
{
	enum { SENT = 30000 };
	struct live_conf conf = by_pcap("b");
	uint8_t frame[KIT_BYTES];
	struct frame frames[256];
	size_t read = 0;

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	size_t size = kit_udp(frame, 1, 2, 20);
	for (int i = 0; i < SENT; i++)
		kit_send_all(fd, frame, size);
	close(fd);
	struct live_counts c = kit_counts(l, 0);
	assert_int_equal(c.packets + c.drops, SENT);
	assert_in_range(c.packets, 1000, SENT / 2);
	live_stop(l);
	for (bool ok = true; ok;)
		read += live_read(l, 0, frames, 256, 1000, &ok, NULL);
	c = kit_counts(l, 0);
	assert_int_equal(c.packets, read);
	assert_int_equal(c.packets + c.drops, SENT);
	live_free(l);
}

static void comes_back(void **state)
{
	struct live_conf conf = by_pcap("x1");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	struct live *l = kit_open(&conf);
	for (int i = 0; i < 2; i++) {
		kit_send("x0", frame, kit_udp(frame, 1, 2, 20));
		kit_await(l, (size_t)i + 1);
		kit_ip("ip link del dev x0");
		if (i == 1)
			break;
		kit_await_said(l, "x1 is gone: waiting until it is back (");
		assert_int_equal(kit_take(l, 0, 20), 0);
		kit_cable("x0", "x1");
		kit_await_said(l, "x1 is back: captured\n");
		kit_said[0] = '\0';
	}
	assert_int_equal(seteuid(65534), 0);
	kit_await_said(l, "x1 is gone: a restart is needed when it is back (");
	assert_int_equal(seteuid(0), 0);
	kit_said[0] = '\0';
	live_watch(l);
	assert_string_equal(kit_said, "");
	assert_int_equal(kit_counts(l, 0).packets, 2);
	live_free(l);
}

static void waits_and_wakes(void **state)
{
	struct live_conf conf = by_pcap("b");

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	int64_t start = kit_ms();
	assert_int_equal(kit_take(l, 0, 0), 0);
	assert_true(kit_ms() - start < 50);
	start = kit_ms();
	assert_int_equal(kit_take(l, 0, 100), 0);
	assert_in_range(kit_ms() - start, 95, 400);
	live_wake(l);
	start = kit_ms();
	assert_int_equal(kit_take(l, 0, 5000), 0);
	assert_true(kit_ms() - start < 1000);
	live_free(l);
}

static void says_what_is_wrong(void **state)
{
	struct live_conf conf = by_pcap("nobody0");
	struct err e;

	(void)state;
	kit_begin();
	assert_null(live_new(&conf, &e));
	assert_non_null(strstr(e.text, "cannot capture from nobody0: "));
	conf.interfaces = "b";
	assert_int_equal(seteuid(65534), 0);
	assert_null(live_new(&conf, &e));
	assert_int_equal(seteuid(0), 0);
	assert_non_null(strstr(e.text, "no right to capture from b ("));
	conf.clock = "adapter";
	struct live *l = kit_open(&conf);
	assert_non_null(strstr(kit_said, "clock=adapter: b does not stamp packets"));
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_every_byte),
		cmocka_unit_test(cuts_and_filters),
		cmocka_unit_test(takes_several_interfaces),
		cmocka_unit_test(shares_interfaces_out),
		cmocka_unit_test(counts_what_is_lost),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(waits_and_wakes),
		cmocka_unit_test(says_what_is_wrong),
	};

	return cmocka_run_group_tests(tests, live_kit_setup, NULL);
}
#else
int main(void)
{
	return 0;
}
#endif
