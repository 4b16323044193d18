/* SPDX-License-Identifier: BSD-3-Clause */
/* calls.c - the lists of calls, and the loop that works them off. */
#include "engine/calls.h"

#include <stdlib.h>
#include <string.h>

#include "feature/journal.h"
#include "feature/trail.h"
#include "flow/stream.h"
#include "flow/table.h"

/*
 * The journal's tag has the bits of features that have seen enough.  When it was outgrown, it has
 * the room OUTGROWN and points to the states of those that wait.
 */
struct view {
	struct journal journal;
	/* the other states follow */
};

struct calls_journal {
	struct journal_packet packet[JOURNAL_PACKETS];
};

enum { OUTGROWN = UINT16_MAX, BITS_MAX = 32 };

_Static_assert((int)REGISTRY_MAX <= (int)BITS_MAX, "a bit for each feature");

static bool is_done(const struct view *v, const struct call *call)
{
	return (v->journal.tag & call->bit) != 0;
}

static void set_done(struct view *v, const struct call *call)
{
	v->journal.tag |= call->bit;
}

/* The states of those that wait; NULL while the journal has all packets. */
static char *later_states(const struct view *v)
{
	return v->journal.room == OUTGROWN ? (char *)v->journal.p : NULL;
}

static void set_later_states(struct view *v, void *states)
{
	v->journal = (struct journal){ .p = states, .room = OUTGROWN, .tag = v->journal.tag };
}

static void add_to_lists(struct call_lists *lists, size_t i, uint32_t wants)
{
	for (unsigned kind = 0; kind < CALL_KINDS; kind++)
		if (wants & kind)
			lists->of[kind] |= (uint32_t)1 << i;
}

static void add_to_streams(struct calls *c, size_t i)
{
	struct call *call = &c->call[i];

	call->stream_bytes = call->feature->stream_bytes(&call->env);
	c->stream[c->stream_count++] = (uint8_t)i;
	c->stream_bits |= call->bit;
}

/* A journal is no gain when all who could wait keep less than it does. */
static bool worth_waiting(const struct registry *r)
{
	size_t size = 0;

	for (size_t i = 0; i < r->on_count; i++)
		size += r->on[i]->later ? r->on_size[i] : 0;
	return size > sizeof(struct journal) + sizeof(struct trail);
}

static void add_fetches(struct calls *c, size_t offset, size_t count)
{
	for (size_t i = 0; i < count && c->fetch_count < FETCH_MAX; i++)
		c->fetch[c->fetch_count++] = (uint16_t)(offset + i * sizeof(void *));
}

static void add_call(struct calls *c, const struct registry *r, size_t i, struct feature_env env)
{
	struct call *call = &c->call[i];
	size_t *size = call->later ? &c->later_size : &c->view_size;

	call->feature = r->on[i];
	call->update = r->on[i]->update;
	call->env = env;
	call->env.options = r->on_options[i];
	call->bit = (uint32_t)1 << i;
	call->reads = r->on_reads[i];
	call->offset = *size;
	*size += r->on_size[i];
	if (call->later)
		c->later_bits |= call->bit;
	else if (r->on_size[i] > 0)
		add_fetches(c, call->offset, call->feature->pointers);
	if (r->on[i]->leave != NULL)
		c->leaving[c->leaving_count++] = (uint8_t)i;
	if (r->on[i]->fetch != NULL && !call->later)
		c->fetching[c->fetching_count++] = (uint8_t)i;
	if (r->on[i]->record != NULL)
		c->whole[c->whole_count++] = (uint8_t)i;
	c->tables[i] = r->tables[i];
	add_to_lists(call->later ? &c->later : &c->now, i, r->on_wants[i]);
	if (r->on_wants[i] & WANT_STREAM)
		add_to_streams(c, i);
}

void calls_build(
		struct calls *c, const struct registry *r, struct pool *pool, struct arena *scratch)
{
	struct feature_env env = { .conf = &r->core, .pool = pool, .scratch = scratch };
	const bool wait = worth_waiting(r);
	bool needed = wait;

