/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * process_wire.h - what the watcher tells the sensor, as bytes.
 *
 *	message: type (1) length (2) body      numbers are big-endian
 *
 * The watcher has seen no packet, but its texts come from whoever runs on this host: the sensor
 * reads with bounds, and skips types that it does not know.
 */
#pragma once

#include "base/buf.h"
#include "base/rd.h"
#include "host/process_store.h"

enum process_wire_type {
	PROCESS_WIRE_READY = 1, /* method, note: it follows sockets from here on */
	PROCESS_WIRE_FAILED,    /* text: it cannot */
	PROCESS_WIRE_NOTE,      /* text for the operator */
	PROCESS_WIRE_PROCESS,
	PROCESS_WIRE_HASH,
	PROCESS_WIRE_SOCKET,
	PROCESS_WIRE_TUPLE,
	PROCESS_WIRE_CLOSE,
	PROCESS_WIRE_ADDRESS,
	PROCESS_WIRE_COUNTS,
};

struct process_wire {
	enum process_wire_type type;
	uint32_t slot, generation; /* of a process, or a socket */
	union {
		struct process process;
		struct process_socket socket; /* SOCKET, CLOSE */
		struct process_tuple tuple;
		uint8_t hash[32];
		struct {
			uint8_t method;
			struct rd text; /* points into the message */
		} note;                 /* READY, FAILED, NOTE */
		struct {
			uint8_t version, bytes[16];
			bool here;
		} address;
		uint64_t lost;
	};
};

void process_wire_note(
		struct buf *to, enum process_wire_type type, uint8_t method, const char *text);
void process_wire_process(
		struct buf *to, uint32_t slot, uint32_t generation, const struct process *p);
void process_wire_hash(struct buf *to, uint32_t slot, uint32_t generation, const uint8_t hash[32]);
void process_wire_socket(struct buf *to, uint32_t slot, const struct process_socket *s);
void process_wire_tuple(
		struct buf *to, uint32_t slot, uint32_t generation, const struct process_tuple *t);
void process_wire_close(struct buf *to, uint32_t slot, uint32_t generation, int64_t ns);
void process_wire_address(struct buf *to, uint8_t version, const uint8_t address[16], bool here);
void process_wire_lost(struct buf *to, uint64_t lost);

/* How many of these bytes are whole messages: the rest is the beginning of one. */
size_t process_wire_whole(struct rd bytes);

/* Takes one message; false: at the end, or not sound. A message of an unknown type has type 0. */
bool process_wire_next(struct rd *from, struct process_wire *m);

/* Appends a text to a process, in the order of enum process_text; what does not fit is cut. */
void process_add_text(struct process *p, enum process_text which, const char *bytes, size_t size);
