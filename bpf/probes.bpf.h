/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * The hooks as kprobes and raw tracepoints, all at the entry of the function. For kernels that have
 * no trampolines, and for preemptible ones, where these lose nothing: they run with preemption off.
 */
#ifndef BPFINK_PROBES_BPF_H
#define BPFINK_PROBES_BPF_H

#include "kernel.h"
#include "compat.bpf.h"
#include "hooks.bpf.h"
#include "opened.bpf.h"
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_tracing.h>

/* The first three arguments of a probed function; offsets by libbpf's names for the registers. */
#define probed_argument(context, n) \
	((void *)context_word(context, offsetof(struct pt_regs, __PT_PARM##n##_REG)))

SEC("kprobe/generic_write_checks")
int BPF_KPROBE(kprobe_write, struct kiocb *iocb)
{
	return on_write(PROBE, iocb);
}

SEC("kprobe/vfs_fallocate")
int BPF_KPROBE(kprobe_fallocate, struct file *file)
{
	return on_range(PROBE, file);
}

SEC("kprobe/vfs_clone_file_range")
int BPF_KPROBE(kprobe_clone_range, struct file *from, long long at, struct file *to)
{
	return on_range(PROBE, to);
}

SEC("kprobe/vfs_copy_file_range")
int BPF_KPROBE(kprobe_copy_range, struct file *from, long long at, struct file *to)
{
	return on_range(PROBE, to);
}

SEC("raw_tp/writeback_mark_inode_dirty")
int BPF_PROG(kprobe_inode_dirty, struct inode *inode, int flags)
{
	return on_inode_dirty(PROBE, inode, flags);
}

SEC("kprobe/shmem_fault")
int BPF_KPROBE(kprobe_shmem_fault, struct vm_fault *fault)
{
	return on_shmem_fault(PROBE, fault);
}

SEC("kprobe/notify_change")
int kprobe_notify_change(struct pt_regs *context)
{
	if (vfs_takes_idmap())
		return on_notify_change(PROBE, probed_argument(context, 2), probed_argument(context, 3));
	return on_notify_change(PROBE, probed_argument(context, 1), probed_argument(context, 2));
}

SEC("kprobe/security_inode_post_setxattr")
int BPF_KPROBE(kprobe_setxattr, struct dentry *dentry)
{
	return on_attributes(PROBE, dentry);
}

SEC("kprobe/vfs_removexattr")
int kprobe_removexattr(struct pt_regs *context)
{
	if (vfs_takes_idmap())
		return on_attributes(PROBE, probed_argument(context, 2));
	return on_attributes(PROBE, probed_argument(context, 1));
}

SEC("kprobe/vfs_set_acl")
int BPF_KPROBE(kprobe_set_acl, void *idmap, struct dentry *dentry)
{
	return on_attributes(PROBE, dentry);
}

SEC("kprobe/vfs_remove_acl")
int BPF_KPROBE(kprobe_remove_acl, void *idmap, struct dentry *dentry)
{
	return on_attributes(PROBE, dentry);
}

SEC("kprobe/vfs_fileattr_set")
int BPF_KPROBE(kprobe_fileattr_set, void *idmap, struct dentry *dentry)
{
	return on_attributes(PROBE, dentry);
}

SEC("kprobe/mnt_drop_write_file")
int BPF_KPROBE(kprobe_drop_write, struct file *file)
{
	return on_drop_write(PROBE, file);
}

SEC("kprobe/security_mmap_file")
int BPF_KPROBE(kprobe_mmap, struct file *file, unsigned long prot, unsigned long flags)
{
	return on_mmap(PROBE, file, flags);
}

SEC("kprobe/uprobe_munmap")
int BPF_KPROBE(kprobe_munmap, struct vm_area_struct *vma)
{
	return on_munmap(PROBE, vma);
}

SEC("kprobe/__fput")
int BPF_KPROBE(kprobe_fput, struct file *file)
{
	return on_fput(PROBE, file);
}

SEC("kprobe/security_d_instantiate")
int BPF_KPROBE(kprobe_instantiate, struct dentry *dentry, struct inode *inode)
{
	return on_instantiate(PROBE, dentry, inode);
}

SEC("kprobe/d_delete")
int BPF_KPROBE(kprobe_delete, struct dentry *dentry)
{
	return on_delete(PROBE, dentry);
}

SEC("kprobe/d_move")
int BPF_KPROBE(kprobe_move, struct dentry *dentry, struct dentry *target)
{
	return on_move(PROBE, dentry, target);
}

SEC("kprobe/d_exchange")
int BPF_KPROBE(kprobe_exchange, struct dentry *dentry, struct dentry *other)
{
	return on_exchange(PROBE, dentry, other);
}

SEC("kprobe/clear_inode")
int BPF_KPROBE(kprobe_clear_inode, struct inode *inode)
{
	return on_clear_inode(PROBE, inode);
}

SEC("kprobe/path_mount")
int BPF_KPROBE(kprobe_mount, const char *source, struct path *path)
{
	return on_mount_at(path);
}

SEC("kprobe/security_move_mount")
int BPF_KPROBE(kprobe_move_mount, struct path *from, struct path *to)
{
	return on_move_mount(from, to);
}

SEC("kprobe/security_sb_umount")
int BPF_KPROBE(kprobe_umount, struct vfsmount *mounted)
{
	return on_umount(mounted);
}

SEC("kprobe/security_file_open")
int BPF_KPROBE(kprobe_open, struct file *file)
{
	return on_open(PROBE, file);
}

#endif
