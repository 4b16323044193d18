/* SPDX-License-Identifier: BSD-3-Clause */
/* test_decode_tunnel.c - tags and tunnels: what they carry, their ids, and broken ones. */
#include "packet_kit.h"

#include "net/chain.h"

/* A tunnel whose inside is nothing: the outer UDP packet is the flow. */
static struct expected outer_udp(unsigned from, unsigned to, size_t payload)
{
	return (struct expected){
		.version = 4, .proto = 17, .from = from, .to = to, .payload = (unsigned)payload
	};
}

static struct expected outer_ip(unsigned proto, size_t payload)
{
	return (struct expected){ .version = 4, .proto = proto, .payload = (unsigned)payload };
}

/* An Ethernet frame with IPv4, UDP, 'header', 'inside'; or without UDP. */
static struct bytes in_udp(unsigned from, unsigned to, const char *header, struct bytes inside)
{
	return ether("0800", ip4(17, udp(from, to, head(header, inside))));
}

static struct bytes in_ip(unsigned proto, const char *header, struct bytes inside)
{
	return ether("0800", ip4(proto, head(header, inside)));
}

/* VXLAN header with VNI 42. */
#define VXLAN "08 000000 00002a 00 "

static struct bytes vxlan(struct bytes frame)
{
	return ip4(17, udp(50000, 4789, head(VXLAN, frame)));
}

static void vlan(void **state)
{
	(void)state;
	EXPECT_INNER4(ether("8100", head("600a 0800", inner4())), 1, { LAYER_VLAN, 10, 0 });
	EXPECT_INNER6(ether("88a8", head("0064 8100 000a 86dd", inner6())), 2,
			{ LAYER_VLAN, 100, 0 }, { LAYER_VLAN, 10, 0 });
	EXPECT_INNER4(ether("9100", head("0064 9200 0fff 0800", inner4())), 2,
			{ LAYER_VLAN, 100, 0 }, { LAYER_VLAN, 4095, 0 });
	/* priority only: id 0 is a layer too */
	EXPECT_INNER4(ether("8100", head("e000 0800", inner4())), 1, { LAYER_VLAN, 0, 0 });
	/* a length behind the tag: LLC and SNAP */
	EXPECT_INNER4(join(ether("8100", head("000a 0035 aaaa03 000000 0800", inner4())),
				      hex("00 00")),
			1, { LAYER_VLAN, 10, 0 });
	expect(1, ether("8100", head("000a 0806", num(8, 0))),
			(struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = 0x0806 });
}

static struct bytes tags(unsigned count, struct bytes inside)
{
	struct bytes b = hex("020000000002 020000000001");

	for (unsigned i = 0; i < count; i++)
		b = join(b, join(hex("8100"), num(2, i)));
	return join(b, join(hex("0800"), inside));
}

static void vlan_deep(void **state)
{
	(void)state;
	struct expected want = { KIT_INNER4, .marks = PKT_LAYERS_CAPPED, .layers = LIMIT_LAYERS };

	for (unsigned i = 0; i < LIMIT_LAYERS; i++)
		want.layer[i] = (struct kit_layer){ LAYER_VLAN, i, 0 };
	expect(1, tags(LIMIT_LAYERS + 1, inner4()), want);
	expect(1, tags(LIMIT_DEPTH - 2, inner4()), want); /* Ethernet and IP are headers, too */
	const struct expected too_deep = { .outcome = OUTCOME_UNKNOWN, .stage = STAGE_LINK };
	expect(1, tags(LIMIT_DEPTH - 1, inner4()), too_deep);
	expect(1, tags(300, inner4()), too_deep);
}

