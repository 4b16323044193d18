/* SPDX-License-Identifier: BSD-3-Clause */
/* format_csv.c - CSV: a header line and a line for each record; no configuration, no summary. */
#include "sink/format.h"

static const char *const suffixes[] = { "csv", NULL };

static void begin(const struct plan *plan, const struct buf *configuration, struct buf *out)
{
	(void)configuration;
	plan_csv_header(plan, out);
}

static void end(const struct buf *summary, struct buf *out)
{
	(void)summary;
	(void)out;
}

/* A line may go on inside quotes. */
static size_t whole(const char *bytes, size_t size, uint64_t *lines)
{
	bool quoted = false;
	size_t behind = 0;

	*lines = 0;
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == '"')
			quoted = !quoted;
		if (bytes[i] == '\n' && !quoted) {
			behind = i + 1;
			++*lines;
		}
	}
	return behind;
}

extern const struct format format_csv;
const struct format format_csv = {
	.suffixes = suffixes,
	.begin = begin,
	.record = plan_csv,
	.end = end,
	.whole = whole,
};
