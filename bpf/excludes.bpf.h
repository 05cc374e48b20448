/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * Names that the user leaves out (--exclude), as far as the kernel can tell them: what is born under
 * one is neither watched nor told of. User space compares whole paths (src/watch/selection.ts). What it
 * would report must never be left out here, the other way round costs an event.
 */
#ifndef BPFINK_EXCLUDES_BPF_H
#define BPFINK_EXCLUDES_BPF_H

#include "kernel.h"
#include "event.h"
#include "watch.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>

#define SHAPES 8
#define PREFIX_SIZE 48
#define SUFFIX_SIZE 16

enum shape_kind {
	SHAPE_NONE = 0, /* nor any after it */
	SHAPE_NAME = 1, /* the whole name, in the prefix */
	SHAPE_STAR = 2, /* prefix*suffix, of these lengths */
};

/* What is compared of a name. */
struct shape {
	__u8 kind; /* enum shape_kind */
	__u8 prefix;
	__u8 suffix;
	__u8 unused;
};

struct {
	__uint(type, BPF_MAP_TYPE_ARRAY);
	__uint(max_entries, SHAPES);
	__type(key, __u32);
	__type(value, struct shape);
} shapes SEC(".maps");

/* What a name must have in common with the rule; what is not used is 0. */
struct excluded_name {
	__u32 shape; /* its number */
	char prefix[PREFIX_SIZE];
	char suffix[SUFFIX_SIZE];
};

struct {
	__uint(type, BPF_MAP_TYPE_HASH);
	__uint(max_entries, 512);
	__type(key, struct excluded_name);
	__type(value, __u32); /* in which scopes: a set of bits of watch.flags */
} excluded SEC(".maps");

/* Whether a name is left out in one of these scopes. */
static __noinline int is_excluded(struct dentry *dentry, __u32 scopes)
{
	const unsigned char *name = BPF_CORE_READ(dentry, d_name.name);
	__u64 length = BPF_CORE_READ(dentry, d_name.len);

#pragma clang loop unroll(disable)
	for (__u32 i = 0; i < SHAPES; i++) {
		struct excluded_name key = { .shape = i };
		struct shape *shape = bpf_map_lookup_elem(&shapes, &key.shape);
		__u64 prefix, suffix;
		__u32 *found;

		if (!shape || shape->kind == SHAPE_NONE)
			break;
		prefix = shape->kind == SHAPE_NAME ? length : shape->prefix;
		suffix = shape->suffix;
		if (prefix + suffix > length)
			continue;
		/* from the bound to the call in one register: see fill_args() */
		barrier_var(prefix);
		barrier_var(suffix);
		if (prefix > PREFIX_SIZE || suffix > SUFFIX_SIZE)
			continue;
		if (bpf_probe_read_kernel(key.prefix, prefix, name) ||
		    bpf_probe_read_kernel(key.suffix, suffix, name + length - suffix))
			continue;
		found = bpf_map_lookup_elem(&excluded, &key);
		if (found && (*found & scopes))
			return 1;
	}
	return 0;
}

/* Whether nobody wants to hear of a name that is born, or goes, in a watched directory. */
static __always_inline bool leaves_out(struct watch *directory, struct dentry *dentry)
{
	__u32 scopes = directory->flags & WATCH_SCOPES;

	return scopes && is_excluded(dentry, scopes);
}

#endif
