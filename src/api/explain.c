/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * explain.c - which field somebody meant who typed a name that no field has.
 *
 * A name with a dot is compared with whole paths, one without with single keys.
 */
#include <string.h>

#include "api/handle.h"
#include "conf/nearest.h"

enum { PATH = 256 };

struct search {
	struct nearest near;
	bool whole_paths;
	char path[PATH], best[PATH];
};

static void look_at(struct search *s, const char *key)
{
	const char *before = s->near.name, *candidate = s->whole_paths ? s->path : key;
	unsigned distance = s->near.distance;

	nearest_try(&s->near, candidate);
	if (before == NULL || s->near.distance < distance)
		snprintf(s->best, sizeof(s->best), "%s", candidate);
}

/* As deep as the tables are nested. */
static void look_through(struct search *s, const struct field *table)
{
	size_t size = strlen(s->path);

	for (const struct field *f = table; f->key != NULL; f++) {
		snprintf(s->path + size, sizeof(s->path) - size, "%s%s", size > 0 ? "." : "",
				f->key);
		look_at(s, f->key);
		if (f->sub != NULL)
			look_through(s, f->sub);
		s->path[size] = '\0';
	}
}

bool explain_nearest(const struct field *const *tables, size_t count, const char *name,
		char nearest[static 256])
{
	struct search s = { .near = nearest_to(name), .whole_paths = strchr(name, '.') != NULL };

	for (size_t i = 0; i < count; i++)
		look_through(&s, tables[i]);
	memcpy(nearest, s.best, PATH);
	return s.near.name != NULL;
}
