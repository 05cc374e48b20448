/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Paths of files and cgroups, from the leaf to the root, into the strings of an actor. */
#ifndef BPFINK_PATHS_BPF_H
#define BPFINK_PATHS_BPF_H

#include "kernel.h"
#include "event.h"
#include "compat.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* More components than any path of a program or a cgroup has; the verifier goes through them all. */
#define PATH_DEPTH 24

/*
 * Where a path is written. Kept in the record, not in a register: what the verifier reads from memory
 * it knows nothing of, so that all ways through a loop look the same to it.
 */
static __always_inline bool put_component(struct actor *actor, struct path_span *span, const void *name)
{
	__u32 used = *(volatile __u16 *)&span->end;
	long length;

	if (used >= STRINGS_SIZE)
		return false;
	length = bpf_probe_read_kernel_str(&actor->strings[used & (STRINGS_SIZE - 1)], NAME_SIZE, name);
	if (length < 1)
		return false;
	*(volatile __u16 *)&span->end = used + length;
	return true;
}

/*
 * The path of a file: from the dentry up to the root of its mount, on from the mount point in the
 * parent mount, until the mount that is its own parent. bpf_d_path() is allowed in a handful of
 * functions only.
 *
 * start is the end of the path before it in the strings.
 */
static __noinline int put_file_path(struct actor *actor, struct path_span *span, struct file *file, __u32 start)
{
	struct dentry *dentry, *parent, *root;
	struct mount *mount, *above;

	span->end = start;
	span->state = PATH_NONE;
	if (!file)
		return 0;
	span->state = PATH_CUT;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	mount = (void *)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
#pragma clang loop unroll(disable)
	for (int i = 0; i < PATH_DEPTH; i++) {
		root = BPF_CORE_READ(mount, mnt.mnt_root);
		parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == root || dentry == parent) {
			above = BPF_CORE_READ(mount, mnt_parent);
			if (dentry != root || above == mount) {
				span->state = PATH_WHOLE;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (!put_component(actor, span, BPF_CORE_READ(dentry, d_name.name)))
			break;
		dentry = parent;
	}
	return 0;
}

/* The cgroup of a task: in the unified hierarchy; else, where that is not used, the one of pids. */
static __always_inline struct kernfs_node *cgroup_node(struct task_struct *task)
{
	struct css_set *set = BPF_CORE_READ(task, cgroups);
	struct kernfs_node *node = BPF_CORE_READ(set, dfl_cgrp, kn);
	struct cgroup_subsys_state *state = NULL;

	if (kernfs_parent(node) || !bpf_core_enum_value_exists(enum cgroup_subsys_id, pids_cgrp_id))
		return node;
	bpf_probe_read_kernel(&state, sizeof(state),
			      (void *)set + bpf_core_field_offset(struct css_set, subsys) +
				      sizeof(state) * bpf_core_enum_value(enum cgroup_subsys_id, pids_cgrp_id));
	return BPF_CORE_READ(state, cgroup, kn);
}

static __noinline int put_cgroup_path(struct actor *actor, struct task_struct *task, __u32 start)
{
	struct path_span *span = &actor->cgroup;
	struct kernfs_node *node, *parent;

	span->end = start;
	span->state = PATH_NONE;
	if (!bpf_core_field_exists(task->cgroups))
		return 0;
	node = cgroup_node(task);
	if (!node)
		return 0;
	span->state = PATH_CUT;
#pragma clang loop unroll(disable)
	for (int i = 0; i < PATH_DEPTH; i++) {
		parent = kernfs_parent(node);
		if (!parent) {
			span->state = PATH_WHOLE;
			break;
		}
		if (!put_component(actor, span, BPF_CORE_READ(node, name)))
			break;
		node = parent;
	}
	return 0;
}

#endif
