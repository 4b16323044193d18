/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * apart.c - the workers, and the notes that they put among the records: a file's first packet, what
 * was wrong with it, how much of it was read.
 */
#include "engine/apart.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

#include "engine/engine_internal.h"
#include "os/thread.h"
#include "sink/turns.h"

enum { FRAMES = 256 };

enum note {
	NOTE_FIRST = TURN_NOTE, /* struct frame: of a file, without its bytes */
	NOTE_TROUBLE,           /* struct trouble, file, text */
	NOTE_READ,              /* struct source_progress: of a file */
};

/* The two texts follow, each with a zero behind. */
struct trouble {
	struct source_report report;
	size_t file_size, text_size;
};

struct worker {
	struct apart *apart;
	struct engine *engine;
	struct source *source;
	struct turn *turn;
	pthread_t thread;
	bool started;
	struct err why; /* it could not go on; "" otherwise */
};

struct apart {
	struct apart_conf conf;
	struct conf own; /* with a worker's share of the memory */
	struct turns *turns;
	struct engine **engines;
	bool begun;
	atomic_bool failed; /* a worker has */
	size_t count;
	struct worker worker[];
};

/* --- a worker -----------------------------------------------------------------------------------
 */

static bool tell_first(struct worker *w, const struct frame *first, struct err *e)
{
	struct frame f = *first;

	f.bytes = NULL;
	return turn_note(w->turn, NOTE_FIRST, &f, sizeof f, e);
}

static void on_trouble(void *ctx, const struct source_report *r)
{
	struct worker *w = ctx;
	const struct trouble t = { *r, strlen(r->file) + 1, strlen(r->text) + 1 };
	struct buf note = buf_new(LIMIT_TEXT_BYTES);

	buf_bytes(&note, &t, sizeof t);
	buf_bytes(&note, r->file, t.file_size);
	buf_bytes(&note, r->text, t.text_size);
	if (!buf_ok(&note))
		err_set(&w->why, "no memory to tell what is wrong with %s", r->file);
	else if (w->why.text[0] == '\0')
		turn_note(w->turn, NOTE_TROUBLE, note.p, note.size, &w->why);
	buf_free(&note);
}

static bool feed(struct worker *w, const struct frame *frames, size_t count)
{
	bool good;

	turn_enter(w->turn);
	good = engine_feed(w->engine, frames, count, &w->why);
	turn_leave(w->turn);
	return good;
}

static bool read_frames(struct worker *w)
{
	struct frame frames[FRAMES];
	bool ok = true, first = true;

	while (!turns_stopped(w->apart->turns)) {
		const size_t count = source_read(w->source, frames, FRAMES, &ok, &w->why);

		if (!ok || count == 0)
			return ok;
		if (first && !tell_first(w, &frames[0], &w->why))
			return false;
		first = false;
		if (!feed(w, frames, count))
			return false;
	}
	return true;
}

static bool finish(struct worker *w)
{
	bool good;

	turn_enter(w->turn);
	good = engine_finish(w->engine, &w->why);
	turn_leave(w->turn);
	return good;
}

static bool work_off(struct worker *w, size_t file)
{
	struct source_progress done;

	turn_enter(w->turn);
	engine_begin(w->engine, source_choose(w->source, file));
	turn_leave(w->turn);
	if (!read_frames(w) || !finish(w))
		return false;
	done = source_progress(w->source);
	done.file = NULL;
	return turn_note(w->turn, NOTE_READ, &done, sizeof done, &w->why) &&
	       turn_end(w->turn, &w->why) && w->why.text[0] == '\0';
}

static void *run(void *argument)
{
	struct worker *w = argument;
	size_t file;

	while (turn_take(w->turn, &file)) {
		if (work_off(w, file))
			continue;
		w->apart->failed = true;
		turns_stop(w->apart->turns);
		turn_end(w->turn, &(struct err){ "" });
		break;
	}
	return NULL;
}

/* --- the caller's thread ------------------------------------------------------------------------
 */

static bool note_first(struct apart *a, const void *bytes, struct err *e)
{
	struct frame f;

	if (a->begun)
		return true;
	a->begun = true;
	memcpy(&f, bytes, sizeof f);
	return a->conf.begin(a->conf.ctx, &f, e);
}

