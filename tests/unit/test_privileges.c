/* SPDX-License-Identifier: BSD-3-Clause */
/* test_privileges.c - from root to nobody: in a child each time, since there is no way back. */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "os/privileges.h"

static char folder[64];

static int set_up(void **unused)
{
	(void)unused;
	snprintf(folder, sizeof(folder), "/tmp/privileges-XXXXXX");
	return mkdtemp(folder) == NULL || chmod(folder, 0755) != 0 ? 1 : 0;
}

static int tear_down(void **unused)
{
	(void)unused;
	return rmdir(folder);
}

/* What /proc says of a name, such as "CapEff"; "" without. */
static const char *status(const char *name)
{
	static char line[512];
	FILE *f = fopen("/proc/self/status", "re");
	size_t size = strlen(name);

	while (f != NULL && fgets(line, sizeof(line), f) != NULL)
		if (strncmp(line, name, size) == 0 && line[size] == ':') {
			fclose(f);
			line[strcspn(line, "\n")] = '\0';
			return line + size + 1 + strspn(line + size + 1, " \t");
		}
	return "";
}

static int in_child(int (*what)(void))
{
	int end;
	pid_t child = fork();

	if (child == 0)
		_exit(what());
	assert_int_equal(waitpid(child, &end, 0), child);
	return WIFEXITED(end) ? WEXITSTATUS(end) : 128 + WTERMSIG(end);
}

#define CHECK(x)                                                                                   \
	do {                                                                                       \
		if (!(x)) {                                                                        \
			fprintf(stderr, "line %d: not %s (%s)\n", __LINE__, #x, strerror(errno));  \
			bad = 1;                                                                   \
		}                                                                                  \
	} while (0)

static int become_nobody(void)
{
	struct privileges_user nobody;
	struct err e = { "" };
	char ids[64];
	gid_t more[] = { 1, 2 };
	int bad = 0;

	setrlimit(RLIMIT_CORE, &(struct rlimit){ 0, 0 });
	CHECK(setgroups(2, more) == 0);
	CHECK(privileges_find("nobody", &nobody, &e) && privileges_drop(&nobody, &e));
	CHECK(e.text[0] == '\0');
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody.uid, nobody.uid, nobody.uid,
			nobody.uid);
	CHECK(strcmp(status("Uid"), ids) == 0);
	snprintf(ids, sizeof(ids), "%u\t%u\t%u\t%u", nobody.gid, nobody.gid, nobody.gid,
			nobody.gid);
	CHECK(strcmp(status("Gid"), ids) == 0);
	CHECK(status("Groups")[0] == '\0');
	for (const char *const *c = (const char *const[]){ "CapInh", "CapPrm", "CapEff", "CapBnd",
			     "CapAmb", NULL };
			*c != NULL; c++)
		CHECK(strcmp(status(*c), "0000000000000000") == 0);
	CHECK(strcmp(status("NoNewPrivs"), "1") == 0);
	CHECK(setuid(0) == -1 && seteuid(0) == -1 && setgid(0) == -1 && setgroups(2, more) == -1);
	CHECK(open("/etc/shadow", O_RDONLY | O_CLOEXEC) == -1);
	return bad;
}

static int stay_root(void)
{
	struct err e = { "" };
	int bad = 0;

	CHECK(privileges_drop(NULL, &e) && privileges_root());
	CHECK(strcmp(status("CapEff"), "0000000000000002") == 0); /* CAP_DAC_OVERRIDE */
	CHECK(strcmp(status("CapBnd"), "0000000000000002") == 0);
	CHECK(strcmp(status("NoNewPrivs"), "1") == 0);
	CHECK(setuid(1) == -1);
	return bad;
}

