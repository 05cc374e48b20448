/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hooks as fentry, fexit and tp_btf programs: the cheapest way. The kernel skips such a program
 * while a task of the same processor was preempted inside of it (docs/kernel.md).
 */
#ifndef BPFINK_TRAMPOLINES_BPF_H
#define BPFINK_TRAMPOLINES_BPF_H

#include "kernel.h"
#include "compat.bpf.h"
#include "hooks.bpf.h"
#include "opened.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The nth argument of a traced function. */
#define traced_argument(context, n) ((void *)context_word(context, (n) * 8))

SEC("fentry/generic_write_checks")
int BPF_PROG(fentry_write, struct kiocb *iocb)
{
	return on_write(TRAMPOLINE, iocb);
}

SEC("fexit/vfs_fallocate")
int BPF_PROG(fentry_fallocate, struct file *file)
{
	return on_range(TRAMPOLINE, file);
}

SEC("fexit/vfs_clone_file_range")
int BPF_PROG(fentry_clone_range, struct file *from, long long at, struct file *to)
{
	return on_range(TRAMPOLINE, to);
}

SEC("fexit/vfs_copy_file_range")
int BPF_PROG(fentry_copy_range, struct file *from, long long at, struct file *to)
{
	return on_range(TRAMPOLINE, to);
}

SEC("tp_btf/writeback_mark_inode_dirty")
int BPF_PROG(fentry_inode_dirty, struct inode *inode, int flags)
{
	return on_inode_dirty(TRAMPOLINE, inode, flags);
}

SEC("fentry/shmem_fault")
int BPF_PROG(fentry_shmem_fault, struct vm_fault *fault)
{
	return on_shmem_fault(TRAMPOLINE, fault);
}

SEC("fexit/notify_change")
int fentry_notify_change(__u64 *context)
{
	if (vfs_takes_idmap())
		return on_notify_change(TRAMPOLINE, traced_argument(context, 1), traced_argument(context, 2));
	return on_notify_change(TRAMPOLINE, traced_argument(context, 0), traced_argument(context, 1));
}

SEC("fentry/security_inode_post_setxattr")
int BPF_PROG(fentry_setxattr, struct dentry *dentry)
{
	return on_attributes(TRAMPOLINE, dentry);
}

SEC("fexit/vfs_removexattr")
int fentry_removexattr(__u64 *context)
{
	if (vfs_takes_idmap())
		return on_attributes(TRAMPOLINE, traced_argument(context, 1));
	return on_attributes(TRAMPOLINE, traced_argument(context, 0));
}

SEC("fexit/vfs_set_acl")
int BPF_PROG(fentry_set_acl, void *idmap, struct dentry *dentry)
{
	return on_attributes(TRAMPOLINE, dentry);
}

SEC("fexit/vfs_remove_acl")
int BPF_PROG(fentry_remove_acl, void *idmap, struct dentry *dentry)
{
	return on_attributes(TRAMPOLINE, dentry);
}

SEC("fexit/vfs_fileattr_set")
int BPF_PROG(fentry_fileattr_set, void *idmap, struct dentry *dentry)
{
	return on_attributes(TRAMPOLINE, dentry);
}

SEC("fentry/mnt_drop_write_file")
int BPF_PROG(fentry_drop_write, struct file *file)
{
	return on_drop_write(TRAMPOLINE, file);
}

SEC("fentry/security_mmap_file")
int BPF_PROG(fentry_mmap, struct file *file, unsigned long prot, unsigned long flags)
{
	return on_mmap(TRAMPOLINE, file, flags);
}

SEC("fentry/uprobe_munmap")
int BPF_PROG(fentry_munmap, struct vm_area_struct *vma)
{
	return on_munmap(TRAMPOLINE, vma);
}

SEC("fentry/__fput")
int BPF_PROG(fentry_fput, struct file *file)
{
	return on_fput(TRAMPOLINE, file);
}

SEC("fentry/security_d_instantiate")
int BPF_PROG(fentry_instantiate, struct dentry *dentry, struct inode *inode)
{
	return on_instantiate(TRAMPOLINE, dentry, inode);
}

SEC("fentry/d_delete")
int BPF_PROG(fentry_delete, struct dentry *dentry)
{
	return on_delete(TRAMPOLINE, dentry);
}

SEC("fentry/d_move")
int BPF_PROG(fentry_move, struct dentry *dentry, struct dentry *target)
{
	return on_move(TRAMPOLINE, dentry, target);
}

SEC("fentry/d_exchange")
int BPF_PROG(fentry_exchange, struct dentry *dentry, struct dentry *other)
{
	return on_exchange(TRAMPOLINE, dentry, other);
}

SEC("fentry/clear_inode")
int BPF_PROG(fentry_clear_inode, struct inode *inode)
{
	return on_clear_inode(TRAMPOLINE, inode);
}

SEC("fexit/path_mount")
int BPF_PROG(fentry_mount, const char *source, struct path *path)
{
	return on_mount_at(path);
}

SEC("fentry/security_move_mount")
int BPF_PROG(fentry_move_mount, struct path *from, struct path *to)
{
	return on_move_mount(from, to);
}

SEC("fentry/security_sb_umount")
int BPF_PROG(fentry_umount, struct vfsmount *mounted)
{
	return on_umount(mounted);
}

SEC("fentry/security_file_open")
int BPF_PROG(fentry_open, struct file *file)
{
	return on_open(TRAMPOLINE, file);
}

#endif
