/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_live_packet.c - packet rings: what was sent on a cable comes out byte by byte, with its
 * tags, its lengths and its time, from every kind of link; and all that was sent is read or
 * counted.
 */
#include "live_kit.h"

#include <poll.h>
#include <pthread.h>

/* --- bytes ----------------------------------------------------------------------------------- */

static void gives_every_byte(void **state)
{
	struct live_conf conf = kit_conf("b");
	uint8_t frame[KIT_BYTES];
	struct timespec before, after;

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	clock_gettime(CLOCK_REALTIME, &before);
	int fd = kit_sender("a", false);
	for (size_t size = 0; size < 1400; size += 7)
		kit_pass(l, fd, frame, kit_udp(frame, 1, 2, size));
	close(fd);
	clock_gettime(CLOCK_REALTIME, &after);
	kit_await(l, 200);
	int64_t last = (int64_t)before.tv_sec * 1000000000 + before.tv_nsec;
	for (size_t i = 0; i < 200; i++) {
		kit_same(i, frame, kit_udp(frame, 1, 2, i * 7));
		assert_int_equal(kit_got.frame[i].linktype, 1);
		assert_int_equal(kit_got.frame[i].interface, 0);
		assert_false(kit_got.frame[i].merged);
		assert_true(kit_got.frame[i].ns >= last);
		last = kit_got.frame[i].ns;
	}
	assert_true(last <= (int64_t)after.tv_sec * 1000000000 + after.tv_nsec);
	struct live_counts c = kit_counts(l, 0);
	assert_int_equal(c.packets, 200);
	assert_int_equal(c.drops + c.freezes + c.interface_drops, 0);
	assert_string_equal(live_interface(l, 0)->name, "b");
	assert_int_equal(live_interface(l, 0)->linktype, 1);
	assert_int_equal(live_interfaces(l), 1);
	assert_null(live_interface(l, 1));
	assert_string_equal(kit_said, "");
	live_free(l);
}

/* Tags that the receiver's kernel takes out, and, on the sending side, those that it leaves. */
static void restores_tags(void **state)
{
	static const struct {
		uint16_t type, tci, inner; /* inner: a second tag, 0 for none */
	} tags[] = { { 0x8100, 5, 0 }, { 0x8100, 0xe00f, 0 }, { 0x8100, 0x0fff, 0 },
		{ 0x88a8, 100, 0 }, { 0x88a8, 100, 7 }, { 0x8100, 0, 0 }, { 0x9100, 3, 0 },
		{ 0x8100, 0x1000, 3 } };
	enum { N = sizeof(tags) / sizeof(tags[0]) };
	struct live_conf conf = kit_conf("b,a");
	uint8_t frame[N][KIT_BYTES];
	size_t size[N];

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	for (size_t i = 0; i < N; i++) {
		size[i] = kit_udp(frame[i], 1, 2, 60 + i);
		if (tags[i].inner != 0)
			size[i] = kit_tag(frame[i], size[i], 0x8100, tags[i].inner);
		size[i] = kit_tag(frame[i], size[i], tags[i].type, tags[i].tci);
		kit_send("a", frame[i], size[i]);
	}
	kit_await(l, 2 * N);
	size_t seen[2] = { 0, 0 };
	for (size_t i = 0; i < 2 * N; i++) {
		size_t n = seen[kit_got.frame[i].interface]++;

		kit_same(i, frame[n], size[n]);
	}
	assert_int_equal(seen[0], N);
	/* the kernel had no use for what is below two tags, and says so; it was captured */
	assert_int_equal(kit_counts(l, 0).interface_drops, 0);
	live_free(l);
}

static void cuts_at_snaplen(void **state)
{
	struct live_conf conf = kit_conf("b");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	conf.snaplen = 100;
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	for (size_t size = 40; size < 70; size++) {
		kit_pass(l, fd, frame, kit_udp(frame, 1, 2, size));
		kit_pass(l, fd, frame, kit_tag(frame, kit_udp(frame, 1, 2, size), 0x8100, 9));
	}
	close(fd);
	kit_await(l, 60);
	for (size_t i = 0; i < 60; i++) {
		size_t size = kit_udp(frame, 1, 2, 40 + i / 2);

		if (i % 2 == 1)
			size = kit_tag(frame, size, 0x8100, 9);
		assert_int_equal(kit_got.frame[i].wirelen, size);
		assert_int_equal(kit_got.frame[i].caplen, size < 100 ? size : 100);
		assert_memory_equal(kit_got.frame[i].bytes, frame, kit_got.frame[i].caplen);
	}
	live_free(l);
}

