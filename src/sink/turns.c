/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * turns.c - a ring of files, each with a list of pieces: records and notes one behind the other.
 *
 * A worker collects a piece in a buffer of its own and hands on a copy that is as long as what it
 * holds, so what waits is what it takes.
 */
#include "sink/turns.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "sink/sink_internal.h"
#include "sink/wait.h"

enum {
	PIECE = 64 << 10, /* handed on when it is so long */
	RECORD = 0,
	LISTS = 16, /* of pieces, written at most in one call */
};

#define WRITE_NS ((int64_t)100 * 1000 * 1000)

/* Before the bytes of each record or note. */
struct head {
	uint32_t what; /* RECORD, or a note's */
	uint32_t size;
	int64_t time_ns;
};

struct piece {
	struct piece *next;
	size_t size;
	char bytes[];
};

/* A file that is taken and not yet written. */
struct slot {
	struct piece *first, **last;
	size_t size; /* of its pieces */
	bool ended;
};

struct turn {
	struct turns *all;
	size_t file;
	struct buf bytes; /* the piece that is collected */
	bool inside;
};

struct turns {
	struct turns_conf conf;
	struct pen *pen;
	atomic_bool stopped;

	pthread_mutex_t lock;
	pthread_cond_t filled; /* the writer has something to do */
	pthread_cond_t moved;  /* for workers: another file has its turn, or nobody holds them */
	pthread_cond_t taken_from; /* for the worker on the file whose turn it is */
	pthread_cond_t still;      /* for who holds them */
	bool given_up;
	size_t taken;          /* files */
	size_t written;        /* files: the next one has its turn */
	size_t ahead;          /* bytes of the others */
	unsigned held, inside; /* by how many; workers */
	bool writes;           /* the writer is not asleep */
	struct slot slot[LIMIT_OUTPUT_TURNS];
};

static struct slot *slot_of(struct turns *all, size_t file)
{
	return &all->slot[file % LIMIT_OUTPUT_TURNS];
}

/* --- making and freeing -------------------------------------------------------------------------
 */

struct turns *turns_new(const struct turns_conf *conf, struct err *e)
{
	struct turns *all = calloc(1, sizeof *all);

	if (all == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	all->conf = *conf;
	if (conf->ahead == 0)
		all->conf.ahead = LIMIT_OUTPUT_AHEAD;
	pthread_mutex_init(&all->lock, NULL);
	wait_init(&all->filled);
	pthread_cond_init(&all->moved, NULL);
	pthread_cond_init(&all->taken_from, NULL);
	pthread_cond_init(&all->still, NULL);
	all->pen = pen_new(conf->sink, e);
	if (all->pen == NULL) {
		turns_free(all);
		return NULL;
	}
	return all;
}

static void pieces_free(struct piece *p)
{
	while (p != NULL) {
		struct piece *next = p->next;

		free(p);
		p = next;
	}
}

void turns_free(struct turns *all)
{
	if (all == NULL)
		return;
	for (size_t i = 0; i < LIMIT_OUTPUT_TURNS; i++)
		pieces_free(all->slot[i].first);
	pen_free(all->pen);
	pthread_cond_destroy(&all->filled);
	pthread_cond_destroy(&all->moved);
	pthread_cond_destroy(&all->taken_from);
	pthread_cond_destroy(&all->still);
	pthread_mutex_destroy(&all->lock);
	free(all);
}

struct turn *turn_new(struct turns *all, struct err *e)
{
	struct turn *t = calloc(1, sizeof *t);

