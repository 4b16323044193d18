/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * merge.c - the parts that wait: a table by flow, and a queue in the order in which they came.
 *
 * A waiting record is a deep copy in an arena of its own.  Joining works on plain copies of its
 * structs in scratch memory, and what goes on waiting is copied afresh, so that nothing piles up
 * however many parts a flow has.
 */
#include "engine/merge.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "feature/base_out.h"
#include "feature/file_out.h"
#include "record/parts.h"

enum { TABLE_SIZE = 1 << 16 };

struct merge_key {
	uint64_t flow_id;
	uint64_t file; /* hash of its name; 0 where the record names none */
	struct field_address sa, da;
	int32_t sp, dp, pr;
};

struct waiting {
	struct waiting *chain;         /* same place in the table */
	struct waiting *older, *newer; /* in the queue */
	struct merge_key key;
	struct arena arena; /* of this and all it points to */
	uint64_t parts;
	uint32_t next_part;
	uint32_t lost, closed; /* by 'on', a bit each: cannot be told, see feature_join.closed */
	const void **data;
};

struct merge {
	struct merge_conf conf;
	const struct registry *r;
	size_t file; /* place of the data element that names files; 0: they are not named */
	size_t outs_size;
	struct pool *pool; /* of what waits, within the budget */
	struct pool *scratch_pool;
	struct arena scratch;
	char *outs; /* of the record that is being joined */
	char *out[REGISTRY_MAX];
	const void *data[REGISTRY_MAX];
	uint32_t lost, closed; /* of that */
	struct waiting **table;
	struct waiting *oldest, *newest;
	uint64_t seed;
	struct merge_stats stats;
};

static size_t rounded(size_t size)
{
	return (size + 15) / 16 * 16;
}

/* --- making -------------------------------------------------------------------------------- */

static bool allocate(struct merge *m)
{
	size_t at = 0;

	for (size_t i = 0; i < m->r->on_count; i++) {
		m->outs_size += rounded(m->r->on[i]->out_size);
		if (strcmp(m->r->on[i]->name, "file") == 0)
			m->file = i;
	}
	m->pool = pool_new();
	m->scratch_pool = pool_new();
	m->table = calloc(TABLE_SIZE, sizeof(struct waiting *));
	m->outs = aligned_alloc(16, m->outs_size + 16);
	if (m->pool == NULL || m->scratch_pool == NULL || m->table == NULL || m->outs == NULL)
		return false;
	for (size_t i = 0; i < m->r->on_count; i++) {
		m->out[i] = m->outs + at;
		at += rounded(m->r->on[i]->out_size);
	}
	pool_limit(m->pool, m->conf.memory);
	return true;
}

struct merge *merge_new(const struct merge_conf *conf, struct err *e)
{
	struct merge *m = calloc(1, sizeof *m);

	if (m != NULL) {
		m->conf = *conf;
		m->r = conf->registry;
		m->seed = hash_seed();
	}
	if (m != NULL && allocate(m))
		return m;
	merge_free(m);
	err_set(e, "no memory to merge records");
	return NULL;
}

const struct merge_stats *merge_stats(const struct merge *m)
{
	return &m->stats;
}

/* --- what waits ------------------------------------------------------------------------------ */

static struct merge_key key_of(const struct merge *m, const void *const *data)
{
	const struct base_out *b = data[0];
	const struct file_out *f = m->file == 0 ? NULL : data[m->file];
	struct merge_key k;

	memset(&k, 0, sizeof k);
	k.flow_id = b->flow_id;
	if (f != NULL)
		k.file = hash_bytes(f->file.p, f->file.size, m->seed);
	k.sa = b->sa;
	k.da = b->da;
	k.sp = b->sp;
	k.dp = b->dp;
	k.pr = b->pr;
	return k;
}

static struct waiting **place(const struct merge *m, const struct merge_key *key)
{
	return &m->table[hash_bytes(key, sizeof *key, m->seed) & (TABLE_SIZE - 1)];
}

static struct waiting *find(const struct merge *m, const struct merge_key *key)
{
	struct waiting *w = *place(m, key);

	while (w != NULL && memcmp(&w->key, key, sizeof *key) != 0)
		w = w->chain;
	return w;
}

