/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sensor.h - a live run: a worker for each packet ring, and the watch over them.
 *
 * Each worker has a thread, an engine and a pen of the sink; nothing is shared between them but the
 * sink's queue.  The caller's thread keeps watch: sensor_poll() sees interfaces that go and come
 * and packets that were lost, and writes a line about those.  Whoever wants to look into the
 * engines holds the workers first.
 */
#pragma once

#include "engine/engine.h"
#include "source/live.h"

struct sensor;

/* All but the numbers stay the caller's. */
struct sensor_conf {
	const struct conf *conf;
	const struct registry *registry;
	struct sink *sink;
	struct live *live;
	size_t workers; /* as many as 'live' has rings */
	/* from sensor_poll(): a line for the log */
	void (*say)(void *ctx, const char *text);
	void *ctx;
};

/* Engines, each with its share of the memory budget; no thread yet. */
struct sensor *sensor_new(const struct sensor_conf *conf, struct err *e);

/* Ends the threads if they run; their flows are lost then. */
void sensor_free(struct sensor *s);

bool sensor_start(struct sensor *s, struct err *e);

/* To be called some times a second, from one thread.  False: a worker could not go on. */
bool sensor_poll(struct sensor *s, struct err *e);

/* The end: packets that came before it are worked off, all flows leave, losses are written. */
bool sensor_finish(struct sensor *s, struct err *e);

/* Between these two calls no worker moves; packets wait in the rings.  Calls nest. */
void sensor_hold(struct sensor *s);
void sensor_release(struct sensor *s);

/* The engines; to be looked into only while they are held, or before and after the threads. */
struct engine *const *sensor_engines(const struct sensor *s, size_t *count);

/* Packets that the kernel dropped for want of room, on all interfaces. */
uint64_t sensor_drops(const struct sensor *s);

/* The counters of one interface since the start, as of the last sensor_poll(). */
struct live_counts sensor_counts(const struct sensor *s, size_t interface);

/* Appends a list of the interfaces and their counters, as JSON. */
void sensor_interfaces(const struct sensor *s, struct buf *out);
