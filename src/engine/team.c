/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.c - the ring of frames, the rooms that they lie in, and the workers.
 *
 * The reader waits when the slowest worker is a whole ring behind, or when all rooms are in use; a
 * worker waits for frames, for its lane, or for an answer of another worker, which has all frames
 * that it has.  So nobody waits in a circle.
 */
#include "engine/team.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "engine/engine_internal.h"
#include "os/mapping.h"
#include "os/thread.h"
#include "source/input.h"

enum {
	SLOTS = 32, /* batches of frames in the ring */
	WORTH = 4,  /* batches: nobody is woken for fewer */
	ROOMS = 12, /* at most */
#ifdef FUZZING
	ROOM = 512,
#else
	ROOM = 256 << 10,
#endif
};

struct room {
	struct room *next;
	uint8_t *bytes; /* of its own; NULL: it is a window */
	size_t size;
	struct input_window window; /* a mapped one */
	size_t users;               /* slots with frames in it, and the reader */
};

struct slot {
	struct room *room;  /* or NULL */
	size_t count, left; /* frames; workers that are not done with them */
	struct frame frame[TEAM_FRAMES];
};

struct worker {
	struct team *team;
	struct engine *engine;
	struct lane *lane;
	pthread_t thread;
	bool started;

	/* under the lock */
	uint64_t done; /* slots */
	bool sleeps;
	pthread_cond_t filled;
};

struct team {
	struct lanes *lanes;
	struct board board;
	struct input_rooms input_rooms;
	struct engine **engines;
	struct room *room; /* the reader's */
	bool over;         /* the threads have ended */

	atomic_bool failed;
	pthread_mutex_t lock;
	pthread_cond_t moved; /* a slot or room is free, or a worker has failed */
	bool waits;           /* the reader */
	bool ends;            /* there are no more frames */
	struct err why;
	struct room *rooms;
	size_t room_count, windows; /* of either kind */
	uint64_t filled;            /* slots so far */
	struct slot slot[SLOTS];

	size_t count;
	struct worker worker[];
};

/* --- failures -----------------------------------------------------------------------------------
 */

/* Under the lock: nobody needs to go on. */
static void fail(struct team *t, const struct err *why)
{
	if (!t->failed)
		t->why = *why;
	t->failed = true;
	pthread_cond_broadcast(&t->moved);
	for (size_t i = 0; i < t->count; i++)
		pthread_cond_signal(&t->worker[i].filled);
}

static bool well(struct team *t, struct err *e)
{
	bool good;

	pthread_mutex_lock(&t->lock);
	good = !t->failed || err_set(e, "%s", t->why.text);
	pthread_mutex_unlock(&t->lock);
	return good;
}

/* --- the reader's side --------------------------------------------------------------------------
 */

/* Under the lock: nobody sleeps who has something to do. */
static void wake_all(struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].sleeps && t->worker[i].done < t->filled)
			pthread_cond_signal(&t->worker[i].filled);
}

/* Under the lock. */
static void wait_for_workers(struct team *t)
{
	wake_all(t);
	t->waits = true;
	pthread_cond_wait(&t->moved, &t->lock);
	t->waits = false;
}

static struct room *free_room(const struct team *t, size_t size)
{
	for (struct room *r = t->rooms; r != NULL; r = r->next)
		if (r->users == 0 && r->bytes != NULL && r->size >= size)
			return r;
	return NULL;
}

/* Too small a room that nobody needs makes place for a large one. */
static struct room *new_room(struct team *t, size_t size)
{
	struct room *r = t->room_count < ROOMS ? NULL : free_room(t, 0);

	if (r != NULL) {
		free(r->bytes);
	} else {
		r = calloc(1, sizeof *r);
		if (r == NULL)
			return NULL;
		r->next = t->rooms;
		t->rooms = r;
		t->room_count++;
	}
	r->bytes = malloc(size);
	r->size = r->bytes == NULL ? 0 : size;
	return r->bytes == NULL ? NULL : r;
}

/* Under the lock: frames come to lie in another room. */
static void move_in(struct team *t, struct room *r)
{
	r->users++;
	if (t->room != NULL)
		t->room->users--;
	t->room = r;
}

