/* SPDX-License-Identifier: BSD-3-Clause */
/* test_decode_link.c - every link type, whole and cut at every length. */
#include "packet_kit.h"

static const struct expected inner4_only = { KIT_INNER4 };
static const struct expected inner6_only = { KIT_INNER6 };

static struct expected not_ip(unsigned ethertype)
{
	return (struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = (uint16_t)ethertype };
}

static void ethernet(void **state)
{
	(void)state;
	expect(1, ether("0800", inner4()), inner4_only);
	expect(1, ether("86dd", inner6()), inner6_only);
	expect(1,
			ether("0806", hex("0001 0800 06 04 0001 020000000001 0a000001 000000000000 "
					  "0a000002")),
			not_ip(0x0806));
	/* padding up to the least size, and a trailer: never payload */
	expect(1, join(ether("0800", inner4()), hex("00 00 00 00 00 00 de ad be ef")), inner4_only);
	/* 802.3: a length, LLC; STP */
	expect(1, ether("0026", head("42 42 03", num(8, 0))), not_ip(0x42));
	/* 802.3, LLC, SNAP with an ethertype; the length 0035 leaves out what follows */
	expect(1, join(ether("0035", head("aa aa 03 00 00 00 08 00", inner4())), hex("00 00 00")),
			inner4_only);
	/* LLC with IP's own SAP; ISO's network layer ids */
	expect(1, ether("0030", head("06 06 03", inner4())), inner4_only);
	expect(1, ether("0031", head("fe fe 03 cc", inner4())), inner4_only);
	expect(1, ether("0010", head("fe fe 03 83", num(8, 0))), not_ip(0xfe));
	/* SNAP of Cisco: CDP */
	expect(1, ether("0010", head("aa aa 03 00 00 0c 20 00", num(8, 0))), not_ip(0xaa));
}

static void raw(void **state)
{
	static const unsigned types[] = { 101, 12, 14, 228, 229 };

	(void)state;
	for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); i++) {
		expect(types[i], inner4(), inner4_only);
		expect(types[i], inner6(), inner6_only);
	}
	struct pkt pkt;
	const struct decode_rules rules = { 0 };
	assert_int_equal(kit_decode(&rules, 101, (const uint8_t *)"\x50", 1, 1, &pkt),
			OUTCOME_UNKNOWN);
	assert_int_equal(pkt.stage, STAGE_NETWORK);
}

static void null_and_loop(void **state)
{
	(void)state;
	expect(0, head("02 00 00 00", inner4()), inner4_only); /* little-endian */
	expect(0, head("00 00 00 02", inner4()), inner4_only);
	expect(0, head("1e 00 00 00", inner6()), inner6_only); /* macOS */
	expect(0, head("00 00 00 1c", inner6()), inner6_only); /* FreeBSD */
	expect(0, head("18 00 00 00", inner6()), inner6_only); /* OpenBSD, NetBSD */
	expect(0, head("17 00 00 00", inner6()), inner6_only); /* Windows */
	expect(0, head("0a 00 00 00", inner6()), inner6_only); /* Linux */
	expect(0, head("07 00 00 00", num(8, 0)), not_ip(0));
	expect(108, head("00 00 00 02", inner4()), inner4_only);
	expect(108, head("02 00 00 00", inner4()), inner4_only);
	expect(0, head("0f 00 08 00", inner4()), inner4_only); /* Cisco HDLC under that name */
}