static void take_out(struct merge *m, struct waiting *w)
{
	struct waiting **at = place(m, &w->key);

	while (*at != w)
		at = &(*at)->chain;
	*at = w->chain;
	*(w->older != NULL ? &w->older->newer : &m->oldest) = w->newer;
	*(w->newer != NULL ? &w->newer->older : &m->newest) = w->older;
}

static void put_in(struct merge *m, struct waiting *w)
{
	struct waiting **at = place(m, &w->key);

	w->chain = *at;
	*at = w;
	w->older = m->newest;
	w->newer = NULL;
	*(m->newest != NULL ? &m->newest->newer : &m->oldest) = w;
	m->newest = w;
}

static void drop(struct merge *m, struct waiting *w)
{
	struct arena arena = w->arena; /* which 'w' lies in */

	arena_free(&arena, m->pool);
}

void merge_free(struct merge *m)
{
	if (m == NULL)
		return;
	for (struct waiting *w = m->oldest, *newer; w != NULL; w = newer) {
		newer = w->newer;
		drop(m, w);
	}
	if (m->scratch_pool != NULL)
		arena_free(&m->scratch, m->scratch_pool);
	pool_free(m->pool);
	pool_free(m->scratch_pool);
	free(m->table);
	free(m->outs);
	free(m);
}

/* A deep copy; NULL without memory. */
static struct waiting *copy(struct merge *m, const void *const *data)
{
	struct arena arena = { NULL };
	struct parts_memory memory = { &arena, m->pool, false };
	struct waiting *w = arena_zalloc(&arena, m->pool, sizeof *w);
	const void **copies = arena_zalloc(&arena, m->pool, m->r->on_count * sizeof *copies);

	memory.failed = w == NULL || copies == NULL;
	for (size_t i = 0; i < m->r->on_count && !memory.failed; i++) {
		const struct feature *f = m->r->on[i];
		void *to = data[i] == NULL ? NULL : arena_alloc(&arena, m->pool, f->out_size);

		memory.failed = data[i] != NULL && to == NULL;
		if (to != NULL)
			parts_copy(f->fields, data[i], f->out_size, to, &memory);
		copies[i] = to;
	}
	if (memory.failed) {
		arena_free(&arena, m->pool);
		return NULL;
	}
	w->data = copies;
	w->arena = arena;
	return w;
}

/* --- writing --------------------------------------------------------------------------------- */

/* A record that waited, as it is. */
static bool write_waiting(struct merge *m, struct waiting *w)
{
	bool good;

	take_out(m, w);
	if (w->parts > 1)
		m->stats.merged++;
	m->stats.alone++;
	good = m->conf.write(m->conf.ctx, w->data);
	drop(m, w);
	return good;
}

static bool write_oldest(struct merge *m)
{
	m->stats.early++;
	return write_waiting(m, m->oldest);
}

bool merge_finish(struct merge *m)
{
	while (m->oldest != NULL)
		if (!write_waiting(m, m->oldest))
			return false;
	return true;
}

/* The record waits for the next part, if need be in place of older ones. */
static bool wait_for(struct merge *m, const void **data, uint64_t parts, uint32_t next_part)
{
	struct waiting *w = copy(m, data);

	while (w == NULL && m->oldest != NULL) {
		if (!write_oldest(m))
			return false;
		w = copy(m, data);
	}
	if (w == NULL) {
		m->stats.early++;
		m->stats.alone++;
		m->stats.merged += parts > 1;
		return m->conf.write(m->conf.ctx, data);
	}
	w->key = key_of(m, data);
	w->parts = parts;
	w->next_part = next_part;
	w->lost = parts > 1 ? m->lost : 0;
	w->closed = parts > 1 ? m->closed : 0;
	put_in(m, w);
	return true;
}

/* --- joining --------------------------------------------------------------------------------- */

static void describe(const struct merge *m, const void *const *data, struct feature_part *p)
{
	const struct base_out *b = data[0];

	*p = (struct feature_part){ b->time_start.ns, b->time_end.ns,
		b->num_pkts_out + b->num_pkts_in, { -1, -1 } };
	for (size_t i = 0; i < m->r->on_count; i++) {
		const struct field *table = m->r->on[i]->fields;
		const int64_t *out = NULL, *in = NULL;

		if (data[i] == NULL || table == NULL)
			continue;
		out = parts_number(table, "tcp.first_seq", data[i]);
		in = parts_number(table, "tcp.first_seq_in", data[i]);
		p->seq[0] = out != NULL ? *out : p->seq[0];
		p->seq[1] = in != NULL ? *in : p->seq[1];
	}
}

