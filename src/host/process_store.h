/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_store.h - processes, sockets and their addresses as the sensor keeps them.
 *
 * Slots of processes and sockets are numbered by the watcher, which also decides who makes room;
 * here stands a mirror.  Addresses and ports (tuples) are found by a keyed hash: a bucket holds
 * a few, and when it is full the one closed longest ago leaves.  One thread writes, others
 * read at any time.  Memory has one size from the start, and is touched as it fills.
 */
#pragma once

#include "host/process.h"

struct process_store;

struct process_socket {
	uint32_t process, process_generation;
	uint32_t generation; /* of the socket's slot */
	uint32_t confidence; /* enum process_confidence */
	uint64_t netns;      /* cookie of its network namespace; 0: the sensor's own */
	int64_t open_ns;     /* CLOCK_BOOTTIME; 0: before we looked */
	int64_t close_ns;    /* INT64_MAX: open */
};

/* Where a socket sends from and to; all 0: any address, any port.  IPv4 in the first 4 bytes. */
struct process_tuple {
	uint8_t local[16], remote[16];
	uint16_t local_port, remote_port;
	uint8_t version, proto;
};

struct process_store *process_store_new(struct err *e);
void process_store_free(struct process_store *s);

/* These ignore slots that there are not. */
void process_store_process(struct process_store *s, uint32_t slot, uint32_t generation,
		const struct process *p);
void process_store_hash(struct process_store *s, uint32_t slot, uint32_t generation,
		const uint8_t hash[32]);
void process_store_socket(
		struct process_store *s, uint32_t slot, const struct process_socket *socket);
void process_store_close(struct process_store *s, uint32_t slot, uint32_t generation, int64_t ns);

/*
 * The socket has this tuple too.  IPv4 mapped into IPv6 is made IPv4; an IPv6 socket at any
 * address is there for IPv4 too.
 */
void process_store_tuple(struct process_store *s, const struct process_tuple *t, uint32_t socket,
		uint32_t generation);

/* An address of this host has come or gone: only these belong to sockets at any address. */
void process_store_address(
		struct process_store *s, uint8_t version, const uint8_t address[16], bool here);

/* See process_find() and process_read(). */
struct process_match process_store_find(
		const struct process_store *s, const struct process_flow *flow);
bool process_store_read(const struct process_store *s, struct process_match m, struct process *out);

/* Tuples of open sockets that had to leave a full bucket. */
uint64_t process_store_evicted(const struct process_store *s);
