/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.c - text to value for each type of option.
 *
 * Numbers are read by hand: decimal digits only, exact, with every overflow refused, where
 * strtoul() would take signs, white space and hexadecimal.  value_text.c has the way back.
 */
#include "conf/value.h"

#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"

static void *member(const struct option *o, void *base)
{
	return (char *)base + o->offset;
}

/* Takes one or more decimal digits from *text. */
static bool take_digits(const char **text, uint64_t *out)
{
	const char *p = *text;
	uint64_t v = 0;

	for (; *p >= '0' && *p <= '9'; p++)
		if (__builtin_mul_overflow(v, 10, &v) ||
				__builtin_add_overflow(v, (uint64_t)(*p - '0'), &v))
			return false;
	if (p == *text)
		return false;
	*text = p;
	*out = v;
	return true;
}

static bool parse_number(const char *text, uint64_t *out)
{
	return take_digits(&text, out) && *text == '\0';
}

/* Up to nine decimals, exactly: 0.5, 120, 1.000000001. */
static bool parse_seconds(const char *text, uint64_t *ns)
{
	uint64_t whole, fraction = 0;

	if (!take_digits(&text, &whole) || __builtin_mul_overflow(whole, 1000000000, ns))
		return false;
	if (*text == '.') {
		const char *first = ++text;

		if (!take_digits(&text, &fraction) || text - first > 9)
			return false;
		for (ptrdiff_t digits = text - first; digits < 9; digits++)
			fraction *= 10;
	}
	return *text == '\0' && !__builtin_add_overflow(*ns, fraction, ns) && *ns <= INT64_MAX;
}

static bool parse_size(const char *text, uint64_t *bytes)
{
	static const char letters[] = "kmgt";

	if (!take_digits(&text, bytes))
		return false;
	if (*text == '\0')
		return true;

	const char *letter = strchr(letters, *text | 0x20);
	if (letter == NULL || text[1] != '\0')
		return false;
	return !__builtin_mul_overflow(*bytes, UINT64_C(1) << 10 * (letter - letters + 1), bytes);
}

static bool parse_bool(const char *text, uint64_t *out)
{
	static const char *const words[] = { "0", "1", "no", "yes", "false", "true", "off", "on" };

	for (size_t i = 0; i < sizeof(words) / sizeof(words[0]); i++) {
		if (strcasecmp(text, words[i]) == 0) {
			*out = i % 2;
			return true;
		}
	}
	return false;
}

static bool parse_any(enum option_type type, const char *text, uint64_t *out)
{
	switch (type) {
	case OPTION_BOOL:
		return parse_bool(text, out);
	case OPTION_U32:
		return parse_number(text, out) && *out <= UINT32_MAX;
	case OPTION_U64:
		return parse_number(text, out);
	case OPTION_SECONDS:
		return parse_seconds(text, out);
	case OPTION_SIZE:
		return parse_size(text, out);
	default:
		return false;
	}
}

static void store(const struct option *o, void *base, uint64_t v)
{
	void *to = member(o, base);

	switch (o->type) {
	case OPTION_BOOL:
		*(bool *)to = v != 0;
		break;
	case OPTION_U32:
		*(uint32_t *)to = (uint32_t)v;
		break;
	case OPTION_U64:
		*(uint64_t *)to = v;
		break;
	case OPTION_SECONDS:
		((struct option_seconds *)to)->ns = (int64_t)v;
		break;
	case OPTION_SIZE:
		((struct option_size *)to)->bytes = v;
		break;
	default:
		break;
	}
}

static bool refuse(const struct option *o, const char *text, struct err *e)
{
	struct buf words = buf_new(4096);

	value_allowed(o, &words);
	err_set(e, "%s=%.80s: must be %.*s", o->name, text, (int)words.size, words.p);
	buf_free(&words);
	return false;
}

static bool is_choice(const struct option *o, const char *text)
{
	if (o->choices == NULL)
		return true;
	for (const char *const *c = o->choices; *c != NULL; c++)
		if (strcmp(*c, text) == 0)
			return true;
	return false;
}

/* Is 'value' among the values of a list? */
static bool has(const struct buf *list, const char *value, size_t size)
{
	for (size_t i = 0, end; i < list->size; i = end + 1) {
		const char *newline = memchr(list->p + i, '\n', list->size - i);

		end = newline == NULL ? list->size : (size_t)(newline - list->p);
		if (end - i == size && memcmp(list->p + i, value, size) == 0)
			return true;
	}
	return false;
}

static void add_values(struct buf *list, const char *text)
{
	const char *value;
	size_t size;

	while (text != NULL && value_next(&text, &value, &size)) {
		if (has(list, value, size))
			continue;
		if (list->size > 0)
			buf_byte(list, '\n');
		buf_bytes(list, value, size);
	}
}

static bool parse_list(
		const struct option *o, void *base, const char *text, bool add, struct err *e)
{
	struct buf list = buf_new(LIMIT_OPTION_BYTES);
	char **to = member(o, base);

	if (strcmp(text, "none") == 0) {
		value_clear(o, base);
		return true;
	}
	if (text[strspn(text, "\n")] == '\0')
		return refuse(o, text, e);
	add_values(&list, add ? *to : NULL);
	add_values(&list, text);
	bool fits = buf_ok(&list);
	char *copy = fits ? strndup(list.p, list.size) : NULL;

	buf_free(&list);
	if (copy == NULL)
		return err_set(e, "%s=%.80s: %s", o->name, text,
				fits ? "no memory" : "too many values");
	free(*to);
	*to = copy;
	return true;
}

static bool parse_text(const struct option *o, void *base, const char *text, struct err *e)
{
	char **to = member(o, base);
	char *copy = NULL;

	/* a choice with a default cannot be none */
	if (strcmp(text, "none") != 0 || (o->choices != NULL && o->initial != NULL)) {
		if (!is_choice(o, text) || *text == '\0')
			return refuse(o, text, e);
		if (strcmp(text, "auto") == 0 &&
				(o->flags & (OPTION_PLACE | OPTION_AUTO)) == OPTION_PLACE)
			return err_set(e,
					"%s=auto: a reserved word that means nothing here (./auto "
					"is a file of that name)",
					o->name);
		copy = strdup(text);
		if (copy == NULL)
			return err_set(e, "%s: no memory", o->name);
	}
	free(*to);
	*to = copy;
	return true;
}

bool value_parse(const struct option *o, void *base, const char *text, struct err *e)
{
	uint64_t v;

	if (o->flags & OPTION_REPEAT)
		return parse_list(o, base, text, false, e);
	if (o->type == OPTION_TEXT)
		return parse_text(o, base, text, e);
	if (!is_choice(o, text) || !parse_any(o->type, text, &v))
		return refuse(o, text, e);
	if (v < o->minimum || (o->maximum != 0 && v > o->maximum))
		return refuse(o, text, e);
	store(o, base, v);
	return true;
}

bool value_add(const struct option *o, void *base, const char *text, struct err *e)
{
	return parse_list(o, base, text, true, e);
}

void value_clear(const struct option *o, void *base)
{
	if (o->type != OPTION_TEXT) {
		store(o, base, 0);
		return;
	}
	char **text = member(o, base);
	free(*text);
	*text = NULL;
}
