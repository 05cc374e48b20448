/* Stores to a shared mapping of the file. */
#include "techniques.h"
#include <sys/mman.h>

static char *map(int protection)
{
	int fd = open_f(0);
	char *page = must_map(mmap(NULL, BLOCK, protection, MAP_SHARED, fd, 0));

	must(close(fd));
	return page;
}

static void store(char *page, const char *text)
{
	memcpy(page, text, strlen(text));
}

/* The end of the program takes the mapping and the open file away. */
static void mmap_store(void)
{
	int fd = open_f(0);

	store(must_map(mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0)), "two\n");
}

static void mmap_msync(void)
{
	char *page = map(PROT_READ | PROT_WRITE);

	store(page, "two\n");
	must(msync(page, BLOCK, MS_SYNC));
}

static void mmap_munmap(void)
{
	char *page = map(PROT_READ | PROT_WRITE);

	store(page, "two\n");
	must(munmap(page, BLOCK));
}

/* The mapping stays: no end of it, no msync(2), no close(2) tells of the store. */
static void mmap_kept(void)
{
	int fd = open_f(0);
	char *page = must_map(mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

	store(page, "two\n");
	pause_for_test();
}

static void mmap_after_close(void)
{
	char *page = map(PROT_READ | PROT_WRITE);

	store(page, "two\n");
	pause_for_test();
}

static void mmap_after_mprotect(void)
{
	char *page = map(PROT_READ);

	must(mprotect(page, BLOCK, PROT_READ | PROT_WRITE));
	store(page, "two\n");
	pause_for_test();
}

/* The second store meets a page that is dirty already: no hook fires. */
static void mmap_dirty(void)
{
	int fd = open_f(0);
	char *page = must_map(mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0));

	store(page, "two\n");
	pause_for_test();
	store(page, "six\n");
	pause_for_test();
}

static void mmap_dirty_after_close(void)
{
	char *page = map(PROT_READ | PROT_WRITE);

	store(page, "two\n");
	pause_for_test();
	store(page, "six\n");
	pause_for_test();
}

static void mmap_mremap(void)
{
	char *page = map(PROT_READ | PROT_WRITE);

	store(must_map(mremap(page, BLOCK, 2 * BLOCK, MREMAP_MAYMOVE)), "two\n");
}

static char *inherited;

static void store_inherited(void)
{
	store(inherited, "two\n");
}

static void mmap_by_child(void)
{
	inherited = map(PROT_READ | PROT_WRITE);
	in_child(store_inherited);
}

/* The kernel stores, for read(2). */
static void mmap_read_into(void)
{
	char *page = map(PROT_READ | PROT_WRITE);
	int ends[2];

	must(pipe(ends));
	put(ends[1], "two\n");
	must(read(ends[0], page, 4));
}

const struct technique mapping_techniques[] = {
	{ "mmap-store", mmap_store },
	{ "mmap-msync", mmap_msync },
	{ "mmap-munmap", mmap_munmap },
	{ "mmap-kept", mmap_kept },
	{ "mmap-after-close", mmap_after_close },
	{ "mmap-after-mprotect", mmap_after_mprotect },
	{ "mmap-dirty", mmap_dirty },
	{ "mmap-dirty-after-close", mmap_dirty_after_close },
	{ "mmap-mremap", mmap_mremap },
	{ "mmap-by-child", mmap_by_child },
	{ "mmap-read-into", mmap_read_into },
	{ NULL, NULL },
};
