/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_send.c - one file: look, write, confirm, rename, forget.
 *
 * What a former try left is used: the part's name has the hash in it, so its bytes can only be
 * the beginning of this file, and even a server that still works off the requests of a dead
 * connection writes nothing but the same bytes to the same places.  So parts are never truncated
 * when opened.
 */
#include "sink/upload_send.h"

#include <errno.h>
#include <inttypes.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum {
	HEX = 2 * SFTP_HASH + 1,
	OTHER_HEX = 8,            /* of the hash in a name that was taken */
	PART_HEX = 16,            /* in a part's */
	SHELL_FROM = 1024 * 1024, /* below, reading back costs less than another connection */
	HASH_PER_MS = 10000,      /* bytes; slower disks have the other side taken for dead */
};

struct file {
	const struct upload_entry *entry;
	int fd;
	uint64_t size;
	uint32_t mode;
	uint8_t hash[SFTP_HASH];
	char hex[HEX];
	char *part;  /* its path on the other side while it is written */
	char *final; /* the one tried now */
	struct upload_handle handle;
};

/* --- the connection -----------------------------------------------------------------------------
 */

bool upload_send_connect(struct upload_sender *s, struct err *e)
{
	if (s->connected)
		return true;
	if (!upload_pipe_open(
			    &s->pipe, s->control, s->stall_ms, upload_command_sftp(s->command), e))
		return false;
	s->connected = true;
	s->no_shell = false;
	if (upload_sftp_begin(&s->sftp, &s->pipe) == SFTP_GOOD)
		return true;
	*e = s->sftp.why;
	upload_send_disconnect(s);
	return false;
}

void upload_send_disconnect(struct upload_sender *s)
{
	if (s->connected)
		upload_pipe_close(&s->pipe);
	s->connected = false;
}

/* --- the file here ------------------------------------------------------------------------------
 */

static enum upload_sent bad(const struct file *f, const char *why, struct err *e)
{
	err_set(e, "%s: %s", f->entry->name, why);
	return UPLOAD_SENT_BAD;
}

/* A file is hashed in pieces, between which the main process may go away. */
static bool hash_bytes_of(
		struct upload_sender *s, struct file *f, EVP_MD_CTX *md, char *room, size_t size)
{
	uint64_t at = 0;
	ssize_t n;

	while ((n = pread(f->fd, room, size, (off_t)at)) > 0) {
		if (EVP_DigestUpdate(md, room, (size_t)n) != 1)
			return false;
		at += (uint64_t)n;
		upload_control_read(s->control);
		if (s->control->end)
			return false;
	}
	f->size = at;
	return n == 0 && EVP_DigestFinal_ex(md, f->hash, NULL) == 1;
}

static bool hash_local(struct upload_sender *s, struct file *f)
{
	const size_t size = 256 << 10;
	char *room = malloc(size);
	EVP_MD_CTX *md = EVP_MD_CTX_new();
	const bool done = room != NULL && md != NULL &&
			  EVP_DigestInit_ex(md, EVP_sha256(), NULL) == 1 &&
			  hash_bytes_of(s, f, md, room, size);

	EVP_MD_CTX_free(md);
	free(room);
	for (size_t i = 0; i < SFTP_HASH; i++)
		snprintf(f->hex + 2 * i, 3, "%02x", f->hash[i]);
	return done;
}

static enum upload_sent open_local(struct upload_sender *s, struct file *f, struct err *e)
{
	struct stat st;

	f->fd = upload_spool_read(s->spool, f->entry, &st, e);
	if (f->fd < 0)
		return UPLOAD_SENT_BAD;
	f->mode = st.st_mode & 0666;
	if (hash_local(s, f))
		return UPLOAD_SENT_THERE;
	return s->control->end ? UPLOAD_SENT_GONE : bad(f, "cannot be read", e);
}

/* --- names there --------------------------------------------------------------------------------
 */

void upload_send_other_name(const char *name, const char *hash, struct buf *out)
{
	const char *dot = strchr(name + 1, '.'); /* not the one of a hidden file */
	const size_t stem = dot != NULL ? (size_t)(dot - name) : strlen(name);

	buf_bytes(out, name, stem);
	buf_byte(out, '-');
	buf_text(out, hash);
	buf_text(out, name + stem);
}

/* A path there, owned; NULL without memory. */
static char *make_path(const struct upload_sender *s, const char *before, const char *name,
		const char *after)
{
	struct buf b = buf_new(4 * LIMIT_UPLOAD_PATH);

	upload_target_path(s->target, before, name, after, &b);
	buf_byte(&b, '\0');
	if (buf_ok(&b))
		return b.p;
	buf_free(&b);
	return NULL;
}

static char *part_path(const struct upload_sender *s, const struct file *f)
{
	char after[sizeof "." + PART_HEX + sizeof ".part"];

	snprintf(after, sizeof after, ".%.*s.part", PART_HEX, f->hex);
	return make_path(s, ".", f->entry->name, after);
}

