/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_records.c - any bytes as lines of records: they become columns that hold to Arrow's rules,
 * in small pieces or at once.
 *
 * What is taken for JSON is JSON by another reader of it, and lines that are refused leave nothing:
 * the others alone give the same rows.  The first byte chooses the size of the pieces.
 */
#include "arrow_text.h"
#include "engine/engine.h"
#include "json_valid.h"
#include "record/from_json.h"
#include "source/textlines.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static const struct field *fields[REGISTRY_MAX];
static struct columns_table tables[REGISTRY_MAX];
static struct columns_conf conf = { .tables = tables, .both = true, .loose = true };
static struct columns *columns;
static struct ArrowSchema schema;
static struct batch *batch;
static struct from_json *from;

static void begin(void)
{
	if (columns != NULL)
		return;
	for (size_t i = 0; i < feature_count; i++)
		if (feature_list[i]->fields != NULL)
			fields[conf.count++] = feature_list[i]->fields;
	for (size_t i = 0; i < conf.count; i++)
		tables[i].fields = fields[i];
	columns = columns_new(&conf, NULL);
	batch = batch_new(columns, NULL);
	from = from_json_new(columns, fields, conf.count, true, NULL);
	arrow_must(columns != NULL && batch != NULL && from != NULL);
	arrow_must(columns_schema(columns, NULL, 0, &schema, NULL));
}

/* All rows of the batch, each as a line. */
static void end(struct buf *text)
{
	struct ArrowArray array;

	arrow_must(batch_export(batch, &array, NULL));
	for (int64_t i = 0; i < array.length; i++) {
		arrow_row(&schema, &array, (size_t)i, text);
		buf_byte(text, '\n');
	}
	array.release(&array);
}

static void on_trouble(void *ctx, const struct source_report *report)
{
	(void)ctx;
	arrow_must(report->text[0] != '\0');
}

/* Reads all lines; those that are records are appended to 'good'. */
static void read_all(struct rd bytes, size_t step, struct buf *good)
{
	const struct textlines_conf lines = {
		.what = "JSON lines", .opens = '{', .trouble = on_trouble
	};
	struct textlines *t = textlines_new_memory(bytes.p, bytes.left, step, &lines, NULL);
	struct textline line;
	const char *why;
	size_t at;

	arrow_must(t != NULL);
	while (textlines_next(t, &line)) {
		const uint32_t rows = batch_rows(batch);
		const enum from_json_line what = from_json_line(from, batch, line.bytes, &why, &at);

		arrow_must(batch_rows(batch) == rows + (what == FROM_JSON_RECORD));
		if (what == FROM_JSON_DAMAGED) {
			arrow_must(why != NULL && at <= line.bytes.left);
			textlines_refuse(t, at, why);
			continue;
		}
		arrow_must(json_is_valid((const char *)line.bytes.p, line.bytes.left));
		buf_bytes(good, line.bytes.p, what == FROM_JSON_RECORD ? line.bytes.left : 0);
		buf_byte(good, '\n');
	}
	textlines_free(t);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct buf good = buf_new(1 << 26), ignored = buf_new(1 << 26);
	struct buf once = buf_new(1 << 30), again = buf_new(1 << 30);
	struct rd bytes = { data, size };
	const size_t step = rd_u8(&bytes);

	begin();
	if (rd_ok(&bytes))
		read_all(bytes, 0, &good);
	end(&once);
	if (good.size > 0)
		read_all((struct rd){ (const uint8_t *)good.p, good.size }, step, &ignored);
	end(&again);
	arrow_must(once.size == again.size &&
			(once.size == 0 || memcmp(once.p, again.p, once.size) == 0));
	buf_free(&good);
	buf_free(&ignored);
	buf_free(&once);
	buf_free(&again);
	return 0;
}
