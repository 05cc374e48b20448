/* What is said of the file beside its content. */
#include "techniques.h"
#include <linux/fs.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#define SYS_fchmodat2 452 /* 6.6 */
#define SYS_setxattrat 463 /* 6.13 */
#define SYS_file_setattr 469 /* 6.17 */

#define ACL "system.posix_acl_access"

/* include/uapi/linux/posix_acl_xattr.h; a user and the mask beside the three that each file has */
static const struct {
	__le32 version;
	struct {
		__le16 tag, permissions;
		__le32 id;
	} entries[5];
} acl = { 2, { { 1, 6, -1 }, { 2, 6, 65534 }, { 4, 4, -1 }, { 0x10, 6, -1 }, { 0x20, 4, -1 } } };

/* linux/capability.h: struct vfs_cap_data, revision 2, effective, cap_net_raw */
static const __le32 capabilities[5] = { 0x02000001, 1 << 13 };

static void chmod_(void)
{
	must(chmod("f", 0600));
}

static void fchmod_(void)
{
	must(fchmod(open_f(0), 0600));
}

static void fchmodat2_(void)
{
	attempt(syscall(SYS_fchmodat2, AT_FDCWD, "f", 0600, 0));
}

static void chown_(void)
{
	must(chown("f", 65534, 65534));
}

static void fchown_(void)
{
	must(fchown(open_f(0), 65534, 65534));
}

static void fchownat_(void)
{
	must(fchownat(AT_FDCWD, "f", 65534, 65534, AT_SYMLINK_NOFOLLOW));
}

/* Times alone are not reported. */
static void utimensat_(void)
{
	struct timespec times[2] = { { 1, 0 }, { 1, 0 } };

	must(utimensat(AT_FDCWD, "f", times, 0));
}

/* A write by a user who may not keep the setuid bit. */
static void write_strips_setuid(void)
{
	int fd = open_f(0);

	must(setresuid(65534, 65534, 65534));
	put(fd, "two\n");
}

static void setxattr_(void)
{
	attempt(setxattr("f", "trusted.bpfink", "two", 3, 0));
}

static void fsetxattr_(void)
{
	attempt(fsetxattr(open_f(0), "trusted.bpfink", "two", 3, 0));
}

static void setxattr_user(void)
{
	attempt(setxattr("f", "user.bpfink", "two", 3, 0));
}

static void setxattrat_(void)
{
	struct {
		__u64 value;
		__u32 size, flags;
	} arguments = { (long)"two", 3, 0 };

	attempt(syscall(SYS_setxattrat, AT_FDCWD, "f", 0, "trusted.bpfink", &arguments, sizeof(arguments)));
}

static void removexattr_(void)
{
	must(removexattr("f", "trusted.bpfink"));
}

static void acl_set(void)
{
	attempt(setxattr("f", ACL, &acl, sizeof(acl), 0));
}

static void acl_remove(void)
{
	must(removexattr("f", ACL));
}

static void capabilities_set(void)
{
	attempt(setxattr("f", "security.capability", capabilities, sizeof(capabilities), 0));
}

static void capabilities_remove(void)
{
	must(removexattr("f", "security.capability"));
}

/* The kernel takes capabilities away from a file that is written to. */
static void write_strips_capabilities(void)
{
	put(open_f(0), "two\n");
}

/* As chattr(1) opens it: its close tells nobody of a change. */
static int open_f_to_read(void)
{
	return must(open("f", O_RDONLY | O_NONBLOCK | O_NOFOLLOW));
}

/* chattr +d */
static void chattr(void)
{
	int fd = open_f_to_read();
	int flags;

	attempt(ioctl(fd, FS_IOC_GETFLAGS, &flags));
	flags |= FS_NODUMP_FL;
	attempt(ioctl(fd, FS_IOC_SETFLAGS, &flags));
}

static void set_extended_flags(unsigned extended)
{
	int fd = open_f_to_read();
	struct fsxattr attributes;

	attempt(ioctl(fd, FS_IOC_FSGETXATTR, &attributes));
	attributes.fsx_xflags |= extended;
	attempt(ioctl(fd, FS_IOC_FSSETXATTR, &attributes));
}

static void fssetxattr(void)
{
	set_extended_flags(FS_XFLAG_NODUMP);
}

static void file_setattr_(void)
{
	struct {
		__u64 xflags;
		__u32 extsize, nextents, projid, cowextsize;
	} attributes = { .xflags = FS_XFLAG_NODUMP };

	attempt(syscall(SYS_file_setattr, AT_FDCWD, "f", &attributes, sizeof(attributes), 0));
}

const struct technique attribute_techniques[] = {
	{ "chmod", chmod_ },
	{ "fchmod", fchmod_ },
	{ "fchmodat2", fchmodat2_ },
	{ "chown", chown_ },
	{ "fchown", fchown_ },
	{ "fchownat", fchownat_ },
	{ "utimensat", utimensat_ },
	{ "write-strips-setuid", write_strips_setuid },
	{ "setxattr", setxattr_ },
	{ "fsetxattr", fsetxattr_ },
	{ "setxattr-user", setxattr_user },
	{ "setxattrat", setxattrat_ },
	{ "removexattr", removexattr_ },
	{ "acl-set", acl_set },
	{ "acl-remove", acl_remove },
	{ "capabilities-set", capabilities_set },
	{ "capabilities-remove", capabilities_remove },
	{ "write-strips-capabilities", write_strips_capabilities },
	{ "chattr", chattr },
	{ "fssetxattr", fssetxattr },
	{ "file-setattr", file_setattr_ },
	{ NULL, NULL },
};
