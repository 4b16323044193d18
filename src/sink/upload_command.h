/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_command.h - the words that ssh is started with.  Private to the room.
 *
 * Every word is an argument of its own and no shell sees them.  What is set here beats ssh's
 * configuration files, from which the rest comes (a port, a jump host, names for hosts).
 */
#pragma once

#include "base/err.h"
#include "sink/upload_target.h"

#include <stddef.h>

enum { UPLOAD_WORDS = 64 };

struct upload_command {
	char *word[UPLOAD_WORDS]; /* owned, but for the last ones */
	size_t count;             /* of those that are always there */
	char *host;
	char *program; /* = word[0] */
};

/*
 * 'ssh' NULL: where it usually is.  'keyfile' and 'known_hosts' may be NULL; they are looked at
 * now, by their real paths, because later there may be no rights to say what is wrong with them.
 */
bool upload_command_new(struct upload_command *c, const struct upload_target *t, const char *ssh,
		const char *keyfile, const char *known_hosts, struct err *e);
void upload_command_free(struct upload_command *c);

/* Argument vectors that end in NULL, valid until the next call: the subsystem sftp, or a command
 * for the shell of the other side. */
char *const *upload_command_sftp(struct upload_command *c);
char *const *upload_command_shell(struct upload_command *c, char *text);
