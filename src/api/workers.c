/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * workers.c - how many workers a run has; and the run over files that are read side by side, each
 * with flows of its own.
 */
#include "api/handle.h"
#include "os/processors.h"

enum { MOST_THREADS = 8 }; /* unless asked for: one thread cannot feed more */

/* --- how many --------------------------------------------------------------------------------
 */

static unsigned least(uint64_t a, uint64_t b)
{
	return (unsigned)(a < b ? a : b);
}

/* Workers that each read files of their own.  A pipe makes wait who reads it, and may be named
 * twice, so then there is one; a stream has one thread already. */
static unsigned apart_threads(const struct joy *j, uint64_t files)
{
	const unsigned asked = j->registry->core.threads;

	if (j->stream != NULL || source_waits(j->source))
		return 1;
	return least(files, asked != 0 ? asked : least(processors_count(), LIMIT_WORKERS));
}

/* Of several files; one alone is read as if the option were not there. */
static bool is_independent(const struct joy *j)
{
	return j->source != NULL && j->registry->core.independent &&
	       source_progress(j->source).files_total > 1;
}

bool workers_are_apart(const struct joy *j)
{
	return is_independent(j) && workers_count(j) > 1;
}

/* Lines for the caller come in his thread, so there is no other; a stream has one already. */
unsigned workers_count(const struct joy *j)
{
	const unsigned asked = j->registry->core.threads;

	if (j->registry->core.interface != NULL)
		return asked == 0 ? 1 : asked;
	if (is_independent(j))
		return apart_threads(j, source_progress(j->source).files_total);
	if (j->source == NULL || j->line != NULL || j->stream != NULL)
		return 1;
	return asked != 0 ? asked : least(processors_count(), MOST_THREADS);
}

/* --- side by side ----------------------------------------------------------------------------
 */

static bool on_first(void *ctx, const struct frame *first, struct err *e)
{
	struct joy *j = ctx;

	(void)e; /* it is the handle's */
	return run_begin(j, first);
}

struct apart *workers_apart(struct joy *j)
{
	const struct apart_conf conf = { .conf = &j->registry->core,
		.registry = j->registry,
		.sink = j->sink,
		.source = j->source,
		.reads = run_source_conf(j),
		.workers = workers_count(j),
		.begin = on_first,
		.ctx = j };

	return apart_new(&conf, &j->error);
}

bool workers_read_apart(struct joy *j)
{
	bool over = false;

	if (!apart_start(j->apart, &j->error))
		return false;
	while (!over) {
		if (!apart_write(j->apart, &over, &j->error))
			return false;
		if (j->upload != NULL)
			upload_poll(j->upload);
		if (!over && run_ends_early(j))
			apart_end(j->apart);
	}
	return true;
}
