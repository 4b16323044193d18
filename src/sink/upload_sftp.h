/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_sftp.h - the part of the SSH File Transfer Protocol, version 3, that an upload needs.
 * Private to the room.
 *
 * draft-ietf-secsh-filexfer-02, with fsync@openssh.com (OpenSSH, PROTOCOL).  Speaks to the server
 * through a running ssh, whose answers are untrusted bytes.  Spoken instead of started as
 * sftp(1): paths need no quoting, errors are codes, and what is confirmed is known.
 */
#pragma once

#include "sink/upload_pipe.h"

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

enum upload_sftp_result {
	SFTP_GOOD,
	SFTP_REFUSED, /* the server says no; the connection is fine */
	SFTP_LOCAL,   /* the file here cannot be read; the connection is fine */
	SFTP_GONE,    /* no more connection, or the main process wants no more */
};

/* Codes of a refusal. */
enum { SFTP_NO_SUCH_FILE = 2, SFTP_PERMISSION_DENIED = 3, SFTP_FAILURE = 4, SFTP_BAD_MESSAGE = 5 };

enum { SFTP_HANDLE = 256, SFTP_HASH = 32 };
struct upload_handle {
	uint8_t bytes[SFTP_HANDLE];
	size_t size;
};

struct upload_sftp {
	struct upload_pipe *pipe; /* borrowed */
	uint32_t last;            /* id of the last request */
	uint32_t code;            /* of the last refusal */
	bool can_sync;
	struct err why; /* of the last result that was not good */
};

/* Greets; must come first. */
enum upload_sftp_result upload_sftp_begin(struct upload_sftp *s, struct upload_pipe *pipe);

enum upload_sftp_result upload_sftp_size(struct upload_sftp *s, const char *path, uint64_t *size);

/* Opens for reading and, with 'create', writing; what is there stays. */
enum upload_sftp_result upload_sftp_open(struct upload_sftp *s, const char *path, bool create,
		uint32_t mode, struct upload_handle *out);
enum upload_sftp_result upload_sftp_close(struct upload_sftp *s, const struct upload_handle *h);

/* Writes what the local file has from 'from' to 'to'. */
enum upload_sftp_result upload_sftp_write(struct upload_sftp *s, const struct upload_handle *h,
		int fd, uint64_t from, uint64_t to);

enum upload_sftp_result upload_sftp_cut(
		struct upload_sftp *s, const struct upload_handle *h, uint64_t size);

/* Has the file's bytes put on its disk, where the server knows how to. */
enum upload_sftp_result upload_sftp_sync(struct upload_sftp *s, const struct upload_handle *h);

/* Reads all of it: has it this size and SHA-256? */
enum upload_sftp_result upload_sftp_compare(struct upload_sftp *s, const struct upload_handle *h,
		uint64_t size, const uint8_t hash[SFTP_HASH], bool *same);

/* OpenSSH's server replaces nothing by it. */
enum upload_sftp_result upload_sftp_rename(struct upload_sftp *s, const char *from, const char *to);
enum upload_sftp_result upload_sftp_remove(struct upload_sftp *s, const char *path);
