/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_mend.c - any bytes as what a dead run has left: what is kept is whole, and stays so when it
 * is mended again.  The first byte says whether they are JSON or CSV, and how they are compressed.
 */
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include "sink/mend.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct mended mend_from_start(int fd, uint8_t how)
{
	struct file f = { .fd = fd, .regular = true };
	struct mended m = { 0 };

	if (lseek(fd, 0, SEEK_SET) != 0 ||
			!mend(&f, (enum compress_kind)(how >> 1 & 3), how & 1, &m))
		abort();
	return m;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t how = size > 0 ? data[0] : 0;
	struct mended m, again;
	int fd;

	if (size == 0 || (how >> 1 & 3) > COMPRESS_ZSTD ||
			!compress_available((enum compress_kind)(how >> 1 & 3)))
		return 0;
	fd = memfd_create("part", 0);
	if (fd < 0 || write(fd, data + 1, size - 1) != (ssize_t)size - 1)
		abort();
	m = mend_from_start(fd, how);
	if (m.cut > size - 1)
		abort();
	if (m.lines > 0) {
		again = mend_from_start(fd, how);
		if (again.cut != 0 || again.lines != m.lines || again.headed != m.headed)
			abort();
	}
	close(fd);
	return 0;
}
