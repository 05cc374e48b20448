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
#define WATCH_INHERIT 4 /* watch what is born in the directory, too, from its birth on */

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

static __always_inline void fill_key(struct watch_key *key, struct inode *inode)
{
	key->inode = BPF_CORE_READ(inode, i_ino);
	key->device = BPF_CORE_READ(inode, i_sb, s_dev);
}

/* Whether the inode is watched in the given way. The generation is left to user space. */
static __always_inline bool watched(struct inode *inode, __u32 as)
{
	struct watch_key key;
	__u32 *flags;

	if (!inode)
		return false;
	fill_key(&key, inode);
	flags = bpf_map_lookup_elem(&watches, &key);
	return flags && (*flags & as);
}

/*
 * Watches a new member of a directory before anybody can reach it by name, so that nothing done to
 * it goes unseen however long user space takes. User space removes what it has no use for.
 */
static __always_inline void inherit(struct inode *directory, struct inode *born)
{
	struct watch_key key;
	__u32 flags = WATCH_FILE;

	if (!watched(directory, WATCH_INHERIT))
		return;
	if ((BPF_CORE_READ(born, i_mode) & S_IFMT) == S_IFDIR)
		flags |= WATCH_DIRECTORY | WATCH_INHERIT;
	fill_key(&key, born);
	bpf_map_update_elem(&watches, &key, &flags, BPF_NOEXIST);
}

static __always_inline void fill_node(struct node *node, struct inode *inode)
{
	node->inode = inode ? BPF_CORE_READ(inode, i_ino) : 0;
	node->device = inode ? BPF_CORE_READ(inode, i_sb, s_dev) : 0;
	node->generation = inode ? BPF_CORE_READ(inode, i_generation) : 0;
}

#endif
