/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_sandbox.c - what code inside the sandbox can still do, were it the attacker's.
 *
 * Each case runs in a child that enters the sandbox and then tries one thing.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <linux/bpf.h>
#include <netinet/in.h>
#include <poll.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

/* cmocka wants these before it */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "os/sandbox.h"

#ifdef __SANITIZE_ADDRESS__
enum { SANITIZED = true };
#else
enum { SANITIZED = false };
#endif

enum { ROOM = 512 };

/* base/in is where writing is allowed, base/tidy where files may be removed, base/out neither. */
static char base[64], inside[96], outside[96], tidy[96], log_text[ROOM];
static int sockets[2], loose; /* open before the sandbox is entered */

static void join(char *to, size_t room, const char *folder, const char *name)
{
	snprintf(to, room, "%s/%s", folder, name);
}

static int make(const char *folder, const char *name)
{
	char path[ROOM];

	join(path, sizeof(path), folder, name);
	int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0600);
	if (fd != -1)
		close(fd);
	return fd == -1 ? errno : 0;
}

static int set_up(void **unused)
{
	(void)unused;
	snprintf(base, sizeof(base), "/tmp/sandbox-XXXXXX");
	assert_non_null(mkdtemp(base));
	join(inside, sizeof(inside), base, "in");
	join(outside, sizeof(outside), base, "out");
	join(tidy, sizeof(tidy), base, "tidy");
	assert_int_equal(mkdir(inside, 0700) + mkdir(outside, 0700) + mkdir(tidy, 0700), 0);
	assert_int_equal(make(inside, "there") + make(outside, "there") + make(tidy, "there"), 0);
	assert_int_equal(socketpair(AF_UNIX, SOCK_DGRAM, 0, sockets), 0);
	loose = socket(AF_INET, SOCK_DGRAM, 0);
	assert_int_not_equal(loose, -1);
	return 0;
}

static int remove_one(const char *path, const struct stat *st, int kind, struct FTW *ftw)
{
	(void)st, (void)kind, (void)ftw;
	return remove(path);
}

static int tear_down(void **unused)
{
	(void)unused;
	close(sockets[0]), close(sockets[1]), close(loose);
	return nftw(base, remove_one, 8, FTW_DEPTH | FTW_PHYS);
}

/* --- a child in the sandbox ---------------------------------------------------------------- */

struct end {
	int status, signal; /* exit status: what the action returned; or the signal */
};

static void enter(int log)
{
	const char *const write_folders[] = { inside, NULL }, *const tidy_folders[] = { tidy,
		NULL };
	struct sandbox box = { write_folders, tidy_folders, log, "test: error: " };
	struct sandbox_state state;
	struct err e;

	if (!sandbox_enter(&box, &state, &e)) {
		fprintf(stderr, "%s\n", e.text);
		_exit(200);
	}
}

static struct end try(int (*action)(void))
{
	int log[2], status = 0;
	assert_int_equal(pipe(log), 0);
	pid_t child = fork();

	if (child == 0) {
		setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
		enter(log[1]);
		_exit(action());
	}
	assert_int_equal(waitpid(child, &status, 0), child);
	close(log[1]);
	ssize_t n = read(log[0], log_text, sizeof(log_text) - 1);
	log_text[n > 0 ? n : 0] = '\0';
	close(log[0]);
	return (struct end){ WIFEXITED(status) ? WEXITSTATUS(status) : -1,
		WIFSIGNALED(status) ? WTERMSIG(status) : 0 };
}

static int result(long r)
{
	return r == -1 ? errno : 0;
}

/* --- what an attacker would do ------------------------------------------------------------- */

static int run_program(void)
{
	char *const arguments[] = { "/bin/true", NULL };

	return result(execv(arguments[0], arguments));
}

static int run_program_of_descriptor(void)
{
	char *const none[] = { NULL };

	return result(syscall(SYS_execveat, open("/bin/true", O_RDONLY), "", none, none, 0x1000));
}

static int fork_process(void)
{
	pid_t child = fork();

	if (child == 0)
		_exit(0);
	return result(child);
}

static int fork_by_vfork(void)
{
	return result(syscall(SYS_vfork));
}

static int open_socket(void)
{
	return result(socket(AF_INET, SOCK_STREAM, 0));
}

static int open_packet_socket(void)
{
	return result(socket(AF_PACKET, SOCK_RAW, 0));
}

static int connect_socket(void)
{
	struct sockaddr_in to = { .sin_family = AF_INET, .sin_port = htons(53) };

	to.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	return result(connect(loose, (struct sockaddr *)&to, sizeof(to)));
}

