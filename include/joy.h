/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * joy.h - packets into flows: the public interface of libjoy.
 *
 * One handle is one run:
 *
 *	joy_new -> joy_set ... -> joy_run(files) -> joy_free
 *	joy_new -> joy_set ... -> joy_start -> joy_feed ... -> joy_finish -> joy_free
 *
 * Records come as lines of JSON through a callback, or go to the file that option "output" names.
 * The library prints nothing, never exits, and keeps no state outside the handle: several handles
 * may run in several threads.  Every function that can fail returns a JOY_ code; joy_error() has
 * the words.
 */
#ifndef JOY_H
#define JOY_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

#if defined(__GNUC__)
#define JOY_API __attribute__((visibility("default")))
#else
#define JOY_API
#endif

struct joy;

enum joy_status {
	JOY_OK = 0,
	JOY_FAILED = 1,  /* could not be done: joy_error() says why */
	JOY_USAGE = 2,   /* wrong option or value, or call out of order */
	JOY_DAMAGED = 3, /* done, but some input was damaged */
};

enum joy_level { JOY_LOG_ERROR = 0, JOY_LOG_WARNING = 1, JOY_LOG_INFO = 2, JOY_LOG_DEBUG = 3 };

/* A new handle with every option at its default; NULL without memory. */
JOY_API struct joy *joy_new(void);
JOY_API void joy_free(struct joy *j); /* NULL is fine */

/* Sets an option by its whole name; the same names and values as pcap2flow's name=value. */
JOY_API int joy_set(struct joy *j, const char *name, const char *value);
/* Reads a configuration file of pcap2flow. What joy_set() has set, before or after, is kept. */
JOY_API int joy_load(struct joy *j, const char *path);
/* An option's present value as joy_set() takes it ("none" without one), to be freed with
 * joy_text_free(); NULL: no such option. */
JOY_API char *joy_get(struct joy *j, const char *name);

/* The reason of the last failure; "" without one. Valid until the next call on the handle. */
JOY_API const char *joy_error(const struct joy *j);

/* Gets each output line (configuration, records, summary) whole, newline included; not 0 ends the
 * run. Set before it begins; then no output file is written. */
JOY_API void joy_on_line(
		struct joy *j, int (*line)(void *ctx, const char *bytes, size_t size), void *ctx);
/* Gets what the library has to say: one line without newline. */
JOY_API void joy_on_log(struct joy *j,
		void (*log)(void *ctx, enum joy_level level, const char *text), void *ctx);

/*
 * Runs over files, folders and "-": opens, reads all, writes summary, closes.  With option
 * "interface" and no paths it captures, until the progress callback asks for the end; an interface
 * that only a configuration file names gives way to paths.
 */
JOY_API int joy_run(struct joy *j, const char *const *paths, size_t count);

/*
 * Gets called once by joy_run(), when all that needs rights is open and before the first packet is
 * looked at and the first thread is started: the place to give rights up, to enter a sandbox, and
 * to say that a service is ready.  Not 0 ends the run as failed.
 */
JOY_API void joy_on_ready(struct joy *j, int (*ready)(void *ctx), void *ctx);

/* Ends the present output file and begins the next; from the progress callback, of a run whose
 * output is split (count, rotate, rotate_size). */
JOY_API int joy_rotate(struct joy *j);

/* The caller's own packets.  'linktype' is a LINKTYPE_ number, 'ns' since 1970. */
struct joy_packet {
	const void *bytes;
	uint32_t caplen;  /* bytes there */
	uint32_t wirelen; /* length on the wire */
	int64_t ns;
	uint16_t linktype;
};
JOY_API int joy_start(struct joy *j);
JOY_API int joy_feed(struct joy *j, const struct joy_packet *packets, size_t count);
JOY_API int joy_finish(struct joy *j);

struct joy_stats {
	uint64_t packets, bytes, ip_packets, not_ip, cut_short, malformed, unknown, truncated,
			drops;
	uint64_t flows, records, memory, memory_peak;
	uint64_t input_read, input_total; /* bytes of files; total 0 when unknown */
};
/* May be called from the callbacks. 'size' is sizeof(struct joy_stats) of the caller. */
JOY_API void joy_stats(const struct joy *j, struct joy_stats *out, size_t size);

/* Gets called now and then during joy_run() (at least every 65,536 packets of a file; at least ten
 * times a second while capturing, or while files are read side by side); not 0 ends the run early
 * but orderly. */
JOY_API void joy_on_progress(struct joy *j, int (*progress)(void *ctx), void *ctx);

/*
 * Reads the files that options name, and that may change while running (fingerprint_db, label,
 * watch, geoip, anon), again: records written from then on follow them.  Between packets, or from
 * the progress callback.  JOY_FAILED with joy_error(): a file cannot be read, and all stays as it
 * was.
 */
JOY_API int joy_reload(struct joy *j);

/*
 * What went wrong with one input, besides its line in the log: 'status' is JOY_OK (odd, nothing
 * lost), JOY_DAMAGED or JOY_FAILED; 'file' its name; 'offset' in bytes of the file as it is
 * unpacked, -1 when no place can be named; 'text' the whole line.
 */
