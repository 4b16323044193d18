/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * decoder.h - an input that unpacks another one; what a coding (gzip, zstd, xz) has to bring.
 *
 * A coding is a line CODING(name) in list.def and a file that defines 'coding_name'.  Its step()
 * turns some packed bytes into some plain ones; waiting, buffers, ends and faults are decoder.c's.
 */
#pragma once

#include "source/input.h"

/* A stretch of bytes that is used up from the front. */
struct decoder_from {
	const uint8_t *at, *end;
};
struct decoder_to {
	uint8_t *at, *end;
};

struct decoder {
	struct input in;
	const struct coding *coding;
	void *state;
	bool between; /* nothing is owed: this would be a good place to end */
	bool last;    /* no more packed bytes will come */
	bool done;    /* nothing more will come out */
};

struct coding {
	const char *name;
	bool (*is)(struct rd first); /* by its magic number */
	bool (*open)(struct decoder *d);
	/* Moves both stretches on; false with d->in.fault set when the data is damaged. */
	bool (*step)(struct decoder *d, struct decoder_from *from, struct decoder_to *to);
	void (*close)(struct decoder *d);
};

/* The coding that 'first' begins with, or NULL. */
const struct coding *decoder_find(struct rd first);

/* An input over 'below', which belongs to it from now on; NULL, 'below' untouched: failed. */
struct input *decoder_open(const struct coding *coding, struct input *below, struct err *e);

/* Puts a decoder around the input for each coding that it begins with; *in is the last one. */
bool decoder_unwrap(struct input **in, struct err *why);

/*
 * Between two members: passes over zero bytes (padding) and says whether a byte follows that a
 * member may begin with, by 'begins'.  Anything else ends the data with a minor fault.
 */
bool decoder_next_member(
		struct decoder *d, struct decoder_from *from, bool (*begins)(uint8_t byte));
