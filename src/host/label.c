/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * label.c - reads files of subnets, and makes every combination of labels that can occur.
 *
 * The table of prefixes has an entry for each subnet of each label.  An entry's combination is that
 * of the entry around it and its own label; as outer entries come first, one pass makes them all.
 */
#include "host/label.h"

#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "conf/value.h"
#include "host/lines.h"
#include "host/prefix.h"

struct set {
	uint16_t *labels; /* numbers, rising */
	uint16_t count;
	const char **words;
	/* combinations of this one and one label more, as a list; 0: no more */
	uint32_t first_larger, next_larger;
	uint16_t added; /* the label that makes it from the smaller one */
};

struct labels {
	char *names[LIMIT_LIST_FILES];
	size_t name_count;
	struct prefix_table *table;
	struct set *sets; /* 0: none */
	size_t set_count, set_room;
	uint32_t *set_of; /* by number of the prefix */
};

/* --- reading ----------------------------------------------------------------------------- */

/* Number of a name, which is made when it is new; false without memory or with too many. */
static bool number_of(struct labels *l, const char *name, size_t size, uint32_t *out, struct err *e)
{
	for (size_t i = 0; i < l->name_count; i++) {
		if (strlen(l->names[i]) == size && memcmp(l->names[i], name, size) == 0) {
			*out = (uint32_t)i;
			return true;
		}
	}
	if (l->name_count == LIMIT_LIST_FILES)
		return err_set(e, "label: more than %d", LIMIT_LIST_FILES);
	l->names[l->name_count] = strndup(name, size);
	if (l->names[l->name_count] == NULL)
		return err_set(e, "label: no memory");
	*out = (uint32_t)l->name_count++;
	return true;
}

static bool read_line(struct labels *l, const struct lines *lines, uint32_t label, struct err *e)
{
	struct prefix p;
	const char *wrong = prefix_parse(lines->text, lines->size, &p);
	struct err why;

	if (wrong != NULL)
		return lines_refuse(lines, wrong, e);
	p.value = label;
	return prefix_add(l->table, &p, &why) || lines_refuse(lines, why.text, e);
}

static bool read_file(struct labels *l, const char *path, uint32_t label, struct err *e)
{
	struct lines lines;
	struct err why;
	bool good = lines_open(&lines, path, &why);

	if (!good)
		return err_set(e, "label: %s", why.text);
	while (good && lines_next(&lines))
		good = read_line(l, &lines, label, e);
	lines_close(&lines);
	return good;
}

/* NAME:FILE */
static bool read_value(struct labels *l, const char *value, size_t size, struct err *e)
{
	const char *colon = memchr(value, ':', size);
	size_t name = colon == NULL ? 0 : (size_t)(colon - value);
	uint32_t number = 0;

	if (name == 0 || name + 1 == size)
		return err_set(e, "label=%.*s: must be NAME:FILE", (int)(size > 80 ? 80 : size),
				value);

	char *path = strndup(colon + 1, size - name - 1);
	bool good = path != NULL ? number_of(l, value, name, &number, e) &&
						    read_file(l, path, number, e)
				 : err_set(e, "label: no memory");

	free(path);
	return good;
}

/* --- combinations ------------------------------------------------------------------------ */

static bool has(const struct set *s, uint32_t label)
{
	for (unsigned i = 0; i < s->count; i++)
		if (s->labels[i] == label)
			return true;
	return false;
}

static bool fill(const struct labels *l, struct set *s, const struct set *smaller, uint16_t label)
{
	unsigned n = 0;

	s->labels = calloc(smaller->count + 1u, sizeof *s->labels);
	s->words = calloc(smaller->count + 1u, sizeof *s->words);
	if (s->labels == NULL || s->words == NULL)
		return false;
	for (unsigned i = 0; i <= smaller->count; i++) {
		bool end = i == smaller->count;

		if (n == i && (end || smaller->labels[i] > label))
			s->labels[n++] = label;
		if (!end)
			s->labels[n++] = smaller->labels[i];
	}
	s->count = (uint16_t)n;
	for (unsigned i = 0; i < n; i++)
		s->words[i] = l->names[s->labels[i]];
	return true;
}

