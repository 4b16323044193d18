/* SPDX-License-Identifier: BSD-3-Clause OR GPL-2.0-only */
/*
 * process_owner.h - in the kernel: the process that runs, and how the watcher is told of it and its
 * sockets.
 *
 * A process is told once, with all that will be gone with it: path of the executable, parent,
 * command line.  Part of process.bpf.c, which has all programs.
 */
#pragma once

#include "bpf/kernel.h"
#include "bpf/process_event.h"

enum { IP4 = 2, IP6 = 10, TCP = 6, UDP = 17 }; /* AF_INET, AF_INET6, IPPROTO_... */
enum { PATH_DEPTH = 48 };                      /* names and mounts of a path */

/* Set by the watcher before loading. */
const volatile bool with_kernel = true;   /* may read the kernel's structures */
const volatile bool with_cmdline = false; /* read command lines */

struct owner {
	struct process_event_key key;
	char comm[PROCESS_EVENT_COMM];
	__u32 connected; /* by connect(): it did not come to a listener */
	__u32 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, LIMIT_PROCESS_RING);
} events SEC(".maps");

/* Processes that the watcher has been told of. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, LIMIT_PROCESS_TOLD);
	__type(key, struct process_event_key);
	__type(value, __u8);
} told SEC(".maps");

__u64 lost; /* events for which there was no room */

static void count_lost(void)
{
	__sync_fetch_and_add(&lost, 1);
}

static struct file *executable(struct task_struct *leader)
{
	return BPF_CORE_READ(leader, mm, exe_file);
}

/* The process that runs: its first thread. */
static struct task_struct *leader_now(void)
{
	struct task_struct *task = (void *)bpf_get_current_task();

	return BPF_CORE_READ(task, group_leader);
}

/*
 * Appends the names of a path, from the last to the first, across mounts.  The size is kept in the
 * event, where the verifier takes it for unknown: else it would follow each way through the loop.
 */
static bool put_name(struct process_event_about *a, struct dentry *d)
{
	__u32 size = a->path_size;
	long n;

	if (size >= PROCESS_EVENT_NAMES)
		return false;
	barrier_var(size); /* the verifier must see the mask, which the compiler finds idle */
	n = bpf_probe_read_kernel_str(&a->path[size & (PROCESS_EVENT_NAMES - 1)],
			PROCESS_EVENT_NAME, BPF_CORE_READ(d, d_name.name));
	if (n <= 0)
		return false;
	a->path_size += n;
	return true;
}

static void put_path(struct process_event_about *a, struct file *file)
{
	struct dentry *d = BPF_CORE_READ(file, f_path.dentry);
	struct vfsmount *vfs = BPF_CORE_READ(file, f_path.mnt);
	const unsigned long mnt = bpf_core_field_offset(struct mount, mnt);

	for (int i = 0; i < PATH_DEPTH; i++) {
		struct mount *m = (void *)vfs - mnt;
		struct dentry *parent = BPF_CORE_READ(d, d_parent);

		if (d == BPF_CORE_READ(vfs, mnt_root)) {
			struct mount *above = BPF_CORE_READ(m, mnt_parent);

			if (above == m)
				break;
			d = BPF_CORE_READ(m, mnt_mountpoint);
			vfs = (void *)above + mnt;
		} else {
			if (!put_name(a, d) || parent == d)
				break;
			d = parent;
		}
	}
}

static void put_cmdline(struct process_event_about *a, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	unsigned long size = BPF_CORE_READ(mm, arg_end) - start;

	if (size > PROCESS_EVENT_CMDLINE - 1)
		size = PROCESS_EVENT_CMDLINE - 1;
	if (size > 0 && bpf_probe_read_user(a->cmdline, size & (PROCESS_EVENT_CMDLINE - 1),
					(void *)start) == 0)
		a->cmdline_size = size;
}

