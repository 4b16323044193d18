/* SPDX-License-Identifier: BSD-3-Clause */
/* fingerprint_out.h - the "fingerprints" object of a record: struct and tables, for fingerprint.c.
 */
#pragma once

#include "record/field.h"

struct out_label {
	const char *kind;
	struct field_text label;
};

struct fingerprint_record {
	struct out_fingerprints {
		const char *ja3, *ja3s, *ja4, *ja4_r;
		const char *npf_tls, *npf_tls_1, *npf_tls_2, *npf_quic, *npf_quic_1;
		const char *npf_dtls, *npf_dtls_1, *npf_dtls_2, *npf_tls_server, *npf_dtls_server;
		const char *npf_tcp;
		struct field_list labels;
	} fingerprints;
};

extern const struct field fingerprint_fields[]; /* of struct out_fingerprints */
extern const struct field fingerprint_table[];  /* of struct fingerprint_record */