static void mpls(void **state)
{
	(void)state;
	EXPECT_INNER4(ether("8847", head("00064140", inner4())), 1, { LAYER_MPLS, 100, 0 });
	EXPECT_INNER6(ether("8848", head("00064040 000c8140", inner6())), 2, { LAYER_MPLS, 100, 0 },
			{ LAYER_MPLS, 200, 0 });
	/* pseudowires: with control word, without, with addresses that begin like IPv4 and IPv6 */
	EXPECT_INNER4(ether("8847", head("00064140 00000000", ether("0800", inner4()))), 1,
			{ LAYER_MPLS, 100, 0 });
	EXPECT_INNER4(ether("8847", head("00064140", ether("0800", inner4()))), 1,
			{ LAYER_MPLS, 100, 0 });
	EXPECT_INNER4(ether("8847", join(hex("00064140 450000000002 020000000001 0800"), inner4())),
			1, { LAYER_MPLS, 100, 0 });
	EXPECT_INNER4(ether("8847", join(hex("00064140 6500ffffff02 020000000001 8100 000a 0800"),
						    inner4())),
			2, { LAYER_MPLS, 100, 0 }, { LAYER_VLAN, 10, 0 });
	/* associated channel */
	expect(1, ether("8847", head("00064140 1000 0021", inner4())),
			(struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = 0x8847 });
}

static void tags_between(void **state)
{
	(void)state;
	/* PPPoE: session 7, length 47, PPP's IPv4; padding behind */
	EXPECT_INNER4(join(ether("8864", head("11 00 0007 002f 0021", inner4())), hex("00 00")), 1,
			{ LAYER_PPPOE, 7, 0 });
	expect(1, ether("8863", head("11 09 0000 0004 0101 0000", num(8, 0))),
			(struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = 0x8863 });
	/* provider backbone: B-tag, I-SID 0x010203 */
	EXPECT_INNER4(ether("88a8", head("0064 88e7 00010203", ether("0800", inner4()))), 2,
			{ LAYER_VLAN, 100, 0 }, { LAYER_PBB, 0x010203, 0 });
	/* MACsec, integrity only, with and without SCI; encrypted */
	EXPECT_INNER4(ether("88e5", join(head("20 00 00000001 0102030405060001 0800", inner4()),
						    num(8, 1))),
			0, { 0 });
	EXPECT_INNER4(ether("88e5", join(head("00 00 00000001 0800", inner4()), num(8, 1))), 0,
			{ 0 });
	expect(1, ether("88e5", head("2c 00 00000001 0102030405060001", num(8, 1))),
			(struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = 0x88e5 });
	/* Cisco metadata with one option, VN-tag, FabricPath, TRILL with one word of options */
	EXPECT_INNER4(ether("8909", head("01 01 0001 0010 0800", inner4())), 0, { 0 });
	EXPECT_INNER4(ether("8926", head("00000000 0800", inner4())), 0, { 0 });
	EXPECT_INNER4(ether("8903", head("0064", ether("0800", inner4()))), 0, { 0 });
	EXPECT_INNER4(ether("22f3", head("0040 0001 0002 00000000", ether("0800", inner4()))), 0,
			{ 0 });
	/* service function chains: length 2 words (no metadata), next IPv4; Ethernet with metadata
	 */
	EXPECT_INNER4(ether("894f", head("0fc2 0201 00000705", inner4())), 1, { LAYER_NSH, 7, 0 });
	EXPECT_INNER4(ether("894f", join(hex("0fc6 0103 00000705 00000000 00000000 00000000 "
					     "00000000"),
						    ether("0800", inner4()))),
			1, { LAYER_NSH, 7, 0 });
	expect(1, ether("894f", head("0fc2 0206 00000705", num(8, 0))),
			(struct expected){ .outcome = OUTCOME_NOT_IP, .ethertype = 0x894f });
}

