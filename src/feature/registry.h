/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * registry.h - the features of one run: their options, who is on, where each state lies.
 */
#pragma once

#include "feature/feature.h"

enum {
	REGISTRY_MAX = 32
}; /* features: one bit each in a flow's set of those that have seen enough */

struct registry {
	struct conf core;
	struct option_set sets_[1 + REGISTRY_MAX]; /* core, then each feature that has options */
	struct option_sets sets;
	void *options[REGISTRY_MAX]; /* each feature's options struct, or NULL */

	/* after registry_settle(): */
	bool is_on[REGISTRY_MAX];
	bool is_ready[REGISTRY_MAX]; /* options are prepared, files read: of those on that work */
	size_t prepared;             /* features asked to prepare so far */
	size_t on_count;
	const struct feature *on[REGISTRY_MAX]; /* enabled, in list order */
	const void *on_options[REGISTRY_MAX];
	size_t on_size[REGISTRY_MAX];    /* of the state, a multiple of 8; 0 without one */
	uint32_t on_wants[REGISTRY_MAX]; /* what it wants in this run */
	size_t on_reads[REGISTRY_MAX];   /* place in 'on' of the feature it reads; or its own */
	const struct field *tables[REGISTRY_MAX]; /* for plan_new() */
};

/* Lays out the options of core and features with their defaults. */
struct registry *registry_new(struct err *e);
void registry_free(struct registry *r);

/* Finds who would be on by the present options, and reads no file. */
bool registry_preview(struct registry *r, struct err *e);

/* Options are final: resolves presets and features=, finds who is on, lays out states. */
bool registry_settle(struct registry *r, struct err *e);

/*
 * The same for records that are written already: on are those for which has[] says so (by place in
 * feature_list), and of those that rewrite the ones that their options switch on.  Only these are
 * made ready.
 */
bool registry_settle_records(struct registry *r, const bool *has, struct err *e);

bool registry_is_ready(const struct registry *r, const struct feature *f);

/* Has every feature that is on read its files again, while workers run; false: the first error, and
 * all is as before.  Else registry_swap() is to follow while they stand still. */
bool registry_reload(struct registry *r, struct err *e);
void registry_swap(struct registry *r);

/* Which fields of written records hold addresses of the list that anon= names; see
 * host/anon_check.h.  No need for registry_settle(). */
bool registry_check(const struct registry *r, const char *records, struct buf *report,
		uint64_t *found, struct err *e);

/* What becomes of a line that is no record, such as the configuration object. */
bool registry_line(const struct registry *r, struct buf *line, struct err *e);

/* Calls poll() of every feature that is on; see feature.h. */
void registry_poll(struct registry *r, void (*say)(void *ctx, const char *text), void *ctx);
