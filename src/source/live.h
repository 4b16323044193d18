/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.h - where frames come from: network interfaces of this machine.
 *
 * On Linux each worker has a packet ring (TPACKET_V3) of its own for each interface, and the kernel
 * shares packets out so that what belongs together reaches the same worker (live_share.h).
 * Elsewhere, and with capture=libpcap, libpcap captures.
 *
 * live_new() needs rights (root, or CAP_NET_RAW; CAP_NET_ADMIN for clock=adapter); nothing after it
 * does, but with libpcap an interface that was removed is captured again only where there are still
 * rights.  System calls that the other functions need: poll, read, write, pread64, close, bind,
 * getsockname, getsockopt, setsockopt, ioctl (SIOCGIFINDEX, SIOCGIFNAME, SIOCGIFFLAGS), sendto,
 * recvfrom, mmap, munmap, clock_gettime, futex, what malloc needs; with libpcap also open and
 * socket, where there are still rights.
 *
 * What a capture on Linux does not show as it was on the wire: packets that were merged or not yet
 * segmented (frame.merged).
 */
#pragma once

#include "source/source.h"

struct live_conf {
	const char *interfaces;      /* names with commas between them, auto, or any */
	const char *capture, *clock; /* the options of that name; NULL: auto, host */
	const char *bpf;             /* NULL: none */
	bool promisc;
	uint32_t snaplen;
	size_t ring_bytes; /* of each ring (one for each worker and interface) */
	unsigned rings;    /* workers, from 1 to LIMIT_WORKERS */
	/*
	 * Called from live_new() for what was asked for and cannot be had (clock=adapter), and from
	 * live_watch() once each time an interface goes, comes back, goes down or up: one line.
	 */
	void (*say)(void *ctx, enum source_trouble what, const char *text);
	void *ctx;
};

struct live;

/* Opens all interfaces.  NULL: 'e' says what failed, and what to do where rights are missing. */
struct live *live_new(const struct live_conf *conf, struct err *e);

/* No other function may be running. */
void live_free(struct live *l);

/*
 * Takes at most 'max' frames from the ring of worker 'ring'; their bytes stay valid, and may be
 * written to, until the ring's next call.  0: none came within 'timeout_ms', or live_wake() was
 * called.  Frames of several interfaces come in the order of their times, as far as that costs no
 * packets.  False in *ok (with 'e') when nothing can come any more: after live_stop(), when all
 * that came before was taken.  One thread for each ring.
 */
size_t live_read(struct live *l, unsigned ring, struct frame *frames, size_t max, int timeout_ms,
		bool *ok, struct err *e);

/*
 * Each live_read() that waits returns now, and one that does not wait will return at its next
 * wait.  From any thread or signal handler.
 */
void live_wake(struct live *l);

/*
 * Looks after the interfaces: to be called a few times a second, always by the same thread.  One
 * that went away and came back under the same name is captured from again.
 */
void live_watch(struct live *l);

/*
 * Lets no more packets in; what came before can still be read, until live_read() says that this was
 * all (within a quarter of a second).  live_watch()'s thread.
 */
void live_stop(struct live *l);

/* Since live_new(). */
struct live_counts {
	uint64_t packets; /* that passed the filter and are, or were, there to be read */
	uint64_t drops;   /* passed the filter and found no room in the ring */
	uint64_t freezes; /* how often a ring was found full; 0 with libpcap */
	/*
	 * Lost before: the adapter or its driver had no room (rx_missed_errors, rx_fifo_errors), or
	 * the kernel's queue behind the driver had none (of rx_dropped as much as all processors'
	 * queues have dropped meanwhile; the rest of it was captured).  libpcap has its own count.
	 */
	uint64_t interface_drops;
};

size_t live_interfaces(const struct live *l);

/*
 * The interface of frame.interface, from 0.  'file' is its name too.  any is one interface of that
 * name with the link type 276; its frames have the link types of where they came from.
 */
const struct source_interface *live_interface(const struct live *l, size_t i);

/* False: there is no such interface.  live_watch()'s thread. */
bool live_counts(struct live *l, size_t i, struct live_counts *out);

/* The fullest ring of this worker: percent of its blocks that wait to be read; 0 with libpcap.
 * live_watch()'s thread. */
unsigned live_fill(struct live *l, unsigned ring);
