/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes.c - lanes hand on stretches of records; the thread merges them.
 *
 * A stretch is handed on when it is long, or when the thread waits for that lane.  What a lane has
 * passed is never said to be behind a record that it still holds.
 */
#include "sink/lanes.h"

#include "base/limits.h"
#include "os/thread.h"
#include "sink/sink_internal.h"

#include <stdatomic.h>
#include <stdlib.h>

enum {
	STRETCH_BYTES = 128 << 10,
	STRETCH_RECORDS = 1024,
	LANE_BYTES = 4 << 20,    /* that wait; a lane with more waits itself */
	WORTH_BYTES = 128 << 10, /* of each lane: the thread is not woken for less */
	SPARES = 64,
};

struct stretch {
	struct stretch *next;
	struct buf bytes;
	size_t count, at; /* records; the first not yet taken */
	size_t taken;     /* bytes of those before it */
	struct lane_key key[STRETCH_RECORDS];
	uint32_t end[STRETCH_RECORDS];
};

struct lane {
	struct lanes *all;
	struct stretch *own; /* being filled; the worker's alone */
	atomic_bool hungry;  /* the thread waits for this lane */
	int64_t reached_ns;  /* the worker's: as last told to lane_reach() */

	/* under the lock */
	struct stretch *first, *last;
	size_t bytes;
	int64_t passed_ns; /* nothing that is not in the list leaves before */

	struct stretch *head; /* the thread's: being taken from */
	int64_t bound_ns;     /* the thread's: passed_ns when it last looked */
};

struct lanes {
	struct pen *pen;
	bool running; /* who started the thread knows */
	pthread_t thread;
	pthread_mutex_t lock;
	pthread_cond_t filled, emptied;

	/* under the lock */
	bool gives_up, failed;
	struct err why;
	size_t blocked; /* lanes that wait */
	struct stretch *spare;
	size_t spares, count;
	struct lane lane[];
};

/* --- stretches ----------------------------------------------------------------------------------
 */

static struct stretch *stretch_new(void)
{
	struct stretch *s = calloc(1, sizeof *s);

	if (s != NULL)
		s->bytes = buf_new(STRETCH_BYTES + 2 * LIMIT_RECORD_BYTES);
	return s;
}

static void stretch_free(struct stretch *s)
{
	while (s != NULL) {
		struct stretch *next = s->next;

		buf_free(&s->bytes);
		free(s);
		s = next;
	}
}

/* Under the lock: one to fill. */
static struct stretch *take_spare(struct lanes *all)
{
	struct stretch *s = all->spare;

	if (s == NULL)
		return stretch_new();
	all->spare = s->next;
	all->spares--;
	s->next = NULL;
	return s;
}

/* Under the lock: it is empty. */
static void give_spare(struct lanes *all, struct stretch *s)
{
	buf_clear(&s->bytes);
	s->count = s->at = s->taken = 0;
	s->next = NULL;
	if (all->spares >= SPARES * all->count) {
		stretch_free(s);
		return;
	}
	s->next = all->spare;
	all->spare = s;
	all->spares++;
}

/* --- making and freeing -------------------------------------------------------------------------
 */

struct lanes *lanes_new(struct sink *sink, size_t count, struct err *e)
{
	struct lanes *all = calloc(1, sizeof *all + count * sizeof all->lane[0]);

