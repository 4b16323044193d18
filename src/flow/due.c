/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * due.c - short stretches are sorted by insertion as they fill, and merged as flows are taken.
 *
 * A stretch that goes on where the one before it ended is put behind that one; the others' first
 * flows make a heap of four branches, whose children lie together: the children of element i are
 * elements 4 i + 1 to 4 i + 4, and group i.
 */
#include "flow/due.h"

enum { RUN = 29, BRANCHES = 4 };

struct run {
	struct due flow[RUN];
	uint32_t next; /* the stretch that goes on, or SLAB_NONE */
	uint16_t count, taken;
};

/* In a heap's element 'flow' is the number of the stretch. */
struct group {
	struct due head[BRANCHES];
	char pad[128 - BRANCHES * sizeof(struct due)];
};

_Static_assert(sizeof(struct run) % 64 == 0 && sizeof(struct group) % 64 == 0, "objects of a slab");

static bool before(const struct due *a, const struct due *b)
{
	return a->leaves_ns != b->leaves_ns ? a->leaves_ns < b->leaves_ns : a->number < b->number;
}

static struct run *run_at(const struct due_queue *q, uint32_t run)
{
	return slab_at(&q->runs, run);
}

bool due_init(struct due_queue *q, uint32_t capacity)
{
	*q = (struct due_queue){ .filling = SLAB_NONE, .filled = SLAB_NONE };
	if (!slab_init(&q->runs, sizeof(struct run), capacity / RUN + 2) ||
			!slab_init(&q->groups, sizeof(struct group), capacity / RUN / BRANCHES + 2))
		return false;
	return true;
}

void due_renew(struct due_queue *q)
{
	while (q->groups.used > 0)
		slab_give(&q->groups, q->groups.used - 1);
	slab_renew(&q->runs);
	slab_renew(&q->groups);
}

void due_destroy(struct due_queue *q)
{
	struct due d;

	due_seal(q);
	while (due_take(q, &d))
		;
	due_renew(q);
	slab_destroy(&q->runs);
	slab_destroy(&q->groups);
}

/* --- the heap -----------------------------------------------------------------------------------
 */

static struct due *head_at(struct due_queue *q, uint32_t i)
{
	struct group *g = i == 0 ? NULL : slab_at(&q->groups, (i - 1) / BRANCHES);

	return g == NULL ? &q->first : &g->head[(i - 1) % BRANCHES];
}

static void push(struct due_queue *q, const struct due *head)
{
	uint32_t i = q->heads++;

	for (uint32_t parent; i > 0; i = parent) {
		parent = (i - 1) / BRANCHES;
		if (!before(head, head_at(q, parent)))
			break;
		*head_at(q, i) = *head_at(q, parent);
	}
	*head_at(q, i) = *head;
}

/* The first of the children of 'i', in group 'i', which has 'count'. */
static uint32_t first_child(const struct group *g, uint32_t count)
{
	uint32_t best = 0;

	for (uint32_t c = 1; c < count; c++)
		if (before(&g->head[c], &g->head[best]))
			best = c;
	return best;
}

/* Another takes the place of the first. */
static void replace(struct due_queue *q, const struct due *head)
{
	const struct due moved = *head;
	struct due *to = &q->first;

	for (uint32_t i = 0, child; (child = BRANCHES * i + 1) < q->heads;) {
		struct group *g = slab_at(&q->groups, i);
		const uint32_t left = q->heads - child;
		const uint32_t best = first_child(g, left < BRANCHES ? left : BRANCHES);

		if (!before(&g->head[best], &moved))
			break;
		*to = g->head[best];
		to = &g->head[best];
		i = child + best;
	}
	*to = moved;
}

/* --- stretches ----------------------------------------------------------------------------------
 */

static struct due head_of(const struct due_queue *q, uint32_t run)
{
	const struct run *r = run_at(q, run);
	struct due head = r->flow[r->taken];

	head.flow = run;
	return head;
}

/* One to fill, and room for it in the heap. */
static bool begin(struct due_queue *q)
{
	if (q->heads > BRANCHES * q->groups.used && slab_take(&q->groups) == SLAB_NONE)
		return false;
	q->filling = slab_take(&q->runs);
	if (q->filling == SLAB_NONE)
		return false;

	struct run *r = run_at(q, q->filling);

	r->next = SLAB_NONE;
	r->count = r->taken = 0;
	return true;
}

static void end(struct due_queue *q)
{
	const struct due head = head_of(q, q->filling);
	struct run *last = q->filled == SLAB_NONE ? NULL : run_at(q, q->filled);

	if (last != NULL && before(&last->flow[last->count - 1], &head))
		last->next = q->filling;
	else
		push(q, &head);
	q->filled = q->filling;
	q->filling = SLAB_NONE;
}

bool due_add(struct due_queue *q, const struct due *d)
{
	if (q->filling == SLAB_NONE && !begin(q))
		return false;

	struct run *r = run_at(q, q->filling);
	uint16_t i = r->count++;

	for (; i > 0 && before(d, &r->flow[i - 1]); i--)
		r->flow[i] = r->flow[i - 1];
	r->flow[i] = *d;
	if (r->count == RUN)
		end(q);
	return true;
}

void due_seal(struct due_queue *q)
{
	if (q->filling != SLAB_NONE)
		end(q);
	q->filled = SLAB_NONE;
}

bool due_take(struct due_queue *q, struct due *d)
{
	if (q->heads == 0)
		return false;

	const uint32_t run = q->first.flow;
	struct run *r = run_at(q, run);
	uint32_t next = run;
	struct due head;

	*d = r->flow[r->taken++];
	if (r->taken == r->count) {
		next = r->next;
		slab_give(&q->runs, run);
	}
	if (next != SLAB_NONE) {
		head = head_of(q, next);
		replace(q, &head);
	} else if (--q->heads > 0) {
		head = *head_at(q, q->heads);
		replace(q, &head);
	}
	return true;
}
