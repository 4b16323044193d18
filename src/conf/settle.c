/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * settle.c - what one option says about others: presets of timeouts, features=LIST.
 *
 * The more special word wins: a timeout or switch that is given itself is kept, unless the general
 * one comes from a place of higher rank (command line over file).
 */
#include <stdlib.h>

#include "conf/nearest.h"
#include "conf/set.h"
#include "conf/value.h"

enum conf_rank conf_rank_of(const struct option_sets *sets, const char *name)
{
	const struct option *o = conf_find(sets, name, NULL);
	const uint8_t *rank = o == NULL ? NULL : set_rank(sets, o);

	return rank == NULL ? CONF_INITIAL : *rank;
}

/* Is 'special' to be kept although 'general' speaks about it? */
static bool keeps(const struct option_sets *sets, const char *special, const char *general)
{
	enum conf_rank rank = conf_rank_of(sets, special);

	return rank != CONF_INITIAL && rank >= conf_rank_of(sets, general);
}

static bool settle_timeouts(const struct option_sets *sets, struct conf *core, struct err *e)
{
	static const struct preset {
		const char *name;
		int64_t idle, active; /* seconds */
	} presets[] = {
		{ "joy", 10, 30 },
		{ "nfstream", 120, 1800 },
		{ "yaf", 300, 1800 },
		{ "cisco", 15, 1800 },
	};
	const int64_t second = 1000000000;

	if (core->timeouts == NULL)
		return true;
	for (size_t i = 0; i < sizeof(presets) / sizeof(presets[0]); i++) {
		const struct preset *p = &presets[i];

		if (strcmp(core->timeouts, p->name) != 0)
			continue;
		if (!keeps(sets, "idle_timeout", "timeouts"))
			core->idle_timeout.ns = p->idle * second;
		if (!keeps(sets, "active_timeout", "timeouts"))
			core->active_timeout.ns = p->active * second;
		return true;
	}
	return err_set(e, "timeouts=%s: no such preset", core->timeouts);
}

/* What features=NAME gives a switch; NULL when it has to be given a value of its own. */
static const char *on_value(const struct option *o)
{
	if (o->on != NULL)
		return o->on;
	return o->type == OPTION_BOOL ? "1" : NULL;
}

static bool switch_on(
		const struct option_sets *sets, const struct option *o, void *base, struct err *e)
{
	if (keeps(sets, o->name, "features"))
		return true;
	return value_parse(o, base, on_value(o), e);
}

static bool switch_all_on(const struct option_sets *sets, struct err *e)
{
	for (size_t i = 0; i < sets->count; i++)
		for (const struct option *o = sets->set[i].table; o->name != NULL; o++)
			if ((o->flags & OPTION_FEATURE) && on_value(o) != NULL &&
					!switch_on(sets, o, sets->set[i].base, e))
				return false;
	return true;
}

static bool refuse_feature(const struct option_sets *sets, const char *name, struct err *e)
{
	struct nearest near = nearest_to(name);

	nearest_try(&near, "all");
	for (size_t i = 0; i < sets->count; i++)
		for (const struct option *o = sets->set[i].table; o->name != NULL; o++)
			if (o->flags & OPTION_FEATURE)
				nearest_try(&near, o->name);
	return err_set(e, "features: unknown data element '%.64s': the nearest is '%s'", name,
			near.name);
}

static bool settle_feature(const struct option_sets *sets, const char *name, struct err *e)
{
	const struct option_set *in = NULL;
	const struct option *o = conf_find(sets, name, &in);

	if (strcmp(name, "all") == 0)
		return switch_all_on(sets, e);
	if (o == NULL || !(o->flags & OPTION_FEATURE))
		return refuse_feature(sets, name, e);
	if (keeps(sets, name, "features"))
		return true;
	if (on_value(o) == NULL)
		return err_set(e, "features: '%s' needs a value of its own: %s=%s", name, name,
				o->value == NULL ? "..." : o->value);
	return switch_on(sets, o, in->base, e);
}

/* Each name of a list with commas between and white space around. */
static bool settle_features(const struct option_sets *sets, const char *list, struct err *e)
{
	static const char blanks[] = " \t";

	for (const char *at = list; at != NULL;) {
		const char *comma = strchr(at, ','), *end = comma == NULL ? at + strlen(at) : comma;

		at += strspn(at, blanks);
		while (end > at && strchr(blanks, end[-1]) != NULL)
			end--;
		if (end > at) {
			char *name = strndup(at, (size_t)(end - at));
			bool good = name != NULL ? settle_feature(sets, name, e)
						 : err_set(e, "features: no memory");

			free(name);
			if (!good)
				return false;
		}
		at = comma == NULL ? NULL : comma + 1;
	}
	return true;
}

bool conf_settle(const struct option_sets *sets, struct conf *core, struct err *e)
{
	return settle_timeouts(sets, core, e) && settle_features(sets, core->features, e);
}
