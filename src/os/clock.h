/* SPDX-License-Identifier: BSD-3-Clause */
/* clock.h - what time it is. */
#pragma once

#include <stdint.h>

/* Since 1970; may be set by anybody. */
int64_t clock_real_ns(void);

/* CLOCK_MONOTONIC: nobody sets it, and it stands still while the machine sleeps. */
int64_t clock_steady_ns(void);

/* Since boot, time asleep included; nobody sets it. */
int64_t clock_boot_ns(void);
