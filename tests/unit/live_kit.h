/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_kit.h - a network of a test's own: a namespace with a cable "a"-"b", frames that are sent
 * into it, and what a capture makes of them.
 *
 * Needs root; live_kit_setup() makes the other tests of a program skip without.
 */
#pragma once

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <linux/if_packet.h>
#include <linux/if_tun.h>
#include <linux/virtio_net.h>
#include <net/ethernet.h>
#include <net/if.h>
#include <sched.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "source/live.h"

enum { KIT_QUIET_MS = 150 }; /* after this, all that came is there */
enum { KIT_FRAMES = 4096, KIT_BYTES = 2048, KIT_WAIT_MS = 5000 };

static char kit_missing[256]; /* why there is no network; "" when there is one */

/* What a capture gave: copies of frames, and what was said. */
struct kit_got {
	size_t count;
	struct frame frame[KIT_FRAMES];
	uint8_t bytes[KIT_FRAMES][KIT_BYTES]; /* the beginning of each */
};
static struct kit_got kit_got;
static char kit_said[4096];

static inline void kit_ip(const char *format, ...)
{
	char command[512];
	va_list list;

	va_start(list, format);
	vsnprintf(command, sizeof(command), format, list);
	va_end(list);
	if (system(command) != 0)
		fail_msg("%s", command);
}

/*
 * Makes sure that what is sent on an interface, whose other end is up, is sent: else the kernel's
 * work on its new carrier may be waiting, and until then packets vanish without an error.
 */
static inline void kit_ready(const char *name)
{
	kit_ip("ip link set dev %s down && ip link set dev %s up", name, name);
}

/* Packets are sent at end 'a'. */
static inline void kit_cable(const char *a, const char *b)
{
	kit_ip("ip link add name %s type veth peer name %s", a, b);
	kit_ip("ip link set dev %s mtu 3000 arp off up && ip link set dev %s mtu 3000 arp off up",
			b, a);
}

static inline int kit_tun(const char *name)
{
	struct ifreq r = { .ifr_flags = IFF_TUN | IFF_NO_PI };
	int fd = open("/dev/net/tun", O_RDWR | O_CLOEXEC);

	if (fd < 0) {
		print_message("no /dev/net/tun\n");
		skip();
	}
	snprintf(r.ifr_name, sizeof(r.ifr_name), "%s", name);
	assert_int_equal(ioctl(fd, TUNSETIFF, &r), 0);
	kit_ip("ip link set dev %s up", name);
	return fd;
}

static inline int live_kit_setup(void **state)
{
	(void)state;
	if (geteuid() != 0) {
		snprintf(kit_missing, sizeof(kit_missing), "needs root");
		return 0;
	}
	if (unshare(CLONE_NEWNET) != 0) {
		snprintf(kit_missing, sizeof(kit_missing), "no network namespace: %s",
				strerror(errno));
		return 0;
	}
	int off = open("/proc/sys/net/ipv6/conf/default/disable_ipv6", O_WRONLY | O_CLOEXEC);

	if (off >= 0) {
		assert_int_equal(write(off, "1", 1), 1);
		close(off);
	}
	kit_ip("ip link set dev lo up");
	kit_cable("a", "b");
	return 0;
}

/* At the beginning of every test. */
static inline void kit_begin(void)
{
	if (kit_missing[0] != '\0') {
		print_message("%s\n", kit_missing);
		skip();
	}
	kit_said[0] = '\0';
	kit_got.count = 0;
}

static inline void kit_say(void *ctx, enum source_trouble what, const char *text)
{
	size_t used = strlen(kit_said);

	(void)ctx;
	assert_int_equal(what, SOURCE_WARNING);
	assert_null(strchr(text, '\n'));
	snprintf(kit_said + used, sizeof(kit_said) - used, "%s\n", text);
}

static inline struct live_conf kit_conf(const char *interfaces)
{
	return (struct live_conf){
		.interfaces = interfaces,
		.snaplen = 262144,
		.ring_bytes = 1 << 20,
		.rings = 1,
		.say = kit_say,
	};
}

static inline struct live *kit_open(const struct live_conf *conf)
{
	struct err e = { "" };
	struct live *l = live_new(conf, &e);

	if (l == NULL)
		fail_msg("%s", e.text);
	return l;
}

/* --- sending --------------------------------------------------------------------------------- */

static inline int kit_sender(const char *interface, bool with_header)
{
	int fd = socket(AF_PACKET, SOCK_RAW | SOCK_CLOEXEC, 0), on = 1;
	struct sockaddr_ll to = {
		.sll_family = AF_PACKET,
		.sll_ifindex = (int)if_nametoindex(interface),
	};

	assert_true(fd >= 0);
	if (with_header)
		assert_int_equal(setsockopt(fd, SOL_PACKET, PACKET_VNET_HDR, &on, sizeof(on)), 0);
	assert_int_equal(bind(fd, (const struct sockaddr *)&to, sizeof(to)), 0);
	return fd;
}

static inline void kit_send_all(int fd, const void *bytes, size_t size)
{
	while (send(fd, bytes, size, 0) != (ssize_t)size)
		if (errno != ENOBUFS) /* the kernel's queue is full: the packet was not sent */
			fail_msg("send: %s", strerror(errno));
}

static inline void kit_send(const char *interface, const void *bytes, size_t size)
{
	int fd = kit_sender(interface, false);

	kit_send_all(fd, bytes, size);
	close(fd);
}

