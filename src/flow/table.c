/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.c - find or start a flow, count a packet, let flows go in their order.
 *
 * The index finds a flow, the slab holds it, the wheel ends it.  A flow whose time is over is taken
 * out of the index at once (so its key is free for the next flow) but stays in the wheel until its
 * slot comes up: there flows are sorted by leaving time, and that order is the output's.
 */
#include "flow/table.h"

#include <stdlib.h>
#include <string.h>

#include "flow/due.h"
#include "flow/index.h"
#include "flow/key.h"
#include "flow/tcp.h"

enum {
	FIRST_BUCKETS = 256,
	EVICT_BATCH = 64,
	RELIEF_BATCHES = 8, /* for one packet, at most */
	LINE = 64,
	LEAVE_AHEAD = 4, /* flows fetched before their turn to leave */
	LEAVE_SOON = 2,  /* ... and what they point to */
};

struct table {
	struct table_conf conf;
	uint64_t seed;
	struct slab flows;
	struct index index;
	struct wheel wheel;
	struct pool *pool;
	int64_t clock_ns;
	bool started;
	uint32_t pinned; /* not to be evicted at the moment */
	struct due *due; /* a slot's flows while they are sorted */
	size_t due_room;
	struct table_stats stats;
};

_Static_assert(sizeof(struct flow) <= 4 * LINE, "a plain flow is four cache lines");

/* --- making and freeing
 * --------------------------------------------------------------------------- */

struct table *table_new(const struct table_conf *conf, struct err *e)
{
	struct table *t = calloc(1, sizeof *t);
	size_t object = (sizeof(struct flow) + conf->state_size + LINE - 1) / LINE * LINE;
	uint64_t capacity = conf->memory / 4 * 3 / object;

	if (t == NULL || (t->pool = pool_new()) == NULL) {
		free(t);
		err_set(e, "no memory for the flow table");
		return NULL;
	}
	t->conf = *conf;
	t->pinned = SLAB_NONE;
	t->seed = conf->seed != 0 ? conf->seed : hash_seed();
	if (capacity >= SLAB_NONE)
		capacity = SLAB_NONE - 1;
	if (!slab_init(&t->flows, object, (uint32_t)capacity) ||
			!wheel_init(&t->wheel, &t->flows, offsetof(struct flow, timer), 0) ||
			!index_init(&t->index, FIRST_BUCKETS)) {
		err_set(e, "no room for a flow table of %zu bytes: lower memory=", conf->memory);
		table_free(t);
		return NULL;
	}
	return t;
}

static inline struct flow *flow_at(const struct table *t, uint32_t number)
{
	return slab_at(&t->flows, number);
}

static void release(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	arena_free(&f->arena, t->pool);
	slab_give(&t->flows, number);
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	if (t->wheel.slab != NULL)
		wheel_empty(&t->wheel);
	for (uint32_t n; t->wheel.slab != NULL && (n = wheel_take(&t->wheel)) != SLAB_NONE;)
		release(t, n);
	wheel_destroy(&t->wheel);
	slab_destroy(&t->flows);
	index_destroy(&t->index);
	pool_free(t->pool);
	free(t->due);
	free(t);
}

struct pool *table_pool(struct table *t)
{
	return t->pool;
}

static size_t memory_now(const struct table *t)
{
	return slab_memory(&t->flows) + index_memory(&t->index) + pool_memory(t->pool) +
	       wheel_memory(&t->wheel) + t->due_room * sizeof *t->due;
}

const struct table_stats *table_stats(struct table *t)
{
	t->stats.memory = memory_now(t);
	t->stats.alive = t->index.count;
	if (t->stats.memory > t->stats.memory_peak)
		t->stats.memory_peak = t->stats.memory;
	return &t->stats;
}

/* --- leaving
 * -------------------------------------------------------------------------------------- */

static void forget(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	if (!(f->marks & FLOW_GONE))
		index_remove(&t->index, f->hash, number);
	f->marks |= FLOW_GONE;
}

/* Out of the index now; written when its slot of the wheel comes up. */
static void end_now(struct table *t, uint32_t number, enum flow_end why)
{
	struct flow *f = flow_at(t, number);

	forget(t, number);
	f->end = (uint8_t)why;
	if (f->timer.deadline_ns > t->clock_ns) {
		f->timer.deadline_ns = t->clock_ns;
		wheel_move(&t->wheel, number);
	}
}

