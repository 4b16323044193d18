/* SPDX-License-Identifier: BSD-3-Clause */
/* upload_command.c - put the words for ssh together, and look at the files they name. */
#include "sink/upload_command.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Nobody is there to be asked; nothing but the one channel; an end to what hangs. */
static const char *const always[] = {
	"-a",
	"-x",
	"-T",
	"-oBatchMode=yes",
	"-oStrictHostKeyChecking=yes",
	"-oUpdateHostKeys=no",
	"-oConnectTimeout=20",
	"-oConnectionAttempts=1",
	"-oServerAliveInterval=15",
	"-oServerAliveCountMax=3",
	"-oClearAllForwardings=yes",
	"-oPermitLocalCommand=no",
	"-oControlMaster=no",
	"-oControlPath=none",
	"-oRemoteCommand=none",
	"-oLogLevel=ERROR",
};

static bool add(struct upload_command *c, const char *text, size_t size, struct err *e)
{
	char *word = c->count < UPLOAD_WORDS - 8 ? strndup(text, size) : NULL;

	if (word == NULL)
		return err_set(e, "upload: no memory");
	c->word[c->count++] = word;
	return true;
}

static bool add_text(struct upload_command *c, const char *text, struct err *e)
{
	return add(c, text, strlen(text), e);
}

/* --- files --------------------------------------------------------------------------------------
 */

/* -oNAME="PATH", with the path as it is for any working folder. */
static bool add_file(struct upload_command *c, const char *name, const char *path, struct err *e)
{
	struct buf b = buf_new(3 * LIMIT_OPTION_BYTES);
	char *real = realpath(path, NULL);
	bool done = false;

	buf_text(&b, "-o");
	if (real == NULL)
		err_set(e, "upload: cannot find %s: %s", path, strerror(errno));
	else
		done = upload_target_option(name, real, &b, e) && add(c, b.p, b.size, e);
	free(real);
	buf_free(&b);
	return done;
}

/* ssh would refuse these too, but only say so at the first try. */
static bool check_key(const char *path, struct err *e)
{
	struct stat st;

	if (access(path, R_OK) != 0 || stat(path, &st) != 0)
		return err_set(e, "upload: cannot read keyfile %s: %s", path, strerror(errno));
	if (!S_ISREG(st.st_mode))
		return err_set(e, "upload: keyfile %s is no file", path);
	if (st.st_uid == getuid() && (st.st_mode & 077) != 0)
		return err_set(e,
				"upload: keyfile %s is open to others, so ssh will not take it: "
				"chmod 600 %s",
				path, path);
	return true;
}

static bool check_hosts(const char *path, struct err *e)
{
	return access(path, R_OK) == 0 ||
	       err_set(e, "upload: cannot read known_hosts %s: %s", path, strerror(errno));
}

static bool add_files(struct upload_command *c, const char *keyfile, const char *known_hosts,
		struct err *e)
{
	if (keyfile != NULL &&
			(!check_key(keyfile, e) || !add_file(c, "IdentityFile", keyfile, e) ||
					!add_text(c, "-oIdentitiesOnly=yes", e)))
		return false;
	return known_hosts == NULL ||
	       (check_hosts(known_hosts, e) && add_file(c, "UserKnownHostsFile", known_hosts, e) &&
			       add_text(c, "-oGlobalKnownHostsFile=/dev/null", e));
}

/* --- all of it ----------------------------------------------------------------------------------
 */

static bool add_program(struct upload_command *c, const char *ssh, struct err *e)
{
	static const char *const usual[] = { "/usr/bin/ssh", "/usr/local/bin/ssh", "/bin/ssh",
		"/opt/homebrew/bin/ssh", "/usr/pkg/bin/ssh" };

	for (size_t i = 0; ssh == NULL && i < sizeof usual / sizeof usual[0]; i++) {
		if (access(usual[i], X_OK) == 0)
			ssh = usual[i];
	}
	if (ssh == NULL || access(ssh, X_OK) != 0)
		return err_set(e, "upload: there is no ssh here: install an OpenSSH client");
	return add_text(c, ssh, e);
}

static bool add_words(struct upload_command *c, const struct upload_target *t, struct err *e)
{
	for (size_t i = 0; i < sizeof always / sizeof always[0]; i++) {
		if (!add_text(c, always[i], e))
			return false;
	}
	if (t->port[0] != '\0' && (!add_text(c, "-p", e) || !add_text(c, t->port, e)))
		return false;
	return t->user[0] == '\0' || (add_text(c, "-l", e) && add_text(c, t->user, e));
}

bool upload_command_new(struct upload_command *c, const struct upload_target *t, const char *ssh,
		const char *keyfile, const char *known_hosts, struct err *e)
{
	*c = (struct upload_command){ .count = 0 };
	c->host = strdup(t->host);
	if (c->host == NULL)
		err_set(e, "upload: no memory");
	else if (add_program(c, ssh, e) && add_words(c, t, e) &&
			add_files(c, keyfile, known_hosts, e)) {
		c->program = c->word[0];
		return true;
	}
	upload_command_free(c);
	return false;
}

void upload_command_free(struct upload_command *c)
{
	for (size_t i = 0; i < c->count; i++)
		free(c->word[i]);
	free(c->host);
	*c = (struct upload_command){ .count = 0 };
}

char *const *upload_command_sftp(struct upload_command *c)
{
	static char subsystem[] = "-s", end[] = "--", name[] = "sftp";

	c->word[c->count] = subsystem;
	c->word[c->count + 1] = end;
	c->word[c->count + 2] = c->host;
	c->word[c->count + 3] = name;
	c->word[c->count + 4] = NULL;
	return c->word;
}

char *const *upload_command_shell(struct upload_command *c, char *text)
{
	static char end[] = "--";

	c->word[c->count] = end;
	c->word[c->count + 1] = c->host;
	c->word[c->count + 2] = text;
	c->word[c->count + 3] = NULL;
	return c->word;
}
