/* SPDX-License-Identifier: BSD-3-Clause */
/* exe_out.h - what the record says of the processes at a flow's ends. */
#pragma once

#include "host/process.h"
#include "record/field.h"

struct exe_process {
	struct field_text name, path;
	uint32_t pid;
	struct exe_parent {
		uint32_t pid;
		struct field_text name;
	} parent;
	uint32_t uid;
	struct field_text user, cmdline, container, cgroup;
	struct field_s start;
	struct field_hex hash;
	const char *confidence, *side;
};

struct exe_out {
	struct exe_process exe, peer;
};

extern const struct field exe_fields[];

/* Nothing is known. */
void exe_nobody(struct exe_process *to);

/* Texts and hash point into 'p'. */
void exe_fill(struct exe_process *to, const struct process *p, unsigned confidence, bool initiator);
