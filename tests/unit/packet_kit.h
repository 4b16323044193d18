/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * packet_kit.h - makes packets from hexadecimal text and from the inside out, decodes them whole
 * and cut at every length, and compares with what is expected.
 *
 * A packet reads from left to right as on the wire: ether("0800", ip4(17, udp(1000, 53,
 * hex("aabb")))).
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "net/decode.h"

struct bytes {
	size_t size;
	uint8_t at[4096];
};

static inline struct bytes join(struct bytes a, struct bytes b)
{
	assert_true(a.size + b.size <= sizeof(a.at));
	memcpy(a.at + a.size, b.at, b.size);
	a.size += b.size;
	return a;
}

static inline unsigned kit_digit(char c)
{
	return (unsigned)(c <= '9' ? c - '0' : c - 'a' + 10);
}

/* Pairs of lower-case hexadecimal digits; blanks between them are free. */
static inline struct bytes hex(const char *text)
{
	struct bytes b = { 0 };

	for (; *text != '\0'; text++) {
		if (*text == ' ')
			continue;
		b.at[b.size++] = (uint8_t)(kit_digit(text[0]) << 4 | kit_digit(text[1]));
		text++;
	}
	return b;
}

static inline struct bytes num(size_t size, uint64_t value)
{
	struct bytes b = { .size = size };

	for (size_t i = 0; i < size; i++)
		b.at[i] = (uint8_t)(value >> 8 * (size - 1 - i));
	return b;
}

static inline struct bytes zeros(size_t size)
{
	return (struct bytes){ .size = size };
}

/* 'header' in hexadecimal, then 'body'. */
static inline struct bytes head(const char *header, struct bytes body)
{
	return join(hex(header), body);
}

static inline struct bytes ether(const char *type, struct bytes body)
{
	return join(join(hex("02 00 00 00 00 02 02 00 00 00 00 01"), hex(type)), body);
}

/* From 10.0.0.1 to 10.0.0.2, don't fragment, TTL 64, identification 1234; options in hexadecimal.
 */
static inline struct bytes ip4_options(unsigned proto, const char *options, struct bytes body)
{
	struct bytes o = hex(options);
	struct bytes b = num(1, 0x45 + o.size / 4);

	b = join(b, num(1, 0x2e));
	b = join(b, num(2, 20 + o.size + body.size));
	b = join(b, hex("12 34 40 00 40"));
	b = join(b, num(1, proto));
	b = join(b, hex("00 00 0a 00 00 01 0a 00 00 02"));
	return join(join(b, o), body);
}

static inline struct bytes ip4(unsigned proto, struct bytes body)
{
	return ip4_options(proto, "", body);
}

/* From 2001:db8::1 to 2001:db8::2, hop limit 64, flow label 12345. */
static inline struct bytes ip6(unsigned next, struct bytes body)
{
	struct bytes b = hex("62 e1 23 45");

	b = join(join(b, num(2, body.size)), num(1, next));
	b = join(b, hex("40 20010db8000000000000000000000001 20010db8000000000000000000000002"));
	return join(b, body);
}

static inline struct bytes udp(unsigned from, unsigned to, struct bytes body)
{
	struct bytes b = join(num(2, from), num(2, to));

	return join(join(join(b, num(2, 8 + body.size)), hex("be ef")), body);
}

/* Sequence 1, acknowledgement 2, PSH ACK, window 512; options: none. */
static inline struct bytes tcp(unsigned from, unsigned to, struct bytes body)
{
	struct bytes b = join(num(2, from), num(2, to));

	return join(join(b, hex("00000001 00000002 50 18 02 00 00 00 00 00")), body);
}

/* What every test wraps: an IPv4 packet with TCP, ports 1000 to 80, five bytes of payload. */
static inline struct bytes inner4(void)
{
	return ip4(6, tcp(1000, 80, hex("68 65 6c 6c 6f")));
}

/* The same over IPv6. */
static inline struct bytes inner6(void)
{
	return ip6(6, tcp(1000, 80, hex("68 65 6c 6c 6f")));
}

struct kit_layer {
	int type; /* enum layer_type */
	uint32_t id;
	unsigned carrier; /* version of the IP header that carries it; 0 without */
};

struct expected {
	enum outcome outcome;
	unsigned version, proto, from, to; /* ports */
	unsigned payload;
	uint16_t marks;
	uint16_t ethertype; /* of OUTCOME_NOT_IP */
	enum stage stage;   /* of outcomes but a packet */
	size_t layers;
	struct kit_layer layer[LIMIT_LAYERS];
};

/* inner4() and inner6(), without layers */
#define KIT_INNER4 .version = 4, .proto = 6, .from = 1000, .to = 80, .payload = 5
#define KIT_INNER6 .version = 6, .proto = 6, .from = 1000, .to = 80, .payload = 5

/* Reads all that the packet points to, for the sanitizers to see. */
static inline unsigned kit_touch(const struct pkt *pkt)
{
	const struct rd all[] = { pkt->ip, pkt->body, pkt->payload, pkt->tcp_options, pkt->rest };
	unsigned sum = 0;

	for (size_t i = 0; i < sizeof(all) / sizeof(all[0]); i++)
		for (size_t k = 0; k < all[i].left; k++)
			sum += all[i].p[k];
	for (size_t i = 0; i < pkt->layer_count; i++)
		for (size_t k = 0; pkt->layer[i].addresses != NULL &&
				   k < (pkt->layer[i].ip_version == 4 ? 8u : 32u);
				k++)
			sum += pkt->layer[i].addresses[k];
	return sum;
}

