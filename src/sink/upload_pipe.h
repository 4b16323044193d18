/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_pipe.h - a program with pipes to its standard streams, as the uploader runs ssh.  Private
 * to the room.
 *
 * The program gets a process group of its own, its rights back to what the uploader was started
 * with, no open files but the pipes, and dies with the uploader.  Every wait also ends when the
 * main process goes away.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"

#include <stdint.h>
#include <sys/types.h>

/* What the main process has said through the socket. */
enum { UPLOAD_WAKE = 'w', UPLOAD_STOP = 's' };
struct upload_control {
	int fd;
	bool woken;                 /* there may be new files */
	bool stop;                  /* finish what waits, then end */
	bool end;                   /* the main process is gone: end now */
	void (*changed)(void *ctx); /* called after a wake, from within any wait; may be NULL */
	void *ctx;
};

/* Takes what has come; never waits. */
void upload_control_read(struct upload_control *c);

/* Waits for a word, at most so long (-1: for ever). */
void upload_control_wait(struct upload_control *c, int timeout_ms);

int64_t upload_now_ms(void); /* monotonic */

struct upload_pipe {
	struct upload_control *control;
	uint32_t stall_ms;
	pid_t pid; /* 0: not running */
	int to, from, errors;
	struct buf out; /* not yet taken by the program: from 'sent' */
	size_t sent;
	struct buf in; /* not yet taken by us: from 'taken' */
	size_t taken;
	bool ended; /* nothing more will come */
	int64_t moved_ms;
	char line[2][160]; /* the last lines it has said */
	bool line_ended;   /* the last one has */
};

/* Starts argv[0] with these words. */
bool upload_pipe_open(struct upload_pipe *p, struct upload_control *control, uint32_t stall_ms,
		char *const argv[], struct err *e);

/* The program's input ends here. */
void upload_pipe_no_more(struct upload_pipe *p);

/* Bytes on their way to the program. */
size_t upload_pipe_unsent(const struct upload_pipe *p);

/* Waits until something has moved; false when it has ended, hangs, or we are to end. */
bool upload_pipe_turn(struct upload_pipe *p, struct err *e);

/* Gives it a moment to end by itself, ends it with all it has started, frees.  Twice is fine. */
void upload_pipe_close(struct upload_pipe *p);