static enum flow_end why_at_deadline(const struct table *t, const struct flow *f)
{
	if (f->marks & FLOW_CLOSED)
		return FLOW_END_DETECTED;
	return f->timer.deadline_ns >= f->active_ns + t->conf.active_ns ? FLOW_END_ACTIVE
									: FLOW_END_IDLE;
}

/* Hands a flow (already out of wheel) to its record, and frees it. */
static void leave(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	forget(t, number);
	if (f->side[0].packets + f->side[1].packets > 0)
		t->conf.leave(t->conf.ctx, f);
	release(t, number);
}

/* --- starting
 * ------------------------------------------------------------------------------------- */

static bool evict(struct table *t, unsigned want);

static void set_deadline(const struct table *t, struct flow *f)
{
	int64_t idle = f->seen_ns + t->conf.idle_ns, active = f->active_ns + t->conf.active_ns;

	/* A part that waits for its first packet has no active timeout of its own yet. */
	f->timer.deadline_ns = f->side[0].packets + f->side[1].packets == 0 || idle < active
					       ? idle
					       : active;
}

/* It grows by pieces; false: it cannot, and is full. */
static bool grow_index(struct table *t)
{
	if (index_grows(&t->index)) /* more has been added than it was made for: never */
		index_step(&t->index, &t->flows, UINT32_MAX);
	return !index_full(&t->index) || index_grow(&t->index);
}

/* A number for a new flow within the budget; SLAB_NONE when not even eviction helps. */
static uint32_t take_number(struct table *t)
{
	bool reuse = t->flows.free_first != SLAB_NONE;
	bool fits = t->flows.fresh < t->flows.capacity &&
		    memory_now(t) + t->flows.object <= t->conf.memory;

	if (index_full(&t->index) && !grow_index(t) && !evict(t, EVICT_BATCH))
		return SLAB_NONE;
	if (!reuse && !fits && !evict(t, EVICT_BATCH))
		return SLAB_NONE;
	return slab_take(&t->flows);
}

static uint32_t add_flow(struct table *t, const struct flow_key *key, uint32_t hash)
{
	uint32_t number = take_number(t);

	if (number == SLAB_NONE)
		return SLAB_NONE;

	struct flow *f = flow_at(t, number);

	memset(f, 0, sizeof *f + t->conf.state_size);
	f->key = *key;
	f->hash = hash;
	f->rtt_ns = -1;
	f->part = 1;
	index_add(&t->index, hash, number);
	if (index_grows(&t->index))
		index_step(&t->index, &t->flows, 1);
	size_t fixed = slab_memory(&t->flows) + index_memory(&t->index);
	pool_limit(t->pool, fixed < t->conf.memory ? t->conf.memory - fixed : 1);
	return number;
}

static uint32_t start_flow(
		struct table *t, const struct pkt *pkt, const struct table_ticket *ticket)
{
	uint32_t number = add_flow(t, &ticket->key, ticket->hash);

	if (number == SLAB_NONE)
		return SLAB_NONE;

	struct flow *f = flow_at(t, number);

	t->stats.flows++;
	flow_begin(f, pkt, ticket->second, t->pool);
	f->active_ns = f->seen_ns = t->clock_ns;
	set_deadline(t, f);
	wheel_add(&t->wheel, number);
	return number;
}

/* The next part of a conversation that met the active timeout; it has no packet yet. */
static uint32_t start_part(struct table *t, uint32_t old)
{
	const struct flow *from = flow_at(t, old);

	t->pinned = old;
	uint32_t number = add_flow(t, &from->key, from->hash);
	t->pinned = SLAB_NONE;
	if (number == SLAB_NONE)
		return SLAB_NONE;

	struct flow *f = flow_at(t, number);

	struct flow_extra *x = flow_need_extra(f, t->pool);
	const struct flow_outer *outer = flow_outer(from);

	f->marks |= from->marks & (FLOW_REVERSED | FLOW_MIDSTREAM | FLOW_ANSWERS);
	f->part = from->part + 1;
	f->rtt_ns = -2; /* told by the first part */
	f->seen_ns = f->active_ns = from->seen_ns;
	if (x != NULL)
		x->number = flow_id(from);
	if (x != NULL && outer != NULL) {
		size_t size = sizeof *outer + outer->count * sizeof outer->layer[0];

		x->outer = arena_alloc(&f->arena, t->pool, size);
		if (x->outer != NULL)
			memcpy(x->outer, outer, size);
	}
	if (f->key.proto == PROTO_TCP)
		tcp_inherit(f, from, t->pool);
	set_deadline(t, f);
	wheel_add(&t->wheel, number);
	return number;
}

