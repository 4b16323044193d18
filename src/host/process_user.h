/* SPDX-License-Identifier: BSD-3-Clause */
/* process_user.h - names of users, each remembered for a while. */
#pragma once

#include <stddef.h>
#include <stdint.h>

/* The user's name by this host's user database; "" when it has none.  For one thread. */
void user_name(uint32_t uid, char *to, size_t room);
