/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * tcp.c - sequence space, handshake and close of one connection.
 *
 * A segment covers [seq, end): its payload, plus one for SYN and one for FIN.  'next' is the
 * highest end so far; holes are the ranges below it that no segment has covered.
 */
#include "flow/tcp.h"

#include <string.h>

enum {
	DUPLICATE_NS = 1000 * 1000, /* a mirror port repeats a packet within this time */
	SCALE_MAX = 14,             /* RFC 7323 section 2.3 */
	OPTION_END = 0,
	OPTION_NOP = 1,
	OPTION_SCALE = 3,
	STAMPED = 12,     /* bytes of options with nothing but time stamps, as most are */
	RTT_OPEN = -1,    /* flow.rtt_ns while the handshake may still tell it */
	RTT_UNKNOWN = -2, /* never to be known */
};

struct tcp_holes {
	uint32_t count;
	struct {
		uint32_t from, to;
	} hole[LIMIT_TCP_HOLES];
};

/* a - b in sequence space. */
static int32_t distance(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static bool saw(const struct flow_tcp *t, unsigned what)
{
	return (t->seen & what) != 0;
}

static uint32_t end_of(const struct pkt *pkt)
{
	return pkt->seq + pkt->payload_len + ((pkt->tcp_flags & TCP_SYN) != 0) +
	       ((pkt->tcp_flags & TCP_FIN) != 0);
}

/* The flow time of a packet that is not yet counted: see time_end in doc/fields.md. */
static int64_t flow_time(const struct flow *f, const struct pkt *pkt)
{
	int64_t last = f->start_ns;

	for (unsigned d = 0; d < 2; d++)
		if (f->side[d].packets > 0 && f->side[d].last_ns > last)
			last = f->side[d].last_ns;
	return pkt->ns > last ? pkt->ns : last;
}

/* --- handshake ----------------------------------------------------------------------------------
 */

bool tcp_starts_anew(const struct flow *f, const struct pkt *pkt, unsigned dir)
{
	const struct flow_tcp *me = &f->tcp[dir], *peer = &f->tcp[!dir];
	bool answer = (pkt->tcp_flags & TCP_ACK) != 0;

	if ((f->marks & FLOW_CLOSED) && !(answer && saw(me, TCP_SEEN_SYN) && pkt->seq == me->isn))
		return true;
	if (saw(me, TCP_SEEN_SYN))
		return pkt->seq != me->isn;
	/* The answer to a SYN that was seen, a SYN that comes after its answer, or a simultaneous
	 * open. */
	if (answer)
		return saw(me, TCP_SEEN_ANY) || !saw(peer, TCP_SEEN_SYN);
	if (saw(me, TCP_SEEN_ANSWER))
		return me->isn - pkt->seq > pkt->payload_len; /* data may be acknowledged too */
	return !(saw(peer, TCP_SEEN_SYN) && !saw(me, TCP_SEEN_ANY));
}

static uint8_t window_scale(const struct pkt *pkt)
{
	struct rd r = pkt->tcp_options;

	while (rd_more(&r)) {
		uint8_t kind = rd_u8(&r);

		if (kind == OPTION_END)
			break;
		if (kind == OPTION_NOP)
			continue;

		uint8_t size = rd_u8(&r);
		struct rd body = rd_bytes(&r, size < 2 ? SIZE_MAX : size - 2U);

		if (kind == OPTION_SCALE && body.left == 1)
			return body.p[0] < SCALE_MAX ? body.p[0] : (uint8_t)SCALE_MAX;
	}
	return 0;
}

static void set_rtt(struct flow *f, int64_t ns)
{
	f->rtt_ns = ns;
	f->tcp[0].seen &= (uint8_t)~TCP_SEEN_BOTH;
}

static void track_syn(struct flow *f, const struct pkt *pkt, unsigned dir)
{
	struct flow_tcp *t = &f->tcp[dir], *peer = &f->tcp[!dir];

	if (dir == 0 && pkt->number != f->part_number && f->rtt_ns == RTT_OPEN)
		set_rtt(f, RTT_UNKNOWN); /* sent again, or overtaken by its answer */
	if ((pkt->tcp_flags & TCP_ACK) && !saw(peer, TCP_SEEN_SYN | TCP_SEEN_ANSWER)) {
		peer->isn = pkt->ack - 1;
		peer->seen |= TCP_SEEN_ANSWER;
	}
	if (saw(t, TCP_SEEN_SYN)) {
		t->seen |= TCP_SEEN_SYN_TWICE;
		return;
	}
	t->isn = pkt->seq;
	t->seen |= TCP_SEEN_SYN;
	t->scale = window_scale(pkt);
	if (f->rtt_ns == RTT_OPEN && saw(peer, TCP_SEEN_SYN))
		f->tcp[0].seen |= TCP_SEEN_BOTH;
}

/* The first acknowledgement of the responder's SYN ends the handshake that the flow's first packet
 * began. */
static void track_rtt(struct flow *f, const struct pkt *pkt, unsigned dir)
{
	const struct flow_tcp *me = &f->tcp[0], *peer = &f->tcp[1];

	if (dir != 0 || !saw(me, TCP_SEEN_BOTH) || !(pkt->tcp_flags & TCP_ACK) ||
			distance(pkt->ack, peer->isn) <= 0)
		return;
	/* A SYN sent twice leaves open which one was answered (Karn). */
	bool once = !saw(me, TCP_SEEN_SYN_TWICE) && !saw(peer, TCP_SEEN_SYN_TWICE);

	set_rtt(f, once ? flow_time(f, pkt) - f->start_ns : RTT_UNKNOWN);
}

/* --- sequence space ------------------------------------------------------------------------------
 */

static inline uint64_t sum_of(const uint8_t *p, size_t left)
{
	uint64_t h = 0, factor = 0xbf58476d1ce4e5b9u, word;

	for (; left >= sizeof word; p += sizeof word, left -= sizeof word) {
		memcpy(&word, p, sizeof word);
		h += word * factor;
		factor += 0x3c6ef372fe94f82au;
	}
	if (left >= 4) {
		uint32_t last;

		memcpy(&last, p, sizeof last);
		h += last * 0x8cb92ba72f3d8dd7u;
	}
	return h;
}

static __attribute__((noinline)) uint64_t sum_of_any(struct rd options)
{
	return sum_of(options.p, options.left);
}

/*
 * Whether there are time stamps is as good as random from one flow's packet to the next, so nothing
 * branches on it.
 */
static inline uint64_t sum_of_options(const struct pkt *pkt)
{
	const uint64_t usual = (uint64_t)1 << STAMPED | 1;
	const struct rd options = pkt->tcp_options;
	const uint64_t some = -(uint64_t)(options.left != 0);
	const uintptr_t any = (uintptr_t)pkt; /* where there is something to read */

	if (options.left >= 64 || !(usual >> options.left & 1))
		return sum_of_any(options);
	return some &
	       sum_of((const uint8_t *)(any ^ ((any ^ (uintptr_t)options.p) & some)), STAMPED);
}

/*
 * What is the same in a packet and its copy from a mirror port, but not in a retransmission: the
 * upper half of a sum of products, each number with an odd factor of its own.
 */
static inline uint32_t print_of(const struct pkt *pkt)
{
	uint64_t h = (pkt->seq | (uint64_t)pkt->ack << 32) * 0x9e3779b97f4a7c15u;

	h += (pkt->payload_len | (uint64_t)pkt->ip_id << 32 | (uint64_t)pkt->window << 48) *
	     0xd6e8feb86659fd93u;
	h += pkt->tcp_flags * 0x94d049bb133111ebu;
	h += sum_of_options(pkt);
	return (uint32_t)(h >> 32);
}

/*
 * Without an IP identification or whole options (time stamps, SACK) two empty acknowledgements in a
 * row look alike and need not be copies.
 */
static bool can_tell_copies(const struct pkt *pkt, uint32_t end)
{
	return end != pkt->seq || pkt->ip_id != 0 ||
	       (pkt->tcp_options.left >= 10 && !(pkt->marks & PKT_TRUNCATED));
}

static bool is_duplicate(const struct flow *f, struct flow_tcp *t, const struct pkt *pkt,
		unsigned dir, uint32_t end, uint32_t print)
{
	bool same = print == t->print;

	t->print = print;
	return same && f->side[dir].packets > 0 && can_tell_copies(pkt, end) &&
	       flow_time(f, pkt) - f->side[dir].last_ns <= DUPLICATE_NS;
}

static bool is_keep_alive(const struct flow_tcp *t, const struct pkt *pkt)
{
	return pkt->payload_len <= 1 && pkt->seq == t->next - 1 &&
	       (pkt->tcp_flags & (TCP_SYN | TCP_FIN | TCP_RST | TCP_ACK)) == TCP_ACK;
}

static void hole_remove(struct tcp_holes *h, uint32_t i)
{
	memmove(&h->hole[i], &h->hole[i + 1], (h->count - i - 1) * sizeof h->hole[0]);
	h->count--;
}

static void hole_add(struct flow *f, unsigned dir, uint32_t from, uint32_t to, struct pool *pool)
{
	struct flow_extra *x = flow_need_extra(f, pool);
	struct flow_trouble *t = x == NULL ? NULL : &x->trouble[dir];

	f->marks |= FLOW_GAP;
	if (t != NULL && t->holes == NULL)
		t->holes = arena_zalloc(&f->arena, pool, sizeof *t->holes);
	if (t == NULL || t->holes == NULL) {
		f->marks |= FLOW_NO_MEMORY;
		return;
	}
	if (t->holes->count == LIMIT_TCP_HOLES) {
		f->marks |= FLOW_CAPPED;
		hole_remove(t->holes, 0);
	}
	t->holes->hole[t->holes->count].from = from;
	t->holes->hole[t->holes->count++].to = to;
}

/* Takes [from, to) out of the holes; returns how many bytes of it were missing. */
static uint32_t holes_fill(
		struct flow *f, unsigned dir, uint32_t from, uint32_t to, struct pool *pool)
{
	struct tcp_holes *h = f->extra == NULL ? NULL : f->extra->trouble[dir].holes;
	uint32_t filled = 0;

	for (uint32_t i = 0; h != NULL && i < h->count;) {
		uint32_t a = h->hole[i].from, b = h->hole[i].to;
		uint32_t low = distance(from, a) > 0 ? from : a;
		uint32_t high = distance(to, b) < 0 ? to : b;

		if (distance(high, low) <= 0) {
			i++;
			continue;
		}
		filled += high - low;
		if (low == a && high == b) {
			hole_remove(h, i);
			continue;
		}
		if (low == a) {
			h->hole[i].from = high;
		} else {
			h->hole[i].to = low;
			if (high != b) {
				/* The list is full and its first entry falls out: this one moves
				 * down. */
				bool full = h->count == LIMIT_TCP_HOLES;

				hole_add(f, dir, high, b, pool);
				if (full)
					continue;
			}
		}
		i++;
	}
	return filled;
}

/* A gap is marked while bytes are missing; one that fell to the cap stays marked. */
static void gap_mark(struct flow *f)
{
	bool open = false;

	for (unsigned d = 0; d < 2; d++) {
		const struct tcp_holes *h = f->extra == NULL ? NULL : f->extra->trouble[d].holes;

		open |= h != NULL && h->count > 0;
	}
	if (!open && !(f->marks & (FLOW_CAPPED | FLOW_NO_MEMORY)))
		f->marks &= ~(uint32_t)FLOW_GAP;
}

static enum tcp_class classify(struct flow *f, const struct pkt *pkt, unsigned dir, uint32_t end,
		struct pool *pool)
{
	struct flow_tcp *t = &f->tcp[dir];
	uint32_t before = t->next;
	int32_t ahead = distance(pkt->seq, before);

	if (ahead >= 0) {
		t->next = end;
		if (ahead == 0)
			return TCP_CLASS_NEW;
		hole_add(f, dir, before, pkt->seq, pool);
		return TCP_CLASS_GAP;
	}
	if (end == pkt->seq) /* nothing in it: an acknowledgement that was overtaken */
		return is_keep_alive(t, pkt) ? TCP_CLASS_KEEP_ALIVE : TCP_CLASS_NEW;
	if (is_keep_alive(t, pkt))
		return TCP_CLASS_KEEP_ALIVE;
	if ((pkt->tcp_flags & TCP_SYN) && !saw(t, TCP_SEEN_SYN)) /* overtaken by what it began */
		return TCP_CLASS_LATE;

	bool beyond = distance(end, before) > 0;
	uint32_t old = beyond ? before - pkt->seq : end - pkt->seq;
	uint32_t filled = holes_fill(f, dir, pkt->seq, beyond ? before : end, pool);

	if (beyond)
		t->next = end;
	if (filled > 0)
		gap_mark(f);
	if (filled == old)
		return TCP_CLASS_LATE;
	return beyond || filled > 0 ? TCP_CLASS_OVERLAP : TCP_CLASS_RETRANS;
}

static enum tcp_class sequence(struct flow *f, const struct pkt *pkt, unsigned dir, uint32_t print,
		struct pool *pool)
{
	struct flow_tcp *t = &f->tcp[dir];
	uint32_t end = end_of(pkt);
	bool copy = is_duplicate(f, t, pkt, dir, end, print);

	if (pkt->tcp_flags & TCP_RST) /* its number need not be the next one */
		return copy ? TCP_CLASS_DUPLICATE : TCP_CLASS_NEW;
	if (!saw(t, TCP_SEEN_ANY)) {
		t->seen |= TCP_SEEN_ANY;
		t->next = end;
		return TCP_CLASS_NEW;
	}
	return copy ? TCP_CLASS_DUPLICATE : classify(f, pkt, dir, end, pool);
}

static void count(struct flow *f, unsigned dir, enum tcp_class class, struct pool *pool)
{
	struct flow_extra *x = flow_need_extra(f, pool);

	if (x == NULL)
		return;

	struct flow_trouble *t = &x->trouble[dir];
	uint32_t *counter[TCP_CLASSES] = {
		[TCP_CLASS_GAP] = &t->gaps,
		[TCP_CLASS_LATE] = &t->late,
		[TCP_CLASS_OVERLAP] = &t->overlap,
		[TCP_CLASS_RETRANS] = &t->retrans,
		[TCP_CLASS_KEEP_ALIVE] = &t->keep_alive,
		[TCP_CLASS_DUPLICATE] = &t->duplicate,
	};

	if (*counter[class] < UINT32_MAX)
		++*counter[class];
	else
		f->marks |= FLOW_CAPPED;
}

/* --- close ---------------------------------------------------------------------------------------
 */

/* RFC 9293 3.10.7.4: a reset counts when it lies in the window of the one it is sent to. */
static bool reset_is_good(const struct flow *f, const struct pkt *pkt, unsigned dir)
{
	const struct flow_tcp *me = &f->tcp[dir], *peer = &f->tcp[!dir];

	if (!saw(me, TCP_SEEN_ANY)) /* answers the peer's first segments: then it acknowledges them
				     */
		return !(pkt->tcp_flags & TCP_ACK) || !saw(peer, TCP_SEEN_ANY) ||
		       pkt->ack == peer->next;

	uint32_t low = me->next, window = (uint32_t)peer->window << peer->scale;

	if (saw(peer, TCP_SEEN_ACK) && distance(peer->acked, low) < 0)
		low = peer->acked;
	return distance(pkt->seq, low) >= 0 &&
	       distance(pkt->seq, me->next) <= (int32_t)(window > 0 ? window : 1);
}

static void track_ack(struct flow *f, const struct pkt *pkt, unsigned dir)
{
	struct flow_tcp *me = &f->tcp[dir], *peer = &f->tcp[!dir];

	if (!(pkt->tcp_flags & TCP_ACK))
		return;
	if (!saw(me, TCP_SEEN_ACK) || distance(pkt->ack, me->acked) > 0)
		me->acked = pkt->ack;
	me->seen |= TCP_SEEN_ACK;
	if (saw(peer, TCP_SEEN_FIN) && distance(pkt->ack, peer->fin) >= 0)
		peer->seen |= TCP_SEEN_FIN_ACKED;
}

static void track_close(struct flow *f, const struct pkt *pkt, unsigned dir, bool reset)
{
	struct flow_tcp *me = &f->tcp[dir], *peer = &f->tcp[!dir];

	if ((pkt->tcp_flags & TCP_FIN) && !saw(me, TCP_SEEN_FIN)) {
		me->fin = end_of(pkt);
		me->seen |= TCP_SEEN_FIN;
		if (saw(peer, TCP_SEEN_ACK) && distance(peer->acked, me->fin) >= 0)
			me->seen |= TCP_SEEN_FIN_ACKED; /* the acknowledgement overtook it */
	}
	if (reset || (saw(me, TCP_SEEN_FIN_ACKED) && saw(peer, TCP_SEEN_FIN_ACKED)))
		f->marks |= FLOW_CLOSED;
}

static __attribute__((noinline)) enum tcp_class track_any(struct flow *f, const struct pkt *pkt,
		unsigned dir, uint32_t print, struct pool *pool)
{
	struct flow_tcp *me = &f->tcp[dir];
	bool reset = (pkt->tcp_flags & TCP_RST) && reset_is_good(f, pkt, dir);
	enum tcp_class class = sequence(f, pkt, dir, print, pool);

	if (class != TCP_CLASS_NEW)
		count(f, dir, class, pool);
	if ((pkt->tcp_flags & TCP_SYN) && class != TCP_CLASS_DUPLICATE)
		track_syn(f, pkt, dir);
	track_ack(f, pkt, dir);
	track_rtt(f, pkt, dir);
	track_close(f, pkt, dir, reset);
	me->window = pkt->window;
	return class;
}

/*
 * Most segments: the next bytes, or a new acknowledgement, of a connection that nobody opens or
 * closes.  Bytes that come next cannot be those that came before, so they are no duplicate.
 */
static inline bool goes_on(
		const struct flow *f, const struct pkt *pkt, unsigned dir, uint32_t print)
{
	const struct flow_tcp *me = &f->tcp[dir];
	unsigned flags = pkt->tcp_flags & (TCP_FIN | TCP_SYN | TCP_RST | TCP_ACK);
	unsigned seen = me->seen & (TCP_SEEN_ANY | TCP_SEEN_ACK | TCP_SEEN_BOTH);
	unsigned ends = f->tcp[!dir].seen & TCP_SEEN_FIN;

	return ((flags ^ TCP_ACK) | (pkt->seq ^ me->next) | (seen ^ (TCP_SEEN_ANY | TCP_SEEN_ACK)) |
			       ends) == 0 &&
	       ((pkt->payload_len > 0) | (print != me->print));
}

enum tcp_class tcp_track(struct flow *f, const struct pkt *pkt, unsigned dir, struct pool *pool)
{
	struct flow_tcp *me = &f->tcp[dir];
	uint32_t print = print_of(pkt);

	if (!goes_on(f, pkt, dir, print))
		return track_any(f, pkt, dir, print, pool);
	me->print = print;
	me->next += pkt->payload_len;
	me->acked = distance(pkt->ack, me->acked) > 0 ? pkt->ack : me->acked;
	me->window = pkt->window;
	return TCP_CLASS_NEW;
}

void tcp_inherit(struct flow *to, const struct flow *from, struct pool *pool)
{
	for (unsigned d = 0; d < 2; d++) {
		const struct tcp_holes *h =
				from->extra == NULL ? NULL : from->extra->trouble[d].holes;

		to->tcp[d] = from->tcp[d];
		for (uint32_t i = 0; h != NULL && i < h->count; i++)
			hole_add(to, d, h->hole[i].from, h->hole[i].to, pool);
	}
	to->tcp[0].seen &= (uint8_t)~TCP_SEEN_BOTH; /* the first part tells it, or nobody */
}