	if (all == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	pthread_mutex_init(&all->lock, NULL);
	pthread_cond_init(&all->filled, NULL);
	pthread_cond_init(&all->emptied, NULL);
	all->count = count;
	all->pen = pen_new(sink, e);
	if (all->pen == NULL) {
		lanes_free(all);
		return NULL;
	}
	for (size_t i = 0; i < count; i++) {
		struct lane *lane = &all->lane[i];

		lane->all = all;
		lane->passed_ns = lane->reached_ns = lane->bound_ns = INT64_MIN;
		lane->own = stretch_new();
		if (lane->own == NULL) {
			err_set(e, "no memory to write records");
			lanes_free(all);
			return NULL;
		}
	}
	return all;
}

struct lane *lanes_lane(struct lanes *all, size_t i)
{
	return &all->lane[i];
}

void lanes_give_up(struct lanes *all)
{
	pthread_mutex_lock(&all->lock);
	all->gives_up = true;
	pthread_cond_broadcast(&all->filled);
	pthread_cond_broadcast(&all->emptied);
	pthread_mutex_unlock(&all->lock);
}

static void join(struct lanes *all)
{
	if (all->running)
		pthread_join(all->thread, NULL);
	all->running = false;
}

void lanes_free(struct lanes *all)
{
	if (all == NULL)
		return;
	lanes_give_up(all);
	join(all);
	pen_free(all->pen);
	for (size_t i = 0; i < all->count; i++) {
		stretch_free(all->lane[i].own);
		stretch_free(all->lane[i].first);
		stretch_free(all->lane[i].head);
	}
	stretch_free(all->spare);
	pthread_cond_destroy(&all->filled);
	pthread_cond_destroy(&all->emptied);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

/* --- a worker's side ----------------------------------------------------------------------------
 */

/*
 * Under the lock: whether the thread should go to work: a lane is full, or there is enough of all,
 * or there will be no more.
 */
static bool is_worth_it(const struct lanes *all)
{
	bool ended = true, each = true;

	for (size_t i = 0; i < all->count; i++) {
		const struct lane *lane = &all->lane[i];

		if (lane->passed_ns == INT64_MAX)
			continue;
		ended = false;
		each &= lane->bytes >= WORTH_BYTES;
	}
	return ended || all->blocked > 0 || each;
}

/* Under the lock: what later records cannot be smaller than. */
static void say_passed(struct lane *lane)
{
	const struct stretch *s = lane->own;

	lane->passed_ns = s->count > 0 && s->key[0].leaves_ns < lane->reached_ns
					  ? s->key[0].leaves_ns
					  : lane->reached_ns;
	if (lane->hungry || lane->passed_ns == INT64_MAX)
		pthread_cond_signal(&lane->all->filled);
	lane->hungry = false;
}

/* Under the lock: the lane has too much; the thread is to write it. */
static void wait_for_room(struct lane *lane)
{
	struct lanes *all = lane->all;

	all->blocked++;
	pthread_cond_signal(&all->filled);
	while (lane->bytes > LANE_BYTES / 2 && !all->gives_up && !all->failed)
		pthread_cond_wait(&all->emptied, &all->lock);
	all->blocked--;
}

/* Puts what the lane holds into the list; false: it can go no further. */
static bool hand_on(struct lane *lane)
{
	struct lanes *all = lane->all;
	struct stretch *s = lane->own, *next;
	bool good;

	pthread_mutex_lock(&all->lock);
	if (lane->bytes > LANE_BYTES && !all->gives_up && !all->failed)
		wait_for_room(lane);
	next = take_spare(all);
	good = next != NULL && !all->gives_up && !all->failed;
	if (good) {
		if (lane->last != NULL && lane->first != NULL)
			lane->last->next = s;
		else
			lane->first = s;
		lane->last = s;
		lane->bytes += s->bytes.size;
		if (is_worth_it(all))
			pthread_cond_signal(&all->filled);
		lane->own = next;
		say_passed(lane);
	} else if (next != NULL) {
		give_spare(all, next);
	}
	if (next == NULL && !all->failed) {
		all->failed = true;
		err_set(&all->why, "cannot write records: no memory");
		pthread_cond_broadcast(&all->filled);
		pthread_cond_broadcast(&all->emptied);
	}
	pthread_mutex_unlock(&all->lock);
	return good;
}

bool lanes_well(struct lanes *all, struct err *e)
{
	bool good;

	pthread_mutex_lock(&all->lock);
	good = !all->failed || err_set(e, "%s", all->why.text);
	pthread_mutex_unlock(&all->lock);
	return good;
}

bool lane_record(struct lane *lane, const struct lane_key *key, const void *const *data,
		struct err *e)
{
	struct stretch *s = lane->own;
	const size_t begin = s->bytes.size;

	if (s->count > 0 && (s->count == STRETCH_RECORDS || begin >= STRETCH_BYTES)) {
		if (!hand_on(lane))
			return lanes_well(lane->all, e) && err_set(e, "the run was given up");
		return lane_record(lane, key, data, e);
	}
	pen_format(lane->all->pen, data, &s->bytes);
	if (!buf_ok(&s->bytes) || s->bytes.size - begin > LIMIT_RECORD_BYTES) {
		s->bytes.failed = false;
		s->bytes.size = begin;
		pen_refused(lane->all->pen);
		return true;
	}
	s->key[s->count] = *key;
	s->end[s->count++] = (uint32_t)s->bytes.size;
	return true;
}

void lane_reach(struct lane *lane, int64_t ns)
{
	lane->reached_ns = ns;
	if (lane->hungry)
		lane_rest(lane);
}

void lane_rest(struct lane *lane)
{
	if (lane->own->count > 0)
		hand_on(lane);
	pthread_mutex_lock(&lane->all->lock);
	say_passed(lane);
	pthread_mutex_unlock(&lane->all->lock);
}

void lane_end(struct lane *lane)
{
	lane->reached_ns = INT64_MAX;
	lane_rest(lane);
}

/* --- the thread ---------------------------------------------------------------------------------
 */

/* Under the lock: takes what the lanes have. */
static void look(struct lanes *all)
{
	for (size_t i = 0; i < all->count; i++) {
		struct lane *lane = &all->lane[i];

		if (lane->head == NULL && lane->first != NULL) {
			lane->head = lane->first;
			lane->first = lane->head->next;
			lane->bytes -= lane->head->bytes.size;
			lane->head->next = NULL;
		}
		/* nothing smaller is in the next stretch, or comes */
		lane->bound_ns = lane->first != NULL ? lane->first->key[0].leaves_ns
						     : lane->passed_ns;
	}
	pthread_cond_broadcast(&all->emptied);
}

static bool precedes(const struct lane_key *a, const struct lane_key *b)
{
	return a->leaves_ns != b->leaves_ns ? a->leaves_ns < b->leaves_ns : a->number < b->number;
}

/* The lane with the smallest record, or the lane that must say more first. */
static struct lane *smallest(struct lanes *all, bool *ready)
{
	struct lane *best = NULL, *behind = NULL;

	for (size_t i = 0; i < all->count; i++) {
		struct lane *lane = &all->lane[i];

		if (lane->head == NULL) {
			if (behind == NULL || lane->bound_ns < behind->bound_ns)
				behind = lane;
			continue;
		}
		if (best == NULL || precedes(&lane->head->key[lane->head->at],
						    &best->head->key[best->head->at]))
			best = lane;
	}
	*ready = best != NULL &&
		 (behind == NULL || best->head->key[best->head->at].leaves_ns < behind->bound_ns);
	return *ready ? best : behind;
}

static bool write_one(struct lanes *all, struct lane *lane)
{
	struct stretch *s = lane->head;
	const size_t end = s->end[s->at];

	if (pen_wants_time(all->pen))
		pen_time(all->pen, s->key[s->at].time_ns);
	if (!pen_line(all->pen, s->bytes.p + s->taken, end - s->taken, &all->why))
		return false;
	s->taken = end;
	s->at++;
	return true;
}

static bool is_over(const struct lanes *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->lane[i].head != NULL || all->lane[i].first != NULL ||
				all->lane[i].passed_ns != INT64_MAX)
			return false;
	return true;
}

/* Writes what can be written; false: the sink has failed. 'waits': the lane that holds it up. */
static bool write_ready(struct lanes *all, struct stretch **used, struct lane **waits)
{
	bool ready;
	struct lane *lane;

	while ((lane = smallest(all, &ready)) != NULL && ready) {
		if (!write_one(all, lane))
			return false;
		if (lane->head->at < lane->head->count)
			continue;
		lane->head->next = *used;
		*used = lane->head;
		lane->head = NULL;
	}
	*waits = lane;
	return true;
}

/* Under the lock: whether a lane has something that was not there when look() was called. */
static bool has_news(const struct lane *lane)
{
	return lane->first != NULL || lane->passed_ns > lane->bound_ns;
}

/* Under the lock: whether one that had nothing to take from has, be it the one that is waited for
 * or one whose next records come before what that has passed. */
static bool have_news(const struct lanes *all)
{
	for (size_t i = 0; i < all->count; i++)
		if (all->lane[i].head == NULL && has_news(&all->lane[i]))
			return true;
	return false;
}

/* Under the lock: whether the thread can end. */
static bool is_done(const struct lanes *all)
{
	return all->gives_up || all->failed || is_over(all);
}

/* Under the lock: all that can be written now; the lane that holds up the rest. */
static struct lane *write_some(struct lanes *all)
{
	struct stretch *used = NULL;
	struct lane *waits = NULL;