static inline enum outcome kit_decode(const struct decode_rules *rules, unsigned linktype,
		const uint8_t *bytes, size_t caplen, size_t wirelen, struct pkt *pkt)
{
	struct frame frame = { .bytes = bytes,
		.caplen = (uint32_t)caplen,
		.wirelen = (uint32_t)wirelen,
		.linktype = (uint16_t)linktype };
	enum outcome outcome;

	memset(pkt, 0xa5, sizeof(*pkt)); /* what decoding leaves alone shows */
	outcome = decode_frame(rules, &frame, pkt);
	kit_touch(pkt);
	return outcome;
}

static inline void kit_layers(const struct pkt *pkt, const struct expected *want)
{
	assert_int_equal(pkt->layer_count, want->layers);
	for (size_t i = 0; i < want->layers; i++) {
		assert_int_equal(pkt->layer[i].type, want->layer[i].type);
		assert_int_equal(pkt->layer[i].id, want->layer[i].id);
		assert_int_equal(pkt->layer[i].ip_version, want->layer[i].carrier);
		assert_int_equal(pkt->layer[i].addresses != NULL, want->layer[i].carrier != 0);
	}
}

static inline void kit_compare(
		enum outcome outcome, const struct pkt *pkt, const struct expected *want)
{
	assert_int_equal(outcome, want->outcome);
	if (outcome == OUTCOME_NOT_IP)
		assert_int_equal(pkt->ethertype, want->ethertype);
	if (outcome != OUTCOME_PACKET)
		assert_int_equal(pkt->stage, want->stage);
	if (outcome != OUTCOME_PACKET && outcome != OUTCOME_FRAGMENT)
		return;
	assert_int_equal(pkt->ip_version, want->version);
	assert_int_equal(pkt->proto, want->proto);
	assert_int_equal(pkt->port[0], want->from);
	assert_int_equal(pkt->port[1], want->to);
	assert_int_equal(pkt->payload_len, want->payload);
	assert_int_equal(pkt->marks, want->marks);
	kit_layers(pkt, want);
}

/*
 * The packet, of which only the first bytes were captured, in memory of that size: what comes out
 * is never called malformed, and never has more payload than the whole, unless it is the packet of
 * a tunnel whose inside was lost.
 */
static inline void kit_cut(const struct decode_rules *rules, unsigned linktype,
		const struct bytes *packet, const struct expected *want, const struct pkt *whole)
{
	for (size_t size = 0; size < packet->size; size++) {
		uint8_t *copy = malloc(size > 0 ? size : 1);
		struct pkt pkt;
		enum outcome outcome;

		assert_non_null(copy);
		memcpy(copy, packet->at, size);
		outcome = kit_decode(rules, linktype, copy, size, packet->size, &pkt);
		assert_true(outcome != OUTCOME_MALFORMED && outcome != OUTCOME_UNKNOWN);
		if (outcome == OUTCOME_PACKET) {
			assert_true(pkt.marks & PKT_TRUNCATED || whole->ip_len < packet->size);
			assert_true(pkt.payload.left <= size);
			assert_int_equal(want->outcome, OUTCOME_PACKET);
			if (pkt.layer_count == whole->layer_count &&
					!(whole->marks & PKT_LAYERS_CAPPED)) {
				assert_int_equal(pkt.payload_len, whole->payload_len);
				assert_true(pkt.payload.left <= whole->payload.left);
			}
		}
		/* the same bytes as if no more had been on the wire */
		outcome = kit_decode(rules, linktype, copy, size, size, &pkt);
		assert_int_not_equal(outcome, OUTCOME_CUT_SHORT);
		free(copy);
	}
}

static inline void expect_rules(const struct decode_rules *rules, unsigned linktype,
		struct bytes packet, struct expected want)
{
	uint8_t *copy = malloc(packet.size);
	struct pkt pkt;

	assert_non_null(copy);
	memcpy(copy, packet.at, packet.size);
	kit_compare(kit_decode(rules, linktype, copy, packet.size, packet.size, &pkt), &pkt, &want);
	if (want.outcome == OUTCOME_PACKET || want.outcome == OUTCOME_NOT_IP)
		kit_cut(rules, linktype, &packet, &want, &pkt);
	free(copy);
}

static inline void expect(unsigned linktype, struct bytes packet, struct expected want)
{
	expect_rules(&(const struct decode_rules){ 0 }, linktype, packet, want);
}

/* An Ethernet frame that holds inner4() in the layers given. */
#define EXPECT_INNER4(packet, count, ...)                                                          \
	expect(1, packet,                                                                          \
			(struct expected){                                                         \
					KIT_INNER4, .layers = (count), .layer = { __VA_ARGS__ } })
#define EXPECT_INNER6(packet, count, ...)                                                          \
	expect(1, packet,                                                                          \
			(struct expected){                                                         \
					KIT_INNER6, .layers = (count), .layer = { __VA_ARGS__ } })
