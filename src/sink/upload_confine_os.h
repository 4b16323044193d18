/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_confine_os.h - the part of confining that differs: upload_confine_linux.c and
 * upload_confine_other.c.  Private to the room.
 */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

/* The process is killed when its parent dies; 'name' may be NULL. */
bool upload_confine_os_child(pid_t parent, const char *name);

/* Before and after ids change.  What the system refuses is left out: it is a second wall. */
void upload_confine_os_begin(void);
void upload_confine_os_end(int folder);

/* Closes these and all between. */
void upload_confine_os_close(unsigned first, unsigned last);
