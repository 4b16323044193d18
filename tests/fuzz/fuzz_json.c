/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_json.c - whatever a record holds, its line is JSON and its CSV row has all its columns.
 *
 * The input fills a struct with every kind of field; the lengths of texts and lists are drawn from
 * it.
 */
#include <stdlib.h>

#include "base/rd.h"
#include "json_valid.h"
#include "record/plan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

struct item {
	double v;
	struct field_text text;
	int64_t n;
};

struct data {
	struct field_text text;
	struct field_hex hex;
	struct field_address address;
	struct field_time time;
	struct field_ms ms;
	struct field_s s;
	double f64;
	uint64_t u64;
	int32_t i32;
	char word[24];
	const char *words;
	struct field_list items, counts, numbers;
};

static const struct field item_fields[] = {
	FIELD(struct item, v, "v", "", "A number."),
	FIELD(struct item, text, "text", "", "A text.", .flags = FIELD_OPTIONAL),
	FIELD(struct item, n, "n", "", "A number.", .flags = FIELD_NULLABLE),
	{ 0 },
};

static const struct field fields[] = {
	FIELD(struct data, text, "text", "", "A text."),
	FIELD(struct data, hex, "hex", "", "Bytes."),
	FIELD(struct data, address, "address", "", "An address.", .flags = FIELD_OPTIONAL),
	FIELD(struct data, time, "time", "", "A time."),
	FIELD(struct data, ms, "ms", "", "A duration.", .flags = FIELD_OPTIONAL),
	FIELD(struct data, s, "s", "", "A duration."),
	FIELD(struct data, f64, "f64", "", "A number."),
	FIELD(struct data, u64, "u64", "", "A number.", .flags = FIELD_NULLABLE),
	FIELD(struct data, i32, "i32", "", "A number.", .flags = FIELD_OPTIONAL | FIELD_NULLABLE),
	FIELD(struct data, words, "words", "", "A word."),
	FIELD_LIST_OF(struct data, items, "items", struct item, item_fields, "Items."),
	FIELD_SCALARS(struct data, counts, "counts", uint64_t, "", "Counts."),
	FIELD_SCALARS(struct data, numbers, "numbers", double, "", "Numbers.",
			.flags = FIELD_OPTIONAL),
	{ 0 },
};

enum { COLUMNS = sizeof fields / sizeof fields[0] - 1, MOST = 8 };

static double draw_double(struct rd *r)
{
	const uint64_t bits = rd_uint(r, 8);
	double v;

	memcpy(&v, &bits, sizeof v);
	return v;
}

static struct field_text draw_text(struct rd *r)
{
	const struct rd part = rd_bytes(r, rd_u8(r));

	return (struct field_text){ (const char *)part.p, part.left };
}

static void fill(struct data *d, struct rd *r)
{
	const struct rd word = rd_bytes(r, sizeof d->word - 1);

	if (rd_ok(&word))
		memcpy(d->word, word.p, word.left);
	d->words = d->word;
	d->f64 = draw_double(r);
	d->u64 = rd_uint(r, 8);
	d->i32 = (int32_t)rd_u32(r);
	d->time = (struct field_time){ (int64_t)rd_uint(r, 8), rd_u8(r) & 1 };
	d->ms.ns = (int64_t)rd_uint(r, 8);
	d->s.ns = (int64_t)rd_uint(r, 8);
	d->address.version = rd_u8(r) & 7;

	const struct rd address = rd_bytes(r, 16);

	if (rd_ok(&address))
		memcpy(d->address.bytes, address.p, 16);
}

/* Cells of the row that is the whole buffer; 0 when it is no row. */
static size_t cells(const struct buf *b)
{
	size_t count = 1;
	bool quoted = false;

	for (size_t i = 0; i + 2 < b->size; i++) {
		quoted ^= b->p[i] == '"';
		count += b->p[i] == ',' && !quoted;
		if ((b->p[i] == '\r' || b->p[i] == '\n') && !quoted)
			return 0;
	}
	return quoted || b->size < 2 || memcmp(b->p + b->size - 2, "\r\n", 2) != 0 ? 0 : count;
}

static void check(const struct data *d)
{
	static struct plan *plan;
	const struct field *const tables[] = { fields };
	const void *const data[] = { d };
	struct buf b = buf_new(16 << 20);

	if (plan == NULL)
		plan = plan_new(tables, 1, true, NULL);
	plan_json(plan, data, &b);
	if (!buf_ok(&b) || !json_is_valid(b.p, b.size))
		abort();
	buf_clear(&b);
	plan_csv(plan, data, &b);
	if (!buf_ok(&b) || cells(&b) != COLUMNS)
		abort();
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct rd r = { bytes, size };
	struct data d = { .u64 = 0 };
	struct item items[MOST];
	uint64_t counts[MOST];
	double numbers[MOST];

	fill(&d, &r);

	const size_t count = rd_u8(&r) % (MOST + 1);

	for (size_t i = 0; i < count; i++) {
		counts[i] = rd_uint(&r, 8) >> (8 * (i % 8));
		numbers[i] = draw_double(&r);
		items[i].v = numbers[i];
		items[i].n = (int64_t)rd_uint(&r, 8);
		items[i].text = draw_text(&r);
	}
	d.items = (struct field_list){ items, count };
	d.counts = (struct field_list){ counts, count };
	d.numbers = (struct field_list){ numbers, count };
	d.text = draw_text(&r);
	if (rd_ok(&r))
		d.hex = (struct field_hex){ r.p, r.left };
	check(&d);

	/* all of it as one text */
	d.text = (struct field_text){ (const char *)bytes, size };
	check(&d);
	return 0;
}
