/* SPDX-License-Identifier: BSD-3-Clause */
/* live_packet_other.c - there are no packet rings here: live.c takes libpcap. */
#ifndef __linux__
#include "source/live_ops.h"

const struct live_ops *live_packet(void)
{
	return NULL;
}

/* What is missing shows when it is tried. */
bool live_can_open(void)
{
	return true;
}
#endif
