/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_driver.c - a program that only uploads, for tests with a real sshd.
 *
 *     upload_driver TO FOLDER [key=F] [hosts=F] [retain=0] [retry=MS] [longest=MS] [stall=MS]
 *             [ssh=F] [uid=N]
 *
 * It takes lines: "write NAME SIZE" makes a file as an output does, "add NAME" gives one that is
 * there, "counts", "stop MS".  It says what the uploader says, each line with its level before it,
 * and "ok" after each command.  At the start it finishes or removes the parts of a dead run.
 */
#include "sink/upload.h"

#include <dirent.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static const char *folder;

static void say(void *ctx, enum upload_news what, const char *text)
{
	(void)ctx;
	printf("%d %s\n", (int)what, text);
	fflush(stdout);
}

static void full_path(char *out, size_t size, const char *name, const char *after)
{
	snprintf(out, size, "%s/%s%s", folder, name, after);
}

static void give(struct upload *u, const char *path)
{
	struct err e = { "" };

	if (!upload_add(u, path, &e))
		printf("0 %s\n", e.text);
}

/* Numbered lines with the name in them: no two files, and no two places in one, are alike. */
static void fill(int fd, const char *name, size_t size)
{
	FILE *f = fdopen(fd, "w");

	if (f == NULL)
		abort();
	for (size_t at = 0, i = 0; at < size; i++) {
		char line[400];
		const int n = snprintf(line, sizeof line, "%s %08zu\n", name, i);

		at += fwrite(line, 1, size - at < (size_t)n ? size - at : (size_t)n, f);
	}
	if (fflush(f) != 0 || fsync(fd) != 0 || fclose(f) != 0)
		abort();
}

/* Written, synced, into the spool, and only then named. */
static void write_file(struct upload *u, const char *name, size_t size)
{
	char part[512], path[512];

	full_path(part, sizeof part, name, ".part");
	full_path(path, sizeof path, name, "");
	const int fd = open(part, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
	if (fd < 0)
		abort();
	fill(fd, name, size);
	give(u, part);
	if (rename(part, path) != 0)
		abort();
}

/* A part whose size is the one its name ends in, "...-SIZE.part", is whole. */
static void recover(struct upload *u)
{
	DIR *d = opendir(folder);
	struct dirent *at;

	while (d != NULL && (at = readdir(d)) != NULL) {
		const char *dot = strstr(at->d_name, ".part"), *dash = strrchr(at->d_name, '-');
		char part[512], path[512];
		struct stat st;

		if (dot == NULL || dash == NULL)
			continue;
		full_path(part, sizeof part, at->d_name, "");
		snprintf(path, sizeof path, "%.*s", (int)(strlen(part) - strlen(".part")), part);
		if (stat(part, &st) == 0 && (uint64_t)st.st_size == strtoull(dash + 1, NULL, 10)) {
			give(u, part);
			if (rename(part, path) != 0)
				abort();
		} else {
			unlink(part);
		}
	}
	if (d != NULL)
		closedir(d);
}

static void show_counts(const struct upload *u)
{
	struct upload_counts c;

	upload_counts(u, &c);
	printf("= waiting %" PRIu64 " done %" PRIu64 " failed %" PRIu64 " oldest_ms %" PRId64
	       " running %d away %d\n",
			c.waiting, c.done, c.failed_tries, c.oldest_ns / 1000000, c.running,
			c.away);
}

/* False when it was the last one. */
static bool command(struct upload **u, char *line)
{
	char name[300] = "", path[600];
	unsigned long number = 0;

	if (sscanf(line, "write %299s %lu", name, &number) == 2) {
		write_file(*u, name, number);
	} else if (sscanf(line, "add %299[^\n]", name) == 1) {
		full_path(path, sizeof path, name, "");
		give(*u, path);
	} else if (strncmp(line, "counts", 6) == 0) {
		show_counts(*u);
	} else if (sscanf(line, "stop %lu", &number) == 1) {
		upload_stop(*u, (uint32_t)number);
		*u = NULL;
	}
	printf("ok\n");
	fflush(stdout);
	return *u != NULL;
}

static void serve(struct upload *u)
{
	char line[1024];
	size_t size = 0;
	struct pollfd p = { .fd = STDIN_FILENO, .events = POLLIN };

	while (u != NULL) {
		upload_poll(u);
		if (poll(&p, 1, 20) <= 0)
			continue;
		if (size + 1 == sizeof line || read(STDIN_FILENO, line + size, 1) != 1)
			break;
		if (line[size++] != '\n')
			continue;
		line[size - 1] = '\0';
		size = 0;
		if (!command(&u, line))
			break;
	}
	upload_stop(u, 0);
}

static void set(struct upload_conf *conf, const char *word)
{
	const char *value = strchr(word, '=');
	const uint32_t number = value != NULL ? (uint32_t)strtoul(value + 1, NULL, 10) : 0;

	if (value == NULL)
		return;
	if (strncmp(word, "key=", 4) == 0)
		conf->keyfile = value + 1;
	else if (strncmp(word, "hosts=", 6) == 0)
		conf->known_hosts = value + 1;
	else if (strncmp(word, "ssh=", 4) == 0)
		conf->ssh = value + 1;
	else if (strncmp(word, "retain=", 7) == 0)
		conf->retain = number != 0;
	else if (strncmp(word, "retry=", 6) == 0)
		conf->retry_ms = number;
	else if (strncmp(word, "longest=", 8) == 0)
		conf->retry_max_ms = number;
	else if (strncmp(word, "stall=", 6) == 0)
		conf->stall_ms = number;
	else if (strncmp(word, "uid=", 4) == 0)
		conf->become = true, conf->uid = conf->gid = number;
}

/* As the main process does once everything is open. */
static void become(const struct upload_conf *conf)
{
	if (conf->become && (setgroups(0, NULL) != 0 || setgid(conf->gid) != 0 ||
					    setuid(conf->uid) != 0))
		abort();
}

int main(int argc, char **argv)
{
	struct upload_conf conf = { .retain = true, .say = say };
	struct err e = { "" };

	if (argc < 3)
		return 2;
	conf.to = argv[1];
	conf.folder = folder = argv[2];
	for (int i = 3; i < argc; i++)
		set(&conf, argv[i]);
	struct upload *u = upload_start(&conf, &e);
	if (u == NULL) {
		printf("0 %s\n", e.text);
		return 1;
	}
	become(&conf);
	recover(u);
	printf("ready\n");
	fflush(stdout);
	serve(u);
	return 0;
}
