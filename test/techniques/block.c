/* Below the file system: block devices on top of the file, and the one under it. */
#include "techniques.h"
#include <linux/fiemap.h>
#include <linux/fs.h>
#include <linux/loop.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

/* A loop device over f, which goes with its last user. */
static int loop_over_f(unsigned flags)
{
	struct loop_config config = { .fd = open_f(0), .info.lo_flags = flags | LO_FLAGS_AUTOCLEAR };
	char path[32];
	int number, loop;

	number = attempt(ioctl(must(open("/dev/loop-control", O_RDWR)), LOOP_CTL_GET_FREE));
	snprintf(path, sizeof(path), "/dev/loop%d", number);
	loop = must(open(path, O_RDWR));
	attempt(ioctl(loop, LOOP_CONFIGURE, &config));
	must(close(config.fd));
	return loop;
}

static void write_to_loop(unsigned flags)
{
	int loop = loop_over_f(flags);

	if (must(pwrite(loop, block_of('x'), BLOCK, BLOCK)) != BLOCK)
		exit(1);
	must(fsync(loop));
	pause_for_test(); /* with the file still open for writing, by the device */
}

static void loop_write(void)
{
	write_to_loop(0);
}

static void loop_write_direct(void)
{
	write_to_loop(LO_FLAGS_DIRECT_IO);
}

/* A discard of the device is a hole in the file. */
static void loop_discard(void)
{
	__u64 range[2] = { BLOCK, BLOCK };
	int loop = loop_over_f(0);

	attempt(ioctl(loop, BLKDISCARD, range));
	pause_for_test();
}

/*
 * The block of the file, written on the disk: no call knows the file. The page that the cache has of
 * it is dropped, for else nobody would read the new content.
 */
static void block_device(void)
{
	struct {
		struct fiemap map;
		struct fiemap_extent extent;
	} found = { .map = { .fm_length = BLOCK, .fm_flags = FIEMAP_FLAG_SYNC, .fm_extent_count = 1 } };
	int fd = must(open("f", O_RDONLY));
	struct stat stat;
	char path[32];
	int disk;

	must(fstat(fd, &stat));
	if (!major(stat.st_dev))
		unsupported("no disk below", EINVAL);
	attempt(ioctl(fd, FS_IOC_FIEMAP, &found));
	if (found.map.fm_mapped_extents != 1 || found.extent.fe_flags & ~FIEMAP_EXTENT_LAST)
		unsupported("no block of its own", EINVAL);
	snprintf(path, sizeof(path), "/dev/block/%u:%u", major(stat.st_dev), minor(stat.st_dev));
	disk = open(path, O_RDWR | O_DIRECT | O_SYNC);
	if (disk < 0) { /* no udev here */
		must(mknod("disk", S_IFBLK | 0600, stat.st_dev));
		disk = must(open("disk", O_RDWR | O_DIRECT | O_SYNC));
		must(unlink("disk"));
	}
	if (must(pwrite(disk, block_of('x'), BLOCK, found.extent.fe_physical)) != BLOCK)
		exit(1);
	must(-posix_fadvise(fd, 0, 0, POSIX_FADV_DONTNEED));
}

const struct technique block_techniques[] = {
	{ "loop-write", loop_write },
	{ "loop-write-direct", loop_write_direct },
	{ "loop-discard", loop_discard },
	{ "block-device", block_device },
	{ NULL, NULL },
};