/*
 * Ethernet, IPv4 and UDP with 'size' bytes of payload; the source is 10.0.0.1 with the port
 * 'from', the destination 10.0.0.2 with 'to'.  Returns the size of the frame.
 */
static inline size_t kit_udp(uint8_t *out, uint16_t from, uint16_t to, size_t size)
{
	static const uint8_t head[] = { 2, 0, 0, 0, 0, 2, 2, 0, 0, 0, 0, 1, 0x08, 0x00,  /**/
		0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, 17, 0, 0, 10, 0, 0, 1, 10, 0, 0, 2, /**/
		0, 0, 0, 0, 0, 0, 0, 0 };
	size_t length = 20 + 8 + size;
	uint32_t sum = 0;

	memcpy(out, head, sizeof(head));
	out[16] = (uint8_t)(length >> 8);
	out[17] = (uint8_t)length;
	for (size_t i = 14; i < 34; i += 2)
		sum += (uint32_t)(out[i] << 8 | out[i + 1]);
	sum = ~((sum & 0xffff) + (sum >> 16)) & 0xffff;
	out[24] = (uint8_t)(sum >> 8);
	out[25] = (uint8_t)sum;
	out[34] = (uint8_t)(from >> 8);
	out[35] = (uint8_t)from;
	out[36] = (uint8_t)(to >> 8);
	out[37] = (uint8_t)to;
	out[38] = (uint8_t)((8 + size) >> 8);
	out[39] = (uint8_t)(8 + size);
	for (size_t i = 0; i < size; i++)
		out[sizeof(head) + i] = (uint8_t)(i * 7);
	return sizeof(head) + size;
}

/* Puts a tag behind the addresses; the size of the longer frame. */
static inline size_t kit_tag(uint8_t *frame, size_t size, uint16_t type, uint16_t tci)
{
	memmove(frame + 16, frame + 12, size - 12);
	frame[12] = (uint8_t)(type >> 8);
	frame[13] = (uint8_t)type;
	frame[14] = (uint8_t)(tci >> 8);
	frame[15] = (uint8_t)tci;
	return size + 4;
}

/* --- receiving ------------------------------------------------------------------------------- */

static inline int64_t kit_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* Reads what is there into kit_got, once; how many. */
static inline size_t kit_take(struct live *l, unsigned ring, int timeout_ms)
{
	struct frame frames[64];
	struct err e;
	bool ok = false;
	size_t n = live_read(l, ring, frames, 64, timeout_ms, &ok, &e);

	assert_true(ok);
	for (size_t i = 0; i < n; i++) {
		struct frame *to = &kit_got.frame[kit_got.count];
		size_t size = frames[i].caplen < KIT_BYTES ? frames[i].caplen : KIT_BYTES;

		assert_true(kit_got.count < KIT_FRAMES);
		assert_true(frames[i].wirelen >= frames[i].caplen);
		assert_true(frames[i].nanoseconds);
		assert_false(frames[i].untimed);
		*to = frames[i];
		to->bytes = memcpy(kit_got.bytes[kit_got.count], frames[i].bytes, size);
		kit_got.count++;
	}
	return n;
}

/* Sends and reads by turns: a ring that nobody reads is full soon, however little came. */
static inline void kit_pass(struct live *l, int fd, const void *bytes, size_t size)
{
	kit_send_all(fd, bytes, size);
	kit_take(l, 0, 0);
}

/* Reads ring 0 until 'count' frames are there, and makes sure that no more follow. */
static inline void kit_await(struct live *l, size_t count)
{
	int64_t end = kit_ms() + KIT_WAIT_MS;

	while (kit_got.count < count && kit_ms() < end)
		kit_take(l, 0, 100);
	while (kit_take(l, 0, KIT_QUIET_MS) > 0)
		;
	if (kit_got.count != count)
		fail_msg("%zu frames, not %zu", kit_got.count, count);
}

static inline void kit_same(size_t i, const void *bytes, size_t size)
{
	assert_true(i < kit_got.count);
	assert_int_equal(kit_got.frame[i].wirelen, size);
	assert_int_equal(kit_got.frame[i].caplen, size);
	assert_memory_equal(kit_got.frame[i].bytes, bytes, size);
}

static inline struct live_counts kit_counts(struct live *l, size_t i)
{
	struct live_counts c;

	assert_true(live_counts(l, i, &c));
	return c;
}

/* Reads until anything is there. */
static inline void kit_await_any(struct live *l)
{
	int64_t end = kit_ms() + KIT_WAIT_MS;

	while (kit_take(l, 0, 100) == 0)
		assert_true(kit_ms() < end);
}

/* fork(); the child ends with the test. */
static inline pid_t kit_fork(void)
{
	pid_t child = fork();

	assert_true(child >= 0);
	if (child == 0)
		prctl(PR_SET_PDEATHSIG, SIGKILL);
	return child;
}

/* Ends a child of this test. */
static inline void kit_end(pid_t child)
{
	int status;

	kill(child, SIGKILL);
	assert_int_equal(waitpid(child, &status, 0), child);
}

/* Watches until all these words were said, at most for a while. */
static inline void kit_await_said(struct live *l, const char *words)
{
	int64_t end = kit_ms() + KIT_WAIT_MS;

	while (strstr(kit_said, words) == NULL) {
		if (kit_ms() > end)
			fail_msg("\"%s\" was not said, but: %s", words, kit_said);
		kit_take(l, 0, 20);
		live_watch(l);
	}
}
