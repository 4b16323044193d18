/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * lanes.h - records of several workers on their way to one sink, in one order.
 *
 * Each worker writes its records in a lane of its own, in the order of (leaving time, number).  A
 * thread takes them from there and hands them to the sink's pen, the smallest first; it waits
 * until every lane has a record to show or has said what it has passed.  So output does not tell
 * how many lanes there were.
 *
 * A lane that holds much waits for the thread.  Whoever feeds the workers must see to it that the
 * others get on meanwhile: then those pass what it waits with.
 */
#pragma once

#include "sink/sink.h"

struct lanes;
struct lane;

/* 'count' lanes to a sink that is not live and has no pen; it must outlive them. */
struct lanes *lanes_new(struct sink *sink, size_t count, struct err *e);
struct lane *lanes_lane(struct lanes *all, size_t i);

/* Starts the thread; behind sink_begin(). */
bool lanes_start(struct lanes *all, struct err *e);

/* Behind lane_end() of all: waits until the pen has all records, and hands them on. */
bool lanes_finish(struct lanes *all, struct err *e);

/* Nobody waits for anything any more, and nothing more is written. */
void lanes_give_up(struct lanes *all);

/* Ends the thread if it runs; what it has not written is lost. */
void lanes_free(struct lanes *all);

/* Whether the sink has failed: the reason. */
bool lanes_well(struct lanes *all, struct err *e);

/* What a record is sorted by, and the time that pen_time() is to know. */
struct lane_key {
	int64_t leaves_ns;
	uint64_t number;
	int64_t time_ns;
};

/* One record, as pen_record() takes it; none may be smaller than those before it.  False: the sink
 * has failed. */
bool lane_record(struct lane *lane, const struct lane_key *key, const void *const *data,
		struct err *e);

/* No record that comes later leaves before 'ns'. */
void lane_reach(struct lane *lane, int64_t ns);

/* The worker has nothing to do for now: all that it has written is handed on. */
void lane_rest(struct lane *lane);

/* None comes at all any more. */
void lane_end(struct lane *lane);
