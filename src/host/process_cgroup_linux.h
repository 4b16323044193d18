/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cgroup_linux.h - where cgroups of version 2 are: the root, and the path of an id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/*
 * The root of the hierarchy, open for good, or -1 with errno; *length: how much of a path below it
 * is where it is mounted.
 */
int cgroup_root(size_t *length);

/* The path of a cgroup below it, such as "/system.slice"; false: it is gone, or not ours to see. */
bool cgroup_path(uint64_t id, char *to, size_t room);
