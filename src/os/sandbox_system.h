/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox_system.h - the two halves of the sandbox of Linux, for sandbox_linux.c. */
#pragma once

#include "os/sandbox.h"

/* Binds writing to the folders, and refuses TCP and signals to others where the kernel can. */
bool sandbox_files(const struct sandbox *s, struct sandbox_state *state, struct err *e);

/* Filters system calls; last, since what the other half needs is not allowed any more. */
bool sandbox_calls(const struct sandbox *s, struct sandbox_state *state, struct err *e);

/* Adds a sentence to state->missing. */
void sandbox_lacks(struct sandbox_state *state, const char *format, ...)
		__attribute__((format(printf, 2, 3)));
