/* SPDX-License-Identifier: BSD-3-Clause */
/* test_server.c - listeners by path and address, and a server whose clients behave badly. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
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
#include <unistd.h>

/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "base/limits.h"
#include "os/listen.h"
#include "os/server.h"

#define SECOND INT64_C(1000000000)

static char folder[64], path[96];

static int set_up(void **unused)
{
	(void)unused;
	snprintf(folder, sizeof(folder), "/tmp/server-XXXXXX");
	if (mkdtemp(folder) == NULL)
		return 1;
	snprintf(path, sizeof(path), "%s/control", folder);
	return 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	unlink(path);
	return rmdir(folder);
}

/* A line is a question; "big" has a big answer, "none" none, others themselves. */
static bool take(void *ctx, const char *bytes, size_t size, struct buf *answer)
{
	const char *end = memchr(bytes, '\n', size);

	++*(int *)ctx;
	if (end == NULL)
		return false;
	if (strncmp(bytes, "big", 3) == 0)
		memset(buf_reserve(answer, 4 << 20), 'b', 4 << 20), buf_commit(answer, 4 << 20);
	else if (strncmp(bytes, "none", 4) != 0)
		buf_bytes(answer, bytes, (size_t)(end - bytes));
	return true;
}

static int asked;

static struct server *serve(void)
{
	struct err e = { "" };
	int fd;

	asked = 0;
	if (!listen_path(path, &fd, &e))
		fail_msg("%s", e.text);
	struct server *s = server_new(fd, take, &asked);

	assert_non_null(s);
	return s;
}

static int client(void)
{
	struct err e;
	int fd;

	assert_true(listen_connect(path, &fd, &e));
	return fd;
}

static void say(int fd, const char *text)
{
	assert_int_equal(send(fd, text, strlen(text), MSG_NOSIGNAL), strlen(text));
}

/* Bytes until the end, while the server goes on; 'text' has the first of them. */
static size_t hear(struct server *s, int64_t now, int fd, char text[static 64])
{
	char bytes[65536];
	size_t all = 0;

	for (int i = 0; i < 100000; i++) {
		server_poll(s, now);
		ssize_t n = recv(fd, bytes, sizeof(bytes), MSG_DONTWAIT);

		if (n == 0 || (n == -1 && errno == ECONNRESET))
			break;
		if (n > 0 && all == 0) {
			memcpy(text, bytes, n < 63 ? (size_t)n : 63);
			text[n < 63 ? n : 63] = '\0';
		}
		all += n > 0 ? (size_t)n : 0;
	}
	close(fd);
	server_poll(s, now);
	return all;
}

static void question_and_answer(void **unused)
{
	struct server *s = serve();
	char text[64] = "";

	(void)unused;
	int fd = client();
	say(fd, "hel");
	server_poll(s, 0);
	server_poll(s, 0);
	assert_int_equal(server_clients(s), 1);
	say(fd, "lo\n");
	assert_int_equal(hear(s, 0, fd, text), 5);
	assert_string_equal(text, "hello");
	assert_int_equal(server_clients(s), 0);
	fd = client();
	say(fd, "none\n");
	assert_int_equal(hear(s, 0, fd, text), 0);
	fd = client();
	say(fd, "big\n");
	assert_int_equal(hear(s, 0, fd, text), 4 << 20);
	assert_int_equal(server_clients(s), 0);
	server_free(s);
	server_free(NULL);
}

static void clients_that_never_end(void **unused)
{
	struct server *s = serve();
	int idle[LIMIT_CLIENTS + 4];
	char text[64] = "";

	(void)unused;
	for (size_t i = 0; i < LIMIT_CLIENTS; i++) {
		idle[i] = client();
		server_poll(s, 0);
	}
	assert_int_equal(server_clients(s), LIMIT_CLIENTS);
	int waits = client();
	say(waits, "after you\n");
	server_poll(s, LIMIT_CLIENT_SECONDS * SECOND - 1);
	assert_int_equal(server_clients(s), LIMIT_CLIENTS);
	server_poll(s, LIMIT_CLIENT_SECONDS * SECOND);
	assert_int_equal(hear(s, LIMIT_CLIENT_SECONDS * SECOND, waits, text), 9);
	assert_int_equal(server_clients(s), 0);
	for (size_t i = 0; i < LIMIT_CLIENTS; i++)
		close(idle[i]);
	server_free(s);
}

