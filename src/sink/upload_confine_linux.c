/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_confine_linux.c - capabilities, no new privileges, Landlock (kernel documentation,
 * userspace-api/landlock), and a signal when the parent dies.
 */
#ifdef __linux__
#include "sink/upload_confine_os.h"

#include <fcntl.h>
#include <linux/capability.h>
#include <linux/landlock.h>
#include <signal.h>
#include <stdint.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

bool upload_confine_os_child(pid_t parent, const char *name)
{
	(void)parent;
	if (name != NULL)
		prctl(PR_SET_NAME, name);
	return prctl(PR_SET_PDEATHSIG, SIGKILL) == 0;
}

void upload_confine_os_close(unsigned first, unsigned last)
{
	if (syscall(SYS_close_range, first, last, 0) == 0)
		return;
	const long room = sysconf(_SC_OPEN_MAX); /* before Linux 5.9 */
	const unsigned end = room > 0 ? (unsigned)room : 1024;
	for (unsigned fd = first; fd <= last && fd < end; fd++)
		close((int)fd);
}

/* --- capabilities -------------------------------------------------------------------------------
 */

/* A program that root starts has what is in the bounding set: enough to read a key. */
void upload_confine_os_begin(void)
{
	prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	for (unsigned long i = 0; prctl(PR_CAPBSET_READ, i, 0, 0, 0) >= 0; i++) {
		if (i != CAP_DAC_READ_SEARCH)
			prctl(PR_CAPBSET_DROP, i, 0, 0, 0);
	}
}

/*
 * Real root keeps what it needs: to read any file, for ssh; and where it is also the one who works
 * in the folder, which may be somebody else's, to write.
 */
static void drop_capabilities(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct now[2], less[2] = { { 0 }, { 0 } };
	const uint32_t read = getuid() == 0 ? 1u << CAP_DAC_READ_SEARCH : 0;
	const uint32_t keep = read | (geteuid() == 0 ? 1u << CAP_DAC_OVERRIDE : 0);

	if (syscall(SYS_capget, &head, now) != 0)
		return;
	less[0].permitted = now[0].permitted & keep;
	less[0].effective = now[0].effective & keep;
	syscall(SYS_capset, &head, less);
}

/* --- Landlock -----------------------------------------------------------------------------------
 */

/* Younger than the headers of some systems, so they stand here. */
enum { ACCESS_TRUNCATE = 1 << 14, SCOPE_SIGNAL = 1 << 1 };
struct ruleset {
	uint64_t files, ports, scoped;
};

static uint64_t all_writing(long version)
{
	uint64_t rights = LANDLOCK_ACCESS_FS_WRITE_FILE | LANDLOCK_ACCESS_FS_REMOVE_DIR |
			  LANDLOCK_ACCESS_FS_REMOVE_FILE | LANDLOCK_ACCESS_FS_MAKE_CHAR |
			  LANDLOCK_ACCESS_FS_MAKE_DIR | LANDLOCK_ACCESS_FS_MAKE_REG |
			  LANDLOCK_ACCESS_FS_MAKE_SOCK | LANDLOCK_ACCESS_FS_MAKE_FIFO |
			  LANDLOCK_ACCESS_FS_MAKE_BLOCK | LANDLOCK_ACCESS_FS_MAKE_SYM;

	return version >= 3 ? rights | ACCESS_TRUNCATE : rights;
}

static void allow(int rules, int beneath, uint64_t rights)
{
	const struct landlock_path_beneath_attr rule = {
		.allowed_access = rights,
		.parent_fd = beneath,
	};

	if (beneath >= 0)
		syscall(SYS_landlock_add_rule, rules, LANDLOCK_RULE_PATH_BENEATH, &rule, 0);
}

/* Files may be removed in the folder and written nowhere but to /dev/null; signals stay inside. */
static void forbid_writing(int folder)
{
	const long version = syscall(
			SYS_landlock_create_ruleset, NULL, 0, LANDLOCK_CREATE_RULESET_VERSION);
	const struct ruleset wanted = { all_writing(version), 0, version >= 6 ? SCOPE_SIGNAL : 0 };
	const size_t size = version >= 6 ? sizeof wanted : sizeof wanted.files;
	const int rules = version < 1 ? -1
				      : (int)syscall(SYS_landlock_create_ruleset, &wanted, size, 0);
	const int null = open("/dev/null", O_PATH | O_CLOEXEC);

	if (rules >= 0) {
		allow(rules, folder, LANDLOCK_ACCESS_FS_REMOVE_FILE);
		allow(rules, null, LANDLOCK_ACCESS_FS_WRITE_FILE);
		syscall(SYS_landlock_restrict_self, rules, 0);
		close(rules);
	}
	if (null >= 0)
		close(null);
}

void upload_confine_os_end(int folder)
{
	drop_capabilities();
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0)
		forbid_writing(folder);
}
#endif
