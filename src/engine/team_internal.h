/* SPDX-License-Identifier: BSD-3-Clause */
/* team_internal.h - what the front of a team and its workers share.  Private to the room. */
#pragma once

#include <pthread.h>
#include <stdatomic.h>

#include "engine/parcel.h"
#include "engine/team.h"
#include "sink/lanes.h"
#include "source/input.h"

enum { TEAM_DEPTH = 16 }; /* parcels that may wait for a worker */

struct team_worker {
	struct team *team;
	struct engine *engine;
	struct lane *lane;
	pthread_t thread;
	bool started;
	struct parcel *open; /* the front's: being filled */
	int64_t told_ns;     /* the front's: the time that it was told */

	/* under the lock */
	struct parcel *first, *last; /* the first stays while it is worked on */
	size_t waiting;
	bool sleeps;
	pthread_cond_t filled;
};

struct team {
	struct engine *front;
	struct lanes *lanes;
	struct input_rooms input_rooms;
	struct parcel_room *room; /* the front's */
	struct engine **engines;  /* the front's and the workers' */
	bool over;                /* the threads have ended */

	pthread_mutex_t lock;
	pthread_cond_t moved;    /* a parcel is done, or a worker has failed */
	pthread_cond_t answered; /* a question is */
	atomic_bool failed;
	bool waits; /* the front, for a worker to get on */
	struct err why;
	struct parcel *spare;
	struct parcel_room *rooms;
	size_t room_count;

	size_t count;
	struct team_worker worker[];
};

/* --- team.c: for engine.c */

/* A packet of a flow; 'keep': its bytes do not lie in a room. */
void team_packet(struct team *t, const struct pkt *pkt, const struct table_ticket *ticket,
		bool keep);

/* --- team_worker.c */

/* Under the lock or before there are threads: nobody needs to go on. */
void team_fail(struct team *t, const struct err *why);

/* Writes the reason; false. */
bool team_why(struct team *t, struct err *e);

/* Waits for the end of the threads. */
void team_join(struct team *t);