static void clients_that_do_not_listen(void **unused)
{
	struct server *s = serve();
	int fd = client();

	(void)unused;
	say(fd, "big\n");
	for (int i = 0; i < 10; i++)
		server_poll(s, 0);
	assert_int_equal(server_clients(s), 1);
	assert_int_equal(asked, 1);
	server_poll(s, LIMIT_CLIENT_SECONDS * SECOND);
	assert_int_equal(server_clients(s), 0);
	close(fd);
	fd = client();
	say(fd, "big\n");
	server_poll(s, 0);
	server_poll(s, 0);
	close(fd); /* in the middle of it */
	server_poll(s, 0);
	server_poll(s, 0);
	assert_int_equal(server_clients(s), 0);
	server_free(s);
}

static void questions_without_end(void **unused)
{
	static char much[LIMIT_QUESTION_BYTES];
	struct server *s = serve();
	char text[64] = "";
	int fd = client();

	(void)unused;
	memset(much, 'x', sizeof(much));
	assert_int_equal(send(fd, much, sizeof(much), MSG_NOSIGNAL), sizeof(much));
	assert_int_equal(hear(s, 0, fd, text), 0);
	assert_int_equal(server_clients(s), 0);
	server_free(s);
}

/* --- listeners ----------------------------------------------------------------------------- */

static void a_socket_of_the_file_system(void **unused)
{
	struct err e = { "" };
	struct stat st;
	int one, two;

	(void)unused;
	assert_true(listen_path(path, &one, &e));
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0600);
	assert_false(listen_path(path, &two, &e)); /* a living one */
	assert_non_null(strstr(e.text, "another pcap2flow answers"));
	close(one);
	assert_false(listen_connect(path, &two, &e));
	assert_non_null(strstr(e.text, "nothing answers"));
	assert_true(listen_path(path, &one, &e)); /* a dead one */
	close(one);
	unlink(path);
	int file = open(path, O_CREAT | O_WRONLY, 0600); /* no socket at all */
	close(file);
	assert_false(listen_path(path, &one, &e));
	assert_int_equal(access(path, F_OK), 0);
}

static void paths_that_cannot_be(void **unused)
{
	char longer[256], deep[128];
	struct err e = { "" };
	int fd;

	(void)unused;
	memset(longer, 'x', sizeof(longer) - 1);
	longer[0] = '/';
	longer[sizeof(longer) - 1] = '\0';
	assert_false(listen_path(longer, &fd, &e));
	assert_non_null(strstr(e.text, "characters"));
	assert_false(listen_path("/no/such/folder/control", &fd, &e));
	snprintf(deep, sizeof(deep), "%s/new/control", folder);
	assert_true(listen_path(deep, &fd, &e)); /* only its folder was missing */
	close(fd);
	unlink(deep);
	deep[strlen(deep) - strlen("/control")] = '\0';
	assert_int_equal(rmdir(deep), 0);
}

static void addresses(void **unused)
{
	static const char *const wrong[] = { "", "9464", ":9464", "127.0.0.1",
		"127.0.0.1:", "::1:9464", "[::1]", "localhost:9464", "127.0.0.1:http",
		"127.0.0.1:99999", "[127.0.0.1:1", NULL };
	struct err e = { "" };
	int one, two;

	(void)unused;
	for (const char *const *w = wrong; *w != NULL; w++)
		if (listen_address(*w, &one, &e))
			fail_msg("'%s' was taken", *w);
	assert_true(listen_address("127.0.0.1:0", &one, &e));
	struct sockaddr_in a;
	socklen_t size = sizeof(a);
	char text[64];

	assert_int_equal(getsockname(one, (struct sockaddr *)&a, &size), 0);
	snprintf(text, sizeof(text), "127.0.0.1:%u", ntohs(a.sin_port));
	assert_false(listen_address(text, &two, &e));
	assert_non_null(strstr(e.text, "in use"));
	close(one);
	if (listen_address("[::1]:0", &one, &e))
		close(one);
	else
		assert_non_null(strstr(e.text, "cannot listen")); /* a machine without IPv6 */
}

int main(void)
{
	signal(SIGPIPE, SIG_IGN);
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(question_and_answer, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clients_that_never_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(clients_that_do_not_listen, set_up, tear_down),
		cmocka_unit_test_setup_teardown(questions_without_end, set_up, tear_down),
		cmocka_unit_test_setup_teardown(a_socket_of_the_file_system, set_up, tear_down),
		cmocka_unit_test_setup_teardown(paths_that_cannot_be, set_up, tear_down),
		cmocka_unit_test(addresses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
