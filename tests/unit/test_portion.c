/* SPDX-License-Identifier: BSD-3-Clause */
/* test_portion.c - engine/portion.c: an owner is named only of what is surely one packet of one
 * flow, and it is the one that the flow's key gives; times and sums. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "engine/portion.h"
#include "flow/key.h"

/* 0: Ethernet type; 14: IPv4, 44 bytes; 34: TCP from port 0x0102 to 443, header 20, 4 bytes */
static const uint8_t tcp4[] = "DDDDDDSSSSSS\x08\x00"
			      "\x45\x00\x00\x2c\x00\x01\x40\x00\x40\x06\x00\x00"
			      "\x0a\x00\x00\x01\x0a\x00\x00\x02"
			      "\x01\x02\x01\xbb\x00\x00\x00\x01\x00\x00\x00\x01"
			      "\x50\x18\x10\x00\x00\x00\x00\x00"
			      "data";
/* 14: IPv6, 12 bytes of UDP from port 0x0203 to 4789 (VXLAN) */
static const uint8_t udp6[] = "DDDDDDSSSSSS\x86\xdd"
			      "\x60\x00\x00\x00\x00\x0c\x11\x40"
			      "aaaaAAAAbbbbBBBBccccCCCCddddDDDD"
			      "\x02\x03\x12\xb5\x00\x0c\x00\x00"
			      "data";
enum {
	SIZE4 = sizeof tcp4 - 1,
	SIZE6 = sizeof udp6 - 1,
	AT_FLAGS = 20,
	AT_PROTO = 23,
	AT_SOURCE = 26,
	AT_PORTS = 34,
	AT_OFFSET = 46,
	AT_PORT6 = 56,
};

static const struct share share = { .count = 5, .seed = 0x0123456789abcdef };

/* The owner that is named of one frame. */
static unsigned owner(const uint8_t *bytes, size_t size, bool outermost)
{
	const struct decode_rules rules = { .outermost = outermost };
	const struct frame frame = {
		.bytes = bytes, .caplen = (uint32_t)size, .wirelen = (uint32_t)size, .linktype = 1
	};
	struct clock clock = { 0 };
	struct portion *p = calloc(1, sizeof *p);
	struct flow_key key;
	struct pkt pkt;

	portion_fill(p, &frame, 1, &rules, &share, &clock);

	const unsigned found = p->owner[0];

	free(p);
	if (found == PORTION_ALL)
		return found;
	assert_int_equal(decode_frame(&rules, &frame, &pkt), OUTCOME_PACKET);
	key_make(&pkt, true, &key);
	assert_int_equal(found, share_of_key(&share, &key));
	return found;
}

static void both_directions(void **unused)
{
	unsigned seen = 0;

	(void)unused;
	for (uint8_t host = 0; host < 100; host++) {
		uint8_t there[SIZE4], back[SIZE4];

		memcpy(there, tcp4, SIZE4);
		there[AT_SOURCE] = host;
		memcpy(back, there, SIZE4);
		memcpy(back + AT_SOURCE, there + AT_SOURCE + 4, 4);
		memcpy(back + AT_SOURCE + 4, there + AT_SOURCE, 4);
		memcpy(back + AT_PORTS, there + AT_PORTS + 2, 2);
		memcpy(back + AT_PORTS + 2, there + AT_PORTS, 2);
		assert_in_range(owner(there, SIZE4, false), 0, 4);
		assert_int_equal(owner(there, SIZE4, false), owner(back, SIZE4, false));
		seen |= 1u << owner(there, SIZE4, false);
	}
	assert_int_equal(seen, 0x1f);
}

static void all_must_look(void **unused)
{
	uint8_t odd[SIZE4];

	(void)unused;
	for (size_t n = 1; n < SIZE4; n++) /* cut short */
		assert_int_equal(owner(tcp4, n, false), PORTION_ALL);
	memcpy(odd, tcp4, SIZE4);
	odd[AT_FLAGS] = 0x20; /* a fragment */
	assert_int_equal(owner(odd, SIZE4, false), PORTION_ALL);
	odd[AT_FLAGS] = 0;
	odd[AT_PROTO] = 1; /* ICMP */
	assert_int_equal(owner(odd, SIZE4, false), PORTION_ALL);
	odd[AT_PROTO] = 6;
	odd[AT_OFFSET] = 0xf0; /* a header longer than the segment */
	assert_int_equal(owner(odd, SIZE4, false), PORTION_ALL);
}

static void tunnels(void **unused)
{
	uint8_t plain[SIZE6];

	(void)unused;
	memcpy(plain, udp6, SIZE6);
	plain[AT_PORT6]++;
	assert_int_equal(owner(udp6, SIZE6, false), PORTION_ALL);
	assert_in_range(owner(udp6, SIZE6, true), 0, 4);
	assert_in_range(owner(plain, SIZE6, false), 0, 4);
}

static void times_and_sums(void **unused)
{
	const struct frame frames[] = {
		{ .bytes = tcp4, .caplen = SIZE4, .wirelen = SIZE4, .ns = 500 },
		{ .bytes = tcp4, .caplen = 20, .wirelen = 90, .ns = 400 },
		{ .bytes = tcp4, .caplen = SIZE4, .wirelen = SIZE4, .ns = 600 },
	};
	struct clock clock = { .jump_ns = 1000 };
	struct portion *p = calloc(1, sizeof *p);

	(void)unused;
	portion_fill(p, frames, 3, &(const struct decode_rules){ false }, &share, &clock);
	assert_int_equal(p->count, 3);
	assert_int_equal(p->clock_ns[0], 500);
	assert_int_equal(p->clock_ns[1], 500);
	assert_int_equal(p->clock_ns[2], 600);
	assert_int_equal(p->now_ns, 600);
	assert_int_equal(p->sums.frames, 3);
	assert_int_equal(p->sums.bytes, 2 * SIZE4 + 90);
	assert_int_equal(p->sums.truncated, 1);
	assert_int_equal(p->sums.first_ns, 400);
	assert_int_equal(p->sums.last_ns, 600);
	free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(both_directions),
		cmocka_unit_test(all_must_look),
		cmocka_unit_test(tunnels),
		cmocka_unit_test(times_and_sums),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