	if (t == NULL) {
		err_set(e, "no memory to write records");
		return NULL;
	}
	t->all = all;
	t->bytes = buf_new(PIECE + 2 * (sizeof(struct head) + LIMIT_RECORD_BYTES));
	return t;
}

void turn_free(struct turn *t)
{
	if (t == NULL)
		return;
	buf_free(&t->bytes);
	free(t);
}

/* --- holding ------------------------------------------------------------------------------------
 */

/* Under the lock. */
static void step_out(struct turns *all)
{
	if (--all->inside == 0 && all->held > 0)
		pthread_cond_broadcast(&all->still);
}

/* Under the lock. */
static void step_in(struct turns *all)
{
	while (all->held > 0)
		pthread_cond_wait(&all->moved, &all->lock);
	all->inside++;
}

void turn_enter(struct turn *t)
{
	pthread_mutex_lock(&t->all->lock);
	step_in(t->all);
	t->inside = true;
	pthread_mutex_unlock(&t->all->lock);
}

void turn_leave(struct turn *t)
{
	pthread_mutex_lock(&t->all->lock);
	t->inside = false;
	step_out(t->all);
	pthread_mutex_unlock(&t->all->lock);
}

void turns_hold(struct turns *all)
{
	pthread_mutex_lock(&all->lock);
	all->held++;
	while (all->inside > 0)
		pthread_cond_wait(&all->still, &all->lock);
	pthread_mutex_unlock(&all->lock);
}

void turns_release(struct turns *all)
{
	pthread_mutex_lock(&all->lock);
	if (--all->held == 0)
		pthread_cond_broadcast(&all->moved);
	pthread_mutex_unlock(&all->lock);
}

/* --- a worker's side ----------------------------------------------------------------------------
 */

/* Under the lock: is not in the way of whoever holds the workers meanwhile. */
static void wait_for_room(struct turn *t)
{
	struct turns *all = t->all;

	if (t->inside)
		step_out(all);
	pthread_cond_wait(t->file == all->written ? &all->taken_from : &all->moved, &all->lock);
	if (t->inside)
		step_in(all);
}

bool turn_take(struct turn *t, size_t *file)
{
	struct turns *all = t->all;
	bool good;

	pthread_mutex_lock(&all->lock);
	while (all->taken - all->written >= LIMIT_OUTPUT_TURNS && !all->given_up)
		pthread_cond_wait(&all->moved, &all->lock);
	good = all->taken < all->conf.files && !all->given_up && !all->stopped;
	if (good) {
		t->file = *file = all->taken++;
		*slot_of(all, t->file) = (struct slot){ 0 };
	}
	pthread_mutex_unlock(&all->lock);
	return good;
}

/* Under the lock: whether so many bytes more of the file would be too many; a first piece never is.
 */
static bool is_full(const struct turns *all, size_t file, const struct slot *s, size_t size)
{
	if (file == all->written)
		return s->size > 0 && s->size + size > LIMIT_OUTPUT_TURN;
	return all->ahead > 0 && all->ahead + size > all->conf.ahead;
}

/* Under the lock. */
static void append(struct turns *all, size_t file, struct piece *p)
{
	struct slot *s = slot_of(all, file);

	*(s->first == NULL ? &s->first : s->last) = p;
	s->last = &p->next;
	s->size += p->size;
	if (file != all->written)
		all->ahead += p->size;
}

/* Under the lock: its turn is that of the writer's file, which has changed. */
static void wake_writer(struct turns *all, size_t file)
{
	if (file == all->written && !all->writes)
		pthread_cond_signal(&all->filled);
}

static struct piece *piece_of(struct buf *bytes)
{
	struct piece *p = malloc(sizeof *p + bytes->size);

