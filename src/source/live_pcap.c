/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_pcap.c - capturing by libpcap: on all systems but Linux, and there for capture=libpcap.
 *
 * An interface is read by one worker, the next by the next.  What libpcap shows is copied, since it
 * may be gone when pcap_dispatch() returns.  A handle has a lock, because libpcap wants one thread
 * at a time and live_watch() asks it for its counters; nobody waits while he holds it.
 *
 * A handle that has failed (its interface is gone) is opened anew where there are still rights.
 */
#include "source/live_ops.h"

#ifdef HAVE_PCAP
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <net/if.h>
#include <pcap/pcap.h>
#include <poll.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum {
	TIMEOUT_MS = 50,        /* the kernel keeps packets so long */
	SETTLED_MS = 250,       /* after a stop all that came before has come */
	LAST_MS = 150,          /* a handle that fails may still have packets so long */
	AGAIN_MS = 1000,        /* between two attempts to open an interface that is gone */
	NO_DESCRIPTOR_MS = 10,  /* between two looks at a handle that cannot be waited for */
	COPIES_BYTES = 4 << 20, /* of one worker; more than one packet */
	LINK_RAW = 101,
	LINK_LOOP = 108,
	LINK_ATM = 100,
};

struct face {
	pthread_mutex_t lock; /* for all but 'broken', which the reader sets and the watcher clears
			       */
	pcap_t *handle;       /* NULL: it could not be opened again */
	struct pcap_stat last;
	struct live_counts counts; /* up to 'last' */
	int64_t again_ms;
	int64_t failed_ms; /* when reading began to fail; 0: it does not */
	atomic_bool broken;
	bool nanoseconds, said, no_rights, done;
	struct err why;
	uint32_t snaplen;
	uint16_t linktype;
	bool locked; /* the lock was made */
};

struct worker {
	int wake[2]; /* a pipe; 0: not made */
	uint8_t *copies;
	struct pollfd polled[LIMIT_LIVE_INTERFACES + 1];
	size_t next; /* interface to begin with */
};

struct by_pcap {
	struct live live;
	struct face face[LIMIT_LIVE_INTERFACES];
	struct worker *worker;
	char *bpf;
	bool adapter_clock;
	_Atomic int64_t empty_ms; /* when all is read; 0: not stopped */
	int64_t stop_ns;          /* packets of later times are not taken; set before empty_ms */
};

static struct by_pcap *by_pcap_of(struct live *l)
{
	return (struct by_pcap *)l;
}

static int64_t now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (int64_t)t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static int64_t real_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_REALTIME, &t);
	return t.tv_sec * INT64_C(1000000000) + t.tv_nsec;
}

/* --- opening ------------------------------------------------------------------------------------
 */

/* The numbers of capture files; libpcap's own differ for these. */
static uint16_t linktype_of(int type)
{
	switch (type) {
	case DLT_RAW:
		return LINK_RAW;
	case DLT_LOOP:
		return LINK_LOOP;
	case DLT_ATM_RFC1483:
		return LINK_ATM;
	default:
		return (uint16_t)type;
	}
}

static bool no_handle(pcap_t *handle, const char *name, int status, bool *no_rights, struct err *e)
{
	const char *words = pcap_geterr(handle);

	*no_rights = status == PCAP_ERROR_PERM_DENIED || status == PCAP_ERROR_PROMISC_PERM_DENIED;
	if (status != PCAP_ERROR && (words[0] == '\0' || *no_rights))
		words = pcap_statustostr(status);
	if (*no_rights)
		return err_set(e, "no right to capture from %s (%s): " LIVE_RIGHTS, name, words);
	return err_set(e, "cannot capture from %s: %s", name, words);
}

static void set_up(struct by_pcap *p, pcap_t *handle, const char *name)
{
	const struct live_conf *conf = &p->live.conf;

	pcap_set_snaplen(handle, (int)conf->snaplen);
	pcap_set_promisc(handle, conf->promisc);
	pcap_set_timeout(handle, TIMEOUT_MS);
	pcap_set_buffer_size(handle, conf->ring_bytes < INT_MAX ? (int)conf->ring_bytes : INT_MAX);
	pcap_set_tstamp_precision(handle, PCAP_TSTAMP_PRECISION_NANO);
	if (p->adapter_clock && pcap_set_tstamp_type(handle, PCAP_TSTAMP_ADAPTER) != 0 &&
			pcap_set_tstamp_type(handle, PCAP_TSTAMP_ADAPTER_UNSYNCED) != 0)
		live_say(&p->live, SOURCE_WARNING,
				"clock=adapter: %s does not stamp packets, the host does", name);
}

