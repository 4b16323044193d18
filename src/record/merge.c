/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * merge.c - punctuation of structs goes into the prefixes of their members.
 *
 * Where a struct is sure to have its first member, "a":{ and "b": are one prefix; where it is sure
 * to have any, its closing bracket goes in front of what follows, in place of the comma behind the
 * last member.  So most structs cost nothing when a record is written.
 */
#include "record/step.h"

#include <string.h>

/* A member that is always written. */
static bool is_sure(const struct step *s, const struct step *behind)
{
	if ((s->flags & FIELD_OPTIONAL) || s->type == STEP_CLOSE)
		return false;
	return s->type != FIELD_STRUCT || (behind != NULL && behind->type != STEP_CLOSE);
}

/* Puts 'size' bytes in front of a step's prefix, if they fit. */
static bool put_in_front(struct step *s, const char *text, size_t size)
{
	if (s->prefix_size + size > STEP_PREFIX)
		return false;
	memmove(s->prefix + size, s->prefix, s->prefix_size);
	memcpy(s->prefix, text, size);
	s->prefix_size = (uint8_t)(s->prefix_size + size);
	return true;
}

/* Merges 's' into the step behind it; false when both have to stay. */
static bool merge(const struct step *s, struct step *next, const struct step *behind)
{
	if (s->type == FIELD_STRUCT)
		return is_sure(next, behind) && next->back == 0 &&
		       put_in_front(next, s->prefix, s->prefix_size);
	if (s->type != STEP_CLOSE || !s->filled)
		return false;
	if (next->back > 0)
		return put_in_front(next, "}", 1);
	if (!is_sure(next, behind) || !put_in_front(next, "},", 2))
		return false;
	next->back = 1;
	return true;
}

void step_merge(struct object *o)
{
	struct step *steps = o->steps;
	size_t first = o->count; /* of those that stay: the steps from here on */

	for (size_t i = o->count; i > 0; i--) {
		struct step *next = first < o->count ? &steps[first] : NULL;
		const struct step *behind = first + 1 < o->count ? &steps[first + 1] : NULL;

		if (next == NULL || !merge(&steps[i - 1], next, behind))
			steps[--first] = steps[i - 1];
	}
	o->count -= first;
	memmove(steps, steps + first, o->count * sizeof *steps);
}
