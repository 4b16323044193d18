/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * options.c - the core's options: the master copy of their names, ranges, defaults and words.
 *
 * The table drives command line, configuration files, joy_set(), --help, the manual page,
 * completion and the configuration object.  Features add tables of their own (feature.h), which
 * join the group "Data elements".
 */
#include "conf/conf.h"

#define SECOND UINT64_C(1000000000)

static const char *const tunnels[] = { "inner", "outer", NULL };
static const char *const presets[] = { "joy", "nfstream", "yaf", "cisco", NULL };
static const char *const prints[] = { "man", "bash", "zsh", "fields", "schema", "options", NULL };

const struct option conf_options[] = {
	OPTION(struct conf, bpf, "bpf", "take only packets that match a filter", .group = "Input",
			.value = "FILTER",
			.more = "The filter is in the language of pcap-filter(7) and is applied "
				"to the outermost headers of each packet."),

	OPTION(struct conf, bidir, "bidir", "one record for both directions of a conversation",
			.group = "Flows", .initial = "0",
			.more = "Otherwise each direction has a record of its own."),
	OPTION(struct conf, vlan_key, "vlan_key", "VLAN ids tell flows apart", .initial = "1",
			.more = "With 0 packets with the same addresses and ports are one flow "
				"in whatever VLAN they were seen."),
	OPTION(struct conf, tunnel, "tunnel", "which IP packet of a tunnel makes the flow",
			.initial = "inner", .choices = tunnels,
			.more = "The layers around the innermost packet are listed in the "
				"record.  With outer the flow is that between the ends of the "
				"tunnel."),
	OPTION(struct conf, idle_timeout, "idle_timeout", "end a flow after this much silence",
			.initial = "120", .value = "SECONDS", .minimum = SECOND / 1000,
			.maximum = 86400 * 365 * SECOND),
	OPTION(struct conf, active_timeout, "active_timeout",
			"write a record of a flow that goes on for this long", .initial = "1800",
			.value = "SECONDS", .minimum = SECOND / 1000,
			.maximum = 86400 * 365 * SECOND,
			.more = "Further records of the flow have the same flow_id and count up "
				"in part."),
	OPTION(struct conf, linger, "linger", "wait for late packets of a closed TCP connection",
			.initial = "2", .value = "SECONDS", .maximum = 3600 * SECOND),
	OPTION(struct conf, timeouts, "timeouts",
			"idle and active timeout as another program has them", .choices = presets,
			.more = "joy: 10 and 30 seconds, nfstream: 120 and 1800, yaf: 300 and "
				"1800, cisco: 15 and 1800.  A timeout that is given itself is "
				"kept."),
	OPTION(struct conf, community_id, "community_id", "add the Community ID of each flow",
			.initial = "1"),
	OPTION(struct conf, community_id_seed, "community_id_seed", "seed of the Community ID",
			.initial = "0", .value = "N", .maximum = 65535),
	OPTION(struct conf, memory, "memory", "most memory that flows may take", .initial = "1G",
			.value = "SIZE", .minimum = 16 << 20,
			.more = "At the limit the flows that were idle longest are written "
				"early, with end_reason 5, lack of resources."),

	OPTION(struct conf, features, "features", "data elements to switch on", .value = "all|LIST",
			.group = "Data elements",
			.more = "A list of names with commas between them, such as dist,entropy.  "
				"A switch that is given itself is kept: features=all dist=0."),
	OPTION(struct conf, num_pkts, "num_pkts", "list at most N packets of each flow",
			.initial = "50", .value = "N", .maximum = UINT32_MAX,
			.more = "All packets are counted, however few are listed."),
	OPTION(struct conf, type, "type", "what is listed: 1 packets, 2 messages", .initial = "1",
			.value = "N", .minimum = 1, .maximum = 2,
			.more = "1 lists lengths and times of packets (SPLT), 2 those of "
				"application messages, told apart by acknowledgement numbers "
				"(SALT)."),
	OPTION(struct conf, zeros, "zeros", "list packets without payload too", .initial = "0"),
	OPTION(struct conf, retrans, "retrans", "list retransmitted packets too", .initial = "0"),

	OPTION(struct conf, output, "output", "where records go; none is standard output",
			.group = "Output", .value = "FILE", .flags = OPTION_FILE | OPTION_PLACE,
			.more = "The end of the name says how: .json (also for any other name) "
				"or .csv, each with .gz or .zst behind it to compress.  The file "
				"has its name with .part behind it until it is whole."),
	OPTION(struct conf, outdir, "outdir", "folder of a relative output", .value = "FOLDER",
			.flags = OPTION_FILE | OPTION_PLACE),
	OPTION(struct conf, logfile, "logfile", "messages go to this file, not to standard error",
			.value = "FILE", .flags = OPTION_FILE | OPTION_PLACE,
			.more = "They are added to the end of the file."),
	OPTION(struct conf, verbosity, "verbosity",
			"0 errors, 1 warnings, 2 information, 3 everything", .initial = "1",
			.value = "N", .maximum = 3),
	OPTION(struct conf, progress, "progress",
			"progress bar on a terminal when the input is long", .initial = "1"),

	OPTION(struct conf, help, "help", "print this list", .group = "Information",
			.flags = OPTION_COMMAND),
	OPTION(struct conf, version, "version", "print the version and the libraries in use",
			.flags = OPTION_COMMAND),
	OPTION(struct conf, show_config, "show_config",
			"print all settings as a configuration file", .flags = OPTION_COMMAND),
	OPTION(struct conf, show_interfaces, "show_interfaces", "list the network interfaces",
			.flags = OPTION_COMMAND),
	OPTION(struct conf, explain, "explain", "print what a field of a record means",
			.value = "FIELD", .flags = OPTION_COMMAND,
			.more = "FIELD is a name as it stands in a record (entropy), a path "
				"(ip.out.ttl), or the beginning of one (ip)."),
	OPTION(struct conf, print, "print", "print a document that the program writes about itself",
			.choices = prints, .flags = OPTION_COMMAND,
			.more = "man: this page; bash, zsh: completion; fields, options: tables "
				"in Markdown; schema: JSON Schema of a record."),
	{ 0 },
};
