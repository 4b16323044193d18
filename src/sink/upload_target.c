/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * upload_target.c - take the text of upload= apart, strictly, and write paths for the other side.
 *
 * What is refused here never reaches a command line: a host "-oProxyCommand=..." would be an
 * option of ssh, and a line's end in a path more than one line for whoever reads it.
 */
#include "sink/upload_target.h"

#include <string.h>

enum { MAX_PORT = 65535 };

static bool is_alnum(char c)
{
	return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

/* Is all of it letters, digits and the signs given, and the first no "-"? */
static bool is_made_of(const char *text, const char *signs)
{
	if (text[0] == '\0' || text[0] == '-')
		return false;
	for (; *text != '\0'; text++) {
		if (!is_alnum(*text) && strchr(signs, *text) == NULL)
			return false;
	}
	return true;
}

static bool has_control(const char *text)
{
	for (; *text != '\0'; text++) {
		if ((unsigned char)*text < 0x20 || *text == 0x7f)
			return true;
	}
	return false;
}

/* Copies a piece of text; false when it does not fit. */
static bool take(char *to, size_t room, const char *from, size_t size)
{
	if (size >= room)
		return false;
	memcpy(to, from, size);
	to[size] = '\0';
	return true;
}

/* --- USER@HOST ----------------------------------------------------------------------------------
 */

static bool set_user(struct upload_target *t, const char *text, size_t size, struct err *e)
{
	if (take(t->user, sizeof t->user, text, size) && is_made_of(t->user, "._-+@"))
		return true;
	return err_set(e, "upload: \"%.*s\" is no name of a user: letters, digits and . _ - + @",
			(int)size, text);
}

static bool set_host(struct upload_target *t, const char *text, size_t size, struct err *e)
{
	if (size == 0)
		return err_set(e, "upload: no host before \":\" (USER@HOST:FOLDER; an IPv6 address "
				  "stands in brackets)");
	if (text[0] == '[') {
		if (text[size - 1] == ']' && take(t->host, sizeof t->host, text + 1, size - 2) &&
				is_made_of(t->host, ":.%_") && strchr(t->host, ':') != NULL)
			return true;
		return err_set(e, "upload: \"%.*s\" is no IPv6 address", (int)size, text);
	}
	if (take(t->host, sizeof t->host, text, size) && is_made_of(t->host, "._-"))
		return true;
	return err_set(e, "upload: \"%.*s\" is no name of a host", (int)size, text);
}

static bool set_user_and_host(struct upload_target *t, const char *text, size_t size, struct err *e)
{
	size_t at = size; /* the last one: names of users may have it, those of hosts not */

	while (at > 0 && text[at - 1] != '@')
		at--;
	if (at == 0)
		return set_host(t, text, size, e);
	return set_user(t, text, at - 1, e) && set_host(t, text + at, size - at, e);
}

/* --- FOLDER -------------------------------------------------------------------------------------
 */

/* SFTP knows no "~": paths without a leading slash start at home anyway. */
static const char *after_home(const char *text)
{
	if (strcmp(text, "~") == 0)
		return text + 1;
	if (text[0] == '~' && text[1] == '/') {
		text += 2;
		while (*text == '/')
			text++;
	}
	return text;
}

static bool set_folder(struct upload_target *t, const char *text, struct err *e)
{
	if (has_control(text))
		return err_set(e, "upload: the folder has a control character in it");
	text = after_home(text);
	if (text[0] == '~')
		return err_set(e, "upload: only one's own home folder can be named by ~");

	size_t size = strlen(text);
	while (size > 1 && text[size - 1] == '/')
		size--;
	if (!take(t->folder, sizeof t->folder, text, size))
		return err_set(e, "upload: the folder's name is longer than %d bytes",
				LIMIT_UPLOAD_PATH);
	return true;
}

/* --- the three forms ----------------------------------------------------------------------------
 */

static bool parse_scp(struct upload_target *t, const char *text, struct err *e)
{
	const char *bracket = strchr(text, '[');
	const char *colon = strchr(text, ':');

	if (bracket != NULL && bracket < colon && (bracket == text || bracket[-1] == '@')) {
		const char *end = strchr(bracket, ']');
		colon = end != NULL && end[1] == ':' ? end + 1 : NULL;
	}
	if (colon == NULL || memchr(text, '/', (size_t)(colon - text)) != NULL)
		return err_set(e, "upload: \"%s\" names no host: USER@HOST:FOLDER", text);
	if (colon[1] == ':')
		return err_set(e, "upload: \"%s\": an IPv6 address stands in brackets", text);
	return set_user_and_host(t, text, (size_t)(colon - text), e) && set_folder(t, colon + 1, e);
}

static bool set_port(struct upload_target *t, const char *text, size_t size, struct err *e)
{
	unsigned port = 0;

	for (size_t i = 0; i < size && port <= MAX_PORT; i++)
		port = text[i] >= '0' && text[i] <= '9' ? port * 10 + (unsigned)(text[i] - '0')
							: MAX_PORT + 1;
	if (port >= 1 && port <= MAX_PORT && take(t->port, sizeof t->port, text, size))
		return true;
	return err_set(e, "upload: \"%.*s\" is no port", (int)size, text);
}

static int hex(char c)
{
	const char *digits = "0123456789abcdef";
	const char *at = c != '\0' ? strchr(digits, c >= 'A' && c <= 'F' ? c | 0x20 : c) : NULL;

	return at != NULL ? (int)(at - digits) : -1;
}

/* Decodes %xx; false where it is none, or too long. */
static bool decode(char *to, size_t room, const char *text)
{
	size_t n = 0;

	for (; *text != '\0' && n + 1 < room; text++) {
		if (*text != '%') {
			to[n++] = *text;
			continue;
		}
		const int high = hex(text[1]), low = high >= 0 ? hex(text[2]) : -1;

		if (low < 0 || high + low == 0)
			return false;
		to[n++] = (char)(high << 4 | low);
		text += 2;
	}
	to[n] = '\0';
	return *text == '\0';
}

static bool parse_uri(struct upload_target *t, const char *text, struct err *e)
{
	const size_t size = strcspn(text, "/");
	const char *closed = memchr(text, ']', size);
	const char *host = closed != NULL ? closed : text;
	const char *colon = memchr(host, ':', size - (size_t)(host - text));
	const size_t named = colon != NULL ? (size_t)(colon - text) : size;
	char folder[LIMIT_UPLOAD_PATH + 2];

	if (colon != NULL && !set_port(t, colon + 1, size - named - 1, e))
		return false;
	if (!decode(folder, sizeof folder, text[size] == '/' ? text + size + 1 : ""))
		return err_set(e,
				"upload: \"sftp://%s\": the folder is too long, or a %% in it is "
				"not followed by two hexadecimal digits",
				text);
	return set_user_and_host(t, text, named, e) && set_folder(t, folder, e);
}

bool upload_target_parse(struct upload_target *t, const char *text, struct err *e)
{
	static const char scheme[] = "sftp://";

	memset(t, 0, sizeof *t);
	if (strncmp(text, scheme, sizeof scheme - 1) == 0)
		return parse_uri(t, text + sizeof scheme - 1, e);
	if (strstr(text, "://") != NULL && strstr(text, "://") < strchr(text, '/'))
		return err_set(e, "upload: of all URLs only sftp://USER@HOST:PORT/FOLDER is known");
	return parse_scp(t, text, e);
}

/* --- writing ------------------------------------------------------------------------------------
 */

bool upload_target_name(const char *name, struct err *e)
{
	if (name[0] == '\0' || strchr(name, '/') != NULL || strcmp(name, ".") == 0 ||
			strcmp(name, "..") == 0)
		return err_set(e, "upload: \"%s\" is no name of a file", name);
	if (has_control(name))
		return err_set(e, "upload: a file's name has a control character in it");
	if (strlen(name) > LIMIT_UPLOAD_NAME)
		return err_set(e, "upload: the name of %.40s... is longer than %d bytes", name,
				LIMIT_UPLOAD_NAME);
	return true;
}

void upload_target_path(const struct upload_target *t, const char *before, const char *name,
		const char *after, struct buf *out)
{
	buf_text(out, t->folder);
	if (t->folder[0] != '\0' && strcmp(t->folder, "/") != 0)
		buf_byte(out, '/');
	buf_text(out, before);
	buf_text(out, name);
	buf_text(out, after);
}

void upload_target_shell(const char *text, struct buf *out)
{
	buf_byte(out, '\'');
	for (; *text != '\0'; text++) {
		if (*text == '\'')
			buf_text(out, "'\\''");
		else
			buf_byte(out, *text);
	}
	buf_byte(out, '\'');
}

bool upload_target_option(const char *name, const char *path, struct buf *out, struct err *e)
{
	if (has_control(path) || strpbrk(path, "\"\\") != NULL || strstr(path, "${") != NULL)
		return err_set(e,
				"upload: ssh cannot be told of a file with \" or \\ or ${ or "
				"control characters in its name: %s",
				path);
	buf_printf(out, "%s=\"", name);
	for (; *path != '\0'; path++) {
		if (*path == '%') /* ssh's tokens: %h, %u, ... */
			buf_byte(out, '%');
		buf_byte(out, *path);
	}
	buf_byte(out, '"');
	return buf_ok(out);
}