static uint8_t *next_room(void *ctx, size_t size, size_t *got)
{
	struct team *t = ctx;
	struct room *r;

	if (size < ROOM)
		size = ROOM;
	pthread_mutex_lock(&t->lock);
	while ((r = free_room(t, size)) == NULL && !t->failed && t->room_count >= ROOMS &&
			free_room(t, 0) == NULL)
		wait_for_workers(t);
	if (r == NULL)
		r = new_room(t, size);
	if (r != NULL)
		move_in(t, r); /* some bytes of the one before are still to be copied: by us, who
				  fill rooms */
	pthread_mutex_unlock(&t->lock);
	*got = r == NULL ? 0 : r->size;
	return r == NULL ? NULL : r->bytes;
}

/* Under the lock: takes out a window that nobody needs; NULL: there is none. */
static struct room *take_window(struct team *t)
{
	for (struct room **at = &t->rooms; *at != NULL; at = &(*at)->next) {
		struct room *r = *at;

		if (r->users > 0 || r->window.bytes == NULL)
			continue;
		*at = r->next;
		t->windows--;
		return r;
	}
	return NULL;
}

static void free_room_of(struct room *r)
{
	if (r->window.bytes != NULL)
		mapping_free(r->window.bytes, r->window.size);
	free(r->bytes);
	free(r);
}

/* Windows that nobody needs are given back, until few enough are left. */
static void give_back_windows(struct team *t)
{
	struct room *r;

	pthread_mutex_lock(&t->lock);
	while ((r = take_window(t)) != NULL || (t->windows >= ROOMS && !t->failed)) {
		if (r == NULL) {
			wait_for_workers(t);
			continue;
		}
		pthread_mutex_unlock(&t->lock);
		free_room_of(r);
		pthread_mutex_lock(&t->lock);
	}
	pthread_mutex_unlock(&t->lock);
}

static bool lend_window(void *ctx, const struct input_window *window)
{
	struct team *t = ctx;
	struct room *r = calloc(1, sizeof *r);

	if (r == NULL)
		return false;
	r->window = *window;
	give_back_windows(t);
	pthread_mutex_lock(&t->lock);
	r->next = t->rooms;
	t->rooms = r;
	t->windows++;
	move_in(t, r);
	pthread_mutex_unlock(&t->lock);
	return true;
}

const struct input_rooms *team_rooms(const struct team *t)
{
	return &t->input_rooms;
}

bool team_feed(struct team *t, const struct frame *frames, size_t count, struct err *e)
{
	struct slot *s = &t->slot[t->filled % SLOTS];

	pthread_mutex_lock(&t->lock);
	while (s->left > 0 && !t->failed)
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
	if (t->failed)
		return well(t, e);
	memcpy(s->frame, frames, count * sizeof *frames);
	s->count = count;
	pthread_mutex_lock(&t->lock);
	s->left = t->count;
	s->room = t->room;
	if (s->room != NULL)
		s->room->users++;
	t->filled++;
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].sleeps && t->filled - t->worker[i].done >= WORTH)
			pthread_cond_signal(&t->worker[i].filled);
	pthread_mutex_unlock(&t->lock);
	return true;
}

static bool is_idle(const struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].started && t->worker[i].done < t->filled)
			return false;
	return true;
}

void team_rest(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	while (!t->over && !t->failed && !is_idle(t))
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
}

/* --- a worker's side ----------------------------------------------------------------------------
 */

/* Under the lock: it is done with a slot. */
static void give_back(struct team *t, struct worker *w, struct slot *s)
{
	w->done++;
	if (--s->left > 0)
		return;
	if (s->room != NULL)
		s->room->users--;
	if (t->waits && t->filled - w->done <= SLOTS / 2) /* he fills many at once */
		pthread_cond_signal(&t->moved);
}

/* Under the lock: the next slot; NULL: there will be none. */
static struct slot *next_slot(struct team *t, struct worker *w)
{
	while (w->done == t->filled && !t->ends && !t->failed) {
		pthread_mutex_unlock(&t->lock);
		lane_rest(w->lane); /* others may wait for what is in it */
		pthread_mutex_lock(&t->lock);
		w->sleeps = true;
		while (w->done == t->filled && !t->ends && !t->failed)
			pthread_cond_wait(&w->filled, &t->lock);
		w->sleeps = false;
	}
	return t->failed || w->done == t->filled ? NULL : &t->slot[w->done % SLOTS];
}

