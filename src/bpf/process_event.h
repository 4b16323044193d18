/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_event.h - what the programs in the kernel (process.bpf.c) tell the watcher.
 *
 * Both sides are of one build and one machine, so these structs are copied as they are.  A process
 * is told once, before the first event of one of its sockets; events name it by its key.
 */
#pragma once

#include <linux/types.h>

#include "base/limits.h"

enum process_event_kind {
	PROCESS_EVENT_PROCESS, /* struct process_event_about; all others: _socket */
	PROCESS_EVENT_CONNECT, /* TCP: a connection begins, and has its ports */
	PROCESS_EVENT_PLAN,    /* UDP: connect() was called; ports are known when it is closed */
	PROCESS_EVENT_BIND,    /* UDP: bound to a port */
	PROCESS_EVENT_LISTEN,  /* TCP: listens */
	PROCESS_EVENT_ARRIVE,  /* TCP: a connection has come to a listener; no process */
	PROCESS_EVENT_ACCEPT,  /* TCP: the process has taken a connection that came */
	PROCESS_EVENT_PEER,    /* UDP: first datagram to or from this peer */
	PROCESS_EVENT_CLOSE,   /* the socket's last holder has closed it; no process */
};

enum {
	PROCESS_EVENT_COMM = 16,
	PROCESS_EVENT_NAMES = 1024, /* bytes of path; one more name may stand behind; power of 2 */
	PROCESS_EVENT_NAME = 256,   /* of one of its names, with its end */
	PROCESS_EVENT_CMDLINE = 512,
};

struct process_event_key {
	__u64 start_ns; /* of the process, CLOCK_BOOTTIME; 0: not known */
	__u64 inode;    /* of its executable; 0: not known */
	__u32 pid, uid; /* pid 0: nobody known */
};

struct process_event_about {
	__u32 kind, parent_pid;
	struct process_event_key key;
	__u64 cgroup; /* id; version 2 */
	__u32 device; /* of the executable: major << 20 | minor */
	__u32 path_size, cmdline_size;
	__u32 kernel;  /* it is a thread of the kernel */
	__u32 deleted; /* the executable's file has no name any more */
	__u32 unused;
	char comm[PROCESS_EVENT_COMM], parent_comm[PROCESS_EVENT_COMM];
	char path[PROCESS_EVENT_NAMES + PROCESS_EVENT_NAME]; /* names from the last to the first */
	char cmdline[PROCESS_EVENT_CMDLINE];                 /* each argument with its end */
};

struct process_event_socket {
	__u32 kind;
	__u8 version, protocol, unused[2];
	struct process_event_key key;
	__u64 cookie; /* of the socket: never given twice */
	__u64 netns;  /* cookie of its network namespace */
	__u64 ns;     /* CLOCK_BOOTTIME */
	char comm[PROCESS_EVENT_COMM];
	__u8 local[16], remote[16]; /* version 4: in the first 4 bytes */
	__u16 local_port, remote_port;
	__u32 unused2;
};
