/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * test_process_watch.c - a real watcher finds this test: real sockets, by each way that works here.
 *
 * What needs root, or a kernel that takes eBPF programs, is skipped without.
 */
#include "process_kit.h"

#include <ifaddrs.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/types.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "host/process_hash.h"

enum { TCP = 6, UDP = 17, PATIENCE_MS = 15000 };

struct pair { /* a socket and what it is to the other end */
	int fd;
	struct sockaddr_in6 name;
};

static void say_nothing(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

/* --- sockets -----------------------------------------------------------------------------------
 */

static struct sockaddr_in6 loopback(int family)
{
	struct sockaddr_in6 a = { .sin6_family = AF_INET6, .sin6_addr = IN6ADDR_LOOPBACK_INIT };
	struct sockaddr_in four = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } };

	if (family == AF_INET)
		memcpy(&a, &four, sizeof four);
	return a;
}

static socklen_t size_of(const struct sockaddr_in6 *a)
{
	return a->sin6_family == AF_INET ? sizeof(struct sockaddr_in) : sizeof *a;
}

static void read_name(struct pair *p)
{
	socklen_t size = sizeof p->name;

	assert_int_equal(getsockname(p->fd, (struct sockaddr *)&p->name, &size), 0);
}

static struct pair bound(int family, int type)
{
	struct pair p = { socket(family, type | SOCK_CLOEXEC, 0), loopback(family) };

	assert_int_equal(bind(p.fd, (struct sockaddr *)&p.name, size_of(&p.name)), 0);
	if (type == SOCK_STREAM)
		assert_int_equal(listen(p.fd, 8), 0);
	read_name(&p);
	return p;
}

static struct pair connected(int family, int type, const struct pair *to)
{
	struct pair p = { .fd = socket(family, type | SOCK_CLOEXEC, 0) };

	assert_int_equal(connect(p.fd, (const struct sockaddr *)&to->name, size_of(&to->name)), 0);
	read_name(&p);
	return p;
}

static struct process_end end_of(const struct pair *p)
{
	struct process_end e = { .port = ntohs(p->name.sin6_port) };

	if (p->name.sin6_family == AF_INET)
		memcpy(e.address, (const char *)&p->name + 4, 4);
	else
		memcpy(e.address, &p->name.sin6_addr, 16);
	return e;
}

static struct process_flow flow(uint8_t proto, const struct pair *local, const struct pair *remote)
{
	return (struct process_flow){ .ip_version = local->name.sin6_family == AF_INET ? 4 : 6,
		.proto = proto,
		.local = end_of(local),
		.remote = end_of(remote),
		.start_ns = process_clock(),
		.end_ns = process_clock() + SECOND };
}

/* --- the watcher -------------------------------------------------------------------------------
 */

static struct process_watch *start(enum process_method method)
{
	struct process_conf conf = { .method = method,
		.hash = true,
		.filter = true,
		.user = geteuid() == 0 ? "nobody" : NULL };
	struct err e = { "" };
	struct process_watch *w = process_watch_new(&conf, &e);

	if (w == NULL)
		print_message("%s\n", e.text);
	return w;
}

/* Polls until the flow's process is known as surely as wanted, or patience is at its end. */
static struct process_match wait_for(
		struct process_watch *w, const struct process_flow *f, unsigned confidence)
{
	const int64_t until = process_clock() + PATIENCE_MS * INT64_C(1000000);
	struct process_match m = process_find(w, f);

	while (m.confidence < confidence && process_clock() < until) {
		struct pollfd p = { .fd = process_watch_fd(w), .events = POLLIN };

		poll(&p, 1, 100);
		process_watch_poll(w, say_nothing, NULL);
		m = process_find(w, f);
	}
	return m;
}

static struct process expect(struct process_watch *w, const struct process_flow *f,
		unsigned confidence, pid_t pid)
{
	struct process_match m = wait_for(w, f, confidence);
	struct process p;

	assert_int_equal(m.confidence, confidence);
	assert_true(process_read(w, m, &p));
	assert_int_equal(p.pid, pid);
	return p;
}

