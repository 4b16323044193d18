/* SPDX-License-Identifier: BSD-3-Clause */
/* test_feature_os.c - signatures of SYNs as systems send them, and what the rules call them. */
#include "unit/feature_kit.h"

#include "feature/os_rules.h"

extern const struct feature feature_os;

/* Options as text: letters of a layout, MSS and window scale from the parameters. */
static size_t make_options(uint8_t *to, const char *layout, uint16_t mss, uint8_t scale)
{
	uint8_t *p = to;

	for (; *layout != '\0'; layout++) {
		switch (*layout) {
		case 'E':
			*p++ = 0;
			break;
		case 'N':
			*p++ = 1;
			break;
		case 'M':
			memcpy(p, (uint8_t[]){ 2, 4, (uint8_t)(mss >> 8), (uint8_t)mss }, 4);
			p += 4;
			break;
		case 'W':
			memcpy(p, (uint8_t[]){ 3, 3, scale }, 3);
			p += 3;
			break;
		case 'S':
			memcpy(p, (uint8_t[]){ 4, 2 }, 2);
			p += 2;
			break;
		case 'T':
			memcpy(p, (uint8_t[]){ 8, 10, 0, 0, 0, 1, 0, 0, 0, 0 }, 10);
			p += 10;
			break;
		default:
			memcpy(p, (uint8_t[]){ 99, 2 }, 2);
			p += 2;
		}
	}
	while ((p - to) % 4 != 0)
		*p++ = 0;
	return (size_t)(p - to);
}

struct sample {
	const char *name;
	bool answer;
	uint8_t ttl;
	bool df;
	uint16_t mss, window;
	uint8_t scale;
	const char *layout;
};

static uint8_t ip_header[20] = { 0x45 }, tcp_header[80];

static struct pkt packet_of(const struct sample *s)
{
	size_t size = make_options(tcp_header + 20, s->layout, s->mss, s->scale);

	tcp_header[12] = (uint8_t)((5 + size / 4) << 4);
	return (struct pkt){ .ip = { ip_header, sizeof ip_header },
		.body = { tcp_header, 20 + size },
		.tcp_options = { tcp_header + 20, size },
		.ip_version = 4,
		.proto = PROTO_TCP,
		.ttl = s->ttl,
		.ip_id = 7,
		.ip_flags = s->df ? 2 : 0,
		.seq = 12345,
		.tcp_flags = s->answer ? TCP_SYN | TCP_ACK : TCP_SYN,
		.window = s->window };
}

static const struct sample samples[] = {
	{ "Linux 4.20 or later", false, 60, true, 1460, 64240, 7, "MSTNW" },
	{ "Linux 4.20 or later", false, 64, true, 65495, 65495, 7, "MSTNW" },
	{ "Linux 4.20 or later", false, 64, true, 1400, 64400, 10, "MSTNW" },
	{ "Linux 4.20 or later", true, 53, true, 1460, 65160, 7, "MSTNW" },
	{ "Linux 4.20 or later", true, 64, true, 1460, 64240, 7, "MNNSNW" },
	{ "Linux 3.11 to 4.19", false, 64, true, 1460, 29200, 7, "MSTNW" },
	{ "Linux 3.11 to 4.19", true, 64, true, 1452, 28960, 7, "MSTNW" },
	{ "Linux 2.6.39 to 3.10", false, 64, true, 1460, 14600, 6, "MSTNW" },
	{ "Linux 2.4 to 2.6.38", false, 64, true, 1460, 5840, 2, "MSTNW" },
	{ "Linux 2.2", false, 64, true, 1460, 32120, 0, "MSTNW" },
	{ "Linux", false, 64, true, 1460, 32120, 7, "MSTNW" },
	{ "Linux or Android", false, 64, true, 1460, 65535, 9, "MSTNW" },
	{ "Windows 10 or later", false, 120, true, 1460, 64240, 8, "MNWNNS" },
	{ "Windows Vista to 10", false, 128, true, 1460, 8192, 2, "MNWNNS" },
	{ "Windows 2000, XP or Server 2003", false, 128, true, 1460, 65535, 0, "MNNS" },
	{ "macOS or iOS", false, 64, true, 1460, 65535, 6, "MNWNNTSE" },
	{ "FreeBSD", false, 64, true, 1460, 65535, 6, "MNWST" },
	{ "OpenBSD", true, 64, true, 1460, 16384, 6, "MNNSNWNNT" },
	{ "Cisco IOS", false, 255, false, 536, 4128, 0, "M" },
	{ "lwIP", false, 255, false, 536, 2144, 0, "M" },
	{ "nmap", false, 45, false, 1460, 1024, 0, "M" },
	{ "masscan", false, 250, false, 0, 1024, 0, "" },
	{ "unknown", false, 64, true, 1460, 1000, 0, "M" },
	{ "unknown", false, 128, true, 1460, 64240, 7, "MSTNW" },
	{ "unknown", false, 64, false, 1460, 64240, 7, "MSTNW" },
	{ "unknown", false, 64, true, 1460, 64240, 7, "MSTNW?" },
};

