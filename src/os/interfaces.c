/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * interfaces.c - names, states and addresses of interfaces, by getifaddrs(3).
 *
 * The system's list has an entry for each address; a line here gathers those of one name.
 */
#include "os/interfaces.h"

#include <arpa/inet.h>
#include <errno.h>
#include <ifaddrs.h>
#include <net/if.h>
#include <netinet/in.h>

static const void *address_of(const struct sockaddr *a)
{
	if (a == NULL)
		return NULL;
	if (a->sa_family == AF_INET)
		return &((const struct sockaddr_in *)(const void *)a)->sin_addr;
	if (a->sa_family == AF_INET6)
		return &((const struct sockaddr_in6 *)(const void *)a)->sin6_addr;
	return NULL;
}

static bool is_first_of_name(const struct ifaddrs *all, const struct ifaddrs *one)
{
	for (const struct ifaddrs *i = all; i != one; i = i->ifa_next)
		if (strcmp(i->ifa_name, one->ifa_name) == 0)
			return false;
	return true;
}

static void write_line(const struct ifaddrs *first, struct buf *out)
{
	buf_printf(out, "%-15s %s", first->ifa_name, first->ifa_flags & IFF_UP ? "up  " : "down");
	for (const struct ifaddrs *i = first; i != NULL; i = i->ifa_next) {
		const void *address = address_of(i->ifa_addr);
		char text[INET6_ADDRSTRLEN];

		if (address != NULL && strcmp(i->ifa_name, first->ifa_name) == 0 &&
				inet_ntop(i->ifa_addr->sa_family, address, text, sizeof(text)) !=
						NULL)
			buf_printf(out, " %s", text);
	}
	buf_byte(out, '\n');
}

bool interfaces_list(struct buf *out, struct err *e)
{
	struct ifaddrs *all;

	if (getifaddrs(&all) != 0)
		return err_set(e, "cannot list the interfaces: %s", strerror(errno));
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next)
		if (is_first_of_name(all, i))
			write_line(i, out);
	freeifaddrs(all);
	return true;
}
