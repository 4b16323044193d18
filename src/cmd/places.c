/* SPDX-License-Identifier: BSD-3-Clause */
/* places.c - folders of output, log, control socket and file with the process id. */
#include "cmd/places.h"

#include <libgen.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cmd/settings.h"

/* A relative folder would say little in a message; what is not there stays as it is. */
static void make_absolute(char path[static PATH_MAX])
{
	char real[PATH_MAX];

	if (path[0] != '\0' && realpath(path, real) != NULL)
		memcpy(path, real, strlen(real) + 1);
}

static bool keep(char to[static PATH_MAX], const char *path, struct err *e)
{
	if (snprintf(to, PATH_MAX, "%s", path) < PATH_MAX)
		return true;
	return err_set(e, "a path is too long: %.100s...", path);
}

static bool keep_option(char to[static PATH_MAX], struct joy *j, const char *name, struct err *e)
{
	char *path = settings_text(j, name);
	bool good = keep(to, path == NULL ? "" : path, e);

	joy_text_free(path);
	return good;
}

static bool keep_folder(char to[static PATH_MAX], const char *path, struct err *e)
{
	char copy[PATH_MAX];

	return keep(copy, path, e) && keep(to, dirname(copy), e);
}

/* An output of a name of its own lies in outdir, any other there if it is relative. */
static bool find_output(struct places *p, const char *output, const char *outdir, struct err *e)
{
	if (output == NULL || strcmp(output, "-") == 0)
		return true;
	if (outdir == NULL || output[0] == '/')
		return keep_folder(p->output, output, e);
	if (strchr(output, '/') == NULL)
		return keep(p->output, outdir, e);
	char both[PATH_MAX];

	if (snprintf(both, sizeof(both), "%s/%s", outdir, output) >= PATH_MAX)
		return err_set(e, "a path is too long: %.100s...", outdir);
	return keep_folder(p->output, both, e);
}

static bool find_folders(struct places *p, struct err *e)
{
	const char *const of[] = { p->log, p->control, p->pidfile };
	size_t writes = 0, tidies = 0;

	if (p->output[0] != '\0')
		p->write[writes++] = p->output;
	for (size_t i = 0; i < 3; i++) {
		if (of[i][0] == '\0')
			continue;
		if (!keep_folder(p->folders[i], of[i], e))
			return false;
		if (i == 0)
			p->write[writes++] = p->folders[i];
		else
			p->tidy[tidies++] = p->folders[i];
	}
	return true;
}

bool places_find(struct places *p, struct joy *j, struct err *e)
{
	char *output = settings_text(j, "output"), *outdir = settings_text(j, "outdir");

	*p = (struct places){ .output = "" };
	bool good = find_output(p, output, outdir, e);

	make_absolute(p->output);
	good = good && keep_option(p->log, j, "logfile", e) &&
	       keep_option(p->control, j, "control", e) &&
	       keep_option(p->pidfile, j, "pidfile", e) && find_folders(p, e);

	joy_text_free(output);
	joy_text_free(outdir);
	return good;
}
