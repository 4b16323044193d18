/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * frame.h - one captured frame as a source hands it to the engine.
 *
 * The bytes belong to the source and stay valid until its next call.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct frame {
	const uint8_t *bytes; /* from the link-layer header on */
	uint32_t caplen;      /* bytes that may be read */
	uint32_t wirelen;     /* length on the wire; never less than caplen */
	int64_t ns;           /* since 1970; negative before */
	uint32_t interface;   /* index over all interfaces of the run */
	uint16_t linktype;    /* LINKTYPE_ number of the capture file formats */
	bool nanoseconds;     /* the source's clock is finer than a microsecond */
	bool merged;  /* several packets in one, made by the adapter or the kernel (GRO, TSO) */
	bool untimed; /* the format gives this packet no time (simple packet block) */
};
