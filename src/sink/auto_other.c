/* SPDX-License-Identifier: BSD-3-Clause */
/* auto_other.c - the same on BSD and macOS, as addresses of the link level. */
#ifndef __linux__
#include "sink/auto.h"

#include <sys/socket.h>
#include <sys/types.h>

#include <net/if_dl.h>

size_t auto_address(const struct ifaddrs *entry, const uint8_t **address)
{
	const struct sockaddr_dl *link = (const void *)entry->ifa_addr;

	if (link == NULL || link->sdl_family != AF_LINK)
		return 0;
	*address = (const uint8_t *)LLADDR(link);
	return link->sdl_alen;
}
#endif
