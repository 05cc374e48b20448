/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What crosses from the kernel to user space, and nothing else. The decoder (src/source/decode.ts)
 * holds the same offsets; a unit test compares them with this object's BTF.
 */
#ifndef BPFINK_EVENT_H
#define BPFINK_EVENT_H

#define NAME_SIZE 256 /* NAME_MAX + 1 (limits.h) */
#define COMM_SIZE 16 /* TASK_COMM_LEN (linux/sched.h) */
#define TTY_SIZE 16 /* enough for the names of all drivers; tty_struct has 64 */
#define ARGS_SIZE 512
/* Executable, cgroup and ancestors: a login has some 300 bytes of them. A power of two. */
#define STRINGS_SIZE 1024
/* A command under sudo in a terminal of a remote login has seven. */
#define ANCESTORS 12

/* The same words, in the same order, as ChangeKind in src/event.ts. */
enum change_kind {
	CHANGE_WRITE = 0,
	CHANGE_CLOSE = 1,
	CHANGE_ATTRIBUTES = 2,
	CHANGE_BIRTH = 3,
	CHANGE_GONE = 4,
	CHANGE_RENAME = 5,
	CHANGE_DIRTY = 6,
	CHANGE_MOUNT = 7,
	CHANGE_FREED = 8, /* the record ends before the actor */
	CHANGE_STORE = 9,
	CHANGE_LOOKUP = 10,
};

enum path_state {
	PATH_WHOLE = 0,
	PATH_CUT = 1, /* the components nearest the root did not fit */
	PATH_NONE = 2, /* there is none: a kernel thread has no executable */
};

/* An inode, named the way the super block does: st_dev differs on btrfs and overlayfs. */
struct node {
	__u64 inode;
	__u32 device; /* super_block.s_dev: major << 20 | minor */
	__u32 generation; /* tells a reused inode number from the file that had it before */
};

/*
 * A path in actor.strings: components from the leaf to the root, each NUL-terminated. It begins where
 * the one before ends.
 */
struct path_span {
	__u16 end;
	__u16 state; /* enum path_state */
};

struct ancestor {
	__u32 pid;
	char comm[COMM_SIZE];
	struct path_span executable;
};

/* Who did it. */
struct actor {
	__u64 start; /* start of the process, CLOCK_BOOTTIME, ns */
	__u32 pid; /* thread group id: what user space calls the pid */
	__u32 ppid;
	__u32 uid;
	__u32 euid;
	__u32 loginuid; /* 4294967295: none */
	__u32 session; /* POSIX session id */
	__u32 args_length; /* bytes of argv in args; greater than ARGS_SIZE when it was cut */
	__u32 ancestor_count;
	char comm[COMM_SIZE]; /* of the thread group leader */
	char tty[TTY_SIZE]; /* of the session, "" for none: "pts0", "tty1" */
	struct path_span executable; /* in strings: first this, */
	struct path_span cgroup; /* then this, then the ancestors' */
	struct ancestor ancestors[ANCESTORS]; /* the parent first */
	char args[ARGS_SIZE]; /* NUL-separated argv */
	char strings[STRINGS_SIZE + NAME_SIZE]; /* the last component may pass STRINGS_SIZE */
};

/* What a hook on an inode reports: enough to know the file and who touched it. */
struct event {
	__u64 time; /* CLOCK_MONOTONIC, ns */
	struct node node; /* all 0: none */
	__u32 kind; /* enum change_kind */
	__u32 entries; /* how many follow: 0, or 1 or 2 in a struct entry_event */
	__u32 mount_namespace; /* of a mount: the one it is in (inode number, /proc/PID/ns/mnt); else 0 */
	__u32 unused;
	struct actor actor;
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

/* What the monitor asks by opening a file: whether it can be written in silence. */
struct opened {
	__u32 monitor; /* the process id whose main thread asks; the rest is the answer */
	__u32 writers; /* how often it is open for writing */
	__u32 mappings; /* shared mappings of it that may be written to */
	__u32 layered; /* on overlayfs: 1 until the open of the layer's file follows, which adds its own */
	struct node node; /* what was opened */
	struct node layer; /* on overlayfs: the inode of the layer; else all 0 */
};

/* The monitor, as user space knows it, and the answer. */
struct addressee {
	__u64 device; /* of its PID namespace: pid_namespaces(7) */
	__u64 inode;
	__u32 pid; /* process id there */
	__u32 tgid; /* the answer: its thread group id in the initial namespace; 0 until it is found */
};

enum sender {
	SENDER_PROCESS = 1,
	SENDER_KERNEL = 2, /* no actor: a terminal, a timer */
};

/* A signal that was sent to the monitor. */
struct sent_signal {
	__u32 sender; /* enum sender; 0: there is none */
	__u32 unused;
	struct actor actor;
};

#endif
