/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * base_out.h - what every record begins with: struct and table; a flow made from it, for who works
 * on records that are written already.
 */
#pragma once

#include "feature/community.h"
#include "feature/feature.h"

struct base_layer {
	const char *type;
	int64_t id;
	struct field_address sa, da;
};

struct base_out {
	struct field_address sa, da;
	int32_t sp, dp;
	uint8_t pr, end_reason;
	uint64_t bytes_out, num_pkts_out, bytes_in, num_pkts_in, ip_bytes_out, ip_bytes_in;
	struct field_time time_start, time_end;
	uint64_t flow_id;
	uint32_t part;
	const char *expire_type;
	struct field_text community_id;
	struct field_list vlan, encap, marks;
	int32_t icmp_type, icmp_code, icmp_id;
	int64_t spi;
	uint64_t retrans_out, retrans_in, ooo_out, ooo_in, dup_out, dup_in;
	uint64_t keep_alive_out, keep_alive_in, overlap_out, overlap_in, gaps_out, gaps_in;
	struct field_ms rtt;
	uint64_t icmp_errors_out, icmp_errors_in;
	char community[COMMUNITY_ID_SIZE]; /* the text of community_id */
};

extern const struct field base_fields[]; /* of struct base_out */

enum { BASE_MARKS = 12 };

/* Marks of a flow and their words, in the order in which records have them. */
struct base_mark {
	uint32_t mark; /* FLOW_...; 0: not of a flow but of a record */
	const char *word;
};
extern const struct base_mark base_marks[BASE_MARKS];

/*
 * What a record says of its flow: key, who began it, whether its ports are known.  'flow' stands
 * with the initiator as the first endpoint, so a view of it has out = 0.  False: the addresses are
 * of different versions or none; one that reads as IPv4 beside one of IPv6 is made a mapped
 * one.
 */
bool base_flow(struct base_out *b, struct flow *flow);

/* Whether the record's community_id, if it has one, is that of its flow with this seed; then the
 * flow knows who sent the request of ICMP, too. */
bool base_knows_community_id(const struct base_out *b, uint16_t seed, struct flow *flow);

/* The merge() of the feature. */
bool base_merge(struct feature_join *join, const void *before, const void *next, void *out);
