/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Every difference between kernels, each with the commit that made it. */
#ifndef BPFINK_COMPAT_BPF_H
#define BPFINK_COMPAT_BPF_H

#include "kernel.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

/* Flavours: the suffix after ___ is dropped when libbpf looks the type up. */
struct renamedata___with_userns {
	void *old_mnt_userns;
} CORE;

struct mnt_idmap___exists {
	int unused;
} CORE;

/*
 * Linux 5.12, 2f221d6f7b88 ("attr: handle idmapped mounts"), put a user namespace (6.3: an idmap)
 * before the dentry in notify_change(). renamedata got its namespaces in the same series, and lost
 * them to mnt_idmap later.
 */
static __always_inline bool vfs_takes_idmap(void)
{
	return bpf_core_field_exists(struct renamedata___with_userns, old_mnt_userns) ||
	       bpf_core_type_exists(struct mnt_idmap___exists);
}

/*
 * Linux 6.15, 741c10b096bc ("kernfs: Use RCU to access kernfs_node::parent."), put two underscores
 * before the name.
 */
struct kernfs_node___with_parent {
	struct kernfs_node *parent;
} CORE;

struct kernfs_node___with_rcu_parent {
	struct kernfs_node *__parent;
} CORE;

static __always_inline struct kernfs_node *kernfs_parent(struct kernfs_node *node)
{
	struct kernfs_node___with_rcu_parent *newer = (void *)node;
	struct kernfs_node___with_parent *older = (void *)node;

	if (bpf_core_field_exists(newer->__parent))
		return BPF_CORE_READ(newer, __parent);
	return BPF_CORE_READ(older, parent);
}

/*
 * Loads 8 bytes of a program's context at a fixed offset. Written in assembler because clang merges
 * two such loads in two branches into one at a computed offset, which 6.1 and 6.12 refuse
 * ("dereference of modified ctx ptr").
 */
#define context_word(context, offset)                                                         \
	({                                                                                    \
		__u64 word;                                                                   \
		asm volatile("%0 = *(u64 *)(%1 + %2)"                                         \
			     : "=r"(word)                                                     \
			     : "r"(context), "i"(offset));                                    \
		word;                                                                         \
	})

#endif
