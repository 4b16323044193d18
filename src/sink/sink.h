/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink.h - where records go: one file, pipe or callback, in one format, perhaps compressed.
 *
 * A sink gets the plan (the tables of all enabled features) once and then for each record a
 * pointer to a filled struct per table.  A file appears under its final name only when sink_close()
 * has found everything written; until then it has the name with ".part" behind it, and between two
 * flushes a long one may end inside a line.  Pipes, devices and standard output are written to
 * directly.  After a failure everything but sink_close() and sink_free() fails with the same error,
 * which says how many records are whole; a file has lost what came behind them.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "record/plan.h"

struct sink;

struct sink_target {
	const char *path; /* "-" or NULL: standard output; not kept */
	/* instead of a path: gets each line whole, with its newline */
	bool (*line)(void *ctx, const char *bytes, size_t size);
	void *ctx;
	/* bytes of a plain file that go through the page cache before the rest goes past it; 0: as
	 * many as is good */
	uint64_t cached;
};

/*
 * Opens; the error says what and where.  The format is by suffix: .json (also .jsonl, and the
 * default without suffix), .csv, each with .gz or .zst.  No folder is made.  'plan' must outlive
 * the sink.
 */
struct sink *sink_open(const struct sink_target *target, const struct plan *plan, struct err *e);

/*
 * The configuration object (JSON text of one object without newline; NULL: none); CSV writes its
 * header line instead.
 */
bool sink_begin(struct sink *s, const struct buf *configuration, struct err *e);

/* One record: data[i] is the filled struct of the plan's table i, or NULL. */
bool sink_record(struct sink *s, const void *const *data, struct err *e);

/* Hands on what is buffered: for live runs, where the next record may take long. */
bool sink_flush(struct sink *s, struct err *e);

/* The summary object as JSON text (NULL: none); CSV leaves it out. */
bool sink_end(struct sink *s, const struct buf *summary, struct err *e);

/*
 * Flushes, syncs a file and gives it its final name.  'whole' false, or an earlier failure: the
 * .part file stays, with complete lines only.  False, with the first error, when not all could be
 * written.
 */
bool sink_close(struct sink *s, bool whole, struct err *e);

/* Records and bytes (before compression) accepted so far. */
uint64_t sink_records(const struct sink *s);
uint64_t sink_bytes(const struct sink *s);

/* Records left out because their text would have passed LIMIT_RECORD_BYTES. */
uint64_t sink_refused(const struct sink *s);

/* Closes as not whole if nobody has closed. */
void sink_free(struct sink *s);