static char *final_path(const struct upload_sender *s, const struct file *f, bool other)
{
	struct buf b = buf_new(2 * LIMIT_UPLOAD_NAME);
	char hash[OTHER_HEX + 1];
	char *path = NULL;

	if (!other)
		return make_path(s, "", f->entry->name, "");
	memcpy(hash, f->hex, OTHER_HEX);
	hash[OTHER_HEX] = '\0';
	upload_send_other_name(f->entry->name, hash, &b);
	buf_byte(&b, '\0');
	if (buf_ok(&b))
		path = make_path(s, "", b.p, "");
	buf_free(&b);
	return path;
}

/* --- the other side -----------------------------------------------------------------------------
 */

/* What became of a request, as what becomes of the file. */
static enum upload_sent outcome(struct upload_sender *s, const struct file *f,
		enum upload_sftp_result result, const char *doing, struct err *e)
{
	switch (result) {
	case SFTP_GOOD:
		return UPLOAD_SENT_THERE;
	case SFTP_LOCAL:
		return bad(f, s->sftp.why.text, e);
	case SFTP_GONE:
		*e = s->sftp.why;
		return UPLOAD_SENT_GONE;
	case SFTP_REFUSED:
		break;
	}
	if (s->sftp.code == SFTP_BAD_MESSAGE) { /* what OpenSSH makes of a name that is too long */
		err_set(e, "%s: %s there: the name is refused", f->entry->name, doing);
		return UPLOAD_SENT_BAD;
	}
	err_set(e, "%s there: %s", doing, s->sftp.why.text);
	return UPLOAD_SENT_REFUSED;
}

/* Whether the command's output begins with the hash; it may take as long as a disk takes to read.
 */
static bool shell_says(struct upload_sender *s, const struct file *f, char *text)
{
	struct upload_pipe p;
	const uint64_t stall_ms = s->stall_ms + f->size / HASH_PER_MS;

	if (!upload_pipe_open(&p, s->control,
			    stall_ms < UINT32_MAX ? (uint32_t)stall_ms : UINT32_MAX,
			    upload_command_shell(s->command, text), NULL))
		return false;
	upload_pipe_no_more(&p);
	while (p.in.size < HEX && upload_pipe_turn(&p, NULL))
		continue;
	const bool same = p.in.size >= HEX && memcmp(p.in.p, f->hex, HEX - 1) == 0;
	upload_pipe_close(&p);
	return same;
}

/* Asks sha256sum on the other side.  Anything but the right answer proves nothing. */
static bool confirmed_by_shell(struct upload_sender *s, const struct file *f, const char *path)
{
	struct buf b = buf_new(8 * LIMIT_UPLOAD_PATH);
	bool same = false;

	buf_text(&b, "sha256sum <"); /* as input, so that no name can be an option */
	upload_target_shell(path, &b);
	buf_byte(&b, '\0');
	if (buf_ok(&b))
		same = shell_says(s, f, b.p);
	buf_free(&b);
	s->no_shell = !same;
	return same;
}

/* Has the open file there this size and hash? */
static enum upload_sftp_result confirm(
		struct upload_sender *s, const struct file *f, const char *path, bool *same)
{
	uint64_t size = 0;

	*same = false;
	if (f->size >= SHELL_FROM && !s->no_shell) {
		const enum upload_sftp_result result = upload_sftp_size(&s->sftp, path, &size);

		if (result != SFTP_GOOD)
			return result;
		if (size == f->size && confirmed_by_shell(s, f, path)) {
			*same = true;
			return SFTP_GOOD;
		}
	}
	return upload_sftp_compare(&s->sftp, &f->handle, f->size, f->hash, same);
}

/* --- the steps ----------------------------------------------------------------------------------
 */

enum there { NOTHING, SAME, ANOTHER };

/* What has the final name now? */
static enum upload_sftp_result look(struct upload_sender *s, struct file *f, enum there *there)
{
	uint64_t size;
	bool same = false;
	enum upload_sftp_result result = upload_sftp_size(&s->sftp, f->final, &size);

	*there = NOTHING;
	if (result == SFTP_REFUSED && s->sftp.code == SFTP_NO_SUCH_FILE)
		return SFTP_GOOD;
	*there = ANOTHER;
	if (result != SFTP_GOOD || size != f->size)
		return result;
	result = upload_sftp_open(&s->sftp, f->final, false, 0, &f->handle);
	if (result == SFTP_REFUSED) /* a folder, or another user's */
		return SFTP_GOOD;
	if (result == SFTP_GOOD)
		result = confirm(s, f, f->final, &same);
	if (result == SFTP_GOOD || result == SFTP_REFUSED)
		result = upload_sftp_close(&s->sftp, &f->handle);
	*there = same ? SAME : ANOTHER;
	return result;
}

