/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * team.h - files by several threads: the caller's decodes, workers have the flows.
 *
 * The front takes frames as an engine does: it decodes, puts fragments together, keeps the clock
 * and counts what is no packet of a flow.  Packets go to the worker that their flow's hash names,
 * in parcels; each worker has an engine for flows and features, and a lane for its records. Records
 * come out in the order in which one engine would have written them, so nothing shows that there
 * was a team, but where memory= makes flows leave: each worker has its share of that.
 *
 * An ICMP error belongs to the flow that it quotes, if that is alive, else to its own; where these
 * are flows of two workers, the one asks the other.
 *
 * Frames must lie in rooms of the team (source_conf.rooms), which it keeps until workers are done
 * with them.
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

/* Takes frames.  False: a sink failed. */
bool team_feed(struct team *t, const struct frame *frames, size_t count, struct err *e);

/* All flows leave, all records are written, the threads end. */
bool team_finish(struct team *t, struct err *e);

/* The run is given up: the threads end where they are. */
void team_stop(struct team *t);

/* Until all that was fed is worked off; then the engines may be looked into until the next frames.
 */
void team_rest(struct team *t);

/* The front's first; to be looked into when the team rests or is over. */
struct engine *const *team_engines(const struct team *t, size_t *count);
