/* SPDX-License-Identifier: BSD-3-Clause */
/* exe_fields.c - the keys exe and exe_peer of a record. */
#include "feature/exe_out.h"

static struct field_text text(const struct process *p, enum process_text which)
{
	size_t size;
	const char *bytes = process_text(p, which, &size);

	return (struct field_text){ size == 0 ? NULL : bytes, size };
}

void exe_nobody(struct exe_process *to)
{
	*to = (struct exe_process){ .pid = UINT32_MAX,
		.parent = { .pid = UINT32_MAX },
		.uid = UINT32_MAX,
		.start = { -1 } };
}

void exe_fill(struct exe_process *to, const struct process *p, unsigned confidence, bool initiator)
{
	static const char *const words[] = { NULL, "guess", "late", "exact" };

	*to = (struct exe_process){ .name = text(p, PROCESS_NAME),
		.path = text(p, PROCESS_PATH),
		.pid = p->pid,
		.parent = { .pid = p->parent_pid == 0 ? UINT32_MAX : p->parent_pid,
				.name = text(p, PROCESS_PARENT_NAME) },
		.uid = p->uid,
		.user = text(p, PROCESS_USER),
		.cmdline = text(p, PROCESS_CMDLINE),
		.container = text(p, PROCESS_CONTAINER),
		.cgroup = text(p, PROCESS_CGROUP),
		.start = { p->start_ns < 0 ? -1 : p->start_ns / 1000 * 1000 },
		.hash = { p->hashed ? p->hash : NULL, sizeof p->hash },
		.confidence = words[confidence],
		.side = initiator ? ">" : "<" };
}

#define NULLABLE  (FIELD_NULLABLE | FIELD_OPTIONAL)
#define NOT_KNOWN "left out when it is not known"
#define NO_PARENT "left out when the process has no parent, or it is not known"
#define NEVER     "never when the process is there"

static const struct field parent_fields[] = {
	FIELD(struct exe_parent, pid, "pid", "", "Process id of the parent.", .flags = NULLABLE,
			.null_rule = NO_PARENT),
	FIELD(struct exe_parent, name, "name", "", "Name of the parent, as exe.name.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_PARENT),
	{ 0 },
};

static const struct field process_fields[] = {
	FIELD(struct exe_process, name, "name", "",
			"Name of the process: what the system keeps as name of its first thread "
			"(on Linux at most 15 bytes, and the executable's file name in place of "
			"them when that begins so and goes on).",
			.flags = FIELD_OPTIONAL, .null_rule = NOT_KNOWN),
	FIELD(struct exe_process, path, "path", "",
			"Path of the executable, from the root of the file systems that the "
			"process sees; with \" (deleted)\" behind it when the file has no name any "
			"more.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL,
			.null_rule = "left out of threads of the kernel, and when it is not known"),
	FIELD(struct exe_process, pid, "pid", "",
			"Process id, of the system's outermost process id namespace.",
			.flags = NULLABLE, .null_rule = NEVER),
	FIELD_SUB(struct exe_process, parent, "parent", parent_fields,
			"The process's parent when the process was first seen.",
			.flags = FIELD_OPTIONAL, .null_rule = NO_PARENT),
	FIELD(struct exe_process, uid, "uid", "", "Real user id of the process.",
			.flags = NULLABLE | FIELD_PERSONAL, .null_rule = NOT_KNOWN),
	FIELD(struct exe_process, user, "user", "",
			"Name of that user in the user database of the sensor.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL,
			.null_rule = "left out when the database has no name for it"),
	FIELD(struct exe_process, cmdline, "cmdline", "",
			"Command line: arguments with one space between, cut at 511 bytes.",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL,
			.null_rule = "left out without exe_cmdline=1, and when it is not known"),
	FIELD(struct exe_process, container, "container", "",
			"Container that the process is in, by the names of its cgroups: the id of "
			"64 digits that Docker, containerd, CRI-O and Podman give, or the name "
			"that LXC and systemd-nspawn give.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when no cgroup has such a name"),
	FIELD(struct exe_process, cgroup, "cgroup", "",
			"Path of the process's cgroup in the hierarchy of version 2 (Linux).",
			.flags = FIELD_OPTIONAL | FIELD_PERSONAL, .null_rule = NOT_KNOWN),
	FIELD(struct exe_process, start, "start", "s",
			"When the process began: seconds since 1970, by the clock as it was when "
			"the process was first seen.  Exact to 10 ms only when it was found by "
			"looking (confidence late).",
			.flags = FIELD_OPTIONAL, .null_rule = NOT_KNOWN),
	FIELD(struct exe_process, hash, "hash", "", "SHA-256 of the executable's file.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out with exe_hash=0, when the file is larger than 1 "
				     "GiB or could not be read, and while it is being read"),
	FIELD(struct exe_process, confidence, "confidence", "",
			"How the process was found.  \"exact\": the kernel told of it as it "
			"connected, accepted, sent from or received on this very socket.  "
			"\"late\": it was found to hold this socket by looking while the socket "
			"was there.  \"guess\": it has the port, or the socket that listens "
			"there.",
			.flags = FIELD_OPTIONAL, .null_rule = NEVER),
	FIELD(struct exe_process, side, "side", "",
			"\">\": the process is at sa and sp, \"<\": at da and dp.",
			.flags = FIELD_OPTIONAL, .null_rule = NEVER),
	{ 0 },
};

const struct field exe_fields[] = {
	FIELD_SUB(struct exe_out, exe, "exe", process_fields,
			"Process of this host at an end of the flow: at the initiator's when that "
			"is of this host, else at the responder's.  Sockets of TCP and UDP.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when no process of this host is found at either "
				     "end",
			.merge = MERGE_WHOLE),
	FIELD_SUB(struct exe_out, peer, "exe_peer", process_fields,
			"When both ends are of this host: the process at the responder's.",
			.flags = FIELD_OPTIONAL,
			.null_rule = "left out when not both ends have a process of this host",
			.merge = MERGE_WHOLE),
	{ 0 },
};
