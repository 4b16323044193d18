/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * journal.c - packets as differences to what was to be expected.
 *
 * An item is two bytes of the bits below, then what they announce: time since the packet before,
 * payload length, what sequence and acknowledgement numbers differ by, length of the IP headers,
 * TCP flags and option words.  How many bytes each has stands in the bits, so that they are written
 * and read without a branch, by words that may reach beyond their end.
 */
#include "feature/journal.h"

#include <string.h>

enum { /* beside PKT_BAD_TRANSPORT and PKT_FRAGMENT */
	DIR = 1 << 0,
	OLD = 1 << 1,
	FLAGS = 1 << 3, /* other than those of the direction's segment before */

	TIME = 6, /* from this bit on two bits each, which say how long a number is */
	PAYLOAD = 8,
	SEQ = 10,
	ACK = 12,
	IP = 14,

	ITEM_MAX = 2 + 8 + 4 * 4 + 2, /* bytes */
	MARKS = PKT_FRAGMENT | PKT_BAD_TRANSPORT,
	FLAG_BITS = 9,
	UDP_HEADER = 8,
	TCP_WORDS = 5, /* of a header without options */
};

_Static_assert(((DIR | OLD | FLAGS) & MARKS) == 0 && MARKS < 1 << TIME, "a bit for each");

/* What an item says, and what it is compared with. */
struct item {
	uint64_t time_ns;
	uint32_t payload, seq, ack, ip; /* 'ip': with exclusive or */
	uint16_t tcp;
	unsigned bits;
};

static unsigned length_of(uint32_t v)
{
	static const uint8_t length[] = { /* by the place of the highest bit, from 1 */
		[0] = 0,
		[1 ... 8] = 1,
		[9 ... 16] = 2,
		[17 ... 32] = 3
	};

	return length[63 - __builtin_clzll((uint64_t)v << 1 | 1)];
}

/* 0, 1, 2 or 4 bytes. */
static size_t bytes_of(unsigned bits, unsigned at)
{
	static const uint8_t bytes[] = { 0, 1, 2, 4 };

	return bytes[bits >> at & 3];
}

static unsigned time_length_of(uint64_t v)
{
	return (unsigned)((v != 0) + (v > 0xffffff) + (v > UINT32_MAX));
}

/* 0, 3, 4 or 8 bytes. */
static size_t time_bytes_of(unsigned bits)
{
	static const uint8_t bytes[] = { 0, 3, 4, 8 };

	return bytes[bits >> TIME & 3];
}

static size_t size_of(unsigned bits)
{
	return JOURNAL_ITEM + time_bytes_of(bits) + bytes_of(bits, PAYLOAD) + bytes_of(bits, SEQ) +
	       bytes_of(bits, ACK) + bytes_of(bits, IP) + (bits & FLAGS ? sizeof(uint16_t) : 0);
}

/* How far 'a' is from 'b', with the sign moved to the lowest bit. */
static uint32_t difference(uint32_t a, uint32_t b)
{
	const uint32_t d = a - b;

	return d << 1 ^ (0 - (d >> 31));
}

static uint32_t unfold(uint32_t v)
{
	return v >> 1 ^ (0 - (v & 1));
}

/* What the direction's next segment begins with, if nothing is lost. */
static uint32_t next_seq(uint32_t seq, uint32_t payload_len, unsigned flags)
{
	_Static_assert(TCP_FIN == 1 && TCP_SYN == 2, "one each");
	return seq + payload_len + (flags >> 1 & 1) + (flags & 1);
}

/* ... and acknowledges, if it acknowledges all there is. */
static uint32_t next_ack(uint32_t other_seq, unsigned flags)
{
	return flags & TCP_ACK ? other_seq : 0;
}

static uint16_t tcp_of(const struct pkt *pkt)
{
	const unsigned words = pkt->transport_len / 4u;

	return (uint16_t)((words > TCP_WORDS ? words - TCP_WORDS : 0) << FLAG_BITS |
			  (pkt->tcp_flags & ((1u << FLAG_BITS) - 1)));
}

