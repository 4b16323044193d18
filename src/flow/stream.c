/* SPDX-License-Identifier: BSD-3-Clause */
/* stream.c - in-order delivery of a bounded prefix of each direction. */
#include "flow/stream.h"

#include <string.h>

struct pending {
	struct pending *next; /* sorted by seq; ranges do not overlap */
	uint32_t seq, size;
	uint8_t bytes[];
};

struct flow_stream {
	struct stream_side {
		uint64_t offset;  /* bytes handed on */
		uint32_t next;    /* sequence number of the next byte */
		uint32_t waiting; /* bytes of what is pending, and of its heads */
		bool started, closed;
		struct pending *pending, *last;
	} side[2];
};

static int32_t distance(uint32_t a, uint32_t b)
{
	return (int32_t)(a - b);
}

static void drop_all(struct flow *f, struct stream_side *s, struct pool *pool)
{
	for (struct pending *p = s->pending, *next; p != NULL; p = next) {
		next = p->next;
		arena_drop(&f->arena, pool, p);
	}
	s->pending = s->last = NULL;
	s->waiting = 0;
	s->closed = true;
}

/* A copy of [seq, seq + size) in front of 'before'. */
static bool hold(struct flow *f, struct stream_side *s, struct pending **at, uint32_t seq,
		struct rd bytes, struct pool *pool)
{
	size_t size = sizeof(struct pending) + bytes.left;
	struct pending *p = NULL;

	if (s->waiting + size <= LIMIT_STREAM_PENDING)
		p = arena_alloc(&f->arena, pool, size);
	if (p == NULL)
		return false;
	p->next = *at;
	p->seq = seq;
	p->size = (uint32_t)bytes.left;
	memcpy(p->bytes, bytes.p, bytes.left);
	s->waiting += (uint32_t)size;
	*at = p;
	if (p->next == NULL)
		s->last = p;
	return true;
}

/* Keeps the parts of an early segment that nobody holds yet: the first copy stays. */
static bool hold_new_parts(struct flow *f, struct stream_side *s, uint32_t seq, struct rd bytes,
		struct pool *pool)
{
	struct pending **at = &s->pending;

	/* Behind all of them is where most belong: then none has to be passed. */
	if (*at != NULL && distance(s->last->seq + s->last->size, seq) <= 0)
		at = &s->last->next;
	while (bytes.left > 0) {
		while (*at != NULL && distance((*at)->seq + (*at)->size, seq) <= 0)
			at = &(*at)->next;

		size_t room = bytes.left;

		if (*at != NULL) {
			int32_t gap = distance((*at)->seq, seq);

			if (gap <= 0) { /* the beginning is held already */
				uint32_t held = (*at)->seq + (*at)->size - seq;
				uint32_t skip = held < bytes.left ? held : (uint32_t)bytes.left;

				rd_bytes(&bytes, skip);
				seq += skip;
				continue;
			}
			if ((size_t)gap < room)
				room = (size_t)gap;
		}
		if (!hold(f, s, at, seq, rd_bytes(&bytes, room), pool))
			return false;
		seq += (uint32_t)room;
	}
	return true;
}

struct delivery {
	struct flow *f;
	const struct pkt *pkt;
	unsigned dir;
	uint64_t demand;
	stream_taker *take;
	void *ctx;
};

/* Hands on what begins at 's->next'; false when this direction is done. */
static bool deliver(const struct delivery *d, struct stream_side *s, struct rd bytes)
{
	struct rd wanted = rd_first(bytes, (size_t)(d->demand - s->offset));
	uint64_t offset = s->offset;

	s->next += (uint32_t)bytes.left;
	s->offset += wanted.left;
	if (wanted.left > 0 && !d->take(d->ctx, d->f, d->pkt, d->dir, wanted, offset))
		return false;
	return s->offset < d->demand;
}

/* Whatever waited for the bytes just delivered. */
static bool deliver_pending(const struct delivery *d, struct stream_side *s, struct pool *pool)
{
	bool more = true;

	while (more && s->pending != NULL && distance(s->pending->seq, s->next) <= 0) {
		struct pending *p = s->pending;
		uint32_t seen = s->next - p->seq;

		if (seen < p->size)
			more = deliver(d, s, (struct rd){ p->bytes + seen, p->size - seen });
		s->pending = p->next;
		s->waiting -= (uint32_t)sizeof *p + p->size;
		arena_drop(&d->f->arena, pool, p);
	}
	return more;
}

/* A SYN that other segments of its direction overtook: what lies between was not seen yet. */
static bool is_late_syn(const struct flow *f, const struct pkt *pkt)
{
	return (pkt->tcp_flags & TCP_SYN) && pkt->tcp_class == TCP_CLASS_LATE && f->part == 1;
}

/*
 * Where a direction stands when reassembly begins: behind what was handed on straight away, or,
 * without a SYN, where the capture comes in.
 */
