/* SPDX-License-Identifier: BSD-3-Clause */
/* plan_kit.h - field tables with every type and flag, for the tests of records. */
#pragma once

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "json_valid.h"
#include "record/plan.h"

/* --- a record with everything -------------------------------------------------------------------
 */

struct item {
	uint16_t size;
	const char *dir;
	struct field_text name;
	struct field_list inner;
};
static const struct field item_fields[] = {
	FIELD(struct item, size, "b", "bytes", "Size."),
	FIELD(struct item, dir, "dir", "", "Direction."),
	FIELD(struct item, name, "name", "", "Name.", .flags = FIELD_OPTIONAL,
			.null_rule = "no name"),
	FIELD_SCALARS(struct item, inner, "inner", uint8_t, "", "Bytes.", .flags = FIELD_OPTIONAL),
	{ 0 },
};

struct side {
	uint8_t ttl;
	int32_t id;
};
static const struct field side_fields[] = {
	FIELD(struct side, ttl, "ttl", "hops", "Time to live."),
	FIELD(struct side, id, "id", "", "Identifier.", .flags = FIELD_OPTIONAL | FIELD_NULLABLE,
			.null_rule = "no identifier"),
	{ 0 },
};

struct both {
	struct side out, in;
};
static const struct field both_fields[] = {
	FIELD_SUB(struct both, out, "out", side_fields, "What the initiator sent."),
	FIELD_SUB(struct both, in, "in", side_fields, "What the responder sent.",
			.flags = FIELD_REVERSE),
	{ 0 },
};

struct maybe {
	const char *a;
	uint32_t n;
};
static const struct field maybe_fields[] = {
	FIELD(struct maybe, a, "a", "", "A word.", .flags = FIELD_OPTIONAL, .null_rule = "no word"),
	FIELD(struct maybe, n, "n", "", "A number.", .flags = FIELD_OPTIONAL | FIELD_NULLABLE,
			.null_rule = "left out without a number"),
	{ 0 },
};

struct all {
	bool yes;
	uint8_t u8;
	uint16_t u16;
	uint32_t u32;
	uint64_t u64;
	int32_t i32;
	int64_t i64;
	double f64;
	const char *word;
	struct field_text text;
	struct field_hex hex;
	struct field_address address;
	struct field_time time;
	struct field_ms ms;
	struct field_s s;
	struct both ip;
	struct maybe maybe;
	struct field_list items, counts, texts;
};

enum { PLAIN = 0, NULLABLE = FIELD_NULLABLE, OPTIONAL = FIELD_NULLABLE | FIELD_OPTIONAL };

/* The same fields, once for each way to treat null. */
#define FIELDS(how)                                                                                \
	{                                                                                          \
		FIELD(struct all, yes, "yes", "", "A truth."),                                     \
				FIELD(struct all, u8, "u8", "", "N.", .flags = how,                \
						.null_rule = "none"),                              \
				FIELD(struct all, u16, "u16", "", "N.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, u32, "u32", "", "N.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, u64, "u64", "bytes", "N.", .flags = how,         \
						.null_rule = "none"),                              \
				FIELD(struct all, i32, "i32", "", "N.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, i64, "i64", "", "N.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, f64, "f64", "bits", "N.", .flags = how,          \
						.null_rule = "none"),                              \
				FIELD(struct all, word, "word", "", "W.", .flags = how,            \
						.null_rule = "none"),                              \
				FIELD(struct all, text, "text", "", "T.", .flags = how,            \
						.null_rule = "none"),                              \
				FIELD(struct all, hex, "hex", "", "H.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, address, "address", "", "A.", .flags = how,      \
						.null_rule = "none"),                              \
				FIELD(struct all, time, "time", "s", "T."),                        \
				FIELD(struct all, ms, "ms", "ms", "D.", .flags = how,              \
						.null_rule = "none"),                              \
				FIELD(struct all, s, "s", "s", "D.", .flags = how,                 \
						.null_rule = "none"),                              \
				FIELD_SUB(struct all, ip, "ip", both_fields, "Both sides."),       \
				FIELD_SUB(struct all, maybe, "maybe", maybe_fields, "M.",          \
						.flags = how),                                     \
				FIELD_LIST_OF(struct all, items, "items", struct item,             \
						item_fields, "I.", .flags = how & FIELD_OPTIONAL), \
				FIELD_SCALARS(struct all, counts, "counts", uint64_t, "", "C.",    \
						.flags = how & FIELD_OPTIONAL),                    \
				FIELD_SCALARS(struct all, texts, "texts", struct field_text, "",   \
						"X.", .flags = how & FIELD_OPTIONAL),              \
				{ 0 },                                                             \
	}

static const struct field plain_fields[] = FIELDS(PLAIN);
static const struct field nullable_fields[] = FIELDS(NULLABLE);
static const struct field optional_fields[] = FIELDS(OPTIONAL);

struct small {
	uint32_t n;
};
static const struct field small_fields[] = {
	FIELD(struct small, n, "small_number", "packets", "Counts <something> | more.",
			.source = "RFC 5103", .since = "1.1"),
	{ 0 },
};
