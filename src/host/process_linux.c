/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_linux.c - the ways to follow sockets on Linux, the best first.
 *
 * Programs for other hooks of the kernel would be one more line here, before follow_bpf.
 */
#ifdef __linux__
#include <signal.h>
#include <sys/prctl.h>

#include "host/process_bpf_linux.h"
#include "host/process_diag_linux.h"
#include "host/process_net_linux.h"

const struct follow *const process_follows[] = { &follow_bpf, &follow_diag, &follow_net, NULL };

void system_follow_parent(void)
{
	prctl(PR_SET_PDEATHSIG, SIGKILL);
}
#endif