static void ip_in_ip(void **state)
{
	(void)state;
	EXPECT_INNER4(ether("0800", ip4(4, inner4())), 1, { LAYER_IPIP, 0, 4 });
	EXPECT_INNER6(ether("0800", ip4(41, inner6())), 1, { LAYER_6IN4, 0, 4 });
	EXPECT_INNER4(ether("86dd", ip6(4, inner4())), 1, { LAYER_4IN6, 0, 6 });
	EXPECT_INNER6(ether("86dd", ip6(41, inner6())), 1, { LAYER_6IN6, 0, 6 });
	EXPECT_INNER4(ether("0800", ip4(4, ip4(4, inner4()))), 2, { LAYER_IPIP, 0, 4 },
			{ LAYER_IPIP, 0, 4 });
	/* the number promises another version than there is */
	expect(1, ether("0800", ip4(4, inner6())), outer_ip(4, 65));
	expect(1, ether("0800", ip4(41, hex("60 00"))), outer_ip(41, 2));
}

static void gre(void **state)
{
	(void)state;
	EXPECT_INNER4(in_ip(47, "0000 0800", inner4()), 1, { LAYER_GRE, 0, 4 });
	EXPECT_INNER6(ether("86dd", ip6(47, head("0000 86dd", inner6()))), 1, { LAYER_GRE, 0, 6 });
	/* checksum, key 7, sequence */
	EXPECT_INNER4(in_ip(47, "b000 0800 00000000 00000007 00000001", inner4()), 1,
			{ LAYER_GRE, 7, 4 });
	/* transparent Ethernet with a tag inside: layers in order */
	EXPECT_INNER4(in_ip(47,
				      "2000 6558 00000007 020000000002 020000000001 "
				      "8100 000a 0800",
				      inner4()),
			2, { LAYER_GRE, 7, 4 }, { LAYER_VLAN, 10, 0 });
	/* PPTP: key is length 47 and call 3; sequence and acknowledgement */
	EXPECT_INNER4(in_ip(47, "3081 880b 0031 0003 00000001 00000002 ff03 0021", inner4()), 1,
			{ LAYER_GRE, 3, 4 });
	EXPECT_INNER4(in_ip(47, "0000 8847 00064140", inner4()), 2, { LAYER_GRE, 0, 4 },
			{ LAYER_MPLS, 100, 0 });
	/* WCCP with and without redirect header */
	EXPECT_INNER4(in_ip(47, "0000 883e 00000000", inner4()), 1, { LAYER_GRE, 0, 4 });
	EXPECT_INNER4(in_ip(47, "0000 883e", inner4()), 1, { LAYER_GRE, 0, 4 });
	/* in UDP */
	EXPECT_INNER4(in_udp(50000, 4754, "0000 0800", inner4()), 1, { LAYER_GRE, 0, 4 });
}

static void gre_alone(void **state)
{
	(void)state;
	/* NHRP; acknowledgement of PPTP; routing; version 2; keep-alive; LCP in PPTP; IP that is
	 * none */
	expect(1, in_ip(47, "0000 2001", num(8, 0)), outer_ip(47, 12));
	expect(1, ether("0800", ip4(47, hex("2081 880b 0000 0003 00000002"))), outer_ip(47, 12));
	expect(1, in_ip(47, "4000 0800 00000000", inner4()), outer_ip(47, 53));
	expect(1, in_ip(47, "0002 0800", inner4()), outer_ip(47, 49));
	expect(1, ether("0800", ip4(47, hex("0000 0000"))), outer_ip(47, 4));
	expect(1, ether("0800", ip4(47, hex("3001 880b 0008 0003 00000001 ff03 c021 01010004"))),
			outer_ip(47, 20));
	expect(1, in_ip(47, "0000 0800", num(8, 0)), outer_ip(47, 12));
	/* shorter than its flags promise */
	expect(1, ether("0800", ip4(47, hex("b000 0800"))), outer_ip(47, 4));
}

