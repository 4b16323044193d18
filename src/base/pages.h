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

/* Gets 'size' bytes, from the beginning of a page on.  A kernel that cannot gives each when it is
 * touched, as it does if memory runs out. */
static inline void pages_get(void *at, size_t size)
{
#ifdef MADV_POPULATE_WRITE
	(void)madvise(at, size, MADV_POPULATE_WRITE);
#else
	(void)at;
	(void)size;
#endif
}

/*
 * Of 'all' bytes at 'base', 'there' have their pages; gets as many more as are 'used', within the
 * bounds above.  Returns how many have pages now.
 */
static inline size_t pages_ahead(char *base, size_t there, size_t used, size_t all)
{
	size_t step = used < PAGES_FIRST ? PAGES_FIRST : used < PAGES_STEP ? used : PAGES_STEP;

	if (step > all - there)
		step = all - there;
	pages_get(base + there, step);
	return there + step;
}