/*
 * A flow whose deadline has come leaves the index.  One that only met its active timeout goes on in
 * a new part, unless it would have gone idle meanwhile: returns the number that holds the key now,
 * or SLAB_NONE.
 */
static uint32_t expire(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	f->end = (uint8_t)why_at_deadline(t, f);
	forget(t, number);
	if (f->end != FLOW_END_ACTIVE || f->seen_ns + t->conf.idle_ns <= t->clock_ns)
		return SLAB_NONE;
	return start_part(t, number);
}

/* --- order
 * ---------------------------------------------------------------------------------------- */

static bool due_reserve(struct table *t, size_t n)
{
	if (n <= t->due_room)
		return true;

	size_t room = n < 1024 ? 1024 : n + n / 8;
	struct due *d = realloc(t->due, room * sizeof *d);

	if (d == NULL)
		return false;
	t->due = d;
	t->due_room = room;
	return true;
}

/* The first 'size' bytes of a flow that will be due soon: nobody has touched it for long. */
static void fetch_due(const struct table *t, size_t i, size_t n, size_t size)
{
	const char *f = i + LEAVE_AHEAD < n ? slab_at(&t->flows, t->due[i + LEAVE_AHEAD].flow)
					    : NULL;

	for (size_t at = 0; f != NULL && at < size; at += LINE)
		__builtin_prefetch(f + at);
}

/* What happens to a flow whose time has come. */
typedef void end_flow(struct table *t, uint32_t number);

static void end_at_deadline(struct table *t, uint32_t number)
{
	expire(t, number);
}

static void end_with_input(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);
	bool over = f->timer.deadline_ns <= t->clock_ns;

	f->end = (uint8_t)(over || (f->marks & FLOW_CLOSED) ? why_at_deadline(t, f)
							    : FLOW_END_FORCED);
	forget(t, number);
	if (!over)
		f->timer.deadline_ns = t->clock_ns;
}

/* Without memory for sorting, as they come. */
static void leave_unsorted(struct table *t, end_flow *end)
{
	uint32_t number;

	while ((number = wheel_take(&t->wheel)) != SLAB_NONE) {
		if (!(flow_at(t, number)->marks & FLOW_GONE))
			end(t, number);
		leave(t, number);
	}
}

/* Lets go of the 'count' flows that came out of the wheel, sorted. */
static void leave_all(struct table *t, uint32_t count, end_flow *end)
{
	size_t n = 0;

	if (!due_reserve(t, count)) {
		leave_unsorted(t, end);
		return;
	}
	while (n < count)
		t->due[n++].flow = wheel_take(&t->wheel);
	for (size_t i = 0; i < n; i++) {
		struct flow *f = flow_at(t, t->due[i].flow);

		fetch_due(t, i, n, sizeof *f);
		if (!(f->marks & FLOW_GONE))
			end(t, t->due[i].flow);
		t->due[i].leaves_ns = f->timer.deadline_ns;
		t->due[i].number = f->part_number;
	}
	due_sort(t->due, n);
	for (size_t i = 0; i < n; i++) {
		fetch_due(t, i, n, t->flows.object);
		if (t->conf.soon != NULL && slab_stays() && i + LEAVE_SOON < n)
			t->conf.soon(t->conf.ctx, flow_at(t, t->due[i + LEAVE_SOON].flow));
		leave(t, t->due[i].flow);
	}
}

void table_advance(struct table *t, int64_t clock_ns)
{
	uint32_t count = 1;

	if (!t->started) {
		wheel_start(&t->wheel, clock_ns);
		t->started = true;
		t->clock_ns = clock_ns;
	}
	if (clock_ns > t->clock_ns)
		t->clock_ns = clock_ns;
	while (count > 0 && clock_ns >= wheel_due(&t->wheel)) {
		count = wheel_turn(&t->wheel, clock_ns);
		leave_all(t, count, end_at_deadline);
	}
}

int64_t table_passed(const struct table *t)
{
	return t->started ? t->wheel.tick << WHEEL_TICK_SHIFT : INT64_MIN;
}

int64_t table_due(const struct table *t)
{
	return t->started ? wheel_due(&t->wheel) : INT64_MIN;
}

