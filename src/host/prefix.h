/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * prefix.h - which of a million subnets hold an address: longest-prefix match, IPv4 and IPv6.
 *
 * Subnets are added, then the table is built once and never changes, so that any number of threads
 * may look things up.  Nested subnets are flattened into ranges that do not overlap; each knows the
 * longest subnet that holds it, and each subnet the next shorter one around it.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

enum { PREFIX_NONE = UINT32_MAX };

struct prefix {
	uint8_t version; /* 4 or 6 */
	uint8_t length;  /* bits: 0 to 32, 0 to 128 */
	uint8_t bytes[16];
	uint32_t value; /* the caller's */
};

struct prefix_table;

/* An empty one; NULL without memory. */
struct prefix_table *prefix_new(void);
void prefix_free(struct prefix_table *t);

/* Bits behind the length are taken as 0.  A subnet may be added again with another value; what is
 * there with the same value is kept once.  False: more than LIMIT_LIST_ENTRIES, or no memory. */
bool prefix_add(struct prefix_table *t, const struct prefix *p, struct err *e);

/* Behind the last prefix_add(). */
bool prefix_build(struct prefix_table *t, struct err *e);

/* Number of the longest subnet that holds the address (4 or 16 bytes); PREFIX_NONE. */
uint32_t prefix_find(const struct prefix_table *t, uint8_t version, const uint8_t *address);

/* Number of the next shorter subnet (or the same with another value) around subnet 'number';
 * PREFIX_NONE.  It is always smaller than 'number'. */
uint32_t prefix_outer(const struct prefix_table *t, uint32_t number);

/* Subnets are numbered from 0, outer ones before those inside. */
struct prefix prefix_at(const struct prefix_table *t, uint32_t number);
uint32_t prefix_value(const struct prefix_table *t, uint32_t number);
size_t prefix_count(const struct prefix_table *t);

/* Bytes of memory. */
size_t prefix_memory(const struct prefix_table *t);

/* Reads "192.0.2.0/24", "192.0.2.0/255.255.255.0", "192.0.2.1", "2001:db8::/32"; NULL, or in words
 * what is wrong.  Bits behind the length may be set. */
const char *prefix_parse(const char *text, size_t size, struct prefix *out);

/* "192.0.2.0/24"; a single address without its length.  Returns the size; 'to' has PREFIX_ROOM. */
enum { PREFIX_ROOM = 96 };
size_t prefix_text(const struct prefix *p, char *to);
