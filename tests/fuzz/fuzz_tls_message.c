/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * fuzz_tls_message.c - any bytes as handshake messages: put together out of pieces they are the
 * same as in one piece; and each body as each kind of message.
 */
#include <stdlib.h>
#include <string.h>

#include "proto/tls_key.h"
#include "proto/tls_message.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void inside(struct rd part, struct rd whole)
{
	if (!rd_ok(&part) && part.left > 0)
		abort();
	if (rd_ok(&part) && (part.p < whole.p || part.p + part.left > whole.p + whole.left))
		abort();
}

static void try_bodies(struct rd body, uint16_t version, bool tls13)
{
	struct tls_compressed_certificate compressed;
	struct tls_certificate_request request;
	struct tls_certificate_status status;
	struct tls_certificate_verify verify;
	struct tls_heartbeat heartbeat;
	struct tls_ticket ticket;
	struct tls_alert alert;
	struct rd list, der, name;

	tls_certificate_list(body, tls13, &list);
	while (tls_certificate_next(&list, tls13, &der))
		inside(der, body);
	tls_compressed_certificate_parse(body, &compressed);
	inside(compressed.data, body);
	tls_certificate_request_parse(body, version, &request);
	inside(request.signature_algorithms, body);
	while (tls_block_next(&request.authorities, &name))
		inside(name, body);
	tls_certificate_status_parse(body, &status);
	inside(status.response, body);
	tls_certificate_verify_parse(body, version, &verify);
	inside(verify.signature, body);
	tls_ticket_parse(body, tls13, &ticket);
	inside(ticket.ticket, body);
	tls_alert_parse(body, &alert);
	tls_heartbeat_parse(body, &heartbeat);
}

static void try_keys(struct rd body, uint16_t version)
{
	struct tls_server_key server;
	struct tls_client_key client;

	for (int kx = 0; kx <= TLS_KX_TLS13; kx++) {
		tls_key_exchange_server(body, (enum tls_kx)kx, version, &server);
		inside(server.public_value, body);
		inside(server.signature, body);
		tls_key_exchange_client(body, (enum tls_kx)kx, version, &client);
		inside(client.value, body);
		if (client.bits > 8 * client.value.left || server.public_bits > 8 * body.left)
			abort();
	}
}

/* Feeds pieces of 1 to 'most' bytes and compares with the walk over the whole. */
static void assemble(struct rd whole, size_t most)
{
	static uint8_t room[4096];
	struct tls_assembler a = { 0 };
	struct tls_message m, want;
	struct rd walk = whole;

	for (size_t at = 0, n = 1; at < whole.left; at += n, n = 1 + at % most) {
		struct rd piece = rd_first((struct rd){ whole.p + at, whole.left - at }, n);
		enum tls_step step;

		while ((step = tls_assemble(&a, &piece, &m)) != TLS_STEP_END) {
			if (step == TLS_STEP_ROOM) {
				tls_assembler_room(&a, room, at % 2 ? 3000 : 4096);
				continue;
			}
			if (!tls_message_next(&walk, &want) || m.type != want.type ||
					m.size != want.size)
				abort();
			if (m.body.left > 0 && memcmp(m.body.p, want.body.p, m.body.left) != 0)
				abort();
			if (m.size <= 3000 && m.body.left != m.size)
				abort();
		}
	}
	if (tls_message_next(&walk, &want))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static const uint16_t versions[] = { 0x0300, 0x0301, 0x0303, 0x0304, 0xfefd, 0x0101 };
	uint8_t first = size > 0 ? data[0] : 0;
	uint16_t version = versions[first % 6];
	struct rd whole = { data + (size > 0), size - (size > 0) }, walk = whole;
	struct tls_message m;

	assemble(whole, 1 + (size_t)first);
	while (tls_message_next(&walk, &m)) {
		try_bodies(m.body, version, version == 0x0304);
		try_keys(m.body, version);
	}
	return 0;
}
