/* SPDX-License-Identifier: BSD-3-Clause */
/* privileges_system.h - what privileges.c needs of the system and every system has differently. */
#pragma once

#include "os/privileges.h"

/*
 * Gives files that this process has open for writing and whose names end in ".part" to the user:
 * root made them, and in a sticky folder only their owner may rename them.  Nothing where names
 * cannot be found out.
 */
void privileges_give_parts(const struct privileges_user *user);

/* No process that root starts from here on has more than these; before the ids change. */
void privileges_bound(bool write_anywhere);

/* No capability but, with 'write_anywhere', that one; no_new_privs; dumps as 'dump' says. */
bool privileges_strip(bool write_anywhere, bool dump, struct err *e);
