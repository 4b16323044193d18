/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * pages.h - pages of memory that are about to be written, from the kernel a few dozen at a time.
 *
 * To be stopped at the first byte of each page costs more than to have it filled with zeros,
 * on a virtual machine twice as much.  Huge pages spare that as well, but a machine that has to
 * look for them takes milliseconds for one.
 */
#pragma once

#include <stddef.h>
#include <sys/mman.h>

enum {
	PAGES_STEP = 256 * 1024, /* bytes got at once: some 70 microseconds */
	PAGES_FIRST = 16 * 1024, /* to begin with: small captures need no more */
};

/* How many bytes to get behind 'used' ones: as many again. */
static inline size_t pages_step(size_t used)
{
	if (used < PAGES_FIRST)
		return PAGES_FIRST;
	return used < PAGES_STEP ? used : PAGES_STEP;
}

/* Gets them, from the beginning of a page on.  A kernel that cannot gives each when it is touched,
 * as it does if memory runs out. */
static inline void pages_get(void *at, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	(void)madvise(at, size, MADV_POPULATE_WRITE);
#else
	(void)at;
	(void)size;
#endif
}
