/* SPDX-License-Identifier: BSD-3-Clause */
/* process_net_linux.h - one line of /proc/net/{tcp,udp}{,6}. */
#pragma once

#include "host/process_poll.h"

extern const struct follow follow_net;

/* False: it is a heading, or a socket that nobody holds. */
bool net_parse_line(const char *line, uint8_t proto, struct seen *out);
