/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * sandbox_calls_linux.c - seccomp: the system calls that a capture needs, once all is open.
 *
 * Three classes.  'allowed' pass, some with certain arguments only.  'deadly' raise SIGSYS: no
 * honest build makes them, so somebody else runs in here; the handler writes a line and the
 * process ends by that signal.  All others fail with EPERM (clone3 with ENOSYS, so that libc takes
 * clone, whose flags can be looked at), and the kernel's audit log has them.
 *
 * Paths cannot be looked at here: who may open what is said by sandbox_files_linux.c.
 */
#ifdef __linux__

#include "os/sandbox_system.h"

#ifdef HAVE_SECCOMP

#include <errno.h>
#include <linux/sockios.h>
#include <sched.h>
#include <seccomp.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

/* The sanitizer's check for leaks forks and traces when the program ends. */
#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

static const char *const allowed[] = {
	/* open descriptors */
	"read", "readv", "pread64", "preadv", "write", "writev", "pwrite64", "pwritev", "lseek",
	"_llseek", "close", "close_range", "fcntl", "fcntl64", "flock", "dup", "dup2", "dup3",
	"fsync", "fdatasync", "sync_file_range", "ftruncate", "ftruncate64", "fallocate",
	"fadvise64", "fadvise64_64", "pipe2", "eventfd2",
	/* files: where is for Landlock */
	"open", "openat", "openat2", "stat", "stat64", "lstat", "lstat64", "fstat", "fstat64",
	"newfstatat", "fstatat64", "statx", "statfs", "statfs64", "fstatfs", "fstatfs64", "access",
	"faccessat", "faccessat2", "readlink", "readlinkat", "getdents64", "getcwd", "mkdir",
	"mkdirat", "rmdir", "rename", "renameat", "renameat2", "link", "linkat", "unlink",
	"unlinkat", "umask",
	/* sockets that are there */
	"poll", "ppoll", "ppoll_time64", "select", "pselect6", "epoll_create1", "epoll_ctl",
	"epoll_wait", "epoll_pwait", "accept", "accept4", "bind", "recv", "recvfrom", "recvmsg",
	"recvmmsg", "send", "sendto", "sendmsg", "sendmmsg", "shutdown", "getsockopt", "setsockopt",
	"getsockname", "getpeername",
	/* memory and threads */
	"brk", "munmap", "mremap", "madvise", "mincore", "mlock", "futex", "futex_time64",
	"futex_waitv", "set_robust_list", "rseq", "set_tid_address", "sched_yield",
	"sched_getaffinity", "sched_setaffinity", "membarrier", "getcpu", "exit", "exit_group",
	"wait4", "waitid", "restart_syscall", "arch_prctl",
	/* signals, clocks, and who we are */
	"rt_sigprocmask", "rt_sigreturn", "sigreturn", "rt_sigtimedwait", "rt_sigpending",
	"sigaltstack", "clock_gettime", "clock_gettime64", "clock_getres", "clock_nanosleep",
	"clock_nanosleep_time64", "nanosleep", "gettimeofday", "time", "getpid", "gettid",
	"getppid", "getuid", "geteuid", "getgid", "getegid", "getuid32", "geteuid32", "getgid32",
	"getegid32", "getresuid", "getresgid", "getgroups", "getpgrp", "getsid", "uname", "sysinfo",
	"getrusage", "times", "getrandom", "getrlimit", "ugetrlimit"
};

