/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * process.bpf.c - in the kernel: tells the watcher which process makes, takes and closes sockets.
 *
 * Everything hangs on hooks of the root cgroup, which kernels have without kprobes or tracing, and
 * which run in the process that acts.  Who connects is kept in the socket's own storage until its
 * ports are known; that may fail for lack of memory at the moment, and nothing depends on it.
 * (A listener's storage could be copied to connections that come, but then the kernel drops
 * a connection when it cannot.)  No program ever refuses anything: each returns 1.
 */
#include "bpf/kernel.h"
#include "bpf/process_event.h"
#include "bpf/process_owner.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct peer {
	__u64 cookie;
	__u8 address[16];
	__u16 port, unused[3];
};

struct {
	__uint(type, BPF_MAP_TYPE_SK_STORAGE);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__type(key, int);
	__type(value, struct owner);
} owners SEC(".maps");

/* Peers of UDP sockets that the watcher has been told of. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LIMIT_PROCESS_PEERS);
	__type(key, struct peer);
	__type(value, __u8);
} peers SEC(".maps");

static bool of_interest(__u32 family, __u32 protocol)
{
	return (family == IP4 || family == IP6) && (protocol == TCP || protocol == UDP);
}

/* --- connect ---------------------------------------------------------------------------------- */

static void keep(struct bpf_sock *sk, const struct owner *now)
{
	struct owner *o = bpf_sk_storage_get(&owners, sk, NULL, BPF_SK_STORAGE_GET_F_CREATE);

	if (o != NULL)
		*o = *now;
}

static int on_connect(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct process_event_socket *e;
	struct owner now;

	if (sk == NULL || !of_interest(ctx->family, ctx->protocol))
		return 1;
	own(&now);
	now.connected = 1;
	if (ctx->protocol == TCP) {
		keep(sk, &now);
	} else if ((e = event(PROCESS_EVENT_PLAN, &now)) != NULL) {
		e->cookie = bpf_get_socket_cookie(ctx);
		e->netns = bpf_get_netns_cookie(ctx);
		e->protocol = UDP;
		bpf_ringbuf_submit(e, 0);
	}
	return 1;
}

SEC("cgroup/connect4")
int connect4(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx);
}

SEC("cgroup/connect6")
int connect6(struct bpf_sock_addr *ctx)
{
	return on_connect(ctx);
}

/* --- bind ------------------------------------------------------------------------------------- */

static struct process_event_socket *on_bind(struct bpf_sock *ctx)
{
	struct process_event_socket *e;
	struct owner now;

	if (!of_interest(ctx->family, ctx->protocol))
		return NULL;
	own(&now);
	if (ctx->protocol == TCP) { /* told when it listens or connects */
		keep(ctx, &now);
		return NULL;
	}
	e = event(PROCESS_EVENT_BIND, &now);
	if (e != NULL) {
		e->cookie = bpf_get_socket_cookie(ctx);
		e->netns = bpf_get_netns_cookie(ctx);
		e->protocol = UDP;
		e->local_port = ctx->src_port;
	}
	return e;
}

SEC("cgroup/post_bind4")
int post_bind4(struct bpf_sock *ctx)
{
	struct process_event_socket *e = on_bind(ctx);

	if (e != NULL) {
		e->version = 4;
		put4(e->local, ctx->src_ip4);
		bpf_ringbuf_submit(e, 0);
	}
	return 1;
}

SEC("cgroup/post_bind6")
int post_bind6(struct bpf_sock *ctx)
{
	struct process_event_socket *e = on_bind(ctx);

	if (e != NULL) {
		e->version = 6;
		put6(e->local, ctx->src_ip6[0], ctx->src_ip6[1], ctx->src_ip6[2], ctx->src_ip6[3]);
		bpf_ringbuf_submit(e, 0);
	}
	return 1;
}

/* --- TCP -------------------------------------------------------------------------------------- */

