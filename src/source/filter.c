/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * filter.c - compile by libpcap, run by libpcap's interpreter.
 *
 * The numbers of link types in files differ from those in libpcap's functions on some systems.  So
 * the filter is compiled on a handle that libpcap itself made from the header of an empty capture
 * file of that link type: it translates.
 */
#include "source/filter.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"

#ifdef HAVE_PCAP
#include <pcap/pcap.h>

struct program {
	struct bpf_program code;
	bool usable; /* false: it did not compile, and 'why' */
	struct err why;
};

struct filter {
	char *text;
	struct program *of[UINT16_MAX + 1]; /* by link type; NULL until met */
	bool refused[UINT16_MAX + 1];       /* not usable, and not told yet */
	uint32_t refused_count, unusable_count;
};

static pcap_t *empty_capture(uint16_t linktype)
{
	char error[PCAP_ERRBUF_SIZE];
	struct pcap_file_header header = {
		.magic = 0xa1b2c3d4,
		.version_major = PCAP_VERSION_MAJOR,
		.version_minor = PCAP_VERSION_MINOR,
		.snaplen = LIMIT_PACKET_BYTES,
		.linktype = linktype,
	};
	FILE *file = fmemopen(&header, sizeof(header), "rb");
	pcap_t *p = file != NULL ? pcap_fopen_offline(file, error) : NULL;

	if (p == NULL && file != NULL)
		fclose(file);
	return p;
}

static bool compile(const char *text, uint16_t linktype, struct bpf_program *code, struct err *e)
{
	pcap_t *p = empty_capture(linktype);

	if (p == NULL)
		return err_set(e, "libpcap knows no link type %u", linktype);
	bool good = pcap_compile(p, code, text, 1, PCAP_NETMASK_UNKNOWN) == 0;
	if (!good)
		err_set(e, "%s", pcap_geterr(p));
	pcap_close(p);
	return good;
}

/* Says whether the text makes sense for some link type; else the words for the first of these. */
static bool makes_sense(const char *text, struct err *e)
{
	/* Ethernet, raw IP, then links with words of their own: radiotap, PFLOG, SLL */
	static const uint16_t usual[] = { 1, 101, 127, 117, 113 };
	struct bpf_program code;
	struct err ignored;

	for (size_t i = 0; i < sizeof(usual) / sizeof(usual[0]); i++) {
		if (compile(text, usual[i], &code, i == 0 ? e : &ignored)) {
			pcap_freecode(&code);
			return true;
		}
	}
	return false;
}

struct filter *filter_new(const char *text, struct err *e)
{
	struct err why;

	if (!makes_sense(text, &why)) {
		err_set(e, "bpf=%s: %s", text, why.text);
		return NULL;
	}
	struct filter *f = calloc(1, sizeof(*f));
	if (f == NULL || (f->text = strdup(text)) == NULL) {
		err_set(e, "no memory for the filter");
		free(f);
		return NULL;
	}
	return f;
}

/* What does not fit is met anew. */
void filter_renew(struct filter *f)
{
	for (size_t i = 0; f != NULL && f->unusable_count > 0 && i <= UINT16_MAX; i++) {
		if (f->of[i] == NULL || f->of[i]->usable)
			continue;
		free(f->of[i]);
		f->of[i] = NULL;
		f->refused[i] = false;
		f->unusable_count--;
	}
	if (f != NULL)
		f->refused_count = 0;
}

void filter_free(struct filter *f)
{
	if (f == NULL)
		return;
	for (size_t i = 0; i <= UINT16_MAX; i++) {
		if (f->of[i] != NULL && f->of[i]->usable)
			pcap_freecode(&f->of[i]->code);
		free(f->of[i]);
	}
	free(f->text);
	free(f);
}

/* Compiles for a link type that is met for the first time; NULL without memory. */
static const struct program *add_program(struct filter *f, uint16_t linktype)
{
	struct program *p = calloc(1, sizeof(*p));

	if (p == NULL)
		return NULL;
	p->usable = compile(f->text, linktype, &p->code, &p->why);
	if (!p->usable) {
		f->refused[linktype] = true;
		f->refused_count++;
		f->unusable_count++;
	}
	f->of[linktype] = p;
	return p;
}

static bool passes(struct filter *f, const struct frame *frame)
{
	const struct program *p = f->of[frame->linktype];

	if (p == NULL)
		p = add_program(f, frame->linktype);
	return p != NULL && p->usable &&
	       bpf_filter(p->code.bf_insns, frame->bytes, frame->wirelen, frame->caplen) != 0;
}

size_t filter_apply(struct filter *f, struct frame *frames, size_t count)
{
	size_t passed = 0;

	for (size_t i = 0; i < count; i++) {
		if (passes(f, &frames[i]))
			frames[passed++] = frames[i];
	}
	return passed;
}

bool filter_trouble(struct filter *f, struct err *why)
{
	for (uint32_t i = 0; f->refused_count > 0 && i <= UINT16_MAX; i++) {
		if (!f->refused[i])
			continue;
		f->refused[i] = false;
		f->refused_count--;
		err_set(why, "bpf=%s does not fit link type %u, its packets are left out: %s",
				f->text, i, f->of[i]->why.text);
		return true;
	}
	return false;
}
#else
struct filter *filter_new(const char *text, struct err *e)
{
	err_set(e, "bpf=%s: this build has no filters (it was made without libpcap)", text);
	return NULL;
}

void filter_renew(struct filter *f)
{
	(void)f;
}

void filter_free(struct filter *f)
{
	(void)f;
}

size_t filter_apply(struct filter *f, struct frame *frames, size_t count)
{
	(void)f, (void)frames;
	return count;
}

bool filter_trouble(struct filter *f, struct err *why)
{
	(void)f, (void)why;
	return false;
}
#endif
