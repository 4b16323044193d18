/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * print_man.c - pcap2flow.1 in mdoc(7): the options from their tables between pages of prose.
 *
 * Prose stands here as mdoc source.  Text from the tables is plain and is escaped; each of
 * its sentences becomes a line of its own, as mdoc wants it.
 */
#include "conf/print.h"
#include "conf/value.h"

enum { COLUMNS = 78 };

static const char head[] =
		".\\\" SPDX-License-Identifier: BSD-3-Clause\n"
		".\\\" Written by `pcap2flow print=man`; do not edit.\n"
		".Dd November 24, 2026\n"
		".Dt PCAP2FLOW 1\n"
		".Os\n"
		".Sh NAME\n"
		".Nm pcap2flow\n"
		".Nd turn captured packets into flow records\n"
		".Sh SYNOPSIS\n"
		".Nm\n"
		".Op Ar name Ns = Ns Ar value ...\n"
		".Op Fl x Ar file\n"
		".Ar\n"
		".Nm\n"
		".Fl -help | Fl -version\n"
		".Sh DESCRIPTION\n"
		".Nm\n"
		"reads packets from capture files and writes a record for each flow: who talked\n"
		"to whom, when, how much, and whatever data elements are switched on.\n"
		".Pp\n"
		"A\n"
		".Ar file\n"
		"is a capture in pcap or pcapng format, which may be compressed by gzip, zstd\n"
		"or xz; a folder, of which all captures are read; or\n"
		".Sq -\n"
		"for standard input.\n"
		"Without any, standard input is read if it is a pipe or a file.\n"
		"Several files are one stream of packets: flows continue across them.\n"
		".Pp\n"
		"Options have the form\n"
		".Ar name Ns = Ns Ar value\n"
		"and may stand before or after files; of an option given twice the last counts,\n"
		"unless it may be given several times.\n"
		"An argument is an option when it has an equals sign and no slash before it,\n"
		"so that a file with an equals sign in its name can be given as\n"
		".Pa ./a=b.pcap .\n"
		"What follows\n"
		".Fl -\n"
		"are files.\n"
		".Bl -tag -width Ds\n"
		".It Fl x Ar file , Fl -x Ns = Ns Ar file\n"
		"Read options from a configuration file.\n"
		"The command line wins over the file, in whatever order they are given;\n"
		"of several files the last wins.\n"
		".It Fl h , Fl -help\n"
		"The same as\n"
		".Cm help Ns =1 .\n"
		".It Fl v , Fl -version\n"
		"The same as\n"
		".Cm version Ns =1 .\n"
		".El\n"
		".Sh OPTIONS\n";

static const char tail[] =
		".Sh OUTPUT\n"
		"The first line is a JSON object with the version, every option that bears on\n"
		"the records, the host, the capture files, the link type of the first packet\n"
		"and its time.\n"
		"Each further line is a flow; the last one is an object with the one key\n"
		".Ic summary ,\n"
		"which accounts for every packet.\n"
		"The same input and options give the same bytes.\n"
		"CSV has a header line and flows only.\n"
		".Pp\n"
		"Every field of a record has a definition, which\n"
		".Cm explain Ns = Ns Ar field\n"
		"prints.\n"
		".Sh CONFIGURATION FILES\n"
		"One option a line, as\n"
		".Ar name Ns = Ns Ar value ,\n"
		"or\n"
		".Ar name\n"
		"alone for\n"
		".Ar name Ns =1 .\n"
		"White space around names and values is free.\n"
		"A\n"
		".Sq #\n"
		"at the start of a line or behind white space begins a comment.\n"
		"The words\n"
		".Sq none\n"
		"and\n"
		".Sq auto\n"
		"are reserved:\n"
		".Sq none\n"
		"takes a text back to its absence.\n"
		"Truth values may also be written yes and no, true and false, on and off.\n"
		"A size may be followed by K, M, G or T, the powers of 1024.\n"
		".Sh SIGNALS\n"
		"On SIGTERM or SIGINT the flows seen so far are written, the output is "
		"finished,\n"
		"and the exit status is 0.\n"
		"A second one ends the program at once.\n"
		"On SIGHUP the log file is opened anew, and lists such as those of watch are "
		"read\n"
		"again.\n"
		"On SIGUSR1 the counters of the run go to the log, as a line of JSON.\n"
		".Sh SERVICE\n"
		"A live capture that root starts opens its interfaces, becomes another user\n"
		".Pq Cm username ,\n"
		"gives up all capabilities, and enters a sandbox\n"
		".Pq Cm sandbox .\n"
		"From then on it can write, make, rename and remove files only in the folder of\n"
		"the output and in that of the log; it can run no program, open no socket,\n"
		"start no process and signal none.\n"
		"Who tries, because a packet made the program do what it should not, ends it by\n"
		"SIGSYS, and the log names the system call.\n"
		"The sandbox is made of seccomp and Landlock on Linux, of pledge and unveil on\n"
		".Ox .\n"
		"What a system does not have is said as a warning.\n"
		".Pp\n"
		"With\n"
		".Cm daemon Ns =1\n"
		"the command returns when the capture is open, with exit status 0, or with the\n"
		"status and the words of what went wrong.\n"
		"Relative paths keep their meaning.\n"
		".Pp\n"
		"Under\n"
		".Xr systemd 1\n"
		"it says when it is ready, reloads and stops\n"
		".Pq Ev NOTIFY_SOCKET ,\n"
		"answers the watchdog\n"
		".Pq Ev WATCHDOG_USEC ,\n"
		"and gives its messages a priority when they go to the journal\n"
		".Pq Ev JOURNAL_STREAM .\n"
		".Pp\n"
		"A running program is asked through its socket\n"
		".Pq Cm control ;\n"
		"the same user or root may:\n"
		".Pp\n"
		".Dl pcap2flow ctl=stats control=/run/joy/control\n"
		".Pp\n"
		"Over HTTP\n"
		".Pq Cm metrics\n"
		".Pa /metrics\n"
		"has the same counters as OpenMetrics 1.0 text, and\n"
		".Pa /health\n"
		"answers 200, or 503 when records cannot be written or the program is ending.\n"
		".Sh FILES\n"
		".Bl -tag -width Ds\n"
		".It Pa /etc/joy/joy.cfg\n"
		"Settings of the service; the package and\n"
		".Pa install-sh\n"
		"make it from\n"
		".Pa linux.cfg\n"
		"or\n"
		".Pa macosx.cfg .\n"
		".It Pa /var/lib/joy\n"
		"Records of the service; files that wait to be uploaded are in\n"
		".Pa .spool .\n"
		".It Pa /var/log/joy/joy.log\n"
		"Its messages where there is no journal.\n"
		".It Pa /run/joy/control\n"
		"Its socket, and the one that\n"
		".Cm ctl\n"
		"asks without\n"
		".Cm control .\n"
		".El\n"
		".Sh EXIT STATUS\n"
		".Bl -tag -width Ds -compact\n"
		".It 0\n"
		"Done.\n"
		".It 1\n"
		"It could not be done: no input could be read, or the output could not be\n"
		"written.\n"
		".It 2\n"
		"Wrong usage: an unknown option, or a value out of range.\n"
		".It 3\n"
		"Done, but some input was damaged or could not be read.\n"
		".El\n"
		".Sh EXAMPLES\n"
		"Flows of a capture, both directions in a record:\n"
		".Pp\n"
		".Dl pcap2flow bidir=1 output=data.json sample.pcap\n"
		".Pp\n"
		"Everything there is to know about the flows of a folder, compressed:\n"
		".Pp\n"
		".Dl pcap2flow bidir=1 features=all output=data.json.zst captures/\n"
		".Pp\n"
		"Web traffic only, from another program:\n"
		".Pp\n"
		".Dl zcat trace.gz | pcap2flow 'bpf=tcp port 443' output=web.csv -\n"
		".Pp\n"
		"Flows of an interface, until a signal comes:\n"
		".Pp\n"
		".Dl sudo pcap2flow interface=eth0 bidir=1 output=data.json\n"
		".Pp\n"
		"What a field means:\n"
		".Pp\n"
		".Dl pcap2flow explain=byte_dist_mean\n"
		".Sh SEE ALSO\n"
		".Xr libjoy 3 ,\n"
		".Xr tcpdump 8\n";

