/* SPDX-License-Identifier: BSD-3-Clause */
/* trail.c - growth of packed lists: by half each time, to the size that a block really has. */
#include "feature/trail.h"

bool trail_grow(struct trail *t, const struct feature_env *env, struct flow *flow, uint32_t n)
{
	size_t size = (size_t)t->size + t->size / 2 + n;

	if (size > LIMIT_TRAIL_BYTES) {
		flow->marks |= FLOW_CAPPED;
		return false;
	}
	size = pool_room(size);

	uint8_t *p = arena_move(&flow->arena, env->pool, t->p, t->size, size);

	if (p == NULL) {
		flow->marks |= FLOW_NO_MEMORY;
		return false;
	}
	t->p = p;
	t->room = (uint32_t)size;
	return true;
}