static int another_by_nobody(void)
{
	struct privileges_user nobody, other = { .name = "other", .uid = 12345, .gid = 12345 };
	struct err e = { "" };
	int bad = 0;

	CHECK(privileges_find("nobody", &nobody, &e) && privileges_drop(&nobody, &e));
	CHECK(privileges_drop(&nobody, &e)); /* who one is already is no other */
	CHECK(!privileges_drop(&other, &e) && strstr(e.text, "only root") != NULL);
	return bad;
}

static void drops(void **unused)
{
	(void)unused;
	if (!privileges_root())
		skip();
	assert_int_equal(in_child(become_nobody), 0);
	assert_int_equal(in_child(stay_root), 0);
	assert_int_equal(in_child(another_by_nobody), 0);
	assert_true(privileges_root());
}

static void finds(void **unused)
{
	struct privileges_user user;
	struct err e = { "" };

	(void)unused;
	assert_true(privileges_find("root", &user, &e));
	assert_int_equal(user.uid, 0);
	assert_string_equal(user.name, "root");
	assert_false(privileges_find("no-such-user", &user, &e));
	assert_non_null(strstr(e.text, "no-such-user"));
	assert_non_null(strstr(e.text, "useradd"));
}

static int asks_who_may_write(void)
{
	struct privileges_user nobody;
	struct err e = { "" };
	char file[128];
	int bad = 0;

	snprintf(file, sizeof(file), "%s/file", folder);
	CHECK(privileges_find("nobody", &nobody, &e));
	CHECK(!privileges_may_write(&nobody, folder, &e));
	CHECK(strstr(e.text, "chown nobody /tmp/privileges-") != NULL);
	CHECK(!privileges_may_write(&nobody, file, &e)); /* could not be made */
	CHECK(privileges_root() && geteuid() == 0 && getegid() == 0);
	CHECK(chown(folder, nobody.uid, nobody.gid) == 0);
	CHECK(privileges_may_write(&nobody, folder, &e) && privileges_may_write(&nobody, file, &e));
	int fd = open(file, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd != -1 && !privileges_may_write(&nobody, file, &e));
	CHECK(unlink(file) == 0 && chown(folder, 0, 0) == 0);
	CHECK(privileges_may_write(NULL, folder, &e));
	CHECK(!privileges_may_write(NULL, "/no/such/folder/file", &e));
	return bad;
}

static void who_may_write(void **unused)
{
	(void)unused;
	if (!privileges_root())
		skip();
	assert_int_equal(in_child(asks_who_may_write), 0);
}

/* In a sticky folder only the owner of a file may rename it. */
static int renames_what_root_made(void)
{
	struct privileges_user nobody;
	struct err e = { "" };
	struct stat st;
	char part[128], whole[128], other[128];
	int bad = 0;

	snprintf(part, sizeof(part), "%s/x.part", folder);
	snprintf(whole, sizeof(whole), "%s/x", folder);
	snprintf(other, sizeof(other), "%s/other", folder);
	int fd = open(part, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	int more = open(other, O_CREAT | O_WRONLY | O_CLOEXEC, 0600);
	CHECK(fd != -1 && more != -1 && chmod(folder, 01777) == 0);
	CHECK(privileges_find("nobody", &nobody, &e) && privileges_drop(&nobody, &e));
	CHECK(rename(part, whole) == 0 && stat(whole, &st) == 0 && st.st_uid == nobody.uid);
	CHECK(fstat(more, &st) == 0 && st.st_uid == 0);
	return bad;
}

static void gives_parts(void **unused)
{
	char path[128];

	(void)unused;
	if (!privileges_root())
		skip();
	assert_int_equal(in_child(renames_what_root_made), 0);
	for (const char *const *name = (const char *const[]){ "x", "other", NULL }; *name; name++) {
		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		assert_int_equal(unlink(path), 0);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(drops),
		cmocka_unit_test(finds),
		cmocka_unit_test_setup_teardown(who_may_write, set_up, tear_down),
		cmocka_unit_test_setup_teardown(gives_parts, set_up, tear_down),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
