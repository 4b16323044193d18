/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.c - the front's side: packets into parcels, parcels to workers, rooms.
 *
 * The front waits when a worker has much to do, or when all rooms are in use.  Before it does,
 * every worker gets what there is for it: so each can pass what another one's records wait for, and
 * nobody waits in a circle.
 */
#include "engine/team_internal.h"

#include <stdlib.h>

#include "base/hash.h"

enum {
	DEPTH = TEAM_DEPTH,
	WORTH = 4,  /* parcels: a worker is not woken for fewer */
	ROOMS = 16, /* at most */
#ifdef FUZZING
	ROOM = 512,
#else
	ROOM = 256 << 10,
#endif
	TINY = 1 << 20, /* the front's table has no flows */
};

/* --- parcels ------------------------------------------------------------------------------------
 */

static struct parcel *take_spare(struct team *t)
{
	struct parcel *b = t->spare;

	if (b == NULL)
		return parcel_new();
	t->spare = b->next;
	b->next = NULL;
	return b;
}

/* Under the lock: gives a worker its parcel; it keeps none when there is no memory for another. */
static bool hand_on(struct team *t, struct team_worker *w, bool last)
{
	struct parcel *b = w->open, *next = take_spare(t);

	if (next == NULL) {
		team_fail(t, &(struct err){ "no memory for packets" });
		return false;
	}
	b->clock_ns = t->front->clock.now_ns;
	b->last = last;
	b->room = t->room;
	if (b->room != NULL)
		b->room->users++;
	if (w->last != NULL)
		w->last->next = b;
	else
		w->first = b;
	w->last = b;
	w->waiting++;
	w->open = next;
	if (w->sleeps && w->waiting >= WORTH)
		pthread_cond_signal(&w->filled);
	return true;
}

/* Under the lock: nobody sleeps who has something to do. */
static void wake_all(struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].sleeps && t->worker[i].waiting > 0)
			pthread_cond_signal(&t->worker[i].filled);
}

/* Under the lock: the front can do nothing until workers have got on. */
static void wait_for_workers(struct team *t)
{
	wake_all(t);
	t->waits = true;
	pthread_cond_wait(&t->moved, &t->lock);
	t->waits = false;
}

/* Under the lock: every worker gets what there is for it, and the time. */
static void hand_on_all(struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].open->count > 0 || t->worker[i].told_ns < t->front->clock.now_ns) {
			t->worker[i].told_ns = t->front->clock.now_ns;
			hand_on(t, &t->worker[i], false);
		}
}

/* The parcel that a packet for worker 'w' goes into. */
static struct parcel *open_parcel(struct team *t, struct team_worker *w)
{
	if (!parcel_is_full(w->open))
		return w->open;
	pthread_mutex_lock(&t->lock);
	hand_on(t, w, false);
	if (w->waiting > DEPTH)
		hand_on_all(t);
	while (w->waiting > DEPTH && !t->failed)
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
	if (parcel_is_full(w->open)) /* it has failed: nobody will look at it */
		parcel_clear(w->open);
	return w->open;
}

/* --- rooms --------------------------------------------------------------------------------------
 */

static struct parcel_room *free_room(const struct team *t, size_t size)
{
	for (struct parcel_room *r = t->rooms; r != NULL; r = r->next)
		if (r->users == 0 && r->size >= size)
			return r;
	return NULL;
}

/* Too small a room that nobody needs makes place for a large one. */
static struct parcel_room *new_room(struct team *t, size_t size)
{
	struct parcel_room *r = NULL, *small = free_room(t, 0);

	if (small != NULL && t->room_count >= ROOMS) {
		free(small->bytes);
		r = small;
		t->room_count--;
	} else {
		r = calloc(1, sizeof *r);
		if (r == NULL)
			return NULL;
		r->next = t->rooms;
		t->rooms = r;
	}
	r->bytes = malloc(size);
	r->size = r->bytes == NULL ? 0 : size;
	t->room_count++;
	return r->bytes == NULL ? NULL : r;
}

static uint8_t *next_room(void *ctx, size_t size, size_t *got)
{
	struct team *t = ctx;
	struct parcel_room *r;

	if (size < ROOM)
		size = ROOM;
	pthread_mutex_lock(&t->lock);
	hand_on_all(t);
	while ((r = free_room(t, size)) == NULL && !t->failed && t->room_count >= ROOMS &&
			free_room(t, 0) == NULL)
		wait_for_workers(t);
	if (r == NULL)
		r = new_room(t, size);
	if (r != NULL) {
		if (t->room != NULL)
			t->room->users--;
		r->users++;
		t->room = r;
	}
	pthread_mutex_unlock(&t->lock);
	*got = r == NULL ? 0 : r->size;
	return r == NULL ? NULL : r->bytes;
}

const struct input_rooms *team_rooms(const struct team *t)
{
	return &t->input_rooms;
}

/* --- packets ------------------------------------------------------------------------------------
 */

static struct team_worker *worker_of(struct team *t, const struct table_ticket *ticket)
{
	return &t->worker[(uint64_t)(ticket->hash * 0x9e3779b1u) * t->count >> 32];
}

