/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The kernel's types, as far as bpfink reads them. libbpf moves every access to where the running
 * kernel has the field (CO-RE), so neither order nor size matters here, only names.
 */
#ifndef BPFINK_KERNEL_H
#define BPFINK_KERNEL_H

#include <linux/bpf.h>
#include <asm/ptrace.h>
#include <stdbool.h>
#include <stddef.h>

#define CORE __attribute__((preserve_access_index))

#define EEXIST 17 /* asm-generic/errno-base.h */
#define FMODE_WRITE 0x2 /* linux/fs.h */
#define ATTR_SIZE (1 << 3) /* linux/fs.h */
#define S_IFMT 0170000 /* linux/stat.h */
#define S_IFREG 0100000
#define S_IFDIR 0040000
#define SB_ACTIVE (1 << 30) /* linux/fs.h */
#define VM_SHARED 0x8 /* linux/mm.h */
#define VM_MAYWRITE 0x20
#define MAP_TYPE 0xf /* linux/mman.h */
#define MAP_SHARED 0x1
#define MAP_SHARED_VALIDATE 0x3

#define SEND_SIG_NOINFO ((struct kernel_siginfo *)0) /* linux/sched/signal.h */
#define SEND_SIG_PRIV ((struct kernel_siginfo *)1)

#define OVERLAYFS_SUPER_MAGIC 0x794c7630 /* linux/magic.h */
#define PROC_SUPER_MAGIC 0x9fa0

typedef struct {
	int counter;
} CORE atomic_t;

struct address_space {
	atomic_t i_mmap_writable;
} CORE;

struct super_block {
	__u32 s_dev;
	unsigned long s_flags;
	unsigned long s_magic;
} CORE;

struct inode {
	__u16 i_mode;
	__u64 i_ino;
	__u32 i_generation;
	unsigned long i_state;
	unsigned int i_nlink;
	atomic_t i_writecount;
	struct address_space *i_mapping;
	struct super_block *i_sb;
} CORE;

struct iattr {
	unsigned int ia_valid;
} CORE;

struct qstr {
	__u32 len;
	const unsigned char *name;
} CORE;

struct dentry {
	__u32 d_flags;
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
} CORE;

struct vfsmount {
	struct dentry *mnt_root;
} CORE;

struct ns_common {
	__u32 inum;
} CORE;

struct mnt_namespace {
	struct ns_common ns;
} CORE;

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct mnt_namespace *mnt_ns;
	struct vfsmount mnt;
} CORE;

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
} CORE;

struct file {
	__u32 f_mode;
	struct inode *f_inode;
	struct path f_path;
} CORE;

struct kiocb {
	struct file *ki_filp;
} CORE;

struct vm_area_struct {
	unsigned long vm_flags;
	struct file *vm_file;
} CORE;

struct vm_fault {
	struct vm_area_struct *vma;
} CORE;

struct mm_struct {
	struct file *exe_file;
	unsigned long arg_start;
	unsigned long arg_end;
} CORE;

typedef struct {
	__u32 val;
} kuid_t;

struct cred {
	kuid_t uid;
	kuid_t euid;
} CORE;

struct upid {
	int nr;
} CORE;

struct pid {
	struct upid numbers[1];
} CORE;

enum pid_type { PIDTYPE_SID = 3 }; /* linux/pid.h; the number is taken from the kernel's BTF */

struct tty_struct {
	char name[64];
} CORE;

struct signal_struct {
	struct pid *pids[4];
	struct tty_struct *tty;
} CORE;

struct kernfs_node {
	const char *name;
} CORE;

struct cgroup {
	struct kernfs_node *kn;
} CORE;

struct cgroup_subsys_state {
	struct cgroup *cgroup;
} CORE;

enum cgroup_subsys_id { pids_cgrp_id = 1 }; /* the number is taken from the kernel's BTF */

struct css_set {
	struct cgroup_subsys_state *subsys[1];
	struct cgroup *dfl_cgrp;
} CORE;

struct kernel_siginfo {
	int si_code;
} CORE;

struct task_struct {
	int pid; /* of the thread */
	int tgid; /* of the process */
	__u64 start_boottime;
	kuid_t loginuid;
	const struct cred *real_cred;
	struct mm_struct *mm;
	struct signal_struct *signal;
	struct css_set *cgroups;
	struct task_struct *real_parent;
	struct task_struct *group_leader;
	char comm[16];
} CORE;

#endif