static void cooked(void **state)
{
	(void)state;
	/* outgoing, Ethernet, address of 6, ethertype */
	expect(113, head("0004 0001 0006 020000000001 0000 0800", inner4()), inner4_only);
	expect(113, head("0004 0001 0006 020000000001 0000 86dd", inner6()), inner6_only);
	expect(113, head("0000 0001 0006 020000000001 0000 8100 000a 0800", inner4()),
			(struct expected){ KIT_INNER4, .layers = 1,
					.layer = { { LAYER_VLAN, 10, 0 } } });
	/* 0004: LLC */
	expect(113, head("0000 0001 0006 020000000001 0000 0004 aa aa 03 000000 0800", inner4()),
			inner4_only);
	/* netlink */
	expect(113, head("0004 0338 0000 0000000000000000 0004", num(8, 0)), not_ip(0));
	/* protocol, reserved, interface, hardware, packet type, address */
	expect(276, head("0800 0000 00000002 0001 04 06 0200000000010000", inner4()), inner4_only);
	expect(276, head("86dd 0000 00000002 0001 04 06 0200000000010000", inner6()), inner6_only);
	expect(276, head("0806 0000 00000002 0001 04 06 0200000000010000", num(8, 0)),
			not_ip(0x0806));
	/* hardware 803: radiotap follows */
	expect(113,
			head("0000 0323 0006 020000000001 0000 0004 00 00 0800 00000000"
			     " 08 01 0000 020000000001 020000000002 020000000003 0000"
			     " aa aa 03 000000 0800",
					inner4()),
			inner4_only);
}

static void ppp_family(void **state)
{
	(void)state;
	expect(9, head("00 21", inner4()), inner4_only);
	expect(9, head("00 57", inner6()), inner6_only);
	expect(9, head("21", inner4()), inner4_only); /* protocol compressed */
	expect(9, head("ff 03 00 21", inner4()), inner4_only);
	expect(9, head("c0 21 01 01 00 04", num(4, 0)), not_ip(0)); /* LCP */
	expect(9, head("0f 00 08 00", inner4()), inner4_only);      /* Cisco HDLC after all */
	expect(9, head("02 81 00 06 41 40", inner4()),
			(struct expected){ KIT_INNER4, .layers = 1,
					.layer = { { LAYER_MPLS, 100, 0 } } });
	expect(50, head("ff 03 00 21", inner4()), inner4_only);
	expect(50, head("ff 03 21", inner4()), inner4_only);
	expect(50, head("8f 00 86 dd", inner6()), inner6_only);
	expect(51, head("11 00 00 07 00 2f 00 21", inner4()),
			(struct expected){ KIT_INNER4, .layers = 1,
					.layer = { { LAYER_PPPOE, 7, 0 } } });
	expect(51, head("11 09 00 00 00 04", num(4, 0)), not_ip(0x8864)); /* discovery */
	expect(104, head("0f 00 08 00", inner4()), inner4_only);
	expect(104, head("8f 00 80 35", num(8, 0)), not_ip(0x8035)); /* SLARP */
}

static void frame_relay_and_others(void **state)
{
	(void)state;
	expect(107, head("18 41 03 cc", inner4()), inner4_only);
	expect(107, head("18 41 03 8e", inner6()), inner6_only);
	expect(107, head("18 41 03 00 80 000000 0800", inner4()), inner4_only);
	expect(107, head("18 41 08 00", inner4()), inner4_only);       /* Cisco's form */
	expect(107, head("18 40 00 03 03 cc", inner4()), inner4_only); /* address of four bytes */
	expect(107, head("18 41 03 81", num(8, 0)), not_ip(0xfe));
	expect(100, head("aa aa 03 000000 0800", inner4()), inner4_only);
	expect(10, head("50 020000000002 020000000001 aa aa 03 000000 0800", inner4()),
			inner4_only);
	/* ARCNET: source, destination, type d4, split flag, sequence; Linux has an offset before
	 * the type */
	expect(7, head("01 02 d4 00 0001", inner4()), inner4_only);
	expect(7, head("01 02 f0", inner4()), inner4_only);
	expect(129, head("01 02 0000 d4 00 0001", inner4()), inner4_only);
	expect(129, head("01 02 0000 d4 ff 0000ffff 0001", inner4()), inner4_only);
	expect(129, head("01 02 0000 d5 00 0001", num(8, 0)), not_ip(0)); /* ARP */
	/* IP over InfiniBand */
	expect(242, join(zeros(40), head("0800 0000", inner4())), inner4_only);
}