/* --- tests -------------------------------------------------------------------------------------
 */

static void finds_tcp(struct process_watch *w, int family, unsigned confidence)
{
	struct pair server = bound(family, SOCK_STREAM), client, taken;
	struct sockaddr_in6 from;
	socklen_t size = sizeof from;
	struct process_flow f;

	client = connected(family, SOCK_STREAM, &server);
	taken.fd = accept(server.fd, (struct sockaddr *)&from, &size);
	f = flow(TCP, &client, &server);
	expect(w, &f, confidence, getpid());
	f = flow(TCP, &server, &client);
	expect(w, &f, confidence, getpid());
	close(client.fd);
	close(taken.fd);
	close(server.fd);
}

static void finds_udp(struct process_watch *w, int family, unsigned confidence)
{
	struct pair server = bound(family, SOCK_DGRAM), client;
	struct pair sender = { .fd = socket(family, SOCK_DGRAM | SOCK_CLOEXEC, 0) };
	struct sockaddr_in6 from;
	socklen_t size = sizeof from;
	struct process_flow f;
	char byte;

	client = connected(family, SOCK_DGRAM, &server);
	f = flow(UDP, &client, &server);
	expect(w, &f, confidence, getpid());
	close(client.fd);

	assert_int_equal(sendto(sender.fd, "x", 1, 0, (struct sockaddr *)&server.name,
					 size_of(&server.name)),
			1);
	assert_int_equal(recvfrom(server.fd, &byte, 1, 0, (struct sockaddr *)&from, &size), 1);
	sender.name = from;
	f = flow(UDP, &sender, &server);
	expect(w, &f, confidence == PROCESS_EXACT ? PROCESS_EXACT : PROCESS_GUESS, getpid());
	f = flow(UDP, &server, &sender);
	expect(w, &f, confidence == PROCESS_EXACT ? PROCESS_EXACT : PROCESS_GUESS, getpid());
	close(sender.fd);
	close(server.fd);
}

static void finds_all(enum process_method method, unsigned confidence)
{
	struct process_watch *w = start(method);

	if (w == NULL)
		skip();
	finds_tcp(w, AF_INET, confidence);
	finds_tcp(w, AF_INET6, confidence);
	finds_udp(w, AF_INET, confidence);
	finds_udp(w, AF_INET6, confidence);
	process_watch_free(w);
}

static void the_kernel_tells_exactly(void **state)
{
	(void)state;
	finds_all(PROCESS_BY_EBPF, PROCESS_EXACT);
}

static void sock_diag_finds_what_stays(void **state)
{
	(void)state;
	finds_all(PROCESS_BY_DIAG, PROCESS_LATE);
}

static void proc_finds_what_stays(void **state)
{
	(void)state;
	finds_all(PROCESS_BY_PROC, PROCESS_LATE);
}

static void sockets_from_before_are_found_too(void **state)
{
	struct pair server = bound(AF_INET, SOCK_STREAM);
	struct pair client = connected(AF_INET, SOCK_STREAM, &server);
	struct process_watch *w = start(PROCESS_BY_BEST);
	struct process_flow f = flow(TCP, &client, &server);

	(void)state;
	if (w == NULL)
		skip();
	expect(w, &f, PROCESS_LATE, getpid());
	close(client.fd);
	close(server.fd);
	process_watch_free(w);
}

