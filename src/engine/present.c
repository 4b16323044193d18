/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * present.c - what an engine does in a live run beside taking packets: the clock goes on without
 * them, losses are marked, flows can be looked at.
 */
#include "engine/engine_internal.h"

/* A ring hands on a packet at the latest so long after it came. */
#define LATE_NS ((int64_t)1000 * 1000 * 1000)

enum { LEAVE_AT_ONCE = 64 }; /* flows, while packets may be waiting */

void engine_present(struct engine *en, int64_t real_ns, int64_t boot_ns)
{
	clock_present(&en->clock, real_ns, boot_ns);
}

bool engine_is_behind(const struct engine *en)
{
	return en->clock.now_ns >= en->table_due_ns;
}

bool engine_catch_up(struct engine *en, struct err *e)
{
	if (engine_is_behind(en)) {
		table_catch_up(en->table, en->clock.now_ns, LEAVE_AT_ONCE);
		en->table_due_ns = table_due(en->table);
	}
	return engine_well(en, e);
}

bool engine_idle(struct engine *en, struct err *e)
{
	engine_flush(en);
	clock_reach(&en->clock, en->clock.present_ns - LATE_NS);
	if (en->clock.now_ns >= en->fragments_due_ns)
		engine_expire_fragments(en, en->clock.now_ns);
	return engine_catch_up(en, e);
}

void engine_number(struct engine *en, uint64_t first, uint64_t step)
{
	en->number = first - step; /* may wrap: the first packet's number does so again */
	en->number_step = step;
}

bool engine_flush_records(struct engine *en, struct err *e)
{
	return en->emit.pen == NULL || pen_flush(en->emit.pen, e);
}

void engine_lost(struct engine *en)
{
	en->lost_ns = en->clock.present_ns;
}

/* --- looking at flows
 * ------------------------------------------------------------------------------ */

struct list {
	struct engine *en;
	struct plan *plan;
	size_t left, over;
	struct buf *out;
};

/* The first feature of all is what every record begins with. */
static void list_flow(void *ctx, struct flow *f)
{
	struct list *l = ctx;
	const struct flow_view view = { f, 0, true };
	struct emit *m = &l->en->emit;

	if (l->left == 0) {
		l->over++;
		return;
	}
	l->left--;
	memset(m->outs, 0, m->outs_size);
	memset(m->data, 0, l->en->calls.count * sizeof(void *));
	m->data[0] = calls_finish(&l->en->calls, 0, &view, m->out[0]) ? m->out[0] : NULL;
	calls_record(&l->en->calls, &view, m->data, m->out);
	plan_json(l->plan, m->data, l->out);
	buf_byte(l->out, '\n');
	arena_free(&l->en->scratch, table_pool(l->en->table));
}

size_t engine_flows(struct engine *en, size_t max, struct buf *out)
{
	struct err ignored;
	struct list l = { .en = en, .left = max, .out = out };

	l.plan = plan_new(&en->calls.call[0].feature->fields, 1, true, &ignored);
	if (l.plan == NULL)
		return 0;
	table_each(en->table, list_flow, &l);
	plan_free(l.plan);
	return l.over;
}
