/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_hash.h - SHA-256 of executables, worked out by a thread of the watcher, so that no event
 * waits for it.
 *
 * Results are kept by device, inode, size and time of modification.  A file that changes while it
 * is read has no hash, nor has one larger than LIMIT_PROCESS_EXECUTABLE.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum { HASH_BYTES = 32, HASH_PATH = 1024 };

struct hash_file { /* which file, and which state of it */
	uint64_t device, inode, size;
	int64_t modified_ns;
};

struct hash_cache;
struct hash_cache *hash_cache_new(void); /* NULL without memory */
void hash_cache_free(struct hash_cache *c);
bool hash_cache_get(const struct hash_cache *c, const struct hash_file *f, uint8_t out[HASH_BYTES]);
void hash_cache_put(
		struct hash_cache *c, const struct hash_file *f, const uint8_t hash[HASH_BYTES]);

/* The file's hash, from the cache or by reading it. */
bool hash_open_file(struct hash_cache *c, int fd, uint8_t out[HASH_BYTES]);

struct hash_job {
	uint32_t slot, generation; /* whose executable; comes back with the result */
	uint32_t pid, parent_pid;
	uint64_t inode; /* 0: not known, then any file is the right one */
	char path[HASH_PATH];
	uint8_t hash[HASH_BYTES]; /* the result */
};

struct hasher;
struct hasher *hasher_new(struct err *e); /* starts the thread */
void hasher_free(struct hasher *h);

/* False: too many wait already (LIMIT_PROCESS_JOBS). */
bool hasher_ask(struct hasher *h, const struct hash_job *job);

/* Readable when hasher_next() has something. */
int hasher_fd(const struct hasher *h);
bool hasher_next(struct hasher *h, struct hash_job *done);
