/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* The watch map: which inodes user space wants to hear of. */
#ifndef BPFINK_WATCH_BPF_H
#define BPFINK_WATCH_BPF_H

#include "kernel.h"
#include "event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define WATCH_FILE 1 /* report what happens to the inode */
#define WATCH_DIRECTORY 2 /* report what happens to the entries of the directory */

struct watch_key {
	__u64 inode;
	__u64 device;
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(map_flags, BPF_F_NO_PREALLOC);
	__uint(max_entries, 1 << 20); /* user space may set another limit before loading */
	__type(key, struct watch_key);
	__type(value, __u32); /* WATCH_* */
} watches SEC(".maps");

/* Whether the inode is watched in the given way. The generation is left to user space. */
static __always_inline bool watched(struct inode *inode, __u32 as)
{
	struct watch_key key = {};
	__u32 *flags;

	if (!inode)
		return false;
	key.inode = BPF_CORE_READ(inode, i_ino);
	key.device = BPF_CORE_READ(inode, i_sb, s_dev);
	flags = bpf_map_lookup_elem(&watches, &key);
	return flags && (*flags & as);
}

static __always_inline void fill_node(struct node *node, struct inode *inode)
{
	node->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	node->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
	node->generation = inode ? BPF_CORE_READ(inode, i_generation) : 0;
}

#endif
