/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interfaces.h - the interfaces of all files of a run, in the order they were met.
 *
 * A pcap file has one, a pcapng section any number.  At LIMIT_INTERFACES later ones share the last
 * number, so their packets are kept and only their name is lost.
 */
#pragma once

#include "base/rd.h"
#include "source/source.h"

struct interfaces {
	struct source_interface **list;
	uint32_t count, room;
	uint64_t over; /* how many had to share a number */
};

/* Name and description are copied from bytes that need not be terminated; a failed one is none. */
struct interfaces_new {
	const char *file; /* lives as long as the list */
	struct rd name, description;
	uint16_t linktype;
	uint32_t snaplen;
};

/* The number of the new interface, from 0; false without memory. */
bool interfaces_add(struct interfaces *all, const struct interfaces_new *what, uint32_t *number);

void interfaces_destroy(struct interfaces *all);