static bool set_filter(struct by_pcap *p, pcap_t *handle, struct err *e)
{
	struct bpf_program program;

	if (p->bpf == NULL)
		return true;
	if (pcap_compile(handle, &program, p->bpf, 1, PCAP_NETMASK_UNKNOWN) != 0)
		return err_set(e, "bpf=%s: %s", p->bpf, pcap_geterr(handle));
	bool good = pcap_setfilter(handle, &program) == 0;
	if (!good)
		err_set(e, "bpf=%s: %s", p->bpf, pcap_geterr(handle));
	pcap_freecode(&program);
	return good;
}

static pcap_t *open_handle(struct by_pcap *p, const char *name, bool *no_rights, struct err *e)
{
	char words[PCAP_ERRBUF_SIZE] = "";
	pcap_t *handle = pcap_create(name, words);

	*no_rights = false;
	if (handle == NULL) {
		err_set(e, "cannot capture from %s: %s", name, words);
		return NULL;
	}
	set_up(p, handle, name);
	int status = pcap_activate(handle);
	bool good = status >= 0 || no_handle(handle, name, status, no_rights, e);

	if (status > 0)
		live_say(&p->live, SOURCE_WARNING, "%s: %s", name,
				status == PCAP_WARNING ? pcap_geterr(handle)
						       : pcap_statustostr(status));
	good = good && set_filter(p, handle, e);
	if (good && pcap_setnonblock(handle, 1, words) != 0)
		good = err_set(e, "cannot capture from %s: %s", name, words);
	if (good)
		return handle;
	pcap_close(handle);
	return NULL;
}

/* Opens the interface's handle, with the lock held or before there are workers. */
static bool open_face(struct by_pcap *p, size_t i, struct err *e)
{
	struct face *face = &p->face[i];

	face->handle = open_handle(p, p->live.name[i], &face->no_rights, e);
	if (face->handle == NULL)
		return false;
	face->nanoseconds = pcap_get_tstamp_precision(face->handle) == PCAP_TSTAMP_PRECISION_NANO;
	face->linktype = linktype_of(pcap_datalink(face->handle));
	face->snaplen = (uint32_t)pcap_snapshot(face->handle);
	if (pcap_stats(face->handle, &face->last) != 0)
		face->last = (struct pcap_stat){ 0 };
	p->live.interface[i].linktype = face->linktype;
	return true;
}

static bool make_worker(struct worker *w, struct err *e)
{
	w->copies = malloc(COPIES_BYTES);
	if (w->copies == NULL)
		return err_set(e, "no memory for the capture");
	if (pipe(w->wake) != 0) {
		w->wake[0] = w->wake[1] = 0;
		return err_set(e, "no pipe: %s", strerror(errno));
	}
	for (int end = 0; end < 2; end++) {
		fcntl(w->wake[end], F_SETFD, FD_CLOEXEC);
		fcntl(w->wake[end], F_SETFL, O_NONBLOCK);
	}
	return true;
}

static bool by_pcap_open(struct live *l, struct err *e)
{
	struct by_pcap *p = by_pcap_of(l);
	bool good = true;

	p->adapter_clock = l->conf.clock != NULL && strcmp(l->conf.clock, "adapter") == 0;
	p->worker = calloc(l->conf.rings, sizeof(*p->worker));
	if (l->conf.bpf != NULL)
		p->bpf = strdup(l->conf.bpf);
	if (p->worker == NULL || (l->conf.bpf != NULL && p->bpf == NULL))
		return err_set(e, "no memory for the capture");
	for (unsigned w = 0; good && w < l->conf.rings; w++)
		good = make_worker(&p->worker[w], e);
	for (size_t i = 0; good && i < l->count; i++) {
		p->face[i].locked = pthread_mutex_init(&p->face[i].lock, NULL) == 0;
		good = p->face[i].locked ? open_face(p, i, e) : err_set(e, "no lock");
	}
	if (good && l->conf.rings > l->count)
		live_say(l, SOURCE_WARNING,
				"libpcap gives one worker to an interface: %zu of %u have work",
				l->count, l->conf.rings);
	return good;
}

static void by_pcap_close(struct live *l)
{
	struct by_pcap *p = by_pcap_of(l);

	for (size_t i = 0; i < l->count; i++) {
		if (p->face[i].handle != NULL)
			pcap_close(p->face[i].handle);
		if (p->face[i].locked)
			pthread_mutex_destroy(&p->face[i].lock);
	}
	for (unsigned w = 0; p->worker != NULL && w < l->conf.rings; w++) {
		free(p->worker[w].copies);
		for (int end = 0; end < 2 && p->worker[w].wake[1] != 0; end++)
			close(p->worker[w].wake[end]);
	}
	free(p->worker);
	free(p->bpf);
}

/* --- reading ------------------------------------------------------------------------------------
 */

struct taking {
	const struct face *face;
	pcap_t *handle;
	int64_t stop_ns;
	bool past; /* a later packet was met */
	uint8_t *copies;
	size_t used; /* bytes of them */
	struct frame *frames;
	size_t count;
	uint32_t interface;
};

