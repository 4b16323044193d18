/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_filter.h - the program that the kernel runs over each packet before it reaches a ring.
 *
 * It takes packets of the loopback once (when they come in; they were seen going out too), takes
 * only what bpf= wants, and says how many bytes are copied.  It works for whatever link a packet
 * comes from, so one program does for all interfaces.
 *
 * bpf= means what it means for files: it sees VLAN tags where they were on the wire, although the
 * kernel has taken them out.  It is not applied to wireless monitors: none of their packets
 * pass.  Linux only (live_filter_linux.c).
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

struct sock_filter; /* linux/filter.h */

struct live_filter {
	struct sock_filter *code; /* owned */
	uint16_t count;
};

/* Compiles 'bpf' (NULL: all packets).  False with 'e' in libpcap's words. */
bool live_filter_make(struct live_filter *f, const char *bpf, uint32_t snaplen, struct err *e);
void live_filter_free(struct live_filter *f);

/* Puts it on a socket, in place of another.  False with errno. */
bool live_filter_attach(const struct live_filter *f, int fd);

/* Puts a program on a socket that takes nothing. */
bool live_filter_close(int fd);
