/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exe_clients.c - short connections over the loopback, and the truth about each: for bench/exe.py.
 *
 *	exe_clients COUNT REAL
 *
 * COUNT times this program runs itself: the other one connects to a server (a child of this one),
 * sends a byte, reads the answer and ends.  Then REAL times curl and nc, where installed, told
 *which port to come from.  Prints a line for each: who, process id, its port, when it began (ns
 *since 1970); the first line is the server's.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { REPORT = 3, FIRST_PORT = 20000 };

static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct truth { /* about one connection */
	pid_t pid;
	uint16_t port;
	long long ns;
};

static long long now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * 1000000000LL + t.tv_nsec;
}

static struct sockaddr_in loopback(uint16_t port)
{
	return (struct sockaddr_in){ .sin_family = AF_INET,
		.sin_addr = { htonl(INADDR_LOOPBACK) },
		.sin_port = htons(port) };
}

/* --- the two programs --------------------------------------------------------------------------
 */

static int client(uint16_t port)
{
	struct sockaddr_in to = loopback(port), from;
	socklen_t size = sizeof from;
	struct truth t = { .pid = getpid(), .ns = now_ns() };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[256];

	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, "x", 1) != 1)
		return 1;
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	getsockname(fd, (struct sockaddr *)&from, &size);
	t.port = ntohs(from.sin_port);
	return write(REPORT, &t, sizeof t) != sizeof t;
}

static void serve(int listener)
{
	char bytes[4096];

	prctl(PR_SET_PDEATHSIG, SIGKILL);
	for (;;) {
		struct sockaddr_in from;
		socklen_t size = sizeof from;
		int fd = accept(listener, (struct sockaddr *)&from, &size);

		if (fd < 0)
			continue;
		if (read(fd, bytes, sizeof bytes) < 0 || write(fd, answer, sizeof answer - 1) < 0)
			errno = 0; /* nothing to be done */
		close(fd);
	}
}

static uint16_t start_server(void)
{
	struct sockaddr_in a = loopback(0);
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 128) != 0) {
		perror("exe_clients: server");
		exit(1);
	}
	getsockname(fd, (struct sockaddr *)&a, &size);
	pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	printf("server %d %u %lld\n", pid, ntohs(a.sin_port), now_ns());
	return ntohs(a.sin_port);
}

/* --- running clients ---------------------------------------------------------------------------
 */

static bool run_own(uint16_t port, int report[2], struct truth *t)
{
	char text[8];
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (pid == 0) {
		dup2(report[1], REPORT);
		snprintf(text, sizeof text, "%u", port);
		execl("/proc/self/exe", "exe_clients", "client", text, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return read(report[0], t, sizeof *t) == sizeof *t && t->pid == pid;
}

static void run_real_now(const char *program, const char *to, const char *own)
{
	char url[64];
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(null, i);
	snprintf(url, sizeof url, "http://127.0.0.1:%s/", to);
	if (strcmp(program, "curl") == 0)
		execlp("curl", "curl", "-s", "--local-port", own, url, (char *)NULL);
	else
		execlp("nc", "nc", "-N", "-p", own, "127.0.0.1", to, (char *)NULL);
	_exit(127);
}

/* False: it is not installed. */
static bool run_real(const char *program, uint16_t port, uint16_t from, struct truth *t)
{
	char own[8], to[8];
	int status;

	snprintf(own, sizeof own, "%u", from);
	snprintf(to, sizeof to, "%u", port);
	*t = (struct truth){ .port = from, .ns = now_ns() };
	fflush(stdout);
	t->pid = fork();
	if (t->pid == 0)
		run_real_now(program, to, own);
	waitpid(t->pid, &status, 0);
	return WIFEXITED(status) && WEXITSTATUS(status) == 0;
}

int main(int argc, char **argv)
{
	static const char *const real[] = { "curl", "nc" };
	uint16_t port, own = FIRST_PORT;
	struct truth t;
	int report[2];

	if (argc != 3)
		return 2;
	if (strcmp(argv[1], "client") == 0)
		return client((uint16_t)strtoul(argv[2], NULL, 10));
	port = start_server();
	if (pipe(report) != 0)
		return 1;
	for (unsigned long i = strtoul(argv[1], NULL, 10); i > 0; i--)
		if (run_own(port, report, &t))
			printf("own %d %u %lld\n", t.pid, t.port, t.ns);
	for (int r = 0; r < 2; r++)
		for (unsigned long i = strtoul(argv[2], NULL, 10); i > 0; i--)
			if (run_real(real[r], port, own++, &t))
				printf("%s %d %u %lld\n", real[r], t.pid, t.port, t.ns);
	return 0;
}
