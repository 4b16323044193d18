/* SPDX-License-Identifier: BSD-3-Clause */
/* test_decode_ip.c - IP and transport headers, lengths, extensions, fragments, quotations. */
#include "packet_kit.h"

static const struct decode_rules rules = { 0 };

static struct pkt decoded(struct bytes packet, enum outcome want)
{
	struct pkt pkt;
	static struct bytes kept; /* what pkt points into */

	kept = packet;
	assert_int_equal(kit_decode(&rules, 101, kept.at, kept.size, kept.size, &pkt), want);
	return pkt;
}

/* The first 'caplen' bytes of a packet that had 'wirelen'. */
static enum outcome cut(struct bytes packet, size_t caplen, size_t wirelen, struct pkt *pkt)
{
	static struct bytes kept;

	kept = packet;
	return kit_decode(&rules, 101, kept.at, caplen, wirelen, pkt);
}

static struct expected udp4(unsigned payload)
{
	return (struct expected){
		.version = 4, .proto = 17, .from = 1000, .to = 53, .payload = payload
	};
}

static struct expected udp6(unsigned payload)
{
	return (struct expected){
		.version = 6, .proto = 17, .from = 1000, .to = 53, .payload = payload
	};
}

static const struct bytes *abc(void)
{
	static struct bytes b;

	b = udp(1000, 53, hex("61 62 63"));
	return &b;
}

static void ip4_fields(void **state)
{
	(void)state;
	struct pkt p = decoded(inner4(), OUTCOME_PACKET);

	assert_int_equal(p.ip_len, 45);
	assert_int_equal(p.ip_header_len, 20);
	assert_int_equal(p.tos, 0x2e);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.ip_id, 0x1234);
	assert_int_equal(p.ip_flags, 2);
	assert_memory_equal(p.address[0], "\x0a\0\0\x01\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_memory_equal(p.address[1], "\x0a\0\0\x02\0\0\0\0\0\0\0\0\0\0\0\0", 16);
	assert_int_equal(p.seq, 1);
	assert_int_equal(p.ack, 2);
	assert_int_equal(p.window, 512);
	assert_int_equal(p.tcp_flags, TCP_PSH | TCP_ACK);
	assert_memory_equal(p.payload.p, "hello", 5);
	assert_int_equal(p.body.left, 25);
	assert_int_equal(p.ip.left, 45);
	/* record route, 8 bytes of options */
	expect(101, ip4_options(17, "07 07 04 00000000 00", *abc()), udp4(3));
}

static void ip6_fields(void **state)
{
	(void)state;
	struct pkt p = decoded(inner6(), OUTCOME_PACKET);

	assert_int_equal(p.ip_len, 65);
	assert_int_equal(p.ip_header_len, 40);
	assert_int_equal(p.tos, 0x2e);
	assert_int_equal(p.flow_label, 0x12345);
	assert_int_equal(p.ttl, 64);
	assert_int_equal(p.address[0][15], 1);
	assert_int_equal(p.address[1][15], 2);
}

static void ip4_lengths(void **state)
{
	(void)state;
	struct bytes b = ip4(17, *abc());
	struct pkt p;

	b.at[3] = 0; /* length 0: offload, all there is */
	expect(101, b,
			(struct expected){ .version = 4,
					.proto = 17,
					.from = 1000,
					.to = 53,
					.payload = 3,
					.marks = PKT_OFFLOAD });
	assert_int_equal(cut(b, 31, 1031, &p), OUTCOME_PACKET);
	assert_int_equal(p.ip_len, 1031);
	assert_int_equal(p.payload_len, 3); /* UDP's own length */
	b.at[3] = 19;                       /* shorter than the header */
	p = decoded(b, OUTCOME_MALFORMED);
	assert_int_equal(p.stage, STAGE_NETWORK);
	b.at[2] = 0xff; /* longer than the frame: the header's value stays */
	p = decoded(b, OUTCOME_PACKET);
	assert_int_equal(p.ip_len, 0xff13);
	assert_int_equal(p.marks, PKT_TRUNCATED);
	assert_int_equal(p.payload.left, 3);
	b = ip4(17, *abc());
	b.at[0] = 0x44; /* header of 16 */
	decoded(b, OUTCOME_MALFORMED);
	b.at[0] = 0x4f; /* header longer than the packet */
	decoded(b, OUTCOME_MALFORMED);
}

