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
	task = BPF_CORE_READ(task, group_leader);
	bpf_core_read(comm, COMM_SIZE, &task->comm);
}

static __always_inline struct file *executable_of(struct task_struct *task)
{
	struct mm_struct *mm = BPF_CORE_READ(task, mm);

	return mm ? BPF_CORE_READ(mm, exe_file) : NULL;
}

/* For all ancestors together: each component, the root. A remote login with sudo takes so many. */
#define ANCESTOR_STEPS 28

/* Where the programs of the ancestors are, for as long as their paths are not known. */
struct ancestry {
	struct place programs[ANCESTORS + 1];
};

static __noinline int find_ancestors(struct actor *actor, struct ancestry *ancestry, struct task_struct *task)
{
	actor->ancestor_count = 0;
#pragma clang loop unroll(disable)
	for (int i = 0; i < ANCESTORS; i++) {
		struct ancestor *ancestor = &actor->ancestors[i];

		task = BPF_CORE_READ(task, real_parent);
		ancestor->pid = BPF_CORE_READ(task, tgid);
		if (!ancestor->pid)
			break;
		fill_comm(ancestor->comm, task);
		ancestor->executable = (struct path_span){ .state = PATH_CUT };
		ancestry->programs[i] = place_of(executable_of(task));
		KEEP(actor->ancestor_count) = i + 1;
	}
	return 0;
}

/* In one loop, not one within another, which the verifier would have to go through as often as their product says. */
static __noinline int put_ancestor_paths(struct actor *actor, struct ancestry *ancestry)
{
	struct place place = ancestry->programs[0];
	__u64 index = 0, end = actor->cgroup.end;

#pragma clang loop unroll(disable)
	for (int i = 0; i < ANCESTOR_STEPS; i++) {
		struct ancestor *ancestor;
		__u64 done;

		/* behind a barrier: 5.10 loses the bound of anything else */
		barrier_var(index);
		if (index >= ANCESTORS || index >= KEEP(actor->ancestor_count) || end >= STRINGS_SIZE)
			break;
		ancestor = &actor->ancestors[index];
		step_up(actor, &place, &ancestor->executable, end);
		end = KEEP(ancestor->executable.end);
		done = if_same(place.dentry, NULL);
		place.dentry = choose(done, ancestry->programs[index + 1].dentry, place.dentry);
		place.mount = choose(done, ancestry->programs[index + 1].mount, place.mount);
		index += done & 1;
	}
	return 0;
}

static __always_inline void fill_ancestors(struct actor *actor, struct task_struct *task)
{
	/* in the place of the arguments, which come later, and may be shorter */
	struct ancestry *ancestry = (void *)actor->args;

	_Static_assert(sizeof(*ancestry) <= ARGS_SIZE, "no room");
	find_ancestors(actor, ancestry, task);
	put_ancestor_paths(actor, ancestry);
	__builtin_memset(ancestry, 0, sizeof(*ancestry));
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
	put_file_path(actor, &actor->executable, executable_of(task));
	put_cgroup_path(actor, task, actor->executable.end);
	fill_ancestors(actor, task);
	actor->args_length = 0;
	if (mm) /* no kernel thread */
		fill_args(actor, mm);
	return 0;
}

#endif
