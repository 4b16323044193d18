/* SPDX-License-Identifier: BSD-3-Clause */
/* file_out.h - what file.c says in a record, for whoever tells the flows of several files apart. */
#pragma once

#include "record/field.h"

struct file_out {
	struct field_text file;
};
