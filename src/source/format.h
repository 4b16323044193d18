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
 * Fetches into the cache what follows a frame's first bytes: their line is on its way, for lengths
 * are read there, and headers lie in it and the next.  Fetching all lines of a frame costs more
 * than it saves: how many they are nobody foresees.
 */
enum { FORMAT_LINE = 64 };

static inline void format_prefetch(const uint8_t *at)
{
	__builtin_prefetch((const void *)((uintptr_t)at + FORMAT_LINE));
}
