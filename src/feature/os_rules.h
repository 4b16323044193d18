/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * os_rules.h - what a SYN or SYN-ACK gives away about its sender, as text, and the rules for it.
 *
 * The signature is
 *
 *     version:ttl:ip options:mss:window,scale:layout:quirks       4:64:0:1460:64240,7:MSTNW:df
 *
 *   version     of IP
 *   ttl         as sent: the TTL seen, rounded up to 32, 64, 128 or 255
 *   ip options  bytes of IPv4 options
 *   mss, scale  values of these TCP options; - without
 *   window      as in the header
 *   layout      a letter for each TCP option, in order: E end, N no-operation, M MSS, W window
 *               scale, S SACK permitted, K SACK, T timestamps, F fast open, P multipath, A MD5 or
 *               authentication, ? another; + at the end: there are more than 16
 *   quirks      those of os_quirk_names that it has, in that order, with commas between
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "net/packet.h"

enum os_quirk {
	OS_DF,      /* IPv4: don't fragment */
	OS_ID_ZERO, /* IPv4: identification 0 */
	OS_ID_ZMAP, /* IPv4: identification 54321 */
	OS_ECN,     /* ECE or CWR set */
	OS_PSH,
	OS_URG,        /* flag */
	OS_DATA,       /* payload behind the header */
	OS_SEQ_ZERO,   /* initial sequence number 0 */
	OS_ACK_SET,    /* SYN: acknowledgement number not 0, though the flag is clear */
	OS_TS_ZERO,    /* own timestamp 0 */
	OS_ECHO_SET,   /* SYN: echoed timestamp not 0 */
	OS_SCALE_HIGH, /* window scale above 14 */
	OS_PADDING,    /* bytes other than 0 behind the end of options */
	OS_BAD,        /* an option that does not fit, or was not captured whole */
	OS_QUIRKS
};

extern const char *const os_quirk_names[OS_QUIRKS];

enum { OS_LAYOUT = 16, OS_NO_SCALE = 255 };

/* All that the signature says; zero: not seen. */
struct os_sign {
	uint8_t layout[OS_LAYOUT / 2]; /* a letter in 4 bits, place in "ENMWSKTFPA?" */
	uint16_t quirks;               /* one bit each */
	uint16_t mss, window;
	uint8_t version;
	uint8_t ttl;
	uint8_t ip_options;
	uint8_t options; /* TCP options; above OS_LAYOUT: more */
	uint8_t scale;   /* OS_NO_SCALE: none */
	bool has_mss : 1;
	bool answer : 1; /* SYN-ACK */
};

enum { OS_TEXT = 160 }; /* bytes of the longest signature, and more */

/* What one SYN or SYN-ACK shows. */
struct os_sign os_sign_of(const struct pkt *pkt);

/* Writes the signature. */
void os_sign_text(const struct os_sign *s, char text[OS_TEXT]);

/* Writes the layout alone. */
void os_layout_text(const struct os_sign *s, char text[OS_LAYOUT + 2]);

/* The family of systems that sends this, "unknown" when no rule fits. */
const char *os_name(const struct os_sign *s);
