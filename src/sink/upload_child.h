/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_child.h - the uploader: the process that works off the spool.  Private to the room.
 *
 * It is two: a keeper that does nothing but wait, and the one that works, which is started again
 * should it crash.  Both end when the main process does.
 *
 * The socket to the main process carries single letters down (upload_pipe.h) and lines up: a digit,
 * enum upload_news, and what to say.  Numbers are in shared memory.
 */
#pragma once

#include "sink/upload.h"
#include "sink/upload_command.h"
#include "sink/upload_confine.h"
#include "sink/upload_spool.h"

#include <stdatomic.h>

/* Written by the uploader, read by anybody. */
struct upload_shared {
	_Atomic uint64_t waiting, done, failed_tries;
	_Atomic uint64_t oldest; /* when it was added, ns since 1970; 0: none */
	_Atomic bool away;
};

struct upload_child {
	struct upload_target target;
	struct upload_command command;
	struct upload_spool spool;
	struct upload_user user;
	struct upload_shared *shared;
	bool retain;
	uint32_t retry_ms, retry_max_ms, stall_ms;
	int fd;       /* to the main process */
	pid_t parent; /* the main process */
};

enum { UPLOAD_LINE = 640 }; /* the longest line, with its newline */

/* In the child, right after fork(), with all signals blocked.  Never returns. */
_Noreturn void upload_child_run(struct upload_child *c);
