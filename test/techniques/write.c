/* Writes through a file descriptor, by every call there is and however the descriptor was come by. */
#include "techniques.h"
#include <pthread.h>
#include <sys/mount.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>

static int shared_fd;

static const struct iovec two[] = { { "tw", 2 }, { "o\n", 2 } };

static void write_(void)
{
	put(open_f(0), "two\n");
}

static void pwrite_(void)
{
	must(pwrite(open_f(0), "two\n", 4, 0));
}

static void writev_(void)
{
	must(writev(open_f(0), two, 2));
}

static void pwritev_(void)
{
	must(pwritev(open_f(0), two, 2, 0));
}

static void pwritev2_(void)
{
	must(pwritev2(open_f(0), two, 2, 0, RWF_DSYNC));
}

static void pwritev2_append(void)
{
	must(pwritev2(open_f(0), two, 2, 0, RWF_APPEND));
}

static void append(void)
{
	put(open_f(O_APPEND), "two\n");
}

static void write_sync(void)
{
	put(open_f(O_SYNC), "two\n");
}

/* The program goes on with the file open: nothing but the write itself tells of it. */
static void write_kept_open(void)
{
	put(open_f(0), "two\n");
	pause_for_test();
}

static void write_direct(void)
{
	int fd = attempt(open("f", O_RDWR | O_DIRECT));

	if (must(pwrite(fd, block_of('x'), BLOCK, BLOCK)) != BLOCK)
		exit(1);
}

static void *write_shared(void *unused)
{
	put(shared_fd, "two\n");
	return unused;
}

static void write_by_thread(void)
{
	pthread_t thread;

	shared_fd = open_f(0);
	must(-pthread_create(&thread, NULL, write_shared, NULL));
	must(-pthread_join(thread, NULL));
}

static void put_two(void)
{
	put(shared_fd, "two\n");
}

static void write_by_child(void)
{
	shared_fd = open_f(0);
	in_child(put_two);
}

static int sockets[2];

static void receive_and_write(void)
{
	char byte, control[CMSG_SPACE(sizeof(int))];
	struct iovec data = { &byte, 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = control, .msg_controllen = sizeof(control) };

	must(recvmsg(sockets[0], &message, 0));
	put(*(int *)CMSG_DATA(CMSG_FIRSTHDR(&message)), "two\n");
}

/* A descriptor sent through a socket to a process that never opened the file. */
static void write_by_receiver(void)
{
	union {
		struct cmsghdr header;
		char bytes[CMSG_SPACE(sizeof(int))];
	} control = { .header = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET, .cmsg_type = SCM_RIGHTS } };
	struct iovec data = { "", 1 };
	struct msghdr message = { .msg_iov = &data, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof(control) };
	pid_t child;
	int fd;

	must(socketpair(AF_UNIX, SOCK_STREAM, 0, sockets));
	child = must(fork());
	if (!child) {
		receive_and_write();
		exit(0);
	}
	actor_is(child);
	fd = open_f(0);
	memcpy(CMSG_DATA(&control.header), &fd, sizeof(fd));
	must(sendmsg(sockets[1], &message, 0));
	reap(child);
}

static void steal_and_write(void)
{
	int process = must(syscall(SYS_pidfd_open, getppid(), 0));

	put(attempt(syscall(SYS_pidfd_getfd, process, shared_fd, 0)), "two\n");
}

static void write_pidfd_getfd(void)
{
	shared_fd = open_f(0);
	in_child(steal_and_write);
}

static void write_to_link(const char *directory, int number)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%s/fd/%d", directory, number);
	put(must(open(path, O_WRONLY)), "two\n");
}

/* Opened for nothing at all first. */
static void write_proc_self_fd(void)
{
	write_to_link("self", must(open("f", O_PATH)));
}

static void write_to_parents(void)
{
	char parent[16];

	snprintf(parent, sizeof(parent), "%d", getppid());
	write_to_link(parent, shared_fd);
}

/* Another process's file, found below /proc. */
static void write_proc_pid_fd(void)
{
	shared_fd = must(open("f", O_RDONLY));
	in_child(write_to_parents);
}

static void write_to(const char *path)
{
	put(must(open(path, O_WRONLY)), "two\n");
}

static void write_hard_link(void)
{
	write_to("other/hard");
}

static void write_symlink(void)
{
	write_to("other/symbolic");
}

/* The path plays no part: the file is found by its handle. */
static void write_by_handle(void)
{
	struct {
		struct file_handle handle;
		char bytes[MAX_HANDLE_SZ];
	} file = { .handle = { .handle_bytes = MAX_HANDLE_SZ } };
	int mount, directory = must(open(".", O_RDONLY | O_DIRECTORY));

	attempt(name_to_handle_at(directory, "f", &file.handle, &mount, 0));
	put(must(open_by_handle_at(directory, &file.handle, O_WRONLY)), "two\n");
}

static void write_bind_mount(void)
{
	must(mount(".", "other", NULL, MS_BIND, NULL));
	write_to("other/f");
	must(umount2("other", MNT_DETACH));
}

const struct technique write_techniques[] = {
	{ "write", write_ },
	{ "pwrite", pwrite_ },
	{ "writev", writev_ },
	{ "pwritev", pwritev_ },
	{ "pwritev2", pwritev2_ },
	{ "pwritev2-append", pwritev2_append },
	{ "append", append },
	{ "write-sync", write_sync },
	{ "write-kept-open", write_kept_open },
	{ "write-direct", write_direct },
	{ "write-by-thread", write_by_thread },
	{ "write-by-child", write_by_child },
	{ "write-by-receiver", write_by_receiver },
	{ "write-pidfd-getfd", write_pidfd_getfd },
	{ "write-proc-self-fd", write_proc_self_fd },
	{ "write-proc-pid-fd", write_proc_pid_fd },
	{ "write-hard-link", write_hard_link },
	{ "write-symlink", write_symlink },
	{ "write-by-handle", write_by_handle },
	{ "write-bind-mount", write_bind_mount },
	{ NULL, NULL },
};
