#include "techniques.h"
#include <sys/wait.h>

static const struct technique *const families[] = {
	write_techniques, copy_techniques,   resize_techniques,	   uring_techniques, aio_techniques,	   mapping_techniques,
	memory_techniques, name_techniques, attribute_techniques, mount_techniques, namespace_techniques, block_techniques,
};

int main(int argc, char **argv)
{
	if (argc == 2 && !strcmp(argv[1], "--list")) {
		for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
			for (const struct technique *t = families[i]; t->name; t++)
				puts(t->name);
		return 0;
	}
	if (argc != 3) {
		fprintf(stderr, "usage: techniques NAME DIRECTORY | --list\n");
		return 2;
	}
	must(chdir(argv[2]));
	for (size_t i = 0; i < sizeof(families) / sizeof(*families); i++)
		for (const struct technique *t = families[i]; t->name; t++)
			if (!strcmp(t->name, argv[1])) {
				t->run();
				return 0;
			}
	fprintf(stderr, "no technique %s\n", argv[1]);
	return 2;
}

long must_(const char *what, long result)
{
	if (result >= 0)
		return result;
	fprintf(stderr, "%s: %s\n", what, strerror(errno));
	exit(1);
}

void unsupported(const char *what, int error)
{
	fprintf(stderr, "%s: %s\n", what, strerror(error));
	exit(UNSUPPORTED);
}

long attempt_(const char *what, long result)
{
	if (result < 0 && (errno == ENOSYS || errno == EOPNOTSUPP || errno == EINVAL || errno == ENOTTY))
		unsupported(what, errno);
	return must_(what, result);
}

void *must_map(void *address)
{
	must_("mmap", address == (void *)-1 ? -1 : 0);
	return address;
}

int open_f(int flags)
{
	return must(open("f", O_RDWR | flags));
}

void put(int fd, const char *text)
{
	if (must(write(fd, text, strlen(text))) != (long)strlen(text))
		exit(1);
}

void make(const char *path, const char *text)
{
	int fd = must(open(path, O_WRONLY | O_CREAT | O_EXCL, 0644));

	put(fd, text);
	must(close(fd));
}

char *block_of(char letter)
{
	char *block = aligned_alloc(BLOCK, BLOCK);

	memset(block, letter, BLOCK);
	for (int end = 63; end < BLOCK; end += 64)
		block[end] = '\n';
	return block;
}

void pause_for_test(void)
{
	char answer;

	must(write(STDOUT_FILENO, "pause\n", 6));
	must(read(STDIN_FILENO, &answer, 1));
}

void actor_is(pid_t pid)
{
	dprintf(STDOUT_FILENO, "actor %d\n", pid);
}

void reap(pid_t child)
{
	int status;

	must(waitpid(child, &status, 0));
	if (status)
		exit(WIFEXITED(status) ? WEXITSTATUS(status) : 1);
}

void in_child(void (*run)(void))
{
	pid_t child = must(fork());

	if (!child) {
		run();
		exit(0);
	}
	actor_is(child);
	reap(child);
}
