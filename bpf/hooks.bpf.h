/* SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause */
/*
 * What each hook does, whatever way it is attached (trampolines.bpf.h, probes.bpf.h). "Before" and
 * "after" are about the file system; as probes all run before, at the entry of the function. The
 * dentry follows within microseconds. Hence user space looks again after a short quiet time
 * (src/watch/dispatch.ts).
 */
#ifndef BPFINK_HOOKS_BPF_H
#define BPFINK_HOOKS_BPF_H

#include "kernel.h"
#include "compat.bpf.h"
#include "event.h"
#include "watch.bpf.h"
#include "excludes.bpf.h"
#include "report.bpf.h"

/*
 * Before a file system writes to a regular file or a block device, whoever asks: system calls, io_uring,
 * loop devices, the kernel itself. Reads, pipes and sockets never come here.
 */
static __always_inline int on_write(enum form form, struct kiocb *iocb)
{
	report_node(form, CHANGE_WRITE, READ(form, iocb, ki_filp, f_inode));
	return 0;
}

/* Around what changes content without being a write: fallocate(2), FICLONE, copy_file_range(2). */
static __always_inline int on_range(enum form form, struct file *file)
{
	report_node(form, CHANGE_WRITE, READ(form, file, f_inode));
	return 0;
}

/*
 * When pages become dirty: by a process that stores to a clean page of a mapping, or writes, which was
 * told before; or by the kernel, of which nobody knows for whom. Reading a file, which sets its access time, has other
 * flags.
 */
static __always_inline int on_inode_dirty(enum form form, struct inode *inode, int flags)
{
	struct task_struct *task;

	/* asked first whether it is watched: every write comes here, and whose it is takes two calls */
	if (!((__u32)flags & dirty_data_flags()) ||
	    (READ(form, inode, i_mode) & S_IFMT) != S_IFREG || !find_watch(form, inode, WATCH_FILE))
		return 0;
	task = (void *)bpf_get_current_task();
	report_node(form, BPF_CORE_READ(task, mm) ? CHANGE_STORE : CHANGE_DIRTY, inode);
	return 0;
}

/* Before the first store to a page of a mapping on tmpfs, which no other hook tells of. */
static __always_inline int on_shmem_fault(enum form form, struct vm_fault *fault)
{
	struct vm_area_struct *vma = READ(form, fault, vma);

	if (is_write_fault(fault) && (READ(form, vma, vm_flags) & VM_SHARED))
		report_node(form, CHANGE_STORE, READ(form, vma, vm_file, f_inode));
	return 0;
}

/* After truncate, chmod, chown, utimes; also dropped setuid bits. */
static __always_inline int on_notify_change(enum form form, struct dentry *dentry, struct iattr *attr)
{
	/* a new size is like a write: O_TRUNC is half of a save, and the other half follows */
	__u32 kind = READ(form, attr, ia_valid) & ATTR_SIZE ? CHANGE_WRITE : CHANGE_ATTRIBUTES;

	report_node(form, kind, READ(form, dentry, d_inode));
	return 0;
}

/* After a change of extended attributes, ACLs, or the flags of chattr. */
static __always_inline int on_attributes(enum form form, struct dentry *dentry)
{
	report_node(form, CHANGE_ATTRIBUTES, READ(form, dentry, d_inode));
	return 0;
}

/* After an ioctl that changes the file: chattr, and exchange of contents. After fchmod and the like, too. */
static __always_inline int on_drop_write(enum form form, struct file *file)
{
	report_node(form, CHANGE_ATTRIBUTES, READ(form, file, f_inode));
	return 0;
}

/* Before a mapping is made through which the file can be written in silence. */
static __always_inline int on_mmap(enum form form, struct file *file, unsigned long flags)
{
	unsigned long type = flags & MAP_TYPE;

	if (file && (type == MAP_SHARED || type == MAP_SHARED_VALIDATE) &&
	    (READ(form, file, f_mode) & FMODE_WRITE))
		report_node(form, CHANGE_DIRTY, READ(form, file, f_inode));
	return 0;
}

/* When such a mapping goes away. */
static __always_inline int on_munmap(enum form form, struct vm_area_struct *vma)
{
	unsigned long both = VM_SHARED | VM_MAYWRITE;

	if ((READ(form, vma, vm_flags) & both) == both && READ(form, vma, vm_file))
		report_node(form, CHANGE_DIRTY, READ(form, vma, vm_file, f_inode));
	return 0;
}