static int trace_parent(void)
{
	return result(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
}

static int read_memory_of_parent(void)
{
	char bytes[8];
	struct iovec here = { bytes, sizeof(bytes) }, there = { bytes, sizeof(bytes) };

	return result(process_vm_readv(getppid(), &here, 1, &there, 1, 0));
}

static int become_root(void)
{
	return result(setresuid(0, 0, 0));
}

static int mount_something(void)
{
	return result(mount("none", inside, "tmpfs", 0, NULL));
}

static int new_name_space(void)
{
	return result(unshare(CLONE_NEWUSER));
}

static int load_bpf(void)
{
	return result(syscall(SYS_bpf, BPF_MAP_CREATE, NULL, 0));
}

static int watch_events(void)
{
	return result(syscall(SYS_perf_event_open, NULL, 0, -1, -1, 0));
}

static int load_module(void)
{
	return result(syscall(SYS_init_module, NULL, 0, ""));
}

static int use_io_uring(void)
{
	return result(syscall(SYS_io_uring_setup, 1, NULL));
}

static int change_mode(void)
{
	return result(syscall(SYS_fchmodat, AT_FDCWD, "/etc/passwd", 0777));
}

static int make_device(void)
{
	return result(mknod("x", S_IFCHR | 0600, 0x0103));
}

static int unknown_keys(void)
{
	return result(syscall(SYS_keyctl, 0, 0, 0, 0, 0));
}

static void deadly(void **unused)
{
	static const struct {
		int (*action)(void);
		const char *name;
	} cases[] = {
		{ run_program, "execve" },
		{ run_program_of_descriptor, "execveat" },
		{ fork_process, "clone" },
		{ fork_by_vfork, "vfork" },
		{ open_socket, "socket" },
		{ open_packet_socket, "socket" },
		{ connect_socket, "connect" },
		{ trace_parent, "ptrace" },
		{ read_memory_of_parent, "process_vm_readv" },
		{ become_root, "setresuid" },
		{ mount_something, "mount" },
		{ new_name_space, "unshare" },
		{ load_bpf, "bpf" },
		{ watch_events, "perf_event_open" },
		{ load_module, "init_module" },
		{ use_io_uring, "io_uring_setup" },
		{ change_mode, "fchmodat" },
		{ make_device, "mknodat" },
		{ unknown_keys, "keyctl" },
	};
	char line[ROOM];

	(void)unused;
#ifndef HAVE_SECCOMP
	skip();
#endif
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		if (SANITIZED && (cases[i].action == fork_process ||
						 cases[i].action == trace_parent))
			continue; /* the sanitizer needs them itself */
		struct end end = try(cases[i].action);
		bool mknod_itself = strcmp(cases[i].name, "mknodat") == 0 &&
				    strstr(log_text, "mknod ") != NULL;

		snprintf(line, sizeof(line),
				"test: error: the sandbox ends the program: system call %s was "
				"tried\n",
				mknod_itself ? "mknod" : cases[i].name);
		if (end.signal != SIGSYS || strcmp(log_text, line) != 0)
			fail_msg("%s: status %d, signal %d, log '%s'", cases[i].name, end.status,
					end.signal, log_text);
	}
}

static int in_a_thread_go(void)
{
	pthread_t t;

	pthread_create(&t, NULL, (void *(*)(void *))(void *)open_socket, NULL);
	pthread_join(t, NULL);
	return 0;
}

static void deadly_in_a_thread_too(void **unused)
{
	(void)unused;
#ifndef HAVE_SECCOMP
	skip();
#endif
	struct end end = try(in_a_thread_go);
	assert_int_equal(end.signal, SIGSYS);
	assert_non_null(strstr(log_text, "system call socket was tried"));
}

/* Who catches SIGSYS himself does not get further: the call is not made. */
static int catch_it_first(void)
{
	struct sigaction ignore = { .sa_flags = 0 };

	ignore.sa_handler = SIG_IGN;
	if (sigaction(SIGSYS, &ignore, NULL) == 0)
		return 1;
	return errno == EPERM ? run_program() : 2;
}

static void its_signal_cannot_be_caught(void **unused)
{
	(void)unused;
#ifndef HAVE_SECCOMP
	skip();
#endif
	assert_int_equal(try(catch_it_first).signal, SIGSYS);
}

/* --- what is refused without a word -------------------------------------------------------- */

static int make_outside(void)
{
	return make(outside, "new");
}

static int write_outside(void)
{
	char path[ROOM];

	join(path, sizeof(path), outside, "there");
	return result(open(path, O_WRONLY));
}

static int truncate_outside(void)
{
	char path[ROOM];

	join(path, sizeof(path), outside, "there");
	return result(open(path, O_RDONLY | O_TRUNC));
}

