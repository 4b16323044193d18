/* SPDX-License-Identifier: BSD-3-Clause */
/* print_config.c - the present settings as a configuration file that -x reads back. */
#include <string.h>

#include "conf/print.h"
#include "conf/value.h"

/* A configuration file has no quotes: white space at the ends, line ends and " #" cannot be
 * written. */
static bool can_be_written(const char *value, size_t size)
{
	static const char blanks[] = " \t\r\n\f\v";

	if (size == 0 || strchr(blanks, value[0]) != NULL ||
			strchr(blanks, value[size - 1]) != NULL)
		return false;
	for (size_t i = 0; i < size; i++)
		if (value[i] == '\n' || value[i] == '\r' ||
				(value[i] == '#' && (i == 0 || value[i - 1] == ' ' ||
								    value[i - 1] == '\t')))
			return false;
	return true;
}

static void print_value(const struct option *o, const char *value, size_t size, struct buf *out)
{
	if (can_be_written(value, size)) {
		buf_printf(out, "%s = ", o->name);
		buf_bytes(out, value, size);
		buf_byte(out, '\n');
	} else {
		buf_printf(out, "# %s has a value that no configuration file can hold\n", o->name);
	}
}

static void print_setting(const struct print_item *item, struct buf *out)
{
	struct buf text = buf_new(LIMIT_OPTION_BYTES + 1);
	const char *rest, *value;
	size_t size;

	conf_value(item->option, item->base, &text);
	buf_byte(&text, '\0');
	rest = text.p;
	if (!buf_ok(&text))
		print_value(item->option, "", 0, out);
	else if (!(item->option->flags & OPTION_REPEAT))
		print_value(item->option, text.p, text.size - 1, out);
	else
		while (value_next(&rest, &value, &size))
			print_value(item->option, value, size, out);
	buf_free(&text);
}

void print_config(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);
	const char *group = NULL;

	for (size_t i = 0; i < count; i++) {
		if (items[i].option->flags & OPTION_COMMAND)
			continue;
		if (group == NULL || strcmp(group, items[i].group) != 0)
			buf_printf(out, "%s# %s\n", group == NULL ? "" : "\n", items[i].group);
		group = items[i].group;
		print_setting(&items[i], out);
	}
}
