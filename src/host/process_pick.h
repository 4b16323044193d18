/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_pick.h - which of several sockets with the same addresses and ports had a flow.
 *
 * They can follow each other in time, and they can be in different network namespaces.  A socket
 * must have been open when the flow had packets.  The latest that was open at the flow's beginning
 * wins; else the first that opened while it went on (a connection that came is reported when its
 * handshake is over).  What is left of a connection whose socket was closed shortly before is a
 * guess.  A socket of the sensor's own namespace wins over all others; when only other
 * namespaces have one, and more than one of them has, nobody does.
 */
#pragma once

#include "host/process_store.h"

struct pick {
	const struct process_flow *flow;
	bool own_only; /* loopback: no other namespace's packets are seen here */
	bool by_port;  /* only the port tells: a guess, and only of our namespace */
	bool foreign;  /* the local address is not told: a guess, of other namespaces */

	/* so far; private */
	struct process_socket best;
	int rank;       /* 0: none yet */
	bool ambiguous; /* the best is of another namespace, and not the only one */
};

/* Shows a socket; 'mapped': it takes any address of IPv6, the flow is IPv4. */
void pick_offer(struct pick *p, const struct process_socket *s, bool mapped);

static inline bool pick_nobody(const struct pick *p)
{
	return p->rank == 0;
}

struct process_match pick_match(const struct pick *p);
