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
static const char *const captures[] = { "auto", "packet", "libpcap", NULL };
static const char *const clocks[] = { "host", "adapter", NULL };
static const char *const controls[] = { "stats", "flows", "reload", "rotate", "health", NULL };
static const char *const prints[] = { "man", "bash", "zsh", "fields", "schema", "options", NULL };

const struct option conf_options[] = {
	OPTION(struct conf, bpf, "bpf", "take only packets that match a filter", .group = "Input",
			.value = "FILTER",
			.more = "The filter is in the language of pcap-filter(7) and is applied "
				"to the outermost headers of each packet."),
	OPTION(struct conf, independent, "independent", "each file has flows of its own",
			.initial = "0",
			.more = "Flows do not go on from one file into the next, as if each had a "
				"run of its own, and each record names its file.  Files are then "
				"read side by side, one by each worker of threads."),

	OPTION(struct conf, interface, "interface", "capture from network interfaces",
			.group = "Live capture", .value = "LIST",
			.more = "Names with commas between them, such as eth0,eth1; auto is the "
				"first that is up and not the loopback, any all of them.  The "
				"run ends on a signal."),
	OPTION(struct conf, promisc, "promisc", "take packets for other machines too",
			.initial = "0"),
	OPTION(struct conf, snaplen, "snaplen", "take at most N bytes of each packet",
			.initial = "262144", .value = "N", .minimum = 64, .maximum = 262144),
	OPTION(struct conf, capture, "capture", "how packets are captured", .initial = "auto",
			.choices = captures,
			.more = "packet: the kernel's packet rings (Linux); libpcap: through that "
				"library; auto: packet where there is one."),
	OPTION(struct conf, clock, "clock", "whose clock stamps packets", .initial = "host",
			.choices = clocks,
			.more = "adapter asks the network adapter, where it can; its clock may "
				"not be that of the host."),
	OPTION(struct conf, ring, "ring", "memory of each packet ring", .initial = "64M",
			.value = "SIZE", .minimum = 1 << 20, .maximum = UINT64_C(4) << 30,
			.flags = OPTION_PLACE),
	OPTION(struct conf, threads, "threads", "workers that share the flows", .initial = "0",
			.value = "N", .minimum = 0, .maximum = LIMIT_WORKERS,
			.more = "0: of files one for each processor, 8 at most (any number with "
				"independent); of a live capture "
				"one. In a live capture each has a ring. Of files there is also "
				"one thread that writes when N is more than 1; the output is the "
				"same for any number.",
			.flags = OPTION_PLACE),
	OPTION(struct conf, drops_interval, "drops_interval",
			"time that a record of lost packets speaks of", .initial = "10",
			.value = "SECONDS", .minimum = SECOND / 10, .maximum = 86400 * SECOND),

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
				"early, with end_reason 5, lack of resources. For 10 million "
				"flows at once without further features: 3500M, of which each "
				"takes 300 bytes. Of several workers each has its share, and "
				"needs 6 MiB of its own beside it."),
	OPTION(struct conf, merge, "merge", "make one record of the parts of a flow",
			.initial = "0", .flags = OPTION_PLACE,
			.more = "For records that are written already: joy merge.  A part waits "
				"for the next one as long as memory allows."),

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
			.group = "Output", .value = "FILE|auto",
			.flags = OPTION_FILE | OPTION_PLACE | OPTION_AUTO,
			.more = "The end of the name says how: .json (also for any other name) "
				"or .csv, each with .gz or .zst behind it to compress.  The file "
				"has its name with .part behind it until it is whole.  With count, "
				"rotate or rotate_size there are several, named by the time of "
				"their beginning (UTC) and a number, such as "
				"FILE-20260131T235959Z-000000.json; their order is that of their "
				"names, and none is ever overwritten.  Each begins with the "
				"configuration and ends with a summary of its own.  auto is such "
				"a series, named by the address of the interface that is captured "
				"from."),
	OPTION(struct conf, outdir, "outdir", "folder of a relative output", .value = "FOLDER",
			.flags = OPTION_FILE | OPTION_PLACE),
	OPTION(struct conf, count, "count", "begin another file after N records", .initial = "0",
			.value = "N", .maximum = UINT64_MAX, .flags = OPTION_PLACE,
			.more = "0: never.  See output for their names."),
	OPTION(struct conf, rotate, "rotate", "begin another file after this much time",
			.initial = "0", .value = "SECONDS", .maximum = SECOND * 86400 * 366,
			.flags = OPTION_PLACE,
			.more = "For captures in files it is the time of packets that counts.  A "
				"time without records makes no file."),
	OPTION(struct conf, rotate_size, "rotate_size", "begin another file after this many bytes",
			.initial = "0", .value = "SIZE", .flags = OPTION_PLACE,
			.more = "A file ends behind the record that makes it so long; a compressed "
				"one some records later."),
	OPTION(struct conf, keep_size, "keep_size",
			"delete the oldest finished files when all together are larger",
			.initial = "0", .value = "SIZE", .flags = OPTION_PLACE,
			.more = "0: keep all.  Only files that are named like those of this "
				"output are counted and deleted; the newest stays."),
	OPTION(struct conf, keep_time, "keep_time", "delete finished files that are older",
			.initial = "0", .value = "SECONDS", .maximum = SECOND * 86400 * 36600,
			.flags = OPTION_PLACE, .more = "0: keep all."),
	OPTION(struct conf, upload, "upload", "copy each finished file to another machine by ssh",
			.value = "USER@HOST:PATH", .flags = OPTION_PLACE | OPTION_SECRET,
			.more = "Files wait in a spool and are tried again until the other side "
				"has them whole.  sftp://USER@HOST:PORT/FOLDER names a port.  "
				"The host's key must be known to ssh already."),
	OPTION(struct conf, keyfile, "keyfile", "private key for upload", .value = "FILE",
			.flags = OPTION_FILE | OPTION_PLACE | OPTION_SECRET),
	OPTION(struct conf, known_hosts, "known_hosts", "keys of hosts to upload to",
			.value = "FILE", .flags = OPTION_FILE | OPTION_PLACE | OPTION_SECRET,
			.more = "Otherwise those that ssh knows."),
	OPTION(struct conf, retain, "retain", "keep files that were uploaded", .initial = "1",
			.flags = OPTION_PLACE),
	OPTION(struct conf, logfile, "logfile", "messages go to this file, not to standard error",
			.value = "FILE", .flags = OPTION_FILE | OPTION_PLACE,
			.more = "They are added to the end of the file."),
	OPTION(struct conf, verbosity, "verbosity",
			"0 errors, 1 warnings, 2 information, 3 everything", .initial = "1",
			.value = "N", .maximum = 3),
	OPTION(struct conf, progress, "progress",
			"progress bar on a terminal when the input is long", .initial = "1"),

	OPTION(struct conf, username, "username", "user to become once the capture is open",
			.group = "Service", .initial = "auto", .value = "NAME",
			.flags = OPTION_PLACE | OPTION_AUTO,
			.more = "auto is joy, where root starts the program, there is that user, "
				"and he can write where output and log go.  With none root stays "
				"root."),
	OPTION(struct conf, sandbox, "sandbox", "give up what a live capture does not need",
			.initial = "1", .flags = OPTION_PLACE,
			.more = "System calls that are not needed, and writing to folders other "
				"than those of output and log."),
	OPTION(struct conf, daemon, "daemon", "go to the background once the capture is open",
			.initial = "0", .flags = OPTION_PLACE),
	OPTION(struct conf, pidfile, "pidfile", "file to hold the process id", .value = "FILE",
			.flags = OPTION_FILE | OPTION_PLACE),
	OPTION(struct conf, control, "control", "socket that ctl= speaks to", .value = "FILE",
			.flags = OPTION_FILE | OPTION_PLACE, .more = "Without it nobody can ask."),
	OPTION(struct conf, metrics, "metrics", "serve OpenMetrics and health by HTTP",
			.value = "ADDRESS:PORT", .flags = OPTION_PLACE,
			.more = "Such as 127.0.0.1:9464: /metrics and /health."),

	OPTION(struct conf, ctl, "ctl", "ask a running pcap2flow", .group = "Information",
			.choices = controls, .flags = OPTION_COMMAND,
			.more = "stats prints its counters, flows those that are alive, health a "
				"word; reload reads lists again, rotate begins another file.  "
				"control says which socket."),
	OPTION(struct conf, help, "help", "print this list", .flags = OPTION_COMMAND),
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