static bool fits(const struct waiting *w, const struct base_out *next)
{
	const struct base_out *b = w->data[0];
	int64_t whole;

	return next->part == w->next_part && next->time_start.ns >= b->time_end.ns &&
	       next->time_end.ns >= next->time_start.ns && b->time_end.ns >= b->time_start.ns &&
	       !__builtin_sub_overflow(next->time_end.ns, b->time_start.ns, &whole);
}

/* What data element 'i' says of both; false: it cannot say it, or has nothing to say. */
static bool join_one(struct merge *m, size_t i, struct feature_join *join, const void *before,
		const void *next)
{
	const struct feature *f = m->r->on[i];
	struct parts_memory memory = { join->arena, join->pool, false };

	memcpy(m->out[i], before != NULL ? before : next, f->out_size);
	if (before != NULL && next != NULL &&
			(parts_join(f->fields, m->out[i], next, join->list_max, &memory) != NULL ||
					memory.failed))
		return false;
	join->options = m->r->on_options[i];
	return f->merge == NULL || f->merge(join, before, next, m->out[i]);
}

/* What once could not be told stays untold, whatever the parts behind say. */
static void join_element(struct merge *m, size_t i, struct feature_join *join, const void *before,
		const void *next)
{
	const uint32_t bit = (uint32_t)1 << i;

	m->data[i] = NULL;
	if ((m->lost & bit) != 0 || (before == NULL && next == NULL))
		return;
	join->closed = (m->closed & bit) != 0;
	if (join_one(m, i, join, before, next))
		m->data[i] = m->out[i];
	else
		m->lost |= bit;
	m->closed |= join->closed ? bit : 0;
}

/* Into m->data, valid until the scratch memory is freed; false: what every record begins with does
 * not fit.  The base comes last, since it tells whether lists were cut. */
static bool join_parts(struct merge *m, const struct waiting *w, const void *const *next)
{
	struct feature_join join = { .arena = &m->scratch,
		.pool = m->scratch_pool,
		.list_max = m->r->core.num_pkts,
		.proto = ((const struct base_out *)w->data[0])->pr,
		.both = m->conf.both };

	describe(m, w->data, &join.before);
	describe(m, next, &join.next);
	m->lost = w->lost;
	m->closed = w->closed;
	for (size_t i = m->r->on_count; i > 0; i--)
		join_element(m, i - 1, &join, w->data[i - 1], next[i - 1]);
	return m->data[0] != NULL;
}

/* The part joins what waits, which is taken out. */
static bool join_next(struct merge *m, struct waiting *w, const struct base_out *next)
{
	const uint64_t parts = w->parts + 1;
	bool good;

	take_out(m, w);
	m->stats.parts += w->parts == 1 ? 2 : 1;
	if (next->end_reason == FLOW_END_ACTIVE) {
		good = wait_for(m, m->data, parts, next->part + 1);
	} else {
		m->stats.merged++;
		good = m->conf.write(m->conf.ctx, m->data);
	}
	drop(m, w);
	return good;
}

/* Of records of one direction, whether those of the other one have the same key. */
static bool is_ambiguous(const struct merge *m, const struct merge_key *key)
{
	return !m->conf.both && key->sp == key->dp &&
	       memcmp(&key->sa, &key->da, sizeof key->sa) == 0;
}

static bool pass(struct merge *m, const void **data)
{
	const struct base_out *b = data[0];

	m->stats.alone += b->part > 1 || b->end_reason == FLOW_END_ACTIVE;
	return m->conf.write(m->conf.ctx, data);
}

bool merge_take(struct merge *m, const void **data)
{
	const struct base_out *b = data[0];
	const struct merge_key key = key_of(m, data);
	struct waiting *w = find(m, &key);
	bool good;

	if (is_ambiguous(m, &key))
		return pass(m, data);
	if (w != NULL && fits(w, b) && join_parts(m, w, data)) {
		good = join_next(m, w, b);
		arena_free(&m->scratch, m->scratch_pool);
		return good;
	}
	arena_free(&m->scratch, m->scratch_pool);
	if (w != NULL && !write_waiting(m, w))
		return false;
	if (b->end_reason == FLOW_END_ACTIVE)
		return wait_for(m, data, 1, b->part + 1);
	return pass(m, data);
}