/* After the last close of a writer. */
static __always_inline int on_fput(enum form form, struct file *file)
{
	if (READ(form, file, f_mode) & FMODE_WRITE)
		report_node(form, CHANGE_CLOSE, READ(form, file, f_inode));
	return 0;
}

/* An inode gets a name in a directory, perhaps one in which such are watched. */
static __always_inline void watch_member(enum form form, struct dentry *dentry, struct inode *inode)
{
	struct watch *directory = find_watch(form, READ(form, dentry, d_parent, d_inode), WATCH_INHERIT);

	if (directory && !leaves_out(directory, dentry) && !inherit(form, directory, inode))
		count_lost(); /* what happens to it until user space watches it */
}

/*
 * After a name is born, before anybody can see it. Or when somebody looks up a name that the cache does not have:
 * that changes nothing, but may make the inode known, or make it known by another number.
 */
static __always_inline int on_instantiate(enum form form, struct dentry *dentry, struct inode *inode)
{
	bool is_lookup = READ(form, dentry, d_flags) & in_lookup_flag();

	if (!inode || (is_lookup && find_watch(form, inode, WATCH_FILE)))
		return 0;
	watch_member(form, dentry, inode);
	report_entries(form, is_lookup ? CHANGE_LOOKUP : CHANGE_BIRTH, dentry, inode, NULL);
	return 0;
}

/* After a name is gone. */
static __always_inline int on_delete(enum form form, struct dentry *dentry)
{
	report_entries(form, CHANGE_GONE, dentry, READ(form, dentry, d_inode), NULL);
	return 0;
}

/* After two names were exchanged. */
static __always_inline int on_exchange(enum form form, struct dentry *dentry, struct dentry *other)
{
	report_entries(form, CHANGE_RENAME, dentry, READ(form, dentry, d_inode), other);
	return 0;
}

/* After a file was moved from one name to another: to others it is born there. */
static __always_inline int on_move(enum form form, struct dentry *dentry, struct dentry *other)
{
	watch_member(form, other, READ(form, dentry, d_inode));
	return on_exchange(form, dentry, other);
}

/* Before an inode is freed: of a file that has no name any more, or when its file system goes. */
static __always_inline int on_clear_inode(enum form form, struct inode *inode)
{
	if (!READ(form, inode, i_nlink) || !(READ(form, inode, i_sb, s_flags) & SB_ACTIVE))
		report_freed(form, inode);
	return 0;
}

static __always_inline struct mount *mount_of(struct vfsmount *mounted)
{
	return (void *)mounted - bpf_core_field_offset(struct mount, mnt);
}

#define MOUNTS_ON_ONE_PLACE 8

/* Where in a directory something is mounted, when the path leads to what is mounted there already. */
static __always_inline struct dentry *mount_point(struct vfsmount *mounted, struct dentry *dentry)
{
	struct mount *mount = mount_of(mounted);

#pragma clang loop unroll(disable)
	for (int i = 0; i < MOUNTS_ON_ONE_PLACE; i++) {
		struct mount *above = BPF_CORE_READ(mount, mnt_parent);

		if (dentry != BPF_CORE_READ(mount, mnt.mnt_root) || above == mount)
			break;
		dentry = BPF_CORE_READ(mount, mnt_mountpoint);
		mount = above;
	}
	return dentry;
}

/* When something is mounted at, moved to or unmounted from a name in a watched directory, in whatever namespace. */
static __always_inline int on_mount(struct vfsmount *mounted, struct dentry *dentry)
{
	struct dentry *point = mount_point(mounted, dentry);
	struct inode *inode = BPF_CORE_READ(point, d_inode);

	/* PROBE in both forms: the verifier knows nothing of what was read on the way */
	if (entry_watched(PROBE, CHANGE_MOUNT, point, inode))
		send_entries(CHANGE_MOUNT, point, inode, NULL,
			     BPF_CORE_READ(mount_of(mounted), mnt_ns, ns.inum));
	return 0;
}

static __always_inline int on_mount_at(struct path *path)
{
	return on_mount(BPF_CORE_READ(path, mnt), BPF_CORE_READ(path, dentry));
}

/* What is mounted at one path is moved to another. */
static __always_inline int on_move_mount(struct path *from, struct path *to)
{
	on_mount_at(from);
	return on_mount_at(to);
}

static __always_inline int on_umount(struct vfsmount *mounted)
{
	return on_mount(mounted, BPF_CORE_READ(mounted, mnt_root));
}

#endif
