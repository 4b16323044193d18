/* SPDX-License-Identifier: BSD-3-Clause */
/* _texts.h - names of files and fields as C has them. */
#pragma once

#include "_run.h"

struct texts {
	PyObject *bytes; /* a list, which owns what 'at' points to; NULL: none were given */
	const char **at;
	size_t count;
};

/* Of a sequence of str, bytes or os.PathLike, or of None.  False with an exception. */
bool texts_new(PyObject *sequence, struct texts *t);
void texts_free(struct texts *t);
