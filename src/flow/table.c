/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * table.c - find or start a flow, count a packet, let flows go in their order.
 *
 * The index finds a flow, the slab holds it, the wheel ends it.  A flow whose time is over is taken
 * out of the index at once (so its key is free for the next flow) but stays in the wheel until its
 * slot comes up: there flows are sorted by leaving time, and that order is the output's.
 *
 * All that takes long is done in steps, a few for each packet: the wheel turns by blocks, flows
 * that came out of it wait in their order, and a few leave.  So the wheel may be behind the clock.
 * That shows nowhere, since a flow is over when the clock says so and not when it leaves.
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
	RELIEF_BATCHES = 2, /* for one packet, at most */
	LINE = 64,
	FLOW_LINES = 4,     /* of a flow without states */
	EVICT_TRIES = 1024, /* flows that turn out to have gone on, at most */
	READY = 8,          /* flows fetched before their turn to leave, */
	READY_SOON = 2,     /* ... and what they point to */
	TURNS = 4,          /* for one packet: steps of the wheel */
	LEAVES = 4,         /* ... and flows, more than a packet can start, part and all */
};

struct table {
	struct table_conf conf;
	struct key_secret secret; /* of the hash */
	struct slab flows;
	struct index index;
	struct wheel wheel;
	struct pool *pool;
	int64_t clock_ns;
	bool started;
	uint32_t pinned;         /* not to be evicted at the moment */
	bool ends;               /* all flows leave: none is taken out of the index alone */
	struct due_queue due;    /* of a slot's flows */
	bool leaving;            /* the slot is dealt out, and its flows are leaving */
	struct due ready[READY]; /* the first of them, a ring */
	uint32_t ready_first, ready_count;
	int64_t left_ns; /* the last of them left at that moment */
	struct table_stats stats;
};

_Static_assert(sizeof(struct flow) <= FLOW_LINES * LINE, "a plain flow is four cache lines");

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
	t->left_ns = INT64_MIN;
	t->secret = key_secret(conf->seed != 0 ? conf->seed : hash_seed());
	if (capacity >= SLAB_NONE)
		capacity = SLAB_NONE - 1;
	if (!due_init(&t->due, (uint32_t)capacity) ||
			!slab_init(&t->flows, object, (uint32_t)capacity) ||
			!wheel_init(&t->wheel, &t->flows, offsetof(struct flow, timer), 0) ||
			!index_init(&t->index, FIRST_BUCKETS)) {
		err_set(e, "no room for a flow table of %zu bytes: lower memory=", conf->memory);
		table_free(t);
		return NULL;
	}
	t->index.small_pages = conf->live;
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

static bool next_ready(struct table *t, struct due *d);

static void release_all(struct table *t)
{
	struct wheel_out out;
	struct due d;

	due_seal(&t->due);
	while (next_ready(t, &d))
		release(t, d.flow);
	for (uint32_t slot = 0; t->wheel.slab != NULL && wheel_empty(&t->wheel, &slot, &out);)
		for (uint32_t i = 0; i < out.count; i++)
			release(t, out.number[i]);
}

void table_free(struct table *t)
{
	if (t == NULL)
		return;
	release_all(t);
	due_destroy(&t->due);
	wheel_destroy(&t->wheel);
	slab_destroy(&t->flows);
	index_destroy(&t->index);
	pool_free(t->pool);
	free(t);
}

struct pool *table_pool(struct table *t)
{
	return t->pool;
}