/* Finds a name that is free or has this very file already. */
static enum upload_sent choose_name(
		struct upload_sender *s, struct file *f, enum there *there, struct err *e)
{
	for (int other = 0; other < 2; other++) {
		free(f->final);
		f->final = final_path(s, f, other == 1);
		if (f->final == NULL)
			return bad(f, "no memory", e);

		const enum upload_sftp_result result = look(s, f, there);
		if (result != SFTP_GOOD)
			return outcome(s, f, result, "cannot look", e);
		if (*there != ANOTHER)
			return UPLOAD_SENT_THERE;
	}
	return bad(f, "its name and its other name are taken on the other side", e);
}

/* Writes what the part does not have yet; it is open. */
static enum upload_sftp_result write_part(struct upload_sender *s, struct file *f, uint64_t has)
{
	enum upload_sftp_result result = SFTP_GOOD;

	if (has > f->size) {
		result = upload_sftp_cut(&s->sftp, &f->handle, 0);
		has = 0;
	}
	if (result == SFTP_GOOD)
		result = upload_sftp_write(&s->sftp, &f->handle, f->fd, has, f->size);
	return result == SFTP_GOOD ? upload_sftp_sync(&s->sftp, &f->handle) : result;
}

/* What a part has so far; 0 when there is none. */
static enum upload_sftp_result size_of_part(
		struct upload_sender *s, const struct file *f, uint64_t *has)
{
	const enum upload_sftp_result result = upload_sftp_size(&s->sftp, f->part, has);

	if (result != SFTP_GOOD)
		*has = 0;
	return result == SFTP_GONE ? result : SFTP_GOOD;
}

/* It is of no use: on a full disk it would be in the way of others. */
static enum upload_sftp_result remove_part(struct upload_sender *s, const struct file *f)
{
	const enum upload_sftp_result result = upload_sftp_remove(&s->sftp, f->part);

	return result == SFTP_GONE ? result : SFTP_GOOD; /* else there is none */
}

/* Closes, and removes what is not as it should be; 'sent' is what is known so far. */
static enum upload_sent close_part(struct upload_sender *s, const struct file *f,
		enum upload_sent sent, bool same, struct err *e)
{
	if (sent == UPLOAD_SENT_GONE)
		return sent;

	const enum upload_sftp_result closed = upload_sftp_close(&s->sftp, &f->handle);
	if (sent == UPLOAD_SENT_THERE && closed != SFTP_GOOD)
		sent = outcome(s, f, closed, "cannot write", e);
	else if (sent == UPLOAD_SENT_THERE && !same)
		sent = bad(f, "did not arrive as it is here; sent anew later", e);
	if (sent == UPLOAD_SENT_THERE || sent == UPLOAD_SENT_GONE)
		return sent;
	return remove_part(s, f) == SFTP_GONE ? outcome(s, f, SFTP_GONE, "", e) : sent;
}

/* Writes the part and has it confirmed. */
static enum upload_sent bring(struct upload_sender *s, struct file *f, struct err *e)
{
	uint64_t has;
	bool same = false;
	const char *doing = "cannot make a file";
	enum upload_sftp_result result = size_of_part(s, f, &has);

	if (result == SFTP_GOOD)
		result = upload_sftp_open(&s->sftp, f->part, true, f->mode, &f->handle);
	if (result != SFTP_GOOD)
		return outcome(s, f, result, doing, e);
	doing = "cannot write";
	result = write_part(s, f, has);
	if (result == SFTP_GOOD) {
		doing = "cannot read back what was written";
		result = confirm(s, f, f->part, &same);
	}
	return close_part(s, f, outcome(s, f, result, doing, e), same, e);
}

/* The other side gets it, or has it. */
static enum upload_sent put(struct upload_sender *s, struct file *f, struct err *e)
{
	enum there there;
	enum upload_sent sent = choose_name(s, f, &there, e);

	if (sent != UPLOAD_SENT_THERE)
		return sent;
	if (there == SAME) /* a server that renames by link and unlink may have left it */
		return outcome(s, f, remove_part(s, f), "cannot remove a part", e);
	sent = bring(s, f, e);
	if (sent != UPLOAD_SENT_THERE)
		return sent;
	return outcome(s, f, upload_sftp_rename(&s->sftp, f->part, f->final), "cannot rename", e);
}

enum upload_sent upload_send(
		struct upload_sender *s, const struct upload_entry *entry, struct err *e)
{
	struct file f = { .entry = entry, .fd = -1 };
	enum upload_sent sent = open_local(s, &f, e);

	if (sent == UPLOAD_SENT_THERE) {
		f.part = part_path(s, &f);
		sent = f.part != NULL ? put(s, &f, e) : bad(&f, "no memory", e);
	}
	if (sent == UPLOAD_SENT_THERE && !upload_spool_done(s->spool, entry, s->retain, e))
		sent = UPLOAD_SENT_BAD;
	if (f.fd >= 0)
		close(f.fd);
	free(f.part);
	free(f.final);
	return sent;
}