static void nflog_pflog_pktap(void **state)
{
	(void)state;
	/* IPv4, version 0, group 5; packet header (type 1), prefix "x", payload (type 9) */
	expect(239, head("02 00 0005 0800 0100 0800 01 00 0600 0a00 7800 0000 3100 0900", inner4()),
			inner4_only);
	expect(239, head("02 00 0005 0008 0001 0800 01 00 0006 000a 7800 0000 0031 0009", inner4()),
			inner4_only); /* big-endian host */
	expect(239, head("07 00 0005 0800 0100 86dd 01 00 4500 0900", inner6()),
			inner6_only); /* bridge */
	expect(239, head("02 00 0005 0400 0a00", hex("")),
			(struct expected){ .outcome = OUTCOME_MALFORMED, .stage = STAGE_LINK });
	/* length 61, padded to 64; IPv4 */
	struct bytes pflog = join(hex("3d 02 00 00"), zeros(60));
	expect(117, join(pflog, inner4()), inner4_only);
	/* length 108, record 1, link type 1 (Ethernet) ... trailer 0 */
	struct bytes pktap = hex("6c000000 01000000 01000000");
	pktap = join(pktap, zeros(24)); /* name */
	pktap = join(pktap, hex("00000000 02000000 0e000000 00000000"));
	pktap = join(pktap, zeros(108 - pktap.size));
	expect(258, join(pktap, ether("0800", inner4())), inner4_only);
	expect(149, join(pktap, ether("0800", inner4())), inner4_only);
	pktap.at[4] = 0; /* no packet */
	expect(258, join(pktap, ether("0800", inner4())), not_ip(0));
}

/* Header of a data frame: frame control, duration, three addresses, sequence. */
#define DATA80211(control) control " 0000 020000000001 020000000002 020000000003 0000 "
#define SNAP4              "aa aa 03 000000 0800 "

static void radio(void **state)
{
	(void)state;
	expect(105, head(DATA80211("08 01") SNAP4, inner4()), inner4_only);
	/* both to and from the distribution system: a fourth address */
	expect(105, head(DATA80211("08 03") "020000000004 " SNAP4, inner4()), inner4_only);
	/* QoS; QoS with HT control */
	expect(105, head(DATA80211("88 01") "0000 " SNAP4, inner4()), inner4_only);
	expect(105, head(DATA80211("88 81") "0000 00000000 " SNAP4, inner4()), inner4_only);
	/* not data, no data, encrypted, later fragment */
	expect(105, head(DATA80211("80 00"), num(8, 0)), not_ip(0));
	expect(105, head(DATA80211("48 01"), num(8, 0)), not_ip(0));
	expect(105, head(DATA80211("08 41"), num(8, 0)), not_ip(0));
	expect(105, head("08 01 0000 020000000001 020000000002 020000000003 0100", num(8, 0)),
			not_ip(0));
}

static void radio_headers(void **state)
{
	(void)state;
	expect(127, head("00 00 0800 00000000 " DATA80211("08 01") SNAP4, inner4()), inner4_only);
	/* time (aligned to 8) and flags: check sequence at the end */
	expect(127,
			join(head("00 00 1100 03000000 0102030405060708 10 " DATA80211("08 01")
							     SNAP4,
					     inner4()),
					hex("de ad be ef")),
			inner4_only);
	/* a second word of present bits moves the time to offset 16; flags: body padded to 4 */
	expect(127,
			head("00 00 1900 03000080 00000000 00000000 0102030405060708 20 " DATA80211(
					     "88 01") "0000 0000 " SNAP4,
					inner4()),
			inner4_only);
	/* PPI with 802.11-common and its flag for the check sequence, then 802.11 */
	expect(192,
			join(head("00 00 2000 69000000 0200 1400 0102030405060708 0100 0000 0000 "
				  "0000 0000 0000 " DATA80211("08 01") SNAP4,
					     inner4()),
					hex("de ad be ef")),
			inner4_only);
	/* PPI with Ethernet */
	expect(192, join(hex("00 00 0800 01000000"), ether("0800", inner4())), inner4_only);
	/* AVS; Prism, and a Prism file that holds AVS */
	expect(163, head("80211001 00000010 0000000000000000 " DATA80211("08 01") SNAP4, inner4()),
			inner4_only);
	expect(119, head("80211001 00000010 0000000000000000 " DATA80211("08 01") SNAP4, inner4()),
			inner4_only);
	struct bytes prism = join(hex("44000000 90000000"), zeros(136));
	expect(119, join(prism, head(DATA80211("08 01") SNAP4, inner4())), inner4_only);
}

