/* SPDX-License-Identifier: BSD-3-Clause */
/* null.c - the yardstick: a loop over libpcap's pcap_next_ex() that does nothing with the packets.
 */
#include <pcap/pcap.h>
#include <stdint.h>
#include <stdio.h>

int main(int argc, char **argv)
{
	char why[PCAP_ERRBUF_SIZE];
	pcap_t *p = argc == 2 ? pcap_open_offline(argv[1], why) : NULL;
	struct pcap_pkthdr *h;
	const u_char *bytes;
	uint64_t packets = 0;

	if (p == NULL) {
		fprintf(stderr, "usage: null CAPTURE\n");
		return 2;
	}
	while (pcap_next_ex(p, &h, &bytes) == 1)
		packets++;
	pcap_close(p);
	printf("%llu packets\n", (unsigned long long)packets);
	return 0;
}
