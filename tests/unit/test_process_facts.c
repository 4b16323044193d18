/* SPDX-License-Identifier: BSD-3-Clause */
/* test_process_facts.c - texts of /proc, of the kernel's events, and what becomes of them. */
#include "process_kit.h"

#include "host/process_facts.h"
#include "host/process_net_linux.h"

static struct process_facts nothing(void)
{
	return (struct process_facts){ .pid = 1, .uid = UINT32_MAX, .start_ns = -1 };
}

static bool stat_of(struct process_facts *f, const char *text)
{
	return facts_parse_stat(f, text, strlen(text), 100);
}

static void stat_says_name_parent_and_start(void **state)
{
	struct process_facts f = nothing();

	(void)state;
	assert_true(stat_of(&f, "4711 (a) b (c)) S 17 4711 4711 0 -1 4194560 1 2 3 4 5 6 7 8 20 0 "
				"1 0 123456 999 88 1844 1 1 0\n"));
	assert_string_equal(f.name, "a) b (c)");
	assert_int_equal(f.parent_pid, 17);
	assert_int_equal(f.start_ns, INT64_C(1234560) * 1000 * 1000);
}

static void stat_does_not_overwrite(void **state)
{
	struct process_facts f = nothing();

	(void)state;
	f.start_ns = 5;
	f.parent_pid = 6;
	memcpy(f.name, "known", 6);
	assert_true(stat_of(&f, "1 (x) S 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22"));
	assert_string_equal(f.name, "known");
	assert_int_equal(f.parent_pid, 6);
	assert_int_equal(f.start_ns, 5);
}

static void stat_cut_short_is_refused(void **state)
{
	static const char text[] = "1 (x) S 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20";

	(void)state;
	for (size_t n = 0; n < sizeof text - 3; n++) {
		char *cut = malloc(n + !n);
		struct process_facts f = nothing();

		memcpy(cut, text, n);
		assert_false(facts_parse_stat(&f, cut, n, 100));
		free(cut);
	}
}

static void status_says_the_user(void **state)
{
	static const char text[] = "Name:\tUid:\t7\nState:\tS\nUid:\t1000\t0\t0\t0\nGid:\t1\n";
	struct process_facts f = nothing();

	(void)state;
	assert_true(facts_parse_status(&f, text, sizeof text - 1));
	assert_int_equal(f.uid, 1000);
	assert_false(facts_parse_status(&f, text, 20));
	assert_false(facts_parse_status(&f, "\nUid:\t", 6));
}

#define ID "0123456789abcdef0123456789abcdef0123456789abcdef0123456789ABCDEF"

static void containers_are_known_by_their_cgroup(void **state)
{
	static const struct {
		const char *path, *container;
	} cases[] = {
		{ "/docker/" ID, ID },
		{ "/system.slice/docker-" ID ".scope", ID },
		{ "/machine.slice/libpod-" ID ".scope/container", ID },
		{ "/kubepods.slice/kubepods-pod1.slice/cri-containerd-" ID ".scope", ID },
		{ "/lxc.payload.web/system.slice", "web" },
		{ "/lxc/web/x", "web" },
		{ "/machine.slice/machine-debian.scope", "debian" },
		{ "/machine.slice/machine-debian", NULL },
		{ "/user.slice/user-1000.slice", NULL },
		{ "/docker/" ID "0", NULL },
		{ "/", NULL },
		{ "", NULL },
	};

	(void)state;
	for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
		char to[72] = "";

		assert_int_equal(facts_container(cases[i].path, to, sizeof to),
				cases[i].container != NULL);
		assert_string_equal(to, cases[i].container == NULL ? "" : cases[i].container);
	}
}

static void cgroup_lines_of_both_versions(void **state)
{
	static const char text[] = "9:name=systemd:/x\n5:devices:/docker/" ID "\n0::/user.slice\n";
	struct process_facts f = nothing();

	(void)state;
	facts_parse_cgroup(&f, text, sizeof text - 1);
	assert_string_equal(f.cgroup_path, "/user.slice");
	assert_string_equal(f.container, ID);
	f = nothing();
	facts_parse_cgroup(&f, "0::", 3);
	facts_parse_cgroup(&f, "0", 1);
	facts_parse_cgroup(&f, ":", 1);
	assert_string_equal(f.cgroup_path, "");
}