static bool grow(struct labels *l)
{
	size_t room = l->set_room == 0 ? 64 : 2 * l->set_room;
	struct set *more = reallocarray(l->sets, room, sizeof *more);

	if (more == NULL)
		return false;
	memset(more + l->set_room, 0, (room - l->set_room) * sizeof *more);
	l->sets = more;
	l->set_room = room;
	return true;
}

/* The combination of another and one label more. */
static bool larger(struct labels *l, uint32_t smaller, uint32_t label, uint32_t *out, struct err *e)
{
	*out = smaller;
	if (has(&l->sets[smaller], label))
		return true;
	for (*out = l->sets[smaller].first_larger; *out != 0; *out = l->sets[*out].next_larger)
		if (l->sets[*out].added == label)
			return true;
	if (l->set_count == LIMIT_LABEL_SETS)
		return err_set(e, "label: more than %d combinations", LIMIT_LABEL_SETS);
	if (l->set_count == l->set_room && !grow(l))
		return err_set(e, "label: no memory");

	struct set *s = &l->sets[l->set_count];

	if (!fill(l, s, &l->sets[smaller], (uint16_t)label)) {
		l->set_count++; /* what it has is freed with the others */
		return err_set(e, "label: no memory");
	}
	s->added = (uint16_t)label;
	s->next_larger = l->sets[smaller].first_larger;
	*out = l->sets[smaller].first_larger = (uint32_t)l->set_count++;
	return true;
}

static bool make_sets(struct labels *l, struct err *e)
{
	size_t count = prefix_count(l->table);

	l->set_of = calloc(count + 1, sizeof *l->set_of);
	if (l->set_of == NULL || !grow(l))
		return err_set(e, "label: no memory");
	l->set_count = 1;
	for (uint32_t i = 0; i < count; i++) {
		uint32_t outer = prefix_outer(l->table, i);
		uint32_t smaller = outer == PREFIX_NONE ? 0 : l->set_of[outer];

		if (!larger(l, smaller, prefix_value(l->table, i), &l->set_of[i], e))
			return false;
	}
	return true;
}

/* --- all of it --------------------------------------------------------------------------- */

static bool load(struct labels *l, const char *option, struct err *e)
{
	const char *value;
	size_t size;
	struct err why;

	l->table = prefix_new();
	if (l->table == NULL)
		return err_set(e, "label: no memory");
	while (value_next(&option, &value, &size))
		if (!read_value(l, value, size, e))
			return false;
	if (!prefix_build(l->table, &why))
		return err_set(e, "label: %s", why.text);
	return make_sets(l, e);
}

struct labels *labels_load(const char *option, struct err *e)
{
	struct labels *l = calloc(1, sizeof *l);

	if (l == NULL) {
		err_set(e, "label: no memory");
		return NULL;
	}
	if (load(l, option, e))
		return l;
	labels_free(l);
	return NULL;
}

void labels_free(struct labels *l)
{
	if (l == NULL)
		return;
	for (size_t i = 0; i < l->name_count; i++)
		free(l->names[i]);
	for (size_t i = 0; i < l->set_count; i++) {
		free(l->sets[i].labels);
		free(l->sets[i].words);
	}
	free(l->sets);
	free(l->set_of);
	prefix_free(l->table);
	free(l);
}

const char *const *labels_find(
		const struct labels *l, uint8_t version, const uint8_t *address, size_t *count)
{
	uint32_t number = prefix_find(l->table, version, address);
	const struct set *s = &l->sets[number == PREFIX_NONE ? 0 : l->set_of[number]];

	*count = s->count;
	return s->words;
}
