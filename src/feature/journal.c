/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.c - packets as differences to what was to be expected.
 *
 * An item is a trail number of the bits below, then what they announce, each as a trail number:
 * payload length (unless EMPTY), time since the packet before, TCP flags and option words (FLAGS),
 * what sequence and acknowledgement numbers differ by (SEQ, ACK), length of the IP headers (IP).
 */
#include "feature/journal.h"

enum {
	DIR = 1 << 0,
	EMPTY = 1 << 1,
	FLAGS = 1 << 2, /* other than those of the direction's segment before */
	SEQ = 1 << 3,
	ACK = 1 << 4,
	IP = 1 << 5,
	OLD = 1 << 6,
	FRAGMENT = 1 << 7,
	BAD = 1 << 8,

	ITEM_MAX = 7 * TRAIL_NUMBER,
	JOURNAL_BYTES = 264, /* about 30 packets */
	FLAG_BITS = 9,
	UDP_HEADER = 8,
	TCP_WORDS = 5, /* of a header without options */
};

/* What the direction's next segment begins with, if nothing is lost. */
static uint32_t next_seq(const struct pkt *pkt)
{
	return pkt->seq + pkt->payload_len + ((pkt->tcp_flags & TCP_SYN) != 0) +
	       ((pkt->tcp_flags & TCP_FIN) != 0);
}

/* ... and acknowledges, if it acknowledges all there is. */
static uint32_t next_ack(const struct journal_last *last, const struct pkt *pkt)
{
	return pkt->tcp_flags & TCP_ACK ? last->seq[!pkt->dir] : 0;
}

static uint64_t difference(uint32_t a, uint32_t b)
{
	return trail_fold((uint64_t)(int64_t)(int32_t)(a - b));
}

static unsigned tcp_of(const struct pkt *pkt)
{
	unsigned words = pkt->transport_len / 4u;

	return (words > TCP_WORDS ? words - TCP_WORDS : 0) << FLAG_BITS |
	       (pkt->tcp_flags & ((1u << FLAG_BITS) - 1));
}

/* Bits of a segment, and what they announce. */
static unsigned put_segment(uint8_t **to, struct journal_last *last, const struct pkt *pkt)
{
	unsigned bits = 0, tcp = tcp_of(pkt);
	uint32_t ack = next_ack(last, pkt);

	if (tcp != last->tcp[pkt->dir]) {
		bits |= FLAGS;
		*to = trail_put(*to, tcp);
		last->tcp[pkt->dir] = (uint16_t)tcp;
	}
	if (pkt->seq != last->seq[pkt->dir]) {
		bits |= SEQ;
		*to = trail_put(*to, difference(pkt->seq, last->seq[pkt->dir]));
	}
	if (pkt->ack != ack) {
		bits |= ACK;
		*to = trail_put(*to, difference(pkt->ack, ack));
	}
	last->seq[pkt->dir] = next_seq(pkt);
	return bits;
}

static uint32_t ip_header(const struct pkt *pkt)
{
	return pkt->ip_len - pkt->payload_len - pkt->transport_len;
}

/* Writes an item; the bits come first but are known last. */
static size_t write_item(uint8_t item[ITEM_MAX], struct journal_last *last, const struct pkt *pkt)
{
	uint8_t rest[ITEM_MAX], *to = rest, *end;
	unsigned bits = pkt->dir | (pkt_is_old(pkt) ? OLD : 0);

	if (pkt->payload_len == 0)
		bits |= EMPTY;
	else
		to = trail_put(to, pkt->payload_len);
	to = trail_put(to, (uint64_t)pkt->now_ns - (uint64_t)last->now_ns);
	last->now_ns = pkt->now_ns;
	bits |= pkt->marks & PKT_FRAGMENT ? FRAGMENT : 0;
	bits |= pkt->marks & PKT_BAD_TRANSPORT ? BAD : 0;
	if (pkt_is_segment(pkt))
		bits |= put_segment(&to, last, pkt);
	if (ip_header(pkt) != last->ip_header) {
		bits |= IP;
		last->ip_header = ip_header(pkt);
		to = trail_put(to, last->ip_header);
	}
	end = trail_put(item, bits);
	memcpy(end, rest, (size_t)(to - rest));
	return (size_t)(end - item) + (size_t)(to - rest);
}

