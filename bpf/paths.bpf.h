/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Paths of files and cgroups, from the leaf to the root, into the strings of an actor. */
#ifndef BPFINK_PATHS_BPF_H
#define BPFINK_PATHS_BPF_H

#include "kernel.h"
#include "event.h"
#include "compat.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/*
 * The verifier goes through every turn of a loop, in each of some twenty programs. These bounds keep
 * that to some 15,000 instructions for one.
 */
#define PATH_DEPTH 12 /* components of a program's path, and mounts on the way */
#define CGROUP_DEPTH 9 /* a service within a container within a pod has eight */

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
 * On the way up from a file to the root: bpf_d_path() is allowed in a handful of functions only.
 * dentry is NULL when there is nowhere to go.
 */
struct climb {
	struct dentry *dentry;
	struct mount *mount;
};

/* start is the end of the path before it in the strings. */
static __always_inline void begin_climb(struct climb *climb, struct path_span *span, struct file *file,
					__u32 start)
{
	span->end = start;
	span->state = PATH_NONE;
	climb->dentry = NULL;
	if (!file)
		return;
	span->state = PATH_CUT;
	climb->dentry = BPF_CORE_READ(file, f_path.dentry);
	climb->mount = (void *)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt);
}

/*
 * One step: a component of the path, or from the root of a mount to where it is mounted, until the
 * mount that is its own parent.
 */
static __always_inline void step_up(struct actor *actor, struct climb *climb, struct path_span *span)
{
	struct dentry *dentry = climb->dentry;
	struct mount *mount = climb->mount;
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent);
	struct dentry *root = BPF_CORE_READ(mount, mnt.mnt_root);
	struct mount *above;

	if (dentry != root && dentry != parent) {
		climb->dentry = put_component(actor, span, BPF_CORE_READ(dentry, d_name.name)) ? parent : NULL;
		return;
	}
	above = BPF_CORE_READ(mount, mnt_parent);
	if (dentry == root && above != mount) {
		climb->dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		climb->mount = above;
		return;
	}
	/* a name that is in no directory: memfd_create(2) */
	if (dentry != root)
		put_component(actor, span, BPF_CORE_READ(dentry, d_name.name));
	span->state = PATH_WHOLE;
	climb->dentry = NULL;
}

static __noinline int put_file_path(struct actor *actor, struct path_span *span, struct file *file, __u32 start)
{
	struct climb climb;

	begin_climb(&climb, span, file, start);
#pragma clang loop unroll(disable)
	for (int i = 0; i < PATH_DEPTH && climb.dentry; i++)
		step_up(actor, &climb, span);
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
	for (int i = 0; i < CGROUP_DEPTH; i++) {
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
