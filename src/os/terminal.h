/* SPDX-License-Identifier: BSD-3-Clause */
/* terminal.h - what is known of the terminal at the other end of a file descriptor. */
#pragma once

#include <stdbool.h>

bool terminal_is(int fd);

/* Is it a pipe, a socket or a file: something that may hold data that nobody has to type? */
bool terminal_has_data(int fd);

/* Its width in characters; 80 where that is not known. */
unsigned terminal_columns(int fd);
