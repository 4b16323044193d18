/* SPDX-License-Identifier: BSD-3-Clause */
/* test_http.c - requests good and bad, cut short at every length, and the responses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* clang-format off */
#include <cmocka.h>
/* clang-format on */

#include "os/http.h"

#define HOST "Host: 127.0.0.1:9464\r\n"

static void requests(void **unused)
{
	static const struct {
		const char *text;
		unsigned status;
		const char *path;
	} cases[] = {
		{ "GET /metrics HTTP/1.1\r\n" HOST "\r\n", 200, "/metrics" },
		{ "GET /metrics HTTP/1.1\n" HOST "\n", 200, "/metrics" },
		{ "GET /health?x=/y HTTP/1.1\r\nAccept: */*\r\nhOST: x\r\n\r\n", 200, "/health" },
		{ "GET / HTTP/1.0\r\n\r\n", 200, "/" },
		{ "HEAD /metrics HTTP/1.1\r\n" HOST "\r\n", 200, "/metrics" },
		{ "POST /metrics HTTP/1.1\r\n" HOST "\r\n", 405, "" },
		{ "get /metrics HTTP/1.1\r\n" HOST "\r\n", 405, "" },
		{ "GET /metrics HTTP/1.1\r\n\r\n", 400, "" },
		{ "GET /metrics HTTP/1.1\r\n" HOST HOST "\r\n", 400, "" },
		{ "GET /metrics HTTP/1.1\r\nHost : x\r\n\r\n", 400, "" },
		{ "GET /metrics HTTP/1.1\r\nnonsense\r\n\r\n", 400, "" },
		{ "GET /metrics HTTP/2.0\r\n" HOST "\r\n", 505, "" },
		{ "GET /metrics\r\n\r\n", 400, "" },
		{ "GET  /metrics HTTP/1.1\r\n" HOST "\r\n", 400, "" },
		{ "GET metrics HTTP/1.1\r\n" HOST "\r\n", 400, "" },
		{ "GET http://x/metrics HTTP/1.1\r\n" HOST "\r\n", 400, "" },
		{ "GET /\x01 HTTP/1.1\r\n" HOST "\r\n", 400, "" },
		{ "GET /\xc3\xa4 HTTP/1.1\r\n" HOST "\r\n", 400, "" },
		{ "\r\n\r\n", 400, "" },
		{ "\n\n", 400, "" },
		{ "x\n\n", 400, "" },
	};

	(void)unused;
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct http_request r;
		const char *text = cases[i].text;

		if (!http_read(text, strlen(text), &r) || r.status != cases[i].status ||
				strcmp(r.path, cases[i].path) != 0)
			fail_msg("case %zu: %u '%s'", i, r.status, r.path);
		assert_int_equal(r.head, strncmp(text, "HEAD", 4) == 0);
		for (size_t n = 0; n < strlen(text) && i < 6; n++) {
			char *cut = malloc(n + (n == 0));

			memcpy(cut, text, n);
			assert_false(http_read(cut, n, &r));
			free(cut);
		}
	}
}

static void a_path_too_long(void **unused)
{
	struct http_request r;
	char text[512];

	(void)unused;
	for (size_t n = HTTP_PATH - 4; n < HTTP_PATH + 4; n++) {
		int size = snprintf(text, sizeof(text), "GET /%0*d HTTP/1.0\n\n", (int)n - 1, 0);

		assert_true(http_read(text, (size_t)size, &r));
		assert_int_equal(r.status, n < HTTP_PATH ? 200 : 400);
		assert_int_equal(strlen(r.path), n < HTTP_PATH ? n : 0);
	}
}

static void responses(void **unused)
{
	struct http_request r = { .status = 200 };
	struct buf out = buf_new(4096);

	(void)unused;
	http_write(&out, &r, 200, "text/x", "abc");
	buf_byte(&out, '\0');
	assert_string_equal(out.p,
			"HTTP/1.1 200 OK\r\nContent-Type: text/x\r\nContent-Length: 3\r\n"
			"Cache-Control: no-store\r\nConnection: close\r\n\r\nabc");
	buf_clear(&out);
	r.head = true;
	http_write(&out, &r, 200, "text/x", "abc");
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.p, "Content-Length: 3\r\n"));
	assert_string_equal(out.p + out.size - 5, "\r\n\r\n");
	buf_clear(&out);
	r.head = false;
	http_write(&out, &r, 405, NULL, NULL);
	buf_byte(&out, '\0');
	assert_non_null(strstr(out.p, "405 Method Not Allowed\r\n"));
	assert_non_null(strstr(out.p, "Allow: GET, HEAD\r\n"));
	assert_non_null(strstr(out.p, "\r\n\r\nMethod Not Allowed\n"));
	buf_free(&out);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(requests),
		cmocka_unit_test(a_path_too_long),
		cmocka_unit_test(responses),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
