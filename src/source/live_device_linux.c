/* SPDX-License-Identifier: BSD-3-Clause */
/*
 * live_device_linux.c - ioctl by name (netdevice(7)), and the counters by rtnetlink, which knows
 * them in the network namespace of its socket, whatever is mounted on /sys.
 */
#ifdef __linux__
#include "source/live_device.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <linux/if_link.h>
#include <linux/if_packet.h>
#include <linux/net_tstamp.h>
#include <linux/rtnetlink.h>
#include <linux/sockios.h>
#include <net/if.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "source/live_ops.h"

int device_socket(void)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_ROUTE);
	struct timeval patience = { .tv_sec = 1 }; /* the kernel answers at once */

	if (fd >= 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof(patience));
	return fd;
}

static bool ask(int fd, unsigned long what, const char *name, struct ifreq *request)
{
	snprintf(request->ifr_name, sizeof(request->ifr_name), "%s", name);
	return ioctl(fd, what, request) == 0;
}

int device_index(int fd, const char *name)
{
	struct ifreq r = { 0 };

	return strlen(name) < IFNAMSIZ && ask(fd, SIOCGIFINDEX, name, &r) ? r.ifr_ifindex : -1;
}

bool device_name(int fd, int index, char *name)
{
	struct ifreq r = { .ifr_ifindex = index };

	if (ioctl(fd, SIOCGIFNAME, &r) != 0)
		return false;
	memcpy(name, r.ifr_name, IFNAMSIZ);
	return true;
}

bool device_is_up(int fd, const char *name)
{
	struct ifreq r = { 0 };

	return ask(fd, SIOCGIFFLAGS, name, &r) && (r.ifr_flags & IFF_UP) != 0;
}

int device_type(int fd, const char *name)
{
	struct ifreq r = { 0 };

	return ask(fd, SIOCGIFHWADDR, name, &r) ? r.ifr_hwaddr.sa_family : -1;
}

bool device_promisc(int fd, int index)
{
	struct packet_mreq request = { .mr_ifindex = index, .mr_type = PACKET_MR_PROMISC };

	return setsockopt(fd, SOL_PACKET, PACKET_ADD_MEMBERSHIP, &request, sizeof(request)) == 0;
}

bool device_stamp(int fd, const char *name)
{
	struct hwtstamp_config config = { 0 };
	struct ifreq r = { .ifr_data = (void *)&config };

	ask(fd, SIOCGHWTSTAMP, name, &r); /* keeps what others asked for the other direction */
	config.flags = 0;
	config.rx_filter = HWTSTAMP_FILTER_ALL;
	if (!ask(fd, SIOCSHWTSTAMP, name, &r))
		return false;
	errno = EOPNOTSUPP;
	return config.rx_filter != HWTSTAMP_FILTER_NONE;
}

/* --- counters -----------------------------------------------------------------------------------
 */

static bool send_request(int fd, int index, uint32_t sequence)
{
	struct {
		struct nlmsghdr head;
		struct if_stats_msg what;
	} request = {
		.head = {
			.nlmsg_len = sizeof(request),
			.nlmsg_type = RTM_GETSTATS,
			.nlmsg_flags = NLM_F_REQUEST | (index == 0 ? NLM_F_DUMP : 0),
			.nlmsg_seq = sequence,
		},
		.what = {
			.ifindex = (uint32_t)index,
			.filter_mask = IFLA_STATS_FILTER_BIT(IFLA_STATS_LINK_64),
		},
	};
	struct sockaddr_nl kernel = { .nl_family = AF_NETLINK };

	return sendto(fd, &request, sizeof(request), 0, (const struct sockaddr *)&kernel,
			       sizeof(kernel)) == sizeof(request);
}

/* Adds the drops that one interface's message tells. */
static void add_drops(const struct nlmsghdr *head, struct device_drops *drops)
{
	const struct rtattr *a = (const void *)((const uint8_t *)NLMSG_DATA(head) +
						NLMSG_ALIGN(sizeof(struct if_stats_msg)));
	size_t left = head->nlmsg_len - NLMSG_SPACE(sizeof(struct if_stats_msg));

	for (; RTA_OK(a, left); a = RTA_NEXT(a, left)) {
		struct rtnl_link_stats64 stats = { 0 };
		size_t size = RTA_PAYLOAD(a);

		if (a->rta_type != IFLA_STATS_LINK_64)
			continue;
		memcpy(&stats, RTA_DATA(a), size < sizeof(stats) ? size : sizeof(stats));
		drops->missed += stats.rx_missed_errors + stats.rx_fifo_errors;
		drops->dropped += stats.rx_dropped;
	}
}

/* True while more messages follow; *good becomes false for an error. */
static bool take_messages(const void *bytes, size_t left, uint32_t sequence,
		struct device_drops *drops, bool *good)
{
	bool more = true;

	for (const struct nlmsghdr *h = bytes; NLMSG_OK(h, left); h = NLMSG_NEXT(h, left)) {
		if (h->nlmsg_seq != sequence)
			continue;
		if (h->nlmsg_type == NLMSG_ERROR)
			*good = false;
		else if (h->nlmsg_type == RTM_NEWSTATS)
			add_drops(h, drops);
		if (h->nlmsg_type != RTM_NEWSTATS || (h->nlmsg_flags & NLM_F_MULTI) == 0)
			more = false;
	}
	return more;
}

bool device_drops(int fd, uint32_t sequence, int index, struct device_drops *drops)
{
	_Alignas(struct nlmsghdr) uint8_t bytes[32768];
	bool good = send_request(fd, index, sequence), more = good;

	*drops = (struct device_drops){ 0 };
	while (more) {
		ssize_t n = recvfrom(fd, bytes, sizeof(bytes), 0, NULL, NULL);

		if (n <= 0)
			return false;
		more = take_messages(bytes, (size_t)n, sequence, drops, &good);
	}
	return good;
}

int device_open_backlog(void)
{
	return open("/proc/net/softnet_stat", O_RDONLY | O_CLOEXEC);
}

/* A line for each processor: numbers of eight hexadecimal digits, the second of what was dropped.
 */
uint64_t device_backlog(int fd)
{
	char text[65536];
	ssize_t size = fd >= 0 ? pread(fd, text, sizeof(text) - 1, 0) : -1;
	uint64_t sum = 0;

	if (size <= 0)
		return UINT64_MAX;
	text[size] = '\0';
	for (const char *line = text; line != NULL && *line != '\0';) {
		unsigned dropped;

		if (sscanf(line, "%*x %x", &dropped) == 1)
			sum += dropped;
		line = strchr(line, '\n');
		line += line != NULL;
	}
	return sum;
}

/* --- rights -------------------------------------------------------------------------------------
 */

bool live_can_open(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { { 0 } };

	return syscall(SYS_capget, &head, data) == 0 && (data[0].effective >> CAP_NET_RAW & 1) != 0;
}
#endif
