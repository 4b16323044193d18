/* SPDX-License-Identifier: BSD-3-Clause */
/* settings.c - options as texts and numbers, by joy_get(). */
#include "cmd/settings.h"

#include <stdlib.h>
#include <string.h>

char *settings_text(struct joy *j, const char *name)
{
	char *text = joy_get(j, name);

	if (text == NULL || strcmp(text, "none") != 0)
		return text;
	joy_text_free(text);
	return NULL;
}

unsigned settings_number(struct joy *j, const char *name)
{
	char *text = joy_get(j, name);
	unsigned v = text == NULL ? 0 : (unsigned)strtoul(text, NULL, 10);

	joy_text_free(text);
	return v;
}
