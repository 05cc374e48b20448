/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Facts of processes, kept from birth on. Only for kernels that refuse the other programs: there
 * fanotify tells of a change after the fact, with a process id that may belong to nobody by then.
 *
 *   sched_process_fork  a process is born: what it shares with its parent
 *   sched_process_exec  it becomes another program
 */
#ifndef BPFINK_PROCESSES_BPF_H
#define BPFINK_PROCESSES_BPF_H

#include "kernel.h"
#include "event.h"
#include "actor.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* By process id; the kernel drops the one not used for longest. */
struct {
	__uint(type, BPF_MAP_TYPE_LRU_HASH);
	__uint(max_entries, 4096);
	__type(key, __u32);
	__type(value, struct actor);
} processes SEC(".maps");

/* Too big for the stack. One for each program: on one CPU they may interrupt each other. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 2);
	__type(key, __u32);
	__type(value, struct actor);
} scratch SEC(".maps");

/* current is the parent, and its memory was just copied. */
SEC("tp_btf/sched_process_fork")
int BPF_PROG(fentry_process_fork, struct task_struct *parent, struct task_struct *child)
{
	__u32 slot = 0, pid = BPF_CORE_READ(child, tgid);
	struct actor *actor = bpf_map_lookup_elem(&scratch, &slot);

	if (!actor || pid != BPF_CORE_READ(child, pid)) /* a thread, no process */
		return 0;
	fill_actor(actor);
	actor->ppid = actor->pid;
	actor->pid = pid;
	actor->start = BPF_CORE_READ(child, start_boottime);
	bpf_map_update_elem(&processes, &pid, actor, BPF_ANY);
	return 0;
}

/* current has its new memory, arguments included. */
SEC("tp_btf/sched_process_exec")
int BPF_PROG(fentry_process_exec, struct task_struct *task)
{
	__u32 slot = 1, pid = BPF_CORE_READ(task, tgid);
	struct actor *actor = bpf_map_lookup_elem(&scratch, &slot);

	if (!actor)
		return 0;
	fill_actor(actor);
	bpf_map_update_elem(&processes, &pid, actor, BPF_ANY);
	return 0;
}

#endif
