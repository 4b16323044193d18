/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.c - the ring of frames, the rooms that they lie in, the workers, and the threads.
 *
 * There are as many threads as workers, and any thread may do the next piece of any worker's work:
 * each takes the worker that is furthest behind.  The reader is one of them; it reads while the
 * others have something to do, and then works too.  So nobody has to be woken as long as there is
 * work, and processors share it evenly, whatever reading costs.
 *
 * The reader waits when the slowest worker is a whole ring behind, or when all rooms are in use; a
 * worker waits for its lane, or for an answer of another worker, which has all frames that it has.
 * So nobody waits in a circle: the worker that is furthest behind waits for nobody, and if no
 * thread has it, one is left that takes it.
 */
#include "engine/team.h"

#include <stdatomic.h>
#include <stdlib.h>

#include "base/hash.h"
#include "engine/engine_internal.h"
#include "os/mapping.h"
#include "os/thread.h"
#include "source/input.h"

enum {
	SLOTS = 128,  /* batches of frames in the ring */
	WORTH = 4,    /* batches: nobody is woken for fewer */
	SHARE = 2,    /* batches: done before a thread looks for what is behind */
	STAY = 8,     /* batches: a worker does not change hands for fewer */
	LOW = 8,      /* batches: the reader goes on before a worker has no more than that */
	HIGH = 16,    /* batches: the reader helps a worker that is so far behind */
	ROOMS = 64,   /* at most, */
	WINDOWS = 12, /* ... and mapped ones */
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
	struct room *room; /* or NULL */
	size_t left;       /* workers that are not done with it */
	struct portion portion;
};

struct worker {
	struct engine *engine;
	struct lane *lane;

	/* under the lock */
	uint64_t done; /* slots */
	bool busy;     /* a thread has it */
	bool ended;    /* its flows have left */
};

struct team {
	struct lanes *lanes;
	struct board board;
	struct input_rooms input_rooms;
	struct engine **engines;
	struct clock clock;    /* the reader's */
	struct room *room;     /* the reader's */
	struct worker *helped; /* by the reader, last */
	bool over;             /* the threads have ended */

	atomic_bool failed;
	pthread_mutex_t lock;
	pthread_cond_t work;  /* for threads without any */
	pthread_cond_t moved; /* for the reader: a slot, room or worker is free, or all is over */
	size_t sleepers;      /* threads without work */
	bool waits;           /* the reader */
	bool ends;            /* there are no more frames */
	struct err why;
	struct room *rooms;
	size_t room_count, windows; /* of either kind */
	uint64_t filled;            /* slots so far */
	struct slot slot[SLOTS];

	size_t threads; /* that run, beside the reader's */
	pthread_t *thread;
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
	board_give_up(&t->board); /* the reader may wait for an answer too */
	pthread_cond_broadcast(&t->moved);
	pthread_cond_broadcast(&t->work);
}

static bool well(struct team *t, struct err *e)
{
	bool good;

	pthread_mutex_lock(&t->lock);
	good = !t->failed || err_set(e, "%s", t->why.text);
	pthread_mutex_unlock(&t->lock);
	return good;
}

/* --- work, by any thread ------------------------------------------------------------------------
 */

/* Under the lock: slots that a worker has yet to see; without more of them, its end is one. */
static uint64_t backlog(const struct team *t, const struct worker *w)
{
	return t->filled - w->done + (t->ends && !w->ended);
}

/*
 * Under the lock: the worker that is furthest behind, of those that no thread has; 'last', which
 * this thread had before and has in its caches, unless another is far behind that.
 */
static struct worker *pick(struct team *t, const struct worker *last)
{
	struct worker *best = NULL;
	uint64_t most = 0;

	for (size_t i = 0; i < t->count && !t->failed; i++) {
		struct worker *w = &t->worker[i];
		const uint64_t behind = w->busy ? 0 : backlog(t, w);
		const uint64_t counts = behind > 0 && w == last ? behind + STAY : behind;

		if (counts > most) {
			most = counts;
			best = w;
		}
	}
	return best;
}

/* Under the lock: a worker is done with a slot. */
static void give_back(struct team *t, struct worker *w)
{
	struct slot *s = &t->slot[w->done++ % SLOTS];

	if (--s->left == 0 && s->room != NULL)
		s->room->users--;
}

/* Shows a worker some slots. */
static bool show(struct team *t, struct worker *w, size_t slots, struct err *why)
{
	for (size_t i = 0; i < slots; i++) {
		const struct slot *s = &t->slot[(w->done + i) % SLOTS];

		if (!engine_feed_portion(w->engine, &s->portion, why))
			return false;
		engine_reach(w->engine);
	}
	return true;
}

/* Under the lock: a thread that sleeps, if there is enough for it to do. */
static void wake(struct team *t, uint64_t worth)
{
	const struct worker *w = t->sleepers == 0 ? NULL : pick(t, NULL);

	if (w != NULL && backlog(t, w) >= worth)
		pthread_cond_signal(&t->work);
}

