/* Changes of a file's size or of its extents. */
#include "techniques.h"
#include <linux/falloc.h>
#include <linux/openat2.h>

static void open_truncate(void)
{
	open_f(O_TRUNC);
}

static void openat2_truncate(void)
{
	struct open_how how = { .flags = O_WRONLY | O_TRUNC, .resolve = RESOLVE_BENEATH };

	attempt(syscall(SYS_openat2, AT_FDCWD, "f", &how, sizeof(how)));
}

static void creat_(void)
{
	put(must(creat("f", 0644)), "two\n");
}

static void truncate_(void)
{
	must(truncate("f", 2));
}

static void truncate_extend(void)
{
	must(truncate("f", 6));
}

static void ftruncate_(void)
{
	must(ftruncate(open_f(0), 2));
}

static void ftruncate_extend(void)
{
	must(ftruncate(open_f(0), 6));
}

static void allocate(int mode, long from, long length)
{
	attempt(fallocate(open_f(0), mode, from, length));
}

static void fallocate_extend(void)
{
	allocate(0, 0, 6);
}

/* Blocks past the end: the content stays, nothing is to be reported. */
static void fallocate_keep_size(void)
{
	allocate(FALLOC_FL_KEEP_SIZE, 0, 4L * BLOCK);
}

static void punch_hole(void)
{
	allocate(FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, BLOCK, BLOCK);
}

static void zero_range(void)
{
	allocate(FALLOC_FL_ZERO_RANGE, BLOCK, BLOCK);
}

static void collapse_range(void)
{
	allocate(FALLOC_FL_COLLAPSE_RANGE, BLOCK, BLOCK);
}

static void insert_range(void)
{
	allocate(FALLOC_FL_INSERT_RANGE, BLOCK, BLOCK);
}

const struct technique resize_techniques[] = {
	{ "open-truncate", open_truncate },
	{ "openat2-truncate", openat2_truncate },
	{ "creat", creat_ },
	{ "truncate", truncate_ },
	{ "truncate-extend", truncate_extend },
	{ "ftruncate", ftruncate_ },
	{ "ftruncate-extend", ftruncate_extend },
	{ "fallocate-extend", fallocate_extend },
	{ "fallocate-keep-size", fallocate_keep_size },
	{ "punch-hole", punch_hole },
	{ "zero-range", zero_range },
	{ "collapse-range", collapse_range },
	{ "insert-range", insert_range },
	{ NULL, NULL },
};
