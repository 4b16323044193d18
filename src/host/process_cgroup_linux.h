/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cgroup_linux.h - the root of the cgroups of version 2, and the path of a cgroup by its
 * id.
 */
#pragma once

#include <stdint.h>

#include "base/err.h"

#include <stddef.h>

/* The root's descriptor, which stays open; -1: the error says why.  Needs rights the first time. */
int cgroup_root(struct err *e);

/* The path of a cgroup below the root, such as "/system.slice"; false: it is gone, or
 * cgroup_root() was never called with success. */
bool cgroup_path(uint64_t id, char *to, size_t room);
