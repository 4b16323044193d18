/* SPDX-License-Identifier: BSD-3-Clause */
/* commands.h - options that ask for a text instead of a run: help, version, explain=, print= ... */
#pragma once

#include "base/err.h"
#include "joy.h"

enum { COMMANDS_NONE = -1 };

/*
 * Prints what the options of the handle ask for to standard output.  Returns the exit status, with
 * 'e' when it is not 0; COMMANDS_NONE when nothing was asked for.
 */
int commands_run(struct joy *j, struct err *e);
