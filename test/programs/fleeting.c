// A process that is gone before anybody can look at it.
//
//     fleeting DIRECTORY        for each line "FROM TO" of stdin, starts as many processes at once, waits
//                               for them, and prints "done"
//     fleeting write FILE TEXT  makes the file, writes the text and ends; what the processes do
//
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

static int write_file(const char *file, const char *text)
{
	int fd = open(file, O_WRONLY | O_CREAT | O_TRUNC, 0644);

	if (fd < 0 || write(fd, text, strlen(text)) < 0)
		return 1;
	return 0;
}

static int start(const char *self, const char *directory, int number)
{
	char file[512], text[32];

	snprintf(file, sizeof(file), "%s/%d", directory, number);
	snprintf(text, sizeof(text), "token-%d", number);
	pid_t pid = vfork();
	if (pid == 0) {
		execl(self, self, "write", file, text, NULL);
		_exit(127);
	}
	return pid < 0;
}

int main(int argc, char **argv)
{
	int from, to, status, failed = 0;

	if (argc == 4 && strcmp(argv[1], "write") == 0)
		_exit(write_file(argv[2], argv[3]));
	if (argc != 2)
		return 2;
	while (scanf("%d %d", &from, &to) == 2) {
		for (int number = from; number < to; number++)
			failed |= start(argv[0], argv[1], number);
		while (wait(&status) > 0)
			failed |= status;
		puts(failed ? "failed" : "done");
		fflush(stdout);
	}
	return failed ? 1 : 0;
}
