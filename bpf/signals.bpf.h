/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Who sends the monitor a signal, noted before the signal arrives.
 *
 *   signal_generate  a signal is sent: current is the sender, the target's siglock is held
 */
#ifndef BPFINK_SIGNALS_BPF_H
#define BPFINK_SIGNALS_BPF_H

#include "kernel.h"
#include "event.h"
#include "actor.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include <bpf/bpf_core_read.h>

/* The monitor: one entry. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct addressee);
} addressee SEC(".maps");

/* By number: the first of its kind that user space has not taken yet. */
struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 32); /* the signals that are not queued: signal(7) */
	__type(key, __u32);
	__type(value, struct sent_signal);
} signals SEC(".maps");

/* Finds the thread group id that the rest of the kernel knows the monitor by, in a signal to itself. */
static __always_inline void find_addressee(struct addressee *monitor)
{
	struct bpf_pidns_info own = {};

	if (bpf_get_ns_current_pid_tgid(monitor->device, monitor->inode, &own, sizeof(own)) == 0 &&
	    own.tgid == monitor->pid)
		monitor->tgid = bpf_get_current_pid_tgid() >> 32;
}

SEC("tp_btf/signal_generate")
int BPF_PROG(fentry_signal_generate, int number, struct kernel_siginfo *info, struct task_struct *task)
{
	__u32 zero = 0, index = number;
	struct addressee *monitor = bpf_map_lookup_elem(&addressee, &zero);
	struct sent_signal *sent;

	if (!monitor)
		return 0;
	if (!monitor->tgid)
		find_addressee(monitor);
	if (!monitor->tgid || (__u32)BPF_CORE_READ(task, tgid) != monitor->tgid)
		return 0;
	sent = bpf_map_lookup_elem(&signals, &index);
	if (!sent || sent->sender)
		return 0;
	/* SEND_SIG_NOINFO and SEND_SIG_PRIV are no pointers; of the others, the kernel's own codes are positive */
	if (info == SEND_SIG_PRIV || (info != SEND_SIG_NOINFO && BPF_CORE_READ(info, si_code) > 0)) {
		sent->sender = SENDER_KERNEL;
		return 0;
	}
	fill_actor(&sent->actor);
	sent->sender = SENDER_PROCESS;
	return 0;
}

#endif
