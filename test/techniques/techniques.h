/*
 * Ways to change a file, one function each. The program runs one of them in a directory of its own:
 *
 *     techniques NAME DIRECTORY
 *
 * The file is "f" (expected.ts says where it is elsewhere, and what is there besides). Exit status 0: done;
 * 77: this kernel or file system has no such call; 1: anything else, which is told on stderr.
 */
#ifndef TECHNIQUES_H
#define TECHNIQUES_H

#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/types.h>
#include <unistd.h>

#define UNSUPPORTED 77
#define BLOCK 4096

struct technique {
	const char *name;
	void (*run)(void);
};

/* One table for each family, ended by a name that is NULL. */
extern const struct technique write_techniques[], copy_techniques[], resize_techniques[], uring_techniques[],
	aio_techniques[], mapping_techniques[], memory_techniques[], name_techniques[], attribute_techniques[],
	mount_techniques[], namespace_techniques[], block_techniques[];

/* The result of a call that cannot fail but by a mistake of ours; says which and ends the program if it did. */
#define must(call) must_(#call, (long)(call))
/* The result of the call that is the technique: what the kernel does not have ends the program with UNSUPPORTED. */
#define attempt(call) attempt_(#call, (long)(call))

long must_(const char *what, long result);
long attempt_(const char *what, long result);
void *must_map(void *address);
void unsupported(const char *what, int error) __attribute__((noreturn));

/* Opens f for reading and writing, with more flags. */
int open_f(int flags);
/* Writes the whole string to a descriptor. */
void put(int fd, const char *text);
/* Makes a file with this text. */
void make(const char *path, const char *text);
/* A block of lines of one letter, aligned for O_DIRECT; for the caller to keep. */
char *block_of(char letter);

/* Tells the test that something was done, and waits until it has seen it. */
void pause_for_test(void);
/* Tells the test that another process than the one it started is the actor. */
void actor_is(pid_t pid);
/* Runs a function in a child, tells the test that it is the actor, and waits for its end. */
void in_child(void (*run)(void));
/* Waits for a child, and ends with its status if that is not 0. */
void reap(pid_t child);

#endif
