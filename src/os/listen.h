/* SPDX-License-Identifier: BSD-3-Clause */
/* listen.h - sockets to be asked on: of the file system, and of an address and a port. */
#pragma once

#include <stdbool.h>
#include <sys/types.h>

#include "base/err.h"

/*
 * A stream socket of the file system with mode 0600; the folder is made if only it is missing.  One
 * that a dead process left behind is replaced, one that answers is an error.
 */
bool listen_path(const char *path, int *fd, struct err *e);

/* "127.0.0.1:9464", "[::1]:9464": numbers only. */
bool listen_address(const char *address, int *fd, struct err *e);

/* To a socket of listen_path(), blocking, with a time limit for each read and write. */
bool listen_connect(const char *path, int *fd, struct err *e);
