/* SPDX-License-Identifier: BSD-3-Clause */
/* processors.h - what this process may compute on. */
#pragma once

/* How many processors it may use; at least 1. */
unsigned processors_count(void);
