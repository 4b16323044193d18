/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * share.h - which of several engines a flow is of, and what they ask each other.
 *
 * All engines of a team are shown the same frames and come to the same packets in the same order;
 * each keeps those whose flow's hash names it.  An ICMP error belongs to the flow that it quotes,
 * if that is alive, else to its own.  Where these are flows of two engines, the one with the quoted
 * flow says at that packet whether it was alive, and the other waits until it has.
 */
#pragma once

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

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
	struct board *board;
};

static inline size_t share_of(const struct share *s, uint32_t hash)
{
	return (size_t)((uint64_t)(hash * 0x9e3779b1u) * s->count >> 32);
}

/* Whether packets of a flow with that hash are this engine's. */
static inline bool share_is_mine(const struct share *s, uint32_t hash)
{
	return s->count <= 1 || share_of(s, hash) == s->index;
}

void board_init(struct board *b);
void board_destroy(struct board *b);

/* The flow that packet 'number' quotes was alive, or not.  Waits while the place is taken. */
void board_tell(struct board *b, uint64_t number, bool alive);

/* Waits for the answer. */
bool board_ask(struct board *b, uint64_t number);

/* Nobody waits any more. */
void board_give_up(struct board *b);
