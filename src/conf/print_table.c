/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print_table.c - all options as one JSON list, for programs: what --help says, part by part.
 *
 * An object has name, type, value, default, minimum, maximum, choices, flags, on, use, group, help,
 * more and since; what an option does not have is null or left empty.  'use' says what it is for:
 * "flows" (which records there are, and what is in them), "live" (captures from interfaces),
 * "output" (where the program writes), "service" (how it lives), "command" (what it prints
 * instead).
 */
#include "base/json.h"
#include "conf/print.h"
#include "conf/value.h"

static const char *const types[] = {
	[OPTION_BOOL] = "bool",
	[OPTION_U32] = "integer",
	[OPTION_U64] = "integer",
	[OPTION_TEXT] = "text",
	[OPTION_SECONDS] = "seconds",
	[OPTION_SIZE] = "size",
};

static const struct {
	uint32_t flag;
	const char *name;
} flag_names[] = {
	{ OPTION_SECRET, "secret" },
	{ OPTION_RELOADABLE, "reloadable" },
	{ OPTION_FEATURE, "feature" },
	{ OPTION_COMMAND, "command" },
	{ OPTION_FILE, "file" },
	{ OPTION_PLACE, "place" },
	{ OPTION_REPEAT, "repeat" },
	{ OPTION_AUTO, "auto" },
};

static void text_member(struct buf *out, const char *key, const char *text)
{
	json_key(out, key);
	if (text == NULL)
		json_null(out);
	else
		json_text(out, text);
}

static void pattern_member(struct buf *out, const struct option *o)
{
	struct buf pattern = buf_new(4096);

	value_pattern(o, &pattern);
	buf_byte(&pattern, '\0');
	text_member(out, "value", pattern.p);
	buf_free(&pattern);
}

static void bound(struct buf *out, const char *key, const struct option *o, uint64_t v)
{
	json_key(out, key);
	if (o->type == OPTION_SECONDS)
		json_s(out, (int64_t)v);
	else
		json_u64(out, v);
}

/* Numbers only; without an upper limit that is null. */
static void bounds(struct buf *out, const struct option *o)
{
	if (o->type == OPTION_BOOL || o->type == OPTION_TEXT)
		return;
	bound(out, "minimum", o, o->minimum);
	if (o->maximum > 0)
		bound(out, "maximum", o, o->maximum);
	else
		text_member(out, "maximum", NULL);
}

static void choices_member(struct buf *out, const struct option *o)
{
	if (o->choices == NULL)
		return;
	json_key(out, "choices");
	buf_byte(out, '[');
	for (const char *const *c = o->choices; *c != NULL; c++) {
		json_comma(out);
		json_text(out, *c);
	}
	buf_byte(out, ']');
}

static void flags_member(struct buf *out, const struct option *o)
{
	json_key(out, "flags");
	buf_byte(out, '[');
	for (size_t i = 0; i < sizeof(flag_names) / sizeof(flag_names[0]); i++) {
		if (!(o->flags & flag_names[i].flag))
			continue;
		json_comma(out);
		json_text(out, flag_names[i].name);
	}
	buf_byte(out, ']');
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

static void print_option(const struct print_item *item, struct buf *out)
{
	const struct option *o = item->option;

	json_comma(out);
	buf_byte(out, '{');
	text_member(out, "name", o->name);
	text_member(out, "type", types[o->type]);
	pattern_member(out, o);
	text_member(out, "default",
			o->initial != NULL || o->type == OPTION_TEXT ? o->initial : "0");
	bounds(out, o);
	choices_member(out, o);
	flags_member(out, o);
	text_member(out, "on", o->on);
	text_member(out, "use", use_of(item));
	text_member(out, "group", item->group);
	text_member(out, "help", o->help);
	text_member(out, "more", o->more);
	text_member(out, "since", o->since != NULL ? o->since : "1.0");
	buf_byte(out, '}');
}

void print_table(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	const size_t count = print_list(sets, items);

	buf_byte(out, '[');
	for (size_t i = 0; i < count; i++)
		print_option(&items[i], out);
	buf_text(out, "]\n");
}
