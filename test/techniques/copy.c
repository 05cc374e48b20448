/* Content that the kernel moves from one file, pipe or extent to another. */
#include "techniques.h"
#include <linux/fs.h>
#include <linux/types.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/uio.h>

/* fs/ext4/ext4.h: struct move_extent; fs/ext4/ioctl.c */
struct move_extent {
	__u32 reserved;
	__u32 donor_fd;
	__u64 orig_start;
	__u64 donor_start;
	__u64 len;
	__u64 moved_len;
};
#define EXT4_IOC_MOVE_EXT _IOWR('f', 15, struct move_extent)
#define EXT4_IOC_SWAP_BOOT _IO('f', 17)

static int source(void)
{
	return must(open("source", O_RDWR));
}

static void sendfile_(void)
{
	must(sendfile(open_f(0), source(), NULL, 4));
}

static void splice_(void)
{
	int ends[2];

	must(pipe(ends));
	put(ends[1], "two\n");
	must(splice(ends[0], NULL, open_f(0), NULL, 4, 0));
}

static void vmsplice_(void)
{
	struct iovec two = { "two\n", 4 };
	int ends[2];

	must(pipe(ends));
	must(vmsplice(ends[1], &two, 1, 0));
	must(splice(ends[0], NULL, open_f(0), NULL, 4, 0));
}

static void copy_file_range_(void)
{
	if (attempt(syscall(SYS_copy_file_range, source(), NULL, open_f(0), NULL, 4, 0)) != 4)
		exit(1);
}

static void ficlone(void)
{
	attempt(ioctl(open_f(0), FICLONE, source()));
}

static void ficlonerange(void)
{
	struct file_clone_range range = { .src_fd = source(), .src_length = BLOCK, .dest_offset = BLOCK };

	attempt(ioctl(open_f(0), FICLONERANGE, &range));
}

/* Extents are shared, the content stays: nothing is to be reported. */
static void fideduperange(void)
{
	struct {
		struct file_dedupe_range range;
		struct file_dedupe_range_info info;
	} same = { .range = { .src_length = BLOCK, .dest_count = 1 }, .info = { .dest_fd = open_f(0) } };

	attempt(ioctl(source(), FIDEDUPERANGE, &same));
	if (same.info.status < 0) {
		errno = -same.info.status;
		attempt(-1);
	}
	if (same.info.status != FILE_DEDUPE_RANGE_SAME)
		exit(1);
}

/* Exchanges the content with the boot loader's inode, from which what another run left there is taken before. */
static void ext4_swap_boot(void)
{
	attempt(ioctl(must(open("left", O_RDWR | O_CREAT, 0600)), EXT4_IOC_SWAP_BOOT));
	attempt(ioctl(open_f(0), EXT4_IOC_SWAP_BOOT));
}

/* f is the donor: it is left with the extents that the other file had. */
static void ext4_move_extent(void)
{
	struct move_extent move = { .donor_fd = open_f(0), .len = 1 };

	attempt(ioctl(source(), EXT4_IOC_MOVE_EXT, &move));
	if (move.moved_len != 1)
		exit(1);
}

const struct technique copy_techniques[] = {
	{ "sendfile", sendfile_ },
	{ "splice", splice_ },
	{ "vmsplice", vmsplice_ },
	{ "copy-file-range", copy_file_range_ },
	{ "ficlone", ficlone },
	{ "ficlonerange", ficlonerange },
	{ "fideduperange", fideduperange },
	{ "ext4-swap-boot", ext4_swap_boot },
	{ "ext4-move-extent", ext4_move_extent },
	{ NULL, NULL },
};