static void ip6_lengths(void **state)
{
	(void)state;
	/* hop-by-hop: PadN, jumbo option of 70000; UDP length 0 */
	struct bytes jumbo = ip6(
			0, join(hex("11 00 c2 04 00011170"), hex("03e8 0035 0000 beef 616263")));
	struct pkt p;

	jumbo.at[4] = jumbo.at[5] = 0;
	assert_int_equal(cut(jumbo, jumbo.size, 70040, &p), OUTCOME_PACKET);
	assert_int_equal(p.ip_len, 70040);
	assert_int_equal(p.payload_len, 70000 - 8 - 8);
	assert_int_equal(p.payload.left, 3);
	assert_int_equal(p.marks, PKT_TRUNCATED);
	/* payload length 0 without that option: offload */
	struct bytes b = ip6(17, *abc());
	b.at[5] = 0;
	expect(101, b,
			(struct expected){ .version = 6,
					.proto = 17,
					.from = 1000,
					.to = 53,
					.payload = 3,
					.marks = PKT_OFFLOAD });
	/* ... but not when nothing is announced */
	expect(1, ether("86dd", join(ip6(59, hex("")), num(6, 0))),
			(struct expected){ .version = 6, .proto = 59 });
}

static void extensions(void **state)
{
	(void)state;
	/* hop-by-hop, routing, destination options, atomic fragment */
	expect(101,
			ip6(0, head("2b 00 010400000000  3c 00 000000000000  2c 01 "
				    "010c000000000000000000000000"
				    "  11 00 0000 00000007",
					       *abc())),
			udp6(3));
	expect(101, ip6(43, head("11 02 0401 00000000 20010db8000000000000000000000003", *abc())),
			udp6(3));
	expect(101, ip6(253, head("11 00 000000000000", *abc())), udp6(3));
	/* AH: next, length 4 (24 bytes), SPI 9; in IPv4, too; ESP behind it ends the walk */
	struct expected ah = udp6(3);
	ah.layers = 1;
	ah.layer[0] = (struct kit_layer){ LAYER_AH, 9, 6 };
	expect(101, ip6(51, head("11 04 0000 00000009 00000001 000102030405060708090a0b", *abc())),
			ah);
	ah.version = 4;
	ah.layer[0].carrier = 4;
	expect(101, ip4(51, head("11 04 0000 00000009 00000001 000102030405060708090a0b", *abc())),
			ah);
	ah = (struct expected){ .version = 4,
		.proto = 50,
		.payload = 8,
		.layers = 1,
		.layer = { { LAYER_AH, 9, 4 } } };
	expect(101,
			ip4(51, head("32 04 0000 00000009 00000001 000102030405060708090a0b",
						hex("00000005 00000001"))),
			ah);
	/* mobility: a message of its own, unless something follows */
	expect(101, ip6(135, hex("3b 00 01 00 0000 0000")),
			(struct expected){ .version = 6, .proto = 135, .payload = 8 });
	expect(101, ip6(135, head("11 00 01 00 0000 0000", *abc())), udp6(3));
	/* IPv4 has no such headers */
	expect(101, ip4(43, hex("11 00 00 00 0000 0000")),
			(struct expected){ .version = 4, .proto = 43, .payload = 8 });
	/* longer than the packet */
	struct pkt p = decoded(ip6(0, hex("11 09 000000000000")), OUTCOME_MALFORMED);
	assert_int_equal(p.stage, STAGE_NETWORK);
}

static void too_many_extensions(void **state)
{
	(void)state;
	struct bytes b = *abc();
	unsigned next = 17;

	for (unsigned i = 0; i < LIMIT_V6_EXTENSIONS; i++) {
		b = join(join(num(1, next), hex("00 010400000000")), b);
		next = 60;
	}
	decoded(ip6(60, b), OUTCOME_PACKET);
	decoded(ip6(60, join(hex("3c 00 010400000000"), b)), OUTCOME_UNKNOWN);
}

