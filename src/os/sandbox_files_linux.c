/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sandbox_files_linux.c - Landlock: what is made, written, renamed or removed lies below a few
 * folders.
 *
 * The numbers are those of the kernel's linux/landlock.h
 * (Documentation/userspace-api/landlock.rst), here because headers are often older than kernels.
 * Rights that the running kernel does not know are left out, by the version of its interface.
 */
#ifdef __linux__

#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "os/sandbox_system.h"

enum { CREATE_RULESET = 444, ADD_RULE = 445, RESTRICT_SELF = 446 }; /* the same on all machines */
enum { ASK_VERSION = 1, RULE_PATH_BENEATH = 1 };

enum right {
	EXECUTE = 1 << 0,
	WRITE_FILE = 1 << 1,
	REMOVE_FOLDER = 1 << 4,
	REMOVE_FILE = 1 << 5,
	MAKE_CHARACTER_DEVICE = 1 << 6,
	MAKE_FOLDER = 1 << 7,
	MAKE_FILE = 1 << 8,
	MAKE_SOCKET = 1 << 9,
	MAKE_FIFO = 1 << 10,
	MAKE_BLOCK_DEVICE = 1 << 11,
	MAKE_LINK = 1 << 12,
	MOVE = 1 << 13,         /* between folders; version 2 */
	TRUNCATE = 1 << 14,     /* version 3 */
	IOCTL_DEVICE = 1 << 15, /* version 5 */
};

enum {
	REFUSED = EXECUTE | WRITE_FILE | REMOVE_FOLDER | REMOVE_FILE | MAKE_CHARACTER_DEVICE |
		  MAKE_FOLDER | MAKE_FILE | MAKE_SOCKET | MAKE_FIFO | MAKE_BLOCK_DEVICE | MAKE_LINK,
	WRITING = WRITE_FILE | REMOVE_FOLDER | REMOVE_FILE | MAKE_FOLDER | MAKE_FILE | MOVE |
		  TRUNCATE,
	BIND_AND_CONNECT_TCP = 3, /* version 4 */
	SIGNALS_AND_ABSTRACT = 3, /* to processes and sockets outside; version 6 */
};

struct ruleset {
	uint64_t files, tcp, scoped;
};

struct beneath {
	uint64_t allowed;
	int32_t folder;
} __attribute__((packed));

static struct ruleset refused(int version)
{
	struct ruleset r = { .files = REFUSED };

	if (version >= 2)
		r.files |= MOVE;
	if (version >= 3)
		r.files |= TRUNCATE;
	if (version >= 4)
		r.tcp = BIND_AND_CONNECT_TCP;
	if (version >= 5)
		r.files |= IOCTL_DEVICE;
	if (version >= 6)
		r.scoped = SIGNALS_AND_ABSTRACT;
	return r;
}

static bool allow(int ruleset, const char *folder, uint64_t rights, struct err *e)
{
	struct beneath rule = { .allowed = rights };

	rule.folder = open(folder, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (rule.folder == -1)
		return err_set(e, "cannot open folder %s: %s", folder, strerror(errno));
	bool good = syscall(ADD_RULE, ruleset, RULE_PATH_BENEATH, &rule, 0) == 0;
	int why = errno;

	close(rule.folder);
	return good || err_set(e, "Landlock refuses folder %s: %s", folder, strerror(why));
}

static bool allow_all(int ruleset, const char *const *folders, uint64_t rights, struct err *e)
{
	for (; folders != NULL && *folders != NULL; folders++)
		if (!allow(ruleset, *folders, rights, e))
			return false;
	return true;
}

static bool restrict_to(int ruleset, const struct sandbox *s, uint64_t known, struct err *e)
{
	if (!allow_all(ruleset, s->write, WRITING & known, e) ||
			!allow_all(ruleset, s->tidy, REMOVE_FILE, e))
		return false;
	return syscall(RESTRICT_SELF, ruleset, 0) == 0 ||
	       err_set(e, "Landlock cannot be entered: %s", strerror(errno));
}

bool sandbox_files(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	int version = (int)syscall(CREATE_RULESET, NULL, 0, ASK_VERSION);

	if (version < 1) {
		sandbox_lacks(state, "this kernel has no Landlock: files elsewhere are protected "
				     "by their owners only");
		return true;
	}
	struct ruleset rules = refused(version);
	int ruleset = (int)syscall(CREATE_RULESET, &rules, sizeof(rules), 0);

	if (ruleset == -1)
		return err_set(e, "Landlock makes no ruleset: %s", strerror(errno));
	state->files = restrict_to(ruleset, s, rules.files, e);
	close(ruleset);
	return state->files;
}

#endif
