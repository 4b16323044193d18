/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * source.h - where frames come from: a list of capture files, folders and standard input, read as
 * one stream.
 *
 * A source hands out frames in batches.  Trouble with one file (not a capture, cut in the middle
 * of a packet, unreadable) is told through the 'trouble' callback and does not end the
 * run: what came before stays counted and the next file follows.
 */
#pragma once

#include <stddef.h>

#include "base/err.h"
#include "net/frame.h"

enum source_trouble {
	SOURCE_WARNING, /* odd but nothing lost */
	SOURCE_DAMAGED, /* some input could not be read: the run ends with exit status 3 */
	SOURCE_FAILED,  /* a file gave nothing: also status 3, or 1 if no file gave anything */
};

/* What went wrong with a file. */
struct source_report {
	enum source_trouble what;
	const char *file;
	int64_t offset;   /* in bytes of the file as it is unpacked; -1: no place can be named */
	const char *text; /* one line that names file, offset and what to do */
};

struct source_conf {
	const char *bpf; /* filter in libpcap's language, for each link type; NULL for none */
	void (*trouble)(void *ctx, const struct source_report *report); /* called for each */
	/*
	 * Asked at each read and a few times a second while a pipe is waited for.  Once true it
	 * stays so, and the run is at its end.  NULL: never.
	 */
	bool (*stopped)(void *ctx);
	void *ctx;
};

struct source_progress {
	uint64_t bytes_read;  /* of the files, as they lie on disk */
	uint64_t bytes_total; /* 0 when unknown (a pipe) */
	uint64_t files_done, files_total;
	uint64_t packets;  /* handed out */
	uint64_t filtered; /* taken out by bpf */
	uint64_t comments; /* written into the captures (pcapng) */
	const char *file;  /* being read; NULL before the first */
	bool interfaces;   /* there was one: something is a capture */
};

/* What is known of an interface that frames came from (pcapng options; else the file's name). */
struct source_interface {
	const char *file, *name, *description; /* name and description may be NULL */
	uint16_t linktype;
	uint32_t snaplen;
};

struct source;
struct input_rooms;

/*
 * Opens a run over 'count' paths: files, folders (sorted by name, recursive), "-" for standard
 * input.  A bad filter is an error here; a bad file is trouble later.
 */
struct source *source_new(const char *const *paths, size_t count, const struct source_conf *conf,
		struct err *e);
void source_free(struct source *s);

/*
 * Fills at most 'max' frames and returns how many; 0 at the end of all input.  The frames' bytes
 * stay valid until the next call, and their times lie between the years 1824 and 2116, so that
 * the difference of any two fits in an int64_t.  False in *ok (with 'e') only when the run cannot
 * go on.
 */
size_t source_read(struct source *s, struct frame *frames, size_t max, bool *ok, struct err *e);

/* Before the first source_read(): where frames are to lie, for who needs their bytes beyond the
 * next one (input.h); must live as long as frames are read. */
void source_use_rooms(struct source *s, const struct input_rooms *rooms);

struct source_progress source_progress(const struct source *s);

/* --- each file by itself ------------------------------------------------------------------------
 */

/*
 * Before source_read(): from now on it reads file number 'file' (of progress.files_total, from 0)
 * and no other, and nothing is known of what was read before.  Gives its path, which lives as long
 * as the source.
 */
const char *source_choose(struct source *s, size_t file);

/* Another source over the same files, for another thread, which is to choose each file; 'all' must
 * outlive it.  Its progress is that of the chosen file alone. */
struct source *source_sibling(
		const struct source *all, const struct source_conf *conf, struct err *e);

/* Adds what a sibling has read to the progress of 'all'. */
void source_add(struct source *all, const struct source_progress *done);

/* Whether a pipe is among the files: who reads it may have to wait. */
bool source_waits(const struct source *s);

/* The interface of frame.interface; NULL when there is none with that index. */
const struct source_interface *source_interface(const struct source *s, uint32_t index);
