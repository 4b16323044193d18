/* SPDX-License-Identifier: BSD-3-Clause */
/* records.h - a run over files of records, for stream.c and joy.c. */
#pragma once

#include "api/stream.h"

extern const struct drain_run records_run; /* its input: struct drain_paths */

void records_free(struct records *r);
struct source_progress records_progress(const struct records *r);
/* Appends the summary objects that the files hold, as a list. */
void records_summaries(const struct records *r, struct buf *out);
void records_stats(const struct records *r, struct joy_stats *out);
