/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The watch map: which inodes user space wants to hear of. */
#ifndef BPFINK_WATCH_BPF_H
#define BPFINK_WATCH_BPF_H

#include "kernel.h"
#include "event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/*
 * How a program is attached, and so how it may read what the kernel gives it. A parameter of inline
 * functions only: in each program it is a constant.
 */
enum form {
	TRAMPOLINE, /* fentry, fexit, tp_btf: the verifier knows the types, loads are plain */
	PROBE, /* kprobe, raw_tp: through bpf_probe_read_kernel() */
};

/* Follows members from a pointer that the kernel gave, like BPF_CORE_READ. At most two. */
#define READ_PLAIN_1(from, a) ((from)->a)
#define READ_PLAIN_2(from, a, b) ((from)->a->b)
#define READ_PICK(_1, _2, name, ...) name
#define READ(form, from, ...)                                                                 \
	((form) == TRAMPOLINE ?                                                               \
		 READ_PICK(__VA_ARGS__, READ_PLAIN_2, READ_PLAIN_1)(from, __VA_ARGS__) :      \
		 BPF_CORE_READ(from, __VA_ARGS__))

#define WATCH_FILE 1 /* report what happens to the inode */
#define WATCH_DIRECTORY 2 /* report what happens to the entries of the directory */
#define WATCH_INHERIT 4 /* watch what is born in the directory, too, from its birth on */
/*
 * Where a directory lies, as far as some names are left out there (excludes.bpf.h): one bit for each
 * place, a directory itself, or it and all below, which what is born in it belongs to as well.
 */
#define WATCH_SCOPES_HERE 0x000fff00
#define WATCH_SCOPES_BELOW 0xfff00000
#define WATCH_SCOPES (WATCH_SCOPES_HERE | WATCH_SCOPES_BELOW)

struct watch_key {
	__u64 inode;
	__u64 device;
};

struct watch {
	__u32 flags; /* WATCH_* */
	__u32 writer; /* process id of the last write reported, perhaps with ONLY_DIRTY */
	__u64 written; /* when that was, CLOCK_MONOTONIC, ns */
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20); /* src/kernel/load.ts may make it smaller, and allocate it at once */
	__type(key, struct watch_key);
	__type(value, struct watch);
} watches SEC(".maps");

/*
 * Answers for nearly all inodes that nobody watches, at a tenth of what asking the map costs: 0 in the slot of a key
 * says that it was never put into the map. Slots stay as they are when keys go: a slot that stays costs a look-up, one
 * that were cleared too early would cost events. A byte each, so that user space, which writes the map's memory
 * (src/kernel/maps.ts), and the kernel never write to each other's.
 */
#define FILTER_BITS 20

struct filter {
	__u8 slots[1 << FILTER_BITS];
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct filter);
} filter SEC(".maps");

/* The slot of a key; slotOf() of src/kernel/maps.ts is the same. */
static __always_inline __u8 *filter_slot(const struct watch_key *key)
{
	__u32 zero = 0;
	struct filter *all = bpf_map_lookup_elem(&filter, &zero);
	__u32 hash = ((__u32)key->inode ^ (__u32)key->device * 0x85ebca6b) * 0x9e3779b1;

	return all ? &all->slots[hash >> (32 - FILTER_BITS)] : NULL;
}

static __always_inline struct watch *find_key(const struct watch_key *key)
{
	__u8 *slot = filter_slot(key);

	return slot && *slot ? bpf_map_lookup_elem(&watches, key) : NULL;
}

static __always_inline void fill_key(enum form form, struct watch_key *key, struct inode *inode)
{
	key->inode = READ(form, inode, i_ino);
	key->device = READ(form, inode, i_sb, s_dev);
}

/* The watch of an inode in the given way, or NULL. The generation is left to user space. */
static __always_inline struct watch *find_watch(enum form form, struct inode *inode, __u32 as)
{
	struct watch_key key;
	struct watch *watch;

	if (!inode)
		return NULL;
	fill_key(form, &key, inode);
	watch = find_key(&key);
	return watch && (watch->flags & as) ? watch : NULL;
}

/*
 * Whether a write is one of many by a process that was reported a moment ago. User space waits for
 * 20 ms of quiet (QUIET in src/watch/dispatch.ts) and so sees what is written until then. What only
 * became dirty does not stand for a write: it blames nobody (isAct() in src/watch/attribution.ts).
 */
#define SAME_WRITE_NS 5000000
/* In watch.writer: process ids are less (PID_MAX_LIMIT, linux/threads.h). */
#define ONLY_DIRTY (1U << 31)

static __always_inline bool repeats(struct watch *watch, __u32 kind)
{
	__u32 pid = bpf_get_current_pid_tgid() >> 32;
	__u32 dirtier = pid | ONLY_DIRTY;
	__u64 now = bpf_ktime_get_ns();
	bool same = watch->writer == pid || (kind == CHANGE_DIRTY && watch->writer == dirtier);

	if (same && now - watch->written < SAME_WRITE_NS)
		return true;
	watch->writer = kind == CHANGE_DIRTY ? dirtier : pid;
	watch->written = now;
	return false;
}

/*
 * Watches a new member of a watched directory before anybody can reach it by name, so that nothing done
 * to it goes unseen however long user space takes. User space removes what it has no use for. Returns
 * false if there is no room.
 */
static __always_inline bool inherit(enum form form, struct watch *directory, struct inode *born)
{
	struct watch_key key;
	struct watch watch = { .flags = WATCH_FILE };
	__u8 *slot;

	if ((READ(form, born, i_mode) & S_IFMT) == S_IFDIR)
		watch.flags |= WATCH_DIRECTORY | WATCH_INHERIT | (directory->flags & WATCH_SCOPES_BELOW);
	fill_key(form, &key, born);
	slot = filter_slot(&key);
	if (slot)
		*slot = 1; /* before the key is there */
	/* an int before Linux 6.4 (d7ba4cc900bf), and the upper half of the register is not its sign then */
	switch ((int)bpf_map_update_elem(&watches, &key, &watch, BPF_NOEXIST)) {
	case 0:
	case -EEXIST:
		return true;
	default:
		return false;
	}
}

static __always_inline void fill_node(struct node *node, struct inode *inode)
{
	node->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	node->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
	node->generation = inode ? BPF_CORE_READ(inode, i_generation) : 0;
}

#endif
