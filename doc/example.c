/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * example.c - print the flows of a capture with libjoy:
 *
 *	cc -o example example.c $(pkg-config --cflags --libs joy) && ./example sample.pcap
 */
#include <joy.h>
#include <stdio.h>

/* Each line is a JSON object: the configuration, then flows, then the summary. */
static int on_line(void *ctx, const char *bytes, size_t size)
{
	(void)ctx;
	return fwrite(bytes, 1, size, stdout) != size; /* not 0 ends the run */
}

static void on_log(void *ctx, enum joy_level level, const char *text)
{
	if (level <= JOY_LOG_WARNING)
		fprintf(stderr, "%s: %s\n", (const char *)ctx, text);
}

int main(int argc, char **argv)
{
	struct joy *j = joy_new();
	int status = JOY_USAGE;

	if (argc != 2 || j == NULL) {
		fprintf(stderr, "usage: example capture\n");
	} else {
		joy_on_line(j, on_line, NULL);
		joy_on_log(j, on_log, argv[0]);
		status = joy_set(j, "bidir", "1");
		if (status == JOY_OK)
			status = joy_run(j, (const char *[]){ argv[1] }, 1);
		if (status != JOY_OK)
			fprintf(stderr, "%s: %s\n", argv[0], joy_error(j));
	}
	joy_free(j);
	return status;
}