static void note_trouble(struct apart *a, const char *bytes)
{
	struct trouble t;

	memcpy(&t, bytes, sizeof t);
	t.report.file = bytes + sizeof t;
	t.report.text = t.report.file + t.file_size;
	if (a->conf.reads.trouble != NULL)
		a->conf.reads.trouble(a->conf.reads.ctx, &t.report);
}

static bool on_note(void *ctx, unsigned what, const void *bytes, size_t size, struct err *e)
{
	struct apart *a = ctx;
	struct source_progress done;

	(void)size;
	switch ((enum note)what) {
	case NOTE_FIRST:
		return note_first(a, bytes, e);
	case NOTE_TROUBLE:
		note_trouble(a, bytes);
		return true;
	case NOTE_READ:
		memcpy(&done, bytes, sizeof done);
		source_add(a->conf.source, &done);
		return true;
	}
	return true;
}

static bool well(const struct apart *a, struct err *e)
{
	for (size_t i = 0; i < a->count && a->failed; i++)
		if (a->worker[i].why.text[0] != '\0')
			return err_set(e, "%s", a->worker[i].why.text);
	return true;
}

bool apart_write(struct apart *a, bool *over, struct err *e)
{
	return turns_write(a->turns, over, e);
}

void apart_end(struct apart *a)
{
	turns_stop(a->turns);
}

static void join(struct apart *a)
{
	for (size_t i = 0; i < a->count; i++) {
		if (a->worker[i].started)
			pthread_join(a->worker[i].thread, NULL);
		a->worker[i].started = false;
	}
}

bool apart_finish(struct apart *a, struct err *e)
{
	join(a);
	return well(a, e) && turns_flush(a->turns, e);
}

void apart_stop(struct apart *a)
{
	if (a->turns != NULL)
		turns_give_up(a->turns);
	join(a);
}

void apart_hold(struct apart *a)
{
	turns_hold(a->turns);
}

void apart_release(struct apart *a)
{
	turns_release(a->turns);
}

struct engine *const *apart_engines(const struct apart *a, size_t *count)
{
	*count = a->count;
	return a->engines;
}

bool apart_start(struct apart *a, struct err *e)
{
	for (size_t i = 0; i < a->count; i++) {
		struct worker *w = &a->worker[i];

		w->started = thread_start(&w->thread, run, w) == 0;
		if (!w->started)
			return err_set(e, "cannot start a worker");
	}
	return true;
}

/* --- making and freeing -------------------------------------------------------------------------
 */

static bool make_worker(struct apart *a, struct worker *w, struct err *e)
{
	const struct source_conf reads = {
		.bpf = a->conf.reads.bpf, .trouble = on_trouble, .ctx = w
	};

	w->apart = a;
	w->turn = turn_new(a->turns, e);
	w->source = w->turn == NULL ? NULL : source_sibling(a->conf.source, &reads, e);
	if (w->source == NULL)
		return false;
	w->engine = engine_make(&(struct engine_part){ .conf = &a->own,
						.registry = a->conf.registry,
						.to.turn = w->turn },
			e);
	return w->engine != NULL;
}

static bool make_all(struct apart *a, struct err *e)
{
	const struct turns_conf turns = { .sink = a->conf.sink,
		.files = source_progress(a->conf.source).files_total,
		.note = on_note,
		.ctx = a };

	a->own = *a->conf.conf;
	a->own.memory.bytes /= a->conf.workers;
	a->turns = turns_new(&turns, e);
	for (size_t i = 0; i < a->conf.workers; i++) {
		if (a->turns == NULL || !make_worker(a, &a->worker[a->count++], e))
			return false;
		a->engines[i] = a->worker[i].engine;
	}
	return true;
}

struct apart *apart_new(const struct apart_conf *conf, struct err *e)
{
	struct apart *a = calloc(1, sizeof *a + conf->workers * sizeof a->worker[0]);

	if (a == NULL || (a->engines = calloc(conf->workers, sizeof(struct engine *))) == NULL) {
		free(a);
		err_set(e, "no memory for threads");
		return NULL;
	}
	a->conf = *conf;
	if (!make_all(a, e)) {
		apart_free(a);
		return NULL;
	}
	return a;
}

void apart_free(struct apart *a)
{
	if (a == NULL)
		return;
	apart_stop(a);
	for (size_t i = 0; i < a->count; i++) {
		engine_free(a->worker[i].engine);
		source_free(a->worker[i].source);
		turn_free(a->worker[i].turn);
	}
	turns_free(a->turns);
	free(a->engines);
	free(a);
}
