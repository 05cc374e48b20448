/* io_uring, by its system calls: its requests go past the functions behind write(2), rename(2) and so on. */
#include "techniques.h"
#include <linux/fs.h>
#include <linux/io_uring.h>
#include <sys/mman.h>
#include <sys/uio.h>

/* include/uapi/linux/io_uring.h of 6.9 */
#define OP_FTRUNCATE 55
/* of 5.19 */
#define OP_FSETXATTR 41
#define OP_SETXATTR 42

struct ring {
	int fd;
	unsigned flags;
	unsigned *submit_tail, *submit_flags, *complete_head, *complete_tail;
	struct io_uring_sqe *entry;
	struct io_uring_cqe *completions;
};

static struct ring open_ring(unsigned flags)
{
	struct io_uring_params p = { .flags = flags, .sq_thread_idle = 1000 };
	struct ring ring = { .fd = attempt(syscall(SYS_io_uring_setup, 1, &p)), .flags = flags };
	char *submit, *complete;

	submit = must_map(mmap(NULL, p.sq_off.array + 4, PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQ_RING));
	complete = must_map(mmap(NULL, p.cq_off.cqes + p.cq_entries * sizeof(*ring.completions), PROT_READ | PROT_WRITE,
				 MAP_SHARED, ring.fd, IORING_OFF_CQ_RING));
	ring.entry = must_map(mmap(NULL, sizeof(*ring.entry), PROT_READ | PROT_WRITE, MAP_SHARED, ring.fd, IORING_OFF_SQES));
	ring.submit_tail = (void *)(submit + p.sq_off.tail);
	ring.submit_flags = (void *)(submit + p.sq_off.flags);
	ring.complete_head = (void *)(complete + p.cq_off.head);
	ring.complete_tail = (void *)(complete + p.cq_off.tail);
	ring.completions = (void *)(complete + p.cq_off.cqes);
	*(unsigned *)(submit + p.sq_off.array) = 0;
	return ring;
}

/* Submits one request and waits for its result. */
static int result_of(struct ring *ring, const struct io_uring_sqe *request)
{
	*ring->entry = *request;
	__atomic_store_n(ring->submit_tail, *ring->submit_tail + 1, __ATOMIC_RELEASE);
	if (ring->flags & IORING_SETUP_SQPOLL) {
		__atomic_thread_fence(__ATOMIC_SEQ_CST);
		if (__atomic_load_n(ring->submit_flags, __ATOMIC_RELAXED) & IORING_SQ_NEED_WAKEUP)
			must(syscall(SYS_io_uring_enter, ring->fd, 1, 0, IORING_ENTER_SQ_WAKEUP, NULL, 0));
		must(syscall(SYS_io_uring_enter, ring->fd, 0, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	} else {
		must(syscall(SYS_io_uring_enter, ring->fd, 1, 1, IORING_ENTER_GETEVENTS, NULL, 0));
	}
	if (__atomic_load_n(ring->complete_tail, __ATOMIC_ACQUIRE) == *ring->complete_head) {
		fprintf(stderr, "io_uring: no completion\n");
		exit(1);
	}
	return ring->completions[0].res;
}

static int request_on(struct ring *ring, const struct io_uring_sqe *request)
{
	int result = result_of(ring, request);

	if (result < 0)
		errno = -result;
	return attempt(result < 0 ? -1 : result);
}

static void request(const struct io_uring_sqe *request_)
{
	struct ring ring = open_ring(0);

	request_on(&ring, request_);
}

static struct io_uring_sqe write_of_two(unsigned flags)
{
	return (struct io_uring_sqe){ .opcode = IORING_OP_WRITE, .flags = flags, .fd = open_f(0), .addr = (long)"two\n", .len = 4 };
}

static void uring_write(void)
{
	struct io_uring_sqe write = write_of_two(0);

	request(&write);
}

static void uring_writev(void)
{
	struct iovec two[] = { { "tw", 2 }, { "o\n", 2 } };
	struct io_uring_sqe write = { .opcode = IORING_OP_WRITEV, .fd = open_f(0), .addr = (long)two, .len = 2 };

	request(&write);
}

/* By a worker thread. */
static void uring_write_async(void)
{
	struct io_uring_sqe write = write_of_two(IOSQE_ASYNC);

	request(&write);
}

/* By the kernel's polling thread. */
static void uring_write_sqpoll(void)
{
	int fd = open_f(0);
	struct ring ring = open_ring(IORING_SETUP_SQPOLL);
	struct io_uring_sqe write = { .opcode = IORING_OP_WRITE, .flags = IOSQE_FIXED_FILE, .addr = (long)"two\n", .len = 4 };

	must(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1)); /* 5.10 takes no others here */
	request_on(&ring, &write);
}

/* From memory and to a file that were registered beforehand. */
static void uring_write_fixed(void)
{
	struct ring ring = open_ring(0);
	int fd = open_f(0);
	struct iovec buffer = { block_of('x'), BLOCK };
	struct io_uring_sqe write = {
		.opcode = IORING_OP_WRITE_FIXED, .flags = IOSQE_FIXED_FILE, .addr = (long)buffer.iov_base, .len = 64
	};

	must(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_FILES, &fd, 1));
	must(syscall(SYS_io_uring_register, ring.fd, IORING_REGISTER_BUFFERS, &buffer, 1));
	request_on(&ring, &write);
}