	look(all);
	pthread_mutex_unlock(&all->lock);

	const bool good = write_ready(all, &used, &waits);

	pthread_mutex_lock(&all->lock);
	if (!good) {
		all->failed = true;
		pthread_cond_broadcast(&all->emptied);
	}
	while (used != NULL) {
		struct stretch *next = used->next;

		give_spare(all, used);
		used = next;
	}
	return waits;
}

static void merge(struct lanes *all)
{
	pthread_mutex_lock(&all->lock);
	while (!is_done(all)) {
		if (!is_worth_it(all)) {
			pthread_cond_wait(&all->filled, &all->lock);
			continue;
		}
		struct lane *waits;

		do
			waits = write_some(all);
		while (!is_done(all) && have_news(all));
		while (!is_done(all) && is_worth_it(all) && !have_news(all)) {
			waits->hungry = true;
			pthread_cond_wait(&all->filled, &all->lock);
		}
	}
	pthread_mutex_unlock(&all->lock);
}

static void *run(void *ctx)
{
	merge(ctx);
	return NULL;
}

bool lanes_start(struct lanes *all, struct err *e)
{

	all->running = thread_start(&all->thread, run, all) == 0;
	return all->running || err_set(e, "cannot write records: no thread can be started");
}

bool lanes_finish(struct lanes *all, struct err *e)
{
	join(all);
	return lanes_well(all, e) && pen_flush(all->pen, e);
}