static int remove_outside(void)
{
	char path[ROOM];

	join(path, sizeof(path), outside, "there");
	return result(unlink(path));
}

static int move(const char *from, const char *to)
{
	char old[ROOM], new[ROOM];

	join(old, sizeof(old), from, "there");
	join(new, sizeof(new), to, "moved");
	return result(rename(old, new));
}

static int move_out(void)
{
	return move(inside, outside);
}

static int move_in(void)
{
	return move(outside, inside);
}

static int link_out(void)
{
	char old[ROOM], new[ROOM];

	join(old, sizeof(old), inside, "there");
	join(new, sizeof(new), outside, "linked");
	return result(link(old, new));
}

static int folder_outside(void)
{
	char path[ROOM];

	join(path, sizeof(path), outside, "folder");
	return result(mkdir(path, 0700));
}

static int make_in_tidy(void)
{
	return make(tidy, "new");
}

static int write_to_memory_of_init(void)
{
	return result(open("/proc/1/mem", O_RDWR));
}

static int write_to_own_memory(void)
{
	return result(open("/proc/self/mem", O_RDWR));
}

static int write_a_setting(void)
{
	return result(open("/proc/sys/kernel/core_pattern", O_WRONLY));
}

static int kill_parent(void)
{
	return result(kill(getppid(), 0));
}

static int kill_thread_of_parent(void)
{
	return result(syscall(SYS_tgkill, getppid(), getppid(), 0));
}

static int make_code(void)
{
	return mmap(NULL, 4096, PROT_READ | PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1,
			       0) == MAP_FAILED
			       ? errno
			       : 0;
}

static int turn_into_code(void)
{
	void *p = mmap(NULL, 4096, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return result(mprotect(p, 4096, PROT_READ | PROT_EXEC));
}

static int type_for_the_user(void)
{
	return result(ioctl(0, TIOCSTI, "x"));
}

static int symbolic_link(void)
{
	char path[ROOM];

	join(path, sizeof(path), inside, "symlink");
	return result(symlink("/etc/passwd", path));
}

static int limits_of_parent(void)
{
	return result(prlimit(getppid(), RLIMIT_NOFILE, NULL, &(struct rlimit){ 0, 0 }));
}

static void refused(void **unused)
{
	static const struct {
		int (*action)(void);
		const char *name;
		bool by_landlock;
	} cases[] = {
		{ make_outside, "make a file outside", true },
		{ write_outside, "write outside", true },
		{ truncate_outside, "truncate outside", true },
		{ remove_outside, "remove outside", true },
		{ move_out, "move out", true },
		{ move_in, "move in", true },
		{ link_out, "link out", true },
		{ folder_outside, "make a folder outside", true },
		{ make_in_tidy, "make a file where only removing is allowed", true },
		{ write_to_memory_of_init, "write to another's memory", true },
		{ write_to_own_memory, "write to read-only memory of its own", true },
		{ write_a_setting, "change a setting of the kernel", true },
		{ symbolic_link, "symbolic link", false },
		{ kill_parent, "signal to another process", false },
		{ kill_thread_of_parent, "signal to another's thread", false },
		{ make_code, "memory to write and run", false },
		{ turn_into_code, "run what was written", false },
		{ type_for_the_user, "type for the user", false },
		{ limits_of_parent, "limits of another", false },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct end end = try(cases[i].action);

		if (end.status != EPERM && end.status != EACCES && end.status != EXDEV)
			fail_msg("%s: status %d, signal %d", cases[i].name, end.status, end.signal);
	}
}

/* --- what goes on working ------------------------------------------------------------------ */

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "line %d: %s\n", __LINE__, strerror(errno));               \
			bad = __LINE__ & 127;                                                      \
		}                                                                                  \
	} while (0)

static int write_inside(void)
{
	char old[ROOM], new[ROOM], linked[ROOM], folder[128], deep[ROOM];
	int bad = 0;

	join(old, sizeof(old), inside, "x.part");
	join(folder, sizeof(folder), inside, ".spool");
	join(new, sizeof(new), inside, "x");
	join(linked, sizeof(linked), folder, "x");
	join(deep, sizeof(deep), folder, "y");
	int fd = open(old, O_CREAT | O_EXCL | O_RDWR | O_CLOEXEC, 0600);
	CHECK(fd != -1 && write(fd, "abc", 3) == 3 && fsync(fd) == 0 && ftruncate(fd, 2) == 0);
	CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4096) == 0 || errno == EOPNOTSUPP);
	CHECK(rename(old, new) == 0 && mkdir(folder, 0700) == 0 && link(new, linked) == 0);
	CHECK(rename(linked, deep) == 0 && rename(deep, old) == 0 && unlink(old) == 0);
	CHECK(unlink(new) == 0 && rmdir(folder) == 0 && close(fd) == 0);
	int dir = open(inside, O_RDONLY | O_DIRECTORY);
	CHECK(dir != -1 && fsync(dir) == 0);
	join(old, sizeof(old), tidy, "there");
	CHECK(unlink(old) == 0);
	return bad;
}

