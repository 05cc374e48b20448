import { closeSync, openSync, readFileSync } from "node:fs";
import { isRoot } from "../kernel/libc.ts";
import { countsAsLockedMemory } from "../kernel/locked-memory.ts";
import { hasHostsPids } from "../kernel/namespace.ts";
import { readPreemption } from "../kernel/preemption.ts";
import { capabilitiesOf, lockedMemoryOf } from "./capabilities.ts";

/** One thing that was looked at. `limits`: bpfink works, but sees or tells less. */
export interface Finding {
  readonly name: string;
  readonly status: "ok" | "limits" | "problem" | "unknown";
  /** What was found. */
  readonly found: string;
  /** What to do about it. */
  readonly remedy?: string;
}

/** What can keep programs from being loaded, and is said where they are not. */
export const readLockedMemory = (): Finding | undefined =>
  !countsAsLockedMemory()
    ? undefined
    : lockedMemoryOf({ status: read("/proc/self/status") ?? "" }, read("/proc/self/limits") ?? "");

/** Everything that can be known of the kernel and of our rights in it without loading anything. */
export function readFindings(): Finding[] {
  return [
    { name: "kernel", status: "ok", found: read("/proc/sys/kernel/osrelease") ?? "unknown" },
    btfOf(isReadable(BTF)),
    lockdownOf(read("/sys/kernel/security/lockdown"), read("/sys/kernel/security/lsm")),
    securityModulesOf(read("/sys/kernel/security/lsm")),
    preemption(),
    capabilitiesOf({
      ...{ status: read("/proc/self/status") ?? "", uidMap: read("/proc/self/uid_map"), isRoot: isRoot() },
    }),
    pidsOf(hasHostsPids()),
  ];
}

const BTF = "/sys/kernel/btf/vmlinux";

export function btfOf(isReadable: boolean): Finding {
  const name = "BTF";
  if (isReadable) return { name, status: "ok", found: BTF };
  return {
    name,
    status: "limits",
    found: `${BTF} is not there to be read, and without it no BPF program of bpfink can be loaded`,
    remedy:
      "a kernel with CONFIG_DEBUG_INFO_BTF=y, as Debian 11, Ubuntu 20.10, RHEL 8.2 and later have; in a container, " +
      "leave /sys visible",
  };
}

const SECURITYFS = "mount -t securityfs none /sys/kernel/security, if the kernel has it";

/**
 * @param text kernel_lockdown(7): "none [integrity] confidentiality"; undefined: it is not built in, or cannot be read
 * @param modules as securityModulesOf: where they can be read and lockdown cannot, there is none
 */
export function lockdownOf(text: string | undefined, modules: string | undefined): Finding {
  const name = "lockdown";
  const mode = /\[(\w+)\]/.exec(text ?? "")?.[1];
  if (mode === undefined && modules === undefined)
    return { name, status: "unknown", found: "/sys/kernel/security cannot be read", remedy: SECURITYFS };
  if (mode !== "confidentiality") return { name, status: "ok", found: mode ?? "not built in" };
  return {
    name,
    status: "limits",
    found: "confidentiality: BPF programs may not read the kernel's memory",
    remedy: "boot with lockdown=integrity, or without lockdown=confidentiality",
  };
}

/** @param found /sys/kernel/security/lsm: those that are active */
export function securityModulesOf(found: string | undefined): Finding {
  const name = "security modules";
  return found === undefined
    ? { name, status: "unknown", found: "/sys/kernel/security cannot be read", remedy: SECURITYFS }
    : { name, status: "ok", found };
}

function preemption(): Finding {
  const { losesEvents, isGuess, reason } = readPreemption();
  if (!losesEvents) return { name: "preemption", status: "ok", found: reason };
  return {
    name: "preemption",
    status: isGuess === true ? "unknown" : "limits",
    found: `${reason}: trampolines can miss events, which bpfink notices; it prefers kprobes`,
    remedy:
      isGuess === true
        ? "run it as root, whom debugfs tells; or boot with preempt=voluntary"
        : "boot with preempt=voluntary, or a kernel with CONFIG_KPROBES",
  };
}

/** Whose process ids we have. */
export function pidsOf(areHosts: boolean): Finding {
  const name = "process ids";
  if (areHosts) return { name, status: "ok", found: "the host's" };
  return {
    name,
    status: "limits",
    found:
      "those of a PID namespace: with eBPF lines have the host's; with fanotify processes that are gone are not named, and " +
      "stores to mapped memory are seen late or not at all",
    remedy: "run it on the host, or in a container with --pid host",
  };
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, "utf8").trim();
  } catch {
    return undefined;
  }
}

function isReadable(path: string): boolean {
  try {
    closeSync(openSync(path, "r"));
    return true;
  } catch {
    return false;
  }
}
