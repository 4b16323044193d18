/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pcapng.h - what the two halves of the pcapng reader share: the walk over the blocks (pcapng.c)
 * and what the blocks say (pcapng_block.c).
 */
#pragma once

#include "source/format.h"

enum pcapng_type {
	PCAPNG_INTERFACE = 1,
	PCAPNG_PACKET = 2, /* obsolete */
	PCAPNG_SIMPLE = 3,
	PCAPNG_ENHANCED = 6,
	PCAPNG_SECTION = 0x0a0d0d0a,
	PCAPNG_ORDER = 0x1a2b3c4d, /* byte-order magic */
};

/* An interface of the current section. */
struct pcapng_face {
	uint32_t number; /* over the whole run */
	uint32_t snaplen;
	uint16_t linktype;
	bool nanoseconds; /* its clock is finer than a microsecond */
	uint8_t shift;    /* ns = units * mul / div >> shift + offset_s seconds */
	uint64_t mul, div;
	int64_t offset_s;
};

struct pcapng {
	bool swapped; /* against this machine */
	bool big;     /* big-endian section */
	uint32_t face_count, face_room;
	struct pcapng_face *faces;
	int64_t last_ns; /* of the frame before */
};

struct pcapng_block {
	const uint8_t *at;
	uint64_t offset; /* in the file */
	uint32_t type;
	uint32_t length; /* as the block says */
	size_t total;    /* as it lies in the file */
};

/*
 * Does what a block asks for; true when it is a packet and *frame is filled.  A packet that makes
 * no sense is noted in file->skipped; a section or interface that makes none in file->damage.
 */
bool pcapng_block_read(struct pcapng *ng, struct format_file *file, const struct pcapng_block *b,
		struct rd body, struct frame *frame);
