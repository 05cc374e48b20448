// SPDX-License-Identifier: MIT
//
// The few functions that stand between Debian's static libbpf, libelf and libz and one shared library that
// loads on glibc 2.17 and later:
//
//   elf errors   libelf's elf_error.o keeps the last error in local-exec thread-local storage, which no shared
//                library may use. The three functions of that member are defined here, so it is not linked.
//   fstat        glibc 2.33 made it a symbol of its own (it was an inline function before); asked by system call.
//   fcntl64      new in glibc 2.28, the same as fcntl where off_t has 64 bits.
//   fmemopen     new version in glibc 2.22; the old one differs only in writing and seeking, libbpf only reads.
//   stderr       Debian compiles libbpf.a for executables, which reach stderr without the global offset table;
//                a shared library needs one of its own to be reached that way.
//   __isoc23_*   glibc 2.38's names for scanf and strtol in objects built against its headers (Debian 13).
//   ZSTD_*, eu_* what Debian 13's libelf.a refers to and does not contain. Only compressed sections and raw chunks
//                need them, and an object made by clang has neither: compression is an error here, no tree is kept.
//
// No system header is included on purpose: they would rename these functions.

#if !defined(__x86_64__)
#error "the symbol versions and the system call number below are those of x86-64"
#endif

typedef unsigned long size_t;

// -- elf_error.o ------------------------------------------------------------------------------------------

// Codes are those of libelf's internal header (they are part of no ABI, but have only ever grown at the end).
static const char *const messages[] = {
    [1] = "ELF: unknown error",
    [2] = "ELF: this version of the format is not known",
    [3] = "ELF: data type is not known",
    [4] = "ELF: handle is not valid",
    [5] = "ELF: source buffer has the wrong size",
    [6] = "ELF: destination buffer has the wrong size",
    [7] = "ELF: byte order is not valid",
    [8] = "ELF: out of memory",
    [9] = "ELF: file descriptor is not valid",
    [10] = "ELF: file is not a valid ELF file",
    [11] = "ELF: operation does not apply here",
    [12] = "ELF: elf_version() was not called first",
    [13] = "ELF: command does not apply here",
    [14] = "ELF: offset lies outside the file",
    [15] = "ELF: archive member header is damaged",
    [16] = "ELF: archive is damaged",
    [17] = "ELF: file is no archive",
    [18] = "ELF: archive has no index",
    [19] = "ELF: file cannot be read",
    [20] = "ELF: file cannot be written",
    [21] = "ELF: neither a 32-bit nor a 64-bit file",
    [22] = "ELF: no section has this index",
    [23] = "ELF: argument is not valid",
    [24] = "ELF: section is not valid",
    [25] = "ELF: command is not valid",
    [26] = "ELF: file header has to be made first",
    [27] = "ELF: file descriptor is no longer in use",
    [28] = "ELF: archive and member have different file descriptors",
    [29] = "ELF: offset lies outside the section",
    [30] = "ELF: section 0 cannot be changed",
    [31] = "ELF: data does not belong to this section",
    [32] = "ELF: section header is not valid",
    [33] = "ELF: data is not valid",
    [34] = "ELF: encoding of the data is not known",
    [35] = "ELF: section is too small for its data",
    [36] = "ELF: alignment of the section is not valid",
    [37] = "ELF: entry size of the section is not valid",
    [38] = "ELF: file is open for reading only",
    [39] = "ELF: there is no such file",
    [40] = "ELF: section groups exist in relocatable files only",
    [41] = "ELF: this kind of file has no program header",
    [42] = "ELF: file has no program header",
    [43] = "ELF: offset is not valid",
    [44] = "ELF: type of the section is not valid",
    [45] = "ELF: flags of the section are not valid",
    [46] = "ELF: section is not compressed",
    [47] = "ELF: section is compressed already",
    [48] = "ELF: kind of compression is not known",
    [49] = "ELF: data cannot be compressed",
    [50] = "ELF: data cannot be decompressed",
};

// One for the process, where libelf has one for each thread: bpfink opens its object in one thread, and the
// code only chooses the words of a log message.
static int last_error;

