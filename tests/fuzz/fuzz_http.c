/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_http.c - any bytes as a request: once it is whole it stays so, and its answer is one. */
#include <stdlib.h>
#include <string.h>

#include "os/http.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_path(const struct http_request *r)
{
	size_t length = strnlen(r->path, HTTP_PATH);

	if (length == HTTP_PATH || (r->status == 200) != (r->path[0] == '/'))
		abort();
	for (size_t i = 0; i < length; i++)
		if (r->path[i] <= ' ' || r->path[i] > '~' || r->path[i] == '?')
			abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct http_request first = { .status = 0 }, r;
	struct buf out = buf_new(4096);
	bool whole = false;

	for (size_t n = size > 256 ? size - 256 : 0; n <= size; n++) {
		bool now = http_read((const char *)data, n, &r);

		if (whole && (!now || r.status != first.status || strcmp(r.path, first.path) != 0))
			abort();
		if (now && !whole)
			first = r;
		whole = now;
		check_path(&r);
	}
	if (r.status != 200 && r.status != 400 && r.status != 405 && r.status != 431 &&
			r.status != 505)
		abort();
	http_write(&out, &r, r.status, "text/plain", r.status == 200 ? r.path : NULL);
	if (!buf_ok(&out) || memcmp(out.p, "HTTP/1.1 ", 9) != 0)
		abort();
	buf_free(&out);
	return 0;
}
