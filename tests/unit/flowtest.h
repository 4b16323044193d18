/* SPDX-License-Identifier: BSD-3-Clause */
/* flowtest.h - made-up packets for the tests of rooms flow and engine. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "flow/table.h"

#define SECOND ((int64_t)1000000000)

/* From a client 10.0.0.1:4000 (back == false) or its server 10.0.0.2:80. */
static inline struct pkt flowtest_packet(uint8_t proto, bool back, int64_t ns, uint32_t payload_len)
{
	static const uint8_t bytes[70000];
	struct pkt p;

	memset(&p, 0, sizeof p);
	p.ns = p.clock_ns = ns;
	p.ip_version = 4;
	p.proto = proto;
	memcpy(p.address[back], "\x0a\0\0\1", 4);
	memcpy(p.address[!back], "\x0a\0\0\2", 4);
	p.port[back] = 4000;
	p.port[!back] = 80;
	p.payload = (struct rd){ bytes, payload_len };
	p.tcp_options = (struct rd){ bytes, 0 };
	p.payload_len = payload_len;
	p.ip_len = 20U + (proto == PROTO_TCP ? 20U : 8U) + payload_len;
	return p;
}

static inline struct pkt flowtest_tcp(bool back, int64_t ns, uint16_t flags, uint32_t seq,
		uint32_t ack, uint32_t payload_len)
{
	struct pkt p = flowtest_packet(PROTO_TCP, back, ns, payload_len);

	p.tcp_flags = flags;
	p.seq = seq;
	p.ack = ack;
	p.window = 65535;
	return p;
}