static struct item item_of(const struct journal_last *last, const struct pkt *pkt)
{
	const unsigned dir = pkt->dir;
	struct item i = {
		.time_ns = (uint64_t)pkt->now_ns - (uint64_t)last->now_ns,
		.payload = pkt->payload_len,
		.ip = (pkt->ip_len - pkt->payload_len - pkt->transport_len) ^ last->ip_header,
		.bits = dir | (pkt->marks & MARKS) | (pkt_is_old(pkt) ? OLD : 0),
	};

	if (pkt_is_segment(pkt)) {
		i.tcp = tcp_of(pkt);
		i.seq = difference(pkt->seq, last->seq[dir]);
		i.ack = difference(pkt->ack, next_ack(last->seq[!dir], pkt->tcp_flags));
		i.bits |= (i.tcp != last->tcp[dir] ? FLAGS : 0) | length_of(i.seq) << SEQ |
			  length_of(i.ack) << ACK;
	}
	i.bits |= time_length_of(i.time_ns) << TIME | length_of(i.payload) << PAYLOAD |
		  length_of(i.ip) << IP;
	return i;
}

static uint8_t *put(uint8_t *to, uint32_t v, unsigned bits, unsigned at)
{
	memcpy(to, &v, sizeof v);
	return to + bytes_of(bits, at);
}

/* In the order of the machine's bytes: the low ones are those that count. */
static uint32_t low_first(uint32_t v)
{
	return __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__ ? v : __builtin_bswap32(v);
}

static uint8_t *write_item(uint8_t *to, const struct item *i)
{
	const uint16_t bits = (uint16_t)i->bits;
	const uint32_t low = low_first((uint32_t)i->time_ns);

	memcpy(to, &bits, sizeof bits);
	to += sizeof bits;
	memcpy(to, &low, sizeof low);
	if (i->time_ns > UINT32_MAX) {
		const uint32_t high = low_first((uint32_t)(i->time_ns >> 32));

		memcpy(to + sizeof low, &high, sizeof high);
	}
	to += time_bytes_of(bits);
	to = put(to, low_first(i->payload), bits, PAYLOAD);
	to = put(to, low_first(i->seq), bits, SEQ);
	to = put(to, low_first(i->ack), bits, ACK);
	to = put(to, low_first(i->ip), bits, IP);
	memcpy(to, &i->tcp, sizeof i->tcp);
	return to + (bits & FLAGS ? sizeof i->tcp : 0);
}

/* Room for the item, if there is none, and for what stands in front of all. */
static __attribute__((noinline)) bool reserve(
		struct journal *j, struct pool *pool, struct flow *flow, const struct item *item)
{
	static const uint16_t rooms[] = { 56, 120,
		JOURNAL_BYTES }; /* what blocks of the pool hold */
	const size_t had = j->size == 0 ? sizeof(struct journal_last) : j->size;
	const size_t need = had + size_of(item->bits) + JOURNAL_SLACK;
	const struct journal_last first = { .now_ns = flow->start_ns };
	unsigned i = 0;
	uint8_t *p;

	if (need <= j->room)
		return true;
	if (need > JOURNAL_BYTES)
		return false;
	while (need > rooms[i])
		i++;
	p = arena_move(&flow->arena, pool, j->p, j->size, rooms[i]);
	if (p == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return false;
	}
	if (j->size == 0)
		memcpy(p, &first, sizeof first);
	j->p = p;
	j->size = (uint16_t)had;
	j->room = rooms[i];
	return true;
}

static struct journal_last *last_of(const struct journal *j)
{
	return (struct journal_last *)(void *)j->p;
}

bool journal_add(struct journal *j, struct pool *pool, struct flow *flow, const struct pkt *pkt)
{
	const struct journal_last first = { .now_ns = flow->start_ns };
	const struct item i = item_of(j->size > 0 ? last_of(j) : &first, pkt);
	struct journal_last *last;

	if (j->size + ITEM_MAX + JOURNAL_SLACK > j->room && !reserve(j, pool, flow, &i))
		return false;
	j->size = (uint16_t)(write_item(j->p + j->size, &i) - j->p);
	last = last_of(j);
	last->now_ns = pkt->now_ns;
	last->ip_header ^= i.ip;
	if (pkt_is_segment(pkt)) {
		last->seq[pkt->dir] = next_seq(pkt->seq, pkt->payload_len, pkt->tcp_flags);
		last->tcp[pkt->dir] = i.tcp;
	}
	return true;
}

