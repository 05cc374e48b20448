/* A mapping of the file in one process, changed by another process or by no process's store. */
#include "techniques.h"
#include <linux/userfaultfd.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/ptrace.h>
#include <sys/uio.h>
#include <sys/wait.h>

static char *page;

static char *map(void)
{
	return must_map(mmap(NULL, BLOCK, PROT_READ | PROT_WRITE, MAP_SHARED, open_f(0), 0));
}

static void write_to_memory_of(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d/mem", pid);
	if (must(pwrite(must(open(path, O_RDWR)), "two\n", 4, (off_t)page)) != 4)
		exit(1);
}

static void write_to_parents_memory(void)
{
	write_to_memory_of(getppid());
}

static void proc_pid_mem(void)
{
	page = map();
	in_child(write_to_parents_memory);
}

/* The process's own memory, and its own file. */
static void proc_self_mem(void)
{
	page = map();
	write_to_memory_of(getpid());
}

static void write_to_parent(void)
{
	struct iovec from = { "two\n", 4 }, to = { page, 4 };

	if (must(process_vm_writev(getppid(), &from, 1, &to, 1, 0)) != 4)
		exit(1);
}

static void process_vm_writev_(void)
{
	page = map();
	in_child(write_to_parent);
}

/* The word reaches past the end of the file, where there is nothing but zeros. */
static void trace_parent(void)
{
	long word = 0;

	memcpy(&word, "two\n", 4);
	must(ptrace(PTRACE_ATTACH, getppid(), NULL, NULL));
	must(waitpid(getppid(), NULL, __WALL));
	must(ptrace(PTRACE_POKEDATA, getppid(), page, (void *)word));
	must(ptrace(PTRACE_DETACH, getppid(), NULL, NULL));
}

static void ptrace_(void)
{
	page = map();
	in_child(trace_parent);
}

/* UFFDIO_COPY puts a page where the file has a hole, without a fault that writes. */
static void userfaultfd_copy(void)
{
	struct uffdio_api api = { .api = UFFD_API };
	struct uffdio_register range = { .mode = UFFDIO_REGISTER_MODE_MISSING };
	struct uffdio_copy copy = { .src = (long)block_of('x'), .len = BLOCK };
	int fd = attempt(syscall(SYS_userfaultfd, O_CLOEXEC));

	must(ioctl(fd, UFFDIO_API, &api));
	range.range.start = copy.dst = (long)map();
	range.range.len = BLOCK;
	attempt(ioctl(fd, UFFDIO_REGISTER, &range));
	attempt(ioctl(fd, UFFDIO_COPY, &copy));
	pause_for_test();
}

const struct technique memory_techniques[] = {
	{ "proc-pid-mem", proc_pid_mem },
	{ "proc-self-mem", proc_self_mem },
	{ "process-vm-writev", process_vm_writev_ },
	{ "ptrace", ptrace_ },
	{ "userfaultfd-copy", userfaultfd_copy },
	{ NULL, NULL },
};
