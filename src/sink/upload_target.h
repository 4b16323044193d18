/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_target.h - where uploads go: user, host, port and folder out of the option's text, and
 * how paths there are written.  Private to the room; pure.
 */
#pragma once

#include "base/buf.h"
#include "base/err.h"
#include "base/limits.h"

struct upload_target {
	char user[LIMIT_UPLOAD_USER + 1]; /* "": ssh's choice */
	char host[LIMIT_UPLOAD_HOST + 1];
	char port[sizeof "65535"];          /* "": ssh's choice */
	char folder[LIMIT_UPLOAD_PATH + 1]; /* from the home folder, or with a leading slash */
};

/*
 * Reads one of
 *
 *     [USER@]HOST:FOLDER                  as scp(1)
 *     [USER@][IPV6]:FOLDER
 *     sftp://[USER@]HOST[:PORT][/FOLDER]  as sftp(1), %xx decoded; //FOLDER starts at the root
 *
 * An empty folder and ~ are the home folder.  Nothing that ssh or a shell could take for
 * something else gets through: names of users and hosts are letters, digits and a few signs and do
 * not begin with "-"; no control characters in the folder.
 */
bool upload_target_parse(struct upload_target *t, const char *text, struct err *e);

/* Can a file of that name be uploaded?  No slash, no control character, short enough. */
bool upload_target_name(const char *name, struct err *e);

/* Appends FOLDER/before NAME after. */
void upload_target_path(const struct upload_target *t, const char *before, const char *name,
		const char *after, struct buf *out);

/* Appends one word for a POSIX shell: in single quotes. */
void upload_target_shell(const char *text, struct buf *out);

/*
 * Appends NAME="PATH" for ssh's -o, in which ssh sees nothing but the path.  False for paths that
 * cannot be written so.
 */
bool upload_target_option(const char *name, const char *path, struct buf *out, struct err *e);
