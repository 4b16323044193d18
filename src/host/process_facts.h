/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_facts.h - what is found out about a process, from whatever source, before it is reported.
 *
 * Sources fill what the ones before left empty.  The texts of /proc are parsed here, so that
 * any text can be tried; reading them is process_proc_linux.c.
 */
#pragma once

#include "host/process.h"

enum { /* bytes, with the end */
	FACTS_NAME = 64,
	FACTS_PATH = 1024,
	FACTS_CGROUP = 512,
	FACTS_CONTAINER = 72,
	FACTS_CMDLINE = 512,
};

struct process_facts {
	uint32_t pid, parent_pid;
	uint32_t uid;     /* UINT32_MAX: not known */
	uint32_t device;  /* of the executable: major << 20 | minor; 0: not known */
	uint64_t inode;   /* of the executable; 0: not known */
	uint64_t cgroup;  /* id of the cgroup (version 2); 0: not known */
	int64_t start_ns; /* CLOCK_BOOTTIME; < 0: not known */
	bool complete;    /* nothing more can be found */
	bool kernel;      /* a thread of the kernel: has no executable */
	char name[FACTS_NAME], parent_name[FACTS_NAME], user[FACTS_NAME];
	char path[FACTS_PATH];
	char cgroup_path[FACTS_CGROUP], container[FACTS_CONTAINER];
	char cmdline[FACTS_CMDLINE];
	size_t cmdline_size; /* it may hold zeros */
};

/* Copies a text that ends at a zero or after 'size' bytes, cut to the room. */
void facts_copy(char *to, size_t room, const char *from, size_t size);

/* /proc/PID/stat: name, parent, start time ('ticks' a second). False: it is none. */
bool facts_parse_stat(struct process_facts *f, const char *text, size_t size, long ticks);

/* /proc/PID/status: the real user id. */
bool facts_parse_status(struct process_facts *f, const char *text, size_t size);

/* /proc/PID/cgroup: path in the hierarchy of version 2, and the container. */
void facts_parse_cgroup(struct process_facts *f, const char *text, size_t size);

/* The container that a cgroup's path names; false: none that is known. */
bool facts_container(const char *path, char *to, size_t room);

/* The path from names that were noted from the last to the first, each with its end; as /proc does,
 * " (deleted)" says that the file has no name any more. */
void facts_path_of_names(struct process_facts *f, const char *names, size_t size, bool deleted);

/* For the sensor: names put right, arguments with spaces between. */
void facts_pack(const struct process_facts *f, bool cmdline, struct process *out);
