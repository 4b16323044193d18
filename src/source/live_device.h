/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_device.h - what Linux says of a network interface; none of it needs rights but the clock.
 *
 * 'fd' is a socket of device_socket(), for device_promisc() any packet socket.  Linux only
 * (live_device_linux.c).
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"

/* -1 with errno. */
int device_socket(void);

/* The index of the interface of that name; -1 when there is none. */
int device_index(int fd, const char *name);

/* The present name of the interface with that index, at least IFNAMSIZ bytes; false: there is none.
 */
bool device_name(int fd, int index, char *name);

bool device_is_up(int fd, const char *name);

/* Its hardware type (ARPHRD_); -1 when there is none of that name. */
int device_type(int fd, const char *name);

/* Takes packets for other machines too, as long as the socket is open or the interface is there. */
bool device_promisc(int fd, int index);

/* Tells the adapter to stamp incoming packets; false with errno. */
bool device_stamp(int fd, const char *name);

/*
 * What the interface with that index (0: all together) says it lost before anybody saw it.
 * 'sequence' is another one for each call.
 */
struct device_drops {
	uint64_t missed;  /* the adapter or its driver had no room */
	uint64_t dropped; /* the kernel had no room, or no use: with a tag that it took out, packets
			     that were captured, but that no protocol of the host wanted, are here
			   */
};
bool device_drops(int fd, uint32_t sequence, int index, struct device_drops *drops);

/* A descriptor that device_backlog() reads; -1: there is none. */
int device_open_backlog(void);

/*
 * Packets of all interfaces for which the kernel's queue behind the drivers had no room.
 * UINT64_MAX when that is not known.
 */
uint64_t device_backlog(int fd);
