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
 * The bits of i_state moved in Linux 6.12, 2ed634c96ed1 ("fs: reorder i_state bits"), in the series that made it a u32
 * ("inode: make i_state a u32"), and again in 6.18, where they are an enum that BTF has
 * (inode_state_flags_t, then inode_state_flags_enum).
 */
enum inode_state_flags_t {
	I_DIRTY_DATASYNC___t = 1 << 5,
	I_DIRTY_PAGES___t = 1 << 6,
};

enum inode_state_flags_enum {
	I_DIRTY_DATASYNC___enum = 1 << 5,
	I_DIRTY_PAGES___enum = 1 << 6,
};

/* I_DIRTY_DATASYNC and I_DIRTY_PAGES of linux/fs.h. */
static __always_inline __u32 dirty_data_flags(void)
{
	struct inode *inode = NULL;

	if (bpf_core_enum_value_exists(enum inode_state_flags_t, I_DIRTY_PAGES___t))
		return bpf_core_enum_value(enum inode_state_flags_t, I_DIRTY_DATASYNC___t) |
		       bpf_core_enum_value(enum inode_state_flags_t, I_DIRTY_PAGES___t);
	if (bpf_core_enum_value_exists(enum inode_state_flags_enum, I_DIRTY_PAGES___enum))
		return bpf_core_enum_value(enum inode_state_flags_enum, I_DIRTY_DATASYNC___enum) |
		       bpf_core_enum_value(enum inode_state_flags_enum, I_DIRTY_PAGES___enum);
	if (bpf_core_field_size(inode->i_state) == sizeof(__u32))
		return 1 << 4 | 1 << 5;
	return 1 << 1 | 1 << 2;
}

/*
 * vm_fault.flags is an unsigned int in 5.10 and an enum in 6.1 (seen in their BTF): to CO-RE the two are different
 * fields.
 */
struct vm_fault___with_int {
	unsigned int flags;
} CORE;

enum fault_flag {
	FAULT_FLAG_WRITE = 1 << 0,
};

struct vm_fault___with_enum {
	enum fault_flag flags;
} CORE;

static __always_inline bool is_write_fault(struct vm_fault *fault)
{
	struct vm_fault___with_enum *newer = (void *)fault;
	struct vm_fault___with_int *older = (void *)fault;

	if (bpf_core_field_exists(newer->flags))
		return BPF_CORE_READ(newer, flags) & FAULT_FLAG_WRITE;
	return BPF_CORE_READ(older, flags) & FAULT_FLAG_WRITE;
}

/* A flag of linux/dcache.h, bit 28 until the flags became an enum, which BTF has (6.16, "dcache: convert dentry flag macros to enum"). */
enum dentry_flags {
	DCACHE_PAR_LOOKUP = 1 << 24,
};

static __always_inline __u32 in_lookup_flag(void)
{
	if (bpf_core_enum_value_exists(enum dentry_flags, DCACHE_PAR_LOOKUP))
		return bpf_core_enum_value(enum dentry_flags, DCACHE_PAR_LOOKUP);
	return 1 << 28;
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
