/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * output.c - where the records of a run go: path and splitting of the output, the caller's
 * callback, the upload of finished files.
 */
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "api/stream.h"
#include "os/privileges.h"
#include "sink/upload.h"

enum { UPLOAD_LIVE_MS = 10000 }; /* at the end of a live run; what is left goes up in the next */

static bool on_line(void *ctx, const char *bytes, size_t size)
{
	struct joy *j = ctx;

	j->line_ended = j->line(j->line_ctx, bytes, size) != 0;
	return !j->line_ended;
}

static void on_sink(void *ctx, enum sink_level level, const char *text)
{
	static const enum joy_level levels[] = { JOY_LOG_ERROR, JOY_LOG_WARNING, JOY_LOG_INFO };

	handle_log(ctx, levels[level], "%s", text);
}

/* In any thread. */
static bool on_finished(void *ctx, const char *part, struct err *e)
{
	struct joy *j = ctx;

	return j->upload == NULL || upload_add(j->upload, part, e);
}

static bool is_auto(const struct conf *core)
{
	return core->output != NULL && strcmp(core->output, "auto") == 0;
}

/* A path too long is cut, and then cannot be opened. */
static const char *in_folder(const char *folder, const char *name, char path[static PATH_MAX])
{
	if (folder == NULL)
		snprintf(path, PATH_MAX, "%s", name);
	else
		snprintf(path, PATH_MAX, "%s/%s", folder, name);
	return path;
}

/* Where the output goes: outdir and output as one path, NULL for standard output. */
static const char *output_path(const struct joy *j, char path[static PATH_MAX])
{
	const struct conf *core = &j->registry->core;
	char name[64];

	if (is_auto(core)) {
		sink_auto_name(j->live != NULL ? live_interface(j->live, 0)->name : core->interface,
				name);
		return in_folder(core->outdir, name, path);
	}
	if (core->outdir == NULL || core->output == NULL || core->output[0] == '/' ||
			strcmp(core->output, "-") == 0)
		return core->output;
	return in_folder(core->outdir, core->output, path);
}

/* --- uploading --------------------------------------------------------------------------- */

static void on_upload(void *ctx, enum upload_news what, const char *text)
{
	static const enum joy_level levels[] = { JOY_LOG_ERROR, JOY_LOG_WARNING, JOY_LOG_INFO,
		JOY_LOG_DEBUG };

	handle_log(ctx, levels[what], "%s", text);
}

/* The folder that a path lies in, or what it is a link to; "" is the working folder. */
static void folder_of(const char *path, char folder[static PATH_MAX])
{
	char *real = realpath(path, NULL); /* NULL: a new file */
	const char *of = real != NULL ? real : path, *slash = strrchr(of, '/');

	snprintf(folder, PATH_MAX, "%.*s", slash == NULL ? 0 : (int)(slash - of + 1), of);
	free(real);
}

/* Whom the program will become: the spool is to be his.  By then auto has become a name or none. */
static bool find_user(const struct conf *core, struct upload_conf *up, struct err *e)
{
	struct privileges_user user;
	const char *name = core->username;

	if (core->interface == NULL || !privileges_root() || name == NULL ||
			strcmp(name, "auto") == 0)
		return true;
	if (!privileges_find(name, &user, e))
		return false;
	up->become = true;
	up->uid = user.uid;
	up->gid = user.gid;
	return true;
}

static bool start_upload(struct joy *j, const char *path)
{
	const struct conf *core = &j->registry->core;
	char folder[PATH_MAX];
	struct upload_conf up = {
		.to = core->upload,
		.keyfile = core->keyfile,
		.known_hosts = core->known_hosts,
		.retain = core->retain,
		.folder = folder,
		.say = on_upload,
		.ctx = j,
	};

	if (core->upload == NULL)
		return true;
	if (path == NULL || strcmp(path, "-") == 0)
		return err_set(&j->error, "upload needs an output that is a file");
	folder_of(path, folder);
	if (!find_user(core, &up, &j->error))
		return false;
	j->upload = upload_start(&up, &j->error);
	return j->upload != NULL;
}

void output_upload(struct joy *j)
{
	const bool live = j->sensor != NULL;

	upload_stop(j->upload, live ? UPLOAD_LIVE_MS : UINT32_MAX);
	j->upload = NULL;
}

/* --- opening ------------------------------------------------------------------------------ */

bool output_open(struct joy *j)
{
	const struct conf *core = &j->registry->core;
	char path[PATH_MAX];
	struct sink_target target = {
		.path = output_path(j, path),
		.log = on_sink,
		.finished = on_finished,
		.ctx = j,
		.live = core->interface != NULL,
		.threaded = core->interface == NULL && workers_count(j) > 1 &&
			    !workers_are_apart(j),
		.series = is_auto(core),
		.split = { core->count, core->rotate.ns, core->rotate_size.bytes },
		.keep = { core->keep_size.bytes, core->keep_time.ns },
	};

	if (j->stream != NULL) {
		target = (struct sink_target){ .log = on_sink,
			.ctx = j,
			.live = target.live,
			.batch = drain_put,
			.columns = j->columns };
	} else if (j->line != NULL) {
		target.path = NULL;
		target.line = on_line;
	}
	if (is_auto(core) && core->interface == NULL && j->stream == NULL)
		return err_set(&j->error, "output=auto needs interface=");
	if (!start_upload(j, target.path))
		return false;
	j->sink = sink_open(&target, j->plan, &j->error);
	return j->sink != NULL;
}

static bool is_file(const char *path, const struct stat *file)
{
	struct stat st;

	return stat(path, &st) == 0 && st.st_dev == file->st_dev && st.st_ino == file->st_ino;
}

/* A capture lost to a slip of the fingers cannot be made again. */
const char *output_overwrites(const struct joy *j, const char *const *paths, size_t count)
{
	char path[PATH_MAX];
	const bool writes = j->line == NULL && j->stream == NULL;
	const char *output = writes ? output_path(j, path) : NULL;
	struct stat file;

	if (output == NULL || stat(output, &file) != 0 || !S_ISREG(file.st_mode))
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (is_file(paths[i], &file))
			return paths[i];
	return NULL;
}
