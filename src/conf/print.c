/* SPDX-License-Identifier: BSD-3-Clause */
/* print.c - the list of options by groups that all printed forms walk, and the JSON members. */
#include "conf/print.h"

#include "base/json.h"

/* All options as the tables have them, each with the name of its group. */
static size_t gather(const struct option_sets *sets, struct print_item *items)
{
	size_t count = 0;

	for (size_t i = 0; i < sets->count; i++) {
		const char *group = i == 0 ? "Options" : "Data elements";

		for (const struct option *o = sets->set[i].table; o->name != NULL; o++) {
			if (o->group != NULL)
				group = o->group;
			if (count < LIMIT_OPTIONS)
				items[count++] = (struct print_item){ o, sets->set[i].base, group,
					false };
		}
	}
	return count;
}

size_t print_list(const struct option_sets *sets, struct print_item items[static LIMIT_OPTIONS])
{
	struct print_item all[LIMIT_OPTIONS];
	size_t count = gather(sets, all), placed = 0;

	for (size_t i = 0; i < count; i++) {
		const char *group = all[i].group;

		if (all[i].option == NULL) /* placed with its group before */
			continue;
		for (size_t j = i; j < count; j++) {
			if (all[j].option == NULL || strcmp(all[j].group, group) != 0)
				continue;
			items[placed] = all[j];
			items[placed++].first = j == i;
			all[j].option = NULL;
		}
	}
	return placed;
}

void print_sentence(const char *words, struct buf *out)
{
	char first = words[0];

	if (first >= 'a' && first <= 'z')
		first = (char)(first - 'a' + 'A');
	buf_printf(out, "%c%s.", first, words + 1);
}

void print_members(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);

	for (size_t i = 0; i < count; i++) {
		const struct option *o = items[i].option;

		if (o->flags & (OPTION_SECRET | OPTION_COMMAND | OPTION_PLACE))
			continue;
		json_key(out, o->name);
		conf_value_json(o, items[i].base, out);
	}
}
