/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * step.h - a compiled field: what to_json.c and to_csv.c walk.  Private to the room.
 *
 * A struct in place is flattened: a FIELD_STRUCT step, the members with offsets from the outer
 * struct, a STEP_CLOSE.  A list of structs has an object of its own for the items.
 */
#pragma once

#include "base/json.h"
#include "record/plan.h"

enum {
	STEP_CLOSE = 255,               /* in step.type: the end of a struct in place */
	STEP_PREFIX = 32,               /* bytes of a prefix, which is copied as a whole */
	STEP_KEY_MAX = STEP_PREFIX - 4, /* so keys are at most so long: quotes, colon, bracket */
	STEP_SLACK = 32, /* bytes of room behind every object: brackets, commas, a prefix's overhang
			  */
	STEP_SHORT = 32, /* a text of so many plain bytes needs no extra room */
};

/* What to_json.c does for a step, where that takes one look: by its type and flags, see plan.c. */
enum step_op {
	OP_END, /* behind the last step */
	OP_OTHER,
	OP_U8, /* a whole number */
	OP_U16,
	OP_U32,
	OP_U64,
	OP_SOME_U8, /* likewise, left out when all its bits are set */
	OP_SOME_U16,
	OP_SOME_U32,
	OP_SOME_U64,
	OP_RUN, /* several of OP_U64 and OP_SOME_U64, one behind the other in memory as well; see
		   runs.c */
	OP_I32, /* left out when -1 */
	OP_I64,
	OP_MS,  /* left out when FIELD_OPTIONAL and null */
	OP_F64, /* left out when null */
	OP_TIME,
	OP_WORD, /* this and the next two: left out when FIELD_OPTIONAL and NULL */
	OP_TEXT,
	OP_HEX,
	OP_LIST,
	OP_OPEN, /* a struct begins */
	OP_CLOSE,
};

struct step;

/* Writes the member of the struct at 'base', and all behind it; the place behind the last one, or
 * NULL when the buffer failed. */
typedef char *step_put(const struct step *s, const uint8_t *base, char *to, struct buf *out);

/* One cache line. */
struct step {
	char prefix[STEP_PREFIX]; /* "key": with the bracket of a struct or list; zeros behind */
	step_put *put;
	union {
		const struct object *items; /* of a list of structs */
		const struct step_run *run; /* that begins here: of OP_RUN */
	};
	uint32_t rest; /* room that the steps behind it may need, without texts and lists */
	uint16_t offset;
	uint16_t item_size; /* STEP_CLOSE: size of the prefix that opened the struct */
	uint16_t flags;
	uint8_t prefix_size;
	uint8_t type; /* enum field_type or STEP_CLOSE */
	uint8_t item; /* of a list of scalars */
	uint8_t op;   /* enum step_op */
	uint8_t back; /* bytes that the prefix begins before: the comma of the member before */
	bool filled;  /* STEP_CLOSE: its struct always has a member */
};

_Static_assert(sizeof(struct step) == 64, "a step is one cache line");

/* The step it begins at is followed by those of its other members. */
struct step_run {
	uint32_t count;
	uint32_t zeros_size;
	char zeros[]; /* the text of its members, with a comma behind, when all are 0 */
};

struct object {
	struct step *steps;
	size_t count;
	uint32_t room; /* that all steps may need, without texts and lists */
};

struct plan {
	struct object *tables;
	size_t count;
	struct buf header;          /* the first line of CSV */
	struct plan_memory *memory; /* all of the above but 'header' */
};

/* Memory that lives as long as the plan; NULL: none is left. */
void *plan_allocate(struct plan *p, size_t size);

/* Finds the runs; false: no memory. */
bool step_find_runs(struct plan *p, struct object *o);

/* Merges steps that only write brackets into their neighbours. */
void step_merge(struct object *o);

/* Gives each step the function that writes it as JSON. */
void step_bind(struct object *o);

/* The list as JSON, from '[' to ']'; leaves 'rest' bytes of room behind; NULL when the buffer
 * failed. */
char *step_list(const struct step *s, const struct field_list *list, uint32_t rest, char *to,
		struct buf *out);

/* Makes sure that 'n' bytes may be written at 'to', which lies in 'out' behind its size; the place
 * may move. */
static inline char *step_room(struct buf *out, char *to, size_t n)
{
	if ((size_t)(out->p + out->room - to) >= n)
		return to;
	out->size = (size_t)(to - out->p);
	return buf_reserve(out, n);
}
