/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * conf.h - the core's options as one struct, and how text becomes values.
 *
 * The table is in options.c.  Features bring their own options (feature.h).
 * A value has a rank by where it comes from: conf_set() beats conf_load(), which beats the initial
 * value, in whatever order they are called.  Among equals the last one wins, or is added
 * (OPTION_REPEAT).
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"
#include "conf/option.h"

enum conf_rank { CONF_INITIAL, CONF_FILE, CONF_SET };

struct conf {
	/* input */
	char *bpf;
	bool independent; /* each file has flows of its own */

	/* live capture */
	char *interface; /* NULL: files */
	bool promisc;
	uint32_t snaplen;
	char *capture, *clock;
	struct option_size ring;
	uint32_t threads;
	struct option_seconds drops_interval;

	/* flows */
	bool bidir;
	bool vlan_key;
	char *tunnel; /* "inner" or "outer" */
	struct option_seconds idle_timeout, active_timeout, linger;
	char *timeouts; /* preset by name; NULL: the two above */
	uint32_t community_id_seed;
	bool community_id;
	struct option_size memory;
	bool merge;

	/* what is listed for each flow */
	char *features; /* "all" or a comma-separated list */
	uint32_t num_pkts;
	bool zeros, retrans;
	uint32_t type; /* 1 SPLT, 2 SALT */

	/* output */
	char *output, *outdir, *logfile;
	uint64_t count; /* of records in a file; 0: all */
	struct option_seconds rotate, keep_time;
	struct option_size rotate_size, keep_size;
	char *upload, *keyfile, *known_hosts;
	bool retain;
	uint32_t verbosity;
	bool progress;

	/* service */
	char *username, *pidfile, *control, *metrics;
	bool sandbox, daemon;

	/* commands */
	char *ctl;
	bool help, version, show_config, show_interfaces;
	char *explain, *print;

	/* enum conf_rank of each option's value; counted through all sets of the run */
	uint8_t rank[LIMIT_OPTIONS];
};

extern const struct option conf_options[]; /* bound to struct conf */

/* The sets of one run, core first. */
struct option_sets {
	const struct option_set *set;
	size_t count;
};

/* Sets every option to its initial value.  The structs must be zero, or freed by conf_free(). */
bool conf_defaults(const struct option_sets *sets, struct err *e);

/* Frees all texts. */
void conf_free(const struct option_sets *sets);

/*
 * Sets one option from text.  Unknown names (the error names the nearest), values out of
 * range and words that are no choice are errors that say what is allowed.
 */
bool conf_set(const struct option_sets *sets, const char *name, const char *value, struct err *e);

/* Takes "name=value" with white space around both, or "name" alone for name=1. */
bool conf_set_line(const struct option_sets *sets, const char *text, struct err *e);

/* Reads a configuration file: one command a line, # comments.  Errors name file and line. */
bool conf_load(const struct option_sets *sets, const char *path, struct err *e);

/* The same for text in memory; 'name' is what errors call it. */
bool conf_load_text(const struct option_sets *sets, const char *name, const void *bytes,
		size_t size, struct err *e);

/*
 * What can only be said when all is known: timeouts=preset into the two timeouts, features=...
 * into the switches, where these were not given themselves with at least the same rank.
 * To be called after the last conf_set(); calling it again changes nothing.
 */
bool conf_settle(const struct option_sets *sets, struct conf *core, struct err *e);

/* The option of that name and the set it is in; NULL when there is none. */
const struct option *conf_find(
		const struct option_sets *sets, const char *name, const struct option_set **in);

/* Takes back what a configuration file says of an option; what conf_set() says stays. */
bool conf_forget(const struct option_sets *sets, const char *name, struct err *e);

/* Where its present value comes from; CONF_INITIAL too when there is no such option. */
enum conf_rank conf_rank_of(const struct option_sets *sets, const char *name);

/* An option's present value as a user would write it; those of an OPTION_REPEAT with newlines
 * between. */
void conf_value(const struct option *o, const void *base, struct buf *out);

/* The same as a JSON value: numbers for all but texts; bool as 0 or 1, seconds with decimals, sizes
 * in bytes, a list of texts for an OPTION_REPEAT. */
void conf_value_json(const struct option *o, const void *base, struct buf *out);
