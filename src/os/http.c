/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * http.c - reads the head of a request and writes a response (RFC 9112).
 *
 *	GET /metrics?x=1 HTTP/1.1 CR LF
 *	Host: 127.0.0.1:9464 CR LF
 *	CR LF
 *
 * Of the fields only Host matters: HTTP/1.1 wants one, and one only.  Bodies are not read: the
 * connection is closed behind the response.
 */
#include "os/http.h"

#include <string.h>
#include <strings.h>

#include "base/rd.h"

/* Length of the head with the empty line, by CR LF or by LF alone; 0: not whole yet. */
static size_t head_size(const char *bytes, size_t size)
{
	for (size_t i = 0; i + 1 < size; i++)
		if (bytes[i] == '\n' &&
				(bytes[i + 1] == '\n' || (i + 2 < size && bytes[i + 1] == '\r' &&
									 bytes[i + 2] == '\n')))
			return i + 2;
	return 0;
}

/* Takes the next line, without its end. */
static struct rd take_line(struct rd *r)
{
	const uint8_t *end = r->left == 0 ? NULL : memchr(r->p, '\n', r->left);
	struct rd line = rd_bytes(r, end == NULL ? r->left : (size_t)(end - r->p));

	if (rd_more(r))
		rd_bytes(r, 1);
	if (line.left > 0 && line.p[line.left - 1] == '\r')
		line.left--;
	return line;
}

/* Takes what stands before the next space; what is left begins behind it. */
static struct rd take_word(struct rd *r)
{
	const uint8_t *end = r->left == 0 ? NULL : memchr(r->p, ' ', r->left);
	struct rd word = rd_bytes(r, end == NULL ? r->left : (size_t)(end - r->p));

	if (rd_more(r))
		rd_bytes(r, 1);
	return word;
}

static bool is(struct rd word, const char *text)
{
	return word.left == strlen(text) && memcmp(word.p, text, word.left) == 0;
}

/* A path without its query, of printable characters. */
static bool keep_path(struct rd target, struct http_request *r)
{
	size_t size = 0;

	if (target.left == 0 || target.p[0] != '/')
		return false;
	for (; size < target.left && target.p[size] != '?'; size++) {
		if (size + 1 >= HTTP_PATH || target.p[size] <= ' ' || target.p[size] > '~')
			return false;
		r->path[size] = (char)target.p[size];
	}
	r->path[size] = '\0';
	return true;
}

/* How many Host fields; a line without a colon, or with a space before it, makes it wrong. */
static bool count_hosts(struct rd fields, unsigned *hosts)
{
	while (rd_more(&fields)) {
		struct rd line = take_line(&fields);
		const uint8_t *colon = line.left == 0 ? NULL : memchr(line.p, ':', line.left);

		if (line.left == 0)
			return true;
		if (colon == NULL || colon == line.p || colon[-1] == ' ' || colon[-1] == '\t')
			return false;
		*hosts += colon - line.p == 4 && strncasecmp((const char *)line.p, "host", 4) == 0;
	}
	return true;
}

static unsigned judge(struct rd head, struct http_request *r)
{
	struct rd line = take_line(&head);
	struct rd method = take_word(&line), target = take_word(&line);
	bool new = is(line, "HTTP/1.1");
	unsigned hosts = 0;

	if (method.left == 0 || (!new && !is(line, "HTTP/1.0")))
		return line.left > 5 && memcmp(line.p, "HTTP/", 5) == 0 ? 505 : 400;
	if (!count_hosts(head, &hosts) || hosts > 1 || (new &&hosts == 0))
		return 400;
	r->head = is(method, "HEAD");
	if (!r->head && !is(method, "GET"))
		return 405;
	return keep_path(target, r) ? 200 : 400;
}

bool http_read(const char *bytes, size_t size, struct http_request *r)
{
	size_t whole = head_size(bytes, size);

	*r = (struct http_request){ .status = 431 };
	if (whole == 0)
		return false;
	r->status = judge((struct rd){ (const uint8_t *)bytes, whole }, r);
	if (r->status != 200)
		r->path[0] = '\0';
	return true;
}

static const char *reason(unsigned status)
{
	switch (status) {
	case 200:
		return "OK";
	case 404:
		return "Not Found";
	case 405:
		return "Method Not Allowed";
	case 431:
		return "Request Header Fields Too Large";
	case 503:
		return "Service Unavailable";
	case 505:
		return "HTTP Version Not Supported";
	default:
		return "Bad Request";
	}
}

void http_write(struct buf *out, const struct http_request *r, unsigned status, const char *type,
		const char *body)
{
	const char *words = reason(status);
	size_t size = body != NULL ? strlen(body) : strlen(words) + 1;

	buf_printf(out, "HTTP/1.1 %u %s\r\nContent-Type: %s\r\nContent-Length: %zu\r\n", status,
			words, body != NULL ? type : "text/plain; charset=utf-8", size);
	if (status == 405)
		buf_text(out, "Allow: GET, HEAD\r\n");
	buf_text(out, "Cache-Control: no-store\r\nConnection: close\r\n\r\n");
	if (r->head)
		return;
	buf_text(out, body != NULL ? body : words);
	if (body == NULL)
		buf_byte(out, '\n');
}