static void uring_write_direct(void)
{
	struct io_uring_sqe write = { .opcode = IORING_OP_WRITE, .addr = (long)block_of('x'), .len = BLOCK, .off = BLOCK };

	write.fd = attempt(open("f", O_RDWR | O_DIRECT));
	request(&write);
}

static void uring_splice(void)
{
	struct io_uring_sqe splice = { .opcode = IORING_OP_SPLICE, .splice_off_in = -1, .len = 4 };
	int ends[2];

	must(pipe(ends));
	put(ends[1], "two\n");
	splice.splice_fd_in = ends[0];
	splice.fd = open_f(0);
	request(&splice);
}

static void uring_open_truncate(void)
{
	struct io_uring_sqe open = { .opcode = IORING_OP_OPENAT, .fd = AT_FDCWD, .addr = (long)"f", .open_flags = O_WRONLY | O_TRUNC };

	request(&open);
}

static void uring_fallocate(void)
{
	/* the length is where other requests have their buffer */
	struct io_uring_sqe fallocate = { .opcode = IORING_OP_FALLOCATE, .fd = open_f(0), .addr = 6 };

	request(&fallocate);
}

static void uring_ftruncate(void)
{
	struct io_uring_sqe ftruncate = { .opcode = OP_FTRUNCATE, .fd = open_f(0), .off = 2 };

	request(&ftruncate);
}

static void uring_rename(void)
{
	struct io_uring_sqe rename = {
		.opcode = IORING_OP_RENAMEAT, .fd = AT_FDCWD, .addr = (long)"new", .len = AT_FDCWD, .addr2 = (long)"f"
	};

	make("new", "two\n");
	request(&rename);
}

static void uring_unlink(void)
{
	struct io_uring_sqe unlink = { .opcode = IORING_OP_UNLINKAT, .fd = AT_FDCWD, .addr = (long)"f" };

	request(&unlink);
}

static void uring_link(void)
{
	struct io_uring_sqe link = {
		.opcode = IORING_OP_LINKAT, .fd = AT_FDCWD, .addr = (long)"source", .len = AT_FDCWD, .addr2 = (long)"f"
	};

	request(&link);
}

static void uring_symlink(void)
{
	struct io_uring_sqe symlink = { .opcode = IORING_OP_SYMLINKAT, .fd = AT_FDCWD, .addr = (long)"source", .addr2 = (long)"f" };

	request(&symlink);
}

static void uring_mkdir(void)
{
	struct io_uring_sqe mkdir = { .opcode = IORING_OP_MKDIRAT, .fd = AT_FDCWD, .addr = (long)"f", .len = 0755 };

	request(&mkdir);
}

static void uring_setxattr(void)
{
	struct io_uring_sqe setxattr = {
		.opcode = OP_SETXATTR, .addr = (long)"trusted.bpfink", .addr2 = (long)"two", .len = 3
	};

	*(__u64 *)((char *)&setxattr + 48) = (long)"f"; /* addr3 */
	request(&setxattr);
}

static void uring_fsetxattr(void)
{
	struct io_uring_sqe setxattr = {
		.opcode = OP_FSETXATTR, .fd = open_f(0), .addr = (long)"trusted.bpfink", .addr2 = (long)"two", .len = 3
	};

	request(&setxattr);
}

const struct technique uring_techniques[] = {
	{ "uring-write", uring_write },
	{ "uring-writev", uring_writev },
	{ "uring-write-async", uring_write_async },
	{ "uring-write-sqpoll", uring_write_sqpoll },
	{ "uring-write-fixed", uring_write_fixed },
	{ "uring-write-direct", uring_write_direct },
	{ "uring-splice", uring_splice },
	{ "uring-open-truncate", uring_open_truncate },
	{ "uring-fallocate", uring_fallocate },
	{ "uring-ftruncate", uring_ftruncate },
	{ "uring-rename", uring_rename },
	{ "uring-unlink", uring_unlink },
	{ "uring-link", uring_link },
	{ "uring-symlink", uring_symlink },
	{ "uring-mkdir", uring_mkdir },
	{ "uring-setxattr", uring_setxattr },
	{ "uring-fsetxattr", uring_fsetxattr },
	{ NULL, NULL },
};