/* A child that connects and is gone: its pid, and its parent, which is this test. */
static void a_process_that_is_gone_at_once(void **state)
{
	struct process_watch *w = start(PROCESS_BY_EBPF);
	struct pair server = bound(AF_INET, SOCK_STREAM), client = { .fd = -1 };
	socklen_t size = sizeof client.name;
	const int64_t before_ns = process_clock();
	char exe[LIMIT_PROCESS_TEXT];
	struct process_flow f;
	struct process p;
	pid_t pid;

	(void)state;
	if (w == NULL)
		skip();
	pid = fork();
	if (pid == 0) {
		connected(AF_INET, SOCK_STREAM, &server);
		_exit(0);
	}
	waitpid(pid, NULL, 0);
	client.fd = accept(server.fd, (struct sockaddr *)&client.name, &size);
	f = flow(TCP, &client, &server);
	f.start_ns = before_ns;
	p = expect(w, &f, PROCESS_EXACT, pid);
	assert_int_equal(p.parent_pid, getpid());
	assert_int_equal(p.uid, getuid());
	exe[readlink("/proc/self/exe", exe, sizeof exe - 1)] = '\0';
	assert_true(kit_text_is(&p, PROCESS_PATH, exe));
	assert_true(kit_text_is(&p, PROCESS_NAME, "test_process_watch"));
	assert_true(llabs(p.start_ns / SECOND - time(NULL)) < 60);
	close(client.fd);
	close(server.fd);
	process_watch_free(w);
}

/* Any IPv4 address of this host but the loopback's; false: it has none. */
static bool find_address(struct process_end *to)
{
	struct ifaddrs *list, *i;
	bool found = false;

	assert_int_equal(getifaddrs(&list), 0);
	for (i = list; i != NULL && !found; i = i->ifa_next) {
		const struct sockaddr_in *a = (const void *)i->ifa_addr;

		found = a != NULL && a->sin_family == AF_INET &&
			ntohl(a->sin_addr.s_addr) >> 24 != 127;
		if (found)
			memcpy(to->address, &a->sin_addr, 4);
	}
	freeifaddrs(list);
	return found;
}

/* A server at any address is found by its port, at the host's addresses only. */
static void our_addresses_are_known(void **state)
{
	struct pair server = { socket(AF_INET, SOCK_DGRAM, 0), { .sin6_family = AF_INET } };
	struct process_flow f = { .ip_version = 4, .proto = UDP, .remote = { { 9, 9, 9, 9 }, 9 } };
	struct process_watch *w;

	(void)state;
	assert_int_equal(bind(server.fd, (struct sockaddr *)&server.name, 16), 0);
	read_name(&server);
	w = find_address(&f.local) ? start(PROCESS_BY_BEST) : NULL;
	if (w == NULL)
		skip();
	f.local.port = end_of(&server).port;
	f.start_ns = f.end_ns = process_clock();
	expect(w, &f, PROCESS_GUESS, getpid());
	f.local.address[3] ^= 0x55;
	assert_int_equal(process_find(w, &f).confidence, PROCESS_NOBODY);
	close(server.fd);
	process_watch_free(w);
}

static void the_executable_is_hashed(void **state)
{
	struct process_watch *w = start(PROCESS_BY_BEST);
	struct pair server = bound(AF_INET, SOCK_STREAM);
	struct pair client = connected(AF_INET, SOCK_STREAM, &server);
	struct process_flow f = flow(TCP, &client, &server);
	struct hash_cache *c = hash_cache_new();
	FILE *exe = fopen("/proc/self/exe", "r");
	struct process p = { 0 };
	uint8_t hash[HASH_BYTES];

	(void)state;
	if (w == NULL)
		skip();
	for (int i = 0; i < PATIENCE_MS / 10 && !p.hashed; i++) {
		struct pollfd none = { .fd = process_watch_fd(w), .events = POLLIN };

		poll(&none, 1, 10);
		process_watch_poll(w, say_nothing, NULL);
		process_read(w, process_find(w, &f), &p);
	}
	assert_int_equal(p.hashed, 1);
	assert_true(hash_open_file(c, fileno(exe), hash));
	assert_memory_equal(p.hash, hash, sizeof hash);
	fclose(exe);
	hash_cache_free(c);
	close(client.fd);
	close(server.fd);
	process_watch_free(w);
}

