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
			.env = { .conf = &r->core,
					.options = r->on_options[i],
					.pool = pool,
					.scratch = scratch },
			.offset = sizeof(struct view) + r->on_offset[i],
			.bit = (uint64_t)1 << i,
			.reads = r->on_reads[i],
		};
		if (r->on[i]->leave != NULL)
			c->leaving[c->leaving_count++] = (uint8_t)i;
		needed |= r->on_wants[i] != 0;
		add_to_lists(c, i, r->on_wants[i]);
	}
	c->view_size = needed ? sizeof(struct view) + r->states_size : 0;
}

bool calls_make_workers(struct calls *c, struct err *e)
{
	for (size_t i = 0; i < c->count; i++) {
		struct call *call = &c->call[i];

		if (call->feature->worker_new != NULL) {
			call->env.worker = call->feature->worker_new();
			if (call->env.worker == NULL)
				return err_set(e, "no memory for %s", call->feature->name);
		} else {
			call->env.worker = c->call[call->reads].env.worker;
		}
	}
	return true;
}

size_t calls_worker_memory(const struct calls *c)
{
	size_t bytes = 0;

	for (size_t i = 0; i < c->count; i++)
		if (c->call[i].feature->worker_memory != NULL)
			bytes += c->call[i].feature->worker_memory(c->call[i].env.worker);
	return bytes;
}

void calls_free_workers(struct calls *c)
{
	for (size_t i = 0; i < c->count; i++) {
		struct call *call = &c->call[i];

		if (call->feature->worker_free != NULL)
			call->feature->worker_free(call->env.worker);
		call->env.worker = NULL;
	}
}

static struct view *view_at(const struct calls *c, const struct flow *f, unsigned out)
{
	char *views = flow_states((struct flow *)(uintptr_t)f);

	return (struct view *)(void *)(views + (c->views == 1 ? 0 : out) * c->view_size);
}

void *calls_state(const struct calls *c, const struct flow *f, size_t i, unsigned out)
{
	return (char *)view_at(c, f, out) + c->call[i].offset;
}

bool calls_finish(const struct calls *c, size_t i, const struct flow_view *view, void *out)
{
	const struct call *call = &c->call[i];
	struct feature_env env = call->env;

	if (call->feature->finish == NULL)
		return false;
	env.read = calls_state(c, view->flow, call->reads, view->out);
	return call->feature->finish(calls_state(c, view->flow, i, view->out), &env, view, out);
}

void calls_leave(const struct calls *c, struct flow *f)
{
	for (size_t n = 0; n < c->leaving_count; n++) {
		const struct call *call = &c->call[c->leaving[n]];

		for (unsigned out = 0; out < c->views; out++)
			call->feature->leave(calls_state(c, f, c->leaving[n], out), &call->env);
	}
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

/* How many bytes of a direction are wanted by those who have not seen enough: for the others
 * nothing is put together. */
static uint64_t stream_demand(const struct calls *c, const struct view *v)
{
	uint64_t demand = 0;

	for (size_t n = 0; n < c->stream_count; n++) {
		const struct call *call = &c->call[c->stream[n]];

		if (!(v->done & call->bit) && call->stream_bytes > demand)
			demand = call->stream_bytes;
	}
	return demand;
}

static void show_stream(const struct calls *c, const struct view *v, struct flow *f,
		const struct pkt *pkt, struct pool *pool)
{
	uint64_t demand = stream_demand(c, v);

	if (demand == 0)
		return;
	if (pkt->proto == PROTO_TCP)
		stream_packet(f, pkt, pkt->dir, demand, pool, take_stream, (void *)(uintptr_t)c);
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
		show_stream(c, v, f, pkt, pool);
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