void __libelf_seterrno(int code)
{
    __atomic_store_n(&last_error, code, __ATOMIC_RELAXED);
}

/* The code of the last error, 0 for none; forgets it. */
int elf_errno(void)
{
    return __atomic_exchange_n(&last_error, 0, __ATOMIC_RELAXED);
}

/* What a code means: 0 asks for the last error if there was one, -1 for the last error in any case. */
const char *elf_errmsg(int code)
{
    if (code == 0 || code == -1) {
        int last = __atomic_load_n(&last_error, __ATOMIC_RELAXED);
        if (last == 0)
            return code == 0 ? (const char *)0 : "ELF: no error";
        code = last;
    }
    if (code < 1 || code >= (int)(sizeof messages / sizeof messages[0]))
        code = 1;
    return messages[code];
}

// -- libc -------------------------------------------------------------------------------------------------

__asm__(".symver old_fcntl, fcntl@GLIBC_2.2.5");
__asm__(".symver old_fmemopen, fmemopen@GLIBC_2.2.5");
extern int old_fcntl(int fd, int command, void *argument);
extern void *old_fmemopen(void *buffer, size_t size, const char *mode);
extern long syscall(long number, ...);

__asm__(".symver libc_stderr, stderr@GLIBC_2.2.5");
extern void *libc_stderr;
__attribute__((visibility("hidden"))) void *stderr;

__attribute__((constructor)) static void adopt_stderr(void)
{
    stderr = libc_stderr;
}

int fstat(int fd, void *status)
{
    return (int)syscall(5 /* __NR_fstat */, fd, status);
}

int fcntl64(int fd, int command, void *argument)
{
    return old_fcntl(fd, command, argument);
}

void *fmemopen(void *buffer, size_t size, const char *mode)
{
    return old_fmemopen(buffer, size, mode);
}

// -- glibc 2.38 -------------------------------------------------------------------------------------------

extern int __isoc99_vsscanf(const char *text, const char *format, __builtin_va_list arguments);
extern int __isoc99_vfscanf(void *stream, const char *format, __builtin_va_list arguments);
extern long strtol(const char *text, char **end, int base);
extern unsigned long strtoul(const char *text, char **end, int base);

int __isoc23_sscanf(const char *text, const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int count = __isoc99_vsscanf(text, format, arguments);
    __builtin_va_end(arguments);
    return count;
}

int __isoc23_fscanf(void *stream, const char *format, ...)
{
    __builtin_va_list arguments;
    __builtin_va_start(arguments, format);
    int count = __isoc99_vfscanf(stream, format, arguments);
    __builtin_va_end(arguments);
    return count;
}

long __isoc23_strtol(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

unsigned long __isoc23_strtoul(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}

long long __isoc23_strtoll(const char *text, char **end, int base)
{
    return strtol(text, end, base);
}

unsigned long long __isoc23_strtoull(const char *text, char **end, int base)
{
    return strtoul(text, end, base);
}

// -- Debian 13's libelf.a ---------------------------------------------------------------------------------

// Weak: a libelf that does contain them wins.
#define IF_ABSENT __attribute__((weak))

IF_ABSENT void *ZSTD_createCCtx(void)
{
    return (void *)0; // libelf: compression failed
}

IF_ABSENT size_t ZSTD_freeCCtx(void *context)
{
    (void)context;
    return 0;
}

IF_ABSENT size_t ZSTD_compressStream2(void *context, void *output, void *input, int operation)
{
    (void)context, (void)output, (void)input, (void)operation;
    return (size_t)-1;
}

IF_ABSENT size_t ZSTD_decompress(void *to, size_t to_size, const void *from, size_t from_size)
{
    (void)to, (void)to_size, (void)from, (void)from_size;
    return (size_t)-1;
}

IF_ABSENT unsigned ZSTD_isError(size_t result)
{
    return result == (size_t)-1;
}

// The first member of the tree is its root; elf_getdata_rawchunk, which alone adds to it, is not linked.
IF_ABSENT void eu_search_tree_init(void **tree)
{
    *tree = (void *)0;
}

IF_ABSENT void eu_search_tree_fini(void **tree, void (*release)(void *))
{
    (void)tree, (void)release;
}
