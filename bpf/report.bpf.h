/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/* From a hook to the ring: one record for what somebody watches. */
#ifndef BPFINK_REPORT_BPF_H
#define BPFINK_REPORT_BPF_H

#include "kernel.h"
#include "event.h"
#include "watch.bpf.h"
#include "excludes.bpf.h"
#include "actor.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

struct {
	__uint(type, BPF_MAP_TYPE_RINGBUF);
	__uint(max_entries, 4 << 20); /* bytes: some 1,700 events while user space is away */
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
	event->mount_namespace = 0;
	event->unused = 0;
	fill_node(&event->node, inode);
	fill_actor(&event->actor);
}

static __always_inline void send_event(__u32 kind, struct inode *inode)
{
	struct event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event)
		return count_lost();
	fill_event(event, kind, inode, 0);
	bpf_ringbuf_submit(event, 0);
}

/*
 * An inode whose number the next file may get is watched no more. Where there is no room to say so the
 * watch stays: user space believes in it, and would not make it anew.
 */
static __always_inline void report_freed(enum form form, struct inode *inode)
{
	struct watch_key key;
	struct event *event;

	fill_key(form, &key, inode);
	if (!find_key(&key))
		return;
	event = bpf_ringbuf_reserve(&ring, offsetof(struct event, actor), 0);
	if (!event)
		return count_lost();
	event->time = bpf_ktime_get_ns();
	event->kind = CHANGE_FREED;
	event->entries = 0;
	fill_node(&event->node, inode);
	bpf_map_delete_elem(&watches, &key);
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void report_node(enum form form, __u32 kind, struct inode *inode)
{
	struct watch *watch = find_watch(form, inode, WATCH_FILE);

	if (!watch || ((kind == CHANGE_WRITE || kind == CHANGE_STORE || kind == CHANGE_DIRTY) && repeats(watch, kind)))
		return;
	if (kind == CHANGE_CLOSE)
		watch->writer = 0; /* what comes next is not the same write */
	send_event(kind, inode);
}

static __always_inline void fill_entry(struct entry *entry, struct dentry *dentry)
{
	fill_node(&entry->directory, BPF_CORE_READ(dentry, d_parent, d_inode));
	if (bpf_probe_read_kernel_str(entry->name, NAME_SIZE, BPF_CORE_READ(dentry, d_name.name)) < 0)
		entry->name[0] = 0;
}

static __always_inline bool names_one(__u32 kind)
{
	return kind == CHANGE_BIRTH || kind == CHANGE_GONE || kind == CHANGE_LOOKUP;
}

/* Whether anybody watches the entry's directory, and the name in it, or the inode that it names. */
static __always_inline bool entry_watched(enum form form, __u32 kind, struct dentry *dentry, struct inode *inode)
{
	struct watch *directory = find_watch(form, READ(form, dentry, d_parent, d_inode), WATCH_DIRECTORY);

	/* of a rename both names are told, whichever counts */
	if (directory && !(names_one(kind) && leaves_out(directory, dentry)))
		return true;
	return find_watch(form, inode, WATCH_FILE);
}

/* other is NULL, or the second dentry of a rename. inode is that of dentry. */
static __always_inline void send_entries(__u32 kind, struct dentry *dentry, struct inode *inode,
					 struct dentry *other, __u32 mount_namespace)
{
	struct entry_event *event = bpf_ringbuf_reserve(&ring, sizeof(*event), 0);

	if (!event)
		return count_lost();
	fill_event(&event->event, kind, inode, other ? 2 : 1);
	event->event.mount_namespace = mount_namespace;
	fill_entry(&event->entry[0], dentry);
	if (other)
		fill_entry(&event->entry[1], other);
	bpf_ringbuf_submit(event, 0);
}

static __always_inline void report_entries(enum form form, __u32 kind, struct dentry *dentry,
					   struct inode *inode, struct dentry *other)
{
	if (entry_watched(form, kind, dentry, inode) ||
	    (other && entry_watched(form, kind, other, READ(form, other, d_inode))))
		send_entries(kind, dentry, inode, other, 0);
}

#endif
