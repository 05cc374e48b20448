import { expect, test } from "bun:test";
import { findSplats } from "../../vm/splats.ts";

test.each([
  "BUG: kernel NULL pointer dereference, address: 0000000000000000",
  "WARNING: CPU: 1 PID: 77 at kernel/trace/ftrace.c:2045 ftrace_bug+0x4c/0x1e0",
  "WARNING: kernel/bpf/verifier.c:1 at do_check+0x1/0x2, CPU#1: bpfink/9",
  "WARNING: possible circular locking dependency detected",
  "Oops: 0000 [#1] PREEMPT SMP NOPTI",
  "general protection fault, probably for non-canonical address 0xdead000000000122: 0000 [#1]",
  "BUG: KASAN: slab-out-of-bounds in f+0x1/0x2",
  "INFO: task bpfink:77 blocked for more than 120 seconds.",
  "rcu: INFO: rcu_preempt detected stalls on CPUs/tasks:",
  "Kernel panic - not syncing: Attempted to kill init! exitcode=0x00000100",
  "refcount_t: underflow; use-after-free.",
])("a splat: %s", (message) => {
  expect(findSplats(`[    1.250000] quiet\n[    2.500000] ${message}\n`)).toEqual([message]);
});

test.each([
  "BPF: WARNING: CPU: this is a message of the verifier",
  "traps: bun[123] general protection fault ip:401000 sp:7ffc error:0 in bun[400000+1000]",
  "clocksource: timekeeping watchdog on CPU1: Marking clocksource 'tsc' as unstable because the skew is too large:",
  'Unstable clock detected, switching default tracing clock to "global"',
  "systemd-journald: DEBUG: nothing",
  "tsc: Unable to calibrate against PIT",
])("no splat: %s", (message) => {
  expect(findSplats(`[    1.250000] ${message}\n`)).toEqual([]);
});

test("a splat that is in the log and on the console counts once", () => {
  expect(findSplats("<0>[    2.5] BUG: it\n", "[    2.500000][   T77] BUG: it\r\n")).toEqual(["BUG: it"]);
});
