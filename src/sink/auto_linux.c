/* SPDX-License-Identifier: BSD-3-Clause */
/* auto_linux.c - getifaddrs() lists hardware addresses as packet(7) addresses. */
#ifdef __linux__
#include "sink/auto.h"

#include <netpacket/packet.h>
#include <sys/socket.h>

size_t auto_address(const struct ifaddrs *entry, const uint8_t **address)
{
	const struct sockaddr_ll *link = (const void *)entry->ifa_addr;

	if (link == NULL || link->sll_family != AF_PACKET)
		return 0;
	*address = link->sll_addr;
	return link->sll_halen;
}
#endif
