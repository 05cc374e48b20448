/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* Whether a file can be written in silence: an answer to the monitor's own open(2) of it. */
#ifndef BPFINK_OPENED_BPF_H
#define BPFINK_OPENED_BPF_H

#include "kernel.h"
#include "event.h"
#include "watch.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, struct opened);
} opened SEC(".maps");

/* Negative: writing, or mapping so, is denied to all. */
static __always_inline __u32 positive(int count)
{
	return count > 0 ? count : 0;
}

/* An open on overlayfs is followed by the open of the file in the layer, which is what mappings are of. */
static __always_inline int on_open(struct file *file)
{
	__u32 zero = 0, writers, mappings;
	struct opened *answer = bpf_map_lookup_elem(&opened, &zero);
	struct inode *inode;

	if (!answer || (__u32)bpf_get_current_pid_tgid() != answer->monitor)
		return 0;
	inode = BPF_CORE_READ(file, f_inode);
	writers = positive(BPF_CORE_READ(inode, i_writecount.counter));
	mappings = positive(BPF_CORE_READ(inode, i_mapping, i_mmap_writable.counter));
	if (answer->layered) {
		answer->layered = 0;
		answer->writers += writers;
		answer->mappings += mappings;
		fill_node(&answer->layer, inode);
		return 0;
	}
	answer->layered = BPF_CORE_READ(inode, i_sb, s_magic) == OVERLAYFS_SUPER_MAGIC &&
			  (BPF_CORE_READ(inode, i_mode) & S_IFMT) == S_IFREG;
	answer->writers = writers;
	answer->mappings = mappings;
	fill_node(&answer->node, inode);
	fill_node(&answer->layer, NULL);
	return 0;
}

#endif
