/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * heads.h - what the first lines of files of records say: which data elements were switched on,
 * whether records have both directions.
 */
#pragma once

#include "base/buf.h"
#include "base/rd.h"
#include "engine/engine.h"

struct heads {
	bool on[REGISTRY_MAX]; /* by feature_list: in any file */
	bool both;
	size_t count;             /* lines that were seen */
	struct buf configuration; /* the first that is one, without newline */
};

/* Begins with nothing. */
struct heads heads_new(void);
void heads_free(struct heads *h);

/* Whether the line is a configuration; then its options are set. */
bool heads_options(struct registry *r, struct rd line);

/* A first line.  One that is no configuration may have records of any kind behind it: all is on
 * then. */
bool heads_add(struct heads *h, struct rd line, struct err *e);

/* Behind the last: without any, all is on. */
void heads_end(struct heads *h);
