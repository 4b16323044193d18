/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_known.h - which processes and sockets the watcher has reported, and in which slots.
 *
 * The watcher gives out the slots that the sensor's tables mirror.  When all are taken, the one of
 * a process without open sockets that was not used lately, or of a socket that is closed, is
 * given to the next; its generation goes up, so that old references do not meet the new owner.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"

struct known;

enum { KNOWN_NONE = UINT32_MAX }; /* no slot */

struct known_key {         /* tells processes apart, also with a process id used again */
	uint64_t start_ns; /* CLOCK_BOOTTIME; 0: not known */
	uint64_t inode;    /* of the executable; 0: not known */
	uint32_t pid, uid;
};

struct known_socket {
	uint64_t cookie;
	uint32_t process; /* slot; KNOWN_NONE: nobody yet */
	uint32_t generation;
	uint8_t confidence;
	bool open;
	bool planned;   /* UDP: connected, its ports are not known yet */
	bool owns_port; /* UDP: reported as owner of its port */
	uint8_t tries;  /* looks for its process */
	uint32_t round; /* of looking at all sockets: last seen in */
	uint32_t peers; /* UDP: reported since peers_ns */
	int64_t peers_ns;
	int64_t open_ns;
	uint64_t netns;
	uint32_t owner_generation_;
	uint32_t next_; /* in its chain */
};

struct known *known_new(uint32_t processes, uint32_t sockets); /* NULL without memory */
void known_free(struct known *k);

/* The slot of a process, made if need be: then *is_new is true. */
uint32_t known_process(struct known *k, const struct known_key *key, bool *is_new);
uint32_t known_generation(const struct known *k, uint32_t process);

/* A socket; NULL if there is none. */
struct known_socket *known_find_socket(struct known *k, uint64_t cookie);

/* A new socket, open, of nobody. */
struct known_socket *known_add_socket(struct known *k, uint64_t cookie);
uint32_t known_socket_slot(const struct known *k, const struct known_socket *s);

/* The socket's process: its slot stays taken while it has open sockets. */
void known_set_owner(struct known *k, struct known_socket *s, uint32_t process);
void known_close(struct known *k, struct known_socket *s);

/* Every open socket in turn; 'slot' starts as 0; NULL behind the last. */
struct known_socket *known_next_open(struct known *k, uint32_t *slot);

/* Open sockets of nobody yet. */
uint32_t known_unowned(const struct known *k);

/* Open sockets that had to leave. */
uint64_t known_evicted(const struct known *k);
