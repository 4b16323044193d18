/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * value.h - one member of a struct as text, for the types whose size has a limit.  Private to the
 * room.
 *
 * Inline, because the walk of a record spends its time here.
 */
#pragma once

#include "base/json.h"
#include "record/field.h"

enum { VALUE_ROOM = JSON_ROOM_ADDRESS + 4 }; /* any of them, with quotes, comma and overhang */

static inline uint64_t value_load(const uint8_t *at, size_t size)
{
	uint8_t v8;
	uint16_t v16;
	uint32_t v32;
	uint64_t v64;

	switch (size) {
	case 1:
		return memcpy(&v8, at, 1), v8;
	case 2:
		return memcpy(&v16, at, 2), v16;
	case 4:
		return memcpy(&v32, at, 4), v32;
	default:
		return memcpy(&v64, at, 8), v64;
	}
}

static inline const char *value_word(const uint8_t *at)
{
	const char *word;

	memcpy(&word, at, sizeof word);
	return word;
}

static inline char *value_null(char *to)
{
	memcpy(to, "null", 4);
	return to + 4;
}

static inline char *value_unsigned(const uint8_t *at, size_t size, unsigned flags, char *to)
{
	const uint64_t v = value_load(at, size);

	if ((flags & FIELD_NULLABLE) && v == UINT64_MAX >> (64 - 8 * size))
		return value_null(to);
	return json_put_u64(to, v);
}

static inline char *value_signed(int64_t v, unsigned flags, char *to)
{
	if ((flags & FIELD_NULLABLE) && v == -1)
		return value_null(to);
	return json_put_i64(to, v);
}

static inline char *value_f64(const uint8_t *at, char *to)
{
	double v;

	memcpy(&v, at, sizeof v);
	return json_put_f64(to, v);
}

static inline char *value_time(const uint8_t *at, char *to)
{
	struct field_time t;

	memcpy(&t, at, sizeof t);
	return json_put_time(to, t.ns, t.nanoseconds);
}

static inline char *value_address(const uint8_t *at, bool quoted, char *to)
{
	if (*at != 4 && *at != 6)
		return value_null(to);
	if (quoted)
		*to++ = '"';
	to = *at == 4 ? json_put_ipv4(to, at + offsetof(struct field_address, bytes))
		      : json_put_ipv6(to, at + offsetof(struct field_address, bytes));
	if (quoted)
		*to++ = '"';
	return to;
}

static inline char *value_bool(const uint8_t *at, char *to)
{
	memcpy(to, *at ? "true" : "false", 5);
	return to + (*at ? 4 : 5);
}

/* Returns the place behind, or NULL for a type without a limit to its size.  VALUE_ROOM bytes of
 * room. */
static inline char *value_put(
		unsigned type, unsigned flags, const uint8_t *at, bool quoted, char *to)
{
	int64_t ns;

	switch (type) {
	case FIELD_BOOL:
		return value_bool(at, to);
	case FIELD_U8:
		return value_unsigned(at, 1, flags, to);
	case FIELD_U16:
		return value_unsigned(at, 2, flags, to);
	case FIELD_U32:
		return value_unsigned(at, 4, flags, to);
	case FIELD_U64:
		return value_unsigned(at, 8, flags, to);
	case FIELD_I32:
		return value_signed((int32_t)value_load(at, 4), flags, to);
	case FIELD_I64:
		return value_signed((int64_t)value_load(at, 8), flags, to);
	case FIELD_F64:
		return value_f64(at, to);
	case FIELD_ADDRESS:
		return value_address(at, quoted, to);
	case FIELD_TIME:
		return value_time(at, to);
	case FIELD_MS:
		ns = (int64_t)value_load(at, 8);
		return ns < 0 ? value_null(to) : json_put_ms(to, ns);
	case FIELD_S:
		ns = (int64_t)value_load(at, 8);
		return ns < 0 ? value_null(to) : json_put_s(to, ns);
	default:
		return NULL;
	}
}

/* Whether a value of any scalar type is null. */
static inline bool value_is_null(unsigned type, unsigned flags, const uint8_t *at)
{
	const uint64_t infinite = (uint64_t)0x7ff << 52;

	switch (type) {
	case FIELD_U8:
		return (flags & FIELD_NULLABLE) && *at == UINT8_MAX;
	case FIELD_U16:
		return (flags & FIELD_NULLABLE) && value_load(at, 2) == UINT16_MAX;
	case FIELD_U32:
		return (flags & FIELD_NULLABLE) && value_load(at, 4) == UINT32_MAX;
	case FIELD_U64:
		return (flags & FIELD_NULLABLE) && value_load(at, 8) == UINT64_MAX;
	case FIELD_I32:
		return (flags & FIELD_NULLABLE) && (int32_t)value_load(at, 4) == -1;
	case FIELD_I64:
		return (flags & FIELD_NULLABLE) && (int64_t)value_load(at, 8) == -1;
	case FIELD_F64:
		return (value_load(at, 8) & infinite) == infinite;
	case FIELD_ADDRESS:
		return *at != 4 && *at != 6;
	case FIELD_MS:
	case FIELD_S:
		return (int64_t)value_load(at, 8) < 0;
	case FIELD_WORD:
	case FIELD_TEXT:
	case FIELD_HEX: /* all begin with their pointer */
		return value_word(at) == NULL;
	default:
		return false;
	}
}

_Static_assert(offsetof(struct field_text, p) == 0 && offsetof(struct field_hex, p) == 0,
		"value_is_null() looks there");
