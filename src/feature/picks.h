/* SPDX-License-Identifier: BSD-3-Clause */
/* picks.h - what somebody looks for in the tables of all features (record/pick.h). */
#pragma once

#include "feature/registry.h"
#include "record/pick.h"

struct picks {
	struct pick *of[REGISTRY_MAX]; /* by place in feature_list; NULL: nothing */
};

/* Where the tables of a run stand among all; a worker's, found with its first record. */
struct picks_map {
	bool known;
	uint8_t place[REGISTRY_MAX];
};

/* Looks into all tables but one (NULL: none is left out). */
bool picks_new(struct picks *p, pick_wants *wants, const struct field *but, struct err *e);
void picks_free(struct picks *p);

void picks_visit(const struct picks *p, struct picks_map *map, const struct feature_record *record,
		const struct pick_walk *walk);
