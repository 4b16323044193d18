/* SPDX-License-Identifier: BSD-3-Clause */
/* interfaces.h - the network interfaces of this machine. */
#pragma once

#include "base/buf.h"
#include "base/err.h"

/* Appends a line for each: name, up or down, addresses. */
bool interfaces_list(struct buf *out, struct err *e);
