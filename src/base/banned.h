/* SPDX-License-Identifier: BSD-3-Clause */
/* banned.h - functions that have no safe use here; included by the compiler's command line. */
#pragma once

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#undef alloca
#pragma GCC poison sprintf vsprintf strcpy strcat strncpy strncat strtok gmtime localtime
#pragma GCC poison ctime asctime system popen gets alloca atoi atol
