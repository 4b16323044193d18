/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heads.c - reads configuration objects back into options, and asks the features who of them is on
 * by these.
 *
 * Nothing that options name is opened.  What an older or a newer version called otherwise is passed
 * over.
 */
#include "api/heads.h"

#include <string.h>

#include "base/json_read.h"

struct heads heads_new(void)
{
	return (struct heads){ .configuration = buf_new(LIMIT_TEXT_BYTES) };
}

void heads_free(struct heads *h)
{
	buf_free(&h->configuration);
}

static bool is(struct rd text, const char *word)
{
	return text.left == strlen(word) && memcmp(text.p, word, text.left) == 0;
}

/* Appends a value as a user would write it; the items of a list with newlines between. */
static void put_value(const struct json_value *v, struct buf *text)
{
	char *to;

	if (text->size > 0)
		buf_byte(text, '\n');
	switch (v->kind) {
	case JSON_NUMBER:
		buf_bytes(text, v->text.p, v->text.left);
		break;
	case JSON_STRING:
		to = buf_reserve(text, v->text.left);
		if (to != NULL)
			buf_commit(text, json_to_text(v, to));
		break;
	default:
		buf_text(text, "none");
		break;
	}
}

static void read_value(struct json_reader *j, struct buf *text)
{
	struct json_value v = json_read(j);

	buf_clear(text);
	if (v.kind != JSON_LIST) {
		put_value(&v, text);
		json_read_pass(j, &v);
		return;
	}
	while (json_read_item(j)) {
		v = json_read(j);
		put_value(&v, text);
		json_read_pass(j, &v);
	}
}

/* What these two say stands in the options that they set. */
static bool is_general(const char *name)
{
	return strcmp(name, "features") == 0 || strcmp(name, "timeouts") == 0;
}

static void set_option(struct registry *r, const struct json_value *key, struct buf *value)
{
	char name[64];
	struct err ignored;

	buf_byte(value, '\0');
	if (key->escaped || key->text.left >= sizeof name || !buf_ok(value) || value->size == 1)
		return;
	memcpy(name, key->text.p, key->text.left);
	name[key->text.left] = '\0';
	if (!is_general(name))
		conf_set(&r->sets, name, value->p, &ignored);
}

bool heads_options(struct registry *r, struct rd line)
{
	struct json_reader j = json_read_begin(line);
	struct json_value v = json_read(&j), key;
	struct buf value = buf_new(LIMIT_OPTION_BYTES);
	bool found = false;

	while (v.kind == JSON_OBJECT && json_read_member(&j, &key)) {
		found |= is(key.text, "version");
		read_value(&j, &value);
		set_option(r, &key, &value);
	}
	buf_free(&value);
	return json_read_end(&j) && found;
}

static void all_on(struct heads *h)
{
	h->both = true;
	for (size_t i = 0; i < feature_count; i++)
		h->on[i] |= feature_list[i]->fields != NULL;
}

static void keep(struct heads *h, struct rd line)
{
	if (h->configuration.size > 0)
		return;
	while (rd_more(&line) && strchr("\r\n", line.p[line.left - 1]) != NULL)
		line.left--;
	buf_bytes(&h->configuration, line.p, line.left);
}

static bool add(struct heads *h, struct registry *r, struct rd line, struct err *e)
{
	if (!heads_options(r, line)) {
		all_on(h);
		return true;
	}
	if (!registry_preview(r, e))
		return false;
	h->both |= r->core.bidir;
	for (size_t i = 0; i < feature_count; i++)
		h->on[i] |= r->is_on[i];
	keep(h, line);
	return true;
}

bool heads_add(struct heads *h, struct rd line, struct err *e)
{
	struct registry *r = registry_new(e);
	bool good;

	if (r == NULL)
		return false;
	good = add(h, r, line, e);
	registry_free(r);
	h->count++;
	return good;
}

void heads_end(struct heads *h)
{
	if (h->count == 0)
		all_on(h);
}
