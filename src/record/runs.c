/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * runs.c - whole numbers that stand side by side, in the struct and in the record.
 *
 * Counters of what seldom happens are all 0 in most records: then a run of them is one prepared
 * text.
 */
#include "record/step.h"

#include <string.h>

enum { LEAST = 4 }; /* members of a run */

static bool is_whole(const struct step *s)
{
	return s->op == OP_U64 || s->op == OP_SOME_U64;
}

/* How many steps from 's' on make a run. */
static size_t count_run(const struct step *s, const struct step *end)
{
	size_t count = 1;

	while (s + count < end && is_whole(s + count) && s[count].back == 0 &&
			s[count].offset == s->offset + count * sizeof(uint64_t))
		count++;
	return count;
}

static const struct step_run *prepare(struct plan *p, const struct step *s, size_t count)
{
	struct step_run *run = plan_allocate(p, sizeof *run + count * (STEP_PREFIX + 2));
	char *to;

	if (run == NULL)
		return NULL;
	to = run->zeros;
	for (size_t i = 0; i < count; i++) {
		memcpy(to, s[i].prefix, s[i].prefix_size);
		to += s[i].prefix_size;
		memcpy(to, "0,", 2);
		to += 2;
	}
	run->count = (uint32_t)count;
	run->zeros_size = (uint32_t)(to - run->zeros);
	return run;
}

bool step_find_runs(struct plan *p, struct object *o)
{
	struct step *const end = o->steps + o->count;

	for (struct step *s = o->steps; s < end;) {
		const size_t count = is_whole(s) ? count_run(s, end) : 1;

		if (count >= LEAST) {
			s->run = prepare(p, s, count);
			if (s->run == NULL)
				return false;
			s->op = OP_RUN;
		}
		s += count;
	}
	return true;
}