static void transport(void **state)
{
	(void)state;
	/* TCP with options: MSS, NOP, NOP; and reserved bit AE */
	struct pkt p = decoded(ip4(6, hex("03e8 0050 00000001 00000002 71 10 0200 0000 0000"
					  " 02 04 05b4 01 01 00 00  68 69")),
			OUTCOME_PACKET);
	assert_int_equal(p.tcp_flags, TCP_ACK | TCP_AE);
	assert_int_equal(p.tcp_options.left, 8);
	assert_int_equal(p.payload_len, 2);
	/* UDP whose length leaves a rest; 0 for all there is */
	p = decoded(ip4(17, hex("03e8 0035 0009 beef 61 62 63")), OUTCOME_PACKET);
	assert_int_equal(p.payload_len, 1);
	assert_int_equal(p.payload.left, 1);
	assert_int_equal(p.udp_checksum, 0xbeef);
	expect(101, ip4(17, hex("03e8 0035 0000 0000 61 62 63")), udp4(3));
	expect(101, ip4(17, hex("03e8 0035 ffff 0000 61 62 63")), udp4(3));
	/* UDP-Lite: checksum covers 8 bytes, all */
	struct expected lite = udp4(3);
	lite.proto = 136;
	expect(101, ip4(136, hex("03e8 0035 0008 beef 61 62 63")), lite);
	expect(101, ip4(136, hex("03e8 0035 0000 beef 61 62 63")), lite);
	/* SCTP: verification tag, checksum; DCCP: data offset 4 words */
	expect(101, ip4(132, head("03e8 0035 00000001 00000000", num(4, 1))),
			(struct expected){ .version = 4,
					.proto = 132,
					.from = 1000,
					.to = 53,
					.payload = 4 });
	expect(101, ip4(33, head("03e8 0035 04 00 0000 00 000001 00000000", num(3, 1))),
			(struct expected){ .version = 4,
					.proto = 33,
					.from = 1000,
					.to = 53,
					.payload = 3 });
	/* ESP; any other: the body is the payload */
	p = decoded(ip4(50, hex("00000005 00000001 aabb")), OUTCOME_PACKET);
	assert_int_equal(p.spi, 5);
	assert_int_equal(p.payload_len, 10);
	expect(101, ip4(89, num(8, 1)),
			(struct expected){ .version = 4, .proto = 89, .payload = 8 });
	expect(101, ip4(89, hex("")), (struct expected){ .version = 4, .proto = 89 });
}

static void icmp(void **state)
{
	(void)state;
	struct pkt p = decoded(ip4(1, hex("08 00 0000 0007 0001 6162")), OUTCOME_PACKET);

	assert_int_equal(p.icmp_type, 8);
	assert_int_equal(p.icmp_id, 7);
	assert_int_equal(p.payload_len, 10);
	expect(101, ip4(1, hex("08 00 0000 0007 0001 6162")),
			(struct expected){ .version = 4, .proto = 1, .payload = 10 });
	p = decoded(ip6(58, hex("81 00 0000 0009 0001")), OUTCOME_PACKET);
	assert_int_equal(p.icmp_type, 129);
	assert_int_equal(p.icmp_id, 9);
	p = decoded(ip4(1, hex("0d 02 0000")), OUTCOME_PACKET); /* a query without an identifier */
	assert_int_equal(p.marks, PKT_BAD_TRANSPORT);
	p = decoded(ip4(1, hex("03 01 0000")), OUTCOME_PACKET);
	assert_int_equal(p.marks, 0);
	assert_int_equal(p.icmp_code, 1);
}

