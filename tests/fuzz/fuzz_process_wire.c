/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_process_wire.c - any bytes as messages of the watcher: nothing breaks, texts stay inside. */
#include <stdlib.h>

#include "host/process_wire.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data, size };
	struct process_wire m;

	while (process_wire_next(&r, &m)) {
		size_t start = 0;

		if (m.type != PROCESS_WIRE_PROCESS)
			continue;
		for (unsigned i = 0; i < PROCESS_TEXTS; i++) {
			if (m.process.end[i] < start || m.process.end[i] > LIMIT_PROCESS_TEXT)
				abort();
			start = m.process.end[i];
		}
	}
	return 0;
}