static void a_path_is_put_together_from_its_end(void **state)
{
	static const char names[] = "curl\0bin\0usr";
	struct process_facts f = nothing();
	char many[1280];

	(void)state;
	facts_path_of_names(&f, names, sizeof names, false);
	assert_string_equal(f.path, "/usr/bin/curl");
	facts_path_of_names(&f, "memfd:x", 8, true);
	assert_string_equal(f.path, "/memfd:x (deleted)");
	facts_path_of_names(&f, names, 0, false);
	assert_string_equal(f.path, "");
	for (size_t i = 0; i < sizeof many; i++)
		many[i] = i % 2 == 0 ? 'x' : '\0';
	facts_path_of_names(&f, many, sizeof many, true);
	assert_true(strlen(f.path) < sizeof f.path);
	memset(many, 'y', sizeof many);
	facts_path_of_names(&f, many, sizeof many, false);
	assert_string_equal(f.path, "");
}

static void a_name_that_the_kernel_cut_is_whole_again(void **state)
{
	struct process_facts f = nothing();
	struct process p;

	(void)state;
	memcpy(f.name, "systemd-resolve", 16);
	memcpy(f.path, "/lib/systemd/systemd-resolved", 30);
	facts_pack(&f, true, &p);
	assert_true(kit_text_is(&p, PROCESS_NAME, "systemd-resolved"));
	memcpy(f.path, "/usr/bin/python3", 17);
	facts_pack(&f, true, &p);
	assert_true(kit_text_is(&p, PROCESS_NAME, "systemd-resolve"));
}

static void arguments_have_spaces_between(void **state)
{
	struct process_facts f = nothing();
	struct process p;

	(void)state;
	memcpy(f.cmdline, "a\0-b\0\0c d\0", 10);
	f.cmdline_size = 10;
	facts_pack(&f, true, &p);
	assert_true(kit_text_is(&p, PROCESS_CMDLINE, "a -b  c d"));
	facts_pack(&f, false, &p);
	assert_true(kit_text_is(&p, PROCESS_CMDLINE, ""));
}

#ifdef __linux__
static void lines_of_proc_net(void **state)
{
	struct seen s;

	(void)state;
	assert_true(net_parse_line(
			"   0: 0100007F:1F90 0200007F:C350 01 00000000:00000000 00:00000000 "
			"00000000  1000        0 4242 1 0000000000000000 20 4 30 10 -1\n",
			6, &s));
	assert_int_equal(s.inode, 4242);
	assert_int_equal(s.tuple.version, 4);
	assert_int_equal(s.tuple.local_port, 8080);
	assert_int_equal(s.tuple.remote_port, 50000);
	assert_memory_equal(s.tuple.local, "\x7f\0\0\1", 4);
	assert_true(net_parse_line(" 12: 00000000000000000000000001000000:0016 "
				   "00000000000000000000000000000000:0000 0A 00000000:00000000 "
				   "00:00000000 00000000     0        0 17 1 0\n",
			6, &s));
	assert_int_equal(s.tuple.version, 6);
	assert_int_equal(s.tuple.local[15], 1);
	assert_false(net_parse_line(
			"  sl  local_address rem_address   st tx_queue rx_queue\n", 6, &s));
	assert_false(net_parse_line(
			"   0: 0100007F:1F90 0200007F:C350 06 0:0 0:0 0 0 0 0 3\n", 6, &s));
	assert_false(net_parse_line("", 6, &s));
}
#endif

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(stat_says_name_parent_and_start),
		cmocka_unit_test(stat_does_not_overwrite),
		cmocka_unit_test(stat_cut_short_is_refused),
		cmocka_unit_test(status_says_the_user),
		cmocka_unit_test(containers_are_known_by_their_cgroup),
		cmocka_unit_test(cgroup_lines_of_both_versions),
		cmocka_unit_test(a_path_is_put_together_from_its_end),
		cmocka_unit_test(a_name_that_the_kernel_cut_is_whole_again),
		cmocka_unit_test(arguments_have_spaces_between),
#ifdef __linux__
		cmocka_unit_test(lines_of_proc_net),
#endif
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
