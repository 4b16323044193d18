/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - a run over network interfaces: opens what needs rights, lets the caller give them up,
 * and keeps watch until the end is asked for.
 */
#include <poll.h>

#include "api/stream.h"
#include "os/clock.h"

enum { WATCH_MS = 50 };

static void on_say(void *ctx, enum source_trouble what, const char *text)
{
	struct joy *j = ctx;

	handle_log(j, what == SOURCE_FAILED ? JOY_LOG_ERROR : JOY_LOG_WARNING, "%s", text);
}

static void on_hear(void *ctx, const char *text)
{
	handle_log(ctx, JOY_LOG_WARNING, "%s", text);
}

static int open_live(struct joy *j)
{
	const struct conf *core = &j->registry->core;
	const struct live_conf conf = {
		.interfaces = core->interface,
		.capture = core->capture,
		.clock = core->clock,
		.bpf = core->bpf,
		.promisc = core->promisc,
		.snaplen = core->snaplen,
		.ring_bytes = core->ring.bytes,
		.rings = workers_count(j),
		.say = on_say,
		.ctx = j,
	};

	j->live = live_new(&conf, &j->error);
	return j->live != NULL ? JOY_OK : JOY_FAILED;
}

static int open_sensor(struct joy *j)
{
	const struct sensor_conf conf = {
		.conf = &j->registry->core,
		.registry = j->registry,
		.sink = j->sink,
		.live = j->live,
		.workers = workers_count(j),
		.say = on_hear,
		.ctx = j,
	};

	j->sensor = sensor_new(&conf, &j->error);
	return j->sensor != NULL ? JOY_OK : JOY_FAILED;
}

static int get_ready(struct joy *j)
{
	if (j->ready != NULL && j->ready(j->ready_ctx) != 0)
		return handle_fail(j, JOY_FAILED, "the caller was not ready");
	return JOY_OK;
}

/* The configuration speaks of a first packet: here of the moment when packets may come. */
static bool begin(struct joy *j)
{
	const struct frame first = {
		.linktype = live_interface(j->live, 0)->linktype,
		.ns = clock_real_ns(),
		.nanoseconds = true,
	};

	return run_begin(j, &first);
}

/* Until the progress callback asks for the end; a signal ends the wait. */
static bool keep_watch(struct joy *j)
{
	while ((j->progress == NULL || j->progress(j->progress_ctx) == 0) && !drain_ends(j)) {
		if (!sensor_poll(j->sensor, &j->error) || !sink_poll(j->sink, &j->error))
			return false;
		registry_poll(j->registry, on_hear, j);
		if (j->upload != NULL)
			upload_poll(j->upload);
		drain_note(j);
		poll(NULL, 0, WATCH_MS);
	}
	return true;
}

static void say_begun(const struct joy *j)
{
	struct buf names = buf_new(LIMIT_TEXT_BYTES);

	for (size_t i = 0; i < live_interfaces(j->live); i++) {
		buf_text(&names, i == 0 ? "" : ", ");
		buf_text(&names, live_interface(j->live, i)->name);
	}
	buf_byte(&names, '\0');
	handle_log(j, JOY_LOG_INFO, "capturing from %s", buf_ok(&names) ? names.p : "interfaces");
	buf_free(&names);
}

/* Packets are worked off until the end is asked for. */
static bool work(struct joy *j)
{
	if (!begin(j) || !sensor_start(j->sensor, &j->error))
		return false;
	say_begun(j);
	if (!keep_watch(j))
		return false;
	registry_poll(j->registry, on_hear, j);
	return sensor_finish(j->sensor, &j->error);
}

int live_open(struct joy *j)
{
	int status = run_prepare(j);

	if (status == JOY_OK)
		status = open_live(j);
	if (status == JOY_OK && !output_open(j)) /* output=auto is named by the interface */
		status = JOY_FAILED;
	if (status == JOY_OK)
		status = open_sensor(j);
	if (status == JOY_OK)
		status = get_ready(j);
	return status;
}

int live_go(struct joy *j)
{
	return work(j) ? run_end(j) : run_give_up(j);
}
