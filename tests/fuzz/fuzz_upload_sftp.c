/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_upload_sftp.c - any bytes as what an SFTP server answers to all requests of an upload. */
#include <fcntl.h>
#include <stdlib.h>
#include <unistd.h>

#include "sink/upload_sftp.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* The first byte says how large the file is. */
static void upload(struct upload_sftp *s, uint64_t size, int fd)
{
	static const uint8_t hash[SFTP_HASH];
	struct upload_handle h = { .size = 0 };
	uint64_t there = 0;
	bool same = false;

	upload_sftp_size(s, "final", &there);
	if (upload_sftp_open(s, "part", true, 0644, &h) == SFTP_GOOD && h.size > SFTP_HANDLE)
		abort();
	upload_sftp_write(s, &h, fd, 0, size);
	upload_sftp_cut(s, &h, size);
	upload_sftp_sync(s, &h);
	upload_sftp_compare(s, &h, size, hash, &same);
	if (same)
		abort(); /* nothing has a hash of zeros */
	upload_sftp_close(s, &h);
	upload_sftp_rename(s, "part", "final");
	upload_sftp_remove(s, "part");
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct upload_control control = { .fd = -1 };
	struct upload_pipe p = { .control = &control,
		.stall_ms = 1000,
		.to = -1,
		.from = -1,
		.errors = -1,
		.out = buf_new(8 << 20),
		.in = buf_new(1 << 20),
		.ended = true };
	struct upload_sftp s;
	static int fd = -1;

	if (fd < 0)
		fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);
	if (size > 0)
		buf_bytes(&p.in, data + 1, size - 1);
	if (size > 0 && upload_sftp_begin(&s, &p) == SFTP_GOOD)
		upload(&s, (uint64_t)data[0] * 1000, fd);
	if (p.taken > p.in.size)
		abort();
	buf_free(&p.in);
	buf_free(&p.out);
	return 0;
}
