/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who did it, read at the moment of the event: the process may be gone before user space wakes. */
#ifndef BPFINK_ACTOR_BPF_H
#define BPFINK_ACTOR_BPF_H

#include "kernel.h"
#include "event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

/* Path components that fit before the verifier's patience or EXECUTABLE_SIZE ends. */
#define PATH_DEPTH 24

static __always_inline void fill_args(struct event *event, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	__u64 size = BPF_CORE_READ(mm, arg_end) - start;

	event->args_length = size < 0xffffffff ? size : 0xffffffff;
	/* one register from the bound to the call: the verifier must see that they are the same */
	barrier_var(size);
	if (size > ARGS_SIZE)
		size = ARGS_SIZE;
	if (bpf_probe_read_user(event->args, size, (void *)start))
		event->args_length = 0;
}

/*
 * The path of the executable, leaf first: from the dentry up to the root of its mount, on from
 * the mount point in the parent mount, until the mount that is its own parent. bpf_d_path() is
 * allowed in a handful of functions only.
 */
static __always_inline void fill_executable(struct event *event, struct mm_struct *mm)
{
	struct file *file = BPF_CORE_READ(mm, exe_file);
	struct dentry *dentry, *parent, *root;
	struct mount *mount, *above;
	__u32 used = 0;

	if (!file)
		return;
	event->executable_cut = 1;
	dentry = BPF_CORE_READ(file, f_path.dentry);
	mount = (void *)BPF_CORE_READ(file, f_path.mnt) -
		bpf_core_field_offset(struct mount, mnt);
	for (int i = 0; i < PATH_DEPTH; i++) {
		long length;

		root = BPF_CORE_READ(mount, mnt.mnt_root);
		parent = BPF_CORE_READ(dentry, d_parent);
		if (dentry == root || dentry == parent) {
			above = BPF_CORE_READ(mount, mnt_parent);
			if (dentry != root || above == mount) {
				event->executable_cut = 0;
				break;
			}
			dentry = BPF_CORE_READ(mount, mnt_mountpoint);
			mount = above;
			continue;
		}
		if (used >= EXECUTABLE_SIZE)
			break;
		length = bpf_probe_read_kernel_str(&event->executable[used & (EXECUTABLE_SIZE - 1)],
						   NAME_SIZE, BPF_CORE_READ(dentry, d_name.name));
		if (length < 1)
			break;
		used += length;
		dentry = parent;
	}
	event->executable_length = used;
}

static __noinline void fill_actor(struct event *event)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	event->pid = bpf_get_current_pid_tgid() >> 32;
	event->ppid = BPF_CORE_READ(task, real_parent, tgid);
	event->start = BPF_CORE_READ(task, group_leader, start_boottime);
	event->uid = BPF_CORE_READ(task, cred, uid.val);
	event->euid = BPF_CORE_READ(task, cred, euid.val);
	event->loginuid = bpf_core_field_exists(task->loginuid) ?
				  BPF_CORE_READ(task, loginuid.val) : 0xffffffff;
	event->session = BPF_CORE_READ(task, signal,
				       pids[bpf_core_enum_value(enum pid_type, PIDTYPE_SID)],
				       numbers[0].nr);
	bpf_probe_read_kernel(event->comm, COMM_SIZE, BPF_CORE_READ(task, group_leader, comm));
	event->args_length = 0;
	event->executable_length = 0;
	event->executable_cut = 0;
	if (!mm) /* a kernel thread */
		return;
	fill_args(event, mm);
	fill_executable(event, mm);
}

#endif
