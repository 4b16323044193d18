/* SPDX-License-Identifier: BSD-3-Clause */
/* hash.c - where seeds come from. */
#include "base/hash.h"

#include <sys/random.h>
#include <unistd.h>

uint64_t hash_seed(void)
{
	uint64_t seed;

	/* Only a kernel without a random source fails here; then the address layout has to do. */
	if (getentropy(&seed, sizeof seed) != 0)
		seed = (uint64_t)(uintptr_t)&seed ^ (uint64_t)getpid() << 32;
	return seed;
}
