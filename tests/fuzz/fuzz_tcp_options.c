/* SPDX-License-Identifier: BSD-3-Clause */
/* fuzz_tcp_options.c - any bytes as TCP options: values lie inside and sizes add up. */
#include <stdlib.h>

#include "proto/tcp_options.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct rd r = { data, size };
	struct tcp_options t;
	struct tcp_option o;
	size_t used = 0;

	while (tcp_option_next(&r, &o)) {
		size_t head = o.kind <= TCP_OPTION_NOP ? 1 : 2;

		if (o.value.p != data + used + head)
			abort();
		used += head + o.value.left;
		if (used > size || tcp_option_name(o.kind) == NULL)
			abort();
	}
	if (rd_ok(&r) && used != size)
		abort();
	tcp_options_parse((struct rd){ data, size }, &t);
	if (t.sound != rd_ok(&r))
		abort();
	return 0;
}
