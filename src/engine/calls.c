/* SPDX-License-Identifier: BSD-3-Clause */
/* calls.c - the lists of calls, and the loop that works them off. */
#include "engine/calls.h"

#include "flow/stream.h"
#include "flow/table.h"

struct view {
	uint64_t done; /* bits of features that have seen enough */
		       /* their states follow */
};

static void add_to_lists(struct calls *c, size_t i, uint32_t wants)
{

	for (unsigned kind = 0; kind < CALL_KINDS; kind++)
		if (wants & kind)
			c->list[kind][c->list_count[kind]++] = (uint8_t)i;
	if (wants & WANT_STREAM) {
		uint64_t bytes = c->call[i].feature->stream_bytes(&c->call[i].env);

		c->call[i].stream_bytes = bytes;
		if (bytes > c->stream_demand)
			c->stream_demand = bytes;
		c->stream[c->stream_count++] = (uint8_t)i;
	}
}

void calls_build(
		struct calls *c, const struct registry *r, struct pool *pool, struct arena *scratch)
{
	bool needed = r->states_size > 0;

	*c = (struct calls){ .count = r->on_count, .views = r->core.bidir ? 1 : 2 };
	for (size_t i = 0; i < r->on_count; i++) {
		c->call[i] = (struct call){
			.feature = r->on[i],
			.update = r->on[i]->update,
			.env = { &r->core, r->on_options[i], pool, scratch },
			.offset = sizeof(struct view) + r->on_offset[i],
			.bit = (uint64_t)1 << i,
		};
		needed |= r->on_wants[i] != 0;
		add_to_lists(c, i, r->on_wants[i]);
	}
	c->view_size = needed ? sizeof(struct view) + r->states_size : 0;
}

static struct view *view_at(const struct calls *c, const struct flow *f, unsigned out)
{
	char *views = flow_states((struct flow *)(uintptr_t)f);

	return (struct view *)(void *)(views + (c->views == 1 ? 0 : out) * c->view_size);
}

const void *calls_state(const struct calls *c, const struct flow *f, size_t i, unsigned out)
{
	return (const char *)view_at(c, f, out) + c->call[i].offset;
}

/* --- in-order bytes
 * ------------------------------------------------------------------------------- */

static bool take_stream(void *ctx, struct flow *f, const struct pkt *pkt, unsigned dir,
		struct rd bytes, uint64_t offset)
{
	const struct calls *c = ctx;
	struct view *v = view_at(c, f, dir);
	bool more = false;

	for (size_t n = 0; n < c->stream_count; n++) {
		const struct call *call = &c->call[c->stream[n]];

		if ((v->done & call->bit) || offset >= call->stream_bytes)
			continue;

		struct rd part = rd_first(bytes, (size_t)(call->stream_bytes - offset));

		if (call->feature->stream((char *)v + call->offset, &call->env, f, pkt,
				    c->views == 1 ? dir : 0, part, offset) == DONE)
			v->done |= call->bit;
		else
			more |= offset + part.left < call->stream_bytes;
	}
	return more;
}

static void show_stream(
		const struct calls *c, struct flow *f, const struct pkt *pkt, struct pool *pool)
{
	if (pkt->proto == PROTO_TCP)
		stream_packet(f, pkt, pkt->dir, c->stream_demand, pool, take_stream,
				(void *)(uintptr_t)c);
	else if (pkt->payload.left > 0)
		take_stream((void *)(uintptr_t)c, f, pkt, pkt->dir, pkt->payload,
				f->side[pkt->dir].payload_bytes - pkt->payload_len);
}

/* --- packets
 * -------------------------------------------------------------------------------------- */

static unsigned kind_of(const struct pkt *pkt)
{
	unsigned kind = WANT_PACKET;

	if (pkt->payload_len > 0)
		kind |= WANT_DATA;
	if (pkt_is_segment(pkt))
		kind |= WANT_TCP;
	else if (pkt->proto == PROTO_ICMP || pkt->proto == PROTO_ICMPV6)
		kind |= WANT_ICMP;
	return kind;
}

void calls_packet(const struct calls *c, struct flow *f, struct pkt *pkt, struct pool *pool)
{
	if (c->view_size == 0)
		return;

	unsigned kind = kind_of(pkt);
	struct view *v = view_at(c, f, pkt->dir);

	if (c->stream_count > 0)
		show_stream(c, f, pkt, pool);
	if (c->views > 1) { /* the view knows one direction only, and calls it "out" */
		pkt->dir = 0;
		pkt->ipt_ns = pkt->ipt_dir_ns;
	}
	for (unsigned n = 0; n < c->list_count[kind]; n++) {
		const struct call *call = &c->call[c->list[kind][n]];

		if (v->done & call->bit)
			continue;
		if (call->update((char *)v + call->offset, &call->env, f, pkt) == DONE)
			v->done |= call->bit;
	}
}
