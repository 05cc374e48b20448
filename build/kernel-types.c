// SPDX-License-Identifier: MIT
//
// The kernel's BTF, read once for several BPF objects. libbpf reads and parses the 5 MB of /sys/kernel/btf/vmlinux for
// each object that it loads, and frees them afterwards; a start loads several, one after the other. Whoever holds the
// types meanwhile has all of them use the same. Linked with --wrap, so that libbpf.a's own calls come here.
//
// Not for several threads: in bpfink one thread loads, the other only polls.

#include <stddef.h>

struct btf;

struct btf *__real_btf__load_vmlinux_btf(void);
void __real_btf__free(struct btf *types);

static struct btf *shared;
static unsigned holders;

/// The types, for whom releases them; NULL where they cannot be read, and errno says why.
struct btf *kernel_types__hold(void)
{
    if (shared == NULL)
        shared = __real_btf__load_vmlinux_btf();
    if (shared != NULL)
        holders++;
    return shared;
}

/// Frees the types with their last holder; any other types at once, and NULL not at all.
void kernel_types__release(struct btf *types)
{
    if (types != NULL && types == shared) {
        if (--holders > 0)
            return;
        shared = NULL;
    }
    __real_btf__free(types);
}

struct btf *__wrap_btf__load_vmlinux_btf(void)
{
    return kernel_types__hold();
}

void __wrap_btf__free(struct btf *types)
{
    kernel_types__release(types);
}
