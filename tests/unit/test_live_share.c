/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_live_share.c - several workers: what belongs together reaches the same one, whatever it is
 * wrapped in, and all workers get something.
 */
#include "live_kit.h"

enum { WORKERS = 3, SETS = 60 };

/* A frame that is written from its end to its beginning, so that headers go before their payload.
 */
struct made {
	size_t from; /* the first byte */
	uint8_t bytes[KIT_BYTES];
};

static struct made made_payload(size_t size)
{
	struct made m = { .from = KIT_BYTES - size };

	memset(m.bytes + m.from, 0x5a, size);
	return m;
}

static size_t made_size(const struct made *m)
{
	return KIT_BYTES - m->from;
}

static uint8_t *before(struct made *m, size_t size)
{
	m->from -= size;
	return memset(m->bytes + m->from, 0, size);
}

static void put16(uint8_t *to, size_t v)
{
	to[0] = (uint8_t)(v >> 8);
	to[1] = (uint8_t)v;
}

static void put32(uint8_t *to, uint32_t v)
{
	put16(to, v >> 16);
	put16(to + 2, v);
}

static void udp(struct made *m, uint16_t from, uint16_t to)
{
	size_t size = made_size(m) + 8;
	uint8_t *h = before(m, 8);

	put16(h, from);
	put16(h + 2, to);
	put16(h + 4, size);
}

static void tcp(struct made *m, uint16_t from, uint16_t to)
{
	uint8_t *h = before(m, 20);

	put16(h, from);
	put16(h + 2, to);
	h[12] = 0x50;
}

static void ip4_fragment(
		struct made *m, uint32_t from, uint32_t to, uint8_t protocol, uint16_t flags)
{
	size_t size = made_size(m) + 20;
	uint8_t *h = before(m, 20);
	uint32_t sum = 0;

	h[0] = 0x45;
	put16(h + 2, size);
	put16(h + 6, flags);
	h[8] = 64;
	h[9] = protocol;
	put32(h + 12, from);
	put32(h + 16, to);
	for (size_t i = 0; i < 20; i += 2)
		sum += (uint32_t)(h[i] << 8 | h[i + 1]);
	put16(h + 10, ~((sum & 0xffff) + (sum >> 16)) & 0xffff);
}

static void ip4(struct made *m, uint32_t from, uint32_t to, uint8_t protocol)
{
	ip4_fragment(m, from, to, protocol, 0x4000);
}

static void ip6(struct made *m, uint32_t from, uint32_t to, uint8_t next)
{
	size_t size = made_size(m);
	uint8_t *h = before(m, 40);

	h[0] = 0x60;
	put16(h + 4, size);
	h[6] = next;
	h[7] = 64;
	put32(h + 8, 0x20010db8);
	put32(h + 24, 0x20010db8);
	put32(h + 20, from);
	put32(h + 36, to);
}

static void head(struct made *m, const char *bytes, size_t size)
{
	memcpy(before(m, size), bytes, size);
}

static void ethernet(struct made *m, uint16_t type)
{
	uint8_t *h = before(m, 14);

	h[0] = h[6] = 2;
	h[5] = 2;
	h[11] = 1;
	put16(h + 12, type);
}

static void tag(struct made *m, uint16_t next, uint16_t id)
{
	uint8_t *h = before(m, 4);

	put16(h, id);
	put16(h + 2, next);
}

/* --- sets of frames that belong together ----------------------------------------------------- */

struct set {
	const char *name;
	/* Writes frame number 'n' of the set 'i'; false when there is no such frame. */
	bool (*make)(struct made *m, uint32_t i, unsigned n);
};

static uint32_t host(uint32_t i)
{
	return 0x0a000000 + i * 2654435761U % 65536;
}

enum { SERVER = 0x0a640001, ROUTER = 0x0a640002 };

static bool tcp4_flow(struct made *m, uint32_t i, unsigned n)
{
	*m = made_payload(n * 10);
	if (n % 2 == 0)
		tcp(m, (uint16_t)(1000 + i), 443), ip4(m, host(i), SERVER, 6);
	else
		tcp(m, 443, (uint16_t)(1000 + i)), ip4(m, SERVER, host(i), 6);
	ethernet(m, 0x0800);
	return n < 4;
}

/* One pair of hosts: told apart by ports alone; with an error about it. */
static bool tcp4_ports(struct made *m, uint32_t i, unsigned n)
{
	static const uint8_t errors[] = { 3, 4, 5, 11, 12 };

	*m = made_payload(8);
	if (n % 2 == 0)
		tcp(m, (uint16_t)(1000 + i), 443), ip4(m, host(1), SERVER, 6);
	else
		tcp(m, 443, (uint16_t)(1000 + i)), ip4(m, SERVER, host(1), 6);
	if (n >= 2 && n < 7) {
		before(m, 8)[0] = errors[n - 2];
		ip4(m, ROUTER, host(1), 1);
	}
	ethernet(m, 0x0800);
	return n < 7;
}

