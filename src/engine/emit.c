/* SPDX-License-Identifier: BSD-3-Clause */
/* emit.c - finish() fills plain structs; the sink walks their tables. */
#include "engine/emit.h"

#include <stdlib.h>
#include <string.h>

enum { DESK = 64 * 1024 }; /* bytes of scratch memory: more than nearly all records need */

static size_t rounded(size_t size)
{
	return (size + 15) / 16 * 16;
}

static bool take_pen(struct emit *m, struct sink *sink, struct err *e)
{
	m->pen = pen_new(sink, e);
	if (m->pen == NULL) {
		emit_destroy(m);
		return false;
	}
	m->timed = pen_wants_time(m->pen);
	return true;
}

bool emit_init(struct emit *m, const struct calls *calls, const struct emit_to *to,
		struct pool *pool, struct arena *scratch, struct err *e)
{
	size_t size = 16;

	for (size_t i = 0; i < calls->count; i++)
		size += rounded(calls->call[i].feature->out_size);
	*m = (struct emit){
		.calls = calls, .to = *to, .scratch = scratch, .pool = pool, .outs_size = size
	};
	m->outs = aligned_alloc(16, size);
	for (size_t i = 0, at = 0; m->outs != NULL && i < calls->count; i++) {
		m->out[i] = m->outs + at;
		at += rounded(calls->call[i].feature->out_size);
	}
	m->data = calloc(calls->count + 1, sizeof *m->data);
	if (m->outs == NULL || m->data == NULL || !arena_desk(scratch, DESK)) {
		emit_destroy(m);
		return err_set(e, "no memory for records");
	}
	return to->sink == NULL || take_pen(m, to->sink, e);
}

void emit_destroy(struct emit *m)
{
	pen_free(m->pen);
	if (m->scratch != NULL)
		arena_desk_free(m->scratch, m->pool);
	free(m->outs);
	free(m->data);
	m->pen = NULL;
	m->outs = NULL;
	m->data = NULL;
	m->scratch = NULL;
}

static bool write_record(struct emit *m)
{
	if (m->to.lane != NULL)
		return lane_record(m->to.lane, &m->key, m->data, &m->err);
	if (m->to.turn != NULL)
		return turn_record(m->to.turn, m->key.time_ns, m->data, &m->err);
	return m->pen == NULL || pen_record(m->pen, m->data, &m->err);
}

static void emit_view(struct emit *m, const struct flow_view *view)
{
	memset(m->outs, 0, m->outs_size);
	calls_finish_all(m->calls, view, m->data, m->out);
	calls_record(m->calls, view, m->data, m->out);
	if (!m->failed && !write_record(m))
		m->failed = true;
	m->records++;
	arena_free(m->scratch, m->pool);
}

void emit_flow(struct emit *m, struct flow *f)
{
	if (m->timed)
		pen_time(m->pen, f->seen_ns);
	if (m->calls->views == 1)
		emit_view(m, &(struct flow_view){ f, 0, true });
	for (unsigned out = 0; m->calls->views > 1 && out < 2; out++)
		if (f->side[out].packets > 0)
			emit_view(m, &(struct flow_view){ f, out, false });
	calls_leave(m->calls, f);
}