/* --- merged packets -------------------------------------------------------------------------- */

static void send_merged(int fd, uint8_t type, uint8_t protocol, size_t size)
{
	uint8_t bytes[sizeof(struct virtio_net_hdr) + KIT_BYTES] = { 0 };
	uint8_t *frame = bytes + sizeof(struct virtio_net_hdr);
	size_t n = kit_udp(frame, 1, 2, size);
	struct virtio_net_hdr head = {
		.flags = VIRTIO_NET_HDR_F_NEEDS_CSUM,
		.gso_type = type,
		.hdr_len = protocol == 6 ? 54 : 42,
		.gso_size = 100,
		.csum_start = 34,
		.csum_offset = protocol == 6 ? 16 : 6,
	};

	frame[23] = protocol;
	frame[46] = 0x50; /* TCP: no options */
	if (type == VIRTIO_NET_HDR_GSO_NONE)
		head = (struct virtio_net_hdr){ 0 };
	memcpy(bytes, &head, sizeof(head));
	assert_int_equal(send(fd, bytes, sizeof(head) + n, 0), (ssize_t)(sizeof(head) + n));
}

static void marks_merged_packets(void **state)
{
	struct live_conf conf = kit_conf("b");

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", true);
	send_merged(fd, VIRTIO_NET_HDR_GSO_NONE, 17, 500);
	send_merged(fd, VIRTIO_NET_HDR_GSO_TCPV4, 6, 500);
	send_merged(fd, VIRTIO_NET_HDR_GSO_NONE, 6, 500);
#ifdef VIRTIO_NET_HDR_GSO_UDP_L4
	send_merged(fd, VIRTIO_NET_HDR_GSO_UDP_L4, 17, 500);
#else
	send_merged(fd, 5, 17, 500);
#endif
	close(fd);
	kit_await(l, 4);
	for (size_t i = 0; i < 4; i++) {
		assert_int_equal(kit_got.frame[i].merged, i % 2 == 1);
		assert_int_equal(kit_got.frame[i].wirelen, 542);
	}
	live_free(l);
}

/* --- other links ----------------------------------------------------------------------------- */

static void takes_ip_from_a_tunnel(void **state)
{
	struct live_conf conf = kit_conf("tun7");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	int fd = kit_tun("tun7");
	struct live *l = kit_open(&conf);
	assert_int_equal(live_interface(l, 0)->linktype, 101);
	size_t size = kit_udp(frame, 1, 2, 50);
	assert_int_equal(write(fd, frame + 14, size - 14), (ssize_t)size - 14);
	kit_send("tun7", frame + 14, size - 14); /* the other direction */
	kit_await(l, 2);
	for (size_t i = 0; i < 2; i++) {
		kit_same(i, frame + 14, size - 14);
		assert_int_equal(kit_got.frame[i].linktype, 101);
	}
	live_free(l);
	close(fd);
}

/* Not IP on a link without header: the protocol stands in front. */
static void says_the_protocol_where_there_is_no_header(void **state)
{
	/* protocol 2, reserved 2, interface 4, hardware 2, type 1, address length 1, address 8 */
	uint8_t want[25] = { 0x12, 0x34, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 4, 0 };
	static const uint8_t bytes[5] = { 0x99, 1, 2, 3, 4 };
	struct live_conf conf = kit_conf("tun8");
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_protocol = htons(0x1234),
	};

	(void)state;
	kit_begin();
	int tun = kit_tun("tun8");
	struct live *l = kit_open(&conf);
	int fd = socket(AF_PACKET, SOCK_DGRAM, 0);
	to.sll_ifindex = (int)if_nametoindex("tun8");
	want[7] = (uint8_t)to.sll_ifindex;
	memcpy(want + 20, bytes, sizeof(bytes));
	assert_int_equal(sendto(fd, bytes, sizeof(bytes), 0, (struct sockaddr *)&to, sizeof(to)),
			sizeof(bytes));
	kit_await(l, 1);
	assert_int_equal(kit_got.frame[0].linktype, 276);
	kit_same(0, want, sizeof(want));
	live_free(l);
	close(fd);
	close(tun);
}