/* An ICMP error whose own flow and the one it quotes are of two workers. */
static void ask(struct team *t, struct team_worker *own, struct team_worker *other,
		const struct pkt *pkt, const struct table_ticket *ticket,
		const struct table_ticket *quoted)
{
	struct parcel *b = open_parcel(t, own), *o = open_parcel(t, other);
	struct parcel_question *q = (struct parcel_question *)(void *)(o->bytes + o->used);

	b = open_parcel(t, own); /* it may have been handed on meanwhile */
	q = (struct parcel_question *)(void *)(b->bytes + b->used);
	q->answer = ANSWER_NONE;
	b->used += 16;
	parcel_add(b, pkt, ticket, PARCEL_ANSWER);
	b->question[b->count - 1] = q;
	parcel_add(o, pkt, quoted, PARCEL_QUESTION);
	o->question[o->count - 1] = q;
	pthread_mutex_lock(&t->lock);
	hand_on_all(t);
	wake_all(t);
	pthread_mutex_unlock(&t->lock);
}

static bool ask_other(struct team *t, struct team_worker *own, const struct pkt *pkt,
		const struct table_ticket *ticket)
{
	struct pkt quoted;
	struct table_ticket other;

	if (!decode_icmp_quote(pkt, &quoted))
		return false;
	table_ticket(t->front->table, &quoted, &other);
	if (worker_of(t, &other) == own)
		return false;
	ask(t, own, worker_of(t, &other), pkt, ticket, &other);
	return true;
}

void team_packet(
		struct team *t, const struct pkt *pkt, const struct table_ticket *ticket, bool keep)
{
	struct team_worker *w = worker_of(t, ticket);
	struct pkt *copy;

	if (engine_is_icmp(pkt) && ask_other(t, w, pkt, ticket))
		return;
	copy = parcel_add(open_parcel(t, w), pkt, ticket, PARCEL_PLAIN);
	if (!keep || parcel_keep(w->open, copy))
		return;
	pthread_mutex_lock(&t->lock);
	team_fail(t, &(struct err){ "no memory for packets" });
	pthread_mutex_unlock(&t->lock);
}

bool team_feed(struct team *t, const struct frame *frames, size_t count, struct err *e)
{
	return engine_feed(t->front, frames, count, e) && (!t->failed || team_why(t, e));
}

/* --- making and freeing -------------------------------------------------------------------------
 */

static bool make_worker(struct team *t, struct engine_part part, size_t i, struct err *e)
{
	struct team_worker *w = &t->worker[i];

	pthread_cond_init(&w->filled, NULL);
	w->team = t;
	w->told_ns = INT64_MIN;
	w->lane = part.lane = lanes_lane(t->lanes, i);
	w->open = parcel_new();
	w->engine = t->engines[1 + i] = engine_make(&part, e);
	t->count++;
	if (w->open == NULL)
		err_set(e, "no memory for packets");
	return w->open != NULL && w->engine != NULL;
}

static bool make_all(struct team *t, const struct conf *conf, const struct registry *registry,
		struct sink *sink, size_t workers, struct err *e)
{
	struct conf share = *conf;
	struct engine_part part = { .conf = &share, .registry = registry, .seed = hash_seed() };

	share.memory.bytes = TINY;
	t->engines[0] = t->front = engine_make(&part, e);
	t->lanes = t->front == NULL ? NULL : lanes_new(sink, workers, e);
	if (t->lanes == NULL)
		return false;
	t->front->team = t;
	share.memory.bytes = conf->memory.bytes / workers;
	for (size_t i = 0; i < workers; i++)
		if (!make_worker(t, part, i, e))
			return false;
	return true;
}

struct team *team_new(const struct conf *conf, const struct registry *registry, struct sink *sink,
		size_t workers, struct err *e)
{
	struct team *t = calloc(1, sizeof *t + workers * sizeof t->worker[0]);

	if (t == NULL || (t->engines = calloc(1 + workers, sizeof *t->engines)) == NULL) {
		free(t);
		err_set(e, "no memory for threads");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->moved, NULL);
	pthread_cond_init(&t->answered, NULL);
	t->input_rooms = (struct input_rooms){ next_room, t };
	if (!make_all(t, conf, registry, sink, workers, e)) {
		team_free(t);
		return NULL;
	}
	return t;
}

static void free_rooms(struct team *t)
{
	while (t->rooms != NULL) {
		struct parcel_room *next = t->rooms->next;

		free(t->rooms->bytes);
		free(t->rooms);
		t->rooms = next;
	}
}

void team_free(struct team *t)
{
	if (t == NULL)
		return;
	team_stop(t);
	lanes_free(t->lanes);
	for (size_t i = 0; i < t->count; i++) {
		parcel_free(t->worker[i].first);
		parcel_free(t->worker[i].open);
		engine_free(t->worker[i].engine);
		pthread_cond_destroy(&t->worker[i].filled);
	}
	engine_free(t->front);
	parcel_free(t->spare);
	free_rooms(t);
	pthread_cond_destroy(&t->answered);
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	free(t->engines);
	free(t);
}

struct engine *const *team_engines(const struct team *t, size_t *count)
{
	*count = 1 + t->count;
	return t->engines;
}

/* --- the end ------------------------------------------------------------------------------------
 */

static bool is_idle(const struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].started && t->worker[i].waiting > 0)
			return false;
	return true;
}

void team_rest(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->over)
		hand_on_all(t);
	while (!t->over && !t->failed && !is_idle(t))
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
}

bool team_finish(struct team *t, struct err *e)
{
	const bool good = engine_finish(t->front, e);

	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < t->count; i++)
		hand_on(t, &t->worker[i], true);
	wake_all(t);
	pthread_mutex_unlock(&t->lock);
	team_join(t);
	return good && (!t->failed || team_why(t, e)) && lanes_finish(t->lanes, e);
}
