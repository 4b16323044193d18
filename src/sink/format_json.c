/* SPDX-License-Identifier: BSD-3-Clause */
/* format_json.c - JSON lines: the configuration object, an object for each record, the summary
 * object. */
#include "sink/format.h"

static const char *const suffixes[] = { "json", "jsonl", NULL };

static void add_line(const struct buf *object, struct buf *out)
{
	if (object == NULL)
		return;
	buf_bytes(out, object->p, object->size);
	buf_byte(out, '\n');
}

static void begin(const struct plan *plan, const struct buf *configuration, struct buf *out)
{
	(void)plan;
	add_line(configuration, out);
}

static void record(const struct plan *plan, const void *const *data, struct buf *out)
{
	plan_json(plan, data, out);
	buf_byte(out, '\n');
}

extern const struct format format_json;
const struct format format_json = {
	.suffixes = suffixes,
	.begin = begin,
	.record = record,
	.end = add_line,
};