static void put_about(struct process_event_about *a, const struct process_event_key *key)
{
	struct task_struct *leader = leader_now();
	struct mm_struct *mm = BPF_CORE_READ(leader, mm);
	struct file *file = executable(leader);
	struct task_struct *parent = BPF_CORE_READ(leader, real_parent);

	a->kind = PROCESS_EVENT_PROCESS;
	a->key = *key;
	a->parent_pid = BPF_CORE_READ(parent, tgid);
	a->cgroup = bpf_get_current_cgroup_id();
	a->kernel = mm == NULL;
	a->device = a->deleted = 0;
	a->path_size = a->cmdline_size = 0;
	BPF_CORE_READ_INTO(&a->comm, leader, comm);
	BPF_CORE_READ_INTO(&a->parent_comm, parent, group_leader, comm);
	if (file != NULL) {
		a->device = BPF_CORE_READ(file, f_inode, i_sb, s_dev);
		a->deleted = BPF_CORE_READ(file, f_path.dentry, d_hash.pprev) == NULL;
		put_path(a, file);
	}
	if (with_cmdline && mm != NULL)
		put_cmdline(a, mm);
}

static void tell_process(const struct process_event_key *key)
{
	struct process_event_about *a;
	__u8 yes = 1;

	if (bpf_map_lookup_elem(&told, key) != NULL)
		return;
	a = bpf_ringbuf_reserve(&events, sizeof *a, 0);
	if (a == NULL) {
		count_lost();
		return;
	}
	put_about(a, key);
	bpf_ringbuf_submit(a, 0);
	bpf_map_update_elem(&told, key, &yes, BPF_ANY);
}

/* Fills in the process that runs, and tells of it. */
static void own(struct owner *o)
{
	*o = (struct owner){ .key = { .pid = bpf_get_current_pid_tgid() >> 32,
					     .uid = (__u32)bpf_get_current_uid_gid() } };
	if (with_kernel) {
		struct task_struct *leader = leader_now();

		o->key.start_ns = BPF_CORE_READ(leader, start_boottime);
		o->key.inode = BPF_CORE_READ(executable(leader), f_inode, i_ino);
		BPF_CORE_READ_INTO(&o->comm, leader, comm);
		tell_process(&o->key);
	} else {
		bpf_get_current_comm(o->comm, sizeof o->comm);
	}
}

static bool same(const struct process_event_key *a, const struct process_event_key *b)
{
	return a->pid == b->pid && a->start_ns == b->start_ns && a->inode == b->inode &&
	       a->uid == b->uid;
}

/* --- events ----------------------------------------------------------------------------------- */

static struct process_event_socket *event(__u32 kind, const struct owner *o)
{
	struct process_event_socket *e = bpf_ringbuf_reserve(&events, sizeof *e, 0);

	if (e == NULL) {
		count_lost();
		return NULL;
	}
	__builtin_memset(e, 0, sizeof *e);
	e->kind = kind;
	e->ns = bpf_ktime_get_boot_ns();
	if (o != NULL) {
		e->key = o->key;
		__builtin_memcpy(e->comm, o->comm, sizeof e->comm);
	}
	return e;
}

static void put4(__u8 *to, __u32 address)
{
	__builtin_memcpy(to, &address, 4);
}

static void put6(__u8 *to, __u32 a, __u32 b, __u32 c, __u32 d)
{
	put4(to, a);
	put4(to + 4, b);
	put4(to + 8, c);
	put4(to + 12, d);
}

/* The socket's two ends, of the version that its family says. */
static void put_ends(struct process_event_socket *e, const struct bpf_sock *sk)
{
	e->protocol = sk->protocol;
	e->local_port = sk->src_port;
	e->remote_port = bpf_ntohs(sk->dst_port);
	e->version = sk->family == IP6 ? 6 : 4;
	if (e->version == 6) {
		put6(e->local, sk->src_ip6[0], sk->src_ip6[1], sk->src_ip6[2], sk->src_ip6[3]);
		put6(e->remote, sk->dst_ip6[0], sk->dst_ip6[1], sk->dst_ip6[2], sk->dst_ip6[3]);
	} else {
		put4(e->local, sk->src_ip4);
		put4(e->remote, sk->dst_ip4);
	}
}
