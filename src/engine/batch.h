/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * batch.h - packets on their way from the front of a team to a worker.  Private to the room.
 *
 * A packet is copied without what it does not have: outer layers.  Its bytes stay in the room where
 * they are, but for those of datagrams that were put together, which are copied too.
 */
#pragma once

#include "engine/engine_internal.h"

enum {
#ifdef FUZZING
	BATCH_PACKETS = 8,
#else
	BATCH_PACKETS = 256,
#endif
};

enum batch_kind {
	BATCH_PLAIN,
	BATCH_QUESTION, /* an ICMP error and the ticket of what it quotes: is that alive? */
	BATCH_ANSWER,   /* an ICMP error, to be taken as a packet if it is not */
};

enum { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

/* Whether the flow that an ICMP error quotes was alive; under the team's lock. */
struct batch_question {
	int answer;
};

/* Where the bytes of packets lie until workers are done with them. */
struct batch_room {
	struct batch_room *next; /* all of them */
	uint8_t *bytes;
	size_t size;
	size_t users; /* batches with packets in it, and the front */
};

struct batch {
	struct batch *next;
	struct batch_room *room;   /* or NULL */
	struct batch_bytes *extra; /* copied bytes */
	int64_t clock_ns;          /* the front's when it was handed on */
	bool last;                 /* and all flows leave */
	size_t count, used;
	struct table_ticket ticket[BATCH_PACKETS];
	struct batch_question *question[BATCH_PACKETS];
	uint32_t at[BATCH_PACKETS]; /* of the packet in 'bytes' */
	uint8_t kind[BATCH_PACKETS];
	_Alignas(16) uint8_t bytes[BATCH_PACKETS * (sizeof(struct pkt) + 32) + sizeof(struct pkt)];
};

struct batch *batch_new(void);
void batch_free(struct batch *b); /* and all behind it */
void batch_clear(struct batch *b);

static inline bool batch_is_full(const struct batch *b)
{
	return b->count == BATCH_PACKETS;
}

static inline struct pkt *batch_pkt(struct batch *b, size_t i)
{
	return (struct pkt *)(void *)(b->bytes + b->at[i]);
}

/* Room for it must be there; returns the copy. */
static inline struct pkt *batch_add(struct batch *b, const struct pkt *pkt,
		const struct table_ticket *ticket, enum batch_kind kind)
{
	const size_t size = offsetof(struct pkt, layer) + pkt->layer_count * sizeof pkt->layer[0];
	const size_t i = b->count++;
	struct pkt *copy = (struct pkt *)(void *)(b->bytes + b->used);

	memcpy(copy, pkt, size);
	b->ticket[i] = *ticket;
	b->at[i] = (uint32_t)b->used;
	b->kind[i] = (uint8_t)kind;
	b->used += (size + 15) / 16 * 16;
	return copy;
}

/* What a packet in the batch points to is copied: the caller's bytes may go.  False: no memory,
 * and the packet has lost what it pointed to. */
bool batch_keep(struct batch *b, struct pkt *pkt);
