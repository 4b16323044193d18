/* SPDX-License-Identifier: BSD-3-Clause */
/* random_kit.h - numbers that look random and are the same in every run of a test. */
#pragma once

#include <stdint.h>

/* xorshift64 (Marsaglia 2003). */
static inline uint64_t next_random(void)
{
	static uint64_t state = 88172645463325252u;

	state ^= state << 13;
	state ^= state >> 7;
	return state ^= state << 17;
}