static const char *const deadly[] = {
	/* other programs and processes */
	"execve", "execveat", "fork", "vfork", "process_vm_readv", "process_vm_writev",
	"pidfd_open", "pidfd_getfd", "pidfd_send_signal", "kcmp", "userfaultfd", "io_uring_setup",
	"io_uring_enter", "io_uring_register", "memfd_create", "memfd_secret", "shmat", "shmget",
	"personality", "modify_ldt",
#ifndef __SANITIZE_ADDRESS__
	"ptrace",
#endif
	/* sockets */
	"socket", "socketpair", "connect", "listen",
	/* users and name spaces */
	"setuid", "setgid", "setreuid", "setregid", "setresuid", "setresgid", "setgroups",
	"setfsuid", "setfsgid", "capset", "unshare", "setns", "chroot", "pivot_root",
	/* file systems */
	"mount", "umount2", "move_mount", "open_tree", "fsopen", "fsconfig", "fsmount", "fspick",
	"mount_setattr", "swapon", "swapoff", "mknod", "mknodat", "quotactl", "acct",
	"open_by_handle_at", "name_to_handle_at", "fanotify_init", "chmod", "fchmodat", "chown",
	"lchown", "fchownat", "setxattr", "lsetxattr",
	/* the kernel */
	"bpf", "perf_event_open", "init_module", "finit_module", "delete_module", "kexec_load",
	"kexec_file_load", "reboot", "syslog", "add_key", "request_key", "keyctl", "ioperm", "iopl",
	"settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "sethostname",
	"setdomainname", "vhangup", "lookup_dcookie"
};

/* What ask an interface or a terminal something; other requests of ioctl() are refused. */
static const unsigned long requests[] = { TCGETS, TIOCGWINSZ, FIONREAD, FIONBIO, SIOCGIFNAME,
	SIOCGIFINDEX, SIOCGIFFLAGS, SIOCGIFMTU, SIOCGIFHWADDR, SIOCGIFADDR, SIOCGIFCONF,
	SIOCETHTOOL, SIOCGSTAMP_OLD };

enum {
	ALLOWED = sizeof(allowed) / sizeof(allowed[0]),
	DEADLY = sizeof(deadly) / sizeof(deadly[0])
};

/* --- the line about a violation ---------------------------------------------------------- */

static struct {
	int log;
	char prefix[64];
	int number[DEADLY]; /* of each system call on this machine; negative: not there */
} violation = { .log = -1 };

static const char *name_of(int number)
{
	for (size_t i = 0; i < DEADLY; i++)
		if (violation.number[i] == number)
			return deadly[i];
	return number == SYS_clone ? "clone" : "of another kind";
}

static size_t append(char *line, size_t at, size_t room, const char *text)
{
	for (; *text != '\0' && at < room; text++)
		line[at++] = *text;
	return at;
}

/* By write() alone: it may have come at any moment, in any thread. */
static void on_violation(int number, siginfo_t *info, void *context)
{
	char line[256];
	size_t at = append(line, 0, sizeof(line), violation.prefix);

	(void)context;
	at = append(line, at, sizeof(line), "the sandbox ends the program: system call ");
	at = append(line, at, sizeof(line), name_of(info->si_syscall));
	at = append(line, at, sizeof(line), " was tried\n");
	if (write(violation.log, line, at) < 0)
		at = 0;                                             /* the signal says it too */
	syscall(SYS_tgkill, getpid(), syscall(SYS_gettid), number); /* now the default: the end */
}

static bool catch_violations(const struct sandbox *s)
{
	struct sigaction action = { .sa_flags = SA_SIGINFO | SA_NODEFER | (int)SA_RESETHAND };

	violation.log = s->log;
	append(violation.prefix, 0, sizeof(violation.prefix) - 1, s->prefix);
	for (size_t i = 0; i < DEADLY; i++)
		violation.number[i] = seccomp_syscall_resolve_name(deadly[i]);
	action.sa_sigaction = on_violation;
	sigemptyset(&action.sa_mask);
	return sigaction(SIGSYS, &action, NULL) == 0;
}

/* --- the filter -------------------------------------------------------------------------- */

/* 0, or an error of libseccomp; a system call that this machine has not is none. */
static int rule(scmp_filter_ctx f, uint32_t action, const char *name, unsigned count,
		const struct scmp_arg_cmp *compare)
{
	int number = seccomp_syscall_resolve_name(name);

	if (number == __NR_SCMP_ERROR)
		return 0; /* younger than the library: refused like all others */
	return seccomp_rule_add_array(f, action, number, count, compare);
}

static int rules(scmp_filter_ctx f, uint32_t action, const char *const *names, size_t count)
{
	int bad = 0;

	for (size_t i = 0; i < count && bad == 0; i++)
		bad = rule(f, action, names[i], 0, NULL);
	return bad;
}

