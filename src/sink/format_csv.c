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

extern const struct format format_csv;
const struct format format_csv = {
	.suffixes = suffixes,
	.begin = begin,
	.record = plan_csv,
	.end = end,
	.quotes = true,
};
