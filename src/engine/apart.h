/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * apart.h - files that have no flows in common, by several threads: each file is one worker's.
 *
 * A worker has an engine and a source of its own and takes one file after the other; what it
 * writes goes out in the files' order (sink/turns.h).  The caller's thread writes, and is told
 * there what was wrong with a file, in its place among the others: callbacks come from no other
 * thread. So nothing shows how many workers there were, but where memory= makes flows leave: each
 * has its share of that.
 */
#pragma once

#include "engine/engine.h"

struct apart;

/* All stay the caller's. */
struct apart_conf {
	const struct conf *conf;
	const struct registry *registry;
	struct sink *sink;        /* not live, not threaded, without a pen */
	struct source *source;    /* the files; what was read of them is added to its progress */
	struct source_conf reads; /* how; 'trouble' is called by apart_write() */
	size_t workers;
	/* From apart_write(): before the first record, with the first packet of all. */
	bool (*begin)(void *ctx, const struct frame *first, struct err *e);
	void *ctx;
};

struct apart *apart_new(const struct apart_conf *conf, struct err *e);

/* Ends the threads; what they have not written is lost. */
void apart_free(struct apart *a);

bool apart_start(struct apart *a, struct err *e);

/* Writes what the workers have, for about a tenth of a second at most; 'over': that was all. False:
 * the sink has failed. */
bool apart_write(struct apart *a, bool *over, struct err *e);

/* An orderly end: no more is read. */
void apart_end(struct apart *a);

/* Behind the last apart_write(): the threads end, and the sink's pen hands on what it holds. */
bool apart_finish(struct apart *a, struct err *e);

/* The run is given up: the threads end where they are. */
void apart_stop(struct apart *a);

/* Between these two calls the engines may be looked into; see turns_hold(). */
void apart_hold(struct apart *a);
void apart_release(struct apart *a);

struct engine *const *apart_engines(const struct apart *a, size_t *count);