static void bad_transport(void **state)
{
	(void)state;
	static const struct {
		unsigned proto, from, to;
		const char *body;
	} cases[] = {
		{ 6, 0, 0, "" },
		{ 6, 0, 0, "03e8 00" },
		{ 6, 1000, 80, "03e8 0050 0000" },
		{ 6, 1000, 80, "03e8 0050 00000001 00000002 40 10 0200 0000 0000" }, /* offset below
											5 */
		{ 6, 1000, 80, "03e8 0050 00000001 00000002 60 10 0200 0000 0000" }, /* beyond the
											end */
		{ 17, 1000, 80, "03e8 0050 0007 0000 6162" },
		{ 17, 1000, 80, "03e8 0050 00" },
		{ 136, 1000, 80, "03e8 0050 0007 0000 6162" },
		{ 136, 1000, 80, "03e8 0050 000b 0000 6162" },
		{ 132, 1000, 80, "03e8 0050 00000001 000000" },
		{ 33, 1000, 80, "03e8 0050 02 00 0000 00 000001 00000000" },
		{ 33, 1000, 80, "03e8 0050 ff 00 0000 00 000001 00000000" },
		{ 1, 0, 0, "08 00 00" },
		{ 58, 0, 0, "" },
		{ 50, 0, 0, "00000005 0000" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes b = ip4(cases[i].proto, hex(cases[i].body));
		const struct expected want = { .version = 4,
			.proto = cases[i].proto,
			.from = cases[i].from,
			.to = cases[i].to,
			.marks = PKT_BAD_TRANSPORT };
		struct pkt p = decoded(b, OUTCOME_PACKET);

		kit_compare(OUTCOME_PACKET, &p, &want);
		assert_int_equal(p.payload.left, 0);
		expect(101, b, want);
	}
}

static void cut_transport(void **state)
{
	(void)state;
	struct pkt p;
	size_t i;

	/* snaplen is to blame: up to the end of the fixed header */
	for (i = 20; i < 40; i++) {
		assert_int_equal(cut(inner4(), i, 45, &p), OUTCOME_CUT_SHORT);
		assert_int_equal(p.stage, STAGE_TRANSPORT);
	}
	assert_int_equal(cut(inner4(), 40, 45, &p), OUTCOME_PACKET);
	assert_int_equal(p.payload_len, 5);
	assert_int_equal(p.payload.left, 0);
	assert_int_equal(p.marks, PKT_TRUNCATED);
	for (i = 0; i < 20; i++) {
		assert_int_equal(cut(inner4(), i, 45, &p), OUTCOME_CUT_SHORT);
		assert_int_equal(p.stage, STAGE_NETWORK);
	}
	/* the frame itself ends there */
	assert_int_equal(cut(inner4(), 30, 30, &p), OUTCOME_PACKET);
	assert_int_equal(p.marks, PKT_TRUNCATED | PKT_BAD_TRANSPORT);
	assert_int_equal(p.port[1], 80);
	assert_int_equal(p.ip_len, 45);
}

static void fragments(void **state)
{
	(void)state;
	struct bytes b = ip4(17, num(8, 0x61));
	struct pkt p;

	b.at[6] = 0x20; /* more, offset 16 */
	b.at[7] = 2;
	p = decoded(b, OUTCOME_FRAGMENT);
	assert_int_equal(p.fragment_offset, 16);
	assert_true(p.fragment_more);
	assert_int_equal(p.fragment_id, 0x1234);
	assert_int_equal(p.marks, PKT_FRAGMENT);
	assert_int_equal(p.body.left, 8);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.ip_len - p.ip_header_len, 8);
	/* destination options, then fragment header: offset 8, last, identification 7 */
	p = decoded(ip6(60, join(hex("2c 00 010400000000 11 00 0008 00000007"), num(3, 1))),
			OUTCOME_FRAGMENT);
	assert_int_equal(p.fragment_offset, 8);
	assert_false(p.fragment_more);
	assert_int_equal(p.fragment_id, 7);
	assert_int_equal(p.proto, 17);
	assert_int_equal(p.body.left, 3);
	assert_int_equal(p.ip_header_len, 56);
	/* inside a tunnel: the fragment is the innermost packet */
	p = decoded(ip4(4, b), OUTCOME_FRAGMENT);
	assert_int_equal(p.layer_count, 1);
}

static void datagram(void **state)
{
	(void)state;
	/* the first fragment of a datagram that holds GRE and a packet; then the whole */
	struct bytes whole = head("0000 0800", inner4());
	struct bytes first = ip4(47, whole);
	struct pkt p;

	first.size = 20 + 16;
	first.at[3] = 20 + 16;
	first.at[6] = 0x20;
	p = decoded(first, OUTCOME_FRAGMENT);
	struct bytes together = join(first, num(1, 0));
	memcpy(together.at + 20, whole.at, whole.size);
	p.ip = (struct rd){ together.at, 20 + whole.size };
	p.body = (struct rd){ together.at + 20, whole.size };
	p.ip_len = (uint32_t)(20 + whole.size);
	kit_compare(decode_datagram(&rules, &p), &p,
			&(struct expected){ KIT_INNER4, .marks = PKT_REASSEMBLED, .layers = 1,
					.layer = { { LAYER_GRE, 0, 4 } } });
	kit_touch(&p);
	/* only the beginning is known */
	p = decoded(first, OUTCOME_FRAGMENT);
	p.proto = 17;
	p.body = (struct rd){ abc()->at, 11 };
	p.ip_len = 20 + 3000;
	assert_int_equal(decode_datagram(&rules, &p), OUTCOME_PACKET);
	assert_int_equal(p.marks, PKT_REASSEMBLED | PKT_TRUNCATED);
	assert_int_equal(p.port[1], 53);
}

