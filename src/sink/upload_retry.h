/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_retry.h - when to try again: the other side as a whole, and files that fail by themselves.
 * Private to the room; pure: the caller brings the time.
 *
 * The nth wait is first << (n - 1), at most the longest, of which a random part up to the half is
 * taken off, so that many sensors do not come back in the same second.
 */
#pragma once

#include "base/limits.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct upload_wait {
	uint32_t failures; /* since the last success */
	int64_t next_ms;   /* not before */
};

struct upload_failing {
	uint64_t number; /* of the entry; 0: free */
	struct upload_wait wait;
};

struct upload_retry {
	uint32_t first_ms, longest_ms;
	uint64_t random; /* state of a generator, not 0 */
	struct upload_wait side;
	int64_t away_ms; /* since when the other side is away */
	struct upload_failing file[LIMIT_UPLOAD_FAILING];
};

struct upload_retry upload_retry_new(uint32_t first_ms, uint32_t longest_ms, uint64_t seed);

/* The other side failed, or was reached; true when that changes what was known: say it. */
bool upload_retry_away(struct upload_retry *r, int64_t now_ms);
bool upload_retry_back(struct upload_retry *r);

/* A file failed by itself; true the first time: say it.  The table's soonest makes room. */
bool upload_retry_failed(struct upload_retry *r, uint64_t number, int64_t now_ms);

/* It is there. */
void upload_retry_forget(struct upload_retry *r, uint64_t number);

/* May this file be tried now? */
bool upload_retry_may(const struct upload_retry *r, uint64_t number, int64_t now_ms);

/* When a failing file may be tried next; INT64_MAX: there is none. */
int64_t upload_retry_next(const struct upload_retry *r);
