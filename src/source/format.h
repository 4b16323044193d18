/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.h - a capture format, and the file it reads from.
 *
 * A format is a line FORMAT(name) in list.def and a file that defines 'format_name'.  It takes
 * frames out of file->in; how the bytes got there it need not know.
 */
#pragma once

#include "net/frame.h"
#include "source/input.h"
#include "source/interfaces.h"

/* One file while it is read. */
struct format_file {
	struct input *in;
	const char *path;
	struct interfaces *interfaces;
	int64_t last_ns;    /* time of the packet before, of any file; 0 before the first */
	uint64_t packets;   /* frames taken from this file */
	uint64_t comments;  /* met in this file */
	uint64_t far_times; /* packets whose time had to be cut to what source.h promises */
	struct err damage;  /* why reading ended before the file did; "" otherwise */
	int64_t damage_at;  /* offset; -1: not known */
	struct err skipped; /* the first packet that had to be left out, and why */
	int64_t skipped_at;
	uint64_t skipped_count;
};

struct format {
	const char *name;
	size_t min_size;             /* bytes of the smallest file */
	bool (*is)(struct rd first); /* by its first four bytes */
	/* State for one file whose first bytes is() liked; NULL with file->damage set. */
	void *(*open)(struct format_file *file);
	/*
	 * Takes at most 'max' frames.  0 at the end; file->damage says why if that came too early.
	 * The window moves only while no frame of this call points into it.
	 */
	size_t (*read)(void *state, struct format_file *file, struct frame *frames, size_t max);
	void (*close)(void *state);
};

/* The format that 'first' begins with, or NULL. */
const struct format *format_find(struct rd first);

/* Sets file->damage, found at an offset; false. */
bool format_damage(struct format_file *file, uint64_t at, const char *format, ...)
		__attribute__((format(printf, 3, 4)));

/* file->damage: what ends inside 'what', which wants 'need' bytes from here on. */
void format_cut(struct format_file *file, const char *what, uint64_t need);

/*
 * Fetches into the cache what is wanted next, of a frame from 'at' to 'next'.  A mapped window is
 * cold, so all that lies a little ahead is fetched, one behind the other.  What was read lies in
 * the second-level cache: the line of the frame's first bytes is on its way, for lengths are read
 * there, and headers lie in it and the one behind.
 */
enum { FORMAT_AHEAD = 2048, FORMAT_LINE = 64 };

static inline void format_prefetch(const struct input *in, const uint8_t *at, const uint8_t *next)
{
	uintptr_t from = (uintptr_t)at + FORMAT_AHEAD, to = (uintptr_t)next + FORMAT_AHEAD;

	if (in->mapped.bytes == NULL) {
		__builtin_prefetch((const void *)((uintptr_t)at + FORMAT_LINE));
		return;
	}
	if (from < (uintptr_t)next)
		from = (uintptr_t)next;
	for (; from < to; from += FORMAT_LINE)
		__builtin_prefetch((const void *)from);
}
