/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_send.h - bring one file of the spool to the other side, for certain.  Private to the room.
 *
 *     hash it here
 *     NAME is there with this size and hash?             done (a kill came between 5 and 6)
 *     1  write .NAME.HASH.part, or the rest of it        HASH: the first digits of the SHA-256
 *     2  have it synced
 *     3  size and hash as they should be?                no: remove it, fail
 *     5  rename it to NAME, which replaces nothing
 *     6  remove the file here (retain=0), then its entry in the spool
 *
 * Where another file has the name already, both are kept: the new one becomes NAME-HASH, with
 * the hash before the suffix.  Any step may be the last one before a kill; the next try begins
 * anew and finds what is done.
 */
#pragma once

#include "sink/upload_command.h"
#include "sink/upload_sftp.h"
#include "sink/upload_spool.h"

enum upload_sent {
	UPLOAD_SENT_THERE,   /* the other side has it, the spool has not */
	UPLOAD_SENT_BAD,     /* something about this file; others may do better */
	UPLOAD_SENT_REFUSED, /* the other side takes no files now */
	UPLOAD_SENT_GONE,    /* no connection, or the main process wants no more */
};

/* A connection, and all a file needs. */
struct upload_sender {
	const struct upload_target *target;
	struct upload_command *command;
	const struct upload_spool *spool;
	struct upload_control *control;
	bool retain;
	uint32_t stall_ms;
	struct upload_pipe pipe;
	struct upload_sftp sftp;
	bool connected;
	bool no_shell; /* the account has none, or no sha256sum */
};

/* Connects if it is not; false: away, and why. */
bool upload_send_connect(struct upload_sender *s, struct err *e);
void upload_send_disconnect(struct upload_sender *s);

/* 'e' says why not, with the file's name where it is the file's fault. */
enum upload_sent upload_send(
		struct upload_sender *s, const struct upload_entry *entry, struct err *e);

/* Appends NAME with "-HASH" before its suffix: data.json.gz becomes data-0a1b2c3d.json.gz. */
void upload_send_other_name(const char *name, const char *hash, struct buf *out);
