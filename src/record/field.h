/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * field.h - the tables that say what a record holds.
 *
 * Each struct that reaches a record has a table of fields: key, type, offset, unit, definition,
 * null rule, source.  One walk of the tables per format makes JSON, CSV, the JSON Schema and
 * doc/fields.md; nobody else writes a record.  A record is the tables of all enabled
 * features plus a pointer to a filled struct for each (NULL: absent from this record).
 *
 * The type comes from the struct member through _Generic, so a changed member changes its output.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Member types with a meaning of their own. */
struct field_text { /* from the wire: UTF-8 kept, other bytes escaped as \u00XX; p NULL: null */
	const char *p;
	size_t size;
};
struct field_hex { /* bytes, written as lower-case hexadecimal digits; p NULL: null */
	const uint8_t *p;
	size_t size;
};
struct field_address {
	uint8_t version; /* 4 or 6; 0 is null */
	uint8_t bytes[16];
};
struct field_list { /* of structs (sub) or scalars (item type) */
	const void *items;
	size_t count;
};
struct field_time { /* a moment: seconds since 1970 with 6 decimals, or 9 when 'nanoseconds' */
	int64_t ns;
	bool nanoseconds;
};
struct field_ms {   /* a duration, written exactly in milliseconds with up to 6 decimals */
	int64_t ns; /* < 0: null */
};
struct field_s {    /* a duration, written exactly in seconds with up to 9 decimals */
	int64_t ns; /* < 0: null */
};

enum field_type {
	FIELD_NONE,
	FIELD_BOOL,
	FIELD_U8,
	FIELD_U16,
	FIELD_U32,
	FIELD_U64,
	FIELD_I32,
	FIELD_I64,
	FIELD_F64,  /* NaN and infinities are null; 15 significant digits */
	FIELD_WORD, /* const char *: a word this program chose; NULL is null */
	FIELD_TEXT,
	FIELD_HEX,
	FIELD_ADDRESS,
	FIELD_TIME,
	FIELD_MS,
	FIELD_S,
	FIELD_STRUCT, /* in place; fields in 'sub' */
	FIELD_LIST,   /* struct field_list: of scalars of type 'item', or of structs of 'sub' */
};

enum { /* flags */
	/* the key of a null, an empty list, or a struct with nothing in it is left out; every field
	 * that can be null has this, so that no null is ever written */
	FIELD_OPTIONAL = 1 << 0,
	FIELD_NULLABLE = 1 << 1, /* an integer with all bits set (unsigned), -1 (signed), is null */
	FIELD_REVERSE = 1 << 2,  /* of the responder: only in records of both directions */
	FIELD_IS_ADDRESS = 1 << 3, /* holds, or may hold, addresses: anonymisation looks here */
	FIELD_PERSONAL = 1 << 4,   /* may name a person or host */
	/* a text that is a host's name, or may be: lists of names are matched against it, and
	 * anonymisation hashes it when asked */
	FIELD_IS_NAME = 1 << 5,
	FIELD_IS_PACKET = 1 << 6,    /* bytes that begin with an IP header */
	FIELD_COMMUNITY_ID = 1 << 7, /* a hash of the flow's addresses: made anew from others */
	FIELD_ABOUT_SA = 1 << 8, /* tells about the address sa: left out when that is replaced */
	FIELD_ABOUT_DA = 1 << 9, /* likewise of da */
	/* a text that may name a host or who has it, but is no name to look for in lists:
	 * anonymisation hashes it when asked */
	FIELD_NAMES_OWNER = 1 << 10,
};

/*
 * What becomes of a field when the parts of a split flow become one record (record/parts.h).  A
 * part "has" the field when it is not null, a list when it has items.
 */
enum field_merge {
	MERGE_INHERIT, /* as the struct it lies in; outermost: MERGE_SAME */
	MERGE_SAME,    /* kept where all parts have the same, else left out */
	MERGE_FIRST,   /* of the first part that has it */
	MERGE_LAST,    /* of the last part that has it */
	MERGE_BEGIN,   /* of the first part, and left out where that has none */
	MERGE_END,     /* likewise of the last part */
	MERGE_SUM,     /* of those that have it; of lists item by item */
	MERGE_MIN,
	MERGE_MAX,
	MERGE_CONCAT, /* lists one behind the other, up to num_pkts items */
	MERGE_UNION,  /* all that any list has, once; numbers in rising order */
	MERGE_WHOLE,  /* a struct: of the first part that has any of it, with all its members */
	MERGE_OWN,    /* by the data element's own merge(): until then as MERGE_BEGIN */
};

struct field {
	const char *key;
	enum field_type type;
	enum field_type item; /* of a FIELD_LIST of scalars */
	uint16_t flags;
	enum field_merge merge;
	uint32_t offset;
	uint32_t item_size;      /* of a FIELD_LIST */
	const struct field *sub; /* of FIELD_STRUCT and FIELD_LIST of structs */
	const char *unit;        /* "bytes", "ms", "" ... */
	const char *text;        /* definition: one sentence or a few, ending in a full stop */
	const char *null_rule;   /* when it is null or left out; NULL: never */
	const char *source;      /* RFC, IANA element, paper; NULL */
	const char *since;       /* version; NULL: 1.0 */
};

/* clang-format off */
#define FIELD_TYPE_OF(x) _Generic((x), \
	bool: FIELD_BOOL, uint8_t: FIELD_U8, uint16_t: FIELD_U16, uint32_t: FIELD_U32, \
	uint64_t: FIELD_U64, int32_t: FIELD_I32, int64_t: FIELD_I64, double: FIELD_F64, \
	const char *: FIELD_WORD, struct field_text: FIELD_TEXT, struct field_hex: FIELD_HEX, \
	struct field_address: FIELD_ADDRESS, struct field_time: FIELD_TIME, \
	struct field_ms: FIELD_MS, struct field_s: FIELD_S)
/* clang-format on */

/* FIELD(struct x, member, "key", "unit", "Definition.", .flags = ..., .null_rule = ...) */
#define FIELD(st, member, name, in_unit, definition, ...)                                          \
	{                                                                                          \
		.key = name, .type = FIELD_TYPE_OF(((st *)0)->member),                             \
		.offset = offsetof(st, member), .unit = in_unit, .text = definition, __VA_ARGS__   \
	}

/* A struct inside the struct, with a table of its own. */
#define FIELD_SUB(st, member, name, table, definition, ...)                                        \
	{                                                                                          \
		.key = name, .type = FIELD_STRUCT, .offset = offsetof(st, member), .sub = table,   \
		.unit = "", .text = definition, __VA_ARGS__                                        \
	}

/* A struct field_list of structs 'of', each described by 'table'. */
#define FIELD_LIST_OF(st, member, name, of, table, definition, ...)                                \
	{                                                                                          \
		.key = name, .type = FIELD_LIST, .offset = offsetof(st, member), .sub = table,     \
		.item_size = sizeof(of), .unit = "", .text = definition, __VA_ARGS__               \
	}

/* A struct field_list of scalars of C type 'of'. */
#define FIELD_SCALARS(st, member, name, of, in_unit, definition, ...)                              \
	{                                                                                          \
		.key = name, .type = FIELD_LIST, .offset = offsetof(st, member),                   \
		.item = FIELD_TYPE_OF(*(of *)0), .item_size = sizeof(of), .unit = in_unit,         \
		.text = definition, __VA_ARGS__                                                    \
	}

/* A table ends with { 0 }. */
