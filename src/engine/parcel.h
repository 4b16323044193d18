/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * parcel.h - packets on their way from the front of a team to a worker.  Private to the room.
 *
 * A packet is copied without what it does not have: outer layers.  Its bytes stay in the room where
 * they are, but for those of datagrams that were put together, which are copied too.
 */
#pragma once

#include "engine/engine_internal.h"

enum {
#ifdef FUZZING
	PARCEL_PACKETS = 8,
#else
	PARCEL_PACKETS = 256,
#endif
};

enum parcel_kind {
	PARCEL_PLAIN,
	PARCEL_QUESTION, /* an ICMP error and the ticket of what it quotes: is that alive? */
	PARCEL_ANSWER,   /* an ICMP error, to be taken as a packet if it is not */
};

enum { ANSWER_NONE, ANSWER_NO, ANSWER_YES };

/* Whether the flow that an ICMP error quotes was alive; under the team's lock. */
struct parcel_question {
	int answer;
};

/* Where the bytes of packets lie until workers are done with them. */
struct parcel_room {
	struct parcel_room *next; /* all of them */
	uint8_t *bytes;
	size_t size;
	size_t users; /* parcels with packets in it, and the front */
};

struct parcel {
	struct parcel *next;
	struct parcel_room *room;   /* or NULL */
	struct parcel_bytes *extra; /* copied bytes */
	int64_t clock_ns;           /* the front's when it was handed on */
	bool last;                  /* and all flows leave */
	size_t count, used;
	struct table_ticket ticket[PARCEL_PACKETS];
	struct parcel_question *question[PARCEL_PACKETS];
	uint32_t at[PARCEL_PACKETS]; /* of the packet in 'bytes' */
	uint8_t kind[PARCEL_PACKETS];
	_Alignas(16) uint8_t bytes[PARCEL_PACKETS * (sizeof(struct pkt) + 32) + sizeof(struct pkt)];
};

struct parcel *parcel_new(void);
void parcel_free(struct parcel *b); /* and all behind it */
void parcel_clear(struct parcel *b);

static inline bool parcel_is_full(const struct parcel *b)
{
	return b->count == PARCEL_PACKETS;
}

static inline struct pkt *parcel_pkt(struct parcel *b, size_t i)
{
	return (struct pkt *)(void *)(b->bytes + b->at[i]);
}

/* Room for it must be there; returns the copy. */
static inline struct pkt *parcel_add(struct parcel *b, const struct pkt *pkt,
		const struct table_ticket *ticket, enum parcel_kind kind)
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

/* What a packet in the parcel points to is copied: the caller's bytes may go.  False: no memory,
 * and the packet has lost what it pointed to. */
bool parcel_keep(struct parcel *b, struct pkt *pkt);
