/* SPDX-License-Identifier: BSD-3-Clause */
/* process_facts.c - parse what /proc and the kernel's events say of a process. */
#include "host/process_facts.h"

#include <ctype.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host/process_wire.h"

enum { COMM = 15, ID = 64, SECOND_NS = 1000000000 }; /* ID: digits of a container's id */

void facts_copy(char *to, size_t room, const char *from, size_t size)
{
	size_t n = strnlen(from, size);

	if (n > room - 1)
		n = room - 1;
	memcpy(to, from, n);
	to[n] = '\0';
}

/* --- stat and status ---------------------------------------------------------------------------
 */

/* Takes the number behind the next space; *at moves behind it. */
static bool next_number(const char **at, const char *end, uint64_t *out)
{
	const char *p = memchr(*at, ' ', (size_t)(end - *at));
	uint64_t v = 0;

	if (p == NULL)
		return false;
	for (p++; p < end && isdigit((unsigned char)*p); p++)
		v = v * 10 + (uint64_t)(*p - '0');
	*at = p;
	*out = v;
	return true;
}

/* "PID (NAME) STATE PPID ..."; the name may hold anything, so its end is the last ")". */
bool facts_parse_stat(struct process_facts *f, const char *text, size_t size, long ticks)
{
	enum { FROM_PARENT_TO_START = 18 };
	const char *open = memchr(text, '(', size), *close = memrchr(text, ')', size);
	const char *end = text + size, *at;
	uint64_t parent, start = 0;

	if (open == NULL || close == NULL || close < open || end - close < 4)
		return false;
	if (f->name[0] == '\0')
		facts_copy(f->name, sizeof f->name, open + 1, (size_t)(close - open - 1));
	at = close + 3; /* behind ") S" */
	if (!next_number(&at, end, &parent))
		return false;
	for (int i = 0; i < FROM_PARENT_TO_START; i++)
		if (!next_number(&at, end, &start))
			return false;
	if (f->parent_pid == 0)
		f->parent_pid = (uint32_t)parent;
	if (f->start_ns < 0 && ticks > 0)
		f->start_ns = (int64_t)(start * (uint64_t)(SECOND_NS / ticks));
	return true;
}

bool facts_parse_status(struct process_facts *f, const char *text, size_t size)
{
	static const char head[] = "\nUid:\t";
	const char *p = memmem(text, size, head, sizeof head - 1), *end = text + size;
	uint64_t uid = 0;

	if (p == NULL)
		return false;
	p += sizeof head - 1;
	if (p == end || !isdigit((unsigned char)*p))
		return false;
	for (; p < end && isdigit((unsigned char)*p); p++)
		uid = uid * 10 + (uint64_t)(*p - '0');
	f->uid = (uint32_t)uid;
	return true;
}

/* --- cgroup ------------------------------------------------------------------------------------
 */

/* 64 hexadecimal digits and no more: the id that Docker, containerd, CRI-O and Podman give. */
static const char *find_id(const char *path)
{
	size_t run = 0;

	for (const char *p = path;; p++) {
		if (isxdigit((unsigned char)*p)) {
			run++;
			continue;
		}
		if (run == ID)
			return p - ID;
		if (*p == '\0')
			return NULL;
		run = 0;
	}
}

/* A name that stands behind 'head' and before 'tail' or the end of its part of the path. */
static bool named(const char *path, const char *head, const char *tail, char *to, size_t room)
{
	const char *p = strstr(path, head), *end;
	size_t n;

	if (p == NULL)
		return false;
	p += strlen(head);
	n = strcspn(p, "/");
	end = tail[0] == '\0' ? NULL : strstr(p, tail);
	if (tail[0] != '\0' && (end == NULL || (size_t)(end - p) > n))
		return false;
	if (end != NULL)
		n = (size_t)(end - p);
	facts_copy(to, room, p, n);
	return n > 0;
}

