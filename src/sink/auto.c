/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * auto.c - what output=auto calls its files: the hardware address of the interface, which stays the
 * same when interfaces are named in another order.
 */
#include "sink/auto.h"

#include "sink/sink.h"

#include <net/if.h>
#include <stdio.h>

enum { MAC = 6 };

static bool is_name(const char *list, const char *name)
{
	const size_t size = strcspn(list, ",");

	return strlen(name) == size && strncmp(list, name, size) == 0;
}

/* interface=auto is the first that is up and not the loopback. */
static bool is_wanted(const char *interface, const struct ifaddrs *i)
{
	if (is_name(interface, "auto"))
		return (i->ifa_flags & IFF_UP) && !(i->ifa_flags & IFF_LOOPBACK);
	return is_name(interface, i->ifa_name);
}

static bool is_zero(const uint8_t *mac)
{
	static const uint8_t zero[MAC];

	return memcmp(mac, zero, MAC) == 0;
}

/* Names of interfaces may hold anything but '/' and white space. */
static void use_name(const char *interface, char name[static 64])
{
	const int size = (int)strcspn(interface, ",/");

	snprintf(name, 64, "%.*s.json", size < IF_NAMESIZE ? size : IF_NAMESIZE, interface);
}

void sink_auto_name(const char *interface, char name[static 64])
{
	struct ifaddrs *all = NULL;
	const uint8_t *mac;

	if (interface == NULL)
		interface = "auto";
	use_name(interface, name);
	if (getifaddrs(&all) != 0)
		return;
	for (const struct ifaddrs *i = all; i != NULL; i = i->ifa_next) {
		if (!is_wanted(interface, i) || auto_address(i, &mac) != MAC || is_zero(mac))
			continue;
		snprintf(name, 64, "%02x%02x%02x%02x%02x%02x.json", mac[0], mac[1], mac[2], mac[3],
				mac[4], mac[5]);
		break;
	}
	freeifaddrs(all);
}
