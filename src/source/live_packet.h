/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_packet.h - capturing by packet rings: which socket listens where, and who reads it.
 *
 *	            worker 0   worker 1
 *	eth0          ring       ring      one group: the kernel shares its packets out (fanout)
 *	eth1          ring       ring      another
 *
 * any is one row whose rings are bound to no interface, so that they get the packets of all.
 *
 * When an interface was removed and is back, a socket that is alone is bound once more.  One of a
 * group cannot be: the group is left behind for another one, made of spare sockets that were opened
 * while there were rights.  The last spare is kept for a ring without group, which can be bound for
 * ever.  Workers go over to the new rings when the old ones have nothing left.
 *
 * Linux only: live_packet_linux.c opens and counts, live_bind_linux.c watches over interfaces,
 * live_read_linux.c reads.
 */
#pragma once

#include <poll.h>
#include <stdatomic.h>

#include "source/live_device.h"
#include "source/live_filter.h"
#include "source/live_ops.h"
#include "source/live_ring.h"

/*
 * The ring of one worker and interface.  live_watch() puts rings into 'coming' and frees those of
 * 'gone' (a chain by 'before'); in between the worker moves them by 'now'.
 */
struct slot {
	struct ring *_Atomic now, *_Atomic coming, *_Atomic gone;
};

/* An interface that was asked for, by its name. */
struct face {
	struct live_counts counts; /* so far */
	struct ring *lone;         /* the ring that can be bound again; NULL: they are a group */
	int index;                 /* bound to, or tried to; 0: all interfaces */
	struct device_drops said;  /* by the interface, the last time */
	struct device_drops total; /* since the start, over all that had its name */
	bool absent, down, renamed, failed;
};

struct worker {
	int wake; /* eventfd */
	bool waiting[LIMIT_LIVE_INTERFACES];
	struct pollfd polled[LIMIT_LIVE_INTERFACES + 1];
};

struct packet {
	struct live live;
	struct live_filter filter;
	struct ring_conf ring_conf;
	struct face face[LIMIT_LIVE_INTERFACES];
	unsigned workers; /* that were made */
	struct worker *worker;
	struct slot *slots; /* a row of workers for each interface */
	int netlink;        /* for questions about interfaces; -1: none */
	uint32_t asked;
	int backlog; /* -1: not known */
	uint64_t backlog_before;
	int spare[LIMIT_LIVE_SPARES + LIMIT_LIVE_INTERFACES];
	size_t spares;
	_Atomic int64_t empty_ms; /* when all rings have given what they have; 0: not stopped */
	bool opened, ordered;     /* ordered: times of different interfaces can be compared */
};

static inline struct packet *packet_of(struct live *l)
{
	return (struct packet *)l;
}

static inline struct slot *packet_slot(struct packet *p, size_t face, unsigned worker)
{
	return &p->slots[face * p->live.conf.rings + worker];
}

/* The clock of ring->opened_ms and packet->empty_ms. */
int64_t packet_now_ms(void);

/* Listens to the interface 'i' for the first time. */
bool packet_listen(struct packet *p, size_t i, struct err *e);

/* Adds what a ring has counted since the last time; NULL is fine. */
void packet_add_counts(struct face *face, const struct ring *ring);

/* Frees the rings that a worker has left. */
void packet_free_gone(struct slot *s);

void packet_watch(struct live *l);

size_t packet_read(struct live *l, unsigned ring, struct frame *frames, size_t max, int timeout_ms,
		bool *ok, struct err *e);