static void take(u_char *ctx, const struct pcap_pkthdr *head, const u_char *bytes)
{
	struct taking *t = (struct taking *)(void *)ctx;
	int64_t fraction = t->face->nanoseconds ? head->ts.tv_usec : head->ts.tv_usec * 1000;
	int64_t ns = head->ts.tv_sec * INT64_C(1000000000) + fraction;
	uint8_t *copy = t->copies + t->used;

	if (t->past || ns > t->stop_ns) {
		t->past = true;
		pcap_breakloop(t->handle);
		return;
	}
	if (head->caplen > COPIES_BYTES - t->used)
		return; /* more than was asked for: cannot be */
	memcpy(copy, bytes, head->caplen);
	t->used += head->caplen;
	t->frames[t->count++] = (struct frame){
		.bytes = copy,
		.caplen = head->caplen,
		.wirelen = head->len > head->caplen ? head->len : head->caplen,
		.ns = ns,
		.interface = t->interface,
		.linktype = t->face->linktype,
		.nanoseconds = t->face->nanoseconds,
	};
	if (COPIES_BYTES - t->used < t->face->snaplen)
		pcap_breakloop(t->handle);
}

/* A handle that failed is given up when it has had time to show what it still has. */
static void look_for_failure(struct face *face, bool failed)
{
	int64_t now = failed || face->failed_ms > 0 ? now_ms() : 0;

	if (failed && face->failed_ms == 0) {
		err_set(&face->why, "%s", pcap_geterr(face->handle));
		face->failed_ms = now;
	}
	if (face->failed_ms > 0 && now - face->failed_ms >= LAST_MS)
		atomic_store(&face->broken, true);
}

static void take_from(struct by_pcap *p, size_t i, struct taking *t, size_t max)
{
	struct face *face = &p->face[i];

	if (face->done || atomic_load(&face->broken) || COPIES_BYTES - t->used < face->snaplen)
		return;
	pthread_mutex_lock(&face->lock);
	t->face = face;
	t->handle = face->handle;
	t->interface = (uint32_t)i;
	t->past = false;
	int status = pcap_dispatch(face->handle, (int)(max - t->count), take, (u_char *)(void *)t);
	face->done = t->past;
	look_for_failure(face, status < 0 && status != PCAP_ERROR_BREAK);
	pthread_mutex_unlock(&face->lock);
}

static size_t take_now(
		struct by_pcap *p, unsigned w, struct frame *frames, size_t max, bool stopped)
{
	struct worker *worker = &p->worker[w];
	struct taking t = {
		.copies = worker->copies,
		.frames = frames,
		.stop_ns = stopped ? p->stop_ns : INT64_MAX,
	};
	size_t rings = p->live.conf.rings, of_it = (p->live.count + rings - 1 - w) / rings;

	for (size_t n = 0; n < of_it && t.count < max; n++)
		take_from(p, (worker->next + n) % of_it * rings + w, &t, max);
	worker->next++; /* none is always the last */
	return t.count;
}

/* False: somebody wants this worker awake. */
static bool wait_for_packets(struct by_pcap *p, unsigned w, int64_t timeout_ms)
{
	struct worker *worker = &p->worker[w];
	nfds_t count = 0;
	uint8_t bytes[64];

	worker->polled[count++] = (struct pollfd){ .fd = worker->wake[0], .events = POLLIN };
	for (size_t i = w; i < p->live.count; i += p->live.conf.rings) {
		if (atomic_load(&p->face[i].broken))
			continue;
		int fd = p->face[i].failed_ms > 0 ? -1 : pcap_get_selectable_fd(p->face[i].handle);

		if (fd >= 0)
			worker->polled[count++] = (struct pollfd){ .fd = fd, .events = POLLIN };
		else if (timeout_ms > NO_DESCRIPTOR_MS)
			timeout_ms = NO_DESCRIPTOR_MS;
	}
	if (timeout_ms < 0)
		timeout_ms = 0;
	if (poll(worker->polled, count, (int)timeout_ms) <= 0)
		return true;
	return read(worker->wake[0], bytes, sizeof(bytes)) <= 0;
}

static size_t by_pcap_read(struct live *l, unsigned ring, struct frame *frames, size_t max,
		int timeout_ms, bool *ok, struct err *e)
{
	struct by_pcap *p = by_pcap_of(l);
	int64_t end = now_ms() + timeout_ms;

	for (bool last = false;;) {
		int64_t now = now_ms(), wait = end - now, empty = atomic_load(&p->empty_ms);
		size_t n = take_now(p, ring, frames, max, empty > 0);

		if (n == 0 && empty > 0 && now >= empty)
			*ok = err_set(e, "the capture was stopped");
		if (n > 0 || last || !*ok)
			return n;
		if (empty > 0 && wait > empty - now)
			wait = empty - now;
		last = !wait_for_packets(p, ring, wait) || end - now <= 0;
	}
}