static void erspan(void **state)
{
	(void)state;
	/* type II: version 1, VLAN 10, session 5; index */
	EXPECT_INNER4(in_ip(47, "1000 88be 00000001 100a 0005 00000000", ether("0800", inner4())),
			2, { LAYER_GRE, 0, 4 }, { LAYER_ERSPAN, 5, 4 });
	/* type III: version 2, session 5, timestamp, flags; with platform specific part */
	EXPECT_INNER4(in_ip(47, "1000 22eb 00000001 200a 0005 00000000 00000000",
				      ether("0800", inner4())),
			2, { LAYER_GRE, 0, 4 }, { LAYER_ERSPAN, 5, 4 });
	EXPECT_INNER4(in_ip(47,
				      "1000 22eb 00000001 200a 0005 00000000 00000001 "
				      "0000000000000000",
				      ether("0800", inner4())),
			2, { LAYER_GRE, 0, 4 }, { LAYER_ERSPAN, 5, 4 });
	/* frame type 2: IP */
	EXPECT_INNER4(in_ip(47, "1000 22eb 00000001 200a 0005 00000000 00000800", inner4()), 2,
			{ LAYER_GRE, 0, 4 }, { LAYER_ERSPAN, 5, 4 });
	/* type I: no sequence number, no header */
	EXPECT_INNER4(in_ip(47, "0000 88be", ether("0800", inner4())), 2, { LAYER_GRE, 0, 4 },
			{ LAYER_ERSPAN, 0, 4 });
}

static void vxlans(void **state)
{
	(void)state;
	EXPECT_INNER4(ether("0800", vxlan(ether("0800", inner4()))), 1, { LAYER_VXLAN, 42, 4 });
	EXPECT_INNER6(ether("0800", vxlan(ether("86dd", inner6()))), 1, { LAYER_VXLAN, 42, 4 });
	EXPECT_INNER4(ether("86dd", ip6(17, udp(50000, 8472,
							    head(VXLAN, ether("0800", inner4()))))),
			1, { LAYER_VXLAN, 42, 6 });
	/* group policy */
	EXPECT_INNER4(in_udp(5, 4789, "88 000007 00002a 00", ether("0800", inner4())), 1,
			{ LAYER_VXLAN, 42, 4 });
	/* ARP inside; flag I missing; cut inside */
	expect(1, ether("0800", vxlan(ether("0806", num(8, 0)))), outer_udp(50000, 4789, 30));
	expect(1, in_udp(5, 4789, "00 000000 00002a 00", ether("0800", inner4())),
			outer_udp(5, 4789, 67));
	expect(1, ether("0800", vxlan(ether("0800", hex("45 00 00 30")))),
			outer_udp(50000, 4789, 26));
}

static void vxlan_relatives(void **state)
{
	(void)state;
	/* generic protocol extension: IPv4, IPv6, Ethernet, NSH, none said */
	EXPECT_INNER4(in_udp(5, 4790, "0c 0000 01 00002a 00", inner4()), 1,
			{ LAYER_VXLAN_GPE, 42, 4 });
	EXPECT_INNER6(in_udp(5, 4790, "0c 0000 02 00002a 00", inner6()), 1,
			{ LAYER_VXLAN_GPE, 42, 4 });
	EXPECT_INNER4(in_udp(5, 4790, "0c 0000 03 00002a 00", ether("0800", inner4())), 1,
			{ LAYER_VXLAN_GPE, 42, 4 });
	EXPECT_INNER4(in_udp(5, 4790,
				      "0c 0000 04 00002a 00 0fc2 0201 "
				      "00000705",
				      inner4()),
			2, { LAYER_VXLAN_GPE, 42, 4 }, { LAYER_NSH, 7, 0 });
	EXPECT_INNER4(in_udp(5, 4790, "08 0000 00 00002a 00", ether("0800", inner4())), 1,
			{ LAYER_VXLAN_GPE, 42, 4 });
	expect(1, in_udp(5, 4790, "0c 0000 77 00002a 00", inner4()), outer_udp(5, 4790, 53));
	/* GENEVE: Ethernet, IPv4 behind one option of 8 bytes */
	EXPECT_INNER4(in_udp(5, 6081, "00 00 6558 00002a 00", ether("0800", inner4())), 1,
			{ LAYER_GENEVE, 42, 4 });
	EXPECT_INNER4(in_udp(5, 6081,
				      "02 00 0800 00002a 00 "
				      "0102030105060708",
				      inner4()),
			1, { LAYER_GENEVE, 42, 4 });
	expect(1, in_udp(5, 6081, "40 00 0800 00002a 00", inner4()), outer_udp(5, 6081, 53));
}

