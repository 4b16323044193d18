/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_stream.c - segments from fuzz input; what is delivered is what came first for each byte, in
 * order. */
#include <stdlib.h>
#include <string.h>

#include "flow/stream.h"
#include "flow/tcp.h"

enum { SPACE = 1024, DEMAND = 700 };

struct model {
	uint8_t first[SPACE];
	uint8_t known[SPACE];
	uint64_t got;
};

static bool take(void *ctx, struct flow *f, const struct pkt *pkt, unsigned dir, struct rd bytes,
		uint64_t offset)
{
	struct model *m = ctx;

	(void)f;
	(void)pkt;
	(void)dir;
	if (offset != m->got || offset + bytes.left > DEMAND)
		abort();
	for (size_t i = 0; i < bytes.left; i++)
		if (!m->known[offset + i] || m->first[offset + i] != bytes.p[i])
			abort();
	m->got += bytes.left;
	return true;
}

static void segment(
		struct flow *f, struct pool *pool, struct model *m, uint32_t from, struct rd bytes)
{
	struct pkt p;

	memset(&p, 0, sizeof p);
	p.proto = PROTO_TCP;
	p.tcp_flags = TCP_ACK;
	p.seq = 0xffffff00u + 1 + from;
	p.payload = bytes;
	p.payload_len = (uint32_t)bytes.left;
	for (size_t i = 0; i < bytes.left; i++) {
		if (!m->known[from + i])
			m->first[from + i] = bytes.p[i];
		m->known[from + i] = 1;
	}
	p.tcp_next = tcp_expected(f, &p, 0);
	p.tcp_class = (uint8_t)tcp_track(f, &p, 0, pool);
	stream_packet(f, &p, 0, DEMAND, pool, take, m);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct pool *pool = pool_new();
	struct flow *f = calloc(1, sizeof *f);
	struct model *m = calloc(1, sizeof *m);
	struct rd r = { data, size };
	uint64_t whole = 0;
	struct pkt syn;

	memset(&syn, 0, sizeof syn);
	syn.proto = PROTO_TCP;
	syn.tcp_flags = TCP_SYN;
	syn.seq = 0xffffff00u;
	f->part = 1;
	tcp_track(f, &syn, 0, pool);
	while (rd_more(&r)) {
		uint32_t from = rd_u16(&r) % SPACE;
		size_t n = rd_u8(&r);
		struct rd bytes = rd_first(r, n < SPACE - from ? n : SPACE - from);

		segment(f, pool, m, from, bytes);
		rd_bytes(&r, bytes.left < r.left ? bytes.left : r.left);
	}
	/* all that could be delivered was */
	while (whole < DEMAND && m->known[whole])
		whole++;
	if (m->got != whole)
		abort();
	arena_free(&f->arena, pool);
	if (pool_used(pool) != 0)
		abort();
	pool_free(pool);
	free(f);
	free(m);
	return 0;
}
