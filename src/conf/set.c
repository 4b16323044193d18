/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * set.c - options by name: find, default, set, free.
 *
 * A set that has no core in it (a feature's table in a test) works too; its values then have
 * no rank and the last one wins.
 */
#include "conf/set.h"

#include <stdlib.h>

#include "conf/nearest.h"
#include "conf/value.h"

/* The next option of all sets; starts with *set and *at 0. */
static const struct option *next(const struct option_sets *sets, size_t *set, size_t *at)
{
	for (; *set < sets->count; (*set)++, *at = 0) {
		const struct option *o = &sets->set[*set].table[*at];

		if (o->name != NULL) {
			(*at)++;
			return o;
		}
	}
	return NULL;
}

static struct conf *core_of(const struct option_sets *sets)
{
	for (size_t i = 0; i < sets->count; i++)
		if (sets->set[i].table == conf_options)
			return sets->set[i].base;
	return NULL;
}

uint8_t *set_rank(const struct option_sets *sets, const struct option *o)
{
	struct conf *core = core_of(sets);
	size_t set = 0, at = 0, index = 0;
	const struct option *each;

	while ((each = next(sets, &set, &at)) != NULL && each != o)
		index++;
	return core == NULL || index >= LIMIT_OPTIONS ? NULL : &core->rank[index];
}

const struct option *conf_find(
		const struct option_sets *sets, const char *name, const struct option_set **in)
{
	size_t set = 0, at = 0;
	const struct option *o;

	while ((o = next(sets, &set, &at)) != NULL) {
		if (strcmp(o->name, name) == 0) {
			if (in != NULL)
				*in = &sets->set[set];
			return o;
		}
	}
	return NULL;
}

static bool set_initial(
		const struct option_sets *sets, const struct option *o, void *base, struct err *e)
{
	uint8_t *rank = set_rank(sets, o);

	value_clear(o, base);
	if (rank != NULL)
		*rank = CONF_INITIAL;
	return o->initial == NULL || value_parse(o, base, o->initial, e);
}

bool conf_forget(const struct option_sets *sets, const char *name, struct err *e)
{
	const struct option_set *in = NULL;
	const struct option *o = conf_find(sets, name, &in);

	if (o == NULL || conf_rank_of(sets, name) != CONF_FILE)
		return true;
	return set_initial(sets, o, in->base, e);
}

bool conf_defaults(const struct option_sets *sets, struct err *e)
{
	size_t set = 0, at = 0, count = 0;
	const struct option *o;

	while ((o = next(sets, &set, &at)) != NULL) {
		if (++count > LIMIT_OPTIONS)
			return err_set(e, "more than %d options", LIMIT_OPTIONS);
		if (!set_initial(sets, o, sets->set[set].base, e))
			return false;
	}
	return true;
}

void conf_free(const struct option_sets *sets)
{
	size_t set = 0, at = 0;
	const struct option *o;

	while ((o = next(sets, &set, &at)) != NULL)
		if (o->type == OPTION_TEXT)
			value_clear(o, sets->set[set].base);
}

static bool refuse_name(const struct option_sets *sets, const char *name, struct err *e)
{
	struct nearest near = nearest_to(name);
	size_t set = 0, at = 0;
	const struct option *o;

	while ((o = next(sets, &set, &at)) != NULL)
		nearest_try(&near, o->name);
	return err_set(e, "unknown option '%.64s': the nearest is '%s'", name,
			near.name == NULL ? "" : near.name);
}

/* The value is checked even where a higher rank keeps it from being stored. */
static bool check(const struct option *o, const char *value, struct err *e)
{
	union {
		uint64_t number;
		char *text;
		struct option_seconds seconds;
		struct option_size size;
	} aside = { 0 };
	struct option copy = *o;

	copy.offset = 0;
	bool good = value_parse(&copy, &aside, value, e);
	if (good)
		value_clear(&copy, &aside);
	return good;
}

bool set_ranked(const struct option_sets *sets, const char *name, const char *value,
		enum conf_rank rank, struct err *e)
{
	const struct option_set *in = NULL;
	const struct option *o = conf_find(sets, name, &in);

	if (o == NULL)
		return refuse_name(sets, name, e);
	uint8_t *kept = set_rank(sets, o);
	if (kept != NULL && *kept > rank)
		return check(o, value, e);
	bool add = (o->flags & OPTION_REPEAT) && (kept == NULL || *kept == rank);

	if (!(add ? value_add : value_parse)(o, in->base, value, e))
		return false;
	if (kept != NULL)
		*kept = (uint8_t)rank;
	return true;
}

bool conf_set(const struct option_sets *sets, const char *name, const char *value, struct err *e)
{
	return set_ranked(sets, name, value, CONF_SET, e);
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n' || c == '\f' || c == '\v';
}

static void trim(const char **text, size_t *size)
{
	while (*size > 0 && is_blank((*text)[*size - 1]))
		(*size)--;
	for (; *size > 0 && is_blank(**text); (*text)++)
		(*size)--;
}

static bool is_name(const char *text)
{
	static const char letters[] =
			"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-";

	return *text != '\0' && text[strspn(text, letters)] == '\0';
}

/* 'name' alone means 1, which is a text only where that switches something on. */
static const char *bare_value(const struct option_sets *sets, const char *name, struct err *e)
{
	const struct option *o = conf_find(sets, name, NULL);

	if (o != NULL && o->type == OPTION_TEXT && !(o->flags & OPTION_FEATURE)) {
		err_set(e, "'%s' needs a value: %s=%s", name, name,
				o->value == NULL ? "..." : o->value);
		return NULL;
	}
	return "1";
}

bool set_line(const struct option_sets *sets, const char *text, size_t size, enum conf_rank rank,
		struct err *e)
{
	const char *equals = memchr(text, '=', size);
	size_t name_size = equals == NULL ? size : (size_t)(equals - text);
	const char *value_text = equals == NULL ? text + size : equals + 1;
	size_t value_size = size - (size_t)(value_text - text);

	if (size > LIMIT_OPTION_BYTES)
		return err_set(e, "longer than %d bytes", LIMIT_OPTION_BYTES);
	if (memchr(text, '\0', size) != NULL)
		return err_set(e, "not text: holds a zero byte");
	trim(&text, &name_size);
	trim(&value_text, &value_size);
	char *name = strndup(text, name_size), *given = strndup(value_text, value_size);
	const char *value = given;
	bool good = false;

	if (name == NULL || given == NULL)
		err_set(e, "no memory");
	else if (!is_name(name))
		err_set(e, "not of the form name=value");
	else if (equals != NULL || (value = bare_value(sets, name, e)) != NULL)
		good = set_ranked(sets, name, value, rank, e);
	free(name);
	free(given);
	return good;
}

bool conf_set_line(const struct option_sets *sets, const char *text, struct err *e)
{
	return set_line(sets, text, strlen(text), CONF_SET, e);
}
