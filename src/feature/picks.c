/* SPDX-License-Identifier: BSD-3-Clause */
/* picks.c - a tree of what is wanted for each table, and the walk over a record. */
#include "feature/picks.h"

bool picks_new(struct picks *p, pick_wants *wants, const struct field *but, struct err *e)
{
	*p = (struct picks){ { NULL } };
	for (size_t i = 0; i < feature_count; i++) {
		const struct field *table = feature_list[i]->fields;

		if (table == NULL || table == but)
			continue;
		p->of[i] = pick_new(table, wants, e);
		if (p->of[i] == NULL) {
			picks_free(p);
			return false;
		}
	}
	return true;
}

void picks_free(struct picks *p)
{
	for (size_t i = 0; i < REGISTRY_MAX; i++)
		pick_free(p->of[i]);
	*p = (struct picks){ { NULL } };
}

/* A table of no feature, such as that of one without fields, has the place behind the last. */
static void learn(struct picks_map *map, const struct feature_record *record)
{
	for (size_t i = 0; i < record->count; i++) {
		size_t place = 0;

		while (place < feature_count && feature_list[place]->fields != record->tables[i])
			place++;
		map->place[i] = (uint8_t)place;
	}
	map->known = true;
}

void picks_visit(const struct picks *p, struct picks_map *map, const struct feature_record *record,
		const struct pick_walk *walk)
{
	if (!map->known)
		learn(map, record);
	for (size_t i = 0; i < record->count; i++) {
		const struct pick *pick =
				map->place[i] < feature_count ? p->of[map->place[i]] : NULL;

		if (pick != NULL && record->data[i] != NULL)
			pick_visit(pick, walk, (void *)(uintptr_t)record->data[i]);
	}
}
