/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process.h - which process of this host is at an end of a flow.
 *
 * A child process, the watcher, keeps the rights to see processes and sockets: it is forked before
 * the sensor gives its own away, and never sees a packet.  It follows sockets by eBPF where the
 * kernel lets it, else by sock_diag, and reports through a socket pair.  The sensor keeps what it
 * hears in tables of fixed size: one thread fills them (process_watch_poll()), any number of
 * workers read them without a lock.
 *
 * Times of sockets and processes are those of CLOCK_BOOTTIME, in ns: it never steps.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/err.h"
#include "base/limits.h"

enum process_confidence {
	PROCESS_NOBODY,
	PROCESS_GUESS, /* owner of the port, or of the socket that listens there */
	PROCESS_LATE,  /* owner of this very socket, found by looking while it lived */
	PROCESS_EXACT, /* the kernel reported this socket's process as it acted */
};

enum process_method {    /* how the watcher follows sockets */
	PROCESS_BY_BEST, /* the first of the others that works */
	PROCESS_BY_EBPF,
	PROCESS_BY_DIAG, /* dumps of the kernel's socket tables, ten times a second */
	PROCESS_BY_PROC, /* the same from /proc/net and /proc/PID/fd */
};

struct process_conf {
	enum process_method method;
	bool cmdline;     /* read command lines */
	bool hash;        /* SHA-256 of executables */
	bool filter;      /* refuse the watcher system calls that it does not need */
	const char *user; /* the watcher becomes this user (keeping what it needs); NULL: stays */
};

/* A flow's end of this host, and the other one.  IPv4 in the first 4 bytes, rest 0. */
struct process_end {
	uint8_t address[16];
	uint16_t port;
};
struct process_flow {
	uint8_t ip_version, proto;
	struct process_end local, remote;
	int64_t start_ns, end_ns; /* of its first and latest packet, CLOCK_BOOTTIME */
	int64_t slack_ns;         /* how wrong these may be */
	bool midstream;           /* TCP whose beginning was not seen */
};

/* Where the process's data is; good for as long as process_read() says so. */
struct process_match {
	uint32_t slot, generation;
	uint8_t confidence; /* enum process_confidence; PROCESS_NOBODY: no match */
};

enum process_text { /* the texts about a process */
	PROCESS_NAME,
	PROCESS_PATH, /* of the executable */
	PROCESS_PARENT_NAME,
	PROCESS_USER,
	PROCESS_CONTAINER, /* its id or name */
	PROCESS_CGROUP,    /* path of its cgroup */
	PROCESS_CMDLINE,   /* arguments with spaces between */
	PROCESS_TEXTS
};

/* What is known of a process.  Texts are any bytes; what is not known has no bytes. */
struct process {
	uint32_t pid, parent_pid; /* parent_pid 0: not known */
	uint32_t uid;             /* UINT32_MAX: not known */
	uint32_t cut;             /* bit of each text that was longer than there is room */
	int64_t start_ns; /* since 1970, as the clock was when it was first seen; < 0: not known */
	uint8_t hash[32]; /* SHA-256 of the executable */
	uint16_t hashed;  /* is 'hash' known? */
	uint16_t end[PROCESS_TEXTS]; /* where each text ends; it begins where the one before ends */
	char bytes[LIMIT_PROCESS_TEXT];
};

struct process_watch;

/*
 * Forks the watcher and waits until it follows sockets.  Before any thread is made and before
 * rights are given up.  Error: it cannot at all; the text says what to do.
 */
struct process_watch *process_watch_new(const struct process_conf *conf, struct err *e);
void process_watch_free(struct process_watch *w); /* ends the watcher */

/* How it follows sockets, after process_watch_new(). */
enum process_method process_watch_method(const struct process_watch *w);

/* Takes in what the watcher has reported; never waits.  One thread, at least ten times a second.
 * say() gets a line when something changes that the operator should know. */
void process_watch_poll(
		struct process_watch *w, void (*say)(void *ctx, const char *text), void *ctx);

/* Readable when there is something for process_watch_poll(). */
int process_watch_fd(const struct process_watch *w);

struct process_counts {
	uint64_t sockets, processes; /* reported so far */
	uint64_t lost;               /* events that the kernel or the watcher had no room for */
	uint64_t evicted;            /* sockets that made room in the table while still open */
};
struct process_counts process_watch_counts(const struct process_watch *w);

/* Who has the flow's local end? Any thread; no lock, no system call. */
struct process_match process_find(const struct process_watch *w, const struct process_flow *flow);

/* Copies the data of a match; false: the slot has been given to another process. Any thread. */
bool process_read(const struct process_watch *w, struct process_match match, struct process *out);

/* One text: its bytes and how many. */
static inline const char *process_text(
		const struct process *p, enum process_text which, size_t *size)
{
	size_t start = which == 0 ? 0 : p->end[which - 1];

	*size = p->end[which] - start;
	return p->bytes + start;
}

/* Now, by CLOCK_BOOTTIME. */
int64_t process_clock(void);
