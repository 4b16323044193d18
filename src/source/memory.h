/* SPDX-License-Identifier: BSD-3-Clause */
/* memory.h - a run over one capture that lies in memory, for tests and fuzzing. */
#pragma once

#include "source/source.h"

/*
 * As source_new(), but the run is the 'size' bytes at 'bytes', which stay the caller's until
 * source_free().  They arrive at most 'step' at a time, as from a pipe (0: all at once).
 */
struct source *source_new_memory(const void *bytes, size_t size, size_t step,
		const struct source_conf *conf, struct err *e);
