/* Writers whose view of the system is another: other roots, mounts, users, processes. */
#include "techniques.h"
#include <sched.h>
#include <sys/mount.h>
#include <sys/wait.h>

static void chroot_(void)
{
	must(chroot("."));
	put(must(open("/f", O_WRONLY)), "two\n");
}

static void unshare_mounts(void)
{
	must(unshare(CLONE_NEWNS));
	must(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL));
}

/* Through a bind mount that no other process has. */
static void mount_namespace(void)
{
	unshare_mounts();
	must(mount(".", "other", NULL, MS_BIND, NULL));
	put(must(open("other/f", O_WRONLY)), "two\n");
}

/* Covers the file for itself alone: for everybody else, bpfink included, nothing has changed. */
static void mount_namespace_cover(void)
{
	unshare_mounts();
	must(mount("source", "f", NULL, MS_BIND, NULL));
}

/* What was covered in the namespace is written to by the program, there. */
static void mount_namespace_covered_write(void)
{
	int fd = open_f(0);

	unshare_mounts();
	must(mount("source", "f", NULL, MS_BIND, NULL));
	put(fd, "two\n");
}

/* root of a user namespace, who is nobody outside. */
static void user_namespace(void)
{
	int ready[2], mapped[2];
	pid_t child;
	char byte, path[32];

	must(pipe(ready));
	must(pipe(mapped));
	child = must(fork());
	if (!child) {
		must(unshare(CLONE_NEWUSER));
		put(ready[1], "x");
		must(read(mapped[0], &byte, 1));
		must(setresgid(0, 0, 0));
		must(setresuid(0, 0, 0));
		put(open_f(0), "two\n");
		exit(0);
	}
	actor_is(child);
	must(read(ready[0], &byte, 1));
	snprintf(path, sizeof(path), "/proc/%d/uid_map", child);
	put(must(open(path, O_WRONLY)), "0 65534 1");
	snprintf(path, sizeof(path), "/proc/%d/gid_map", child);
	put(must(open(path, O_WRONLY)), "0 65534 1");
	put(mapped[1], "x");
	reap(child);
}

static void write_two(void)
{
	put(open_f(0), "two\n");
}

/* Process 1 of a namespace; lines have the id that the host gives it. */
static void pid_namespace(void)
{
	must(unshare(CLONE_NEWPID));
	in_child(write_two);
}

const struct technique namespace_techniques[] = {
	{ "chroot", chroot_ },
	{ "mount-namespace", mount_namespace },
	{ "mount-namespace-cover", mount_namespace_cover },
	{ "mount-namespace-covered-write", mount_namespace_covered_write },
	{ "user-namespace", user_namespace },
	{ "pid-namespace", pid_namespace },
	{ NULL, NULL },
};