static uint32_t get(const uint8_t **from, unsigned bits, unsigned at)
{
	static const uint32_t mask[] = { 0, UINT8_MAX, UINT16_MAX, UINT32_MAX };
	uint32_t v;

	memcpy(&v, *from, sizeof v);
	*from += bytes_of(bits, at);
	return low_first(v) & mask[bits >> at & 3];
}

static uint64_t get_time(const uint8_t **from, unsigned bits)
{
	static const uint32_t mask[] = { 0, 0xffffff, UINT32_MAX, UINT32_MAX };
	const uint8_t *at = *from;
	uint32_t low, high = 0;

	memcpy(&low, at, sizeof low);
	if ((bits >> TIME & 3) == 3)
		memcpy(&high, at + sizeof low, sizeof high);
	*from += time_bytes_of(bits);
	return (low_first(low) & mask[bits >> TIME & 3]) | (uint64_t)low_first(high) << 32;
}

/* 'seq' and 'ack': what they differ by from what was to be expected. */
static void read_segment(struct journal_last *last, struct journal_packet *p)
{
	const unsigned dir = p->dir, tcp = last->tcp[dir];

	p->tcp_flags = tcp & ((1u << FLAG_BITS) - 1);
	p->transport_len = (uint8_t)(((tcp >> FLAG_BITS) + TCP_WORDS) * 4);
	p->seq = last->seq[dir] + unfold(p->seq);
	p->ack = next_ack(last->seq[!dir], tcp) + unfold(p->ack);
	last->seq[dir] = next_seq(p->seq, p->payload_len, tcp);
}

static const uint8_t *read_item(const uint8_t *from, struct journal_last *last, uint8_t proto,
		struct journal_packet *p)
{
	const bool udp = proto == PROTO_UDP || proto == PROTO_UDPLITE;
	uint16_t bits;

	memcpy(&bits, from, sizeof bits);
	from += sizeof bits;
	p->dir = bits & DIR;
	p->old = (bits & OLD) != 0;
	p->marks = bits & MARKS;
	p->now_ns = last->now_ns = (int64_t)((uint64_t)last->now_ns + get_time(&from, bits));
	p->payload_len = get(&from, bits, PAYLOAD);
	p->seq = get(&from, bits, SEQ);
	p->ack = get(&from, bits, ACK);
	last->ip_header ^= get(&from, bits, IP);
	if (bits & FLAGS) {
		memcpy(&last->tcp[p->dir], from, sizeof last->tcp[p->dir]);
		from += sizeof last->tcp[p->dir];
	}
	p->segment = proto == PROTO_TCP && p->marks == 0;
	p->tcp_flags = 0;
	p->transport_len = udp && p->marks == 0 ? UDP_HEADER : 0;
	if (p->segment)
		read_segment(last, p);
	p->ip_len = last->ip_header + p->payload_len + p->transport_len;
	return from;
}

size_t journal_list(const struct journal *j, const struct flow *flow, struct journal_packet *to)
{
	struct journal_last last = { .now_ns = flow->start_ns };
	const uint8_t *at, *end;
	size_t n = 0;

	if (j->size == 0)
		return 0;
	at = j->p + sizeof last;
	end = j->p + j->size;
	while (at < end)
		at = read_item(at, &last, flow->key.proto, &to[n++]);
	return n;
}

void journal_show(const struct journal_packet *p, uint8_t proto, struct pkt *pkt)
{
	pkt->proto = proto;
	pkt->dir = p->dir;
	pkt->now_ns = p->now_ns;
	pkt->payload_len = p->payload_len;
	pkt->ip_len = p->ip_len;
	pkt->transport_len = p->transport_len;
	pkt->tcp_flags = p->tcp_flags;
	pkt->seq = p->seq;
	pkt->ack = p->ack;
	pkt->tcp_class = p->old ? TCP_CLASS_RETRANS : TCP_CLASS_NEW;
	pkt->marks = p->marks;
}