/* Passes if an argument has these bits of a mask. */
static int masked(scmp_filter_ctx f, uint32_t action, const char *name, unsigned argument,
		uint64_t mask, uint64_t bits)
{
	struct scmp_arg_cmp compare = SCMP_CMP(argument, SCMP_CMP_MASKED_EQ, mask, bits);

	return rule(f, action, name, 1, &compare);
}

static int equal(scmp_filter_ctx f, const char *name, unsigned argument, uint64_t value)
{
	struct scmp_arg_cmp compare = { .arg = argument, .op = SCMP_CMP_EQ, .datum_a = value };

	return rule(f, SCMP_ACT_ALLOW, name, 1, &compare);
}

/* A thread is no process; on s390 the flags come second. */
static int threads(scmp_filter_ctx f)
{
#ifdef __s390__
	const unsigned flags = 1;
#else
	const unsigned flags = 0;
#endif
	const uint64_t thread = CLONE_VM | CLONE_THREAD;
	int bad = masked(f, SCMP_ACT_ALLOW, "clone", flags, thread, thread);

	if (bad == 0)
		bad = masked(f, SANITIZED ? SCMP_ACT_ALLOW : SCMP_ACT_TRAP, "clone", flags,
				CLONE_THREAD, 0);
	return bad != 0 ? bad : rule(f, SCMP_ACT_ERRNO(ENOSYS), "clone3", 0, NULL);
}

/* Memory that can be written is never run, and none becomes code. */
static int memory(scmp_filter_ctx f)
{
	static const char *const names[] = { "mmap", "mmap2", "mprotect" };
	int bad = 0;

	for (size_t i = 0; i < 3 && bad == 0; i++)
		bad = masked(f, SCMP_ACT_ALLOW, names[i], 2, PROT_EXEC, 0);
	return bad;
}

/* Signals within the process only (abort, pthread_kill); SIGSYS keeps its handler. */
static int signals(scmp_filter_ctx f)
{
	struct scmp_arg_cmp other = { .arg = 0, .op = SCMP_CMP_NE, .datum_a = SIGSYS };
	int bad = rule(f, SCMP_ACT_ALLOW, "rt_sigaction", 1, &other);

	return bad != 0 ? bad : equal(f, "tgkill", 0, (uint64_t)getpid());
}

static int arguments(scmp_filter_ctx f)
{
	int bad = 0;

	for (size_t i = 0; i < sizeof(requests) / sizeof(requests[0]) && bad == 0; i++)
		bad = equal(f, "ioctl", 1, requests[i]);
	if (bad == 0)
		bad = equal(f, "prctl", 0, PR_SET_NAME);
	if (bad == 0 && SANITIZED)
		bad = rules(f, SCMP_ACT_ALLOW, (const char *[]){ "ptrace", "prctl" }, 2);
	return bad != 0 ? bad : equal(f, "prlimit64", 0, 0);
}

static int fill(scmp_filter_ctx f)
{
	int (*const parts[])(scmp_filter_ctx) = { threads, memory, signals, arguments };
	int bad = seccomp_attr_set(f, SCMP_FLTATR_CTL_LOG, 1);

	seccomp_attr_set(f, SCMP_FLTATR_CTL_OPTIMIZE, 2); /* by number, not one after another */
	if (bad == 0)
		bad = rules(f, SCMP_ACT_ALLOW, allowed, ALLOWED);
	if (bad == 0)
		bad = rules(f, SCMP_ACT_TRAP, deadly, DEADLY);
	for (size_t i = 0; i < sizeof(parts) / sizeof(parts[0]) && bad == 0; i++)
		bad = parts[i](f);
	return bad != 0 ? bad : seccomp_load(f);
}

bool sandbox_calls(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	scmp_filter_ctx f = seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int bad = f == NULL ? -ENOMEM : 0;

	if (bad == 0)
		bad = catch_violations(s) ? fill(f) : -errno;
	seccomp_release(f);
	state->calls = bad == 0;
	return state->calls || err_set(e, "seccomp takes no filter: %s", strerror(-bad));
}

#else

bool sandbox_calls(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	(void)s, (void)e;
	sandbox_lacks(state, "built without libseccomp: system calls are not filtered");
	return true;
}

#endif
#endif
