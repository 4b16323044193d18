/* SPDX-License-Identifier: BSD-3-Clause */
/* watch_read.h - reading one list.  Private to watch.c. */
#pragma once

#include "base/limits.h"
#include "host/nameset.h"
#include "host/watch.h"

struct watch {
	char *lists[LIMIT_LIST_FILES]; /* names of the files, without folders */
	size_t list_count;
	struct prefix_table *subnets;
	struct nameset *names;
};

/* Adds the entries of a file; their value is 'list'. */
bool watch_read(struct watch *w, const char *path, uint32_t list, struct err *e);
