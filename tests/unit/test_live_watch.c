/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_live_watch.c - interfaces that go down and up, vanish and come back, change their name or
 * their kind: captured again each time, by a program that has no rights any more.
 */
#include "live_kit.h"

#include <pthread.h>

enum { NOBODY = 65534 };

/* All that live_watch() does is done without rights. */
static void watch_until(struct live *l, const char *words)
{
	assert_int_equal(seteuid(NOBODY), 0);
	kit_await_said(l, words);
	assert_int_equal(seteuid(0), 0);
	kit_said[0] = '\0';
}

/* Sends one packet of each of 'flows' flows from the other end, and reads them from all rings. */
static void pass_flows(struct live *l, unsigned rings, const char *from, size_t flows)
{
	int64_t end = kit_ms() + KIT_WAIT_MS;
	uint8_t frame[KIT_BYTES];
	int fd = kit_sender(from, false);

	kit_got.count = 0;
	for (size_t i = 0; i < flows; i++) {
		size_t size = kit_udp(frame, (uint16_t)(1000 + i), 9, 20);

		frame[29] = (uint8_t)i; /* of the source's address: for all workers */
		kit_send_all(fd, frame, size);
	}
	close(fd);
	while (kit_got.count < flows && kit_ms() < end)
		for (unsigned w = 0; w < rings; w++)
			kit_take(l, w, 10);
	assert_int_equal(kit_got.count, flows);
}

/* Until all that was sent has left the kernel's queues. */
static void await_counted(struct live *l, uint64_t all)
{
	struct live_counts c = { 0 };

	for (int64_t end = kit_ms() + KIT_WAIT_MS; c.packets + c.drops < all;) {
		c = kit_counts(l, 0);
		if (kit_ms() > end)
			fail_msg("%llu of %llu", (unsigned long long)(c.packets + c.drops),
					(unsigned long long)all);
	}
}

static void goes_down_and_up(void **state)
{
	struct live_conf conf = kit_conf("b");

	(void)state;
	kit_begin();
	for (conf.rings = 1; conf.rings <= 2; conf.rings++) {
		struct live *l = kit_open(&conf);

		pass_flows(l, conf.rings, "a", 10);
		for (int i = 0; i < 2; i++) {
			kit_ip("ip link set dev b down");
			watch_until(l, "b is down: waiting until it is up\n");
			assert_int_equal(kit_take(l, 0, 20), 0);
			kit_ip("ip link set dev b up");
			watch_until(l, "b is up: captured\n");
			kit_ready("a");
			pass_flows(l, conf.rings, "a", 10);
		}
		live_watch(l);
		assert_string_equal(kit_said, ""); /* each change was said once */
		assert_int_equal(kit_counts(l, 0).packets, 30);
		live_free(l);
	}
}

static void starts_while_it_is_down(void **state)
{
	struct live_conf conf = kit_conf("b");

	(void)state;
	kit_begin();
	kit_ip("ip link set dev b down");
	struct live *l = kit_open(&conf);
	watch_until(l, "b is down");
	kit_ip("ip link set dev b up");
	watch_until(l, "b is up");
	kit_ready("a");
	pass_flows(l, 1, "a", 10);
	live_free(l);
}

/* Deleted and made again, with another index each time. */
static void comes_back(void **state)
{
	struct live_conf conf = kit_conf("lo,x1");
	uint64_t packets = 0;

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	conf.promisc = true;
	conf.bpf = "udp";
	struct live *l = kit_open(&conf);
	for (int i = 0; i < 4; i++) {
		pass_flows(l, 1, "x0", 10);
		packets += 10;
		kit_ip("ip link del dev x0");
		watch_until(l, "x1 is gone: waiting until it is back\n");
		assert_int_equal(kit_take(l, 0, 20), 0);
		live_watch(l);
		assert_string_equal(kit_said, "");
		kit_cable("x0", "x1");
		watch_until(l, "x1 is back: captured\n");
		assert_int_equal(kit_counts(l, 1).packets, packets);
		kit_ip("ip -d link show dev x1 | grep -q 'promiscuity 1'");
	}
	pass_flows(l, 1, "x0", 10);
	assert_int_equal(kit_counts(l, 1).packets, packets + 10);
	assert_int_equal(kit_counts(l, 1).drops, 0);
	kit_ip("ip link del dev x0");
	live_free(l);
}

