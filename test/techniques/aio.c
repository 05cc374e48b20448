/* Linux's own asynchronous input and output: io_submit(2). */
#include "techniques.h"
#include <linux/aio_abi.h>
#include <sys/uio.h>

static void submit(struct iocb *job, long expected)
{
	struct iocb *jobs[] = { job };
	struct io_event event;
	aio_context_t context = 0;

	attempt(syscall(SYS_io_setup, 1, &context));
	must(syscall(SYS_io_submit, context, 1, jobs));
	must(syscall(SYS_io_getevents, context, 1, 1, &event, NULL));
	if (event.res != expected) {
		fprintf(stderr, "aio: %lld\n", (long long)event.res);
		exit(1);
	}
}

static void aio_pwrite(void)
{
	struct iocb job = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_fildes = open_f(0), .aio_buf = (long)"two\n", .aio_nbytes = 4 };

	submit(&job, 4);
}

static void aio_pwritev(void)
{
	struct iovec two[] = { { "tw", 2 }, { "o\n", 2 } };
	struct iocb job = { .aio_lio_opcode = IOCB_CMD_PWRITEV, .aio_fildes = open_f(0), .aio_buf = (long)two, .aio_nbytes = 2 };

	submit(&job, 4);
}

static void aio_direct(void)
{
	struct iocb job = { .aio_lio_opcode = IOCB_CMD_PWRITE, .aio_buf = (long)block_of('x'), .aio_nbytes = BLOCK, .aio_offset = BLOCK };

	job.aio_fildes = attempt(open("f", O_RDWR | O_DIRECT));
	submit(&job, BLOCK);
}

const struct technique aio_techniques[] = {
	{ "aio-pwrite", aio_pwrite },
	{ "aio-pwritev", aio_pwritev },
	{ "aio-direct", aio_direct },
	{ NULL, NULL },
};
