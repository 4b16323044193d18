/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * replay.c - a main for fuzz targets that are built without libFuzzer.
 *
 * Gives each file named on the command line to the target once.  A file's name is printed
 * before its turn, so that the last name is the one that crashed.
 */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

enum { LARGEST = 16 << 20 };

/* The buffer has the size of the file, so that the sanitizer sees each read past its end. */
static int replay(const char *path)
{
	static uint8_t whole[LARGEST];
	FILE *f = fopen(path, "rb");

	if (f == NULL) {
		perror(path);
		return 1;
	}
	size_t size = fread(whole, 1, sizeof(whole), f);
	fclose(f);

	uint8_t *data = malloc(size > 0 ? size : 1);
	if (data == NULL)
		return 1;
	for (size_t i = 0; i < size; i++)
		data[i] = whole[i];
	printf("%s\n", path);
	fflush(stdout);
	LLVMFuzzerTestOneInput(data, size);
	free(data);
	return 0;
}

int main(int argc, char **argv)
{
	int failed = 0;

	for (int i = 1; i < argc; i++)
		failed |= replay(argv[i]);
	return failed;
}
