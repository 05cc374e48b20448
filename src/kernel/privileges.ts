import { dlopen } from "bun:ffi";

const { symbols: c } = dlopen("libc.so.6", {
  prctl: { args: ["i32" /* int option */, "u64", "u64", "u64", "u64"], returns: "i32" },
});

// <linux/prctl.h>
const PR_SET_DUMPABLE = 4;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;

/** <linux/capability.h> has 41; the kernel refuses the first that it does not know. */
const CAPABILITIES = 64;

/**
 * Gives up what a monitor never needs, for good. The process: core dumps, which would hold what was
 * read of shadow, and being traced by others than root. This thread and those that it makes from now
 * on: privileges from executing a file (no_new_privs, an empty bounding set). Bun's other threads
 * keep those two, for both are each thread's own (prctl(2), capabilities(7)); a unit of systemd sets
 * them before there are threads. Nothing here is required: what the kernel refuses stays as it is.
 */
export function dropPrivileges(): void {
  c.prctl(PR_SET_DUMPABLE, 0, 0, 0, 0);
  for (let capability = 0; capability < CAPABILITIES; capability++) {
    if (c.prctl(PR_CAPBSET_DROP, capability, 0, 0, 0) !== 0) break;
  }
  c.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
}
