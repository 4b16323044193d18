/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * format.h - what one output format writes: a beginning, records, an end.  Private to the room.
 *
 * A format appends whole lines to a buffer and knows nothing of files.  It is named in list.def.
 */
#pragma once

#include "record/plan.h"

struct format {
	const char *const *suffixes; /* without point, NULL-terminated; the first is the name */
	/* each call appends one line or nothing; 'end' is for any line that is no record */
	void (*begin)(const struct plan *plan, const struct buf *configuration, struct buf *out);
	void (*record)(const struct plan *plan, const void *const *data, struct buf *out);
	void (*end)(const struct buf *summary, struct buf *out);
	bool quotes; /* inside double quotes a line's end ends no line */
};

extern const struct format *const format_list[];
extern const size_t format_count;
