/* SPDX-License-Identifier: BSD-3-Clause */
/* due.h - the order in which flows leave: by the moment, then by the flow's first packet. */
#pragma once

#include <stddef.h>
#include <stdint.h>

struct due {
	int64_t leaves_ns;
	uint64_t number; /* of the first packet */
	uint32_t flow;   /* whose turn it is: a number of the table's */
};

/* Sorts 'n' of them, in place. */
void due_sort(struct due *d, size_t n);