static void tcp_event(struct bpf_sock_ops *ctx, __u32 kind, const struct owner *o)
{
	struct process_event_socket *e = event(kind, o);

	if (e == NULL)
		return;
	e->cookie = bpf_get_socket_cookie(ctx);
	e->netns = bpf_get_netns_cookie(ctx);
	e->protocol = TCP;
	e->local_port = ctx->local_port;
	e->remote_port = bpf_ntohl(ctx->remote_port);
	e->version = ctx->family == IP6 ? 6 : 4;
	if (e->version == 6) {
		put6(e->local, ctx->local_ip6[0], ctx->local_ip6[1], ctx->local_ip6[2],
				ctx->local_ip6[3]);
		put6(e->remote, ctx->remote_ip6[0], ctx->remote_ip6[1], ctx->remote_ip6[2],
				ctx->remote_ip6[3]);
	} else {
		put4(e->local, ctx->local_ip4);
		put4(e->remote, ctx->remote_ip4);
	}
	bpf_ringbuf_submit(e, 0);
}

/* connect() and listen() come here in the process that calls them. */
static void tcp_acts(struct bpf_sock_ops *ctx, struct bpf_sock *sk, __u32 kind)
{
	struct owner *o = bpf_sk_storage_get(&owners, sk, NULL, 0);
	struct owner now;

	if (o == NULL && with_kernel) {
		own(&now);
		o = &now;
	}
	if (o != NULL)
		tcp_event(ctx, kind, o);
}

SEC("sockops")
int on_sockops(struct bpf_sock_ops *ctx)
{
	struct bpf_sock *sk = ctx->sk;

	if (sk == NULL)
		return 1;
	switch (ctx->op) {
	case BPF_SOCK_OPS_TCP_CONNECT_CB:
		tcp_acts(ctx, sk, PROCESS_EVENT_CONNECT);
		break;
	case BPF_SOCK_OPS_TCP_LISTEN_CB:
		tcp_acts(ctx, sk, PROCESS_EVENT_LISTEN);
		break;
	case BPF_SOCK_OPS_PASSIVE_ESTABLISHED_CB:
		tcp_event(ctx, PROCESS_EVENT_ARRIVE, NULL);
		break;
	}
	return 1;
}

/*
 * accept() with room for an address asks for the peer's name, in the process that accepts.  Others
 * may ask later, such as a child that has the connection by now: then it is the child's.
 */
static int on_name(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct process_event_socket *e;
	struct owner *o, now;

	if (sk == NULL || ctx->protocol != TCP)
		return 1;
	o = bpf_sk_storage_get(&owners, sk, NULL, 0);
	if (o != NULL && o->connected)
		return 1;
	own(&now);
	if (o != NULL && same(&o->key, &now.key))
		return 1;
	keep(sk, &now);
	e = event(PROCESS_EVENT_ACCEPT, &now);
	if (e != NULL) {
		e->cookie = bpf_get_socket_cookie(ctx);
		e->netns = bpf_get_netns_cookie(ctx);
		put_ends(e, sk);
		bpf_ringbuf_submit(e, 0);
	}
	return 1;
}

SEC("cgroup/getpeername4")
int getpeername4(struct bpf_sock_addr *ctx)
{
	return on_name(ctx);
}

SEC("cgroup/getpeername6")
int getpeername6(struct bpf_sock_addr *ctx)
{
	return on_name(ctx);
}

/* --- UDP -------------------------------------------------------------------------------------- */

/* Is this the first datagram with the peer, and is there room to tell of it? */
static bool new_peer(struct bpf_sock_addr *ctx, struct peer *p)
{
	__u8 yes = 1;

	p->cookie = bpf_get_socket_cookie(ctx);
	p->port = bpf_ntohs(ctx->user_port);
	if (bpf_map_lookup_elem(&peers, p) != NULL)
		return false;
	if (bpf_ringbuf_query(&events, BPF_RB_AVAIL_DATA) > LIMIT_PROCESS_RING / 2) {
		count_lost();
		return false;
	}
	bpf_map_update_elem(&peers, p, &yes, BPF_ANY);
	return true;
}