bool facts_container(const char *path, char *to, size_t room)
{
	const char *id = find_id(path);

	if (id != NULL) {
		facts_copy(to, room, id, ID);
		return true;
	}
	return named(path, "/lxc.payload.", "", to, room) || named(path, "/lxc/", "", to, room) ||
	       named(path, "/machine.slice/machine-", ".scope", to, room);
}

/* "ID:CONTROLLERS:PATH"; version 2 has id 0 and no controllers. */
static void parse_cgroup_line(struct process_facts *f, const char *line, size_t size)
{
	const char *first = memchr(line, ':', size);
	const char *second =
			first == NULL ? NULL
				      : memchr(first + 1, ':', size - (size_t)(first + 1 - line));
	char path[FACTS_CGROUP];

	if (second == NULL)
		return;
	facts_copy(path, sizeof path, second + 1, size - (size_t)(second + 1 - line));
	if (f->cgroup_path[0] == '\0' && size > 3 && memcmp(line, "0::", 3) == 0)
		facts_copy(f->cgroup_path, sizeof f->cgroup_path, path, sizeof path);
	if (f->container[0] == '\0')
		facts_container(path, f->container, sizeof f->container);
}

void facts_parse_cgroup(struct process_facts *f, const char *text, size_t size)
{
	while (size > 0) {
		const char *end = memchr(text, '\n', size);
		size_t n = end == NULL ? size : (size_t)(end - text);

		parse_cgroup_line(f, text, n);
		if (end == NULL)
			return;
		size -= n + 1;
		text += n + 1;
	}
}

/* --- path and packing --------------------------------------------------------------------------
 */

void facts_path_of_names(struct process_facts *f, const char *names, size_t size, bool deleted)
{
	size_t at = 0, end = size;

	/* the last name noted is the first of the path; each ends with a zero */
	while (end > 0 && names[end - 1] == '\0') {
		size_t start = end - 1;

		while (start > 0 && names[start - 1] != '\0')
			start--;

		size_t n = end - 1 - start;

		if (n + 2 > sizeof f->path - at)
			break;
		f->path[at++] = '/';
		memcpy(f->path + at, names + start, n);
		at += n;
		end = start;
	}
	f->path[at] = '\0';
	if (deleted)
		snprintf(f->path + at, sizeof f->path - at, " (deleted)");
}

/* The kernel keeps 15 bytes of a name; when the executable's name goes on, that one. */
static const char *full_name(const struct process_facts *f)
{
	const char *base = strrchr(f->path, '/');

	if (base != NULL && strlen(f->name) == COMM && strncmp(base + 1, f->name, COMM) == 0)
		return base + 1;
	return f->name;
}

static void add(struct process *out, enum process_text which, const char *text)
{
	process_add_text(out, which, text, strlen(text));
}

static void add_cmdline(const struct process_facts *f, struct process *out)
{
	char line[FACTS_CMDLINE];
	size_t n = f->cmdline_size;

	while (n > 0 && f->cmdline[n - 1] == '\0')
		n--;
	for (size_t i = 0; i < n; i++)
		line[i] = f->cmdline[i] == '\0' ? ' ' : f->cmdline[i];
	process_add_text(out, PROCESS_CMDLINE, line, n);
}

void facts_pack(const struct process_facts *f, bool cmdline, struct process *out)
{
	*out = (struct process){
		.pid = f->pid, .parent_pid = f->parent_pid, .uid = f->uid, .start_ns = f->start_ns
	};
	add(out, PROCESS_NAME, full_name(f));
	add(out, PROCESS_PATH, f->path);
	add(out, PROCESS_PARENT_NAME, f->parent_name);
	add(out, PROCESS_USER, f->user);
	add(out, PROCESS_CONTAINER, f->container);
	add(out, PROCESS_CGROUP, f->cgroup_path);
	if (cmdline)
		add_cmdline(f, out);
}