static size_t memory_now(const struct table *t)
{
	return slab_memory(&t->flows) + index_memory(&t->index) + pool_memory(t->pool) +
	       wheel_memory(&t->wheel) + due_memory(&t->due);
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

/* Whether it is in the index, which nobody asks any more when the input has ended. */
static bool is_listed(const struct table *t, const struct flow *f)
{
	return !(f->marks & FLOW_GONE) && !t->ends;
}

static void forget(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	if (is_listed(t, f))
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

/*
 * Hands a flow (already out of wheel) to its record, and frees it.  Its place in the index, which
 * nobody has looked at for long, is fetched while the record is made.
 */
static void leave(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);
	const bool listed = is_listed(t, f);

	if (listed)
		index_prefetch(&t->index, f->hash);
	f->marks |= FLOW_GONE;
	if (f->side[0].packets + f->side[1].packets > 0)
		t->conf.leave(t->conf.ctx, f);
	if (listed)
		index_remove(&t->index, f->hash, number);
	release(t, number);
}

/* --- starting
 * ------------------------------------------------------------------------------------- */

static bool evict(struct table *t);

/* Before a flow's first packet: a part that waits for it has no active timeout of its own yet. */
static inline void set_idle_deadline(const struct table *t, struct flow *f)
{
	f->timer.deadline_ns = f->seen_ns + t->conf.idle_ns;
}

static inline void set_deadline(const struct table *t, struct flow *f)
{
	int64_t idle = f->seen_ns + t->conf.idle_ns, active = f->active_ns + t->conf.active_ns;

	f->timer.deadline_ns = idle < active ? idle : active;
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

	if (index_full(&t->index) && !grow_index(t) && !evict(t))
		return SLAB_NONE;
	if (!reuse && !fits && !evict(t))
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
	f->side[0].last_ns = f->side[1].last_ns = INT64_MIN;
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
	set_idle_deadline(t, f);
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
	set_idle_deadline(t, f);
	wheel_add(&t->wheel, number);
	return number;
}

/* A flow that met its active timeout goes on in a new part, unless it would have gone idle
 * meanwhile: returns the part, or SLAB_NONE. */
static uint32_t go_on_in_part(struct table *t, uint32_t number)
{
	const struct flow *f = flow_at(t, number);

	forget(t, number);
	if (f->seen_ns + t->conf.idle_ns <= t->clock_ns)
		return SLAB_NONE;
	return start_part(t, number);
}

/* A flow whose deadline has come leaves the index: returns the number that holds the key now, or
 * SLAB_NONE. */
static uint32_t expire(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	f->end = (uint8_t)why_at_deadline(t, f);
	if (f->end == FLOW_END_ACTIVE)
		return go_on_in_part(t, number);
	forget(t, number);
	return SLAB_NONE;
}

/* --- order
 * ---------------------------------------------------------------------------------------- */

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

/* A flow that came out of the wheel leaves. */
static void end_and_leave(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	if (!(f->marks & FLOW_GONE)) {
		if (t->ends)
			end_with_input(t, number);
		else if ((f->end = (uint8_t)why_at_deadline(t, f)) == FLOW_END_ACTIVE)
			go_on_in_part(t, number);
	}
	leave(t, number);
}

/* Takes up what came out of the wheel; without memory to sort it, it leaves as it comes. */
static void take_out(struct table *t, const struct wheel_out *out)
{
	for (uint32_t i = 0; i < out->count; i++)
		__builtin_prefetch(&flow_at(t, out->number[i])->part_number);
	for (uint32_t i = 0; i < out->count; i++) {
		const struct flow *f = flow_at(t, out->number[i]);
		struct due d = { f->timer.deadline_ns, f->part_number, out->number[i] };

		if (d.leaves_ns > t->clock_ns) /* the input has ended */
			d.leaves_ns = t->clock_ns;
		if (!due_add(&t->due, &d))
			end_and_leave(t, d.flow);
	}
}

/* A step of the wheel; false: nothing is left to do before the clock. */
static bool turn(struct table *t)
{
	struct wheel_out out;
	enum wheel_turned turned = wheel_turn(&t->wheel, t->clock_ns, &out);

	take_out(t, &out);
	if (turned == WHEEL_FIRED) {
		due_seal(&t->due);
		t->leaving = true;
	}
	return turned != WHEEL_RESTS;
}

/* A flow is about to leave, and nobody has touched it for long: it is fetched, */
static void fetch_due(const struct table *t, uint32_t number)
{
	const char *f = slab_at(&t->flows, number);

	for (size_t at = 0; at < t->flows.object; at += LINE)
		__builtin_prefetch(f + at);
}

/* ... and what it points to. */
static void fetch_states(const struct table *t, uint32_t number)
{
	if (t->conf.soon != NULL && slab_stays())
		t->conf.soon(t->conf.ctx, flow_at(t, number));
}

static struct due *ready_at(struct table *t, uint32_t i)
{
	return &t->ready[(t->ready_first + i) % READY];
}

/* The next that is to leave. */
static bool next_ready(struct table *t, struct due *d)
{
	while (t->ready_count < READY && due_take(&t->due, ready_at(t, t->ready_count)))
		fetch_due(t, ready_at(t, t->ready_count++)->flow);
	if (t->ready_count == 0)
		return false;
	*d = *ready_at(t, 0);
	t->ready_first++;
	t->ready_count--;
	return true;
}

/* Lets go of the next of the flows that came out of the wheel; false: there are none. */
static bool leave_next(struct table *t)
{
	struct due d;

	if (!t->leaving || !next_ready(t, &d)) {
		t->leaving = false;
		return false;
	}
	if (t->ready_count > READY_SOON)
		fetch_states(t, ready_at(t, READY_SOON)->flow);
	t->left_ns = d.leaves_ns;
	end_and_leave(t, d.flow);
	return true;
}

/* False: everything that has to leave before the clock has left. */
static bool let_go(struct table *t, uint32_t turns, uint32_t leaves)
{
	while (turns > 0 && leaves > 0) {
		if (leave_next(t))
			leaves--;
		else if (turn(t))
			turns--;
		else
			return false;
	}
	return true;
}

static void set_clock(struct table *t, int64_t clock_ns)
{
	if (!t->started) {
		wheel_start(&t->wheel, clock_ns);
		t->started = true;
		t->clock_ns = clock_ns;
	}
	if (clock_ns > t->clock_ns)
		t->clock_ns = clock_ns;
}

void table_advance(struct table *t, int64_t clock_ns)
{
	set_clock(t, clock_ns);
	let_go(t, TURNS, LEAVES);
}

bool table_catch_up(struct table *t, int64_t clock_ns, uint32_t flows)
{
	set_clock(t, clock_ns);
	return let_go(t, flows, flows);
}

int64_t table_passed(const struct table *t)
{
	return t->started ? t->wheel.tick << WHEEL_TICK_SHIFT : INT64_MIN;
}

int64_t table_due(const struct table *t)
{
	return t->started ? wheel_due(&t->wheel) : INT64_MIN;
}

/* Behind those that have left. */
static int64_t evicted_ns(const struct table *t)
{
	const int64_t passed = table_passed(t) - 1;

	return t->left_ns > passed ? t->left_ns : passed;
}

/* The soonest to leave come out of the wheel and are fetched; returns how many. */
static uint32_t take_soonest(struct table *t, uint32_t *numbers, uint32_t want)
{
	uint32_t tries = EVICT_TRIES, count = 0, number;
	bool pinned = false;

	while (count < want && (number = wheel_soonest(&t->wheel, &tries)) != SLAB_NONE) {
		if (number == t->pinned) {
			pinned = true;
			continue;
		}
		fetch_due(t, number);
		numbers[count++] = number;
	}
	if (pinned)
		wheel_add(&t->wheel, t->pinned);
	return count;
}

static void evict_one(struct table *t, uint32_t number)
{
	struct flow *f = flow_at(t, number);

	if (!(f->marks & FLOW_GONE)) {
		f->end = f->marks & FLOW_CLOSED ? FLOW_END_DETECTED : FLOW_END_RESOURCES;
		t->stats.evicted += f->end == FLOW_END_RESOURCES;
	}
	if (t->started && f->timer.deadline_ns >= table_passed(t))
		f->timer.deadline_ns = evicted_ns(t);
	leave(t, number);
}

/*
 * Makes room: the flows that would leave soonest leave now.  Those that are over already and
 * wait for their turn go first and are not evictions.
 */
static bool evict(struct table *t)
{
	uint32_t numbers[EVICT_BATCH], count = 0;

	table_stats(t); /* keeps the peak */
	if (t->pinned == SLAB_NONE)
		while (count < EVICT_BATCH && leave_next(t))
			count++;
	if (count > 0)
		return true;
	count = take_soonest(t, numbers, EVICT_BATCH);
	for (uint32_t i = 0; i < count; i++) {
		if (i + READY_SOON < count)
			fetch_states(t, numbers[i + READY_SOON]);
		evict_one(t, numbers[i]);
	}
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
	struct wheel_out out;

	while (table_catch_up(t, clock_ns, UINT32_MAX))
		;
	t->ends = true;
	index_clear(&t->index); /* which nobody asks any more: room for the order of leaving */
	for (uint32_t slot = 0; wheel_empty(&t->wheel, &slot, &out);)
		take_out(t, &out);
	due_seal(&t->due);
	t->leaving = true;
	while (leave_next(t))
		;
}

void table_renew(struct table *t)
{
	table_stats(t); /* keeps the peak */
	slab_renew(&t->flows);
	index_renew(&t->index, FIRST_BUCKETS);
	wheel_renew(&t->wheel);
	due_renew(&t->due);
	pool_renew(t->pool);
	t->left_ns = INT64_MIN;
	t->ends = t->leaving = false;
	t->started = false;
	t->clock_ns = 0;
}

/* --- packets
 * -------------------------------------------------------------------------------------- */

void table_ticket(const struct table *t, const struct pkt *pkt, struct table_ticket *ticket)
{
	ticket->second = key_make(pkt, t->conf.vlan_key, &ticket->key);
	ticket->hash = key_hash(&ticket->key, &t->secret);
	ticket->guess = SLAB_NONE;
}

/* Fetches what index_find() is likely to find. */
static inline void fetch_flow(const struct table *t, struct table_ticket *ticket)
{
	uint32_t number = index_guess(&t->index, ticket->hash);

	if (number == SLAB_NONE)
		return;
	if (slab_stays())
		ticket->guess = number;

	const char *f = slab_at(&t->flows, number);

	for (size_t i = 0; i < FLOW_LINES * LINE; i += LINE)
		__builtin_prefetch(f + i, 1);
	for (size_t i = FLOW_LINES * LINE; i < t->flows.object; i += LINE)
		__builtin_prefetch(f + i, 1);
}

void table_prefetch(const struct table *t, struct table_ticket *tickets, size_t count)
{
	for (size_t i = 0; i < count; i++)
		index_prefetch(&t->index, tickets[i].hash);
	for (size_t i = 0; i < count; i++)
		fetch_flow(t, &tickets[i]);
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
static inline bool another(
		const struct flow *f, const struct pkt *pkt, const struct table_ticket *ticket)
{
	return (pkt->tcp_flags & TCP_SYN) && pkt_is_segment(pkt) &&
	       tcp_starts_anew(f, pkt, ticket->second ^ ((f->marks & FLOW_REVERSED) != 0));
}

/*
 * The number in the index of a ticket's key.  The guess is as old as the batch: what it led to may
 * have been given back meanwhile, and then is FLOW_GONE.
 */
static inline uint32_t find(const struct table *t, const struct table_ticket *ticket)
{
	const struct flow *f = ticket->guess == SLAB_NONE ? NULL : flow_at(t, ticket->guess);

	if (f != NULL && key_equal(&f->key, &ticket->key) && !(f->marks & FLOW_GONE))
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
	if (number != SLAB_NONE && another(flow_at(t, number), pkt, ticket)) {
		end_now(t, number, FLOW_END_DETECTED);
		number = SLAB_NONE;
	}
	return number != SLAB_NONE ? number : start_flow(t, pkt, ticket);
}

static void first_packet(struct table *t, struct flow *f, const struct pkt *pkt)
{
	f->start_ns = pkt->ns;
	f->part_number = pkt->number;
	f->active_ns = t->clock_ns;
	if (f->part > 1)
		t->stats.parts++;
}

/* A flow's time never runs backwards: a packet from before the last one counts as simultaneous. */
static inline int64_t times(struct table *t, struct flow *f, const struct pkt *pkt)
{
	const int64_t out = f->side[0].last_ns, in = f->side[1].last_ns;
	const int64_t last = out > in ? out : in;

	if (pkt->ns >= last) {
		if (last == INT64_MIN)
			first_packet(t, f, pkt);
		return pkt->ns;
	}
	if (!(pkt->marks & PKT_FRAGMENT)) {
		f->marks |= FLOW_BACKWARDS;
		t->stats.backwards++;
	}
	return last;
}

/* Life goes on: idle and active timeouts; a closed connection only lingers. */
static inline void extend(struct table *t, uint32_t number, struct flow *f, bool was_closed)
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
		evict(t);
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

	pkt->dir = ticket->second ^ ((f->marks & FLOW_REVERSED) != 0);
	side = &f->side[pkt->dir];
	if (pkt->marks != 0)
		f->marks |= flow_marks_of(pkt);
	pkt->now_ns = times(t, f, pkt);
	pkt->tcp_class = TCP_CLASS_NEW;
	if (pkt_is_segment(pkt)) {
		pkt->tcp_next = tcp_expected(f, pkt, pkt->dir);
		pkt->tcp_class = (uint8_t)tcp_track(f, pkt, pkt->dir, t->pool);
	}
	side->packets++;
	side->payload_bytes += pkt->payload_len;
	side->ip_bytes += pkt->ip_len;
	side->last_ns = pkt->now_ns;
	extend(t, number, f, was_closed);
	return f;
}
