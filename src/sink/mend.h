/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * mend.h - cutting a file that a dead run has left to what is whole in it.  Private to the room.
 *
 * Plain text is cut behind its last whole line, compressed text at the last flush behind which a
 * line ended, where it gets the end of its stream.  Zeros, which a machine that lost its power may
 * leave at the end of a file, are never part of a line.
 */
#pragma once

#include "sink/compress.h"
#include "sink/file.h"

struct mended {
	uint64_t lines; /* whole, and kept; 0: the file is left alone */
	uint64_t cut;   /* bytes of the file that are not */
	bool headed;    /* the first line is a configuration, or CSV's header */
};

/* 'f' stands at its beginning and is open for reading and writing.  False: errno says why. */
bool mend(struct file *f, enum compress_kind kind, bool csv, struct mended *m);
