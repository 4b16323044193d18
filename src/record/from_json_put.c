/* SPDX-License-Identifier: BSD-3-Clause */
/* from_json_put.c - JSON strings, numbers and truths into the cells of their columns. */
#include <arpa/inet.h>

#include "record/from_json_internal.h"

enum { ADDRESS_TEXT = 64 };

struct rd put_text_of(struct from_json *f, const struct json_value *v)
{
	char *to;

	if (!v->escaped)
		return v->text;
	buf_clear(&f->scratch);
	to = buf_reserve(&f->scratch, v->text.left);
	if (to == NULL)
		return (struct rd){ NULL, 0 };
	return (struct rd){ (const uint8_t *)to, json_to_text(v, to) };
}

/* The row is to be dropped. */
static bool fail(struct from_json *f)
{
	((struct batch_head *)f->batch)->failed = true;
	return true;
}

static bool put_bytes(
		struct from_json *f, const struct node *n, uint32_t row, const struct json_value *v)
{
	const struct rd text = put_text_of(f, v);

	if (text.p == NULL)
		return fail(f);
	batch_put_bytes(f->batch, n->column, row, text.p, text.left);
	return true;
}

static struct word *seen_word(const struct node *n, struct rd text)
{
	if (text.left == 0 || text.left > NODE_WORD_BYTES)
		return NULL;
	return &n->words[(text.left + text.p[0] + 3u * text.p[text.left - 1]) % NODE_WORDS];
}

static bool put_word(struct from_json *f, const struct node *n, struct cells *at, uint32_t row,
		const struct json_value *v)
{
	const struct rd text = put_text_of(f, v);
	struct word *w;

	if (text.p == NULL)
		return fail(f);
	w = seen_word(n, text);
	if (w != NULL && w->size == text.left && memcmp(w->text, text.p, text.left) == 0) {
		cells_number(n->column, at, row, w->index);
		return true;
	}
	batch_put_text(f->batch, n->column, row, (const char *)text.p, text.left);
	if (w == NULL || ((struct batch_head *)f->batch)->failed)
		return true;
	memcpy(&w->index, at->values + sizeof w->index * row, sizeof w->index);
	w->size = (uint8_t)text.left;
	memcpy(w->text, text.p, text.left);
	return true;
}

static bool put_hex(
		struct from_json *f, const struct node *n, uint32_t row, const struct json_value *v)
{
	char *to;

	buf_clear(&f->scratch);
	to = buf_reserve(&f->scratch, v->text.left / 2 + 1);
	if (to == NULL)
		return fail(f);
	if (v->escaped || !json_to_hex(v->text, (uint8_t *)to))
		return false;
	batch_put_bytes(f->batch, n->column, row, to, v->text.left / 2);
	return true;
}

static bool put_address(
		struct from_json *f, const struct node *n, uint32_t row, const struct json_value *v)
{
	struct field_address a = { .version = 4 };
	char text[ADDRESS_TEXT];

	if (n->column->layout == COLUMN_BYTES)
		return put_bytes(f, n, row, v);
	if (v->escaped || v->text.left >= sizeof text)
		return false;
	memcpy(text, v->text.p, v->text.left);
	text[v->text.left] = '\0';
	if (inet_pton(AF_INET, text, a.bytes) != 1) {
		a.version = 6;
		if (inet_pton(AF_INET6, text, a.bytes) != 1)
			return false;
	}
	batch_put_address(f->batch, n->column, row, &a);
	return true;
}

static bool put_string(struct from_json *f, const struct node *n, struct cells *at, uint32_t row,
		const struct json_value *v)
{
	switch (n->type) {
	case FIELD_WORD:
	case FIELD_TEXT:
		return n->words != NULL ? put_word(f, n, at, row, v) : put_bytes(f, n, row, v);
	case FIELD_HEX:
		return put_hex(f, n, row, v);
	case FIELD_ADDRESS:
		return put_address(f, n, row, v);
	default:
		return false;
	}
}

static bool put_unsigned(const struct node *n, struct cells *at, uint32_t row, struct rd number)
{
	uint64_t v;

	if (!json_to_u64(number, &v) || v > UINT64_MAX >> (64 - 8 * n->column->width))
		return false;
	cells_number(n->column, at, row, v);
	return true;
}

/* I32, I64, and times, which have nine decimals more. */
static bool put_signed(const struct node *n, struct cells *at, uint32_t row, struct rd number)
{
	int64_t v;

	if (!json_to_scaled(number, n->type == FIELD_TIME ? 9 : 0, &v) ||
			(n->type == FIELD_I32 && v != (int32_t)v))
		return false;
	cells_number(n->column, at, row, (uint64_t)v);
	return true;
}

static bool put_double(struct cells *at, uint32_t row, struct rd number)
{
	double v;

	if (!json_to_f64(number, &v))
		return false;
	cells_f64(at, row, v);
	return true;
}

static bool put_number(const struct node *n, struct cells *at, uint32_t row, struct rd number)
{
	switch (n->type) {
	case FIELD_U8:
	case FIELD_U16:
	case FIELD_U32:
	case FIELD_U64:
		return put_unsigned(n, at, row, number);
	case FIELD_I32:
	case FIELD_I64:
	case FIELD_TIME:
		return put_signed(n, at, row, number);
	case FIELD_F64:
	case FIELD_MS:
	case FIELD_S:
		return put_double(at, row, number);
	default:
		return false;
	}
}

bool put_scalar(struct from_json *f, const struct node *n, struct cells *at, uint32_t row,
		const struct json_value *v)
{
	switch (v->kind) {
	case JSON_STRING:
		return put_string(f, n, at, row, v);
	case JSON_NUMBER:
		return put_number(n, at, row, v->text);
	default:
		if (n->type == FIELD_BOOL)
			cells_bool(at, row, v->kind == JSON_TRUE);
		return n->type == FIELD_BOOL;
	}
}