static void peer_event(
		struct bpf_sock_addr *ctx, struct bpf_sock *sk, const struct peer *p, __u8 version)
{
	struct process_event_socket *e;
	struct owner now;

	own(&now);
	e = event(PROCESS_EVENT_PEER, &now);
	if (e == NULL)
		return;
	e->cookie = p->cookie;
	e->netns = bpf_get_netns_cookie(ctx);
	put_ends(e, sk);
	if (e->version != version) { /* IPv4 by an IPv6 socket */
		__builtin_memset(e->local, 0, sizeof e->local);
		put4(e->local, sk->src_ip4);
	}
	e->version = version;
	__builtin_memcpy(e->remote, p->address, sizeof e->remote);
	e->remote_port = p->port;
	bpf_ringbuf_submit(e, 0);
}

static int on_peer4(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct peer p = { 0 };

	if (sk == NULL || ctx->protocol != UDP)
		return 1;
	put4(p.address, ctx->user_ip4);
	if (new_peer(ctx, &p))
		peer_event(ctx, sk, &p, 4);
	return 1;
}

static int on_peer6(struct bpf_sock_addr *ctx)
{
	struct bpf_sock *sk = ctx->sk;
	struct peer p = { 0 };

	if (sk == NULL || ctx->protocol != UDP)
		return 1;
	put6(p.address, ctx->user_ip6[0], ctx->user_ip6[1], ctx->user_ip6[2], ctx->user_ip6[3]);
	if (new_peer(ctx, &p))
		peer_event(ctx, sk, &p, 6);
	return 1;
}

SEC("cgroup/sendmsg4")
int sendmsg4(struct bpf_sock_addr *ctx)
{
	return on_peer4(ctx);
}

SEC("cgroup/recvmsg4")
int recvmsg4(struct bpf_sock_addr *ctx)
{
	return on_peer4(ctx);
}

SEC("cgroup/sendmsg6")
int sendmsg6(struct bpf_sock_addr *ctx)
{
	return on_peer6(ctx);
}

SEC("cgroup/recvmsg6")
int recvmsg6(struct bpf_sock_addr *ctx)
{
	return on_peer6(ctx);
}

/* --- close ------------------------------------------------------------------------------------ */

/* Here the context gives no ports; it is the socket itself. */
static void put_ends_at_close(struct process_event_socket *e, const void *ctx, bool six)
{
	const struct sock *sk = ctx;

	e->version = six ? 6 : 4;
	e->local_port = BPF_CORE_READ(sk, __sk_common.skc_num);
	e->remote_port = bpf_ntohs(BPF_CORE_READ(sk, __sk_common.skc_dport));
	if (six) {
		BPF_CORE_READ_INTO(&e->local, sk, __sk_common.skc_v6_rcv_saddr);
		BPF_CORE_READ_INTO(&e->remote, sk, __sk_common.skc_v6_daddr);
	} else {
		put4(e->local, BPF_CORE_READ(sk, __sk_common.skc_rcv_saddr));
		put4(e->remote, BPF_CORE_READ(sk, __sk_common.skc_daddr));
	}
}

SEC("cgroup/sock_release")
int sock_release(struct bpf_sock *ctx)
{
	struct process_event_socket *e;

	if (!of_interest(ctx->family, ctx->protocol))
		return 1;
	e = event(PROCESS_EVENT_CLOSE, NULL);
	if (e == NULL)
		return 1;
	e->cookie = bpf_get_socket_cookie(ctx);
	e->netns = bpf_get_netns_cookie(ctx);
	e->protocol = ctx->protocol;
	if (with_kernel)
		put_ends_at_close(e, ctx, ctx->family == IP6);
	bpf_ringbuf_submit(e, 0);
	return 1;
}
