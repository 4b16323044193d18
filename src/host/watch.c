/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * watch.c - addresses and names of all lists in one table each, and what is found in them.
 *
 * The value of an entry is the number of its list.  watch_read.c fills the tables.
 */
#include "host/watch.h"

#include <stdlib.h>
#include <string.h>

#include "conf/value.h"
#include "host/name.h"
#include "host/watch_read.h"

/* --- loading ----------------------------------------------------------------------------- */

static const char *without_folders(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash == NULL ? path : slash + 1;
}

static bool read_list(struct watch *w, const char *value, size_t size, struct err *e)
{
	char *path = strndup(value, size);
	bool good = false;

	if (w->list_count == LIMIT_LIST_FILES)
		err_set(e, "watch: more than %d files", LIMIT_LIST_FILES);
	else if (path == NULL || (w->lists[w->list_count] = strdup(without_folders(path))) == NULL)
		err_set(e, "watch: no memory");
	else
		good = watch_read(w, path, (uint32_t)w->list_count++, e);
	free(path);
	return good;
}

static bool load(struct watch *w, const char *option, struct err *e)
{
	const char *value;
	size_t size;
	struct err why;

	w->subnets = prefix_new();
	w->names = nameset_new();
	if (w->subnets == NULL || w->names == NULL)
		return err_set(e, "watch: no memory");
	while (value_next(&option, &value, &size))
		if (!read_list(w, value, size, e))
			return false;
	return (prefix_build(w->subnets, &why) && nameset_build(w->names, &why)) ||
	       err_set(e, "watch: %s", why.text);
}

struct watch *watch_load(const char *option, struct err *e)
{
	struct watch *w = calloc(1, sizeof *w);

	if (w == NULL) {
		err_set(e, "watch: no memory");
		return NULL;
	}
	if (load(w, option, e))
		return w;
	watch_free(w);
	return NULL;
}

void watch_free(struct watch *w)
{
	if (w == NULL)
		return;
	for (size_t i = 0; i < LIMIT_LIST_FILES; i++)
		free(w->lists[i]);
	prefix_free(w->subnets);
	nameset_free(w->names);
	free(w);
}

/* --- finding ----------------------------------------------------------------------------- */

/* What was found so far, and in which lists. */
struct found {
	const struct watch *watch;
	struct watch_hit *hits;
	size_t count, max, *more;
	uint64_t lists[(LIMIT_LIST_FILES + 63) / 64];
};

static void add_hit(struct found *f, uint32_t list, struct watch_hit hit)
{
	uint64_t bit = UINT64_C(1) << list % 64;

	if (f->lists[list / 64] & bit)
		return; /* a longer entry of that list */
	f->lists[list / 64] |= bit;
	hit.list = f->watch->lists[list];
	if (f->count < f->max)
		f->hits[f->count++] = hit;
	else
		++*f->more;
}

size_t watch_address(const struct watch *w, uint8_t version, const uint8_t *address,
		struct watch_hit *hits, size_t max, size_t *more)
{
	struct found f = { .watch = w, .hits = hits, .max = max, .more = more };
	uint32_t at = prefix_find(w->subnets, version, address);

	for (; at != PREFIX_NONE; at = prefix_outer(w->subnets, at))
		add_hit(&f, prefix_value(w->subnets, at),
				(struct watch_hit){ .subnet = prefix_at(w->subnets, at) });
	return f.count;
}

static void add_names(struct found *f, uint32_t entry)
{
	const struct nameset *names = f->watch->names;
	struct watch_hit hit = { 0 };

	for (; entry != NAMESET_NONE; entry = nameset_same(names, entry)) {
		hit.entry = nameset_text(names, entry, &hit.entry_size);
		add_hit(f, nameset_value(names, entry), hit);
	}
}

/* Bytes of "host:443" before the port; of what has no port, or is an IPv6 address, all. */
static size_t without_port(const char *text, size_t size)
{
	const char *colon = memchr(text, ':', size);
	size_t at = colon == NULL ? size : (size_t)(colon - text);

	for (size_t i = at + 1; i < size; i++)
		if (text[i] < '0' || text[i] > '9')
			return size;
	return at;
}

size_t watch_name(const struct watch *w, const char *text, size_t size, struct watch_hit *hits,
		size_t max, size_t *more)
{
	struct found f = { .watch = w, .hits = hits, .max = max, .more = more };
	uint32_t entries[(NAME_MAX_SIZE + 1) / 2];
	char name[NAME_ROOM];
	struct prefix p;

	if (size == 0)
		return 0;
	size = without_port(text, size);
	if (prefix_parse(text, size, &p) == NULL)
		return memchr(text, '/', size) != NULL
				       ? 0
				       : watch_address(w, p.version, p.bytes, hits, max, more);

	size_t length = name_normal(text, size, name);
	size_t count = nameset_match(
			w->names, name, length, entries, sizeof entries / sizeof entries[0]);

	for (size_t i = 0; i < count; i++)
		add_names(&f, entries[i]);
	return f.count;
}
