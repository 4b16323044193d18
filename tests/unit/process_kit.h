/* SPDX-License-Identifier: BSD-3-Clause */
/* process_kit.h - makes processes, sockets, tuples and flows for tests, from addresses as text. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <arpa/inet.h>
#include <cmocka.h>

#include "host/process_wire.h"

#define SECOND INT64_C(1000000000)

static inline uint8_t kit_address(const char *text, uint8_t to[16])
{
	memset(to, 0, 16);
	if (inet_pton(AF_INET, text, to) == 1)
		return 4;
	assert_int_equal(inet_pton(AF_INET6, text, to), 1);
	return 6;
}

/* Ports 0 and addresses of zeros: any. */
static inline struct process_tuple kit_tuple(uint8_t proto, const char *local, uint16_t local_port,
		const char *remote, uint16_t remote_port)
{
	struct process_tuple t = {
		.proto = proto, .local_port = local_port, .remote_port = remote_port
	};

	t.version = kit_address(local, t.local);
	assert_int_equal(kit_address(remote, t.remote), t.version);
	return t;
}

static inline struct process_flow kit_flow(uint8_t proto, const char *local, uint16_t local_port,
		const char *remote, uint16_t remote_port, int64_t start_ns)
{
	struct process_flow f = { .proto = proto,
		.local = { .port = local_port },
		.remote = { .port = remote_port },
		.start_ns = start_ns,
		.end_ns = start_ns };

	f.ip_version = kit_address(local, f.local.address);
	kit_address(remote, f.remote.address);
	return f;
}

static inline struct process kit_process(uint32_t pid, const char *name)
{
	struct process p = { .pid = pid, .uid = 1000, .start_ns = -1 };

	process_add_text(&p, PROCESS_NAME, name, strlen(name));
	return p;
}

static inline bool kit_text_is(const struct process *p, enum process_text which, const char *text)
{
	size_t size;
	const char *bytes = process_text(p, which, &size);

	return size == strlen(text) && memcmp(bytes, text, size) == 0;
}
