/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_table.c - packets of few keys with any flags, numbers and times: every packet is in one
 * record, records come in order, and under a tiny budget too.
 */
#include <stdlib.h>
#include <string.h>

#include "flow/table.h"

struct seen {
	int64_t deadline;
	uint64_t number, packets;
	bool tiny; /* a budget that evicts: order is not kept then */
};

static void on_leave(void *ctx, struct flow *f)
{
	struct seen *s = ctx;

	if (!s->tiny && (f->timer.deadline_ns < s->deadline ||
					(f->timer.deadline_ns == s->deadline &&
							f->part_number <= s->number)))
		abort();
	if (f->end == FLOW_END_NONE || f->part == 0)
		abort();
	s->deadline = f->timer.deadline_ns;
	s->number = f->part_number;
	s->packets += f->side[0].packets + f->side[1].packets;
}

static void read_packet(struct rd *r, struct pkt *p, int64_t *clock_ns)
{
	uint8_t a = rd_u8(r), b = rd_u8(r);
	int64_t step = (int64_t)rd_u16(r) << (a >> 4) * 2;

	memset(p, 0, sizeof *p);
	p->ns = *clock_ns + step * (b & 1 ? -1 : 1000);
	if (p->ns > *clock_ns)
		*clock_ns = p->ns;
	p->clock_ns = *clock_ns;
	p->ip_version = 4;
	p->proto = b & 2 ? PROTO_UDP : PROTO_TCP;
	p->address[a & 1][0] = 10;
	p->address[!(a & 1)][0] = 11;
	p->port[a & 1] = a >> 1 & 3;
	p->port[!(a & 1)] = 80;
	p->tcp_flags = rd_u8(r);
	p->seq = rd_u16(r) * (b & 4 ? 65536u : 1u);
	p->ack = rd_u16(r) * (b & 4 ? 65536u : 1u);
	p->payload_len = b >> 3;
	p->ip_len = 40 + p->payload_len;
	p->window = 512;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct seen seen = { .deadline = INT64_MIN, .tiny = size % 7 == 0 };
	struct table_conf conf = {
		.idle_ns = 120000000000,
		.active_ns = size % 2 ? 300000000000 : 50000000000,
		.linger_ns = 2000000000,
		.memory = seen.tiny ? 20000 : 64 << 20,
		.leave = on_leave,
		.ctx = &seen,
	};
	struct table *t = table_new(&conf, NULL);
	struct rd r = { data, size };
	int64_t clock_ns = 1700000000000000000;
	uint64_t counted = 0, number = 0;

	if (t == NULL)
		return 0;
	/* the engine keeps clocks within 146 years of 1970 */
	while (rd_more(&r) && clock_ns < (int64_t)1 << 61) {
		struct table_ticket ticket;
		struct pkt p;

		read_packet(&r, &p, &clock_ns);
		p.number = ++number;
		table_ticket(t, &p, &ticket);
		table_advance(t, p.clock_ns);
		if (table_packet(t, &p, &ticket) == NULL)
			continue;
		counted++;
		if (p.now_ns < p.ns)
			abort();
	}
	table_finish(t, clock_ns);
	if (seen.packets != counted)
		abort();
	table_free(t);
	return 0;
}