/* The same for several workers, more often than there are spare sockets. */
static void comes_back_to_several_workers(void **state)
{
	struct live_conf conf = kit_conf("x1");
	uint64_t packets = 0;

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	conf.rings = 2;
	struct live *l = kit_open(&conf);
	for (int i = 0; i < 11; i++) {
		pass_flows(l, 2, "x0", 40);
		packets += 40;
		assert_int_equal(kit_counts(l, 0).packets, packets);
		kit_ip("ip link del dev x0");
		watch_until(l, "x1 is gone");
		kit_cable("x0", "x1");
		watch_until(l, i == 8 ? "x1 is back: captured by one worker until the next start\n"
				      : "x1 is back: captured\n");
	}
	kit_ip("ip link del dev x0");
	live_free(l);
}

/* What was in the ring when its interface vanished is read nevertheless. */
static void loses_nothing_that_was_there(void **state)
{
	struct live_conf conf = kit_conf("x1");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	for (conf.rings = 1; conf.rings <= 2; conf.rings++) {
		kit_cable("x0", "x1");
		struct live *l = kit_open(&conf);
		int fd = kit_sender("x0", false);
		struct frame frames[64];
		size_t read = 0;

		for (uint16_t i = 0; i < 50; i++)
			kit_send_all(fd, frame, kit_udp(frame, i, 9, 20));
		close(fd);
		await_counted(l, 50);
		kit_ip("ip link del dev x0");
		kit_cable("x0", "x1");
		assert_int_equal(seteuid(NOBODY), 0);
		live_watch(l);
		assert_int_equal(seteuid(0), 0);
		fd = kit_sender("x0", false);
		for (uint16_t i = 0; i < 50; i++)
			kit_send_all(fd, frame, kit_udp(frame, i, 9, 20));
		close(fd);
		for (int64_t end = kit_ms() + KIT_WAIT_MS; read < 100 && kit_ms() < end;) {
			bool ok;

			for (unsigned w = 0; w < conf.rings; w++)
				read += live_read(l, w, frames, 64, 10, &ok, NULL);
			live_watch(l);
		}
		assert_int_equal(read, 100);
		assert_int_equal(kit_counts(l, 0).packets, 100);
		assert_string_equal(kit_said, "x1 was replaced by another interface\n"
					      "x1 is back: captured\n");
		kit_said[0] = '\0';
		live_free(l);
		kit_ip("ip link del dev x0");
	}
}

struct reader {
	struct live *l;
	unsigned ring;
	size_t read;
	pthread_t thread;
};

static void *read_on(void *ctx)
{
	struct reader *r = ctx;
	struct frame frames[256];

	for (bool ok = true; ok;)
		r->read += live_read(r->l, r->ring, frames, 256, 1000, &ok, NULL);
	return NULL;
}

static void said_by(struct live *l, const char *words)
{
	for (int64_t end = kit_ms() + KIT_WAIT_MS; strstr(kit_said, words) == NULL;) {
		assert_true(kit_ms() < end);
		live_watch(l);
		live_counts(l, 0, &(struct live_counts){ 0 });
		live_fill(l, 1);
	}
	kit_said[0] = '\0';
}

/* Threads read all the while: sent = read + drops. */
static void comes_back_under_load(void **state)
{
	enum { RINGS = 2, TIMES = 4, SENT = 5000 };
	struct live_conf conf = kit_conf("x1");
	struct reader reader[RINGS];
	uint8_t frame[KIT_BYTES];
	size_t read = 0;

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	conf.rings = RINGS;
	struct live *l = kit_open(&conf);
	for (unsigned w = 0; w < RINGS; w++) {
		reader[w] = (struct reader){ .l = l, .ring = w };
		pthread_create(&reader[w].thread, NULL, read_on, &reader[w]);
	}
	for (int i = 0; i < TIMES; i++) {
		int fd = kit_sender("x0", false);

		for (uint16_t n = 0; n < SENT; n++) {
			size_t size = kit_udp(frame, 1, 9, 20);

			frame[29] = (uint8_t)n;
			kit_send_all(fd, frame, size);
		}
		close(fd);
		await_counted(l, (uint64_t)(i + 1) * SENT);
		if (i == TIMES - 1)
			break;
		kit_ip("ip link del dev x0");
		said_by(l, "x1 is gone");
		kit_cable("x0", "x1");
		said_by(l, "x1 is back");
	}
	live_stop(l);
	for (unsigned w = 0; w < RINGS; w++) {
		pthread_join(reader[w].thread, NULL);
		read += reader[w].read;
	}
	struct live_counts c = kit_counts(l, 0);
	assert_int_equal(c.packets, read);
	assert_int_equal(c.packets + c.drops, TIMES * SENT);
	live_free(l);
	kit_ip("ip link del dev x0");
}

