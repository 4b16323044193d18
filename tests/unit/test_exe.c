/* SPDX-License-Identifier: BSD-3-Clause */
/* test_exe.c - the feature: a real connection of this test, seen as a flow from either end. */
#include "feature_kit.h"

#include <netinet/in.h>
#include <poll.h>
#include <stdio.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "feature/exe_out.h"

extern const struct feature feature_exe;

static void say_nothing(void *ctx, const char *text)
{
	(void)ctx;
	(void)text;
}

static void set(void *options, const char *name, const char *value)
{
	for (const struct option *o = feature_exe.options; o->name != NULL; o++) {
		char *member = (char *)options + o->offset;

		if (strcmp(o->name, name) != 0)
			continue;
		if (o->type == OPTION_BOOL)
			*(bool *)member = value[0] == '1';
		else
			*(char **)(void *)member = strdup(value);
		return;
	}
	fail_msg("no option %s", name);
}

static void a_file_does_not_tell(void **state)
{
	struct conf conf = { .sandbox = true };
	uint64_t options[8] = { 0 };
	struct err e = { "" };

	(void)state;
	set(options, "exe", "1");
	assert_true(feature_exe.enabled(&conf, options));
	assert_false(feature_exe.prepare(options, &conf, &e));
	assert_non_null(strstr(e.text, "interface="));
	feature_exe.release(options);
}

static void what_is_not_known_is_left_out(void **state)
{
	struct process p = { .pid = 7, .uid = UINT32_MAX, .start_ns = -1 };
	struct exe_process to;

	(void)state;
	exe_fill(&to, &p, PROCESS_GUESS, false);
	assert_null(to.name.p);
	assert_null(to.path.p);
	assert_null(to.hash.p);
	assert_int_equal(to.parent.pid, UINT32_MAX);
	assert_true(to.start.ns < 0);
	assert_string_equal(to.confidence, "guess");
	assert_string_equal(to.side, "<");
	exe_nobody(&to);
	assert_int_equal(to.pid, UINT32_MAX);
	assert_null(to.confidence);
}

/* --- a connection to ourselves -----------------------------------------------------------------
 */

struct ends {
	int listener, client, server;
	struct sockaddr_in from, to;
};

static struct ends connect_to_self(void)
{
	struct ends e = { .to = { .sin_family = AF_INET, .sin_addr = { htonl(INADDR_LOOPBACK) } } };
	socklen_t size = sizeof e.to;

	e.listener = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(bind(e.listener, (struct sockaddr *)&e.to, sizeof e.to), 0);
	assert_int_equal(listen(e.listener, 1), 0);
	assert_int_equal(getsockname(e.listener, (struct sockaddr *)&e.to, &size), 0);
	e.client = socket(AF_INET, SOCK_STREAM, 0);
	assert_int_equal(connect(e.client, (struct sockaddr *)&e.to, sizeof e.to), 0);
	size = sizeof e.from;
	e.server = accept(e.listener, (struct sockaddr *)&e.from, &size);
	return e;
}

static void disconnect(struct ends *e)
{
	close(e->listener);
	close(e->client);
	close(e->server);
}

static int64_t now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* The flow's key has the client as endpoint 'client'. */
static void show(struct kit *k, const struct ends *e, unsigned client, int64_t ns)
{
	memset(&k->flow.key.address, 0, sizeof k->flow.key.address);
	memcpy(k->flow.key.address[client], &e->from.sin_addr, 4);
	memcpy(k->flow.key.address[!client], &e->to.sin_addr, 4);
	k->flow.key.port[client] = ntohs(e->from.sin_port);
	k->flow.key.port[!client] = ntohs(e->to.sin_port);
	k->flow.marks = client == 1 ? FLOW_REVERSED : 0;
	kit_packet(k, 0, 0, ns);
}

static void expect_self(struct kit *k, const char *confidence)
{
	assert_true(kit_finish(k));
	assert_int_equal(kit_int(k, "exe.pid"), getpid());
	assert_int_equal(kit_int(k, "exe.parent.pid"), getppid());
	assert_int_equal(kit_int(k, "exe.uid"), getuid());
	assert_true(kit_is(k, "exe.name", "test_exe"));
	assert_true(kit_is(k, "exe.confidence", confidence));
	assert_true(kit_is(k, "exe.side", ">"));
	assert_int_equal(kit_int(k, "exe_peer.pid"), getpid());
	assert_true(kit_is(k, "exe_peer.side", "<"));
	assert_true(llabs(kit_int(k, "exe.start") - now_ns()) < 600 * INT64_C(1000000000));
}

static bool settle(struct kit *k)
{
	struct exe_out *o = k->out;

	for (int i = 0; i < 200; i++) {
		poll(NULL, 0, 10);
		k->feature->poll(k->options, say_nothing, NULL);
		if (kit_finish(k) && o->exe.confidence != NULL && o->peer.confidence != NULL)
			return true;
	}
	return false;
}

static void both_ends_are_this_test(void **state)
{
	struct kit k;
	struct err e = { "" };
	struct ends ends;
	struct conf conf = { .sandbox = true, .interface = (char *)(uintptr_t) "lo" };

	(void)state;
	kit_start(&k, &feature_exe, now_ns());
	set(k.options, "exe", "1");
	if (!feature_exe.prepare(k.options, &conf, &e)) {
		print_message("%s\n", e.text);
		kit_free(&k);
		skip();
	}
	ends = connect_to_self();
	show(&k, &ends, 0, now_ns());
	assert_true(settle(&k));
	expect_self(&k, ((struct exe_out *)k.out)->exe.confidence);
	memset(k.state, 0, feature_exe.size);
	show(&k, &ends, 1, now_ns());
	expect_self(&k, ((struct exe_out *)k.out)->exe.confidence);
	memset(k.state, 0, feature_exe.size);
	show(&k, &ends, 0, now_ns() - 3600 * INT64_C(1000000000)); /* the clock has been set */
	expect_self(&k, ((struct exe_out *)k.out)->exe.confidence);
	disconnect(&ends);
	feature_exe.release(k.options);
	kit_free(&k);
}

static void other_protocols_have_none(void **state)
{
	struct kit k;

	(void)state;
	kit_start(&k, &feature_exe, now_ns());
	k.pkt.proto = k.flow.key.proto = PROTO_ICMP;
	kit_packet(&k, 0, 8, now_ns());
	assert_true(k.done);
	assert_false(kit_finish(&k));
	kit_free(&k);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_file_does_not_tell),
		cmocka_unit_test(what_is_not_known_is_left_out),
		cmocka_unit_test(both_ends_are_this_test),
		cmocka_unit_test(other_protocols_have_none),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
