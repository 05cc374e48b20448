/**
 * What the kernel prints when something is wrong with it. None of these lines comes from a healthy kernel, however
 * slow TCG makes it: qemu.ts turns off the detectors that judge by time (soft lockup, RCU stall, workqueue).
 */
const splat = new RegExp(
  [
    String.raw`\bBUG: `,
    String.raw`\bWARNING: (CPU|possible|suspicious|inconsistent|bad unlock|held lock|kernel|.* at )`,
    String.raw`\bOops\b`,
    String.raw`\bKASAN: |\bKFENCE: |\bUBSAN: |\bKCSAN: `,
    String.raw`general protection fault`,
    String.raw`kernel BUG at `,
    String.raw`Kernel panic - not syncing`,
    String.raw`unable to handle (kernel|page fault)`,
    String.raw`rcu: INFO: .* (detected stalls?|self-detected stall)`,
    String.raw`INFO: task .* blocked for more than`,
    String.raw`possible recursive locking|circular locking dependency`,
    String.raw`refcount_t: `,
    String.raw`scheduling while atomic`,
  ].join("|"),
);

/** A fault of a user space program is logged too (`traps: bun[123] general protection fault ip:…`): not the kernel's. */
const userFault = /\btraps: /;

/**
 * The lines of a kernel log that tell of a defect in the kernel, each once, in order, without their time stamps.
 * Messages of the BPF verifier (`BPF: …`) and of a distrusted clock source are not.
 */
export function findSplats(...logs: string[]): string[] {
  const found = new Set<string>();
  for (const line of logs.join("\n").split("\n")) {
    const message = line.replace(/^(<\d+>)?\[\s*[\d.]+\](\[[^\]]*\])?\s*/, "").trimEnd();
    if (splat.test(message) && !userFault.test(message) && !message.startsWith("BPF:")) found.add(message);
  }
  return [...found];
}
