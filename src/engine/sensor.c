/* SPDX-License-Identifier: BSD-3-Clause */
/* sensor.c - the watch over the workers: hold and release, losses, the end. */
#include "engine/sensor.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/json.h"
#include "engine/sensor_worker.h"
#include "os/clock.h"

#define STEP_NS ((int64_t)500 * 1000 * 1000) /* a clock that is kept in time moves less at once */

/* What is known of one interface. */
struct watched {
	struct live_counts now, before; /* since the start; when the interval began */
};

struct sensor {
	struct sensor_conf conf;
	struct crew crew;
	struct engine **engines;
	struct watched *watched;
	size_t interfaces;
	int64_t interval_ns; /* real time at which the present interval began */
	int64_t offset_ns;   /* of the host's clock from the time since boot */
};

/* --- making and freeing
 * ---------------------------------------------------------------------------- */

/* Each worker has its share of the budget. */
static bool make_engines(struct sensor *s, struct err *e)
{
	struct conf conf = *s->conf.conf;

	conf.memory.bytes /= s->conf.workers;
	for (size_t i = 0; i < s->conf.workers; i++) {
		s->engines[i] = engine_new(&conf, s->conf.registry, s->conf.sink, e);
		if (s->engines[i] == NULL)
			return false;
		engine_number(s->engines[i], i + 1, s->conf.workers);
	}
	return true;
}

struct sensor *sensor_new(const struct sensor_conf *conf, struct err *e)
{
	struct sensor *s = calloc(1, sizeof *s);

	if (s == NULL) {
		err_set(e, "no memory for a sensor");
		return NULL;
	}
	s->conf = *conf;
	s->interfaces = live_interfaces(conf->live);
	s->engines = calloc(conf->workers, sizeof(struct engine *));
	s->watched = calloc(s->interfaces + 1, sizeof *s->watched);
	if (s->engines == NULL || s->watched == NULL)
		err_set(e, "no memory for a sensor");
	else if (make_engines(s, e) &&
			crew_init(&s->crew, s->engines, conf->workers, conf->live, e))
		return s;
	sensor_free(s);
	return NULL;
}

void sensor_free(struct sensor *s)
{
	if (s == NULL)
		return;
	crew_destroy(&s->crew);
	for (size_t i = 0; s->engines != NULL && i < s->conf.workers; i++)
		engine_free(s->engines[i]);
	free(s->engines);
	free(s->watched);
	free(s);
}

/* --- losses
 * ---------------------------------------------------------------------------------------- */

static bool any_loss(const struct live_counts *c, const struct live_counts *before)
{
	return c->drops > before->drops || c->freezes > before->freezes ||
	       c->interface_drops > before->interface_drops;
}

static void number(struct buf *out, const char *key, uint64_t v)
{
	json_key(out, key);
	json_u64(out, v);
}

static void counts(const struct live_counts *c, const struct live_counts *since, struct buf *out)
{
	number(out, "packets", c->packets - since->packets);
	number(out, "drops", c->drops - since->drops);
	number(out, "freezes", c->freezes - since->freezes);
	number(out, "interface_drops", c->interface_drops - since->interface_drops);
}

/* {"drops":{"interface":"eth0", ...}} for an interface that lost something in the interval. */
static bool write_losses(struct sensor *s, size_t i, int64_t now_ns, struct err *e)
{
	struct watched *w = &s->watched[i];
	struct buf line = buf_new(LIMIT_TEXT_BYTES);

	buf_text(&line, "{\"drops\":{");
	json_key(&line, "interface");
	json_text(&line, live_interface(s->conf.live, i)->name);
	json_key(&line, "time_start");
	json_time(&line, s->interval_ns, true);
	json_key(&line, "time_end");
	json_time(&line, now_ns, true);
	counts(&w->now, &w->before, &line);
	buf_text(&line, "}}");

	const bool good = buf_ok(&line) ? sink_note(s->conf.sink, &line, e)
					: err_set(e, "no memory to write losses");
	buf_free(&line);
	return good;
}