/* Escapes what roff would take for itself; 'starts': a line begins here. */
static void plain(struct buf *out, const char *text, size_t size, bool starts)
{
	if (starts && size > 0 && (text[0] == '.' || text[0] == '\''))
		buf_text(out, "\\&");
	for (size_t i = 0; i < size; i++) {
		if (text[i] == '\\')
			buf_text(out, "\\e");
		else
			buf_byte(out, text[i]);
	}
}

/* Words between spaces, in lines of at most COLUMNS; ends the last line. */
static void sentence(struct buf *out, const char *text, size_t size)
{
	size_t column = 0;

	for (size_t i = 0; i < size; i++) {
		size_t word = 0;

		while (i + word < size && text[i + word] != ' ')
			word++;
		if (word == 0)
			continue;
		if (column > 0 && column + 1 + word > COLUMNS) {
			buf_byte(out, '\n');
			column = 0;
		} else if (column > 0) {
			buf_byte(out, ' ');
			column++;
		}
		plain(out, text + i, word, column == 0);
		column += word;
		i += word;
	}
	buf_byte(out, '\n');
}

/* Begins a line for each sentence. */
static void prose(struct buf *out, const char *text)
{
	while (*text != '\0') {
		const char *end = strstr(text, ". ");
		size_t size = end == NULL ? strlen(text) : (size_t)(end - text) + 1;

		sentence(out, text, size);
		text += size;
		text += strspn(text, " ");
	}
}

static void print_option(const struct option *o, struct buf *out)
{
	struct buf words = buf_new(4096);

	value_pattern(o, &words);
	buf_printf(out, ".It Cm %s Ns = Ns Ar %.*s\n", o->name, (int)words.size, words.p);
	buf_clear(&words);
	print_sentence(o->help, &words);
	sentence(out, words.p, words.size);
	if (o->more != NULL)
		prose(out, o->more);
	if (o->flags & OPTION_REPEAT)
		buf_text(out, "May be given several times; none takes all away.\n");
	if (o->type != OPTION_TEXT && o->type != OPTION_BOOL) {
		buf_clear(&words);
		buf_text(&words, "Takes ");
		value_allowed(o, &words);
		buf_byte(&words, '.');
		sentence(out, words.p, words.size);
	}
	if (o->initial != NULL)
		buf_printf(out, "The default is %s.\n", o->initial);
	if (o->since != NULL)
		buf_printf(out, "Since version %s.\n", o->since);
	buf_free(&words);
}

void print_man(const struct option_sets *sets, struct buf *out)
{
	struct print_item items[LIMIT_OPTIONS];
	size_t count = print_list(sets, items);

	buf_text(out, head);
	for (size_t i = 0; i < count; i++) {
		if (items[i].first)
			buf_printf(out, "%s.Ss %s\n.Bl -tag -width Ds\n", i > 0 ? ".El\n" : "",
					items[i].group);
		print_option(items[i].option, out);
	}
	buf_text(out, count > 0 ? ".El\n" : "");
	buf_text(out, tail);
}
