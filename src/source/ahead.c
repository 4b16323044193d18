/* SPDX-License-Identifier: BSD-3-Clause */
/* ahead.c - the thread fills rooms; who takes waits for the next one. */
#include "source/ahead.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

enum {
#ifdef FUZZING
	FRONT = 64,
	ROOM = 512,
#else
	FRONT = 64 << 10, /* bytes of a room that are left for what the one before could not hold */
	ROOM = 256 << 10,
#endif
	FULL = 4, /* rooms that wait */
};

struct full {
	struct input_room room;
	size_t size;   /* bytes in it, behind FRONT */
	uint64_t used; /* of the file, when it was filled */
};

struct ahead {
	struct input in;
	const struct input_rooms *rooms;
	pthread_t thread;
	bool running;
	uint64_t used; /* of the file: of the room in the window */

	atomic_bool stop;
	pthread_mutex_t lock;
	pthread_cond_t moved;
	struct full full[FULL];
	size_t first, count;
	bool ended;
};

/* --- the thread ---------------------------------------------------------------------------------
 */

/* Fills a room from below; 0: that is at its end. */
static size_t fill(struct input *below, uint8_t *to, size_t room)
{
	size_t have = input_at_hand(below);

	have = have < room ? have : room;
	memcpy(to, below->at, have);
	below->at += have;
	while (have < room && !below->ended && input_at_hand(below) == 0) {
		const size_t got = below->ops->read(below, to + have, room - have);

		below->ended = got == 0;
		below->end_offset += got;
		have += got;
	}
	return have;
}

/* Puts a room into the queue; false: nobody wants it. */
static bool put(struct ahead *a, const struct full *f)
{
	bool wanted;

	pthread_mutex_lock(&a->lock);
	while (a->count == FULL && !a->stop)
		pthread_cond_wait(&a->moved, &a->lock);
	wanted = !a->stop;
	if (wanted)
		a->full[(a->first + a->count++) % FULL] = *f;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	return wanted;
}

static void read_all(struct ahead *a)
{
	struct input *below = a->in.below;
	struct full f;

	do {
		f.room = a->rooms->take(a->rooms->ctx, FRONT + ROOM, &a->stop);
		if (f.room.bytes == NULL) {
			if (!a->stop)
				err_set(&a->in.fault, "no memory for a buffer of %d bytes", ROOM);
			return;
		}
		f.size = fill(below, f.room.bytes + FRONT, f.room.size - FRONT);
		f.used = input_used(below);
		if (f.size > 0 && put(a, &f))
			continue;
		a->rooms->give(a->rooms->ctx, f.room);
		return;
	} while (!below->ended);
}

static void *run(void *ctx)
{
	struct ahead *a = ctx;

	read_all(a);
	pthread_mutex_lock(&a->lock);
	a->ended = true;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	return NULL;
}

/* --- who takes ----------------------------------------------------------------------------------
 */

static bool next_full(struct ahead *a, struct full *f)
{
	bool there;

	pthread_mutex_lock(&a->lock);
	if (a->count == 0 && !a->ended) {
		pthread_mutex_unlock(&a->lock);
		a->rooms->rest(a->rooms->ctx); /* the thread may wait for a room */
		pthread_mutex_lock(&a->lock);
	}
	while (a->count == 0 && !a->ended)
		pthread_cond_wait(&a->moved, &a->lock);
	there = a->count > 0;
	if (there) {
		*f = a->full[a->first];
		a->first = (a->first + 1) % FULL;
		a->count--;
	}
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	return there;
}

/* What is at hand and what is in the room, in another room that has space for both. */
static bool join(struct ahead *a, struct full *f)
{
	struct input *in = &a->in;
	const size_t kept = input_at_hand(in);
	struct input_room large;

	a->rooms->rest(a->rooms->ctx);
	large = a->rooms->take(a->rooms->ctx, FRONT + 2 * kept + f->size, NULL);
	if (large.bytes == NULL) {
		a->rooms->give(a->rooms->ctx, f->room);
		return err_set(&in->fault, "no memory for a buffer of %zu bytes", kept + f->size);
	}
	memcpy(large.bytes + FRONT, in->at, kept);
	memcpy(large.bytes + FRONT + kept, f->room.bytes + FRONT, f->size);
	a->rooms->give(a->rooms->ctx, f->room);
	f->room = large;
	f->size += kept;
	in->at = in->end;
	return true;
}

static bool ahead_more(struct input *in)
{
	struct ahead *a = (struct ahead *)in;
	struct full f;
	size_t kept;

	if (!next_full(a, &f))
		return false;
	in->end_offset += f.size;
	a->used = f.used;
	if (input_at_hand(in) > FRONT && !join(a, &f))
		return false;
	kept = input_at_hand(in);
	memcpy(f.room.bytes + FRONT - kept, in->at, kept);
	in->at = f.room.bytes + FRONT - kept;
	in->end = f.room.bytes + FRONT + f.size;
	a->rooms->enter(a->rooms->ctx, f.room);
	return true;
}

static void ahead_close(struct input *in)
{
	struct ahead *a = (struct ahead *)in;

	ahead_stop(in);
	for (; a->count > 0; a->count--, a->first = (a->first + 1) % FULL)
		a->rooms->give(a->rooms->ctx, a->full[a->first].room);
	pthread_cond_destroy(&a->moved);
	pthread_mutex_destroy(&a->lock);
}

static const struct input_ops ahead_ops = { .more = ahead_more, .close = ahead_close };

void ahead_stop(struct input *in)
{
	struct ahead *a = (struct ahead *)in;

	if (in->ops != &ahead_ops || !a->running)
		return;
	pthread_mutex_lock(&a->lock);
	a->stop = true;
	pthread_cond_signal(&a->moved);
	pthread_mutex_unlock(&a->lock);
	pthread_join(a->thread, NULL);
	a->running = false;
}

bool ahead_used(const struct input *in, uint64_t *bytes)
{
	if (in->ops != &ahead_ops)
		return false;
	*bytes = ((const struct ahead *)in)->used;
	return true;
}

/* Signals are for the program's own threads. */
static bool start(struct ahead *a)
{
	sigset_t all, before;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &before);
	a->running = pthread_create(&a->thread, NULL, run, a) == 0;
	pthread_sigmask(SIG_SETMASK, &before, NULL);
	return a->running;
}

struct input *ahead_open(struct input *below, const struct input_rooms *rooms)
{
	struct ahead *a = (struct ahead *)input_new(sizeof *a, &ahead_ops);

	if (a == NULL)
		return NULL;
	pthread_mutex_init(&a->lock, NULL);
	pthread_cond_init(&a->moved, NULL);
	a->rooms = rooms;
	a->used = input_used(below);
	a->in.end_offset = input_offset(below);
	a->in.below = below;
	if (start(a))
		return &a->in;
	a->in.below = NULL;
	input_close(&a->in);
	return NULL;
}
