/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * stream.h - the first bytes of each direction of a TCP connection, in order and each once.
 *
 * What arrives in order is handed on straight from the packet; what arrives early is copied
 * and waits, bounded by LIMIT_STREAM_PENDING.  Where copies of a byte differ, the first one stays.
 */
#pragma once

#include "flow/flow.h"

/* Gets the bytes; 'offset' counts from the direction's first byte. False: wants no more of this
 * direction. */
typedef bool stream_taker(void *ctx, struct flow *f, const struct pkt *pkt, unsigned dir,
		struct rd bytes, uint64_t offset);

/* Takes a TCP segment after tcp_track().  At most 'demand' bytes of each direction are handed on.
 */
void stream_packet(struct flow *f, const struct pkt *pkt, unsigned dir, uint64_t demand,
		struct pool *pool, stream_taker *take, void *ctx);
