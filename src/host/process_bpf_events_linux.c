/* SPDX-License-Identifier: BSD-3-Clause */
/* process_bpf_events_linux.c - turn what the programs in the kernel tell into sightings. */
#ifdef __linux__
#include "host/process_bpf_events_linux.h"

static void take_about(struct watcher *w, const struct process_event_about *a)
{
	struct process_facts f = { .pid = a->key.pid,
		.parent_pid = a->parent_pid,
		.uid = a->key.uid,
		.device = a->device,
		.inode = a->key.inode,
		.cgroup = a->cgroup,
		.start_ns = (int64_t)a->key.start_ns,
		.kernel = a->kernel != 0 };

	facts_copy(f.name, sizeof f.name, a->comm, sizeof a->comm);
	facts_copy(f.parent_name, sizeof f.parent_name, a->parent_comm, sizeof a->parent_comm);
	if (a->path_size <= sizeof a->path)
		facts_path_of_names(&f, a->path, a->path_size, a->deleted != 0);
	if (a->cmdline_size <= sizeof a->cmdline) {
		memcpy(f.cmdline, a->cmdline, a->cmdline_size);
		f.cmdline_size = a->cmdline_size;
	}
	watcher_process(w, &f);
}

/* The process of an event: told before, or as much as the event itself says. */
static uint32_t owner(struct watcher *w, const struct process_event_socket *s)
{
	struct process_facts f = { .pid = s->key.pid,
		.uid = s->key.uid,
		.inode = s->key.inode,
		.start_ns = s->key.start_ns == 0 ? -1 : (int64_t)s->key.start_ns };

	if (s->key.pid == 0)
		return KNOWN_NONE;
	facts_copy(f.name, sizeof f.name, s->comm, sizeof s->comm);
	if (f.start_ns < 0) /* told by nobody: what /proc has now */
		system_facts(&f, w->conf->cmdline);
	return watcher_process(w, &f);
}

static struct process_tuple tuple_of(const struct process_event_socket *s)
{
	struct process_tuple t = { .version = s->version,
		.proto = s->protocol,
		.local_port = s->local_port,
		.remote_port = s->remote_port };

	memcpy(t.local, s->local, sizeof t.local);
	memcpy(t.remote, s->remote, sizeof t.remote);
	return t;
}

#define PEERS_NS (INT64_C(60) * 1000 * 1000 * 1000)

/* The port too is the socket's, whoever the peer: told once. */
static void own_port(struct watcher *w, struct known_socket *k, struct sighting s)
{
	if (k->owns_port)
		return;
	k->owns_port = true;
	s.process = KNOWN_NONE;
	memset(s.tuple.remote, 0, sizeof s.tuple.remote);
	s.tuple.remote_port = 0;
	watcher_sight(w, &s);
}

static void take_close(
		struct bpf_events *b, const struct process_event_socket *e, struct sighting *s)
{
	struct known_socket *k = known_find_socket(b->w->known, e->cookie);

	if (k == NULL)
		return;
	if (k->planned && s->tuple.remote_port != 0) {
		k->planned = false;
		s->process = KNOWN_NONE;
		watcher_sight(b->w, s);
	}
	watcher_close(b->w, k, (int64_t)e->ns);
}

/*
 * A socket that talks with thousands, or is flooded from addresses that are made up, must not push
 * all others out of the table: its further peers are known by the port alone.
 */
static bool too_many_peers(struct watcher *w, const struct process_event_socket *e)
{
	struct known_socket *k = known_find_socket(w->known, e->cookie);

	if (k == NULL)
		return false;
	if ((int64_t)e->ns - k->peers_ns > PEERS_NS) {
		k->peers_ns = (int64_t)e->ns;
		k->peers = 0;
	}
	return ++k->peers > LIMIT_PROCESS_SOCKET_PEERS;
}

static void take_socket(struct bpf_events *b, const struct process_event_socket *e)
{
	struct sighting s = { .cookie = e->cookie,
		.netns = e->netns == b->own_netns ? 0 : e->netns,
		.confidence = PROCESS_EXACT,
		.open_ns = (int64_t)e->ns,
		.tuple = tuple_of(e) };
	struct known_socket *k;

	if (e->kind == PROCESS_EVENT_CLOSE) {
		take_close(b, e, &s);
		return;
	}
	if (e->kind == PROCESS_EVENT_PEER && too_many_peers(b->w, e))
		return;
	s.process = owner(b->w, e);
	k = watcher_sight(b->w, &s);
	b->arrived |= e->kind == PROCESS_EVENT_ARRIVE;
	if (e->kind == PROCESS_EVENT_PLAN)
		k->planned = b->planned = true;
	if (e->kind == PROCESS_EVENT_BIND)
		k->owns_port = true;
	if (e->kind == PROCESS_EVENT_PEER)
		own_port(b->w, k, s);
}

int bpf_events_take(void *ctx, void *data, size_t size)
{
	struct bpf_events *b = ctx;
	const uint32_t *kind = data;

	if (size == sizeof(struct process_event_about) && *kind == PROCESS_EVENT_PROCESS)
		take_about(b->w, data);
	else if (size == sizeof(struct process_event_socket) && *kind != PROCESS_EVENT_PROCESS)
		take_socket(b, data);
	return b->w->gone ? -1 : 0;
}
#endif
