/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * to_csv.c - a record as one line of CSV (RFC 4180): a column for each field of every table.
 *
 * Structs in place are flattened to a.b, lists stand as JSON text in one quoted cell.  An absent
 * table, null, and what JSON leaves out are empty cells; an empty text is "".  Lines end in CRLF.
 * Cells hold UTF-8: a byte that is none is taken as Latin-1, as in JSON.
 */
#include "record/step.h"
#include "record/value.h"

static bool needs_quotes(const char *cell, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (cell[i] == '"' || cell[i] == ',' || cell[i] == '\n' || cell[i] == '\r')
			return true;
	}
	return size == 0;
}

/* Puts the cell that begins at 'begin' and ends the buffer into quotes, doubling those inside. */
static void quote(struct buf *out, size_t begin)
{
	size_t extra = 2;

	for (size_t i = begin; i < out->size; i++)
		extra += out->p[i] == '"';
	if (buf_reserve(out, extra) == NULL)
		return;

	char *cell = out->p + begin;
	size_t from = out->size - begin, to = from + extra;

	out->size += extra;
	cell[--to] = '"';
	while (from > 0) {
		cell[--to] = cell[--from];
		if (cell[to] == '"')
			cell[--to] = '"';
	}
	cell[0] = '"';
}

/* One character, taken from 'r'. */
static void add_character(struct buf *out, struct rd *r)
{
	const uint8_t c = *r->p;
	const size_t size = json_utf8_size(*r);
	const char latin[2] = { (char)(0xc0 | c >> 6), (char)(0x80 | (c & 0x3f)) };
	struct rd character = rd_bytes(r, size > 0 ? size : 1);

	if (size == 0)
		buf_bytes(out, latin, sizeof latin);
	else if (c < 0x20 && c != '\t' && c != '\n' && c != '\r')
		json_escaped(out, &c, 1); /* no reader of CSV agrees on NUL and its like */
	else
		buf_bytes(out, character.p, size);
}

static void add_text(struct buf *out, const void *bytes, size_t size)
{
	const size_t begin = out->size;
	struct rd r = { bytes, size };

	while (rd_more(&r)) {
		size_t plain = 0;

		while (plain < r.left && r.p[plain] >= 0x20 && r.p[plain] < 0x80)
			plain++;
		buf_bytes(out, r.p, plain);
		rd_bytes(&r, plain);
		if (rd_more(&r))
			add_character(out, &r);
	}
	if (buf_ok(out) && needs_quotes(out->p + begin, out->size - begin))
		quote(out, begin);
}

static void add_list(struct buf *out, const struct step *s, const uint8_t *at)
{
	const size_t begin = out->size;
	struct field_list list;

	memcpy(&list, at, sizeof list);
	if (list.count == 0 && (s->flags & FIELD_OPTIONAL))
		return;

	char *to = buf_reserve(out, STEP_SLACK);

	if (to != NULL)
		to = step_list(s, &list, STEP_SLACK, to, out);
	if (to == NULL)
		return;
	out->size = (size_t)(to - out->p);
	quote(out, begin);
}

static void add_hex(struct buf *out, const uint8_t *at)
{
	struct field_hex hex;

	memcpy(&hex, at, sizeof hex);
	if (hex.p == NULL)
		return;
	if (hex.size == 0)
		quote(out, out->size);

	char *to = buf_reserve(out, hex.size > SIZE_MAX / 2 ? SIZE_MAX : 2 * hex.size);

	if (to != NULL)
		buf_commit(out, (size_t)(json_put_hex(to, hex.p, hex.size) - to));
}

static void add_value(struct buf *out, const struct step *s, const uint8_t *at)
{
	char *to = value_is_null(s->type, s->flags, at) ? NULL : buf_reserve(out, VALUE_ROOM);
	char *end = to == NULL ? NULL : value_put(s->type, s->flags, at, false, to);

	if (end != NULL)
		buf_commit(out, (size_t)(end - to));
}

static void add_cell(struct buf *out, const struct step *s, const uint8_t *at)
{
	struct field_text text;
	const char *word;

	switch (s->type) {
	case FIELD_WORD:
		memcpy(&word, at, sizeof word);
		if (word != NULL)
			add_text(out, word, strlen(word));
		break;
	case FIELD_TEXT:
		memcpy(&text, at, sizeof text);
		if (text.p != NULL)
			add_text(out, text.p, text.size);
		break;
	case FIELD_HEX:
		add_hex(out, at);
		break;
	case FIELD_LIST:
		add_list(out, s, at);
		break;
	default:
		add_value(out, s, at);
	}
}

static void add_cells(struct buf *out, const struct object *o, const uint8_t *base)
{
	for (size_t i = 0; i < o->count; i++) {
		const struct step *s = &o->steps[i];

		if (s->type == FIELD_STRUCT || s->type == STEP_CLOSE)
			continue;
		if (base != NULL)
			add_cell(out, s, base + s->offset);
		buf_byte(out, ',');
	}
}

/* The last comma of the line becomes the line's end; on failure the line vanishes. */
static void end_line(struct buf *out, size_t begin)
{
	if (buf_ok(out) && out->size > begin)
		out->size--;
	buf_bytes(out, "\r\n", 2);
	if (!buf_ok(out))
		out->size = begin;
}

void plan_csv_header(const struct plan *p, struct buf *out)
{
	const size_t begin = out->size;

	buf_bytes(out, p->header.p, p->header.size);
	buf_byte(out, ',');
	end_line(out, begin);
}

void plan_csv(const struct plan *p, const void *const *data, struct buf *out)
{
	const size_t begin = out->size;

	for (size_t i = 0; i < p->count; i++)
		add_cells(out, &p->tables[i], data[i]);
	end_line(out, begin);
}
