/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value_sums.h - sums over the counts of the 256 byte values, all in one pass.
 *
 * They are whole numbers and exact: of any counts that are together less than 2 to the 47.
 */
#pragma once

#include <stdint.h>

struct value_sums {
	uint64_t n;       /* the sum of the counts */
	uint64_t most;    /* the highest of them */
	uint64_t sum;     /* of value times count */
	uint64_t squares; /* of value squared times count */
};

struct value_sums value_sums_of(const uint64_t count[256]);

/* Of counts of 8 or 16 bits, no one above 'bound', which are also written to 'count'. */
struct value_sums value_sums_of_8(const uint8_t *from, uint64_t count[256]);
struct value_sums value_sums_of_16(const uint16_t *from, uint32_t bound, uint64_t count[256]);
