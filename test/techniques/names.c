/* Which file has the name: links, renames, deletions, births. */
#include "techniques.h"
#include <sys/stat.h>
#include <sys/sysmacros.h>

static void rename_over(void)
{
	make("new", "two\n");
	must(rename("new", "f"));
}

static void rename_to_new_name(void)
{
	must(rename("source", "f"));
}

static void rename_away(void)
{
	must(rename("f", "away"));
}

static void rename_noreplace(void)
{
	attempt(renameat2(AT_FDCWD, "source", AT_FDCWD, "f", RENAME_NOREPLACE));
}

static void rename_exchange(void)
{
	attempt(renameat2(AT_FDCWD, "f", AT_FDCWD, "source", RENAME_EXCHANGE));
}

/* Leaves a character device where the name was, as overlay does for a deleted file. */
static void rename_whiteout(void)
{
	attempt(renameat2(AT_FDCWD, "f", AT_FDCWD, "away", RENAME_WHITEOUT));
}

static void rename_ancestor(void)
{
	must(rename("d", "away"));
}

/* Another directory with another f takes the name of f's. */
static void rename_over_ancestor(void)
{
	must(rename("d", "away"));
	must(rename("e", "d"));
}

static void exchange_ancestors(void)
{
	attempt(renameat2(AT_FDCWD, "d", AT_FDCWD, "e", RENAME_EXCHANGE));
}

static void unlink_(void)
{
	must(unlink("f"));
}

static void unlink_and_create(void)
{
	must(unlink("f"));
	make("f", "two\n");
}

static void unlink_while_open(void)
{
	int fd = open_f(0);

	must(unlink("f"));
	pause_for_test();
	put(fd, "two\n");
}

static void link_(void)
{
	must(link("source", "f"));
}

static void unlink_and_link(void)
{
	must(unlink("f"));
	must(link("source", "f"));
}

static void create(void)
{
	make("f", "two\n");
}

/* A file that had no name is given one. */
static void link_tmpfile(void)
{
	int fd = attempt(open(".", O_TMPFILE | O_RDWR, 0644));

	put(fd, "two\n");
	must(linkat(fd, "", AT_FDCWD, "f", AT_EMPTY_PATH));
}

static void link_tmpfile_by_proc(void)
{
	int fd = attempt(open(".", O_TMPFILE | O_RDWR, 0644));
	char path[32];

	put(fd, "two\n");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	must(linkat(AT_FDCWD, path, AT_FDCWD, "f", AT_SYMLINK_FOLLOW));
}

static void symlink_(void)
{
	must(symlink("source", "f"));
}

/* The watched name is a symbolic link; another takes its place. */
static void symlink_swap(void)
{
	must(symlink("second", "new"));
	must(rename("new", "f"));
}

static void symlink_target_write(void)
{
	put(must(open("first", O_WRONLY)), "two\n");
}

static void symlink_swap_ancestor(void)
{
	must(symlink("e", "new"));
	must(rename("new", "link"));
}

static void mkdir_(void)
{
	must(mkdir("f", 0755));
}

static void mknod_(void)
{
	must(mknod("f", S_IFIFO | 0644, 0));
}

static void mknod_device(void)
{
	must(mknod("f", S_IFCHR | 0644, makedev(1, 3)));
}

static void rmdir_(void)
{
	must(rmdir("f"));
}

/* Directory and file, both waited for. */
static void create_tree(void)
{
	must(mkdir("d", 0755));
	make("d/f", "two\n");
}

/* A tree that is there already comes under the watched name. */
static void move_tree_in(void)
{
	must(rename("e", "d"));
}

const struct technique name_techniques[] = {
	{ "rename-over", rename_over },
	{ "rename-to-new-name", rename_to_new_name },
	{ "rename-away", rename_away },
	{ "rename-watched", rename_away },
	{ "rename-noreplace", rename_noreplace },
	{ "rename-exchange", rename_exchange },
	{ "rename-whiteout", rename_whiteout },
	{ "rename-ancestor", rename_ancestor },
	{ "rename-over-ancestor", rename_over_ancestor },
	{ "exchange-ancestors", exchange_ancestors },
	{ "unlink", unlink_ },
	{ "unlink-and-create", unlink_and_create },
	{ "unlink-while-open", unlink_while_open },
	{ "link", link_ },
	{ "unlink-and-link", unlink_and_link },
	{ "create", create },
	{ "link-tmpfile", link_tmpfile },
	{ "link-tmpfile-by-proc", link_tmpfile_by_proc },
	{ "symlink", symlink_ },
	{ "symlink-swap", symlink_swap },
	{ "symlink-target-write", symlink_target_write },
	{ "symlink-swap-ancestor", symlink_swap_ancestor },
	{ "mkdir", mkdir_ },
	{ "mknod", mknod_ },
	{ "mknod-device", mknod_device },
	{ "rmdir", rmdir_ },
	{ "create-tree", create_tree },
	{ "move-tree-in", move_tree_in },
	{ NULL, NULL },
};