/* Whole datagrams both ways, and one in two pieces. */
static bool udp4_with_fragments(struct made *m, uint32_t i, unsigned n)
{
	*m = made_payload(64);
	if (n < 3)
		udp(m, (uint16_t)(n == 1 ? 53 : 999), (uint16_t)(n == 1 ? 999 : 53));
	if (n == 1)
		ip4(m, SERVER, host(i), 17);
	else
		ip4_fragment(m, host(i), SERVER, 17, n == 0 ? 0 : n == 2 ? 0x2000 : 9);
	ethernet(m, 0x0800);
	return n < 4;
}

static bool tcp6_flow(struct made *m, uint32_t i, unsigned n)
{
	*m = made_payload(8);
	if (n % 2 == 0)
		tcp(m, (uint16_t)(1000 + i), 443), ip6(m, host(i % 5), SERVER, 6);
	else
		tcp(m, 443, (uint16_t)(1000 + i)), ip6(m, SERVER, host(i % 5), 6);
	if (n >= 2) { /* an error about it */
		before(m, 8)[0] = (uint8_t)(n - 1);
		ip6(m, ROUTER, host(i % 5), 58);
	}
	ethernet(m, 0x86dd);
	return n < 6;
}

static bool udp6_with_fragments(struct made *m, uint32_t i, unsigned n)
{
	*m = made_payload(64);
	if (n == 0)
		udp(m, 5, 6), ip6(m, host(i), SERVER, 17);
	else if (n == 1)
		udp(m, 6, 5), ip6(m, SERVER, host(i), 17);
	else
		head(m, n == 2 ? "\x11\0\0\x01\0\0\0\1" : "\x11\0\0\x40\0\0\0\1", 8),
				ip6(m, host(i), SERVER, 44);
	ethernet(m, 0x86dd);
	return n < 4;
}

/* Inner flows of a tunnel whose outer ports are others in each direction. */
static bool vxlan(struct made *m, uint32_t i, unsigned n)
{
	uint32_t a = host(i), b = SERVER + 77;

	*m = made_payload(8);
	if (n % 2 == 0)
		tcp(m, 1000, 80), ip4(m, 0xc0000201, 0xc0000202, 6);
	else
		tcp(m, 80, 1000), ip4(m, 0xc0000202, 0xc0000201, 6);
	ethernet(m, 0x0800);
	head(m, "\x08\0\0\0\0\0\x05\0", 8);
	udp(m, (uint16_t)(50000 + n * 77 + i), 4789);
	ip4(m, n % 2 ? b : a, n % 2 ? a : b, 17);
	ethernet(m, 0x0800);
	return n < 6;
}

static bool gre(struct made *m, uint32_t i, unsigned n)
{
	*m = made_payload(8);
	tcp(m, (uint16_t)(n % 2 ? 80 : 1000), (uint16_t)(n % 2 ? 1000 : 80));
	ip4(m, 0xc0000201, 0xc0000202, 6);
	head(m, "\0\0\x08\0", 4);
	ip4(m, n % 2 ? SERVER : host(i), n % 2 ? host(i) : SERVER, 47);
	ethernet(m, 0x0800);
	return n < 2;
}

/* The same flow with no tag, one, two, behind labels and in PPPoE, in each direction. */
static bool wrapped(struct made *m, uint32_t i, unsigned n)
{
	uint16_t type = 0x0800;

	*m = made_payload(30);
	tcp(m, (uint16_t)(n % 2 ? 80 : 1000 + i), (uint16_t)(n % 2 ? 1000 + i : 80));
	ip4(m, n % 2 ? SERVER : host(i), n % 2 ? host(i) : SERVER, 6);
	switch (n / 2) {
	case 0:
		break;
	case 1:
		tag(m, type, 0x4005), type = 0x8100; /* priority 2: looks like IPv4 */
		break;
	case 2:
		tag(m, type, 0xe005), tag(m, 0x8100, 0x6007), type = 0x88a8;
		break;
	case 3:
		head(m, "\0\0\x11\x40", 4), head(m, "\0\0\x20\x40", 4), type = 0x8847;
		break;
	default:
		head(m, "\x11\0\0\x01\0\x40\0\x21", 8), type = 0x8864;
	}
	ethernet(m, type);
	return n < 10;
}

static bool not_ip(struct made *m, uint32_t i, unsigned n)
{
	(void)i;
	*m = made_payload(50);
	ethernet(m, n == 0 ? 0x0806 : n == 1 ? 0x88cc : 40);
	return n < 3;
}

static const struct set sets[] = {
	{ "tcp4_flow", tcp4_flow },
	{ "tcp4_ports", tcp4_ports },
	{ "udp4_with_fragments", udp4_with_fragments },
	{ "tcp6_flow", tcp6_flow },
	{ "udp6_with_fragments", udp6_with_fragments },
	{ "vxlan", vxlan },
	{ "gre", gre },
	{ "wrapped", wrapped },
	{ "not_ip", not_ip },
};

