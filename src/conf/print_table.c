/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print_table.c - the option tables as a JSON list, for programs that offer options of their own.
 *
 * An object each: name, type, default (as joy_set() takes it; null: none), minimum, maximum (in the
 * option's unit; null: no limit), choices, takes, help, more, group, since, use, on, flags.
 * 'use' says what an option is for: "flows" (what records there are and what is in them), "live"
 * (captures from interfaces), "output" (where a program writes), "service" (how it lives),
 * "command" (what it prints instead).
 */
#include <string.h>

#include "base/json.h"
#include "conf/print.h"
#include "conf/value.h"

static const char *type_of(const struct option *o)
{
	static const char *const types[] = {
		[OPTION_BOOL] = "bool",
		[OPTION_U32] = "u32",
		[OPTION_U64] = "u64",
		[OPTION_TEXT] = "text",
		[OPTION_SECONDS] = "seconds",
		[OPTION_SIZE] = "size",
	};

	return types[o->type];
}

static const char *use_of(const struct print_item *item)
{
	static const struct {
		const char *group, *use;
	} uses[] = {
		{ "Live capture", "live" },
		{ "Output", "output" },
		{ "Service", "service" },
	};

	if (item->option->flags & OPTION_COMMAND)
		return "command";
	for (size_t i = 0; i < sizeof(uses) / sizeof(uses[0]); i++)
		if (strcmp(uses[i].group, item->group) == 0)
			return uses[i].use;
	return "flows";
}

static void put_text(struct buf *out, const char *key, const char *text)
{
	json_key(out, key);
	json_text(out, text);
}

static void put_number(struct buf *out, const char *key, const struct option *o, uint64_t v)
{
	json_key(out, key);
	if (o->type == OPTION_SECONDS)
		json_s(out, (int64_t)v);
	else
		json_u64(out, v);
}

static void put_range(struct buf *out, const struct option *o)
{
	uint64_t maximum = o->type == OPTION_BOOL                     ? 1
			   : o->maximum == 0 && o->type == OPTION_U32 ? UINT32_MAX
								      : o->maximum;

	if (o->type == OPTION_TEXT)
		put_text(out, "minimum", NULL);
	else
		put_number(out, "minimum", o, o->minimum);
	if (o->type == OPTION_TEXT || maximum == 0)
		put_text(out, "maximum", NULL);
	else
		put_number(out, "maximum", o, maximum);
}

static void put_list(struct buf *out, const char *key, const char *const *words)
{
	json_key(out, key);
	buf_byte(out, '[');
	for (; words != NULL && *words != NULL; words++) {
		json_comma(out);
		json_text(out, *words);
	}
	buf_byte(out, ']');
}

static void put_flags(struct buf *out, const struct option *o)
{
	static const struct {
		uint32_t flag;
		const char *name;
	} flags[] = {
		{ OPTION_SECRET, "secret" },
		{ OPTION_RELOADABLE, "reloadable" },
		{ OPTION_FEATURE, "feature" },
		{ OPTION_FILE, "file" },
		{ OPTION_REPEAT, "repeat" },
		{ OPTION_AUTO, "auto" },
	};
	const char *names[sizeof(flags) / sizeof(flags[0]) + 1] = { NULL };
	size_t count = 0;

	for (size_t i = 0; i < sizeof(flags) / sizeof(flags[0]); i++)
		if (o->flags & flags[i].flag)
			names[count++] = flags[i].name;
	put_list(out, "flags", names);
}

static void put_option(struct buf *out, const struct print_item *item)
{
	const struct option *o = item->option;
	struct buf takes = buf_new(LIMIT_OPTION_BYTES);

	value_pattern(o, &takes);
	json_comma(out);
	buf_byte(out, '{');
	put_text(out, "name", o->name);
	put_text(out, "type", type_of(o));
	put_text(out, "default", o->initial != NULL || o->type == OPTION_TEXT ? o->initial : "0");
	put_range(out, o);
	put_list(out, "choices", o->choices);
	json_key(out, "takes");
	json_string(out, takes.p, takes.size);
	put_text(out, "help", o->help);
	put_text(out, "more", o->more);
	put_text(out, "group", item->group);
	put_text(out, "since", o->since != NULL ? o->since : "1.0");
	put_text(out, "use", use_of(item));
	put_text(out, "on", o->on);
	put_flags(out, o);
	buf_byte(out, '}');
	buf_free(&takes);
}

void print_table(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);

	buf_byte(out, '[');
	for (size_t i = 0; i < count; i++)
		put_option(out, &items[i]);
	buf_text(out, "]\n");
}
