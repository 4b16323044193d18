/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * input.h - the bytes of one file from front to back, wherever they come from.
 *
 * An input shows a window: the bytes from 'at' to 'end'.  Taking bytes is moving 'at'; when too few
 * are at hand, input_need() moves the window on, and every pointer into the old one is dead.
 * Pipes, memory, small files and decoders (decoder.c) fill a buffer; of large files windows are
 * mapped.  A decoder is an input over another input, so they nest.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/rd.h"

struct input;

struct input_ops {
	/* Writes at most 'n' bytes; 0 is the end (in->fault may say why). */
	size_t (*read)(struct input *in, uint8_t *to, size_t n);
	/* In place of read(): moves the window, with what is at hand, to 'need' bytes at least if
	 * there are so many.  False: it cannot any more, and has become one that reads. */
	bool (*slide)(struct input *in, size_t need);
	void (*close)(struct input *in);
};

/* Part of a file in memory (os/mapping.h). */
struct input_window {
	const uint8_t *bytes;
	size_t size;
};

struct input {
	const uint8_t *at, *end;
	uint64_t end_offset; /* of 'end', in bytes from the start */
	const struct input_ops *ops;
	struct input *below; /* what a decoder reads from; owned; else NULL */
	const char *coding;  /* "gzip" and so on; NULL when not a decoder */
	struct err fault;    /* why it ended before its time; "" otherwise */
	bool minor;          /* the fault lost nothing */
	bool ended;
	uint8_t *room; /* the buffer; NULL while the window is mapped */
	size_t room_size;
	struct input_window mapped;      /* bytes NULL: it is not */
	const struct input_rooms *rooms; /* where it comes from; NULL: it is the input's own */
};

/*
 * Buffers of somebody else's, who says how long frames that lie in one are needed: each time the
 * window moves it gets another.  next() gives at least 'size' bytes, or NULL without memory; what
 * it gave before is not written to any more.  lend() is told of a window that is mapped, which
 * takes the place of a buffer, and gives it to mapping_free() when it is not needed; false without
 * memory.
 */
struct input_rooms {
	uint8_t *(*next)(void *ctx, size_t size, size_t *got);
	bool (*lend)(void *ctx, const struct input_window *window);
	void *ctx;
};

/* When a wait for a pipe shall end early; asked a few times a second. */
struct input_stop {
	bool (*stopped)(void *ctx); /* NULL: never */
	void *ctx;
};

/*
 * Opens a file, or standard input for "-".  With 'in_folder' a file that is no regular one is
 * refused (a named pipe would wait for ever).  NULL: 'e' says why.
 */
struct input *input_open(
		const char *path, bool in_folder, const struct input_stop *stop, struct err *e);

/* Bytes in memory, handed out at most 'step' at a time (0: all at once); they stay the caller's. */
struct input *input_memory(const void *bytes, size_t size, size_t step);

/* For those who make an input: a zeroed struct of 'size' bytes that begins with a struct input. */
struct input *input_new(size_t size, const struct input_ops *ops);

/* From now on its window lies in such rooms; false without memory. */
bool input_use_rooms(struct input *in, const struct input_rooms *rooms);

/* For those who make one that maps: goes on in another window, at the same place of the file. */
bool input_move_to(struct input *in, const struct input_window *window, const uint8_t *at);

/* Whether what is at hand may be believed; else it ends here, with a fault. */
bool input_steady(struct input *in);

/* Frees it and all below. */
void input_close(struct input *in);

size_t input_more(struct input *in, size_t need);

static inline size_t input_at_hand(const struct input *in)
{
	return (size_t)(in->end - in->at);
}

/* Brings 'need' bytes to hand; how many are, fewer only at the end.  At most LIMIT_INPUT_BYTES. */
static inline size_t input_need(struct input *in, size_t need)
{
	size_t at_hand = input_at_hand(in);

	return at_hand >= need ? at_hand : input_more(in, need);
}

/* Where 'at' stands, in bytes from the start. */
static inline uint64_t input_offset(const struct input *in)
{
	return in->end_offset - input_at_hand(in);
}

/* The bytes at hand, to look at. */
static inline struct rd input_rd(const struct input *in)
{
	return (struct rd){ in->at, input_at_hand(in) };
}

/* The lowest input's offset: how much of the file is used up. */
uint64_t input_used(const struct input *in);

/* The fault nearest to the disk, or NULL. */
const struct input *input_fault(const struct input *in);
