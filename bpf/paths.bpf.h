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
 * The verifier goes through every turn of a loop, in each of some twenty programs, and through both
 * ways of every branch in it. Hence these bounds, and the steps without branches: they keep that to
 * some 9,000 instructions for one.
 */
#define PATH_DEPTH 12 /* components of a program's path, and mounts on the way */
#define CGROUP_DEPTH 9 /* a service within a container within a pod has eight */

/*
 * In the record, not in a register: what the verifier reads from memory it knows nothing of, so that
 * all ways through a loop look the same to it.
 */
#define KEEP(place) (*(volatile typeof(place) *)&(place))

static __always_inline bool put_component(struct actor *actor, struct path_span *span, const void *name)
{
	__u32 used = KEEP(span->end);
	long length;

	if (used >= STRINGS_SIZE)
		return false;
	length = bpf_probe_read_kernel_str(&actor->strings[used & (STRINGS_SIZE - 1)], NAME_SIZE, name);
	if (length < 1)
		return false;
	KEEP(span->end) = used + length;
	return true;
}

/* All bits if both are the same, else none: in arithmetic that clang does not make a branch of. */
static __always_inline __u64 if_same(const void *one, const void *other)
{
	__u64 difference = (__u64)one ^ (__u64)other;

	difference |= -difference;
	barrier_var(difference);
	difference = (__s64)difference >> 63;
	barrier_var(difference);
	return ~difference;
}

static __always_inline __u64 if_positive(__s64 number)
{
	number = -number;
	barrier_var(number);
	number >>= 63;
	barrier_var(number);
	return number;
}

static __always_inline void *choose(__u64 first, const void *one, const void *other)
{
	return (void *)(((__u64)one & first) | ((__u64)other & ~first));
}

/* A place on the way up from a file to the root: bpf_d_path() is allowed in a handful of functions only. */
struct place {
	struct dentry *dentry; /* NULL: there is nowhere to go */
	struct mount *mount;
};

static __always_inline struct place place_of(struct file *file)
{
	return (struct place){
		.dentry = BPF_CORE_READ(file, f_path.dentry),
		.mount = (void *)BPF_CORE_READ(file, f_path.mnt) - bpf_core_field_offset(struct mount, mnt),
	};
}

/*
 * One step: puts a component of the path, or goes from the root of a mount to where it is mounted,
 * until the mount that is its own parent. start, where the strings end, is less than STRINGS_SIZE.
 */
static __always_inline void step_up(struct actor *actor, struct place *place, struct path_span *span, __u64 start)
{
	struct dentry *dentry = place->dentry;
	struct mount *mount = place->mount, *above = BPF_CORE_READ(mount, mnt_parent);
	struct dentry *parent = BPF_CORE_READ(dentry, d_parent), *point = BPF_CORE_READ(mount, mnt_mountpoint);
	__u64 exists = ~if_same(dentry, NULL), topmost = if_same(dentry, parent);
	__u64 root = if_same(dentry, BPF_CORE_READ(mount, mnt.mnt_root));
	__u64 mounted = exists & root & ~if_same(above, mount);
	__u64 component = exists & ~root & ~topmost;
	/* a name that is in no directory: memfd_create(2) */
	__u64 lone = exists & ~root & topmost;
	__u64 whole = (exists & root & ~mounted) | lone;
	char *string = &actor->strings[start & (STRINGS_SIZE - 1)];
	__s64 length = bpf_probe_read_kernel_str(string, NAME_SIZE, BPF_CORE_READ(dentry, d_name.name));
	__u64 named = if_positive(length);

	span->end = start + (length & named & (component | lone));
	span->state = (PATH_CUT & ~whole & exists) | (PATH_NONE & ~exists);
	place->dentry = choose(mounted, point, (void *)((__u64)parent & component & named));
	place->mount = choose(mounted, above, mount);
}

static __noinline int put_file_path(struct actor *actor, struct path_span *span, struct file *file)
{
	struct place place = place_of(file);
	__u64 end = 0;

	span->state = PATH_NONE;
#pragma clang loop unroll(disable)
	for (int i = 0; i < PATH_DEPTH && place.dentry && end < STRINGS_SIZE; i++) {
		step_up(actor, &place, span, end);
		end = KEEP(span->end);
	}
	span->end = end;
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
