/* SPDX-License-Identifier: BSD-3-Clause */
/* names.c - the names that records use for outer layers. */
#include "net/decode.h"

const char *decode_layer_name(enum layer_type type)
{
	static const char *const names[LAYER_TYPES] = {
		[LAYER_VLAN] = "vlan",
		[LAYER_MPLS] = "mpls",
		[LAYER_PPPOE] = "pppoe",
		[LAYER_PBB] = "pbb",
		[LAYER_IPIP] = "ipip",
		[LAYER_6IN4] = "6in4",
		[LAYER_4IN6] = "4in6",
		[LAYER_6IN6] = "6in6",
		[LAYER_GRE] = "gre",
		[LAYER_ERSPAN] = "erspan",
		[LAYER_VXLAN] = "vxlan",
		[LAYER_VXLAN_GPE] = "vxlan-gpe",
		[LAYER_GENEVE] = "geneve",
		[LAYER_GTPU] = "gtpu",
		[LAYER_L2TP] = "l2tp",
		[LAYER_TEREDO] = "teredo",
		[LAYER_MPLS_UDP] = "mpls-udp",
		[LAYER_AH] = "ah",
		[LAYER_MPLS_IP] = "mpls-ip",
		[LAYER_ETHERIP] = "etherip",
		[LAYER_LISP] = "lisp",
		[LAYER_NSH] = "nsh",
		[LAYER_CAPWAP] = "capwap",
	};

	return (unsigned)type < LAYER_TYPES ? names[type] : "unknown";
}