static void names_what_systems_send(void **unused)
{
	(void)unused;
	for (size_t i = 0; i < sizeof samples / sizeof samples[0]; i++) {
		struct pkt pkt = packet_of(&samples[i]);
		struct os_sign s = os_sign_of(&pkt);
		char text[OS_TEXT];

		os_sign_text(&s, text);
		if (strcmp(os_name(&s), samples[i].name) != 0)
			fail_msg("%zu: %s is \"%s\"", i, text, os_name(&s));
	}
}

static void writes_signatures(void **unused)
{
	struct pkt pkt = packet_of(&samples[0]);
	struct os_sign s = os_sign_of(&pkt);
	char text[OS_TEXT];

	(void)unused;
	os_sign_text(&s, text);
	assert_string_equal(text, "4:64:0:1460:64240,7:MSTNW:df");
	pkt = packet_of(&samples[21]);
	pkt.ip_id = 0;
	s = os_sign_of(&pkt);
	os_sign_text(&s, text);
	assert_string_equal(text, "4:255:0:-:1024,-::id0");
}

static void every_quirk_at_once_fits(void **unused)
{
	struct sample all = { "", false, 255, true, 65535, 65535, 255,
		"MWNNNNNNNNNNNNNNNNNNNNNNE" };
	struct pkt pkt = packet_of(&all);
	struct os_sign s;
	char text[OS_TEXT];

	(void)unused;
	pkt.tcp_flags |= TCP_PSH | TCP_URG | TCP_ECE | TCP_CWR;
	pkt.payload_len = 1;
	pkt.ack = 1;
	pkt.seq = 0;
	s = os_sign_of(&pkt);
	s.quirks = (1 << OS_QUIRKS) - 1;
	s.scale = 254;
	s.ip_options = 40;
	memset(text, 'x', sizeof text);
	os_sign_text(&s, text);
	assert_string_equal(text,
			"4:255:40:65535:65535,254:MWNNNNNNNNNNNNNN+:df,id0,id54321,ecn,psh,urg,"
			"data,seq0,ack,ts0,echo,scale15,pad,bad");
	assert_string_equal(os_name(&s), "unknown");
}

static void sees_quirks(void **unused)
{
	struct pkt pkt = packet_of(&samples[0]);
	struct os_sign s;
	char text[OS_TEXT];

	(void)unused;
	pkt.tcp_flags |= TCP_PSH | TCP_URG | TCP_ECE;
	pkt.payload_len = 1;
	pkt.ack = 1;
	pkt.seq = 0;
	pkt.tcp_options.left = 15; /* the snaplen took the rest */
	s = os_sign_of(&pkt);
	os_sign_text(&s, text);
	assert_string_equal(text, "4:64:0:1460:64240,-:MS:df,ecn,psh,urg,data,seq0,ack,bad");
}

static void version_6_has_no_fragment_flags(void **unused)
{
	struct pkt pkt = packet_of(&samples[0]);
	struct os_sign s;
	char text[OS_TEXT];

	(void)unused;
	pkt.ip_version = 6;
	pkt.ip_flags = 0;
	pkt.ip_id = 0;
	s = os_sign_of(&pkt);
	os_sign_text(&s, text);
	assert_string_equal(text, "6:64:0:1460:64240,7:MSTNW:");
	assert_string_equal(os_name(&s), "Linux 4.20 or later");
}

static void takes_the_first_syn_of_each_side(void **unused)
{
	struct kit k;

	(void)unused;
	kit_start(&k, &feature_os, 0);
	assert_false(kit_finish(&k));
	k.pkt = packet_of(&samples[0]);
	kit_packet(&k, 0, 0, 1);
	assert_false(k.done);
	k.pkt = packet_of(&samples[5]);
	kit_packet(&k, 0, 0, 2);
	k.pkt.tcp_flags = TCP_ACK;
	kit_packet(&k, 1, 0, 2);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "probable_os.out", "Linux 4.20 or later"));
	assert_true(kit_absent(&k, "probable_os.in"));
	assert_true(kit_absent(&k, "probable_os.signature_in"));
	k.pkt = packet_of(&samples[3]);
	kit_packet(&k, 1, 0, 3);
	assert_true(k.done);
	assert_true(kit_finish(&k));
	assert_true(kit_is(&k, "probable_os.signature_in", "4:64:0:1460:65160,7:MSTNW:df"));
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names_what_systems_send),
		cmocka_unit_test(writes_signatures),
		cmocka_unit_test(every_quirk_at_once_fits),
		cmocka_unit_test(sees_quirks),
		cmocka_unit_test(version_6_has_no_fragment_flags),
		cmocka_unit_test(takes_the_first_syn_of_each_side),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
