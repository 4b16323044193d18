/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * seeds.h - conversations of real captures, taken apart so that they can be written again.
 *
 * Packets lose what was around them (tags, tunnels, other link types) and what hardware has merged
 * is cut to full packets.  A conversation of which bytes are missing is left out.
 */
#pragma once

#include "fresh.h"
#include "wire.h"

enum service {
	SERVICE_DNS,
	SERVICE_TLS,
	SERVICE_QUIC,
	SERVICE_HTTP,
	SERVICE_SILENT, /* TCP without payload */
	SERVICE_TCP,    /* other TCP */
	SERVICE_UDP,    /* other UDP */
	SERVICE_ICMP,   /* echo */
	SERVICES
};

struct seed {
	enum service service;
	bool own_port; /* a copy's client may have another port */
	size_t count;
	struct wire_packet *packets;
	struct fresh *fresh; /* after seeds_look_fresh(), of a handshake; else NULL */
	enum fresh_kind kind;
};

/*
 * Reads captures, and folders of them.  'list' holds those found, in the order of their first
 * packets; it lives as long as the program.  What cannot be read is named on standard error.
 */
struct seeds {
	struct seed **list;
	size_t count;
};
void seeds_read(struct seeds *s, const char *const *paths, size_t count);

/* Finds out which are handshakes that fresh_make() can make new ones of. */
void seeds_look_fresh(struct seeds *s);

/* The payload of a packet, for fresh_make(). */
struct fresh_part seeds_part(const struct wire_packet *p);
