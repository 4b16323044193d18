/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox_linux.c - Landlock (sandbox_files_linux.c), then seccomp (sandbox_calls_linux.c). */
#ifdef __linux__

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>

#include "os/sandbox_system.h"

void sandbox_lacks(struct sandbox_state *state, const char *format, ...)
{
	size_t size = strlen(state->missing);
	va_list args;

	if (size > 0 && size + 2 < sizeof(state->missing)) {
		memcpy(state->missing + size, "; ", 3);
		size += 2;
	}
	va_start(args, format);
	vsnprintf(state->missing + size, sizeof(state->missing) - size, format, args);
	va_end(args);
}

bool sandbox_enter(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	*state = (struct sandbox_state){ .calls = false };
	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0)
		return err_set(e, "cannot set no_new_privs: %s", strerror(errno));
	return sandbox_files(s, state, e) && sandbox_calls(s, state, e);
}

#endif
