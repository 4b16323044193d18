/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_cgroup_linux.h - where cgroups of version 2 are: the mount point, and the path of an id.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* The folder where the root of the hierarchy is mounted; false: nowhere. */
bool cgroup_mount(char *to, size_t room);

/* The path of a cgroup below it, such as "/system.slice"; false: it is gone, or not ours to see. */
bool cgroup_path(uint64_t id, char *to, size_t room);