static void takes_loopback_once(void **state)
{
	struct live_conf conf = kit_conf("lo");
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	(void)state;
	kit_begin();
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	struct live *l = kit_open(&conf);
	for (int i = 0; i < 10; i++)
		assert_int_equal(sendto(fd, "0123456789", (size_t)i, 0, (struct sockaddr *)&to,
						 sizeof(to)),
				i);
	close(fd);
	kit_await(l, 20); /* each is answered by ICMP: nobody listens */
	size_t next = 0;
	for (size_t i = 0; i < 20; i++) {
		assert_int_equal(kit_got.frame[i].linktype, 1);
		if (kit_got.frame[i].bytes[23] == 17)
			assert_int_equal(kit_got.frame[i].wirelen, 14 + 20 + 8 + next++);
	}
	assert_int_equal(next, 10);
	assert_int_equal(kit_counts(l, 0).packets, 20);
	live_free(l);
}

/* any: the cable's two ends, the loopback, a tunnel, and an interface that came later. */
static void any_is_all_interfaces(void **state)
{
	struct live_conf conf = kit_conf("any");
	uint8_t frame[KIT_BYTES];
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(9) };

	(void)state;
	kit_begin();
	int tun = kit_tun("tun9"), fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);
	conf.promisc = true;
	struct live *l = kit_open(&conf);
	assert_int_equal(live_interface(l, 0)->linktype, 276);
	size_t size = kit_tag(frame, kit_udp(frame, 1, 2, 50), 0x8100, 5);
	kit_send("a", frame, size);
	kit_await(l, 2);
	kit_same(0, frame, size);
	kit_same(1, frame, size);
	assert_int_equal(write(tun, frame + 18, size - 18), (ssize_t)size - 18);
	kit_await(l, 3);
	kit_same(2, frame + 18, size - 18);
	assert_int_equal(kit_got.frame[2].linktype, 101);
	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	assert_int_equal(sendto(fd, "x", 1, 0, (struct sockaddr *)&to, sizeof(to)), 1);
	kit_await(l, 5);
	assert_int_equal(kit_got.frame[3].linktype, 1);
	kit_cable("late0", "late1");
	kit_send("late0", frame, size);
	kit_await(l, 7);
	kit_same(6, frame, size);
	struct live_counts c = kit_counts(l, 0);
	assert_int_equal(c.packets, 7);
	kit_ip("ip link del dev late0");
	live_free(l);
	close(tun);
	close(fd);
}

/* --- several interfaces ----------------------------------------------------- */

/* Two interfaces' packets come in the order of time, although each has blocks of its own. */
static void orders_several_interfaces(void **state)
{
	struct live_conf conf = kit_conf("b, d");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	kit_cable("c", "d");
	struct live *l = kit_open(&conf);
	int a = kit_sender("a", false), c = kit_sender("c", false);
	for (uint16_t i = 0; i < 400; i++)
		kit_send_all(i / 3 % 2 ? a : c, frame, kit_udp(frame, i, 2, 10));
	kit_await(l, 400);
	for (uint16_t i = 0; i < 400; i++) {
		assert_int_equal(kit_got.frame[i].interface, i / 3 % 2 ? 0 : 1);
		kit_same(i, frame, kit_udp(frame, i, 2, 10));
	}
	/* a packet on one only is not held for long */
	int64_t start = kit_ms();
	kit_send_all(c, frame, kit_udp(frame, 1, 2, 10));
	while (kit_got.count < 401)
		assert_true(kit_take(l, 0, 1000) > 0);
	assert_true(kit_ms() - start < 400);
	close(a);
	close(c);
	live_free(l);
	kit_ip("ip link del dev c");
}

/* --- losses ---------------------------------------------------------------------------------- */

