// SPDX-License-Identifier: GPL-2.0 OR BSD-2-Clause
/*
 * bpfink's kernel half. Each hook asks the watch map whether anybody cares, and if so sends one
 * record through the ring: what happened, to which inode or directory entry, and who did it.
 *
 *   hooks.bpf.h         what each hook does
 *   trampolines.bpf.h   the hooks as fentry, fexit and tp_btf programs; or
 *   probes.bpf.h        the same as kprobes
 *   processes.bpf.h     who there was, beside fanotify: loaded without the others
 *   signals.bpf.h       who sends the monitor a signal: loaded by itself
 *   watch.bpf.h         whether anybody cares
 *   excludes.bpf.h      which names nobody cares about
 *   report.bpf.h        the ring
 *   opened.bpf.h        what the monitor asks by opening a file
 *   actor.bpf.h         who did it; paths.bpf.h: where they come from
 *
 * Which of them are loaded, and what is not seen without one: src/kernel/hooks.ts.
 */
#include "trampolines.bpf.h"
#include "probes.bpf.h"
#include "processes.bpf.h"
#include "signals.bpf.h"

char LICENSE[] SEC("license") = "Dual BSD/GPL";
