// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * bpfink's kernel half. Each hook asks the watch map whether anybody cares, and if so sends one
 * record through the ring: what happened, to which inode or directory entry, and who did it.
 *
 *   security_file_permission  before  every write through the VFS, io_uring included
 *   file_update_time          before  first store to a clean page of a mapping
 *   notify_change             after   truncate, chmod, chown, utimes
 *   __fput                    after   the last close of a writer
 *   security_d_instantiate    after   a name is born (before it is visible)
 *   d_delete                  after   a name is gone
 *   d_move, d_exchange        after   a name was moved, or replaced another
 *
 * The programs of processes.bpf.h are loaded without these, beside fanotify.
 *
 * "before" and "after" are about the file system; the dentry follows within microseconds. Hence
 * user space looks again after a short quiet time (src/watch/dispatch.ts).
 */
#include "kernel.h"
#include "event.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>
#include "compat.bpf.h"
#include "watch.bpf.h"
#include "actor.bpf.h"
#include "processes.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* bytes: some 2,000 events while user space is away */
} ring SEC(".maps");

/* Records that found no room in the ring. */
struct {
	__uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
	__uint(max_entries, 1);
	__type(key, __u32);
	__type(value, __u64);
} lost SEC(".maps");

/* Keeps the records' types in the object's BTF. */
const struct entry_event *types_for_btf __attribute__((unused));

static __always_inline void count_lost(void)
{
	__u32 zero = 0;
	__u64 *count = bpf_map_lookup_elem(&lost, &zero);

	if (count)
		__sync_fetch_and_add(count, 1);
}

static __always_inline void fill_event(struct event *event, __u32 kind, struct inode *inode,
				       __u32 entries)
{
	event->time = bpf_ktime_get_ns();
	event->kind = kind;
	event->entries = entries;
	fill_node(&event->node, inode);
	fill_actor(event);
}

static __always_inline void report_node(__u32 kind, struct inode *inode)
{
	struct watch *watch = find_watch(inode, WATCH_FILE);
	struct event *event;

	if (!watch || (kind == CHANGE_WRITE && repeats(watch)))
		return;
	if (kind == CHANGE_CLOSE)
		watch->writer = 0; /* what comes next is not the same write */
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return count_lost();
	fill_event(event, kind, inode, 0);
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void fill_entry(struct entry *entry, struct dentry *dentry)
{
	fill_node(&entry->directory, BPF_CORE_READ(dentry, d_parent, d_inode));
	if (bpf_probe_read_kernel_str(entry->name, NAME_SIZE, BPF_CORE_READ(dentry, d_name.name)) < 0)
		entry->name[0] = 0;
}

static __always_inline bool entry_watched(struct dentry *dentry)
{
	return find_watch(BPF_CORE_READ(dentry, d_parent, d_inode), WATCH_DIRECTORY);
}

/* other is NULL, or the second dentry of a rename. inode is that of dentry. */
static __always_inline void report_entries(__u32 kind, struct dentry *dentry, struct inode *inode,
					   struct dentry *other)
{
	struct entry_event *event;

	if (!entry_watched(dentry) && !(other && entry_watched(other)) &&
	    !find_watch(inode, WATCH_FILE) &&
	    !(other && find_watch(BPF_CORE_READ(other, d_inode), WATCH_FILE)))
		return;
	event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);
	if (!event)
		return count_lost();
	fill_event(&event->event, kind, inode, other ? 2 : 1);
	fill_entry(&event->entry[0], dentry);
	if (other)
		fill_entry(&event->entry[1], other);
	bpf_ringbuf_submit(event, 0);
}

SEC("fentry/security_file_permission")
int BPF_PROG(file_permission, struct file *file, int mask)
{
	if (mask & MAY_WRITE)
		report_node(CHANGE_WRITE, BPF_CORE_READ(file, f_inode));
	return 0;
}

SEC("fentry/file_update_time")
int BPF_PROG(file_update_time, struct file *file)
{
	report_node(CHANGE_WRITE, BPF_CORE_READ(file, f_inode));
	return 0;
}

SEC("fexit/notify_change")
int notify_change(__u64 *context)
{
	struct dentry *dentry;
	struct iattr *attr;
	__u32 kind;

	if (vfs_takes_idmap()) {
		dentry = (void *)context_word(context, 1);
		attr = (void *)context_word(context, 2);
	} else {
		dentry = (void *)context_word(context, 0);
		attr = (void *)context_word(context, 1);
	}
	/* a new size is like a write: O_TRUNC is half of a save, and the other half follows */
	kind = BPF_CORE_READ(attr, ia_valid) & ATTR_SIZE ? CHANGE_WRITE : CHANGE_ATTRIBUTES;
	report_node(kind, BPF_CORE_READ(dentry, d_inode));
	return 0;
}

SEC("fentry/__fput")
int BPF_PROG(fput, struct file *file)
{
	if (BPF_CORE_READ(file, f_mode) & FMODE_WRITE)
		report_node(CHANGE_CLOSE, BPF_CORE_READ(file, f_inode));
	return 0;
}

SEC("fentry/security_d_instantiate")
int BPF_PROG(d_instantiate, struct dentry *dentry, struct inode *inode)
{
	if (!inode)
		return 0;
	inherit(BPF_CORE_READ(dentry, d_parent, d_inode), inode);
	report_entries(CHANGE_BIRTH, dentry, inode, NULL);
	return 0;
}

SEC("fentry/d_delete")
int BPF_PROG(d_delete, struct dentry *dentry)
{
	report_entries(CHANGE_GONE, dentry, BPF_CORE_READ(dentry, d_inode), NULL);
	return 0;
}

SEC("fentry/d_move")
int BPF_PROG(d_move, struct dentry *dentry, struct dentry *target)
{
	report_entries(CHANGE_RENAME, dentry, BPF_CORE_READ(dentry, d_inode), target);
	return 0;
}

SEC("fentry/d_exchange")
int BPF_PROG(d_exchange, struct dentry *dentry, struct dentry *other)
{
	report_entries(CHANGE_RENAME, dentry, BPF_CORE_READ(dentry, d_inode), other);
	return 0;
}