/* A listener made here, a connection taken by a child that does not ask from where. */
static void who_takes_a_connection_silently_is_found_later(void **state)
{
	struct process_watch *w = start(PROCESS_BY_EBPF);
	struct pair server = bound(AF_INET, SOCK_STREAM), client;
	int ready[2], done[2];
	struct process_flow f;
	char byte;
	pid_t pid;

	(void)state;
	if (w == NULL)
		skip();
	assert_int_equal(pipe(ready) | pipe(done), 0);
	pid = fork();
	if (pid == 0) {
		close(done[1]);
		if (accept(server.fd, NULL, NULL) < 0 || write(ready[1], "x", 1) != 1)
			_exit(1);
		_exit(read(done[0], &byte, 1) != 0);
	}
	client = connected(AF_INET, SOCK_STREAM, &server);
	assert_int_equal(read(ready[0], &byte, 1), 1);
	f = flow(TCP, &server, &client);
	expect(w, &f, PROCESS_LATE, pid);
	close(done[1]);
	waitpid(pid, NULL, 0);
	for (int i = 0; i < 2; i++)
		close(ready[i]);
	close(done[0]);
	close(client.fd);
	close(server.fd);
	process_watch_free(w);
}

/* --- rights ------------------------------------------------------------------------------------
 */

/* The child of this process that is not waited for by anybody else: the watcher. */
static pid_t find_child(void)
{
	char path[64], text[64] = "";
	FILE *f;

	snprintf(path, sizeof path, "/proc/self/task/%d/children", getpid());
	f = fopen(path, "r");
	if (f == NULL)
		return 0;
	if (fgets(text, sizeof text, f) == NULL)
		text[0] = '\0';
	fclose(f);
	return (pid_t)strtol(text, NULL, 10);
}

static bool has_line(const char *text, const char *line)
{
	const char *p = strstr(text, line);

	return p != NULL && p[strlen(line)] == '\n';
}

static void the_watcher_keeps_two_rights(void **state)
{
	struct process_watch *w = geteuid() == 0 ? start(PROCESS_BY_BEST) : NULL;
	char path[64], text[8192];
	size_t n;
	FILE *f;
	pid_t child;

	(void)state;
	if (w == NULL || (child = find_child()) == 0)
		skip();
	snprintf(path, sizeof path, "/proc/%d/status", child);
	f = fopen(path, "r");
	assert_non_null(f);
	n = fread(text, 1, sizeof text - 1, f);
	text[n] = '\0';
	fclose(f);
	assert_true(has_line(text, "CapEff:\t0000000000080004")); /* ptrace, dac_read_search */
	assert_true(has_line(text, "CapPrm:\t0000000000080004"));
	assert_true(has_line(text, "NoNewPrivs:\t1"));
#if defined(__x86_64__) || defined(__aarch64__)
	assert_true(has_line(text, "Seccomp:\t2"));
#endif
	assert_null(strstr(text, "\nUid:\t0\t"));
	process_watch_free(w);
	assert_int_equal(find_child(), 0);
}

static void its_end_is_noticed(void **state)
{
	struct process_watch *w = start(PROCESS_BY_BEST);
	pid_t child = find_child();
	int said = 0;

	(void)state;
	if (w == NULL || child == 0)
		skip();
	kill(child, SIGKILL);
	while (process_watch_fd(w) >= 0) {
		struct pollfd p = { .fd = process_watch_fd(w), .events = POLLIN };

		assert_true(poll(&p, 1, PATIENCE_MS) > 0);
		process_watch_poll(w, say_nothing, &said);
	}
	process_watch_poll(w, say_nothing, &said);
	process_watch_free(w);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_kernel_tells_exactly),
		cmocka_unit_test(sock_diag_finds_what_stays),
		cmocka_unit_test(proc_finds_what_stays),
		cmocka_unit_test(sockets_from_before_are_found_too),
		cmocka_unit_test(a_process_that_is_gone_at_once),
		cmocka_unit_test(our_addresses_are_known),
		cmocka_unit_test(the_executable_is_hashed),
		cmocka_unit_test(who_takes_a_connection_silently_is_found_later),
		cmocka_unit_test(the_watcher_keeps_two_rights),
		cmocka_unit_test(its_end_is_noticed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