static bool quote(struct bytes packet, struct pkt *quoted)
{
	struct pkt p = decoded(packet, OUTCOME_PACKET);

	memset(quoted, 0xa5, sizeof(*quoted));
	return decode_icmp_quote(&p, quoted);
}

static void quotes(void **state)
{
	(void)state;
	struct pkt q;
	struct bytes inside = ip4_options(17, "07 07 04 00000000 00", *abc());

	inside.size = 28 + 8; /* options, and eight bytes of UDP */
	/* port unreachable */
	assert_true(quote(ip4(1, head("03 03 0000 00000000", inside)), &q));
	assert_int_equal(q.proto, 17);
	assert_int_equal(q.port[0], 1000);
	assert_int_equal(q.port[1], 53);
	assert_int_equal(q.ip_version, 4);
	assert_int_equal(q.address[1][3], 2);
	assert_int_equal(q.layer_count, 0);
	/* time exceeded quotes an echo request; ESP; TCP of which 4 bytes are there */
	assert_true(quote(ip4(1, head("0b 00 0000 00000000", ip4(1, hex("08 00 0000 0007 0001")))),
			&q));
	assert_int_equal(q.icmp_type, 8);
	assert_int_equal(q.icmp_id, 7);
	assert_true(quote(ip4(1, head("03 02 0000 00000000", ip4(50, hex("00000005 00000001")))),
			&q));
	assert_int_equal(q.spi, 5);
	assert_true(quote(ip4(1, head("05 01 0000 0a000003", ip4(6, hex("03e8 0050")))), &q));
	assert_false(quote(ip4(1, head("05 01 0000 0a000003", ip4(6, hex("03e8 00")))), &q));
	/* an echo is no error; nothing quoted; a later fragment has no ports, the first one has */
	assert_false(quote(ip4(1, head("08 00 0000 00000000", ip4(17, *abc()))), &q));
	assert_false(quote(ip4(1, hex("03 03 0000 00000000")), &q));
	struct bytes fragment = ip4(17, *abc());
	fragment.at[7] = 1;
	assert_false(quote(ip4(1, head("03 03 0000 00000000", fragment)), &q));
	fragment.at[7] = 0;
	fragment.at[6] = 0x20;
	assert_true(quote(ip4(1, head("03 03 0000 00000000", fragment)), &q));
	assert_int_equal(q.port[1], 53);
	/* IPv6: packet too big, hop-by-hop header in the quoted packet */
	assert_true(quote(ip6(58, head("02 00 0000 00000500",
						  ip6(0, head("11 00 010400000000", *abc())))),
			&q));
	assert_int_equal(q.ip_version, 6);
	assert_int_equal(q.port[1], 53);
	assert_false(quote(ip6(58, head("87 00 0000 00000000", ip6(17, *abc()))), &q));
}

static void quotes_layers(void **state)
{
	(void)state;
	static struct bytes b;
	struct pkt p, q;

	b = ether("8100", head("000a 0800", ip4(1, head("03 03 0000 00000000", ip4(17, *abc())))));
	assert_int_equal(kit_decode(&rules, 1, b.at, b.size, b.size, &p), OUTCOME_PACKET);
	assert_true(decode_icmp_quote(&p, &q));
	assert_int_equal(q.layer_count, 1);
	assert_int_equal(q.layer[0].id, 10);
	/* cut at every length: it answers, and reads nothing behind */
	for (size_t size = 0; size < b.size; size++) {
		uint8_t *copy = malloc(size > 0 ? size : 1);

		assert_non_null(copy);
		memcpy(copy, b.at, size);
		if (kit_decode(&rules, 1, copy, size, b.size, &p) == OUTCOME_PACKET)
			assert_int_equal(decode_icmp_quote(&p, &q), size >= 18 + 28 + 24);
		free(copy);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ip4_fields),
		cmocka_unit_test(ip6_fields),
		cmocka_unit_test(ip4_lengths),
		cmocka_unit_test(ip6_lengths),
		cmocka_unit_test(extensions),
		cmocka_unit_test(too_many_extensions),
		cmocka_unit_test(transport),
		cmocka_unit_test(icmp),
		cmocka_unit_test(bad_transport),
		cmocka_unit_test(cut_transport),
		cmocka_unit_test(fragments),
		cmocka_unit_test(datagram),
		cmocka_unit_test(quotes),
		cmocka_unit_test(quotes_layers),
	};

	return cmocka_run_group_tests_name("decode/ip", tests, NULL, NULL);
}