JOY_API void joy_on_trouble(struct joy *j,
		void (*trouble)(void *ctx, int status, const char *file, int64_t offset,
				const char *text),
		void *ctx);

/*
 * --- columns: the Arrow C stream interface (arrow.apache.org/docs/format/CStreamInterface.html)
 *
 * The structs are those of that specification.  Columns have the names of the record's keys, in its
 * order; each field's metadata has unit, definition, null_rule, source, since and type, that of
 * outermost columns also feature and options (which switch it on).  A key that JSON leaves out is
 * null.  What is not switched on has no column.
 */
struct ArrowSchema;
struct ArrowArrayStream;

struct joy_columns {
	const char *const *names; /* dotted, as explain= knows them; with all that lies below. NULL:
				     all */
	size_t count;
	size_t batch_rows;    /* at most so many records in a batch; 0: 8192 */
	size_t batch_bytes;   /* and about so many bytes; 0: 8 MiB */
	int binary_addresses; /* 16 bytes, IPv4 as ::ffff:a.b.c.d, instead of text */
};
/* Says what the columns of a stream or schema are to be; before it begins. */
JOY_API int joy_columns(struct joy *j, const struct joy_columns *wanted);

/* The schema by the present options; 'all': with every column that there is. */
JOY_API int joy_schema(struct joy *j, int all, struct ArrowSchema *out);

enum joy_input {
	JOY_CAPTURES, /* paths as joy_run() takes them; none with option "interface" */
	JOY_RECORDS,  /* files and folders of JSON lines that pcap2flow wrote, packed or not; "-",
			 whose first line is waited for */
};
/*
 * Begins a run whose records come as batches of columns, at most four of them ahead of the reader.
 * The run has a thread of its own: callbacks are called there, but that of joy_on_ready().  A live
 * capture does not wait for its reader; records that find no room are lost and counted.  The
 * stream's get_next() waits for a batch; its release() ends a run early.  What cannot be opened or
 * is wrong in the options is told at once.  The handle must outlive the stream, and is not to be
 * used meanwhile but by the three functions below, joy_stats() and joy_error().
 */
JOY_API int joy_stream(struct joy *j, enum joy_input what, const char *const *paths, size_t count,
		struct ArrowArrayStream *out);
/* Waits for at most 'ms' milliseconds until get_next() would not wait: 1; else 0. */
JOY_API int joy_stream_wait(struct joy *j, int ms);
/* Asks for the end of a run: flows leave, their batches still come, then the end. */
JOY_API void joy_stream_end(struct joy *j);
/* How the run went, once get_next() has given the end or an error; waits for that.  JOY_OK for one
 * that the reader ended by releasing the stream. */
JOY_API int joy_stream_status(struct joy *j);

/*
 * Runs over records that are columns already, as a stream gives them: those of all features but
 * label, watch, geoip and anon pass unchanged, these do what their options say; with option "merge"
 * the parts of a flow become one record.  Output as of joy_run(), or a stream as of joy_stream().
 * 'in' is released.
 */
JOY_API int joy_rewrite(struct joy *j, struct ArrowArrayStream *in);
JOY_API int joy_stream_rewrite(
		struct joy *j, struct ArrowArrayStream *in, struct ArrowArrayStream *out);

enum joy_text {
	JOY_TEXT_HELP,    /* --help */
	JOY_TEXT_MAN,     /* pcap2flow.1, mdoc */
	JOY_TEXT_CONFIG,  /* present options as a configuration file */
	JOY_TEXT_VERSION, /* version and the libraries found at build time */
	JOY_TEXT_BASH,    /* completion scripts */
	JOY_TEXT_ZSH,
	JOY_TEXT_FIELDS,  /* doc/fields.md */
	JOY_TEXT_SCHEMA,  /* doc/schema.json */
	JOY_TEXT_EXPLAIN, /* the fields that 'argument' names */
	JOY_TEXT_OPTIONS, /* doc/options.md */
	JOY_TEXT_STATS,   /* counters of a run as a JSON object; from the progress callback */
	JOY_TEXT_METRICS, /* the same as OpenMetrics 1.0 text */
	JOY_TEXT_FLOWS,   /* flows that are alive, a JSON object each line; live captures only */
	JOY_TEXT_OPTION_TABLE, /* a JSON list of all options: name, type, default, range, help ...
				*/
	JOY_TEXT_SUMMARY,      /* the summary object of a run that is over */
	JOY_TEXT_CHECK, /* which fields of the records in the file 'argument' hold addresses of
			   anon=; joy_error() is not "" then */
};
/* A text to be freed with joy_text_free(); NULL with joy_error() when there is none. */
JOY_API char *joy_text(struct joy *j, enum joy_text what, const char *argument);
JOY_API void joy_text_free(char *text);

/* "1.0.0" */
JOY_API const char *joy_version(void);

#ifdef __cplusplus
}
#endif
#endif
