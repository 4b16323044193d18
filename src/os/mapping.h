/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mapping.h - parts of files in memory, safe from those who cut the files.
 *
 * Touching a mapped page behind the end of its file, or one that the disk cannot give, is SIGBUS,
 * which kills.  With the guard on, such a page and all behind it become zeros, and mapping_lost()
 * tells: what was looked at since it last said no is worth nothing.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Addresses and places of mapped windows are multiples of this, so that huge pages can serve. */
enum { MAPPING_ALIGN = 2 << 20 };

/*
 * For a program: from now on there is a handler of SIGBUS, and files may be mapped.  What comes
 * from other addresses goes on to the handler before.  False: nothing can be mapped.
 */
bool mapping_guard(void);

/*
 * Maps 'size' bytes of a file from 'offset' on, a multiple of MAPPING_ALIGN; they must be in the
 * file.  *huge: its pages are huge ones, and at hand.  By small ones a mapping costs more than
 * reading. NULL: without the guard, when too many are mapped, when the system will not or cannot.
 */
const uint8_t *mapping_new(int fd, uint64_t offset, size_t size, bool *huge);

/* Has a page been lost, of this one? */
bool mapping_lost(const uint8_t *bytes);

/* By any thread. */
void mapping_free(const uint8_t *bytes, size_t size);