static void teredo(void **state)
{
	(void)state;
	EXPECT_INNER6(ether("0800", ip4(17, udp(3544, 50000, inner6()))), 1,
			{ LAYER_TEREDO, 0, 4 });
	/* origin; authentication with an id of 1 and a value of 2 bytes, then origin */
	EXPECT_INNER6(in_udp(50000, 3544, "0000 3cb0 f5ffffff", inner6()), 1,
			{ LAYER_TEREDO, 0, 4 });
	EXPECT_INNER6(in_udp(50000, 3544,
				      "0001 01 02 aa bbcc "
				      "0102030405060708 00"
				      " 0000 3cb0 f5ffffff",
				      inner6()),
			1, { LAYER_TEREDO, 0, 4 });
	/* a bubble: IPv6 with nothing in it is a packet, too */
	expect(1, ether("0800", ip4(17, udp(50000, 3544, ip6(59, hex(""))))),
			(struct expected){ .version = 6,
					.proto = 59,
					.layers = 1,
					.layer = { { LAYER_TEREDO, 0, 4 } } });
	expect(1, ether("0800", ip4(17, udp(50000, 3544, inner4()))), outer_udp(50000, 3544, 45));
	/* IPv6 longer than the datagram */
	expect(1,
			ether("0800", ip4(17, udp(50000, 3544,
							      hex("60000000 ffff 06 40 "
								  "00000000000000000000000000000000"
								  "0000000000000000000000000000000"
								  "0")))),
			outer_udp(50000, 3544, 40));
}

static void gtpu(void **state)
{
	(void)state;
	EXPECT_INNER4(in_udp(2152, 2152, "30 ff 002d 00001234", inner4()), 1,
			{ LAYER_GTPU, 0x1234, 4 });
	/* sequence; one extension header of four bytes, then none */
	EXPECT_INNER6(in_udp(50000, 2152, "32 ff 0045 00001234 0001 00 00", inner6()), 1,
			{ LAYER_GTPU, 0x1234, 4 });
	EXPECT_INNER4(in_udp(2152, 50000,
				      "34 ff 0035 00001234 0000 00 85 "
				      "01 0009 00",
				      inner4()),
			1, { LAYER_GTPU, 0x1234, 4 });
	/* echo; version 0; extension header of length 0 */
	expect(1, ether("0800", ip4(17, udp(2152, 2152, hex("32 01 0004 00000000 0001 00 00")))),
			outer_udp(2152, 2152, 12));
	expect(1, in_udp(2152, 2152, "10 ff 002d 00001234", inner4()), outer_udp(2152, 2152, 53));
	expect(1,
			in_udp(2152, 2152,
					"34 ff 0035 00001234 0000 00 85 "
					"00 0009 00",
					inner4()),
			outer_udp(2152, 2152, 61));
}

