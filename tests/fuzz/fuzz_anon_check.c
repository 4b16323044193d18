/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_anon_check.c - any bytes as a file of records to look for addresses in. */
#include <stdint.h>

#include "host/anon_check.h"
#include "memory_file.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static char list[] = "/tmp/fuzz_check.XXXXXX"; /* removed at once: a path by descriptor */
	static char path[32];
	static int fd = -1;
	struct buf report = buf_new(1 << 24);
	uint64_t found;
	struct err e;

	if (fd < 0) {
		static const char subnets[] = "10.0.0.0/8\n2001:db8::/32\n";

		fd = mkstemp(list);
		if (fd < 0 || write(fd, subnets, sizeof subnets - 1) != sizeof subnets - 1)
			abort();
		unlink(list);
		snprintf(path, sizeof path, "/proc/self/fd/%d", fd);
	}
	anon_check(path, memory_file(data, size), &report, &found, &e);
	buf_free(&report);
	return 0;
}