/* Another kind of link under the same name: the filter fits that too. */
static void comes_back_as_another_kind(void **state)
{
	struct live_conf conf = kit_conf("x1");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	conf.bpf = "udp port 9";
	struct live *l = kit_open(&conf);
	pass_flows(l, 1, "x0", 5);
	kit_ip("ip link del dev x0");
	watch_until(l, "x1 is gone");
	int tun = kit_tun("x1");
	watch_until(l, "x1 is back");
	kit_got.count = 0;
	size_t size = kit_udp(frame, 1, 9, 20);
	assert_int_equal(write(tun, frame + 14, size - 14), (ssize_t)size - 14);
	size = kit_udp(frame, 1, 8, 20);
	assert_int_equal(write(tun, frame + 14, size - 14), (ssize_t)size - 14);
	kit_await(l, 1);
	assert_int_equal(kit_got.frame[0].linktype, 101);
	live_free(l);
	close(tun);
}

static void follows_names(void **state)
{
	struct live_conf conf = kit_conf("x1");

	(void)state;
	kit_begin();
	kit_cable("x0", "x1");
	struct live *l = kit_open(&conf);
	kit_ip("ip link set dev x1 down && ip link set dev x1 name y1 && ip link set dev y1 up");
	kit_ready("x0");
	watch_until(l, "x1 is called y1 now: still captured\n");
	pass_flows(l, 1, "x0", 5);
	kit_cable("z0", "x1");
	watch_until(l, "x1 is back: captured\n");
	pass_flows(l, 1, "z0", 5);
	live_free(l);
	kit_ip("ip link del dev x0; ip link del dev z0");
}

/* --- what can be asked for ------------------------------------------------------------------- */

static void refused(const char *interfaces, const char *words)
{
	struct live_conf conf = kit_conf(interfaces);
	struct err e = { "" };

	assert_null(live_new(&conf, &e));
	if (strstr(e.text, words) == NULL)
		fail_msg("\"%s\" is not in: %s", words, e.text);
}

static void refuses_names(void **state)
{
	(void)state;
	kit_begin();
	refused("nobody0", "interface=nobody0: there is none of that name; there are: lo");
	refused("nobody0", " b");
	refused("b,nobody0", "interface=nobody0: ");
	refused("b,", "a name is missing");
	refused(",b", "a name is missing");
	refused("", "a name is missing");
	refused("b,a,b", "b is named twice");
	refused("b,any", "any is all interfaces and stands alone");
	refused("averyveryveryveryverylongname", "there is none of that name");
	refused("averyveryveryveryveryveryveryveryveryveryveryveryveryverylongname", "too long");
}

static void says_that_rights_are_missing(void **state)
{
	(void)state;
	kit_begin();
	assert_int_equal(seteuid(NOBODY), 0);
	refused("b", "no right to capture: capturing needs root or the capability cap_net_raw");
	refused("any", "cap_net_raw");
	assert_int_equal(seteuid(0), 0);
}

static void finds_an_interface_itself(void **state)
{
	struct live_conf conf = kit_conf("auto");

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	const char *name = live_interface(l, 0)->name;
	assert_true(strcmp(name, "a") == 0 || strcmp(name, "b") == 0);
	live_free(l);
	kit_ip("ip link set dev a down && ip link set dev b down");
	refused("auto", "interface=auto: no interface is up but the loopback");
	kit_ip("ip link set dev a up && ip link set dev b up");
	kit_ready("a");
}

static void falls_back_to_the_hosts_clock(void **state)
{
	struct live_conf conf = kit_conf("b");

	(void)state;
	kit_begin();
	conf.clock = "adapter";
	struct live *l = kit_open(&conf);
	assert_string_equal(kit_said, "clock=adapter: b does not stamp packets (Operation not "
				      "supported), the host does\n");
	pass_flows(l, 1, "a", 5);
	live_free(l);
}

static void refuses_ways_that_are_not_there(void **state)
{
	struct live_conf conf = kit_conf("b");
	struct err e = { "" };

	(void)state;
	kit_begin();
	conf.ring_bytes = (size_t)1 << 46;
	assert_null(live_new(&conf, &e));
	assert_non_null(strstr(e.text, "no packet ring of "));
	assert_non_null(strstr(e.text, "ring="));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(goes_down_and_up),
		cmocka_unit_test(starts_while_it_is_down),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(comes_back_to_several_workers),
		cmocka_unit_test(loses_nothing_that_was_there),
		cmocka_unit_test(comes_back_under_load),
		cmocka_unit_test(comes_back_as_another_kind),
		cmocka_unit_test(follows_names),
		cmocka_unit_test(refuses_names),
		cmocka_unit_test(says_that_rights_are_missing),
		cmocka_unit_test(finds_an_interface_itself),
		cmocka_unit_test(falls_back_to_the_hosts_clock),
		cmocka_unit_test(refuses_ways_that_are_not_there),
	};

	return cmocka_run_group_tests(tests, live_kit_setup, NULL);
}
