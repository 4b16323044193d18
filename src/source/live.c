/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live.c - which interfaces are meant, and by which way they are captured.
 *
 * All else is done by a struct live_ops (live_ops.h): live_packet_linux.c or live_pcap.c.
 */
#include "source/live.h"

#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "source/live_ops.h"

/* --- names --------------------------------------------------------------------------------------
 */

/* The first interface that is up and no loopback; one with a carrier before one without. */
static bool find_auto(char name[LIVE_NAME_BYTES], struct err *e)
{
	struct ifaddrs *all, *found = NULL;

	if (getifaddrs(&all) != 0)
		return err_set(e, "interface=auto: cannot list the interfaces: %s",
				strerror(errno));
	for (struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if ((i->ifa_flags & IFF_UP) == 0 || (i->ifa_flags & IFF_LOOPBACK) != 0)
			continue;
		if (found == NULL || (i->ifa_flags & ~found->ifa_flags & IFF_RUNNING) != 0)
			found = i;
	}
	if (found != NULL)
		snprintf(name, LIVE_NAME_BYTES, "%s", found->ifa_name);
	freeifaddrs(all);
	return found != NULL || err_set(e, "interface=auto: no interface is up but the loopback");
}

static bool add_name(struct live *l, const char *text, size_t size, struct err *e)
{
	char name[LIVE_NAME_BYTES];

	if (size == 0)
		return err_set(e, "interface=%s: a name is missing", l->conf.interfaces);
	if (size >= sizeof(name))
		return err_set(e, "interface=%s: a name is too long", l->conf.interfaces);
	if (l->count == LIMIT_LIVE_INTERFACES)
		return err_set(e, "interface=: more than %d names", LIMIT_LIVE_INTERFACES);
	memcpy(name, text, size);
	name[size] = '\0';
	if (strcmp(name, "auto") == 0 && !find_auto(name, e))
		return false;
	for (size_t i = 0; i < l->count; i++)
		if (strcmp(l->name[i], name) == 0)
			return err_set(e, "interface=%s: %s is named twice", l->conf.interfaces,
					name);
	memcpy(l->name[l->count++], name, sizeof(name));
	return true;
}

static bool take_names(struct live *l, struct err *e)
{
	const char *at = l->conf.interfaces;

	for (bool more = true; more;) {
		at += strspn(at, " ");
		size_t size = strcspn(at, ",");
		size_t used = size;

		while (used > 0 && at[used - 1] == ' ')
			used--;
		if (!add_name(l, at, used, e))
			return false;
		if (strcmp(l->name[l->count - 1], "any") == 0)
			l->any = true;
		more = at[size] == ',';
		at += size + more;
	}
	if (l->any && l->count > 1)
		return err_set(e, "interface=%s: any is all interfaces and stands alone",
				l->conf.interfaces);
	for (size_t i = 0; i < l->count; i++)
		l->interface[i] = (struct source_interface){
			.file = l->name[i],
			.name = l->name[i],
			.snaplen = l->conf.snaplen,
		};
	return true;
}

/* --- ways ---------------------------------------------------------------------------------------
 */

static const struct live_ops *choose(const char *capture, struct err *e)
{
	const struct live_ops *packet = live_packet(), *libpcap = live_libpcap();

	if (capture == NULL || strcmp(capture, "auto") == 0) {
		if (packet == NULL && libpcap == NULL)
			err_set(e, "this build cannot capture: it was made without libpcap");
		return packet != NULL ? packet : libpcap;
	}
	if (strcmp(capture, "packet") == 0) {
		if (packet == NULL)
			err_set(e, "capture=packet: only Linux has packet rings");
		return packet;
	}
	if (libpcap == NULL)
		err_set(e, "capture=libpcap: this build was made without libpcap");
	return libpcap;
}

struct live *live_new(const struct live_conf *conf, struct err *e)
{
	const struct live_ops *ops = choose(conf->capture, e);
	struct live *l = ops != NULL ? calloc(1, ops->size) : NULL;

	if (l == NULL) {
		if (ops != NULL)
			err_set(e, "no memory for the capture");
		return NULL;
	}
	l->conf = *conf;
	l->ops = ops;
	bool good = take_names(l, e) && ops->open(l, e);
	l->conf.interfaces = l->conf.capture = l->conf.clock = l->conf.bpf = NULL;
	if (!good) {
		live_free(l);
		return NULL;
	}
	return l;
}

void live_free(struct live *l)
{
	if (l == NULL)
		return;
	l->ops->close(l);
	free(l);
}

void live_say(const struct live *l, enum source_trouble what, const char *format, ...)
{
	struct err line;
	va_list list;

	if (l->conf.say == NULL)
		return;
	va_start(list, format);
	vsnprintf(line.text, sizeof(line.text), format, list);
	va_end(list);
	l->conf.say(l->conf.ctx, what, line.text);
}

size_t live_read(struct live *l, unsigned ring, struct frame *frames, size_t max, int timeout_ms,
		bool *ok, struct err *e)
{
	*ok = true;
	return l->ops->read(l, ring, frames, max, timeout_ms, ok, e);
}

void live_wake(struct live *l)
{
	l->ops->wake(l);
}

void live_watch(struct live *l)
{
	l->ops->watch(l);
}

void live_stop(struct live *l)
{
	l->ops->stop(l);
}

size_t live_interfaces(const struct live *l)
{
	return l->count;
}

const struct source_interface *live_interface(const struct live *l, size_t i)
{
	return i < l->count ? &l->interface[i] : NULL;
}

bool live_counts(struct live *l, size_t i, struct live_counts *out)
{
	*out = (struct live_counts){ 0 };
	return i < l->count && l->ops->counts(l, i, out);
}

unsigned live_fill(struct live *l, unsigned ring)
{
	return l->ops->fill(l, ring);
}
