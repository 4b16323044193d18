/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cell.h - a struct that one thread writes and others read without a lock (a seqlock).
 *
 * The number of a cell is odd while it is written.  A reader copies, and copies again when the
 * number was odd or has changed; after a few tries it gives up, which is no match for now.
 */
#pragma once

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

struct cell {
	_Atomic uint32_t number;
	uint32_t generation; /* the writer's own */
};

enum { CELL_TRIES = 8 };

/* A type whose copies are made of whole words. */
#define CELL_WORDS(type) (sizeof(type) / sizeof(uint64_t))

static inline void cell_write(struct cell *c, _Atomic uint64_t *to, const void *from, size_t words)
{
	uint32_t number = atomic_load_explicit(&c->number, memory_order_relaxed);

	atomic_store_explicit(&c->number, number + 1, memory_order_relaxed);
	atomic_thread_fence(memory_order_release);
	for (size_t i = 0; i < words; i++) {
		uint64_t word;

		memcpy(&word, (const char *)from + i * sizeof word, sizeof word);
		atomic_store_explicit(&to[i], word, memory_order_relaxed);
	}
	atomic_store_explicit(&c->number, number + 2, memory_order_release);
}

/* False: it was being written all the time. */
static inline bool cell_read(
		const struct cell *c, const _Atomic uint64_t *from, void *to, size_t words)
{
	for (int tries = 0; tries < CELL_TRIES; tries++) {
		uint32_t number = atomic_load_explicit(&c->number, memory_order_acquire);

		if (number & 1)
			continue;
		for (size_t i = 0; i < words; i++) {
			uint64_t word = atomic_load_explicit(&from[i], memory_order_relaxed);

			memcpy((char *)to + i * sizeof word, &word, sizeof word);
		}
		atomic_thread_fence(memory_order_acquire);
		if (atomic_load_explicit(&c->number, memory_order_relaxed) == number)
			return true;
	}
	return false;
}
