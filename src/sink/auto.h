/* SPDX-License-Identifier: BSD-3-Clause */
/* auto.h - hardware addresses as this system lists them.  Private to the room. */
#pragma once

#include <ifaddrs.h>
#include <stddef.h>
#include <stdint.h>

/* The hardware address in an entry of getifaddrs(); 0 bytes: it has none. */
size_t auto_address(const struct ifaddrs *entry, const uint8_t **address);
