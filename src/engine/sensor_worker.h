/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor_worker.h - the threads of a sensor: one for each engine and its ring.
 *
 * The watching thread asks through a few words that each worker reads between two batches; a worker
 * that waits for packets is woken.
 */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "engine/engine.h"
#include "source/live.h"

struct crew;

struct worker {
	struct crew *crew;
	struct engine *engine;
	unsigned ring;
	pthread_t thread;
	bool started;
	uint64_t losses;    /* of crew->losses that it has marked */
	int64_t flushed_ns; /* time since boot when it last handed records on */
};

struct crew {
	struct worker *worker;
	size_t count;
	struct live *live;
	atomic_uint_least64_t losses; /* how often packets were lost */
	atomic_bool stops;            /* no more packets come in: work off what is in the ring */
	atomic_bool ends;             /* all flows leave */
	atomic_bool gives_up;         /* leave at once */
	atomic_bool fails;            /* one could not go on */
	atomic_bool holds;            /* stand still */

	pthread_mutex_t lock; /* of all below */
	pthread_cond_t moved; /* 'still', 'gone' or 'holders' changed */
	size_t still, gone;   /* workers that stand still; whose thread is at its end */
	size_t holders;
	struct err why; /* of 'fails' */
};

bool crew_init(struct crew *c, struct engine *const *engines, size_t count, struct live *live,
		struct err *e);
void crew_destroy(struct crew *c);
bool crew_start(struct crew *c, struct err *e);

/* False, with the reason: a worker could not go on. */
bool crew_well(struct crew *c, struct err *e);

/* Packets were lost: flows that are alive get the mark. */
void crew_lost(struct crew *c);

void crew_hold(struct crew *c);
void crew_release(struct crew *c);

/* No more packets come in; what is in the rings is worked off. */
void crew_stop(struct crew *c);

/* Behind crew_stop(): all flows leave, the threads end. */
bool crew_finish(struct crew *c, struct err *e);