static int read_elsewhere(void)
{
	char bytes[16];
	int bad = 0, fd = open("/etc/passwd", O_RDONLY);
	DIR *folder = opendir("/etc");

	CHECK(fd != -1 && read(fd, bytes, sizeof(bytes)) == sizeof(bytes));
	CHECK(folder != NULL && readdir(folder) != NULL);
	CHECK(access("/etc/passwd", R_OK) == 0);
	return bad;
}

static void *thread(void *ctx)
{
	char *memory = malloc(8 << 20); /* a map of its own */

	prctl(PR_SET_NAME, "worker");
	memset(memory, 1, 8 << 20);
	*(int *)ctx = memory[4711];
	free(memory);
	return NULL;
}

static int use_threads(void)
{
	pthread_t t[4];
	int done[4] = { 0 }, bad = 0;

	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_create(&t[i], NULL, thread, &done[i]) == 0);
	for (size_t i = 0; i < 4; i++)
		CHECK(pthread_join(t[i], NULL) == 0 && done[i] == 1);
	return bad;
}

static int use_sockets(void)
{
	struct sockaddr_in here = { .sin_family = AF_INET };
	struct pollfd p = { .fd = sockets[1], .events = POLLIN };
	socklen_t size = sizeof(here);
	char bytes[4];
	int bad = 0;

	here.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
	CHECK(send(sockets[0], "abc", 3, 0) == 3);
	CHECK(poll(&p, 1, 1000) == 1 && recv(sockets[1], bytes, sizeof(bytes), 0) == 3);
	CHECK(bind(loose, (struct sockaddr *)&here, sizeof(here)) == 0);
	CHECK(getsockname(loose, (struct sockaddr *)&here, &size) == 0);
	CHECK(sendto(loose, "abc", 3, 0, (struct sockaddr *)&here, sizeof(here)) == 3);
	CHECK(recv(loose, bytes, sizeof(bytes), 0) == 3);
	return bad;
}

static int use_clocks_and_signals(void)
{
	struct timespec t = { .tv_nsec = 1000000 };
	sigset_t set;
	int bad = 0;

	CHECK(clock_gettime(CLOCK_MONOTONIC, &t) == 0);
	CHECK(nanosleep(&(struct timespec){ .tv_nsec = 1000 }, NULL) == 0);
	CHECK(sigemptyset(&set) == 0 && sigaddset(&set, SIGUSR1) == 0);
	CHECK(pthread_sigmask(SIG_BLOCK, &set, NULL) == 0);
	CHECK(signal(SIGUSR2, SIG_IGN) != SIG_ERR && raise(SIGUSR2) == 0);
	return bad;
}

static int end_badly(void)
{
	abort();
}

static void works(void **unused)
{
	int (*const actions[])(void) = { write_inside, read_elsewhere, use_threads, use_sockets,
		use_clocks_and_signals };

	(void)unused;
	for (size_t i = 0; i < sizeof(actions) / sizeof(actions[0]); i++) {
		struct end end = try(actions[i]);

		if (end.status != 0)
			fail_msg("case %zu: status %d, signal %d, log '%s'", i, end.status,
					end.signal, log_text);
	}
	assert_int_equal(try(end_badly).signal, SIGABRT);
	assert_string_equal(log_text, "");
}

static void a_folder_that_is_not_there(void **unused)
{
	const char *const folders[] = { "/no/such/folder", NULL };
	struct sandbox box = { .write = folders, .log = -1, .prefix = "" };
	struct sandbox_state state;
	struct err e = { "" };
	int status;
	pid_t child = fork();

	(void)unused;
	if (child == 0)
		_exit(sandbox_enter(&box, &state, &e) ? 1
						      : strstr(e.text, "/no/such/folder") == NULL);
	waitpid(child, &status, 0);
	assert_int_equal(status, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(deadly, set_up, tear_down),
		cmocka_unit_test_setup_teardown(deadly_in_a_thread_too, set_up, tear_down),
		cmocka_unit_test_setup_teardown(its_signal_cannot_be_caught, set_up, tear_down),
		cmocka_unit_test_setup_teardown(refused, set_up, tear_down),
		cmocka_unit_test_setup_teardown(works, set_up, tear_down),
		cmocka_unit_test(a_folder_that_is_not_there),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