/* Room for 'size' bytes more, and for what stands in front of the items. */
static bool reserve(
		struct journal *j, const struct feature_env *env, struct flow *flow, size_t size)
{
	static const uint16_t rooms[] = { 56, 120,
		JOURNAL_BYTES }; /* what blocks of the pool hold */
	size_t had = j->size == 0 ? sizeof(struct journal_last) : j->size;
	unsigned i = 0;
	uint8_t *p;

	if (had + size > JOURNAL_BYTES)
		return false;
	if (had + size > j->room) {
		while (had + size > rooms[i])
			i++;
		p = arena_move(&flow->arena, env->pool, j->p, j->size, rooms[i]);
		if (p == NULL) {
			flow->marks |= FLOW_NO_MEMORY;
			return false;
		}
		j->p = p;
		j->room = rooms[i];
	}
	j->size = (uint16_t)had;
	return true;
}

bool journal_add(struct journal *j, const struct feature_env *env, struct flow *flow,
		const struct pkt *pkt)
{
	struct journal_last last = { .now_ns = flow->start_ns };
	uint8_t item[2 * ITEM_MAX];
	size_t size;

	if (j->size > 0)
		memcpy(&last, j->p, sizeof last);
	size = write_item(item, &last, pkt);
	if (!reserve(j, env, flow, size))
		return false;
	memcpy(j->p, &last, sizeof last);
	memcpy(j->p + j->size, item, size);
	j->size = (uint16_t)(j->size + size);
	return true;
}

struct journal_reader journal_read(const struct journal *j, const struct flow *flow)
{
	bool empty = j->size == 0;

	return (struct journal_reader){ .at = empty ? NULL : j->p + sizeof(struct journal_last),
		.end = empty ? NULL : j->p + j->size,
		.last.now_ns = flow->start_ns,
		.proto = flow->key.proto };
}

static void get_segment(struct journal_reader *r, unsigned bits, struct pkt *pkt)
{
	struct journal_last *last = &r->last;

	if (bits & FLAGS)
		last->tcp[pkt->dir] = (uint16_t)trail_get(&r->at);
	pkt->tcp_flags = last->tcp[pkt->dir] & ((1u << FLAG_BITS) - 1);
	pkt->transport_len = (uint8_t)(((last->tcp[pkt->dir] >> FLAG_BITS) + TCP_WORDS) * 4);
	pkt->seq = last->seq[pkt->dir];
	if (bits & SEQ)
		pkt->seq += (uint32_t)trail_unfold(trail_get(&r->at));
	pkt->ack = next_ack(last, pkt);
	if (bits & ACK)
		pkt->ack += (uint32_t)trail_unfold(trail_get(&r->at));
	last->seq[pkt->dir] = next_seq(pkt);
}

/* Of what is no segment. */
static uint8_t transport_len(const struct pkt *pkt)
{
	bool udp = pkt->proto == PROTO_UDP || pkt->proto == PROTO_UDPLITE;

	return udp && !(pkt->marks & (PKT_FRAGMENT | PKT_BAD_TRANSPORT)) ? UDP_HEADER : 0;
}

bool journal_next(struct journal_reader *r, struct pkt *pkt)
{
	unsigned bits;

	if (r->at == r->end)
		return false;
	bits = (unsigned)trail_get(&r->at);
	pkt->proto = r->proto;
	pkt->dir = bits & DIR;
	pkt->tcp_class = bits & OLD ? TCP_CLASS_RETRANS : TCP_CLASS_NEW;
	pkt->marks = (uint16_t)((bits & FRAGMENT ? PKT_FRAGMENT : 0) |
				(bits & BAD ? PKT_BAD_TRANSPORT : 0));
	pkt->payload_len = bits & EMPTY ? 0 : (uint32_t)trail_get(&r->at);
	r->last.now_ns = pkt->now_ns = (int64_t)((uint64_t)r->last.now_ns + trail_get(&r->at));
	pkt->seq = pkt->ack = 0;
	pkt->tcp_flags = 0;
	pkt->transport_len = transport_len(pkt);
	if (pkt_is_segment(pkt))
		get_segment(r, bits, pkt);
	if (bits & IP)
		r->last.ip_header = (uint32_t)trail_get(&r->at);
	pkt->ip_len = r->last.ip_header + pkt->payload_len + pkt->transport_len;
	return true;
}
