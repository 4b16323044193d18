/* SPDX-License-Identifier: BSD-3-Clause */
/* test_daemon.c - the background process and its file, and what a service manager is told. */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "os/daemon.h"
#include "os/notify.h"

/* --- daemon -------------------------------------------------------------------------------- */

/* Runs 'child' in the background of a process that goes on; its status as whoever started it gets
 * it. */
static int start(void (*child)(struct daemon *), struct err *e)
{
	struct daemon d;
	int status = daemon_fork(&d, e);

	if (status == DAEMON_CHILD) {
		child(&d);
		_exit(7);
	}
	return status;
}

static int pipe_ends[2];

static void gets_ready(struct daemon *d)
{
	char c = 'x';
	bool alone = getsid(0) == getpid();

	daemon_ready(d);
	daemon_ready(d); /* nobody waits any more: nothing happens */
	if (write(pipe_ends[1], alone && read(STDIN_FILENO, &c, 1) == 0 ? "y" : "n", 1) != 1)
		_exit(1);
}

static void fails(struct daemon *d)
{
	(void)d;
	_exit(3);
}

static void dies(struct daemon *d)
{
	(void)d;
	signal(SIGTERM, SIG_DFL);
	raise(SIGTERM);
}

static void status_of_the_background(void **unused)
{
	struct err e = { "" };
	char answer;

	(void)unused;
	assert_int_equal(pipe(pipe_ends), 0);
	assert_int_equal(start(gets_ready, &e), 0);
	assert_int_equal(read(pipe_ends[0], &answer, 1), 1);
	assert_int_equal(answer, 'y');
	assert_int_not_equal(wait(NULL), -1);
	assert_int_equal(start(fails, &e), 3);
	assert_string_equal(e.text, "");
	assert_int_equal(start(dies, &e), 1);
	assert_non_null(strstr(e.text, "signal 15"));
}

static void pidfile(void **unused)
{
	char path[] = "/tmp/pidfile-XXXXXX", text[32] = "", wanted[32];
	struct err e = { "" };
	int fd, other;

	(void)unused;
	assert_int_not_equal(other = mkstemp(path), -1);
	assert_int_equal(write(other, "1234567890123\n", 14), 14); /* of a process long gone */
	close(other);
	assert_true(daemon_pidfile(path, &fd, &e));
	assert_true(pread(fd, text, sizeof(text) - 1, 0) > 0);
	snprintf(wanted, sizeof(wanted), "%d\n", getpid());
	assert_string_equal(text, wanted);
	assert_false(daemon_pidfile(path, &other, &e));
	assert_non_null(strstr(e.text, "running"));
	daemon_pidfile_remove(path, fd);
	assert_int_equal(access(path, F_OK), -1);
	assert_false(daemon_pidfile("/no/such/folder/pid", &fd, &e));
	daemon_pidfile_remove("/no/such/folder/pid", -1);
}

static void pidfile_is_no_link(void **unused)
{
	char folder[] = "/tmp/pidfile-XXXXXX", path[64];
	struct err e;
	int fd;

	(void)unused;
	assert_non_null(mkdtemp(folder));
	snprintf(path, sizeof(path), "%s/pid", folder);
	assert_int_equal(symlink("/etc/passwd", path), 0);
	assert_false(daemon_pidfile(path, &fd, &e));
	assert_int_equal(unlink(path) + rmdir(folder), 0);
}

/* --- notify -------------------------------------------------------------------------------- */

/* A service manager's socket; 'name' as NOTIFY_SOCKET has it. */
static int manager(const char *name)
{
	struct sockaddr_un a = { .sun_family = AF_UNIX };
	size_t size = strlen(name);
	int fd = socket(AF_UNIX, SOCK_DGRAM, 0);

	memcpy(a.sun_path, name, size);
	if (name[0] == '@')
		a.sun_path[0] = '\0';
	assert_int_equal(
			bind(fd, (struct sockaddr *)&a,
					(socklen_t)(offsetof(struct sockaddr_un, sun_path) + size)),
			0);
	setenv("NOTIFY_SOCKET", name, 1);
	return fd;
}

static const char *hear(int fd)
{
	static char text[512];
	ssize_t n = recv(fd, text, sizeof(text) - 1, MSG_DONTWAIT);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void tells(const char *name)
{
	struct notify n;
	int fd = manager(name);

	setenv("WATCHDOG_USEC", "2000000", 1);
	notify_open(&n);
	assert_int_not_equal(n.fd, -1);
	notify_ready(&n, "Capturing");
	assert_string_equal(hear(fd), "READY=1\nSTATUS=Capturing");
	notify_alive(&n, 5);
	assert_string_equal(hear(fd), "WATCHDOG=1");
	notify_alive(&n, 999999999);
	assert_string_equal(hear(fd), "");
	notify_alive(&n, 1000000005); /* half of the time it is given */
	assert_string_equal(hear(fd), "WATCHDOG=1");
	notify_reloading(&n);
	assert_non_null(strstr(hear(fd), "RELOADING=1\nMONOTONIC_USEC="));
	notify_stopping(&n);
	assert_non_null(strstr(hear(fd), "STOPPING=1"));
	notify_close(&n);
	close(fd);
}

static void tells_a_path_and_an_abstract_name(void **unused)
{
	char path[64], abstract[64];

	(void)unused;
	snprintf(path, sizeof(path), "/tmp/notify-%d", getpid());
	snprintf(abstract, sizeof(abstract), "@notify-%d", getpid());
	tells(path);
	unlink(path);
	tells(abstract);
}

static void nobody_to_tell(void **unused)
{
	struct notify n;

	(void)unused;
	unsetenv("NOTIFY_SOCKET");
	setenv("WATCHDOG_USEC", "1000", 1);
	setenv("WATCHDOG_PID", "1", 1); /* meant for another */
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	assert_int_equal(n.watchdog_ns, 0);
	notify_ready(&n, "");
	notify_stopping(&n);
	notify_alive(&n, 1);
	notify_close(&n);
	setenv("NOTIFY_SOCKET", "relative", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	setenv("NOTIFY_SOCKET", "/no/such/socket", 1);
	notify_open(&n);
	assert_int_equal(n.fd, -1);
	unsetenv("NOTIFY_SOCKET");
	unsetenv("WATCHDOG_USEC");
	unsetenv("WATCHDOG_PID");
}

static void knows_the_journal(void **unused)
{
	struct stat st;
	char text[64];

	(void)unused;
	unsetenv("JOURNAL_STREAM");
	assert_false(notify_is_journal(STDERR_FILENO));
	assert_int_equal(fstat(STDERR_FILENO, &st), 0);
	snprintf(text, sizeof(text), "%ju:%ju", (uintmax_t)st.st_dev, (uintmax_t)st.st_ino);
	setenv("JOURNAL_STREAM", text, 1);
	assert_true(notify_is_journal(STDERR_FILENO));
	setenv("JOURNAL_STREAM", "1:2", 1);
	assert_false(notify_is_journal(STDERR_FILENO));
	unsetenv("JOURNAL_STREAM");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(status_of_the_background),
		cmocka_unit_test(pidfile),
		cmocka_unit_test(pidfile_is_no_link),
		cmocka_unit_test(tells_a_path_and_an_abstract_name),
		cmocka_unit_test(nobody_to_tell),
		cmocka_unit_test(knows_the_journal),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
