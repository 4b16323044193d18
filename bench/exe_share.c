/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * exe_share.c - how many short connections get their process, by each way to follow sockets.
 *
 *	exe_share METHOD COUNT REAL	METHOD: ebpf, sock_diag, proc
 *
 * In a network namespace of its own, COUNT programs one after the other connect to a server, send a
 * byte, read the answer and end; then REAL each of curl and nc, where installed.  What each was is
 * written down (process id, port), and held against what host/process.h says at the end, when all
 * of them are gone.  Prints one line for each kind of client, and one for the server's end.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host/process.h"

enum { TCP = 6, REPORT = 3, FIRST_PORT = 20000 };

static const char answer[] = "HTTP/1.0 200 OK\r\nContent-Length: 2\r\n\r\nok";

struct truth { /* about one connection */
	pid_t pid;
	uint16_t port;
	int64_t start_ns, end_ns;
};

static void fail(const char *what)
{
	fprintf(stderr, "exe_share: %s: %s\n", what, strerror(errno));
	exit(1);
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
	struct truth t = { .pid = getpid(), .start_ns = process_clock() };
	int fd = socket(AF_INET, SOCK_STREAM, 0);
	char bytes[256];

	if (connect(fd, (struct sockaddr *)&to, sizeof to) != 0 || write(fd, "x", 1) != 1)
		return 1;
	while (read(fd, bytes, sizeof bytes) > 0)
		;
	getsockname(fd, (struct sockaddr *)&from, &size);
	t.port = ntohs(from.sin_port);
	t.end_ns = process_clock();
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

static pid_t start_server(uint16_t *port)
{
	struct sockaddr_in a = loopback(0);
	socklen_t size = sizeof a;
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	pid_t pid;

	if (bind(fd, (struct sockaddr *)&a, sizeof a) != 0 || listen(fd, 128) != 0)
		fail("server");
	getsockname(fd, (struct sockaddr *)&a, &size);
	*port = ntohs(a.sin_port);
	pid = fork();
	if (pid == 0)
		serve(fd);
	close(fd);
	return pid;
}

/* --- running clients ---------------------------------------------------------------------------
 */

static void silence(void)
{
	int null = open("/dev/null", O_RDWR);

	for (int i = 0; i < 3; i++)
		dup2(null, i);
}

static bool run_own(uint16_t port, int report[2], struct truth *t)
{
	char text[8];
	pid_t pid = fork();

	if (pid == 0) {
		dup2(report[1], REPORT);
		snprintf(text, sizeof text, "%u", port);
		execl("/proc/self/exe", "exe_share", "client", text, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	return read(report[0], t, sizeof *t) == sizeof *t && t->pid == pid;
}

/* A real program, told which port to come from. */
static bool run_real(const char *program, uint16_t port, uint16_t from, struct truth *t)
{
	char url[64], own[8], to[8];
	int status;

	snprintf(url, sizeof url, "http://127.0.0.1:%u/", port);
	snprintf(own, sizeof own, "%u", from);
	snprintf(to, sizeof to, "%u", port);
	*t = (struct truth){ .port = from, .start_ns = process_clock() };
	t->pid = fork();
	if (t->pid == 0) {
		silence();
		if (strcmp(program, "curl") == 0)
			execlp("curl", "curl", "-s", "--local-port", own, url, (char *)NULL);
		else
			execlp("nc", "nc", "-N", "-p", own, "127.0.0.1", to, (char *)NULL);
		_exit(127);
	}
	waitpid(t->pid, &status, 0);
	t->end_ns = process_clock();
	return WIFEXITED(status) && WEXITSTATUS(status) != 127;
}

/* --- what was found ----------------------------------------------------------------------------
 */

struct tally {
	unsigned total, right[PROCESS_EXACT + 1], wrong, path, hash;
};

static struct process_end end_of(uint16_t port)
{
	return (struct process_end){ .address = { 127, 0, 0, 1 }, .port = port };
}

static void ask(struct process_watch *w, const struct truth *t, struct process_end local,
		struct process_end remote, pid_t pid, struct tally *to)
{
	struct process_flow f = { .ip_version = 4,
		.proto = TCP,
		.local = local,
		.remote = remote,
		.start_ns = t->start_ns,
		.end_ns = t->end_ns };
	struct process_match m = process_find(w, &f);
	struct process p;
	size_t size;

	to->total++;
	if (!process_read(w, m, &p))
		return;
	if (p.pid != (uint32_t)pid) {
		to->wrong++;
		return;
	}
	to->right[m.confidence]++;
	process_text(&p, PROCESS_PATH, &size);
	to->path += size > 0;
	to->hash += p.hashed;
}

static void print(const char *method, const char *what, const struct tally *t)
{
	unsigned right = t->right[PROCESS_EXACT] + t->right[PROCESS_LATE] + t->right[PROCESS_GUESS];

	if (t->total == 0)
		return;
	printf("%-10s %-7s %6u %9.2f %% %8u %8u %8u %7u %9.2f %% %9.2f %%\n", method, what,
			t->total, 100.0 * right / t->total, t->right[PROCESS_EXACT],
			t->right[PROCESS_LATE], t->right[PROCESS_GUESS], t->wrong,
			100.0 * t->path / t->total, 100.0 * t->hash / t->total);
}

/* --- the whole ---------------------------------------------------------------------------------
 */

static void say(void *ctx, const char *text)
{
	(void)ctx;
	printf("# %s\n", text);
}

static void enter_namespace(void)
{
	struct ifreq lo = { .ifr_name = "lo" };
	int fd;

	if (unshare(CLONE_NEWNET) != 0)
		fail("a network namespace (needs root)");
	fd = socket(AF_INET, SOCK_DGRAM, 0);
	lo.ifr_flags = IFF_UP;
	if (ioctl(fd, SIOCSIFFLAGS, &lo) != 0)
		fail("lo");
	close(fd);
}

static struct process_watch *start_watch(const char *method)
{
	static const char *const names[] = { "auto", "ebpf", "sock_diag", "proc" };
	struct process_conf conf = { .hash = true, .filter = true };
	struct process_watch *w;
	struct err e;

	while (conf.method < PROCESS_BY_PROC && strcmp(names[conf.method], method) != 0)
		conf.method++;
	w = process_watch_new(&conf, &e);
	if (w == NULL) {
		printf("%-10s %s\n", method, e.text);
		exit(0);
	}
	return w;
}

struct run {
	const char *method;
	struct process_watch *w;
	pid_t server;
	uint16_t port, next_port;
	int report[2];
	struct tally at_server;
};

/* Runs clients of one kind, waits until reports have come, asks for each. */
static void measure(struct run *r, const char *what, unsigned count)
{
	struct truth *t = calloc(count + 1, sizeof *t);
	struct tally tally = { 0 };
	unsigned n = 0;

	for (unsigned i = 0; i < count; i++) {
		n += strcmp(what, "own") == 0 ? run_own(r->port, r->report, &t[n])
					      : run_real(what, r->port, r->next_port++, &t[n]);
		process_watch_poll(r->w, say, NULL);
	}
	for (int i = 0; i < 20; i++) { /* a second, as flows linger for two */
		usleep(50000);
		process_watch_poll(r->w, say, NULL);
	}
	for (unsigned i = 0; i < n; i++) {
		struct process_end from = end_of(t[i].port), to = end_of(r->port);

		ask(r->w, &t[i], from, to, t[i].pid, &tally);
		ask(r->w, &t[i], to, from, r->server, &r->at_server);
	}
	print(r->method, what, &tally);
	free(t);
}

int main(int argc, char **argv)
{
	struct run r = { .next_port = FIRST_PORT };

	if (argc == 3 && strcmp(argv[1], "client") == 0)
		return client((uint16_t)strtoul(argv[2], NULL, 10));
	if (argc != 4) {
		fprintf(stderr, "usage: exe_share METHOD COUNT REAL\n");
		return 2;
	}
	setvbuf(stdout, NULL, _IOLBF, 0);
	enter_namespace();
	r.method = argv[1];
	r.w = start_watch(argv[1]);
	r.server = start_server(&r.port);
	if (pipe(r.report) != 0)
		fail("pipe");
	measure(&r, "own", (unsigned)strtoul(argv[2], NULL, 10));
	measure(&r, "curl", (unsigned)strtoul(argv[3], NULL, 10));
	measure(&r, "nc", (unsigned)strtoul(argv[3], NULL, 10));
	print(r.method, "server", &r.at_server);
	if (process_watch_counts(r.w).lost > 0)
		printf("# %llu events were lost\n",
				(unsigned long long)process_watch_counts(r.w).lost);
	kill(r.server, SIGKILL);
	waitpid(r.server, NULL, 0);
	process_watch_free(r.w);
	return 0;
}
