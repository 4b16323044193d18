/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.h - files by several threads: all workers are shown all frames, and share the flows.
 *
 * The caller's thread reads; frames go into a ring that every worker reads from its beginning to
 * its end.  A worker is an engine: it puts fragments together and lets flows leave as it does when
 * it is alone, but keeps only the packets of its own flows (share.h, portion.h).  Threads, of which
 * the caller's is one, do the work of whichever worker is furthest behind.
 *
 * Each worker writes its records into a lane (sink/lanes.h).  They come out in the order in which
 * one engine would have written them, so nothing shows that there was a team, but where memory=
 * makes flows leave: each worker has its share of that.
 *
 * Frames must lie in rooms of the team (source_use_rooms()), which it keeps until all workers are
 * done with them.
 */
#pragma once

#include "engine/engine.h"

struct input_rooms;
struct team;

/* 'sink' must be threaded; all stay the caller's. */
struct team *team_new(const struct conf *conf, const struct registry *registry, struct sink *sink,
		size_t workers, struct err *e);

/* Ends the threads; what they have not written is lost. */
void team_free(struct team *t);

const struct input_rooms *team_rooms(const struct team *t);

/* Starts the threads; behind sink_begin(). */
bool team_start(struct team *t, struct err *e);

/* Takes frames, at most 256.  False: a sink failed. */
bool team_feed(struct team *t, const struct frame *frames, size_t count, struct err *e);

/* All flows leave, all records are written, the threads end. */
bool team_finish(struct team *t, struct err *e);

/* The run is given up: the threads end where they are. */
void team_stop(struct team *t);

/* Until all that was fed is worked off; then the engines may be looked into until the next frames.
 */
void team_rest(struct team *t);

/* The engines.  The first one counts what all of them see; of the others only flows and records
 * count.  To be looked into when the team rests or is over. */
struct engine *const *team_engines(const struct team *t, size_t *count);
