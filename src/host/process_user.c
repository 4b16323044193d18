/* SPDX-License-Identifier: BSD-3-Clause */
/* process_user.c - ask the user database once for each user, and again after ten minutes. */
#include "host/process_user.h"

#include <pwd.h>
#include <stdio.h>
#include <sys/types.h>

#include "host/process.h"

enum { NAME = 64, TEXTS = 4096 };

#define KEEP_NS (INT64_C(600) * 1000 * 1000 * 1000)

struct user {
	uint32_t uid;
	int64_t asked_ns; /* 0: never */
	char name[NAME];
};

static void ask(struct user *u, uint32_t uid)
{
	struct passwd entry, *found = NULL;
	char texts[TEXTS];

	*u = (struct user){ .uid = uid, .asked_ns = process_clock() };
	if (getpwuid_r(uid, &entry, texts, sizeof texts, &found) == 0 && found != NULL)
		snprintf(u->name, sizeof u->name, "%s", found->pw_name);
}

void user_name(uint32_t uid, char *to, size_t room)
{
	static struct user users[LIMIT_PROCESS_USERS]; /* of the watcher, which has one thread */
	struct user *u = &users[uid % LIMIT_PROCESS_USERS];

	if (u->asked_ns == 0 || u->uid != uid || process_clock() - u->asked_ns > KEEP_NS)
		ask(u, uid);
	snprintf(to, room, "%s", u->name);
}
