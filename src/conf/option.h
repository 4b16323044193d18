/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * option.h - one option: its name, where its value lives, and the words about it.
 *
 * Options come in sets: the core's table (options.c) bound to struct conf, and one small
 * table for each feature bound to that feature's own struct.  All sets together drive key=value,
 * configuration files, joy_set(), --help, the man page, shell completion and the configuration
 * object.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct option_seconds { /* written in seconds with decimals, kept in ns */
	int64_t ns;
};
struct option_size { /* bytes; K, M, G, T (powers of 1024) may follow the number */
	uint64_t bytes;
};

enum option_type {
	OPTION_END,
	OPTION_BOOL, /* 0 or 1 */
	OPTION_U32,
	OPTION_U64,
	OPTION_TEXT, /* char *: owned by the set, NULL for "none" */
	OPTION_SECONDS,
	OPTION_SIZE,
};

enum {                              /* flags */
	OPTION_SECRET = 1 << 0,     /* never in the configuration object */
	OPTION_RELOADABLE = 1 << 1, /* may change while running */
	OPTION_FEATURE = 1 << 2,    /* switches a data element on: features=all sets it to 'on' */
	OPTION_COMMAND = 1 << 3,    /* asks for something to be printed instead of a run */
	OPTION_FILE = 1 << 4,       /* a path: completion offers files */
	OPTION_PLACE = 1 << 5,      /* where output goes, not what it is: not in it either */
	OPTION_REPEAT = 1 << 6,     /* a text that may be given several times: see below */
	OPTION_AUTO = 1 << 7,       /* a place that takes the word auto */
};

/*
 * An OPTION_REPEAT keeps its values as one text, with newlines between.  A value of the same rank
 * is added (unless it is there), one of a higher rank replaces all; none takes all away.  A text
 * with newlines gives several.
 */
struct option {
	const char *name;
	enum option_type type;
	uint32_t flags;
	size_t offset;
	uint64_t minimum, maximum;  /* numbers; seconds in ns; maximum 0: no limit */
	const char *initial;        /* as a user would write it; NULL: 0 or none */
	const char *on;             /* with OPTION_FEATURE: value that features=NAME means */
	const char *const *choices; /* the only words allowed, NULL-terminated; or NULL */
	const char *value; /* what stands behind the = in help: "N", "FILE", "SECONDS"; NULL: 0|1 */
	const char *help;  /* one line */
	const char *more;  /* further sentences for the man page; or NULL */
	const char *group; /* heading in help; NULL: that of the option before */
	const char *since; /* version; NULL: 1.0 */
};

/* clang-format off */
#define OPTION_TYPE_OF(x) _Generic((x), bool: OPTION_BOOL, uint32_t: OPTION_U32, \
	uint64_t: OPTION_U64, char *: OPTION_TEXT, \
	struct option_seconds: OPTION_SECONDS, struct option_size: OPTION_SIZE)
/* clang-format on */

/* OPTION(struct conf, member, "name", "help", .initial = "1", ...): changing the member changes the
 * parser. */
#define OPTION(st, member, called, words, ...)                                                     \
	{                                                                                          \
		.name = called, .type = OPTION_TYPE_OF(((st *)0)->member),                         \
		.offset = offsetof(st, member), .help = words, __VA_ARGS__                         \
	}

/* A table and the struct it is bound to. A table ends with { 0 }. */
struct option_set {
	const struct option *table;
	void *base;
};