/* Far more than a ring holds, and nobody reads: all that was sent is there or counted. */
static void counts_what_is_lost(void **state)
{
	enum { SENT = 30000 };
	struct live_conf conf = kit_conf("b");
	uint8_t frame[KIT_BYTES];

	(void)state;
	kit_begin();
	for (conf.rings = 1; conf.rings <= 2; conf.rings++) {
		struct live *l = kit_open(&conf);
		struct frame frames[64];
		int fd = kit_sender("a", false);
		size_t size = kit_udp(frame, 0, 2, 20), read = 0;
		bool ok;

		for (int i = 0; i < SENT; i++) {
			frame[29] = (uint8_t)(i % 50); /* of the source's address */
			kit_send_all(fd, frame, size);
		}
		close(fd);
		assert_int_equal(live_fill(l, 0) > 80, 1);
		struct live_counts c = kit_counts(l, 0);
		assert_int_equal(c.packets + c.drops, SENT);
		assert_in_range(c.packets, 1000, SENT / 2);
		assert_true(c.freezes >= 1);
		live_stop(l);
		for (unsigned w = 0; w < conf.rings; w++) {
			for (ok = true; ok;)
				read += live_read(l, w, frames, 64, 10000, &ok, NULL);
		}
		assert_int_equal(read, c.packets);
		assert_int_equal(live_fill(l, 0), 0);
		kit_send("a", frame, size); /* stopped: neither read nor counted */
		assert_int_equal(live_read(l, 0, frames, 64, 10000, &ok, NULL), 0);
		assert_false(ok);
		c = kit_counts(l, 0);
		assert_int_equal(c.packets + c.drops, SENT);
		live_free(l);
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

/* Readers that keep up as they can: sent = read + drops, whatever these are. */
static void counts_while_threads_read(void **state)
{
	enum { SENT = 100000, RINGS = 2 };
	struct live_conf conf = kit_conf("b");
	struct reader reader[RINGS];
	uint8_t frame[KIT_BYTES];
	size_t read = 0;

	(void)state;
	kit_begin();
	conf.rings = RINGS;
	struct live *l = kit_open(&conf);
	for (unsigned w = 0; w < RINGS; w++) {
		reader[w] = (struct reader){ .l = l, .ring = w };
		pthread_create(&reader[w].thread, NULL, read_on, &reader[w]);
	}
	int fd = kit_sender("a", false);
	size_t size = kit_udp(frame, 0, 2, 20);
	for (int i = 0; i < SENT; i++) {
		frame[29] = (uint8_t)(i % 50);
		kit_send_all(fd, frame, size);
		if (i % 1000 == 0)
			live_watch(l);
	}
	close(fd);
	live_stop(l);
	for (unsigned w = 0; w < RINGS; w++) {
		pthread_join(reader[w].thread, NULL);
		read += reader[w].read;
	}
	struct live_counts c = kit_counts(l, 0);
	print_message("%d sent, %zu read, %llu dropped by the ring, %llu by the interface\n", SENT,
			read, (unsigned long long)c.drops, (unsigned long long)c.interface_drops);
	assert_int_equal(read + c.drops + c.interface_drops, SENT);
	assert_int_equal(c.packets, read);
	live_free(l);
}

/* --- waiting --------------------------------------------------------------------------------- */

static void *wake_soon(void *ctx)
{
	poll(NULL, 0, 50);
	live_wake(ctx);
	return NULL;
}

static void waits_and_wakes(void **state)
{
	struct live_conf conf = kit_conf("b");
	pthread_t thread;

	(void)state;
	kit_begin();
	struct live *l = kit_open(&conf);
	int64_t start = kit_ms();
	assert_int_equal(kit_take(l, 0, 0), 0);
	assert_true(kit_ms() - start < 50);
	start = kit_ms();
	assert_int_equal(kit_take(l, 0, 100), 0);
	assert_in_range(kit_ms() - start, 95, 400);
	live_wake(l); /* nobody waits: the next one that would, does not */
	start = kit_ms();
	assert_int_equal(kit_take(l, 0, 5000), 0);
	assert_true(kit_ms() - start < 1000);
	pthread_create(&thread, NULL, wake_soon, l);
	start = kit_ms();
	assert_int_equal(kit_take(l, 0, 5000), 0);
	assert_in_range(kit_ms() - start, 40, 1000);
	pthread_join(thread, NULL);
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(gives_every_byte),
		cmocka_unit_test(restores_tags),
		cmocka_unit_test(cuts_at_snaplen),
		cmocka_unit_test(marks_merged_packets),
		cmocka_unit_test(takes_ip_from_a_tunnel),
		cmocka_unit_test(says_the_protocol_where_there_is_no_header),
		cmocka_unit_test(takes_loopback_once),
		cmocka_unit_test(any_is_all_interfaces),
		cmocka_unit_test(orders_several_interfaces),
		cmocka_unit_test(counts_what_is_lost),
		cmocka_unit_test(counts_while_threads_read),
		cmocka_unit_test(waits_and_wakes),
	};

	return cmocka_run_group_tests(tests, live_kit_setup, NULL);
}
