/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * hash.h - keyed hash (XXH3, 64 bits) for every table that hostile input fills.
 *
 * The seed is drawn once per table from the kernel, so nobody can prepare colliding keys.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <xxhash.h>

static inline uint64_t hash_bytes(const void *bytes, size_t size, uint64_t seed)
{
	return XXH3_64bits_withSeed(bytes, size, seed);
}

/* A seed that nobody can guess. */
uint64_t hash_seed(void);
