/* SPDX-License-Identifier: BSD-3-Clause */
/* process_store_internal.h - the tables behind process_store.h. */
#pragma once

#include "host/process_cell.h"
#include "host/process_store.h"

enum {
	WAYS = 8,    /* tuples of a bucket */
	CHOICES = 2, /* buckets that a tuple may be in */
	BUCKETS = LIMIT_PROCESS_TUPLES / WAYS,
	ADDRESS = UINT32_MAX, /* in place of a socket: an address of this host */
};

struct entry {
	struct process_tuple tuple;
	uint8_t used;
	uint8_t mapped; /* IPv4 at an IPv6 socket that takes any address */
	uint32_t socket, generation;
};

struct bucket {
	struct cell cell;
	_Atomic uint64_t words[WAYS * CELL_WORDS(struct entry)];
};

struct socket_cell {
	struct cell cell;
	_Atomic uint64_t words[CELL_WORDS(struct process_socket)];
};

struct process_cell {
	struct cell cell;
	_Atomic uint64_t words[1 + CELL_WORDS(struct process)]; /* generation, process */
};

struct held { /* what a process_cell holds */
	uint64_t generation;
	struct process process;
};

_Static_assert(sizeof(struct entry) % 8 == 0 && sizeof(struct process_socket) % 8 == 0 &&
				sizeof(struct process) % 8 == 0,
		"copied by words");
_Static_assert((BUCKETS & (BUCKETS - 1)) == 0, "a power of 2");

struct process_store {
	uint64_t seed;
	uint64_t evicted;
	size_t addresses;
	struct bucket *bucket;
	struct socket_cell *socket;
	struct process_cell *process;
};

/* Copies a socket; false: there is none. */
bool store_socket(const struct process_store *s, uint32_t slot, struct process_socket *out);
