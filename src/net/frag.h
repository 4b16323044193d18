/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag.h - puts IPv4 and IPv6 fragments together (RFC 791, RFC 8200 section 4.5).
 *
 * Fragments may come in any order; where they overlap, the byte that came first stays
 * and the overlap is counted.  The table is bounded in datagrams, fragments and bytes
 * (limits.h); what does not fit, and what is still incomplete after its time, is handed back
 * as an incomplete datagram, so that no packet is lost to the counters.
 *
 * Key of a datagram: addresses, protocol (IPv4 only), identification, IP version, outer layers'
 * VLAN ids.
 */
#pragma once

#include "base/err.h"
#include "net/packet.h"

struct frag_table;

/*
 * What comes out: all fragments of one datagram, in order of arrival, and its bytes.
 * frag_packet() makes of it what decode_datagram() takes.
 */
struct frag_datagram {
	/* As they were added; 'ip', 'body' and layer addresses point into copies, the rest is
	 * empty. */
	const struct pkt *fragments;
	size_t count;
	struct rd header;   /* the first fragment's IP headers; 'whole' lies right behind them */
	struct rd whole;    /* the bytes from offset 0 up to the first hole */
	uint32_t whole_len; /* length of the datagram's body; of what is known when incomplete */
	bool complete;
	bool has_first;    /* a fragment with offset 0 came: 'whole' begins with its header */
	uint32_t overlaps; /* fragments that overlapped earlier ones */
	/*
	 * One more copy of a fragment of a datagram that had become complete: a packet of its flow
	 * without payload of its own; 'whole' is the beginning of that datagram.
	 */
	bool late;
};

struct frag_counts {
	uint64_t fragments, complete, incomplete, overlaps, late, capped;
};

/* 'timeout_ns' is packet time from a datagram's first fragment on; 'seed' keys the hash. */
struct frag_table *frag_new(int64_t timeout_ns, uint64_t seed, struct err *e);
void frag_free(struct frag_table *t);

/* Behind frag_expired(INT64_MAX): nothing is remembered, but the counters. */
void frag_renew(struct frag_table *t);

/*
 * Takes a fragment (OUTCOME_FRAGMENT, with ns, clock_ns and number set).  True when that made
 * a datagram ready: take it with frag_take().  A fragment beyond a cap makes the
 * datagram it belongs to, or the oldest one, ready as incomplete.
 */
bool frag_add(struct frag_table *t, const struct pkt *fragment);

/*
 * True while a datagram's time is over at 'clock_ns', or memory comes near its cap: take it with
 * frag_take().  INT64_MAX: all of them, oldest first.
 */
bool frag_expired(struct frag_table *t, int64_t clock_ns);

/* The moment from which on frag_expired() is true; INT64_MAX when nothing is held. */
int64_t frag_due(const struct frag_table *t);

/* The datagram made ready by the last call; valid until the next call on the table. */
struct frag_datagram frag_take(struct frag_table *t);

/*
 * The packet of the fragment with offset 0 (of a late copy: its own), with 'ip', 'body' and
 * 'ip_len' of the whole; false without one.
 */
bool frag_packet(const struct frag_datagram *d, struct pkt *pkt);

const struct frag_counts *frag_counts(const struct frag_table *t);

/* Bytes held at the moment. */
size_t frag_memory(const struct frag_table *t);