static void l2tp(void **state)
{
	(void)state;
	EXPECT_INNER4(in_udp(1701, 1701, "0002 0007 0009 ff03 0021", inner4()), 1,
			{ LAYER_L2TP, 0x00070009, 4 });
	/* length, sequence, offset of 2 */
	EXPECT_INNER4(in_udp(1701, 1701,
				      "4a02 003f 0007 0009 0001 0002 "
				      "0002 0000 0021",
				      inner4()),
			1, { LAYER_L2TP, 0x00070009, 4 });
	/* control; LCP */
	expect(1, in_udp(1701, 1701, "c802 000c 0007 0000 0001 0001", hex("")),
			outer_udp(1701, 1701, 12));
	expect(1, in_udp(1701, 1701, "0002 0007 0009 ff03 c021", num(8, 0)),
			outer_udp(1701, 1701, 18));
	/* version 3 over IP: no cookie; 4 of cookie; 8 and a sublayer; HDLC and PPP */
	EXPECT_INNER4(in_ip(115, "00000009", ether("0800", inner4())), 1, { LAYER_L2TP, 9, 4 });
	EXPECT_INNER4(in_ip(115, "00000009 aaaaaaaa", ether("0800", inner4())), 1,
			{ LAYER_L2TP, 9, 4 });
	EXPECT_INNER4(in_ip(115, "00000009 aaaaaaaaaaaaaaaa 40000001", ether("0800", inner4())), 1,
			{ LAYER_L2TP, 9, 4 });
	EXPECT_INNER4(in_ip(115, "00000009 aaaaaaaa 0f00 0800", inner4()), 1, { LAYER_L2TP, 9, 4 });
	EXPECT_INNER6(in_ip(115, "00000009 ff03 0057", inner6()), 1, { LAYER_L2TP, 9, 4 });
	/* over UDP */
	EXPECT_INNER4(in_udp(1701, 1701, "0003 0000 00000009", ether("0800", inner4())), 1,
			{ LAYER_L2TP, 9, 4 });
	/* control over IP; nothing that looks like a frame */
	expect(1, in_ip(115, "00000000 c803 000c", num(8, 0)), outer_ip(115, 16));
	expect(1, in_ip(115, "00000009", num(8, 0)), outer_ip(115, 12));
}

static void capwap(void **state)
{
	(void)state;
	/* Ethernet; 802.11 as the standard has it; with bytes swapped as Cisco does */
	EXPECT_INNER4(in_udp(5, 5247, "00 100000 00000000", ether("0800", inner4())), 1,
			{ LAYER_CAPWAP, 0, 4 });
	EXPECT_INNER4(in_udp(5, 5247,
				      "00 100300 00000000 0801 0000 "
				      "020000000001"
				      " 020000000002 020000000003 0000 "
				      "aaaa03 000000 0800",
				      inner4()),
			1, { LAYER_CAPWAP, 0, 4 });
	EXPECT_INNER4(in_udp(5247, 5,
				      "00 100300 00000000 0108 0000 "
				      "020000000001"
				      " 020000000002 020000000003 7630 "
				      "aaaa03 000000 0800",
				      inner4()),
			1, { LAYER_CAPWAP, 0, 4 });
	/* keep-alive; DTLS; a fragment; several packets in one */
	expect(1, in_udp(5, 5247, "00 100308 00000000", num(8, 0)), outer_udp(5, 5247, 16));
	expect(1, in_udp(5, 5247, "01 000000 00000000", num(8, 0)), outer_udp(5, 5247, 16));
	expect(1, in_udp(5, 5247, "00 100080 00000000", ether("0800", inner4())),
			outer_udp(5, 5247, 67));
	expect(1,
			in_udp(5, 5247,
					"00 100300 00000000 8801 0000 "
					"020000000001"
					" 020000000002 020000000003 "
					"0000 8000 020000000001 "
					"020000000002 0035 aaaa03 "
					"000000 0800",
					inner4()),
			outer_udp(5, 5247, 101));
}

static void others(void **state)
{
	(void)state;
	EXPECT_INNER4(in_udp(5, 6635, "00064140", inner4()), 2, { LAYER_MPLS_UDP, 0, 4 },
			{ LAYER_MPLS, 100, 0 });
	EXPECT_INNER4(in_ip(137, "00064140", inner4()), 2, { LAYER_MPLS_IP, 0, 4 },
			{ LAYER_MPLS, 100, 0 });
	EXPECT_INNER4(in_ip(97, "3000", ether("0800", inner4())), 1, { LAYER_ETHERIP, 0, 4 });
	expect(1, in_ip(97, "4000", ether("0800", inner4())), outer_ip(97, 61));
	EXPECT_INNER4(in_udp(5, 4341, "08 000000 000007 01", inner4()), 1, { LAYER_LISP, 7, 4 });
	expect(1, in_udp(5, 4341, "03 000000 000007 01", inner4()), outer_udp(5, 4341, 53));
	/* ESP in UDP stays UDP */
	expect(1, ether("0800", ip4(17, udp(4500, 4500, num(8, 1)))), outer_udp(4500, 4500, 8));
}

