/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_darwin.c - processes and sockets on macOS, by libproc: ten times a second all open files
 * of all processes are listed.
 *
 * The kernel tells nobody of new sockets there without a system extension, so this is the only way.
 * It needs root to see processes of others, and no less right would do; the watcher keeps it.
 */
#ifdef __APPLE__
#include <libproc.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/proc_info.h>
#include <sys/sysctl.h>
#include <time.h>

#include "host/process_poll.h"

enum { PIDS = LIMIT_PROCESSES, FILES = 16384, ARGUMENTS = 4096 };

struct scan {
	struct poll_look look;
	pid_t pid[PIDS];
	struct proc_fdinfo file[FILES];
};

/* --- sockets -----------------------------------------------------------------------------------
 */

static bool ends_of(const struct in_sockinfo *in, struct process_tuple *t)
{
	t->local_port = ntohs((uint16_t)in->insi_lport);
	t->remote_port = ntohs((uint16_t)in->insi_fport);
	if (in->insi_vflag & INI_IPV6) {
		t->version = 6;
		memcpy(t->local, &in->insi_laddr.ina_6, 16);
		memcpy(t->remote, &in->insi_faddr.ina_6, 16);
	} else {
		t->version = 4;
		memcpy(t->local, &in->insi_laddr.ina_46.i46a_addr4, 4);
		memcpy(t->remote, &in->insi_faddr.ina_46.i46a_addr4, 4);
	}
	return t->local_port != 0;
}

static void show_socket(struct scan *s, pid_t pid, const struct socket_info *si)
{
	const struct in_sockinfo *in;
	struct seen seen = { .pid = (uint32_t)pid };

	if (si->soi_family != AF_INET && si->soi_family != AF_INET6)
		return;
	if (si->soi_kind == SOCKINFO_TCP)
		in = &si->soi_proto.pri_tcp.tcpsi_ini;
	else if (si->soi_kind == SOCKINFO_IN && si->soi_protocol == IPPROTO_UDP)
		in = &si->soi_proto.pri_in;
	else
		return;
	seen.tuple.proto = si->soi_kind == SOCKINFO_TCP ? IPPROTO_TCP : IPPROTO_UDP;
	seen.cookie = in->insi_gencnt;
	seen.inode = si->soi_so;
	if (ends_of(in, &seen.tuple))
		poll_see(&s->look, &seen);
}

static void show_files(struct scan *s, pid_t pid)
{
	int bytes = proc_pidinfo(pid, PROC_PIDLISTFDS, 0, s->file, (int)sizeof s->file);
	struct socket_fdinfo info;

	for (int i = 0; i < bytes / (int)sizeof s->file[0]; i++) {
		if (s->file[i].proc_fdtype != PROX_FDTYPE_SOCKET)
			continue;
		if (proc_pidfdinfo(pid, s->file[i].proc_fd, PROC_PIDFDSOCKETINFO, &info,
				    sizeof info) == (int)sizeof info)
			show_socket(s, pid, &info.psi);
	}
}

static void look(void *state, struct watcher *w)
{
	struct scan *s = state;
	int bytes = proc_listpids(PROC_ALL_PIDS, 0, s->pid, (int)sizeof s->pid);

	(void)w;
	poll_begin(&s->look);
	for (int i = 0; i < bytes / (int)sizeof s->pid[0]; i++)
		if (s->pid[i] > 0)
			show_files(s, s->pid[i]);
	poll_end(&s->look, bytes > 0);
}

/* Whoever shows a socket here holds it. */
void system_holders(struct seen *seen, size_t count)
{
	(void)seen;
	(void)count;
}

/* --- facts -------------------------------------------------------------------------------------
 */

/* Start times are by the wall clock here; the difference is taken once, so that each stays what it
 * was. */
static int64_t wall_minus_clock_ns(void)
{
	static int64_t difference;
	struct timespec t;

	if (difference == 0) {
		clock_gettime(CLOCK_REALTIME, &t);
		difference = t.tv_sec * INT64_C(1000000000) + t.tv_nsec - process_clock();
	}
	return difference;
}

static bool read_bsd(uint32_t pid, struct proc_bsdinfo *info)
{
	return proc_pidinfo((int)pid, PROC_PIDTBSDINFO, 0, info, sizeof *info) == (int)sizeof *info;
}

/* argc (an int), path of the executable, zeros, then the arguments. */
static void read_arguments(struct process_facts *f)
{
	int name[] = { CTL_KERN, KERN_PROCARGS2, (int)f->pid };
	char text[ARGUMENTS];
	size_t size = sizeof text, at = sizeof(int), end;
	int count;

	if (sysctl(name, 3, text, &size, NULL, 0) != 0 || size <= sizeof(int))
		return;
	memcpy(&count, text, sizeof count);
	while (at < size && text[at] != '\0')
		at++;
	while (at < size && text[at] == '\0')
		at++;
	for (end = at; end < size && count > 0; end++)
		count -= text[end] == '\0';
	f->cmdline_size = end - at < sizeof f->cmdline ? end - at : sizeof f->cmdline;
	memcpy(f->cmdline, text + at, f->cmdline_size);
}

void system_facts(struct process_facts *f, bool cmdline)
{
	struct proc_bsdinfo info, parent;
	char path[PROC_PIDPATHINFO_MAXSIZE];
	int n;

	if (f->complete || !read_bsd(f->pid, &info))
		return;
	f->complete = true;
	f->parent_pid = info.pbi_ppid;
	f->uid = info.pbi_ruid;
	f->start_ns = (int64_t)info.pbi_start_tvsec * INT64_C(1000000000) +
		      (int64_t)info.pbi_start_tvusec * 1000 - wall_minus_clock_ns();
	facts_copy(f->name, sizeof f->name,
			info.pbi_name[0] != '\0' ? info.pbi_name : info.pbi_comm,
			info.pbi_name[0] != '\0' ? sizeof info.pbi_name : sizeof info.pbi_comm);
	n = proc_pidpath((int)f->pid, path, sizeof path);
	if (n > 0)
		facts_copy(f->path, sizeof f->path, path, (size_t)n);
	if (f->parent_pid != 0 && read_bsd(f->parent_pid, &parent))
		facts_copy(f->parent_name, sizeof f->parent_name, parent.pbi_comm,
				sizeof parent.pbi_comm);
	if (cmdline)
		read_arguments(f);
}

/* --- as a way to follow ------------------------------------------------------------------------
 */

static void *start(struct watcher *w, struct err *e)
{
	struct scan *s = calloc(1, sizeof *s);

	if (s == NULL || !poll_new(&s->look, w)) {
		free(s);
		err_set(e, "no memory");
		return NULL;
	}
	return s;
}

static void stop(void *state)
{
	struct scan *s = state;

	poll_free(&s->look);
	free(s);
}

static const struct follow follow_libproc = {
	.method = PROCESS_BY_PROC,
	.name = "libproc, ten times a second",
	.start = start,
	.stop = stop,
	.seed = look,
	.look = look,
};

const struct follow *const process_follows[] = { &follow_libproc, NULL };

bool system_rights(const char *user, bool filter, struct err *e)
{
	(void)user;
	(void)filter;
	(void)e;
	return true;
}

void system_follow_parent(void)
{
}
#endif