/* --- the test -------------------------------------------------------------------------------- */

/* Reads all that was sent into rings; which[] is the ring of each frame, by order of time. */
static size_t rings_of(struct live *l, unsigned *which)
{
	struct {
		int64_t ns;
		unsigned ring;
	} got[KIT_FRAMES], x;
	size_t count = 0;
	struct frame frames[64];

	live_stop(l);
	for (unsigned w = 0; w < WORKERS; w++) {
		for (bool ok = true; ok;) {
			size_t n = live_read(l, w, frames, 64, 1000, &ok, NULL);

			for (size_t i = 0; i < n; i++, count++) {
				got[count].ns = frames[i].ns;
				got[count].ring = w;
			}
		}
	}
	for (size_t i = 1; i < count; i++)
		for (size_t j = i; j > 0 && got[j].ns < got[j - 1].ns; j--)
			x = got[j], got[j] = got[j - 1], got[j - 1] = x;
	for (size_t i = 0; i < count; i++)
		which[i] = got[i].ring;
	return count;
}

/* 'end' is where the capture listens: what comes in, or what goes out. */
static void keep_together(const struct set *set, const char *end)
{
	static unsigned which[KIT_FRAMES];
	struct live_conf conf = kit_conf(end);
	size_t sent = 0, at = 0, of_ring[WORKERS] = { 0 };
	struct made m;

	conf.rings = WORKERS;
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	for (uint32_t i = 0; i < SETS; i++)
		for (unsigned n = 0; n < 64; n++)
			if (set->make(&m, i, n))
				kit_send_all(fd, m.bytes + m.from, made_size(&m)), sent++;
	close(fd);
	assert_int_equal(rings_of(l, which), sent);
	for (uint32_t i = 0; i < SETS; i++) {
		size_t first = at;

		for (unsigned n = 0; n < 64; n++) {
			if (!set->make(&m, i, n))
				continue;
			if (which[at] != which[first])
				fail_msg("%s at %s: set %u, frame %u", set->name, end, i, n);
			of_ring[which[at++]]++;
		}
	}
	for (unsigned w = 0; w < WORKERS && set->make != not_ip; w++)
		if (of_ring[w] < sent / 6)
			fail_msg("%s: %zu of %zu to worker %u", set->name, of_ring[w], sent, w);
	live_free(l);
}

static void keeps_together_what_comes_in(void **state)
{
	(void)state;
	kit_begin();
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		keep_together(&sets[i], "b");
}

static void keeps_together_what_goes_out(void **state)
{
	(void)state;
	kit_begin();
	for (size_t i = 0; i < sizeof(sets) / sizeof(sets[0]); i++)
		keep_together(&sets[i], "a");
}

/* IP without a header before it. */
static void shares_out_raw_ip(void **state)
{
	struct live_conf conf = kit_conf("tun4");
	static unsigned which[KIT_FRAMES];
	size_t of_ring[WORKERS] = { 0 };
	struct made m;

	(void)state;
	kit_begin();
	int tun = kit_tun("tun4");
	conf.rings = WORKERS;
	struct live *l = kit_open(&conf);
	for (uint32_t i = 0; i < SETS; i++) {
		for (unsigned n = 0; n < 4; n++) {
			if (i % 2)
				tcp4_flow(&m, i, n);
			else
				tcp6_flow(&m, i, n);
			m.from += 14;
			assert_int_equal(write(tun, m.bytes + m.from, made_size(&m)),
					(ssize_t)made_size(&m));
		}
	}
	assert_int_equal(rings_of(l, which), SETS * 4);
	for (size_t i = 0; i < SETS * 4; i++) {
		assert_int_equal(which[i], which[i / 4 * 4]);
		of_ring[which[i]]++;
	}
	for (unsigned w = 0; w < WORKERS; w++)
		assert_in_range(of_ring[w], 40, 120);
	live_free(l);
	close(tun);
}

/* All interfaces together make one group: what goes out at one end and comes in at the other. */
static void shares_out_all_interfaces(void **state)
{
	struct live_conf conf = kit_conf("any");
	static unsigned which[KIT_FRAMES];
	struct made m;

	(void)state;
	kit_begin();
	conf.rings = WORKERS;
	struct live *l = kit_open(&conf);
	int fd = kit_sender("a", false);
	for (uint32_t i = 0; i < SETS; i++)
		for (unsigned n = 0; n < 4; n++)
			if (tcp4_flow(&m, i, n))
				kit_send_all(fd, m.bytes + m.from, made_size(&m));
	close(fd);
	assert_int_equal(rings_of(l, which), SETS * 4 * 2);
	assert_int_equal(kit_counts(l, 0).packets, SETS * 4 * 2);
	live_free(l);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keeps_together_what_comes_in),
		cmocka_unit_test(keeps_together_what_goes_out),
		cmocka_unit_test(shares_out_raw_ip),
		cmocka_unit_test(shares_out_all_interfaces),
	};

	return cmocka_run_group_tests(tests, live_kit_setup, NULL);
}