/*
 * Makes room: the flows that would leave soonest leave now.  Those that are over already and
 * wait for their turn go first and are not evictions.
 */
static bool evict(struct table *t, unsigned want)
{
	uint32_t number = SLAB_NONE;
	bool pinned = false;

	table_stats(t); /* keeps the peak */
	for (; want > 0 && (number = wheel_soonest(&t->wheel)) != SLAB_NONE; want--) {
		struct flow *f = flow_at(t, number);

		if (number == t->pinned) {
			pinned = true;
			continue;
		}
		if (!(f->marks & FLOW_GONE)) {
			f->end = f->marks & FLOW_CLOSED ? FLOW_END_DETECTED : FLOW_END_RESOURCES;
			t->stats.evicted += f->end == FLOW_END_RESOURCES;
		}
		if (t->started && f->timer.deadline_ns >=
						  table_passed(t)) /* behind those that have left */
			f->timer.deadline_ns = table_passed(t) - 1;
		leave(t, number);
	}
	if (pinned)
		wheel_add(&t->wheel, t->pinned);
	return t->flows.free_first != SLAB_NONE;
}

struct visit {
	const struct table *table;
	void (*each)(void *ctx, struct flow *f);
	void *ctx;
};

static void visit_flow(void *ctx, uint32_t number)
{
	const struct visit *v = ctx;

	v->each(v->ctx, flow_at(v->table, number));
}

void table_each(const struct table *t, void (*each)(void *ctx, struct flow *f), void *ctx)
{
	struct visit v = { t, each, ctx };

	index_each(&t->index, visit_flow, &v);
}

void table_finish(struct table *t, int64_t clock_ns)
{
	table_advance(t, clock_ns);
	leave_all(t, wheel_empty(&t->wheel), end_with_input);
}

void table_renew(struct table *t)
{
	table_stats(t); /* keeps the peak */
	slab_renew(&t->flows);
	index_renew(&t->index, FIRST_BUCKETS);
	wheel_renew(&t->wheel);
	pool_renew(t->pool);
	free(t->due);
	t->due = NULL;
	t->due_room = 0;
	t->started = false;
	t->clock_ns = 0;
}

/* --- packets
 * -------------------------------------------------------------------------------------- */

void table_ticket(const struct table *t, const struct pkt *pkt, struct table_ticket *ticket)
{
	ticket->second = key_make(pkt, t->conf.vlan_key, &ticket->key);
	ticket->hash = key_hash(&ticket->key, t->seed);
	ticket->guess = SLAB_NONE;
	index_prefetch(&t->index, ticket->hash);
}

void table_prefetch_flow(const struct table *t, struct table_ticket *ticket)
{
	uint32_t number = index_guess(&t->index, ticket->hash);

	if (number == SLAB_NONE)
		return;
	if (slab_stays())
		ticket->guess = number;

	const char *f = slab_at(&t->flows, number);

	for (size_t i = 0; i < t->flows.object; i += LINE)
		__builtin_prefetch(f + i, 1);
}

const struct flow *table_guess(const struct table *t, const struct table_ticket *ticket)
{
	return ticket->guess == SLAB_NONE ? NULL : flow_at(t, ticket->guess);
}

struct flow *table_peek(struct table *t, const struct table_ticket *ticket, int64_t clock_ns)
{
	uint32_t number = index_find(&t->index, &t->flows, ticket->hash, &ticket->key);
	struct flow *f = number == SLAB_NONE ? NULL : flow_at(t, number);

	/* A part that waits for its first packet may never be written. */
	if (f == NULL || f->side[0].packets + f->side[1].packets == 0)
		return NULL;
	return f->timer.deadline_ns <= clock_ns ? NULL : f;
}

/* Does a handshake packet belong to the flow that has its key, or begin another? */
static bool another(const struct flow *f, const struct pkt *pkt, unsigned dir)
{
	return pkt_is_segment(pkt) && (pkt->tcp_flags & TCP_SYN) && tcp_starts_anew(f, pkt, dir);
}

/*
 * The number in the index of a ticket's key.  The guess is as old as the batch: what it led to may
 * have been given back meanwhile, and then is FLOW_GONE.
 */
