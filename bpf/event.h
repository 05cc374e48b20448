/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What crosses from the kernel to user space, and nothing else. The decoder (src/source/decode.ts)
 * holds the same offsets; a unit test compares them with this object's BTF.
 */
#ifndef BPFINK_EVENT_H
#define BPFINK_EVENT_H

#define NAME_SIZE 256 /* NAME_MAX + 1 (limits.h) */
#define COMM_SIZE 16 /* TASK_COMM_LEN (linux/sched.h) */
#define EXECUTABLE_SIZE 512
#define ARGS_SIZE 512

/* The same words, in the same order, as ChangeKind in src/event.ts. */
enum change_kind {
	CHANGE_WRITE = 0,
	CHANGE_CLOSE = 1,
	CHANGE_ATTRIBUTES = 2,
	CHANGE_BIRTH = 3,
	CHANGE_GONE = 4,
	CHANGE_RENAME = 5,
};

/* An inode, named the way the super block does: st_dev differs on btrfs and overlayfs. */
struct node {
	__u64 inode;
	__u32 device; /* super_block.s_dev: major << 20 | minor */
	__u32 generation; /* tells a reused inode number from the file that had it before */
};

/* What a hook on an inode reports: enough to know the file and who touched it. */
struct event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	__u64 start; /* start of the process, CLOCK_BOOTTIME, ns */
	struct node node;
	__u32 kind; /* enum change_kind */
	__u32 entries; /* how many follow: 0, or 1 or 2 in a struct entry_event */
	__u32 pid; /* thread group id: what user space calls the pid */
	__u32 ppid;
	__u32 uid;
	__u32 euid;
	__u32 loginuid; /* 4294967295: none */
	__u32 session; /* POSIX session id */
	__u32 args_length; /* bytes of argv in args; greater than ARGS_SIZE when it was cut */
	__u32 executable_length; /* bytes used in executable */
	__u32 executable_cut; /* 1: the components nearest the root did not fit */
	char comm[COMM_SIZE]; /* of the thread group leader */
	char args[ARGS_SIZE]; /* NUL-separated argv */
	/* Path components from the leaf to the root, each NUL-terminated; the last may pass the size. */
	char executable[EXECUTABLE_SIZE + NAME_SIZE];
};

struct entry {
	struct node directory;
	char name[NAME_SIZE]; /* NUL-terminated */
};

/* What a hook on directory entries reports: a rename has two. */
struct entry_event {
	struct event event;
	struct entry entry[2];
};

#endif
