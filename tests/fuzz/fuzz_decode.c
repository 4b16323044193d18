/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_decode.c - any bytes as a frame of any link type: what comes out lies inside the frame and
 * agrees with itself.
 *
 * First byte: link type. Second: 1 outermost, 2 nanoseconds; its upper six bits: bytes not
 * captured.
 */
#include <stdlib.h>
#include <string.h>

#include "net/chain.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const uint16_t linktypes[] = { 1, 0, 7, 9, 10, 12, 50, 51, 100, 101, 104, 105, 107, 108, 113,
	117, 119, 127, 129, 163, 192, 228, 239, 242, 258, 276, 3 };

static void check(bool holds)
{
	if (!holds)
		abort();
}

static void inside(struct rd r, const struct frame *frame)
{
	if (r.left == 0)
		return;
	check(r.p >= frame->bytes && r.p + r.left <= frame->bytes + frame->caplen);
}

static void check_packet(const struct pkt *pkt, const struct frame *frame)
{
	inside(pkt->ip, frame);
	inside(pkt->body, frame);
	inside(pkt->payload, frame);
	inside(pkt->tcp_options, frame);
	check(pkt->ip_version == 4 || pkt->ip_version == 6);
	check(pkt->ip.left <= pkt->ip_len);
	check((pkt->ip.left < pkt->ip_len) == ((pkt->marks & PKT_TRUNCATED) != 0));
	check(pkt->ip_header_len + pkt->body.left == pkt->ip.left);
	check(pkt->payload.left <= pkt->payload_len && pkt->payload_len <= pkt->ip_len);
	check(pkt->ip_version == 6 ||
			memcmp(pkt->address[0] + 4, "\0\0\0\0\0\0\0\0\0\0\0\0", 12) == 0);
}

static void check_layers(const struct pkt *pkt, const struct frame *frame)
{
	check(pkt->layer_count <= LIMIT_LAYERS && pkt->depth <= LIMIT_DEPTH + 1);
	for (unsigned i = 0; i < pkt->layer_count; i++) {
		const struct layer *layer = &pkt->layer[i];

		check(layer->type < LAYER_TYPES);
		check((layer->addresses != NULL) == (layer->ip_version != 0));
		if (layer->addresses != NULL)
			inside((struct rd){ layer->addresses, layer->ip_version == 4 ? 8 : 32 },
					frame);
	}
}

static void check_outcome(enum outcome outcome, const struct pkt *pkt, const struct frame *frame)
{
	struct pkt quoted;

	check(outcome < OUTCOMES);
	check(outcome != OUTCOME_CUT_SHORT || frame->wirelen > frame->caplen);
	check(outcome == OUTCOME_PACKET || pkt->stage < STAGES);
	check_layers(pkt, frame);
	inside(pkt->rest, frame);
	if (outcome != OUTCOME_PACKET && outcome != OUTCOME_FRAGMENT)
		return;
	check_packet(pkt, frame);
	if (outcome == OUTCOME_PACKET && decode_icmp_quote(pkt, &quoted))
		check(quoted.ip_version == 4 || quoted.ip_version == 6);
}

/* Sums over both ends, as they stand in the packet. */
static void check_ends(
		const struct decode_rules *rules, const struct frame *frame, const struct pkt *pkt)
{
	struct decode_ends ends;
	uint64_t a[2], b[2];

	memcpy(a, pkt->address[0], sizeof(a));
	memcpy(b, pkt->address[1], sizeof(b));
	check(decode_ends(rules, frame, &ends));
	check(ends.address[0] == a[0] + b[0] && ends.address[1] == a[1] + b[1]);
	check(ends.ports == (uint32_t)pkt->port[0] + pkt->port[1]);
}

/* The short way, where it can be gone, leads to the same packet. */
static void both_ways(const struct decode_rules *rules, const struct frame *frame)
{
	struct pkt usual, walked;

	memset(&usual, 0, sizeof(usual));
	memset(&walked, 0, sizeof(walked));
	if (!decode_usual(rules, frame, &usual)) {
		check(!decode_ends(rules, frame, &(struct decode_ends){ 0 }));
		return;
	}
	check_ends(rules, frame, &usual);
	check(decode_walk(rules, frame, &walked) == OUTCOME_PACKET);
	check(memcmp(&usual, &walked, offsetof(struct pkt, layer)) == 0);
}

/* As if the fragment's bytes were a whole datagram. */
static void as_datagram(const struct decode_rules *rules, struct pkt pkt, const struct frame *frame)
{
	enum outcome outcome = decode_datagram(rules, &pkt);

	check(outcome < OUTCOMES);
	check_layers(&pkt, frame);
	if (outcome == OUTCOME_PACKET)
		inside(pkt.payload, frame);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;

	const struct decode_rules rules = { .outermost = data[1] & 1 };
	struct frame frame = {
		.bytes = data + 2,
		.caplen = (uint32_t)size - 2,
		.wirelen = (uint32_t)size - 2 + (data[1] >> 2),
		.linktype = linktypes[data[0] % (sizeof(linktypes) / sizeof(linktypes[0]))],
		.nanoseconds = data[1] & 2,
	};
	struct pkt pkt, again;
	enum outcome outcome;

	/* whatever was in a pkt before must not show */
	memset(&pkt, 0x55, sizeof(pkt));
	memset(&again, 0xaa, sizeof(again));
	both_ways(&rules, &frame);
	outcome = decode_frame(&rules, &frame, &pkt);
	check(outcome == decode_frame(&rules, &frame, &again));
	check(outcome != OUTCOME_PACKET ||
			(pkt.port[0] == again.port[0] && pkt.ip_len == again.ip_len &&
					memcmp(pkt.address, again.address, sizeof(pkt.address)) ==
							0));
	check_outcome(outcome, &pkt, &frame);
	if (outcome == OUTCOME_FRAGMENT)
		as_datagram(&rules, pkt, &frame);
	while (pkt.marks & PKT_MORE) {
		size_t left = pkt.rest.left;

		check_outcome(decode_rest(&rules, &frame, &pkt), &pkt, &frame);
		check(pkt.rest.left < left);
	}
	return 0;
}
