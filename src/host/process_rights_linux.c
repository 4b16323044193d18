/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_rights_linux.c - the watcher keeps two capabilities (to look at processes of others, to
 * read files of others) and loses all other rights.
 *
 * Landlock cannot be used here: a process inside it may not look at those outside.  So a
 * seccomp filter refuses, with EPERM, what the watcher never does: writing to files or other
 * processes, running programs, new sockets but those to ask the system's own services, and
 * whatever changes the system.
 */
#ifdef __linux__
#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <stddef.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fcntl.h>
#include <linux/audit.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>

#include "host/process_watcher.h"

#define CAP_BIT(cap) (UINT64_C(1) << (cap))

static const uint64_t kept = CAP_BIT(CAP_SYS_PTRACE) | CAP_BIT(CAP_DAC_READ_SEARCH);

/* --- user and capabilities ---------------------------------------------------------------------
 */

static bool become(const char *user, struct err *e)
{
	struct passwd entry, *found = NULL;
	char texts[4096];

	if (getpwnam_r(user, &entry, texts, sizeof texts, &found) != 0 || found == NULL)
		return err_set(e, "there is no user %s", user);
	if (prctl(PR_SET_KEEPCAPS, 1) != 0 || setgroups(0, NULL) != 0 ||
			setresgid(entry.pw_gid, entry.pw_gid, entry.pw_gid) != 0 ||
			setresuid(entry.pw_uid, entry.pw_uid, entry.pw_uid) != 0)
		return err_set(e, "cannot become %s: %s", user, strerror(errno));
	return true;
}

static bool keep_capabilities(struct err *e)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2];

	if (syscall(SYS_capget, &head, data) != 0)
		return err_set(e, "capabilities cannot be read: %s", strerror(errno));
	for (int i = 0; i < 2; i++) {
		data[i].permitted &= (uint32_t)(kept >> 32 * i);
		data[i].effective = data[i].permitted;
		data[i].inheritable = 0;
	}
	if (syscall(SYS_capset, &head, data) != 0)
		return err_set(e, "capabilities cannot be given up: %s", strerror(errno));
	return true;
}

/* --- system calls ------------------------------------------------------------------------------
 */

#if defined(__x86_64__)
#define ARCHITECTURE AUDIT_ARCH_X86_64
#elif defined(__aarch64__)
#define ARCHITECTURE AUDIT_ARCH_AARCH64
#endif

#ifdef ARCHITECTURE
/* clang-format off */
static const int refused[] = {
	/* other processes, other programs */
	SYS_ptrace, SYS_process_vm_readv, SYS_process_vm_writev, SYS_pidfd_getfd, SYS_kcmp,
	SYS_execve, SYS_execveat, SYS_kill, SYS_tkill, SYS_pidfd_send_signal,
	/* the kernel and the system */
	SYS_bpf, SYS_perf_event_open, SYS_init_module, SYS_finit_module, SYS_delete_module,
	SYS_kexec_load, SYS_io_uring_setup, SYS_userfaultfd, SYS_keyctl, SYS_add_key,
	SYS_request_key, SYS_reboot, SYS_swapon, SYS_sethostname, SYS_settimeofday,
	SYS_clock_settime, SYS_adjtimex, SYS_mount, SYS_umount2, SYS_move_mount, SYS_open_tree,
	SYS_fsopen, SYS_pivot_root, SYS_chroot, SYS_setns, SYS_unshare, SYS_listen,
	/* files */
	SYS_openat2, SYS_unlinkat, SYS_renameat, SYS_renameat2, SYS_linkat, SYS_symlinkat,
	SYS_mkdirat, SYS_mknodat, SYS_fchmod, SYS_fchmodat, SYS_fchown, SYS_fchownat, SYS_truncate,
	SYS_ftruncate, SYS_setxattr, SYS_lsetxattr, SYS_fsetxattr, SYS_utimensat,
#ifdef __x86_64__
	SYS_creat, SYS_unlink, SYS_rename, SYS_link, SYS_symlink, SYS_mkdir, SYS_rmdir, SYS_mknod,
	SYS_chmod, SYS_chown, SYS_lchown, SYS_utime, SYS_utimes, SYS_iopl, SYS_ioperm, SYS_fork,
	SYS_vfork,
#endif
};
/* clang-format on */

enum {
	REFUSED = sizeof refused / sizeof refused[0],
	WRITES = O_WRONLY | O_RDWR | O_CREAT | O_TRUNC
};

struct program {
	struct sock_filter code[2 * REFUSED + 32];
	unsigned short size;
};

static void add(struct program *p, uint16_t code, uint32_t k, uint8_t yes, uint8_t no)
{
	p->code[p->size++] = (struct sock_filter){ .code = code, .jt = yes, .jf = no, .k = k };
}

static void answer(struct program *p, uint32_t what)
{
	add(p, BPF_RET | BPF_K, what, 0, 0);
}

static void load(struct program *p, size_t offset)
{
	add(p, BPF_LD | BPF_W | BPF_ABS, (uint32_t)offset, 0, 0);
}

/* Refuses a call by its number; the number is in the accumulator. */
static void refuse(struct program *p, int call)
{
	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 1);
	answer(p, SECCOMP_RET_ERRNO | EPERM);
}

/* Refuses open() with flags that write, which are in argument 'n'. */
static void refuse_writing(struct program *p, int call, size_t n)
{
	const size_t flags = offsetof(struct seccomp_data, args) + n * sizeof(uint64_t);

	add(p, BPF_JMP | BPF_JEQ | BPF_K, (uint32_t)call, 0, 4);
	load(p, flags); /* the low half: both architectures are little-endian */
	add(p, BPF_JMP | BPF_JSET | BPF_K, WRITES, 0, 1);
	answer(p, SECCOMP_RET_ERRNO | EPERM);
	answer(p, SECCOMP_RET_ALLOW);
}

static bool filter_calls(struct err *e)
{
	struct program p = { .size = 0 };
	struct sock_fprog f = { .filter = p.code };

	load(&p, offsetof(struct seccomp_data, arch));
	add(&p, BPF_JMP | BPF_JEQ | BPF_K, ARCHITECTURE, 1, 0);
	answer(&p, SECCOMP_RET_KILL_PROCESS);
	load(&p, offsetof(struct seccomp_data, nr));
#ifdef __x86_64__
	add(&p, BPF_JMP | BPF_JGE | BPF_K, 0x40000000, 0, 1); /* the x32 calls */
	answer(&p, SECCOMP_RET_ERRNO | EPERM);
	refuse_writing(&p, SYS_open, 1);
#endif
	refuse_writing(&p, SYS_openat, 2);
	for (size_t i = 0; i < REFUSED; i++)
		refuse(&p, refused[i]);
	answer(&p, SECCOMP_RET_ALLOW);
	f.len = p.size;
	if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &f) != 0 && errno != EINVAL)
		return err_set(e, "system calls cannot be filtered: %s", strerror(errno));
	return true;
}
#else
static bool filter_calls(struct err *e)
{
	(void)e;
	return true;
}
#endif

bool system_rights(const char *user, bool filter, struct err *e)
{
	if (geteuid() == 0 && user != NULL && !become(user, e))
		return false;
	if (!keep_capabilities(e))
		return false;
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, "new rights cannot be ruled out: %s", strerror(errno));
	prctl(PR_SET_DUMPABLE, 0);
	system_follow_parent(); /* a change of user has undone it */
	return !filter || filter_calls(e);
}
#endif
