/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * cut_kit.h - bytes for parser tests: literals as readers, and copies in memory of exactly their
 * size, so that a sanitizer sees any read past the end.
 */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/rd.h"

/* A reader over a string literal, without its final zero. */
#define BYTES(literal) ((struct rd){ (const uint8_t *)(literal), sizeof(literal) - 1 })

/* The first 'n' bytes of 'r' in memory of their own; to be freed by free((void *)copy.p). */
static inline struct rd cut_copy(struct rd r, size_t n)
{
	uint8_t *copy = malloc(n + !n);

	assert_non_null(copy);
	return (struct rd){ memcpy(copy, r.p, n), n };
}

static inline void cut_free(struct rd copy)
{
	free((void *)(uintptr_t)copy.p);
}

#define assert_bytes(reader, literal)                                                              \
	do {                                                                                       \
		struct rd want_ = BYTES(literal), have_ = (reader);                                \
		assert_int_equal(have_.left, want_.left);                                          \
		assert_memory_equal(have_.p, want_.p, want_.left);                                 \
	} while (0)
