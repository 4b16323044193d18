/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prefix_index.h - finds the range that an address lies in.  Private to prefix.c.
 *
 * Ranges are sorted, begin at address 0 and have no holes, so that what is searched is the last one
 * that does not begin behind the address.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* An address as a number; an IPv4 address is the upper half of 'high'. */
struct prefix_key {
	uint64_t high, low;
};

struct prefix_range {
	struct prefix_key from;
	uint32_t number; /* of the longest subnet from there on */
	uint8_t length;  /* the subnet begins here, and this is its length; 0: it goes on */
};

struct prefix_ranges {
	struct prefix_range *items;
	size_t count, room;
};

static inline bool prefix_key_equal(struct prefix_key a, struct prefix_key b)
{
	return a.high == b.high && a.low == b.low;
}

static inline bool prefix_key_less(struct prefix_key a, struct prefix_key b)
{
	return (a.high < b.high) | ((a.high == b.high) & (a.low < b.low));
}

static inline struct prefix_key prefix_mask(unsigned length)
{
	return (struct prefix_key){ length == 0   ? 0
				    : length < 64 ? UINT64_MAX << (64 - length)
						  : UINT64_MAX,
		length <= 64 ? 0 : UINT64_MAX << (128 - length) };
}

/* The IPv6 address behind a subnet; :: when there is none. */
static inline struct prefix_key prefix_behind6(struct prefix_key first, unsigned length)
{
	struct prefix_key mask = prefix_mask(length);
	uint64_t low = first.low | ~mask.low;

	return (struct prefix_key){ (first.high | ~mask.high) + (low == UINT64_MAX), low + 1 };
}

/* The indexes copy what they need of the ranges.  NULL without memory. */
struct prefix_index4;
struct prefix_index4 *prefix_index4_new(const struct prefix_ranges *r);
void prefix_index4_free(struct prefix_index4 *x);
uint32_t prefix_index4_find(const struct prefix_index4 *x, uint32_t address);
size_t prefix_index4_memory(const struct prefix_index4 *x);

struct prefix_index6;
struct prefix_index6 *prefix_index6_new(const struct prefix_ranges *r);
void prefix_index6_free(struct prefix_index6 *x);
uint32_t prefix_index6_find(const struct prefix_index6 *x, struct prefix_key address);
size_t prefix_index6_memory(const struct prefix_index6 *x);
