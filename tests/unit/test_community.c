/* SPDX-License-Identifier: BSD-3-Clause */
/* test_community.c - the vectors of the Community ID specification, and its rules for ICMP. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "feature/community.h"
#include "net/packet.h"

static bool id_is(const struct community_flow *f, uint16_t seed, const char *want)
{
	char text[COMMUNITY_ID_SIZE];

	community_id(f, seed, text);
	return strlen(want) == sizeof text && memcmp(text, want, sizeof text) == 0;
}

static struct community_flow turned(struct community_flow f)
{
	return (struct community_flow){ f.da, f.sa, f.ip_version, f.proto, f.ports, f.one_way, f.dp,
		f.sp };
}

static void tcp_and_udp(void **unused)
{
	static const uint8_t a[] = { 128, 232, 110, 120 }, b[] = { 66, 35, 250, 204 };
	static const uint8_t c[] = { 192, 168, 1, 52 }, d[] = { 8, 8, 8, 8 };
	struct community_flow tcp = { a, b, 4, PROTO_TCP, true, false, 34855, 80 };
	struct community_flow udp = { c, d, 4, PROTO_UDP, true, false, 54585, 53 };
	struct community_flow back = turned(tcp);

	(void)unused;
	assert_true(id_is(&tcp, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="));
	assert_true(id_is(&tcp, 1, "1:3V71V58M3Ksw/yuFALMcW0LAHvc="));
	assert_true(id_is(&back, 0, "1:LQU9qZlK+B5F3KDmev6m5PMibrg="));
	assert_true(id_is(&udp, 0, "1:d/FP5EW3wiY1vCndhwleRRKHowQ="));
}

static void icmp_echo_both_ways(void **unused)
{
	static const uint8_t a[] = { 192, 168, 0, 89 }, b[] = { 192, 168, 0, 1 };
	struct community_flow ask = { .sa = a, .da = b, .ip_version = 4, .proto = PROTO_ICMP };
	struct community_flow answer = { .sa = b, .da = a, .ip_version = 4, .proto = PROTO_ICMP };

	(void)unused;
	community_icmp(&ask, 8, 0);
	community_icmp(&answer, 0, 0);
	assert_true(id_is(&ask, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="));
	assert_true(id_is(&answer, 0, "1:X0snYXpgwiv9TZtqg64sgzUn6Dk="));
}

static void icmp_one_way_keeps_its_order(void **unused)
{
	static const uint8_t a[] = { 10, 0, 0, 2 }, b[] = { 10, 0, 0, 1 };
	struct community_flow to = { .sa = a, .da = b, .ip_version = 4, .proto = PROTO_ICMP };
	struct community_flow from = { .sa = b, .da = a, .ip_version = 4, .proto = PROTO_ICMP };
	char text[2][COMMUNITY_ID_SIZE];

	(void)unused;
	community_icmp(&to, 5, 1);
	community_icmp(&from, 5, 1);
	assert_true(to.one_way);
	assert_int_equal(to.sp, 5);
	assert_int_equal(to.dp, 1);
	community_id(&to, 0, text[0]);
	community_id(&from, 0, text[1]);
	assert_memory_not_equal(text[0], text[1], COMMUNITY_ID_SIZE);
}

static void equal_addresses_are_ordered_by_port(void **unused)
{
	static const uint8_t a[16] = { 0x20, 1 };
	struct community_flow f = { a, a, 6, PROTO_TCP, true, false, 80, 34855 };
	struct community_flow back = turned(f);
	char text[2][COMMUNITY_ID_SIZE];

	(void)unused;
	community_id(&f, 0, text[0]);
	community_id(&back, 0, text[1]);
	assert_memory_equal(text[0], text[1], COMMUNITY_ID_SIZE);
	f.ports = false;
	community_id(&f, 0, text[1]);
	assert_memory_not_equal(text[0], text[1], COMMUNITY_ID_SIZE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tcp_and_udp),
		cmocka_unit_test(icmp_echo_both_ways),
		cmocka_unit_test(icmp_one_way_keeps_its_order),
		cmocka_unit_test(equal_addresses_are_ordered_by_port),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
