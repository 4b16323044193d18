/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value_text.c - a value as text, as JSON, and what values an option may have in words.
 *
 * What conf_value() writes value_parse() reads back to the same value.
 */
#include "base/json.h"
#include "conf/conf.h"
#include "conf/value.h"

static const void *member(const struct option *o, const void *base)
{
	return (const char *)base + o->offset;
}

static uint64_t number(const struct option *o, const void *base)
{
	const void *from = member(o, base);

	switch (o->type) {
	case OPTION_BOOL:
		return *(const bool *)from;
	case OPTION_U32:
		return *(const uint32_t *)from;
	case OPTION_U64:
		return *(const uint64_t *)from;
	case OPTION_SECONDS:
		return (uint64_t)((const struct option_seconds *)from)->ns;
	case OPTION_SIZE:
		return ((const struct option_size *)from)->bytes;
	default:
		return 0;
	}
}

/* With the largest letter that leaves a whole number. */
static void write_size(uint64_t bytes, struct buf *out)
{
	static const char letters[] = "KMGT";
	int letter = -1;

	while (letter < 3 && bytes > 0 && bytes % 1024 == 0) {
		bytes /= 1024;
		letter++;
	}
	json_u64(out, bytes);
	if (letter >= 0)
		buf_byte(out, letters[letter]);
}

static void write_number(const struct option *o, uint64_t v, struct buf *out)
{
	if (o->type == OPTION_SECONDS)
		json_s(out, (int64_t)v);
	else if (o->type == OPTION_SIZE)
		write_size(v, out);
	else
		json_u64(out, v);
}

bool value_next(const char **rest, const char **value, size_t *size)
{
	const char *at = *rest + strspn(*rest, "\n");

	*value = at;
	*size = strcspn(at, "\n");
	*rest = at + *size;
	return *size > 0;
}

static void write_list(const char *text, struct buf *out)
{
	const char *value;
	size_t size;

	buf_byte(out, '[');
	while (text != NULL && value_next(&text, &value, &size)) {
		json_comma(out);
		json_string(out, value, size);
	}
	buf_byte(out, ']');
}

void conf_value(const struct option *o, const void *base, struct buf *out)
{
	if (o->type == OPTION_TEXT) {
		const char *text = *(char *const *)member(o, base);

		buf_text(out, text == NULL ? "none" : text);
	} else {
		write_number(o, number(o, base), out);
	}
}

void conf_value_json(const struct option *o, const void *base, struct buf *out)
{
	if (o->flags & OPTION_REPEAT)
		write_list(*(char *const *)member(o, base), out);
	else if (o->type == OPTION_TEXT)
		json_text(out, *(char *const *)member(o, base));
	else if (o->type == OPTION_SIZE)
		json_u64(out, number(o, base));
	else
		write_number(o, number(o, base), out);
}

static void write_choices(
		const struct option *o, const char *between, const char *last, struct buf *out)
{
	for (size_t i = 0; o->choices[i] != NULL; i++) {
		if (i > 0)
			buf_text(out, o->choices[i + 1] == NULL ? last : between);
		buf_text(out, o->choices[i]);
	}
}

static const char *kind(const struct option *o)
{
	switch (o->type) {
	case OPTION_SECONDS:
		return "a number of seconds";
	case OPTION_SIZE:
		return "a size in bytes (K, M, G or T may follow)";
	default:
		return "a whole number";
	}
}

static void write_range(const struct option *o, struct buf *out)
{
	uint64_t maximum = o->maximum;

	if (maximum == 0 && o->type == OPTION_U32)
		maximum = UINT32_MAX;
	buf_text(out, maximum != 0 ? " from " : " of at least ");
	write_number(o, o->minimum, out);
	if (maximum != 0) {
		buf_text(out, " to ");
		write_number(o, maximum, out);
	}
}

void value_allowed(const struct option *o, struct buf *out)
{
	if (o->choices != NULL) {
		write_choices(o, ", ", " or ", out);
		if (o->type == OPTION_TEXT && o->initial == NULL)
			buf_text(out, ", or none");
	} else if (o->type == OPTION_BOOL) {
		buf_text(out, "0 or 1 (also no, yes, false, true, off, on)");
	} else if (o->type == OPTION_TEXT) {
		buf_text(out, o->flags & OPTION_REPEAT ? "texts, or none" : "a text, or none");
	} else {
		buf_text(out, kind(o));
		write_range(o, out);
	}
}

void value_pattern(const struct option *o, struct buf *out)
{
	if (o->value != NULL)
		buf_text(out, o->value);
	else if (o->choices != NULL)
		write_choices(o, "|", "|", out);
	else
		buf_text(out, o->type == OPTION_BOOL ? "0|1" : "VALUE");
	if (o->flags & OPTION_REPEAT)
		buf_text(out, " ...");
}
