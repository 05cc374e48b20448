// SPDX-License-Identifier: MIT
/*
 * What system calls on files cost: cost TMPFS EXT4 CALLS ROUNDS, each of the two a directory.
 * Prints one line a case: its name, and the median over the rounds of nanoseconds a call.
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define MAX_ROUNDS 101

static char buffer[4096];

static double now(void)
{
	struct timespec time;

	clock_gettime(CLOCK_MONOTONIC, &time);
	return time.tv_sec * 1e9 + time.tv_nsec;
}

static int descending(const void *a, const void *b)
{
	double difference = *(const double *)b - *(const double *)a;

	return (difference > 0) - (difference < 0);
}

static void call(const char *kind, int fd, const char *path, size_t size)
{
	int other;

	if (!strcmp(kind, "write") && pwrite(fd, buffer, size, 0) == (ssize_t)size)
		return;
	if (!strcmp(kind, "read") && pread(fd, buffer, size, 0) == (ssize_t)size)
		return;
	if (!strcmp(kind, "write+read") && write(fd, buffer, size) == (ssize_t)size && read(fd, buffer, size) == (ssize_t)size)
		return;
	if (!strcmp(kind, "open+close") && (other = open(path, O_RDWR)) >= 0 && !close(other))
		return;
	perror(kind);
	exit(1);
}

/* The median over the rounds, of calls on an open file. */
static void measure_open(const char *kind, const char *where, int fd, const char *path, size_t size, int calls,
			 int rounds)
{
	double times[MAX_ROUNDS];

	for (int round = 0; round < rounds; round++) {
		double begin = now();

		for (int i = 0; i < calls; i++)
			call(kind, fd, path, size);
		times[round] = (now() - begin) / calls;
	}
	qsort(times, rounds, sizeof(*times), descending);
	printf("%s %s %zu %.1f\n", kind, where, size, times[rounds / 2]);
}

static void measure(const char *kind, const char *where, const char *directory, size_t size, int calls, int rounds)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/cost", directory);
	fd = open(path, O_RDWR | O_CREAT, 0600);
	if (fd < 0 || pwrite(fd, buffer, sizeof(buffer), 0) != sizeof(buffer)) {
		perror(path);
		exit(1);
	}
	measure_open(kind, where, fd, path, size, calls, rounds);
	close(fd);
	unlink(path);
}

/* A pipe opened for both: what is written is read again. */
static void measure_pipe(const char *directory, size_t size, int calls, int rounds)
{
	char path[4096];
	int fd;

	snprintf(path, sizeof(path), "%s/pipe", directory);
	if (mkfifo(path, 0600) || (fd = open(path, O_RDWR)) < 0) {
		perror(path);
		exit(1);
	}
	measure_open("write+read", "pipe", fd, path, size, calls, rounds);
	close(fd);
	unlink(path);
}

int main(int argc, char **argv)
{
	int calls = argc == 5 ? atoi(argv[3]) : 0;
	int rounds = argc == 5 ? atoi(argv[4]) : 0;

	if (calls <= 0 || rounds <= 0 || rounds > MAX_ROUNDS) {
		fprintf(stderr, "usage: cost TMPFS EXT4 CALLS ROUNDS\n");
		return 2;
	}
	measure("write", "tmpfs", argv[1], 1, calls, rounds);
	measure("write", "ext4", argv[2], 4096, calls, rounds);
	measure("read", "tmpfs", argv[1], 1, calls, rounds);
	measure("read", "ext4", argv[2], 4096, calls, rounds);
	measure("open+close", "ext4", argv[2], 0, calls / 4 + 1, rounds);
	measure_pipe(argv[1], 1, calls, rounds);
	return 0;
}
