/*
 * What is reached by the path: mounts over the file or a directory above it. Each is taken away
 * again once the test has seen it, for mounts outlive the program.
 */
#include "techniques.h"
#include <sys/mount.h>


static void cover(const char *source, const char *target, const char *type, unsigned long flags)
{
	must(mount(source, target, type, flags, NULL));
	pause_for_test();
	must(umount2(target, MNT_DETACH));
	pause_for_test();
}

static void bind_over_file(void)
{
	cover("source", "f", NULL, MS_BIND);
}

static void bind_over_directory(void)
{
	cover("e", "d", NULL, MS_BIND);
}

static void tmpfs_over_directory(void)
{
	cover("tmpfs", "d", "tmpfs", 0);
}

/* The new interface: a detached copy of a mount is attached. */
static void move_mount_over_file(void)
{
	int tree = attempt(syscall(SYS_open_tree, AT_FDCWD, "source", OPEN_TREE_CLONE));

	must(syscall(SYS_move_mount, tree, "", AT_FDCWD, "f", MOVE_MOUNT_F_EMPTY_PATH));
	pause_for_test();
	must(umount2("f", MNT_DETACH));
	pause_for_test();
}

/* A mount that is elsewhere is moved over the file's directory, as mount --move does; not within a shared mount. */
static void move_over_directory(void)
{
	must(mount("e", "e", NULL, MS_BIND, NULL));
	must(mount("e", "d", NULL, MS_MOVE, NULL));
	pause_for_test();
	must(umount2("d", MNT_DETACH));
	pause_for_test();
}

/* The file is in a mount that goes. */
static void umount_(void)
{
	must(umount2("d", 0));
}

static void umount_detached(void)
{
	int fd = must(open("d/f", O_RDWR));

	must(umount2("d", MNT_DETACH));
	put(fd, "two\n"); /* of a file that has no path any more */
}

static void remount_read_only(void)
{
	must(mount("d", "d", NULL, MS_BIND, NULL));
	must(mount(NULL, "d", NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL));
	pause_for_test();
	must(umount2("d", MNT_DETACH));
}

const struct technique mount_techniques[] = {
	{ "bind-over-file", bind_over_file },
	{ "bind-over-directory", bind_over_directory },
	{ "tmpfs-over-directory", tmpfs_over_directory },
	{ "tmpfs-over-ancestor", tmpfs_over_directory },
	{ "move-mount-over-file", move_mount_over_file },
	{ "mount-move-over-directory", move_over_directory },
	{ "umount", umount_ },
	{ "umount-detached", umount_detached },
	{ "remount-read-only", remount_read_only },
	{ NULL, NULL },
};
