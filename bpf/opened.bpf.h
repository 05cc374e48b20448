/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether a file can be written in silence: who opens it so, and an answer to the monitor's own open(2) of it. */
#ifndef BPFINK_OPENED_BPF_H
#define BPFINK_OPENED_BPF_H

#include "kernel.h"
#include "event.h"
#include "watch.bpf.h"
#include "report.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(map_flags, BPF_F_MMAPABLE);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opened);
} opened SEC(".maps");

/* Negative: writing, or mapping so, is denied to all. */
static __always_inline __u32 positive(int count)
{
	return count > 0 ? count : 0;
}

/*
 * An open on overlayfs is followed by the open of the file in the layer, which is what mappings are of. What the
 * monitor asks about keeps its answer when its garbage collector opens /proc/self/statm, as it does at any time.
 */
static __always_inline void answer_open(struct opened *answer, struct inode *inode)
{
	unsigned long magic = BPF_CORE_READ(inode, i_sb, s_magic);
	__u32 writers, mappings;

	if (magic == PROC_SUPER_MAGIC && answer->node.inode)
		return;
	writers = positive(BPF_CORE_READ(inode, i_writecount.counter));
	mappings = positive(BPF_CORE_READ(inode, i_mapping, i_mmap_writable.counter));
	if (answer->layered) {
		answer->layered = 0;
		answer->writers += writers;
		answer->mappings += mappings;
		fill_node(&answer->layer, inode);
		return;
	}
	answer->layered = magic == OVERLAYFS_SUPER_MAGIC && (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG;
	answer->writers = writers;
	answer->mappings = mappings;
	fill_node(&answer->node, inode);
	fill_node(&answer->layer, NULL);
}

/*
 * Before a file is open. Who opens it to write need not call anything to write to it, as a loop device
 * does not: the look that follows finds how long it is so.
 */
static __always_inline int on_open(enum form form, struct file *file)
{
	__u32 zero = 0;
	struct opened *answer = bpf_map_lookup_elem(&opened, &zero);
	struct inode *inode = READ(form, file, f_inode);

	if (answer && (__u32)bpf_get_current_pid_tgid() == answer->monitor)
		answer_open(answer, inode);
	else if (READ(form, file, f_mode) & FMODE_WRITE)
		report_node(form, CHANGE_DIRTY, inode);
	return 0;
}

#endif