static void start(const struct flow *f, struct stream_side *s, const struct pkt *pkt, unsigned dir)
{
	const struct flow_tcp *t = &f->tcp[dir];

	s->started = true;
	s->next = pkt->seq + ((pkt->tcp_flags & TCP_SYN) != 0);
	if ((t->seen & TCP_SEEN_SYN) != 0 && f->part == 1 && !is_late_syn(f, pkt)) {
		s->next = pkt->tcp_next;
		s->offset = s->next - (t->isn + 1);
	}
}

/*
 * A FIN ends the stream: what claims its number, or one behind it, is not of it.  'next': of the
 * stream; one that begins behind a FIN is another connection's.
 */
static struct rd before_fin(const struct delivery *d, uint32_t next)
{
	const struct flow_tcp *t = &d->f->tcp[d->dir];
	uint32_t seq = d->pkt->seq + ((d->pkt->tcp_flags & TCP_SYN) != 0);
	int32_t room = distance(t->fin - 1, seq);

	if (!(t->seen & TCP_SEEN_FIN) || distance(next, t->fin) >= 0)
		return d->pkt->payload;
	return rd_first(d->pkt->payload, room > 0 ? (size_t)room : 0);
}

/* Takes a segment into reassembly. */
static void reassemble(const struct delivery *d, struct stream_side *s, struct pool *pool)
{
	struct flow *f = d->f;
	uint32_t seq = d->pkt->seq + ((d->pkt->tcp_flags & TCP_SYN) != 0);
	struct rd bytes = before_fin(d, s->next);
	int32_t ahead = distance(seq, s->next);

	if (ahead < 0) { /* its beginning was handed on before */
		if ((uint32_t)-ahead >= bytes.left)
			return;
		rd_bytes(&bytes, (uint32_t)-ahead);
		ahead = 0;
	}
	if (s->offset + (uint32_t)ahead >= d->demand)
		return;
	/* Early, or over bytes that came before it: it waits with them, behind the first copies. */
	if (ahead > 0 || s->pending != NULL) {
		uint32_t from = ahead > 0 ? seq : s->next;

		if (!hold_new_parts(f, s, from, bytes, pool)) {
			f->marks |= FLOW_CAPPED;
			drop_all(f, s, pool);
		} else if (!deliver_pending(d, s, pool)) {
			drop_all(f, s, pool);
		}
		return;
	}
	if (bytes.left > 0 && !deliver(d, s, bytes))
		drop_all(f, s, pool);
}

/*
 * As long as a connection that was seen from its SYN on has no gap (of bytes that were not sent by
 * here, or not captured), its bytes need no state: the sequence number tells the offset.
 */
static bool pass_straight(const struct delivery *d)
{
	const struct flow_tcp *t = &d->f->tcp[d->dir];
	uint32_t seq = d->pkt->seq + ((d->pkt->tcp_flags & TCP_SYN) != 0);
	uint64_t offset = d->pkt->tcp_next - (t->isn + 1);
	struct rd bytes = before_fin(d, t->isn + 1);

	if (!(t->seen & TCP_SEEN_SYN) || d->f->part != 1 ||
			d->pkt->payload.left < d->pkt->payload_len)
		return false;
	if (distance(seq, d->pkt->tcp_next) > 0) /* a gap; beyond the demand it does not matter */
		return offset >= d->demand;
	rd_bytes(&bytes, d->pkt->tcp_next - seq);
	if (offset < d->demand && bytes.left > 0)
		d->take(d->ctx, d->f, d->pkt, d->dir, rd_first(bytes, (size_t)(d->demand - offset)),
				offset);
	return true;
}

/*
 * Without payload only two segments matter: one behind a gap, of bytes that seemed to be the next
 * to come, and a late SYN, because it says where the stream begins.
 */
static bool ends_straight(const struct flow *f, const struct pkt *pkt, unsigned dir)
{
	bool from_syn = (f->tcp[dir].seen & TCP_SEEN_SYN) && f->part == 1;

	return is_late_syn(f, pkt) || (pkt->tcp_class == TCP_CLASS_GAP && from_syn);
}

void stream_packet(struct flow *f, const struct pkt *pkt, unsigned dir, uint64_t demand,
		struct pool *pool, stream_taker *take, void *ctx)
{
	struct delivery d = { f, pkt, dir, demand, take, ctx };
	struct flow_extra *x = f->extra;

	if (pkt->payload_len == 0 && !ends_straight(f, pkt, dir))
		return;
	if ((x == NULL || x->stream == NULL) && !is_late_syn(f, pkt) && pass_straight(&d))
		return;
	x = flow_need_extra(f, pool);
	if (x != NULL && x->stream == NULL)
		x->stream = arena_zalloc(&f->arena, pool, sizeof *x->stream);
	if (x == NULL || x->stream == NULL) {
		f->marks |= FLOW_NO_MEMORY;
		return;
	}

	struct stream_side *s = &x->stream->side[dir];

	if (!s->started)
		start(f, s, pkt, dir);
	if (!s->closed)
		reassemble(&d, s, pool);
}
