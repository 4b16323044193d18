/* SPDX-License-Identifier: BSD-3-Clause */
/* http.h - as much of HTTP/1.1 (RFC 9112) as a page for a scraper needs: one GET or HEAD each. */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#include "base/buf.h"

enum { HTTP_PATH = 128 };

struct http_request {
	unsigned status;      /* 200: to be answered; else the error that it deserves */
	bool head;            /* without the body */
	char path[HTTP_PATH]; /* without query; "" with another status than 200 */
};

/* False: the head of the request is not whole yet.  Bytes are untrusted. */
bool http_read(const char *bytes, size_t size, struct http_request *r);

/* A whole response; the connection is closed behind it. 'body' NULL: a line with the status. */
void http_write(struct buf *out, const struct http_request *r, unsigned status, const char *type,
		const char *body);
