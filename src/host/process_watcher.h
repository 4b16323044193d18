/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_watcher.h - inside the watcher: what its parts say to each other.
 *
 * A way to follow sockets (struct follow) says whom it saw with watcher_process() and
 * watcher_sight(); these keep the slots, complete the facts, and write messages for the sensor.
 * Every system has a list of ways, the best first (process_linux.c, process_darwin.c).
 */
#pragma once

#include "base/buf.h"
#include "host/process_facts.h"
#include "host/process_hash.h"
#include "host/process_known.h"
#include "host/process_store.h"

struct watcher {
	const struct process_conf *conf;
	int fd; /* to the sensor */
	struct known *known;
	struct hasher *hasher; /* NULL: nothing is hashed */
	struct buf out;        /* messages not yet sent */
	bool gone;             /* the sensor is */
	bool seeded;           /* sockets that were there before have been reported */
	uint32_t round;        /* of looking at all sockets */
	uint64_t lost, lost_told;
};

/* A way to follow sockets. */
struct follow {
	enum process_method method;
	const char *name;
	/* Opens all that needs rights.  NULL: it cannot here. */
	void *(*start)(struct watcher *w, struct err *e);
	void (*stop)(void *state);
	/* Sockets that are there already; called once, when rights are given up. */
	void (*seed)(void *state, struct watcher *w);
	int (*fd)(const void *state);                  /* NULL: none */
	void (*ready)(void *state, struct watcher *w); /* fd() is readable */
	void (*look)(void *state, struct watcher *w);  /* ten times a second; or NULL */
};

/* The ways of this system, the best first, to NULL. */
extern const struct follow *const process_follows[];

/*
 * The child's whole life: ends when the sensor has closed its end of the socket pair.  Returns the
 * exit status.
 */
int watcher_run(const struct process_conf *conf, int fd);

/* The slot of a process; a new one is completed and reported.  'f' may be changed. */
uint32_t watcher_process(struct watcher *w, struct process_facts *f);

struct sighting {               /* of a socket */
	uint64_t cookie, netns; /* netns 0: ours */
	uint32_t process;       /* slot, or KNOWN_NONE */
	uint8_t confidence;
	int64_t open_ns;            /* if it is new */
	struct process_tuple tuple; /* local_port 0: not known */
};

/* Reports what is new about a socket. */
struct known_socket *watcher_sight(struct watcher *w, const struct sighting *s);
void watcher_close(struct watcher *w, struct known_socket *s, int64_t ns);

/* Sends what waits; waits itself while the sensor is behind. */
void watcher_flush(struct watcher *w);
void watcher_note(struct watcher *w, const char *text);

/* --- what a system provides --------------------------------------------------------------------
 */

/* Fills what is not known yet of the process with this pid, if it is still that one. */
void system_facts(struct process_facts *f, bool cmdline);

/* Gives up all rights but those to look at processes; 'filter': system calls too. */
bool system_rights(const char *user, bool filter, struct err *e);

/* Ends this process when its parent does, where a system can. */
void system_follow_parent(void);