static inline uint32_t find(const struct table *t, const struct table_ticket *ticket)
{
	const struct flow *f = ticket->guess == SLAB_NONE ? NULL : flow_at(t, ticket->guess);

	if (f != NULL && f->hash == ticket->hash && !(f->marks & FLOW_GONE) &&
			key_equal(&f->key, &ticket->key))
		return ticket->guess;
	return index_find(&t->index, &t->flows, ticket->hash, &ticket->key);
}

/* The live flow for a packet, found or started. */
static inline uint32_t find_or_start(
		struct table *t, const struct pkt *pkt, const struct table_ticket *ticket)
{
	uint32_t number = find(t, ticket);

	if (number != SLAB_NONE && flow_at(t, number)->timer.deadline_ns <= t->clock_ns)
		number = expire(t, number);
	if (number != SLAB_NONE) {
		const struct flow *f = flow_at(t, number);

		if (another(f, pkt, ticket->second ^ ((f->marks & FLOW_REVERSED) != 0))) {
			end_now(t, number, FLOW_END_DETECTED);
			number = SLAB_NONE;
		}
	}
	return number != SLAB_NONE ? number : start_flow(t, pkt, ticket);
}

/* A flow's time never runs backwards: a packet from before the last one counts as simultaneous. */
static int64_t times(struct table *t, struct flow *f, struct pkt *pkt)
{
	const struct flow_side *me = &f->side[pkt->dir], *peer = &f->side[!pkt->dir];
	int64_t now = pkt->ns, last = INT64_MIN;

	if (me->packets > 0)
		last = me->last_ns;
	if (peer->packets > 0 && peer->last_ns > last)
		last = peer->last_ns;
	if (last != INT64_MIN && now < last) {
		now = last;
		if (!(pkt->marks & PKT_FRAGMENT)) {
			f->marks |= FLOW_BACKWARDS;
			t->stats.backwards++;
		}
	}
	pkt->now_ns = now;
	return now;
}

static void first_packet(struct table *t, struct flow *f, const struct pkt *pkt)
{
	f->start_ns = pkt->ns;
	f->part_number = pkt->number;
	f->active_ns = t->clock_ns;
	if (f->part > 1)
		t->stats.parts++;
}

/* Life goes on: idle and active timeouts; a closed connection only lingers. */
static void extend(struct table *t, uint32_t number, struct flow *f, bool was_closed)
{
	int64_t before = f->timer.deadline_ns;

	f->seen_ns = t->clock_ns;
	if (!(f->marks & FLOW_CLOSED)) {
		set_deadline(t, f);
		if (f->timer.deadline_ns < before) /* the first packet of a part */
			wheel_move(&t->wheel, number);
	} else if (!was_closed) {
		f->timer.deadline_ns = t->clock_ns + t->conf.linger_ns;
		wheel_move(&t->wheel, number);
	}
}

/* The oldest flows leave until what packets may need can be had again. */
static __attribute__((noinline)) void relieve(struct table *t)
{
	unsigned batches = 0;

	do
		evict(t, EVICT_BATCH);
	while (++batches < RELIEF_BATCHES && pool_starved(t->pool));
}

struct flow *table_packet(struct table *t, struct pkt *pkt, const struct table_ticket *ticket)
{
	if (pkt->clock_ns > t->clock_ns)
		t->clock_ns = pkt->clock_ns;
	if (pool_starved(t->pool))
		relieve(t);

	uint32_t number = find_or_start(t, pkt, ticket);

	if (number == SLAB_NONE) {
		t->stats.refused++;
		return NULL;
	}

	struct flow *f = flow_at(t, number);
	struct flow_side *side;
	bool was_closed = (f->marks & FLOW_CLOSED) != 0;
	int64_t now;

	pkt->dir = ticket->second ^ ((f->marks & FLOW_REVERSED) != 0);
	side = &f->side[pkt->dir];
	if (f->side[0].packets + f->side[1].packets == 0)
		first_packet(t, f, pkt);
	if (pkt->marks != 0)
		f->marks |= flow_marks_of(pkt);
	now = times(t, f, pkt);
	pkt->tcp_class = TCP_CLASS_NEW;
	if (pkt_is_segment(pkt)) {
		pkt->tcp_next = tcp_expected(f, pkt, pkt->dir);
		pkt->tcp_class = (uint8_t)tcp_track(f, pkt, pkt->dir, t->pool);
	}
	side->packets++;
	side->payload_bytes += pkt->payload_len;
	side->ip_bytes += pkt->ip_len;
	side->last_ns = now;
	extend(t, number, f, was_closed);
	return f;
}