	*c = (struct calls){ .count = r->on_count,
		.views = r->core.bidir ? 1 : 2,
		.view_size = sizeof(struct view) };
	if (wait)
		add_fetches(c, offsetof(struct view, journal.p), 1);
	for (size_t i = 0; i < r->on_count; i++) {
		c->call[i].later = wait && r->on[i]->later;
		add_call(c, r, i, env);
		needed |= r->on_wants[i] != 0 || r->on_size[i] > 0;
	}
	if (!needed)
		c->view_size = 0;
}

bool calls_make_workers(struct calls *c, struct err *e)
{
	if (c->later_size > 0 && (c->journal = malloc(sizeof *c->journal)) == NULL)
		return err_set(e, "no memory for the packets of a flow");
	for (size_t i = 0; i < c->count; i++) {
		struct call *call = &c->call[i];

		if (call->feature->worker_new != NULL) {
			call->env.worker = call->feature->worker_new();
			if (call->env.worker == NULL)
				return err_set(e, "no memory for %s", call->feature->name);
		} else {
			call->env.worker = c->call[call->reads].env.worker;
		}
		call->env.read_worker = c->call[call->reads].env.worker;
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

void calls_set_file(struct calls *c, const char *file)
{
	for (size_t i = 0; i < c->count; i++)
		c->call[i].env.file = file;
}

void calls_free_workers(struct calls *c)
{
	free(c->journal);
	c->journal = NULL;
	for (size_t i = 0; i < c->count; i++) {
		struct call *call = &c->call[i];

		if (call->feature->worker_free != NULL)
			call->feature->worker_free(call->env.worker);
		call->env.worker = call->env.read_worker = NULL;
	}
}

static struct view *view_at(const struct calls *c, const struct flow *f, unsigned out)
{
	char *views = flow_states((struct flow *)(uintptr_t)f);

	return (struct view *)(void *)(views + (c->views == 1 ? 0 : out) * c->view_size);
}

static void *state_in(const struct view *v, const struct call *call)
{
	if (!call->later)
		return (char *)(uintptr_t)v + call->offset;
	return later_states(v) == NULL ? NULL : later_states(v) + call->offset;
}

void *calls_state(const struct calls *c, const struct flow *f, size_t i, unsigned out)
{
	return state_in(view_at(c, f, out), &c->call[i]);
}

void calls_fetch_whole(const struct calls *c, const struct flow *f, bool near)
{
	for (size_t n = 0; n < c->fetching_count; n++) {
		const struct call *call = &c->call[c->fetching[n]];

		for (unsigned out = 0; out < c->views; out++)
			call->feature->fetch(calls_state(c, f, c->fetching[n], out), near);
	}
}

/* How many packets there are for those that wait; 0 when they have states. */
static size_t read_journal(const struct calls *c, const struct view *v, const struct flow *f)
{
	if (c->later_size == 0 || later_states(v) != NULL)
		return 0;
	return journal_list(&v->journal, f, c->journal->packet);
}

static inline bool finish(const struct calls *c, size_t i, const struct view *v, size_t packets,
		const struct flow_view *view, void *out)
{
	const struct call *call = &c->call[i];
	const void *state = state_in(v, call);

	if (state == NULL)
		return call->feature->at_once(c->journal->packet, packets, &call->env, view, out);
	if (call->feature->finish == NULL)
		return false;
	if (call->reads == i)
		return call->feature->finish(state, &call->env, view, out);

	struct feature_env env = call->env;

	env.read = state_in(v, &c->call[call->reads]);
	return call->feature->finish(state, &env, view, out);
}

bool calls_finish(const struct calls *c, size_t i, const struct flow_view *view, void *out)
{
	const struct view *v = view_at(c, view->flow, view->out);

	return finish(c, i, v, c->call[i].later ? read_journal(c, v, view->flow) : 0, view, out);
}

void calls_finish_all(const struct calls *c, const struct flow_view *view, const void **data,
		char *const *outs)
{
	const struct view *v = view_at(c, view->flow, view->out);
	const size_t packets = read_journal(c, v, view->flow);

	for (size_t i = 0; i < c->count; i++)
		data[i] = finish(c, i, v, packets, view, outs[i]) ? outs[i] : NULL;
}

void calls_record(const struct calls *c, const struct flow_view *view, const void **data,
		char *const *outs)
{
	const struct feature_record record = { c->tables, data, c->count };

	for (size_t n = 0; n < c->whole_count; n++) {
		const size_t i = c->whole[n];
		const struct call *call = &c->call[i];

		data[i] = call->feature->record(&call->env, view, &record, outs[i]) ? outs[i]
										    : NULL;
	}
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

		if (is_done(v, call) || offset >= call->stream_bytes)
			continue;

		struct rd part = rd_first(bytes, (size_t)(call->stream_bytes - offset));

		if (call->feature->stream((char *)v + call->offset, &call->env, f, pkt,
				    c->views == 1 ? dir : 0, part, offset) == DONE)
			set_done(v, call);
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

		if (!is_done(v, call) && call->stream_bytes > demand)
			demand = call->stream_bytes;
	}
	return demand;
}

static void show_stream(const struct calls *c, const struct view *v, struct flow *f,
		const struct pkt *pkt, struct pool *pool)
{
	uint64_t demand = 0;

	if ((v->journal.tag & c->stream_bits) != c->stream_bits)
		demand = stream_demand(c, v);
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

/* Shows a packet to the features of a list; 'states': what their offsets count from. */
static inline void show(const struct calls *c, const struct call_lists *lists, struct view *v,
		char *states, struct flow *f, const struct pkt *pkt)
{
	uint32_t left = lists->of[kind_of(pkt)] & ~v->journal.tag;

	for (; left != 0; left &= left - 1) {
		const struct call *call = &c->call[__builtin_ctz(left)];

		if (call->update(states + call->offset, &call->env, f, pkt) == DONE)
			set_done(v, call);
	}
}

/* Shows the packets of a journal to those that wait; the view has their states by now. */
static void replay(const struct calls *c, struct view *v, const struct journal *j, struct flow *f)
{
	const size_t n = journal_list(j, f, c->journal->packet);
	struct pkt pkt;

	v->journal.tag &= ~c->later_bits;
	for (size_t i = 0; i < n; i++) {
		journal_show(&c->journal->packet[i], f->key.proto, &pkt);
		show(c, &c->later, v, later_states(v), f, &pkt);
	}
}

/* The journal is full: from now on those that wait see packets as they come. */
static void end_journal(const struct calls *c, struct view *v, struct flow *f, struct pool *pool)
{
	const struct journal full = v->journal;
	void *states = arena_zalloc(&f->arena, pool, c->later_size);

	if (states == NULL) {
		f->marks |= FLOW_NO_MEMORY;
		v->journal.tag |= c->later_bits;
		return;
	}
	set_later_states(v, states);
	replay(c, v, &full, f);
	arena_drop(&f->arena, pool, full.p);
}

static void show_later(const struct calls *c, struct view *v, struct flow *f, const struct pkt *pkt,
		struct pool *pool)
{
	if ((v->journal.tag & c->later_bits) == c->later_bits)
		return;
	if (later_states(v) == NULL) {
		if (journal_add(&v->journal, pool, f, pkt))
			return;
		end_journal(c, v, f, pool);
	}
	if (later_states(v) != NULL)
		show(c, &c->later, v, later_states(v), f, pkt);
}

void calls_view_packet(const struct calls *c, struct flow *f, struct pkt *pkt, struct pool *pool)
{
	struct view *v = view_at(c, f, pkt->dir);

	if (c->stream_count > 0)
		show_stream(c, v, f, pkt, pool);
	if (c->views > 1)
		pkt->dir = 0; /* the view knows one direction only, and calls it "out" */
	show(c, &c->now, v, (char *)v, f, pkt);
	if (c->later_size > 0)
		show_later(c, v, f, pkt, pool);
}
