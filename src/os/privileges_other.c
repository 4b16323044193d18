/* SPDX-License-Identifier: BSD-3-Clause */
/* privileges_other.c - systems where a user that is not root has no rights beyond his ids. */
#ifndef __linux__

#include "os/privileges_system.h"

void privileges_give_parts(const struct privileges_user *user)
{
	(void)user;
}

void privileges_bound(bool write_anywhere)
{
	(void)write_anywhere;
}

bool privileges_strip(bool write_anywhere, bool dump, struct err *e)
{
	(void)write_anywhere, (void)dump, (void)e;
	return true;
}

#endif
