/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sink.h - where records go: a file, a series of files, a pipe or a callback; in one format,
 * perhaps compressed.
 *
 * A sink gets the plan (the tables of all enabled features) once and then for each record a
 * pointer to a filled struct per table.  Records are formatted by pens, one for each worker; a pen
 * collects them in blocks and hands these on.  What then becomes of a block depends:
 *
 *	files, plain      the pen's own thread writes it; there is one pen
 *	files, compressed a writer thread compresses and writes; a pen waits for room; there is one
 *pen live              a writer thread; pens never wait: without room records are counted as lost
 *	live, callback    sink_poll() hands lines on; pens as above
 *	batches           the pens' own threads hand them on; live pens keep one at most that finds
 *			  no room, and behind it lose records
 *
 * A file has its final name only when it is whole and synced; until then it has the name with
 * ".part" behind it, locked by flock(), and a long one may end inside a line.  A series (a run that
 * is split, or output=auto) has files named
 *
 *	BASE-20260131T235959Z-000000.SUFFIX
 *
 * by the time of their beginning and a number.  Sorted they are in order, also with those of
 * earlier runs, for neither time nor number ever goes back; none is ever overwritten.  Each begins
 * with the configuration (CSV: the header) and ends with a summary of its own:
 *
 *	{"summary":{"file":1,"records":1000,"lost":0}}
 *
 * In the last one the run's summary follows.  A time without records makes no file.
 *
 * After a failure everything but sink_close() and sink_free() fails with the same error, which says
 * how many records are whole; a file has lost what came behind them.  In a live run a regular file
 * never fails: while the disk is full, read-only or gone, writing pauses and is tried once a
 * second.
 *
 * Rights: sink_open() opens what is no regular file.  Regular files of live runs and series are
 * opened, found, renamed and deleted from sink_begin() on, which also starts the writer
 * thread: to be called when rights are given up.  System calls from then on, besides those of
 * threads and memory: openat, newfstatat, getdents64, flock, lseek, read, write, ftruncate, fsync,
 * close, rename, unlink, in the folder of the output alone.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "record/columns.h"
#include "record/plan.h"

struct sink;
struct pen;

enum sink_level { SINK_ERROR, SINK_WARNING, SINK_INFO };

/* What became of a batch of columns. */
enum sink_take {
	SINK_TAKEN,
	SINK_FULL,  /* there is no room at present: it stays the pen's */
	SINK_ENDED, /* nobody wants more: it stays the pen's, and the sink has failed */
};

struct sink_target {
	const char *path; /* "-" or NULL: standard output; not kept */
	/* instead of a path: gets each line whole, with its newline */
	bool (*line)(void *ctx, const char *bytes, size_t size);
	/*
	 * Instead of either: gets records as batches of 'columns', straight from the threads that
	 * have the pens, and nothing else: no configuration, notes or summary.  'wait': may block
	 * until there is room.  Live pens hand on a batch that is a second old, however short.
	 */
	enum sink_take (*batch)(void *ctx, struct ArrowArray *batch, bool wait);
	const struct columns *columns; /* must outlive the sink */
	/* one line without newline; from sink_begin(), sink_poll(), sink_end() and sink_close()
	 * only, so in the thread that calls them; NULL: not told */
	void (*log)(void *ctx, enum sink_level level, const char *text);
	/* A file is whole and synced, and still has ".part" behind its name, which it loses next:
	 * for who wants to keep hold of it.  In any thread, must not block; may be told again of
	 * the same file after a crash.  False is said in the log and changes nothing; NULL: not
	 * told. */
	bool (*finished)(void *ctx, const char *part, struct err *e);
	/* ns since 1970, for names and for ages of files; in any thread; NULL: the system's */
	int64_t (*clock)(void *ctx);
	void *ctx;
	bool live; /* see above */
	/* not live: pens are used in another thread than the functions of the sink, which are not
	 * called meanwhile but for sink_poll(), sink_rotate() and sink_counts() */
	bool threaded;
	bool series; /* names with time and number, even when nothing splits; not for pipes, devices
		      */
	/* A file ends behind the record that makes it full; 0: never */
	struct {
		uint64_t count; /* records, exactly */
		/* since its first record: live by a clock that nobody sets, for files by pen_time()
		 */
		int64_t interval_ns;
		uint64_t size; /* bytes in the file; compressed: at the end of a block */
	} split;
	/* Finished files of this output's naming are deleted, oldest first; the newest stays.  0:
	 * keep all */
	struct {
		uint64_t size;
		int64_t ns; /* since they were last written to */
	} keep;
	uint64_t queue_bytes; /* what may wait for the writer; 0: LIMIT_OUTPUT_QUEUE */
	/* between two tries to write, between two looks at files, and the age at which a live batch
	 * goes; 0: a second (a batch: half of one, since there is a look each second) */
	int64_t tick_ns;
	/* bytes of a plain file that go through the page cache before the rest goes past it; 0: as
	 * many as is good */
	uint64_t cached;
};