static void by_pcap_wake(struct live *l)
{
	struct by_pcap *p = by_pcap_of(l);

	for (unsigned w = 0; w < l->conf.rings; w++) {
		ssize_t written = write(p->worker[w].wake[1], "", 1);

		(void)written; /* fails only where many wakes have gone unread */
	}
}

/* --- watching and counting ----------------------------------------------------------------------
 */

/* Counters have 32 bits; one that went back (its file cannot be read any more) says nothing. */
static uint32_t grown(u_int now, u_int before)
{
	return now - before < UINT32_MAX / 2 ? now - before : 0;
}

static void add_counts(struct face *face)
{
	struct pcap_stat now;

	if (face->handle == NULL || pcap_stats(face->handle, &now) != 0)
		return;
	uint32_t drops = grown(now.ps_drop, face->last.ps_drop);
	uint32_t all = grown(now.ps_recv, face->last.ps_recv);

	face->counts.packets += all > drops ? all - drops : 0;
	face->counts.drops += drops;
	face->counts.interface_drops += grown(now.ps_ifdrop, face->last.ps_ifdrop);
	face->last = now;
}

/* Not so where the system refuses to say. */
static bool is_absent(const struct by_pcap *p, size_t i)
{
	errno = 0;
	return !p->live.any && if_nametoindex(p->live.name[i]) == 0 &&
	       (errno == ENODEV || errno == ENXIO);
}

/* The kernel goes on: what it counts and takes from now on is not ours. */
static void by_pcap_stop(struct live *l)
{
	struct by_pcap *p = by_pcap_of(l);

	for (size_t i = 0; i < l->count; i++) {
		pthread_mutex_lock(&p->face[i].lock);
		add_counts(&p->face[i]);
		pthread_mutex_unlock(&p->face[i].lock);
	}
	p->stop_ns = p->adapter_clock ? INT64_MAX : real_ns();
	atomic_store(&p->empty_ms, now_ms() + SETTLED_MS);
	by_pcap_wake(l);
}

static void open_again(struct by_pcap *p, size_t i)
{
	struct face *face = &p->face[i];
	const char *name = p->live.name[i];
	struct err e = { "" };

	bool can = live_can_open();

	if (!face->said)
		live_say(&p->live, SOURCE_WARNING, "%s is gone: %s (%s)", name,
				can ? "waiting until it is back"
				    : "a restart is needed when it is back",
				face->why.text);
	face->said = true;
	face->again_ms = can ? now_ms() + AGAIN_MS : INT64_MAX;
	if (face->handle != NULL) {
		add_counts(face);
		pcap_close(face->handle);
		face->handle = NULL;
	}
	if (!can || is_absent(p, i))
		return;
	if (open_face(p, i, &e)) {
		face->said = false;
		face->failed_ms = 0;
		live_say(&p->live, SOURCE_WARNING, "%s is back: captured", name);
		atomic_store(&face->broken, false);
		by_pcap_wake(&p->live);
	} else if (face->no_rights) {
		live_say(&p->live, SOURCE_WARNING, "%s is back, but a restart is needed: %s", name,
				e.text);
		face->again_ms = INT64_MAX;
	}
}

static void by_pcap_watch(struct live *l)
{
	struct by_pcap *p = by_pcap_of(l);

	for (size_t i = 0; i < l->count; i++) {
		struct face *face = &p->face[i];

		if (!atomic_load(&face->broken) || face->again_ms > now_ms())
			continue;
		pthread_mutex_lock(&face->lock);
		open_again(p, i);
		pthread_mutex_unlock(&face->lock);
	}
}

static bool by_pcap_counts(struct live *l, size_t i, struct live_counts *out)
{
	struct by_pcap *p = by_pcap_of(l);
	struct face *face = &p->face[i];

	pthread_mutex_lock(&face->lock);
	if (atomic_load(&p->empty_ms) == 0)
		add_counts(face);
	*out = face->counts;
	pthread_mutex_unlock(&face->lock);
	return true;
}

static unsigned by_pcap_fill(struct live *l, unsigned ring)
{
	(void)l, (void)ring;
	return 0;
}

const struct live_ops *live_libpcap(void)
{
	static const struct live_ops ops = {
		.size = sizeof(struct by_pcap),
		.open = by_pcap_open,
		.close = by_pcap_close,
		.read = by_pcap_read,
		.wake = by_pcap_wake,
		.watch = by_pcap_watch,
		.stop = by_pcap_stop,
		.counts = by_pcap_counts,
		.fill = by_pcap_fill,
	};

	return &ops;
}
#else
const struct live_ops *live_libpcap(void)
{
	return NULL;
}
#endif