static bool end_interval(struct sensor *s, int64_t now_ns, struct err *e)
{
	bool good = true;

	for (size_t i = 0; i < s->interfaces; i++) {
		struct watched *w = &s->watched[i];

		if (any_loss(&w->now, &w->before))
			good &= write_losses(s, i, now_ns, e);
		w->before = w->now;
	}
	s->interval_ns = now_ns;
	return good;
}

/* Every worker marks its flows, since nobody knows whose packets were lost. */
static void count_losses(struct sensor *s)
{
	bool lost = false;

	for (size_t i = 0; i < s->interfaces; i++) {
		struct live_counts now;

		if (!live_counts(s->conf.live, i, &now))
			continue;
		lost |= any_loss(&now, &s->watched[i].now);
		s->watched[i].now = now;
	}
	if (lost)
		crew_lost(&s->crew);
}

/* --- the run
 * ---------------------------------------------------------------------------------------- */

bool sensor_start(struct sensor *s, struct err *e)
{
	s->interval_ns = clock_real_ns();
	s->offset_ns = s->interval_ns - clock_boot_ns();
	return crew_start(&s->crew, e);
}

/* Times in records follow the host's clock, timeouts do not (clock.h). */
static void watch_clock(struct sensor *s, int64_t now_ns)
{
	const int64_t offset_ns = now_ns - clock_boot_ns(), step_ns = offset_ns - s->offset_ns;
	char text[128];

	s->offset_ns = offset_ns;
	if (step_ns > -STEP_NS && step_ns < STEP_NS)
		return;
	snprintf(text, sizeof(text),
			"the host's clock was set %s by %.1f seconds; flows do not end by it",
			step_ns > 0 ? "forward" : "back", fabs((double)step_ns / 1e9));
	if (s->conf.say != NULL)
		s->conf.say(s->conf.ctx, text);
}

bool sensor_poll(struct sensor *s, struct err *e)
{
	const int64_t now_ns = clock_real_ns();
	const int64_t end_ns = s->interval_ns + s->conf.conf->drops_interval.ns;

	if (!crew_well(&s->crew, e))
		return false;
	watch_clock(s, now_ns);
	live_watch(s->conf.live);
	count_losses(s);
	/* a clock that was set back must not make an interval without end */
	if (now_ns >= end_ns || now_ns < s->interval_ns)
		return end_interval(s, now_ns, e);
	return true;
}

bool sensor_finish(struct sensor *s, struct err *e)
{
	crew_stop(&s->crew);
	count_losses(s);
	sink_stopping(s->conf.sink);
	if (!crew_finish(&s->crew, e))
		return false;
	return end_interval(s, clock_real_ns(), e);
}

void sensor_hold(struct sensor *s)
{
	crew_hold(&s->crew);
}

void sensor_release(struct sensor *s)
{
	crew_release(&s->crew);
}

struct engine *const *sensor_engines(const struct sensor *s, size_t *count)
{
	*count = s->conf.workers;
	return s->engines;
}

uint64_t sensor_drops(const struct sensor *s)
{
	uint64_t drops = 0;

	for (size_t i = 0; i < s->interfaces; i++)
		drops += s->watched[i].now.drops;
	return drops;
}

struct live_counts sensor_counts(const struct sensor *s, size_t interface)
{
	return s->watched[interface].now;
}

void sensor_interfaces(const struct sensor *s, struct buf *out)
{
	static const struct live_counts start;

	buf_byte(out, '[');
	for (size_t i = 0; i < s->interfaces; i++) {
		json_comma(out);
		buf_byte(out, '{');
		json_key(out, "name");
		json_text(out, live_interface(s->conf.live, i)->name);
		counts(&s->watched[i].now, &start, out);
		buf_byte(out, '}');
	}
	buf_byte(out, ']');
}