static void aggregate(void **state)
{
	(void)state;
	const struct decode_rules rules = { 0 };
	struct pkt pkt;
	/* two subframes: destination, source, length, LLC; the first padded to a multiple of 4 */
	struct bytes b = hex(DATA80211("88 01") "8000");

	b = join(b, head("020000000001 020000000002 0035 " SNAP4, inner4()));
	b = join(b, num(1, 0));
	b = join(b, head("020000000001 020000000002 0049 aa aa 03 000000 86dd ", inner6()));
	struct frame f = { .bytes = b.at,
		.caplen = (uint32_t)b.size,
		.wirelen = (uint32_t)b.size,
		.linktype = 105,
		.nanoseconds = true };

	kit_compare(decode_frame(&rules, &f, &pkt), &pkt,
			&(struct expected){ KIT_INNER4, .marks = PKT_MORE | PKT_NANOSECONDS });
	kit_compare(decode_rest(&rules, &f, &pkt), &pkt,
			&(struct expected){ KIT_INNER6, .marks = PKT_NANOSECONDS });
	/* every cut: the loop ends, the bytes are there */
	for (size_t size = 0; size < b.size; size++) {
		uint8_t *copy = malloc(size > 0 ? size : 1);
		unsigned packets = 0;

		assert_non_null(copy);
		memcpy(copy, b.at, size);
		f.bytes = copy;
		f.caplen = (uint32_t)size;
		packets += decode_frame(&rules, &f, &pkt) == OUTCOME_PACKET;
		while (pkt.marks & PKT_MORE) {
			packets += decode_rest(&rules, &f, &pkt) == OUTCOME_PACKET;
			kit_touch(&pkt);
		}
		assert_true(packets <= (size < 143 ? 1 : 2));
		free(copy);
	}
}

static void unknown(void **state)
{
	(void)state;
	expect(147, num(8, 1),
			(struct expected){ .outcome = OUTCOME_UNKNOWN, .stage = STAGE_LINK });
	expect(65535, num(8, 1),
			(struct expected){ .outcome = OUTCOME_UNKNOWN, .stage = STAGE_LINK });
	assert_null(decode_link_name(147));
	assert_string_equal(decode_link_name(1), "ethernet");
	assert_string_equal(decode_link_name(0), "null");
	assert_string_equal(decode_link_name(276), "linux cooked 2");
	for (int i = 0; i < LAYER_TYPES; i++)
		assert_non_null(decode_layer_name((enum layer_type)i));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ethernet),
		cmocka_unit_test(raw),
		cmocka_unit_test(null_and_loop),
		cmocka_unit_test(cooked),
		cmocka_unit_test(ppp_family),
		cmocka_unit_test(frame_relay_and_others),
		cmocka_unit_test(nflog_pflog_pktap),
		cmocka_unit_test(radio),
		cmocka_unit_test(radio_headers),
		cmocka_unit_test(aggregate),
		cmocka_unit_test(unknown),
	};

	return cmocka_run_group_tests_name("decode/link", tests, NULL, NULL);
}
