/* SPDX-License-Identifier: BSD-3-Clause */
/* places.h - where a run writes: what a sandbox must allow, and what a user must be able to. */
#pragma once

#include <limits.h>

#include "base/err.h"
#include "joy.h"

struct places {
	char output[PATH_MAX];  /* folder of the output, with the spool of uploads below; "" without
				 */
	char log[PATH_MAX];     /* the log file; "" without */
	char control[PATH_MAX]; /* the control socket; "" without */
	char pidfile[PATH_MAX]; /* "" without */

	/* folders, NULL-terminated; they point to what is above and below */
	const char *write[3];
	const char *tidy[3];
	char folders[3][PATH_MAX];
};

/* By the options; false: a path is too long. */
bool places_find(struct places *p, struct joy *j, struct err *e);