static void *run(void *argument)
{
	struct worker *w = argument;
	struct team *t = w->team;
	struct slot *s;
	struct err why;

	pthread_mutex_lock(&t->lock);
	while ((s = next_slot(t, w)) != NULL) {
		pthread_mutex_unlock(&t->lock);
		const bool good = engine_feed(w->engine, s->frame, s->count, &why);

		engine_reach(w->engine);
		pthread_mutex_lock(&t->lock);
		if (!good)
			fail(t, &why);
		give_back(t, w, s);
	}
	pthread_mutex_unlock(&t->lock);
	if (!t->failed && !engine_finish(w->engine, &why)) {
		pthread_mutex_lock(&t->lock);
		fail(t, &why);
		pthread_mutex_unlock(&t->lock);
	}
	lane_end(w->lane);
	return NULL;
}

bool team_start(struct team *t, struct err *e)
{
	bool good = lanes_start(t->lanes, e);

	for (size_t i = 0; i < t->count && good; i++) {
		struct worker *w = &t->worker[i];

		w->started = thread_start(&w->thread, run, w) == 0;
		good = w->started || err_set(e, "cannot start a worker");
	}
	return good;
}

static void join(struct team *t)
{
	for (size_t i = 0; i < t->count; i++) {
		if (t->worker[i].started)
			pthread_join(t->worker[i].thread, NULL);
		t->worker[i].started = false;
	}
	t->over = true;
}

bool team_finish(struct team *t, struct err *e)
{
	pthread_mutex_lock(&t->lock);
	t->ends = true;
	for (size_t i = 0; i < t->count; i++)
		pthread_cond_signal(&t->worker[i].filled);
	pthread_mutex_unlock(&t->lock);
	join(t);
	return well(t, e) && lanes_finish(t->lanes, e);
}

void team_stop(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	if (!t->over)
		fail(t, &(struct err){ "the run was given up" });
	pthread_mutex_unlock(&t->lock);
	board_give_up(&t->board);
	if (t->lanes != NULL)
		lanes_give_up(t->lanes);
	join(t);
}

/* --- making and freeing -------------------------------------------------------------------------
 */

static bool make_worker(struct team *t, struct engine_part part, size_t i, struct err *e)
{
	struct worker *w = &t->worker[i];

	pthread_cond_init(&w->filled, NULL);
	w->team = t;
	w->lane = part.to.lane = lanes_lane(t->lanes, i);
	part.share.index = i;
	w->engine = t->engines[i] = engine_make(&part, e);
	t->count++;
	return w->engine != NULL;
}

static bool make_all(struct team *t, const struct conf *conf, const struct registry *registry,
		struct sink *sink, size_t workers, struct err *e)
{
	struct conf own = *conf;
	const struct engine_part part = { .conf = &own,
		.registry = registry,
		.seed = hash_seed(),
		.share = { .count = workers, .board = &t->board } };

	own.memory.bytes /= workers;
	t->lanes = lanes_new(sink, workers, e);
	for (size_t i = 0; i < workers; i++)
		if (t->lanes == NULL || !make_worker(t, part, i, e))
			return false;
	return true;
}

struct team *team_new(const struct conf *conf, const struct registry *registry, struct sink *sink,
		size_t workers, struct err *e)
{
	struct team *t = calloc(1, sizeof *t + workers * sizeof t->worker[0]);

	if (t == NULL || (t->engines = calloc(workers, sizeof(struct engine *))) == NULL) {
		free(t);
		err_set(e, "no memory for threads");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->moved, NULL);
	board_init(&t->board);
	t->input_rooms = (struct input_rooms){ next_room, lend_window, t };
	if (!make_all(t, conf, registry, sink, workers, e)) {
		team_free(t);
		return NULL;
	}
	return t;
}

static void free_rooms(struct team *t)
{
	while (t->rooms != NULL) {
		struct room *next = t->rooms->next;

		free_room_of(t->rooms);
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
		engine_free(t->worker[i].engine);
		pthread_cond_destroy(&t->worker[i].filled);
	}
	free_rooms(t);
	board_destroy(&t->board);
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	free(t->engines);
	free(t);
}

struct engine *const *team_engines(const struct team *t, size_t *count)
{
	*count = t->count;
	return t->engines;
}
