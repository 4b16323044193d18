/* SPDX-License-Identifier: BSD-3-Clause */
/* sandbox_other.c - OpenBSD has pledge and unveil; other systems nothing of the kind. */
#ifndef __linux__

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "os/sandbox.h"

#ifdef __OpenBSD__

static bool show(const char *const *folders, struct err *e)
{
	for (; folders != NULL && *folders != NULL; folders++)
		if (unveil(*folders, "rwc") != 0)
			return err_set(e, "cannot unveil %s: %s", *folders, strerror(errno));
	return true;
}

bool sandbox_enter(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	*state = (struct sandbox_state){ .calls = true, .files = true };
	if (unveil("/", "r") != 0)
		return err_set(e, "cannot unveil /: %s", strerror(errno));
	if (!show(s->write, e) || !show(s->tidy, e))
		return false;
	return pledge("stdio rpath wpath cpath flock unix inet bpf", NULL) == 0 ||
	       err_set(e, "cannot pledge: %s", strerror(errno));
}

#else

bool sandbox_enter(const struct sandbox *s, struct sandbox_state *state, struct err *e)
{
	(void)s, (void)e;
	*state = (struct sandbox_state){ .calls = false };
	snprintf(state->missing, sizeof(state->missing), "this system has no sandbox");
	return true;
}

#endif
#endif
