/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_address.h - which addresses this host has, told to the sensor as they come and go.
 *
 * A socket at any address has only packets to these, and not what the sensor sees of other hosts.
 */
#pragma once

struct addresses;
struct watcher;

struct addresses *addresses_new(void); /* NULL without memory */
void addresses_free(struct addresses *a);

/* Readable when they may have changed; -1: nobody tells. */
int addresses_fd(const struct addresses *a);

/* Reports what has changed. */
void addresses_look(struct addresses *a, struct watcher *w);
