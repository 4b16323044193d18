/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_ring.h - one packet socket of Linux and the ring that it shares with the kernel.
 *
 * TPACKET_V3: the kernel fills a block with packets and gives it to us when it is full or has been
 * open for RING_RETIRE_MS; we give it back when all of it was read.
 *
 *	                     block                        (read by one thread)
 *	  | kernel's | ours, waiting | ours, being read | kernel's, being filled | kernel's ...
 *
 * Linux only (live_ring_linux.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "net/frame.h"

/*
 * A block that was not full is ours after two of these at most, since the kernel's timer may just
 * have passed when it was begun; RING_SETTLED_MS leaves some time for the timer to be late.
 */
enum { RING_RETIRE_MS = 50, RING_SETTLED_MS = 2 * RING_RETIRE_MS + 20 };

struct ring_conf {
	size_t bytes; /* of the ring; rounded to whole blocks */
	uint32_t snaplen;
	bool adapter_clock;
	bool gso_types; /* ring_knows_gso_types() */
};

struct ring {
	int fd;
	uint32_t snaplen;
	uint32_t gso_at; /* bytes from a packet back to its GSO type; 0: see tp_status */
	uint8_t *map;    /* NULL: a socket without ring */
	uint32_t block_size, block_count;
	uint32_t block;      /* that is read or will be next */
	bool open;           /* it is ours, and was begun */
	uint32_t left;       /* packets of it not handed out */
	const uint8_t *next; /* header of the first of these */
	int64_t opened_ms;   /* when it was begun, by the caller's clock */
	int64_t ready_ms;    /* this and 'before' are for the ring's owner */
	struct ring *before;
};

/*
 * The kernel can say of every packet whether it was merged (GRO, LRO) or is to be segmented (TSO);
 * else it says so of TCP only.
 */
bool ring_knows_gso_types(void);

/* A socket that is bound to nothing and gets nothing; this alone needs rights.  -1 with errno. */
int ring_socket(void);

/* A ring for a socket, which it owns from now on (also in failure). */
struct ring *ring_new(int fd, const struct ring_conf *conf, struct err *e);
void ring_free(struct ring *r); /* NULL is fine */

/* Takes packets of the interface with that index from now on, 0 for all.  False with errno. */
bool ring_bind(const struct ring *r, int index);

/* The index that it is bound to; -1 when that interface was removed since. */
int ring_bound(const struct ring *r);

/*
 * Joins the group of rings between which packets are shared out (live_share.h); all are bound to
 * the same interface.  *group is 0 for the first.  False with errno.
 */
bool ring_join(const struct ring *r, int *group);

/* Looks for a block to read; true when there are packets to take. */
bool ring_begin(struct ring *r, int64_t now_ms);

/* The time of the next packet to take, there being one. */
int64_t ring_next_ns(const struct ring *r);

/* Takes packets whose time is not after 'until_ns'. */
size_t ring_take(struct ring *r, int64_t until_ns, uint32_t interface, struct frame *frames,
		size_t max);

/* Gives the block back to the kernel if all its packets were taken. */
void ring_end(struct ring *r);

/* At least a quarter of the blocks wait to be read. */
bool ring_is_filling(const struct ring *r);

/* Percent of the blocks that wait to be read; from any thread. */
unsigned ring_fill(const struct ring *r);

/* Since the last call. */
struct ring_counts {
	uint64_t packets, drops, freezes; /* packets without drops */
};
bool ring_counts(const struct ring *r, struct ring_counts *out);