	if (p != NULL) {
		p->next = NULL;
		p->size = bytes->size;
		memcpy(p->bytes, bytes->p, bytes->size);
	}
	buf_clear(bytes);
	return p;
}

static bool hand_on(struct turn *t, bool end, struct err *e)
{
	struct turns *all = t->all;
	const bool any = t->bytes.size > 0;
	struct piece *p = any ? piece_of(&t->bytes) : NULL;
	bool good;

	pthread_mutex_lock(&all->lock);
	while (p != NULL && is_full(all, t->file, slot_of(all, t->file), p->size) && !all->given_up)
		wait_for_room(t);
	good = !all->given_up || err_set(e, "the run was given up");
	if (p != NULL && good)
		append(all, t->file, p);
	slot_of(all, t->file)->ended = end;
	wake_writer(all, t->file);
	pthread_mutex_unlock(&all->lock);
	if (!good)
		free(p);
	return good && (p != NULL || !any || err_set(e, "cannot write records: no memory"));
}

/* Behind each record or note, of which the buffer has room for one more at least. */
static bool added(struct turn *t, struct err *e)
{
	return t->bytes.size < PIECE || hand_on(t, false, e);
}

bool turn_record(struct turn *t, int64_t time_ns, const void *const *data, struct err *e)
{
	const size_t begin = t->bytes.size;
	struct head head = { .what = RECORD, .time_ns = time_ns };
	size_t size;

	buf_bytes(&t->bytes, &head, sizeof head);
	pen_format(t->all->pen, data, &t->bytes);
	size = t->bytes.size - begin - sizeof head;
	if (!buf_ok(&t->bytes) || size > LIMIT_RECORD_BYTES) {
		t->bytes.failed = false;
		t->bytes.size = begin;
		pen_refused(t->all->pen);
		return true;
	}
	head.size = (uint32_t)size;
	memcpy(t->bytes.p + begin, &head, sizeof head);
	return added(t, e);
}

bool turn_note(struct turn *t, unsigned what, const void *bytes, size_t size, struct err *e)
{
	const struct head head = { .what = what, .size = (uint32_t)size };

	buf_bytes(&t->bytes, &head, sizeof head);
	buf_bytes(&t->bytes, bytes, size);
	return buf_ok(&t->bytes) ? added(t, e) : err_set(e, "cannot write records: no memory");
}

bool turn_end(struct turn *t, struct err *e)
{
	return hand_on(t, true, e);
}

/* --- the writer's side --------------------------------------------------------------------------
 */

static bool write_one(struct turns *all, const struct head *h, const char *bytes, struct err *e)
{
	if (h->what != RECORD)
		return all->conf.note(all->conf.ctx, h->what, bytes, h->size, e);
	if (pen_wants_time(all->pen))
		pen_time(all->pen, h->time_ns);
	return pen_line(all->pen, bytes, h->size, e);
}

static bool write_piece(struct turns *all, const struct piece *p, struct err *e)
{
	struct head h;

	for (size_t at = 0; at < p->size; at += sizeof h + h.size) {
		memcpy(&h, p->bytes + at, sizeof h);
		if (!write_one(all, &h, p->bytes + at + sizeof h, e))
			return false;
	}
	return true;
}

static bool write_pieces(struct turns *all, struct piece *p, struct err *e)
{
	bool good = true;

	for (struct piece *next; p != NULL; p = next) {
		next = p->next;
		good = good && write_piece(all, p, e);
		free(p);
	}
	return good;
}

/* Under the lock: the file whose turn it is is done, and the next one comes. */
static void next_turn(struct turns *all)
{
	all->written++;
	if (all->written < all->taken)
		all->ahead -= slot_of(all, all->written)->size;
	pthread_cond_broadcast(&all->moved);
}

/* Under the lock: the pieces of the file whose turn it is. */
static struct piece *take_pieces(struct turns *all, struct slot *s)
{
	struct piece *p = s->first;

	s->first = NULL;
	s->size = 0;
	pthread_cond_signal(&all->taken_from);
	return p;
}

/* Under the lock: no file is to be written any more. */
static bool is_over(const struct turns *all)
{
	return all->written == all->taken && (all->stopped || all->taken == all->conf.files);
}

/* Under the lock: what is to be written next; NULL: nothing for now. */
static struct piece *next_pieces(struct turns *all)
{
	while (all->written < all->taken) {
		struct slot *s = slot_of(all, all->written);

		if (s->first != NULL)
			return take_pieces(all, s);
		if (!s->ended)
			return NULL;
		next_turn(all);
	}
	return NULL;
}

bool turns_write(struct turns *all, bool *over, struct err *e)
{
	const int64_t until_ns = wait_clock() + WRITE_NS;
	unsigned left = LISTS;
	bool good = true;

	pthread_mutex_lock(&all->lock);
	do {
		struct piece *p = next_pieces(all);

		*over = is_over(all);
		if (p == NULL && !*over) {
			wait_until(&all->filled, &all->lock, until_ns);
			continue;
		}
		all->writes = true;
		pthread_mutex_unlock(&all->lock);
		good = write_pieces(all, p, e);
		pthread_mutex_lock(&all->lock);
		all->writes = false;
		left--;
	} while (good && !*over && left > 0 && wait_clock() < until_ns);
	pthread_mutex_unlock(&all->lock);
	return good;
}

bool turns_flush(struct turns *all, struct err *e)
{
	return pen_flush(all->pen, e);
}

void turns_stop(struct turns *all)
{
	all->stopped = true;
}

bool turns_stopped(const struct turns *all)
{
	return all->stopped;
}

void turns_give_up(struct turns *all)
{
	pthread_mutex_lock(&all->lock);
	all->stopped = true;
	all->given_up = true;
	pthread_cond_broadcast(&all->moved);
	pthread_cond_broadcast(&all->taken_from);
	pthread_mutex_unlock(&all->lock);
}

size_t turns_waiting(struct turns *all)
{
	size_t size;

	pthread_mutex_lock(&all->lock);
	size = all->ahead;
	if (all->written < all->taken)
		size += slot_of(all, all->written)->size;
	pthread_mutex_unlock(&all->lock);
	return size;
}