static void nested(void **state)
{
	(void)state;
	/* VLAN, GRE, VXLAN, VLAN, 6in4: in order of appearance */
	struct bytes frame = ether("8100", head("000b 0800", ip4(41, inner6())));

	frame = ip4(47, head("2000 0800 00000007", vxlan(frame)));
	EXPECT_INNER6(ether("8100", head("000a 0800", frame)), 5, { LAYER_VLAN, 10, 0 },
			{ LAYER_GRE, 7, 4 }, { LAYER_VXLAN, 42, 4 }, { LAYER_VLAN, 11, 0 },
			{ LAYER_6IN4, 0, 4 });
	/* broken inside the second tunnel: the packet in the first one is the flow */
	expect(1, in_ip(47, "0000 0800", vxlan(ether("0806", num(8, 0)))),
			(struct expected){ .version = 4,
					.proto = 17,
					.from = 50000,
					.to = 4789,
					.payload = 30,
					.layers = 1,
					.layer = { { LAYER_GRE, 0, 4 } } });
	/* the outermost only */
	expect_rules(&(const struct decode_rules){ .outermost = true }, 1,
			ether("0800", vxlan(ether("0800", inner4()))), outer_udp(50000, 4789, 67));
	expect_rules(&(const struct decode_rules){ .outermost = true }, 1,
			ether("0800", ip4(4, inner4())), outer_ip(4, 45));
}

static void nested_deep(void **state)
{
	(void)state;
	struct bytes b = inner4();

	/* Ethernet and as many IP headers as are walked, and one more than that */
	for (unsigned i = 0; i < LIMIT_DEPTH - 2; i++)
		b = ip4(4, b);
	struct expected want = { KIT_INNER4, .marks = PKT_LAYERS_CAPPED, .layers = LIMIT_LAYERS };
	for (unsigned i = 0; i < LIMIT_LAYERS; i++)
		want.layer[i] = (struct kit_layer){ LAYER_IPIP, 0, 4 };
	expect(1, ether("0800", b), want);
	want.proto = 4;
	want.from = want.to = 0;
	want.payload = 45;
	expect(1, ether("0800", ip4(4, b)), want);
}

/* The quick look at the ports never misses what the slow one finds. */
static void ports_of_tunnels(void **unused)
{
	unsigned tunnels = 0;

	(void)unused;
	for (uint32_t port = 0; port < 65536; port++) {
		const uint16_t to[2] = { 53, (uint16_t)port }, from[2] = { (uint16_t)port, 53 };

		assert_true(tunnel_may_be(to) || tunnel_of_ports(to) == NEXT_END);
		assert_true(tunnel_may_be(from) || tunnel_of_ports(from) == NEXT_END);
		tunnels += tunnel_of_ports(to) != NEXT_END;
	}
	assert_int_equal(tunnels, 11);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vlan),
		cmocka_unit_test(vlan_deep),
		cmocka_unit_test(mpls),
		cmocka_unit_test(tags_between),
		cmocka_unit_test(ip_in_ip),
		cmocka_unit_test(gre),
		cmocka_unit_test(gre_alone),
		cmocka_unit_test(erspan),
		cmocka_unit_test(vxlans),
		cmocka_unit_test(vxlan_relatives),
		cmocka_unit_test(teredo),
		cmocka_unit_test(gtpu),
		cmocka_unit_test(l2tp),
		cmocka_unit_test(capwap),
		cmocka_unit_test(others),
		cmocka_unit_test(nested),
		cmocka_unit_test(nested_deep),
		cmocka_unit_test(ports_of_tunnels),
	};

	return cmocka_run_group_tests_name("decode/tunnel", tests, NULL, NULL);
}
