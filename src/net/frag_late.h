/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frag_late.h - private to net: copies of fragments that come when their datagram is already whole.
 *
 * Mirror ports deliver packets twice. The copies that come late would start a datagram that
 * never gets its ports, so a few datagrams are remembered for a moment: what their fragments looked
 * like, and the bytes of the first one, which lead to the flow.
 */
#pragma once

#include "net/frag.h"

struct late_table;

struct late_table *late_new(void);
void late_free(struct late_table *t);

/* All are forgotten. */
void late_renew(struct late_table *t);

/* Remembers a whole datagram; 'key' is the keyed hash of what identifies it. */
void late_remember(struct late_table *t, uint64_t key, int64_t clock_ns,
		const struct frag_datagram *d);

/* Is this a copy of a fragment of a datagram remembered?  Fills 'header' and 'whole' of 'd'. */
bool late_find(const struct late_table *t, uint64_t key, const struct pkt *fragment,
		struct frag_datagram *d);

/* Bytes held. */
size_t late_memory(const struct late_table *t);
