/* SPDX-License-Identifier: BSD-3-Clause */
/* live_pcap.c - stub */
#include "source/live_ops.h"
const struct live_ops *live_libpcap(void)
{
	return NULL;
}
