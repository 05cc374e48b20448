/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Who did it, read at the moment of the event: the process may be gone before user space wakes. */
#ifndef BPFINK_ACTOR_BPF_H
#define BPFINK_ACTOR_BPF_H

#include "kernel.h"
#include "event.h"
#include "paths.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

static __always_inline void fill_args(struct actor *actor, struct mm_struct *mm)
{
	unsigned long start = BPF_CORE_READ(mm, arg_start);
	__u64 size = BPF_CORE_READ(mm, arg_end) - start;

	actor->args_length = size < 0xffffffff ? size : 0xffffffff;
	/* one register from the bound to the call: the verifier must see that they are the same */
	barrier_var(size);
	if (size > ARGS_SIZE)
		size = ARGS_SIZE;
	if (bpf_probe_read_user(actor->args, size, (void *)start))
		actor->args_length = 0;
}

static __always_inline void fill_comm(char *comm, struct task_struct *task)
{
	bpf_probe_read_kernel(comm, COMM_SIZE, BPF_CORE_READ(task, group_leader, comm));
}

static __always_inline struct file *executable_of(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return mm ? BPF_CORE_READ(mm, exe_file) : NULL;
}

/* For all ancestors together: begun, each component, the root. A remote login with sudo takes so many. */
#define ANCESTOR_STEPS 36

/*
 * In one loop, not one within another, which the verifier would have to go through as often as their
 * product says. The count is kept in the record for the reason given at put_component().
 */
static __noinline int fill_ancestors(struct actor *actor, struct task_struct *task)
{
	struct climb climb = {};
	__u32 end = actor->cgroup.end;

	actor->ancestor_count = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < ANCESTOR_STEPS; i++) {
		__u32 count = *(volatile __u32 *)&actor->ancestor_count;
		/* in 64 bits and behind a barrier: 5.10 loses the bound of anything else */
		__u64 index = climb.dentry ? (__u64)count - 1 : count;
		struct ancestor *ancestor;

		barrier_var(index);
		if (index >= ANCESTORS)
			break;
		ancestor = &actor->ancestors[index];
		if (climb.dentry) {
			step_up(actor, &climb, &ancestor->executable);
			end = *(volatile __u16 *)&ancestor->executable.end;
			continue;
		}
		task = BPF_CORE_READ(task, real_parent);
		ancestor->pid = BPF_CORE_READ(task, tgid);
		if (!ancestor->pid)
			break;
		fill_comm(ancestor->comm, task);
		begin_climb(&climb, &ancestor->executable, executable_of(task), end);
		*(volatile __u32 *)&actor->ancestor_count = count + 1;
	}
	return 0;
}

static __noinline int fill_actor(struct actor *actor)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct mm_struct *mm = BPF_CORE_READ(task, mm);
	struct tty_struct *tty = BPF_CORE_READ(task, signal, tty);

	actor->pid = bpf_get_current_pid_tgid() >> 32;
	actor->ppid = BPF_CORE_READ(task, real_parent, tgid);
	actor->start = BPF_CORE_READ(task, group_leader, start_boottime);
	/* not cred: overlayfs writes to its layers as whoever mounted it (override_creds()) */
	actor->uid = BPF_CORE_READ(task, real_cred, uid.val);
	actor->euid = BPF_CORE_READ(task, real_cred, euid.val);
	actor->loginuid = bpf_core_field_exists(task->loginuid) ?
				  BPF_CORE_READ(task, loginuid.val) : 0xffffffff;
	actor->session = BPF_CORE_READ(task, signal,
				       pids[bpf_core_enum_value(enum pid_type, PIDTYPE_SID)],
				       numbers[0].nr);
	fill_comm(actor->comm, task);
	actor->tty[0] = 0;
	if (tty)
		bpf_probe_read_kernel_str(actor->tty, TTY_SIZE, &tty->name);
	actor->args_length = 0;
	if (mm) /* no kernel thread */
		fill_args(actor, mm);
	put_file_path(actor, &actor->executable, executable_of(task), 0);
	put_cgroup_path(actor, task, actor->executable.end);
	fill_ancestors(actor, task);
	return 0;
}

#endif