/* Under the lock, which is let go meanwhile: does some of a worker's work. */
static void work(struct team *t, struct worker *w)
{
	const uint64_t behind = t->filled - w->done;
	const size_t slots = behind < SHARE ? (size_t)behind : SHARE;
	const bool finish = slots == 0;
	struct err why;
	bool good;

	w->busy = true;
	wake(t, 1); /* this thread may come to wait for any that is behind */
	pthread_mutex_unlock(&t->lock);
	good = finish ? engine_finish(w->engine, &why) : show(t, w, slots, &why);
	if (finish)
		lane_end(w->lane);
	pthread_mutex_lock(&t->lock);
	for (size_t i = 0; i < slots; i++)
		give_back(t, w);
	if (!good)
		fail(t, &why);
	if (!finish && w->done == t->filled) {
		pthread_mutex_unlock(&t->lock);
		lane_rest(w->lane); /* others may wait for what is in it */
		pthread_mutex_lock(&t->lock);
	}
	w->ended = finish;
	w->busy = false;
	if (t->waits)
		pthread_cond_signal(&t->moved);
}

static void *run(void *argument)
{
	struct team *t = argument;
	struct worker *w = NULL;

	pthread_mutex_lock(&t->lock);
	while (!t->failed && !t->over) {
		w = pick(t, w);
		if (w != NULL) {
			work(t, w);
			continue;
		}
		t->sleepers++;
		pthread_cond_wait(&t->work, &t->lock);
		t->sleepers--;
	}
	pthread_mutex_unlock(&t->lock);
	return NULL;
}

/* --- the reader's side --------------------------------------------------------------------------
 */

/* Under the lock: the reader can go no further before some work is done. */
static void wait_for_workers(struct team *t)
{
	struct worker *w = pick(t, t->helped);

	if (w != NULL) {
		t->helped = w;
		work(t, w);
		return;
	}
	t->waits = true;
	pthread_cond_wait(&t->moved, &t->lock);
	t->waits = false;
}

/* Under the lock: no worker will be without frames soon, and one that nobody has is far behind. */
static bool should_help(const struct team *t)
{
	uint64_t most = 0;

	for (size_t i = 0; i < t->count; i++) {
		const struct worker *w = &t->worker[i];

		if (backlog(t, w) < LOW)
			return false;
		if (!w->busy && backlog(t, w) > most)
			most = backlog(t, w);
	}
	return most >= HIGH;
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
	while ((r = take_window(t)) != NULL || (t->windows >= WINDOWS && !t->failed)) {
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
	while ((s->left > 0 || should_help(t)) && !t->failed)
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
	if (t->failed)
		return well(t, e);
	portion_fill(&s->portion, frames, count, &t->engines[0]->rules, &t->engines[0]->share,
			&t->clock);
	pthread_mutex_lock(&t->lock);
	s->left = t->count;
	s->room = t->room;
	if (s->room != NULL)
		s->room->users++;
	t->filled++;
	wake(t, WORTH);
	pthread_mutex_unlock(&t->lock);
	return true;
}

/* Under the lock: whether all that can be done is done. */
static bool is_idle(const struct team *t)
{
	for (size_t i = 0; i < t->count; i++)
		if (t->worker[i].busy || (backlog(t, &t->worker[i]) > 0 && !t->failed))
			return false;
	return true;
}

void team_rest(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	while (!t->over && !is_idle(t))
		wait_for_workers(t);
	pthread_mutex_unlock(&t->lock);
}

bool team_start(struct team *t, struct err *e)
{
	bool good = lanes_start(t->lanes, e);

	while (good && t->threads + 1 < t->count) {
		good = thread_start(&t->thread[t->threads], run, t) == 0 ||
		       err_set(e, "cannot start a worker");
		t->threads += good;
	}
	return good;
}

static void join(struct team *t)
{
	pthread_mutex_lock(&t->lock);
	t->over = true;
	pthread_cond_broadcast(&t->work);
	pthread_mutex_unlock(&t->lock);
	while (t->threads > 0)
		pthread_join(t->thread[--t->threads], NULL);
}

bool team_finish(struct team *t, struct err *e)
{
	pthread_mutex_lock(&t->lock);
	t->ends = true;
	pthread_mutex_unlock(&t->lock);
	team_rest(t);
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
		.share = { .count = workers, .seed = hash_seed(), .board = &t->board } };

	own.memory.bytes /= workers;
	t->clock.jump_ns = conf->idle_timeout.ns;
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

	if (t != NULL) {
		t->engines = calloc(workers, sizeof(struct engine *));
		t->thread = calloc(workers, sizeof(pthread_t));
	}
	if (t == NULL || t->engines == NULL || t->thread == NULL) {
		if (t != NULL) {
			free(t->engines);
			free(t->thread);
		}
		free(t);
		err_set(e, "no memory for threads");
		return NULL;
	}
	pthread_mutex_init(&t->lock, NULL);
	pthread_cond_init(&t->work, NULL);
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
	for (size_t i = 0; i < t->count; i++)
		engine_free(t->worker[i].engine);
	free_rooms(t);
	board_destroy(&t->board);
	pthread_cond_destroy(&t->work);
	pthread_cond_destroy(&t->moved);
	pthread_mutex_destroy(&t->lock);
	free(t->thread);
	free(t->engines);
	free(t);
}

struct engine *const *team_engines(const struct team *t, size_t *count)
{
	*count = t->count;
	return t->engines;
}