/*
 * Checks and opens; the error says what and where.  The format is by suffix: .json (also .jsonl,
 * and the default without suffix), .csv, each with .gz or .zst.  No folder is made.  'plan' must
 * outlive the sink.  Starts no thread.
 */
struct sink *sink_open(const struct sink_target *target, const struct plan *plan, struct err *e);

/*
 * The configuration object (JSON text of one object without newline; NULL: none); CSV writes its
 * header line instead.  A series: what files begin with from now on; it may be called again.
 * The first time, first of all: parts of dead runs are cut to whole lines and get their names (a
 * live run does that in the writer thread), and the writer thread starts.
 */
bool sink_begin(struct sink *s, const struct buf *configuration, struct err *e);

/* A line that is no record, such as one of lost packets (JSON text without newline); CSV leaves it
 * out.  Any thread when live, else the pen's. */
bool sink_note(struct sink *s, const struct buf *object, struct err *e);

/* The present file ends, the next record begins another.  Any thread when live, else the pen's.
 * False: the output is no series. */
bool sink_rotate(struct sink *s);

/* Live: says what the writer has to say, and hands lines to a callback.  A few times a second, one
 * thread.  False: the output has failed for good (a pipe without reader, a callback's false). */
bool sink_poll(struct sink *s, struct err *e);

/* Live: from now on pens wait for room as long as the writer gets on: flows that leave all at once
 * at the end of a run are not to be lost. */
void sink_stopping(struct sink *s);

/* Hands on what pens hold, and waits until it is written (not so when live); no pen may be in use.
 */
bool sink_flush(struct sink *s, struct err *e);

/* The summary object as JSON text (NULL: none); CSV leaves it out.  Hands on what pens hold; none
 * may be in use any more. */
bool sink_end(struct sink *s, const struct buf *summary, struct err *e);

/*
 * Waits for the writer, syncs a file and gives it its final name.  'whole' false, or an earlier
 * failure: the .part file stays, with complete lines only.  False, with the first error, when not
 * all could be written; live: a disk that is still full is tried once more, and what waits is
 * lost and counted.
 */
bool sink_close(struct sink *s, bool whole, struct err *e);

struct sink_counts {
	uint64_t records;       /* that pens have formatted and handed on, without those lost */
	uint64_t bytes;         /* of text (before compression), the same */
	uint64_t lost;          /* records for which there was no room, or no disk until the end */
	uint64_t refused;       /* records whose text would have passed LIMIT_RECORD_BYTES */
	uint64_t notes_lost;    /* lines of sink_note() for which there was no room */
	uint64_t files;         /* finished */
	uint64_t deleted;       /* by 'keep' */
	uint64_t waiting_bytes; /* memory of blocks that wait for the writer or are being written */
	uint64_t queue_bytes;   /* the most that may wait */
	int64_t waiting_ns;     /* how long the oldest of them waits */
	bool paused;            /* writing has failed and is tried again */
};

/* Any thread. */
void sink_counts(struct sink *s, struct sink_counts *out);

/* Records that pens have taken so far; pens must rest. */
uint64_t sink_records(struct sink *s);

/* Closes as not whole if nobody has closed.  Pens are to be freed before. */
void sink_free(struct sink *s);

/* --- pens ---------------------------------------------------------------------------------------
 */

/* One for each thread that writes records; for files one in all.  Before sink_begin(). */
struct pen *pen_new(struct sink *s, struct err *e);

/* Hands on what it holds, as far as that can be done. */
void pen_free(struct pen *p);

/* One record: data[i] is the filled struct of the plan's table i, or NULL. */
bool pen_record(struct pen *p, const void *const *data, struct err *e);

/* The packet time of the records that follow, ns: what split.interval_ns goes by when not live;
 * only then it is wanted. */
bool pen_wants_time(const struct pen *p);
void pen_time(struct pen *p, int64_t ns);

/* Hands on what is collected: when a live worker has had nothing to do, and at least every second.
 */
bool pen_flush(struct pen *p, struct err *e);

/* --- names --------------------------------------------------------------------------------------
 */

/* The file name of output=auto: the MAC address of the (first) interface without colons, or its
 * name where it has none, and ".json". */
void sink_auto_name(const char *interface, char name[static 64]);
