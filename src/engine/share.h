/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - which of several engines a flow is of, and what they ask each other.
 *
 * All engines of a team are shown the same frames and come to the same packets in the same order;
 * each keeps those whose flow is its own.  An ICMP error belongs to the flow that it quotes,
 * if that is alive, else to its own.  Where these are flows of two engines, the one with the quoted
 * flow says at that packet whether it was alive, and the other waits until it has.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "flow/flow.h"
#include "net/decode.h"

enum { BOARD_PLACES = 1 << 14 };

/* Answers by packet number, each read once. */
struct board {
	pthread_mutex_t lock;
	pthread_cond_t moved;
	bool given_up;
	struct board_place {
		uint64_t number; /* 0: free */
		bool alive;
	} place[BOARD_PLACES];
};

/* Of one engine among 'count'. */
struct share {
	size_t index, count; /* count 0 or 1: it is alone */
	uint64_t seed;       /* the same for all */
	struct board *board;
};

/*
 * Whose a flow is goes by its ends, as decode_ends() gives them: that costs less than its hash, and
 * whoever reads frames can say it of nearly all.
 */
static inline size_t share_of(const struct share *s, const struct decode_ends *ends)
{
	uint64_t h = (ends->address[0] ^ s->seed) * 0x9e3779b97f4a7c15u;

	h = ((h ^ h >> 32) + ends->address[1]) * 0xd6e8feb86659fd93u;
	h = ((h ^ h >> 32) + ends->ports) * 0x9e3779b97f4a7c15u;
	return (size_t)((h >> 32) * s->count >> 32);
}

/* The same ends, of a key. */
static inline struct decode_ends share_ends(const struct flow_key *key)
{
	uint64_t a[2], b[2];

	memcpy(a, key->address[0], sizeof a);
	memcpy(b, key->address[1], sizeof b);
	return (struct decode_ends){ { a[0] + b[0], a[1] + b[1] },
		(uint32_t)key->port[0] + key->port[1] };
}

/* Whose packets of a flow with that key are. */
static inline size_t share_of_key(const struct share *s, const struct flow_key *key)
{
	const struct decode_ends ends = share_ends(key);

	return s->count <= 1 ? s->index : share_of(s, &ends);
}

void board_init(struct board *b);
void board_destroy(struct board *b);

/*
 * What a worker does once before it waits here: it says how far it is and hands on what it has, for
 * whom it waits for may itself wait until the records of all can be merged.
 */
struct board_wait {
	void (*before)(void *ctx);
	void *ctx;
};

/* The flow that packet 'number' quotes was alive, or not.  Waits while the place is taken. */
void board_tell(struct board *b, uint64_t number, bool alive, const struct board_wait *wait);

/* Waits for the answer. */
bool board_ask(struct board *b, uint64_t number, const struct board_wait *wait);

/* Nobody waits any more. */
void board_give_up(struct board *b);
