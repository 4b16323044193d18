/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * ahead.h - an input that a thread of its own reads, and unpacks, ahead of who takes from it.
 *
 * Its window moves from room to room of somebody else's (input.h); what did not fit is put in front
 * of the next room's bytes, for which there is space.  For files, which do not make wait.
 */
#pragma once

#include "source/input.h"

/* 'below' belongs to it from now on; NULL, 'below' untouched: without memory or a thread. */
struct input *ahead_open(struct input *below, const struct input_rooms *rooms);

/* Ends the thread, so that what is below may be looked at; for other inputs nothing. */
void ahead_stop(struct input *in);

/* How much of the file is used up; false: it is no such input. */
bool ahead_used(const struct input *in, uint64_t *bytes);
