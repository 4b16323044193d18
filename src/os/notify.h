/* SPDX-License-Identifier: BSD-3-Clause */
/* notify.h - tells the service manager how it goes: the protocol of sd_notify(3), a datagram each.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

struct notify {
	int fd;              /* -1: nobody wants to know */
	int64_t watchdog_ns; /* time between two signs of life; 0: none wanted */
	int64_t next_ns;     /* of CLOCK_MONOTONIC */
};

/* By the environment (NOTIFY_SOCKET, WATCHDOG_USEC, WATCHDOG_PID); before the sandbox. */
void notify_open(struct notify *n);
void notify_close(struct notify *n);

void notify_ready(struct notify *n, const char *status);
void notify_stopping(struct notify *n);
void notify_reloading(struct notify *n); /* notify_ready() says the end of it */

/* A sign of life if one is due; to be called often. */
void notify_alive(struct notify *n, int64_t now_ns);

/* Is that descriptor the journal (JOURNAL_STREAM)?  Then lines may begin with <0> to <7>. */
bool notify_is_journal(int fd);
